"""What all sessions of a page share, and the check whether a session has expired."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from index.errors import ArticleError
from page.gradio_compat import upload_folder
from page.index_cache import IndexCache
from page.loader import DocumentLoader
from page.pdf_files import PdfFiles
from page.session import Session
from page.uploads import UNREAD_SECONDS, Uploads
from page.uploads_folder import Sweeper

FORGET_AFTER_SECONDS = 4 * 3600.0  # long enough for a meeting or lunch


class SessionExpiredError(ArticleError):
    """The visitor's session was forgotten, because it was idle or the server restarted."""


class Sessions:
    """Creates the sessions of a page, and holds the index cache and the uploads that they share.

    A session itself is held by Gradio, or by ApiEndpoints for API clients. SessionLimits decides when
    it has been idle for too long, and Replies.forget_session() then drops it everywhere.
    """

    def __init__(
        self,
        initial: DocumentLoader,
        *,
        allow_private_urls: bool = False,
        forget_after: float = FORGET_AFTER_SECONDS,
        uploads: Uploads | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """New sessions have the documents of `initial` open. `forget_after` is in seconds.

        `allow_private_urls` allows addresses on this machine and in private networks. `uploads` is by
        default Gradio's folder.
        """
        self.indexes = IndexCache(clock=clock)
        self.initial = initial
        self.pdfs = PdfFiles()
        # The same for all visitors, and not counted among what they have opened.
        self._initial_pdfs = {
            document.id: file
            for document in initial.documents
            if (file := self.pdfs.add(document, counted=False))
        }
        self.forget_after = forget_after
        self._allow_private_urls = allow_private_urls
        self.uploads = uploads or Uploads(upload_folder())
        self._sweeper = Sweeper(uploads.folder, forget_after, clock) if uploads else None
        self._clock = clock
        self._stopped = threading.Event()

    @property
    def expired_message(self) -> str:
        """The message for a visitor whose session was forgotten."""
        return (
            f"Your documents were closed after {_duration(self.forget_after)} of inactivity or a server "
            "restart. Please add them again."
        )

    def new(self) -> Session:
        """A new session."""
        return Session.create(
            self.initial.documents,
            pdfs=self._initial_pdfs,
            allow_private_urls=self._allow_private_urls,
        )

    def start(self, session: Session) -> None:
        """Note that the visitor's page was loaded, which starts the session."""
        session.started = True

    def check(self, session: Session) -> None:
        """Raise SessionExpiredError, once, if the visitor's session was forgotten since the start."""
        if not session.started:
            session.started = True
            raise SessionExpiredError(self.expired_message)

    def sweep(self) -> None:
        """Drop cached indexes and uploads that have not been used for a while."""
        self.indexes.forget_before(self._clock() - self.forget_after)
        self.uploads.sweep(min(UNREAD_SECONDS, self.forget_after))
        if self._sweeper:
            self._sweeper.sweep()

    def start_sweeping(self) -> None:
        """Sweep regularly in a thread, until stop()."""

        def run() -> None:
            while not self._stopped.wait(min(60.0, self.forget_after / 4)):
                self.sweep()

        threading.Thread(target=run, daemon=True).start()

    def stop(self) -> None:
        """Stop sweeping."""
        self._stopped.set()


def _duration(seconds: float) -> str:
    """A duration in words: "4 hours", "1 hour", "20 minutes", "30 seconds"."""
    units = (("hour", 3600), ("minute", 60), ("second", 1))
    unit, size = next((unit for unit in units if seconds >= unit[1]), units[-1])
    number = f"{seconds / size:.3g}"
    return f"{number} {unit}{'' if number == '1' else 's'}"
