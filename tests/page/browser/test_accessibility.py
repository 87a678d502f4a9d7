"""The page by keyboard and screen reader, and what axe finds."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.page.browser.steps import (
    EXAMPLE,
    HALF_PDF,
    QUESTION,
    SENTENCE,
    SHEET,
    UNANSWERED,
    WINDOWS,
    WORDS,
    Visitor,
    answer,
    ask,
    box,
    in_sight,
    notice,
    paste,
    ready,
    upload,
)
from tests.page.shown import LIGHTHOUSE


def test_it_can_be_used_with_the_keyboard_alone(anywhere: Page) -> None:
    page = anywhere
    page.keyboard.press("/")
    expect(box(page)).to_be_focused()
    expect(box(page)).to_have_value("")
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    answer(page)
    go_to(page, ".location", "Shift+Tab")
    page.keyboard.press("Enter")
    in_sight(page, "#article mark.cited .flash")
    expect(page.locator(SHEET)).to_be_focused()
    go_to(page, "#passages button", "Tab")
    page.keyboard.press("Enter")
    in_sight(page, "#article .flash")
    page.keyboard.press("/")
    page.keyboard.press("ArrowUp")
    expect(box(page)).to_have_value(QUESTION)
    # With something in the box the arrow moves in it.
    box(page).fill("My own")
    page.keyboard.press("ArrowUp")
    expect(box(page)).to_have_value("My own")
    box(page).fill("")
    go_to(page, "#documents .add", "Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#adding")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#adding")).to_be_hidden()
    expect(page.locator("#documents .add")).to_be_focused()


def go_to(page: Page, selector: str, key: str) -> None:
    """Press a key until such an element has the focus."""
    for _ in range(30):
        page.keyboard.press(key)
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"{key} does not go to {selector}")


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS.keys())
@pytest.mark.parametrize(
    "state", ["at first", "answered", "abstained", "several", "adding", "refused"]
)
def test_no_serious_finding_of_axe(
    address: str, visitor: Visitor, window: dict[str, Any], state: str
) -> None:
    page = ready(visitor(address, **window, reduced_motion="reduce"))
    if state in ("answered", "several"):
        ask(page, EXAMPLE)
        answer(page)
    if state == "abstained":
        ask(page, UNANSWERED)
        answer(page)
    if state == "several":
        paste(page, LIGHTHOUSE)
        expect(page.get_by_role("tab")).to_have_count(2)
        ready(page)
    if state == "adding":
        page.get_by_role("button", name="Add document").click()
    if state == "refused":
        upload(page, "half.pdf", HALF_PDF)
        expect(notice(page)).to_contain_text("half.pdf")
        expect(notice(page)).to_have_css("opacity", "1")  # it fades in
    found = Axe().run(page).response["violations"]
    grave = [
        (one["id"], one["impact"], [node["html"] for node in one["nodes"]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert grave == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_system_and_can_be_read(address: str, visitor: Visitor, scheme: str) -> None:
    page = ready(visitor(address, color_scheme=scheme))
    ask(page, QUESTION)
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)
    pairs = [
        ("#article p", SHEET),
        ("#article mark.cited", "#article mark.cited"),
        ("#article .words.cited", "#article .words.cited"),
        ("#chat blockquote mark", "#chat blockquote mark"),
        ("#chat .sure", "#chat .log"),
        ("#chat .location", "#chat .log"),
        ("#chat .tools button", "#chat .log"),
        ("#chat .asked", "#chat .asked"),
        ("#documents [role=tab]", SHEET),
        ("#documents .add", "#documents .add"),
        ("#status p", "body"),
        ("#ask", "#ask"),
        ("#examples button", "#examples button"),
    ]
    for front, back in pairs:
        ink, paper = (
            page.locator(selector).first.evaluate(
                "(e, name) => getComputedStyle(e)[name].match(/[0-9.]+/g).map(Number)", name
            )
            for selector, name in ((front, "color"), (back, "backgroundColor"))
        )
        assert len(paper) == 3 or paper[3] == 1, (back, paper)
        assert contrast(ink, paper) >= 4.5, (front, ink, paper)
    sheet = page.locator(SHEET).evaluate("e => getComputedStyle(e).backgroundColor")
    assert sheet == {"light": "rgb(255, 255, 255)", "dark": "rgb(30, 33, 37)"}[scheme]


def contrast(one: list[float], other: list[float]) -> float:
    """The contrast of two colours as WCAG 2 has it, 1 to 21."""

    def light(colour: list[float]) -> float:
        parts = [c / 255 for c in colour[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((light(one), light(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_a_screen_reader_finds_its_way(page: Page) -> None:
    page.get_by_role("textbox", name="Question").fill(QUESTION)
    page.get_by_role("button", name="Ask", exact=True).press("Enter")
    log = page.get_by_role("log", name="Questions and answers")
    expect(log).to_contain_text(SENTENCE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Ask the Article")
    expect(log.get_by_role("button", name="paragraph 7")).to_be_visible()
    expect(page.get_by_role("tablist", name="Open documents")).to_have_count(1)
    expect(page.get_by_role("tabpanel", name=re.compile("Putin"))).to_be_visible()
    passages = page.get_by_role("region", name="Ranked passages")
    expect(passages.get_by_role("button")).to_have_count(5)
    assert page.locator("html").get_attribute("lang") == "en"
    # The words of the answer are announced where they stand, in the article and in the chat.
    said = f"Ukraine in [answer begins] {WORDS} [answer ends] , relations"
    assert said in page.get_by_role("tabpanel").aria_snapshot()
    assert f'mark: "[answer begins] {WORDS} [answer ends]"' in log.aria_snapshot()
