"""Nothing leaves the machine: the whole way, from import to answer, with the network cut off."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

SCRIPT = """
import socket, sys

def refuse(*arguments, **named):
    print("outbound:", arguments, file=sys.stderr)
    raise OSError("the test cut the network off")

socket.socket.connect = socket.socket.connect_ex = refuse
socket.create_connection = socket.getaddrinfo = refuse

from qa.__main__ import main
sys.exit(main(["ask", "when did Putin last visit?", "--index", sys.argv[1]]))
"""


def test_build_and_ask_open_no_socket(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "index")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "outbound" not in done.stderr
    assert "July 2000" in done.stdout
    assert (tmp_path / "index" / "manifest.json").is_file()
