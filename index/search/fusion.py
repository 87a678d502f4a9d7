"""Combine the scores of several retrievers into one ranking, with pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]
Rows = NDArray[np.int64]


def fuse(parts: Mapping[str, Scores], weights: Mapping[str, float]) -> Scores:
    """Return the weighted sum of the parts that have a weight.

    With weights fitted as a conditional logit (McFadden 1974), the softmax of a row is each text's
    probability of being the right one.
    """
    total = np.zeros_like(next(iter(parts.values())))
    for name, weight in weights.items():
        total += np.float32(weight) * parts[name]
    return total


def blend(results: Sequence[tuple[Scores, Rows]], weights: Sequence[float]) -> tuple[Scores, Rows]:
    """Merge the results of several searches by the weighted sum of their min-max scaled scores.

    Returns scores and rows, best first. Within a search the best row scores 1, and the worst row and
    rows that it did not find score 0.
    """
    all_rows = np.unique(np.concatenate([rows for _, rows in results]))
    total = np.zeros(len(all_rows), dtype=np.float32)
    for (scores, rows), weight in zip(results, weights, strict=True):
        if len(rows):
            low, high = scores.min(), scores.max()
            scaled = (scores - low) / (high - low) if high > low else np.ones_like(scores)
            total[np.searchsorted(all_rows, rows)] += np.float32(weight) * scaled
    order = np.lexsort((all_rows, -total))
    return total[order], all_rows[order]


def best_per_group(scores: Scores, first: NDArray[np.int64]) -> Scores:
    """Return the largest score of each group of columns, [rows, groups].

    `first` has the column at which each group starts.
    """
    best: Scores = np.maximum.reduceat(scores, first, axis=-1)
    return best


def rank(scores: Scores, is_text: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the column numbers of each row, best first, and all columns that are not text last."""
    # lexsort sorts by its last key first; equal scores stay in document order.
    return np.lexsort((-scores, np.broadcast_to(~is_text, scores.shape)), axis=-1)
