"""Search one or several documents at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from index.documents.cleaning import replace_surrogates
from index.documents.document import Document
from index.models.types import Encoded, Tokens
from index.passages.passage import Passage
from index.search.article_index import ArticleIndex
from index.search.fusion import Scores, best_per_group, fuse, rank
from index.search.late_interaction import document_frequencies
from index.search.ranking import RankingWeights, load_ranking_weights
from index.search.sparse import SparseIndex, idf, split_grams, split_pairs, split_words

# Passages that are scored by late interaction: the best ones by the first stage's weights.
LATE_INTERACTION_PASSAGES = 100
# Queries scored at a time, which bounds the size of the score tables.
QUERY_BATCH_SIZE = 32

Parts = dict[str, Scores]


@dataclass(frozen=True, slots=True)
class SentenceHit:
    """A sentence of a ranked passage: its offsets in the document, its score and the score's parts."""

    start: int
    end: int
    score: float
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Hit:
    """A ranked passage with its score, the score's parts, and its sentences in document order.

    `parts` has each retriever's score, by the retriever's name.
    """

    passage: Passage
    score: float
    parts: Mapping[str, float]
    sentences: tuple[SentenceHit, ...]


class Collection:
    """Documents searched together; a term's document frequency is counted over all of them."""

    def __init__(
        self, indexes: Sequence[ArticleIndex], *, weights: RankingWeights | None = None
    ) -> None:
        """Combine indexes of one encoder, whose documents have different ids.

        `weights` are the fitted ones by default. Raises ValueError without any index or if two
        documents have one id, and ArticleError if the fitted weights cannot be read.
        """
        if not indexes:
            raise ValueError("a collection needs at least one index")
        self.indexes = tuple(indexes)
        self.documents: dict[str, Document] = {i.document.id: i.document for i in indexes}
        if len(self.documents) < len(indexes):
            raise ValueError(f"two documents have one id: {[i.document.id for i in indexes]}")
        self.weights = load_ranking_weights() if weights is None else weights
        self.passages: tuple[Passage, ...] = tuple(p for i in indexes for p in i.passages)
        self.encoder = indexes[0].encoder
        # Each index counts its terms once, whatever collections it becomes part of.
        texts = {
            split: [index.term_counts(split) for index in indexes]
            for split in (split_words, split_grams, split_pairs)
        }
        sentences = {
            split: [index.term_counts(split, sentences=True) for index in indexes]
            for split in (split_words, split_grams)
        }
        self.sparse = {
            "words": SparseIndex.merge(texts[split_words], split_words),
            "sentence words": SparseIndex.merge(sentences[split_words], split_words),
            "grams": SparseIndex.merge(texts[split_grams], split_grams, k1=0.9, b=0.5),
            "sentence grams": SparseIndex.merge(sentences[split_grams], split_grams, k1=0.9, b=0.5),
            "pairs": SparseIndex.merge(texts[split_pairs], split_pairs),
        }
        counts = [len(p.sentences) for p in self.passages]
        self._first_sentence = np.cumsum([0, *counts[:-1]], dtype=np.int64)
        self._passage_of_sentence = np.repeat(np.arange(len(self.passages)), counts)
        self._is_text = np.array([not p.boilerplate for p in self.passages])
        self._document_frequency = document_frequencies([i.late_interaction for i in indexes])

    def only(self, ids: Iterable[str]) -> Collection:
        """Return a collection of the documents with these ids; raises KeyError for an unknown id."""
        wanted = set(ids)
        if missing := wanted - set(self.documents):
            raise KeyError(f"no article {sorted(missing)} in {sorted(self.documents)}")
        if len(wanted) == len(self.documents):
            return self
        chosen = [i for i in self.indexes if i.document.id in wanted]
        return Collection(chosen, weights=self.weights)

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """Return the k best passages for each query, best first."""
        queries = [replace_surrogates(query) for query in queries]
        if not queries:
            return []
        return self.search_encoded(queries, self.encoder.encode_queries(queries), k)

    def search_encoded(self, queries: Sequence[str], encoded: Encoded, k: int) -> list[list[Hit]]:
        """Search for queries that are encoded already and have no lone surrogates."""
        results: list[list[Hit]] = []
        for first in range(0, len(queries), QUERY_BATCH_SIZE):
            batch = slice(first, first + QUERY_BATCH_SIZE)
            passage_parts, sentence_parts = self.parts(
                queries[batch],
                replace(encoded, vectors=encoded.vectors[batch], tokens=encoded.tokens[batch]),
            )
            scores = fuse(passage_parts, self.weights.passage)
            sentence_parts["passage"] = scores[:, self._passage_of_sentence]
            sentence_scores = fuse(sentence_parts, self.weights.sentence)
            for row, ranking in enumerate(rank(scores, self._is_text)[:, :k]):
                results.append(
                    [
                        self._hit(
                            row, int(i), scores, passage_parts, sentence_scores, sentence_parts
                        )
                        for i in ranking
                    ]
                )
        return results

    def parts(self, queries: Sequence[str], encoded: Encoded) -> tuple[Parts, Parts]:
        """Score passages and sentences with each retriever.

        Returns tables [queries, passages] and [queries, sentences] by the retriever's name. Two more
        tables are comparable between queries, as shares of the query's idf mass: "coverage", the BM25
        score of a text, and "known", the idf mass of the terms that occur in the collection.
        """
        passage_cosines, sentence_cosines = [], []
        for index in self.indexes:
            cosines = index.dense.scores(encoded.vectors)
            passage_cosines.append(cosines[:, : len(index.passages)])
            sentence_cosines.append(cosines[:, len(index.passages) :])
        sparse_scores = {name: sparse.scores(queries) for name, sparse in self.sparse.items()}
        sentences = {
            "sentence": np.concatenate(sentence_cosines, axis=1),
            "sentence words": sparse_scores["sentence words"],
            "sentence grams": sparse_scores["sentence grams"],
        }
        passages = {
            "dense": np.concatenate(passage_cosines, axis=1),
            **{
                name: best_per_group(table, self._first_sentence)
                for name, table in sentences.items()
            },
            **{name: sparse_scores[name] for name in ("words", "grams", "pairs")},
        }
        for tables, name in ((passages, "words"), (sentences, "sentence words")):
            total, known = self.sparse[name].idf_mass(queries)
            tables["coverage"] = _share(tables[name], total[:, None])
            known_table = np.broadcast_to(known[:, None], tables[name].shape)
            tables["known"] = _share(known_table, total[:, None])
        passages["pieces"] = self._late_interaction_scores(
            encoded.tokens, self._first_stage(passages)
        )
        return passages, sentences

    def _late_interaction_scores(
        self, queries: Sequence[Tokens], selected: NDArray[np.bool_]
    ) -> Scores:
        count = len(self.passages)
        weights = [
            idf(count, [self._document_frequency.get(piece, 0) for piece in query.pieces.tolist()])
            for query in queries
        ]
        ends = np.cumsum([len(i.passages) for i in self.indexes])
        return np.concatenate(
            [
                index.late_interaction.scores(queries, weights, selected_here)
                for index, selected_here in zip(
                    self.indexes, np.split(selected, ends[:-1], axis=1), strict=True
                )
            ],
            axis=1,
        )

    def _first_stage(self, passages: Parts) -> NDArray[np.bool_]:
        """Select the passages for late interaction, [queries, passages]."""
        scores = fuse(passages, self.weights.first_stage)
        selected = np.zeros(scores.shape, dtype=np.bool_)
        best = rank(scores, self._is_text)[:, :LATE_INTERACTION_PASSAGES]
        np.put_along_axis(selected, best, True, axis=1)
        return selected

    def _hit(
        self,
        row: int,
        number: int,
        scores: Scores,
        parts: Parts,
        sentence_scores: Scores,
        sentence_parts: Parts,
    ) -> Hit:
        passage, first = self.passages[number], int(self._first_sentence[number])
        return Hit(
            passage=passage,
            score=float(scores[row, number]),
            parts={name: float(table[row, number]) for name, table in parts.items()},
            sentences=tuple(
                SentenceHit(
                    start=start,
                    end=end,
                    score=float(sentence_scores[row, column]),
                    parts={
                        name: float(table[row, column]) for name, table in sentence_parts.items()
                    },
                )
                for column, (start, end) in enumerate(passage.sentences, first)
            ),
        )


def _share(part: Scores, whole: Scores) -> Scores:
    """Divide part by whole; 1 where the whole is 0, as for a query without terms."""
    return np.divide(part, whole, out=np.ones_like(part), where=whole > 0)
