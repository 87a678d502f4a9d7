"""A table of Word: its rows and cells, which of them are merged, and which are heads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from index.documents.blocks import BlockKind
from index.documents.office.docx_drafts import Draft, TableDraft
from index.documents.office.parts import child, is_on, local_name, number, value
from index.documents.tables import MAX_SPAN, DraftCell, guess_heads

# A cell of more blocks than this is a part of a page that was laid out with a table.
MAX_BLOCKS_IN_CELL = 8

_AROUND = frozenset({"sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"})
Blocks = Sequence["Draft | TableDraft"]


@dataclass(slots=True)
class WordCell:
    """A cell of a row; `node` is None for one that only fills the row's start."""

    node: Any
    columns: int = 1
    rows: int = 1


@dataclass(slots=True)
class WordRow:
    """A row with the cells that begin in it."""

    is_head: bool
    cells: list[WordCell] = field(default_factory=list)


def table_rows(table: Any) -> Iterator[WordRow]:
    """The rows of a table, with a cell once that is merged over several of them."""
    open_cells: dict[int, WordCell] = {}  # by column: those that a cell below may go on with
    for node in _inside(table, "tr"):
        settings = child(node, "trPr")
        if child(settings, "del") is not None:
            continue
        row = WordRow(is_on(child(settings, "tblHeader")))
        column = min(number(value(child(settings, "gridBefore"))), MAX_SPAN)
        if column:
            row.cells.append(WordCell(None, column))
        below: dict[int, WordCell] = {}
        for cell in _inside(node, "tc"):
            about = child(cell, "tcPr")
            span = max(1, min(number(value(child(about, "gridSpan")), 1), MAX_SPAN))
            merged, across = child(about, "vMerge"), child(about, "hMerge")
            above = open_cells.get(column)
            if across is not None and value(across) != "restart" and row.cells:
                row.cells[-1].columns += span
            elif merged is not None and value(merged) != "restart" and above is not None:
                above.rows += 1
                below[column] = above
            else:
                made = WordCell(cell, span)
                row.cells.append(made)
                if merged is not None:
                    below[column] = made
            column += span
        open_cells = below
        yield row


def is_layout(rows: Sequence[WordRow], contents: Sequence[Sequence[Blocks]]) -> bool:
    """Whether a table only puts parts of the text beside each other, or in a box."""
    if any(row.is_head for row in rows):
        return False
    cells = [cell for row in contents for cell in row]
    if all(len(row.cells) <= 1 for row in rows):
        return True
    return any(
        len(cell) > MAX_BLOCKS_IN_CELL
        or any(isinstance(one, TableDraft) or one.kind in _OF_TEXT for one in cell)
        for cell in cells
    )


_OF_TEXT = (BlockKind.TITLE, BlockKind.HEADING)


def table_cells(
    rows: Sequence[WordRow], contents: Sequence[Sequence[Blocks]], *, heads_first: bool
) -> TableDraft:
    """The table as cells; `heads_first`: its style sets the first row apart."""
    texts = [[_text(cell) for cell in row] for row in contents]
    heads = [row.is_head for row in rows]
    cells = [
        [
            DraftCell(text, head, cell.columns, cell.rows)
            for cell, text in zip(row.cells, line, strict=True)
        ]
        for row, line, head in zip(rows, texts, heads, strict=True)
    ]
    if not any(heads) and len(rows) > 1:
        plain = all(cell.columns == 1 for cell in cells[0])
        if heads_first or (_is_bold(contents[0]) and not _is_bold(contents[1])):
            cells[0] = [DraftCell(c.text, True, c.columns, c.rows) for c in cells[0]]
        elif plain and not any(cell.rows > 1 for row in cells for cell in row):
            guessed = guess_heads(texts)[0]
            if any(cell.is_head for cell in guessed):
                cells[0] = guessed
    notes = [note for row in contents for cell in row for one in cell for note in one.notes]
    return TableDraft(cells, tuple(notes))


def _text(blocks: Blocks) -> str:
    """The text of a cell, with its paragraphs one after the other."""
    texts = []
    for one in blocks:
        if isinstance(one, TableDraft):
            texts += [cell.text for row in one.rows for cell in row]
        else:
            numbered = any(map(str.isalnum, one.marker))
            texts.append(f"{one.marker} {one.text}" if numbered else one.text)
    return " ".join(filter(None, texts))


def _is_bold(row: Sequence[Blocks]) -> bool:
    blocks = [one for cell in row for one in cell if isinstance(one, Draft) and one.text]
    return bool(blocks) and all(one.bold for one in blocks)


def _inside(node: Any, name: str) -> Iterator[Any]:
    """The elements of that name in a table or a row, also in content controls."""
    for one in node:
        if local_name(one) == name:
            yield one
        elif local_name(one) in _AROUND:
            yield from _inside(one, name)
