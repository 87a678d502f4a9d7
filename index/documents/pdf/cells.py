"""The parts of lines of print that may be cells, and the tables that they make."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from index.documents.boxes import UNITS
from index.documents.pdf.lines import WIDE_GAP, Line
from index.documents.tables import MAX_HEAD_ROWS

WORD = re.compile(r"\S+")
# The rest of a table on the next page stands as far to the left and right, but for its cells' text.
MAX_SHIFT = 30.0

Level = list[tuple[int, Line]]


@dataclass(frozen=True, slots=True)
class PrintedCell:
    """The lines of a cell, from top to bottom; `columns` and `rows` are how many it spans."""

    lines: tuple[Line, ...] = ()
    is_head: bool = False
    columns: int = 1
    rows: int = 1


@dataclass(frozen=True, slots=True)
class PrintedTable:
    """The rows of a table."""

    rows: tuple[tuple[PrintedCell, ...], ...]

    @property
    def has_heads(self) -> bool:
        """Whether print or rules mark its heads."""
        return any(cell.is_head for row in self.rows for cell in row)


def continues(table: PrintedTable, following: PrintedTable) -> bool:
    """Whether a table at the top of a page is the rest of one at the end of the page before.

    It is where it has as many columns in the same place, and no heads of its own.
    """
    first, last = following.rows[0], table.rows[-1]
    if (
        following.has_heads
        or _columns(first) != _columns(last)
        or _text(first) == _text(table.rows[0])
    ):
        return False
    above, below = rows_of(table), rows_of(following)
    sides = [
        (min(line.left for line in rows), max(line.right for line in rows))
        for rows in (above, below)
    ]
    (left, right), (other_left, other_right) = sides
    return abs(left - other_left) < MAX_SHIFT and abs(right - other_right) < MAX_SHIFT


def _columns(row: Sequence[PrintedCell]) -> int:
    return sum(cell.columns for cell in row)


def _text(row: Sequence[PrintedCell]) -> list[str]:
    return [line.text for cell in row for line in cell.lines]


def rows_of(table: PrintedTable) -> list[Line]:
    """The rows of a table as lines from its left to its right, which show how wide a page's text is."""
    rows = [[line for cell in row for line in cell.lines] for row in table.rows]
    return [
        replace(row[0], left=min(one.left for one in row), right=max(one.right for one in row))
        for row in rows
        if row
    ]


def parts_of(line: Line, gap: float = WIDE_GAP) -> list[Line]:
    """A line parted where its words are further apart than `gap` times its size."""
    if line.edges is None or len(line.text) < 2:
        return [line]
    edges = line.edges
    limit = gap * line.size * UNITS
    # Most lines have no such gap, and are not looked at word by word.
    if not (edges[1:, 0] - edges[:-1, 1] > limit).any():
        return [line]
    words = [(word.start(), word.end()) for word in WORD.finditer(line.text)]
    parts, start = [], 0
    for (_, end), (following, _) in zip(words, words[1:], strict=False):
        if edges[following, 0] - edges[end - 1, 1] > limit:
            parts.append(slice_of(line, start, end))
            start = following
    return [*parts, slice_of(line, start, len(line.text))]


def slice_of(line: Line, start: int, end: int) -> Line:
    """Some of the characters of a line, where they stand."""
    if line.edges is None:
        return replace(line, text=line.text[start:end])
    edges = line.edges[start:end]
    return replace(
        line,
        text=line.text[start:end],
        left=int(edges[0, 0]) / UNITS,
        right=int(edges[-1, 1]) / UNITS,
        edges=edges,
        marker=line.marker if start == 0 else "",
    )


def levels_of(parts: Sequence[tuple[int, Line]]) -> list[Level]:
    """The parts by the height they stand at, from top to bottom, each from left to right."""
    rows: list[Level] = []
    for numbered in sorted(parts, key=lambda one: -one[1].base):
        line = numbered[1]
        if rows and rows[-1][0][1].base - line.base < 0.3 * line.size:
            rows[-1].append(numbered)
        else:
            rows.append([numbered])
    return [sorted(row, key=lambda one: one[1].left) for row in rows]


def with_heads(rows: Sequence[tuple[PrintedCell, ...]], *, head_rule: bool = False) -> PrintedTable:
    """The table, its first row one of heads where its print or a rule below it says so."""
    filled = [row for row in rows if any(cell.lines for cell in row)]
    heads = int(head_rule and len(filled) > 1)
    if not all(map(_is_bold, filled)):
        heads = max(heads, next(at for at, row in enumerate(filled) if not _is_bold(row)))
    for at in range(min(heads, MAX_HEAD_ROWS)):
        filled[at] = tuple(replace(cell, is_head=True) for cell in filled[at])
    return PrintedTable(tuple(filled))


def _is_bold(row: Sequence[PrintedCell]) -> bool:
    return all(line.bold for cell in row for line in cell.lines)
