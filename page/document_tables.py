"""The HTML of a document's tables.

The white space between two cells is a text node of the row, so that the row's text is the block's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import takewhile

from index.documents.blocks import Cell
from index.documents.document import Document
from page.block_text import escaped_text, marked_text

# A longer table is drawn as several of the same widths, so that the browser lays out only those in view.
MAX_ROWS = 50

# For the widths of a long table's columns, in characters, and the height of its rows, in CSS pixels.
MIN_WIDTH = 5
MAX_WIDTH = 32
_ROW_HEIGHT = 34


def short_table(document: Document, numbers: Sequence[int], paragraph: int | None) -> str:
    """The table of these rows, whose columns the browser makes as wide as they must be."""
    width = max(cell.column + cell.columns for n in numbers for cell in document.blocks[n].cells)
    return _frame(_table(document, numbers, width), paragraph)


def long_table(document: Document, numbers: Sequence[int], paragraph: int | None) -> str:
    """The same for many rows: several tables, with the widths of the columns given."""
    widths = column_widths(document, numbers)
    total = sum(widths)
    columns = "".join(f'<col style="width:{100 * width / total:.3f}%">' for width in widths)
    parts = [
        f'<div class="chunk" style="--height:{_ROW_HEIGHT * len(batch)}px;--width:{total}">'
        f"{_table(document, batch, len(widths), columns)}</div>"
        for batch in (numbers[at : at + MAX_ROWS] for at in range(0, len(numbers), MAX_ROWS))
    ]
    return _frame("".join(parts), paragraph, " long")


def column_widths(document: Document, numbers: Sequence[int]) -> list[int]:
    """The width of each column of a table in characters, by its longest cell."""
    widths: Counter[int] = Counter()
    for number in numbers:
        for cell in document.blocks[number].cells:
            for column in range(cell.column, cell.column + cell.columns):
                widths[column] = max(widths[column], (cell.end - cell.start) // cell.columns)
    return [min(max(widths[n], MIN_WIDTH), MAX_WIDTH) + 2 for n in range(max(widths) + 1)]


def _frame(content: str, paragraph: int | None, name: str = "") -> str:
    """A frame that scrolls sideways, within one that shows the number of the paragraph."""
    numbered = "" if paragraph is None else f' data-paragraph="{paragraph}"'
    return (
        f'<div class="table{name}" dir="auto"{numbered}>'
        f'<div class="scroll" role="group" aria-label="Table" tabindex="0">{content}</div></div>'
    )


def _table(document: Document, numbers: Sequence[int], width: int, columns: str = "") -> str:
    heads = list(takewhile(lambda number: document.blocks[number].is_table_head, numbers))
    if len(heads) == len(numbers):
        heads = []
    head = "".join(_row(document, number, width) for number in heads)
    body = "".join(_row(document, number, width) for number in numbers[len(heads) :])
    head = f"<thead>{head}</thead>" if head else ""
    columns = f"<colgroup>{columns}</colgroup>" if columns else ""
    return f"<table>{columns}{head}<tbody>{body}</tbody></table>"


def _row(document: Document, number: int, width: int) -> str:
    row = document.blocks[number]
    parts: list[str] = []
    column, end = 0, row.start
    for cell in row.cells:
        parts.append(escaped_text(document, end, cell.start))
        parts.append(_covered(cell.column - column))
        parts.append(_cell(document, number, cell, is_head_row=row.is_table_head))
        column, end = cell.column + cell.columns, cell.end
    parts.append(escaped_text(document, end, row.end) + _covered(width - column))
    return f'<tr data-number="{number}">{"".join(parts)}</tr>'


def _covered(columns: int) -> str:
    """Columns without a cell, where one above reaches down into the row."""
    return f'<td class="above" colspan="{columns}"></td>' if columns > 0 else ""


def _cell(document: Document, number: int, cell: Cell, *, is_head_row: bool) -> str:
    tag = "th" if cell.is_head else "td"
    attributes = f' scope="{"col" if is_head_row else "row"}"' if cell.is_head else ""
    if cell.columns > 1:
        attributes += f' colspan="{cell.columns}"'
    return f"<{tag}{attributes}>{marked_text(document, number, cell.start, cell.end)}</{tag}>"
