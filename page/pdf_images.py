"""The endpoint for images of PDF pages: GET /pdf/KEY/PAGE?width=PIXELS."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from index.errors import DocumentError
from page.pdf_files import PdfFiles
from page.security.proxy import client_key

MIN_WIDTH, MAX_WIDTH = 100, 2400  # of an image, in pixels
WIDTH_STEP = 100  # widths are rounded up to a multiple, so that few different images are drawn
MAX_DRAWN_AT_ONCE = 2
MAX_WAITING = 200
MAX_WAITING_PER_CLIENT = 20
# The key is never used again for another file.
_CACHE = "private, max-age=3600, immutable"


class PdfImages:
    """Draws the pages of open PDFs; a visitor can only know the keys of their own."""

    def __init__(self, files: PdfFiles) -> None:
        """Draw pages of these files."""
        self._files = files
        self._slots = asyncio.Semaphore(MAX_DRAWN_AT_ONCE)
        self._waiting: Counter[str] = Counter()

    async def __call__(self, request: Request) -> Response:
        """The image of a page as PNG, or a sentence that says why there is none."""
        file = self._files.get(request.path_params["key"])
        page = request.path_params["page"]
        if file is None:
            return _refuse(404, "This document is no longer open. Reload the page.")
        if not 1 <= page <= len(file.boxes.pages):
            return _refuse(404, f"The document has no page {page}.")
        width = request.query_params.get("width", "")
        if not width.isdecimal() or not MIN_WIDTH <= int(width[:9]) <= MAX_WIDTH:
            return _refuse(400, f"width must be a number from {MIN_WIDTH} to {MAX_WIDTH}.")
        client = client_key(request.scope)
        if self._waiting[client] >= MAX_WAITING_PER_CLIENT or self._waiting.total() >= MAX_WAITING:
            return _refuse(429, "Too many pages are being drawn. Try again in a moment.")
        rounded = -(-int(width) // WIDTH_STEP) * WIDTH_STEP
        try:
            with self._counted(client):
                async with self._slots:
                    if await request.is_disconnected():  # it has scrolled on
                        return _refuse(408, "The request was cut off. Try again.")
                    image = await to_thread.run_sync(file.image, page - 1, rounded)
        except DocumentError as error:
            return _refuse(422, str(error))
        return Response(image, media_type="image/png", headers={"Cache-Control": _CACHE})

    @contextmanager
    def _counted(self, client: str) -> Iterator[None]:
        """Count a request while it waits and is answered."""
        self._waiting[client] += 1
        try:
            yield
        finally:
            self._waiting[client] -= 1
            if not self._waiting[client]:
                del self._waiting[client]


def _refuse(status: int, message: str) -> Response:
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": "1"} if status == 429 else {})
    return PlainTextResponse(message, status, headers)
