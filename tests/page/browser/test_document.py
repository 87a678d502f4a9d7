"""How documents are shown, marked and scrolled in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from index.documents.builder import ContentBuilder
from index.documents.document import Document, read_bytes, read_document
from index.documents.document import document_of as content_document
from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from page.loader import DocumentLoader
from qa.answerer import ArticleAnswerer
from tests.browser import serving
from tests.conftest import FakeEncoder, FakeReader
from tests.index.documents.test_samples import FILES
from tests.page.browser.steps import SHEET, Visitor, answer, ask, ready

PHONE = {"width": 390, "height": 844}
COLUMNS = 8
HIVES = ",".join(["City", "Hives", *(f"Column {n}" for n in range(COLUMNS))])
ROW = ",".join(["{city}", "{hives}", *["filling"] * COLUMNS])
CSV = "\n".join(
    [HIVES, *(ROW.format(city=city, hives=n) for city, n in (("Lyon", 18), ("Nice", 441)))]
)
PAGE = b"""<html><head><title>Lamps</title><link rel="stylesheet" href="https://foreign.example/a.css">
<style>@import "https://foreign.example/b.css"; p { background: url(https://foreign.example/c.png) }
</style></head><body><article><h1>Lamps</h1><p>The lamp was lit in 1851 by the keeper of the harbour.</p>
<p><img src="https://foreign.example/d.png" alt="A lamp"> It was seen from the islands, they say.</p>
<table background="https://foreign.example/e.png"><tr><td>Height</td><td>31 metres</td></tr></table>
<picture><source srcset="https://foreign.example/f.png"></picture>
<video src="https://foreign.example/g.mp4" poster="https://foreign.example/h.png"></video>
<blockquote>A light at sea is worth two ashore.</blockquote></article></body></html>"""


def serve(*documents: Document, answer_text: str = "1851") -> Any:
    """A page with these documents, which finds the words `answer_text` for every question."""

    def load(progress: Callable[[int, int], None]) -> ArticleAnswerer:
        indexes = [ArticleIndex.build(document, FakeEncoder()) for document in documents]
        return ArticleAnswerer(Collection(indexes), FakeReader({answer_text: 9.0}))

    return serving(DocumentLoader(load, documents=documents))


@pytest.fixture
def window(visitor: Visitor) -> Visitor:
    """Opens windows in which scrolling is not animated, and waits until the page is ready."""

    def open_window(address: str, **options: Any) -> Page:
        return ready(visitor(address, reduced_motion="reduce", **options))

    return open_window


def in_view(page: Page, selector: str, frame: str = ".sheet") -> None:
    """Wait until the first such element is within what its sheet, or another frame of it, shows."""
    page.wait_for_function(
        """([selector, frame]) => {
            const element = document.querySelector(selector);
            const inner = element?.getBoundingClientRect();
            const outer = element?.closest(frame)?.getBoundingClientRect();
            return inner && outer && inner.height > 0 && inner.top >= outer.top &&
                inner.bottom <= outer.bottom && inner.left >= outer.left &&
                inner.right <= outer.right;
        }""",
        arg=[selector, frame],
        timeout=10_000,
    )


def long_document(sections: int) -> Document:
    """A document of many pages: sections with three paragraphs, a list and a table, and an answer."""
    builder = ContentBuilder()
    builder.title("The long book")
    for n in range(sections):
        builder.page()
        builder.heading(f"Section {n}", 1)
        for _ in range(3):
            builder.paragraph(f"The keeper of section {n} climbed the stairs. " * 14)
        for item in ("oil", "wicks", "glass"):
            builder.list_item(f"He carried {item}.")
    builder.paragraph("The lamp was lit in 1851.")
    return content_document(builder.build(), name="long", source="long.html")


def test_every_character_of_all_samples_can_be_marked(window: Visitor) -> None:
    documents = [replace(read_document(path), id=path.name) for path in FILES]
    with serve(*documents) as address:
        page = window(address)
        for number, document in enumerate(documents):
            expected = [document.text[block.start : block.end] for block in document.blocks]
            texts, marked, cells, restored = page.evaluate(
                """([number, lengths]) => {
                    const sheet = document.getElementById(`sheet-${number}`);
                    const blocks = lengths.map((_, n) => sheet.querySelector(`[data-number="${n}"]`));
                    const texts = () => blocks.map((block) => block.textContent);
                    const cells = () => sheet.querySelectorAll("td, th").length;
                    const [before, cellsBefore] = [texts(), cells()];
                    const ranges = lengths.map((length, n) => [number, n, 0, length]);
                    documentPane.wrap(ranges, "mark", "cited");
                    const inMarks = (block) =>
                        [...block.querySelectorAll("mark")].map((mark) => mark.textContent).join("");
                    const marked = blocks.map(inMarks);
                    const same = cells() === cellsBefore;
                    documentPane.unwrap("#article mark");
                    return [before, marked, same, JSON.stringify(texts()) === JSON.stringify(before)];
                }""",
                [number, [len(text.encode("utf-16-le")) // 2 for text in expected]],
            )
            assert texts == expected, document.id
            # All but the white space between two cells.
            assert ["".join(text.split()) for text in marked] == [
                "".join(text.split()) for text in expected
            ], document.id
            assert cells and restored, document.id


def test_an_answer_in_a_cell_is_marked_and_quoted_with_its_heads(window: Visitor) -> None:
    with serve(read_bytes(CSV.encode(), "bees.csv"), answer_text="441") as address:
        page = window(address)
        ask(page, "Which Hives has the City Nice?")
        answer(page)
        row = page.locator(f'{SHEET} tr[data-number="2"]')
        expect(row.locator("td")).to_have_count(COLUMNS + 2)
        expect(row.locator("td .words")).to_have_text("441")
        in_view(page, "#article .words")
        quoted = page.locator("#chat .cited blockquote").first
        expect(quoted).to_contain_text("City: Nice · Hives: 441 · Column 0: filling")
        expect(quoted.locator("mark")).to_have_text("441")
        head, own = (
            quoted.evaluate(
                "(e, s) => getComputedStyle(s ? e.querySelector(s) : e).color", selector
            )
            for selector in (".label", "")
        )
        assert head != own
        expect(page.locator("#passages .excerpt").first).to_contain_text("Hives: 18")


def test_a_wide_table_scrolls_in_its_frame_to_the_answer(window: Visitor) -> None:
    wide = CSV.replace(
        ROW.format(city="Nice", hives=441), ",".join(["x"] * (COLUMNS + 1) + ["1851"])
    )
    with serve(read_bytes(wide.encode(), "bees.csv")) as address:
        page = window(address, **PHONE)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        frame = page.locator(f"{SHEET} .scroll")
        assert frame.evaluate("frame => frame.scrollWidth > 2 * frame.clientWidth")
        ask(page, "Which City has Column 7: 1851?")
        answer(page)
        page.locator("#chat .location").first.click()
        in_view(page, "#article .words", ".scroll")
        assert frame.evaluate("frame => frame.scrollLeft > 0")


def test_a_click_in_the_contents_goes_to_the_heading(window: Visitor) -> None:
    with serve(long_document(60)) as address:
        page = window(address)
        contents = page.locator(f"{SHEET} .contents")
        summary = contents.locator("summary")
        summary.press("Enter")
        expect(contents.locator("li")).to_have_count(60)
        page.keyboard.press("Escape")
        expect(contents).not_to_have_attribute("open", "")
        for section in (55, 3):
            # It stays in view, wherever the sheet is scrolled to.
            summary.click()
            contents.get_by_role("button", name=f"Section {section}", exact=True).click()
            expect(contents).not_to_have_attribute("open", "")
            in_view(page, f'#article [data-number="{1 + 7 * section}"]')
        expect(page.locator(SHEET)).to_be_focused()


def test_a_long_document_is_laid_out_where_it_is_in_view(window: Visitor) -> None:
    with serve(long_document(500)) as address:
        page = window(address)
        chunks, laid_out = page.locator(f"{SHEET} .chunk").evaluate_all(
            """chunks => [chunks.length, chunks.filter((chunk) =>
                chunk.firstElementChild.checkVisibility({contentVisibilityAuto: true})).length]"""
        )
        assert chunks > 100
        assert laid_out < 10
        ask(page, "When was the lamp lit?")
        answer(page)
        expect(page.locator("#article .words")).to_have_text("1851")
        in_view(page, "#article .words")
        # And from there to its beginning and back.
        page.locator(SHEET).evaluate("sheet => sheet.scrollTo(0, 0)")
        page.locator("#chat .location").first.click()
        in_view(page, "#article .words")


def test_nothing_of_a_document_is_fetched(window: Visitor) -> None:
    """The fixture checks what was requested."""
    with serve(read_bytes(PAGE, "lamps.html")) as address:
        page = window(address)
        expect(page.locator(f"{SHEET} blockquote")).to_have_text(
            "A light at sea is worth two ashore."
        )
        expect(page.locator(f"{SHEET} td")).to_have_text(["Height", "31 metres"])
        assert page.locator("#article").locator("img, picture, video, link, style").count() == 0


def test_code_and_lists_keep_their_form(window: Visitor) -> None:
    text = b"# Lamps\n\n1. Light it.\n2. Wait.\n   - longer\n\n```\nif lamp:\n    light(%s)\n```\n"
    with serve(read_bytes(text % (b"long, " * 30), "lamps.md")) as address:
        page = window(address, **PHONE)
        code = page.locator(f"{SHEET} pre")
        assert "monospace" in code.evaluate("code => getComputedStyle(code).fontFamily")
        assert code.evaluate(
            "code => code.scrollWidth > code.clientWidth && code.clientHeight < 80"
        )
        items = page.locator(f"{SHEET} [role=listitem]")
        assert items.evaluate_all(
            "items => items.map((item) => getComputedStyle(item, '::before').content)"
        ) == ['"1."', '"2."', '"•"']
        first, _, deep = (item.bounding_box() for item in items.all())
        assert first and deep
        padding = items.evaluate_all(
            "items => items.map((item) => parseFloat(getComputedStyle(item).paddingLeft))"
        )
        assert padding[0] == padding[1] < padding[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_kind_of_block_can_be_read_by_everyone(window: Visitor, scheme: str) -> None:
    names = ("wiki_infobox.html", "readme.md", "arabic_museum.html", "talk-notes.md")
    documents = [read_document(path) for path in FILES if path.name in names]
    with serve(*documents) as address:
        page = window(address, color_scheme=scheme)
        for tab in page.get_by_role("tab").all():
            tab.click()
            found = Axe().run(page, context="#article")
            assert [(v["id"], v["nodes"][0]["html"]) for v in found.response["violations"]] == []
