import numpy as np
import pytest

from index.dense import DenseIndex


@pytest.fixture
def rows() -> np.ndarray:
    vectors = np.random.default_rng(0).normal(size=(200, 16)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_against_brute_force_before_and_after_bytes(rows: np.ndarray) -> None:
    index = DenseIndex(16)
    index.add(rows[:150])
    index.add(rows[150:])
    queries = rows[::7] + 0.1
    expected = queries @ rows.T
    order = np.argsort(-expected, axis=1)[:, :10]
    for one in (index, DenseIndex.from_bytes(index.to_bytes())):
        assert (len(one), one.dimension) == (200, 16)
        scores, found = one.search(queries, 10)
        np.testing.assert_array_equal(found, order)
        np.testing.assert_allclose(
            scores, np.take_along_axis(expected, order, axis=1), rtol=1e-5, atol=1e-6
        )
        np.testing.assert_allclose(one.scores(queries), expected, rtol=1e-5, atol=1e-6)


def test_fewer_rows_than_asked_for(rows: np.ndarray) -> None:
    index = DenseIndex(16)
    index.add(rows[:3])
    scores, found = index.search(rows[:1], 10)
    assert scores.shape == found.shape == (1, 3)
    assert found[0, 0] == 0 and scores[0, 0] == pytest.approx(1)
