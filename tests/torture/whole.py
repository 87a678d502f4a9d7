"""An article's index and a store, and whether they are whole after what was done to them.

Each function that looks gives "" or what is wrong, in words.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from index.documents.document import Document, make_document
from index.errors import SavedIndexError, StoreError
from index.search.article_index import ArticleIndex, open_index
from index.search.collection import Collection
from index.stores import faiss_store
from index.stores import fill as filling
from index.stores.collection import StoredCollection
from index.stores.faiss_store import FaissStore
from index.stores.fill import fill
from tests.conftest import FakeEncoder

ENCODER = FakeEncoder()
# Passages of a document in the store.
PASSAGES = 2


def town(number: int) -> Document:
    """A document of two passages; no other has its words "Person7", "lake7" and "ships7"."""
    return make_document(
        f"Town {number} has a harbour with room for ships{number} and a market on Mondays.\n\n"
        f"The mayor of it is Person{number} Smith, and lake{number} is near the old town.",
        name=f"towns/{number}.txt",
        source=f"towns/{number}.txt",
    )


# What is in a store before a build, and what the build adds.
OLD = [town(number) for number in range(4)]
NEW = [town(number) for number in range(4, 8)]


@cache
def article(number: int) -> Document:
    """An article: the first tells of other towns than the second, in as many paragraphs."""
    text = "\n\n".join(town(10 * number + i).text for i in range(5))
    return make_document(text, name="towns", source="towns.txt")


@cache
def built(number: int) -> ArticleIndex:
    """The index of that article as it has to be."""
    return ArticleIndex.build(article(number), ENCODER)


def ranked(index: ArticleIndex) -> list[Any]:
    """All that searches in an index give."""
    queries = ["who is the mayor near lake3?", "ships12 on Mondays", "the old harbour"]
    return [
        [(hit.passage, round(hit.score, 4), hit.sentences) for hit in hits]
        for hits in Collection([index]).search(queries, 5)
    ]


@cache
def _right(number: int) -> list[Any]:
    return ranked(built(number))


def wrong_with_index(folder: Path, numbers: tuple[int, ...] = (0, 1)) -> str:
    """Whether one of these articles can be loaded, and only one, and gives the right answers."""
    loaded, told = [], []
    for number in numbers:
        try:
            index = ArticleIndex.load(folder, article(number), ENCODER)
        except SavedIndexError as error:
            told.append(str(error))
            continue
        loaded.append(number)
        if ranked(index) != _right(number):
            return f"article {number} is loaded and gives wrong answers"
    return "" if len(loaded) == 1 else f"loaded: {loaded}, told: {told}"


def wrong_when_opened(folder: Path, number: int) -> str:
    """Whether opening it gives the right answers, and nothing but the one index is there then."""
    index, _ = open_index(article(number), ENCODER, folder)
    if ranked(index) != _right(number):
        return f"article {number} is opened and gives wrong answers"
    if (again := open_index(article(number), ENCODER, folder)[1]) != "":
        return f"article {number} is not saved when opened: {again}"
    return ""


def fill_store(folder: Path, towns: list[Document]) -> None:
    """Fill a store by two documents a segment, which are joined at the end."""
    with (
        patch.object(faiss_store, "LOOSE_SEGMENT_PASSAGES", 2 * PASSAGES),
        patch.object(filling, "BATCH_CHARACTERS", 1),
    ):
        one = FaissStore(folder, ENCODER)
        try:
            fill(one, towns, ENCODER)
        finally:
            one.close()


def wrong_when_used(store: FaissStore) -> str:
    """Whether all that a store is asked for is given, or refused as damaged; whatever it says."""
    queries = ["who is the mayor near lake3?", "ships2 on Mondays", "the old harbour"]
    steps: list[Callable[[], object]] = [
        store.describe,
        lambda: store.stored_ids(OLD),
        lambda: StoredCollection(store, ENCODER).search(queries, 5),
        *(partial(store.document, document.id) for document in OLD),
    ]
    for step in steps:
        try:
            step()
        except (KeyError, StoreError):  # a document that is not found, a store that is empty
            continue
        except SavedIndexError as error:
            if "delete '" not in str(error):
                return f"told without what to do: {error}"
    return ""


def wrong_with_store(folder: Path, every: list[Document], sure: list[Document]) -> str:
    """Whether each document is in it or not, whole and found, and those that are sure to be are."""
    one = FaissStore(folder, ENCODER)
    held = one.stored_ids(every)
    if missing := {document.id for document in sure} - held:
        return f"lost: {sorted(missing)}"
    if len(one) != PASSAGES * len(held):
        return f"{len(one)} passages of {len(held)} documents"
    for document in every:
        if document.id not in held:
            try:
                one.document(document.id)
            except KeyError:
                continue
            return f"{document.id} is not held and yet there"
        if one.document(document.id) != document:
            return f"{document.id} has another text"
        query = document.text.split("mayor")[1]
        (found,) = one.nearest([query], ENCODER.encode_texts([query]), 1)
        if (found[0].document_id, found[0].text) != (document.id, document.text.split("\n\n")[1]):
            return f"{document.id} is not found: {found[0].text!r}"
    one.close()
    return ""
