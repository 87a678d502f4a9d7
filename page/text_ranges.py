"""Map character offsets to what the page shows: the document, the page and the paragraph."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from weakref import WeakKeyDictionary

from index.documents.document import Document, paragraphs

# In characters; longer titles are shortened where they only say which document is meant.
SHORT_TITLE = 60

# The number of a document, the number of a paragraph in it, and the start and end of a stretch of text
# in that, counted as the browser does.
TextRange = tuple[int, int, int, int]
Layout = tuple[bool, list[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class OpenDocuments:
    """The documents that a visitor has opened, by id, numbered from 0 in this order.

    Removed documents keep their numbers, since answers still cite them.
    """

    documents: Mapping[str, Document]
    removed: frozenset[str] = frozenset()

    def number(self, document_id: str) -> int:
        """The number of a document."""
        return list(self.documents).index(document_id)

    def text_ranges(self, document_id: str, start: int, end: int) -> list[TextRange]:
        """The ranges of characters start..end of a document, one for each paragraph."""
        document, number = self.documents[document_id], self.number(document_id)
        titled, spans = layout(document)
        first = max(0, bisect_right(spans, (start, len(document.text))) - 1)
        ranges = []
        for index in range(first, len(spans)):
            left, right = spans[index]
            if left >= end:
                break
            inner_start, inner_end = max(start, left), min(end, right)
            if inner_start < inner_end:
                before = _utf16_length(document.text[left:inner_start])
                length = _utf16_length(document.text[inner_start:inner_end])
                paragraph = index if titled else index + 1
                ranges.append((number, paragraph, before, before + length))
        return ranges

    def location(self, document_id: str, start: int, end: int) -> str:
        """Where characters stand: "paragraph 6", "p. 3", "TITLE, paragraph 6" or "TITLE, p. 3"."""
        document = self.documents[document_id]
        if (page := document.page_of(start)) is not None:
            location = f"p. {page}"
        else:
            # A passage may begin with the title; its first paragraph says more about where it stands.
            ranges = self.text_ranges(document_id, start, end)
            number = next((paragraph for _, paragraph, _, _ in ranges if paragraph), 0)
            location = f"paragraph {number}" if number else "title"
        return f"{shorten(document.title)}, {location}" if len(self.documents) > 1 else location


# Weak, so that no document stays in memory when its visitor has gone.
_layouts: WeakKeyDictionary[Document, Layout] = WeakKeyDictionary()


def layout(document: Document) -> Layout:
    """Whether the first paragraph is the title, and the offsets of all paragraphs.

    Paragraphs are numbered from 1, not counting the title.
    """
    if (cached := _layouts.get(document)) is None:
        cached = _layouts[document] = _layout(document)
    return cached


def _layout(document: Document) -> Layout:
    spans = paragraphs(document.text)
    first = document.text[slice(*spans[0])]
    # Otherwise the title is the file's name, or comes from its metadata.
    titled = "\n" not in first and first.strip("“”\"'#*= ") == document.title
    return titled, spans


def count_paragraphs(document: Document) -> int:
    """The number of paragraphs of a document, not counting its title."""
    titled, spans = layout(document)
    return len(spans) - titled


def display_source(document: Document) -> str:
    """Where a document comes from: its web address, or its file's name without the folder."""
    return document.source if is_address(document.source) else PurePath(document.source).name


def is_address(text: str) -> bool:
    """Whether a text has the form of a web address."""
    return re.match(r"https?://\S+$", text, re.IGNORECASE) is not None


def shorten(title: str) -> str:
    """A title of at most SHORT_TITLE characters, cut at a word."""
    if len(title) <= SHORT_TITLE:
        return title
    return title[:SHORT_TITLE].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


def normalize_newlines(text: str) -> str:
    r"""The text with every line end as "\n", as browsers store it."""
    return re.sub(r"\r\n?", "\n", text)


def _utf16_length(text: str) -> int:
    """The length of a text as a browser counts it, in UTF-16 code units."""
    return len(normalize_newlines(text).encode("utf-16-le", "surrogatepass")) // 2
