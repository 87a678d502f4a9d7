"""The folder of a saved index: where it is, and which files in it belong to the program."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from index import storage
from index.documents.document import Document
from index.errors import SavedIndexError
from index.models.types import Encoder
from index.storage import MAX_MANIFEST_BYTES, PARTIAL_SUFFIX, sha256_of

FORMAT_VERSION = 4
MANIFEST = "manifest.json"
LOCK = "saving.lock"
# The data files are called CONTENT-HASH.SUFFIX, with the first 16 digits of the file's sha256.
DATA_SUFFIXES = {"text": "txt", "passages": "json", "vectors": "faiss", "pieces": "npz"}
DATA_FILE = "|".join(
    rf"{content}-[0-9a-f]{{16}}\.{suffix}" for content, suffix in DATA_SUFFIXES.items()
)
_PARTIAL_FILE = rf"(?:{DATA_FILE}|{re.escape(MANIFEST)}){PARTIAL_SUFFIX}"
# Fields that the manifests of all versions have, and those of no other program.
_IDENTIFYING_FIELDS = frozenset({"format_version", "text_sha256", "files"})


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of a saved index; `files` maps each file's name to its sha256."""

    format_version: int
    encoder: str
    encoder_revision: str
    dimension: int
    max_pieces: int
    stub_pieces: int
    text_sha256: str
    document: dict[str, str]
    files: dict[str, str]


def read_manifest(folder: str | Path) -> Manifest:
    """Read the manifest of a saved index; raises SavedIndexError if it is missing or damaged."""
    path = Path(folder) / MANIFEST
    try:
        return storage.read_manifest(path, FORMAT_VERSION, Manifest)
    except FileNotFoundError:
        raise SavedIndexError(
            f"There is no index in '{folder}': make one with 'python -m index build FILE'."
        ) from None


def index_folder(document: Document, encoder: Encoder) -> Path:
    """Return the cache folder for the index of a document's text."""
    name = f"{document.sha256[:16]}-{encoder.revision[:8]}"
    return _cache_folder() / name


def named_folder(index: str | Path) -> Path:
    """Return the folder given by the user; raises SavedIndexError for an empty name."""
    # An empty path would mean the current folder.
    if not str(index).strip():
        raise SavedIndexError(
            "The name of the index's folder is empty: give a folder with --index."
        )
    return Path(index)


def is_in_cache(folder: Path) -> bool:
    """Whether a folder is in the cache."""
    return _cache_folder() in folder.parents


def make_cache_private(folder: Path) -> None:
    """Make the cache and a folder in it accessible to their owner only."""
    for path in (_cache_folder(), folder):
        with suppress(OSError, AttributeError):  # Windows has no user ids, but a cache per user
            status = path.stat()
            if status.st_uid == os.geteuid() and status.st_mode & 0o077:
                path.chmod(0o700)


def _cache_folder() -> Path:
    try:
        return platformdirs.user_cache_path("ask-the-article", appauthor=False)
    except RuntimeError as error:  # neither HOME nor an entry for this user
        raise SavedIndexError(
            "There is no home folder to keep the index in. Name a folder with --index."
        ) from error


def check_manifest_owner(folder: Path) -> None:
    """Raise SavedIndexError if the folder has a manifest that another program wrote."""
    try:
        with (folder / MANIFEST).open("rb") as file:
            content = file.read(MAX_MANIFEST_BYTES)
    except FileNotFoundError:
        return
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    keys = set(body) if isinstance(body, dict) else set()
    known = {*Manifest.__slots__, "sha256"}
    # A damaged manifest is recognized by the data files beside it.
    may_be_damaged = not keys or keys & known
    if keys >= _IDENTIFYING_FIELDS or (
        may_be_damaged and any(map(_is_data_file, folder.iterdir()))
    ):
        return
    raise SavedIndexError(
        f"The folder '{folder}' has a {MANIFEST} of another program, which would be overwritten: choose "
        "another folder with --index."
    )


def own_files(folder: Path) -> Iterator[Path]:
    """Yield the data files and partial files in a folder that this program wrote."""
    try:
        listed = set(read_manifest(folder).files)
    except SavedIndexError:
        listed = set()
    for path in folder.iterdir():
        is_listed = path.name in listed and re.fullmatch(DATA_FILE, path.name)
        if is_listed or re.fullmatch(_PARTIAL_FILE, path.name) or _is_data_file(path):
            yield path


def _is_data_file(path: Path) -> bool:
    """Whether a file is named like a data file, with the hash of its content."""
    if not re.fullmatch(DATA_FILE, path.name):
        return False
    try:
        return path.is_file() and sha256_of(path)[:16] == path.stem.rpartition("-")[2]
    except OSError:
        return False


def remove_files(paths: Iterable[Path]) -> None:
    """Delete files; one that cannot be deleted is harmless and removed by a later save."""
    for path in paths:
        with suppress(OSError):
            path.unlink()
