"""Request bodies: read whole, within bytes, seconds and memory, and checked before Gradio has them.

Gradio and FastAPI walk through a JSON body value by value in Python, on the event loop. So what counts
is the number of values, not only of bytes.
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

# Of all bodies being read at once. One has 32 MB at most.
MAX_BYTES_IN_FLIGHT = 128_000_000
# A question with a hundred turns of history has some three hundred values.
MAX_JSON_VALUES = 5_000
MAX_JSON_DEPTH = 20
MAX_SESSION_NAME = 64
# A body that is larger is checked in a thread, so that nobody waits for it.
_SMALL = 64_000

_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SESSION_NAME = re.compile(r"[\w-]*")
_JSON = re.compile(r"application/(?:[\w.+-]+\+)?json\s*(?:;|$)", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w:.-]*)", re.IGNORECASE)


class BodyError(Exception):
    """A body is refused, with this status and sentence."""

    def __init__(self, status: int, message: str) -> None:
        """Refuse with an HTTP status."""
        super().__init__(message)
        self.status = status


class BodyReader:
    """Reads bodies into memory, no more together than MAX_BYTES_IN_FLIGHT."""

    def __init__(self) -> None:
        """Begin with nothing in memory."""
        self._in_flight = 0

    @contextmanager
    def reserved(self) -> Iterator[Reservation]:
        """Memory for one body, given back at the end of the request."""
        reservation = Reservation(self)
        try:
            yield reservation
        finally:
            self._in_flight -= reservation.size

    def take(self, size: int) -> None:
        """Count bytes; raises BodyError where there are too many."""
        if self._in_flight + size > MAX_BYTES_IN_FLIGHT:
            raise BodyError(503, "The page is busy: try again in a moment.")
        self._in_flight += size


class Reservation:
    """The bytes of one body in memory."""

    def __init__(self, reader: BodyReader) -> None:
        """Begin with none."""
        self._reader = reader
        self.size = 0

    async def read(self, receive: Receive, headers: Headers, limit: BodyLimit) -> bytes:
        """The whole body; raises BodyError where it is too large, too slow or breaks off."""
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > limit.max_bytes:
            raise _too_large(limit)
        try:
            return await asyncio.wait_for(self._read(receive, limit), limit.seconds)
        except (TimeoutError, asyncio.TimeoutError):
            raise BodyError(408, "The request took too long to arrive: try again.") from None

    async def _read(self, receive: Receive, limit: BodyLimit) -> bytes:
        data = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise BodyError(400, "The request broke off.")
            chunk = message.get("body", b"")
            if len(data) + len(chunk) > limit.max_bytes:
                raise _too_large(limit)
            self._reader.take(len(chunk))
            self.size += len(chunk)
            data += chunk
            if not message.get("more_body", False):
                return bytes(data)


def replayed(body: bytes, receive: Receive) -> Receive:
    """A receive channel that gives this body first, and then waits for the client to leave."""
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def check_charset(headers: Headers) -> None:
    """Raise BodyError for a charset other than UTF-8: some codecs of Python take forever."""
    named = _CHARSET.search(headers.get("content-type", ""))
    if named and named[1].lower().replace("_", "-") not in ("utf-8", "utf8"):
        raise BodyError(415, f"The charset '{named[1][:40]}' is not supported: send UTF-8.")


async def parse_json(body: bytes, headers: Headers) -> Any:
    """A JSON body, or None where it is something else; raises BodyError where it has too much in it."""
    if not body or not _JSON.match(headers.get("content-type", "")):
        return None
    if len(body) <= _SMALL:
        return _parse(body)
    return await to_thread.run_sync(_parse, body)


def session_of(body: Any) -> str | None:
    """The session that a body names; raises BodyError for a name that is none."""
    name = body.get("session_hash") if isinstance(body, dict) else None
    if name is None:
        return None
    if (
        not isinstance(name, str)
        or len(name) > MAX_SESSION_NAME
        or not _SESSION_NAME.fullmatch(name)
    ):
        raise BodyError(
            422, f"session_hash has to be at most {MAX_SESSION_NAME} letters, digits, _ and -."
        )
    return name or None


def _parse(body: bytes) -> Any:
    bare = _STRINGS.sub(b"", body)
    values = sum(bare.count(sign) for sign in (b",", b"[", b"{"))
    if values > MAX_JSON_VALUES:
        raise BodyError(
            413, f"The JSON has more than {MAX_JSON_VALUES:,} values: send less at once."
        )
    if _depth(bare) > MAX_JSON_DEPTH:
        raise BodyError(422, f"The JSON is nested deeper than {MAX_JSON_DEPTH} levels.")
    try:
        return orjson.loads(body)
    except ValueError:
        raise BodyError(422, "The request is not valid JSON.") from None


def _depth(bare: bytes) -> int:
    """How deep brackets are nested, in a JSON text without its strings."""
    depth = deepest = 0
    for sign in re.finditer(rb"[\[{\]}]", bare):
        depth += 1 if sign[0] in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _too_large(limit: BodyLimit) -> BodyError:
    return BodyError(
        413, f"The request is larger than {_size(limit.max_bytes)}: send less at once."
    )


def _size(count: int) -> str:
    return f"{count / 1e6:.0f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
