"""Metrics of answers: pure functions on texts and numbers.

Exact match, F1 and the thresholds follow the official SQuAD 2.0 evaluation script (Rajpurkar et al.
2018).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from qa.normalize import normalize


def exact_match(text: str, accepted: Sequence[str]) -> float:
    """1.0 if the normalized text is an accepted answer; "" is right if there are no accepted answers."""
    return max(float(normalize(text) == normalize(a)) for a in _accepted(accepted))


def f1(text: str, accepted: Sequence[str]) -> float:
    """The best harmonic mean of word precision and recall against the accepted answers."""
    return max(_f1(normalize(text).split(), normalize(a).split()) for a in _accepted(accepted))


def right(text: str, accepted: Sequence[str]) -> float:
    """1.0 if the text has an F1 of at least 0.5 with an accepted answer."""
    return float(bool(text) and bool(accepted) and f1(text, accepted) >= 0.5)


def contains_answer(text: str, accepted: Sequence[str]) -> float:
    """1.0 if the text, such as a sentence, contains an accepted answer."""
    words = f" {normalize(text)} "
    return float(any(f" {normalize(a)} " in words for a in accepted if normalize(a)))


def _accepted(accepted: Sequence[str]) -> list[str]:
    # The official script drops answers that normalize to nothing, and accepts "" if none is left.
    return [a for a in accepted if normalize(a)] or [""]


def _f1(words: list[str], gold: list[str]) -> float:
    if not words or not gold:
        return float(words == gold)
    common = sum((Counter(words) & Counter(gold)).values())
    return 2 * common / (len(words) + len(gold)) if common else 0.0


def recall_at(ranks: Sequence[int | None], k: int) -> float:
    """The share of ranks (from 1; None: not found) that are at most k."""
    return _mean([rank is not None and rank <= k for rank in ranks])


def mean_reciprocal_rank(ranks: Sequence[int | None]) -> float:
    """The mean of 1/rank, with 0 for None."""
    return _mean([1 / rank if rank else 0.0 for rank in ranks])


def auroc(scores: ArrayLike, positive: ArrayLike) -> float:
    """The probability that a positive scores above a negative; ties count half; nan without both."""
    scores, positive = np.asarray(scores, dtype=float), np.asarray(positive, dtype=bool)
    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m:
        return float("nan")
    # Imported here because it takes a second, and only evaluations need it.
    from scipy.stats import rankdata

    return float((rankdata(scores)[positive].sum() - n * (n + 1) / 2) / (n * m))


def calibration_error(confidence: ArrayLike, right: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error over bins of equal width (Guo et al. 2017)."""
    confidence, right = np.asarray(confidence, dtype=float), np.asarray(right, dtype=float)
    if not len(confidence):
        return float("nan")
    bin_of = np.clip((confidence * bins).astype(int), 0, bins - 1)
    return float(
        sum(
            abs(confidence[bin_of == b].sum() - right[bin_of == b].sum()) for b in np.unique(bin_of)
        )
        / len(confidence)
    )


def squad2(
    texts: Sequence[str],
    best_texts: Sequence[str],
    no_answer: Sequence[float],
    accepted: Sequence[Sequence[str]],
) -> dict[str, float]:
    """The official SQuAD 2.0 figures, in percent.

    `texts` are the answers shown ("" for none) and `best_texts` the best spans, even if none was
    shown. `no_answer` are the no-answer scores for which the best threshold is searched.
    """
    has = np.array([bool(a) for a in accepted])
    out: dict[str, float] = {}
    for name, measure in (("exact", exact_match), ("f1", f1)):
        shown = np.array([measure(t, a) for t, a in zip(texts, accepted, strict=True)])
        out[name] = 100 * _mean(shown)
        out[f"HasAns_{name}"] = 100 * _mean(shown[has])
        out[f"NoAns_{name}"] = 100 * _mean(shown[~has])
        best = np.array([measure(t, a) for t, a in zip(best_texts, accepted, strict=True)])
        out[f"HasAns_{name}_no_abstention"] = 100 * _mean(best[has])
        out[f"best_{name}"], out[f"best_{name}_thresh"] = _best_threshold(best, no_answer, has)
    return out


def _best_threshold(
    best: np.ndarray, no_answer: Sequence[float], has: np.ndarray
) -> tuple[float, float]:
    """The highest mean score over all no-answer thresholds, in percent, and that threshold."""
    scores = np.asarray(no_answer, dtype=float)
    order = np.argsort(scores, kind="stable")
    # Showing a span gains its score if there is an answer, and loses the point for abstaining if not.
    totals = (~has).sum() + np.concatenate(([0], np.cumsum(np.where(has, best, best - 1)[order])))
    shown = int(np.argmax(totals))
    threshold = float(scores[order[shown - 1]]) if shown else 0.0
    return 100 * float(totals[shown]) / len(has), threshold


def _mean(values: Sequence[float] | np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
