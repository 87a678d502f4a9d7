"""A visitor's session: the open documents, what is being opened, and the conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from index.documents.content import MAX_BYTES
from index.documents.document import Document, make_document, read_bytes, read_document
from index.errors import ArticleError, DocumentError
from index.models.types import Progress
from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from page.gradio_compat import UPLOAD_BY_PATH
from page.index_cache import IndexCache
from page.loader import DocumentLoader
from page.pdf_files import PdfFile, PdfFiles
from page.text_ranges import OpenDocuments, is_address
from page.uploads import Uploads
from qa.answerer import ArticleAnswerer
from qa.location import shorten
from qa.opening import deduplicate
from qa.types import Answer, QuestionError, Turn

PASTED = "pasted text"


@dataclass(eq=False)
class Session:
    """What one visitor has open and has asked.

    `documents` are all that were opened, by id, including those in `removed`, which answers may cite.
    Those in `deselected` are open but not searched; `pdfs` are the files of the open PDFs, whose pages
    are shown; `examples` are the suggestions for documents that
    the visitor added. `loader` opens further documents, or did so last. `started` is whether the
    visitor's page was loaded: Gradio begins a session with a copy of one that is not, also after it was
    forgotten. Values are replaced and not changed in place, since a question may be in progress.
    """

    documents: dict[str, Document]
    shown: str
    allow_private_urls: bool = False
    removed: frozenset[str] = frozenset()
    deselected: frozenset[str] = frozenset()
    turns: list[Answer] = field(default_factory=list)
    examples: dict[str, list[str]] = field(default_factory=dict)
    pdfs: dict[str, PdfFile] = field(default_factory=dict)
    loader: DocumentLoader | None = None
    started: bool = True
    _indexes: dict[str, ArticleIndex] = field(default_factory=dict)
    _answerer: ArticleAnswerer | None = None

    @classmethod
    def create(
        cls,
        documents: Sequence[Document],
        *,
        pdfs: Mapping[str, PdfFile] | None = None,
        allow_private_urls: bool = False,
    ) -> Session:
        """A new session with these documents open, and the files of those shown as pages."""
        by_id = {document.id: document for document in documents}
        return cls(by_id, documents[0].id, allow_private_urls, pdfs=dict(pdfs or {}))

    @property
    def open_documents(self) -> OpenDocuments:
        """The documents as the page shows them."""
        page_urls = {document_id: pdf.url for document_id, pdf in self.pdfs.items()}
        return OpenDocuments(self.documents, self.removed, page_urls)

    @property
    def open_ids(self) -> list[str]:
        """The ids of the open documents, in their order."""
        return [document_id for document_id in self.documents if document_id not in self.removed]

    @property
    def selected_ids(self) -> list[str]:
        """The ids of the open documents that are searched."""
        return [document_id for document_id in self.open_ids if document_id not in self.deselected]

    @property
    def is_loading(self) -> bool:
        """Whether documents are being opened."""
        return self.loader is not None and not self.loader.opened.is_set()

    def document_id(self, number: object) -> str | None:
        """The id of the open document with this number, which may be anything a browser sends."""
        ids = list(self.documents)
        if not isinstance(number, int) or not 0 <= number < len(ids):
            return None
        return None if ids[number] in self.removed else ids[number]

    def history(self) -> list[Turn]:
        """The conversation, for follow-up questions: each question, its answer and sentence."""
        turns = []
        for answer in self.turns:
            citation, sentence = answer.citation, ""
            if citation:
                text = self.documents[citation.document].text
                sentence = text[citation.sentence_start : citation.sentence_end]
            turns.append(Turn(answer.question, answer.text or "", sentence))
        return turns

    def answerer(self, initial: ArticleAnswerer, ids: Iterable[str]) -> ArticleAnswerer:
        """Answers from these open documents; raises QuestionError if there are none.

        `initial` has the documents that the page was started with, and the models.
        """
        requested = set(ids)  # once, since it may be an iterator
        selected = [document_id for document_id in self.open_ids if document_id in requested]
        if not selected:
            raise QuestionError("No documents selected. Tick at least one.")
        if selected == list(initial.documents):
            return initial
        if self._answerer is None or list(self._answerer.documents) != selected:
            indexes = {i.document.id: i for i in initial.collection.indexes} | self._indexes
            collection = Collection([indexes[document_id] for document_id in selected])
            self._answerer = ArticleAnswerer(collection, initial.reader)
        return self._answerer

    def start_loading(
        self,
        initial: DocumentLoader,
        cache: IndexCache,
        *,
        uploads: Uploads | None = None,
        pdfs: PdfFiles | None = None,
        files: Sequence[str] = (),
        contents: Sequence[tuple[str, bytes]] = (),
        addresses: Sequence[str] = (),
        text: str = "",
        examples: int = 0,
    ) -> DocumentLoader:
        """Start opening more documents; add_loaded() then adds them.

        `files` are paths of uploads, which are deleted once read; `contents` are names and bytes of
        other files. With `pdfs` the bytes of PDFs are kept to show their pages. Raises ArticleError if
        nothing is given or documents are being opened already.
        """

        def delete_files() -> None:
            if uploads:
                for path in files:
                    uploads.delete(path)

        try:
            if any(not uploads or path not in uploads for path in files):
                raise ArticleError(UPLOAD_BY_PATH)
            if not (files or contents or addresses or text.strip()):
                raise ArticleError("Add a file, a web address or some text first.")
            if self.is_loading:
                raise ArticleError(
                    "Another document is being added. Wait until it is ready, or cancel it."
                )
        except ArticleError:
            delete_files()
            raise

        def load(progress: Progress) -> ArticleAnswerer:
            check_cancelled = partial(progress, 0, 0)
            keep = pdfs is not None
            read_address = partial(
                _read_address,
                allow_private_urls=self.allow_private_urls,
                keep_pdf=keep,
                check_cancelled=check_cancelled,
            )
            reads: list[Callable[[], Document]] = [
                *(partial(_read_upload, path, keep_pdf=keep) for path in files),
                *(partial(read_bytes, data, name, keep_pdf=keep) for name, data in contents),
                *(partial(read_address, address.strip()) for address in addresses),
                *([partial(_read_text, text)] if text.strip() else []),
            ]
            try:
                documents, problems = self._read(reads, progress)
            finally:
                delete_files()
            files_by_id: dict[str, PdfFile] = {}
            if pdfs is not None:
                files_by_id, full = _keep_files(pdfs, documents)
                problems += full
                documents = [replace(document, pdf=None) for document in documents]
            answerer = initial.wait()
            encoder = answerer.collection.encoder
            indexes = [cache.get(document, encoder, progress) for document in documents]
            loader.pdfs = files_by_id
            return ArticleAnswerer(Collection(indexes), answerer.reader, " ".join(problems))

        names = [*(Path(path).name for path in files), *(name for name, _ in contents), *addresses]
        names += ["the text"] if text.strip() else []
        label = shorten(names[0]) if len(names) == 1 else f"{len(names)} documents"
        loader = self.loader = DocumentLoader(
            load,
            examples=examples,
            label=f"Adding {label}…",
            progress_label=f"Indexing {label}",
            cancellable=True,
        )
        return loader.start()

    def add_loaded(
        self, opened: ArticleAnswerer, pdfs: Mapping[str, PdfFile] | None = None
    ) -> None:
        """Add documents that have been opened, and the files of those shown as pages."""
        documents = dict(opened.documents)
        self.pdfs = self.pdfs | dict(pdfs or {})
        self._indexes = self._indexes | {i.document.id: i for i in opened.collection.indexes}
        self.documents = self.documents | documents
        self.removed -= set(documents)
        self.shown = list(documents)[-1]

    def select(self, document_id: str, selected: bool) -> None:
        """Include an open document in the search, or leave it out."""
        ids = {document_id}
        self.deselected = self.deselected - ids if selected else self.deselected | ids

    def remove(self, document_id: str) -> None:
        """Close an open document; raises ArticleError for the last one."""
        rest = [other for other in self.open_ids if other != document_id]
        if not rest:
            raise ArticleError("The last document can't be removed. Add another one first.")
        self.removed |= {document_id}
        self.deselected -= {document_id}
        self._drop_uncited()
        self.examples.pop(document_id, None)
        self.pdfs = {i: pdf for i, pdf in self.pdfs.items() if i != document_id}
        self._indexes = {i: index for i, index in self._indexes.items() if i != document_id}
        self._answerer = None
        if self.loader and self.loader.finished.is_set():
            self.loader = None  # it refers to the indexes that it has opened
        if self.shown == document_id:
            self.shown = rest[-1]

    def _drop_uncited(self) -> None:
        """Drop removed documents that no answer cites, from the last one backwards.

        The page numbers documents by their order, so one that is followed by another stays.
        """
        cited = {hit.passage.document_id for turn in self.turns for hit in turn.hits}
        kept = dict(self.documents)
        for document_id in reversed(list(kept)):
            if document_id not in self.removed or document_id in cited:
                break
            del kept[document_id]
        self.documents = kept
        self.removed &= set(kept)

    def suggestions(self, initial: DocumentLoader) -> list[str]:
        """The suggested questions of the document added last, or those of the initial documents."""
        added = [self.examples[i] for i in self.open_ids if i in self.examples]
        return added[-1] if added else initial.examples

    def _read(
        self, reads: Sequence[Callable[[], Document]], progress: Progress
    ) -> tuple[list[Document], list[str]]:
        """The documents that can be read and are not open yet, and what is wrong with the others.

        Raises DocumentError if there are none.
        """
        found: list[Document] = []
        problems = []
        for read in reads:
            progress(0, 0)
            try:
                document = read()
            except DocumentError as error:
                problems.append(str(error))
                continue
            known = [*self.documents.values(), *found]
            same = next((other for other in known if other.text == document.text), None)
            if same is None:
                found += deduplicate([document], beside=known)
            elif same.id in self.removed and same not in found:
                found.append(same)  # under the id that answers cite
            else:
                problems.append(f"“{document.title}” is already open.")
        if not found:
            raise DocumentError(" ".join(problems))
        return found, problems


def _keep_files(
    pdfs: PdfFiles, documents: Sequence[Document]
) -> tuple[dict[str, PdfFile], list[str]]:
    """The files of the PDFs among these documents, and messages about those that do not fit."""
    files, problems = {}, []
    for document in documents:
        try:
            if file := pdfs.add(document):
                files[document.id] = file
        except DocumentError as error:
            problems.append(str(error))
    return files, problems


def _read_upload(path: str, *, keep_pdf: bool) -> Document:
    """Read an upload; errors name the file without its folder on the server."""
    name = Path(path).name
    try:
        return replace(read_document(path, keep_pdf=keep_pdf), source=name)
    except DocumentError as error:
        raise DocumentError(str(error).replace(path, name)) from error


def _read_address(
    address: str,
    *,
    allow_private_urls: bool,
    keep_pdf: bool,
    check_cancelled: Callable[[], object],
) -> Document:
    # Anything else would be the path of a file on the server.
    if not is_address(address):
        raise DocumentError(
            f"“{address}” isn't a web address. Give one that starts with http:// or https://."
        )
    return read_document(
        address, allow_private_urls=allow_private_urls, keep_pdf=keep_pdf, check=check_cancelled
    )


def _read_text(text: str) -> Document:
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise DocumentError(
            f"The text is too large (limit {MAX_BYTES / 1e6:.0f} MB). Split it and add the parts."
        )
    return make_document(text, name=PASTED, source=PASTED)
