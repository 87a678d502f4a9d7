"""BM25 over words, pairs of words or character n-grams, with bm25s."""

from __future__ import annotations

import json
import logging
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import Stemmer
from numpy.typing import ArrayLike, NDArray

from index.arrays import map_array

# bm25s logs every index that it builds.
logging.getLogger("bm25s").setLevel(logging.WARNING)

Split = Callable[[Sequence[str]], list[list[str]]]

_WORD = re.compile(r"\w+")
_GRAM_LENGTH = 4


@dataclass(frozen=True, slots=True)
class TermCounts:
    """The term frequencies of texts, as a sparse matrix [texts, terms] in coordinate format.

    `lengths` has the number of terms of each text. `rows` (texts), `columns` (positions in `terms`)
    and `counts` have an entry for each distinct term of each text, in the order of the texts.
    """

    terms: tuple[str, ...]
    lengths: NDArray[np.int64]
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    counts: NDArray[np.float32]

    @classmethod
    def from_texts(cls, texts: Sequence[str], split: Split) -> TermCounts:
        """Count the terms that `split` makes of the texts."""
        split_texts = split(texts)
        counters = [Counter(terms) for terms in split_texts]
        vocabulary: dict[str, int] = {}
        columns = [
            vocabulary.setdefault(term, len(vocabulary)) for counter in counters for term in counter
        ]
        return cls(
            tuple(vocabulary),
            np.array([len(terms) for terms in split_texts], dtype=np.int64),
            np.repeat(np.arange(len(texts), dtype=np.int32), [len(c) for c in counters]),
            np.array(columns, dtype=np.int32),
            np.array([count for c in counters for count in c.values()], dtype=np.float32),
        )


class SparseIndex:
    """BM25 (Robertson & Zaragoza 2009, with Lucene's idf) over texts numbered from 0."""

    def __init__(
        self, texts: Sequence[str], split: Split, *, k1: float = 1.2, b: float = 0.75
    ) -> None:
        """Index texts; `split` makes terms of the texts and, later, of queries."""
        self._split = split
        self._size = len(texts)
        self._bm25 = bm25s.BM25(k1=k1, b=b, method="lucene")
        terms = split(texts)
        # bm25s refuses to index texts of which none has a term.
        self._vocabulary: dict[str, int] = {}
        if any(terms):
            self._bm25.index(terms, show_progress=False)
            self._vocabulary = self._bm25.vocab_dict

    @classmethod
    def merge(
        cls, parts: Sequence[TermCounts], split: Split, *, k1: float = 1.2, b: float = 0.75
    ) -> SparseIndex:
        """Index the concatenated texts of several parts, with the same scores as indexing the texts.

        `split` has to be the function that the terms were counted with.
        """
        index = cls([], split, k1=k1, b=b)
        lengths = np.concatenate([part.lengths for part in parts])
        index._size = len(lengths)
        vocabulary: dict[str, int] = {}
        term_numbers = [
            np.array(
                [vocabulary.setdefault(t, len(vocabulary)) for t in part.terms], dtype=np.int64
            )
            for part in parts
        ]
        if not vocabulary:
            return index
        columns = np.concatenate(
            [numbers[part.columns] for numbers, part in zip(term_numbers, parts, strict=True)]
        )
        first_rows = np.cumsum([0, *(len(part.lengths) for part in parts)])
        rows = np.concatenate(
            [part.rows + np.int32(row) for row, part in zip(first_rows[:-1], parts, strict=True)]
        )
        counts = np.concatenate([part.counts for part in parts])
        # The formula, and the precision of each step, are those of bm25s.
        frequencies, which = np.unique(np.bincount(columns), return_inverse=True)
        idfs = [math.log(1 + (len(lengths) - n + 0.5) / (n + 0.5)) for n in frequencies.tolist()]
        weights = np.array(idfs, dtype=np.float32)[which]
        norms = k1 * ((1 - b) + b * lengths / lengths.mean())
        scores = weights[columns] * (counts / (norms[rows] + counts))
        order = np.argsort(columns, kind="stable")  # keeps the texts of a term in order
        first = np.cumsum([0, *frequencies[which].tolist()], dtype=np.int64)
        index._set_scores(vocabulary, scores[order].astype(np.float32), rows[order], first)
        return index

    def save(self, folder: Path) -> None:
        """Write the index into a new folder, which stays empty if no text has a term."""
        folder.mkdir()
        if self._vocabulary:
            self._bm25.save(folder, show_progress=False)

    @classmethod
    def load(cls, folder: Path, size: int, split: Split) -> SparseIndex:
        """Map the saved index of `size` texts into memory.

        Raises OSError, and ValueError for damaged files.
        """
        index = cls([], split)
        index._size = size
        if not any(folder.iterdir()):
            return index
        # bm25s itself would load its settings from the folder unchecked.
        vocabulary = json.loads((folder / "vocab.index.json").read_bytes())
        first = map_array(folder / "indptr.csc.index.npy", np.int64, (None,))
        texts = map_array(folder / "indices.csc.index.npy", np.int32, (None,))
        scores = map_array(folder / "data.csc.index.npy", np.float32, texts.shape)
        if not isinstance(vocabulary, dict):
            raise ValueError("it has no vocabulary")
        vocabulary.pop("", None)  # added by bm25s for texts without a term
        if not all(type(n) is int and 0 <= n < len(first) - 1 for n in vocabulary.values()):
            raise ValueError("a term has no scores")
        if (
            not len(first)
            or (first[0], first[-1]) != (0, len(texts))
            or (first[1:] < first[:-1]).any()
            or not (0 <= texts.min(initial=0) <= texts.max(initial=0) < max(1, size))
            or not (scores.min(initial=0) >= 0 and scores.max(initial=0) < np.inf)
        ):
            raise ValueError("its scores do not match its texts")
        index._set_scores(vocabulary, scores, texts, first)
        return index

    def _set_scores(
        self,
        vocabulary: dict[str, int],
        scores: NDArray[np.float32],
        texts: NDArray[np.int32],
        first: NDArray[np.int64],
    ) -> None:
        """Use scores computed elsewhere, a sparse matrix [texts, terms] in CSC format."""
        self._vocabulary = self._bm25.vocab_dict = vocabulary
        self._bm25.unique_token_ids_set = set(vocabulary.values())
        self._bm25.nonoccurrence_array = None
        self._bm25.scores = {
            "data": scores,
            "indices": texts,
            "indptr": first,
            "num_docs": self._size,
        }

    def __len__(self) -> int:
        """The number of texts."""
        return self._size

    def scores(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """Score every query with every text, float32 [queries, texts]; 0 if they share no term."""
        scores = np.zeros((len(queries), self._size), dtype=np.float32)
        for row, terms in zip(scores, self._split(queries), strict=True):
            known = [term for term in terms if term in self._vocabulary]
            if known:
                row[:] = self._bm25.get_scores(known)
        return scores

    def idf_mass(self, queries: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Sum the idf of all query terms, and of those in the vocabulary: [queries] each.

        The first sum is an upper bound of any text's score for the query.
        """
        total, known = np.zeros((2, len(queries)), dtype=np.float32)
        for i, terms in enumerate(self._split(queries)):
            for term in terms:
                frequency = self.document_frequency(term)
                weight = idf(self._size, frequency)
                total[i] += weight
                known[i] += weight if frequency else 0
        return total, known

    def search(
        self, query: str, k: int, idfs: Mapping[str, float] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return scores and numbers of the k best texts that share a term with the query, best first.

        `idfs` replaces the idf of the query's terms in these texts.
        """
        scores = np.zeros(self._size, dtype=np.float32)
        for term in self._split([query])[0]:
            if frequency := self.document_frequency(term):
                first = int(self._bm25.scores["indptr"][self._vocabulary[term]])
                postings = slice(first, first + frequency)
                weight = 1.0 if idfs is None else idfs[term] / float(idf(self._size, frequency))
                texts = self._bm25.scores["indices"][postings]
                scores[texts] += np.float32(weight) * self._bm25.scores["data"][postings]
        best = np.flatnonzero(scores)
        if len(best) > k:
            best = best[np.argpartition(-scores[best], k - 1)[:k]]
        best = best[np.lexsort((best, -scores[best]))]
        return scores[best], best

    def document_frequency(self, term: str) -> int:
        """Count the texts that a term occurs in."""
        if (number := self._vocabulary.get(term)) is None:
            return 0
        first, end = self._bm25.scores["indptr"][number : number + 2]
        return int(end - first)


def shared_idfs(query: str, indexes: Sequence[SparseIndex], split: Split) -> dict[str, float]:
    """Return the idf of each of a query's terms over the texts of several indexes."""
    texts = sum(len(index) for index in indexes)
    return {
        term: float(idf(texts, sum(index.document_frequency(term) for index in indexes)))
        for term in split([query])[0]
    }


def idf(texts: int, document_frequency: ArrayLike) -> NDArray[np.floating[Any]]:
    """Return Lucene's inverse document frequency, given the number of texts."""
    counts = np.asarray(document_frequency)
    weights: NDArray[np.floating[Any]] = np.log(1 + (texts - counts + 0.5) / (counts + 0.5))
    return weights


def split_words(texts: Sequence[str]) -> list[list[str]]:
    """Split into lower-case words without English stop words, stemmed by Snowball."""
    return _stems(texts, stopwords="english")


def split_pairs(texts: Sequence[str]) -> list[list[str]]:
    """Split into pairs of stems of neighbouring words, including stop words ("last visit")."""
    return [
        [f"{a} {b}" for a, b in zip(stems, stems[1:], strict=False)]
        for stems in _stems(texts, stopwords=[])
    ]


def split_grams(texts: Sequence[str]) -> list[list[str]]:
    """Split into character 4-grams of words with their boundaries ("_vis", "visi", "isit", "sit_").

    They match where words do not: typing errors, compounds, other forms of a name.
    """
    grams = []
    for text in texts:
        words = [f"_{word}_" for word in _WORD.findall(text.lower())]
        grams.append(
            [
                word[i : i + _GRAM_LENGTH]
                for word in words
                for i in range(max(1, len(word) - _GRAM_LENGTH + 1))
            ]
        )
    return grams


def _stems(texts: Sequence[str], stopwords: str | list[str]) -> list[list[str]]:
    stems: list[list[str]] = bm25s.tokenize(
        list(texts),
        token_pattern=r"(?u)\b\w+\b",
        stopwords=stopwords,
        stemmer=Stemmer.Stemmer("english"),
        return_ids=False,
        show_progress=False,
    )
    return stems
