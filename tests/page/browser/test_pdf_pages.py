"""A PDF shown as its pages, in a real Chromium."""

from __future__ import annotations

import gc
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from index.documents.boxes import Boxes
from index.documents.document import Document, read_bytes
from page.pdf_view import page_boxes
from tests.browser import launched, serving
from tests.page.pdf_samples import PAPER, opening, paper
from tests.page.shown import document_of

pytestmark = pytest.mark.browser

WORDS = "two cubic metres of sand"
QUESTION = "What had the youngest wall of all lost by the spring?"
LIGHTHOUSE = "The lighthouse\n\nThe lighthouse of Rosport was built in 1851 by Anna Weber."
SHEET = "#article .sheet:not([hidden])"
UNMARKED = "This place cannot be marked on the page; switch to the text."
DARK_MARK = "rgb(122, 96, 0)"
PHONE = {"width": 390, "height": 844}

Visitor = Callable[..., Page]


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Visitor]:
    """Opens windows at an address; at the end nothing may have gone wrong in them."""
    opened, errors = [], []

    def open_window(address: str, width: int = 1280, height: int = 800, **options: Any) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce", **options
        )
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        expect(page.locator("#status")).to_have_text("Ready", timeout=30_000)
        return page

    yield open_window
    for context in opened:
        context.close()
    assert errors == []


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(opening(paper(), words=WORDS)) as started:
        yield started


def ask(page: Page, question: str = QUESTION) -> None:
    page.get_by_label("Question", exact=True).fill(question)
    page.keyboard.press("Enter")
    expect(page.locator("#chat .reply:not(.waiting)").last).to_be_visible(timeout=30_000)
    expect(page.locator("#chat .waiting")).to_have_count(0, timeout=30_000)


def view(page: Page, name: str) -> Locator:
    return page.locator(SHEET).get_by_role("button", name=name, exact=True)


def boxes(page: Page, kind: str) -> list[list[float]]:
    """The page, left, top, width and height of the boxes of a kind, in percent of their pages."""
    found: list[list[float]] = page.locator(f"{SHEET} .pdf-box.{kind}").evaluate_all(
        """elements => elements.map((element) => {
            const figure = element.closest("figure");
            const [inner, outer] = [element, figure].map((one) => one.getBoundingClientRect());
            return [
                Number(figure.dataset.page),
                (100 * (inner.left - outer.left)) / outer.width,
                (100 * (inner.top - outer.top)) / outer.height,
                (100 * inner.width) / outer.width,
                (100 * inner.height) / outer.height,
            ];
        })"""
    )
    return found


def expected_boxes(document: Document, words: str) -> list[Any]:
    start = document.text.index(words)
    return [pytest.approx(box, abs=0.15) for box in page_boxes(document, start, start + len(words))]


def wait_until_in_view(page: Page, selector: str) -> None:
    """Wait until the first such element lies within the visible part of its sheet."""
    page.wait_for_function(
        """selector => {
            const element = document.querySelector(selector);
            const inner = element?.getBoundingClientRect();
            const outer = element?.closest(".sheet").getBoundingClientRect();
            return inner?.height > 0 && inner.top >= outer.top && inner.bottom <= outer.bottom;
        }""",
        arg=selector,
        timeout=5000,
    )


def is_drawn(page: Page, number: int) -> None:
    """Wait until the image of a page is there, in the shape of the page."""
    page.wait_for_function(
        """number => {
            const image = document.querySelector(
                `#article .sheet:not([hidden]) .pdf-page[data-page="${number}"] img`);
            const shape = image?.clientWidth / image?.clientHeight;
            return image?.naturalWidth > 0 &&
                Math.abs(image.naturalWidth / image.naturalHeight - shape) < 0.01;
        }""",
        arg=number,
        timeout=20_000,
    )


def report(pages: int) -> Document:
    """A PDF with a line of text on each page."""
    from reportlab.pdfgen.canvas import Canvas

    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(420, 595))
    for number in range(1, pages + 1):
        canvas.drawString(50, 500, f"Lamp number {number} was lit by keeper {number + 1000}.")
        canvas.showPage()
    canvas.save()
    return read_bytes(file.getvalue(), "report.pdf", keep_pdf=True)


# Marks


@pytest.mark.parametrize("window", [{}, PHONE, {"device_scale_factor": 2}])
def test_an_answer_is_marked_on_its_page(
    address: str, visitor: Visitor, window: dict[str, Any]
) -> None:
    page = visitor(address, **window)
    ask(page)
    wait_until_in_view(page, f"{SHEET} .pdf-box.words")
    is_drawn(page, 2)
    document = paper()
    assert boxes(page, "words.cited") == expected_boxes(document, WORDS)
    sentence = page.locator("#chat .cited blockquote").first.inner_text()
    assert WORDS in sentence and len(sentence) > 2 * len(WORDS)
    assert boxes(page, "sentence.cited") == expected_boxes(document, sentence)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_another_answer_moves_the_marks(address: str, visitor: Visitor) -> None:
    page = visitor(address)
    ask(page)
    expect(page.locator(f"{SHEET} .pdf-box.words")).not_to_have_count(0)
    ask(page, "kimchi")
    expect(page.locator(f"{SHEET} .pdf-box.words")).to_have_count(0)
    page.get_by_role("button", name="Delete question 2").click()
    expect(page.locator(f"{SHEET} .pdf-box.words")).not_to_have_count(0)


def test_a_citation_goes_to_its_place(address: str, visitor: Visitor) -> None:
    page = visitor(address)
    ask(page)
    wait_until_in_view(page, f"{SHEET} .pdf-box.words")
    page.locator(SHEET).evaluate("sheet => sheet.scrollTo(0, 0)")
    page.locator("#chat .location").first.click()
    wait_until_in_view(page, f"{SHEET} .pdf-box.flash")
    assert boxes(page, "flash") == expected_boxes(paper(), WORDS)
    expect(page.locator(f"{SHEET} .pdf-box.flash")).to_have_count(0, timeout=5000)
    expect(page.locator(f"{SHEET} .pdf-box.words")).not_to_have_count(0)


def test_the_closest_passage_is_outlined(visitor: Visitor) -> None:
    with serving(opening(paper(), words="no such words")) as address:
        page = visitor(address)
        ask(page, "Who are the harbour masters who changed the batteries?")
        expect(page.locator("#chat .nearby")).to_be_visible()
        wait_until_in_view(page, f"{SHEET} .pdf-box.nearest")
        expect(page.locator(f"{SHEET} .pdf-note")).to_have_text(
            "The outlined passage is the closest, but may not answer your question."
        )


def test_a_place_that_is_not_certain_is_not_marked(visitor: Visitor) -> None:
    document = paper()
    assert document.boxes
    unknown = np.zeros_like(document.boxes.edges)
    places = Boxes(document.boxes.pages, document.boxes.runs, unknown)
    with serving(opening(replace(document, boxes=places), words=WORDS)) as address:
        page = visitor(address)
        ask(page)
        note = page.locator(f"{SHEET} .pdf-note")
        expect(note).to_have_text(UNMARKED)
        expect(note).to_be_visible()
        assert page.locator(f"{SHEET} [role=status]").count() == 1
        assert page.locator(".pdf-box").count() == 0
        is_drawn(page, 2)
        view(page, "Text").click()
        wait_until_in_view(page, f"{SHEET} .words")
        expect(note).to_be_hidden()


def test_pages_are_white_and_marks_bright_in_dark_mode(address: str, visitor: Visitor) -> None:
    page = visitor(address, color_scheme="dark")
    ask(page)
    words = page.locator(f"{SHEET} .pdf-box.words").first
    expect(words).to_have_css("background-color", "rgb(255, 212, 94)")
    figure = page.locator(f"{SHEET} .pdf-page").first
    expect(figure).to_have_css("background-color", "rgb(255, 255, 255)")
    view(page, "Text").click()
    expect(page.locator(f"{SHEET} p .words")).to_have_css("background-color", DARK_MARK)


# Pages or text


def test_the_switch_shows_the_text_and_the_pages_at_the_answer(
    address: str, visitor: Visitor
) -> None:
    page = visitor(address)
    ask(page)
    wait_until_in_view(page, f"{SHEET} .pdf-box.words")
    pages, text = view(page, "Pages"), view(page, "Text")
    expect(pages).to_have_attribute("aria-pressed", "true")
    expect(page.locator(f"{SHEET} [data-number]").first).to_be_hidden()
    pages.focus()
    page.keyboard.press("Tab")
    expect(text).to_be_focused()
    page.keyboard.press("Enter")
    expect(text).to_have_attribute("aria-pressed", "true")
    expect(pages).to_have_attribute("aria-pressed", "false")
    expect(page.locator(f"{SHEET} .pdf-page").first).to_be_hidden()
    expect(page.locator(f"{SHEET} [data-number] .words")).to_have_text(WORDS)
    wait_until_in_view(page, f"{SHEET} [data-number] .words")
    pages.click()
    wait_until_in_view(page, f"{SHEET} .pdf-box.words")


def test_the_switch_stays_at_the_page_in_view(visitor: Visitor) -> None:
    with serving(opening(report(40))) as address:
        page = visitor(address)
        figure = page.locator(f'{SHEET} .pdf-page[data-page="25"]')
        figure.evaluate("one => one.scrollIntoView()")
        page.wait_for_timeout(200)
        view(page, "Text").click()
        wait_until_in_view(page, f'{SHEET} .page[data-page="25"]')
        view(page, "Pages").click()
        page.wait_for_function(
            """() => {
                const figure = document.querySelector('.pdf-page[data-page="25"]');
                const top = figure.getBoundingClientRect().top;
                const sheet = figure.closest(".sheet").getBoundingClientRect();
                return top >= sheet.top && top < sheet.top + 100;
            }""",
            timeout=5000,
        )


def test_the_view_is_remembered_for_each_document(visitor: Visitor) -> None:
    with serving(opening(report(2), paper(), words=WORDS)) as address:
        page = visitor(address)
        tabs = page.get_by_role("tab")
        tabs.nth(1).click()
        view(page, "Text").click()
        tabs.nth(0).click()
        expect(view(page, "Pages")).to_have_attribute("aria-pressed", "true")
        page.get_by_role("button", name="Add document").click()
        page.get_by_label("Or paste text", exact=True).fill(LIGHTHOUSE)
        page.get_by_role("button", name="Add", exact=True).click()
        expect(tabs).to_have_count(3, timeout=30_000)
        expect(page.locator(f"{SHEET} .pdf-bar")).to_have_count(0)  # a text has no pages
        tabs.nth(1).click()
        expect(view(page, "Text")).to_have_attribute("aria-pressed", "true")
        tabs.nth(0).click()
        expect(view(page, "Pages")).to_have_attribute("aria-pressed", "true")
        is_drawn(page, 1)


# Images


def test_only_pages_near_the_view_of_a_long_pdf_are_fetched(visitor: Visitor) -> None:
    with serving(opening(report(500))) as address:
        page = visitor(address)
        fetched: list[int] = []
        page.on(
            "request",
            lambda request: fetched.extend(
                int(number) for number in re.findall(r"/pdf/[\w-]+/(\d+)\?", request.url)
            ),
        )
        figures = page.locator(f"{SHEET} .pdf-page")
        expect(figures).to_have_count(500)
        is_drawn(page, 1)
        figures.nth(299).evaluate("one => one.scrollIntoView()")
        is_drawn(page, 300)
        page.wait_for_timeout(500)
        assert 300 in fetched
        assert all(number < 5 or 296 <= number <= 304 for number in fetched)
        assert len(fetched) == len(set(fetched))
        milliseconds = page.evaluate(
            """async () => {
                const sheet = document.querySelector("#article .sheet");
                const started = performance.now();
                for (let step = 0; step < 50; step++) {
                    sheet.scrollTop = (step * sheet.scrollHeight) / 50;
                    await new Promise(requestAnimationFrame);
                }
                return performance.now() - started;
            }"""
        )
        assert milliseconds < 10_000  # 50 frames


def test_a_page_that_cannot_be_drawn_says_so(visitor: Visitor) -> None:
    damaged = paper(pdf=b"%PDF-1.7\n" + bytes(500), source="paper.pdf")
    with serving(opening(damaged)) as address:
        page = visitor(address)
        problem = page.locator(f"{SHEET} .pdf-problem").first
        expect(problem).to_contain_text("'paper.pdf'", timeout=20_000)
        expect(problem).to_be_visible()


def test_an_uploaded_pdf_is_shown_until_it_is_removed_or_the_session_ends(
    visitor: Visitor,
) -> None:
    with launched(opening(document_of(LIGHTHOUSE)), auth=None) as (application, address):
        page = visitor(address)

        def add() -> str:
            """Upload the paper; returns the address of its page images."""
            page.locator("#files input[type=file]").set_input_files(str(PAPER))
            expect(page.get_by_role("tab")).to_have_count(2, timeout=30_000)
            is_drawn(page, 1)
            url = page.locator(f"{SHEET} .pdf-pages").get_attribute("data-url")
            assert url
            return f"{address}{url}/1?width=600"

        first = add()
        assert httpx.get(first).status_code == 200
        page.get_by_role("button", name="Remove Tidal noise").click()
        expect(page.get_by_role("tab")).to_have_count(1)
        gc.collect()
        assert httpx.get(first).status_code == 404
        second = add()
        assert httpx.get(second).status_code == 200
        limits = application.session_limits
        limits.end_idle(-1, lambda _: False)
        gc.collect()
        assert httpx.get(second).status_code == 404


# Accessibility


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_pass_the_accessibility_checks(
    address: str, visitor: Visitor, scheme: str
) -> None:
    page = visitor(address, color_scheme=scheme)
    ask(page)
    is_drawn(page, 2)
    found = Axe().run(page, context="#article")
    assert found.violations_count == 0, found.generate_report()
