"""Files of each format, made for the tests."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import docx
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

BODY = "Times-Roman"
BOLD = "Times-Bold"
CHINESE = "STSong-Light"

# A line of print: where it starts, its words, and if not as usual their font and size.
Print = tuple[Any, ...]


def pdf(
    *pages: Sequence[Print], title: str = "", user: str | None = None, owner: str | None = None
) -> bytes:
    """A PDF with words at given places, and with passwords if any are given."""
    pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))
    lock = None if owner is None else StandardEncryption(user or "", owner)
    file = BytesIO()
    canvas = Canvas(file, pagesize=A4, encrypt=lock, invariant=True)
    canvas.setTitle(title)
    for page in pages:
        for x, y, words, *style in page:
            canvas.setFont(*(style or (BODY, 11)))
            canvas.drawString(x, y, words)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def column(lines: str, top: float = 760, left: float = 72, leading: float = 14) -> list[Print]:
    """Lines of print below each other, an empty one for a gap, spaces before one for an indent."""
    return [
        (left + 6 * (len(line) - len(line.lstrip())), top - leading * number, line.strip())
        for number, line in enumerate(lines.strip("\n").split("\n"))
        if line.strip()
    ]


def scan(pages: int = 2) -> bytes:
    """A PDF with nothing but a drawing on each page."""
    file = BytesIO()
    canvas = Canvas(file, pagesize=A4, invariant=True)
    for _ in range(pages):
        canvas.rect(100, 100, 300, 500, fill=1)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def word(fill: Callable[[Any], None]) -> bytes:
    """A Word document that `fill` writes."""
    document = docx.Document()
    document.core_properties.title = ""
    fill(document)
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def rezipped(data: bytes, changes: dict[str, bytes | None]) -> bytes:
    """A zip file with some of its members changed, and without those that are None."""
    file = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(data)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            content = changes.get(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
        for name in changes.keys() - set(old.namelist()):
            if (added := changes[name]) is not None:
                new.writestr(name, added)
    return file.getvalue()
