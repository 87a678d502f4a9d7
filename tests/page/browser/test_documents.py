"""Documents beside the first one: opened, shown, ticked and removed."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.page.browser.steps import (
    LIGHTHOUSE_QUESTION,
    QUESTION,
    SHEET,
    TITLE,
    Visitor,
    answer,
    ask,
    in_sight,
    lighthouse,
    notice,
    paste,
    ready,
    upload,
)
from tests.page.shown import LIGHTHOUSE

FORMATS = ("txt", "md", "html", "pdf", "docx")
HOSTILE = """The <img src=x onerror="window.hacked = 1"> **bold** title

The <script>window.hacked = 1</script> lighthouse of Rosport was built in 1851 by <b>Anna</b> \
[Weber](javascript:window.hacked=1). ${window.hacked = 1} {{value}} `code` &amp; @children.
"""
HOSTILE_TITLE, HOSTILE_PARAGRAPH = HOSTILE.strip().split("\n\n")


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_of_each_format_is_opened_beside_the_article(
    page: Page, folder: Path, form: str
) -> None:
    ask(page, QUESTION)
    answer(page)
    upload(page, f"rosport.{form}", lighthouse(form))
    expect(page.locator(f"{SHEET} h2")).to_have_text("The lighthouse of Rosport", timeout=60_000)
    ready(page)
    expect(page.get_by_role("tab")).to_have_count(2)
    expect(page.get_by_role("tab", name="The lighthouse of Rosport")).to_have_attribute(
        "aria-selected", "true"
    )
    expect(page.locator("#chat .turn")).to_have_count(1)
    ask(page, LIGHTHOUSE_QUESTION)
    expect(answer(page, 2)).to_contain_text("1851")
    place = answer(page, 2).locator(".location").first
    where = "p. 1" if form == "pdf" else "paragraph 1"
    expect(place).to_have_text(f"The lighthouse of Rosport, {where}")
    place.click()
    # A PDF is shown as its pages, where the flash is a box.
    in_sight(page, f"{SHEET} {'.pdf-box.flash' if form == 'pdf' else 'mark.cited .flash'}")
    # The answer before it is in the other document, and a click turns to that.
    page.locator("#chat .location", has_text="paragraph 7").first.click()
    expect(page.locator(f"{SHEET} h2")).to_contain_text(TITLE)
    in_sight(page, "#article .flash")
    # What the visitor gave is kept nowhere.
    kept = [path for path in folder.rglob("*") if path.is_file()]
    assert kept
    assert [path for path in kept if b"Rosport" in path.read_bytes()] == []
    assert not [path for path in kept if path.name.startswith("rosport")]


def test_what_a_visitor_opens_is_for_that_visitor_only(
    page: Page, address: str, visitor: Visitor
) -> None:
    other = ready(visitor(address))
    paste(page, LIGHTHOUSE)
    expect(page.get_by_role("tab")).to_have_count(2)
    expect(other.get_by_role("tab")).to_have_count(1)
    ask(other, LIGHTHOUSE_QUESTION)
    expect(answer(other)).not_to_contain_text("1851")


def test_several_documents_are_turned_ticked_and_removed(page: Page) -> None:
    paste(page, LIGHTHOUSE)
    mine = page.get_by_role("tab", name="The lighthouse of Rosport")
    expect(mine).to_have_attribute("aria-selected", "true")
    expect(page.locator("#adding")).to_be_hidden()
    ready(page)
    # Another text is added beside these; the same one is not.
    paste(page, LIGHTHOUSE)
    expect(notice(page)).to_contain_text("“The lighthouse of Rosport” is already open.")
    expect(page.get_by_label("Or paste text", exact=True)).to_have_value(LIGHTHOUSE)
    page.keyboard.press("Escape")
    expect(page.get_by_role("tab")).to_have_count(2)
    # By mouse and by key.
    page.get_by_role("tab").first.click()
    expect(page.locator(f"{SHEET} h2")).to_contain_text(TITLE)
    page.keyboard.press("ArrowRight")
    expect(mine).to_be_focused()
    expect(page.locator(f"{SHEET} h2")).to_have_text("The lighthouse of Rosport")
    # Only what is ticked is asked.
    page.get_by_role("checkbox", name="Include The lighthouse of Rosport in answers").uncheck()
    ask(page, LIGHTHOUSE_QUESTION)
    expect(answer(page)).not_to_contain_text("1851")
    page.get_by_role("checkbox", name="Include The lighthouse of Rosport in answers").check()
    page.get_by_role("button", name="Ask question 1 again").click()
    expect(page.locator("#chat .words").first).to_have_text("1851")
    # What is removed is cited without a way to it.
    page.get_by_role("button", name="Remove The lighthouse of Rosport").click()
    expect(page.get_by_role("tab")).to_have_count(1)
    expect(page.locator(f"{SHEET} h2")).to_contain_text(TITLE)
    expect(page.locator("#chat .gone").first).to_have_text(
        "The lighthouse of Rosport, paragraph 1 (document removed)"
    )
    expect(page.locator("#article mark")).to_have_count(0)


def test_a_dropped_file_is_opened(page: Page) -> None:
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.items.add(new File([text], "rosport.txt", {type: "text/plain"}));
            for (const type of ["dragover", "drop"]) {
                document.querySelector("#chat .log").dispatchEvent(
                    new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
            }
        }""",
        LIGHTHOUSE,
    )
    expect(page.get_by_role("tab", name="The lighthouse of Rosport")).to_be_visible()


def test_html_and_markdown_are_shown_as_the_characters_they_are(page: Page) -> None:
    question = (
        "When was <img src=x onerror='window.hacked=1'> **the** [Rosport](javascript:1) built?"
    )
    upload(page, "hostile.txt", HOSTILE.encode())
    expect(page.locator(f"{SHEET} h2")).to_have_text(HOSTILE_TITLE)
    expect(page.get_by_role("tab").last).to_have_text(HOSTILE_TITLE)
    ready(page)
    page.get_by_role("checkbox").first.uncheck()
    ask(page, question)
    answer(page)
    expect(page.locator("#chat .asked")).to_have_text(question)
    expect(page.locator(f"{SHEET} p")).to_have_text(HOSTILE_PARAGRAPH)
    expect(page.locator("#passages li").first).to_contain_text("<script>window.hacked = 1</script>")
    ours = ":is(#chat, #documents, #article, #passages)"
    assert page.locator(f"{ours} :is(img, script, a)").count() == 0
    upload(page, "<img src=x onerror=window.hacked=1>.txt", b"")
    expect(notice(page)).to_contain_text("is empty")
    assert page.evaluate("window.hacked") is None
