"""The files of a segment: which there are, and how to write and delete them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence, Sized
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.models.types import Encoder, Vectors
from index.passages.layout import pack
from index.passages.passage import Passage
from index.search.dense import DenseIndex, default_kind, default_settings
from index.search.faiss_file import Kind
from index.search.sparse import SparseIndex, split_words
from index.storage import PARTIAL_SUFFIX, sha256, sha256_of, sync_folder, write_manifest

FORMAT_VERSION = 2
MANIFEST = "manifest.json"
# The .npy files of a segment; Segment describes their content.
TABLES = ("places", "lines", "rows", "keys", "order")
# All files besides the manifest. No other file in a segment's folder is read or deleted.
FILES = frozenset(
    {
        *("vectors.faiss", "texts.bin", "layouts.bin", "documents.jsonl"),
        *(f"{name}.npy" for name in TABLES),
    }
)
# The files of the BM25 index, which are missing if no passage has a term.
WORD_FILES = frozenset(
    f"words/{name}"
    for name in (
        "data.csc.index.npy",
        "indices.csc.index.npy",
        "indptr.csc.index.npy",
        "params.index.json",
        "vocab.index.json",
    )
)
# What is stored of a document besides its passages.
DOCUMENT_FIELDS = frozenset({"id", "title", "source", "sha256"})


@dataclass(frozen=True, slots=True)
class SegmentManifest:
    """The manifest of a segment; `files` maps each file's path in the folder to its sha256.

    If a document is in two segments, the one with the higher number applies. A loose segment is from
    an unfinished build of `shard`, and will be merged with others.
    """

    format_version: int
    encoder_revision: str
    max_pieces: int
    documents: int
    passages: int
    number: int
    shard: str
    loose: bool
    kind: Kind
    settings: dict[str, int]
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A document to write: its DOCUMENT_FIELDS, its passages, and a vector for each passage."""

    fields: dict[str, str]
    passages: tuple[Passage, ...]
    vectors: Vectors


def encoder_fields(encoder: Encoder) -> dict[str, Any]:
    """Return the manifest fields that have to match the encoder."""
    return {"encoder_revision": encoder.revision, "max_pieces": encoder.max_pieces}


def document_key(identity: str) -> np.uint64:
    """Return a hash of a document's id."""
    return np.uint64(int(sha256(identity.encode())[:16], 16))


def write_segment(
    folder: Path,
    entries: Sequence[Entry],
    encoder: Encoder,
    *,
    kind: Kind | None,
    number: int,
    shard: str,
    loose: bool,
) -> SegmentManifest:
    """Write and sync all files of a segment; raises OSError."""
    passages = [passage for entry in entries for passage in entry.passages]
    kind = kind or default_kind(len(passages))
    settings = default_settings(kind, len(passages))
    vectors = np.concatenate([entry.vectors for entry in entries])
    DenseIndex.build(vectors, kind, settings).write(folder / "vectors.faiss")
    SparseIndex([p.context.text for p in passages], split_words).save(folder / "words")
    texts = [p.text.encode() for p in passages]
    (folder / "texts.bin").write_bytes(b"".join(texts))
    layouts = [json.dumps(pack(p), separators=(",", ":")).encode() for p in passages]
    (folder / "layouts.bin").write_bytes(b"".join(layouts))
    lines = [json.dumps(entry.fields).encode() + b"\n" for entry in entries]
    (folder / "documents.jsonl").write_bytes(b"".join(lines))
    keys = np.array([document_key(entry.fields["id"]) for entry in entries], dtype=np.uint64)
    owners = np.repeat(np.arange(len(entries)), [len(entry.passages) for entry in entries])
    # The row after the last passage has the ends of its text and of its layout.
    places = np.zeros((len(passages) + 1, 5), dtype=np.int64)
    places[:-1, 0] = owners
    places[:-1, 1:3] = [(p.start, p.end) for p in passages]
    places[:, 3] = _starts(texts)
    places[:, 4] = _starts(layouts)
    tables: dict[str, NDArray[Any]] = {
        "places": places,
        "lines": _starts(lines),
        "rows": _starts([entry.passages for entry in entries]),
        "keys": keys,
        "order": np.argsort(keys, kind="stable"),
    }
    for name in TABLES:
        np.save(folder / f"{name}.npy", tables[name])
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        with path.open("rb") as file:
            os.fsync(file.fileno())
    manifest = SegmentManifest(
        format_version=FORMAT_VERSION,
        **encoder_fields(encoder),
        documents=len(entries),
        passages=len(passages),
        number=number,
        shard=shard,
        loose=loose,
        kind=kind,
        settings=settings,
        files={path.relative_to(folder).as_posix(): sha256_of(path) for path in files},
    )
    for written in (folder / "words", folder):
        sync_folder(written)
    write_manifest(folder / MANIFEST, asdict(manifest))
    sync_folder(folder)
    return manifest


def delete_segment(folder: Path) -> None:
    """Delete the files of a segment, and its folder unless other files are in it.

    A file that cannot be deleted is harmless; the next build tries again.
    """
    words = folder / "words"
    if folder.is_symlink() or words.is_symlink():
        return
    with suppress(OSError):
        partial = [n for n in os.listdir(folder) if re.fullmatch(MANIFEST + PARTIAL_SUFFIX, n)]
        for name in (*FILES, *WORD_FILES, *partial, MANIFEST):
            with suppress(OSError):
                (folder / name).unlink()
        for emptied in (words, folder):
            with suppress(OSError):
                emptied.rmdir()


def _starts(items: Sequence[Sized]) -> NDArray[np.int64]:
    """The start of each item when all are concatenated, and the end of the last."""
    return np.cumsum([0, *map(len, items)], dtype=np.int64)
