"""Text ranges as a browser counts them, and locations in words."""

from __future__ import annotations

import pytest

from page.text_ranges import OpenDocuments, count_paragraphs, display_source, is_address, shorten
from tests.page.shown import document_of, shelf_of


def test_places_count_as_a_browser_does() -> None:
    # A face is two units of UTF-16, and a browser makes one line end of two characters.
    document = document_of("Title\n\n😀 one\r\ntwo three.\n\nLast.")
    start = document.text.index("two")
    assert shelf_of(document).text_ranges("name", start, start + 3) == [(0, 1, 7, 10)]


def test_a_stretch_over_paragraphs_has_a_place_in_each() -> None:
    text = "Title\n\nOne.\n\nTwo."
    shelf = shelf_of(document_of("Another.", "other"), document_of(text))
    assert shelf.text_ranges("name", 0, len(text)) == [(1, 0, 0, 5), (1, 1, 0, 4), (1, 2, 0, 4)]
    assert shelf.text_ranges("name", text.index("e.\n"), text.index("o.")) == [
        (1, 1, 2, 4),
        (1, 2, 0, 2),
    ]


def test_a_removed_document_keeps_its_number() -> None:
    shelf = shelf_of(document_of("One.", "a"), document_of("Two.", "b"), removed=("a",))
    assert shelf.text_ranges("b", 0, 4) == [(1, 1, 0, 4)]


def test_a_place_is_named_by_what_tells_it_apart() -> None:
    text = "Title\n\nOne.\n\nTwo."
    plain, paged = document_of(text), document_of(text, pages=(0, text.index("Two")))
    one, two = text.index("One"), text.index("Two")
    assert shelf_of(plain).location("name", one, one + 4) == "paragraph 1"
    assert shelf_of(plain).location("name", 0, 5) == "title"
    assert shelf_of(plain).location("name", 0, len(text)) == "paragraph 1"
    assert shelf_of(paged).location("name", one, one + 4) == "p. 1"
    assert shelf_of(paged).location("name", two, two + 4) == "p. 2"
    several = OpenDocuments({"name": plain, "other": document_of("Another.", "other")})
    assert several.location("name", two, two + 4) == "Title, paragraph 2"
    several = OpenDocuments({"name": paged, "other": document_of("Another.", "other")})
    assert several.location("name", two, two + 4) == "Title, p. 2"


def test_paragraphs_are_counted_without_the_title() -> None:
    assert count_paragraphs(document_of("Title\n\nOne.\n\nTwo.")) == 2
    assert count_paragraphs(document_of("One.\n\nTwo.")) == 2


def test_a_source_says_nothing_of_the_folders_of_this_machine() -> None:
    assert display_source(document_of("One.", source="/home/ann/secret/one.txt")) == "one.txt"
    address = "https://example.org/a/one.html"
    assert display_source(document_of("One.", source=address)) == address
    assert display_source(document_of("One.", source="pasted text")) == "pasted text"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.org/a", True),
        ("HTTP://example.org", True),
        ("file:///etc/passwd", False),
        ("/etc/passwd", False),
        ("https:// example.org", False),
        ("see https://example.org", False),
        ("", False),
    ],
)
def test_addresses(text: str, expected: bool) -> None:
    assert is_address(text) is expected


def test_a_long_title_is_cut_between_words() -> None:
    assert shorten("word " * 11 + "word") == "word " * 11 + "word"
    assert shorten("word, " * 20) == "word, " * 9 + "word…"
