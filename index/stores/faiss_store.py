"""A store in a folder: FAISS, BM25 and the passages' texts, mapped into memory rather than read."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence, Sized
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import DTypeLike, NDArray

from index.arrays import map_array
from index.documents.content import MAX_BYTES
from index.documents.document import Document, well_formed
from index.errors import SavedIndexError, StoreError
from index.models.encoder import Encoder, Vectors
from index.passages import Passage
from index.search.dense import DenseIndex, Kind, kind_for, settings_for
from index.search.fusion import Rows, Scores, blend
from index.search.sparse import SparseIndex, idfs_of, split_words
from index.storage import (
    PARTIAL_SUFFIX,
    check_file,
    check_fits,
    check_lock_file,
    damaged,
    make_folder,
    read_manifest,
    sha256,
    sha256_of,
    sync_folder,
    write_manifest,
)
from index.stores.base import SEARCHED, WEIGHTS, rebuilt

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
# So many passages are written at a time, which is the most that a killed build can lose.
LOOSE = 50_000
# And so many are the most that are put together into one, for which they have to be in memory.
WHOLE = 2_000_000

# The name of a segment's folder goes on with its number and the hash of what is in it; the other is put
# before the name of one that is being deleted.
_PREFIX = "segment-"
_GONE = "gone-"
_SEGMENT = rf"{_PREFIX}\d{{6,10}}-[0-9a-f]{{16}}"
# The files of a segment, in whose folder nothing else is read or deleted.
_TABLES = ("places", "sentences", "sentence_rows", "lines", "rows", "keys", "order")
_WORDS = frozenset(
    f"words/{name}"
    for name in (
        "data.csc.index.npy",
        "indices.csc.index.npy",
        "indptr.csc.index.npy",
        "params.index.json",
        "vocab.index.json",
    )
)
_FILES = frozenset(
    {"vectors.faiss", "texts.bin", "documents.jsonl", *(f"{name}.npy" for name in _TABLES)}
)
_MOST_SEGMENTS = 10**9
# What is kept of a document besides its passages.
_ABOUT = frozenset({"id", "title", "source", "sha256"})
# Passages whose texts are checked at a time.
_CHECKED = 2_000


@dataclass(frozen=True, slots=True)
class Segment:
    """What a segment's manifest says; `files` maps each file's path in its folder to its sha256.

    Of a document in two segments the one with the higher number counts. A loose segment, of a build
    of that `shard`, will be put together with others.
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
class _Entry:
    """A document to be written: what is kept of it, its passages and a vector for each."""

    about: dict[str, str]
    passages: tuple[Passage, ...]
    vectors: Vectors


class FaissStore:
    """Segments that are written once, whole, and searched one after the other.

    A segment is a folder that takes its name when all of it is on the disk: builders in several
    processes, each with a shard of its own, can fill one store, and one that is killed leaves nothing
    half done.
    """

    def __init__(
        self,
        folder: str | Path,
        encoder: Encoder,
        *,
        kind: Kind | None = None,
        shard: str = "1-of-1",
    ) -> None:
        """Open what is there; `kind` is for what will be put, by default the one for its size.

        Raises SavedIndexError where a file is damaged or of another encoder, and StoreError where the
        folder cannot be read.
        """
        self.folder = Path(folder)
        self._encoder, self._kind, self._shard = encoder, kind, shard
        self._waiting: dict[str, _Entry] = {}
        self._segments: list[_Segment] = []
        self._lock = FileLock(self.folder / f"building-{shard}.lock")
        self._open()

    def __len__(self) -> int:
        """How many passages can be found in it; what waits to be written is not among them."""
        return sum(len(segment) for segment in self._segments)

    def held(self, documents: Sequence[Document]) -> set[str]:
        """The ids of those documents whose very text is in it, to the last passage."""
        found = set()
        for document in documents:
            about = None
            if document.id in self._waiting:
                about = self._waiting[document.id].about
            elif known := self._find(document.id):
                about = known[0].about_document(known[1])
            if about and about["sha256"] == document.sha256:
                found.add(document.id)
        return found

    def put(
        self, documents: Sequence[Document], passages: Sequence[Passage], vectors: Vectors
    ) -> None:
        """Add documents, each in place of what has its id; a vector a passage, float32 [n, dimension].

        Raises StoreError where another build of the same shard is at work, or the disk refuses.
        """
        self._claim()
        owner = {document.id: document for document in documents}
        of: dict[str, list[int]] = {identity: [] for identity in owner}
        for row, passage in enumerate(passages):
            of[passage.document_id].append(row)
        for identity, rows in of.items():
            document = owner[identity]
            about = {name: getattr(document, name) for name in sorted(_ABOUT)}
            self._waiting[identity] = _Entry(
                about, tuple(passages[row] for row in rows), vectors[rows]
            )
        if sum(len(one.passages) for one in self._waiting.values()) >= LOOSE:
            self._write(list(self._waiting.values()), loose=True)

    def finish(self) -> None:
        """Make what was put last and found: what this shard's builds left loose becomes one segment."""
        waiting, loose = list(self._waiting.values()), self._loose()
        if waiting:
            self._write(waiting, loose=bool(loose))
        elif loose:
            self._claim()
        group: list[_Segment] = []
        for segment in self._loose():
            if group and sum(s.about.passages for s in group) + segment.about.passages > WHOLE:
                self._join(group)
                group = []
            group.append(segment)
        if group:
            self._join(group)
        self._lock.release()

    def nearest(self, queries: Sequence[str], vectors: Vectors, k: int) -> list[list[Passage]]:
        """The k best passages for each query by its words and its vector together, best first."""
        if not self._segments:
            return [[] for _ in queries]
        searched = max(SEARCHED, k)
        found = []
        for query, vector in zip(queries, vectors, strict=True):
            dense = self._best(
                [s.search_vector(vector, searched) for s in self._segments], searched
            )
            # What a word weighs is the same in all segments, or one with few texts would lose.
            idfs = idfs_of(query, [s.words for s in self._segments if len(s)], split_words)
            words = self._best(
                [s.search_words(query, searched, idfs) for s in self._segments], searched
            )
            _, rows = blend((dense, words), WEIGHTS)
            found.append([self._passage(int(row)) for row in rows[:k]])
        return found

    def document(self, identity: str) -> Document:
        """A document, with its very characters but for white space between passages; or KeyError."""
        if (found := self._find(identity)) is None:
            raise KeyError(identity)
        segment, row = found
        about = segment.about_document(row)
        return rebuilt(about["id"], about["title"], about["source"], segment.passages_of(row))

    def describe(self) -> dict[str, Any]:
        """What it says of itself."""
        return {
            "store": f"faiss:{self.folder}",
            "passages": len(self),
            "segments": [
                {key: value for key, value in asdict(s.about).items() if key != "files"}
                for s in self._segments
            ],
        }

    def close(self) -> None:
        """Let go of the files."""
        self._segments = []
        self._lock.release()

    def _open(self) -> None:
        """Open the segments that are there now, keeping what is open, and see which documents count."""
        there = {segment.folder: segment for segment in self._segments}
        folders = None
        # Till no build has put any together meanwhile, which would be missed or found half gone.
        while folders != (found := self._folders()):
            folders = found
            for folder in folders:
                try:
                    there[folder] = there.get(folder) or _Segment(folder, self._encoder)
                except SavedIndexError:
                    if folder in self._folders():
                        raise
        opened = [there[folder] for folder in folders]
        self._segments = sorted(opened, key=lambda s: (s.about.number, s.folder.name))
        later = np.zeros(0, dtype=np.uint64)
        for segment in reversed(self._segments):
            segment.leave_out(later)
            later = np.concatenate([later, segment.keys])
        self._ends = np.cumsum([s.about.passages for s in self._segments], dtype=np.int64)

    def _folders(self, name: str = _SEGMENT) -> list[Path]:
        """The folders there are whose name has this pattern."""
        try:
            return sorted(self.folder / n for n in os.listdir(self.folder) if re.fullmatch(name, n))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(
                f"The store in '{self.folder}' cannot be read ({error.strerror or error}): check "
                "whose it is, or choose another folder."
            ) from error

    def _claim(self) -> None:
        """Be the only build of this shard."""
        if self._lock.is_locked:
            return
        try:
            make_folder(self.folder)
            check_lock_file(Path(self._lock.lock_file))
            self._lock.acquire(timeout=0)
        except Timeout:
            raise StoreError(
                f"Another build of shard {self._shard} is at work in '{self.folder}': wait for it, or "
                "give this one a --shard of its own."
            ) from None
        except OSError as error:
            raise self._refused(error) from error
        # What was killed here left these behind.
        for left in (self._partial, *self._folders(_GONE + _SEGMENT)):
            _delete(left)
        self._open()

    @property
    def _partial(self) -> Path:
        return self.folder / f"partial-{self._shard}"

    def _refused(self, error: OSError) -> StoreError:
        return StoreError(
            f"The store cannot be written in '{self.folder}' ({error.strerror or error}): make room "
            "or choose another folder, and start again; what is written stays."
        )

    def _loose(self) -> list[_Segment]:
        return [s for s in self._segments if s.about.loose and s.about.shard == self._shard]

    def _join(self, group: Sequence[_Segment]) -> None:
        """Put loose segments together into one, then take them away."""
        # Where a build was killed while it took them away, they are in another one already.
        if entries := [one for segment in group for one in segment.counting()]:
            self._write(entries, loose=False)
        for segment in group:
            # Whoever looks for segments meanwhile finds all of it or none.
            gone = segment.folder.with_name(f"{_GONE}{segment.folder.name}")
            try:
                os.replace(segment.folder, gone)
            except OSError as error:
                raise self._refused(error) from error
            _delete(gone)
        self._open()

    def _write(self, some: Sequence[_Entry], *, loose: bool) -> None:
        kind = "flat" if loose else self._kind
        number = 1 + max((s.about.number for s in self._segments), default=0)
        try:
            self._partial.mkdir()
            about = _write_segment(
                self._partial,
                some,
                self._encoder,
                kind=kind,
                number=number,
                loose=loose,
                shard=self._shard,
            )
            name = sha256(json.dumps(about.files, sort_keys=True).encode())[:16]
            os.replace(self._partial, self.folder / f"{_PREFIX}{number:06d}-{name}")
            sync_folder(self.folder)
        except OSError as error:
            _delete(self._partial)
            raise self._refused(error) from error
        self._waiting.clear()
        self._open()

    def _find(self, identity: str) -> tuple[_Segment, int] | None:
        """The segment whose text of a document counts, and which of its documents that is."""
        for segment in reversed(self._segments):
            if (row := segment.find(identity)) is not None:
                return segment, row
        return None

    def _passage(self, row: int) -> Passage:
        number = int(np.searchsorted(self._ends, row, side="right"))
        segment = self._segments[number]
        return segment.passage(row - int(self._ends[number]) + segment.about.passages)

    def _best(self, found: Sequence[tuple[Scores, Rows]], k: int) -> tuple[Scores, Rows]:
        """The k best of what each segment found, best first, by rows counted over all of them."""
        starts = self._ends - np.diff(self._ends, prepend=0)
        scores = np.concatenate([scores for scores, _ in found])
        rows = np.concatenate(
            [rows + start for (_, rows), start in zip(found, starts, strict=True)]
        )
        order = np.lexsort((rows, -scores))[:k]
        return scores[order], rows[order]


class _Segment:
    """A segment's files, mapped into memory."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        """Open one; raises SavedIndexError where a file is damaged or of another encoder."""
        self.folder = folder
        then = f"delete '{folder}' and fill the store again, which keeps what else is in it"
        try:
            self.about = read_manifest(folder / MANIFEST, FORMAT_VERSION, Segment, then)
            check_fits(
                self.about,
                _made_with(encoder),
                f"The store in '{folder.parent}'",
                "name the --encoder that it was built with",
            )
            files = set(self.about.files)
            if files not in (_FILES, _FILES | _WORDS):
                raise damaged(folder / MANIFEST, "it names other files than a segment's", then)
            for name, expected in self.about.files.items():
                check_file(folder / name, expected, then)
        except OSError as error:
            path = Path(error.filename or folder)
            raise damaged(path, error.strerror or str(error), then) from error
        # Whoever makes a file can also make the manifest that has its hash.
        self._then = then
        try:
            self._map(encoder.dimension)
        except (OSError, ValueError, RecursionError) as error:
            raise damaged(folder, f"not what was saved: {error}", then) from error
        self._count: NDArray[np.bool_] | None = None
        self._wanted: NDArray[np.bool_] | None = None

    def _map(self, dimension: int) -> None:
        """Map the files; raises ValueError where a number in them leads to what is not there."""
        folder, about = self.folder, self.about
        rows, documents = about.passages, about.documents
        if rows < 0 or documents < 0 or not 0 < about.number <= _MOST_SEGMENTS:
            raise ValueError("its manifest has numbers that no segment has")
        shapes: dict[str, tuple[DTypeLike, tuple[int | None, ...]]] = {
            "places": (np.int64, (rows + 1, 5)),
            "sentences": (np.int32, (None, 2)),
            "sentence_rows": (np.int64, (rows + 1,)),
            "lines": (np.int64, (documents + 1,)),
            "rows": (np.int64, (documents + 1,)),
            "keys": (np.uint64, (documents,)),
            "order": (np.int64, (documents,)),
        }
        self._table: dict[str, NDArray[Any]] = {
            name: map_array(folder / f"{name}.npy", *shapes[name]) for name in _TABLES
        }
        self._texts, self._lines = (
            _map_bytes(folder / name) for name in ("texts.bin", "documents.jsonl")
        )
        self._check_tables()
        self._dense = DenseIndex.map(
            folder / "vectors.faiss", about.kind, dimension=dimension, rows=rows
        )
        self.words = SparseIndex.load(folder / "words", rows, split_words)

    def _check_tables(self) -> None:
        table, places = self._table, self._table["places"]
        for name, starts, size in (
            ("places", places[:, 3], len(self._texts)),
            ("sentence_rows", table["sentence_rows"], len(table["sentences"])),
            ("lines", table["lines"], len(self._lines)),
            ("rows", table["rows"], self.about.passages),
        ):
            if (starts[0], starts[-1]) != (0, size) or (starts[1:] < starts[:-1]).any():
                raise ValueError(f"its {name} do not lie end to end")
        owners, start, end = places[:-1, :3].T
        if not np.array_equal(
            owners, np.repeat(np.arange(len(table["keys"])), np.diff(table["rows"]))
        ):
            raise ValueError("its passages are not those of its documents")
        if not (start.min(initial=0) >= 0 and end.max(initial=0) <= MAX_BYTES):
            raise ValueError("its passages are not in a text")
        # Of each document they follow one another.
        if (end < start).any() or ((start[1:] < end[:-1]) & (owners[1:] == owners[:-1])).any():
            raise ValueError("its passages are not in their order")
        of = np.repeat(np.arange(self.about.passages), np.diff(table["sentence_rows"]))
        first, last = table["sentences"].T
        if (first < 0).any() or (last < first).any() or (last > (end - start)[of]).any():
            raise ValueError("its sentences are not in their passages")
        order = table["order"]
        if not np.array_equal(np.sort(order), np.arange(len(order))):
            raise ValueError("its documents are not in an order")
        in_order = table["keys"][order]
        if (in_order[1:] < in_order[:-1]).any():
            raise ValueError("its documents are not in an order")
        _check_texts(self._texts, places[:, 3], end - start)

    @property
    def keys(self) -> NDArray[np.uint64]:
        """A number for each of its documents, made of its id."""
        keys: NDArray[np.uint64] = self._table["keys"]
        return keys

    def leave_out(self, keys: NDArray[np.uint64]) -> None:
        """Find no passage of documents with these keys, which were put again since."""
        count = ~np.isin(self.keys, keys)
        self._count, self._wanted = None, None
        if not count.all():
            self._count, self._wanted = count, np.repeat(count, np.diff(self._table["rows"]))

    def __len__(self) -> int:
        """How many of its passages count."""
        return self.about.passages if self._wanted is None else int(self._wanted.sum())

    def search_vector(self, vector: Vectors, k: int) -> tuple[Scores, Rows]:
        """The k nearest rows, best first."""
        (scores,), (rows,) = self._dense.search(vector[None], k, self._wanted)
        return scores[rows >= 0], rows[rows >= 0]

    def search_words(self, query: str, k: int, idfs: Mapping[str, float]) -> tuple[Scores, Rows]:
        """The k best rows by BM25 with these weights of words, best first."""
        if self._wanted is None:
            return self.words.search(query, k, idfs)
        scores, rows = self.words.search(query, self.about.passages, idfs)
        counts = self._wanted[rows]
        return scores[counts][:k], rows[counts][:k]

    def passage(self, row: int) -> Passage:
        """A passage by its row."""
        owner, start, end, first_byte, furniture = self._table["places"][row].tolist()
        last_byte = int(self._table["places"][row + 1, 3])
        a, b = self._table["sentence_rows"][row : row + 2]
        return Passage(
            document_id=self.about_document(owner)["id"],
            start=start,
            end=end,
            text=bytes(self._texts[first_byte:last_byte]).decode(),
            sentences=tuple(
                (start + x, start + y) for x, y in self._table["sentences"][a:b].tolist()
            ),
            furniture=bool(furniture),
        )

    def find(self, identity: str) -> int | None:
        """Which of its documents has this id; None where there is none."""
        key, order = _document_key(identity), self._table["order"]
        first, end = (
            int(np.searchsorted(self.keys, key, side=side, sorter=order))
            for side in ("left", "right")
        )
        same = [int(row) for row in order[first:end]]
        return next((row for row in same if self.about_document(row)["id"] == identity), None)

    def about_document(self, row: int) -> dict[str, str]:
        """The id, the title, the source and the text's sha256 of one of its documents."""
        a, b = self._table["lines"][row : row + 2]
        about: dict[str, str] = {}
        with suppress(ValueError, RecursionError):
            about = json.loads(bytes(self._lines[a:b]))
        if (
            not isinstance(about, dict)
            or about.keys() != _ABOUT
            or any(
                type(value) is not str or well_formed(value) != value for value in about.values()
            )
        ):
            path = self.folder / "documents.jsonl"
            raise damaged(path, f"its line {row + 1} is not about a document", self._then)
        return about

    def passages_of(self, row: int) -> tuple[Passage, ...]:
        """The passages of one of its documents, in their order."""
        return tuple(self.passage(at) for at in range(*self._table["rows"][row : row + 2].tolist()))

    def counting(self) -> list[_Entry]:
        """Its documents that count, to be put together with others'; its vectors must be exact ones."""
        vectors, rows = self._dense.vectors(), self._table["rows"]
        return [
            _Entry(
                self.about_document(row), self.passages_of(row), vectors[rows[row] : rows[row + 1]]
            )
            for row in range(self.about.documents)
            if self._count is None or self._count[row]
        ]


def _write_segment(
    folder: Path,
    entries: Sequence[_Entry],
    encoder: Encoder,
    *,
    kind: Kind | None,
    **rest: Any,
) -> Segment:
    """Write all of a segment into a folder, onto the disk."""
    passages = [passage for entry in entries for passage in entry.passages]
    kind = kind or kind_for(len(passages))
    settings = settings_for(kind, len(passages))
    vectors = np.concatenate([entry.vectors for entry in entries])
    DenseIndex.build(vectors, kind, settings).write(folder / "vectors.faiss")
    SparseIndex([p.text for p in passages], split_words).save(folder / "words")
    texts = [p.text.encode() for p in passages]
    (folder / "texts.bin").write_bytes(b"".join(texts))
    lines = [json.dumps(entry.about).encode() + b"\n" for entry in entries]
    (folder / "documents.jsonl").write_bytes(b"".join(lines))
    keys = np.array([_document_key(entry.about["id"]) for entry in entries], dtype=np.uint64)
    owners = np.repeat(np.arange(len(entries)), [len(entry.passages) for entry in entries])
    # A row more than there are passages says where the last one's text ends.
    places = np.zeros((len(passages) + 1, 5), dtype=np.int64)
    places[:-1, 0] = owners
    places[:-1, 1:3] = [(p.start, p.end) for p in passages]
    places[:, 3] = _starts(texts)
    places[:-1, 4] = [p.furniture for p in passages]
    tables: dict[str, NDArray[Any]] = {
        "places": places,
        "sentences": np.array(
            [(a - p.start, b - p.start) for p in passages for a, b in p.sentences], dtype=np.int32
        ),
        "sentence_rows": _starts([p.sentences for p in passages]),
        "lines": _starts(lines),
        "rows": _starts([entry.passages for entry in entries]),
        "keys": keys,
        "order": np.argsort(keys, kind="stable"),
    }
    for name in _TABLES:
        np.save(folder / f"{name}.npy", tables[name])
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        with path.open("rb") as file:
            os.fsync(file.fileno())
    about = Segment(
        format_version=FORMAT_VERSION,
        **_made_with(encoder),
        documents=len(entries),
        passages=len(passages),
        kind=kind,
        settings=settings,
        files={path.relative_to(folder).as_posix(): sha256_of(path) for path in files},
        **rest,
    )
    for written in (folder / "words", folder):
        sync_folder(written)
    write_manifest(folder / MANIFEST, asdict(about))
    sync_folder(folder)
    return about


def _delete(folder: Path) -> None:
    """Delete a segment that nobody needs: its files, and its folder where nothing else is in it.

    What cannot be deleted is of no harm, and is tried again by the next build.
    """
    words = folder / "words"
    if folder.is_symlink() or words.is_symlink():
        return
    with suppress(OSError):
        partial = [n for n in os.listdir(folder) if re.fullmatch(MANIFEST + PARTIAL_SUFFIX, n)]
        for name in (*_FILES, *_WORDS, *partial, MANIFEST):
            with suppress(OSError):
                (folder / name).unlink()
        for emptied in (words, folder):
            with suppress(OSError):
                emptied.rmdir()


def _map_bytes(path: Path) -> NDArray[np.uint8]:
    if not path.stat().st_size:  # which cannot be mapped
        return np.zeros(0, dtype=np.uint8)
    return np.memmap(path, np.uint8, mode="r")


def _check_texts(
    texts: NDArray[np.uint8], starts: NDArray[np.int64], sizes: NDArray[np.int64]
) -> None:
    """Raise ValueError where the passages' texts are not UTF-8 of so many characters each."""
    for at in range(0, len(sizes), _CHECKED):
        bounds = starts[at : at + _CHECKED + 1]
        some = texts[bounds[0] : bounds[-1]]
        str(some.data, "utf-8")  # raises UnicodeDecodeError, which is a ValueError
        # A character begins where a byte does not go on with one.
        begins = np.concatenate([[0], np.cumsum(some & 0xC0 != 0x80)])[bounds - bounds[0]]
        inside = bounds[:-1][bounds[:-1] < bounds[1:]] - bounds[0]
        if (some[inside] & 0xC0 == 0x80).any() or (
            np.diff(begins) != sizes[at : at + _CHECKED]
        ).any():
            raise ValueError("its texts are not those of its passages")


def _made_with(encoder: Encoder) -> dict[str, Any]:
    return {"encoder_revision": encoder.revision, "max_pieces": encoder.max_pieces}


def _starts(sized: Sequence[Sized]) -> NDArray[np.int64]:
    """Where each begins when they are laid end to end, and where the last one ends."""
    return np.cumsum([0, *map(len, sized)], dtype=np.int64)


def _document_key(identity: str) -> np.uint64:
    return np.uint64(int(sha256(identity.encode())[:16], 16))
