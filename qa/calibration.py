"""Raw scores in, the probability that an answer is right out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# A logistic regression fitted on training articles by training/fit_ranking.py: an intercept, a weight
# for each feature, and the probability from which an answer is shown.
_FITTED: dict[str, Any] = json.loads(
    Path(__file__).with_name("calibration.json").read_text(encoding="utf-8")
)
CALIBRATION: dict[str, float] = _FITTED["weights"]
THRESHOLD: float = _FITTED["threshold"]


def probability(weights: Mapping[str, float], features: Mapping[str, float]) -> float:
    """The logistic of the intercept and the weighted features, 0..1; every weight needs its feature."""
    score = sum(
        weight * (1.0 if name == "intercept" else features[name])
        for name, weight in weights.items()
    )
    return 1 / (1 + math.exp(-max(-700.0, min(700.0, score))))
