"""The bytes of a PDF in, its blocks, pages and metadata out."""

from __future__ import annotations

import ctypes
import re
import threading
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any

from index.documents.blocks import BlockKind
from index.documents.builder import ContentBuilder
from index.documents.cleaning import given_title
from index.documents.content import Content, Metadata
from index.documents.pdf.cells import PrintedCell
from index.documents.pdf.furniture import Furniture
from index.documents.pdf.layout import PageTable, lay_out
from index.documents.pdf.lines import PageReader, PrintedPage
from index.documents.pdf.structure import Bookmark, Labelled, label, named_on_pages
from index.documents.pdf.text import Part, Text, words_of, write, write_code
from index.documents.tables import DraftCell, guess_heads
from index.errors import DocumentError

# The library works for one thread at a time.
LIBRARY_LOCK = threading.Lock()
# What stands at the end of a PDF is looked for among so many of its last bytes.
TAIL = 4096
# Where more of the characters than this are unknown, the others say nothing either.
MAX_UNKNOWN = 0.3
# An outline of more entries is a mistake or an attack.
MAX_BOOKMARKS = 5000

_UNKNOWN = re.compile(r"[\x00-\x08\x0e-\x1f\ue000-\uf8ff\ufffd]")
_DATE = re.compile(r"(?:D:)?\s*(\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?")
# What programs write where nobody has told them a name.
_NO_AUTHORS = ("anonymous", "unknown", "unspecified", "user", "admin", "administrator")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class PdfFile:
    """What the library finds in a PDF."""

    pages: list[PrintedPage]
    title: str = ""
    metadata: Metadata = Metadata()
    bookmarks: Sequence[Bookmark] = ()


def read_pdf(data: bytes, source: str) -> Content:
    """Read the layer of text of a PDF; raises DocumentError where it has none or cannot be opened."""
    check_end(data, source)
    with LIBRARY_LOCK:
        file = _read(data, source)
    check_letters(file, source)
    return content_of(file)


def check_letters(file: PdfFile, source: str) -> None:
    """Raise DocumentError for a PDF that shows no letters, or does not say which."""
    characters = "".join(line.text for page in file.pages for line in page.lines)
    if len(_UNKNOWN.findall(characters)) > MAX_UNKNOWN * len(characters):
        raise DocumentError(
            f"'{source}' is a PDF that does not say which letters it shows: run text recognition "
            "(OCR) over it, with ocrmypdf --force-ocr for example, and open what that writes."
        )
    if not characters:
        raise DocumentError(
            f"'{source}' is a PDF without text, as a scanner makes it: run text recognition (OCR) "
            "over it, with ocrmypdf for example, and open what that writes."
        )


def content_of(file: PdfFile) -> Content:
    """What the print on the pages of a PDF is, as blocks."""
    title = given_title(file.title)
    items = label(lay_out(file.pages, named_on_pages(file.bookmarks)), file.bookmarks, title)
    words = words_of(line for page in file.pages for line in page.lines)
    builder = ContentBuilder()
    for item in items:
        _write(builder, item, words)
    return builder.build(
        title=title, metadata=file.metadata, page_sizes=[page.size for page in file.pages]
    )


def check_end(data: bytes, source: str) -> None:
    """Raise DocumentError for a PDF that was cut off."""
    if b"%%EOF" not in data[-TAIL:]:
        raise DocumentError(
            f"'{source}' is a PDF whose end is missing: download or copy it again and open that."
        )


def refusal(error: Any, source: str) -> DocumentError:
    """What to tell a person about a PDF that the library cannot open."""
    import pypdfium2.raw as pdfium

    if error.err_code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
        return DocumentError(
            f"'{source}' is a PDF with a password: save a copy without one, by printing it to "
            "a PDF for example, and open the copy."
        )
    return DocumentError(
        f"'{source}' is a damaged PDF: download it again, or print it to a new PDF from a "
        "program that still shows it."
    )


def _read(data: bytes, source: str) -> PdfFile:
    import pypdfium2

    try:
        with pypdfium2.PdfDocument(data) as document:
            reader = PageReader()
            pages = []
            for page in document:
                pages.append(reader.read(page))
                page.close()
            return PdfFile(
                pages,
                str(document.get_metadata_value("Title")),
                _metadata(document),
                list(_bookmarks(document)),
            )
    except pypdfium2.PdfiumError as error:
        raise refusal(error, source) from None


def _metadata(document: Any) -> Metadata:
    author = " ".join(str(document.get_metadata_value("Author")).split())
    if author.lower() in _NO_AUTHORS:
        author = ""
    date = _iso_date(str(document.get_metadata_value("CreationDate")))
    return Metadata(author=author, date=date, language=_language(document))


def _iso_date(written: str) -> str:
    """The day of a PDF's date ("D:20240131093000Z") as in ISO 8601; "" where it is none."""
    found = _DATE.match(written)
    if not found:
        return ""
    year, month, day = found.groups()
    if month and not 1 <= int(month) <= 12:
        return str(year)
    if day and not 1 <= int(day) <= 31:
        day = None
    return "-".join(part for part in (year, month, day) if part)


def _language(document: Any) -> str:
    """The language that the file says its text is in, as it writes it; "" where it does not."""
    import pypdfium2.raw as pdfium

    units = (ctypes.c_ushort * 64)()
    size = pdfium.FPDFCatalog_GetLanguage(document.raw, units, ctypes.sizeof(units))
    if not 2 < size <= ctypes.sizeof(units):
        return ""
    text = bytes(units)[: size - 2].decode("utf-16-le", "replace")
    return text if _LANGUAGE.fullmatch(text) else ""


def _bookmarks(document: Any) -> Iterator[Bookmark]:
    for number, bookmark in enumerate(document.get_toc(max_depth=8)):
        if number == MAX_BOOKMARKS:
            return
        destination = bookmark.get_dest()
        page = destination.get_index() if destination else None
        yield Bookmark(bookmark.level + 1, bookmark.get_title(), page)


def _write(builder: ContentBuilder, labelled: Labelled, words: Set[str]) -> None:
    """Write an item as blocks."""
    item = labelled.item
    if isinstance(item, PageTable):
        builder.table(_cells(item, words), page_starts=list(enumerate(item.pages)))
        return
    if isinstance(item, Furniture):
        text = write([Part(item.page, item.line)], words)
    elif labelled.kind is BlockKind.CODE:
        text = write_code(item.parts)
    else:
        text = write(item.parts, words, skip=labelled.skip)
    if labelled.kind is BlockKind.TITLE:
        builder.title(text.text, page_starts=text.page_starts, origins=text.origins)
    elif labelled.kind is BlockKind.HEADING:
        builder.heading(
            text.text, labelled.level, page_starts=text.page_starts, origins=text.origins
        )
    else:
        builder.add(
            labelled.kind,
            text.text,
            level=labelled.level,
            marker=labelled.marker,
            page_starts=text.page_starts,
            origins=text.origins,
        )


def _cells(item: PageTable, words: Set[str]) -> list[list[DraftCell]]:
    table = item.table
    texts = [
        [_cell_text(cell, page, words) for cell in row]
        for page, row in zip(item.pages, table.rows, strict=True)
    ]
    heads = [[cell.is_head for cell in row] for row in table.rows]
    if not table.has_heads:
        guessed = guess_heads([[text.text for text in row] for row in texts])
        heads = [[cell.is_head for cell in row] for row in guessed]
    return [
        [
            DraftCell(text.text, head, cell.columns, cell.rows, text.origins)
            for cell, text, head in zip(row, row_texts, row_heads, strict=True)
        ]
        for row, row_texts, row_heads in zip(table.rows, texts, heads, strict=True)
    ]


def _cell_text(cell: PrintedCell, page: int, words: Set[str]) -> Text:
    if not cell.lines:
        return Text("", (), ())
    return write([Part(page, line) for line in cell.lines], words)
