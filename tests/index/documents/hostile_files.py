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


def wide_cells() -> bytes:
    """A table of twenty thousand rows, in which every head spans a thousand columns."""
    rows = b"<tr><th colspan=1000>a<th>b</tr><tr><td rowspan=1000>c<td>d</tr>" * 10_000
    return b"<html><body><table>" + rows


def many_cells() -> bytes:
    """A table of a hundred thousand cells."""
    return b"<html><body><table>" + (b"<tr>" + b"<td>12</td>" * 100 + b"</tr>") * 1_000


def long_attribute() -> bytes:
    """An image whose description has eight megabytes, in an element whose style has as many."""
    style, alt = b"display :" * 900_000, b"a lamp at sea " * 600_000
    return b"<html><body><p style='" + style + b"'><img alt='" + alt + b"'>A line.</p>"


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


def package(members: dict[str, bytes]) -> bytes:
    """A zip file of these members."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def relations(kind: str, target: str) -> bytes:
    """A part with one relationship, rId1."""
    return (
        f'<Relationships><Relationship Id="rId1" Type="x/{kind}" Target="{target}"/></Relationships>'
    ).encode()


def xlsx(sheet: bytes, more: dict[str, bytes] | None = None) -> bytes:
    """A workbook with that as the data of its only sheet."""
    book = b'<workbook xmlns:r="r"><sheets><sheet name="a" r:id="rId1"/></sheets></workbook>'
    return package(
        {
            "xl/workbook.xml": book,
            "xl/_rels/workbook.xml.rels": relations("worksheet", "sheet.xml"),
            "xl/sheet.xml": b"<worksheet>" + sheet + b"</worksheet>",
            **(more or {}),
        }
    )


def many_elements() -> bytes:
    """Ten million empty paragraphs."""
    return docx(b"<a/>" * 10_000_000)


def many_paragraphs() -> bytes:
    """Nearly as many paragraphs as may be, each with a letter."""
    return docx(b"<w:p><w:r><w:t>a</w:t></w:r></w:p>" * 490_000)


def many_sheet_cells() -> bytes:
    """A sheet of three million empty cells, and then one with a number."""
    return xlsx(
        b"<sheetData><row>" + b"<c s='1'/>" * 3_000_000 + b"<c><v>1</v></c></row></sheetData>"
    )


def many_numbers() -> bytes:
    """A sheet of a million numbers."""
    return xlsx(b"<sheetData>" + b"<row><c><v>1</v></c></row>" * 1_000_000 + b"</sheetData>")


def many_merges() -> bytes:
    """A sheet whose cells are all merged, a hundred thousand times, and a staircase of cells."""
    stairs = b"".join(
        b'<row r="%d"><c r="%s%d"><v>1</v></c></row>' % (3 * n + 1, column, 3 * n + 1)
        for n, column in enumerate([b"A", b"C", b"E", b"G", b"I"] * 2_000)
    )
    merges = b'<mergeCell ref="A1:XFD1048576"/>' * 100_000
    return xlsx(b"<sheetData>" + stairs + b"</sheetData><mergeCells>" + merges + b"</mergeCells>")


def long_format() -> bytes:
    """A workbook with a number format of a megabyte, used by a thousand cells."""
    code = b"0" * 1_000_000
    styles = b'<s><numFmts><numFmt numFmtId="170" formatCode="%s"/></numFmts>' % code
    styles += b'<cellXfs><xf numFmtId="170"/></cellXfs></s>'
    rows = b"".join(b"<row><c><v>%d.5</v></c></row>" % n for n in range(1_000))
    return xlsx(
        b"<sheetData>" + rows + b"</sheetData>",
        {"xl/styles.xml": styles, "xl/_rels/workbook.xml.rels": _two_relations()},
    )


def _two_relations() -> bytes:
    one, other = relations("worksheet", "sheet.xml"), relations("styles", "styles.xml")
    return one.replace(
        b"</Relationships>", other.replace(b"rId1", b"rId2").removeprefix(b"<Relationships>")
    )


def deep_pptx() -> bytes:
    """A slide whose shapes are grouped a hundred thousand times."""
    groups = b"<p:grpSp>" * 100_000 + b"</p:grpSp>" * 100_000
    slide = b'<p:sld xmlns:p="p"><p:cSld><p:spTree>' + groups + b"</p:spTree></p:cSld></p:sld>"
    return _pptx(slide, 1)


def same_slide() -> bytes:
    """A presentation that shows the same slide of a megabyte a hundred thousand times."""
    shape = b"<p:sp><p:nvSpPr/><p:txBody><a:p><a:r><a:t>word </a:t></a:r></a:p></p:txBody></p:sp>"
    slide = b'<p:sld xmlns:p="p" xmlns:a="a"><p:cSld><p:spTree>' + shape * 12_000
    return _pptx(slide + b"</p:spTree></p:cSld></p:sld>", 100_000)


def _pptx(slide: bytes, count: int) -> bytes:
    shown = b'<p:sldId r:id="rId1"/>' * count
    return package(
        {
            "ppt/presentation.xml": b'<p:presentation xmlns:p="p" xmlns:r="r"><p:sldIdLst>'
            + shown
            + b"</p:sldIdLst></p:presentation>",
            "ppt/_rels/presentation.xml.rels": relations("slide", "slide.xml"),
            "ppt/slide.xml": slide,
        }
    )


def _epub(page: bytes, spine: int = 1) -> bytes:
    root = b'<container><rootfile full-path="b.opf"/></container>'
    item = b'<item id="%d" href="p%d.html" media-type="text/html"/>'
    return package(
        {
            "META-INF/container.xml": root,
            "b.opf": b"<package><manifest>%s</manifest><spine>%s</spine></package>"
            % (
                b"".join(item % (n, n) for n in range(spine)),
                b"".join(b'<itemref idref="%d"/>' % n for n in range(spine)),
            ),
            **{f"p{n}.html": page for n in range(spine)},
        }
    )


def deep_epub() -> bytes:
    """A book with a page of boxes in boxes."""
    return _epub(deep_html())


def bomb_epub() -> bytes:
    """A book whose thirty pages have two megabytes of markup each."""
    return _epub(b"<html><body>" + b"<p><b>a</b></p>" * 140_000, 30)


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
    "wide.html": wide_cells,
    "cells.html": many_cells,
    "attribute.html": long_attribute,
    "bomb.pdf": pdf_bomb,
    "deep.pdf": deep_pdf,
    "elements.docx": many_elements,
    "paragraphs.docx": many_paragraphs,
    "zip-bomb.xlsx": zip_bomb,
    "cells.xlsx": many_sheet_cells,
    "numbers.xlsx": many_numbers,
    "merges.xlsx": many_merges,
    "format.xlsx": long_format,
    "deep.pptx": deep_pptx,
    "same-slide.pptx": same_slide,
    "deep.epub": deep_epub,
    "bomb.epub": bomb_epub,
    "zip-bomb-by-another-name.txt": zip_bomb,
    "bomb-by-another-name.html": pdf_bomb,
}
