"""Who gets an answer: with a password only those who gave it, and nobody the machine's files."""

from __future__ import annotations

from pathlib import Path

from gradio.utils import get_upload_folder
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

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


class Access:
    """What every request to the page passes first, whatever route it is for.

    Gradio asks for the password route by route, and leaves some of them out.
    """

    def __init__(self, inner: ASGIApp) -> None:
        """Stand before an application, which is gradio's."""
        self._inner = inner
        self._upload = RequestBodyLimitMiddleware(inner, MAX_UPLOAD)
        self._other = RequestBodyLimitMiddleware(inner, MAX_BODY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it as gradio does."""
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
            return
        path = _path(scope)
        limited = self._upload if path == UPLOAD else self._other
        await (_refused(scope, path) or limited)(scope, receive, send)


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
