"""Who gets an answer: with a password only those who gave it, and nobody the machine's files."""

from __future__ import annotations

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
# Gradio would serve files of its cache by these, and fetch what stands at other addresses. The page
# shows no file, and what a visitor uploads is read and deleted.
FILES = ("/gradio_api/file", "/gradio_api/proxy=", "/gradio_api/stream/")
# Gradio itself calls it when it starts, before there is anybody to let in.
STARTING = "/gradio_api/startup-events"
# Of the parts of a path.
LONGEST = 255
# As gradio names them: the one is sent by https only.
_COOKIES = ("access-token", "access-token-unsecure")


class Access:
    """What every request to the page passes first, whatever route it is for.

    Gradio asks for the password route by route, and leaves some of them out.
    """

    def __init__(self, inner: ASGIApp) -> None:
        """Stand before an application, which is gradio's."""
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it as gradio does."""
        refused = _refused(scope) if scope["type"] != "lifespan" else None
        await (refused or self._inner)(scope, receive, send)


def _refused(scope: Scope) -> JSONResponse | None:
    path = _path(scope)
    starting = path == STARTING and not scope["app"].startup_events_triggered
    if not (path in OPEN or path.startswith(OPEN_UNDER) or starting or _let_in(scope)):
        return JSONResponse({"detail": {"error": "Not authenticated", "auth_message": None}}, 401)
    # No route has so long a name in it, and of a file's the system would complain.
    endless = max(map(len, path.split("/"))) > LONGEST
    missing = endless or path.startswith(FILES)
    return JSONResponse({"detail": "Not Found"}, 404) if missing else None


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
