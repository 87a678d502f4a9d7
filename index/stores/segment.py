"""Read a segment of a store: its files are checked, and mapped into memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from index.arrays import map_array
from index.documents.cleaning import replace_surrogates
from index.documents.content import MAX_BYTES
from index.errors import SavedIndexError
from index.models.types import Encoder, Vectors
from index.passages.layout import unpack
from index.passages.passage import Passage
from index.search.dense import DenseIndex
from index.search.fusion import Rows, Scores
from index.search.sparse import SparseIndex, split_words
from index.storage import check_file, check_fits, damaged, read_manifest
from index.stores.segment_files import (
    DOCUMENT_FIELDS,
    FILES,
    FORMAT_VERSION,
    MANIFEST,
    TABLES,
    WORD_FILES,
    Entry,
    SegmentManifest,
    document_key,
    encoder_fields,
)

_MAX_NUMBER = 10**9
# Passages whose texts are checked at a time.
_CHECK_BATCH_SIZE = 2_000


class Segment:
    """Passages of documents, in files that are written once.

    A passage's row in `places` has its document, start, end, and first byte in texts.bin and in
    layouts.bin, which has what passage_layout.pack() gives. `lines` and `rows` have the first byte in
    documents.jsonl and the first passage of each document, `keys` the hash of its id, and `order` sorts
    the keys.
    """

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        """Open a segment; raises SavedIndexError if it is damaged or of another encoder."""
        self.folder = folder
        self._advice = f"delete '{folder}' and fill the store again, which keeps what else is in it"
        try:
            self.manifest = read_manifest(
                folder / MANIFEST, FORMAT_VERSION, SegmentManifest, self._advice
            )
            check_fits(
                self.manifest,
                encoder_fields(encoder),
                f"The store in '{folder.parent}'",
                "name the --encoder that it was built with",
            )
            if set(self.manifest.files) not in (FILES, FILES | WORD_FILES):
                raise damaged(
                    folder / MANIFEST, "it lists other files than a segment's", self._advice
                )
            for name, expected in self.manifest.files.items():
                check_file(folder / name, expected, self._advice)
        except OSError as error:
            path = Path(error.filename or folder)
            raise self._damaged(path, error.strerror or str(error)) from error
        # The hashes protect against damage only: who can change a file can change its hash, too.
        try:
            self._map_files(encoder.dimension)
        except (OSError, ValueError, RecursionError) as error:
            raise self._damaged(folder, f"its content is invalid: {error}") from error
        # Documents and passages that are not superseded; None if all are current.
        self._current_documents: NDArray[np.bool_] | None = None
        self._current_passages: NDArray[np.bool_] | None = None

    def _damaged(self, path: Path, reason: str) -> SavedIndexError:
        return damaged(path, reason, self._advice)

    def _map_files(self, dimension: int) -> None:
        """Map the files; raises ValueError if a number in them is out of range."""
        folder, manifest = self.folder, self.manifest
        rows, documents = manifest.passages, manifest.documents
        if rows < 0 or documents < 0 or not 0 < manifest.number <= _MAX_NUMBER:
            raise ValueError("its manifest has invalid numbers")
        shapes: dict[str, tuple[DTypeLike, tuple[int | None, ...]]] = {
            "places": (np.int64, (rows + 1, 5)),
            "lines": (np.int64, (documents + 1,)),
            "rows": (np.int64, (documents + 1,)),
            "keys": (np.uint64, (documents,)),
            "order": (np.int64, (documents,)),
        }
        self._tables: dict[str, NDArray[Any]] = {
            name: map_array(folder / f"{name}.npy", *shapes[name]) for name in TABLES
        }
        self._texts, self._layouts, self._lines = (
            _map_bytes(folder / name) for name in ("texts.bin", "layouts.bin", "documents.jsonl")
        )
        self._check_tables()
        self._dense = DenseIndex.map(
            folder / "vectors.faiss", manifest.kind, dimension=dimension, rows=rows
        )
        self.words = SparseIndex.load(folder / "words", rows, split_words)

    def _check_tables(self) -> None:
        tables, places = self._tables, self._tables["places"]
        for name, starts, size in (
            ("places", places[:, 3], len(self._texts)),
            ("layouts", places[:, 4], len(self._layouts)),
            ("lines", tables["lines"], len(self._lines)),
            ("rows", tables["rows"], self.manifest.passages),
        ):
            if (starts[0], starts[-1]) != (0, size) or (starts[1:] < starts[:-1]).any():
                raise ValueError(f"its {name} are not contiguous")
        owners, start, end = places[:-1, :3].T
        if not np.array_equal(
            owners, np.repeat(np.arange(len(tables["keys"])), np.diff(tables["rows"]))
        ):
            raise ValueError("its passages do not match its documents")
        if not (start.min(initial=0) >= 0 and end.max(initial=0) <= MAX_BYTES):
            raise ValueError("its passages are outside of any text")
        # The passages of a document are in order and do not overlap.
        if (end < start).any() or ((start[1:] < end[:-1]) & (owners[1:] == owners[:-1])).any():
            raise ValueError("its passages are not in order")
        order = tables["order"]
        if not np.array_equal(np.sort(order), np.arange(len(order))):
            raise ValueError("its documents are not in order")
        sorted_keys = tables["keys"][order]
        if (sorted_keys[1:] < sorted_keys[:-1]).any():
            raise ValueError("its documents are not in order")
        _check_texts(self._texts, places[:, 3], end - start)

    @property
    def keys(self) -> NDArray[np.uint64]:
        """The hash of each document's id."""
        keys: NDArray[np.uint64] = self._tables["keys"]
        return keys

    def mask_superseded(self, keys: NDArray[np.uint64]) -> None:
        """Exclude the documents with these keys, which newer segments have, from searches."""
        current = ~np.isin(self.keys, keys)
        self._current_documents, self._current_passages = None, None
        if not current.all():
            self._current_documents = current
            self._current_passages = np.repeat(current, np.diff(self._tables["rows"]))

    def __len__(self) -> int:
        """The number of passages that are not superseded."""
        if self._current_passages is None:
            return self.manifest.passages
        return int(self._current_passages.sum())

    def search_vector(self, vector: Vectors, k: int) -> tuple[Scores, Rows]:
        """Return scores and rows of the k nearest passages, best first."""
        (scores,), (rows,) = self._dense.search(vector[None], k, self._current_passages)
        return scores[rows >= 0], rows[rows >= 0]

    def search_words(self, query: str, k: int, idfs: Mapping[str, float]) -> tuple[Scores, Rows]:
        """Return scores and rows of the k best passages by BM25 with these idfs, best first."""
        if self._current_passages is None:
            return self.words.search(query, k, idfs)
        scores, rows = self.words.search(query, self.manifest.passages, idfs)
        current = self._current_passages[rows]
        return scores[current][:k], rows[current][:k]

    def passage(self, row: int) -> Passage:
        """Return the passage at a row; raises SavedIndexError if its layout is damaged."""
        (owner, start, _, *firsts), (*_, text_end, layout_end) = self._tables["places"][
            row : row + 2
        ].tolist()
        text = bytes(self._texts[firsts[0] : text_end]).decode()
        identity = self.document_fields(owner)["id"]
        try:
            layout = json.loads(bytes(self._layouts[firsts[1] : layout_end]))
            return unpack(identity, start, text, layout)
        except (ValueError, TypeError, RecursionError) as error:
            path = self.folder / "layouts.bin"
            raise self._damaged(path, f"the layout of passage {row}: {error}") from error

    def find(self, identity: str) -> int | None:
        """Return the number of the document with this id, or None."""
        key, order = document_key(identity), self._tables["order"]
        first, end = (
            int(np.searchsorted(self.keys, key, side=side, sorter=order))
            for side in ("left", "right")
        )
        same_key = [int(number) for number in order[first:end]]
        return next((n for n in same_key if self.document_fields(n)["id"] == identity), None)

    def document_fields(self, number: int) -> dict[str, str]:
        """Return a document's id, title, source and the sha256 of its text.

        Raises SavedIndexError if its line is damaged.
        """
        start, end = self._tables["lines"][number : number + 2]
        fields: dict[str, str] = {}
        with suppress(ValueError, RecursionError):
            fields = json.loads(bytes(self._lines[start:end]))
        if (
            not isinstance(fields, dict)
            or fields.keys() != DOCUMENT_FIELDS
            or any(
                type(value) is not str or replace_surrogates(value) != value
                for value in fields.values()
            )
        ):
            path = self.folder / "documents.jsonl"
            raise self._damaged(path, f"its line {number + 1} does not describe a document")
        return fields

    def passages_of(self, number: int) -> tuple[Passage, ...]:
        """Return the passages of a document, in order."""
        rows = range(*self._tables["rows"][number : number + 2].tolist())
        return tuple(self.passage(row) for row in rows)

    def current_entries(self) -> list[Entry]:
        """Return the documents that are not superseded; the vectors have to be "flat"."""
        vectors, rows = self._dense.vectors(), self._tables["rows"]
        return [
            Entry(
                self.document_fields(number),
                self.passages_of(number),
                vectors[rows[number] : rows[number + 1]],
            )
            for number in range(self.manifest.documents)
            if self._current_documents is None or self._current_documents[number]
        ]


def _map_bytes(path: Path) -> NDArray[np.uint8]:
    if not path.stat().st_size:  # an empty file cannot be mapped
        return np.zeros(0, dtype=np.uint8)
    return np.memmap(path, np.uint8, mode="r")


def _check_texts(
    texts: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> None:
    """Raise ValueError unless the passages' texts are UTF-8 of these lengths in characters."""
    for first in range(0, len(lengths), _CHECK_BATCH_SIZE):
        bounds = starts[first : first + _CHECK_BATCH_SIZE + 1]
        batch = texts[bounds[0] : bounds[-1]]
        str(batch.data, "utf-8")  # raises UnicodeDecodeError, which is a ValueError
        # A byte that is not a continuation byte starts a character.
        characters = np.concatenate([[0], np.cumsum(batch & 0xC0 != 0x80)])[bounds - bounds[0]]
        first_bytes = bounds[:-1][bounds[:-1] < bounds[1:]] - bounds[0]
        if (batch[first_bytes] & 0xC0 == 0x80).any() or (
            np.diff(characters) != lengths[first : first + _CHECK_BATCH_SIZE]
        ).any():
            raise ValueError("its texts do not match its passages")
