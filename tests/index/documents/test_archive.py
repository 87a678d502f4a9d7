"""Zip files: which document each is, and what is refused before anything of it is read."""

import io
import struct
import zipfile

import pytest

from index.documents import members as members_module
from index.documents.archive import read_archive
from index.documents.formats import extract
from index.documents.members import MAX_INFLATED, Members
from index.errors import DocumentError
from tests.index.documents.packages import docx, packed, relations
from tests.index.documents.refusals import refusal
from tests.index.documents.samples import rezipped, word

BODY = "<w:p><w:r><w:t>The lamp was lit.</w:t></w:r></w:p>"
TEXT = "The lamp was lit."
NAMES = ("a.docx", "a.xlsx", "a.pptx", "a.epub")
KINDS = ("Word document", "Excel workbook", "PowerPoint presentation", "EPUB book")


# Which document it is


@pytest.mark.parametrize("name", ["a.docx", "a.docm", "a.xlsx", "a.zip", "a.txt", "a"])
def test_what_is_in_the_file_counts_more_than_its_name(name: str) -> None:
    assert extract(docx(BODY), name).text == TEXT


def test_macros_are_left_alone() -> None:
    data = rezipped(docx(BODY), {"word/vbaProject.bin": b"\xd0\xcf\x11\xe0macro"})
    assert extract(data, "a.docm").text == TEXT


def test_the_main_part_is_the_one_that_the_package_names() -> None:
    one = f'<d:document xmlns:d="urn:d"><d:body>{BODY.replace("w:", "d:")}</d:body></d:document>'
    other = one.replace(TEXT, "Not this.")
    named = relations(r1="officeDocument letter/main.xml")
    data = packed({"word/document.xml": other, "letter/main.xml": one, "_rels/.rels": named})
    assert extract(data, "a.docx").text == TEXT
    gone = relations(r1="officeDocument letter/gone.xml")
    data = packed({"word/document2.xml": one, "_rels/.rels": gone})
    assert extract(data, "a.docx").text == TEXT


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({}, "no Word, Excel, PowerPoint or EPUB document"),
        ({"notes.txt": "The lamp."}, "docx, xlsx, pptx or epub"),
        ({"word/document.xml": "<html/>"}, "no Word, Excel, PowerPoint or EPUB document"),
        ({"xl/workbook.bin": b"\x83\x01"}, "binary Excel workbook (.xlsb): save it as .xlsx"),
        ({"Index/Document.iwa": b"x"}, "Pages, Numbers or Keynote: export it as .docx"),
        ({"mimetype": "application/vnd.oasis.opendocument.text"}, "save it as .docx"),
        ({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}, "save it as .xlsx"),
        ({"mimetype": "application/vnd.oasis.opendocument.presentation-template"}, "as .pptx"),
        ({"mimetype": "application/vnd.oasis.opendocument.graphics"}, "save it as .pdf"),
    ],
)
def test_other_zip_files_are_named(members: dict[str, str | bytes], sentence: str) -> None:
    assert sentence in refusal(packed(members), "a.zip")


# Damage


@pytest.mark.parametrize(("name", "kind"), list(zip(NAMES, KINDS, strict=True)))
def test_damage_is_said_of_the_kind_that_the_name_tells(name: str, kind: str) -> None:
    whole = word(lambda document: document.add_paragraph("The lamp was lit. " * 200))
    assert f"is a damaged {kind}" in refusal(whole[: len(whole) // 2], name)
    assert f"is a damaged {kind}" in refusal(b"not a zip file", name)


def test_damaged_members_are_refused() -> None:
    whole = word(lambda document: document.add_paragraph("The lamp was lit. " * 200))
    place = whole.index(b"word/document.xml") + 40
    torn = whole[:place] + bytes(60) + whole[place + 60 :]
    assert "is a damaged Word document" in refusal(torn, "a.docx")
    for part in ("word/document.xml", "word/styles.xml", "word/numbering.xml"):
        for content in (b"", b"<w:document", b"\xff\xfe\x00"):
            data = rezipped(whole, {part: content})
            assert "is a damaged Word document" in refusal(data, "a.docx")


@pytest.mark.parametrize("name", NAMES)
def test_a_file_cut_anywhere_gives_a_sentence(name: str) -> None:
    whole = docx(BODY)
    for end in range(4, len(whole), 37):
        with pytest.raises(DocumentError, match="is a damaged"):
            read_archive(whole[:end], name)


def test_a_locked_member_is_refused() -> None:
    data = bytearray(docx(BODY))
    for mark, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        start = data.index(mark) + at
        (flags,) = struct.unpack_from("<H", data, start)
        struct.pack_into("<H", data, start, flags | 1)
    assert "has a password: save a copy without one" in refusal(bytes(data), "a.docx")


def test_an_unknown_compression_is_damage() -> None:
    data = bytearray(docx(BODY))
    for mark, at in ((b"PK\x01\x02", 10), (b"PK\x03\x04", 8)):
        struct.pack_into("<H", data, data.index(mark) + at, 99)
    assert "is a damaged Word document" in refusal(bytes(data), "a.docx")


# Bounds


def test_nothing_is_unpacked_that_would_be_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = rezipped(docx(BODY), {"word/document.xml": b" " * (MAX_INFLATED + 1)})
    assert len(bomb) < 200_000

    def read(self: zipfile.ZipFile, name: zipfile.ZipInfo) -> bytes:
        assert name.filename != "word/document.xml", "unpacked"
        return b"<Relationships/>"

    monkeypatch.setattr(zipfile.ZipFile, "read", read)
    assert "would unpack to more than 50 MB" in refusal(bomb, "a.docx")


def test_all_that_is_read_is_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members_module, "MAX_INFLATED", 1_000)
    opened = Members(packed({"a": b"x" * 600, "b": b"y" * 600}), "a.docx")
    assert opened.read("a") == b"x" * 600
    with pytest.raises(DocumentError, match="would unpack to more than"):
        opened.read("b")


def test_large_pictures_do_not_count() -> None:
    data = rezipped(docx(BODY), {"word/media/image1.bmp": bytes(MAX_INFLATED + 1)})
    assert extract(data, "a.docx").text == TEXT


def test_too_many_members_or_elements_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members_module, "MAX_TAGS", 100)
    assert "pieces of markup" in refusal(docx("<w:p/>" * 300), "a.docx")
    monkeypatch.setattr(members_module, "MAX_MEMBERS", 3)
    many = packed({f"{n}": "" for n in range(4)})
    assert "has 4 files in it and the limit is 3" in refusal(many, "a.docx")


def test_names_outside_of_the_file_are_only_names() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("../../etc/passwd", "outside")
        archive.writestr("/word/document.xml", "x")
    opened = Members(file.getvalue(), "a.docx")
    assert opened.resolve("word/document.xml", "../../../etc/passwd") == ""
    assert opened.resolve("word/document.xml", "/word/document.xml") == "word/document.xml"
    assert opened.resolve("_rels/.rels", "C:\\x") == ""


def test_relationships_to_other_places_are_not_followed() -> None:
    outside = relations(r1="styles https://example.org/styles.xml")
    outside = outside.replace("/>", ' TargetMode="External"/>')
    data = rezipped(docx(BODY), {"word/_rels/document.xml.rels": outside.encode()})
    assert extract(data, "a.docx").text == TEXT
