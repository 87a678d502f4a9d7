"""Quotations with the heads of cells and the markers of list items."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from index.documents.document import Document, read_bytes, read_document
from page.quotations import PieceKind, excerpt_html, pieces, quotation_html, quotation_text
from tests.index.documents.test_samples import FILES

TABLE = b"""<h1>Prices</h1><table>
<tr><th>Town</th><th>Adult</th><th>Child</th></tr>
<tr><th>Lyon</th><td>20 &lt;EUR&gt;</td><td>10</td></tr>
<tr><th>Nice</th><td>18</td><td></td></tr>
</table>"""
STEPS = b"1. Open the lid.\n2. Press *Start*.\n   - gently\n3. Wait.\n"


def between(document: Document, first: str, last: str) -> tuple[int, int]:
    return document.text.index(first), document.text.index(last) + len(last)


def test_a_row_is_its_cells_with_their_heads() -> None:
    document = read_bytes(TABLE, "prices.html")
    assert quotation_text(document, *between(document, "Lyon", "10")) == (
        "[Town:] Lyon · [Adult:] 20 <EUR> · [Child:] 10"
    )
    # An empty cell is left out.
    assert quotation_text(document, *between(document, "Nice", "18")) == (
        "[Town:] Nice · [Adult:] 18"
    )


def test_a_cell_by_itself_has_the_heads_of_its_row_and_column() -> None:
    document = read_bytes(TABLE, "prices.html")
    place = between(document, "20 <", "EUR>")
    assert quotation_text(document, *place) == "[Lyon] · [Adult:] 20 <EUR>"
    assert quotation_text(document, *place, labels=False) == "20 <EUR>"


def test_a_row_that_only_its_first_cell_heads() -> None:
    document = read_bytes(
        b"<table><tr><th>Weight</th><td>2 kg</td></tr><tr><th>Width</th><td>9 cm</td></tr></table>",
        "lamp.html",
    )
    assert quotation_text(document, *between(document, "Weight", "2 kg")) == "Weight: 2 kg"
    assert quotation_text(document, *between(document, "2 kg", "2 kg")) == "[Weight] · 2 kg"


def test_rows_stand_on_lines_of_their_own() -> None:
    document = read_bytes(TABLE, "prices.html")
    lines = quotation_text(document, *between(document, "Prices", "18")).splitlines()
    assert lines == [
        "Prices",
        "",
        "Town · Adult · Child",
        "[Town:] Lyon · [Adult:] 20 <EUR> · [Child:] 10",
        "[Town:] Nice · [Adult:] 18",
    ]


def test_items_have_their_markers_where_their_start_is_quoted() -> None:
    document = read_bytes(STEPS, "steps.md")
    whole = between(document, "Open", "Wait.")
    assert quotation_text(document, *whole) == (
        "1. Open the lid.\n2. Press Start.\n• gently\n3. Wait."
    )
    assert quotation_text(document, *between(document, "the lid", "Start")) == (
        "the lid.\n2. Press Start"
    )


def test_words_are_marked_and_heads_are_not() -> None:
    document = read_bytes(TABLE, "prices.html")
    made = quotation_html(
        document, *between(document, "Lyon", "10"), mark=between(document, "EUR", "10")
    )
    assert re.findall(r'<mark class="(.*?)">(.*?)</mark>', made) == [
        ("begins", "EUR&gt;"),
        ("ends", "10"),
    ]
    assert re.findall(r'class="label">(.*?)<', made) == [
        "Town: ",
        " · ",
        "Adult: ",
        " · ",
        "Child: ",
    ]


def test_an_excerpt_is_cut_at_a_word_and_keeps_its_heads() -> None:
    document = read_bytes(TABLE, "prices.html")
    place = between(document, "Lyon", "10")
    assert "\n" not in excerpt_html(document, *between(document, "Prices", "18"), 180)
    shown = html.unescape(re.sub("<[^>]*>", "", excerpt_html(document, *place, 25)))
    assert shown == "Town: Lyon · Adult: 20 …"


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_what_is_quoted_is_the_documents_own(path: Path) -> None:
    document = read_document(path)
    quoted = [
        piece for piece in pieces(document, 0, len(document.text)) if piece.kind is PieceKind.QUOTED
    ]
    for piece in quoted:
        assert document.text[piece.start : piece.start + len(piece.text)] == piece.text
    # Nothing but white space is left out.
    shown = "".join(piece.text for piece in quoted)
    assert "".join(shown.split()) == "".join(document.text.split())
