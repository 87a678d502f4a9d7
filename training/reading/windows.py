"""Examples as windows of word pieces with the labels of each piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from qa.reader_format import MAX_LENGTH, STRIDE
from qa.reading_input import MAX_HEADER, asked_pieces
from training.reading.example import Example, Kind, Offsets, Passage

# Sizes that a long passage is cut to in training, in pieces: those of the passages in use.
SHORTEST_CUT = 160
LONGEST_CUT = 320
_END_OF_SENTENCE = ".!?:;"


@dataclass(frozen=True, slots=True)
class Window:
    """A question and a stretch of a passage; arrays [pieces].

    `answerable` pieces may be part of an answer. `start` and `end` are where an answer may start and
    end, the first piece in a window without an answer. `offsets` are characters of the passage's
    text, 0..0 outside of it.
    """

    ids: NDArray[np.int64]
    types: NDArray[np.int64]
    answerable: NDArray[np.bool_]
    start: NDArray[np.bool_]
    end: NDArray[np.bool_]
    tags: NDArray[np.bool_]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Asking:
    """What stands in front of every window of one question: its pieces up to the [SEP]."""

    pieces: Sequence[int]


class Pieces:
    """The encoder's tokenizer and the marks it puts between texts."""

    def __init__(self, base: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.cls, self.sep, self.pad = map(self._mark, ("[CLS]", "[SEP]", "[PAD]"))

    def _mark(self, name: str) -> int:
        number = self._tokenizer.token_to_id(name)
        if number is None:
            raise ValueError(f"The tokenizer has no {name}: give the folder of a BERT encoder.")
        return int(number)

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Each text's word pieces, without marks."""
        encoded: list[Encoding] = self._tokenizer.encode_batch(
            list(texts), add_special_tokens=False
        )
        return encoded

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """The pieces as text."""
        return [str(self._tokenizer.id_to_token(int(i))) for i in ids]

    def asking(self, question: str, history: tuple[str, str] | None) -> Asking:
        """The pieces of a question after its previous turn."""
        texts = [question, *(history or ())]
        asked, *before = [encoded.ids for encoded in self.encode(texts)]
        return Asking(asked_pieces(asked, before, cls=self.cls, sep=self.sep))


@dataclass(frozen=True, slots=True)
class Labels:
    """What is wanted of a passage: see Example."""

    kind: Kind = Kind.NONE
    spans: tuple[Offsets, ...] = ()
    items: tuple[Offsets, ...] = ()

    @classmethod
    def of(cls, example: Example) -> Labels:
        """An example's own."""
        return cls(example.kind, example.spans, example.items)


class Context:
    """A passage in word pieces, from which windows are cut."""

    def __init__(self, pieces: Pieces, passage: Passage, *, header: bool) -> None:
        self._pieces = pieces
        text, *head = pieces.encode([passage.text, *([passage.header] if header else [])])
        self.header: list[int] = head[0].ids[:MAX_HEADER] if head else []
        self.ids = np.array(text.ids, dtype=np.int64)
        self.offsets = np.array(text.offsets, dtype=np.int64).reshape(-1, 2)
        self.answerable = ~_touching(self.offsets, passage.labels)
        self._text = passage.text

    def room(self, asking: Asking) -> int:
        """How many pieces of the passage a window has room for."""
        return MAX_LENGTH - len(asking.pieces) - len(self.header) - 1

    def window(self, asking: Asking, first: int, last: int, labels: Labels) -> Window:
        """The window over the pieces from first to last, end exclusive."""
        before = [*asking.pieces, *self.header]
        lead, size = len(before), len(before) + last - first + 1
        ids = np.full(size, self._pieces.sep, dtype=np.int64)
        ids[:lead], ids[lead:-1] = before, self.ids[first:last]
        types = np.zeros(size, dtype=np.int64)
        types[len(asking.pieces) :] = 1
        inside = slice(lead, lead + last - first)
        offsets = np.zeros((size, 2), dtype=np.int64)
        offsets[inside] = self.offsets[first:last]
        answerable, start, end, tags = np.zeros((4, size), dtype=np.bool_)
        answerable[inside] = self.answerable[first:last]
        tags[inside] = _touching(offsets[inside], labels.items) & answerable[inside]
        start[inside], end[inside] = _ends(offsets[inside], labels) & answerable[inside]
        if labels.kind is not Kind.NONE and tags.any() and not (start.any() and end.any()):
            # The window is a part of the answer.
            start, end = (tags & ~start) | start, (tags & ~end) | end
        if not (start.any() and end.any()):
            start[:], end[:], tags[:] = False, False, False
            start[0] = end[0] = True
        return Window(ids, types, answerable, start, end, tags, offsets)

    def every_window(self, asking: Asking, labels: Labels) -> list[Window]:
        """Windows over the whole passage, neighbours sharing STRIDE pieces, as in use."""
        room = self.room(asking)
        bounds = window_bounds(len(self.ids), room, min(STRIDE, room // 2))
        return [self.window(asking, first, last, labels) for first, last in bounds]

    def drawn_window(
        self, asking: Asking, labels: Labels, rng: np.random.Generator, *, short: bool
    ) -> Window:
        """A window around an answer drawn at random, starting at a sentence if possible.

        A passage that fits is taken whole, unless a short cut is asked for.
        """
        size = self.room(asking)
        if short:
            size = min(size, int(rng.integers(SHORTEST_CUT, LONGEST_CUT)))
        count = len(self.ids)
        if count <= size:
            return self.window(asking, 0, count, labels)
        first = 0
        pool = labels.items or labels.spans
        if pool:
            (held,) = np.nonzero(_touching(self.offsets, [pool[rng.integers(len(pool))]]))
            if len(held) > size:
                first = int(rng.integers(held[0], held[-1] - size // 2 + 1))
            elif len(held):
                low, high = max(0, int(held[-1]) + 1 - size), int(held[0])
                first = self._sentence_start(low, high, rng)
        else:
            first = self._sentence_start(0, count - size, rng)
        first = max(0, min(first, count - size // 2))
        return self.window(asking, first, min(count, first + size), labels)

    def window_without_answer(
        self, asking: Asking, labels: Labels, rng: np.random.Generator
    ) -> Window | None:
        """A window that no answer touches, None if the passage has too little such text."""
        size = min(self.room(asking), int(rng.integers(SHORTEST_CUT, LONGEST_CUT)))
        taken = _touching(self.offsets, (*labels.items, *labels.spans))
        # How many taken pieces stand before each piece.
        before = np.concatenate([[0], np.cumsum(taken)])
        (free,) = np.nonzero(before[size:] == before[:-size])
        if not len(free):
            return None
        first = int(rng.choice(free))
        return self.window(asking, first, first + size, Labels())

    def _sentence_start(self, low: int, high: int, rng: np.random.Generator) -> int:
        """A piece from low to high, if possible one that starts a line or a sentence."""
        starts = [i for i in range(low, high + 1) if self._starts_sentence(i)]
        return int(rng.choice(starts)) if starts else int(rng.integers(low, high + 1))

    def _starts_sentence(self, piece: int) -> bool:
        if piece == 0:
            return True
        end, start = int(self.offsets[piece - 1, 1]), int(self.offsets[piece, 0])
        gap = self._text[end:start]
        return "\n" in gap or (bool(gap) and self._text[end - 1] in _END_OF_SENTENCE)


def window_bounds(length: int, room: int, stride: int) -> list[tuple[int, int]]:
    """Windows of at most `room` pieces over `length`, neighbours sharing `stride` of them."""
    step = max(1, room - stride)
    count = 1 + max(0, -(-(length - room) // step))
    return [(i * step, min(i * step + room, length)) for i in range(count)]


def _touching(offsets: NDArray[np.int64], ranges: Sequence[Offsets]) -> NDArray[np.bool_]:
    """Which pieces share a character with one of the ranges."""
    found = np.zeros(len(offsets), dtype=np.bool_)
    for start, end in ranges:
        found |= (offsets[:, 0] < end) & (start < offsets[:, 1])
    return found


def _ends(offsets: NDArray[np.int64], labels: Labels) -> NDArray[np.bool_]:
    """The first and the last piece of every span in a window, as two masks.

    Of a span that the window cuts only the end that is inside counts.
    """
    masks = np.zeros((2, len(offsets)), dtype=np.bool_)
    if not len(offsets):
        return masks
    left, right = int(offsets[0, 0]), int(offsets[-1, 1])
    for start, end in labels.spans:
        (held,) = np.nonzero((offsets[:, 0] < end) & (start < offsets[:, 1]))
        if len(held):
            masks[0, held[0]] |= left <= start
            masks[1, held[-1]] |= end <= right
    return masks
