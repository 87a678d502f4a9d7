"""Who gets an answer: with a password only those who gave it, and nobody the machine's files."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from gradio.utils import get_upload_folder
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What the login page is made of, and what tells browsers and robots of it: none of it has anything
# of a document. "/" is the login page itself for those who are not let in.
OPEN = frozenset(
    {
        "/",
        "/login",
        "/login/",
        "/logout",
        "/theme.css",
        "/gradio_api/theme.css",
        "/favicon.ico",
        "/pwa_icon",
        "/manifest.json",
        "/robots.txt",
    }
)
OPEN_UNDER = ("/assets/", "/static/", "/svelte/")
# What the page, its endpoints and MCP clients use beside that. Gradio has more: it would serve files of
# its cache, write a visit down to share it, take videos apart, say how it is used and so on.
UPLOAD = "/gradio_api/upload"
USED = OPEN | {
    UPLOAD,
    "/health",
    "/config",
    "/config/",
    *(
        f"/gradio_api/{name}"
        for name in (
            "info",
            "info/",
            "openapi.json",
            "queue/join",
            "queue/data",
            "queue/status",
            "upload_progress",
            "cancel",
            "reset",
            "reset/",
            "login_check",
            "login_check/",
            "user",
            "user/",
            "token",
            "token/",
            "app_id",
            "app_id/",
            "mcp",
        )
    ),
}
USED_UNDER = (
    *OPEN_UNDER,
    *(f"/gradio_api/{name}/" for name in ("call", "run", "api", "heartbeat", "mcp")),
)
# Gradio itself calls it when it starts, before there is anybody to let in.
STARTING = "/gradio_api/startup-events"
# Of the parts of a path.
LONGEST = 255
# A text of the largest size, each byte of which JSON may spell with six; and some files at once.
MAX_BODY = 32_000_000
MAX_UPLOAD = 200_000_000
# Of all that was uploaded and is not read yet: nobody should fill the disk.
MAX_UPLOADS = 1_000_000_000
# As gradio names them: the one is sent by https only.
_COOKIES = ("access-token", "access-token-unsecure")
LOGIN = ("/login", "/login/")
# So many wrong passwords from one address in so many seconds, and no more.
MAX_WRONG = 10
WRONG_SECONDS = 60.0
# No other site's page may show this one in a frame of its own, learn from links what was asked here
# (?q=…), or have a browser take an answer for something else than it says to be.
_HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'self'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class Access:
    """What every request to the page passes first, whatever route it is for.

    Gradio asks for the password route by route, and leaves some of them out.
    """

    def __init__(
        self,
        inner: ASGIApp,
        names: Collection[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Stand before an application, which is gradio's.

        `names` are those that the page may be called by beside an address and localhost, or None for
        any: whoever owns a name can have it lead to the visitor's own machine, and a page of theirs
        would be let in there as one of this site (DNS rebinding).
        """
        self._inner = inner
        self._names = names
        self._upload = RequestBodyLimitMiddleware(Whole(inner), MAX_UPLOAD)
        self._other = RequestBodyLimitMiddleware(inner, MAX_BODY)
        self._wrong = WrongPasswords(clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it as gradio does."""
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
            return
        path, headers = _path(scope), Headers(scope=scope)
        by = scope["client"][0] if scope.get("client") else ""
        logs_in = path in LOGIN and scope.get("method") == "POST"

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
                if logs_in and message["status"] == 400:
                    self._wrong.note(by)
            await send(message)

        refused = (
            _from_elsewhere(scope, headers, self._names)
            or (self._wrong.refused(by) if logs_in else None)
            or _refused(scope, path)
        )
        limited = self._upload if path == UPLOAD else self._other
        await (refused or limited)(scope, receive, sent)


class Whole:
    """What deletes an upload's files where not all of it comes: it breaks off, or is too much.

    Gradio does so itself where a form is not what it should be, and leaves them otherwise.
    """

    def __init__(self, inner: ASGIApp) -> None:
        """Stand before an application, which is gradio's, within what bounds a body."""
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand an upload on."""
        whole = False

        async def received() -> Message:
            nonlocal whole
            try:
                message = await receive()
            except HTTPException as error:  # "maximum allowed size" is by what gradio answers 413
                told = f"{MAX_UPLOAD / 1e6:.0f} MB are the maximum allowed size: send less at once."
                raise MultiPartException(told) from error
            if message["type"] == "http.disconnect" and not whole:
                raise MultiPartException("Not all of it was sent.")
            whole = whole or not message.get("more_body", False)
            return message

        await self._inner(scope, received, send)


class WrongPasswords:
    """The wrong passwords of the last minute, by the address they came from."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin with none."""
        self._clock = clock
        self._at: dict[str, list[float]] = {}

    def note(self, by: str) -> None:
        """Remember one, and forget those of long ago."""
        now = self._clock()
        self._at.setdefault(by, []).append(now)
        since = now - WRONG_SECONDS
        kept = {of: [at for at in times if at > since] for of, times in self._at.items()}
        self._at = {of: times for of, times in kept.items() if times}

    def refused(self, by: str) -> JSONResponse | None:
        """What is said to an address that has given too many."""
        since = self._clock() - WRONG_SECONDS
        if sum(at > since for at in self._at.get(by, [])) < MAX_WRONG:
            return None
        told = "Too many wrong passwords: try again in a minute."
        return JSONResponse({"detail": told}, 429, {"Retry-After": f"{WRONG_SECONDS:.0f}"})


def _from_elsewhere(
    scope: Scope, headers: Headers, names: Collection[str] | None
) -> JSONResponse | None:
    """Refuse what was sent to another name, or by another site's page."""
    if names is not None and not _is_here(headers.get("host", ""), names):
        told = "The page has another name here: start it with --name for this one."
        return JSONResponse({"detail": told}, 421)
    # Browsers say so themselves; a link may lead here.
    links = scope.get("method") == "GET" and headers.get("sec-fetch-mode") == "navigate"
    if headers.get("sec-fetch-site") == "cross-site" and not links:
        return JSONResponse({"detail": "This comes from a page of another site."}, 403)
    return None


def _is_here(host: str, names: Collection[str]) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if not name or name == "localhost" or name.endswith(".localhost") or name in names:
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True  # nobody owns it, to have it lead elsewhere


def _refused(scope: Scope, path: str) -> JSONResponse | None:
    starting = path == STARTING and not scope["app"].startup_events_triggered
    if not (path in OPEN or path.startswith(OPEN_UNDER) or starting or _let_in(scope)):
        return JSONResponse({"detail": {"error": "Not authenticated", "auth_message": None}}, 401)
    # No route has so long a name in it, and of a file's the system would complain.
    endless = max(map(len, path.split("/"))) > LONGEST
    if endless or not (path in USED or path.startswith(USED_UNDER) or starting):
        return JSONResponse({"detail": "Not Found"}, 404)
    if path == UPLOAD and _uploaded() > MAX_UPLOADS:
        return JSONResponse({"detail": "Too much is uploaded: try again later."}, 503)
    return None


def _uploaded() -> int:
    """How many bytes lie where uploads do."""
    size = 0
    for path in Path(get_upload_folder()).rglob("*"):
        try:
            size += path.lstat().st_size
        except OSError:  # it was just read, and deleted
            continue
    return size


def _let_in(scope: Scope) -> bool:
    """Whether a request has the cookie of somebody who logged in, or nobody has to."""
    app = scope["app"]
    if app.auth is None:
        return True
    cookies = HTTPConnection(scope).cookies
    given = (cookies.get(f"{name}-{app.cookie_id}") for name in _COOKIES)
    return any(token in app.tokens for token in given if token)


def _path(scope: Scope) -> str:
    """The path as the routes know it: without the one that --root-path puts before it."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] if root and path.startswith(f"{root}/") else path
