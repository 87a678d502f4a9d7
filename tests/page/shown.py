"""Documents, answers and an encoder for the tests of the page."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from index.documents.document import Document, make_document
from index.models.types import Encoded, Progress
from index.passages.passage import Passage, plain_passage
from index.search.article_index import ArticleIndex
from index.search.collection import Collection, Hit
from page.loader import CancelledError, DocumentLoader
from page.text_ranges import OpenDocuments
from page.uploads import Uploads
from qa.answerer import ArticleAnswerer
from qa.types import Answer, Citation
from tests.conftest import FakeEncoder, FakeReader

LIGHTHOUSE = """The lighthouse of Rosport

The lighthouse of Rosport was built in 1851 by the engineer Anna Weber. It is 31 metres tall.

Its keeper lived in a cottage beside it until 1974. He rowed to the village twice a week, and when the
sea was rough he stayed on the rock for a month. The cottage burned down in the winter of 1974, and
nobody has lived on the rock since then. The light has been electric from 1975 on.
"""


def document_of(text: str, name: str = "name", **changes: Any) -> Document:
    return replace(make_document(text, name=name, source=f"{name}.txt"), **changes)


def shelf_of(*documents: Document, removed: tuple[str, ...] = ()) -> OpenDocuments:
    return OpenDocuments({document.id: document for document in documents}, frozenset(removed))


def loader_of(*documents: Document) -> DocumentLoader:
    """A loader of documents in which the reader finds "1851"."""

    def how(progress: Callable[[int, int], None]) -> ArticleAnswerer:
        indexes = [ArticleIndex.build(document, FakeEncoder()) for document in documents]
        return ArticleAnswerer(Collection(indexes), FakeReader({"1851": 9.0}))

    return DocumentLoader(how, documents=documents)


def answer_of(document: Document, words: str, sentence: str, **changes: Any) -> Answer:
    start, left = document.text.index(words), document.text.index(sentence)
    citation = Citation(document.id, start, start + len(words), left, left + len(sentence))
    answer = Answer(
        question="When?",
        rewritten=None,
        text=words,
        confidence=0.72,
        citation=citation,
        best=citation,
        alternatives=(),
        hits=(hit_of(document, sentence, 8.0),),
        seconds={"retrieve": 0.0, "read": 0.0},
    )
    return replace(answer, **changes)


def abstention(document: Document, nearest: str, **changes: Any) -> Answer:
    return answer_of(document, nearest, nearest, **{"text": None, "citation": None, **changes})


def hit_of(document: Document, text: str, score: float) -> Hit:
    start = document.text.index(text)
    passage = plain_passage(document.id, start, text, [(start, start + len(text))])
    return Hit(passage, score, {}, ())


def uploaded(uploads: Uploads, name: str, text: str) -> str:
    """The path of a file that was uploaded."""
    head = f'--a\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
    with uploads.receiving() as received:
        received.parser(b"a").write(f"{head}{text}\r\n--a--\r\n".encode())
        (path,) = received.keep()
    return path


class StepEncoder(FakeEncoder):
    """Encodes the texts of an article only when it is told to go on, and counts the articles."""

    def __init__(self) -> None:
        self.articles = 0
        self.asked, self.go, self.stopped = (threading.Event() for _ in range(3))
        self.go.set()

    def encode_passages(
        self, passages: Sequence[Passage], progress: Progress | None = None
    ) -> Encoded:
        if progress is None:  # not asked for by a visit
            return super().encode_passages(passages)
        self.articles += 1
        self.asked.set()
        try:
            while not self.go.wait(0.05):
                progress(0, 0)  # raises once the opening is cancelled
            progress(0, len(passages))
        except CancelledError:
            self.stopped.set()
            raise
        return super().encode_passages(passages, progress)
