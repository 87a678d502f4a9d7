"""Search a store with the ranking of a collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from index.documents.cleaning import replace_surrogates
from index.documents.document import Document
from index.errors import StoreError
from index.models.types import Encoder, Tokens, Vectors
from index.passages.passage import Passage
from index.search.article_index import ArticleIndex
from index.search.collection import Collection, Hit
from index.search.dense import DenseIndex
from index.search.late_interaction import LateInteractionIndex
from index.search.ranking import RankingWeights, load_ranking_weights
from index.stores.base import Store

# The fewest passages that a store returns for a query, to be ranked again.
CANDIDATES = 20


class StoredCollection:
    """A store whose best passages are ranked again as in a collection of articles.

    Sentences and word pieces of these passages are encoded for each query: those of millions of
    passages would take a hundred times the space of the passages themselves.
    """

    def __init__(
        self, store: Store, encoder: Encoder, *, weights: RankingWeights | None = None
    ) -> None:
        """Search a store that was filled with this encoder.

        `weights` are the fitted ones by default. Raises StoreError if the store is empty, and
        ArticleError if the fitted weights cannot be read.
        """
        if not len(store):
            raise StoreError(
                f"The store {store.describe()['store']} is empty: put documents in with 'python -m "
                "index build FILE… --store ADDRESS'."
            )
        self.store = store
        self.encoder = encoder
        self.weights = load_ranking_weights() if weights is None else weights

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """Return the k best passages for each query, best first."""
        queries = [replace_surrogates(query) for query in queries]
        if not queries:
            return []
        encoded = self.encoder.encode_queries(queries)
        candidates = self.store.nearest(queries, encoded.vectors, max(CANDIDATES, 2 * k))
        unique = {_key(passage): passage for passages in candidates for passage in passages}
        rows = self._encode(list(unique.values()))
        return [
            self._collection([rows[_key(p)] for p in passages]).search_encoded(
                [query],
                replace(encoded, vectors=encoded.vectors[i : i + 1], tokens=[encoded.tokens[i]]),
                k,
            )[0]
            if passages
            else []
            for i, (query, passages) in enumerate(zip(queries, candidates, strict=True))
        ]

    def _encode(self, passages: Sequence[Passage]) -> dict[tuple[str, int], _Row]:
        encoded = self.encoder.encode_passages(passages)
        ends = np.cumsum([len(p.sentences) for p in passages], dtype=np.int64)
        sentences = np.split(encoded.sentences, ends[:-1])
        return {
            _key(passage): _Row(passage, encoded.vectors[i], tokens, vectors)
            for i, (passage, tokens, vectors) in enumerate(
                zip(passages, encoded.tokens, sentences, strict=True)
            )
        }

    def _collection(self, rows: Sequence[_Row]) -> Collection:
        """Make a collection of candidates, with an index for each document they are from."""
        rows_by_document: dict[str, list[_Row]] = {}
        for row in rows:
            rows_by_document.setdefault(row.passage.document_id, []).append(row)
        indexes = []
        for identity, document_rows in rows_by_document.items():
            dense = DenseIndex(self.encoder.dimension)
            dense.add(np.stack([row.vector for row in document_rows]))
            dense.add(np.concatenate([row.sentences for row in document_rows]))
            indexes.append(
                ArticleIndex(
                    Document(identity, title=identity, text="", source=""),
                    tuple(row.passage for row in document_rows),
                    dense,
                    LateInteractionIndex.build([row.tokens for row in document_rows]),
                    self.encoder,
                )
            )
        return Collection(indexes, weights=self.weights)


@dataclass(frozen=True, slots=True)
class _Row:
    """A passage with its vector, its tokens and its sentences' vectors."""

    passage: Passage
    vector: Vectors
    tokens: Tokens
    sentences: Vectors


def _key(passage: Passage) -> tuple[str, int]:
    return passage.document_id, passage.start
