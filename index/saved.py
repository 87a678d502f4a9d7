"""Files that are whole or absent, and that say when they are not what was written."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from index.errors import ArticleError, SavedIndexError

Manifest = TypeVar("Manifest")
# What to do about an article's index that cannot be loaded.
_BUILD = "it has to be built again"


def write_file(path: Path, data: bytes) -> None:
    """Write all of it or nothing: beside the file first, onto the disk, then in its place."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError:
        # A full disk gets back what was taken of it.
        with suppress(OSError):
            partial.unlink()
        raise


def write_manifest(path: Path, body: Mapping[str, Any]) -> None:
    """Write a JSON object with a hash of itself; the last step of saving what it tells of."""
    text = json.dumps({**body, "sha256": sha256_of_body(body)}, indent=2)
    write_file(path, text.encode() + b"\n")


def read_manifest(
    path: Path, format_version: int, made: Callable[..., Manifest], then: str = _BUILD
) -> Manifest:
    """Read such an object and make what has its fields.

    Raises FileNotFoundError, and SavedIndexError, which says what to do `then`, where it is damaged or
    of another format version.
    """
    try:
        body: dict[str, Any] = json.loads(path.read_bytes())
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
            f"The index in '{path.parent}' does not fit: its format_version is {found!r} and "
            f"{format_version!r} was expected; {then}."
        )
    if sha256_of_body(body) != recorded:
        raise damaged(path, "its content is not what was saved", then)
    try:
        return made(**body)
    except TypeError as error:
        raise damaged(path, "it is not a manifest", then) from error


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
                f"{whose} does not fit: its {field} is {found!r} and {wanted!r} was expected; {then}."
            )


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
        found = sha256_of(path)
    except OSError as error:
        raise damaged(path, error.strerror or str(error), then) from error
    if found != expected:
        raise damaged(path, "its content is not what was saved", then)


def damaged(path: Path, why: str, then: str = _BUILD) -> SavedIndexError:
    """The error that names a damaged file."""
    return SavedIndexError(f"The index file '{path}' is damaged ({why}); {then}.")
