"""Atomic writes, and manifests with checksums."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from index.errors import ArticleError, SavedIndexError

Manifest = TypeVar("Manifest")
# The advice for an article's index that cannot be loaded.
_REBUILD = "it has to be built again"
# The largest manifest that is read. Those that are written have a few thousand bytes.
MAX_MANIFEST_BYTES = 1_000_000
# A pattern for what is appended to a file's name while a process writes it.
PARTIAL_SUFFIX = r"\.\d+\.partial"


def write_file(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a file atomically: write and sync a temporary file, then rename it.

    `mode` has the permissions of the new file, before the umask. Only sync_folder makes the rename
    survive a power failure.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with open(partial, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError:
        # Free the space again if the disk is full.
        with suppress(OSError):
            partial.unlink()
        raise


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Create a folder and its parents if they are missing, so that they survive a power failure."""
    if folder.is_dir():
        return
    if folder.parent != folder:
        make_folder(folder.parent, mode)
    folder.mkdir(mode, exist_ok=True)
    with suppress(PermissionError):  # a parent that is writable but not readable
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk if the system supports it; raises OSError."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot sync folders.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def check_lock_file(path: Path) -> None:
    """Raise FileExistsError if a lock would overwrite a file that is not a lock."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        # A lock file is empty or has the id of the process that holds the lock.
        if not re.fullmatch(rb"(?:\d.{0,999})?", file.read(1001), re.DOTALL):
            raise FileExistsError(errno.EEXIST, f"'{path.name}' is not a lock file", str(path))


def write_manifest(path: Path, body: Mapping[str, Any], mode: int = 0o666) -> None:
    """Write a JSON object with its own hash; the last step of saving the files that it lists."""
    text = json.dumps({**body, "sha256": sha256_of_body(body)}, indent=2)
    write_file(path, text.encode() + b"\n", mode)


def read_manifest(
    path: Path, format_version: int, manifest_type: Callable[..., Manifest], advice: str = _REBUILD
) -> Manifest:
    """Read a file written by write_manifest and make a dataclass of its fields.

    Raises FileNotFoundError, and SavedIndexError with the given advice if the file is damaged or has
    another format version.
    """
    try:
        body: dict[str, Any] = json.loads(read_bounded(path, MAX_MANIFEST_BYTES))
        recorded = body.pop("sha256")
        version = body["format_version"]
    except FileNotFoundError:
        raise
    except OSError as error:
        raise damaged(path, error.strerror or str(error), advice) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise damaged(path, "it is not a manifest", advice) from error
    if version != format_version:
        raise SavedIndexError(
            f"The index in '{path.parent}' does not fit: its format_version is {_shortened(version)} "
            f"and {format_version!r} was expected; {advice}."
        )
    if sha256_of_body(body) != recorded:
        raise damaged(path, "its content has changed", advice)
    try:
        manifest = manifest_type(**body)
        _check_types(manifest)
    except TypeError as error:
        raise damaged(path, "it is not a manifest", advice) from error
    return manifest


def _check_types(manifest: Any) -> None:
    """Raise TypeError if a field of a dataclass has a value of another type."""
    for name, hint in get_type_hints(type(manifest)).items():
        if not _is_of_type(getattr(manifest, name), hint):
            raise TypeError(f"{name} is not of the type {hint}")


def _is_of_type(value: Any, hint: Any) -> bool:
    if get_origin(hint) is dict:
        key_type, value_type = get_args(hint)
        return type(value) is dict and all(
            _is_of_type(key, key_type) and _is_of_type(item, value_type)
            for key, item in value.items()
        )
    if get_origin(hint) is Literal:
        return type(value) is str and value in get_args(hint)
    return type(value) is hint


def read_bounded(path: Path, limit: int) -> bytes:
    """Read a regular file of at most `limit` bytes; raises OSError for any other."""
    if not path.is_file() and path.exists():
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    if path.stat().st_size > limit:
        raise OSError(errno.EFBIG, f"it has more than {limit} bytes", str(path))
    return path.read_bytes()


def read_fitted(path: Path) -> dict[str, Any]:
    """Read fitted numbers that come with the program, in a file written by write_manifest.

    Raises ArticleError, naming the file, if it is missing or damaged.
    """
    try:
        body: dict[str, Any] = json.loads(path.read_bytes())
        is_intact = body.pop("sha256") == sha256_of_body(body)
        reason = "its content has changed"
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        is_intact, reason = False, getattr(error, "strerror", None) or "it is incomplete"
    if not is_intact:
        raise ArticleError(
            f"The program's file '{path}' is damaged ({reason}): restore it with "
            f"'git checkout -- {path}'."
        )
    return body


def check_fits(manifest: object, expected: Mapping[str, Any], subject: str, advice: str) -> None:
    """Raise SavedIndexError, naming the field, if a field differs from the expected value.

    `subject` is the start of the message, which says what the manifest belongs to.
    """
    for field, value in expected.items():
        if (found := getattr(manifest, field)) != value:
            raise SavedIndexError(
                f"{subject} does not fit: its {field} is {_shortened(found)} and {value!r} was "
                f"expected; {advice}."
            )


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}…"


def sha256(data: bytes) -> str:
    """Return the hash of bytes, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_of(*paths: Path) -> str:
    """Return the hash of the concatenated content of files, read in blocks; raises OSError."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def sha256_of_body(body: Mapping[str, Any]) -> str:
    """Return the hash of a JSON object, regardless of its layout."""
    return sha256(json.dumps(body, sort_keys=True).encode())


def check_file(path: Path, expected: str, advice: str = _REBUILD) -> None:
    """Raise SavedIndexError, naming the file, if it has another hash or cannot be read."""
    try:
        # A device may be endless.
        if not path.is_file() and path.exists():
            raise OSError(errno.EINVAL, "it is not a regular file")
        found = sha256_of(path)
    except OSError as error:
        raise damaged(path, error.strerror or str(error), advice) from error
    if found != expected:
        raise damaged(path, "its content has changed", advice)


def damaged(path: Path, reason: str, advice: str = _REBUILD) -> SavedIndexError:
    """Return the error for a damaged file."""
    return SavedIndexError(f"The index file '{path}' is damaged ({reason}); {advice}.")
