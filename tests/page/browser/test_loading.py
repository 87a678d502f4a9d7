"""The page while documents are being opened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import Browser, Route, expect

from index.documents.document import Document, read_document
from index.errors import ArticleError
from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from page.loader import DocumentLoader
from qa.answerer import ArticleAnswerer
from qa.opening import DEFAULT_ARTICLE
from tests.browser import serving
from tests.conftest import FakeEncoder
from tests.page.browser.steps import (
    QUESTION,
    TITLE,
    Visitor,
    answer,
    ask,
    box,
    notice,
    paste,
    ready,
)
from tests.page.shown import LIGHTHOUSE, StepEncoder, document_of


class Gate:
    """Opens an article in steps: until told to go on, it stands where it is."""

    def __init__(self, document: Document) -> None:
        self.fraction, self.end = threading.Event(), threading.Event()
        self.failure: Exception | None = None
        self.document = document
        self.opening = DocumentLoader(self._open, documents=[document])

    def _open(self, progress: Callable[[int, int], None]) -> ArticleAnswerer:
        self.fraction.wait(60)
        progress(3, 12)
        self.end.wait(60)
        if self.failure:
            raise self.failure
        return ArticleAnswerer(Collection([ArticleIndex.build(self.document, FakeEncoder())]))


@pytest.fixture
def gate() -> Iterator[tuple[Gate, str]]:
    made = Gate(read_document(DEFAULT_ARTICLE))
    with serving(made.opening) as address:
        yield made, address
        made.fraction.set()
        made.end.set()


def test_the_page_is_there_and_takes_questions_before_the_models_are(
    gate: tuple[Gate, str], visitor: Visitor
) -> None:
    opens, address = gate
    page = visitor(address)
    expect(page.locator("#status")).to_have_text("Loading the models…")
    expect(page.locator("#article h2")).to_contain_text(TITLE)
    expect(page.locator("#examples button:visible")).to_have_count(0)
    ask(page, "Ushakov emphasized at a press conference that the schedule would focus on what?")
    expect(page.locator("#chat .waiting")).to_have_text("Searching…")
    box(page).fill("the next one")
    opens.fraction.set()
    expect(page.locator("#status")).to_have_text("Indexing the article, 25%")
    expect(page.locator("#status progress")).to_have_attribute("value", "3")
    # What all visitors wait for cannot be cancelled by one of them.
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    opens.end.set()
    expect(page.locator("#status")).to_have_text("Ready")
    expect(page.locator("#chat .reply:not(.waiting)")).to_have_count(1)
    expect(box(page)).to_have_value("the next one")


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (ArticleError("There is no <encoder>."), "There is no <encoder>."),
        (
            ZeroDivisionError("secret"),
            "The document can't be opened. The server's log has the reason.",
        ),
    ],
)
def test_a_failure_to_load_is_said_and_the_question_is_kept(
    gate: tuple[Gate, str], visitor: Visitor, failure: Exception, said: str
) -> None:
    opens, address = gate
    page = visitor(address)
    ask(page, QUESTION)
    expect(page.locator("#chat .waiting")).to_have_count(1)
    opens.failure = failure
    opens.fraction.set()
    opens.end.set()
    expect(page.locator("#status")).to_have_text(said)
    expect(notice(page)).to_contain_text(said)
    expect(page.locator("#chat .turn")).to_have_count(0)
    expect(box(page)).to_have_value(QUESTION)
    expect(page.locator("#article h2")).to_contain_text(TITLE)


def test_a_question_that_overtakes_the_load_events_is_answered(
    gate: tuple[Gate, str], browser: Browser
) -> None:
    opens, address = gate
    dependencies = httpx.get(f"{address}config").json()["dependencies"]
    load_events = {
        dependency["id"]
        for dependency in dependencies
        if "load" in (event for _, event in dependency["targets"])
    }
    assert load_events
    held: list[Route] = []

    def hold_load_events(route: Route) -> None:
        if route.request.post_data_json["fn_index"] in load_events:
            held.append(route)
        else:
            route.continue_()

    with browser.new_context() as context:
        page = context.new_page()
        page.route("**/queue/join*", hold_load_events)
        page.goto(address)
        ask(page, QUESTION)
        expect(page.locator("#chat .waiting")).to_have_count(1)
        page.wait_for_timeout(500)
        expect(page.locator("#chat .waiting")).to_have_count(1)
        expect(page.locator(".toast-body")).to_have_count(0)
        assert len(held) == len(load_events)
        for route in held:
            route.continue_()
        opens.fraction.set()
        opens.end.set()
        ready(page)
        answer(page)
        expect(page.locator("#chat .asked")).to_have_text(QUESTION)
        expect(page.locator(".toast-body")).to_have_count(0)


@contextmanager
def stepping() -> Iterator[tuple[StepEncoder, str]]:
    """A page whose encoder goes on when the test says so, once its own article is open."""
    encoder = StepEncoder()
    document = document_of("A title\n\nThe first text is short.")

    def how(progress: Callable[[int, int], None]) -> ArticleAnswerer:
        return ArticleAnswerer(Collection([ArticleIndex.build(document, encoder)]))

    with serving(DocumentLoader(how, documents=[document])) as address:
        yield encoder, address
        encoder.go.set()


def test_opening_shows_a_bar_and_can_be_cancelled(visitor: Visitor) -> None:
    with stepping() as (encoder, address):
        page = ready(visitor(address))
        encoder.go.clear()
        paste(page, LIGHTHOUSE)
        expect(page.locator("#status progress")).to_be_visible()
        # Another one has to wait, and what is open can be asked.
        page.get_by_label("Web address").fill("https://example.org/")
        page.keyboard.press("Enter")
        expect(notice(page)).to_contain_text("Another document is being added")
        ask(page, "How is the first text?")
        answer(page)
        page.get_by_role("button", name="Cancel").click()
        ready(page)
        expect(page.locator("#status progress")).to_have_count(0)
        expect(page.get_by_role("tab")).to_have_count(1)
        expect(page.get_by_label("Or paste text", exact=True)).to_have_value(LIGHTHOUSE)
        encoder.go.set()
        assert encoder.stopped.wait(60)
        page.get_by_label("Web address").fill("")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_role("tab")).to_have_count(2)


def test_opening_stops_when_its_visitor_goes(visitor: Visitor) -> None:
    with stepping() as (encoder, address):
        page = ready(visitor(address))
        encoder.go.clear()
        paste(page, LIGHTHOUSE)
        expect(page.locator("#status progress")).to_be_visible()
        page.goto("about:blank")
        assert encoder.stopped.wait(60)
