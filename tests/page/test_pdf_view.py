"""The pages of a PDF as HTML, and where text stands on them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from typing import Any

import numpy as np
import pytest

from index.documents.boxes import Boxes
from index.documents.document import Document
from page.markup import answer_html, passages_html, sheets_html
from page.pdf_view import page_boxes, pages_html
from page.text_ranges import OpenDocuments
from tests.page.pdf_samples import paper
from tests.page.shown import answer_of, document_of

SENTENCE = "Of the 31 walls that were flagged, 27 were found to be damaged."
URL = "pdf/abc"


@pytest.fixture(scope="module")
def document() -> Document:
    return paper(id="paper")


def opened_as_pages(*documents: Document) -> OpenDocuments:
    urls = {documents[-1].id: URL}
    return OpenDocuments({document.id: document for document in documents}, frozenset(), urls)


def attribute(markup: str, name: str) -> Any:
    """The JSON of the first attribute of that name."""
    found = re.search(rf'data-{name}="([^"]*)"', markup)
    assert found
    return json.loads(unescape(found[1]))


def span(document: Document, words: str) -> tuple[int, int]:
    start = document.text.index(words)
    return start, start + len(words)


def test_each_page_has_a_figure_of_its_shape(document: Document) -> None:
    shown = pages_html(document, URL)
    figures = re.findall(r'data-page="(\d+)" style="aspect-ratio:([\d.]+)/([\d.]+)"', shown)
    assert document.boxes
    width, height = document.boxes.page_size(0)
    assert figures == [(page, f"{width:g}", f"{height:g}") for page in ("1", "2")]
    assert 'data-url="pdf/abc"' in shown
    assert re.findall(r'alt="([^"]*)"', shown) == ["Page 1", "Page 2"]
    assert "<img" in shown and "src=" not in shown


def test_the_switch_and_a_title_are_escaped() -> None:
    shown = pages_html(paper(title='<b>"Title"</b>'), URL)
    assert 'aria-label="Show &lt;b&gt;&quot;Title&quot;&lt;/b&gt; as"' in shown
    assert '<button type="button" data-view="pages" aria-pressed="true">Pages</button>' in shown
    assert '<button type="button" data-view="text" aria-pressed="false">Text</button>' in shown


def test_boxes_are_the_rectangles_in_percent_from_the_top_left(document: Document) -> None:
    start, end = span(document, SENTENCE)
    assert document.boxes
    rectangles = document.boxes.rectangles(start, end)
    boxes = page_boxes(document, start, end)
    assert len(boxes) == len(rectangles) == 2
    for (page, left, top, width, height), rectangle in zip(boxes, rectangles, strict=True):
        assert page == rectangle[0] + 1 == 1
        page_width, page_height = document.boxes.page_size(0)
        points = (
            left * page_width / 100,
            page_height - (top + height) * page_height / 100,
            (left + width) * page_width / 100,
            page_height - top * page_height / 100,
        )
        assert points == pytest.approx(rectangle[1:], abs=0.1)


def test_a_text_over_two_pages_has_boxes_on_both(document: Document) -> None:
    start, end = span(document, "nineteenth century that had been grouted")
    assert {box[0] for box in page_boxes(document, start, end)} == {1, 2}


def test_a_place_of_which_a_word_is_unknown_has_no_boxes(document: Document) -> None:
    start, end = span(document, SENTENCE)
    assert document.boxes
    runs = document.boxes.runs
    first_edges = np.cumsum(runs[:, 1] - runs[:, 0]) - (runs[:, 1] - runs[:, 0])
    word = document.text.index("flagged, 27")
    run = int(np.flatnonzero((runs[:, 0] <= word) & (word < runs[:, 1]))[0])
    edges = document.boxes.edges.copy()
    at = int(first_edges[run] + word - runs[run, 0])
    edges[at : at + len("flagged"), 1] = 0
    unknown = replace(document, boxes=Boxes(document.boxes.pages, runs, edges))
    assert page_boxes(document, start, end) != []
    assert page_boxes(unknown, start, end) == []
    number = unknown.text.index("27 were")
    assert page_boxes(unknown, number, number + 2) == page_boxes(document, number, number + 2) != []


def test_a_place_outside_of_what_is_shown_has_no_boxes(document: Document) -> None:
    assert document.boxes
    smaller = Boxes(document.boxes.pages // 10, document.boxes.runs, document.boxes.edges)
    assert page_boxes(replace(document, boxes=smaller), *span(document, SENTENCE)) == []


def test_a_document_without_places_has_no_boxes() -> None:
    assert page_boxes(document_of("Title\n\nThe lamp was lit."), 7, 15) == []


def test_an_answer_has_the_boxes_of_its_words_its_sentence_and_its_citation(
    document: Document,
) -> None:
    opened = opened_as_pages(document_of("Other\n\nText."), document)
    answer = answer_of(document, "27", SENTENCE)
    shown = answer_html(opened, answer)
    sentence = [list(box) for box in page_boxes(document, *span(document, SENTENCE))]
    start = document.text.index("27 were")
    words = [list(box) for box in page_boxes(document, start, start + 2)]
    assert attribute(shown, "mark-boxes") == [1, 1, sentence]
    assert attribute(shown, "word-boxes") == [1, 1, words]
    assert attribute(shown, "range-boxes") == [1, 1, words]
    assert attribute(passages_html(opened, answer), "range-boxes") == [1, 1, sentence]


def test_the_closest_passage_has_its_boxes(document: Document) -> None:
    answer = answer_of(document, "27", SENTENCE, text=None, citation=None)
    shown = answer_html(opened_as_pages(document), answer)
    sentence = [list(box) for box in page_boxes(document, *span(document, SENTENCE))]
    assert attribute(shown, "mark-boxes") == [0, 1, sentence]


def test_a_document_that_is_not_shown_as_pages_has_none(document: Document) -> None:
    opened = OpenDocuments({document.id: document})
    assert "boxes" not in answer_html(opened, answer_of(document, "27", SENTENCE))
    assert "pdf-" not in sheets_html(opened, document.id)


def test_a_sheet_has_the_pages_and_the_text(document: Document) -> None:
    shown = sheets_html(opened_as_pages(document), document.id)
    assert shown.startswith('<div class="sheet as-pages"')
    assert shown.count('<figure class="pdf-page"') == 2
    assert SENTENCE in shown
