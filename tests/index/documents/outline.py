"""A document's blocks as lines of text, to compare with what is expected."""

from __future__ import annotations

from index.documents.blocks import Block, BlockKind
from index.documents.document import Document


def outline(document: Document) -> str:
    """The title, what the file says of itself, and a line for each block.

    A block is its kind, its level where it has one, and its text with ⏎ for a line end; a table row
    has its cells with their heads: `row  City: Lyon | Lyon, Hives: 18`.
    """
    about = document.metadata
    lines = [f"= {document.title}"]
    lines += [
        f"{name}: {value}"
        for name, value in (
            ("author", about.author),
            ("date", about.date),
            ("language", about.language),
            ("pages", len(document.pages) or ""),
        )
        if value
    ]
    return "\n".join([*lines, "", *(_line(document, block) for block in document.blocks)]) + "\n"


def _line(document: Document, block: Block) -> str:
    text = document.text
    if block.kind is BlockKind.TABLE_ROW:
        cells = []
        for cell in block.cells:
            heads = ", ".join(text[a:b] for a, b in (*cell.row_heads, *cell.heads))
            words = text[cell.start : cell.end] + "*" * cell.is_head
            cells.append(f"{heads}: {words}" if heads else words)
        return f"row  {' | '.join(cells)}"
    words = text[block.start : block.end].replace("\n", "⏎")
    if block.kind is BlockKind.HEADING:
        return f"{'#' * block.level} {words}"
    if block.kind is BlockKind.LIST_ITEM:
        return f"{'  ' * block.level}{block.marker or '…'} {words}"
    return f"{block.kind}  {words}"
