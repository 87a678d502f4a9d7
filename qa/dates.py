"""What can be the date that a question asks for, and which is the previous one: no model, only form."""

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
# Words that in lower case are months only beside a number, as in "may 1931" and "the 5th of may".
_NOT_ONLY_MONTHS = frozenset({"march", "may", "august"})
# A number that a word in lower case follows counts something ("1500 people"), unless that is one of
# these words ("1931 and 1932"), or a month or "in" comes before it ("in 1931 building began").
_AFTER_YEAR = (
    "after|although|and|as|at|because|before|but|by|during|for|from|he|if|in|it|on|or|she|that|the|they"
    "|through|till|to|under|until|when|where|which|while|who|with"
)
_YEAR = re.compile(
    rf"(?<![$€£])\b(?P<year>1\d{{3}}|20\d{{2}})\b(?![.,]\d|\s?[%$€£°]|-[a-z])"
    rf"(?P<counted>\s+(?!(?:{_AFTER_YEAR}|{'|'.join(_MONTHS)})\b)[a-z])?"
)
_BEFORE_YEAR = re.compile(
    rf"\b(?:in|year|(?:{'|'.join(_MONTHS)})(?:\s+\d{{1,2}}(?:st|nd|rd|th)?)?,?)\s+$", re.IGNORECASE
)
# "last September" and "nine months ago" say when only to who knows when that was written.
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
    """Whether a question wants a date: "When did he visit?", "In which year was it built?"."""
    return bool(_WHEN.match(question))


def is_duration(text: str) -> bool:
    """Whether a text says how long and not when, as "24 years" does and "24 years ago" does not.

    Of 8,507 training questions that ask when, such a text answers four.
    """
    return bool(_DURATION.fullmatch(text))


def asks_for_previous(question: str) -> bool:
    """Whether a question wants the date of the time before the last: "When was his previous visit?"."""
    return asks_when(question) and bool(_PREVIOUS.search(question))


def date_of(text: str) -> tuple[float, int] | None:
    """Year and month of a date, to put in order; None for what is none.

    A date without a year is of the text's own time, and so after every one that has a year.
    """
    year, month = _year_in(text), _month_in(text)
    if _RELATIVE.search(text) or not (year or month):
        return None
    return year or float("inf"), month


def _year_in(text: str) -> float | None:
    """The first number of a text that can be a year, None where there is none."""
    for found in _YEAR.finditer(text):
        if not found["counted"] or _BEFORE_YEAR.search(text[: found.start()]):
            return float(found["year"])
    return None


def _month_in(text: str) -> int:
    """The first month that a text names, from 1 to 12, or 0."""
    for found in _MONTH.finditer(text):
        word = found["month"]
        if word not in _NOT_ONLY_MONTHS or found["before"] or found["after"]:
            return _MONTHS.index(word.lower()) + 1
    return 0


def previous_of(texts: Sequence[str]) -> int | None:
    """The place of the latest date that is before the latest of all, None where there is none."""
    dates = {number: date for number, text in enumerate(texts) if (date := date_of(text))}
    latest = max(dates.values(), default=None)
    before = {number: date for number, date in dates.items() if date != latest}
    return max(before, key=lambda number: before[number], default=None)
