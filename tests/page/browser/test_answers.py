"""Answers as the page shows them: words, sentence, place, marks in the document."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from index.documents.document import read_document
from qa.opening import DEFAULT_ARTICLE
from tests.page.browser.steps import (
    EXAMPLE,
    LIGHTHOUSE_QUESTION,
    QUESTION,
    SENTENCE,
    SHEET,
    TITLE,
    UNANSWERED,
    WORDS,
    Visitor,
    answer,
    ask,
    box,
    in_sight,
    paste,
    ready,
)

WHY = "Why have relations between Russia and North Korea deepened?"


def test_an_answer_is_in_the_chat_and_a_click_brings_it_in_sight(anywhere: Page) -> None:
    page = anywhere
    expect(page.locator("#article h2")).to_contain_text(TITLE)
    ask(page, QUESTION)
    expect(answer(page).locator(".words").first).to_have_text(WORDS)
    expect(answer(page).locator("blockquote").first).to_have_text(SENTENCE)
    expect(answer(page).locator("blockquote mark").first).to_have_text(WORDS)
    expect(box(page)).to_have_value("")
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)
    expect(page.locator("#article .words.cited")).to_have_text(WORDS)
    place = answer(page).locator(".location").first
    expect(place).to_have_text("paragraph 7")
    expect(answer(page).locator(".sure").first).to_have_text(
        re.compile(r"^\d+% · (Very high|High|Medium|Low) confidence$")
    )
    expect(page.locator("#passages li")).to_have_count(5)
    page.locator(SHEET).evaluate("sheet => sheet.scrollTo(0, sheet.scrollHeight)")
    place.click()
    assert in_sight(page, "#article mark.cited .flash") == WORDS


def test_a_follow_up_shows_how_it_was_understood(page: Page) -> None:
    ask(page, "Who is Zhang Tianliang?")
    answer(page)
    ask(page, "What is his program called?")
    expect(answer(page, 2).locator(".understood")).to_have_text(
        "Interpreted as: What is Zhang Tianliang's program called?"
    )


def test_an_abstention_says_so_and_marks_nothing(page: Page) -> None:
    ask(page, QUESTION)
    expect(page.locator("#article mark.cited")).to_have_count(1)
    ask(page, UNANSWERED)
    expect(answer(page, 2)).to_contain_text("No clear answer found in this article.")
    expect(answer(page, 2)).to_contain_text("Closest passage (may not answer your question)")
    expect(page.locator("#article mark")).to_have_count(0)
    expect(page.locator("#article .nearest").first).to_be_visible()
    expect(page.locator("#passages h2")).to_have_text("Closest passages")


def test_two_answers_are_each_marked_in_their_own_sentence(page: Page) -> None:
    ask(page, EXAMPLE)
    expect(answer(page).locator(".others li")).to_have_count(1)
    words = answer(page).locator(".words").all_text_contents()
    assert words == ["June 18th and 19th", "July 2000"]
    expect(page.locator("#article .words")).to_have_count(2)
    marked = page.locator("#article .words").all_text_contents()
    assert sorted(marked) == sorted(words)
    for one in page.locator("#article .words").all():
        assert one.evaluate("words => !!words.closest('mark')")
    answer(page).locator(".others .location").first.click()
    in_sight(page, "#article mark.other .flash")


def test_a_passage_goes_to_where_it_stands_and_the_flash_fades(page: Page) -> None:
    ask(page, QUESTION)
    answer(page)
    page.locator("#passages button").nth(3).click()
    in_sight(page, "#article .flash")
    # It fades, and what was marked before is whole again.
    expect(page.locator("#article .flash")).to_have_count(0)
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)


def test_a_question_why_gets_the_whole_sentence(page: Page) -> None:
    ask(page, WHY)
    shown = answer(page)
    expect(shown.locator(".cited").first).to_be_visible()
    expect(shown.locator(".cited").first.locator(".words")).to_have_count(0)


def test_an_answer_is_copied_and_the_conversation_exported(address: str, visitor: Visitor) -> None:
    page = ready(visitor(address, permissions=["clipboard-read", "clipboard-write"]))
    ask(page, QUESTION)
    answer(page)
    page.get_by_role("button", name="Copy the answer to question 1").click()
    expect(page.get_by_text("Copied").first).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"{WORDS}\n“{SENTENCE}”\n— {TITLE}")
    assert copied.endswith("paragraph 7 (putin-visits-north-korea.txt)")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename == "questions-and-answers.md"
    saved = download.value.path().read_text(encoding="utf-8")
    assert f"## 1. {QUESTION}" in saved
    assert f"**{WORDS}**" in saved
    start = read_document(DEFAULT_ARTICLE).text.index(SENTENCE)
    assert f"characters {start}–{start + len(SENTENCE)}" in saved


def test_a_very_long_sentence_is_folded_up_and_can_be_shown(anywhere: Page) -> None:
    page = anywhere
    long = "The lighthouse of Rosport was built in 1851 " + "and painted in white " * 60 + "again."
    paste(page, f"A long sentence\n\n{long}")
    expect(page.get_by_role("tab")).to_have_count(2)
    ready(page)
    page.get_by_role("checkbox").first.uncheck()
    ask(page, LIGHTHOUSE_QUESTION)
    quotation = answer(page).locator("blockquote").first
    folded = quotation.bounding_box()
    answer(page).get_by_role("button", name="Show all").first.click()
    whole = quotation.bounding_box()
    assert folded and whole
    assert whole["height"] > folded["height"]
    expect(answer(page).get_by_role("button", name="Show less")).to_be_visible()
