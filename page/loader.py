"""Open documents in a background thread, so that the page can be used in the meantime."""

from __future__ import annotations

import asyncio
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from index.documents.document import Document
from index.errors import ArticleError
from index.models.types import Progress
from page.markup import status_html
from page.pdf_files import PdfFile
from qa.answerer import ArticleAnswerer
from qa.suggestions import example_questions


class CancelledError(ArticleError):
    """Opening the documents was cancelled."""


class DocumentLoader:
    """Opens documents in a thread; holds the progress and the result.

    `opened` is set when questions can be asked or opening has failed, and `finished` when the suggested
    questions are ready too. `seconds` has the time of each step, and `pdfs` the files of the PDFs until
    take_pdfs().
    """

    def __init__(
        self,
        load: Callable[[Progress], ArticleAnswerer],
        *,
        documents: Sequence[Document] = (),
        examples: int = 0,
        beside: Path | None = None,
        label: str = "Loading the models…",
        progress_label: str = "Indexing the article",
        cancellable: bool = False,
    ) -> None:
        """Call load(progress), which is slow, once start() is called.

        `documents` can be read before that. `examples` is the number of questions to suggest, first
        those in the file `beside` a document. The status is `label` until there is progress to show,
        then `progress_label` and a percentage.
        """
        self.documents = tuple(documents)
        self.examples: list[str] = []
        self.error = ""
        self.seconds: dict[str, float] = {}
        self.pdfs: dict[str, PdfFile] = {}
        self.opened, self.finished = threading.Event(), threading.Event()
        self._load = load
        self._max_examples, self._beside = examples, beside
        self._label, self._progress_label = label, progress_label
        self._cancellable = cancellable
        self._cancelled = False
        self._answerer: ArticleAnswerer | None = None
        self._done, self._total = 0, 0

    def start(self) -> DocumentLoader:
        """Start the thread, and return at once."""
        threading.Thread(target=self._run, daemon=True).start()
        return self

    def cancel(self) -> None:
        """Stop at the next progress report, and wake up those who wait; does nothing once opened."""
        if not self.opened.is_set():
            self._cancelled = True
            self.opened.set()
            self.finished.set()

    def wait(self) -> ArticleAnswerer:
        """Wait until the documents are open; raises ArticleError if they cannot be opened."""
        self.opened.wait()
        if self._cancelled:
            raise CancelledError("Adding the document was cancelled.")
        if self._answerer is None:
            raise ArticleError(self.error)
        return self._answerer

    def take_pdfs(self) -> dict[str, PdfFile]:
        """The files of the PDFs; the loader keeps none, so that they are gone with their documents."""
        pdfs, self.pdfs = self.pdfs, {}
        return pdfs

    def status(self) -> str:
        """The progress as HTML."""
        opened = self.opened.is_set()
        return status_html(
            done=self._done,
            total=0 if opened else self._total,
            label="Preparing suggestions…" if opened else self._label,
            progress_label=self._progress_label,
            ready=self.finished.is_set(),
            error=self.error,
            note=self._answerer.note if self._answerer else "",
            cancellable=self._cancellable and not opened,
        )

    async def statuses(self, until: threading.Event) -> AsyncIterator[str]:
        """Yield the status each time it changes, until `until` (`opened` or `finished`) is set.

        At least once a second, which is when Gradio notices that a client has left.
        """
        last, repeats = "", 0
        while not until.is_set():
            status = self.status()
            if status != last or repeats >= 10:
                last, repeats = status, 0
                yield status
            repeats += 1
            await asyncio.sleep(0.1)

    def _run(self) -> None:
        try:
            started = time.perf_counter()
            self._answerer = self._load(self._progress)
            self.seconds["open"] = time.perf_counter() - started
            if self._cancelled:
                self.pdfs = {}
            self.opened.set()
        except CancelledError:
            pass
        except ArticleError as error:
            self.error = str(error)
        except Exception:  # otherwise the visitor would see a bar that never moves again
            traceback.print_exc()
            self.error = "The document can't be opened. The server's log has the reason."
        finally:
            self.opened.set()
        try:
            if self._answerer and self._max_examples and not self._cancelled:
                self.examples = example_questions(
                    self._answerer, self._max_examples, beside=self._beside
                )
        except Exception:  # questions can be asked without suggestions
            traceback.print_exc()
        finally:
            self.finished.set()

    def _progress(self, done: int, total: int) -> None:
        if self._cancelled:
            raise CancelledError("Adding the document was cancelled.")
        self._done, self._total = done, total
