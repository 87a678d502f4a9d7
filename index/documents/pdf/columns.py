"""Rows of print without a grid in, the tables and columns of text that they are out, by alignment.

Rows that follow each other are a table if the same gutters run between their parts, and the parts are
not the lines of columns of text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median

from index.documents.boxes import UNITS
from index.documents.pdf.cells import (
    WORD,
    Level,
    PrintedCell,
    PrintedTable,
    levels_of,
    slice_of,
    with_heads,
)
from index.documents.pdf.lines import Line
from index.documents.pdf.shapes import Rule

# A gutter is at least this wide, in sizes of print.
MIN_GUTTER = 0.5
# Rows further apart, in sizes of print, are not of one table, if no rules are.
MAX_ROW_DISTANCE = 3.5
# A line that is so much higher than the one before it is that of the next column of text.
COLUMN_JUMP = 8
# The print of two cells beside or below each other differs less in size.
MAX_SIZES = 1.35
# Words of two cells of different columns are this far apart, where others show the gutter.
MIN_WORD_GAP = 0.45
# Of the rows, more than this share have print on both sides of a gutter that some cell crosses.
MIN_BESIDE = 0.25
# Of the rows of a table this share may have a cell over a gutter.
MAX_ACROSS = 0.2
# If more than this share of the lines are further apart than those of a cell, all rows are.
MIN_PADDED = 0.3
# Lines of a cell are this close, in sizes of print.
MAX_CELL_LEADING = 1.35
# A column whose lines have so many words, and mostly fill it, is one of text.
WORDS_OF_PROSE = 5
_MARKER = re.compile(r"[•●▪◦‣■–—*-]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)]")
Gutter = tuple[float, float]  # where it begins and ends, from left to right


def flows_of(parts: Sequence[tuple[int, Line]], taken: set[int]) -> list[list[tuple[int, Line]]]:
    """The parts of lines that follow each other down one column of a page, numbered."""
    flows: list[list[tuple[int, Line]]] = []
    last: Line | None = None
    for at, (_, part) in enumerate(parts):
        if at in taken:
            last = None
            continue
        jumps = last is not None and part.base - last.base > COLUMN_JUMP * part.size
        if last is None or jumps or last.turn != part.turn:
            flows.append([])
        flows[-1].append((at, part))
        last = part
    return flows


def regions_of(flow: Sequence[tuple[int, Line]]) -> list[list[Level]]:
    """The stretches of a flow that may be tables: rows of parts side by side, few others between."""
    if not any(_are_beside(a, b) for (_, a), (_, b) in zip(flow, flow[1:], strict=False)):
        return []
    regions: list[list[Level]] = []
    region: list[Level] = []
    single = 0
    for row in levels_of(flow):
        near = bool(region) and _distance(region[-1], row) < MAX_ROW_DISTANCE
        if not _is_of_one_size([*(region[-1] if region else ()), *row]):
            regions.append(region)
            region, single = ([row], 0) if len(row) > 1 and _is_of_one_size(row) else ([], 0)
        elif len(row) > 1 and (not region or near):
            region.append(row)
            single = 0
        elif near and single < 3 and _distance(region[-1], row) < 2.2:
            region.append(row)
            single += 1
        else:
            regions.append(region)
            region, single = ([row], 0) if len(row) > 1 else ([], 0)
    regions.append(region)
    return [cut for one in regions if len(cut := _without_tail(one)) > 1]


def _are_beside(one: Line, other: Line) -> bool:
    return other.left > one.right and other.base > one.base - 0.3 * one.size


def _is_of_one_size(row: Level) -> bool:
    sizes = [line.size for _, line in row]
    return max(sizes) < MAX_SIZES * min(sizes)


def _distance(above: Level, row: Level) -> float:
    return (above[0][1].base - row[0][1].base) / row[0][1].size


def _without_tail(region: list[Level]) -> list[Level]:
    """A region without lines at its end that stand alone, but for those of a last cell."""
    end = len(region)
    while end and len(region[end - 1]) == 1:
        end -= 1
    kept = region[:end]
    if not kept:
        return []
    left = kept[-1][0][1].right
    for row in region[end:]:
        line = row[0][1]
        if line.left <= left or _distance(kept[-1], row) > MAX_CELL_LEADING:
            break
        kept.append(row)
    return kept


def aligned_columns(
    rows: Sequence[Sequence[Line]], rules: Sequence[Rule]
) -> PrintedTable | list[Line] | None:
    """The table that rows of parts are, or the lines of columns of text that stand side by side."""
    size = median(line.size for row in rows for line in row)
    gutters = _gutters(rows, size)
    if not gutters:
        return None
    rows = [[part for line in row for part in _at_gutters(line, gutters)] for row in rows]
    several = [row for row in rows if len({_column(line, gutters) for line in row}) > 1]
    columns: list[list[Line]] = [[] for _ in range(len(gutters) + 1)]
    for row in several:
        for line in row:
            columns[_column(line, gutters)].append(line)
    if not all(columns) or all(_MARKER.fullmatch(line.text) for line in columns[0]):
        return None
    if 2 * sum(" … " in line.text for row in rows for line in row) > len(rows):
        return None
    if sum(map(_is_prose, columns)) > 1:
        return _one_after_the_other(rows, gutters)
    between = _rules_between(rows, rules)
    keyed = all(row[0].text.endswith(":") for row in several)
    if len(several) < (3 if len(gutters) == 1 and not (between or keyed) else 2):
        return None
    return with_heads(_rows_of(rows, gutters, between), head_rule=_head_rule(rows, between))


def _gutters(rows: Sequence[Sequence[Line]], size: float) -> list[Gutter]:
    """The stretches from left to right that (nearly) no row has print in, and print on both sides."""
    ends = sorted(
        [(line.left, 1) for row in rows for line in row]
        + [(line.right, -1) for row in rows for line in row]
    )
    allowed = int(MAX_ACROSS * len(rows)) if len(rows) > 4 else 0
    clear: list[Gutter] = []
    crossed: list[Gutter] = []
    covering = 0
    inside: list[
        tuple[float, float, int]
    ] = []  # the stretches of a gutter, and how many cover them
    for (x, change), (following, _) in zip(ends, ends[1:], strict=False):
        covering += change
        if covering <= allowed:
            inside.append((x, following, covering))
            continue
        if inside and inside[-1][1] - inside[0][0] > MIN_GUTTER * size:
            empty = [(end - start, start, end) for start, end, count in inside if not count]
            if empty:
                clear.append(max(empty)[1:])
            else:
                crossed.append((inside[0][0], inside[-1][1]))
        inside = []
    return sorted(clear + [one for one in crossed if _parts_columns(one, rows, clear + crossed)])


def _parts_columns(
    gutter: Gutter, rows: Sequence[Sequence[Line]], gutters: Sequence[Gutter]
) -> bool:
    """Whether rows have print on both sides of a gutter, in the columns next to it.

    Where few have, it only parts a long cell from the middle of the others in its column.
    """
    ordered = sorted(gutters)
    column = ordered.index(gutter)
    beside = [{_column(line, ordered) for line in row} >= {column, column + 1} for row in rows]
    return sum(beside) > MIN_BESIDE * len(rows)


def _at_gutters(line: Line, gutters: Sequence[Gutter]) -> list[Line]:
    """A part of a line, parted again where a gutter shows that two words are in two cells.

    They are where they stand a little apart, or the second one begins where its column does.
    """
    crossed = [one for one in gutters if line.left < one[0] and one[1] < line.right + 1]
    if not crossed or line.edges is None:
        return [line]
    parts, start = [], 0
    words = [(word.start(), word.end()) for word in WORD.finditer(line.text)]
    for (_, end), (following, _) in zip(words, words[1:], strict=False):
        before, left = int(line.edges[end - 1, 1]) / UNITS, int(line.edges[following, 0]) / UNITS
        for gutter in crossed:
            aligned = abs(left - gutter[1]) < 1
            apart = left - before > MIN_WORD_GAP * line.size
            if before < gutter[1] and left > gutter[0] and (aligned or apart):
                parts.append(slice_of(line, start, end))
                start = following
                break
    return [*parts, slice_of(line, start, len(line.text))]


def _column(line: Line, gutters: Sequence[Gutter]) -> int:
    return sum(line.left > (left + right) / 2 for left, right in gutters)


def _is_prose(column: Sequence[Line]) -> bool:
    """Whether the lines of a column are those of running text."""
    width = max(line.right for line in column) - min(line.left for line in column)
    full = [line for line in column if line.right - line.left > 0.75 * width]
    words = median(len(line.text.split()) for line in column)
    return len(column) > 2 and words >= WORDS_OF_PROSE and len(full) > 0.6 * len(column)


def _one_after_the_other(
    rows: Sequence[Sequence[Line]], gutters: Sequence[Gutter]
) -> list[Line] | None:
    """Columns of text whose lines a file has in turns, one column after the other."""
    beside = sum(len(row) > 1 for row in rows)
    if len(rows) < 4 or 2 * beside < len(rows):
        return None
    columns: list[list[Line]] = [[] for _ in range(len(gutters) + 1)]
    for row in rows:
        for line in row:
            columns[_column(line, gutters)].append(line)
    return [line for column in columns for line in column]


def _rules_between(rows: Sequence[Sequence[Line]], rules: Sequence[Rule]) -> set[int]:
    """The numbers of the rows that a rule over half of the table stands above, but for the first."""
    left = min(line.left for row in rows for line in row)
    right = max(line.right for row in rows for line in row)
    found = set()
    for number, (above, row) in enumerate(zip(rows, rows[1:], strict=False), 1):
        width = sum(
            min(rule.right, right) - max(rule.left, left)
            for rule in rules
            if rule.top - rule.bottom < rule.right - rule.left
            and row[0].base < rule.bottom < above[0].base
            and min(rule.right, right) > max(rule.left, left)
        )
        if width > 0.5 * (right - left):
            found.add(number)
    return found


def _head_rule(rows: Sequence[Sequence[Line]], between: set[int]) -> bool:
    """Whether a rule parts the first row from the others, and hardly any those."""
    return 1 in between and len(between) < max(2, 0.5 * len(rows))


def _rows_of(
    rows: Sequence[Sequence[Line]], gutters: Sequence[Gutter], between: set[int]
) -> list[tuple[PrintedCell, ...]]:
    """The rows of a table from the lines of print at each height."""
    groups: list[list[Sequence[Line]]] = []
    ruled = len(between) > max(2, len(rows) / 4)
    distances = [
        (above[0].base - row[0].base) / row[0].size
        for above, row in zip(rows, rows[1:], strict=False)
    ]
    # Where rows are set apart, lines that are not are those of one row.
    far = sum(one > MAX_CELL_LEADING for one in distances)
    limit = 1.1 * min(distances) if max(distances) > 1.2 * min(distances) else 0.0
    if far > MIN_PADDED * len(distances):
        limit = MAX_CELL_LEADING
    for number, row in enumerate(rows):
        first = _column(row[0], gutters)
        distance = distances[number - 1] if number else 0.0
        if not groups or number in between:
            groups.append([row])
        elif distance < MAX_CELL_LEADING and (
            ruled or distance < limit or (not limit and first > 0 and len(row) <= len(gutters))
        ):
            groups[-1].append(row)
        else:
            groups.append([row])
    return [_cells(group, gutters) for group in groups]


def _cells(group: Sequence[Sequence[Line]], gutters: Sequence[Gutter]) -> tuple[PrintedCell, ...]:
    """The cells of a row; one that reaches over a gutter spans the columns beside it."""
    lines: dict[int, list[Line]] = {}
    ends: dict[int, int] = {}
    for row in group:
        for line in row:
            column = _column(line, gutters)
            lines.setdefault(column, []).append(line)
            end = sum(line.right > (left + right) / 2 for left, right in gutters)
            ends[column] = max(end, ends.get(column, column))
    cells, column = [], 0
    while column <= len(gutters):
        end = ends.get(column, column)
        # What another cell stands in cannot be spanned.
        end = min([end, *(other - 1 for other in lines if other > column)])
        cells.append(PrintedCell(tuple(lines.get(column, ())), columns=end - column + 1))
        column = end + 1
    return tuple(cells)
