"""Items and sentences from tags, and their measures, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from qa.spans import Span
from training.reading.decode import (
    evidence,
    list_items,
    mean_tag,
    merge_items,
    sentence_scores,
    tagged_items,
    whole_words,
)
from training.reading.figures import list_f1, set_f1

OFFSETS = np.array([[0, 0], [0, 3], [3, 4], [5, 8], [9, 12], [0, 0]])


def test_items_are_runs_of_tagged_pieces() -> None:
    probability = np.array([0.9, 0.9, 0.2, 0.6, 0.5, 0.9], dtype=np.float32)
    answerable = np.array([False, True, True, True, True, False])
    assert tagged_items(OFFSETS, probability, answerable) == [(0, 3), (5, 12)]
    assert tagged_items(OFFSETS, probability, answerable, threshold=0.6) == [(0, 3), (5, 8)]
    assert tagged_items(OFFSETS, np.zeros(6, dtype=np.float32), answerable) == []


LIST = "Ann, Bob and Cat won. Dan lost. Eve won."


def spans(*parts: tuple[str, float]) -> list[Span]:
    return [Span(LIST.index(part), LIST.index(part) + len(part), score) for part, score in parts]


def items(found: list[Span], tags: list[float]) -> list[str]:
    return [LIST[a:b] for a, b in list_items(LIST, found, tags)]


def test_items_are_spans_that_the_tags_agree_with() -> None:
    found = spans(("Eve", 9.0), ("Ann, Bob and Cat", 6.0), ("Dan", 5.5), ("won", 1.0))
    # Dan is not tagged, and "won" is too far behind.
    assert items(found, [0.1, 0.9, 0.1, 0.9]) == ["Ann", "Bob", "Cat", "Eve"]
    assert items(found, [0.9, 0.2, 0.3, 0.0]) == ["Dan", "Eve"]
    assert items([], []) == []


def test_the_mean_tag_of_a_span() -> None:
    probability = np.array([0.9, 0.4, 0.6, 0.8, 0.1, 0.9], dtype=np.float32)
    answerable = np.array([False, True, True, True, False, False])
    assert mean_tag(Span(2, 8, 0.0), OFFSETS, probability, answerable) == pytest.approx(0.6)
    assert mean_tag(Span(8, 12, 0.0), OFFSETS, probability, answerable) == 0.0


def test_evidence_is_what_comes_near_the_best() -> None:
    assert evidence([0.8, 0.13, 0.11, 0.4]) == {0, 1, 3}
    assert evidence([0.02, 0.01]) == {0, 1}
    assert evidence([]) == set()


def test_items_are_grown_to_whole_words() -> None:
    text = "nontrivial, even so"
    assert whole_words(text, [(3, 6), (7, 10), (12, 14)]) == [(0, 10), (12, 16)]


def test_items_of_several_windows_are_joined_where_they_overlap() -> None:
    assert merge_items([(5, 8), (0, 3), (6, 12), (12, 13)]) == [(0, 3), (5, 12), (12, 13)]


def test_a_sentence_has_the_mean_of_the_window_that_sees_most_of_it() -> None:
    near = (OFFSETS[1:5], np.array([0.2, 0.4, 0.6, 0.8], dtype=np.float32))
    far = (OFFSETS[4:5], np.array([0.1], dtype=np.float32))
    assert sentence_scores([(0, 4), (5, 12), (20, 30)], [far, near]) == pytest.approx(
        [0.3, 0.7, 0.0]
    )


def test_list_f1_by_hand() -> None:
    # Two of three found items are right, of four wanted; "red house" covers half of "the old red
    # house by town" (the article does not count: five words remain, of which two).
    pairs = [
        (["Oak", "the elm."], ["oak", "elm", "ash"]),
        (["red house"], ["the old red house by town"]),
    ]
    figures = list_f1(pairs)
    assert figures["exact"] == pytest.approx(100 * 2 * (2 / 3) * (2 / 4) / (2 / 3 + 2 / 4))
    precision, recall = (1 + 1 + 1) / 3, (1 + 1 + 0 + 2 / 5) / 4
    expected = 100 * 2 * precision * recall / (precision + recall)
    assert figures["partial"] == pytest.approx(expected)


def test_lists_without_a_hit() -> None:
    assert list_f1([([], ["oak"])]) == {"exact": 0.0, "partial": 0.0}


def test_set_f1() -> None:
    assert set_f1({1, 2}, {2, 3, 4}) == pytest.approx(2 * 1 / 5)
    assert set_f1(set(), set()) == 1.0
    assert set_f1({1}, set()) == 0.0
