import math

import numpy as np
import pytest

from index.models.types import Tokens
from index.search.late_interaction import LateInteractionIndex, document_frequencies
from index.search.sparse import idf

DIMENSION = 16


def tokens(rng: np.random.Generator, count: int) -> Tokens:
    vectors = rng.normal(size=(count, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Tokens(rng.integers(0, 12, size=count), vectors.astype(np.float16))


@pytest.fixture
def passages() -> list[Tokens]:
    rng = np.random.default_rng(0)
    return [tokens(rng, count) for count in (7, 1, 0, 20, 5)]


@pytest.fixture
def queries() -> list[Tokens]:
    rng = np.random.default_rng(1)
    return [tokens(rng, count) for count in (4, 1, 0)]


def brute_force(queries: list[Tokens], passages: list[Tokens]) -> np.ndarray:
    scores = np.zeros((len(queries), len(passages)))
    for q, query in enumerate(queries):
        for p, passage in enumerate(passages):
            for piece, vector in zip(query.pieces, query.vectors, strict=True):
                frequency = sum(int(piece) in other.pieces for other in passages)
                idf = math.log(1 + (len(passages) - frequency + 0.5) / (frequency + 0.5))
                best = max((float(vector @ other) for other in passage.vectors), default=0.0)
                scores[q, p] += idf * best
    return scores


def weights(queries: list[Tokens], passages: list[Tokens]) -> list[np.ndarray]:
    """The idf of the queries' pieces, with the passages in two indexes."""
    held = document_frequencies(
        [LateInteractionIndex.build(passages[:2]), LateInteractionIndex.build(passages[2:])]
    )
    return [idf(len(passages), [held[p] for p in query.pieces.tolist()]) for query in queries]


def test_against_brute_force_before_and_after_bytes(
    queries: list[Tokens], passages: list[Tokens]
) -> None:
    expected = brute_force(queries, passages)
    index = LateInteractionIndex.build(passages)
    selected = np.ones(expected.shape, dtype=np.bool_)
    for one in (
        index,
        LateInteractionIndex.from_bytes(index.to_bytes(), passages=len(index), dimension=DIMENSION),
    ):
        assert len(one) == 5
        # Quantization leaves an error of a few thousandths per cosine.
        np.testing.assert_allclose(
            one.scores(queries, weights(queries, passages), selected), expected, atol=0.05
        )


def test_only_selected_passages_are_scored(queries: list[Tokens], passages: list[Tokens]) -> None:
    index = LateInteractionIndex.build(passages)
    every = index.scores(queries, weights(queries, passages), np.ones((3, 5), dtype=np.bool_))
    selected = np.array([[1, 0, 0, 1, 0], [0, 0, 1, 0, 0], [1, 1, 1, 1, 1]], dtype=np.bool_)
    found = index.scores(queries, weights(queries, passages), selected)
    np.testing.assert_allclose(found, np.where(selected, every, 0), atol=1e-6)
    assert found[0, 0] != 0 and found[0, 3] != 0


def test_quantized_vectors_keep_their_direction() -> None:
    one = tokens(np.random.default_rng(2), 50)
    codes, scales = LateInteractionIndex.build([one])._quantized(np.array([0]))
    vectors = codes * scales[:, None]
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(one.vectors, axis=1)
    cosines = (vectors * one.vectors).sum(axis=1) / lengths
    assert cosines.min() > 0.999


def test_passages_without_word_pieces(queries: list[Tokens]) -> None:
    empty = Tokens(np.zeros(0, dtype=np.int64), np.zeros((0, DIMENSION), dtype=np.float16))
    index = LateInteractionIndex.build([empty, empty])
    selected = np.ones((3, 2), dtype=np.bool_)
    assert index.scores(queries, weights(queries, [empty] * 3), selected).tolist() == [[0, 0]] * 3
