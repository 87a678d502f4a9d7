"""The escaped text of a block, with its page marks."""

from __future__ import annotations

import html
from bisect import bisect_left

from index.documents.document import Document
from page.text_ranges import normalize_newlines


def block_text(document: Document, number: int) -> str:
    """The text of a block, with a mark for each page that begins in it or just before it."""
    block = document.blocks[number]
    return marked_text(document, number, block.start, block.end)


def marked_text(document: Document, number: int, start: int, end: int) -> str:
    """A stretch of a block, with a mark for each page that begins in it.

    At the block's start there is also a mark for each page that begins since the block before; the first
    page has none.
    """
    if not document.pages:
        return escaped_text(document, start, end)
    first_of_block = start == document.blocks[number].start
    previous_end = document.blocks[number - 1].end if first_of_block and number else start
    parts, position = [], start
    first, last = (bisect_left(document.pages, offset) for offset in (previous_end, end))
    for page in range(max(first, 1), last):
        page_start = max(start, document.pages[page])
        parts.append(escaped_text(document, position, page_start))
        parts.append(f'<span class="page" data-page="{page + 1}"></span>')
        position = page_start
    parts.append(escaped_text(document, position, end))
    return "".join(parts)


def escaped_text(document: Document, start: int, end: int) -> str:
    """Characters start..end of a document for HTML."""
    return html.escape(normalize_newlines(document.text[start:end]))
