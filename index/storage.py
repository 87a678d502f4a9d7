"""Files that are whole or absent, and that say when they are not what was written."""

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
# What to do about an article's index that cannot be loaded.
_BUILD = "it has to be built again"
# The largest manifest that is read; those that are written have a few thousand bytes.
MAX_MANIFEST_BYTES = 1_000_000
# How the name of a file goes on while it is being written: by which process.
PARTIAL_SUFFIX = r"\.\d+\.partial"


def write_file(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write all of it or nothing: beside the file first, onto the disk, then in its place.

    `mode` has the permissions of the new file, from which the umask is taken. The rename outlasts a
    power failure only after sync_folder.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with open(partial, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError:
        # A full disk gets back what was taken of it.
        with suppress(OSError):
            partial.unlink()
        raise


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Create a folder, and its parents, where there is none; it outlasts a power failure."""
    if folder.is_dir():
        return
    if folder.parent != folder:
        make_folder(folder.parent, mode)
    folder.mkdir(mode, exist_ok=True)
    with suppress(PermissionError):  # a parent that may be written and not read
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk, where the system can; raises OSError."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems have no such call for folders.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def check_lock_file(path: Path) -> None:
    """Raise FileExistsError where a lock would overwrite a file that is not a lock."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        # A lock is empty, or has the number of the process that holds it.
        if not re.fullmatch(rb"(?:\d.{0,999})?", file.read(1001), re.DOTALL):
            raise FileExistsError(errno.EEXIST, f"'{path.name}' is not a lock file", str(path))


def write_manifest(path: Path, body: Mapping[str, Any], mode: int = 0o666) -> None:
    """Write a JSON object with a hash of itself; the last step of saving what it tells of."""
    text = json.dumps({**body, "sha256": sha256_of_body(body)}, indent=2)
    write_file(path, text.encode() + b"\n", mode)


def read_manifest(
    path: Path, format_version: int, made: Callable[..., Manifest], then: str = _BUILD
) -> Manifest:
    """Read such an object and make what has its fields.

    Raises FileNotFoundError, and SavedIndexError, which says what to do `then`, where it is damaged or
    of another format version.
    """
    try:
        body: dict[str, Any] = json.loads(read_bounded(path, MAX_MANIFEST_BYTES))
        recorded = body.pop("sha256")
        found = body["format_version"]
    except FileNotFoundError:
        raise
    except OSError as error:
        raise damaged(path, error.strerror or str(error), then) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise damaged(path, "it is not a manifest", then) from error
    if found != format_version:
        raise SavedIndexError(
            f"The index in '{path.parent}' does not fit: its format_version is {_shortened(found)} and "
            f"{format_version!r} was expected; {then}."
        )
    if sha256_of_body(body) != recorded:
        raise damaged(path, "its content is not what was saved", then)
    try:
        manifest = made(**body)
        _check_types(manifest)
    except TypeError as error:
        raise damaged(path, "it is not a manifest", then) from error
    return manifest


def _check_types(manifest: Any) -> None:
    """Raise TypeError where a field of a dataclass has a value of another type."""
    for name, hint in get_type_hints(type(manifest)).items():
        if not _is_of_type(getattr(manifest, name), hint):
            raise TypeError(f"{name} is not of the type {hint}")


def _is_of_type(value: Any, hint: Any) -> bool:
    if get_origin(hint) is dict:
        of_keys, of_values = get_args(hint)
        return type(value) is dict and all(
            _is_of_type(key, of_keys) and _is_of_type(item, of_values)
            for key, item in value.items()
        )
    if get_origin(hint) is Literal:
        return type(value) is str and value in get_args(hint)
    return type(value) is hint


def read_bounded(path: Path, limit: int) -> bytes:
    """The content of a file; raises OSError, also where it is longer or no plain file."""
    if not path.is_file() and path.exists():
        raise OSError(errno.EINVAL, "it is not a plain file", str(path))
    if path.stat().st_size > limit:
        raise OSError(errno.EFBIG, f"it has more than {limit} bytes", str(path))
    return path.read_bytes()


def read_fitted(path: Path) -> dict[str, Any]:
    """Read what write_manifest wrote into a file that comes with the program.

    Raises ArticleError, naming the file, where it is missing or damaged.
    """
    try:
        body: dict[str, Any] = json.loads(path.read_bytes())
        whole = body.pop("sha256") == sha256_of_body(body)
        why = "its content is not what was written"
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        whole, why = False, getattr(error, "strerror", None) or "it is cut short or no such file"
    if not whole:
        raise ArticleError(
            f"The program's file '{path}' is damaged ({why}): restore it with 'git checkout -- {path}'."
        )
    return body


def check_fits(manifest: object, expected: Mapping[str, Any], whose: str, then: str) -> None:
    """Raise SavedIndexError, naming the field, where a manifest does not say what is expected."""
    for field, wanted in expected.items():
        if (found := getattr(manifest, field)) != wanted:
            raise SavedIndexError(
                f"{whose} does not fit: its {field} is {_shortened(found)} and {wanted!r} was expected; "
                f"{then}."
            )


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}…"


def sha256(data: bytes) -> str:
    """The hash of some bytes, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_of(*paths: Path) -> str:
    """The hash of files, one after the other, which are read a little at a time; raises OSError."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def sha256_of_body(body: Mapping[str, Any]) -> str:
    """The hash of a JSON object, however it is laid out."""
    return sha256(json.dumps(body, sort_keys=True).encode())


def check_file(path: Path, expected: str, then: str = _BUILD) -> None:
    """Raise SavedIndexError, naming the file, where its hash is another or it cannot be read."""
    try:
        # What is no file may have no end.
        if not path.is_file() and path.exists():
            raise OSError(errno.EINVAL, "it is not a plain file")
        found = sha256_of(path)
    except OSError as error:
        raise damaged(path, error.strerror or str(error), then) from error
    if found != expected:
        raise damaged(path, "its content is not what was saved", then)


def damaged(path: Path, why: str, then: str = _BUILD) -> SavedIndexError:
    """The error that names a damaged file."""
    return SavedIndexError(f"The index file '{path}' is damaged ({why}); {then}.")
