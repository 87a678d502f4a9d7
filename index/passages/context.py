"""What encoder and reader are given of a stretch of a document.

A cell is given with the heads of its column, an item of a list that was cut with the sentence that leads
in, and all with the document's title and the headings in front. Only what stands at the place itself can
be quoted: segments lead back to it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from index.documents.blocks import Block, Cell, Offsets

# Between a title and a heading, a head and its cell, and two cells.
PATH_SEPARATOR = " > "
HEAD_SEPARATOR = ": "
CELL_SEPARATOR = " · "


class Segment(NamedTuple):
    """A part of a context, from `at` on, that is the document's text[start:end]."""

    at: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ContextOptions:
    """What is given with a passage; each can be left out to measure what it brings."""

    title: bool = True
    section: bool = True
    column_heads: bool = True
    lead_in: bool = True


FULL_CONTEXT = ContextOptions()


@dataclass(frozen=True, slots=True)
class Context:
    """A text for the models, and which parts of it can be quoted, in order."""

    text: str
    segments: tuple[Segment, ...]

    @property
    def body(self) -> Context:
        """The context from the first line that can be quoted on, without what stands in front."""
        first = self.segments[0].at if self.segments else 0
        start = self.text.rfind("\n", 0, first) + 1
        return Context(self.text[start:], tuple(s._replace(at=s.at - start) for s in self.segments))

    def place_of(self, start: int, end: int) -> Offsets | None:
        """Where text[start:end] stands in the document; None where it is not in one segment."""
        number = bisect_right(self.segments, start, key=lambda segment: segment.at) - 1
        if number < 0:
            return None
        at, first, last = self.segments[number]
        found = first + start - at, first + end - at
        return found if found[1] <= last else None


def plain_context(text: str, start: int, end: int) -> Context:
    """The document's own words."""
    return Context(text[start:end], (Segment(0, start, end),))


def row_context(text: str, row: Block, options: ContextOptions) -> Context:
    """A row of a table as "City: Lyon · Hives: 18"; each cell can be quoted by itself."""
    return cells_context(text, row, [cell for cell in row.cells if cell.start < cell.end], options)


def cells_context(text: str, row: Block, cells: Sequence[Cell], options: ContextOptions) -> Context:
    """Some of a row's cells, each with its heads."""
    words, segments = "", []
    if options.column_heads and cells:
        outside = [head for head in cells[-1].row_heads if not row.start <= head[0] < row.end]
        words = "".join(text[slice(*head)] + CELL_SEPARATOR for head in outside)
    for number, cell in enumerate(cells):
        label = _label(text, cell) if options.column_heads else ""
        if number:
            # "Weight: 2 kg", where only the row has a head.
            only_row_head = number == 1 and cell.row_heads and not label
            words += HEAD_SEPARATOR if only_row_head else CELL_SEPARATOR
        words += label
        segments.append(Segment(len(words), cell.start, cell.end))
        words += text[cell.start : cell.end]
    return Context(words, tuple(segments))


def join_contexts(
    header: str, parts: Sequence[Context], gaps: Sequence[str]
) -> tuple[Context, tuple[Offsets, ...]]:
    """Parts of a document joined to one context below a header, and where each of them is in it.

    `gaps` has what stands between each two parts. Parts that follow each other in one block become one
    segment, so that what is quoted can run over sentences and never over blocks.
    """
    words = f"{header}\n" if header else ""
    segments: list[Segment] = []
    places = []
    for number, part in enumerate(parts):
        words += gaps[number - 1] if number else ""
        places.append((len(words), len(words) + len(part.text)))
        segments += [s._replace(at=s.at + len(words)) for s in part.segments]
        words += part.text
    return Context(words, tuple(segments)), tuple(places)


def _label(text: str, cell: Cell) -> str:
    heads = " ".join(text[slice(*head)] for head in cell.heads)
    return heads + HEAD_SEPARATOR if heads else ""
