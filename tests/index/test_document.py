from pathlib import Path

import pytest

from index.document import MAX_BYTES, make_document, paragraphs, read_document
from index.errors import DocumentError
from tests.conftest import ROOT

ARTICLE = ROOT / "articles/putin-visits-north-korea.txt"


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in paragraphs(text)]


def test_the_article_is_read_to_the_letter() -> None:
    document = read_document(ARTICLE)
    assert document.text.encode() == ARTICLE.read_bytes()
    assert document.title.startswith("Putin’s Visit to North Korea Sparks Concerns")
    assert document.title.endswith("Military Alliance")
    assert document.id == "putin-visits-north-korea"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one\n\ntwo", ["one", "two"]),
        ("one\r\n\r\ntwo\r\n", ["one", "two"]),
        ("one\n \t\n\n  two  \n", ["one", "two"]),
        ("a line\nbroken off\n\ntwo", ["a line\nbroken off", "two"]),
        ("a line\r\nbroken off\r\n\r\ntwo\r\n", ["a line\r\nbroken off", "two"]),
        ("old\rMac\r\rtwo", ["old\rMac", "two"]),
        ("no blank line\nanywhere", ["no blank line", "anywhere"]),
        ("\n\n one", ["one"]),
        ("one\u2029two", ["one", "two"]),
    ],
)
def test_paragraphs(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


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
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\x00\x01", "is not text"),
        (b"x" * 20_000_000, "has 20.0 MB and the limit is 5 MB"),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    with pytest.raises(DocumentError, match=says):
        read_document(path)


def test_missing_paths(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="There is no file"):
        read_document(tmp_path / "none.txt")
    with pytest.raises(DocumentError, match="is a folder"):
        read_document(tmp_path)
    with pytest.raises(DocumentError, match="cannot be read"):
        read_document("a\0b")


def test_the_limit_itself_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    path.write_bytes(b"word " * (MAX_BYTES // 5))
    assert len(read_document(path).text) == MAX_BYTES
