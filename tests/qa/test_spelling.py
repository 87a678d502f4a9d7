"""Questions in the article's spelling."""

from __future__ import annotations

import pytest

from qa.answerer import ArticleAnswerer
from qa.opening import open_article
from qa.spelling import MAX_WORDS, respelled, words_of

WORDS = words_of(["Putin arrived in Pyongyang.", "putin, sanctions; the Norsemen of Ruß"])
KNOWN = {"did", "the", "norse", "who", "in", "men", "president", "visit", "wen", "sanction"}


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("wen did putin arive in pyongyang", "when did putin arrived in pyongyang"),
        ("Wich sactions?", "which sanctions?"),
        ("Who were the Norsemans?", "Who were the Norsemen?"),
        ("Did Pyonyang visit?", "Did Pyongyang visit?"),
        # Known words, those of the article, and what is like none of these.
        ("Were the Norsemen there?", "Were the Norsemen there?"),
        ("sanction wen", "sanction wen"),
        ("Who is Kowalczyk?", "Who is Kowalczyk?"),
        ("12 ab ?! 普京", "12 ab ?! 普京"),
        ("", ""),
    ],
)
def test_respelled(question: str, expected: str) -> None:
    assert respelled(question, WORDS, KNOWN.__contains__) == expected


def test_a_long_question_is_compared_in_part() -> None:
    asked = " ".join(["arive"] * (MAX_WORDS + 3))
    text = respelled(f"x1 {asked}", WORDS, KNOWN.__contains__)
    assert text.count("arrived") == MAX_WORDS and text.count("arive") == 3
    assert respelled("arive", {}, KNOWN.__contains__) == "arive"


def test_a_misspelt_question_is_answered_and_shown_as_understood(encoder, reader, tmp_path) -> None:
    article: ArticleAnswerer = open_article(encoder=encoder, reader=reader, index=tmp_path)
    answer = article.ask("wen did putin arive in pyongyang")
    assert answer.rewritten == "when did putin arrived in pyongyang"
    assert answer.text is not None and "18th" in answer.text
    right = article.ask("When did Putin arrive in Pyongyang?")
    assert right.rewritten is None and right.citation == answer.citation
