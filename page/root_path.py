"""Redirect to the page's root path, for --root-path."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class RedirectToRoot:
    """ASGI middleware that redirects /articles to /articles/ if that is the page's root path.

    People type it without the slash, and no route matches that.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Redirect the request, or pass it on."""
        root = urlsplit(scope.get("root_path", "")).path.rstrip("/")
        if scope["type"] == "http" and root and scope["path"] == root:
            query = scope.get("query_string", b"").decode("latin-1")
            await RedirectResponse(f"{root}/{query and '?'}{query}")(scope, receive, send)
        else:
            await self._app(scope, receive, send)
