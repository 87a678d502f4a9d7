"""A sheet of a workbook as a person sees it: its cells as text, without hidden rows and columns."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from index.documents.office.parts import local_name, number, value
from index.documents.office.xlsx_cells import Formats, SheetCell, parse_elements, read_cell
from index.errors import DocumentError

# All that a workbook may have; so many take three seconds, of the five that reading a file may take.
MAX_CELLS = 150_000
MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384

_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})", re.IGNORECASE)
Place = tuple[int, int]


@dataclass(slots=True)
class Sheet:
    """A sheet's cells by row and column, both counted from 0 without the hidden ones.

    `merged` has the last row and column of each merged cell by its first ones. `head_rows` are those
    that the file itself marks: they are frozen, head a filter, or head a table.
    """

    rows: dict[int, dict[int, SheetCell]] = field(default_factory=dict)
    merged: dict[Place, Place] = field(default_factory=dict)
    head_rows: set[int] = field(default_factory=set)


_ABOUT = ("col", "pane", "mergeCell", "autoFilter", "filterColumn")


@dataclass(slots=True)
class _Found:
    """What a part says of its sheet, with rows and columns as the file counts them."""

    heads: set[int]
    rows: dict[int, dict[int, SheetCell]] = field(default_factory=dict)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: set[int] = field(default_factory=set)
    merged: list[tuple[Place, Place]] = field(default_factory=list)
    is_filtered: bool = False

    def note(self, node: Any) -> None:
        """Take in an element that is about rows or columns."""
        name = local_name(node)
        area = parse_range(value(node, "ref"))
        if name == "col" and _is_hidden(node):
            end = min(number(value(node, "max")), MAX_COLUMNS)
            self.hidden_columns |= set(range(number(value(node, "min")) - 1, end))
        elif name == "pane" and value(node, "state").startswith("frozen"):
            self.heads.add(number(value(node, "ySplit")) - 1)
        elif name == "mergeCell" and area:
            self.merged.append(area)
        elif name == "autoFilter" and area:
            self.heads.add(area[0][0])
        elif name == "filterColumn":
            self.is_filtered = True

    def visible(self) -> Sheet:
        """The sheet without its hidden rows and columns, and with the others counted anew."""
        # What a filter hides is a view of the table, not left out of it.
        no_rows = [] if self.is_filtered else sorted(set(self.hidden_rows))
        no_columns = sorted(self.hidden_columns)

        def place(row: int, column: int) -> Place:
            return row - bisect_left(no_rows, row), column - bisect_left(no_columns, column)

        sheet = Sheet()
        for row, cells in sorted(self.rows.items()):
            shown = {
                place(row, column)[1]: cell
                for column, cell in sorted(cells.items())
                if column not in self.hidden_columns
            }
            if shown and not _is_in(no_rows, row):
                sheet.rows[place(row, 0)[0]] = shown
        sheet.head_rows = {place(row, 0)[0] for row in self.heads if not _is_in(no_rows, row)}
        for (top, left), (bottom, right) in self.merged:
            start, after = place(top, left), place(bottom + 1, right + 1)
            end = after[0] - 1, after[1] - 1
            is_shown = not _is_in(no_rows, top) and left not in self.hidden_columns
            if is_shown and end > start and start[1] in sheet.rows.get(start[0], {}):
                sheet.merged[start] = end
        return sheet


def _is_in(ordered: Sequence[int], one: int) -> bool:
    at = bisect_left(ordered, one)
    return at < len(ordered) and ordered[at] == one


class SheetReader:
    """Reads the sheets of a workbook, and counts their cells."""

    def __init__(self, strings: Sequence[str], formats: Formats, source: str) -> None:
        """Read with the workbook's texts and formats; `source` is for the error."""
        self._strings = strings
        self._formats = formats
        self._source = source
        self._cells = 0

    def read(self, data: bytes, heads: Sequence[range] = (), *, is_filtered: bool = False) -> Sheet:
        """The sheet of a part.

        `heads` are the rows that head its tables, in the file's count, and `is_filtered` is whether one
        of these tables hides rows by a filter.
        """
        found = _Found({row for rows in heads for row in rows}, is_filtered=is_filtered)
        last = -1
        for node in parse_elements(data, "row", *_ABOUT):
            if local_name(node) != "row":
                found.note(node)
                continue
            last = number(value(node, "r"), last + 2) - 1
            if not 0 <= last < MAX_ROWS:
                raise ValueError("a row is beyond the last one")
            if _is_hidden(node):
                found.hidden_rows.append(last)
            if cells := self._row(node):
                found.rows[last] = cells
        return found.visible()

    def _row(self, row: Any) -> dict[int, SheetCell]:
        cells = {}
        column = -1
        for node in row:
            if local_name(node) != "c":
                continue
            place = parse_place(node.get("r") or "")
            column = place[1] if place else column + 1
            cell = read_cell(node, self._strings, self._formats)
            if cell is not None and cell.text.strip():
                cells[column] = cell
        self._cells += len(cells)
        if self._cells > MAX_CELLS:
            raise DocumentError(
                f"'{self._source}' has more than {MAX_CELLS:,} cells: save the part that you need as a "
                "file of its own and open that."
            )
        return cells


def parse_place(reference: str) -> Place | None:
    """The row and the column, from 0, that a reference such as B12 names; None where it is none."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        return None
    column = 0
    for letter in found[1].upper():
        column = 26 * column + ord(letter) - ord("A") + 1
    row = int(found[2])
    return (row - 1, column - 1) if 0 < row <= MAX_ROWS and column <= MAX_COLUMNS else None


def parse_range(reference: str) -> tuple[Place, Place] | None:
    """The first and the last place of a range such as A1:C9."""
    first, _, last = reference.partition(":")
    start, end = parse_place(first), parse_place(last or first)
    return (start, end) if start and end and start[0] <= end[0] and start[1] <= end[1] else None


def table_heads(root: Any) -> range:
    """The rows that head a table, by its part."""
    area = parse_range(value(root, "ref"))
    count = number(value(root, "headerRowCount", "1"))
    return range(area[0][0], area[0][0] + min(max(count, 0), 3)) if area else range(0)


def _is_hidden(node: Any) -> bool:
    # One that is folded away in an outline is shown by a click on the plus sign.
    return value(node, "hidden") in ("1", "true") and value(node, "outlineLevel", "0") == "0"
