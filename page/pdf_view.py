"""The HTML of a PDF's pages, and the places of text on them; pdf.js does the rest."""

from __future__ import annotations

import html
import json
import re

from index.documents.document import Document
from page.text_ranges import OpenDocuments

# The number of a page, from 1, and the left, top, width and height of a box on it, in percent.
Box = tuple[int, float, float, float, float]


def pages_html(document: Document, url: str) -> str:
    """A switch between pages and text, and a figure for each page; the images are fetched from `url`.

    Each figure has the shape of its page, so that nothing moves when its image arrives.
    """
    boxes = document.boxes
    assert boxes is not None
    title = html.escape(document.title)
    figures = []
    for number in range(1, len(boxes.pages) + 1):
        width, height = boxes.page_size(number - 1)
        figures.append(
            f'<figure class="pdf-page" data-page="{number}" '
            f'style="aspect-ratio:{width:g}/{height:g}"><img alt="Page {number}"></figure>'
        )
    return (
        f'<div class="pdf-bar"><div role="group" aria-label="Show {title} as">'
        '<button type="button" data-view="pages" aria-pressed="true">Pages</button>'
        '<button type="button" data-view="text" aria-pressed="false">Text</button></div>'
        '<p class="pdf-note" role="status"></p></div>'
        f'<div class="pdf-pages" data-url="{html.escape(url)}">{"".join(figures)}</div>'
    )


def boxes_attribute(
    opened: OpenDocuments, name: str, document_id: str, start: int, end: int
) -> str:
    """The attribute data-NAME with the place of text on the pages; "" if they are not shown.

    Its JSON is [number of the document, number of the page, boxes]. There are no boxes if the place of
    any of the words is not known.
    """
    if document_id not in opened.page_urls:
        return ""
    document = opened.documents[document_id]
    place = [
        opened.number(document_id),
        document.page_of(start) or 1,
        page_boxes(document, start, end),
    ]
    return f' data-{name}="{html.escape(json.dumps(place, separators=(",", ":")))}"'


def page_boxes(document: Document, start: int, end: int) -> list[Box]:
    """The boxes of characters start..end, one for each line; none if a word has no known place."""
    boxes = document.boxes
    if boxes is None:
        return []
    for word in re.finditer(r"\w+", document.text[start:end]):
        if not boxes.rectangles(start + word.start(), start + word.end()):
            return []
    found: list[Box] = []
    for page, left, bottom, right, top in boxes.rectangles(start, end):
        page_width, page_height = boxes.page_size(page)
        left, right = max(0.0, left), min(page_width, right)
        bottom, top = max(0.0, bottom), min(page_height, top)
        if left >= right or bottom >= top:  # outside of what is shown of the page
            return []
        found.append(
            (
                page + 1,
                round(100 * left / page_width, 2),
                round(100 * (page_height - top) / page_height, 2),
                round(100 * (right - left) / page_width, 2),
                round(100 * (top - bottom) / page_height, 2),
            )
        )
    return found
