"""Replies that wait in Gradio's queue, and what Gradio holds for each session.

Gradio keeps a reply until its session fetches it, however large it is and however long that takes, and
the state of a session until 10,000 others have come. Here replies that nobody fetches are dropped,
and everything that is held for a session can be.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr

# Somebody who calls the API by hand needs some seconds between the call and fetching the reply.
UNHEARD_SECONDS = 60.0
MAX_UNHEARD_BYTES = 64_000_000
SWEEP_SECONDS = 2.0


class Replies:
    """What a page's queue holds for its sessions. Used on the server's event loop alone."""

    def __init__(
        self,
        blocks: gr.Blocks,
        *,
        on_forget: Callable[[str], None] = lambda session: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look after the queue of these Blocks; on_forget(session) drops what others hold for it."""
        self._blocks = blocks
        self._on_forget = on_forget
        self._clock = clock
        self._listening: Counter[str] = Counter()
        self._unheard: dict[str, float] = {}
        self._calls: set[str] = set()

    @property
    def _queue(self) -> Any:
        return self._blocks._queue

    @contextmanager
    def listening(self, session: str) -> Iterator[None]:
        """While a session's replies are being fetched."""
        self._listening[session] += 1
        try:
            yield
        finally:
            self._listening[session] -= 1
            if not self._listening[session]:
                del self._listening[session]

    def has_replies(self, session: str) -> bool:
        """Whether a session has asked something, so that a reply of it can be waited for."""
        return session in self._queue.pending_messages_per_session

    def is_fetched(self, session: str) -> bool:
        """Whether somebody is fetching a session's replies at this moment."""
        return session in self._listening

    def session_of_event(self, event: str) -> str | None:
        """The session that an event belongs to; None for one that is fetched already, or never was."""
        if known := self._queue.event_ids_to_events.get(event):
            return str(known.session_hash)
        for session, events in self._queue.pending_event_ids_session.items():
            if event in events:
                return str(session)
        return None

    def note_call(self, event: str) -> None:
        """Drop what is held for this call, which has no session, as soon as its reply is fetched."""
        self._calls.add(event)

    def forget_session(self, session: str) -> None:
        """Drop everything that is held for a session."""
        self._drop_replies(session)
        state = self._blocks.app.state_holder
        state.session_data.pop(session, None)
        state.time_last_used.pop(session, None)
        self._on_forget(session)

    def is_wanted(self, event: str | None) -> bool:
        """Whether somebody still waits for the reply of an event; None is no event at all."""
        known = self._queue.event_ids_to_events.get(event)
        return event is None or (known is not None and known.alive)

    def sweep(self) -> None:
        """Drop replies that were not fetched in time or are too many, the oldest first."""
        now = self._clock()
        waiting = {
            session: messages
            for session, messages in self._queue.pending_messages_per_session.items()
            if session not in self._listening
            and (messages.qsize() or self._queue.pending_event_ids_session.get(session))
        }
        self._unheard = {session: self._unheard.get(session, now) for session in waiting}
        held = {session: _size(messages) for session, messages in waiting.items()}
        total = sum(held.values())
        for session in sorted(waiting, key=self._unheard.__getitem__):
            if total > MAX_UNHEARD_BYTES or now - self._unheard[session] >= UNHEARD_SECONDS:
                total -= held[session]
                self._drop_replies(session)
        for event in [event for event in self._calls if self._is_over(event)]:
            self._calls.discard(event)
            self.forget_session(event)

    def _is_over(self, event: str) -> bool:
        queue = self._queue
        return (
            event not in queue.event_ids_to_events
            and event not in self._listening
            and not queue.pending_event_ids_session.get(event)
        )

    def _drop_replies(self, session: str) -> None:
        queue = self._queue
        for job in queue.active_jobs:
            for event in job or ():
                if event.session_hash == session:
                    event.alive = False
        for waiting in queue.event_queue_per_concurrency_id.values():
            for event in [event for event in waiting.queue if event.session_hash == session]:
                waiting.queue.remove(event)
                queue.event_ids_to_events.pop(event._id, None)
        queue.pending_messages_per_session.pop(session, None)
        queue.pending_event_ids_session.pop(session, None)
        self._unheard.pop(session, None)


def _size(messages: asyncio.Queue[Any]) -> int:
    """About how many bytes the replies in a queue have."""
    size = 0
    for message in messages._queue:  # type: ignore[attr-defined]
        output = getattr(message, "output", None)
        data = output.get("data") if isinstance(output, dict) else None
        size += sum(_text_size(value) for value in data or ())
    return size


def _text_size(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_text_size, value.values()))
    return sum(map(_text_size, value)) if isinstance(value, (list, tuple)) else 8
