import math

import pytest

from evaluation import metrics


@pytest.mark.parametrize(
    ("text", "accepted", "em", "f1"),
    [
        ("The Rodong Sinmun", ["Rodong Sinmun"], 1, 1),
        ("Rodong", ["Rodong Sinmun"], 0, 2 / 3),
        ("July 2000", ["June 18th", "in July, 2000!"], 0, 0.8),
        ("cat", ["dog"], 0, 0),
        ("", [], 1, 1),
        ("anything", [], 0, 0),
        ("", ["something"], 0, 0),
        ("a a b", ["b b a"], 0, 2 / 3),
    ],
)
def test_exact_match_and_f1(text: str, accepted: list[str], em: float, f1: float) -> None:
    assert metrics.exact_match(text, accepted) == em
    assert metrics.f1(text, accepted) == pytest.approx(f1)


def test_holds() -> None:
    sentence = "He wrote for the newspaper “Rodong Sinmun”, it said."
    assert metrics.contains_answer(sentence, ["a newspaper"]) == 1
    assert metrics.contains_answer(sentence, ["paper"]) == 0
    assert metrics.contains_answer(sentence, []) == 0
    assert metrics.contains_answer(sentence, ["…", "Hanoi"]) == 0


def test_ranks() -> None:
    ranks = [1, 3, None, 2]
    assert [metrics.recall_at(ranks, k) for k in (1, 2, 3)] == [0.25, 0.5, 0.75]
    assert metrics.mean_reciprocal_rank(ranks) == pytest.approx((1 + 1 / 3 + 0 + 1 / 2) / 4)
    assert math.isnan(metrics.recall_at([], 1))


def test_auroc() -> None:
    # Of the four pairs of a positive and a negative, two are in order, one is tied, one is not.
    assert metrics.auroc([0.9, 0.4, 0.4, 0.3, 0.5], [1, 0, 1, 1, 0]) == pytest.approx(
        (1 + 1 + 0.5 + 0 + 0 + 0) / 6
    )
    assert math.isnan(metrics.auroc([1, 2], [1, 1]))


def test_calibration_error() -> None:
    # One bin: mean confidence 0.65, half right; the other: 0.1, none right.
    assert metrics.calibration_error([0.6, 0.7, 0.1], [1, 0, 0], bins=2) == pytest.approx(
        (abs(1.3 - 1) + 0.1) / 3
    )
    assert metrics.calibration_error([1.0], [1]) == 0


def test_squad2() -> None:
    accepted = [["Paris"], [], ["the year 1999"], []]
    shown = ["Paris", "", "", "wrong"]
    best = ["Paris", "guess", "1999", "wrong"]
    out = metrics.squad2(shown, best, [0.1, 0.9, 0.3, 0.2], accepted)
    assert out["exact"] == pytest.approx(50)  # Paris and the first abstention
    assert out["HasAns_exact"] == 50 and out["NoAns_exact"] == 50
    assert out["HasAns_exact_no_abstention"] == 50
    assert out["HasAns_f1_no_abstention"] == pytest.approx(100 * (1 + 2 / 3) / 2)
    # Showing only Paris is best for exact match: 3 of 4. Going on to "wrong" costs a point, which the
    # 2/3 of "1999" do not win back.
    assert (out["best_exact"], out["best_exact_thresh"]) == (75, 0.1)
    assert (out["best_f1"], out["best_f1_thresh"]) == (75, 0.1)
