"""BM25 (bm25s) over words, pairs of words, or pieces of words: add texts, score queries."""

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

# It tells of every index to whoever has a log.
logging.getLogger("bm25s").setLevel(logging.WARNING)

Split = Callable[[Sequence[str]], list[list[str]]]

_WORD = re.compile(r"\w+")
_GRAM = 4


@dataclass(frozen=True, slots=True)
class TermCounts:
    """How often each term stands in each of some texts: all that BM25 needs to know of them.

    `lengths` has the number of terms of each text. The other arrays have an entry for each term of each
    text, in the order of the texts: the text's number, the term's place in `terms`, and the count.
    """

    terms: tuple[str, ...]
    lengths: NDArray[np.int64]
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    counts: NDArray[np.float32]

    @classmethod
    def of(cls, texts: Sequence[str], split: Split) -> TermCounts:
        """Count the terms that `split` makes of the texts."""
        split_texts = split(texts)
        counted = [Counter(terms) for terms in split_texts]
        numbers: dict[str, int] = {}
        columns = [numbers.setdefault(term, len(numbers)) for of in counted for term in of]
        return cls(
            tuple(numbers),
            np.array([len(terms) for terms in split_texts], dtype=np.int64),
            np.repeat(np.arange(len(texts), dtype=np.int32), [len(of) for of in counted]),
            np.array(columns, dtype=np.int32),
            np.array([count for of in counted for count in of.values()], dtype=np.float32),
        )


class SparseIndex:
    """BM25 (Robertson & Zaragoza 2009, with Lucene's idf) over texts numbered from 0."""

    def __init__(
        self, texts: Sequence[str], split: Split, *, k1: float = 1.2, b: float = 0.75
    ) -> None:
        """Index the texts by the terms that `split` makes of them, and of queries later."""
        self._split = split
        self._size = len(texts)
        self._bm25 = bm25s.BM25(k1=k1, b=b, method="lucene")
        terms = split(texts)
        # Texts without a single term are legal here and an error to bm25s.
        self._numbers: dict[str, int] = {}
        if any(terms):
            self._bm25.index(terms, show_progress=False)
            self._numbers = self._bm25.vocab_dict

    @classmethod
    def merge(
        cls, parts: Sequence[TermCounts], split: Split, *, k1: float = 1.2, b: float = 0.75
    ) -> SparseIndex:
        """Index the texts of several parts one after the other, exactly as if they were indexed anew.

        `split` is what their terms were counted with.
        """
        index = cls([], split, k1=k1, b=b)
        lengths = np.concatenate([part.lengths for part in parts])
        index._size = len(lengths)
        numbers: dict[str, int] = {}
        places = [
            np.array([numbers.setdefault(t, len(numbers)) for t in part.terms], dtype=np.int64)
            for part in parts
        ]
        if not numbers:
            return index
        columns = np.concatenate([p[part.columns] for p, part in zip(places, parts, strict=True)])
        first = np.cumsum([0, *(len(part.lengths) for part in parts)])
        rows = np.concatenate(
            [part.rows + np.int32(at) for at, part in zip(first[:-1], parts, strict=True)]
        )
        counts = np.concatenate([part.counts for part in parts])
        # The formula and the precision of each step are those of bm25s.
        held, which = np.unique(np.bincount(columns), return_inverse=True)
        idfs = [math.log(1 + (len(lengths) - n + 0.5) / (n + 0.5)) for n in held.tolist()]
        weights = np.array(idfs, dtype=np.float32)[which]
        norms = k1 * ((1 - b) + b * lengths / lengths.mean())
        scores = weights[columns] * (counts / (norms[rows] + counts))
        order = np.argsort(columns, kind="stable")  # which keeps the texts of a term in order
        ends = np.cumsum([0, *held[which].tolist()], dtype=np.int64)
        index._use(numbers, scores[order].astype(np.float32), rows[order], ends)
        return index

    def save(self, folder: Path) -> None:
        """Write it into a folder, which stays empty where no text has a term."""
        folder.mkdir()
        if self._numbers:
            self._bm25.save(folder, show_progress=False)

    @classmethod
    def load(cls, folder: Path, size: int, split: Split) -> SparseIndex:
        """Read what was saved of so many texts; their scores stay on the disk until they are wanted.

        Raises OSError, and ValueError where the files are not what was saved.
        """
        index = cls([], split)
        index._size = size
        if not any(folder.iterdir()):
            return index
        # Not by bm25s, which takes what it finds there for its own settings.
        numbers = json.loads((folder / "vocab.index.json").read_bytes())
        first = map_array(folder / "indptr.csc.index.npy", np.int64, (None,))
        texts = map_array(folder / "indices.csc.index.npy", np.int32, (None,))
        scores = map_array(folder / "data.csc.index.npy", np.float32, texts.shape)
        if not isinstance(numbers, dict):
            raise ValueError("it has no vocabulary")
        numbers.pop("", None)  # which bm25s has for texts without a term
        if not all(type(n) is int and 0 <= n < len(first) - 1 for n in numbers.values()):
            raise ValueError("a term has no scores")
        if (
            not len(first)
            or (first[0], first[-1]) != (0, len(texts))
            or (first[1:] < first[:-1]).any()
            or not (0 <= texts.min(initial=0) <= texts.max(initial=0) < max(1, size))
            or not (scores.min(initial=0) >= 0 and scores.max(initial=0) < np.inf)
        ):
            raise ValueError("its scores are not those of its texts")
        index._use(numbers, scores, texts, first)
        return index

    def _use(
        self,
        numbers: dict[str, int],
        scores: NDArray[np.float32],
        texts: NDArray[np.int32],
        first: NDArray[np.int64],
    ) -> None:
        """Take scores computed elsewhere: those of a term and their texts begin at `first`."""
        self._numbers = self._bm25.vocab_dict = numbers
        self._bm25.unique_token_ids_set = set(numbers.values())
        self._bm25.nonoccurrence_array = None
        self._bm25.scores = {
            "data": scores,
            "indices": texts,
            "indptr": first,
            "num_docs": self._size,
        }

    def __len__(self) -> int:
        """How many texts it holds."""
        return self._size

    def scores(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """BM25 of every query with every text, float32 [queries, texts]; 0 where no term is shared."""
        scores = np.zeros((len(queries), self._size), dtype=np.float32)
        for row, terms in zip(scores, self._split(queries), strict=True):
            known = [term for term in terms if term in self._numbers]
            if known:
                row[:] = self._bm25.get_scores(known)
        return scores

    def ceilings(self, queries: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The idf of each query's terms added up, and that of the terms some text has: [queries] each.

        The first is what no text's score for the query can pass.
        """
        every, known = np.zeros((2, len(queries)), dtype=np.float32)
        for i, terms in enumerate(self._split(queries)):
            for term in terms:
                held = self.held(term)
                weight = idf(self._size, held)
                every[i] += weight
                known[i] += weight if held else 0
        return every, known

    def search(
        self, query: str, k: int, idfs: Mapping[str, float] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The k best of the texts that share a term with the query, best first: scores and numbers.

        `idfs`, where it is given, has other weights of the query's terms than those of these texts.
        """
        scores = np.zeros(self._size, dtype=np.float32)
        for term in self._split([query])[0]:
            if held := self.held(term):
                first = int(self._bm25.scores["indptr"][self._numbers[term]])
                of = slice(first, first + held)
                weight = 1.0 if idfs is None else idfs[term] / float(idf(self._size, held))
                texts = self._bm25.scores["indices"][of]
                scores[texts] += np.float32(weight) * self._bm25.scores["data"][of]
        found = np.flatnonzero(scores)
        if len(found) > k:
            found = found[np.argpartition(-scores[found], k - 1)[:k]]
        found = found[np.lexsort((found, -scores[found]))]
        return scores[found], found

    def held(self, term: str) -> int:
        """How many of its texts have a term."""
        if (number := self._numbers.get(term)) is None:
            return 0
        first, end = self._bm25.scores["indptr"][number : number + 2]
        return int(end - first)


def idfs_of(query: str, indexes: Sequence[SparseIndex], split: Split) -> dict[str, float]:
    """The idf of each of a query's terms in the texts of several indexes together."""
    texts = sum(len(index) for index in indexes)
    return {
        term: float(idf(texts, sum(index.held(term) for index in indexes)))
        for term in split([query])[0]
    }


def idf(texts: int, held: ArrayLike) -> NDArray[np.floating[Any]]:
    """Lucene's inverse document frequency of terms that `held` of so many texts have."""
    counts = np.asarray(held)
    weights: NDArray[np.floating[Any]] = np.log(1 + (texts - counts + 0.5) / (counts + 0.5))
    return weights


def split_words(texts: Sequence[str]) -> list[list[str]]:
    """Lower-case words without English stop words, stemmed with Snowball's English stemmer."""
    return _stems(texts, stopwords="english")


def split_pairs(texts: Sequence[str]) -> list[list[str]]:
    """Stems of neighbouring words, stop words among them, two by two ("last visit")."""
    return [
        [f"{a} {b}" for a, b in zip(stems, stems[1:], strict=False)]
        for stems in _stems(texts, stopwords=[])
    ]


def split_grams(texts: Sequence[str]) -> list[list[str]]:
    """Every four letters of each word and its edges ("_vis", "visi", "isit", "sit_").

    They meet where words do not: typing errors, compounds, other forms of a name.
    """
    grams = []
    for text in texts:
        words = [f"_{word}_" for word in _WORD.findall(text.lower())]
        grams.append([w[i : i + _GRAM] for w in words for i in range(max(1, len(w) - _GRAM + 1))])
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
