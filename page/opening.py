"""An article that a thread of its own opens, so that the page can be read and used meanwhile."""

from __future__ import annotations

import asyncio
import threading
import traceback
from collections.abc import AsyncIterator, Callable

from index.document import Document
from index.encoder import Progress
from index.errors import ArticleError
from page.markup import status_html
from qa.answer import Answerer
from qa.examples import example_questions


class Opening:
    """How far the opening of an article is, and what came of it."""

    def __init__(
        self,
        document: Document,
        how: Callable[[Progress], Answerer],
        examples: int,
        at_first: str = "Loading the models…",
    ) -> None:
        """Open `document` by calling how(progress), which is slow, once start() is called.

        The status says `at_first` until there is progress to tell.
        """
        self.document = document
        self.answerer: Answerer | None = None
        self.examples: list[str] = []
        self.error = ""
        self._how = how
        self._most = examples
        self._at_first = at_first
        self._done, self._total = 0, 0
        self._finished = threading.Event()

    def start(self) -> Opening:
        """Begin, and return at once."""
        threading.Thread(target=self._run, daemon=True).start()
        return self

    def wait(self) -> Answerer:
        """Return the article when it is open; raises ArticleError when it cannot be."""
        self._finished.wait()
        if self.answerer is None:
            raise ArticleError(self.error)
        return self.answerer

    def status(self) -> str:
        """Say how far it is, in HTML."""
        return status_html(
            done=self._done,
            total=self._total,
            at_first=self._at_first,
            ready=self._finished.is_set(),
            error=self.error,
            note=self.answerer.note if self.answerer else "",
        )

    async def statuses(self) -> AsyncIterator[str]:
        """Give the status each time it changes, until the opening is finished."""
        last = ""
        while not self._finished.is_set():
            if (status := self.status()) != last:
                last = status
                yield status
            await asyncio.sleep(0.1)

    def _run(self) -> None:
        try:
            answerer = self._how(self._progress)
            self.examples = example_questions(answerer, self._most)
            self.answerer = answerer
        except ArticleError as error:
            self.error = str(error)
        except Exception:  # a visitor must not be left before a bar that never moves again
            traceback.print_exc()
            self.error = "The article cannot be opened: the page's terminal says why."
        finally:
            self._finished.set()

    def _progress(self, done: int, total: int) -> None:
        self._done, self._total = done, total
