"""From a window's scores to answers: pure functions on arrays and offsets.

The constants were chosen on held-out questions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qa.spans import Span
from training.reading.enumerations import split_items
from training.reading.example import Offsets

# A further item's score is at most this far below the best, and its pieces' mean tag at least this.
ITEM_LEAD = 5.0
ITEM_TAG = 0.25
# Evidence has at least this share of the best sentence's score.
EVIDENCE_SHARE = 0.15


def list_items(text: str, spans: Sequence[Span], tags: Sequence[float]) -> list[Offsets]:
    """The items of a list: the best spans that the tags agree with, split at commas and "and".

    `spans` are those of the passage that do not overlap, best first, and `tags` the mean probability
    of each one's pieces. The first is always taken. Spans have better ends than runs of tags, which
    often leave out a part of a name.
    """
    items = []
    for number, (span, tag) in enumerate(zip(spans, tags, strict=True)):
        if not number or (span.score >= spans[0].score - ITEM_LEAD and tag >= ITEM_TAG):
            parts = split_items(text[span.start : span.end])
            items += [(span.start + start, span.start + end) for start, end in parts]
    return sorted(items)


def mean_tag(
    span: Span,
    offsets: NDArray[np.int64],
    probability: NDArray[np.float32],
    answerable: NDArray[np.bool_],
) -> float:
    """The mean tag probability of a span's pieces; arrays are over a window's pieces."""
    inside = (offsets[:, 0] < span.end) & (span.start < offsets[:, 1]) & answerable
    return float(probability[inside].mean()) if inside.any() else 0.0


def evidence(scores: Sequence[float]) -> set[int]:
    """The numbers of the sentences that answer, by their scores: never none, unless there are none."""
    if not len(scores):
        return set()
    limit = EVIDENCE_SHARE * max(scores)
    return {number for number, score in enumerate(scores) if score >= limit}


def tagged_items(
    offsets: NDArray[np.int64],
    probability: NDArray[np.float32],
    answerable: NDArray[np.bool_],
    *,
    threshold: float = 0.5,
) -> list[Offsets]:
    """The runs of neighbouring pieces tagged as the answer, as characters of the passage.

    All arrays are over a window's pieces.
    """
    tagged = answerable & (probability >= threshold)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], tagged, [False]])))
    return [
        (int(offsets[first, 0]), int(offsets[last - 1, 1]))
        for first, last in zip(edges[::2], edges[1::2], strict=True)
    ]


def whole_words(text: str, items: Sequence[Offsets]) -> list[Offsets]:
    """The items grown to the ends of the words they cut, those that then touch joined."""
    found: list[Offsets] = []
    for start, end in items:
        while start > 0 and text[start - 1].isalnum() and text[start].isalnum():
            start -= 1
        while end < len(text) and text[end].isalnum() and text[end - 1].isalnum():
            end += 1
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def merge_items(items: Sequence[Offsets]) -> list[Offsets]:
    """Items of several windows in the passage's order, those that overlap joined."""
    found: list[Offsets] = []
    for start, end in sorted(items):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def sentence_scores(
    sentences: Sequence[Offsets],
    windows: Sequence[tuple[NDArray[np.int64], NDArray[np.float32]]],
) -> list[float]:
    """Each sentence's mean tag probability over its pieces, in the window that sees most of it.

    A window is its pieces' offsets [pieces, 2] and probabilities [pieces]; 0 for a sentence unseen.
    """
    scores = []
    for start, end in sentences:
        most, score = 0, 0.0
        for offsets, probability in windows:
            seen = (offsets[:, 0] < end) & (start < offsets[:, 1])
            if seen.sum() > most:
                most, score = int(seen.sum()), float(probability[seen].mean())
        scores.append(score)
    return scores
