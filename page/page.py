"""The page: builds it, serves it, reports its health and stops it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from page import gradio_compat
from page.api import ApiEndpoints
from page.handlers import Handlers
from page.layout import STATIC, Layout, head
from page.pdf_images import PdfImages
from page.replies import SWEEP_SECONDS, Replies
from page.request_log import RequestLog
from page.root_path import RedirectToRoot
from page.security.connections import bound_connections
from page.security.middleware import SecurityMiddleware
from page.security.origin import AllowedHosts
from page.security.sessions import MAX_SESSIONS, SessionLimits
from page.sessions import Sessions
from page.uploads import UploadEndpoint
from qa.answerer import DEFAULT_K

# A little more than read_document accepts, which has the better message.
MAX_UPLOAD = "20mb"
MAX_WAITING = 100  # questions in the queue; further ones are rejected with 503
GRACE_SECONDS = 3.0  # for running questions when the page is stopped


class Page:
    """The page, as an application that can be served."""

    def __init__(
        self,
        sessions: Sessions,
        k: int = DEFAULT_K,
        requests: RequestLog | None = None,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        """Build the page; answers are found among k passages unless the visitor says otherwise."""
        self.sessions = sessions
        self.requests = requests or RequestLog()
        self.pdf_images = PdfImages(sessions.pdfs)
        session = sessions.new()
        session.started = False  # each visitor has a copy, which is started when the page is loaded
        with gradio_compat.Blocks(
            title="Ask the Article",
            fill_width=True,
            analytics_enabled=False,
        ) as self.blocks:
            layout = Layout(session, sessions.initial.status())
            self.replies = Replies(self.blocks, on_forget=self._forget_api_session)
            self.session_limits = SessionLimits(time.monotonic, self.replies.forget_session)
            # First, so that the endpoints get their names, and the handlers others.
            self.api = ApiEndpoints(sessions, self.requests, self.replies.is_wanted)
            self.api.connect()
            Handlers(layout, sessions, self.requests, k=k).connect(self.blocks)
        # A question keeps every core busy for some ten milliseconds, so more at once would only wait.
        # Questions can only be asked through the queue, so that its limits apply to everybody.
        self._queue = gradio_compat.PageQueue(self.blocks)
        self.blocks.queue(default_concurrency_limit=2, max_size=max_waiting, api_open=False)

    def launch(
        self,
        host: str,
        port: int | None,
        names: Sequence[str] | None = None,
        trusted_proxies: Sequence[str] = (),
        **options: Any,
    ) -> tuple[str, str | None]:
        """Serve the page, with options of Gradio's; returns its address, and the public one if shared.

        `names` are the host names to answer to, or None for any. Raises OSError if the port is in use.
        """
        gradio_compat.install()
        if options.get("mcp_server"):
            gradio_compat.install_mcp()
        hosts = AllowedHosts(names or (), any_host=names is None)
        security = Middleware(
            SecurityMiddleware,
            hosts=hosts,
            replies=self.replies,
            session_limits=self.session_limits,
            uploads=UploadEndpoint(self.sessions.uploads),
            trusted_proxies=trusted_proxies,
        )
        _, address, public = self.blocks.launch(
            server_name=host,
            server_port=port,
            theme=gr.themes.Base(
                font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
            ),
            head=head(),
            favicon_path=STATIC / "icon.svg",
            # The description of the endpoints at ?view=api; the footer itself is hidden.
            footer_links=["api"],
            # Otherwise the browser stores the questions.
            run_history=False,
            max_file_size=MAX_UPLOAD,
            ssr_mode=False,
            quiet=True,
            prevent_thread_lock=True,
            # SessionLimits bounds their number.
            state_session_capacity=2 * MAX_SESSIONS,
            app_kwargs={
                "middleware": [Middleware(RedirectToRoot), security],
                "routes": [
                    Route("/health", self.health),
                    Route("/pdf/{key}/{page:int}", self.pdf_images.__call__),
                ],
                "lifespan": self._lifespan,
            },
            **options,
        )
        bound_connections(gradio_compat.server_config(self.blocks))
        if public:
            hosts.add(urlsplit(public).netloc)
        self.sessions.start_sweeping()
        return str(address), public

    def close(self) -> None:
        """Stop serving, after at most GRACE_SECONDS for requests in progress."""
        deadline = time.monotonic() + GRACE_SECONDS
        busy = False
        while (self.requests.under_way or len(self._queue)) and time.monotonic() < deadline:
            busy = True
            time.sleep(0.05)
        if busy:
            time.sleep(0.3)  # to send the last answer
        self.sessions.stop()
        # Requests that are cut off now, such as an upload, are no errors to log.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        gradio_compat.server_config(self.blocks).timeout_graceful_shutdown = 1
        self.blocks.close(verbose=False)

    async def health(self, _: Request) -> JSONResponse:
        """Whether questions can be asked: 200, or 503 while documents open or if that failed."""
        status = "ok" if self.sessions.initial.opened.is_set() else "opening"
        if self.sessions.initial.error:
            status = "failed"
        body = {"status": status, "under_way": self.requests.under_way}
        return JSONResponse(body, 200 if status == "ok" else 503)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Any) -> AsyncIterator[None]:
        """Drop replies that nobody fetches and idle sessions while the server runs."""

        async def sweep() -> None:
            while True:
                await asyncio.sleep(SWEEP_SECONDS)
                self.replies.sweep()
                self.session_limits.end_idle(self.sessions.forget_after, self.replies.is_fetched)

        task = asyncio.create_task(sweep())
        try:
            yield
        finally:
            task.cancel()

    def _forget_api_session(self, name: str) -> None:
        self.api.forget_session(name)
