"""Nothing leaves the machine: from start to stop, with the network cut off and system calls watched."""

import os
import re
import shutil
import signal
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest

from tests.browser import free_port, wait_until_ready
from tests.conftest import ROOT

QUESTION = "when did Putin last visit?"
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

# System calls that name where something goes, and the names in them.
SENDING = re.compile(
    r"^\d+ +(?:connect|sendto|sendmsg|sendmmsg)\(|<\.\.\. (?:connect|send\w+) resumed"
)
ADDRESS = re.compile(
    r"sa_family=(?P<family>AF_\w+)(?:[^}]*?port=htons\((?P<port>\d+)\))?"
    r'(?:[^}]*?inet_(?:addr\(|pton\(AF_INET6, )"(?P<host>[^"]+)")?'
)
LOCAL = ("AF_UNIX", "AF_NETLINK", "AF_UNSPEC")
DNS = 53


def outbound(trace: str) -> list[str]:
    """The system calls in an strace that lead out of this machine, or may.

    A name server on this machine asks others.
    """
    found = []
    for line in trace.splitlines():
        for to in ADDRESS.finditer(line) if SENDING.search(line) else ():
            host = to["host"]
            inside = host and ip_address(host).is_loopback and int(to["port"] or 0) != DNS
            if to["family"] not in LOCAL and not inside:
                found.append(line)
    return found


@pytest.fixture(scope="module")
def strace() -> list[str]:
    """A command that traces another's network calls; without it the test is skipped, in CI it fails."""
    # -s 0 leaves out what is sent; the filter in the kernel lets all other calls run at full speed.
    command = ["strace", "-f", "-qq", "-s", "0", "--seccomp-bpf", "-e", "trace=network"]
    if shutil.which("strace") and not subprocess.run([*command, "true"]).returncode:
        return command
    reason = "strace is missing, or may not trace: install it to watch the network"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def call(address: str, name: str, *data: object) -> str:
    """What an endpoint answers in a session."""
    url = f"{address}gradio_api/call/{name}"
    body = {"data": data, "session_hash": "offline"}
    event = httpx.post(url, json=body, timeout=30).json()["event_id"]
    return httpx.get(f"{url}/{event}", timeout=30).text


@pytest.mark.models
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


@pytest.mark.models
def test_ask_makes_no_system_call_that_leads_out(tmp_path: Path, strace: list[str]) -> None:
    trace = tmp_path / "trace.txt"
    command = [sys.executable, "-m", "qa", "ask", QUESTION, "--index", str(tmp_path / "index")]
    done = subprocess.run(
        [*strace, "-o", str(trace), *command], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "July 2000" in done.stdout
    assert outbound(trace.read_text()) == []


@pytest.mark.models
def test_the_page_makes_no_system_call_that_leads_out(tmp_path: Path, strace: list[str]) -> None:
    trace, port = tmp_path / "trace.txt", free_port()
    command = [sys.executable, "app.py", "--port", str(port), "--index", str(tmp_path / "index")]
    process = subprocess.Popen(
        [*strace, "-o", str(trace), *command],
        cwd=ROOT,
        env={**os.environ, "GRADIO_TEMP_DIR": str(tmp_path / "uploads")},
        start_new_session=True,
    )
    try:
        address = f"http://127.0.0.1:{port}/"
        wait_until_ready(address, process)
        assert httpx.get(address).status_code == 200
        assert "July 2000" in call(address, "ask", QUESTION, None, None, 5)
        text = "Tower\n\nThe tower of Rosport was built in 1974."
        assert "pasted text" in call(address, "open", None, text, None)
        assert "1974" in call(address, "ask", "When was the tower built?", None, None, 5)
        os.killpg(process.pid, signal.SIGTERM)  # strace lets its child end
        assert process.wait(timeout=20) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=20)
    calls = trace.read_text()
    # What was watched is the server, and its own first request to itself was seen.
    assert re.search(r"^\d+ +listen\(", calls, re.MULTILINE)
    assert re.search(rf"connect\(.*htons\({port}\).*127\.0\.0\.1", calls)
    assert outbound(calls) == []


def test_system_calls_that_lead_out_are_seen() -> None:
    def inet(host: str, port: int) -> str:
        return f'{{sa_family=AF_INET, sin_port=htons({port}), sin_addr=inet_addr("{host}")}}'

    def inet6(host: str) -> str:
        return (
            "{sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(0), "
            f'inet_pton(AF_INET6, "{host}", &sin6_addr), sin6_scope_id=0}}'
        )

    inside = [
        f"7 connect(3, {inet('127.0.0.1', 7860)}, 16) = 0",
        f"7 connect(3, {inet6('::1')}, 28) = 0",
        '7 connect(3, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = -1 ENOENT',
        '7 sendto(3, ""..., 20, 0, {sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, 12) = 20',
        '7 sendto(3, ""..., 20, 0, NULL, 0) = 20',
        f"7 accept4(3, {inet('192.168.1.5', 50000)}, [16], SOCK_CLOEXEC) = 5",
    ]
    outside = [
        f"7 connect(3, {inet('93.184.216.34', 443)}, 16) = -1 EINPROGRESS",
        f"7 connect(3, {inet('127.0.0.53', 53)}, 16) = 0",
        f"7 connect(3, {inet6('2606:2800::1')}, 28 <unfinished ...>",
        f'7 sendto(3, ""..., 20, 0, {inet("8.8.8.8", 80)}, 16) = 20',
        f"7 sendmsg(3, {{msg_name={inet('10.0.0.1', 80)}, msg_namelen=16}}, 0) = 20",
        f"7 sendmmsg(3, [{{msg_hdr={{msg_name={inet('127.0.0.1', 9)}}}}}, "
        f"{{msg_hdr={{msg_name={inet('1.1.1.1', 9)}}}}}], 2, 0) = 2",
        "7 connect(3, {sa_family=AF_VSOCK, svm_cid=0x2, svm_port=0x50}, 16) = 0",
    ]
    assert outbound("\n".join([*inside, *outside])) == outside
