"""The cells of a table laid out on its grid, each with the heads of its column and of its row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from index.documents.blocks import Cell, Offsets
from index.documents.boxes import Origin

# A cell that spans more columns or rows than this is a mistake or an attack.
MAX_SPAN = 1_000
# Two rows of heads are common ("2023 | 2024" below "Revenue"), three are rare.
MAX_HEAD_ROWS = 3

_DIGIT = re.compile(r"\d")
Place = tuple[int, int]  # the row and the column at which a cell starts, from 0


@dataclass(frozen=True, slots=True)
class DraftCell:
    """A cell as a format's reader finds it; `columns` and `rows` are how many it spans.

    `origins` say where its text stands, in which white space is a single space then.
    """

    text: str
    is_head: bool = False
    columns: int = 1
    rows: int = 1
    origins: tuple[Origin, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class PlacedCell:
    """A cell at its column; `heads` and `row_heads` are the places of the cells that head it."""

    text: str
    column: int
    columns: int
    is_head: bool
    heads: tuple[Place, ...] = ()
    row_heads: tuple[Place, ...] = ()
    origins: tuple[Origin, ...] = field(default=(), compare=False)

    @property
    def covered(self) -> range:
        """The columns that it stands in."""
        return range(self.column, self.column + self.columns)

    def placed(self, start: int, end: int, offsets: Mapping[Place, Offsets]) -> Cell:
        """The cell of a document, at its offsets; `offsets` has those of the cells before it."""
        return Cell(
            start,
            end,
            self.column,
            self.columns,
            self.is_head,
            tuple(offsets[place] for place in self.heads if place in offsets),
            tuple(offsets[place] for place in self.row_heads if place in offsets),
        )


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table, numbered from 0 among all its rows."""

    number: int
    cells: tuple[PlacedCell, ...]


@dataclass(slots=True)
class _Heads:
    """The heads that apply to the next row: those of each column, and the row that heads a part."""

    columns: dict[int, list[Place]] = field(default_factory=dict)
    part: Place | None = None
    part_is_marked: bool = False


@dataclass(frozen=True, slots=True)
class _GridRow:
    """A row's cells at their columns, and the places of cells above it that reach down into it."""

    cells: list[PlacedCell]
    from_above: list[Place]


def lay_out(rows: Sequence[Sequence[DraftCell]]) -> list[TableRow]:
    """Place the cells of a table and find their heads.

    A row of nothing but heads gives the heads of the columns below it; a head row in the middle of a
    table replaces them. A cell that spans the whole table heads the rows below it up to the next such
    row, but where it is no head and they have heads of their own. A head cell in another row heads that
    row; in a row without one the first cell does.
    """
    grid = _grid(rows)
    width = max((cell.column + cell.columns for row in grid for cell in row.cells), default=0)
    heads = _Heads()
    laid_out = []
    head_rows = 0  # directly above
    for number, row in enumerate(grid):
        filled = [cell for cell in row.cells if cell.text]
        spans_all = width > 1 and len(filled) == 1 and filled[0].columns == width
        is_head_row = (
            bool(filled)
            and all(cell.is_head for cell in filled)
            and not spans_all
            and not _heads_nothing_else(row)
            and head_rows < MAX_HEAD_ROWS
        )
        if spans_all:
            heads.part = (number, filled[0].column)
            heads.part_is_marked = filled[0].is_head
            cells = row.cells
        elif is_head_row:
            if not head_rows:
                heads = _Heads()
            cells = _head_cells(row, heads)
        else:
            cells = _body_cells(number, row, heads)
        laid_out.append(TableRow(number, tuple(cells)))
        if is_head_row:
            for cell in filled:
                for column in cell.covered:
                    heads.columns.setdefault(column, []).append((number, cell.column))
        head_rows = head_rows + 1 if is_head_row else 0
    return laid_out


def guess_heads(rows: Sequence[Sequence[str]]) -> list[list[DraftCell]]:
    """The rows of a table in which no head is marked, its first row as heads where it looks like them.

    It does where the table has three columns or more, its cells are filled, differ and have no digit,
    and some column below has a number in every cell. In a table of two columns the first row is more
    often the first of many names with a value.
    """
    cells = [[DraftCell(text) for text in row] for row in rows]
    if len(rows) > 1 and _looks_like_heads(rows):
        cells[0] = [replace(cell, is_head=True) for cell in cells[0]]
    return cells


def _looks_like_heads(rows: Sequence[Sequence[str]]) -> bool:
    first = [text.strip() for text in rows[0]]
    if len(first) < 3 or not all(first[1:]) or len(set(first)) < len(first):
        return False
    if any(_DIGIT.search(text) for text in first):
        return False
    columns = zip_longest(*rows[1:], fillvalue="")
    return any(all(_DIGIT.search(text) for text in column) for column in columns)


def _grid(rows: Sequence[Sequence[DraftCell]]) -> list[_GridRow]:
    """Each row's cells at their columns, past those that cells above reach down to."""
    reaching: dict[int, tuple[int, Place]] = {}  # column → how many more rows, and which cell's
    grid = []
    for number, row in enumerate(rows):
        covered = dict(reaching)
        reaching = {at: (left - 1, place) for at, (left, place) in covered.items() if left > 1}
        column, placed = 0, []
        for cell in row:
            while column in covered:
                column += 1
            words = " ".join(cell.text.split())
            one = PlacedCell(
                words,
                column,
                max(1, min(cell.columns, MAX_SPAN)),
                cell.is_head,
                origins=cell.origins if words == cell.text else (),
            )
            placed.append(one)
            if cell.rows > 1:
                more = min(cell.rows, MAX_SPAN) - 1
                reaching |= dict.fromkeys(one.covered, (more, (number, column)))
            column += one.columns
        above = [place for _, (_, place) in sorted(covered.items())]
        grid.append(_GridRow(placed, list(dict.fromkeys(above))))
    return grid


def _head_cells(row: _GridRow, heads: _Heads) -> list[PlacedCell]:
    return [replace(cell, is_head=True, heads=_above(cell, heads)) for cell in row.cells]


def _heads_nothing_else(row: _GridRow) -> bool:
    """Whether a row has a head in front of cells that were left empty, as where a value is unknown."""
    first, *others = row.cells
    return (
        bool(first.text)
        and bool(others)
        and not any(cell.text for cell in others)
        and not all(cell.is_head for cell in others)
    )


def _body_cells(number: int, row: _GridRow, heads: _Heads) -> list[PlacedCell]:
    filled = [cell for cell in row.cells if cell.text]
    marked = [cell for cell in filled if cell.is_head]
    headed_from_above = any(
        place[1] < cell.column for place in row.from_above for cell in filled[:1]
    )
    beside = marked or ([] if headed_from_above else filled[:1])
    part = [heads.part] if heads.part and (heads.part_is_marked or not marked) else []
    return [
        replace(
            cell,
            heads=_above(cell, heads),
            row_heads=(
                *part,
                *(place for place in row.from_above if place[1] < cell.column),
                *((number, head.column) for head in beside if head.column < cell.column),
            ),
        )
        for cell in row.cells
    ]


def _above(cell: PlacedCell, heads: _Heads) -> tuple[Place, ...]:
    """The places of the heads of a cell's columns, outermost first, each once."""
    return tuple(
        dict.fromkeys(place for column in cell.covered for place in heads.columns.get(column, ()))
    )
