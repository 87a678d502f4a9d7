"""A page of a PDF as an image, drawn in a process that can do no harm."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zlib

import numpy as np

from index.documents import parser_process
from index.documents.content import MAX_FILE_BYTES
from index.errors import DocumentError

# A page is drawn smaller than asked for rather than with more pixels; A4 has 8 million at 400 dpi.
MAX_PIXELS = 8_000_000
MAX_SCALE = 8.0
MIN_SCALE = 0.05

_CHANNELS = 3
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def render_page(data: bytes, page: int, scale: float = 1.5, *, source: str = "the file") -> bytes:
    """Draw a page of a PDF, from 0, as a PNG of `scale` pixels a point.

    A page too large for MAX_PIXELS is drawn smaller. Raises DocumentError where there is no such page,
    or where it cannot be drawn in 5 seconds and 512 MB.
    """
    if not page >= 0 or not MIN_SCALE <= scale <= MAX_SCALE:
        raise ValueError(f"no page {page}, or no scale {scale}")
    if len(data) > MAX_FILE_BYTES:
        raise _refused(source, page, "is too large to be drawn")
    about = {"page": page, "scale": scale, "source": source}
    try:
        child = parser_process.run_main("index.documents.pdf.pages", about, data)
    except subprocess.TimeoutExpired:
        raise _refused(source, page, "took too long to draw") from None
    head, _, pixels = child.stdout.partition(b"\n")
    try:
        said = json.loads(head)
        if "error" in said:
            raise DocumentError(str(said["error"]))
        width, height = said["width"], said["height"]
        # What has drawn it may have been taken over by the file, so that it is not trusted.
        if not _is_image(width, height, len(pixels)):
            raise ValueError("not an image of that size")
    except (ValueError, KeyError, TypeError):
        late = parser_process.timed_out(child)
        seconds = parser_process.SECONDS
        reason = f"takes more than {seconds} seconds to draw" if late else "cannot be drawn"
        raise _refused(source, page, reason) from None
    return _png(width, height, pixels)


def main() -> None:
    """Be the process: confine it, draw the page of the file on the standard input, print its pixels."""
    about = json.loads(sys.stdin.buffer.readline())
    parser_process.confine("pdf")
    try:
        width, height, pixels = _draw(sys.stdin.buffer.read(), **about)
        head: dict[str, object] = {"width": width, "height": height}
    except DocumentError as error:
        head, pixels = {"error": str(error)}, b""
    except MemoryError:
        head, pixels = {}, b""
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + pixels)


def _draw(data: bytes, page: int, scale: float, source: str) -> tuple[int, int, bytes]:
    """The width and height of a page's image, and its pixels: red, green and blue, from the top."""
    import pypdfium2

    from index.documents.pdf.reader import check_end, refusal

    check_end(data, source)
    try:
        with pypdfium2.PdfDocument(data) as document:
            if page >= len(document):
                raise DocumentError(f"'{source}' has no page {page + 1}: it has {len(document)}.")
            opened = document[page]
            width, height = opened.get_size()
            # Rounding up makes each side a pixel longer at most.
            most = (MAX_PIXELS / max(1.0, width * height)) ** 0.5 * 0.99
            bitmap = opened.render(scale=min(scale, most), rev_byteorder=True)
            pixels = bitmap.to_numpy()[:, :, :_CHANNELS]
            return bitmap.width, bitmap.height, np.ascontiguousarray(pixels).tobytes()
    except pypdfium2.PdfiumError as error:
        raise refusal(error, source) from None


def _is_image(width: object, height: object, size: int) -> bool:
    return (
        isinstance(width, int)
        and isinstance(height, int)
        and width > 0
        and height > 0
        and width * height <= MAX_PIXELS
        and size == width * height * _CHANNELS
    )


def _png(width: int, height: int, pixels: bytes) -> bytes:
    """A PNG (https://www.w3.org/TR/png/) of 8-bit red, green and blue."""
    rows = np.frombuffer(pixels, np.uint8).reshape(height, width * _CHANNELS)
    # In front of each row stands how it is filtered: each byte less the one above it (2).
    filtered = np.empty((height, width * _CHANNELS + 1), np.uint8)
    filtered[:, 0] = 2
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes(), 6)), (b"IEND", b""))
    return _PNG_SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def _refused(source: str, page: int, reason: str) -> DocumentError:
    return DocumentError(
        f"Page {page + 1} of '{source}' {reason}: read its text instead, or open the file in a "
        "PDF viewer."
    )
