"""A store, searched as articles are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from index.documents.document import Document, well_formed
from index.errors import StoreError
from index.models.encoder import Encoder, Tokens, Vectors
from index.passages import Passage
from index.search.article_index import ArticleIndex
from index.search.collection import Collection, Hit
from index.search.dense import DenseIndex
from index.search.late_interaction import LateIndex
from index.stores.base import Store

# Passages that a store gives for a query, to be ranked as those of an article are.
CANDIDATES = 20


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
            self._near([rows[_key(p)] for p in passages]).search_encoded(
                [query],
                replace(encoded, vectors=encoded.vectors[i : i + 1], tokens=[encoded.tokens[i]]),
                k,
            )[0]
            if passages
            else []
            for i, (query, passages) in enumerate(zip(queries, found, strict=True))
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
