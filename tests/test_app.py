"""The options of the command that serves the page."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

import app
from qa.opening import DEFAULT_ARTICLE
from tests.conftest import ROOT


def run_app(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "app.py", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


@pytest.mark.slow
def test_a_bad_article_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    ran = run_app("--article", str(DEFAULT_ARTICLE), "--article", str(tmp_path / "none.txt"))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == f"error: There is no file '{tmp_path / 'none.txt'}': check the path.\n"


@pytest.mark.slow
def test_a_port_in_use_is_one_sentence_and_exit_code_2() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = run_app("--port", str(port))
    assert (ran.returncode, ran.stdout) == (2, "")
    expected = f"error: Port {port} is in use. Choose another with --port.\n"
    assert ran.stderr == expected


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--k", "0"], "k must be a number from 1 to 50."),
        (["--auth", "ann"], "--auth must be USER:PASSWORD-FILE, not 'ann'."),
        (["--auth", ":{tmp}/empty"], "--auth must be USER:PASSWORD-FILE, not ':{tmp}/empty'."),
        (
            ["--auth", "ann:{tmp}/none"],
            "The password file '{tmp}/none' can't be read (No such file or directory). Check the path.",
        ),
        (
            ["--auth", "ann:~nosuchuser/password"],
            "The password file '~nosuchuser/password' can't be read (no such user). Check the path.",
        ),
        (
            ["--auth", "ann:{tmp}/empty"],
            "The first line of '{tmp}/empty' is empty. Put the password there.",
        ),
        (
            ["--auth", "ann:{tmp}/password", "--mcp"],
            "--mcp can't be combined with --auth, since MCP clients aren't asked for a password. Omit "
            "one of them.",
        ),
        (["--port", "70000"], "--port must be a number from 1 to 65535, not 70000."),
        (["--forget-after", "inf"], "--forget-after must be a number of minutes, not inf."),
        (["--forget-after", "nan"], "--forget-after must be a number of minutes, not nan."),
        (["--forget-after", "1e-300"], "--forget-after must be a number of minutes, not 1e-300."),
        *(
            (
                ["--host", host],
                f"'{host}' isn't an address of this machine. Choose another --host, or 0.0.0.0 for all "
                "addresses.",
            )
            for host in ("", "192.0.2.1", "999.1.1.1", "...", "a" * 300)
        ),
        (
            ["--root-path", "//other.example"],
            "--root-path must be a path that starts with / or a full address, not '//other.example'.",
        ),
        (
            ["--root-path", "articles"],
            "--root-path must be a path that starts with / or a full address, not 'articles'.",
        ),
    ],
)
def test_bad_options_are_one_sentence_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "password").write_text("secret\n")
    given = [argument.replace("{tmp}", str(tmp_path)) for argument in arguments]
    assert app.main(given) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"error: {says.replace('{tmp}', str(tmp_path))}\n")


def test_without_the_package_mcp_its_option_says_how_to_have_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert app.main(["--mcp"]) == 2
    expected = "error: --mcp needs the package mcp. Install it: pip install mcp.\n"
    assert capsys.readouterr().err == expected
