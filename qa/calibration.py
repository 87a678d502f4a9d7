"""Turn a candidate's features into the probability that it answers the question."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from index.storage import read_fitted

FITTED = Path(__file__).with_name("calibration.json")


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic regression and the probability from which an answer is shown.

    `weights` has an intercept and a weight for each feature. `choice` has the weights of the
    conditional logit that ranks a question's spans; it is empty for sentences.
    """

    threshold: float
    weights: Mapping[str, float]
    choice: Mapping[str, float] = field(default_factory=dict)

    def probability(self, features: Mapping[str, float]) -> float:
        """The probability that an answer is right; raises KeyError for a missing feature."""
        score = weighted_sum(self.weights, {**features, "intercept": 1.0})
        return 1 / (1 + math.exp(-max(-700.0, min(700.0, score))))


def weighted_sum(weights: Mapping[str, float], values: Mapping[str, float]) -> float:
    """The weighted sum of the values; values without a weight are ignored."""
    return sum(weight * values[name] for name, weight in weights.items())


def load_sentence_calibration() -> Calibration:
    """The calibration of sentences (training/fit_ranking.py); raises ArticleError if damaged."""
    return Calibration(**read_fitted(FITTED)["sentences"])


def load_span_calibration() -> Calibration:
    """The calibration of spans (training/fit_answers.py); raises ArticleError if damaged."""
    return Calibration(**read_fitted(FITTED)["spans"])
