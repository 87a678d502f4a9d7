"""EPUB books: their chapters in order, with what the package says of them."""

from collections.abc import Mapping

import pytest

from tests.index.documents.packages import document, lines, packed
from tests.index.documents.refusals import refusal

XHTML = "application/xhtml+xml"
CONTAINER = '<container xmlns="urn:c"><rootfiles><rootfile full-path="{}"/></rootfiles></container>'
FIRST = "<h1>The keeper</h1><p>Anna kept the light.</p>"
SECOND = "<p>The fog came in autumn.</p>"
READ = ["# The keeper", "paragraph  Anna kept the light."]


def xhtml(body: str) -> str:
    return (
        '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml" '
        f'xmlns:epub="http://www.idpf.org/2007/ops"><head><title/></head><body>{body}</body></html>'
    )


def epub(
    pages: Mapping[str, str],
    *,
    about: str = "",
    items: str = "",
    spine: str = "",
    after: str = "",
    more: Mapping[str, str] | None = None,
    folder: str = "OEBPS/",
) -> bytes:
    """A book of these pages, by their paths, in this order."""
    manifest = "".join(
        f'<item id="i{n}" href="{path}" media-type="{XHTML}"/>' for n, path in enumerate(pages)
    )
    order = "".join(f'<itemref idref="i{n}"/>' for n, _ in enumerate(pages))
    package = (
        '<package xmlns:dc="urn:dc" xmlns:opf="urn:o">'
        f"<metadata>{about}</metadata><manifest>{manifest}{items}</manifest>"
        f"<spine{spine}>{order}</spine>{after}</package>"
    )
    return packed(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": CONTAINER.format(f"{folder}book.opf"),
            f"{folder}book.opf": package,
            **{f"{folder}{path.replace('%20', ' ')}": xhtml(body) for path, body in pages.items()},
            **{f"{folder}{path}": content for path, content in (more or {}).items()},
        }
    )


def read(data: bytes) -> list[str]:
    return lines(data, "a.epub")


def test_chapters_are_read_in_the_order_of_the_spine() -> None:
    data = epub({"b.xhtml": FIRST, "text/a%20c.xhtml": f"<h2>Fog</h2>{SECOND}"})
    assert read(data) == [*READ, "## Fog", "paragraph  The fog came in autumn."]
    assert read(epub({"b.xhtml": FIRST}, folder="")) == READ


def test_a_book_says_who_wrote_it_and_when() -> None:
    about = (
        "<dc:title>The keeper of Lowtown</dc:title><dc:title>A story</dc:title>"
        "<dc:creator>Mai  Holm</dc:creator><dc:creator>Anders Lund</dc:creator>"
        "<dc:language>en-GB</dc:language><dc:date>around</dc:date><dc:date>2019-11-02T00:00Z</dc:date>"
    )
    made = document(epub({"a.xhtml": FIRST}, about=about), "a.epub")
    assert made.title == "The keeper of Lowtown"
    assert made.metadata.author == "Mai Holm, Anders Lund"
    assert (made.metadata.date, made.metadata.language) == ("2019-11-02", "en")


def test_the_contents_and_the_cover_are_no_chapters() -> None:
    data = epub(
        {"cover.xhtml": "<p>Cover</p>", "toc.xhtml": "<p>The keeper 1</p>", "a.xhtml": FIRST},
        after='<guide><reference type="Cover" href="cover.xhtml"/>'
        '<reference type="toc" href="toc.xhtml"/><reference type="text" href="a.xhtml"/></guide>',
    )
    assert read(data) == READ
    # A book of nothing else is read all the same.
    only = epub({"a.xhtml": FIRST}, after='<guide><reference type="cover" href="a.xhtml"/></guide>')
    assert read(only) == READ


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (SECOND, ["# The fog", "paragraph  The fog came in autumn."]),
        (
            f"<div><b>THE  FOG</b></div>{SECOND}",
            ["# THE FOG", "paragraph  The fog came in autumn."],
        ),
        (f"<h3>Fog</h3>{SECOND}", ["### Fog", "paragraph  The fog came in autumn."]),
    ],
)
def test_the_contents_give_a_page_without_a_heading_its_title(
    body: str, expected: list[str]
) -> None:
    pages = {"a.xhtml": body}
    nav = (
        '<nav epub:type="toc"><ol><li><a href="a.xhtml#x">The fog</a></li></ol></nav>'
        '<nav epub:type="page-list"><ol><li><a href="a.xhtml">7</a></li></ol></nav>'
    )
    items = f'<item id="n" href="nav.xhtml" media-type="{XHTML}" properties="nav"/>'
    assert read(epub(pages, items=items, more={"nav.xhtml": xhtml(nav)})) == expected
    ncx = (
        "<ncx><navMap><navPoint><navLabel><text>The fog</text></navLabel>"
        '<content src="a.xhtml"/></navPoint></navMap></ncx>'
    )
    items = '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
    assert read(epub(pages, items=items, spine=' toc="ncx"', more={"toc.ncx": ncx})) == expected


def test_the_mark_of_a_note_is_no_word_and_the_note_is_text() -> None:
    body = '<p>It was lit.<sup><a epub:type="noteref" href="#n">1</a></sup> They say.</p>'
    body += '<aside epub:type="footnote" id="n"><p>1. In 1851.</p></aside>'
    assert read(epub({"a.xhtml": body})) == [
        "paragraph  It was lit. They say.",
        "paragraph  1. In 1851.",
    ]


def test_pictures_and_pages_that_are_missing_are_passed_over() -> None:
    data = epub({"a.xhtml": '<img src="x.png" alt=""/>', "b.xhtml": FIRST, "gone.xhtml": ""})
    assert read(data) == READ


def test_a_protected_book_is_refused() -> None:
    def locked(algorithm: str) -> bytes:
        method = f'<EncryptionMethod Algorithm="{algorithm}"/>'
        part = f"<encryption><EncryptedData>{method}</EncryptedData></encryption>"
        return epub({"a.xhtml": FIRST}, more={"META-INF/encryption.xml": part}, folder="")

    assert "copy protection (DRM)" in refusal(
        locked("http://www.w3.org/2001/04/xmlenc#aes128-cbc"), "a.epub"
    )
    assert read(locked("http://www.idpf.org/2008/embedding")) == READ


@pytest.mark.parametrize(
    "members",
    [
        {"META-INF/container.xml": CONTAINER.format("gone.opf")},
        {"META-INF/container.xml": "<container/>"},
        {"META-INF/container.xml": "<container"},
        {"META-INF/container.xml": CONTAINER.format("b.opf"), "b.opf": "<package/>"},
        {"META-INF/container.xml": CONTAINER.format("../../etc/passwd")},
    ],
)
def test_a_damaged_book_is_refused(members: dict[str, str]) -> None:
    assert "is a damaged EPUB book" in refusal(packed(members), "a.epub")
