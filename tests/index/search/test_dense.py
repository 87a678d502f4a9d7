from pathlib import Path

import numpy as np
import pytest

from index.search.dense import DenseIndex, default_settings
from index.search.faiss_file import KINDS, Kind


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
    for searched in (index, DenseIndex.from_bytes(index.to_bytes(), dimension=16, rows=200)):
        assert (len(searched), searched.dimension) == (200, 16)
        scores, found = searched.search(queries, 10)
        np.testing.assert_array_equal(found, order)
        np.testing.assert_allclose(
            scores, np.take_along_axis(expected, order, axis=1), rtol=1e-5, atol=1e-6
        )
        np.testing.assert_allclose(searched.scores(queries), expected, rtol=1e-5, atol=1e-6)


def test_scores_equal_those_of_a_search_without_sorting(
    rows: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = DenseIndex(16)
    assert index.scores(rows[:3]).shape == (3, 0)
    for batch in (rows[:1], rows[1:]):
        index.add(batch)
        found, order = index.search(rows, len(index))
        expected = np.empty_like(found)
        np.put_along_axis(expected, order, found, axis=1)
        np.testing.assert_allclose(index.scores(rows), expected, rtol=0, atol=1e-6)
    monkeypatch.setattr(DenseIndex, "search", None)  # it would sort all rows
    assert index.scores(rows[:2]).shape == (2, 200)


def test_fewer_rows_than_asked_for(rows: np.ndarray) -> None:
    index = DenseIndex(16)
    index.add(rows[:3])
    scores, found = index.search(rows[:1], 10)
    assert scores.shape == found.shape == (1, 3)
    assert found[0, 0] == 0 and scores[0, 0] == pytest.approx(1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_checked_before_it_is_mapped(tmp_path: Path, kind: Kind) -> None:
    vectors = np.random.default_rng(0).normal(size=(400, 16)).astype(np.float32)
    path = tmp_path / "vectors.faiss"
    DenseIndex.build(vectors, kind, default_settings(kind, 400)).write(path)
    assert len(DenseIndex.map(path, kind, dimension=16, rows=400)) == 400
    other = next(other for other in KINDS if other != kind)
    for dimension, rows, expected_kind, message in [
        (17, 400, kind, "has 400 vectors of dimension 16, not 400 of 17"),
        (16, 399, kind, "not 399 of 16"),
        (16, 400, other, f"not a FAISS index of the kind {other}"),
    ]:
        with pytest.raises(ValueError, match=message):
            DenseIndex.map(path, expected_kind, dimension=dimension, rows=rows)
    content = path.read_bytes()
    for size, message in [(12, "too short"), (2 * 16 * 400 - 1, "bytes")]:
        path.write_bytes(content[:size])
        with pytest.raises(ValueError, match=message):
            DenseIndex.map(path, kind, dimension=16, rows=400)


def test_a_header_with_wrong_sizes_is_refused(rows: np.ndarray) -> None:
    index = DenseIndex(16)
    index.add(rows)
    data = bytearray(index.to_bytes())
    data[8:16] = (2**60).to_bytes(8, "little")
    with pytest.raises(ValueError, match="has 1152921504606846976 vectors"):
        DenseIndex.from_bytes(bytes(data), dimension=16, rows=200)
    with pytest.raises(ValueError, match="bytes, which does not match"):
        DenseIndex.from_bytes(bytes(data), dimension=16, rows=2**60)
    with pytest.raises(ValueError, match="bytes, which does not match"):
        DenseIndex.from_bytes(index.to_bytes() + b"\0", dimension=16, rows=200)
