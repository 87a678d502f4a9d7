"""The bytes of a PDF in, its text, title and pages out."""

from __future__ import annotations

import ctypes
import math
import re
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from index.documents.content import Content, given_title, legible
from index.documents.pdf_layout import SAME_SIZE, Line, body_size, reflow
from index.errors import DocumentError

# The library works for one thread at a time.
_LIBRARY = threading.Lock()
# What stands at the end of a PDF is looked for among so many of its last bytes.
TAIL = 4096
# Where more of the characters than this are unknown, the others say nothing either.
MAX_UNKNOWN = 0.3

_HYPHEN = "\ufffe"  # what the library writes for a hyphen and the end of the line after it
_PRINTED = re.compile(r"[^\r\n\ufffe]+\ufffe?")
_UNKNOWN = re.compile(r"[\x00-\x08\x0e-\x1f\ue000-\uf8ff\ufffd]")
_LEADERS = re.compile(r"(?:\.\s?){4,}")  # from a title in a table of contents to its page
_BOLD = re.compile(r"bold|black|heavy|demi|cmbx", re.IGNORECASE)


def read_pdf(data: bytes, source: str) -> Content:
    """Read the layer of text of a PDF; raises DocumentError where it has none or cannot be opened."""
    if b"%%EOF" not in data[-TAIL:]:
        raise DocumentError(
            f"'{source}' is a PDF whose end is missing: download or copy it again and open that."
        )
    with _LIBRARY:
        pages, title = _read(data, source)
    characters = "".join(line.text for page in pages for line in page)
    if len(_UNKNOWN.findall(characters)) > MAX_UNKNOWN * len(characters):
        raise DocumentError(
            f"'{source}' is a PDF that does not say which letters it shows: run text recognition "
            "(OCR) over it, with ocrmypdf --force-ocr for example, and open what that writes."
        )
    pages = [_clean(page) for page in pages]
    if not any(pages):
        raise DocumentError(
            f"'{source}' is a PDF without text, as a scanner makes it: run text recognition (OCR) "
            "over it, with ocrmypdf for example, and open what that writes."
        )
    text, starts = reflow(pages)
    return Content(text, given_title(title) or _largest_print(pages), starts)


def _read(data: bytes, source: str) -> tuple[list[list[Line]], str]:
    """The lines of each page as they are printed, and the title the file gives itself."""
    import pypdfium2
    import pypdfium2.raw as pdfium

    try:
        with pypdfium2.PdfDocument(data) as document:
            title = str(document.get_metadata_value("Title"))
            return [_lines(page) for page in document], title
    except pypdfium2.PdfiumError as error:
        if error.err_code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
            raise DocumentError(
                f"'{source}' is a PDF with a password: save a copy without one, by printing it to "
                "a PDF for example, and open the copy."
            ) from None
        raise DocumentError(
            f"'{source}' is a damaged PDF: download it again, or print it to a new PDF from a "
            "program that still shows it."
        ) from None


def _lines(page: Any) -> list[Line]:
    import pypdfium2.raw as pdfium

    layer = page.get_textpage()
    count = layer.count_chars()
    units = (ctypes.c_ushort * (count + 1))()  # of UTF-16, by which the library counts
    written = pdfium.FPDFText_GetText(layer, 0, count, units)
    text = "".join(map(chr, units[: max(0, written - 1)]))
    lines = []
    for match in _PRINTED.finditer(text):
        printed = match[0].rstrip(_HYPHEN)
        words = [match.start() + word.start() for word in re.finditer(r"\S+", printed)]
        if not words:
            continue
        end = match.start() + len(printed.rstrip()) - 1
        first, middle, last = (
            pdfium.FPDFText_GetCharIndexFromTextIndex(layer, at)
            for at in (words[0], words[len(words) // 2], end)
        )
        # A bullet or the sign of a footnote is not like the rest of its line.
        size, bold = sorted(_print(layer, at) for at in (first, middle, last))[1]
        left, ends, _ = _place(layer, first)
        _, _, base = _place(layer, middle)
        begins, right, _ = _place(layer, last)
        if begins < left:  # written from right to left, and seen in a mirror
            left, right = -ends, -begins
        if not all(map(math.isfinite, (left, right, base))):
            left = right = base = 0.0
        hyphen = "-" if match[0].endswith((_HYPHEN, "\xad")) else ""
        lines.append(Line(printed.strip() + hyphen, left, right, base, size, bold))
    layer.close()
    page.close()
    return lines


def _print(layer: Any, at: int) -> tuple[float, bool]:
    """The size that a character is printed in, in points, and whether it is bold."""
    import pypdfium2.raw as pdfium

    matrix = pdfium.FS_MATRIX()
    pdfium.FPDFText_GetMatrix(layer, at, matrix)
    size = pdfium.FPDFText_GetFontSize(layer, at) * math.hypot(matrix.c, matrix.d)
    name = ctypes.create_string_buffer(128)
    pdfium.FPDFText_GetFontInfo(layer, at, name, len(name), None)
    # Print of no size, or of one that is no number, is text all the same.
    size = round(abs(size), 1) if math.isfinite(size) else 0.0
    return max(size, 0.1), _BOLD.search(name.value.decode("latin-1")) is not None


def _place(layer: Any, at: int) -> tuple[float, float, float]:
    """Where a character starts and ends in its line, and the height of the line it stands on."""
    import pypdfium2.raw as pdfium

    box = pdfium.FS_RECTF()
    pdfium.FPDFText_GetLooseCharBox(layer, at, box)
    x, y = ctypes.c_double(), ctypes.c_double()
    pdfium.FPDFText_GetCharOrigin(layer, at, x, y)
    angle = pdfium.FPDFText_GetCharAngle(layer, at)
    if not angle:
        return box.left, box.right, y.value
    # A page on its side is read as if it stood upright.
    cos, sin = math.cos(angle), math.sin(angle)
    across = [a * cos + b * sin for a in (box.left, box.right) for b in (box.bottom, box.top)]
    return min(across), max(across), y.value * cos - x.value * sin


def _clean(page: Sequence[Line]) -> list[Line]:
    """The lines in letters that can be searched."""
    lines = []
    for line in page:
        letters = line.text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        letters = " ".join(_LEADERS.sub(" … ", legible(letters)).split())
        if letters:
            lines.append(replace(line, text=letters))
    return lines


def _largest_print(pages: Sequence[Sequence[Line]]) -> str:
    """The words on the first page that are printed larger than all others, if any are."""
    first = next(page for page in pages if page)
    largest = max(line.size for line in first)
    if largest < SAME_SIZE * body_size([line for page in pages for line in page]):
        return ""
    return " ".join(line.text for line in first if line.size * SAME_SIZE > largest)
