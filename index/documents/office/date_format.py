"""Dates and times of a spreadsheet, which are numbers of days, by the tokens of their format."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

_DAY_1904 = 1462  # the number that 1904-01-01 has where days are counted from 1900
# Lotus 1-2-3 took 1900 for a leap year, and so has every spreadsheet since.
_FALSE_LEAP_DAY = 60
_LAST_DAY = 2_958_466  # 10000-01-01
_SECONDS = 86_400
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def is_date_token(kind: str) -> bool:
    """Whether a token of that kind shows a part of a date or of a time."""
    return kind in ("date", "elapsed")


def format_date(value: float, tokens: Sequence[tuple[str, str]], date_1904: bool) -> str:
    """The date or time that a number stands for; "" where it stands for none."""
    decimals = _decimals(tokens)
    steps = 10**decimals
    shown = value + _DAY_1904 if date_1904 else value
    if not 0 <= shown < _LAST_DAY:
        return ""
    units = round(shown * _SECONDS * steps)  # the smallest that the format shows
    seconds, fraction = divmod(units, steps)
    days, seconds = divmod(seconds, _SECONDS)
    start = datetime(1899, 12, 31 if days < _FALSE_LEAP_DAY else 30)
    when = start + timedelta(days=days, seconds=seconds)
    half_days = any(text in ("am/pm", "a/p") for _, text in tokens)
    written = []
    for n, (kind, text) in enumerate(tokens):
        if kind == "elapsed":
            per = {"h": 3600, "m": 60, "s": 1}[text[0]]
            written.append(f"{(days * _SECONDS + seconds) // per:0{len(text)}}")
        elif kind == "date" and text.startswith("m") and _is_minute(tokens, n):
            written.append(f"{when.minute:0{min(len(text), 2)}}")
        elif kind == "date":
            written.append(_part(when, text, half_days))
        elif (kind, text) == ("sign", ".") and decimals and _follows(tokens, n, "digit"):
            written.append(f".{fraction:0{decimals}}")
        elif kind in ("text", "sign"):
            written.append(text)
    return " ".join("".join(written).split())


def _part(when: datetime, token: str, half_days: bool) -> str:
    """A part of a date or a time; those of months and minutes are told apart before."""
    size = len(token)
    letter = token[0]
    if token in ("am/pm", "a/p"):
        return ("PM" if when.hour >= 12 else "AM")[: len(token) // 2]
    if letter == "y":
        return f"{when.year:04}" if size > 2 else f"{when.year % 100:02}"
    if letter == "m":
        name = _MONTHS[when.month - 1]
        long = {3: name[:3], 4: name, 5: name[0]}
        return long.get(size, name) if size > 2 else f"{when.month:0{size}}"
    if letter == "d":
        name = _DAYS[when.weekday()]
        return name if size > 3 else name[:3] if size == 3 else f"{when.day:0{size}}"
    hour = (when.hour % 12 or 12) if half_days else when.hour
    return f"{hour if letter == 'h' else when.second:0{min(size, 2)}}"


def _is_minute(tokens: Sequence[tuple[str, str]], at: int) -> bool:
    """Whether an m means minutes: it follows hours, or seconds follow it."""
    parts = [n for n, (kind, _) in enumerate(tokens) if kind in ("date", "elapsed")]
    place = parts.index(at)
    before = tokens[parts[place - 1]][1] if place else ""
    after = tokens[parts[place + 1]][1] if place + 1 < len(parts) else ""
    return len(tokens[at][1]) < 3 and (before.startswith("h") or after.startswith("s"))


def _decimals(tokens: Sequence[tuple[str, str]]) -> int:
    """How many decimals of a second are shown."""
    return min(sum(1 for kind, _ in tokens if kind == "digit"), 3)


def _follows(tokens: Sequence[tuple[str, str]], at: int, kind: str) -> bool:
    return at + 1 < len(tokens) and tokens[at + 1][0] == kind
