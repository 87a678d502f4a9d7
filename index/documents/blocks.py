"""What a document is made of: blocks, each a stretch of its text with a kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

Offsets = tuple[int, int]


class BlockKind(StrEnum):
    """What a block is to a person who reads the document."""

    TITLE = "title"
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list item"
    TABLE_ROW = "table row"
    CODE = "code"
    CAPTION = "caption"
    QUOTATION = "quotation"
    BOILERPLATE = "boilerplate"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table row: its offsets in the document's text, equal where it is empty.

    `column` counts from 0 and `columns` is how many it spans. `heads` are the offsets of the column
    heads above it, outermost first, and `row_heads` those of the cells that head its row.
    """

    start: int
    end: int
    column: int
    columns: int = 1
    is_head: bool = False
    heads: tuple[Offsets, ...] = ()
    row_heads: tuple[Offsets, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of the document, `document.text[start:end]`, never empty.

    `level` is that of a heading, from 1, or the depth of a list item, from 0. `section` is the number
    of the heading that the block stands under, None before the first one; a heading stands under the
    one of the next higher level. `group` is shared by the items of one list and by the rows of one
    table. `marker` is what the document puts in front of a list item ("3."), which is not in the text.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    section: int | None = None
    group: int | None = None
    marker: str = ""
    cells: tuple[Cell, ...] = ()

    @property
    def is_heading(self) -> bool:
        """Whether it is a title or a heading."""
        return self.kind in (BlockKind.TITLE, BlockKind.HEADING)

    @property
    def is_table_head(self) -> bool:
        """Whether it is a row of column heads."""
        return bool(self.cells) and all(cell.is_head for cell in self.cells)


def section_path(blocks: Sequence[Block], number: int) -> list[int]:
    """The numbers of the headings that a block stands under, outermost first."""
    return list(_headings_above(blocks, number))[::-1]


def _headings_above(blocks: Sequence[Block], number: int) -> Iterator[int]:
    section = blocks[number].section
    while section is not None:
        yield section
        section = blocks[section].section


def check_blocks(text: str, blocks: Sequence[Block], pages: Sequence[int] = ()) -> None:
    """Raise ValueError unless the blocks are a document's: in order, whole, and all that it says."""
    last = 0
    for number, block in enumerate(blocks):
        if not last <= block.start < block.end <= len(text):
            raise ValueError(f"block {number} is not after the one before it, in the text")
        if text[last : block.start].strip():
            raise ValueError(f"text in front of block {number} is in no block")
        if block.section is not None and not (
            0 <= block.section < number and blocks[block.section].is_heading
        ):
            raise ValueError(f"block {number} stands under something else than a heading before it")
        _check_cells(text, block)
        last = block.end
    if text[last:].strip():
        raise ValueError("text after the last block is in no block")
    if any(not 0 <= page <= len(text) for page in pages) or list(pages) != sorted(pages):
        raise ValueError("a page starts outside of the text")


def _check_cells(text: str, block: Block) -> None:
    last = block.start
    for cell in block.cells:
        if not last <= cell.start <= cell.end <= block.end:
            raise ValueError(f"a cell at {cell.start} is outside of its row")
        for start, end in (*cell.heads, *cell.row_heads):
            if not 0 <= start < end <= len(text):
                raise ValueError(f"a head of the cell at {cell.start} is outside of the text")
        last = cell.end
