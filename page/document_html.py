"""The HTML of a document: its blocks as headings, paragraphs, lists, tables and code.

Every block is an element with its number in data-number, whose text is exactly the block's text, so that
document.js finds the characters of an answer by counting. The outermost elements have the number that
the margin shows in data-paragraph.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from index.documents.blocks import Block, BlockKind
from index.documents.document import Document
from page.block_text import block_text, escaped_text
from page.document_tables import MAX_ROWS, long_table, short_table

# Documents with fewer headings have no list of contents.
MIN_CONTENTS = 3
MAX_HEADING = 6
MAX_ITEMS = 50  # in one element; a longer list is several

# The browser lays out only the chunks that are in view. For those that it has never laid out it uses an
# estimate of the height, in CSS pixels.
CHUNK_HEIGHT = 1500
_LINE_HEIGHT = 28
_LINE_CHARACTERS = 70
_GAP = 16

_CLASSES = {BlockKind.CAPTION: "caption", BlockKind.BOILERPLATE: "boilerplate"}
_GROUPED = (BlockKind.LIST_ITEM, BlockKind.TABLE_ROW)


def document_html(document: Document) -> str:
    """A document's list of contents, its title unless a heading says it, and its blocks."""
    title = _title_number(document)
    added = f'<h2 dir="auto">{html.escape(document.title)}</h2>' if title is None else ""
    return _contents(document) + added + "".join(_chunks(_parts(document, title)))


def _title_number(document: Document) -> int | None:
    """The number of the block that is the title: one of this kind, or else the first heading."""
    headings = [n for n, block in enumerate(document.blocks) if block.is_heading]
    for number in headings:
        if document.blocks[number].kind is BlockKind.TITLE:
            return number
    first = document.blocks[headings[0]] if headings else None
    says_it = first and document.text[first.start : first.end] == document.title
    return headings[0] if says_it else None


def _contents(document: Document) -> str:
    headings = [n for n, block in enumerate(document.blocks) if block.kind is BlockKind.HEADING]
    if len(headings) < MIN_CONTENTS:
        return ""
    top = min(document.blocks[n].level for n in headings)
    items = "".join(
        f'<li style="--level:{min(document.blocks[n].level - top, MAX_HEADING)}">'
        f'<button type="button" data-block="{n}" dir="auto">'
        f"{escaped_text(document, document.blocks[n].start, document.blocks[n].end)}</button></li>"
        for n in headings
    )
    return (
        '<details class="contents"><summary><span>Contents</span></summary>'
        f"<ol>{items}</ol></details>"
    )


def _chunks(parts: Iterable[tuple[str, int | None]]) -> Iterator[str]:
    """Parts of a document put together, a few screens at a time."""
    chunk: list[str] = []
    total = 0
    for part, height in [*parts, ("", None)]:
        if chunk and (height is None or total > CHUNK_HEIGHT):
            yield f'<div class="chunk" style="--height:{total}px">{"".join(chunk)}</div>'
            chunk, total = [], 0
        if height is None:
            yield part
        else:
            chunk.append(part)
            total += height


def _parts(document: Document, title: int | None) -> Iterator[tuple[str, int | None]]:
    """The elements of a document, each with an estimate of its height; None for one with chunks inside.

    `title` is the number of the block that is the document's title.
    """
    blocks, paragraphs = document.blocks, document.paragraph_numbers
    ranks = _heading_ranks(blocks, title)
    for kind, numbers in _runs(blocks):
        first = numbers[0]
        # A list that goes on in another element has its number in front of the first one alone.
        goes_on = first > 0 and paragraphs[first] == paragraphs[first - 1]
        paragraph = None if goes_on else paragraphs[first]
        height = sum(_height(blocks[number]) for number in numbers)
        if kind is BlockKind.TABLE_ROW and len(numbers) > MAX_ROWS:
            yield long_table(document, numbers, paragraph), None
        elif blocks[first].is_heading:
            yield _heading(document, first, ranks[first]), height
        else:
            yield _DRAW[kind](document, numbers, paragraph), height


def _heading_ranks(blocks: Sequence[Block], title: int | None) -> dict[int, int]:
    """The number of each heading's element, h2 to h6, by the number of its block.

    The page's name is its h1 and a document's title is h2. None is left out, whatever the levels are.
    """
    ranks: dict[int, int] = {}
    for number, block in enumerate(blocks):
        if number == title or block.kind is BlockKind.TITLE:
            ranks[number] = 2
        elif block.is_heading:
            above = 2 if block.section is None else ranks[block.section]
            ranks[number] = min(above + 1, MAX_HEADING)
    return ranks


def _runs(blocks: Sequence[Block]) -> Iterator[tuple[BlockKind, Sequence[int]]]:
    """The numbers of the rows of each table and of the items of each list, and of single blocks."""

    def key(number: int) -> tuple[BlockKind, int, bool]:
        block = blocks[number]
        if block.group is None or block.kind not in _GROUPED:
            return block.kind, number, False
        return block.kind, block.group, True

    for (kind, _, _), run in groupby(range(len(blocks)), key):
        numbers = list(run)
        size = MAX_ITEMS if kind is BlockKind.LIST_ITEM else len(numbers)
        for first in range(0, len(numbers), size):
            yield kind, numbers[first : first + size]


def _height(block: Block) -> int:
    length = max((cell.end - cell.start for cell in block.cells), default=block.end - block.start)
    return _LINE_HEIGHT * (1 + length // _LINE_CHARACTERS) + (0 if block.cells else _GAP)


def _numbered(paragraph: int | None) -> str:
    return "" if paragraph is None else f' data-paragraph="{paragraph}"'


def _heading(document: Document, number: int, rank: int) -> str:
    return f'<h{rank} dir="auto" data-number="{number}">{block_text(document, number)}</h{rank}>'


def _paragraph(document: Document, numbers: Sequence[int], paragraph: int | None) -> str:
    (number,) = numbers
    kind = document.blocks[number].kind
    tag = "blockquote" if kind is BlockKind.QUOTATION else "p"
    name = f' class="{_CLASSES[kind]}"' if kind in _CLASSES else ""
    return (
        f'<{tag}{name} dir="auto" data-number="{number}"{_numbered(paragraph)}>'
        f"{block_text(document, number)}</{tag}>"
    )


def _code(document: Document, numbers: Sequence[int], paragraph: int | None) -> str:
    (number,) = numbers
    return (
        f'<div class="code"{_numbered(paragraph)}>'
        f'<pre dir="auto" tabindex="0" data-number="{number}">{block_text(document, number)}</pre>'
        "</div>"
    )


def _list(document: Document, numbers: Sequence[int], paragraph: int | None) -> str:
    items = "".join(
        f'<div role="listitem" data-number="{number}" '
        f'data-marker="{html.escape(document.blocks[number].marker)}" '
        f'style="--depth:{document.blocks[number].level}">{block_text(document, number)}</div>'
        for number in numbers
    )
    return f'<div class="list" role="list" dir="auto"{_numbered(paragraph)}>{items}</div>'


_DRAW: dict[BlockKind, Callable[[Document, Sequence[int], int | None], str]] = {
    BlockKind.PARAGRAPH: _paragraph,
    BlockKind.CAPTION: _paragraph,
    BlockKind.QUOTATION: _paragraph,
    BlockKind.BOILERPLATE: _paragraph,
    BlockKind.CODE: _code,
    BlockKind.LIST_ITEM: _list,
    BlockKind.TABLE_ROW: short_table,
}
