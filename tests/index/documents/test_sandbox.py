"""What a process that reads hostile files may not do, tried from within one, and what it still may."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from index.documents import parser_process, sandbox
from index.documents.sandbox import Protections
from tests.conftest import ROOT

linux = pytest.mark.skipif(sys.platform != "linux", reason="Landlock and seccomp are Linux's")

# Each is tried in a folder of its own, which has `file`, `folder` and a listening `socket`; `other` is
# another process and `wake` a descriptor of it. What makes nothing of its own is called with arguments
# that do no harm where it is not refused.
ACTS = {
    "create a file": "open(here + '/new', 'w')",
    "create a file by opening it for reading": "os.open(here + '/new2', os.O_RDONLY | os.O_CREAT)",
    "open a file for writing": "open(here + '/file', 'r+')",
    "open a file for appending": "open(here + '/file', 'a')",
    "empty a file by opening it": "os.open(here + '/file', os.O_RDONLY | os.O_TRUNC)",
    "create a file without a name": "os.open(here, os.O_TMPFILE | os.O_RDWR)",
    "truncate a file": "os.truncate(here + '/file', 1)",
    "truncate an open file": "os.ftruncate(descriptor, 1)",
    "delete a file": "os.unlink(here + '/file2')",
    "delete a folder": "os.rmdir(here + '/folder')",
    "rename a file": "os.rename(here + '/file', here + '/renamed')",
    "create a folder": "os.mkdir(here + '/new-folder')",
    "create a link": "os.link(here + '/file3', here + '/link')",
    "create a symbolic link": "os.symlink(here + '/file3', here + '/symlink')",
    "create a pipe with a name": "os.mkfifo(here + '/fifo')",
    "change permissions": "os.chmod(here + '/file3', 0o600)",
    "change permissions of an open file": "os.fchmod(descriptor, 0o600)",
    "change times": "os.utime(here + '/file3', (0, 0))",
    "change the owner": "os.chown(here + '/file3', os.getuid(), os.getgid())",
    "set an attribute": "os.setxattr(here + '/file3', 'user.x', b'1')",
    "make a file in memory": "os.memfd_create('x')",
    "make a socket": "socket.socket()",
    "make a socket of this machine": "socket.socket(socket.AF_UNIX)",
    "make a pair of sockets": "socket.socketpair()",
    "fork": "os.fork() or os._exit(0)",
    "start a program": "os.posix_spawn('/bin/true', ['true'], {})",
    "start a program by subprocess": "subprocess.run(['/bin/true'])",
    "become a program": "raise_errno(libc.execve(None, None, None))",
    "signal another process": "os.kill(other, 0)",
    "signal all processes": "os.kill(-1, 0)",
    "signal a thread of another process": "raise_errno(libc.tgkill(other, other, 0))",
    "open another process": "os.pidfd_open(other)",
    "trace another process": "raise_errno(libc.ptrace(0x4206, other, 0, 0))",
    "limit another process": "resource.prlimit(other, resource.RLIMIT_CPU, (9, 9))",
    "change its own limits": "resource.prlimit(0, resource.RLIMIT_NOFILE, (64, 64))",
    "change the priority of another": "os.setpriority(os.PRIO_PROCESS, other, 5)",
    "have signals sent to another": "fcntl.fcntl(0, fcntl.F_SETOWN, other)",
    "have another user": "os.setuid(os.getuid())",
}
# Landlock alone can tell one file that is read from another.
READS = {
    "read another file": "open(here + '/file3').read()",
    "list another folder": "os.listdir(here)",
    "read what another process was given": "open(f'/proc/{other}/environ').read()",
}
MAY = {
    "start a thread": "t = threading.Thread(target=sorted, args=([2, 1],)); t.start(); t.join()",
    "take memory": "bytes(50_000_000)",
    "import of the standard library": "import zoneinfo, decimal, encodings.koi8_r",
    "read its own package": f"open({str(ROOT / 'index' / 'search' / 'ranking.json')!r}).read()",
    "read a library": "import numpy; open(numpy.__file__).read()",
    "random numbers": "os.urandom(8)",
    "signal itself": "os.kill(os.getpid(), 0)",
    "make a pipe": "os.pipe()",
    "ask for its limits": "resource.getrlimit(resource.RLIMIT_CPU)",
}

TRY = """
import ctypes, errno, fcntl, json, os, resource, socket, subprocess, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
here, other, acts = sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4])
descriptor = os.open(here + "/file", os.O_RDWR)
def raise_errno(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
said = {}
def tried():
    for name, act in acts.items():
        try:
            exec(act)
            said[name] = "done"
        except OSError as error:
            said[name] = errno.errorcode.get(error.errno, str(error.errno))
        except BaseException as error:
            said[name] = repr(error)
"""


def attempt(acts: dict[str, str], folder: Path, *, confined: bool) -> dict[str, str]:
    """What comes of each act in a process of its own: "done", or the name of the error."""
    folder.mkdir()
    for name in ("file", "file2", "file3"):
        (folder / name).write_text("a text")
    (folder / "folder").mkdir()
    load = f"{parser_process._LOAD}from index.documents import parser_process\n"
    # Not RLIMIT_FSIZE and the like, which would hide what the others allow.
    confine = (
        "from index.documents import sandbox; sandbox.confine([parser_process._PACKAGE])\n"
        if confined
        else ""
    )
    code = f"{load}{TRY}\n{confine}tried()\nprint(json.dumps(said))"
    with subprocess.Popen(["/bin/sleep", "60"]) as other:
        try:
            package = str(parser_process._PACKAGE / "__init__.py")
            ran = subprocess.run(
                [
                    sys.executable,
                    "-I",
                    "-c",
                    code,
                    package,
                    folder,
                    str(other.pid),
                    json.dumps(acts),
                ],
                capture_output=True,
                text=True,
                timeout=60,
            )
        finally:
            other.kill()
    assert ran.returncode == 0, ran.stderr
    said: dict[str, str] = json.loads(ran.stdout.splitlines()[-1])
    return said


@pytest.fixture(scope="module")
def active() -> Protections:
    return parser_process.protections()


@linux
def test_what_is_forbidden(tmp_path: Path, active: Protections) -> None:
    if not active.seccomp:
        pytest.skip("this kernel has no seccomp")
    free = attempt(ACTS, tmp_path / "free", confined=False)
    said = attempt(ACTS, tmp_path / "confined", confined=True)
    assert {name for name in ACTS if said[name] not in ("EPERM", "EACCES", "ENOSYS")} == set()
    # It is not refused to everybody; some are of systems that cannot do it at all.
    allowed = [name for name in ACTS if free[name] not in ("EPERM", "EACCES", "ENOSYS")]
    assert len(allowed) >= len(ACTS) - 4, free
    names = sorted(path.name for path in (tmp_path / "confined").iterdir())
    assert names == ["file", "file2", "file3", "folder"]
    assert (tmp_path / "confined" / "file").read_text() == "a text"


@linux
def test_what_else_may_not_be_read(tmp_path: Path, active: Protections) -> None:
    if not active.landlock:
        pytest.skip("this kernel has no Landlock")
    assert set(attempt(READS, tmp_path / "free", confined=False).values()) == {"done"}
    assert set(attempt(READS, tmp_path / "confined", confined=True).values()) == {"EACCES"}


@linux
def test_what_is_still_allowed(tmp_path: Path) -> None:
    assert set(attempt(MAY, tmp_path / "confined", confined=True).values()) == {"done"}


@linux
@pytest.mark.parametrize("alone", ["landlock", "seccomp"])
def test_each_holds_without_the_other(
    tmp_path: Path, active: Protections, alone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not getattr(active, alone):
        pytest.skip(f"this kernel has no {alone}")
    other = {"landlock": "_use_seccomp", "seccomp": "_use_landlock"}[alone]
    monkeypatch.setattr(
        parser_process,
        "_LOAD",
        f"{parser_process._LOAD}from index.documents import sandbox; sandbox.{other} = lambda *_: 0\n",
    )
    acts = {
        name: ACTS[name] for name in ("create a file", "open a file for writing", "rename a file")
    }
    acts |= {name: ACTS[name] for name in ("delete a file", "create a folder", "truncate a file")}
    said = attempt(acts, tmp_path / "confined", confined=True)
    assert set(said.values()) <= {"EPERM", "EACCES"}


@linux
def test_a_kernel_without_them_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox._Kernel, "call", lambda *_: -1)
    monkeypatch.setattr(sandbox._Kernel, "prctl", lambda *_: 0)
    assert sandbox.confine([]) == (0, False)
    monkeypatch.setattr(sandbox._Kernel, "prctl", lambda *_: -1)
    assert sandbox.confine([]) == (0, False)
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", "", "", "", "riscv64")))
    assert sandbox.confine([]) == (0, False)


def test_says_what_is_active(capsys: pytest.CaptureFixture[str], active: Protections) -> None:
    assert active.limits == (os.name != "nt")
    done = subprocess.run(
        [sys.executable, "-m", "index", "isolation"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == f"{active}\n"
    assert str(Protections()) == "none"
    assert str(Protections(True, 7, True)) == "limits, Landlock (version 7), seccomp"


# The filter's program, also for the architecture that this is not.

LOAD, RETURN, EQUAL, AT_LEAST, ANY_BIT = 0x20, 0x06, 0x15, 0x35, 0x45


def decide(program: list[sandbox.Instruction], call: int, *arguments: int, arch: int) -> int:
    """What a kernel that runs the program says to a system call."""
    words = {0: call, 4: arch}
    for number in range(6):
        value = arguments[number] if number < len(arguments) else 0
        words[16 + 8 * number], words[20 + 8 * number] = value & 0xFFFFFFFF, value >> 32
    at = value = 0
    while True:
        code, jump_true, jump_false, operand = program[at]
        assert 0 <= jump_true < 256 and 0 <= jump_false < 256
        at += 1
        if code == LOAD:
            value = words[operand]
        elif code == RETURN:
            return operand
        else:
            true = {
                EQUAL: value == operand,
                AT_LEAST: value >= operand,
                ANY_BIT: value & operand,
            }[code]
            at += jump_true if true else jump_false


@linux
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_decides(machine: str) -> None:
    arch, column = sandbox._AUDIT_ARCH[machine], sandbox._COLUMNS[machine]
    me = 4321
    program = sandbox._filter(sandbox._Kernel(column), arch, me)
    allow, kill = 0x7FFF0000, 0x80000000
    refuse, missing = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
    assert len(program) < 4096

    def said(name: str, *arguments: int) -> int | None:
        number = sandbox._OTHERS[name][column]
        return None if number is None else decide(program, number, *arguments, arch=arch)

    for table, expected in ((sandbox._REFUSED, refuse), (sandbox._MISSING, missing)):
        for name, numbers in table.items():
            if (number := numbers[column]) is not None:
                assert decide(program, number, arch=arch) == expected, name
    read, write, close = {"x86_64": (0, 1, 3), "aarch64": (63, 64, 57)}[machine]
    assert {decide(program, number, arch=arch) for number in (read, write, close)} == {allow}
    assert said("openat", 0, 0, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY) == allow
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC, os.O_APPEND, os.O_TMPFILE):
        assert said("openat", 0, 0, flags) == refuse
        assert said("open", 0, flags) in (refuse, None)
    assert said("open", 0, os.O_RDONLY) in (allow, None)
    assert said("clone", 0x3D0F00) == allow and said("clone", signal.SIGCHLD) == refuse
    for name in ("kill", "tgkill"):
        assert said(name, me) == allow
        assert {said(name, pid) for pid in (0, 1, me + 1, 0xFFFFFFFF)} == {refuse}
    assert said("prlimit64", 0, 0, 0) == allow
    assert {said("prlimit64", 0, 0, pointer) for pointer in (0x1000, 1 << 32)} == {refuse}
    assert said("ioctl", 0, 0x5401) == allow and said("ioctl", 0, 0x5412) == refuse
    assert said("fcntl", 0, 1) == allow and said("fcntl", 0, 8) == refuse
    assert decide(program, read, arch=0x40000003) == kill
    assert decide(program, 0x40000000 | read, arch=arch) == refuse


@linux
@pytest.mark.parametrize(
    ("column", "path"),
    [
        (
            0,
            f"/usr/include/{os.uname().machine}-linux-gnu/asm/unistd_64.h"
            if os.name != "nt"
            else "",
        ),
        (1, "/usr/include/asm-generic/unistd.h"),
    ],
)
def test_the_numbers_are_those_of_the_headers(column: int, path: str) -> None:
    if not Path(path).exists():
        pytest.skip("no headers of the kernel")
    pattern = r"#define __NR(?:3264)?_(\w+)\s+(\d+)"
    known = {name: int(n) for name, n in re.findall(pattern, Path(path).read_text())}
    checked = 0
    for table in (sandbox._REFUSED, sandbox._MISSING, sandbox._OTHERS):
        for name, numbers in table.items():
            if name in known:
                assert numbers[column] == known[name], name
                checked += 1
            elif numbers[column] is not None:
                assert numbers[column] >= 424, name  # newer than these headers
    assert checked > 80
