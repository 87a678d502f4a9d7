"""Ask a trained reader: questions on passages in, answers with all their scores out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from qa.spans import Span, best_spans, merge_windows, no_answer_score
from training.reading.decode import mean_tag
from training.reading.example import Offsets, Passage
from training.reading.model import ReadingModel, build_model, layers_of
from training.reading.windows import Context, Labels, Pieces, Window

TOKENS = 4096
# The longest answer in pieces: short ones, and the sentences of conversations.
SHORT_ANSWER = 30
LONG_ANSWER = 100
# Spans of a passage that may be the items of a list.
SPANS = 10


@dataclass(frozen=True, slots=True)
class Scores:
    """A window and its scores; `tags` are probabilities [pieces], None without such a head."""

    window: Window
    start: NDArray[np.float32]
    end: NDArray[np.float32]
    tags: NDArray[np.float32] | None
    answerable: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What one passage says.

    The best span with its score and that of no answer, the best spans that do not overlap with their
    mean tag (0 without tags), and the windows' scores.
    """

    text: str
    span: Offsets
    score: float
    no_answer: float
    spans: tuple[tuple[Span, float], ...]
    windows: tuple[Scores, ...]

    @property
    def answerable(self) -> float:
        """The score that says whether the passage has an answer."""
        return max(w.answerable for w in self.windows)


@dataclass(frozen=True, slots=True)
class Ask:
    """A question on a passage, as a reader is given it."""

    question: str
    passage: Passage
    history: tuple[str, str] | None = None
    longest: int = SHORT_ANSWER


class ReaderUnderTest:
    """A trained reader's folder, to ask."""

    def __init__(self, folder: Path, base: Path, pieces: Pieces, *, header: bool) -> None:
        """`header` says whether passages are read with their title and section in front."""
        self._pieces, self._header = pieces, header
        heads = json.loads((folder / "reader.json").read_text(encoding="utf-8"))["heads"]
        self.has_tags = "tag" in heads
        self._model: ReadingModel = build_model(base, folder, layers=layers_of(folder), seed=0)
        self._model.eval()

    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        """The best answer to each question in its passage."""
        windows = [(i, w) for i, ask in enumerate(asks) for w in self._windows(ask)]
        scores: list[list[Scores]] = [[] for _ in asks]
        order = sorted(range(len(windows)), key=lambda i: len(windows[i][1]))
        batch: list[int] = []
        for number in order:
            if batch and (len(batch) + 1) * len(windows[number][1]) > TOKENS:
                self._score([windows[i] for i in batch], scores)
                batch = []
            batch.append(number)
        if batch:
            self._score([windows[i] for i in batch], scores)
        return [_best(ask, tuple(own)) for ask, own in zip(asks, scores, strict=True)]

    def _windows(self, ask: Ask) -> list[Window]:
        context = Context(self._pieces, ask.passage, header=self._header)
        return context.every_window(self._pieces.asking(ask.question, ask.history), Labels())

    def _score(self, windows: Sequence[tuple[int, Window]], scores: list[list[Scores]]) -> None:
        longest = max(len(w) for _, w in windows)
        ids, types, real = torch.zeros((3, len(windows), longest), dtype=torch.long)
        for row, (_, window) in enumerate(windows):
            size = len(window)
            ids[row, :size] = torch.from_numpy(window.ids)
            types[row, :size] = torch.from_numpy(window.types)
            real[row, :size] = 1
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
            logits = self._model(ids, types, real)
        tags = logits.tag.sigmoid().numpy() if self.has_tags else None
        for row, (number, window) in enumerate(windows):
            size = len(window)
            scores[number].append(
                Scores(
                    window,
                    logits.start[row, :size].numpy(),
                    logits.end[row, :size].numpy(),
                    tags[row, :size] if tags is not None else None,
                    float(logits.answerable[row]),
                )
            )


def _best(ask: Ask, windows: tuple[Scores, ...]) -> Answer:
    found = []
    tag_of: dict[Span, float] = {}
    for w in windows:
        inside = w.window.answerable
        owners = np.where(inside, 0, -1)
        spans = best_spans(
            w.start, w.end, owners, w.window.offsets, n=SPANS, max_tokens=ask.longest
        )
        found.append((spans, no_answer_score(w.start, w.end) - w.answerable))
        for span in spans:
            tags = w.tags
            tag_of[span] = mean_tag(span, w.window.offsets, tags, inside) if tags is not None else 0
    best, no_answer = merge_windows(found, n=SPANS)
    first = best[0] if best else Span(0, 0, 0.0)
    text = ask.passage.text[first.start : first.end]
    listed = tuple((span, tag_of[span]) for span in best)
    return Answer(text, (first.start, first.end), first.score, no_answer, listed, windows)
