"""Files that are made to keep a program busy, to fill its memory or to break it."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable

WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def docx(body: bytes, *, before: bytes = b"") -> bytes:
    """A Word document with that as the content of its body, and before its root."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "word/document.xml",
            b'<?xml version="1.0"?>%s<w:document %s><w:body>%s</w:body></w:document>'
            % (before, WORD.encode(), body),
        )
    return packed.getvalue()


def zip_bomb() -> bytes:
    """Four hundred megabytes of spaces in four hundred kilobytes."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("word/document.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(400):
            part.write(b" " * 1_000_000)
    return packed.getvalue()


def much_text() -> bytes:
    """Forty megabytes of text in as many kilobytes, just below what may be unpacked."""
    return docx(("<w:p><w:r><w:t>" + "\u6587" * 9_000 + "</w:t></w:r></w:p>").encode() * 1_500)


def long_title() -> bytes:
    """A page whose title has ten megabytes."""
    words = b"<p>The lamp of Lowtown was lit in 1890, and every night since then.</p>" * 20
    title = b"<head><title>" + b"lamp " * 2_000_000 + b"</title></head>"
    return b"<html>" + title + b"<body><article>" + words + b"</article></body></html>"


def lying_zip() -> bytes:
    """A zip whose directory says that a part of 200 MB has ten bytes."""
    body = b"<w:p><w:r><w:t>" + b"a" * 200_000_000 + b"</w:t></w:r></w:p>"
    data = bytearray(docx(body))
    for mark, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        size = data.index(mark) + at
        data[size : size + 4] = (10).to_bytes(4, "little")
    return bytes(data)


def billion_laughs() -> bytes:
    """XML whose entities stand for each other, ten times each."""
    entities = b"".join(
        b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"lol") for n in range(12)
    )
    before = b"<!DOCTYPE w:document [%s]>" % entities
    return docx(b"<w:p><w:r><w:t>&l11;</w:t></w:r></w:p>", before=before)


def outside_entity() -> bytes:
    """XML that has a file of the machine as an entity."""
    before = b'<!DOCTYPE w:document [<!ENTITY there SYSTEM "file:///etc/passwd">]>'
    return docx(b"<w:p><w:r><w:t>&there; is all.</w:t></w:r></w:p>", before=before)


def deep_docx() -> bytes:
    """Tables in tables, a hundred thousand deep."""
    inner = b"<w:p><w:r><w:t>Deep.</w:t></w:r></w:p>"
    return docx(b"<w:tbl><w:tr><w:tc>" * 100_000 + inner + b"</w:tc></w:tr></w:tbl>" * 100_000)


def deep_html() -> bytes:
    """Boxes in boxes, two hundred thousand deep."""
    return b"<html><body>" + b"<div>" * 200_000 + b"<p>Deep.</p>" + b"</div>" * 200_000


def long_html() -> bytes:
    """A page of a million lines."""
    return b"<html><body>" + b"<p>A line.</p>\n" * 1_000_000


def many_attributes() -> bytes:
    """An element with a million attributes."""
    attributes = b" ".join(b"a%d=1" % n for n in range(1_000_000))
    return b"<html><body><p " + attributes + b">A line.</p></body></html>"


def pdf(objects: list[bytes]) -> bytes:
    """A PDF of these objects, the first of which is the catalogue."""
    data = b"%PDF-1.7\n"
    starts = []
    for number, body in enumerate(objects, 1):
        starts.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    size = len(objects) + 1
    return (
        data
        + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
        % (
            size,
            table,
            size,
            len(data),
        )
    )


def pdf_bomb() -> bytes:
    """A page whose content is six hundred megabytes of drawing, packed twice."""
    packer = zlib.compressobj(9)
    once = b"".join(packer.compress(b"BT (a) Tj ET " * 80_000) for _ in range(600)) + packer.flush()
    twice = zlib.compress(once, 9)
    return pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
            b"<</Length %d/Filter[/FlateDecode/FlateDecode]>>stream\n%s\nendstream"
            % (len(twice), twice),
        ]
    )


def deep_pdf() -> bytes:
    """A page whose content nests an array a million deep, in a tree of pages that leads to itself."""
    content = b"[" * 1_000_000
    return pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[2 0 R 3 0 R]/Count 1000000000>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
            b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        ]
    )


# By the name under which each is opened.
HOSTILE: dict[str, Callable[[], bytes]] = {
    "zip-bomb.docx": zip_bomb,
    "lying-zip.docx": lying_zip,
    "much-text.docx": much_text,
    "title.html": long_title,
    "billion-laughs.docx": billion_laughs,
    "outside-entity.docx": outside_entity,
    "deep.docx": deep_docx,
    "deep.html": deep_html,
    "long.html": long_html,
    "attributes.html": many_attributes,
    "bomb.pdf": pdf_bomb,
    "deep.pdf": deep_pdf,
    "zip-bomb-by-another-name.txt": zip_bomb,
    "bomb-by-another-name.html": pdf_bomb,
}
