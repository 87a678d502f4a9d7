"""Quotations as they are shown: table cells with their heads, list items with their markers.

The heads and markers beside a quotation are told apart from its own characters.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from typing import NamedTuple

from index.documents.blocks import Block, BlockKind, Cell, Offsets
from index.documents.document import Document
from index.passages.context import CELL_SEPARATOR, HEAD_SEPARATOR
from page.text_ranges import normalize_newlines
from qa.types import Citation


class PieceKind(Enum):
    """What a piece of a quotation is: the document's own characters, or something beside them."""

    QUOTED = auto()
    HEAD = auto()
    MARKER = auto()
    SEPARATOR = auto()


class Piece(NamedTuple):
    """A piece of a quotation; one that is quoted is document.text[start : start + len(text)]."""

    kind: PieceKind
    text: str
    start: int = -1


def sentence_offsets(document: Document, citation: Citation) -> Offsets:
    """The start and end of what is quoted around an answer: its sentence, or the row of its cell."""
    start, end = citation.sentence_start, citation.sentence_end
    numbers = document.blocks_between(start, end)
    if len(numbers) == 1:
        block = document.blocks[numbers[0]]
        if block.kind is BlockKind.TABLE_ROW:
            return block.start, block.end
    return start, end


def pieces(document: Document, start: int, end: int, *, labels: bool = True) -> Iterator[Piece]:
    """The pieces of characters start..end of a document, without heads and markers if not `labels`."""
    text, blocks = document.text, document.blocks
    previous: Block | None = None
    for number in document.blocks_between(start, end):
        block = blocks[number]
        if previous:
            yield Piece(PieceKind.SEPARATOR, text[previous.end : block.start])
        previous = block
        first, last = max(start, block.start), min(end, block.end)
        if block.kind is BlockKind.TABLE_ROW:
            yield from _row(text, block, first, last, labels)
            continue
        if labels and block.marker and first == block.start:
            yield Piece(PieceKind.MARKER, f"{block.marker} ")
        yield Piece(PieceKind.QUOTED, text[first:last], first)


def _row(text: str, row: Block, start: int, end: int, labels: bool) -> Iterator[Piece]:
    cells = [cell for cell in row.cells if max(start, cell.start) < min(end, cell.end)]
    if labels and cells:
        for head in cells[-1].row_heads:
            if not start <= head[0] < end:
                yield Piece(PieceKind.HEAD, text[slice(*head)])
                yield Piece(PieceKind.SEPARATOR, CELL_SEPARATOR)
    for number, cell in enumerate(cells):
        if number:
            # "Weight: 2 kg", where only the row has a head.
            only_row_head = number == 1 and cell.row_heads and not cell.heads
            yield Piece(PieceKind.SEPARATOR, HEAD_SEPARATOR if only_row_head else CELL_SEPARATOR)
        if labels and cell.heads:
            yield Piece(PieceKind.HEAD, _head(text, cell))
        first, last = max(start, cell.start), min(end, cell.end)
        yield Piece(PieceKind.QUOTED, text[first:last], first)


def _head(text: str, cell: Cell) -> str:
    return " ".join(text[slice(*head)] for head in cell.heads) + HEAD_SEPARATOR


def quotation_html(
    document: Document,
    start: int,
    end: int,
    *,
    mark: Offsets | None = None,
    labels: bool = True,
) -> str:
    """A quotation as HTML, with the document's characters `mark` marked."""
    shown = list(pieces(document, start, end, labels=labels))
    if mark is None:
        return "".join(map(_piece_html, shown))
    first, last = mark
    marked = [n for n, piece in enumerate(shown) if _overlaps(piece, first, last)]
    parts = []
    for number, piece in enumerate(shown):
        if number not in marked:
            parts.append(_piece_html(piece))
            continue
        left, right = max(first - piece.start, 0), last - piece.start
        # Tells screen readers where the answer begins and ends.
        names = " begins" * (number == marked[0]) + " ends" * (number == marked[-1])
        parts += [
            _escaped(piece.text[:left]),
            f'<mark class="{names.strip()}">{_escaped(piece.text[left:right])}</mark>',
            _escaped(piece.text[right:]),
        ]
    return "".join(parts)


def quotation_text(document: Document, start: int, end: int, *, labels: bool = True) -> str:
    """A quotation as plain text, with the heads of its cells in square brackets."""
    return "".join(map(_piece_text, pieces(document, start, end, labels=labels)))


def excerpt_html(document: Document, start: int, end: int, limit: int) -> str:
    """A quotation's first `limit` characters, cut at a word, as HTML on one line."""
    return "".join(map(_piece_html, _shortened(pieces(document, start, end), limit)))


def _shortened(shown: Iterable[Piece], limit: int) -> Iterator[Piece]:
    for piece in shown:
        text = re.sub(r"\s+", " ", piece.text)
        if len(text) > limit:
            cut = text[:limit].rsplit(" ", 1)[0] if piece.kind is PieceKind.QUOTED else ""
            yield piece._replace(text=f"{cut} …")
            return
        limit -= len(text)
        yield piece._replace(text=text)


def _overlaps(piece: Piece, start: int, end: int) -> bool:
    inside = piece.start < end and start < piece.start + len(piece.text)
    return piece.kind is PieceKind.QUOTED and inside


def _piece_html(piece: Piece) -> str:
    text = _escaped(piece.text)
    if piece.kind is PieceKind.QUOTED or not piece.text.strip():
        return text
    return f'<span class="label">{text}</span>'


def _piece_text(piece: Piece) -> str:
    if piece.kind is not PieceKind.HEAD:
        return piece.text
    bare = piece.text.rstrip()
    return f"[{bare}]{piece.text[len(bare) :]}"


def _escaped(text: str) -> str:
    return html.escape(normalize_newlines(text))
