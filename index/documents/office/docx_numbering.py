"""The numbers and bullets that Word puts in front of paragraphs, counted as Word counts them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from index.documents.office.parts import child, children, is_on, number, value
from index.documents.office.symbols import bullet

LEVELS = 9
# A number is written in letters or Roman numerals up to here; beyond, a file is no list.
_MAX_IN_LETTERS = 1_000
_PLACE = re.compile(r"%([1-9])")
_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l")),
    *((40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)


@dataclass(frozen=True, slots=True)
class _Level:
    start: int = 1
    form: str = "decimal"
    text: str = ""
    legal: bool = False
    restarts: bool = True
    font: str = ""


@dataclass(slots=True)
class _List:
    """A list as paragraphs name it: the counters it shares with others, and its own levels."""

    abstract: str
    levels: dict[int, _Level]
    starts: dict[int, int]  # where its levels start anew, by its first item
    begun: bool = False


@dataclass(slots=True)
class Numbering:
    """The lists of a document and how far each has counted."""

    lists: dict[str, _List] = field(default_factory=dict)
    counters: dict[str, list[int | None]] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Any) -> Numbering:
        """The lists that a part defines; `root` may be None."""
        abstracts = {value(n, "abstractNumId"): n for n in children(root, "abstractNum")}
        styles = {value(child(n, "styleLink")): n for n in abstracts.values()}
        made = cls()
        for node in children(root, "num"):
            identity = value(child(node, "abstractNumId"))
            abstract = abstracts.get(identity)
            # A list may be that of a style, which stands elsewhere.
            link = value(child(abstract, "numStyleLink"))
            abstract = styles.get(link, abstract) if link else abstract
            levels = {number(value(n, "ilvl")): _level(n) for n in children(abstract, "lvl")}
            starts = {}
            for override in children(node, "lvlOverride"):
                at = number(value(override, "ilvl"))
                if (own := child(override, "lvl")) is not None:
                    levels[at] = _level(own)
                if (start := child(override, "startOverride")) is not None:
                    starts[at] = number(value(start), 1)
            made.lists[value(node, "numId")] = _List(identity, levels, starts)
        return made

    def next(self, identity: str, depth: int) -> str | None:
        """Count an item of a list; its marker, None where the list shows none at that depth."""
        one = self.lists.get(identity)
        depth = max(0, min(depth, LEVELS - 1))
        if one is None:
            return None
        counters = self.counters.setdefault(one.abstract, [None] * LEVELS)
        if not one.begun:
            one.begun = True
            for at in one.starts:
                if 0 <= at < LEVELS:
                    counters[at] = None
        level = one.levels.get(depth, _Level())
        start = one.starts.get(depth, level.start)
        before = counters[depth]
        counters[depth] = start if before is None else before + 1
        for deeper in range(depth + 1, LEVELS):
            if one.levels.get(deeper, level).restarts:
                counters[deeper] = None
        if level.form == "none" and not _PLACE.sub("", level.text).strip():
            return None
        if level.form == "bullet":
            return bullet(level.text, level.font)
        return self._marker(one, level, counters)

    def _marker(self, one: _List, level: _Level, counters: list[int | None]) -> str:
        def count(found: re.Match[str]) -> str:
            at = int(found[1]) - 1
            shown = one.levels.get(at, _Level())
            counted = counters[at]
            form = "decimal" if level.legal else shown.form
            return in_form(shown.start if counted is None else counted, form)

        return _PLACE.sub(count, level.text).strip()


def in_form(count: int, form: str) -> str:
    """A number as a list writes it, by the name that Office has for the form."""
    in_letters = 0 < count <= _MAX_IN_LETTERS
    written = str(count)
    if form == "none":
        written = ""
    elif form == "decimalZero":
        written = f"{count:02}"
    elif form in ("lowerLetter", "upperLetter") and in_letters:
        # aa, bb, cc follow z.
        written = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 + 1)
    elif form in ("lowerRoman", "upperRoman") and in_letters:
        written = _roman(count)
    elif form == "ordinal":
        teens = 10 <= count % 100 <= 20
        written += "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return written.upper() if form.startswith("upper") else written


def _roman(count: int) -> str:
    written = ""
    for worth, letters in _ROMAN:
        written += letters * (count // worth)
        count %= worth
    return written


def _level(node: Any) -> _Level:
    restart = child(node, "lvlRestart")
    fonts = child(node, "rPr", "rFonts")
    return _Level(
        start=number(value(child(node, "start")), 1),
        form=value(child(node, "numFmt")) or "decimal",
        text=value(child(node, "lvlText")),
        legal=is_on(child(node, "isLgl")),
        restarts=restart is None or value(restart) != "0",
        font=value(fonts, "ascii") or value(fonts, "hAnsi"),
    )
