"""A store in a folder: segments with FAISS and BM25 indexes that are mapped into memory."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from index.documents.document import Document
from index.errors import SavedIndexError, StoreError
from index.models.types import Encoder, Vectors
from index.passages.passage import Passage
from index.search.faiss_file import Kind
from index.search.fusion import Rows, Scores, blend
from index.search.sparse import shared_idfs, split_words
from index.storage import check_lock_file, make_folder, sha256, sync_folder
from index.stores.base import FUSION_WEIGHTS, SEARCH_LIMIT, rebuild_document
from index.stores.segment import Segment
from index.stores.segment_files import DOCUMENT_FIELDS, Entry, delete_segment, write_segment

# Passages collected before a loose segment is written: the most that a killed build loses.
LOOSE_SEGMENT_PASSAGES = 50_000
# The most passages that are merged into one segment, since merging holds them in memory.
MAX_MERGED_PASSAGES = 2_000_000

# A segment's folder is named by its number and a hash; _DELETED is prepended while it is deleted.
_PREFIX = "segment-"
_DELETED = "gone-"
_SEGMENT = rf"{_PREFIX}\d{{6,10}}-[0-9a-f]{{16}}"


class FaissStore:
    """Immutable segments that are searched one after the other.

    A segment's folder gets its name when it is completely on the disk. So processes with different
    shards can fill one store at once, and a build that is killed leaves no incomplete segment.
    """

    def __init__(
        self,
        folder: str | Path,
        encoder: Encoder,
        *,
        kind: Kind | None = None,
        shard: str = "1-of-1",
    ) -> None:
        """Open a store; `kind` is the kind of new segments, by default chosen by their size.

        Raises SavedIndexError if a file is damaged or of another encoder, and StoreError if the folder
        cannot be read.
        """
        self.folder = Path(folder)
        self._encoder, self._kind, self._shard = encoder, kind, shard
        self._pending: dict[str, Entry] = {}
        self._segments: list[Segment] = []
        self._lock = FileLock(self.folder / f"building-{shard}.lock")
        self._reload()

    def __len__(self) -> int:
        """The number of searchable passages, without those that are not written yet."""
        return sum(len(segment) for segment in self._segments)

    def stored_ids(self, documents: Sequence[Document]) -> set[str]:
        """Return the ids of the documents that are completely stored with identical text."""
        stored = set()
        for document in documents:
            fields = None
            if document.id in self._pending:
                fields = self._pending[document.id].fields
            elif found := self._find(document.id):
                segment, number = found
                fields = segment.document_fields(number)
            if fields and fields["sha256"] == document.sha256:
                stored.add(document.id)
        return stored

    def put(
        self, documents: Sequence[Document], passages: Sequence[Passage], vectors: Vectors
    ) -> None:
        """Add documents, replacing those with the same ids; `vectors` is [passages, dimension].

        Raises StoreError if another build of the same shard is running, or if writing fails.
        """
        self._acquire_lock()
        by_id = {document.id: document for document in documents}
        rows_by_id: dict[str, list[int]] = {identity: [] for identity in by_id}
        for row, passage in enumerate(passages):
            rows_by_id[passage.document_id].append(row)
        for identity, rows in rows_by_id.items():
            fields = {name: getattr(by_id[identity], name) for name in sorted(DOCUMENT_FIELDS)}
            self._pending[identity] = Entry(
                fields, tuple(passages[row] for row in rows), vectors[rows]
            )
        if sum(len(entry.passages) for entry in self._pending.values()) >= LOOSE_SEGMENT_PASSAGES:
            self._write(list(self._pending.values()), loose=True)

    def finish(self) -> None:
        """Make everything that was put searchable, and merge this shard's loose segments."""
        pending, loose = list(self._pending.values()), self._loose_segments()
        if pending:
            self._write(pending, loose=bool(loose))
        elif loose:
            self._acquire_lock()
        group: list[Segment] = []
        for segment in self._loose_segments():
            size = sum(s.manifest.passages for s in group) + segment.manifest.passages
            if group and size > MAX_MERGED_PASSAGES:
                self._merge(group)
                group = []
            group.append(segment)
        if group:
            self._merge(group)
        self._lock.release()

    def nearest(self, queries: Sequence[str], vectors: Vectors, k: int) -> list[list[Passage]]:
        """Return the k best passages for each query by vector and BM25, best first."""
        if not self._segments:
            return [[] for _ in queries]
        limit = max(SEARCH_LIMIT, k)
        results = []
        for query, vector in zip(queries, vectors, strict=True):
            dense = self._best([s.search_vector(vector, limit) for s in self._segments], limit)
            # All segments have to use the same idfs, or their scores could not be compared.
            idfs = shared_idfs(query, [s.words for s in self._segments if len(s)], split_words)
            words = self._best([s.search_words(query, limit, idfs) for s in self._segments], limit)
            _, rows = blend((dense, words), FUSION_WEIGHTS)
            results.append([self._passage(int(row)) for row in rows[:k]])
        return results

    def document(self, identity: str) -> Document:
        """Return a document, exact except for white space between passages, or raise KeyError."""
        if (found := self._find(identity)) is None:
            raise KeyError(identity)
        segment, number = found
        fields = segment.document_fields(number)
        return rebuild_document(
            fields["id"], fields["title"], fields["source"], segment.passages_of(number)
        )

    def describe(self) -> dict[str, Any]:
        """Return the store's address and size, and the manifests of its segments."""
        return {
            "store": f"faiss:{self.folder}",
            "passages": len(self),
            "segments": [
                {key: value for key, value in asdict(s.manifest).items() if key != "files"}
                for s in self._segments
            ],
        }

    def close(self) -> None:
        """Close the files."""
        self._segments = []
        self._lock.release()

    def _reload(self) -> None:
        """Open new segments, drop deleted ones, and mask superseded documents."""
        opened = {segment.folder: segment for segment in self._segments}
        folders = None
        # Repeat if another build merges segments meanwhile: the merged one would be missed.
        while folders != (found := self._folders()):
            folders = found
            for folder in folders:
                try:
                    opened[folder] = opened.get(folder) or Segment(folder, self._encoder)
                except SavedIndexError:
                    if folder in self._folders():
                        raise
        self._segments = sorted(
            (opened[folder] for folder in folders),
            key=lambda s: (s.manifest.number, s.folder.name),
        )
        newer_keys = np.zeros(0, dtype=np.uint64)
        for segment in reversed(self._segments):
            segment.mask_superseded(newer_keys)
            newer_keys = np.concatenate([newer_keys, segment.keys])
        self._ends = np.cumsum([s.manifest.passages for s in self._segments], dtype=np.int64)

    def _folders(self, pattern: str = _SEGMENT) -> list[Path]:
        """The folders whose names match a pattern."""
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(
                f"The store in '{self.folder}' cannot be read ({error.strerror or error}): check "
                "its permissions, or choose another folder."
            ) from error
        return sorted(self.folder / name for name in names if re.fullmatch(pattern, name))

    def _acquire_lock(self) -> None:
        """Become the only build of this shard, and delete what a killed one left."""
        if self._lock.is_locked:
            return
        try:
            make_folder(self.folder)
            check_lock_file(Path(self._lock.lock_file))
            self._lock.acquire(timeout=0)
        except Timeout:
            raise StoreError(
                f"Another build of shard {self._shard} is running in '{self.folder}': wait for it, or "
                "give this one another --shard."
            ) from None
        except OSError as error:
            raise self._write_error(error) from error
        for leftover in (self._partial, *self._folders(_DELETED + _SEGMENT)):
            delete_segment(leftover)
        self._reload()

    @property
    def _partial(self) -> Path:
        """The folder that a segment is written into."""
        return self.folder / f"partial-{self._shard}"

    def _write_error(self, error: OSError) -> StoreError:
        return StoreError(
            f"The store cannot be written in '{self.folder}' ({error.strerror or error}): make room "
            "or choose another folder, and start again; documents written so far are kept."
        )

    def _loose_segments(self) -> list[Segment]:
        return [s for s in self._segments if s.manifest.loose and s.manifest.shard == self._shard]

    def _merge(self, group: Sequence[Segment]) -> None:
        """Merge loose segments into one, then delete them."""
        # There are no entries if a build was killed after it had merged them.
        if entries := [entry for segment in group for entry in segment.current_entries()]:
            self._write(entries, loose=False)
        for segment in group:
            # Rename first, so that other processes see a complete segment or none.
            deleted = segment.folder.with_name(f"{_DELETED}{segment.folder.name}")
            try:
                os.replace(segment.folder, deleted)
            except OSError as error:
                raise self._write_error(error) from error
            delete_segment(deleted)
        self._reload()

    def _write(self, entries: Sequence[Entry], *, loose: bool) -> None:
        number = 1 + max((s.manifest.number for s in self._segments), default=0)
        try:
            self._partial.mkdir()
            manifest = write_segment(
                self._partial,
                entries,
                self._encoder,
                kind="flat" if loose else self._kind,
                number=number,
                shard=self._shard,
                loose=loose,
            )
            name = sha256(json.dumps(manifest.files, sort_keys=True).encode())[:16]
            os.replace(self._partial, self.folder / f"{_PREFIX}{number:06d}-{name}")
            sync_folder(self.folder)
        except OSError as error:
            delete_segment(self._partial)
            raise self._write_error(error) from error
        self._pending.clear()
        self._reload()

    def _find(self, identity: str) -> tuple[Segment, int] | None:
        """The newest segment with a document of this id, and the document's number in it."""
        for segment in reversed(self._segments):
            if (number := segment.find(identity)) is not None:
                return segment, number
        return None

    def _passage(self, row: int) -> Passage:
        """The passage at a row, counted over all segments."""
        number = int(np.searchsorted(self._ends, row, side="right"))
        segment = self._segments[number]
        return segment.passage(row - int(self._ends[number]) + segment.manifest.passages)

    def _best(self, results: Sequence[tuple[Scores, Rows]], k: int) -> tuple[Scores, Rows]:
        """Merge one result per segment: the k best, best first, with rows over all segments."""
        starts = self._ends - np.diff(self._ends, prepend=0)
        scores = np.concatenate([scores for scores, _ in results])
        rows = np.concatenate(
            [rows + start for (_, rows), start in zip(results, starts, strict=True)]
        )
        order = np.lexsort((rows, -scores))[:k]
        return scores[order], rows[order]
