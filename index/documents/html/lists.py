"""The lists of a page, and what a browser puts in front of their items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LIST_TAGS = frozenset({"ul", "ol", "menu", "dir"})
BULLET = "•"
# What a definition list can be besides a table of pairs: terms with parts of the page, or links.
TERMS = "terms"
CONTENTS = "contents"

_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l")),
    *((40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
MAX_ROMAN = 3_999


@dataclass(slots=True)
class OpenList:
    """An open list, the number of its next item, and how it counts.

    `form` is "1", "a", "A", "i" or "I" where the items are numbered, TERMS, CONTENTS, or "".
    """

    node: Any
    number: int = 1
    step: int = 1
    form: str = ""


def next_marker(lists: Sequence[OpenList], item: Any) -> str:
    """What a browser puts in front of an item of the innermost list."""
    if not lists or lists[-1].form in ("", TERMS, CONTENTS):
        return BULLET
    inside = lists[-1]
    number = _whole(item.get("value"), inside.number)
    inside.number = number + inside.step
    return f"{_counted(number, item.get('type') or inside.form)}."


def open_list(node: Any) -> OpenList:
    """The list that an element begins."""
    if node.tag != "ol":
        return OpenList(node)
    backwards = node.get("reversed") is not None
    first = len(node.findall("li")) if backwards else 1
    return OpenList(
        node, _whole(node.get("start"), first), -1 if backwards else 1, node.get("type") or "1"
    )


def _whole(value: str | None, default: int) -> int:
    """A whole number of an attribute, or the default where it is none."""
    try:
        return int((value or "").strip()[:9])
    except ValueError:
        return default


def _counted(number: int, form: str) -> str:
    """A number as a list of this form shows it: 3, c, C, iii or III."""
    if form in ("a", "A") and number > 0:
        letters = ""
        while number:
            number, letter = divmod(number - 1, 26)
            letters = chr(ord("a") + letter) + letters
        return letters.upper() if form == "A" else letters
    if form in ("i", "I") and 0 < number <= MAX_ROMAN:
        signs = ""
        for value, sign in _ROMAN:
            signs += sign * (number // value)
            number %= value
        return signs.upper() if form == "I" else signs
    return str(number)
