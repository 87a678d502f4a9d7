"""One document or several as one thing to search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.documents.document import Document, well_formed
from index.models.encoder import Encoded, Tokens
from index.passages import Passage
from index.search.article_index import ArticleIndex
from index.search.fusion import Scores, best_per_group, fuse, rank
from index.search.late_interaction import held_by
from index.search.sparse import SparseIndex, idf, split_grams, split_pairs, split_words
from index.storage import read_fitted

# In a long text the word pieces of so many passages are compared, the best by the other parts.
LATE_PASSAGES = 100
RANKING = Path(__file__).with_name("ranking.json")

Parts = dict[str, Scores]


@dataclass(frozen=True, slots=True)
class SentenceHit:
    """A sentence of a ranked passage, at its offsets in the document, and what each retriever gave."""

    start: int
    end: int
    score: float
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Hit:
    """A ranked passage, what each retriever gave, and its sentences in the order of the text."""

    passage: Passage
    score: float
    parts: Mapping[str, float]
    sentences: tuple[SentenceHit, ...]


@cache
def ranking() -> dict[str, dict[str, float]]:
    """The weights of the parts at each stage, fitted by training/fit_ranking.py.

    Raises ArticleError where their file is damaged.
    """
    return read_fitted(RANKING)


class Collection:
    """Articles searched together: a word is as rare as it is in all of them."""

    def __init__(self, indexes: Sequence[ArticleIndex]) -> None:
        """Put articles together, of one encoder and each with an id of its own, in this order.

        Raises ValueError without any, and on two with one id, and ArticleError where the weights of
        their parts cannot be read.
        """
        self._weights = ranking()
        if not indexes:
            raise ValueError("a collection needs an article")
        self.indexes = tuple(indexes)
        self.documents: dict[str, Document] = {i.document.id: i.document for i in indexes}
        if len(self.documents) < len(indexes):
            raise ValueError(f"two articles have one id: {[i.document.id for i in indexes]}")
        self.passages: tuple[Passage, ...] = tuple(p for i in indexes for p in i.passages)
        self.encoder = indexes[0].encoder
        # Each article's terms are counted once, however often it is put together with others.
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
        self._first = np.cumsum([0, *counts[:-1]], dtype=np.int64)
        self._owner = np.repeat(np.arange(len(self.passages)), counts)
        self._real = np.array([not p.furniture for p in self.passages])
        self._held = held_by([i.late for i in indexes])

    def only(self, ids: Iterable[str]) -> Collection:
        """A collection of some of its articles; raises KeyError on an id that it does not have."""
        wanted = set(ids)
        if missing := wanted - set(self.documents):
            raise KeyError(f"no article {sorted(missing)} in {sorted(self.documents)}")
        if len(wanted) == len(self.documents):
            return self
        return Collection([i for i in self.indexes if i.document.id in wanted])

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """The k best passages for each query, best first."""
        queries = [well_formed(query) for query in queries]
        if not queries:
            return []
        return self.search_encoded(queries, self.encoder.encode_queries(queries), k)

    def search_encoded(self, queries: Sequence[str], encoded: Encoded, k: int) -> list[list[Hit]]:
        """What search() gives for well-formed queries that the encoder has encoded already."""
        found: list[list[Hit]] = []
        # A few queries at a time keep the score tables small, however many are asked.
        for at in range(0, len(queries), 32):
            some = slice(at, at + 32)
            passage_parts, sentence_parts = self.parts(
                queries[some],
                replace(encoded, vectors=encoded.vectors[some], tokens=encoded.tokens[some]),
            )
            scores = fuse(passage_parts, self._weights["passage"])
            sentence_parts["passage"] = scores[:, self._owner]
            sentence_scores = fuse(sentence_parts, self._weights["sentence"])
            for row, ranked in enumerate(rank(scores, self._real)[:, :k]):
                found.append(
                    [
                        self._hit(
                            row, int(i), scores, passage_parts, sentence_scores, sentence_parts
                        )
                        for i in ranked
                    ]
                )
        return found

    def parts(self, queries: Sequence[str], encoded: Encoded) -> tuple[Parts, Parts]:
        """What each retriever gives: tables [queries, passages] and [queries, sentences].

        Two more can be compared between queries: "coverage", how much of the query's words, by weight,
        a text has, and "known", how much of them is anywhere in the article.
        """
        of_passages, of_sentences = [], []
        for index in self.indexes:
            cosines = index.dense.scores(encoded.vectors)
            of_passages.append(cosines[:, : len(index.passages)])
            of_sentences.append(cosines[:, len(index.passages) :])
        of = {name: sparse.scores(queries) for name, sparse in self.sparse.items()}
        sentences = {
            "sentence": np.concatenate(of_sentences, axis=1),
            "sentence words": of["sentence words"],
            "sentence grams": of["sentence grams"],
        }
        passages = {
            "dense": np.concatenate(of_passages, axis=1),
            **{name: best_per_group(table, self._first) for name, table in sentences.items()},
            **{name: of[name] for name in ("words", "grams", "pairs")},
        }
        for tables, name in ((passages, "words"), (sentences, "sentence words")):
            every, known = self.sparse[name].ceilings(queries)
            tables["coverage"] = _share(tables[name], every[:, None])
            in_article = np.broadcast_to(known[:, None], tables[name].shape)
            tables["known"] = _share(in_article, every[:, None])
        passages["pieces"] = self._late_scores(encoded.tokens, self._first_stage(passages))
        return passages, sentences

    def _late_scores(self, queries: Sequence[Tokens], wanted: NDArray[np.bool_]) -> Scores:
        count = len(self.passages)
        weights = [
            idf(count, [self._held.get(piece, 0) for piece in query.pieces.tolist()])
            for query in queries
        ]
        ends = np.cumsum([len(i.passages) for i in self.indexes])
        return np.concatenate(
            [
                index.late.scores(queries, weights, mine)
                for index, mine in zip(
                    self.indexes, np.split(wanted, ends[:-1], axis=1), strict=True
                )
            ],
            axis=1,
        )

    def _first_stage(self, passages: Parts) -> NDArray[np.bool_]:
        """Which passages the word pieces are compared with: the best by the other parts alone."""
        scores = fuse(passages, self._weights["first stage"])
        wanted = np.zeros(scores.shape, dtype=np.bool_)
        np.put_along_axis(wanted, rank(scores, self._real)[:, :LATE_PASSAGES], True, axis=1)
        return wanted

    def _hit(
        self,
        row: int,
        number: int,
        scores: Scores,
        parts: Parts,
        sentence_scores: Scores,
        sentence_parts: Parts,
    ) -> Hit:
        passage, first = self.passages[number], int(self._first[number])
        return Hit(
            passage=passage,
            score=float(scores[row, number]),
            parts={name: float(table[row, number]) for name, table in parts.items()},
            sentences=tuple(
                SentenceHit(
                    start=start,
                    end=end,
                    score=float(sentence_scores[row, at]),
                    parts={name: float(table[row, at]) for name, table in sentence_parts.items()},
                )
                for at, (start, end) in enumerate(passage.sentences, first)
            ),
        )


def _share(part: Scores, whole: Scores) -> Scores:
    """What part is of the whole, 1 where the whole is nothing: a query without a word misses none."""
    return np.divide(part, whole, out=np.ones_like(part), where=whole > 0)
