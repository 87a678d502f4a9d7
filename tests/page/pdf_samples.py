"""PDFs for the tests of the page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from index.documents.document import Document, read_document
from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from page.loader import DocumentLoader
from qa.answerer import ArticleAnswerer
from tests.browser import ROOT
from tests.conftest import FakeEncoder, FakeReader

PAPER = ROOT / "tests" / "documents" / "paper-two-columns.pdf"


def paper(**changes: Any) -> Document:
    """A paper of two pages in two columns, with its bytes."""
    return replace(read_document(PAPER, keep_pdf=True), **changes)


def opening(*documents: Document, words: str = "27") -> DocumentLoader:
    """What opens these documents; the reader finds `words` wherever they stand."""

    def load(_: object) -> ArticleAnswerer:
        indexes = [ArticleIndex.build(document, FakeEncoder()) for document in documents]
        return ArticleAnswerer(Collection(indexes), FakeReader({words: 9.0}))

    return DocumentLoader(load, documents=documents)
