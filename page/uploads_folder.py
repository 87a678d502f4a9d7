"""The folder for uploads: deleted when the page stops, or by the next page if it was killed."""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PREFIX = "ask-the-article-"
NAME = re.compile(re.escape(PREFIX) + r"[a-z0-9_]{8}")  # as tempfile.mkdtemp makes them
LOCK = "lock"
FILES = "files"
# Written into the lock file of each of our folders once it is locked.
MARKER = (
    b"Ask the Article: the files next to this one belong to the page that has this file locked.\n"
)
# Windows locks bytes, not files: this one is after the marker, which others must be able to read.
_LOCKED_BYTE = 1 << 20
_BINARY = getattr(os, "O_BINARY", 0)
# Do not follow links, and do not wait for a writer if it is a named pipe.
_CAUTIOUS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class UploadsFolder:
    """A new folder for uploads, `files`, that only this user can read."""

    def __init__(self, parent: str | None = None) -> None:
        """Delete what killed pages left in `parent`, and create a folder there.

        The default is the system's temporary folder. Raises OSError.
        """
        if parent:
            Path(parent).mkdir(parents=True, exist_ok=True)
        parent_path = Path(parent or tempfile.gettempdir()).absolute()
        delete_abandoned(parent_path)
        self._folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent_path))
        self.files = self._folder / FILES
        self.files.mkdir(mode=0o700)
        self._lock: int | None = os.open(
            self._folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o600
        )
        # On a file system without locks, nothing can prove later that the folder is abandoned: it stays.
        if _lock(self._lock):
            os.write(self._lock, MARKER)

    def delete(self) -> None:
        """Delete the folder and everything in it."""
        if self._lock is not None:
            _delete(self._folder, self._lock)
            self._lock = None


def delete_abandoned(parent: Path) -> None:
    """Delete the folders of pages that were killed before they could.

    A folder is deleted if its name and owner match, and it has a lock file with our marker that no
    process holds.
    """
    with suppress(OSError):
        for folder in parent.iterdir():
            if NAME.fullmatch(folder.name):
                with suppress(OSError):
                    _delete_if_abandoned(folder)


def _delete_if_abandoned(folder: Path) -> None:
    info = folder.lstat()
    if not stat.S_ISDIR(info.st_mode) or not _is_ours(info):
        return
    lock = os.open(folder / LOCK, os.O_RDWR | _BINARY | _CAUTIOUS)
    info = os.fstat(lock)
    if (
        stat.S_ISREG(info.st_mode)
        and _is_ours(info)
        and os.read(lock, len(MARKER) + 1) == MARKER
        and _lock(lock)
        and (folder / LOCK).exists()  # or another page has just deleted it
    ):
        _delete(folder, lock)
    else:
        os.close(lock)


def _is_ours(info: os.stat_result) -> bool:
    return not hasattr(os, "geteuid") or info.st_uid == os.geteuid()


def _delete(folder: Path, lock: int) -> None:
    """Delete a folder of ours and close its lock file.

    The lock file is deleted last, so that the next page can finish if this one is killed. A file that
    somebody else has put next to it stays, and with it the folder.
    """
    shutil.rmtree(folder / FILES, ignore_errors=True)
    if not (folder / FILES).exists():
        if sys.platform == "win32":  # an open file cannot be deleted there
            os.close(lock)
        with suppress(OSError):
            (folder / LOCK).unlink()
            folder.rmdir()
        if sys.platform == "win32":
            return
    os.close(lock)


def _lock(descriptor: int) -> bool:
    """Lock a file until it is closed or the process ends; False if another process holds the lock."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


class Sweeper:
    """Deletes files that have not changed for `max_age` seconds, and empty folders.

    A file's age is measured with a monotonic clock from when it is first seen, so that neither a change
    of the system's time nor the file's own timestamps make a new file old.
    """

    def __init__(
        self, folder: Path, max_age: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Sweep this folder; `clock` returns seconds and never goes back."""
        self._folder = folder
        self._max_age = max_age
        self._clock = clock
        # For each path its version when last seen, and since when it has had that.
        self._seen: dict[Path, tuple[tuple[int, ...], float]] = {}

    def sweep(self) -> None:
        """Delete what has reached the maximum age."""
        now = self._clock()
        seen: dict[Path, tuple[tuple[int, ...], float]] = {}
        for path in sorted(self._folder.rglob("*"), reverse=True):
            # The folder is not empty, or the file has just been deleted.
            with suppress(OSError):
                info = path.lstat()
                is_folder = stat.S_ISDIR(info.st_mode)
                # The size and time of a folder change with its content.
                version = (
                    (info.st_ino,) if is_folder else (info.st_ino, info.st_size, info.st_mtime_ns)
                )
                before, since = self._seen.get(path, (None, now))
                since = since if version == before else now
                seen[path] = version, since
                if now - since >= self._max_age:
                    path.rmdir() if is_folder else path.unlink()
                    del seen[path]
        self._seen = seen
