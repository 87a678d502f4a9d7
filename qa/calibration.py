"""Raw scores in, the probability that an answer is right out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from index.storage import read_fitted

FITTED = Path(__file__).with_name("calibration.json")


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic regression, and the probability from which an answer is shown.

    `weights` has an intercept and a weight for each feature; `choice` has those of the conditional
    logit that chooses among a question's candidates, where there is one.
    """

    threshold: float
    weights: Mapping[str, float]
    choice: Mapping[str, float] = field(default_factory=dict)

    def probability(self, features: Mapping[str, float]) -> float:
        """The logistic of the intercept and the weighted features; every weight needs its feature."""
        score = weighted_sum(self.weights, {**features, "intercept": 1.0})
        return 1 / (1 + math.exp(-max(-700.0, min(700.0, score))))


def weighted_sum(weights: Mapping[str, float], values: Mapping[str, float]) -> float:
    """The sum of the values by their weights; a value without a weight counts for nothing."""
    return sum(weight * values[name] for name, weight in weights.items())


@cache
def of_sentences() -> Calibration:
    """That of whole sentences, fitted by training/fit_ranking.py; raises ArticleError."""
    return Calibration(**read_fitted(FITTED)["sentences"])


@cache
def of_spans() -> Calibration:
    """That of what the reader finds in them, fitted by training/fit_answers.py; raises ArticleError."""
    return Calibration(**read_fitted(FITTED)["spans"])
