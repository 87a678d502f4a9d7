import pytest

from qa.followup import stand_alone

HISTORY = [("When did Putin visit North Korea?", "June 18th and 19th"), ("Was he alone?", "")]


@pytest.mark.parametrize(
    "question",
    [
        "Where did he go after that?",
        "Which university is she from?",
        "And in 2019?",
        "Why?",
        "What is its capital?",
        "Who went there?",
        "How many of them were there?",
        "What was said about it?",
    ],
)
def test_a_question_that_leans_on_an_earlier_one(question: str) -> None:
    assert stand_alone(question, HISTORY) == f"When did Putin visit North Korea? {question}"


@pytest.mark.parametrize(
    "question",
    [
        "When did Putin last visit?",
        "Is it true that Xi Jinping was absent?",
        "How many tanks are there in Ukraine?",
        "Why was Putin isolated?",
        "What newspaper published this article?",
        "Who calls the shots in the Russia-Ukraine war, according to Zhang?",
    ],
)
def test_a_question_that_stands_alone_is_left_as_it_is(question: str) -> None:
    assert stand_alone(question, HISTORY) is None


def test_without_a_turn_before_it() -> None:
    assert stand_alone("Where did he go after that?", []) is None
    # Where no earlier question stands alone, the first has to do.
    assert stand_alone("Why?", [("Who is she?", "")]) == "Who is she? Why?"
