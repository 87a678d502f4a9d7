"""Questions made of others: enumerations, conversations, questions as people type them."""

from __future__ import annotations

import numpy as np
import pytest

from training.reading.as_typed import as_typed, contracted, keywords, with_typo, without_mark
from training.reading.conversations import Asked, follow_ups, refer_back
from training.reading.enumerations import enumerated, items_of, split_items


@pytest.mark.parametrize(
    "text, items",
    [
        ("oak, ash and elm", ["oak", "ash", "elm"]),
        ("oak, ash, and elm", ["oak", "ash", "elm"]),
        ("both Ann and Bob", ["Ann", "Bob"]),
        ("1,000 or 2,000", ["1,000", "2,000"]),
        ("the mill", ["the mill"]),
        ("salt; sugar", ["salt", "sugar"]),
    ],
)
def test_items_stand_between_commas_and_conjunctions(text: str, items: list[str]) -> None:
    assert [text[a:b] for a, b in split_items(text)] == items


@pytest.mark.parametrize(
    "question, text, items",
    [
        ("What grows there?", "oak, ash and elm", ["oak", "ash", "elm"]),
        ("Which two people won?", "Ann Lee and Bob", ["Ann Lee", "Bob"]),
        ("What grows there?", "oak and ash", ["oak", "ash"]),
        # One name, a place, a date and a range are not enumerations.
        ("Who sang it?", "Simon and Garfunkel", []),
        ("Where is it?", "Paris, Texas", []),
        ("When was it?", "May 5, 1990 and later", []),
        ("Between which years was it?", "1990 and 1995", []),
        # Clauses are not items.
        ("Why?", "it was very cold there in the winter and nobody had any wood left", []),
    ],
)
def test_enumerations(question: str, text: str, items: list[str]) -> None:
    assert [text[a:b] for a, b in enumerated(question, text)] == items


def test_the_items_of_an_answer_in_its_text() -> None:
    text = "There grow oak, ash and elm."
    items = items_of("What grows there?", text, (11, 27))
    assert [text[a:b] for a, b in items] == ["oak", "ash", "elm"]
    assert items_of("What grows there?", text, (11, 14)) == ((11, 14),)


ARTICLE = "Ada Stone built a bridge in 1931. She was born in Leeds. Leeds is old. It has a mill."


def rewritten(first: Asked, second: Asked, seed: int = 0) -> str | None:
    return refer_back(first, second, ARTICLE, np.random.default_rng(seed))


def test_a_shared_name_becomes_its_pronoun() -> None:
    first = Asked("What did Ada Stone build?", "a bridge", 0)
    assert rewritten(first, Asked("When was Ada Stone born?", "1900", 9)) == "When was she born?"
    assert rewritten(first, Asked("Who is Ada Stone's son?", "Bob", 9)) == "Who is her son?"
    assert rewritten(first, Asked("Who spoke to Ada Stone?", "Bob", 9)) == "Who spoke to her?"


def test_a_name_that_was_the_answer_becomes_a_pronoun() -> None:
    first = Asked("Who built the bridge?", "Ada Stone", 0)
    assert rewritten(first, Asked("When was Ada Stone born?", "1900", 9)) == "When was she born?"


def test_a_place_is_left_out_or_becomes_it() -> None:
    first = Asked("Where is Leeds?", "in England", 0)
    second = Asked("What is the oldest mill in Leeds?", "Bean Ing", 9)
    assert {rewritten(first, second, seed) for seed in range(20)} == {
        "What is the oldest mill?",
        "What is the oldest mill in it?",
    }


def test_a_name_within_a_longer_phrase_stays() -> None:
    first = Asked("Where is Leeds?", "in England", 0)
    assert rewritten(first, Asked("When did the Leeds mill close?", "1900", 9)) is None
    assert rewritten(first, Asked("When did old Leeds burn?", "1900", 9)) is None


def test_without_a_shared_name_there_is_no_follow_up() -> None:
    first = Asked("Where is York?", "in England", 0)
    assert rewritten(first, Asked("Who lives in Leeds?", "Ann", 9)) is None


def test_a_name_that_the_answer_says_is_not_hidden() -> None:
    first = Asked("Where is Leeds?", "in England", 0)
    assert rewritten(first, Asked("What is near Leeds?", "Leeds Bridge", 9)) is None


def test_follow_ups_refer_to_an_earlier_question_of_the_paragraph() -> None:
    asked = [
        Asked("When was Ada Stone born?", "1900", 50),
        Asked("What did Ada Stone build?", "a bridge", 0),
    ]
    assert follow_ups(asked, ARTICLE, np.random.default_rng(0)) == [(1, 0, "When was she born?")]


def test_contractions() -> None:
    assert contracted("What is it and why did not he go?") == "What's it and why didn't he go?"


def test_keywords_leave_out_function_words() -> None:
    assert keywords("What is the population of Lyon?") == "population Lyon"
    assert keywords("Who is it?") == "Who is it"


def test_a_typo_changes_one_word_by_one_letter() -> None:
    for seed in range(40):
        text = with_typo("the population of it", np.random.default_rng(seed))
        assert text.startswith("the ") and text.endswith(" of it")
        assert 9 <= len(text.split()[1]) <= 11
    changed = {with_typo("the population", np.random.default_rng(s)) for s in range(40)}
    assert len(changed - {"the population"}) > 10


def test_a_short_word_has_no_typo() -> None:
    assert with_typo("is it red", np.random.default_rng(0)) == "is it red"


def test_as_typed_is_lower_case_and_never_empty() -> None:
    for seed in range(60):
        text = as_typed("What is the Population of Lyon?", np.random.default_rng(seed))
        assert text and text == text.lower()
    assert as_typed("?", np.random.default_rng(0)) == "?"
    assert without_mark("Who won? ") == "Who won"
