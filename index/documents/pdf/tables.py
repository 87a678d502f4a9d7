"""Lines of print and rules of a page in, its tables out: by a grid of rules, or by aligned columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from index.documents.boxes import UNITS
from index.documents.pdf.cells import (
    WORD,
    PrintedCell,
    PrintedTable,
    levels_of,
    parts_of,
    slice_of,
    with_heads,
)
from index.documents.pdf.columns import aligned_columns, flows_of, regions_of
from index.documents.pdf.grids import Grid, find_grids
from index.documents.pdf.lines import Line
from index.documents.pdf.shapes import Rule

# Of the fields of a grid at least this share has text, or it is a form's or a drawing's.
MIN_FILLED = 0.3
# A middling cell with more text than this is a frame around paragraphs.
MAX_CELL_CHARACTERS = 300


def find_tables(lines: Sequence[Line], rules: Sequence[Rule]) -> list[Line | PrintedTable]:
    """The lines in their order, with a table in place of the first of those that are in it."""
    parts = [(number, part) for number, line in enumerate(lines) for part in parts_of(line)]
    found: list[tuple[set[int], PrintedTable | list[Line]]] = []
    taken: set[int] = set()
    for grid in find_grids(rules):
        inside = {
            at for at, (_, part) in enumerate(parts) if at not in taken and _is_inside(part, grid)
        }
        table = _grid_table([parts[at][1] for at in sorted(inside)], grid)
        if table is not None:
            found.append((inside, table))
            taken |= inside
    for flow in flows_of(parts, taken):
        for region in regions_of(flow):
            at = {number for row in region for number, _ in row}
            rows = [[part for _, part in row] for row in region]
            made = aligned_columns(rows, rules)
            if made is not None:
                found.append((at, made))
                taken |= at
    if not found:
        return list(lines)
    return _with_tables(lines, parts, found)


def _with_tables(
    lines: Sequence[Line],
    parts: Sequence[tuple[int, Line]],
    found: Sequence[tuple[set[int], PrintedTable | list[Line]]],
) -> list[Line | PrintedTable]:
    owner = {at: number for number, (inside, _) in enumerate(found) for at in inside}
    broken = {parts[at][0] for at in owner}
    items: list[Line | PrintedTable] = []
    written: set[int] = set()
    last = -1
    for at, (number, part) in enumerate(parts):
        if at in owner:
            if owner[at] not in written:
                written.add(owner[at])
                one = found[owner[at]][1]
                items += [one] if isinstance(one, PrintedTable) else one
        elif number in broken:
            items.append(part)
        elif number != last:
            items.append(lines[number])
        last = number
    return items


def _is_inside(line: Line, grid: Grid) -> bool:
    middle = (line.left + line.right) / 2
    return (
        not line.turn
        and grid.left - 2 < middle < grid.right + 2
        and grid.bottom - 1 < line.base + 0.3 * line.size < grid.top + 1
    )


def _grid_table(parts: Sequence[Line], grid: Grid) -> PrintedTable | None:
    """The table of what stands in a grid; None where that is no table."""
    fields: dict[tuple[int, int], list[Line]] = {}
    for part in parts:
        row = grid.row_at(part.base + 0.3 * part.size)
        for column, piece in _by_columns(part, grid):
            fields.setdefault(grid.field_of[row, column], []).append(piece)
    total = len(set(grid.field_of.values()))
    if len(fields) < max(2, MIN_FILLED * total):
        return None
    if median(sum(len(line.text) for line in one) for one in fields.values()) > MAX_CELL_CHARACTERS:
        return None
    columns = {column for _, column in fields}
    rows_with_two = [r for r in range(grid.rows) if sum(row == r for row, _ in fields) > 1]
    if len(columns) < 2 or not rows_with_two:
        return None
    rows = []
    for row in range(grid.rows):
        cells = []
        for column in range(grid.columns):
            if grid.field_of[row, column] == (row, column):
                down, across = grid.spans[row, column]
                lines = tuple(_in_order(fields.get((row, column), [])))
                cells.append(PrintedCell(lines, columns=across, rows=down))
        rows.append(tuple(cells))
    if grid.rows <= 3:
        rows = [piece for row in rows for piece in _split_band(row)]
    return with_heads(rows)


def _by_columns(part: Line, grid: Grid) -> list[tuple[int, Line]]:
    """A part of a line by the columns of a grid that its words stand in."""
    first, last = grid.column_at(part.left + 1), grid.column_at(part.right - 1)
    if first == last or part.edges is None:
        return [(grid.column_at((part.left + part.right) / 2), part)]
    found: list[tuple[int, int, int]] = []
    for word in WORD.finditer(part.text):
        middle = (int(part.edges[word.start(), 0]) + int(part.edges[word.end() - 1, 1])) / UNITS / 2
        column = grid.column_at(middle)
        if found and found[-1][0] == column:
            found[-1] = (column, found[-1][1], word.end())
        else:
            found.append((column, word.start(), word.end()))
    return [(column, slice_of(part, start, end)) for column, start, end in found]


def _split_band(row: tuple[PrintedCell, ...]) -> list[tuple[PrintedCell, ...]]:
    """The rows of a field of a grid that only has rules between its columns."""
    counts = {len(cell.lines) for cell in row}
    if len(counts) > 1 or min(counts) < 3 or any(cell.rows > 1 for cell in row):
        return [row]
    levels = [[line.base for line in cell.lines] for cell in row]
    aligned = all(
        max(bases) - min(bases) < 0.5 * row[0].lines[0].size for bases in zip(*levels, strict=True)
    )
    if not aligned:
        return [row]
    return [
        tuple(replace(cell, lines=(cell.lines[at],)) for cell in row) for at in range(min(counts))
    ]


def _in_order(lines: Sequence[Line]) -> list[Line]:
    """The lines of a cell from top to bottom, those on one level from left to right."""
    return [line for row in levels_of(list(enumerate(lines))) for _, line in row]
