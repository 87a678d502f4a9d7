from pathlib import Path

import pytest

from index.documents.blocks import check_blocks
from index.documents.content import MAX_BYTES
from index.documents.document import (
    Document,
    make_document,
    of_paragraphs,
    read_bytes,
    read_document,
)
from index.errors import DocumentError
from tests.conftest import ROOT
from tests.index.documents.samples import BOLD, column, pdf, word

ARTICLE = ROOT / "articles/putin-visits-north-korea.txt"


def blocks(document: Document) -> list[str]:
    return [document.text[block.start : block.end] for block in document.blocks]


def test_the_article_is_read_to_the_letter() -> None:
    document = read_document(ARTICLE)
    assert document.text == ARTICLE.read_bytes().decode().strip()
    assert document.title == blocks(document)[0]
    assert document.title.startswith("“Putin’s Visit to North Korea Sparks Concerns")
    assert document.title.endswith("Military Alliance”")
    assert document.id == "putin-visits-north-korea"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one\n\ntwo", ["one", "two"]),
        ("one\r\n\r\ntwo\r\n", ["one", "two"]),
        ("one\n \t\n\n  two  \n", ["one", "two"]),
        ("old\rMac\r\rtwo", ["old\nMac", "two"]),
        ("no blank line\nanywhere", ["no blank line", "anywhere"]),
        ("\n\n one", ["one"]),
        ("one\u2029two", ["one", "two"]),
    ],
)
def test_paragraphs(text: str, expected: list[str]) -> None:
    assert blocks(make_document(text, name="x", source="x")) == expected


def test_a_first_line_that_is_a_sentence_is_no_title() -> None:
    assert make_document("It rained.\n\nThen it stopped.", name="rain", source="x").title == "rain"
    assert make_document("The rain\n\nIt rained.", name="rain", source="x").title == "The rain"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    text = "Zoë’s café is in Málaga. It has been there since 1999, they say, and nobody doubts it."
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(encoding))
    assert read_document(path).text == text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b" \n\t\r\n ", "is empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "is not text"),
        (bytes(range(256)) * 8, "is not text"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\x00\x01", "is a PDF whose end is missing"),
        (b"PK\x03\x04 and no more", "is a damaged zip file"),
        (b"x" * 20_000_000, "has 20.0 MB and the limit is 5 MB"),
        (b"x" * 40_000_000, "has 40.0 MB and the limit is 5 MB"),
        (b"%PDF-1.7" + bytes(40_000_000), "has 40.0 MB and the limit is 20 MB"),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    with pytest.raises(DocumentError, match=says) as refused:
        read_document(path)
    assert str(refused.value).startswith(f"'{path}' ")
    if len(content) < 20_000_000:
        with pytest.raises(DocumentError, match=f"'bad.txt' {says}"):
            read_bytes(content, "bad.txt")


def test_missing_paths(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="There is no file"):
        read_document(tmp_path / "none.txt")
    with pytest.raises(DocumentError, match="is a folder"):
        read_document(tmp_path)
    for path in ("a\0b", "a" * 5000, tmp_path / "file" / "b"):
        (tmp_path / "file").write_text("A text.")
        with pytest.raises(DocumentError, match="cannot be read"):
            read_document(path)
    with pytest.raises(DocumentError, match="no home folder for the user in '~nobody-here/x.txt'"):
        read_document("~nobody-here/x.txt")


def test_the_limit_itself_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    path.write_bytes(b"words" * (MAX_BYTES // 5))
    assert len(read_document(path).text) == MAX_BYTES


def test_what_has_no_end_is_not_read_to_it() -> None:
    endless = Path("/dev/zero")
    if not endless.exists():
        pytest.skip("no endless file here")
    with pytest.raises(DocumentError, match="has 20.0 MB and the limit is 5 MB"):
        read_document(endless)


def test_the_text_of_any_format_has_a_limit() -> None:
    text = "Málaga. " * (MAX_BYTES // 9)
    assert len(make_document(text, name="x", source="x").text) == len(text.rstrip())
    with pytest.raises(DocumentError, match="'x' has 5.0 MB of text and the limit is 5 MB"):
        make_document(text + "123456789", name="x", source="x")
    page = f"<!doctype html><p>{text} 123456789</p>"
    with pytest.raises(DocumentError, match="'a.html' has 5.0 MB of text"):
        read_bytes(page.encode(), "a.html")


@pytest.mark.parametrize(
    ("name", "data", "pages"),
    [
        ("the-lamp.txt", b"The lamp\n\nIt was lit.", ()),
        ("the-lamp.md", b"# The lamp\n\nIt was lit.", ()),
        ("the-lamp.html", b"<html><h1>The lamp</h1><p>It was lit.</p></html>", ()),
        (
            "the-lamp.pdf",
            pdf([(72, 760, "The lamp", BOLD, 18), *column("It was lit.\n\nIt was bright.", 700)]),
            (0,),
        ),
        (
            "the-lamp.docx",
            word(lambda d: (d.add_heading("The lamp", 0), d.add_paragraph("Lit."))),
            (),
        ),
    ],
)
def test_every_format_makes_a_document(
    tmp_path: Path, name: str, data: bytes, pages: tuple[int, ...]
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    document = read_document(str(path))
    assert (document.id, document.title) == ("the-lamp", "The lamp")
    assert (document.source, document.pages) == (str(path), pages)
    uploaded = read_bytes(data, name)
    assert uploaded.text == document.text and uploaded.source == name
    check_blocks(document.text, document.blocks, document.pages)
    assert blocks(document)[0] == "The lamp"


@pytest.mark.parametrize("name", ["bees.csv", "hives.xlsx", "bees.pptx", "garden.epub"])
def test_a_file_and_its_bytes_make_the_same_document(name: str) -> None:
    path = ROOT / "tests/documents" / name
    document, uploaded = read_document(path), read_bytes(path.read_bytes(), name)
    assert (document.source, uploaded.source) == (str(path), name)
    assert document.id == uploaded.id == path.stem
    assert (document.text, document.blocks) == (uploaded.text, uploaded.blocks)


def test_the_page_of_a_character() -> None:
    document = Document("x", "x", "One. Two. Four.", "x", pages=(0, 5, 10, 10, 15))
    assert [document.page_of(offset) for offset in (0, 4, 5, 9, 10, 14)] == [1, 1, 2, 2, 4, 4]
    assert make_document("One.", name="x", source="x").page_of(0) is None


def test_the_section_of_a_character() -> None:
    document = read_bytes(b"# Lamps\n\nIt was lit.\n\n## Oil\n\nOil burns.", "a.md")
    at = document.text.index
    assert document.section_at(at("It was")) == ["Lamps"]
    assert document.section_at(at("Oil burns")) == ["Lamps", "Oil"]
    assert document.section_at(at("Lamps")) == []


def test_paragraphs_that_are_given_are_kept() -> None:
    document = of_paragraphs(["  One\n", "# Two"], name="x", source="y", title="Numbers")
    assert document.text == "  One\n\n\n# Two"
    assert blocks(document) == ["  One\n", "# Two"]
    assert (document.id, document.title, document.source) == ("x", "Numbers", "y")


def test_the_hash_tells_the_form_of_a_document_too() -> None:
    plain = make_document("Lamps\n\nIt was lit.", name="x", source="x", title="Lamps")
    marked = read_bytes(b"Lamps\n\n## It was lit.", "x.md")
    assert plain.text == marked.text
    assert plain.sha256 != marked.sha256
    assert plain.sha256 == make_document(plain.text, name="y", source="z", title="Lamps").sha256


def test_pages_count_characters_of_the_text() -> None:
    one = column("The harbour opened again on a Monday, nine\ndays after a storm. That was\nall.")
    two = column("The ferry left soon after it and came back.")
    document = read_bytes(pdf(one, two, one), "a.pdf")
    assert [document.text[offset:][:9] for offset in document.pages] == [
        "The harbo",
        "The ferry",
        "The harbo",
    ]
    assert document.page_of(document.text.index("The ferry")) == 2
    assert document.page_of(document.text.index("The ferry") - 1) == 1
    assert document.page_of(len(document.text)) == 3


def test_a_title_that_is_given_counts_more_than_the_first_line() -> None:
    document = make_document(
        "The rain\n\nIt rained.", name="x", source="x", title=" A\n long  rain "
    )
    assert document.title == "A long rain"
