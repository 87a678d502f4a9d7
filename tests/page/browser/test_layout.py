"""Where things are on a desktop and on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.browser.steps import (
    QUESTION,
    SENTENCE,
    SHEET,
    Visitor,
    answer,
    ask,
    paste,
    ready,
    upload,
)
from tests.page.shown import LIGHTHOUSE


def test_on_a_phone_the_article_is_below_the_chat_and_nothing_is_cut_off(
    address: str, visitor: Visitor
) -> None:
    page = ready(visitor(address, 390, 844))
    for example in page.locator("#examples button:visible").all():
        within(page, example)
    paste(page, LIGHTHOUSE)
    expect(page.get_by_role("tab")).to_have_count(2)
    ready(page)
    title = page.get_by_role("tab", name="The lighthouse of Rosport")
    within(page, title)
    # All of it can be read.
    assert title.evaluate("tab => tab.scrollWidth <= tab.clientWidth")
    ask(page, QUESTION)
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)
    page.get_by_role("button", name="Add document").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    asking = page.locator("#asking").bounding_box()
    article = page.locator(SHEET).bounding_box()
    assert asking and article
    assert asking["y"] + asking["height"] <= article["y"]
    for selector in (
        "#ask",
        "#chat .log",
        "#chat .tools.all",
        "#documents .add",
        "#adding",
        SHEET,
        "#passages ol",
    ):
        within(page, page.locator(selector))


def within(page: Page, part: Locator) -> None:
    """Nothing of a part is to the left or to the right of the window."""
    bounds, window = part.bounding_box(), page.viewport_size
    assert bounds and window
    assert bounds["x"] >= 0, part
    assert bounds["x"] + bounds["width"] <= window["width"], part


def test_on_a_desktop_all_of_it_fits_the_window(page: Page) -> None:
    paste(page, LIGHTHOUSE)
    expect(page.get_by_role("tab")).to_have_count(2)
    ready(page)
    ask(page, QUESTION)
    expect(page.locator("#passages li")).to_have_count(5)
    assert page.evaluate("document.documentElement.scrollHeight") <= 800
    chat, article = (page.locator(s).bounding_box() for s in ("#chat .log", SHEET))
    assert chat and article
    assert chat["x"] + chat["width"] <= article["x"]
    assert article["height"] > 250


@pytest.mark.parametrize(
    ("title", "sentence", "question", "side"),
    [
        (
            "مدينة القاهرة",
            "تأسست مدينة القاهرة عام 969 على يد القائد جوهر الصقلي.",
            "متى تأسست مدينة القاهرة؟",
            "right",
        ),
        ("京都", "京都は794年に日本の都になりました。", "京都はいつ都になりましたか？", "left"),
    ],
    ids=["arabic", "japanese"],
)
def test_other_scripts_stay_as_they_are(
    anywhere: Page, title: str, sentence: str, question: str, side: str
) -> None:
    page, direction = anywhere, {"left": "ltr", "right": "rtl"}[side]
    upload(page, "city.txt", f"{title}\n\n{sentence}".encode())
    expect(page.locator(f"{SHEET} h2")).to_have_text(title)
    paragraph = page.locator(f"{SHEET} p")
    assert paragraph.evaluate("p => getComputedStyle(p).direction") == direction
    # Its number stands where its lines begin, and nothing of that is cut off.
    room = paragraph.evaluate("(p, side) => getComputedStyle(p, '::before')[side]", side)
    assert 0 <= float(room.removesuffix("px")) < 28
    ready(page)
    ask(page, question)
    answer(page)
    asked = page.locator("#chat .asked")
    expect(asked).to_have_text(question)
    assert asked.evaluate("p => getComputedStyle(p).direction") == direction
