"""Files that are whole or absent, and that say when they are not what was written."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from index.errors import SavedIndexError

Manifest = TypeVar("Manifest")


def write_file(path: Path, data: bytes) -> None:
    """Write all of it or nothing: beside the file first, onto the disk, then in its place."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def write_manifest(path: Path, body: Mapping[str, Any]) -> None:
    """Write a JSON object with a hash of itself; the last step of saving what it tells of."""
    text = json.dumps({**body, "sha256": sha256(_canonical(body))}, indent=2)
    write_file(path, text.encode())


def read_manifest(path: Path, format_version: int, made: Callable[..., Manifest]) -> Manifest:
    """Read such an object and make what has its fields.

    Raises FileNotFoundError, and SavedIndexError where it is damaged or of another format version.
    """
    try:
        body: dict[str, Any] = json.loads(path.read_bytes())
        recorded = body.pop("sha256")
        found = body["format_version"]
    except FileNotFoundError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise damaged(path, "it is not a manifest") from error
    if found != format_version:
        raise SavedIndexError(
            f"The index in '{path.parent}' does not fit: its format_version is {found!r} and "
            f"{format_version!r} was expected; it has to be built again."
        )
    if sha256(_canonical(body)) != recorded:
        raise damaged(path, "its content is not what was saved")
    try:
        return made(**body)
    except TypeError as error:
        raise damaged(path, "it is not a manifest") from error


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


def sha256_of(path: Path) -> str:
    """The hash of a file, which is read a little at a time; raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def damaged(path: Path, why: str) -> SavedIndexError:
    """The error that names a damaged file."""
    return SavedIndexError(f"The index file '{path}' is damaged ({why}); it has to be built again.")


def _canonical(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True).encode()
