"""What can be the date that a question asks for, and which is the previous one: no model, only form."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_MONTH = re.compile(rf"\b(?:{'|'.join(_MONTHS)})\b", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:1\d{3}|20\d{2})\b")
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
    year, month = _YEAR.search(text), _MONTH.search(text)
    if _RELATIVE.search(text) or not (year or month):
        return None
    number = _MONTHS.index(month[0].lower()) + 1 if month else 0
    return (float(year[0]) if year else float("inf")), number


def previous_of(texts: Sequence[str]) -> int | None:
    """The place of the latest date that is before the latest of all, None where there is none."""
    dates = {number: date for number, text in enumerate(texts) if (date := date_of(text))}
    latest = max(dates.values(), default=None)
    before = {number: date for number, date in dates.items() if date != latest}
    return max(before, key=lambda number: before[number], default=None)
