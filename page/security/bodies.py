"""Read request bodies within limits of size, time and memory, and check them before Gradio does.

Gradio and FastAPI process a JSON body value by value in Python, on the event loop. So the number of
values is limited, not only the number of bytes.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from anyio import to_thread
from starlette.datastructures import Headers
from starlette.types import Message, Receive

from page.security.routes import BodyLimit

# Of all bodies being read at once. A single one has 32 MB at most.
MAX_BYTES_IN_FLIGHT = 128_000_000
# A question with a hundred turns of history has some three hundred values.
MAX_JSON_VALUES = 5_000
MAX_JSON_DEPTH = 20
MAX_SESSION_NAME = 64
# Larger bodies are parsed in a thread, so that the event loop does not wait.
_INLINE_BYTES = 64_000

_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SESSION_NAME = re.compile(r"[\w-]*")
_JSON = re.compile(r"application/(?:[\w.+-]+\+)?json\s*(?:;|$)", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w:.-]*)", re.IGNORECASE)


class BodyError(Exception):
    """A request body is refused; the text is the message for the client."""

    def __init__(self, status: int, message: str) -> None:
        """`status` is the HTTP status."""
        super().__init__(message)
        self.status = status


class BodyReader:
    """Reads bodies into memory, at most MAX_BYTES_IN_FLIGHT of all requests together."""

    def __init__(self) -> None:
        """No bytes are in memory yet."""
        self._in_flight = 0

    @contextmanager
    def reserved(self) -> Iterator[Reservation]:
        """Memory for one body, released at the end of the request."""
        reservation = Reservation(self)
        try:
            yield reservation
        finally:
            self._in_flight -= reservation.size

    def take(self, size: int) -> None:
        """Count bytes; raises BodyError if there are too many."""
        if self._in_flight + size > MAX_BYTES_IN_FLIGHT:
            raise BodyError(503, "The server is busy. Try again in a moment.")
        self._in_flight += size


class Reservation:
    """The memory that one body takes."""

    def __init__(self, reader: BodyReader) -> None:
        """No bytes are counted yet."""
        self._reader = reader
        self.size = 0

    async def read(self, receive: Receive, headers: Headers, limit: BodyLimit) -> bytes:
        """The complete body; raises BodyError if it is too large, too slow or incomplete."""
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > limit.max_bytes:
            raise _too_large(limit)
        try:
            return await asyncio.wait_for(self._read(receive, limit), limit.seconds)
        except (TimeoutError, asyncio.TimeoutError):
            raise BodyError(408, "The request took too long to arrive. Try again.") from None

    async def _read(self, receive: Receive, limit: BodyLimit) -> bytes:
        data = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise BodyError(400, "The request was cut off. Try again.")
            chunk = message.get("body", b"")
            if len(data) + len(chunk) > limit.max_bytes:
                raise _too_large(limit)
            self._reader.take(len(chunk))
            self.size += len(chunk)
            data += chunk
            if not message.get("more_body", False):
                return bytes(data)


def replayed(body: bytes, receive: Receive) -> Receive:
    """A receive channel that yields this body and then waits for the client to disconnect."""
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def check_charset(headers: Headers) -> None:
    """Raise BodyError for a charset other than UTF-8: some of Python's codecs take very long."""
    charset = _CHARSET.search(headers.get("content-type", ""))
    if charset and charset[1].lower().replace("_", "-") not in ("utf-8", "utf8"):
        raise BodyError(415, f"The charset '{charset[1][:40]}' is not supported. Send UTF-8.")


async def parse_json(body: bytes, headers: Headers) -> Any:
    """A parsed JSON body, or None for another content type; raises BodyError if it is too complex."""
    if not body or not _JSON.match(headers.get("content-type", "")):
        return None
    if len(body) <= _INLINE_BYTES:
        return _parse(body)
    return await to_thread.run_sync(_parse, body)


def session_of(body: Any) -> str | None:
    """The session named in a body, or None; raises BodyError if the name is invalid."""
    name = body.get("session_hash") if isinstance(body, dict) else None
    if name is None:
        return None
    if (
        not isinstance(name, str)
        or len(name) > MAX_SESSION_NAME
        or not _SESSION_NAME.fullmatch(name)
    ):
        raise BodyError(
            422, f"session_hash must be at most {MAX_SESSION_NAME} letters, digits, _ and -."
        )
    return name or None


def _parse(body: bytes) -> Any:
    bare = _STRINGS.sub(b"", body)
    values = sum(bare.count(symbol) for symbol in (b",", b"[", b"{"))
    if values > MAX_JSON_VALUES:
        raise BodyError(
            413, f"The JSON has more than {MAX_JSON_VALUES:,} values. Send less at once."
        )
    if _depth(bare) > MAX_JSON_DEPTH:
        raise BodyError(422, f"The JSON is nested deeper than {MAX_JSON_DEPTH} levels.")
    try:
        return orjson.loads(body)
    except ValueError:
        raise BodyError(422, "The request is not valid JSON.") from None


def _depth(bare: bytes) -> int:
    """The nesting depth of brackets in a JSON text whose strings were removed."""
    depth = deepest = 0
    for bracket in re.finditer(rb"[\[{\]}]", bare):
        depth += 1 if bracket[0] in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _too_large(limit: BodyLimit) -> BodyError:
    return BodyError(
        413, f"The request is larger than {_size(limit.max_bytes)}. Send less at once."
    )


def _size(count: int) -> str:
    return f"{count / 1e6:.0f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
