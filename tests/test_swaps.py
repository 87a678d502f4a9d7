import numpy as np
import pytest

from training.swaps import names, swapped

TEXT = (
    "In 1931 the bridge of Old Town was built by Ada Stone, whose brother Karl Weber paid for it. "
    "It was opened in 1934 by Queen Anne."
)


def every(question: str, answers: list[str], elsewhere: tuple[str, ...] = ()) -> set[str | None]:
    return {
        swapped(question, answers, TEXT, elsewhere, np.random.default_rng(seed))
        for seed in range(60)
    }


def test_names_stand_within_a_sentence() -> None:
    assert names(
        "The Queen’s guard met the Queen's cousin, Ada Stone of the Hague. Nobody saw."
    ) == [
        "Queen",
        "Queen",
        "Ada Stone of the Hague",
    ]


@pytest.mark.parametrize(
    "question, answers, expected",
    [
        # Another name of as many words, but none of the answer's or the question's own.
        ("What did Ada Stone build?", ["the bridge"], {"What did Karl Weber build?"}),
        ("Whom did Karl Weber pay?", ["Ada Stone"], {"Whom did Queen Anne pay?"}),
        ("What was built in 1931?", ["the bridge"], {"What was built in 1934?"}),
        ("When was it first opened?", ["1934"], {"When was it last opened?"}),
        ("Who paid for it?", ["Karl Weber"], {None}),
    ],
)
def test_one_thing_is_changed(question: str, answers: list[str], expected: set[str | None]) -> None:
    found = every(question, answers)
    assert expected <= found
    for one in found - {None}:
        assert one != question and not any(answer in str(one) for answer in answers)


def test_a_name_from_elsewhere_where_the_text_has_none() -> None:
    answers = ["Ada Stone", "Karl Weber", "Queen Anne", "Old Town"]
    assert every("Who of Hanoi was it?", answers, ("Ada Stone", "Rome")) == {"Who of Rome was it?"}
    assert every("Who of Hanoi was it?", answers) == {None}
