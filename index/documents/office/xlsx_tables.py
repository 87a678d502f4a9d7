"""The tables of a sheet: where each begins and ends, which rows are heads, and the lines around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from index.documents.office.xlsx_cells import SheetCell
from index.documents.office.xlsx_sheet import Place, Sheet
from index.documents.tables import DraftCell

# A column of cells no longer than this is a list; longer ones are paragraphs.
MAX_IN_LIST = 80
# Two rows of heads are common, as years with quarters below.
MAX_HEAD_ROWS = 3

Occupied = dict[int, set[int]]  # the columns of each row in which a cell shows or reaches


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of a sheet that is parted from the rest by empty rows and columns."""

    rows: tuple[int, ...]
    first: int
    last: int

    @property
    def width(self) -> int:
        """How many columns it has."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class SheetTable:
    """A table, with the lines that stand above and below it in its first column."""

    above: list[str]
    rows: list[list[DraftCell]]
    below: list[str]


def sheet_tables(sheet: Sheet) -> Iterator[SheetTable]:
    """The tables of a sheet from top to bottom and from left to right."""
    covered = _covered(sheet)
    occupied: Occupied = {row: set(cells) for row, cells in sheet.rows.items()}
    for row, column in covered:
        occupied.setdefault(row, set()).add(column)
    for region in _joined(sheet, covered, _regions(occupied)):
        yield _table(sheet, covered, region)


def _covered(sheet: Sheet) -> set[Place]:
    """The places that merged cells reach over, as far as the sheet is used."""
    bottom = max(sheet.rows, default=0)
    right = max((max(cells) for cells in sheet.rows.values()), default=0)
    budget = 20 * sum(map(len, sheet.rows.values())) + 1_000
    covered: set[Place] = set()
    for (top, left), (end_row, end_column) in sheet.merged.items():
        for row in range(top, min(end_row, bottom) + 1):
            covered |= {(row, column) for column in range(left, min(end_column, right) + 1)}
            if len(covered) > budget:
                return set()  # no person has merged so many
        covered.discard((top, left))
    return covered


def _regions(occupied: Occupied) -> Iterator[Region]:
    """Part a sheet at empty rows, each part at empty columns, and so on."""
    for rows in _runs(sorted(occupied)):
        columns = sorted(set().union(*(occupied[row] for row in rows)))
        groups = _with_narrow(occupied, rows, _runs(columns))
        if len(groups) == 1:
            yield Region(tuple(rows), columns[0], columns[-1])
            continue
        for group in groups:
            within = {row: occupied[row] & set(group) for row in rows}
            yield from _regions({row: cells for row, cells in within.items() if cells})


def _runs(numbers: Sequence[int]) -> list[list[int]]:
    """The numbers, in runs of those that follow each other."""
    runs: list[list[int]] = []
    for one in numbers:
        if runs and one == runs[-1][-1] + 1:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _with_narrow(
    occupied: Occupied, rows: Sequence[int], groups: list[list[int]]
) -> list[list[int]]:
    """The groups of columns, one of a single column joined with the table that it is part of."""

    def filled(group: list[int]) -> set[int]:
        return {row for row in rows if not occupied[row].isdisjoint(group)}

    joined = groups[:1]
    for left, right in pairwise(groups):
        narrow = min(len(left), len(right)) == 1
        a, b = filled(left), filled(right)
        if narrow and right[0] == left[-1] + 2 and len(a & b) > 1 and min(a) == min(b):
            joined[-1] = [*joined[-1], *right]
        else:
            joined.append(right)
    return joined


def _joined(sheet: Sheet, covered: set[Place], regions: Iterator[Region]) -> Iterator[Region]:
    """The regions, with those that go on below an empty row without heads of their own."""
    last: Region | None = None
    for region in regions:
        if last is not None and _goes_on(sheet, covered, last, region):
            last = Region(last.rows + region.rows, last.first, last.last)
            continue
        if last is not None:
            yield last
        last = region
    if last is not None:
        yield last


def _goes_on(sheet: Sheet, covered: set[Place], above: Region, below: Region) -> bool:
    return (
        above.width > 1
        and above.first == below.first
        and below.width > 1
        and below.last <= above.last
        and below.rows[0] == above.rows[-1] + 2
        and bool(_heads(sheet, _body(sheet, covered, above)[1]))
        and not _heads(sheet, below.rows)
        and len(sheet.rows.get(below.rows[0], {})) > 1
    )


def _table(sheet: Sheet, covered: set[Place], region: Region) -> SheetTable:
    above, rows, below = _body(sheet, covered, region)
    texts = [sheet.rows[row][column].text for row in rows for column in _shown(sheet, region, row)]
    if region.width == 1 and (len(texts) < 3 or max(map(len, texts)) > MAX_IN_LIST):
        return SheetTable([*above, *texts], [], below)
    heads = _heads(sheet, rows)
    return SheetTable(
        above,
        [_cells(sheet, covered, region, rows, row, row in heads) for row in rows],
        below,
    )


def _body(
    sheet: Sheet, covered: set[Place], region: Region
) -> tuple[list[str], tuple[int, ...], list[str]]:
    """The rows of a table, and the lines above and below it, each the only cell of its row."""
    if region.width == 1:
        return [], region.rows, []
    rows = list(region.rows)
    above: list[str] = []
    below: list[str] = []
    while rows and (line := _only(sheet, region, rows[0])) is not None:
        above += line
        rows.pop(0)
    while rows and (line := _only(sheet, region, rows[-1])) is not None:
        if (rows[-1], region.first) in covered:  # a merged cell of the table reaches into it
            break
        below[:0] = line
        rows.pop()
    return above, tuple(rows), below


def _only(sheet: Sheet, region: Region, row: int) -> list[str] | None:
    """The text of a row with one cell, in the first column; None for other rows."""
    shown = _shown(sheet, region, row)
    if len(shown) > 1 or (shown and shown[0] != region.first):
        return None
    cells = [sheet.rows[row][column] for column in shown]
    return [cell.text for cell in cells] if all(c.kind == "text" for c in cells) else None


def _shown(sheet: Sheet, region: Region, row: int) -> list[int]:
    """The columns of a row in which a cell shows."""
    return [c for c in sheet.rows.get(row, {}) if region.first <= c <= region.last]


def _cells(
    sheet: Sheet,
    covered: set[Place],
    region: Region,
    rows: Sequence[int],
    row: int,
    is_head: bool,
) -> list[DraftCell]:
    cells = []
    shown = sheet.rows.get(row, {})
    for column in range(region.first, region.last + 1):
        if (row, column) in covered:
            continue
        cell = shown.get(column)
        end_row, end_column = sheet.merged.get((row, column), (row, column))
        cells.append(
            DraftCell(
                cell.text if cell else "",
                is_head,
                min(end_column, region.last) - column + 1,
                1 if end_row == row else sum(1 for one in rows if row <= one <= end_row),
            )
        )
    return cells


def _heads(sheet: Sheet, rows: Sequence[int]) -> set[int]:
    """The rows of column heads: those that the file marks, or else those that look like them."""
    marked = [n for n, row in enumerate(rows[: MAX_HEAD_ROWS + 1]) if row in sheet.head_rows]
    if marked and marked[-1] < len(rows) - 1:
        return set(rows[: marked[-1] + 1]) if marked[-1] < MAX_HEAD_ROWS else set()
    if len(rows) < 2:
        return set()
    first = sheet.rows.get(rows[0], {})
    # A cell that is merged over several columns has further heads below it.
    spans = any(sheet.merged.get((rows[0], c), (0, c))[1] > c for c in first)
    if spans and len(rows) > 2 and all(map(_can_head, sheet.rows.get(rows[1], {}).values())):
        return set(rows[:2])
    return {rows[0]} if _looks_like_heads(sheet, first, rows[1:]) else set()


def _looks_like_heads(sheet: Sheet, first: dict[int, SheetCell], below: Sequence[int]) -> bool:
    texts = [cell.text for cell in first.values()]
    if len(texts) < 2 or len(set(texts)) < len(texts) or not all(map(_can_head, first.values())):
        return False
    bodies = [sheet.rows.get(row, {}) for row in below]
    used = set().union(*bodies)
    if len(used - set(first)) > 1 or len(used) < 2:
        return False
    bold = [all(cell.is_bold for cell in row.values()) for row in (first, *bodies) if row]
    if bold[0] and not all(bold):
        return True
    for column, head in first.items():
        kinds = {row[column].kind for row in bodies if column in row}
        if kinds and "text" not in kinds and kinds != {head.kind}:
            return True
    # Nothing but text: a list of records has three columns or more.
    return len(texts) > 2 and len(below) > 1 and all(c.kind == "text" for c in first.values())


def _can_head(cell: SheetCell) -> bool:
    return cell.kind != "number"
