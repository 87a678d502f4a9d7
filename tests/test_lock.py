"""The lock files: what is needed and nothing else, pinned, with hashes, and nothing of one machine."""

import re
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

NAMED = {
    "requirements.lock": ["requirements.txt"],
    "requirements-dev.lock": [
        "requirements.txt",
        "requirements-dev.txt",
        "requirements-milvus.txt",
    ],
}
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", re.MULTILINE)


def pins(text: str) -> set[tuple[str, str]]:
    return {(re.sub(r"[-_.]+", "-", name).lower(), version) for name, version in PIN.findall(text)}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("lock", NAMED)
def test_all_that_is_named_is_locked(lock: str) -> None:
    named = set().union(*(pins(read(name)) for name in NAMED[lock]))
    assert len(named) > 20
    missing = {pin for pin in named - pins(read(lock)) if pin[0] != "torch"}
    assert missing == set(), "make lock"


@pytest.mark.parametrize("lock", NAMED)
def test_each_has_hashes_and_no_place(lock: str) -> None:
    text = read(lock)
    entries = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip())
    assert len(entries) > 100
    for entry in entries:
        assert re.match(
            r"[\w.-]+==\S+( ; [^\\]+)? ?(\\\n    --hash=sha256:[0-9a-f]{64} ?)+$", entry
        ), entry[:80]
    assert not re.search(r"://|^-|^/", text, re.MULTILINE)


def test_what_only_torch_needs_is_not_locked() -> None:
    for lock in NAMED:
        names = {name for name, _ in pins(read(lock))}
        assert not [n for n in names if re.match("torch$|triton$|nvidia-|cuda-", n)]


# What is installed here says what it needs in turn.


# Only torch needs them: its builds for graphics cards come from elsewhere.
OF_TORCH = re.compile("triton$|nvidia-|cuda-")


def locked(name: str) -> dict[str, str]:
    """The version of each package that is locked for this Python and system."""
    found: dict[str, str] = {}
    for line in re.findall(r"^[A-Za-z0-9].*?(?= *\\$)", read(name), re.MULTILINE):
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            (pin,) = requirement.specifier
            package = canonicalize_name(requirement.name)
            assert pin.operator == "==" and package not in found, package
            found[package] = pin.version
    return found


def named(lock: str) -> list[Requirement]:
    lines = [line for name in NAMED[lock] for line in read(name).splitlines()]
    return [Requirement(line) for line in lines if re.match("[A-Za-z0-9]", line)]


def needed(lock: str) -> dict[str, list[Requirement]]:
    """What is needed on this Python and system: each package with what asks for it, extras included."""
    asked: dict[str, list[Requirement]] = {}
    waiting = [(one, frozenset({""})) for one in named(lock)]
    done: set[tuple[str, str]] = set()
    while waiting:
        requirement, extras = waiting.pop()
        marker = requirement.marker
        if marker is not None and not any(marker.evaluate({"extra": extra}) for extra in extras):
            continue
        package = canonicalize_name(requirement.name)
        asked.setdefault(package, []).append(requirement)
        for extra in {"", *requirement.extras}:
            if (package, extra) in done or OF_TORCH.match(package):
                continue
            done.add((package, extra))
            needs = metadata.requires(package) or []
            waiting += [(Requirement(one), frozenset({"", extra})) for one in needs]
    return asked


@pytest.mark.parametrize("lock", NAMED)
def test_what_is_installed_is_what_is_locked(lock: str) -> None:
    other = {
        package: (version, metadata.version(package))
        for package, version in locked(lock).items()
        if metadata.version(package) != version
    }
    assert other == {}, "make test installs what the lock file names"


@pytest.mark.parametrize("lock", NAMED)
def test_all_that_is_needed_is_locked_and_nothing_else(lock: str) -> None:
    versions, asked = locked(lock), needed(lock)
    assert len(versions) > 50
    wrong = [
        f"{package} {versions.get(package)}: {requirement}"
        for package, requirements in asked.items()
        for requirement in requirements
        if package != "torch" and not OF_TORCH.match(package)
        if package not in versions or versions[package] not in requirement.specifier
    ]
    assert wrong == []
    assert versions.keys() - asked.keys() == set(), "make lock"


def test_what_torch_needs_is_locked() -> None:
    """It is installed without what it needs, which comes with the rest."""
    needs = [Requirement(one) for one in metadata.requires("torch") or []]
    needs = [one for one in needs if one.marker is None or one.marker.evaluate({"extra": ""})]
    names = {canonicalize_name(one.name) for one in needs if not OF_TORCH.match(one.name)}
    assert {"filelock", "fsspec", "jinja2", "networkx", "sympy", "typing-extensions"} <= names
    for lock in NAMED:
        assert names <= locked(lock).keys()
