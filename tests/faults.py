"""A disk that fails: every call that changes it is counted, and one of them goes wrong."""

from __future__ import annotations

import builtins
import errno
import io
import json
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from index.storage import sha256_of, write_manifest

# What is counted besides `open` for writing and `write`.
CALLS = ("mkdir", "replace", "rename", "unlink", "remove", "rmdir", "fsync")


class Crash(BaseException):
    """The end of the process, as good as one that goes on can show it: nothing catches it."""


class Faults:
    """What is done to the files below a folder, call by call, till the call that goes wrong.

    `fail` is called at the call of the number `at`: `before` it, after it, or when half of what it
    writes is on the disk. After a Crash nothing reaches the disk any more, whatever `finally` and
    `with` would still do.
    """

    def __init__(
        self,
        folder: Path,
        at: int | None = None,
        fail: Callable[[], None] | None = None,
        *,
        when: str = "before",
        only: tuple[str, ...] = (),
        lasting: bool = False,
    ) -> None:
        self.folder, self.at, self.fail = str(folder), at, fail
        self.when, self.only, self.lasting = when, only, lasting
        # What was called, such as ("write", "manifest.json.partial").
        self.calls: list[tuple[str, str]] = []
        self._dead = self._inside = False

    def call(self, name: str, path: Any, real: Callable[..., Any], *args: Any, **kw: Any) -> Any:
        """Do it, or fail."""
        if self._inside or not self._is_ours(path):
            return real(*args, **kw)
        if self._dead:
            raise Crash
        if self.only and name not in self.only:
            return real(*args, **kw)
        number = len(self.calls)
        self.calls.append((name, os.path.basename(str(path))))
        hit = self.at is not None and (number == self.at or (self.lasting and number > self.at))
        self._inside = True
        try:
            if hit and self.when == "half" and name == "write":
                data = args[0]
                real(data[: len(data) // 2])
            if not hit or self.when == "after":
                done = real(*args, **kw)
            if hit and self.fail:
                try:
                    self.fail()
                except Crash:
                    self._dead = True
                    raise
            return done
        finally:
            self._inside = False

    def _is_ours(self, path: Any) -> bool:
        return isinstance(path, str | os.PathLike) and str(path).startswith(self.folder)


class _File:
    """A file that is written, each write of which is a call; no subclass, so NumPy writes by it too."""

    def __init__(self, faults: Faults, file: Any, path: str) -> None:
        self._faults, self._file, self._path = faults, file, path

    def write(self, data: Any) -> Any:
        def write(data: Any) -> Any:
            written = self._file.write(data)
            # A write that is done has reached the disk, or a crash would bring back an earlier call.
            self._file.flush()
            return written

        data = data if isinstance(data, str) else bytes(data)
        return self._faults.call("write", self._path, write, data)

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def faulty(faults: Faults) -> Iterator[Faults]:
    """Make this process's disk that one."""
    open_, os_open = builtins.open, os.open
    paths: dict[int, str] = {}  # of descriptors

    def opened(path: Any, mode: str = "r", *args: Any, **kw: Any) -> Any:
        if not set(mode) & set("wax+") or not faults._is_ours(path):
            file = open_(path, mode, *args, **kw)
        else:
            file = _File(
                faults, faults.call("open", path, open_, path, mode, *args, **kw), str(path)
            )
        if faults._is_ours(path):
            paths[file.fileno()] = str(path)
        return file

    def os_opened(path: Any, flags: int, *args: Any, **kw: Any) -> int:
        if not flags & os.O_CREAT:
            number = os_open(path, flags, *args, **kw)
        else:
            number = faults.call("open", path, os_open, path, flags, *args, **kw)
        above = kw.get("dir_fd")
        paths[number] = str(path) if above is None else os.path.join(paths.get(above, ""), path)
        return number

    def changing(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def change(what: Any, *args: Any, **kw: Any) -> Any:
            path = paths.get(what) if isinstance(what, int) else what
            if kw.get("dir_fd") is not None:
                path = os.path.join(paths.get(kw["dir_fd"], ""), path)
            return faults.call(name, path, real, what, *args, **kw)

        return change

    # Python 3.10's pathlib keeps functions of its own, so its methods are put on the module's.
    with (
        patch.multiple(os, open=os_opened, **{name: changing(name) for name in CALLS}),
        patch.object(builtins, "open", opened),
        patch.object(io, "open", opened),
        patch.multiple(
            Path,
            open=lambda self, mode="r", *args, **kw: opened(self, mode, *args, **kw),
            unlink=_unlink,
            mkdir=_mkdir,
        ),
    ):
        yield faults


def _unlink(self: Path, missing_ok: bool = False) -> None:
    try:
        os.unlink(self)
    except FileNotFoundError:
        if not missing_ok:
            raise


def _mkdir(self: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
    try:
        os.mkdir(self, mode)
    except FileNotFoundError:
        if not parents or self.parent == self:
            raise
        _mkdir(self.parent, parents=True, exist_ok=True)
        _mkdir(self, mode, exist_ok=exist_ok)
    except OSError:
        if not exist_ok or not self.is_dir():
            raise


def crash() -> None:
    """The process ends here."""
    raise Crash


def refuse(number: int) -> Callable[[], None]:
    """The disk refuses, with this errno."""

    def fail() -> None:
        raise OSError(number, os.strerror(number))

    return fail


full, read_only, forbidden = (refuse(n) for n in (errno.ENOSPC, errno.EROFS, errno.EACCES))


def harmed(content: bytes, rng: random.Random) -> bytes:
    """The content of a file with one byte changed, or cut short."""
    at = rng.randrange(len(content))
    if rng.random() < 0.5:
        return content[:at]
    return content[:at] + bytes([content[at] ^ rng.randrange(1, 256)]) + content[at + 1 :]


# Numbers that a file may claim on purpose, in the bytes of an int32, int64 or float.
_CLAIMS = [
    number.to_bytes(size, "little", signed=number < 0)
    for size in (4, 8)
    for number in (0, 1, -1, 2 ** (8 * size - 1) - 1, 2 ** (8 * size - 2), 2**30 + 1)
] + [b"\x00\x00\x80\x7f", b"\x00\x00\xc0\x7f", b"\x00\x7c", b"\xff\xff"]


def tampered(content: bytes, rng: random.Random) -> bytes:
    """The content of a file with some bytes changed, removed or added, often near its beginning."""
    most = rng.choice((64, 512, len(content) + 1))
    at = rng.randrange(min(most, len(content) + 1))
    new = rng.choice(
        [
            rng.choice(_CLAIMS),
            bytes([rng.randrange(256)]),
            rng.randbytes(rng.randrange(1, 20)),
            b"0123456789"[: rng.randrange(1, 10)],
        ]
    )
    kind = rng.random()
    if kind < 0.1:
        return content[:at]
    if kind < 0.2:
        return content[:at] + new + content[at:]
    if kind < 0.3:
        return content[:at] + content[at + len(new) :]
    return content[:at] + new + content[at + len(new) :]


# What takes the place of a value of a manifest.
VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**31, 10**30, 1.5, float("inf"), "", "x" * 200, "\x00", "\ud800"),
    *([], {}, [[]], {"a": 1}, {"../../etc/passwd": "0" * 64}, {"a\x00": "b"}, {"/dev/zero": ""}),
)


def put_in_manifest(manifest: Path, **fields: Any) -> None:
    """Change fields of a manifest, whose own hash is made to match."""
    body = json.loads(manifest.read_bytes())
    del body["sha256"]
    write_manifest(manifest, {**body, **fields})


def put_with_manifest(manifest: Path, path: Path, content: bytes) -> None:
    """Change a file and its hash in the manifest, as whoever can write them may."""
    path.write_bytes(content)
    files = json.loads(manifest.read_bytes())["files"]
    files[path.relative_to(manifest.parent).as_posix()] = sha256_of(path)
    put_in_manifest(manifest, files=files)
