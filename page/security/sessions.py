"""Limits on sessions by client and by idle time."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

MAX_SESSIONS = 2_000
MAX_SESSIONS_PER_CLIENT = 200
MAX_NEW_SESSIONS = 120  # of one client …
WINDOW_SECONDS = 60.0  # … within this time


class SessionLimits:
    """Which sessions exist, of which client, and when each was last used.

    A client that starts more than its limit loses its least recently used session. If the page as a
    whole has too many, the client with the most sessions loses one. So nobody can push out the
    sessions of others. Used on the server's event loop alone.
    """

    def __init__(self, clock: Callable[[], float], forget: Callable[[str], None]) -> None:
        """`clock` returns seconds; forget(name) drops everything that is held for a session."""
        self._clock = clock
        self._forget = forget
        # For each client its sessions, least recently used first, with the time of the last use.
        self._clients: dict[str, OrderedDict[str, float]] = {}
        self._client_of: dict[str, str] = {}
        self._starts: OrderedDict[str, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        """The number of sessions."""
        return len(self._client_of)

    def use(self, name: str, client: str) -> bool:
        """Note that a session is used; False if it is new and the client may not start another."""
        owner = self._client_of.get(name)
        if owner is not None:
            self._clients[owner][name] = self._clock()
            self._clients[owner].move_to_end(name)
            return True
        if not self._may_start(client):
            return False
        sessions = self._clients.setdefault(client, OrderedDict())
        sessions[name] = self._clock()
        self._client_of[name] = client
        if len(sessions) > MAX_SESSIONS_PER_CLIENT:
            self.end(next(iter(sessions)))
        elif len(self) > MAX_SESSIONS:
            largest = max(self._clients.values(), key=len)
            self.end(next(iter(largest)))
        return True

    def end_idle(self, seconds: float, is_busy: Callable[[str], bool]) -> None:
        """Forget the sessions that have been idle for this time and are not busy."""
        before = self._clock() - seconds
        idle = [
            name
            for sessions in self._clients.values()
            for name, last_use in sessions.items()
            if last_use <= before
        ]
        for name in idle:
            if not is_busy(name):
                self.end(name)

    def end(self, name: str) -> None:
        """Forget a session and everything that is held for it."""
        client = self._client_of.pop(name, None)
        if client is not None:
            del self._clients[client][name]
            if not self._clients[client]:
                del self._clients[client]
        self._forget(name)

    def _may_start(self, client: str) -> bool:
        now = self._clock()
        starts = self._starts.setdefault(client, deque())
        self._starts.move_to_end(client)
        while len(self._starts) > MAX_SESSIONS:
            self._starts.popitem(last=False)
        while starts and starts[0] <= now - WINDOW_SECONDS:
            starts.popleft()
        if len(starts) >= MAX_NEW_SESSIONS:
            return False
        starts.append(now)
        return True
