"""The indexes of recently opened documents, shared by all visitors, and a limit on what is open."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable

from index.documents.document import Document
from index.errors import DocumentError
from index.models.types import Encoder, Progress
from index.search.article_index import ArticleIndex

# The index of a novel takes some hundred megabytes.
MAX_INDEXES = 32
MAX_CHARACTERS = 10_000_000  # of the cached documents
# Of all that visitors have open: about three gigabytes of memory.
MAX_OPEN_CHARACTERS = 30_000_000
# The memory of a document's text as a share of that of its text and vectors. Visitors who open the same
# text share its vectors, and answers may cite a document that was removed.
TEXT_SHARE = 0.05
MAX_CONCURRENT = 4  # documents being opened; the others wait


class IndexCache:
    """The indexes of recently opened documents, by the hash of their text. Thread-safe.

    They are kept in memory only: documents belong to visitors, and this may be somebody else's machine.
    """

    def __init__(
        self,
        *,
        max_indexes: int = MAX_INDEXES,
        max_characters: int = MAX_CHARACTERS,
        max_open_characters: int = MAX_OPEN_CHARACTERS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Limit the cache, and with `max_open_characters` all that visitors have open."""
        self._max_indexes = max_indexes
        self._max_characters = max_characters
        self._max_open_characters = max_open_characters
        self._clock = clock
        # What is in memory, in the cache or in sessions. Texts by identity, since visitors who open the
        # same text each have a copy.
        self._alive: weakref.WeakSet[ArticleIndex] = weakref.WeakSet()
        self._texts: weakref.WeakValueDictionary[int, Document] = weakref.WeakValueDictionary()
        # Each with the time when it was last opened, in that order.
        self._cached: OrderedDict[str, tuple[float, ArticleIndex]] = OrderedDict()
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(MAX_CONCURRENT)

    def get(self, document: Document, encoder: Encoder, progress: Progress) -> ArticleIndex:
        """The index of a document, from the cache if it has one of the same text.

        progress(done, total) may raise to cancel. Raises DocumentError if too much is open already.
        """
        key = document.sha256
        while not self._slots.acquire(timeout=0.5):
            progress(0, 0)
        try:
            progress(0, 0)
            with self._lock:
                _, index = self._cached.get(key, (0.0, None))
            self._check_room(document, encoded=index is not None)
            if index is None:
                index = ArticleIndex.build(document, encoder, progress)
        finally:
            self._slots.release()
        own_index = index.with_document(document)
        with self._lock:
            self._alive |= {index, own_index}
            self._texts[id(document)] = document
            self._cached[key] = (self._clock(), index)
            self._cached.move_to_end(key)
            while len(self._cached) > 1 and self._is_full():
                self._cached.popitem(last=False)
        return own_index

    def forget_before(self, deadline: float) -> None:
        """Drop indexes that were last opened before this time of the clock."""
        with self._lock:
            for key in [key for key, (opened, _) in self._cached.items() if opened < deadline]:
                del self._cached[key]

    def _check_room(self, document: Document, *, encoded: bool) -> None:
        """Raise DocumentError if there is no room for another document, or for a copy of its text."""
        needed = len(document.text) * (TEXT_SHARE if encoded else 1 + TEXT_SHARE)
        with self._lock:
            if self._open_characters + needed > self._max_open_characters:
                # Drop at once what nobody has open.
                self._cached.clear()
                gc.collect()
            has_room = self._open_characters + needed <= self._max_open_characters
        if not has_room:
            raise DocumentError(
                f"This server is full, so “{document.title}” can't be opened. Remove a document or try "
                "again later."
            )

    @property
    def _open_characters(self) -> int:
        """What is in memory, in characters of documents with their vectors."""
        with_vectors = sum({id(i.dense): len(i.document.text) for i in self._alive}.values())
        texts = sum(len(document.text) for document in self._texts.values())
        return with_vectors + int(TEXT_SHARE * texts)

    def _is_full(self) -> bool:
        size = sum(len(index.document.text) for _, index in self._cached.values())
        return len(self._cached) > self._max_indexes or size > self._max_characters
