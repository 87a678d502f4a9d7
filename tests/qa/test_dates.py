import pytest

from qa.dates import asks_for_previous, asks_when, date_of, is_duration, previous_of


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("When was his previous visit?", True),
        ("and when did they previously meet?", True),
        ("In which year was the preceding election?", True),
        ("When did he visit?", False),
        ("Who was the previous president?", False),
        ("When was it closed prior to the war?", False),
    ],
)
def test_what_asks_for_a_previous_date(question: str, asks: bool) -> None:
    assert asks_for_previous(question) is asks


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("when did Putin last visit?", True),
        ("And in which year was it built?", True),
        ("On what day did they meet?", True),
        ("Whenever did he go?", False),
        ("Which years of war were the worst?", False),
        ("How long is it since he went?", False),
        ("What happened when he went?", False),
    ],
)
def test_what_asks_when(question: str, asks: bool) -> None:
    assert asks_when(question) is asks


@pytest.mark.parametrize(
    ("text", "long"),
    [
        *((text, True) for text in ("24 years", "nearly two decades", "a few days", "an hour")),
        *((text, True) for text in ("twenty-four years", "three centuries", "1,000 years")),
        *((text, False) for text in ("24 years ago", "July 2000", "the year 2000", "that day")),
        *((text, False) for text in ("the 1990s", "", "after 24 years", "two summits")),
    ],
)
def test_a_duration_is_no_date(text: str, long: bool) -> None:
    assert is_duration(text) is long


def test_dates_have_an_order() -> None:
    assert date_of("July 2000") == (2000, 7)
    assert date_of("June 18th and 19th") == (float("inf"), 6)
    assert date_of("in 1931") == (1931, 0)
    for text in ("24 years", "last September", "Vietnam", "since July 2000", "the 18th"):
        assert date_of(text) is None
    ordered = ["March 1931", "July 2000", "December 2000", "1 May 2021", "June 18th"]
    dates = [date for text in ordered if (date := date_of(text))]
    assert dates == sorted(dates) and len(dates) == len(ordered)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "1500 people",
            "about 1975 kilometres",
            "$1500",
            "€ 1500.50",
            "1500%",
            "a 1500-seat hall",
            "in 1500 houses",
            "in 2000 people",
            "in some 1900 villages",
        ),
        *(
            "1500 €",
            "visitors may enter",
            "it may be closed",
            "the march on Rome",
            "an august hall",
        ),
    ],
)
def test_amounts_and_verbs_are_no_dates(text: str) -> None:
    assert date_of(text) is None
    assert previous_of([text, "July 2000", "December 2000"]) == 1


@pytest.mark.parametrize(
    ("text", "date"),
    [
        *((text, (1931, 5)) for text in ("May 1931", "may 1931", "MAY 1931", "5 may 1931")),
        *((text, (1931, 5)) for text in ("1931 may 5", "may 5th, 1931", "the 5th of may, 1931")),
        *((text, (1931, 0)) for text in ("1931 and 1932", "in 1931 building began", "1931.")),
        ("in 1500 houses until 1931", (1931, 0)),
        ("in 1931 its roof fell", (1931, 0)),
        ("in May 1931 visits ended", (1931, 5)),
        ("May 5, 1931 was a Tuesday", (1931, 5)),
        ("1500 people came in 1931", (1931, 0)),
        ("they may come in June", (float("inf"), 6)),
        ("on 12 March", (float("inf"), 3)),
        ("in May", (float("inf"), 5)),
    ],
)
def test_years_and_months_among_other_words(text: str, date: tuple[float, int]) -> None:
    assert date_of(text) == date


def test_the_previous_is_the_last_before_the_latest() -> None:
    assert previous_of(["June 18th and 19th", "1975", "July 2000", "24 years"]) == 2
    # The same date twice is no earlier one, and a single one has none before it.
    assert previous_of(["July 2000", "July 2000"]) is None
    assert previous_of(["July 2000", "Hanoi"]) is None
    assert previous_of([]) is None
