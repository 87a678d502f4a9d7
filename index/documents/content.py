"""What a file holds, whatever its format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from index.documents.blocks import Block, BlockKind, Cell, Offsets, check_blocks
from index.documents.boxes import Boxes, boxes_from_json, boxes_to_json
from index.errors import DocumentError

# A long novel has 3 MB. More would be encoded for an hour on a small CPU before the first answer.
MAX_BYTES = 5_000_000
# Files that are not plain text bring markup, fonts and pictures along.
MAX_FILE_BYTES = 20_000_000
MAX_TITLE = 200

# Between the blocks of a text.
BLOCK_GAP = "\n\n"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a file says about itself, "" where it does not say; `words` are counted in its text."""

    author: str = ""
    date: str = ""
    language: str = ""
    words: int = 0


@dataclass(frozen=True, slots=True)
class Content:
    """A document's text, its blocks, its title, where each page starts, and what it says of itself.

    `boxes` has where each character stands on its page, for formats that say so.
    """

    text: str
    blocks: tuple[Block, ...]
    title: str = ""
    pages: tuple[int, ...] = ()
    metadata: Metadata = field(default_factory=Metadata)
    boxes: Boxes | None = field(default=None, compare=False)


def content_to_json(content: Content) -> dict[str, Any]:
    """The content as a value for JSON; a block and a cell are lists, since a table has many."""
    return {
        "text": content.text,
        "blocks": [
            [
                *(b.kind, b.start, b.end, b.level, b.section, b.group, b.marker),
                [
                    [c.start, c.end, c.column, c.columns, c.is_head, c.heads, c.row_heads]
                    for c in b.cells
                ],
            ]
            for b in content.blocks
        ],
        "title": content.title,
        "pages": content.pages,
        "metadata": asdict(content.metadata),
        "boxes": boxes_to_json(content.boxes),
    }


def content_from_json(value: Mapping[str, Any]) -> Content:
    """The content that content_to_json() made a value of.

    Raises ValueError, KeyError or TypeError where the value is not one of a document.
    """
    content = Content(
        text=value["text"],
        blocks=tuple(_block_of(*fields) for fields in value["blocks"]),
        title=value["title"],
        pages=tuple(value["pages"]),
        metadata=Metadata(**value["metadata"]),
        boxes=boxes_from_json(value["boxes"], len(value["text"])),
    )
    check_blocks(content.text, content.blocks, content.pages)
    return content


def _block_of(*values: Any) -> Block:
    fields = dict(zip(Block.__slots__, values, strict=True))
    fields["kind"] = BlockKind(fields["kind"])
    fields["cells"] = tuple(_cell_of(*cell) for cell in fields["cells"])
    return Block(**fields)


def _cell_of(*values: Any) -> Cell:
    fields = dict(zip(Cell.__slots__, values, strict=True))
    return Cell(**fields | {name: _pairs(fields[name]) for name in ("heads", "row_heads")})


def _pairs(values: Sequence[Sequence[int]]) -> tuple[Offsets, ...]:
    return tuple((start, end) for start, end in values)


def check_text(text: str, source: str) -> None:
    """Raise DocumentError for more text than a document may have."""
    size = len(text.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        raise DocumentError(
            f"'{source}' has {size / 1e6:.1f} MB of text and the limit is {MAX_BYTES / 1e6:.0f} MB: "
            "split it and open a part."
        )
