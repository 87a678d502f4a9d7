"""Asking on the page: in a row, from a link, from an example, and taken back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.page.browser.steps import (
    EXAMPLE,
    QUESTION,
    SENTENCE,
    UNANSWERED,
    WORDS,
    Visitor,
    answer,
    ask,
    box,
    notice,
    ready,
    texts,
)

# Delivers each message to Gradio's client 0.2 s after the one before it.
LATE = """
const fetched = window.fetch;
window.fetch = async (...given) => {
  const response = await fetched(...given);
  if (!response.url.includes("/queue/data")) return response;
  const late = new TransformStream({
    async transform(chunk, to) {
      for (const message of new TextDecoder().decode(chunk).split(/(?<=\\n\\n)/)) {
        await new Promise((go) => setTimeout(go, 200));
        to.enqueue(new TextEncoder().encode(message));
      }
    },
  });
  return new Response(response.body.pipeThrough(late), response);
};
"""


# In milliseconds after the reply is shown. The client hears of its end after 200, and that no more
# replies come after 400.
@pytest.mark.parametrize("after", [0, 300])
def test_what_is_asked_before_the_last_reply_has_ended_is_answered(
    address: str, visitor: Visitor, after: int
) -> None:
    page = ready(visitor(address, script=LATE))
    ask(page, QUESTION)
    page.keyboard.press("Enter")  # once more, which asks nothing
    answer(page)
    page.wait_for_timeout(after)
    ask(page, EXAMPLE)
    answer(page, 2)
    expect(page.locator("#chat .asked")).to_have_text([QUESTION, EXAMPLE])
    expect(page.locator(".toast-body")).to_have_count(0)


def test_undo_edit_and_clear(page: Page) -> None:
    for number, question in enumerate((QUESTION, EXAMPLE, UNANSWERED), 1):
        ask(page, question)
        answer(page, number)
    page.get_by_role("button", name="Delete question 3").click()
    expect(page.locator("#chat .asked")).to_have_text([QUESTION, EXAMPLE])
    expect(box(page)).to_have_value(UNANSWERED)
    expect(box(page)).to_be_focused()
    expect(page.locator("#article mark")).not_to_have_count(0)
    page.get_by_role("button", name="Edit question 1").click()
    expect(page.locator("#chat .turn")).to_have_count(0)
    expect(box(page)).to_have_value(QUESTION)
    page.keyboard.press("Enter")
    expect(answer(page)).to_contain_text(WORDS)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#chat .turn")).to_have_count(0)
    expect(page.locator("#article mark")).to_have_count(0)
    expect(page.locator("#passages li")).to_have_count(0)
    # Nothing is left for a later question to lean on.
    ask(page, "What did he say?")
    answer(page)
    expect(page.locator("#chat .understood")).to_have_count(0)


def test_a_link_to_a_question_opens_with_it_asked(address: str, visitor: Visitor) -> None:
    page = ready(visitor(f"{address}?q=When+did+Putin+visit+%3Cb%3E%3F&k=2"))
    answer(page)
    expect(page.locator("#chat .asked")).to_have_text("When did Putin visit <b>?")
    expect(page.locator("#passages li")).to_have_count(2)


@pytest.mark.parametrize("k", ["many", "9" * 5000])
def test_a_bad_link_is_a_notice(address: str, visitor: Visitor, k: str) -> None:
    page = visitor(f"{address}?q=Who%3F&k={k}")
    expect(notice(page)).to_contain_text("k must be a number from 1 to 50.")
    ready(page)
    expect(page.locator("#chat .turn")).to_have_count(0)


def test_an_example_asks_and_leaves_what_was_typed(page: Page) -> None:
    box(page).fill("my own")
    example = page.locator("#examples button:visible").first
    expect(example).to_have_text(EXAMPLE)
    example.click()
    answer(page)
    expect(page.locator("#chat .asked")).to_have_text([EXAMPLE])
    expect(box(page)).to_have_value("my own")


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("   ", "Type a question first."),
        ("x" * 10_000, "That question is too long (10,000 characters; the limit is 1,000)"),
    ],
    ids=["blank", "endless"],
)
def test_a_bad_question_is_a_notice_and_changes_nothing(
    page: Page, question: str, says: str
) -> None:
    ask(page, QUESTION)
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)
    before = texts(page)
    ask(page, question)
    expect(notice(page)).to_contain_text(says)
    assert texts(page) == before
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)
    expect(box(page)).to_have_value(question)
    ask(page, UNANSWERED)
    answer(page, 2)
