"""The lock files: all that is named is in them, pinned and with hashes, and nothing of one machine."""

import re

import pytest

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
