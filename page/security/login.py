"""How often a password may be tried, and logging out."""

from __future__ import annotations

import html
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from starlette.datastructures import URL
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Scope

MAX_ATTEMPTS = 10  # failed logins of one client …
WINDOW_SECONDS = 60.0  # … within this time
MAX_IN_FLIGHT = 8  # logins being checked at once, of all clients
MAX_CLIENTS = 10_000
# Gradio's names; the first one is sent over https only.
_COOKIES = ("access-token", "access-token-unsecure")


class LoginThrottle:
    """Counts the attempts to log in, by client.

    An attempt is counted before the password is compared, so that many at once do not slip through,
    and is taken back if the password was right.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin with no attempts."""
        self._clock = clock
        self._attempts: OrderedDict[str, deque[float]] = OrderedDict()
        self._in_flight = 0

    def refusal(self, client: str) -> str:
        """The sentence that refuses an attempt of this client, or ""."""
        if self._in_flight >= MAX_IN_FLIGHT:
            return "Too many people are logging in: try again in a moment."
        if len(self._recent(client)) >= MAX_ATTEMPTS:
            return "Too many wrong passwords: try again in a minute."
        return ""

    @contextmanager
    def attempt(self, client: str) -> Iterator[Callable[[], None]]:
        """Count an attempt while it is checked; call what is given if the password was right."""
        attempts = self._recent(client)
        now = self._clock()
        attempts.append(now)
        self._attempts[client] = attempts
        self._attempts.move_to_end(client)
        while len(self._attempts) > MAX_CLIENTS:
            self._attempts.popitem(last=False)
        self._in_flight += 1
        try:
            yield lambda: attempts.remove(now)
        finally:
            self._in_flight -= 1

    def _recent(self, client: str) -> deque[float]:
        attempts = self._attempts.get(client, deque())
        since = self._clock() - WINDOW_SECONDS
        while attempts and attempts[0] <= since:
            attempts.popleft()
        return attempts


def is_logged_in(scope: Scope) -> bool:
    """Whether the request has the cookie of somebody who logged in, or no password is needed."""
    app = scope["app"]
    return app.auth is None or any(token in app.tokens for token in _tokens(scope))


def log_out(scope: Scope) -> Response:
    """Ask whether to log out (GET), or end this browser's session (POST).

    A link on another site can have a browser GET this, so only the form on the page that it shows,
    whose Origin is checked, ends anything.
    """
    app: Any = scope["app"]
    if scope["method"] != "POST":
        action = html.escape(URL(scope=scope).path)
        return HTMLResponse(
            "<!doctype html><title>Log out</title>"
            "<meta name=viewport content='width=device-width'>"
            "<style>:root{color-scheme:light dark;font-family:system-ui,sans-serif}"
            "form{margin:20vh auto;text-align:center}button{font:inherit;padding:.6em 1.2em}</style>"
            f"<form method=post action='{action}'><button>Log out</button></form>"
        )
    for token in _tokens(scope):
        app.tokens.pop(token, None)
    root = str(scope.get("root_path", "")).rstrip("/")
    response = RedirectResponse(f"{root}/", 303)
    for name in _COOKIES:
        response.delete_cookie(f"{name}-{app.cookie_id}", path="/")
    return response


def _tokens(scope: Scope) -> list[str]:
    cookies = HTTPConnection(scope).cookies
    cookie_id = scope["app"].cookie_id
    return [token for name in _COOKIES if (token := cookies.get(f"{name}-{cookie_id}"))]
