"""Recognize dates and durations, and questions that ask for them, by regular expressions."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_MONTH = re.compile(
    rf"(?P<before>\d(?:st|nd|rd|th)?\s+(?:of\s+)?)?\b(?P<month>{'|'.join(_MONTHS)})\b"
    r"(?P<after>,?\s+(?:the\s+)?\d)?",
    re.IGNORECASE,
)
# Words that, in lower case, are months only next to a number, as in "may 1931" and "the 5th of may".
_AMBIGUOUS_MONTHS = frozenset({"march", "may", "august"})
# A number before a word in lower case is a quantity ("1500 people"), unless the word is one of these
# ("1931 and 1932"), or a month or "in" stands before the number ("in 1931 building began"). After
# "in", a number before a plural is a quantity all the same ("in 1500 houses").
_AFTER_YEAR = (
    "after|although|and|as|at|because|before|but|by|during|for|from|he|if|in|it|on|or|she|that|the|they"
    "|through|till|to|under|until|when|where|which|while|who|with"
)
_YEAR = re.compile(
    rf"(?<![$€£])\b(?P<year>1\d{{3}}|20\d{{2}})\b(?![.,]\d|\s?[%$€£°]|-[a-z])"
    rf"(?:\s+(?!(?:{_AFTER_YEAR}|{'|'.join(_MONTHS)})\b)(?P<following>[a-z]+))?"
)
_BEFORE_YEAR = re.compile(
    rf"\b(?:(?P<preposition>in)|year|(?:{'|'.join(_MONTHS)})(?:\s+\d{{1,2}}(?:st|nd|rd|th)?)?,?)\s+$",
    re.IGNORECASE,
)
# "last September" and "nine months ago" depend on when they were written.
_RELATIVE = re.compile(r"\b(?:last|ago|next|since|earlier|later|years?|months?)\b", re.IGNORECASE)
_WHEN = re.compile(
    r"^\W*(?:and\s+)?(?:when|(?:(?:in|on)\s+)?(?:what|which)\s+(?:year|month|day|date))\b",
    re.IGNORECASE,
)
_PREVIOUS = re.compile(r"\b(?:previous|previously|prior(?!\s+to)|preceding)\b", re.IGNORECASE)
_DURATION = re.compile(
    r"""(?:(?:about|around|nearly|almost|over|only|at\ least|(?:more|less)\ than)\ )?
      (?:[\d.,]+|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen
        |\w+ty(?:-\w+)?|several|some|many|a\ few|half\ an?|(?:hundred|thousand)s?\ of)[\ -]
      (?:second|minute|hour|day|week|month|year|decade|century|centurie)s?""",
    re.IGNORECASE | re.VERBOSE,
)


def asks_when(question: str) -> bool:
    """Whether a question asks for a date: "When did he visit?", "In which year was it built?"."""
    return bool(_WHEN.match(question))


def is_duration(text: str) -> bool:
    """Whether a text is a duration: "24 years" is, "24 years ago" is not.

    Of 8,507 training questions that ask when, four have such an answer.
    """
    return bool(_DURATION.fullmatch(text))


def asks_for_previous(question: str) -> bool:
    """Whether a question asks for the last date but one: "When was his previous visit?"."""
    return asks_when(question) and bool(_PREVIOUS.search(question))


def date_of(text: str) -> tuple[float, int] | None:
    """The year and the month (0 if not given) of a date, for sorting; None if the text is no date.

    A date without a year is taken to be later than every date with one, as in a news article.
    """
    year, month = _year_in(text), _month_in(text)
    if _RELATIVE.search(text) or not (year or month):
        return None
    return year or float("inf"), month


def _year_in(text: str) -> float | None:
    """The first number of a text that may be a year; None if there is none."""
    for match in _YEAR.finditer(text):
        before = _BEFORE_YEAR.search(text[: match.start()])
        following = match["following"]
        if not following or (before and not (before["preposition"] and _is_plural_noun(following))):
            return float(match["year"])
    return None


def _is_plural_noun(word: str) -> bool:
    """Whether a word is the plural of a noun, so that a number before it is a quantity."""
    # Imported here because its dictionary takes a while to load, and few questions need it.
    from lemminflect import getAllLemmas

    return word == "people" or any(noun != word for noun in getAllLemmas(word).get("NOUN", ()))


def _month_in(text: str) -> int:
    """The first month that a text names, from 1 to 12; 0 if there is none."""
    for match in _MONTH.finditer(text):
        word = match["month"]
        if word not in _AMBIGUOUS_MONTHS or match["before"] or match["after"]:
            return _MONTHS.index(word.lower()) + 1
    return 0


def previous_of(texts: Sequence[str]) -> int | None:
    """The index of the second latest date among the texts; None if there are not two."""
    dates = {number: date for number, text in enumerate(texts) if (date := date_of(text))}
    latest = max(dates.values(), default=None)
    before = {number: date for number, date in dates.items() if date != latest}
    return max(before, key=lambda number: before[number], default=None)
