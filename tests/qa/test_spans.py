import numpy as np
import pytest

from qa.spans import Span, best_spans, merge_windows, no_answer_score


def window(size: int, lead: int) -> tuple[np.ndarray, np.ndarray]:
    """Owners and offsets of one-letter tokens parted by a space, after `lead` tokens of question."""
    owners = np.where(np.arange(size) >= lead, 0, -1)
    at = 2 * (np.arange(size) - lead)
    return owners, np.where((owners == 0)[:, None], np.stack([at, at + 1], axis=1), 0)


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def test_the_best_pair_of_start_and_end_wins() -> None:
    owners, offsets = window(5, 1)
    #               [CLS]  a   b   c   d
    start = floats(9.0, 1.0, 3.0, 0.0, 2.0)
    end = floats(9.0, 4.0, 0.0, 2.5, 1.0)
    # (b, c) 5.5; (a, a) 5.0 does not overlap it; then (d, d) 3.0.
    found = best_spans(start, end, owners, offsets, n=5)
    assert found == [Span(2, 5, 5.5), Span(0, 1, 5.0), Span(6, 7, 3.0)]
    assert ["a b c d"[s.start : s.end] for s in found] == ["b c", "a", "d"]
    assert best_spans(start, end, owners, offsets, n=1) == found[:1]
    assert no_answer_score(start, end) == 18.0


def test_an_end_before_its_start_is_no_span() -> None:
    owners, offsets = window(3, 0)
    # Start and end each at its best, c and a, would give 18.
    found = best_spans(floats(0, 1, 9), floats(9, 2, 0), owners, offsets)
    assert found == [Span(0, 1, 9.0), Span(4, 5, 9.0), Span(2, 3, 3.0)]


def test_a_span_has_at_most_so_many_tokens() -> None:
    owners, offsets = window(4, 0)
    start, end = floats(5, 0, 0, 0), floats(0, 1, 2, 3)
    assert best_spans(start, end, owners, offsets, n=1) == [Span(0, 7, 8.0)]
    assert best_spans(start, end, owners, offsets, n=1, max_tokens=2) == [Span(0, 3, 6.0)]
    assert best_spans(start, end, owners, offsets, max_tokens=1)[0] == Span(0, 1, 5.0)


def test_thirty_tokens_are_the_limit() -> None:
    owners, offsets = window(40, 0)
    start, end = np.zeros(40, np.float32), np.zeros(40, np.float32)
    start[0] = end[29] = end[30] = 1
    end[30] = 5
    found = best_spans(start, end, owners, offsets, n=2)
    assert found[0].score == 5.0
    assert found[0].start > 0
    end[30] = 0
    assert best_spans(start, end, owners, offsets, n=1) == [Span(0, 59, 2.0)]


def test_a_span_stays_within_one_part() -> None:
    _, offsets = window(4, 0)
    start, end = floats(9, 0, 1, 0), floats(0, 1, 0, 9)
    for owners, expected in (
        ([0, 0, 0, 0], Span(0, 7, 18.0)),
        ([0, 0, 1, 1], Span(0, 3, 10.0)),
        ([-1, 0, 0, -1], Span(2, 3, 1.0)),
        ([0, -1, 1, 1], Span(4, 7, 10.0)),
    ):
        found = best_spans(start, end, np.array(owners), offsets, n=5)
        assert expected in found
        assert all(owners[span.start // 2] == owners[(span.end - 1) // 2] >= 0 for span in found)


def test_a_window_without_a_token_of_the_passage_has_no_span() -> None:
    none = np.full(4, -1)
    offsets = np.zeros((4, 2), dtype=np.int64)
    assert best_spans(np.ones(4, np.float32), np.ones(4, np.float32), none, offsets) == []


def by_brute_force(
    start: np.ndarray, end: np.ndarray, owners: np.ndarray, offsets: np.ndarray, n: int
) -> list[tuple[int, int, float]]:
    pairs = [
        (float(start[i] + end[j]), i, j)
        for i in range(len(start))
        for j in range(i, min(i + 30, len(start)))
        if owners[i] == owners[j] >= 0
    ]
    found: list[tuple[float, int, int]] = []
    for pair in sorted(pairs, reverse=True):
        if len(found) < n and all(pair[2] < f[1] or f[2] < pair[1] for f in found):
            found.append(pair)
    return [(int(offsets[i, 0]), int(offsets[j, 1]), score) for score, i, j in found]


@pytest.mark.parametrize("seed", range(20))
def test_the_same_as_trying_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 120))
    owners, offsets = window(size, int(rng.integers(0, min(size, 20))))
    if size >= 60:
        owners[-1] = -1  # a window's own mark at its end, at times
    start, end = rng.normal(size=(2, size)).astype(np.float32)
    found = best_spans(start, end, owners, offsets, n=7)
    assert [(s.start, s.end, s.score) for s in found] == by_brute_force(
        start, end, owners, offsets, 7
    )


def test_windows_merge_into_the_best_spans_and_the_lowest_no_answer_score() -> None:
    first = [Span(10, 20, 4.0), Span(0, 5, 1.0)]
    second = [Span(30, 40, 5.0), Span(10, 20, 3.0), Span(18, 25, 2.0)]
    spans, no_answer = merge_windows([(first, -1.0), (second, 2.5)])
    assert spans == [Span(30, 40, 5.0), Span(10, 20, 4.0), Span(0, 5, 1.0)]
    assert no_answer == -1.0
    assert merge_windows([(first, -1.0), (second, 2.5)], n=1) == ([Span(30, 40, 5.0)], -1.0)
    assert merge_windows([([], 3.0)]) == ([], 3.0)
