"""Map character offsets to what the page shows: document, page, section and paragraph."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from index.documents.document import Document
from qa.location import location, shorten

# The number of a document, the number of a block in it, and the start and end of a stretch of its text,
# in UTF-16 code units as the browser counts.
TextRange = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class OpenDocuments:
    """The documents that a visitor has opened, by id, numbered from 0 in this order.

    Removed documents keep their numbers, since answers still cite them. `page_urls` has the address of
    the page images of each PDF.
    """

    documents: Mapping[str, Document]
    removed: frozenset[str] = frozenset()
    page_urls: Mapping[str, str] = field(default_factory=dict)

    def number(self, document_id: str) -> int:
        """The number of a document."""
        return list(self.documents).index(document_id)

    def text_ranges(self, document_id: str, start: int, end: int) -> list[TextRange]:
        """The ranges of characters start..end of a document, one for each block."""
        document, number = self.documents[document_id], self.number(document_id)
        ranges = []
        for block_number in document.blocks_between(start, end):
            block = document.blocks[block_number]
            inner_start, inner_end = max(start, block.start), min(end, block.end)
            before = _utf16_length(document.text[block.start : inner_start])
            length = _utf16_length(document.text[inner_start:inner_end])
            ranges.append((number, block_number, before, before + length))
        return ranges

    def location(self, document_id: str, start: int, end: int) -> str:
        """Where characters stand: "p. 3", "“SECTION”, paragraph 6", "paragraph 6" or "title".

        The document's title is in front if several documents are open.
        """
        document = self.documents[document_id]
        place = location(document, start, end)
        return f"{shorten(document.title)}, {place}" if len(self.documents) > 1 else place


def count_paragraphs(document: Document) -> int:
    """The number of paragraphs of a document, not counting its title and headings."""
    return max((number for number in document.paragraph_numbers if number), default=0)


def display_source(document: Document) -> str:
    """Where a document comes from: its web address, or its file's name without the folder."""
    return document.source if is_address(document.source) else PurePath(document.source).name


def is_address(text: str) -> bool:
    """Whether a text has the form of a web address."""
    return re.match(r"https?://\S+$", text, re.IGNORECASE) is not None


def normalize_newlines(text: str) -> str:
    r"""The text with every line end as "\n", as browsers store it."""
    return re.sub(r"\r\n?", "\n", text) if "\r" in text else text


def _utf16_length(text: str) -> int:
    """The length of a text as a browser counts it, in UTF-16 code units."""
    return len(normalize_newlines(text).encode("utf-16-le", "surrogatepass")) // 2
