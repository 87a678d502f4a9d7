import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from index.search.sparse import (
    SparseIndex,
    TermCounts,
    shared_idfs,
    split_grams,
    split_pairs,
    split_words,
)

TEXTS = [
    "The visits of the president were visited by presidents.",
    "A president visited Vietnam.",
    "Nothing here about it; nothing at all.",
    "",
    "Vietnam, Vietnam, and again Vietnam: a long text about Vietnam and its neighbours.",
]
QUERIES = ["When did the president visit?", "Vietnam", "unknown words only", "of the", ""]


def bm25(texts: list[list[str]], query: list[str], k1: float, b: float) -> list[float]:
    """Lucene's BM25 by its formula."""
    mean = sum(map(len, texts)) / len(texts)
    scores = []
    for terms in texts:
        counts = Counter(terms)
        score = 0.0
        for term in query:
            frequency = sum(term in other for other in texts)
            idf = math.log(1 + (len(texts) - frequency + 0.5) / (frequency + 0.5))
            weight = counts[term] / (counts[term] + k1 * (1 - b + b * len(terms) / mean))
            score += idf * weight
        scores.append(score)
    return scores


@pytest.mark.parametrize("split", [split_words, split_pairs, split_grams])
def test_against_brute_force(split) -> None:
    texts = split(TEXTS)
    index = SparseIndex(TEXTS, split, k1=0.9, b=0.4)
    expected = np.array([bm25(texts, terms, 0.9, 0.4) for terms in split(QUERIES)])
    np.testing.assert_allclose(index.scores(QUERIES), expected, rtol=1e-4, atol=1e-6)
    for query, row in zip(QUERIES, expected, strict=True):
        for k in (1, 2, 9):
            scores, found = index.search(query, k)
            order = np.argsort(-row, kind="stable")[: min(k, np.count_nonzero(row))]
            np.testing.assert_array_equal(found, order)
            np.testing.assert_allclose(scores, row[order], rtol=1e-4)


@pytest.mark.parametrize("split", [split_words, split_pairs, split_grams])
@pytest.mark.parametrize("k1,b", [(1.2, 0.75), (0.9, 0.5)])
def test_merged_counts_score_exactly_as_texts_indexed_together(split, k1: float, b: float) -> None:
    whole = SparseIndex(TEXTS, split, k1=k1, b=b)
    for ends in ([5], [2, 5], [0, 1, 3, 4, 5]):
        starts = [0, *ends[:-1]]
        parts = [
            TermCounts.from_texts(TEXTS[a:z], split) for a, z in zip(starts, ends, strict=True)
        ]
        merged = SparseIndex.merge(parts, split, k1=k1, b=b)
        assert len(merged) == 5
        np.testing.assert_array_equal(merged.scores(QUERIES), whole.scores(QUERIES))
        for ours, expected in zip(merged.idf_mass(QUERIES), whole.idf_mass(QUERIES), strict=True):
            np.testing.assert_array_equal(ours, expected)
    empty = SparseIndex.merge([TermCounts.from_texts(["", "…"], split_words)], split_words)
    assert empty.scores(QUERIES).tolist() == [[0, 0]] * len(QUERIES)


def test_saved_and_mapped(tmp_path: Path) -> None:
    for name, texts in (("some", TEXTS), ("none", ["", "the"])):
        index = SparseIndex(texts, split_words)
        index.save(tmp_path / name)
        again = SparseIndex.load(tmp_path / name, len(texts), split_words)
        assert len(again) == len(texts)
        np.testing.assert_array_equal(again.scores(QUERIES), index.scores(QUERIES))


def test_idfs_shared_by_several_indexes() -> None:
    """Two indexes with shared idfs score as one index of all texts."""
    # Texts of one length, so that the mean length is the same in all.
    texts = ["war in vietnam", "peace in korea", "war in korea", "rain in oslo", "war in spain"]
    parts = [SparseIndex(texts[:2], split_words), SparseIndex(texts[2:], split_words)]
    whole = SparseIndex(texts, split_words)
    query = "war vietnam zebra"
    idfs = shared_idfs(query, parts, split_words)
    (expected,) = whole.scores([query])
    for index, first in zip(parts, (0, 2), strict=True):
        scores, found = index.search(query, 5, idfs)
        np.testing.assert_allclose(scores, expected[found + first], rtol=1e-4)
    assert {int(n) for n in parts[1].search(query, 5, idfs)[1]} == {0, 2}


def test_ceilings() -> None:
    index = SparseIndex(TEXTS, split_words)
    total, known = index.idf_mass(["vietnam zebra", "zebra", ""])
    vietnam = math.log(1 + (5 - 2 + 0.5) / (2 + 0.5))
    zebra = math.log(1 + (5 + 0.5) / 0.5)
    np.testing.assert_allclose(total, [vietnam + zebra, zebra, 0], rtol=1e-6)
    np.testing.assert_allclose(known, [vietnam, 0, 0], rtol=1e-6)
    assert (index.scores(["vietnam zebra"]) < total[0]).all()


def test_splitting_into_terms() -> None:
    assert split_words(["The visits of Kim Jong-un"]) == [["visit", "kim", "jong", "un"]]
    assert split_pairs(["the last visits"]) == [["the last", "last visit"]]
    assert split_grams(["Arrive in"]) == [["_arr", "arri", "rriv", "rive", "ive_", "_in_"]]


def test_texts_without_terms() -> None:
    index = SparseIndex(["", "…"], split_words)
    assert index.scores(["a question"]).tolist() == [[0, 0]]
    assert index.idf_mass(["question"])[1].tolist() == [0]
