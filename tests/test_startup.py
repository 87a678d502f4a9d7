"""Starting and stopping the real programs, in environments that are not as they should be."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.browser import free_port, wait_until_ready
from tests.conftest import ROOT

ARTICLE = "articles/putin-visits-north-korea.txt"
QUESTION = "when did Putin last visit?"
# The programs load their models in processes of their own.
pytestmark = pytest.mark.models
posix = pytest.mark.skipif(os.name == "nt", reason="signals and descriptors as POSIX has them")


@contextmanager
def page(
    folder: Path, *options: str, shell: str = "", **environment: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address and the process of a page, started by a shell with redirections and commands."""
    port = free_port()
    command = [sys.executable, "app.py", "--port", str(port), "--index", str(folder / "index")]
    before, _, after = shell.partition("exec")
    process = subprocess.Popen(
        ["sh", "-c", f'{before} exec "$@" {after}', "sh", *command, *options],
        cwd=ROOT,
        env={**os.environ, "GRADIO_TEMP_DIR": str(folder / "uploads"), **environment},
    )
    try:
        address = f"http://127.0.0.1:{port}/"
        wait_until_ready(address, process)
        yield address, process
    finally:
        process.kill()
        process.wait(timeout=20)


def ask(address: str) -> str:
    call = f"{address}gradio_api/call/ask"
    event = httpx.post(call, json={"data": [QUESTION, None, None, 5]}).json()["event_id"]
    with httpx.stream("GET", f"{call}/{event}", timeout=10) as response:
        started, said = time.monotonic(), ""
        for line in response.iter_lines():  # heartbeats where no answer comes
            said += line
            if "data: " in said or time.monotonic() - started > 10:
                break
        return said


@posix
def test_a_page_serves_without_a_log_a_terminal_or_a_network(tmp_path: Path) -> None:
    proxy = "http://127.0.0.1:9"  # nothing listens there
    (tmp_path / "gradio").write_text("")  # gradio's own default is not to be had
    with page(
        tmp_path,
        *("--log-format", "json", "--root-path", "/articles"),
        shell="ulimit -Sn 256; exec >&- 2>/dev/full <&-",
        http_proxy=proxy,
        https_proxy=proxy,
        ALL_PROXY="socks5://127.0.0.1:9",
        GRADIO_DEBUG="1",
        GRADIO_SERVER_PORT="none",
        GRADIO_TEMP_DIR="",
        TMPDIR=str(tmp_path),
    ) as (address, process):
        for _ in range(2):
            assert "July 2000" in ask(address)
        redirected = httpx.get(f"{address}articles?q=who")
        assert redirected.status_code == 307
        assert redirected.headers["location"] == "/articles/?q=who"
        assert httpx.get(f"{address}articles/").status_code == 200
        if sys.platform == "linux":
            limits = Path(f"/proc/{process.pid}/limits").read_text()
            (line,) = (line for line in limits.splitlines() if line.startswith("Max open files"))
            assert int(line.split()[3]) > 256
            # Nothing that is opened later has the number of a closed stream.
            for number in (0, 1):
                assert os.readlink(f"/proc/{process.pid}/fd/{number}") == "/dev/null"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


@posix
def test_a_closed_terminal_stops_the_page_and_a_killed_one_is_cleaned_up_after(
    tmp_path: Path,
) -> None:
    uploads = tmp_path / "uploads"
    with page(tmp_path) as (_, process):
        process.kill()
        process.wait(timeout=20)
    (left,) = uploads.iterdir()
    with page(tmp_path) as (_, process):
        (folder,) = uploads.iterdir()
        assert folder != left
        process.send_signal(signal.SIGHUP)
        assert process.wait(timeout=20) == 0
    assert list(uploads.iterdir()) == []


@posix
def test_more_connections_than_files_do_not_fill_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    with page(tmp_path, shell=f'ulimit -n 150; exec >"{log}" 2>&1') as (address, process):
        at = ("127.0.0.1", int(address.rsplit(":", 1)[1].strip("/")))
        with ExitStack() as connections:
            for _ in range(250):
                connections.enter_context(socket.create_connection(at, timeout=10))
            time.sleep(3)
        said = log.read_text()
        # Most are closed before the system refuses one.
        assert said.count("Too many open files") <= 1
        assert len(said) < 10_000
        assert "July 2000" in ask(address)


def wait_until_importing(process: subprocess.Popen[str]) -> None:
    """Wait until the process imports NumPy, which takes a part of the first second."""
    deadline = time.monotonic() + 30
    maps = Path(f"/proc/{process.pid}/maps")
    while sys.platform == "linux" and time.monotonic() < deadline and process.poll() is None:
        if "_multiarray_umath" in maps.read_text():
            return
        time.sleep(0.005)
    time.sleep(0.5)


@posix
@pytest.mark.parametrize("after", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(
    "command",
    [
        ["app.py", "--port", "{port}", "--index", "{tmp}/index"],
        ["-m", "qa", "ask", QUESTION, "--index", "{tmp}/index"],
        ["-m", "index", "build", ARTICLE, "--index", "{tmp}/index"],
    ],
)
def test_ctrl_c_at_the_start_is_one_word(tmp_path: Path, command: list[str], after: float) -> None:
    given = {"tmp": tmp_path, "port": free_port()}
    process = subprocess.Popen(
        [sys.executable, *(part.format(**given) for part in command)],
        cwd=ROOT,
        env={**os.environ, "GRADIO_TEMP_DIR": str(tmp_path / "uploads")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until_importing(process)
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=30)
    # A fast machine may be done by then, or just ending.
    ended = [(130, "stopped\n"), (0, ""), (-signal.SIGINT, "")]
    assert (process.returncode, error) in (ended if out else ended[:1]), error
    assert list((tmp_path / "uploads").glob("*")) == []


# Output


def run(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command line in which `python` is this Python, with pipefail and buffered output."""
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", f'python() {{ "{sys.executable}" "$@"; }}; {command}'],
        cwd=ROOT,
        env={**buffered, "INDEX": str(folder / "index"), **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )


@pytest.fixture
def unusual(tmp_path: Path) -> Path:
    article = tmp_path / "unusual.txt"
    article.write_text("The café of Żółć was opened in 1923 by Émile 😀 Ünal.", encoding="utf-8")
    return article


@posix
@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "cp1252"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["cp1252", "ascii"],
)
def test_what_a_console_cannot_show_is_escaped(
    tmp_path: Path, unusual: Path, environment: dict[str, str]
) -> None:
    search = f'python -m index search "{unusual}" opened --index "$INDEX"'
    to_utf8 = "| iconv -f cp1252 -t utf-8"
    shown = run(f"{search} {to_utf8}", tmp_path, **environment)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "\\u017b" in shown.stdout and "mile \\ud83d\\ude00 " in shown.stdout
    found = json.loads(run(f"{search} --json {to_utf8}", tmp_path, **environment).stdout)
    assert found[0]["text"] == unusual.read_text(encoding="utf-8")


@posix
@pytest.mark.parametrize(
    ("redirection", "code", "error"),
    [
        ("| true", 0, ""),
        (">&-", 0, ""),
        ("2>&-", 0, ""),
        (">/dev/full", 2, "error: Reading or writing failed ([Errno 28] No space left on device)."),
    ],
)
def test_output_that_nobody_reads_is_no_traceback(
    tmp_path: Path, unusual: Path, redirection: str, code: int, error: str
) -> None:
    search = f'python -m index search "{unusual}" opened --index "$INDEX" {redirection}'
    done = run(search, tmp_path)
    assert done.returncode == code
    assert done.stderr.startswith(error) and done.stderr.count("\n") == bool(error)


@posix
def test_errors_go_to_no_file_where_stderr_is_closed(tmp_path: Path) -> None:
    done = run("python -m qa ask x --article none.txt 2>&- >&-", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")
    done = run("python -m qa ask --help | true", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@posix
@pytest.mark.parametrize("command", ["app.py", "-m qa ask x", "-m index build x.txt"])
def test_a_current_folder_that_was_deleted_is_a_sentence(tmp_path: Path, command: str) -> None:
    command = command.replace("app.py", str(ROOT / "app.py"))
    gone = f'mkdir "$INDEX" && cd "$INDEX" && rmdir "$INDEX" && python {command}'
    done = run(gone, tmp_path, PYTHONPATH=str(ROOT))
    assert done.returncode == 2
    assert done.stderr == (
        "error: The current folder has been deleted. Change to another and start again.\n"
    )
