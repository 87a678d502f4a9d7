"""Passages of many documents kept for search: what a store does, how it is filled and searched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from index.article_index import ArticleIndex
from index.collection import Collection, Hit
from index.dense import DenseIndex, Kind
from index.document import Document, expand_user, well_formed
from index.encoder import Encoder, Progress, Tokens, Vectors
from index.errors import StoreError
from index.late import LateIndex
from index.passages import Passage, split_passages

# Passages that a store gives for a query, to be ranked as those of an article are.
CANDIDATES = 20
# And what it blends them from: the best so many by their words and by their vectors, and the weight of
# each of the two.
SEARCHED = 50
WEIGHTS = (0.5, 0.5)
# Characters of text that are split, encoded and put at a time.
BATCH_CHARACTERS = 1_000_000

STORE_HELP = (
    "a store of many documents: faiss:FOLDER, milvus-lite:FILE.db or "
    "milvus://HOST:PORT/COLLECTION?shards=2&replicas=1"
)


class Store(Protocol):
    """Passages, their vectors and their words, of documents each with an id of its own."""

    def __len__(self) -> int:
        """How many passages can be found in it: after finish(), all that were put."""
        ...

    def held(self, documents: Sequence[Document]) -> set[str]:
        """The ids of those documents whose very text is in it, to the last passage."""
        ...

    def put(
        self, documents: Sequence[Document], passages: Sequence[Passage], vectors: Vectors
    ) -> None:
        """Add documents, each in place of what has its id; vectors has a row a passage."""
        ...

    def finish(self) -> None:
        """Make what was put last and found."""
        ...

    def nearest(self, queries: Sequence[str], vectors: Vectors, k: int) -> list[list[Passage]]:
        """The k best passages for each query by its words and its vector together, best first."""
        ...

    def document(self, identity: str) -> Document:
        """A document, with its very characters but for white space between passages; or KeyError."""
        ...

    def describe(self) -> dict[str, Any]:
        """What it says of itself."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


@dataclass(frozen=True, slots=True)
class Filled:
    """What was added to a store, and how many documents it already had."""

    documents: int
    passages: int
    held: int


def fill(
    store: Store, documents: Iterable[Document], encoder: Encoder, progress: Progress | None = None
) -> Filled:
    """Put into a store what it does not hold yet; progress(done, total) counts a batch's passages.

    It can be stopped at any moment and started again: what is there already is not encoded again.
    """
    added = passages_added = held = 0
    for batch in _batches(documents):
        there = store.held(batch)
        fresh = [document for document in batch if document.id not in there]
        passages = [
            passage
            for document in fresh
            for passage in split_passages(document, encoder.count_pieces, encoder.max_pieces - 2)
        ]
        if fresh:
            vectors = encoder.encode_texts([p.text for p in passages], progress)
            store.put(fresh, passages, vectors)
        added, passages_added = added + len(fresh), passages_added + len(passages)
        held += len(batch) - len(fresh)
    store.finish()
    return Filled(added, passages_added, held)


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Documents by the batch, none of which has two of one id: the last of them counts."""
    batch: dict[str, Document] = {}
    size = 0
    for document in documents:
        batch[document.id] = document
        size += len(document.text)
        if size >= BATCH_CHARACTERS:
            yield list(batch.values())
            batch, size = {}, 0
    if batch:
        yield list(batch.values())


def rebuilt(identity: str, title: str, source: str, passages: Iterable[Passage]) -> Document:
    """A document out of its passages, which leave nothing out but white space."""
    text = ""
    for passage in sorted(passages, key=lambda p: p.start):
        gap = passage.start - len(text)
        text += (" " if gap == 1 else "\n" * gap) + passage.text
    return Document(identity, title, text, source)


def open_store(
    address: str, encoder: Encoder, *, kind: Kind | None = None, shard: str = "1-of-1"
) -> Store:
    """Open the store at faiss:FOLDER, milvus-lite:FILE.db or milvus://HOST:PORT.

    `kind` and `shard` are for what will be put into a folder. Raises StoreError and SavedIndexError.
    """
    scheme = address.split(":", 1)[0]
    if scheme == "faiss":
        from index.faiss_store import FaissStore

        name = address.removeprefix("faiss:")
        # An empty path would be the current folder.
        if not name.strip():
            raise StoreError("The name of the store's folder is empty: give faiss:FOLDER.")
        folder = expand_user(name, StoreError)
        return FaissStore(folder, encoder, kind=kind, shard=shard)
    if scheme in ("milvus", "milvus+tls", "milvus-lite"):
        if kind:
            raise StoreError("A store in Milvus is indexed by Milvus: leave --kind out.")
        from index.milvus import MilvusStore

        return MilvusStore(address, encoder)
    raise StoreError(
        f"'{address}' is no address of a store: give faiss:FOLDER, milvus-lite:FILE.db or "
        "milvus://HOST:PORT."
    )


class StoredCollection:
    """A store searched as articles are: its best passages are ranked by all that an article's are.

    Their sentences and word pieces are encoded for each query, since those of millions of passages
    would take a hundred times the room of the passages themselves.
    """

    def __init__(self, store: Store, encoder: Encoder) -> None:
        """Search a store that was filled with this encoder; raises StoreError where nothing is in it."""
        if not len(store):
            raise StoreError(
                f"The store {store.describe()['store']} is empty: put documents in with 'python -m "
                "index build FILE… --store ADDRESS'."
            )
        self.store = store
        self.encoder = encoder

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """The k best passages for each query, best first."""
        queries = [well_formed(query) for query in queries]
        if not queries:
            return []
        encoded = self.encoder.encode_queries(queries)
        found = self.store.nearest(queries, encoded.vectors, max(CANDIDATES, 2 * k))
        every = list({_key(p): p for passages in found for p in passages}.values())
        rows = self._encode(every)
        return [
            self._near([rows[_key(p)] for p in passages]).search([query], k)[0] if passages else []
            for query, passages in zip(queries, found, strict=True)
        ]

    def _encode(self, passages: Sequence[Passage]) -> dict[tuple[str, int], _Row]:
        """Each passage with all that an article's index has of it."""
        encoded = self.encoder.encode_passages(passages)
        ends = np.cumsum([len(p.sentences) for p in passages], dtype=np.int64)
        return {
            _key(passage): _Row(passage, encoded.vectors[i], tokens, of)
            for i, (passage, tokens, of) in enumerate(
                zip(passages, encoded.tokens, np.split(encoded.sentences, ends[:-1]), strict=True)
            )
        }

    def _near(self, rows: Sequence[_Row]) -> Collection:
        """The passages found for a query, each document's as an article of its own."""
        of: dict[str, list[_Row]] = {}
        for row in rows:
            of.setdefault(row.passage.document_id, []).append(row)
        indexes = []
        for identity, some in of.items():
            dense = DenseIndex(self.encoder.dimension)
            dense.add(np.stack([row.vector for row in some]))
            dense.add(np.concatenate([row.sentences for row in some]))
            indexes.append(
                ArticleIndex(
                    Document(identity, title=identity, text="", source=""),
                    tuple(row.passage for row in some),
                    dense,
                    LateIndex.build([row.tokens for row in some]),
                    self.encoder,
                )
            )
        return Collection(indexes)


@dataclass(frozen=True, slots=True)
class _Row:
    passage: Passage
    vector: Vectors
    tokens: Tokens
    sentences: Vectors


def _key(passage: Passage) -> tuple[str, int]:
    return passage.document_id, passage.start
