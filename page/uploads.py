"""Receive uploads: write files into the page's own folder, within limits, and delete them once read."""

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
# Of all uploads that are not read yet, so that nobody can fill the disk.
MAX_TOTAL_BYTES = 1_000_000_000
MAX_TOTAL_FILES = 1_000
MAX_NAME_BYTES = 200
CHUNK_TIMEOUT_SECONDS = 30.0  # between two chunks of a request
UNREAD_SECONDS = 900.0  # until an upload that nobody opened is deleted
FIELD = "files"  # the name of the form field that Gradio's clients use


class UploadError(Exception):
    """An upload is refused; the text is the message for the client."""

    def __init__(self, status: int, message: str) -> None:
        """`status` is the HTTP status."""
        super().__init__(message)
        self.status = status


class Uploads:
    """The uploaded files that are not read yet. Thread-safe.

    Bytes are counted as they arrive, so that concurrent uploads cannot exceed the limit together.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep uploads in a folder that only this page uses."""
        self.folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._files: dict[Path, tuple[int, float]] = {}  # size, and when it was complete
        self._bytes = 0  # of complete files and of those being written
        self._count = 0

    def __contains__(self, path: object) -> bool:
        """Whether a path is a complete upload."""
        return Path(str(path)) in self._files

    @contextmanager
    def receiving(self) -> Iterator[Received]:
        """Receive an upload; its files are deleted at the end unless it is kept."""
        received = Received(self)
        try:
            yield received
        finally:
            if not received.kept:
                for upload in received.files:
                    with suppress(OSError):  # the buffered rest may not fit on the disk
                        upload.file.close()
                    self._remove(upload.path)
                self.release(sum(upload.size for upload in received.files), len(received.files))

    def reserve(self, size: int, files: int = 0) -> None:
        """Count bytes and files; raises UploadError if there are too many."""
        with self._lock:
            too_many = self._count + files > MAX_TOTAL_FILES
            if too_many or self._bytes + size > MAX_TOTAL_BYTES:
                raise UploadError(503, "Too many files are waiting to be opened. Try again later.")
            self._bytes += size
            self._count += files

    def release(self, size: int, files: int) -> None:
        """Uncount bytes and files."""
        with self._lock:
            self._bytes -= size
            self._count -= files

    def keep(self, uploads: list[Upload]) -> None:
        """Register complete files, which may then be opened."""
        now = self._clock()
        with self._lock:
            self._files |= {upload.path: (upload.size, now) for upload in uploads}

    def delete(self, path: str | Path) -> None:
        """Delete an upload; does nothing for any other path."""
        path = Path(path)
        with self._lock:
            entry = self._files.pop(path, None)
        if entry:
            self._remove(path)
            self.release(entry[0], 1)

    def sweep(self, seconds: float = UNREAD_SECONDS) -> None:
        """Delete files that were uploaded longer ago than this."""
        before = self._clock() - seconds
        files = self._files.copy().items()
        for path in [path for path, (_, completed) in files if completed <= before]:
            self.delete(path)

    @staticmethod
    def _remove(path: Path) -> None:
        with suppress(OSError):
            path.unlink()
        with suppress(OSError):
            path.parent.rmdir()


@dataclass(slots=True)
class Upload:
    """A file that is being written, in its own folder."""

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
    """A form with files, parsed while it arrives."""

    folder: Uploads
    files: list[Upload] = field(default_factory=list)
    kept: bool = False
    complete: bool = False
    _part: _Part = field(default_factory=_Part)

    def parser(self, boundary: bytes) -> MultipartParser:
        """A parser for a form with this boundary, which writes its files."""
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
        """Keep the files to be opened, and return their paths."""
        if not self.complete:
            raise UploadError(400, "The upload was cut off. Send the files again.")
        if not self.files:
            raise UploadError(400, f"The upload has no file. Send files as '{FIELD}'.")
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
            raise UploadError(
                400, f"The form has something other than files named '{FIELD}'. Send only those."
            )
        if len(self.files) >= MAX_FILES:
            raise UploadError(
                413, f"The upload has more than {MAX_FILES} files. Upload fewer at once."
            )
        self.folder.reserve(0, files=1)
        filename = options[b"filename"].decode("utf-8", "replace")
        path = self.folder.folder / secrets.token_hex(16) / safe_name(filename)
        try:
            path.parent.mkdir(parents=True, mode=0o700)
            self._part.upload = Upload(path, path.open("xb"))
        except OSError as error:
            self.folder.release(0, 1)
            raise _not_saved(error) from error
        self.files.append(self._part.upload)

    def _data(self, data: bytes, start: int, end: int) -> None:
        upload = self._part.upload
        assert upload is not None  # parts without a file are refused at their headers
        size = end - start
        if upload.size + size > MAX_FILE_BYTES + 1_000_000:  # read_document checks exactly
            raise UploadError(
                413,
                f"A file is larger than {MAX_FILE_BYTES / 1e6:.0f} MB. Split it and add the parts.",
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
    """ASGI endpoint for uploads, in place of Gradio's; responds with the files' paths."""

    def __init__(self, folder: Uploads) -> None:
        """Write the files into this folder."""
        self._folder = folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write all files of a form, or none."""
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
            raise UploadError(400, "Send the upload as a form (multipart/form-data).")
        _check_size(int(headers.get("content-length", "0")[:20] or 0))
        total = 0
        try:
            parser = received.parser(options[b"boundary"])
            while True:
                message = await asyncio.wait_for(receive(), CHUNK_TIMEOUT_SECONDS)
                if message["type"] == "http.disconnect":
                    raise UploadError(400, "The upload was cut off. Send the files again.")
                chunk = message.get("body", b"")
                total += len(chunk)
                _check_size(total)
                if chunk:
                    await to_thread.run_sync(parser.write, chunk)
                if not message.get("more_body", False):
                    break
        except (TimeoutError, asyncio.TimeoutError):
            raise UploadError(408, "The upload stalled. Send the files again.") from None
        except FormParserError as error:
            raise UploadError(400, f"The upload is not a valid form: {error}.") from error
        # This writes what is still buffered, and the disk may be full.
        try:
            await to_thread.run_sync(received.close)
        except OSError as error:
            raise _not_saved(error) from error


def safe_name(path: str) -> str:
    """The last part of a path, without characters that file systems or terminals interpret."""
    name = PurePosixPath(path.replace("\\", "/")).name
    name = "".join(char for char in name if char.isprintable() and char not in '<>:"|?*').strip()
    stem, dot, suffix = name.rpartition(".")
    if not dot or not stem:
        stem, suffix = name, ""
    extension = f".{suffix}"[:20] if suffix else ""
    max_stem_bytes = MAX_NAME_BYTES - len(extension.encode())
    stem = stem.encode()[:max_stem_bytes].decode("utf-8", "ignore")
    return f"{stem}{extension}" if stem.strip(". ") else f"upload{extension}"


def _check_size(size: int) -> None:
    if size > MAX_UPLOAD_BYTES:
        raise UploadError(
            413, f"The upload is larger than {MAX_UPLOAD_BYTES / 1e6:.0f} MB. Upload less at once."
        )


def _not_saved(error: OSError) -> UploadError:
    return UploadError(
        507, f"The upload can't be saved ({error.strerror or error}). Try again later."
    )
