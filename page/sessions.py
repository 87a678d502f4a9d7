"""All sessions of a page, and what is forgotten of them when they are over."""

from __future__ import annotations

import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path

from gradio.utils import get_upload_folder

from index.errors import ArticleError
from page.loader import DocumentLoader
from page.session import Clock, Indexes, Session
from page.uploads import UNREAD_SECONDS, Uploads
from page.uploads_folder import Sweeper

# In seconds: somebody may have lunch, or a meeting, and go on.
FORGET_AFTER = 4 * 3600.0


LOST = "What you had open was closed, since it was not used for a while: open it again."


class SessionExpiredError(ArticleError):
    """What a visitor had open was closed, since it was not used for long."""


class Sessions:
    """The sessions of a page, and the indexes that they share.

    What a visitor has opened and asked is forgotten when it was not used for some time, or when the
    session itself is gone: it is the visitor's, and this may be another's machine.
    """

    def __init__(
        self,
        first: DocumentLoader,
        *,
        private: bool = False,
        forget_after: float = FORGET_AFTER,
        uploads: Uploads | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        """Visitors find `first` open; `private` lets their addresses lead into private networks.

        `uploads` is where their files are, by default Gradio's folder.
        """
        self.indexes = Indexes(clock=clock)
        self.first = first
        self.forget_after = forget_after
        self._private = private
        self.uploads = uploads or Uploads(Path(get_upload_folder()))
        self._sweeper = Sweeper(uploads.folder, forget_after, clock) if uploads else None
        self._clock = clock
        self._known: weakref.WeakSet[Session] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def new(self) -> Session:
        """A new session."""
        return Session.of(self.first.documents, private=self._private)

    def arrive(self, session: Session) -> None:
        """Note that a page was loaded, which begins its session."""
        session.arrived = True
        with suppress(SessionExpiredError):
            self.use(session)

    def use(self, session: Session) -> None:
        """Note that a session is used; raises SessionExpiredError, once, if it was forgotten."""
        with self._lock:
            self._known.add(session)
            session.used = self._clock()
            if not session.arrived:
                session.arrived = True
                raise SessionExpiredError(LOST)
            if session.forgotten:
                session.forgotten = False
                hours = self.forget_after / 3600
                raise SessionExpiredError(
                    f"What you had open was closed, since it was not used for {hours:g} hours: "
                    "open it again."
                )

    def forget(self) -> None:
        """Forget what was not used for as long as it is kept."""
        before = self._clock() - self.forget_after
        with self._lock:
            for session in self._known:
                busy = session.adding is not None and not session.adding.opened.is_set()
                if session.used < before and not busy:
                    session.forget(self.first.documents)
        self.indexes.forget(before)
        self.uploads.sweep(min(UNREAD_SECONDS, self.forget_after))
        if self._sweeper:
            self._sweeper.sweep()

    def watch(self) -> None:
        """Forget from now on, by and by, until stop()."""

        def go_on() -> None:
            while not self._stopped.wait(min(60.0, self.forget_after / 4)):
                self.forget()

        threading.Thread(target=go_on, daemon=True).start()

    def stop(self) -> None:
        """End what watch() began."""
        self._stopped.set()
