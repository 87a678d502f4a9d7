"""Name the place of characters in a document: its page, or its section and paragraph."""

from __future__ import annotations

from index.documents.blocks import BlockKind
from index.documents.document import Document

# In characters; longer titles are shortened where they only say which document or section is meant.
SHORT_TITLE = 60


def location(document: Document, start: int, end: int) -> str:
    """Where characters stand: "p. 3", "“SECTION”, paragraph 6", "paragraph 6" or "title"."""
    if (page := document.page_of(start)) is not None:
        return f"p. {page}"
    blocks, paragraphs = document.blocks, document.paragraph_numbers
    numbers = document.blocks_between(start, end)
    # A passage may begin with its heading; its first paragraph says more about where it stands.
    first = next((n for n in numbers if paragraphs[n]), numbers[0] if numbers else None)
    if first is None:
        return "title"
    heading = first if blocks[first].is_heading else blocks[first].section
    parts = []
    if heading is not None and blocks[heading].kind is BlockKind.HEADING:
        parts.append(f"“{shorten(document.text[blocks[heading].start : blocks[heading].end])}”")
    if paragraph := paragraphs[first]:
        parts.append(f"paragraph {paragraph}")
    return ", ".join(parts) or "title"


def shorten(title: str) -> str:
    """A title of at most SHORT_TITLE characters, cut at a word."""
    if len(title) <= SHORT_TITLE:
        return title
    return title[:SHORT_TITLE].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"
