import numpy as np

from index.search.fusion import best_per_group, blend, fuse, rank


def table(*rows: list[float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def test_fuse_adds_the_parts_that_have_a_weight() -> None:
    parts = {
        "dense": table([0.5, 0.25]),
        "words": table([1.0, 4.0]),
        "no weight": table([100.0, 0.0]),
    }
    fused = fuse(parts, {"dense": 20.0, "words": 0.5})
    # 20 × 0.5 + 0.5 × 1 = 10.5 and 20 × 0.25 + 0.5 × 4 = 7
    np.testing.assert_allclose(fused, [[10.5, 7.0]])


def test_best_per_group() -> None:
    # Columns 0-1, 2 and 3-5 are the sentences of three passages.
    scores = table([1, 3, 2, 0, -1, -2], [5, 4, 3, 2, 1, 9])
    first = np.array([0, 2, 3])
    np.testing.assert_array_equal(best_per_group(scores, first), [[3, 2, 0], [5, 3, 9]])


def test_rank_puts_text_before_furniture_and_keeps_the_order_of_ties() -> None:
    is_text = np.array([True, True, False, True])
    assert rank(table([1, 3, 9, 3], [4, 0, 2, -5]), is_text).tolist() == [
        [1, 3, 0, 2],
        [0, 1, 3, 2],
    ]


def test_blend_adds_scaled_scores() -> None:
    by_vector = (np.array([0.9, 0.7, 0.5], dtype=np.float32), np.array([4, 2, 9]))
    by_words = (np.array([30.0, 10.0], dtype=np.float32), np.array([2, 7]))
    scores, rows = blend([by_vector, by_words], [0.6, 0.4])
    # Row 2: 0.6 × 0.5 + 0.4 × 1. Row 4: 0.6 × 1. The last row of each search scores 0.
    assert rows.tolist() == [2, 4, 7, 9]
    np.testing.assert_allclose(scores, [0.7, 0.6, 0, 0], rtol=1e-5, atol=1e-7)
    nothing = (np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int64))
    one = (np.array([0.2], dtype=np.float32), np.array([3]))
    assert blend([one, nothing], [0.5, 0.5])[1].tolist() == [3]
    assert blend([nothing, nothing], [0.5, 0.5])[1].tolist() == []
