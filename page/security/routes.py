"""The routes that are served, and the size limit of each."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import Scope

API = "/gradio_api"
LOGIN = frozenset({"/login", "/login/"})
LOGOUT = "/logout"
UPLOAD = f"{API}/upload"
# Gradio itself calls it at start, before anybody is logged in.
STARTUP = f"{API}/startup-events"
REPLIES = f"{API}/queue/data"
CALLS = (f"{API}/call/v2/", f"{API}/call/")
MCP = f"{API}/mcp"

# The login page and what browsers request along with it; none of it contains anything of a document.
# For visitors who are not logged in, "/" is the login page.
PUBLIC = LOGIN | {
    "/",
    LOGOUT,
    "/theme.css",
    f"{API}/theme.css",
    "/favicon.ico",
    "/pwa_icon",
    "/manifest.json",
    "/robots.txt",
}
PUBLIC_PREFIXES = ("/assets/", "/static/", "/svelte/")
# What the page, API clients and MCP clients use besides. Gradio has more routes: for cached files,
# shared sessions, recordings, analytics and so on.
_SERVED = PUBLIC | {
    UPLOAD,
    MCP,
    "/health",
    "/config",
    "/config/",
    *(
        f"{API}/{name}"
        for name in (
            "info",
            "info/",
            "openapi.json",
            "queue/join",
            "queue/data",
            "queue/status",
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
        )
    ),
}
_SERVED_PREFIXES = (
    *PUBLIC_PREFIXES,
    "/pdf/",
    *(f"{API}/{name}/" for name in ("call", "run", "api", "heartbeat", "mcp")),
)
# No segment of a served route is longer, and file systems refuse longer names.
MAX_SEGMENT = 255

# In bytes. Fits the largest document, as text in JSON or as a file in base64.
MAX_DOCUMENT_BODY = 32_000_000
# Fits a question with the longest history allowed.
MAX_QUESTION_BODY = 4_000_000
MAX_SMALL_BODY = 16_000
MAX_LOGIN_BODY = 4_000
# Seconds until a body must be complete.
BODY_SECONDS = 60.0
LOGIN_SECONDS = 10.0

_DOCUMENT_BODIES = (
    f"{API}/queue/join",
    f"{API}/call/open",
    f"{API}/call/v2/open",
    MCP,
)
_QUESTION_BODIES = (f"{API}/call/ask", f"{API}/call/v2/ask")


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """The size limit of a body in bytes, and the seconds until it must be complete."""

    max_bytes: int
    seconds: float = BODY_SECONDS


def is_public(path: str) -> bool:
    """Whether a path is served without a login."""
    return path in PUBLIC or path.startswith(PUBLIC_PREFIXES)


def is_served(path: str) -> bool:
    """Whether a path is a route that the page or its clients use."""
    if max(map(len, path.split("/"))) > MAX_SEGMENT:
        return False
    return path in _SERVED or path.startswith(_SERVED_PREFIXES)


def body_limit(path: str) -> BodyLimit:
    """The limit for request bodies on this path; uploads are limited elsewhere."""
    bare = path.rstrip("/")
    if path in LOGIN:
        return BodyLimit(MAX_LOGIN_BODY, LOGIN_SECONDS)
    if bare in _DOCUMENT_BODIES or bare.startswith(f"{MCP}/"):
        return BodyLimit(MAX_DOCUMENT_BODY)
    if bare in _QUESTION_BODIES:
        return BodyLimit(MAX_QUESTION_BODY)
    return BodyLimit(MAX_SMALL_BODY)


def route_path(scope: Scope) -> str:
    """The path without the prefix of --root-path."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] if root and path.startswith(f"{root}/") else path
