"""Close connections that send nothing, and limit how many one client may have."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol

# From the start of a connection, or the end of a response, to the end of the next request's headers.
HEADER_SECONDS = 15.0
# Files that the program needs besides its connections.
_OTHER_FILES = 200
_MAX_CONNECTIONS = 4_000


class BoundedProtocol(H11Protocol):
    """Uvicorn's HTTP protocol with a timeout for headers and a limit on connections.

    Uvicorn itself closes only connections that are idle between two requests, not those that send half
    a request or nothing at all.
    """

    _clients: Counter[str] = Counter()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request, or close the connection if there are too many."""
        super().connection_made(transport)
        self._header_timer: asyncio.TimerHandle | None = None
        self._host = self.client[0] if self.client else ""
        self._clients[self._host] += 1
        limit = max_connections()
        if len(self.connections) > limit or self._clients[self._host] > limit // 2:
            transport.close()
            return
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        super().connection_lost(exc)
        self._stop_waiting()
        self._clients[self._host] -= 1
        if not self._clients[self._host]:
            del self._clients[self._host]

    def handle_events(self) -> None:
        """Handle received data; stop the timer once a request's headers are complete."""
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        if self.cycle is None or self.cycle.response_complete:
            self._await_headers()

    def _await_headers(self) -> None:
        self._stop_waiting()
        if not self.transport.is_closing():
            self._header_timer = self.loop.call_later(HEADER_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None


def bound_connections(config: Config) -> None:
    """Have a running server use BoundedProtocol for new connections."""
    config.http_protocol_class = BoundedProtocol


def max_connections() -> int:
    """The number of connections that may be open at once."""
    return max(64, min(_MAX_CONNECTIONS, _max_open_files() - _OTHER_FILES))


def _max_open_files() -> int:
    if sys.platform == "win32":
        return _MAX_CONNECTIONS
    import resource

    soft: Any = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else int(soft)
