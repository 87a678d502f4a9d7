import time
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from index.documents import docx as from_docx
from index.documents.content import MAX_BYTES, MAX_FILE_BYTES, Content
from index.documents.formats import extract
from index.errors import DocumentError
from tests.index.documents.samples import BOLD, CHINESE, column, pdf, rezipped, scan, word

NEWS = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Harbour reopens after storm | Daily Post</title>
<style>.x { color: red }</style><script>var tracking = "code"</script></head><body>
<header><nav><ul><li><a href="/">Home</a></li><li><a href="/weather">Weather forecast</a></li>
</ul></nav></header>
<div class="cookie-banner">We use cookies to improve your visit. <button>Accept all</button></div>
<main><article><h1>Harbour reopens after storm</h1>
<p>The harbour of Lowtown opened again on Monday, nine days after a storm tore away
forty metres of its wall. The first ferry, with 212 people aboard, left at 06:40.</p>
<div class="advertisement" id="x-2"><p>Buy the new telephone today, only 499 euros!</p></div>
<p>Harbour master Jon&shy;athan Reed said that the re\u00adpair had cost 1.2 million euros. “We worked at
night, at low tide,” he told the council.<br>He thanked the divers.</p>
<h2>What is next</h2>
<ul><li>The lighthouse gets a new lamp in autumn.</li><li>500 sacks of sand</li></ul>
<table><tr><th>Month</th><th>Ferries</th></tr><tr><td>May</td><td>88</td></tr></table>
<pre>one line
  and another</pre>
<p>The council will vote on a second wall in September, when all of its members are back in town.</p>
<aside class="related"><h3>Related articles</h3><ul><li><a href="/a">Ten best beaches</a></li></ul>
</aside>
</article></main>
<section id="comments"><h3>Comments</h3><p>user1: first comment of all!</p></section>
<footer><p>© 2024 Daily Post. All rights reserved. Privacy policy.</p></footer></body></html>"""

ARTICLE = """Harbour reopens after storm

The harbour of Lowtown opened again on Monday, nine days after a storm tore away forty metres \
of its wall. The first ferry, with 212 people aboard, left at 06:40.

Harbour master Jonathan Reed said that the repair had cost 1.2 million euros. “We worked at night, \
at low tide,” he told the council.
He thanked the divers.

What is next

• The lighthouse gets a new lamp in autumn.

• 500 sacks of sand

Month | Ferries

May | 88

one line
  and another

The council will vote on a second wall in September, when all of its members are back in town."""

# One in the letters of each, and what a page in them might say.
LANGUAGES = [
    "Маяк города был построен в 1890 году. В июне гавань открылась снова, и все были рады.",
    "تأسست مدينة القاهرة عام 969 على يد القائد جوهر الصقلي. وهي اليوم أكبر مدينة في البلاد.",
    "灯塔建于一八九〇年。港口在六月重新开放，渡轮载着两百人离开，城里的人都很高兴。",
    "등대는 1890년에 세워졌다. 항구는 유월에 다시 열렸고 모두가 기뻐했다고 한다.",
]


def says(data: bytes, name: str) -> str:
    """The sentence that refuses a file."""
    with pytest.raises(DocumentError) as refused:
        extract(data, name)
    sentence = str(refused.value)
    assert sentence.startswith(f"'{name}' ") and sentence.endswith(".") and ": " in sentence
    assert "\n" not in sentence and "Error" not in sentence
    return sentence


# Which format it is


@pytest.mark.parametrize("name", ["a.txt", "a.html", "a.pdf", "a.docx", "a.md", "a", ""])
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(NEWS.encode(), id="html"),
        pytest.param(pdf(column("Harbour reopens after storm")), id="pdf"),
        pytest.param(word(lambda d: d.add_paragraph("Harbour reopens after storm")), id="docx"),
    ],
)
def test_clear_bytes_count_more_than_the_name(data: bytes, name: str) -> None:
    assert extract(data, name).text.startswith("Harbour reopens after storm")


@pytest.mark.parametrize(
    "beginning",
    [
        "<!DOCTYPE html>",
        "<HTML lang=en>",
        '\ufeff<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML">',
        "\n<!-- saved from the web -->\n<!-- twice --><html>",
        "<body>",
    ],
)
def test_a_page_is_known_by_how_it_begins(beginning: str) -> None:
    page = f"{beginning}<p>The lamp was lit.</p><p>It was {'very ' * 100}bright.</p>"
    assert extract(page.encode(), "a.txt").text.startswith("The lamp was lit.\n\nIt was very")


@pytest.mark.parametrize(
    "text",
    [
        "PKI stands for public key infrastructure.",
        "A PDF begins with %PDF-1.7 and then has objects.",
        "<p align=center>A README</p>\n\n# Title",
        "<!-- a comment -->\n\n# Title",
        "<header> is a tag of HTML.",
        "{\\ is a bracket and a backslash.",
    ],
)
def test_text_that_speaks_of_formats_is_text(text: str) -> None:
    assert extract(text.encode(), "a.md") == Content(text)


def test_a_page_that_does_not_begin_like_one_is_known_by_its_name_or_its_server() -> None:
    page = b"<p>The lamp was lit in 1890.</p><p>The keeper was glad.</p>"
    read = Content("The lamp was lit in 1890.\n\nThe keeper was glad.")
    assert extract(page, "a.html") == extract(page, "a.HTM") == read
    assert extract(page, "https://example.org/a", media_type="text/html") == read
    assert extract(page, "https://example.org/a.html?b=c.txt") == read
    assert extract(page, "a.txt") == Content(page.decode())
    assert (
        extract(page, "https://example.org/a.html", media_type="text/plain").text == page.decode()
    )


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.pdf", "a.docx"])
@pytest.mark.parametrize("data", [b"", b" \r\n\t"])
def test_an_empty_file_is_empty_whatever_its_name(data: bytes, name: str) -> None:
    assert says(data, name) == f"'{name}' is empty: open a file that has some text in it."


@pytest.mark.parametrize(
    ("data", "name", "sentence"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a.doc", "of an Office before 2007"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
            + bytes(600)
            + "EncryptedPackage".encode("utf-16-le")
            + bytes(600),
            "a.docx",
            "a Word document with a password: save a copy without one",
        ),
        (b"{\\rtf1\\ansi The lamp.}", "a.rtf", "rich text (RTF): save it as .docx"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "a.png", "is not text: save it as plain text"),
    ],
)
def test_other_formats_are_named(data: bytes, name: str, sentence: str) -> None:
    assert sentence in says(data, name)


def test_text_may_be_shorter_than_what_brings_pictures_along() -> None:
    assert "has 5.0 MB and the limit is 5 MB" in says(b"x" * (MAX_BYTES + 1), "a.txt")
    assert "is a damaged PDF" in says(b"%PDF-1.7" + b" " * (MAX_BYTES) + b"%%EOF", "a.pdf")
    assert "has 20.0 MB and the limit is 20 MB" in says(b"%PDF-" + b"x" * MAX_FILE_BYTES, "a.pdf")


# Text


def test_markdown_is_kept_to_the_letter() -> None:
    text = "# Title\r\n\r\n* one\n*  two\n\n| a | b |\n|---|---|\n\n```\n<b>x</b>\n```\n"
    assert extract(text.encode(), "a.md") == Content(text)


# Web pages


def test_a_page_gives_its_article_and_nothing_around_it() -> None:
    assert extract(NEWS.encode(), "a.html") == Content(ARTICLE, "Harbour reopens after storm")


def test_a_title_that_is_not_in_the_article_is_the_one_of_the_page() -> None:
    page = NEWS.replace("<h1>Harbour reopens after storm</h1>", "")
    assert extract(page.encode(), "a.html").title == "Harbour reopens after storm | Daily Post"
    page = page.replace(
        "<title>", '<meta property="og:title" content=" Harbour &amp; storm "><title>'
    )
    assert extract(page.encode(), "a.html").title == "Harbour & storm"


def test_an_advert_is_told_from_an_article_that_is_called_one() -> None:
    long = NEWS.replace("<main>", '<main><div class="has ads">').replace("</main>", "</div></main>")
    assert extract(long.encode(), "a.html").text == ARTICLE


@pytest.mark.parametrize(
    "page",
    [
        "<html><head><title>x</title></head><body></body></html>",
        "<html><body><noscript>You need to enable JavaScript to run this app.</noscript>"
        '<div id="root"></div><script src="app.js"></script></body></html>',
        '<html><body><nav><ul><li><a href="/">Home</a></li><li><a href="/a">Products</a></li>'
        '<li><a href="/b">About us</a></li></ul></nav><img src="x.png"><footer>Imprint</footer>',
        "<html>",
    ],
)
def test_a_page_without_an_article_is_refused(page: str) -> None:
    sentence = says(page.encode(), "a.html")
    assert "has no article" in sentence and "copy the text in your browser and paste it" in sentence


@pytest.mark.parametrize(
    ("encoding", "meta", "charset"),
    [
        ("utf-8", "", ""),
        ("utf-8", '<meta charset="utf-8">', ""),
        ("utf-16", "", ""),
        ("cp1252", '<meta charset="iso-8859-1">', ""),
        (
            "cp1251",
            '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">',
            "",
        ),
        ("iso-8859-2", '<meta charset="windows-1252">', "iso-8859-2"),  # the server's word counts
        ("utf-8", '<meta charset="no-such-thing">', "nor-this"),
        ("utf-8", '<meta charset="utf-8">', "unicode_escape"),
        ("utf-8", '<?xml version="1.0" encoding="iso-8859-2"?>', ""),
    ],
)
def test_the_encoding_of_a_page(encoding: str, meta: str, charset: str) -> None:
    text = {"cp1251": LANGUAGES[0], "iso-8859-2": "Erdős Pál 1913-ban született Budapesten."}.get(
        encoding, "Zoë’s café “Málaga” has been there since 1999, they say."
    )
    before, meta = (meta, "") if meta.startswith("<?") else ("", meta)
    page = f"{before}<!doctype html><html><head>{meta}</head><body><p>{text}</p></body></html>"
    read = extract(page.encode(encoding), "a.html", media_type="text/html", charset=charset)
    assert read.text == text


def test_one_wrong_byte_does_not_make_another_encoding_of_a_page() -> None:
    page = f'<!doctype html><meta charset="utf-8"><p>{LANGUAGES[0] * 20}</p>'.encode()
    cut = page.replace("Маяк".encode(), "Маяк".encode()[:-1], 1)
    assert extract(cut, "a.html").text == (LANGUAGES[0] * 20).replace("Маяк", "Мая\ufffd", 1)
    assert extract("\ufffd?".encode(), "a.txt").text == "\ufffd?"


# PDF


def test_a_pdf_gives_its_paragraphs_and_pages() -> None:
    one = """
The harbour of Lowtown opened again on Monday, nine days after a storm had
torn away forty metres of its wall. The council had called for an extraordi-
nary meeting on that night.
    The first ferry, with 212 people aboard, left at twenty minutes to seven and
"""
    two = """
arrived on time. Its captain was glad.

Harbour master Jonathan Reed said that the repair had cost 1.2 million euros,
of which the town pays a third.
"""
    head = (72, 800, "The Daily Post", BOLD, 8)
    data = pdf(
        [head, *column(one), (300, 30, "1")],
        [head, *column(two), (300, 30, "2")],
        [head, (300, 30, "3")],
    )
    read = extract(data, "a.pdf")
    assert read.text.split("\n\n") == [
        "The harbour of Lowtown opened again on Monday, nine days after a storm had torn away forty "
        "metres of its wall. The council had called for an extraordinary meeting on that night.",
        "The first ferry, with 212 people aboard, left at twenty minutes to seven and arrived on time. "
        "Its captain was glad.",
        "Harbour master Jonathan Reed said that the repair had cost 1.2 million euros, of which the "
        "town pays a third.",
    ]
    assert read.pages == (0, read.text.index("arrived on time."), len(read.text))


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("The walls of Lowtown", "The walls of Lowtown"),
        ("", "Walls of the north"),
        ("untitled", "Walls of the north"),
        ("Microsoft Word - walls.doc", "Walls of the north"),
        ("walls_final2.docx", "Walls of the north"),
        ("about:blank", "Walls of the north"),
        ("https://example.org/walls", "Walls of the north"),
    ],
)
def test_the_title_of_a_pdf_is_its_own_or_its_largest_print(own: str, expected: str) -> None:
    large = [(90, 790, "Walls of", BOLD, 20), (90, 766, "the north", BOLD, 20)]
    body = column("It was torn away by the storm of 1953.\nThen it was built again.", top=700)
    assert extract(pdf([*large, *body], title=own), "a.pdf").title == expected


def test_a_pdf_with_one_size_of_print_has_no_title_of_its_own() -> None:
    assert extract(pdf(column("The lamp was lit.")), "a.pdf").title == ""


def test_a_line_is_as_large_as_most_of_it() -> None:
    first = [(72, 704, "1", BOLD, 6), (78, 700, "The minutes of the council are in the archive on")]
    data = pdf([*first, *column("the third floor, where nobody\nreads them.", top=686)])
    assert extract(data, "a.pdf").text.startswith(
        "1 The minutes of the council are in the archive on the"
    )


def test_a_page_on_its_side_is_read_like_another() -> None:
    from reportlab.pdfgen.canvas import Canvas

    file = BytesIO()
    canvas = Canvas(file, pagesize=(595, 842), invariant=True)
    canvas.setPageRotation(90)
    canvas.rotate(90)
    canvas.translate(0, -595)
    for x, y, words in column(
        "The harbour opened on a Monday in\nJune and all were glad.", top=500
    ):
        canvas.drawString(x, y, words)
    canvas.showPage()
    canvas.save()
    text = "The harbour opened on a Monday in June and all were glad."
    assert extract(file.getvalue(), "a.pdf").text == text


def test_chinese_in_a_pdf() -> None:
    read = extract(
        pdf([(72, 700, LANGUAGES[2][:24], CHINESE, 12), (72, 684, LANGUAGES[2][24:], CHINESE, 12)]),
        "a.pdf",
    )
    assert read.text == LANGUAGES[2]


def test_a_pdf_with_a_password_is_refused_and_one_that_only_forbids_printing_is_read() -> None:
    lines = column("The lamp was lit.")
    assert "is a PDF with a password" in says(pdf(lines, user="s3cret", owner="0wner"), "a.pdf")
    assert extract(pdf(lines, owner="0wner"), "a.pdf").text == "The lamp was lit."


def test_a_scanned_pdf_is_refused_with_what_to_do() -> None:
    for data in (scan(), pdf([], [])):
        sentence = says(data, "a.pdf")
        assert "without text" in sentence and "ocrmypdf" in sentence


def test_a_pdf_whose_letters_show_nothing_has_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    from index.documents import pdf as from_pdf
    from index.documents.pdf_layout import Line

    lines = [[Line("\u200b\xad", 0, 100, 100, 10)]]
    monkeypatch.setattr(from_pdf, "_read", lambda data, source: (lines, ""))
    assert "without text" in says(b"%PDF-1.7 %%EOF", "a.pdf")


def test_a_pdf_of_unknown_letters_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from index.documents import pdf as from_pdf
    from index.documents.pdf_layout import Line

    def read(letters: str) -> str:
        lines = [[Line(letters, 0, 100, 100, 10)]]
        monkeypatch.setattr(from_pdf, "_read", lambda data, source: (lines, ""))
        return extract(b"%PDF-1.7 %%EOF", "a.pdf").text

    assert read("The lamp \ue000 was lit") == "The lamp \ue000 was lit"
    with pytest.raises(DocumentError, match="does not say which letters it shows"):
        read("\ue012\ue013\ue014 \ue015 a\x01")


def test_damaged_pdfs_are_refused() -> None:
    whole = pdf(column("The lamp was lit."), column("It was bright."))
    assert "whose end is missing" in says(whole[: len(whole) // 2], "a.pdf")
    assert "whose end is missing" in says(whole[:-40], "a.pdf")
    for data in (
        b"%PDF-1.7\n%%EOF",
        whole[: len(whole) // 2] + b"\n%%EOF\n",
        whole[:200] + bytes(400) + whole[600:],
        whole.replace(b"/Kids", b"/Kidz"),
    ):
        assert "is a damaged PDF" in says(data, "a.pdf")
    assert "whose end is missing" in says(b"not a PDF at all", "a.pdf")


def test_a_large_pdf_is_read_in_a_moment() -> None:
    lines = column(
        "\n".join(["The harbour of Lowtown opened again on Monday, nine days after"] * 50)
    )
    data = pdf(*[lines] * 40)
    before = time.process_time()
    assert len(extract(data, "a.pdf").pages) == 40
    assert time.process_time() - before < 5


# Word


def test_a_word_document_gives_its_paragraphs_lists_and_tables_in_order() -> None:
    def fill(document) -> None:
        document.add_heading("Harbour reopens", 0)
        document.add_paragraph("The harbour opened ").add_run("again on Monday.").bold = True
        document.add_paragraph()
        document.add_paragraph("a lamp", style="List Bullet")
        document.add_heading("What is next", 1)
        table = document.add_table(rows=2, cols=3)
        for row, texts in zip(
            table.rows, (("Month", "", "Ferries"), ("May", "", "88")), strict=True
        ):
            for cell, text in zip(row.cells, texts, strict=True):
                cell.text = text
        line = document.add_paragraph("One line\nand\tanother of the repair")
        line.add_run("\u00ads.")

    read = extract(word(fill), "a.docx")
    assert read.text.split("\n\n") == [
        "Harbour reopens",
        "The harbour opened again on Monday.",
        "• a lamp",
        "What is next",
        "Month | Ferries",
        "May | 88",
        "One line\nand\tanother of the repairs.",
    ]
    assert read.title == "Harbour reopens"
    assert read.pages == ()


def test_a_row_whose_cells_hold_more_than_a_paragraph_gives_each() -> None:
    def fill(document) -> None:
        left, right = document.add_table(rows=1, cols=2).rows[0].cells
        left.text = "Left one."
        left.add_paragraph("Left two.")
        right.text = "Right."
        right.add_table(rows=1, cols=2).rows[0].cells[0].text = "Within."

    read = extract(word(fill), "a.docx")
    assert read.text.split("\n\n") == ["Left one.", "Left two.", "Right.", "Within."]


def test_what_word_does_not_show_is_not_read() -> None:
    names = nsdecls("w")
    alternative = (
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
        'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
    )
    paragraphs = [
        f'<w:p {names}><w:r><w:t xml:space="preserve">It was </w:t></w:r>'
        "<w:del><w:r><w:delText>never </w:delText></w:r></w:del>"
        '<w:ins><w:r><w:t xml:space="preserve">always </w:t></w:r></w:ins>'
        "<w:moveFrom><w:r><w:t>away </w:t></w:r></w:moveFrom><w:r><w:t>here</w:t></w:r>"
        '<w:r><w:fldChar w:fldCharType="begin"/><w:instrText>PAGEREF x</w:instrText></w:r>'
        '<w:hyperlink><w:r><w:t xml:space="preserve"> and</w:t></w:r></w:hyperlink>'
        "<w:sdt><w:sdtContent><w:r><w:t> well</w:t><w:noBreakHyphen/><w:t>known.</w:t></w:r>"
        "</w:sdtContent></w:sdt></w:p>",
        f"<w:p {names} {alternative}><w:r><w:t>Beside.</w:t><mc:AlternateContent><mc:Choice>"
        "<wps:txbx><w:txbxContent><w:p><w:r><w:t>In a box.</w:t></w:r></w:p></w:txbxContent></wps:txbx>"
        "</mc:Choice><mc:Fallback><w:p><w:r><w:t>In a box.</w:t></w:r></w:p></mc:Fallback>"
        "</mc:AlternateContent></w:r></w:p>",
        f'<w:p {names}><w:pPr><w:pStyle w:val="Contents1"/></w:pPr><w:r><w:t>Walls 3</w:t></w:r></w:p>',
    ]

    def fill(document) -> None:
        from docx.enum.style import WD_STYLE_TYPE

        style = document.styles.add_style("Contents1", WD_STYLE_TYPE.PARAGRAPH)
        style.name = "toc 1"
        for xml in paragraphs:
            document.element.body.append(parse_xml(xml))

    read = extract(word(fill), "a.docx")
    assert read.text.split("\n\n") == ["It was always here and well-known.", "Beside.", "In a box."]


def test_a_word_document_has_the_title_it_was_given() -> None:
    def fill(document) -> None:
        document.core_properties.title = "The walls of Lowtown"
        document.add_heading("Harbour reopens", 1)

    assert extract(word(fill), "a.docx").title == "The walls of Lowtown"


def test_damaged_word_documents_are_refused() -> None:
    whole = word(lambda document: document.add_paragraph("The lamp was lit. " * 200))
    assert "is a damaged Word document" in says(whole[: len(whole) // 2], "a.docx")
    assert "is a damaged Word document" in says(b"not a zip file", "a.docx")
    place = whole.index(b"word/document.xml") + 40
    assert "is a damaged Word document" in says(
        whole[:place] + bytes(60) + whole[place + 60 :], "a.docx"
    )
    for content in (b"", b"<w:document", b"\xff\xfe\x00"):
        assert "is a damaged Word document" in says(
            rezipped(whole, {"word/document.xml": content}), "a.docx"
        )


def test_a_word_document_needs_no_more_than_its_text() -> None:
    whole = word(lambda document: document.add_paragraph("The lamp was lit."))
    bare = rezipped(whole, {"word/styles.xml": None, "docProps/core.xml": None})
    assert extract(bare, "a.docx") == Content("The lamp was lit.")
    with zipfile.ZipFile(BytesIO(whole)) as archive:
        content = archive.read("word/document.xml")
    moved = rezipped(whole, {"word/document.xml": None, "word/document2.xml": content})
    assert extract(moved, "a.docx").text == "The lamp was lit."


def test_other_zip_files_are_told_from_word_documents() -> None:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    assert "is a zip file and no Word document" in says(file.getvalue(), "a.docx")
    file = BytesIO()
    zipfile.ZipFile(file, "w").close()
    assert "is a zip file and no Word document" in says(file.getvalue(), "a.docx")


def test_a_word_document_is_not_unpacked_when_it_would_be_too_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = word(lambda document: document.add_paragraph("The lamp was lit."))
    bomb = rezipped(whole, {"word/document.xml": b" " * (from_docx.MAX_INFLATED + 1)})
    assert len(bomb) < 200_000

    def read(*_: object) -> bytes:
        raise AssertionError("unpacked")

    monkeypatch.setattr(zipfile.ZipFile, "read", read)
    assert "would unpack to more than 50 MB" in says(bomb, "a.docx")


def test_entities_of_a_word_document_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret")
    whole = word(lambda document: document.add_paragraph("x"))
    names = nsdecls("w")
    for entity in (f'SYSTEM "{(tmp_path / "secret").as_uri()}"', '"inner"'):
        content = (
            f"<!DOCTYPE d [<!ENTITY e {entity}>]><w:document {names}><w:body><w:p><w:r><w:t>Lamp &e;"
            "</w:t></w:r></w:p></w:body></w:document>"
        )
        read = extract(rezipped(whole, {"word/document.xml": content.encode()}), "a.docx")
        assert read.text == "Lamp"


# Every format


@pytest.mark.parametrize("text", LANGUAGES)
def test_other_letters_in_text_pages_and_word_documents(text: str) -> None:
    assert extract(text.encode(), "a.txt").text == text
    assert extract(f"<!doctype html><p>{text}</p>".encode(), "a.html").text == text
    assert extract(word(lambda document: document.add_paragraph(text)), "a.docx").text == text


# Encodings


GERMAN = (
    "Die Wärter öffneten früh am Morgen die Tür zum Leuchtturm. „Schöne Grüße“, sagte Jürgen, und er "
    "schloß das Gewölbe über der Straße. Spaß – ja! Die Bürger hörten, daß die Fähre später käme."
)
FRENCH = (
    "Le phare fut allumé à l'été 1890. « Voilà », dit-elle : le gardien était déjà là, près de "
    "l'entrée, où les élèves étudiaient. Ça coûte très cher, à la fenêtre du château, même en août."
)
RUSSIAN = (
    "Маяк города был построен в 1890 году. В июне гавань открылась снова, и все были рады. Смотритель "
    "сказал: «Ещё один день — и корабль уйдёт». Съёмка, объём и подъезд находились рядом с площадью."
)


@pytest.mark.parametrize("text", [GERMAN, FRENCH, RUSSIAN], ids=["German", "French", "Russian"])
@pytest.mark.parametrize("bad", [b"\xe4", b"\x80", b"\xff", b"\xc3"])
def test_one_bad_byte_leaves_the_rest_of_utf_8(text: str, bad: bytes) -> None:
    data = text.encode()
    for at in range(0, len(data), 7):
        read = extract(data[:at] + bad + data[at + 1 :], "a.txt").text
        assert read.startswith(data[: max(0, at - 3)].decode("utf-8", "ignore"))
        assert read.endswith(data[at + 4 :].decode("utf-8", "ignore"))
        assert abs(len(read) - len(text)) <= 3 and read.count("\ufffd") <= 4


@pytest.mark.parametrize("text", [GERMAN, FRENCH, RUSSIAN], ids=["German", "French", "Russian"])
def test_utf_8_cut_off_in_a_character_is_utf_8(text: str) -> None:
    data = text.encode()
    inside = [at for at in range(1, len(data)) if data[at] & 0xC0 == 0x80 and at > 20]
    assert len(inside) > 10
    for at in inside:
        whole = data[:at].decode("utf-8", "ignore")
        assert extract(data[:at], "a.txt").text == whole + "\ufffd"
        rest = extract(data[at:], "a.txt").text if len(data) - at > 60 else "\ufffd"
        assert rest.startswith("\ufffd")


@pytest.mark.parametrize(
    ("text", "encoding", "certain"),
    [
        (GERMAN, "cp1252", "Schöne Grüße"),
        (GERMAN.replace("„", '"').replace("“", '"').replace("–", "-"), "latin-1", "Gewölbe"),
        (FRENCH, "cp1252", "les élèves étudiaient"),
        (FRENCH, "latin-1", "même en août"),
        (RUSSIAN, "cp1251", "открылась снова"),
        (RUSSIAN.replace("«", '"').replace("»", '"').replace("—", "-"), "koi8-r", "были рады"),
    ],
)
def test_older_encodings_are_still_guessed(text: str, encoding: str, certain: str) -> None:
    assert certain in extract(text.encode(encoding), "a.txt").text


def test_a_few_characters_beyond_ascii_are_enough() -> None:
    read = extract("It’s “naïve”, he said: x€.".encode().replace(b"x", b"\x93"), "a.txt")
    assert read.text == "It’s “naïve”, he said: \ufffd€."
    # The only character beyond ASCII may well be whole in another encoding.
    assert extract("A cup of tea in the café".encode("cp1252"), "a.txt").text.endswith("café")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (LANGUAGES[0], "cp866"),
        (LANGUAGES[1], "cp1256"),
        (LANGUAGES[2], "gb18030"),
        (LANGUAGES[3], "euc-kr"),
        ("ประภาคารของเมืองสร้างขึ้นในปี พ.ศ. 2433 ท่าเรือเปิดอีกครั้งและทุกคนก็ดีใจ", "cp874"),
        ("灯台は1890年に建てられました。六月に港がまた開かれ、みんなが喜びました。", "euc-jp"),
        ("灯台は1890年に建てられました。六月に港がまた開かれ、みんなが喜びました。", "shift_jis"),
    ],
)
def test_other_encodings_are_not_taken_for_utf_8(text: str, encoding: str) -> None:
    assert "\ufffd" not in extract(text.encode(encoding), "a.txt").text
