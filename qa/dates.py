"""Which of several dates is meant where a question asks for the previous one: no model, only order."""

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
_PREVIOUS = re.compile(
    r"""^\W*(?:and\s+)?(?:when|(?:(?:in|on)\s+)?(?:what|which)\s+(?:year|month|day|date))\b
      .*\b(?:previous|previously|prior(?!\s+to)|preceding)\b""",
    re.IGNORECASE | re.VERBOSE,
)


def asks_for_previous(question: str) -> bool:
    """Whether a question wants the date of the time before the last: "When was his previous visit?"."""
    return bool(_PREVIOUS.match(question))


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
