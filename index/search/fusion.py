"""Pure functions from several retrievers' scores to one ranking: no models, no state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]
Rows = NDArray[np.int64]


def fuse(parts: Mapping[str, Scores], weights: Mapping[str, float]) -> Scores:
    """The weighted sum of the parts that have a weight.

    With weights fitted as a conditional logit (McFadden 1974), the softmax of a row of it is the
    probability of each text to be the right one.
    """
    total = np.zeros_like(next(iter(parts.values())))
    for name, weight in weights.items():
        total += np.float32(weight) * parts[name]
    return total


def blend(found: Sequence[tuple[Scores, Rows]], weights: Sequence[float]) -> tuple[Scores, Rows]:
    """What several searches found, best first, by the weighted sum of their scores, each from 0 to 1.

    Within a search the best row has 1 and the worst 0, as has a row that it did not find.
    """
    every = np.unique(np.concatenate([rows for _, rows in found]))
    total = np.zeros(len(every), dtype=np.float32)
    for (scores, rows), weight in zip(found, weights, strict=True):
        if len(rows):
            low, high = scores.min(), scores.max()
            scaled = (scores - low) / (high - low) if high > low else np.ones_like(scores)
            total[np.searchsorted(every, rows)] += np.float32(weight) * scaled
    order = np.lexsort((every, -total))
    return total[order], every[order]


def best_per_group(scores: Scores, first: NDArray[np.int64]) -> Scores:
    """The largest score of each group of columns, [rows, groups]; `first` are the groups' starts."""
    best: Scores = np.maximum.reduceat(scores, first, axis=-1)
    return best


def rank(scores: Scores, real: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Column numbers of each row, best first; columns that are not real come after all that are."""
    # lexsort takes its last key first; equal scores stay in the order of the text.
    return np.lexsort((-scores, np.broadcast_to(~real, scores.shape)), axis=-1)
