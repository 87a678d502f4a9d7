"""The package as users install it: what the wheel holds, and its commands without a checkout."""

import os
import subprocess
import sys
import sysconfig
import time
import zipfile
from collections import defaultdict
from email import message_from_bytes
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import ask_the_article
from ask_the_article.cli import COMMANDS, main
from index.errors import ArticleError
from index.resources import resource
from tests.browser import free_port
from tests.conftest import ROOT

QUESTION = "when did Putin last visit?"
ANSWER = "June 18th and 19th"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


class Installed:
    """A fresh environment with the wheel, and with this one's packages for what it depends on."""

    def __init__(self, folder: Path) -> None:
        self.environment = folder / "environment"
        self.elsewhere = folder / "elsewhere"
        self.elsewhere.mkdir()
        self.run_module("venv", str(self.environment), python=sys.executable)
        self.bin = self.environment / ("Scripts" if os.name == "nt" else "bin")
        others = {sysconfig.get_paths()[kind] for kind in ("purelib", "platlib")}
        (self.packages / "others.pth").write_text("\n".join(others) + "\n", encoding="utf-8")

    @property
    def python(self) -> str:
        return str(self.bin / "python")

    @property
    def packages(self) -> Path:
        base = {"base": str(self.environment), "platbase": str(self.environment)}
        return Path(sysconfig.get_path("purelib", "venv", vars=base))

    @property
    def settings(self) -> dict[str, str]:
        """This environment's variables, without what could lead to the checkout."""
        own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return {**own, "HOME": str(self.elsewhere), "XDG_CACHE_HOME": str(self.elsewhere)}

    def run(self, *command: str, given: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command,
            cwd=self.elsewhere,
            env=self.settings,
            input=given,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done

    def run_module(self, *command: str, python: str = "") -> subprocess.CompletedProcess[str]:
        return self.run(python or self.python, "-m", *command)

    def run_command(self, *command: str, given: str = "") -> str:
        """What the console script prints."""
        return self.run(str(self.bin / "ask-the-article"), *command, given=given).stdout


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    made = Installed(tmp_path_factory.mktemp("installed"))
    options = ("--no-deps", "--no-index", "--disable-pip-version-check")
    made.run_module("pip", "install", "-q", *options, str(wheel))
    return made


def test_the_wheel_holds_the_program_and_its_data(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    rooms = ("ask_the_article", "index", "qa", "page", "evaluation")
    modules = {str(p.relative_to(ROOT)) for room in rooms for p in (ROOT / room).rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == {*modules, "app.py"}
    folders = {"models/reader": "reader", "articles": "articles"}
    data = {
        f"ask_the_article/data/{to}/{path.name}"
        for folder, to in folders.items()
        for path in (ROOT / folder).iterdir()
    }
    fitted = {"index/search/ranking.json", "qa/calibration.json"}
    static = {f"page/static/{path.name}" for path in (ROOT / "page/static").iterdir()}
    typed = {"ask_the_article/py.typed", "index/py.typed", "qa/py.typed"}
    licences = {
        f"ask_the_article-{ask_the_article.__version__}.dist-info/licenses/{name}"
        for name in ("LICENSE", "NOTICE")
    }
    assert data | fitted | static | typed | licences <= names
    assert len(data) >= 5 and len(static) >= 3


def requirements(name: str) -> list[Requirement]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line[:1].isalnum()]


@pytest.mark.parametrize(
    ("extras", "pinned"),
    [
        (("", "mcp"), "requirements.txt"),
        (("milvus",), "requirements-milvus.txt"),
        (("dev",), "requirements-dev.txt"),
    ],
)
def test_the_pinned_versions_lie_in_the_ranges(
    wheel: Path, extras: tuple[str, ...], pinned: str
) -> None:
    ranges = {}
    asked_by: dict[str, set[str]] = defaultdict(set)
    with zipfile.ZipFile(wheel) as archive:
        (about,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        needs = message_from_bytes(archive.read(about)).get_all("Requires-Dist")
    for one in map(Requirement, needs):
        name = canonicalize_name(one.name)
        ranges[name] = one.specifier
        asked_by[name] |= {extra for extra in ("", "mcp", "milvus", "dev") if applies(one, extra)}
    # What another extra names is in "dev", too, and what has no marker is in all of them.
    owners = {n: "" if "" in by else min(by - {"dev"} or by) for n, by in asked_by.items()}
    assert owners.pop("ask-the-article", "dev") == "dev"
    pins = requirements(pinned)
    named = {canonicalize_name(pin.name) for pin in pins}
    assert named == {name for name, owner in owners.items() if owner in extras}
    for pin in pins:
        (version,) = pin.specifier
        assert Version(version.version) in ranges[canonicalize_name(pin.name)], pin


def applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def test_the_command_answers_from_another_folder(installed: Installed) -> None:
    out = installed.run_command("ask", QUESTION)
    assert out.startswith(f"{ANSWER}  (")
    assert installed.run_module("qa", "ask", QUESTION).stdout == out


def test_the_installed_modules_are_those_used(installed: Installed) -> None:
    code = "from importlib.util import find_spec; from index.resources import resource; "
    code += "names = ('app', 'ask_the_article', 'evaluation', 'index', 'page', 'qa'); "
    code += (
        "print(*(find_spec(name).origin for name in names), resource('models/reader'), sep='\\n')"
    )
    paths = installed.run(installed.python, "-c", code).stdout.splitlines()
    assert len(paths) == 7
    assert all(Path(path).is_relative_to(installed.environment) for path in paths)


def test_the_command_names_its_version_and_commands(installed: Installed) -> None:
    version = f"ask-the-article {ask_the_article.__version__}\n"
    assert installed.run_command("--version") == version
    assert installed.run_module("ask_the_article", "--version").stdout == version
    told = installed.run_command("--help")
    assert all(f"\n    {command} " in told for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_under_its_name(installed: Installed, command: str) -> None:
    told = installed.run_command(command, "--help")
    assert told.startswith(f"usage: ask-the-article {command} ")


def test_a_piped_conversation(installed: Installed) -> None:
    asked = f"{QUESTION}\nWhere did he go after that?\n"
    first, second, rest = installed.run_command("chat", given=asked).split("\n\n")
    assert first.startswith(f"{ANSWER}  (") and f"**{ANSWER}**" in first
    assert f"Interpreted as: Where did Putin go after {ANSWER}?" in second
    assert rest == ""


def test_the_installed_page_serves(installed: Installed) -> None:
    port = free_port()
    log = installed.elsewhere / "log.txt"
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(installed.bin / "ask-the-article"), "serve", "--port", str(port)],
            cwd=installed.elsewhere,
            env=installed.settings,
            stdout=out,
            stderr=out,
        )
    try:
        deadline = time.monotonic() + 60
        while "is open at" not in log.read_text():
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        assert "Ask the Article" in httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).text
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_every_public_name_can_be_imported() -> None:
    for name in ask_the_article.__all__:
        assert getattr(ask_the_article, name) is not None
        assert name in dir(ask_the_article)
    with pytest.raises(AttributeError):
        _ = ask_the_article.no_such_name


def test_every_error_class_is_public() -> None:
    """Those that the imports of the public names define; all have one base."""
    for name in ask_the_article.__all__:
        getattr(ask_the_article, name)
    found, waiting = set(), [ArticleError]
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        if one.__module__.split(".")[0] in ("index", "qa") and not one.__name__.startswith("_"):
            found.add(one)
    assert len(found) >= 7
    for error in found:
        assert getattr(ask_the_article, error.__name__, None) is error, error


def test_importing_the_package_loads_nothing_slow() -> None:
    code = "import sys, ask_the_article.cli; print({'torch', 'numpy', 'gradio'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr


@pytest.mark.parametrize("arguments", [[], ["none"], ["--none"]])
def test_what_is_no_command_is_an_error(arguments: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


def test_data_is_found_beside_the_packages_and_in_a_wheel(tmp_path: Path, monkeypatch) -> None:
    assert resource("models/reader") == ROOT / "models/reader"
    (tmp_path / "reader").mkdir()
    monkeypatch.setattr("index.resources._INSTALLED", tmp_path)
    assert resource("models/reader") == tmp_path / "reader"
    assert resource("articles") == ROOT / "articles"
