"""What is copied and exported."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from index.documents.document import of_paragraphs, read_bytes
from page.export import alternatives, answer_text, conversation_markdown, escape
from qa.answerer import MIN_ALTERNATIVE_CONFIDENCE
from qa.types import Alternative, Citation
from tests.page.shown import abstention, answer_of, document_of, shelf_of

TEXT = "Title\n\nHe came in 1851, they say.\n\nShe left in 1860."


def test_an_answer_is_copied_with_its_citation() -> None:
    document = document_of(TEXT, pages=(0, 40), source="https://example.org/title.html")
    answer = answer_of(document, "1851", "He came in 1851, they say.")
    assert answer_text(shelf_of(document, document_of("Other.", "other")), answer) == (
        "1851\n“He came in 1851, they say.”\n— Title, p. 1 (https://example.org/title.html)"
    )


def test_an_answer_that_is_a_sentence_is_copied_once() -> None:
    document = document_of(TEXT)
    answer = answer_of(document, "She left in 1860.", "She left in 1860.")
    assert answer_text(shelf_of(document), answer) == (
        "She left in 1860.\n— Title, paragraph 2 (name.txt)"
    )


def test_a_cell_is_copied_and_exported_with_its_row_and_heads() -> None:
    document = read_bytes(b"City,Hives\nLyon,18\nNice,4\n", "bees.csv")
    answer = answer_of(document, "18", "18")
    copied = answer_text(shelf_of(document), answer)
    assert copied == "18\n“[City:] Lyon · [Hives:] 18”\n— bees, paragraph 1 (bees.csv)"
    exported = conversation_markdown(shelf_of(document), [answer])
    assert "**18**\n\n> \\[City:\\] Lyon · \\[Hives:\\] 18\n" in exported
    assert "characters 11–18, the answer 16–18" in exported


def test_an_abstention_is_copied_with_its_question() -> None:
    document = document_of(TEXT)
    answer = abstention(document, "She left in 1860.", question="Who?")
    assert answer_text(shelf_of(document), answer) == "Who?\nNo clear answer found in this article."


def test_the_alternatives_are_those_of_the_command_line() -> None:
    document = document_of(TEXT)
    left = TEXT.index("She")
    whole = Citation(document.id, *(2 * (left, left + 17)))
    others = (Alternative("She left in 1860.", MIN_ALTERNATIVE_CONFIDENCE, whole),)
    answer = answer_of(document, "1851", "He came in 1851, they say.", alternatives=others)
    assert alternatives(answer) == list(others)


def test_a_conversation_is_exported_with_every_quotation_and_its_offsets() -> None:
    document = document_of(TEXT)
    left = TEXT.index("She")
    whole = Citation(document.id, *(2 * (left, left + 17)))
    turns = [
        answer_of(
            document,
            "1851",
            "He came in 1851, they say.",
            rewritten="When did he come?",
            alternatives=(Alternative("She left in 1860.", 0.31, whole),),
        ),
        abstention(document, "She left in 1860.", question="Who?"),
    ]
    assert conversation_markdown(shelf_of(document), turns) == (
        "# Questions and answers\n\n"
        "## 1. When?\n\n"
        "Interpreted as: When did he come?\n\n"
        "**1851**\n\n"
        "> He came in 1851, they say.\n\n"
        "Title, paragraph 1 (name.txt), characters 7–33, the answer 18–22; 72% · High confidence\n\n"
        "Another possible answer:\n\n"
        "> She left in 1860.\n\n"
        "Title, paragraph 2 (name.txt), characters 35–52; 31% · Low confidence\n\n"
        "## 2. Who?\n\n"
        "No clear answer found in this article.\n\n"
        "Closest passage (may not answer your question):\n\n"
        "> She left in 1860.\n\n"
        "Title, paragraph 2 (name.txt), characters 35–52\n"
    )


def test_a_text_is_no_markdown_of_its_own() -> None:
    hostile = (
        "<b>1</b> [x](y) *a* `b` # c\n- d\n1. e\n> f\n=== \n---\n    g &amp; ~~h~~ | $i$\n```\n_j_"
    )
    document = of_paragraphs(["Title [t](u)", f"Say: {hostile}"], name="name", source="name.txt")
    sentence = document.text[document.text.index("Say") :]
    made = conversation_markdown(
        shelf_of(document), [answer_of(document, sentence, sentence, question=f"{hostile}?")]
    )
    shown = MarkdownIt("gfm-like", {"linkify": False}).render(made)
    assert set(re.findall(r"<(\w+)", shown)) == {"h1", "h2", "blockquote", "p", "br"}
    quoted = re.findall(r"<blockquote>\s*<p>(.*?)</p>", shown, re.DOTALL)[0]
    lines = [line.strip() for line in sentence.split("\n")]
    assert html.unescape(re.sub(r"<br />\n", "\n", quoted)).split("\n") == lines


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1)
)
def test_every_character_is_shown_as_it_is(text: str) -> None:
    shown = MarkdownIt().renderInline(escape(text))
    assert html.unescape(shown) == text
