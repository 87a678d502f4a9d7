"""The bullets and numbers in front of the paragraphs of a slide."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from index.documents.office.docx_numbering import in_form
from index.documents.office.parts import child, local_name, number, value
from index.documents.office.symbols import BULLET, bullet

LEVELS = 9
_BULLETS = ("buNone", "buChar", "buAutoNum", "buBlip")
# arabicPeriod is "1.", alphaLcParenR "a)", romanUcParenBoth "(I)".
_SCHEME = re.compile(r"(arabic|alphaLc|alphaUc|romanLc|romanUc)(Period|ParenR|ParenBoth|Plain)")
_FORMS = {
    "arabic": "decimal",
    "alphaLc": "lowerLetter",
    "alphaUc": "upperLetter",
    "romanLc": "lowerRoman",
    "romanUc": "upperRoman",
}
_AROUND = {"Period": "{}.", "ParenR": "{})", "ParenBoth": "({})", "Plain": "{}"}


class Levels:
    """The settings of paragraphs by their level, from 0."""

    def __init__(self, node: Any) -> None:
        """Take a list style."""
        self._node = node

    def bullet(self, level: int) -> Any:
        """The element that says what stands in front of paragraphs of a level; None if none does."""
        return bullet_of(child(self._node, f"lvl{level + 1}pPr"))


class Lists:
    """Counts the paragraphs of one text."""

    def __init__(self, levels: Sequence[Levels]) -> None:
        """Use these settings, the nearest first, where a paragraph has none of its own."""
        self._levels = levels
        self._counts: dict[int, tuple[str, int]] = {}  # by level: the scheme, and the last number

    def next(self, paragraph: Any, *, is_empty: bool) -> tuple[str | None, int]:
        """The marker of a paragraph and its level; no marker where it is in no list."""
        settings = child(paragraph, "pPr")
        level = max(0, min(number(value(settings, "lvl")), LEVELS - 1))
        found = bullet_of(settings)
        for levels in self._levels:
            if found is None:
                found = levels.bullet(level)
        name = local_name(found)
        if is_empty:
            return None, level
        for deeper in [one for one in self._counts if one > level]:
            del self._counts[deeper]
        if name == "buAutoNum":
            return self._number(found, level), level
        self._counts.pop(level, None)
        if name == "buChar":
            font = value(child(settings, "buFont"), "typeface")
            return bullet(value(found, "char"), font), level
        return (BULLET if name == "buBlip" else None), level

    def _number(self, node: Any, level: int) -> str:
        scheme = value(node, "type")
        before, count = self._counts.get(level, ("", 0))
        count = count + 1 if before == scheme else number(value(node, "startAt"), 1)
        self._counts[level] = scheme, count
        found = _SCHEME.fullmatch(scheme)
        if found is None:
            return f"{count}."
        return _AROUND[found[2]].format(in_form(count, _FORMS[found[1]]))


def bullet_of(settings: Any) -> Any:
    """The element of a paragraph's settings that says what stands in front of it, or None."""
    if settings is None:
        return None
    return next((one for one in settings if local_name(one) in _BULLETS), None)
