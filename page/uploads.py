"""Files that visitors send: written to the page's own folder within limits, and deleted once read."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from anyio import to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from index.documents.content import MAX_FILE_BYTES

MAX_UPLOAD_BYTES = 200_000_000  # of one request
MAX_FILES = 100  # in one request
# Of all uploads together that are not read yet: nobody should fill the disk.
MAX_TOTAL_BYTES = 1_000_000_000
MAX_TOTAL_FILES = 1_000
MAX_NAME_BYTES = 200
# Seconds between two pieces of a request, and until an upload has to be opened.
CHUNK_SECONDS = 30.0
UNREAD_SECONDS = 900.0
FIELD = "files"  # the name that browsers and clients of Gradio give to the files


class UploadError(Exception):
    """An upload is refused, with this status and sentence."""

    def __init__(self, status: int, message: str) -> None:
        """Refuse with an HTTP status."""
        super().__init__(message)
        self.status = status


class Uploads:
    """The files that were uploaded and are not read yet. Thread-safe.

    Bytes are counted as they arrive, so that many uploads at once do not pass a limit that each of
    them keeps.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep uploads in a folder that is this page's alone."""
        self.folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._files: dict[Path, tuple[int, float]] = {}  # size, and when it was complete
        self._bytes = 0  # complete files and those that are being written
        self._count = 0

    def __contains__(self, path: object) -> bool:
        """Whether a path is that of a complete upload."""
        return Path(str(path)) in self._files

    @contextmanager
    def receiving(self) -> Iterator[Received]:
        """An upload while it is written; its files are deleted unless it is kept."""
        received = Received(self)
        try:
            yield received
        finally:
            if not received.kept:
                for upload in received.files:
                    with suppress(OSError):  # what is still to be written may not fit on the disk
                        upload.file.close()
                    self._remove(upload.path)
                self.release(sum(upload.size for upload in received.files), len(received.files))

    def reserve(self, size: int, files: int = 0) -> None:
        """Count bytes and files; raises UploadError where that is too much."""
        with self._lock:
            too_many = self._count + files > MAX_TOTAL_FILES
            if too_many or self._bytes + size > MAX_TOTAL_BYTES:
                raise UploadError(503, "Too many files are waiting to be opened: try again later.")
            self._bytes += size
            self._count += files

    def release(self, size: int, files: int) -> None:
        """Give back what was counted."""
        with self._lock:
            self._bytes -= size
            self._count -= files

    def keep(self, uploads: list[Upload]) -> None:
        """Let complete files be opened."""
        now = self._clock()
        with self._lock:
            self._files |= {upload.path: (upload.size, now) for upload in uploads}

    def delete(self, path: str | Path) -> None:
        """Delete an upload; nothing happens where it is none."""
        path = Path(path)
        with self._lock:
            known = self._files.pop(path, None)
        if known:
            self._remove(path)
            self.release(known[0], 1)

    def sweep(self, seconds: float = UNREAD_SECONDS) -> None:
        """Delete what was uploaded longer ago."""
        before = self._clock() - seconds
        for path in [path for path, (_, at) in self._files.copy().items() if at <= before]:
            self.delete(path)

    @staticmethod
    def _remove(path: Path) -> None:
        with suppress(OSError):
            path.unlink()
        with suppress(OSError):
            path.parent.rmdir()


@dataclass(slots=True)
class Upload:
    """A file that is being written, in a folder of its own."""

    path: Path
    file: BinaryIO
    size: int = 0


@dataclass(slots=True)
class _Part:
    """The part of a form that is being parsed."""

    disposition: bytes = b""
    header: bytes = b""
    upload: Upload | None = None


@dataclass(slots=True)
class Received:
    """A form with files, parsed as it arrives."""

    folder: Uploads
    files: list[Upload] = field(default_factory=list)
    kept: bool = False
    complete: bool = False
    _part: _Part = field(default_factory=_Part)

    def parser(self, boundary: bytes) -> MultipartParser:
        """A parser that writes the files of a form with this boundary."""
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_end": self._end,
            },
        )

    def keep(self) -> list[str]:
        """Let the files be opened; returns their paths."""
        if not self.complete:
            raise UploadError(400, "The upload broke off: send the files again.")
        if not self.files:
            raise UploadError(400, f"There is no file in the upload: send them as '{FIELD}'.")
        self.close()
        self.folder.keep(self.files)
        self.kept = True
        return [str(upload.path) for upload in self.files]

    def close(self) -> None:
        """Close the files."""
        for upload in self.files:
            upload.file.close()

    def _begin(self) -> None:
        self._part = _Part()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._part.header += data[start:end].lower()

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        if self._part.header.endswith(b"content-disposition"):
            self._part.disposition += data[start:end]

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._part.disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if name != FIELD or b"filename" not in options:
            raise UploadError(400, f"The form has something else than files named '{FIELD}'.")
        if len(self.files) >= MAX_FILES:
            raise UploadError(413, f"More than {MAX_FILES} files: upload fewer at once.")
        self.folder.reserve(0, files=1)
        given = options[b"filename"].decode("utf-8", "replace")
        path = self.folder.folder / secrets.token_hex(16) / safe_name(given)
        try:
            path.parent.mkdir(parents=True, mode=0o700)
            self._part.upload = Upload(path, path.open("xb"))
        except OSError as error:
            self.folder.release(0, 1)
            raise _not_saved(error) from error
        self.files.append(self._part.upload)

    def _data(self, data: bytes, start: int, end: int) -> None:
        upload = self._part.upload
        assert upload is not None  # a part without a file was refused at its headers
        size = end - start
        if upload.size + size > MAX_FILE_BYTES + 1_000_000:  # read_document says what is too large
            raise UploadError(
                413,
                f"A file is larger than {MAX_FILE_BYTES / 1e6:.0f} MB: split it and open a part.",
            )
        self.folder.reserve(size)
        upload.size += size
        try:
            upload.file.write(data[start:end])
        except OSError as error:
            raise _not_saved(error) from error

    def _end(self) -> None:
        self.complete = True


class UploadEndpoint:
    """The ASGI application that takes uploads, in place of Gradio's: it answers with their paths."""

    def __init__(self, folder: Uploads) -> None:
        """Write files into a folder."""
        self._folder = folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write the files of a form, all or none of them."""
        response: Response
        try:
            with self._folder.receiving() as received:
                await self._receive(received, Headers(scope=scope), receive)
                response = JSONResponse(received.keep())
        except UploadError as error:
            response = PlainTextResponse(str(error), error.status)
        await response(scope, receive, send)

    async def _receive(self, received: Received, headers: Headers, receive: Receive) -> None:
        kind, options = parse_options_header(headers.get("content-type"))
        if kind != b"multipart/form-data" or b"boundary" not in options:
            raise UploadError(400, "An upload has to be a form: multipart/form-data.")
        _check_size(int(headers.get("content-length", "0")[:20] or 0))
        total = 0
        try:
            parser = received.parser(options[b"boundary"])
            while True:
                message = await asyncio.wait_for(receive(), CHUNK_SECONDS)
                if message["type"] == "http.disconnect":
                    raise UploadError(400, "The upload broke off: send the files again.")
                chunk = message.get("body", b"")
                total += len(chunk)
                _check_size(total)
                if chunk:
                    await to_thread.run_sync(parser.write, chunk)
                if not message.get("more_body", False):
                    break
        except (TimeoutError, asyncio.TimeoutError):
            raise UploadError(408, "The upload stopped arriving: send the files again.") from None
        except FormParserError as error:
            raise UploadError(400, f"The upload is not a valid form: {error}.") from error
        # Most of a file is in memory until then, and the disk may be full.
        try:
            await to_thread.run_sync(received.close)
        except OSError as error:
            raise _not_saved(error) from error


def safe_name(given: str) -> str:
    """A file name that leads nowhere: the last part of a path, without control characters."""
    name = PurePosixPath(given.replace("\\", "/")).name
    name = "".join(sign for sign in name if sign.isprintable() and sign not in '<>:"|?*').strip()
    stem, dot, suffix = name.rpartition(".")
    if not dot or not stem:
        stem, suffix = name, ""
    ending = f".{suffix}"[:20] if suffix else ""
    room = MAX_NAME_BYTES - len(ending.encode())
    stem = stem.encode()[:room].decode("utf-8", "ignore")
    return f"{stem}{ending}" if stem.strip(". ") else f"upload{ending}"


def _check_size(size: int) -> None:
    if size > MAX_UPLOAD_BYTES:
        raise UploadError(
            413, f"The upload is larger than {MAX_UPLOAD_BYTES / 1e6:.0f} MB: send less at once."
        )


def _not_saved(error: OSError) -> UploadError:
    return UploadError(
        507, f"The upload cannot be saved ({error.strerror or error}): try again later."
    )
