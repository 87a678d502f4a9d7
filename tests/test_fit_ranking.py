"""The fitting of the ranking and of the calibration, on made-up data whose answer is known."""

import numpy as np
import pytest

from qa.calibration import Calibration
from training.fit_ranking import (
    Attempt,
    choose_threshold,
    figures,
    fit_calibration,
    fit_logit,
    judge,
    min_max,
    ranks,
)


def test_the_logit_finds_the_weights_that_made_the_data() -> None:
    rng = np.random.default_rng(0)
    true = np.array([2.0, -1.0, 0.0])
    rows = []
    for _ in range(20):
        features = rng.normal(size=(200, 8, 3)).astype(np.float32)
        noise = rng.gumbel(size=(200, 8))
        chosen = (features @ true + noise).argmax(axis=1)
        rows.append((features, np.arange(8)[None, :] == chosen[:, None]))
    found = fit_logit(rows, ["a", "b", "c"])
    assert list(found.values()) == pytest.approx(true, abs=0.12)


def test_a_question_without_a_right_text_does_not_count() -> None:
    features = np.array([[[1.0], [0.0]], [[0.0], [1.0]]] * 20, dtype=np.float32)
    right = np.array([[True, False], [False, False]] * 20)
    assert fit_logit([(features, right)], ["a"])["a"] > 5


def test_ranks_and_figures() -> None:
    scores = np.array([[3, 2, 1], [1, 2, 3], [1, 1, 1]], dtype=np.float32)
    right = np.array([[False, True, True], [True, False, False], [False, False, False]])
    assert ranks(scores, right) == [2, 3, None]
    assert figures([(scores, right)]) == {
        "recall@1": 0,
        "recall@3": 0.6667,
        "recall@5": 0.6667,
        "mrr": round((1 / 2 + 1 / 3) / 3, 4),
    }


def test_min_max() -> None:
    scaled = min_max(np.array([[1.0, 3.0, 2.0], [4.0, 4.0, 4.0]], dtype=np.float32))
    np.testing.assert_allclose(scaled, [[0, 1, 0.5], [0, 0, 0]])


def tried() -> list[Attempt]:
    """The surer, the more often right: with 90% where x is 1, with 20% where it is 0."""
    found = []
    for x, share in ((1.0, 0.9), (0.0, 0.2)):
        for i in range(100):
            found.append(Attempt({"x": x, "constant": 1.0}, i < 100 * share, "answerable"))
    found += [Attempt({"x": 0.0, "constant": 1.0}, False, "unanswerable")] * 50
    found += [Attempt({"x": 0.0, "constant": 1.0}, False, "elsewhere")] * 50
    return found


def test_the_calibration_gives_the_shares() -> None:
    weights = fit_calibration(tried())
    sure, unsure = (
        Calibration(0.0, weights).probability({"x": x, "constant": 1.0}) for x in (1.0, 0.0)
    )
    # 90 of 100, and 20 of the 200 where x is 0; the fit holds its weights back a little.
    assert (sure, unsure) == pytest.approx((0.9, 0.1), abs=0.02)
    threshold = choose_threshold(tried(), Calibration(0.0, weights))
    assert unsure < threshold <= sure
    quality = judge(tried(), Calibration(threshold, weights))
    assert quality["questions"] == 300
    assert quality["answerable_shown"] == 0.5 and quality["elsewhere_shown"] == 0
    assert quality["shown_right"] == 0.9 and quality["best_right"] == 0.55
    assert quality["calibration_error"] < 0.02


def test_the_threshold_can_count_silence_as_right() -> None:
    """Where half of the answers would be of unanswerable questions, showing them is worth it or not."""
    found = [Attempt({"x": 1.0}, i < 90, "answerable") for i in range(100)]
    found += [Attempt({"x": 0.0}, i < 70, "answerable") for i in range(100)]
    found += [Attempt({"x": 0.0}, False, "unanswerable")] * 100
    fitted = Calibration(0.0, fit_calibration(found))
    sure, unsure = (fitted.probability({"x": x}) for x in (1.0, 0.0))
    assert choose_threshold(found, fitted) <= unsure
    assert unsure < choose_threshold(found, fitted, count_silence=True) <= sure
