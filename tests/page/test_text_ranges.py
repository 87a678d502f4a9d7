"""Text ranges as a browser counts them, and locations in words."""

from __future__ import annotations

import pytest

from index.documents.builder import ContentBuilder
from index.documents.document import document_of as content_document
from index.documents.document import read_bytes
from page.text_ranges import (
    OpenDocuments,
    count_paragraphs,
    display_source,
    is_address,
)
from qa.location import shorten
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
    assert shelf.text_ranges("b", 0, 4) == [(1, 0, 0, 4)]


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


SECTIONS = b"""# Lamps

It is lit.

## Hardware specifications

- one
- two

| Lamp | Weight |
|------|--------|
| Lite | 2 kg   |

### Power

It needs 12 volts.
"""


def test_a_list_and_a_table_are_one_paragraph_each() -> None:
    document = read_bytes(SECTIONS, "lamps.md")
    assert document.paragraph_numbers == [None, 1, None, 2, 2, 3, 3, None, 4]
    assert count_paragraphs(document) == 4


def test_two_lists_in_succession_are_two_paragraphs() -> None:
    builder = ContentBuilder()
    builder.list_item("one")
    builder.end_list()
    builder.list_item("two")
    document = content_document(builder.build(), name="name", source="name")
    assert document.paragraph_numbers == [1, 2]


def test_a_place_is_named_by_its_section() -> None:
    document = read_bytes(SECTIONS, "lamps.md")
    shelf = shelf_of(document)

    def location(words: str, upto: str = "") -> str:
        start = document.text.index(words)
        end = document.text.index(upto or words) + len(upto or words)
        return shelf.location("lamps", start, end)

    assert location("2 kg") == "“Hardware specifications”, paragraph 3"
    assert location("12 volts") == "“Power”, paragraph 4"
    assert location("Power") == "“Power”"
    assert location("Power", "volts") == "“Power”, paragraph 4"
    assert location("is lit") == "paragraph 1"
    assert location("Lamps") == "title"


def test_a_stretch_of_a_table_has_a_range_in_each_row() -> None:
    document = read_bytes(SECTIONS, "lamps.md")
    start, end = document.text.index("Weight"), document.text.index("2 kg") + 4
    assert shelf_of(document).text_ranges("lamps", start, end) == [(0, 5, 5, 11), (0, 6, 0, 9)]


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
