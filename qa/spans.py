"""Decode a reader's logits into spans: pure numpy, importing no other module of the project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# The longest answer, in word pieces.
MAX_TOKENS = 30


@dataclass(frozen=True, slots=True)
class Span:
    """A span of a passage's text: character offsets, end exclusive, and its score, a sum of logits."""

    start: int
    end: int
    score: float


def best_spans(
    start_logits: NDArray[np.float32],
    end_logits: NDArray[np.float32],
    owners: NDArray[np.int64],
    offsets: NDArray[np.int64],
    *,
    n: int = 5,
    max_tokens: int = MAX_TOKENS,
) -> list[Span]:
    """The n best non-overlapping spans of one window, best first.

    All arrays are over the window's tokens; `offsets` [tokens, 2] are in characters of the passage.
    `owners` has the number of the part that a token belongs to, such as a block or a cell, and -1 for a
    token that cannot be quoted. A span stays within one part and has at most max_tokens. Start and end
    are chosen jointly, as in DrQA (Chen et al. 2017).
    """
    (tokens,) = np.nonzero(owners >= 0)
    if not len(tokens):
        return []
    width = min(max_tokens, len(tokens))
    starts, ends = start_logits[tokens], end_logits[tokens]
    # The band of the outer sum: row i, column w is the score of the span from token i to i + w.
    padded = np.concatenate([ends, np.full(width - 1, -np.inf, dtype=ends.dtype)])
    scores = starts[:, None] + np.lib.stride_tricks.sliding_window_view(padded, width)
    first, last = np.arange(len(tokens))[:, None], np.arange(width)[None, :]
    last = first + last
    parts = owners[tokens]
    last_parts = parts[np.minimum(last, len(tokens) - 1)]
    scores = np.where(last_parts == parts[:, None], scores, -np.inf)
    found: list[Span] = []
    while len(found) < n:
        best = int(scores.argmax())
        i, w = divmod(best, width)
        score = float(scores[i, w])
        if score == -np.inf:
            break
        a, b = int(offsets[tokens[i], 0]), int(offsets[tokens[i + w], 1])
        found.append(Span(a, b, score))
        scores[(first <= i + w) & (last >= i)] = -np.inf
    return found


def no_answer_score(start_logits: NDArray[np.float32], end_logits: NDArray[np.float32]) -> float:
    """The score of the empty span at the window's first token: no answer (Devlin et al. 2019)."""
    return float(start_logits[0] + end_logits[0])


def merge_windows(
    windows: Sequence[tuple[Sequence[Span], float]], *, n: int = 5
) -> tuple[list[Span], float]:
    """The n best spans over all windows of a passage, and its no-answer score.

    A window without the answer rightly has a high no-answer score, so the passage's score is the
    lowest of its windows'. Of overlapping spans, such as one found in two windows, the best is kept.
    Raises ValueError without a window.
    """
    found: list[Span] = []
    for span in sorted((s for spans, _ in windows for s in spans), key=lambda s: -s.score):
        if len(found) < n and all(span.end <= f.start or f.end <= span.start for f in found):
            found.append(span)
    return found, min(score for _, score in windows)
