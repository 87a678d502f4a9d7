"""Replies that wait in Gradio's queue, and what Gradio holds for each session.

Gradio keeps a reply until its session fetches it, whatever its size and however long that takes, and a
session's state until 10,000 others have come. Here replies that nobody fetches are dropped, and
everything that is held for a session can be.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gradio as gr

from page.gradio_compat import PageQueue

# Somebody who calls the API by hand needs some seconds between the call and fetching the reply.
UNFETCHED_SECONDS = 60.0
MAX_UNFETCHED_BYTES = 64_000_000
SWEEP_SECONDS = 2.0


class Replies:
    """The replies of a page's queue, by session. Used on the server's event loop alone."""

    def __init__(
        self,
        blocks: gr.Blocks,
        *,
        on_forget: Callable[[str], None] = lambda session: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch the queue of these Blocks; on_forget(session) drops what others hold for a session."""
        self._queue = PageQueue(blocks)
        self._on_forget = on_forget
        self._clock = clock
        self._fetching: Counter[str] = Counter()
        self._unfetched_since: dict[str, float] = {}
        self._calls: set[str] = set()

    @contextmanager
    def fetching(self, session: str) -> Iterator[None]:
        """Note that a session's replies are being fetched, until the block ends."""
        self._fetching[session] += 1
        try:
            yield
        finally:
            self._fetching[session] -= 1
            if not self._fetching[session]:
                del self._fetching[session]

    def has_replies(self, session: str) -> bool:
        """Whether a session has asked something, so that a reply can be expected."""
        return self._queue.has_replies(session)

    def is_fetched(self, session: str) -> bool:
        """Whether a session's replies are being fetched at this moment."""
        return session in self._fetching

    def session_of_event(self, event_id: str) -> str | None:
        """The session of an event; None if its reply has been fetched, or there is no such event."""
        return self._queue.session_of_event(event_id)

    def note_call(self, event_id: str) -> None:
        """Drop what is held for this call, which has no session, once its reply is fetched."""
        self._calls.add(event_id)

    def forget_session(self, session: str) -> None:
        """Drop everything that is held for a session."""
        self._drop(session)
        self._queue.drop_state(session)
        self._on_forget(session)

    def is_wanted(self, event_id: str | None) -> bool:
        """Whether somebody still waits for the reply to an event; True for None, which is no event."""
        return event_id is None or self._queue.is_alive(event_id)

    def sweep(self) -> None:
        """Drop replies that were not fetched in time or are too many, the oldest first."""
        now = self._clock()
        sizes = {
            session: size
            for session, size in self._queue.pending_sizes().items()
            if session not in self._fetching
        }
        self._unfetched_since = {
            session: self._unfetched_since.get(session, now) for session in sizes
        }
        total = sum(sizes.values())
        for session in sorted(sizes, key=self._unfetched_since.__getitem__):
            age = now - self._unfetched_since[session]
            if total > MAX_UNFETCHED_BYTES or age >= UNFETCHED_SECONDS:
                total -= sizes[session]
                self._drop(session)
        for event_id in [event_id for event_id in self._calls if self._is_over(event_id)]:
            self._calls.discard(event_id)
            self.forget_session(event_id)

    def _is_over(self, event_id: str) -> bool:
        return event_id not in self._fetching and self._queue.is_over(event_id)

    def _drop(self, session: str) -> None:
        self._queue.drop(session)
        self._unfetched_since.pop(session, None)
