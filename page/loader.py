"""Documents that a thread of its own opens, so that the page can be read and used meanwhile."""

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
from qa.answerer import ArticleAnswerer
from qa.suggestions import example_questions


class CancelledError(ArticleError):
    """The opening was cancelled by the one who waits for it."""


class DocumentLoader:
    """How far the opening of documents is, and what came of it.

    `opened` is set when they can be asked or cannot be opened, and `finished` when the examples are
    there too. `seconds` says how long each step took.
    """

    def __init__(
        self,
        how: Callable[[Progress], ArticleAnswerer],
        *,
        documents: Sequence[Document] = (),
        examples: int = 0,
        beside: Path | None = None,
        at_first: str = "Loading the models…",
        cancellable: bool = False,
    ) -> None:
        """Open by calling how(progress), which is slow, once start() is called.

        `documents` are those that can be read before that. So many examples are looked for then, first
        of all `beside` a document's file. The status says `at_first` until there is progress to tell.
        """
        self.documents = tuple(documents)
        self.examples: list[str] = []
        self.error = ""
        self.seconds: dict[str, float] = {}
        self.opened, self.finished = threading.Event(), threading.Event()
        self._how = how
        self._most, self._beside = examples, beside
        self._at_first = at_first
        self._cancellable = cancellable
        self._cancelled = False
        self._answerer: ArticleAnswerer | None = None
        self._done, self._total = 0, 0

    def start(self) -> DocumentLoader:
        """Begin, and return at once."""
        threading.Thread(target=self._run, daemon=True).start()
        return self

    def cancel(self) -> None:
        """Stop it at the next text that is encoded, and let nobody wait for that."""
        if not self.opened.is_set():
            self._cancelled = True
            self.opened.set()
            self.finished.set()

    def wait(self) -> ArticleAnswerer:
        """Return what answers when it is opened; raises ArticleError when it cannot be."""
        self.opened.wait()
        if self._cancelled:
            raise CancelledError("The opening was cancelled.")
        if self._answerer is None:
            raise ArticleError(self.error)
        return self._answerer

    def status(self) -> str:
        """Say how far it is, in HTML."""
        opened = self.opened.is_set()
        return status_html(
            done=self._done,
            total=0 if opened else self._total,
            at_first="Looking for questions to suggest…" if opened else self._at_first,
            ready=self.finished.is_set(),
            error=self.error,
            note=self._answerer.note if self._answerer else "",
            cancellable=self._cancellable and not opened,
        )

    async def statuses(self, until: threading.Event) -> AsyncIterator[str]:
        """Give the status each time it changes, until `until`: either `opened` or `finished`.

        It is given every second anyway, which is when gradio sees whether anybody still looks.
        """
        last, since = "", 0
        while not until.is_set():
            status = self.status()
            if status != last or since >= 10:
                last, since = status, 0
                yield status
            since += 1
            await asyncio.sleep(0.1)

    def _run(self) -> None:
        try:
            started = time.perf_counter()
            self._answerer = self._how(self._progress)
            self.seconds["open"] = time.perf_counter() - started
            self.opened.set()
        except CancelledError:
            pass
        except ArticleError as error:
            self.error = str(error)
        except Exception:  # a visitor must not be left before a bar that never moves again
            traceback.print_exc()
            self.error = "The article cannot be opened: the page's terminal says why."
        finally:
            self.opened.set()
        try:
            if self._answerer and self._most and not self._cancelled:
                self.examples = example_questions(self._answerer, self._most, beside=self._beside)
        except Exception:  # the documents can be asked without suggestions
            traceback.print_exc()
        finally:
            self.finished.set()

    def _progress(self, done: int, total: int) -> None:
        if self._cancelled:
            raise CancelledError("The opening was cancelled.")
        self._done, self._total = done, total
