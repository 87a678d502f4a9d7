"""Where words stand: in which document, on which page, in which paragraph."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from weakref import WeakKeyDictionary

from index.documents.document import Document, paragraphs

# A longer title is cut off where it only says which document is meant.
SHORT_TITLE = 60

# The number of a document and of a paragraph in it, and where in that a stretch of text starts and
# ends for the browser.
Place = tuple[int, int, int, int]
Layout = tuple[bool, list[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class OpenDocuments:
    """The documents that a visitor has opened, by their ids and numbered from 0 in their order.

    Those that were removed again keep their numbers, since answers still cite them.
    """

    documents: Mapping[str, Document]
    removed: frozenset[str] = frozenset()

    def number(self, document_id: str) -> int:
        """The number of a document."""
        return list(self.documents).index(document_id)

    def places(self, document_id: str, start: int, end: int) -> list[Place]:
        """Where characters start..end of a document stand, one place for each paragraph."""
        document, number = self.documents[document_id], self.number(document_id)
        titled, spans = layout(document)
        first = max(0, bisect_right(spans, (start, len(document.text))) - 1)
        found = []
        for at in range(first, len(spans)):
            left, right = spans[at]
            if left >= end:
                break
            a, b = max(start, left), min(end, right)
            if a < b:
                before = _units(document.text[left:a])
                within = _units(document.text[a:b])
                found.append((number, at if titled else at + 1, before, before + within))
        return found

    def name(self, document_id: str, start: int, end: int) -> str:
        """A place in words: "paragraph 6", "page 3, paragraph 6", "paragraph 6 of TITLE"."""
        document = self.documents[document_id]
        # A passage may begin with the title; its first paragraph says more of where it stands.
        found = self.places(document_id, start, end)
        number = next((paragraph for _, paragraph, _, _ in found if paragraph), 0)
        name = f"paragraph {number}" if number else "the title"
        page = document.page_of(start)
        if page is not None:
            name = f"page {page}, {name}"
        return f"{name} of {short(document.title)}" if len(self.documents) > 1 else name


# Weak, so that nothing of a document stays in memory when its visitor has gone.
_layouts: WeakKeyDictionary[Document, Layout] = WeakKeyDictionary()


def layout(document: Document) -> Layout:
    """Whether the first paragraph is the title, and the offsets of all of them.

    The paragraphs are numbered from 1, without the title.
    """
    if (known := _layouts.get(document)) is None:
        known = _layouts[document] = _layout(document)
    return known


def _layout(document: Document) -> Layout:
    spans = paragraphs(document.text)
    first = document.text[slice(*spans[0])]
    # A title that is not in the text is the file's name.
    titled = "\n" not in first and first.strip("“”\"'#*= ") == document.title
    return titled, spans


def count_paragraphs(document: Document) -> int:
    """How many paragraphs are numbered in a document."""
    titled, spans = layout(document)
    return len(spans) - titled


def source(document: Document) -> str:
    """Where a document is from: its address, or the name of its file without the folder."""
    return document.source if is_address(document.source) else PurePath(document.source).name


def is_address(text: str) -> bool:
    """Whether a text is the address of a web page, by its form."""
    return re.match(r"https?://\S+$", text, re.IGNORECASE) is not None


def short(title: str) -> str:
    """A title that fits into a sentence."""
    if len(title) <= SHORT_TITLE:
        return title
    return title[:SHORT_TITLE].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


def normal(text: str) -> str:
    """The text with the line ends that a browser makes of its own."""
    return re.sub(r"\r\n?", "\n", text)


def _units(text: str) -> int:
    """How long a browser finds a text: in units of UTF-16."""
    return len(normal(text).encode("utf-16-le", "surrogatepass")) // 2
