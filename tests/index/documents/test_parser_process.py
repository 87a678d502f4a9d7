"""Hostile files are refused within bounds, in a sentence, and what reads the next file lives on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from index.documents import parser_process
from index.documents.content import Content
from index.documents.document import read_document
from index.errors import DocumentError
from tests.conftest import ROOT
from tests.index.documents.hostile_files import HOSTILE, docx
from tests.index.documents.samples import column, pdf

pytest.importorskip("resource", reason="Windows has no limits to test")

PAGE = f"<html><body><p>The lamp was lit. {'It was very bright. ' * 20}</p></body></html>".encode()

# Python code that a child runs in place of reading the file.
Instead = Callable[[str], None]


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch) -> Instead:
    def have(code: str) -> None:
        confined = (
            f"{parser_process._LOAD}from index.documents import parser_process; "
            "parser_process.confine('html')"
        )
        monkeypatch.setattr(parser_process, "_CHILD", f"{confined}\n{code}")

    return have


def read(name: str, data: bytes = b"<html>") -> Content:
    return parser_process.extract(data, name)


# What a child takes counts from what its parent has, so a small process opens the file.
MEASURED = """
import json, resource, sys
from index.documents.parser_process import extract
from index.errors import DocumentError
try:
    said = extract(open(sys.argv[1], "rb").read(), sys.argv[2]).text
except DocumentError as error:
    said = f"refused: {error}"
used = resource.getrusage(resource.RUSAGE_CHILDREN)
try:  # not from ru_maxrss, which begins with what was forked
    mine = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
except OSError:
    mine = 0
print(json.dumps([said, used.ru_utime + used.ru_stime, used.ru_maxrss, mine]))
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_within_its_time_and_memory(name: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile"
    path.write_bytes(HOSTILE[name]())
    ran = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path), name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    said, seconds, memory, mine = json.loads(ran.stdout)
    # What can be read of it is no harm.
    assert said.startswith(f"refused: '{name}' ") or len(said) < 20_000_000
    assert "root:" not in said
    assert seconds < parser_process.SECONDS + 1.5
    # Kilobytes on Linux, bytes on a Mac.
    unit = 1 if sys.platform == "darwin" else 1024
    assert memory * unit <= parser_process.MEMORY
    # Whoever has it read keeps the file, its text, and a little.
    assert mine * 1024 <= 150_000_000


def test_too_much_memory_is_refused(instead: Instead) -> None:
    instead("print(len(bytes(600_000_000)))")
    with pytest.raises(
        DocumentError, match=r"^'a\.html' cannot be read, as hardly a document does"
    ):
        read("a.html")


def test_too_much_time_is_refused(instead: Instead, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser_process, "SECONDS", 1)
    instead("while True: pass")
    with pytest.raises(DocumentError, match=r"^'a\.html' takes more than 1 seconds to read"):
        read("a.html")


def test_what_waits_for_ever_is_ended(instead: Instead, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser_process, "PATIENCE", 0.5)
    instead("import time; time.sleep(60)")
    with pytest.raises(DocumentError, match="took too long to read"):
        read("a.html")


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_a_crash_is_told_in_a_sentence(instead: Instead, number: int) -> None:
    instead(f"import os; os.kill(os.getpid(), {int(number)})")
    with pytest.raises(DocumentError, match=r"^'a\.html' cannot be read"):
        read("a.html")


def test_what_a_library_prints_is_not_taken_for_the_text(instead: Instead) -> None:
    instead("print('a warning of the library'); print('{}')")
    with pytest.raises(DocumentError, match="cannot be read"):
        read("a.html")


def test_nothing_can_be_written(instead: Instead, tmp_path: Path) -> None:
    there = tmp_path / "written"
    code = f"open({str(there)!r}, 'w').write('x' * 100_000)"
    instead(code)
    with pytest.raises(DocumentError):
        read("a.html")
    assert not there.exists() or there.stat().st_size == 0
    # It is the limit that holds it back.
    subprocess.run([sys.executable, "-c", code], check=True)
    assert there.stat().st_size == 100_000


def test_the_next_file_is_read() -> None:
    with pytest.raises(DocumentError):
        read("bomb.pdf", HOSTILE["bomb.pdf"]())
    body = "<w:p><w:r><w:t>Nothing is lost, \u202eat all\U0001f600.</w:t></w:r></w:p>"
    assert read("a.docx", docx(body.encode())).text == "Nothing is lost, \u202eat all\U0001f600."


def test_a_name_goes_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = "../../etc/passwd.docx"
    content = read(name, docx(b"<w:p><w:r><w:t>A text.</w:t></w:r></w:p>"))
    assert content.text == "A text."
    assert list(tmp_path.iterdir()) == []


MARK = "open({mark!r}, 'w').close()\n"


@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.html"])
def test_no_code_of_the_current_folder_or_the_environment_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, folder = tmp_path / "mark", tmp_path / "folder"
    (folder / "index" / "documents").mkdir(parents=True)
    modules = (
        "json",
        "sitecustomize",
        "usercustomize",
        "charset_normalizer",
        "lxml",
        "index/documents/parser_process",
    )
    for module in modules:
        (folder / f"{module}.py").write_text(MARK.format(mark=str(mark)))
    (folder / "index" / "__init__.py").write_text(MARK.format(mark=str(mark)))
    monkeypatch.chdir(folder)
    for variable in ("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONSTARTUP", "HOME"):
        monkeypatch.setenv(variable, str(folder))
    monkeypatch.setenv("PYTHONINSPECT", "1")
    made = {"a.pdf": lambda: pdf(column("The lamp was lit.")), "a.html": lambda: PAGE}
    data = made.get(name, lambda: docx(b"<w:p><w:r><w:t>The lamp was lit.</w:t></w:r></w:p>"))()
    assert "The lamp was lit." in read(name, data).text
    assert not mark.exists()
    # They would run in a process that is started without care.
    monkeypatch.delenv("PYTHONHOME")
    subprocess.run([sys.executable, "-c", "import json"], check=False, capture_output=True)
    assert mark.exists()


def test_the_process_knows_no_secret_of_the_environment(
    instead: Instead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILVUS_TOKEN", "s3cret")
    instead(
        "import json, os\n"
        "from index.documents.builder import ContentBuilder\n"
        "from index.documents.content import content_to_json\n"
        "builder = ContentBuilder()\n"
        "builder.paragraph(repr(dict(os.environ)))\n"
        "print(json.dumps(content_to_json(builder.build())))"
    )
    assert "s3cret" not in read("a.html").text and "OMP_NUM_THREADS" in read("a.html").text


def test_a_link_is_followed_once_and_never_for_ever(tmp_path: Path) -> None:
    loop = tmp_path / "loop.txt"
    os.symlink(loop, loop)
    with pytest.raises(DocumentError, match="cannot be read"):
        read_document(loop)
    endless = tmp_path / "endless.txt"
    os.symlink("/dev/zero", endless)
    with pytest.raises(DocumentError):
        read_document(endless)
