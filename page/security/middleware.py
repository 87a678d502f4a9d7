"""ASGI security middleware: host, origin, login, route allow-list, body and session limits.

Gradio checks the password on some routes only, answers every origin, accepts bodies of any shape and
remembers every session name. This middleware refuses such requests before Gradio sees them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from page.gradio_compat import functions, has_started
from page.replies import Replies
from page.security.bodies import (
    BodyError,
    BodyReader,
    check_charset,
    parse_json,
    replayed,
    session_of,
)
from page.security.calls import check_call
from page.security.login import WINDOW_SECONDS, LoginThrottle, is_logged_in, log_out
from page.security.origin import AllowedHosts, refusal
from page.security.proxy import TrustedProxies, client_key
from page.security.routes import (
    CALLS,
    LOGIN,
    LOGOUT,
    REPLIES,
    STARTUP,
    UPLOAD,
    body_limit,
    is_public,
    is_served,
    route_path,
)
from page.security.sessions import SessionLimits

# Other sites must not show the page in a frame or see questions in its address (?q=…), and browsers
# must not guess the type of a response.
_HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'self'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class SecurityMiddleware:
    """Checks host, origin, login, route, size and session of each request, in this order."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: AllowedHosts,
        replies: Replies,
        session_limits: SessionLimits,
        uploads: ASGIApp,
        trusted_proxies: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Protect Gradio's application; `uploads` receives files in its place."""
        self._app = app
        self._uploads = uploads
        self._hosts = hosts
        self._replies = replies
        self._throttle = LoginThrottle(clock)
        self._bodies = BodyReader()
        self._session_limits = session_limits
        self._entry = TrustedProxies(self._check, trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "websocket":  # the page uses none
            await send({"type": "websocket.close"})
            return
        await (self._entry if scope["type"] == "http" else self._app)(scope, receive, send)

    async def _check(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what the path and headers alone show to be forbidden."""
        path, headers = route_path(scope), Headers(scope=scope)
        send = _with_headers(send)
        foreign = refusal(headers, scope["method"], self._hosts)
        starting = path == STARTUP and not has_started(scope["app"])
        if foreign:
            await _refuse(*foreign)(scope, receive, send)
        elif not (is_public(path) or starting or is_logged_in(scope)):
            detail = {"error": "Not authenticated", "auth_message": None}
            await JSONResponse({"detail": detail}, 401)(scope, receive, send)
        elif not (is_served(path) or starting):
            await _refuse(404, "Not Found")(scope, receive, send)
        elif path == LOGOUT:
            await log_out(scope)(scope, receive, send)
        else:
            try:
                await self._dispatch(path, headers, scope, receive, send)
            except BodyError as error:
                await _refuse(error.status, str(error))(scope, receive, send)

    async def _dispatch(
        self, path: str, headers: Headers, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Check the body, and pass the request on."""
        check_charset(headers)
        if path == UPLOAD and scope["method"] == "POST":
            await self._uploads(scope, receive, send)
            return
        if scope["method"] in ("GET", "HEAD"):
            with ExitStack() as fetching:
                if path == REPLIES or path.startswith(CALLS):
                    fetching.enter_context(self._replies.fetching(self._session(path, scope)))
                await self._app(scope, receive, send)
            return
        with self._bodies.reserved() as reserved:
            body = await reserved.read(receive, headers, body_limit(path))
            receive = replayed(body, receive)
            if path in LOGIN:
                await self._log_in(scope, receive, send)
                return
            parsed = await parse_json(body, headers)
            if body and parsed is None:
                raise BodyError(415, "Send JSON, with the header 'Content-Type: application/json'.")
            session = session_of(parsed)
            check_call(path, parsed, functions(scope["app"]))
            if session and not self._session_limits.use(session, client_key(scope)):
                raise BodyError(
                    429, "Too many new sessions from your address. Try again in a minute."
                )
            if path.startswith(CALLS) and not session:
                send = self._noting_call(send)
            await self._app(scope, receive, send)

    def _session(self, path: str, scope: Scope) -> str:
        """The session whose replies a request fetches; raises BodyError if it has none.

        Gradio would wait for them for ever.
        """
        if path == REPLIES:
            session = QueryParams(scope["query_string"]).get("session_hash")
        else:
            session = self._replies.session_of_event(path.rpartition("/")[2])
        if not session or not self._replies.has_replies(session):
            raise BodyError(404, "No reply is waiting. Send the request again.")
        return session

    async def _log_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = client_key(scope)
        if message := self._throttle.refusal(client):
            response = _refuse(429, message)
            response.headers["Retry-After"] = f"{WINDOW_SECONDS:.0f}"
            await response(scope, receive, send)
            return
        with self._throttle.attempt(client) as succeeded:

            async def send_noting_success(message: Message) -> None:
                if message["type"] == "http.response.start" and message["status"] < 400:
                    succeeded()
                await send(message)

            await self._app(scope, receive, send_noting_success)

    def _noting_call(self, send: Send) -> Send:
        """A send channel that registers a call without a session, to forget it when it is done."""

        async def send_noting_call(message: Message) -> None:
            if message["type"] == "http.response.body" and message.get("body"):
                try:
                    event = json.loads(message["body"]).get("event_id")
                except (ValueError, AttributeError):
                    event = None
                if isinstance(event, str):
                    self._replies.note_call(event)
            await send(message)

        return send_noting_call


def _with_headers(send: Send) -> Send:
    """A send channel that adds the security headers."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_HEADERS)
        await send(message)

    return send_with_headers


def _refuse(status: int, detail: str) -> JSONResponse:
    return JSONResponse({"detail": detail}, status)
