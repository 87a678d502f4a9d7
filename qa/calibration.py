"""Raw scores in, the probability that an answer is right out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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


_FITTED: dict[str, Any] = json.loads(FITTED.read_text(encoding="utf-8"))
# Of whole sentences, fitted by training/fit_ranking.py, and of what the reader finds in them, fitted
# by training/fit_answers.py.
SENTENCES = Calibration(**_FITTED["sentences"])
SPANS = Calibration(**_FITTED["spans"])
