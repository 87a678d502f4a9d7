"""What one visitor has open, asks and was told; and the indexes that visitors share."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from index.documents.content import MAX_BYTES
from index.documents.document import Document, make_document, read_bytes, read_document
from index.errors import ArticleError, DocumentError
from index.models.types import Encoder, Progress
from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from page.loader import DocumentLoader
from page.text_ranges import OpenDocuments, is_address
from page.uploads import Uploads
from qa.answerer import ArticleAnswerer
from qa.opening import deduplicate
from qa.types import Answer, QuestionError, Turn

# The indexes kept in memory: so many, and of so many characters together. One of a novel has some
# hundred megabytes.
MAX_INDEXES = 32
MAX_CHARACTERS = 10_000_000
# Of all that visitors have open: some three gigabytes of memory.
MAX_OPEN = 30_000_000
# What a document takes beside its vectors, as a share of what it takes with them. Two who open the same
# text share its vectors, and an answer may cite a document that was removed.
TEXT_SHARE = 0.05
# So many documents are opened at a time; the others wait.
PLACES = 4
PASTED = "pasted text"

Clock = Callable[[], float]


class Indexes:
    """The indexes of the documents opened last, by the hash of their text.

    They are in memory only: the documents are the visitors', and this may be another's machine.
    """

    def __init__(
        self,
        most: int = MAX_INDEXES,
        characters: int = MAX_CHARACTERS,
        clock: Clock = time.monotonic,
        at_once: int = MAX_OPEN,
    ) -> None:
        """Keep at most so many, and of so many characters of text together.

        What is open may have `at_once` characters.
        """
        self._most = most
        self._at_once = at_once
        self._alive: weakref.WeakSet[ArticleIndex] = weakref.WeakSet()
        # By their ids in memory, since two who open the same hold it twice.
        self._texts: weakref.WeakValueDictionary[int, Document] = weakref.WeakValueDictionary()
        self._clock = clock
        self._characters = characters
        # Each with when it was opened last, in that order.
        self._kept: OrderedDict[str, tuple[float, ArticleIndex]] = OrderedDict()
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(PLACES)

    def of(self, document: Document, encoder: Encoder, progress: Progress) -> ArticleIndex:
        """The index of a document: the one that is kept of its text, or else a new one.

        Raises DocumentError where too much is open already.
        """
        key = document.sha256
        while not self._places.acquire(timeout=0.5):
            progress(0, 0)  # which raises where nobody waits for it any more
        try:
            progress(0, 0)
            with self._lock:
                _, index = self._kept.get(key, (0.0, None))
            self._check_room(document, encoded=index is not None)
            if index is None:
                index = ArticleIndex.build(document, encoder, progress)
        finally:
            self._places.release()
        given = index.with_document(document)
        with self._lock:
            self._alive |= {index, given}
            self._texts[id(document)] = document
            self._kept[key] = (self._clock(), index)
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and self._full():
                self._kept.popitem(last=False)
        return given

    def forget(self, before: float) -> None:
        """Drop those that were last opened before that time of the clock."""
        with self._lock:
            for key in [key for key, (opened, _) in self._kept.items() if opened < before]:
                del self._kept[key]

    def _check_room(self, document: Document, *, encoded: bool) -> None:
        """Raise DocumentError where there is no room for another document, or a copy of its text."""
        needed = len(document.text) * (TEXT_SHARE if encoded else 1 + TEXT_SHARE)
        with self._lock:
            if self._open + needed > self._at_once:
                # What nobody has open gives way, at once.
                self._kept.clear()
                gc.collect()
            room = self._open + needed <= self._at_once
        if not room:
            raise DocumentError(
                f"Too much is open on this page for ‘{document.title}’ to be, too: remove a document, "
                "or try again later."
            )

    @property
    def _open(self) -> int:
        """What is held, in characters of documents with their vectors."""
        with_vectors = sum({id(i.dense): len(i.document.text) for i in self._alive}.values())
        texts = sum(len(document.text) for document in self._texts.values())
        return with_vectors + int(TEXT_SHARE * texts)

    def _full(self) -> bool:
        size = sum(len(index.document.text) for _, index in self._kept.values())
        return len(self._kept) > self._most or size > self._characters


@dataclass(eq=False)
class Session:
    """What one visitor has open, asks and was told.

    `documents` are all that were opened, by their ids, also those in `removed`: answers cite them.
    Those in `unasked` are open but left out of the questions; `examples` are those of the ones that
    the visitor added. `adding` is the opening under way; `private` lets addresses lead to this machine
    and the networks around it. What changes is replaced and not changed in place, as a question may be
    under way meanwhile. `used` is when it was used last, and `forgotten` whether it was closed since.
    `arrived` is whether its page was loaded: a session that is used without is what is left of one that
    was dropped.
    """

    documents: dict[str, Document]
    shown: str
    private: bool = False
    removed: frozenset[str] = frozenset()
    unasked: frozenset[str] = frozenset()
    turns: list[Answer] = field(default_factory=list)
    examples: dict[str, list[str]] = field(default_factory=dict)
    adding: DocumentLoader | None = None
    used: float = 0.0
    forgotten: bool = False
    arrived: bool = True
    _indexes: dict[str, ArticleIndex] = field(default_factory=dict)
    _answerer: ArticleAnswerer | None = None

    @classmethod
    def of(cls, documents: Sequence[Document], *, private: bool = False) -> Session:
        """A new session with these documents open."""
        return cls({document.id: document for document in documents}, documents[0].id, private)

    @property
    def shelf(self) -> OpenDocuments:
        """The documents as the page shows them."""
        return OpenDocuments(self.documents, self.removed)

    @property
    def open(self) -> list[str]:
        """The ids of the open documents, in their order."""
        return [name for name in self.documents if name not in self.removed]

    @property
    def asked(self) -> list[str]:
        """The ids of the open documents that questions are for."""
        return [name for name in self.open if name not in self.unasked]

    def name(self, number: object) -> str | None:
        """The id of the open document of that number, which may be anything a browser sends."""
        names = list(self.documents)
        if not isinstance(number, int) or not 0 <= number < len(names):
            return None
        return None if names[number] in self.removed else names[number]

    def history(self) -> list[Turn]:
        """What a follow-up can lean on: each question, its answer, and the sentence of that."""
        turns = []
        for answer in self.turns:
            at, sentence = answer.citation, ""
            if at:
                sentence = self.documents[at.document].text[at.sentence_start : at.sentence_end]
            turns.append(Turn(answer.question, answer.text or "", sentence))
        return turns

    def answerer(self, first: ArticleAnswerer, ids: Iterable[str]) -> ArticleAnswerer:
        """What answers from these open documents; raises QuestionError without any.

        `first` has the documents that the page started with, and the models.
        """
        chosen = set(ids)  # once, since it may be an iterator
        wanted = [name for name in self.open if name in chosen]
        if not wanted:
            raise QuestionError("No document is asked: choose at least one of them.")
        if wanted == list(first.documents):
            return first
        if self._answerer is None or list(self._answerer.documents) != wanted:
            indexes = {i.document.id: i for i in first.collection.indexes} | self._indexes
            self._answerer = ArticleAnswerer(Collection([indexes[i] for i in wanted]), first.reader)
        return self._answerer

    def add(
        self,
        first: DocumentLoader,
        kept: Indexes,
        *,
        uploads: Uploads | None = None,
        files: Sequence[str] = (),
        contents: Sequence[tuple[str, bytes]] = (),
        addresses: Sequence[str] = (),
        text: str = "",
        examples: int = 0,
    ) -> DocumentLoader:
        """Begin to open documents beside those that are open; take() then adds them.

        The files are paths in the folder of uploads, which are deleted; contents are names and bytes
        of others.
        Raises ArticleError when nothing is given or another opening is under way.
        """

        def delete() -> None:
            if uploads:
                for path in files:
                    uploads.delete(path)

        try:
            if any(not uploads or path not in uploads for path in files):
                raise ArticleError("A file is not given by its path: upload it.")
            if not (files or contents or addresses or text.strip()):
                raise ArticleError("There is nothing to open: give a file, an address or a text.")
            if self.adding and not self.adding.opened.is_set():
                raise ArticleError("Another document is being opened: wait for it, or cancel it.")
        except ArticleError:
            delete()
            raise

        def how(progress: Progress) -> ArticleAnswerer:
            check = partial(progress, 0, 0)  # raises where nobody waits for it any more
            reads: list[Callable[[], Document]] = [
                *(partial(_read_upload, path) for path in files),
                *(partial(read_bytes, data, name) for name, data in contents),
                *(partial(_read_address, a.strip(), self.private, check) for a in addresses),
                *([partial(_read_text, text)] if text.strip() else []),
            ]
            try:
                documents, wrong = self._read(reads, progress)
            finally:
                delete()
            opened = first.wait()
            encoder = opened.collection.encoder
            indexes = [kept.of(document, encoder, progress) for document in documents]
            return ArticleAnswerer(Collection(indexes), opened.reader, " ".join(wrong))

        self.adding = DocumentLoader(
            how, examples=examples, at_first="Opening the document…", cancellable=True
        )
        return self.adding.start()

    def take(self, added: ArticleAnswerer) -> None:
        """Have the documents open that an opening has made ready."""
        documents = dict(added.documents)
        self._indexes = self._indexes | {i.document.id: i for i in added.collection.indexes}
        self.documents = self.documents | documents
        self.removed -= set(documents)
        self.shown = list(documents)[-1]

    def choose(self, name: str, asked: bool) -> None:
        """Have questions asked of an open document, or not."""
        self.unasked = self.unasked - {name} if asked else self.unasked | {name}

    def remove(self, name: str) -> None:
        """Close an open document; raises ArticleError for the last one."""
        rest = [other for other in self.open if other != name]
        if not rest:
            raise ArticleError("The last document stays open: add another one first.")
        self.removed |= {name}
        self.unasked -= {name}
        self._drop_uncited()
        self.examples.pop(name, None)
        self._indexes = {other: i for other, i in self._indexes.items() if other != name}
        self._answerer = None
        if self.adding and self.adding.finished.is_set():
            self.adding = None  # or the index would be held by what has opened it
        if self.shown == name:
            self.shown = rest[-1]

    def _drop_uncited(self) -> None:
        """Let go of removed documents that no answer cites, from the last one on.

        The page numbers documents by their order, so one that is followed by another keeps its place.
        """
        cited = {hit.passage.document_id for turn in self.turns for hit in turn.hits}
        kept = dict(self.documents)
        for name in reversed(list(kept)):
            if name not in self.removed or name in cited:
                break
            del kept[name]
        self.documents = kept
        self.removed &= set(kept)

    def forget(self, documents: Sequence[Document]) -> None:
        """Have nothing open but these documents, as a new session has, and nothing said."""
        changed = bool(self.turns) or list(self.documents.values()) != list(documents)
        self.forgotten = self.forgotten or changed
        fresh = Session.of(documents)
        self.documents, self.shown = fresh.documents, fresh.shown
        self.removed, self.unasked = fresh.removed, fresh.unasked
        self.turns, self.examples, self._indexes = [], {}, {}
        self.adding, self._answerer = None, None

    def suggestions(self, first: DocumentLoader) -> list[str]:
        """The examples of the document that was added last, or else of those of the start."""
        added = [self.examples[name] for name in self.open if name in self.examples]
        return added[-1] if added else first.examples

    def _read(
        self, reads: Sequence[Callable[[], Document]], progress: Progress
    ) -> tuple[list[Document], list[str]]:
        """The documents that can be read and are not open, and what is wrong with the others.

        Raises DocumentError when there is none.
        """
        found: list[Document] = []
        wrong = []
        for read in reads:
            progress(0, 0)
            try:
                document = read()
            except DocumentError as error:
                wrong.append(str(error))
                continue
            known = [*self.documents.values(), *found]
            again = next((other for other in known if other.text == document.text), None)
            if again is None:
                found += deduplicate([document], beside=known)
            elif again.id in self.removed and again not in found:
                found.append(again)  # under the id that answers cite
            else:
                wrong.append(f"‘{document.title}’ is open already.")
        if not found:
            raise DocumentError(" ".join(wrong))
        return found, wrong


def _read_upload(path: str) -> Document:
    """Read a visitor's file; nothing that is said of it says where it lay."""
    name = Path(path).name
    try:
        return replace(read_document(path), source=name)
    except DocumentError as error:
        raise DocumentError(str(error).replace(path, name)) from error


def _read_address(address: str, private: bool, check: Callable[[], object]) -> Document:
    # Anything else would be the path of a file on this machine, which is not the visitor's to read.
    if not is_address(address):
        raise DocumentError(
            f"'{address}' is no web address: give one that begins with http:// or https://."
        )
    return read_document(address, private=private, check=check)


def _read_text(text: str) -> Document:
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise DocumentError(
            f"The text has more than {MAX_BYTES / 1e6:.0f} MB: split it and open a part."
        )
    return make_document(text, name=PASTED, source=PASTED)
