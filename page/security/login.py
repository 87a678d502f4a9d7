"""Limits on login attempts, and logging out."""

from __future__ import annotations

import html
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.datastructures import URL
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Scope

from page.gradio_compat import login_cookies, login_tokens

MAX_ATTEMPTS = 10  # failed logins of one client …
WINDOW_SECONDS = 60.0  # … within this time
MAX_IN_FLIGHT = 8  # logins being checked at once, of all clients
MAX_CLIENTS = 10_000


class LoginThrottle:
    """Limits the login attempts of each client.

    An attempt is counted before the password is checked, so that many at once do not get around the
    limit, and uncounted if the password was right.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` returns seconds."""
        self._clock = clock
        self._attempts: OrderedDict[str, deque[float]] = OrderedDict()
        self._in_flight = 0

    def refusal(self, client: str) -> str:
        """Why this client may not try now, as a message; "" if it may."""
        if self._in_flight >= MAX_IN_FLIGHT:
            return "Too many people are logging in. Try again in a moment."
        if len(self._recent(client)) >= MAX_ATTEMPTS:
            return "Too many wrong passwords. Try again in a minute."
        return ""

    @contextmanager
    def attempt(self, client: str) -> Iterator[Callable[[], None]]:
        """Count an attempt while it is checked; call the yielded function if the password was right."""
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
        window_start = self._clock() - WINDOW_SECONDS
        while attempts and attempts[0] <= window_start:
            attempts.popleft()
        return attempts


def is_logged_in(scope: Scope) -> bool:
    """Whether the request has a valid login cookie, or no password is needed."""
    valid = login_tokens(scope["app"])
    return valid is None or any(token in valid for token in _tokens(scope))


def log_out(scope: Scope) -> Response:
    """Show a form for logging out (GET), or log this browser out (POST).

    A link on another site can make a browser send a GET, so only the form, whose Origin is checked,
    logs out.
    """
    if scope["method"] != "POST":
        action = html.escape(URL(scope=scope).path)
        return HTMLResponse(
            "<!doctype html><title>Log out</title>"
            "<meta name=viewport content='width=device-width'>"
            "<style>:root{color-scheme:light dark;font-family:system-ui,sans-serif}"
            "form{margin:20vh auto;text-align:center}button{font:inherit;padding:.6em 1.2em}</style>"
            f"<form method=post action='{action}'><button>Log out</button></form>"
        )
    valid = login_tokens(scope["app"]) or {}
    for token in _tokens(scope):
        valid.pop(token, None)
    root = str(scope.get("root_path", "")).rstrip("/")
    response = RedirectResponse(f"{root}/", 303)
    for name in login_cookies(scope["app"]):
        response.delete_cookie(name, path="/")
    return response


def _tokens(scope: Scope) -> list[str]:
    cookies = HTTPConnection(scope).cookies
    return [token for name in login_cookies(scope["app"]) if (token := cookies.get(name))]
