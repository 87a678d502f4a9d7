"""How many sessions a client may have, so that nobody's are pushed out by a stranger's."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

MAX_SESSIONS = 2_000
MAX_SESSIONS_PER_CLIENT = 200
MAX_NEW = 120  # new sessions of one client …
WINDOW_SECONDS = 60.0  # … within this time


class SessionLimits:
    """The sessions that are known, by client, the least recently used first.

    Who begins more than the limit loses the oldest of their own. Only where the page is full of
    sessions does the client with the most of them lose one.
    """

    def __init__(self, clock: Callable[[], float], forget: Callable[[str], None]) -> None:
        """Begin with none; forget(name) drops everything that is held for a session."""
        self._clock = clock
        self._forget = forget
        # When each session was used last.
        self._clients: dict[str, OrderedDict[str, float]] = {}
        self._client_of: dict[str, str] = {}
        self._begun: OrderedDict[str, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        """How many sessions there are."""
        return len(self._client_of)

    def use(self, name: str, client: str) -> bool:
        """Note that a session is used, and whether this client may begin it if it is new."""
        known = self._client_of.get(name)
        if known is not None:
            self._clients[known][name] = self._clock()
            self._clients[known].move_to_end(name)
            return True
        if not self._may_begin(client):
            return False
        own = self._clients.setdefault(client, OrderedDict())
        own[name] = self._clock()
        self._client_of[name] = client
        if len(own) > MAX_SESSIONS_PER_CLIENT:
            self.end(next(iter(own)))
        elif len(self) > MAX_SESSIONS:
            largest = max(self._clients.values(), key=len)
            self.end(next(iter(largest)))
        return True

    def end_idle(self, seconds: float, is_busy: Callable[[str], bool]) -> None:
        """Forget the sessions that were not used for so long and are not busy."""
        before = self._clock() - seconds
        idle = [n for own in self._clients.values() for n, used in own.items() if used <= before]
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

    def _may_begin(self, client: str) -> bool:
        now = self._clock()
        begun = self._begun.setdefault(client, deque())
        self._begun.move_to_end(client)
        while len(self._begun) > MAX_SESSIONS:
            self._begun.popitem(last=False)
        while begun and begun[0] <= now - WINDOW_SECONDS:
            begun.popleft()
        if len(begun) >= MAX_NEW:
            return False
        begun.append(now)
        return True
