"""The items of lists in plain text: their markers, and where they begin."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index.documents.text.line_wraps import Line

_BULLET = re.compile(r"([-*+•‣◦▪●■□○·–])\s+(?=\S)|(o)\s{2,4}(?=\S)")
_ENUMERATED = re.compile(r"(\(?(?:(\d{1,3})|([a-zA-Z])|([ivx]{2,5}))[.)])\s+(?=\S)")
_ROMAN = (
    "i",
    "ii",
    "iii",
    "iv",
    "v",
    "vi",
    "vii",
    "viii",
    "ix",
    "x",
    "xi",
    "xii",
    "xiii",
    "xiv",
    "xv",
)
_DASHES = ("–", "·")


@dataclass(frozen=True, slots=True)
class Marker:
    """The marker of a list item as it is written, what stands after it, and its number where it has one.

    `kind` tells the items of one list from those of others: "•", "1", "a", "A" or "i", with "(" or ")".
    """

    sign: str
    rest: str
    kind: str
    number: int = 0


def marker_of(text: str) -> Marker | None:
    """The marker of a list item in front of a line, or None."""
    found = _BULLET.match(text)
    if found:
        return Marker(found[1] or "o", text[found.end() :], found[1] or "o")
    found = _ENUMERATED.match(text)
    if not found:
        return None
    sign, digits, letter, roman = found.groups()
    form = sign.replace(digits or letter or roman, "")
    if digits:
        kind, number = "1", int(digits)
    elif letter:
        kind, number = ("a" if letter.islower() else "A"), ord(letter.lower()) - ord("a") + 1
    else:
        kind, number = "i", 0
    return Marker(sign, text[found.end() :], kind + form, number)


def follows(marker: Marker, following: Marker) -> bool:
    """Whether a marker is the next one after another; "(i)" may be a letter or a roman number."""
    if is_bullet(marker):
        return marker.kind == following.kind
    if marker.number + 1 == following.number and marker.kind == following.kind:
        return True
    roman, letters = following.sign.strip("()."), marker.sign.strip("().")
    return (
        following.kind[0] in "ai"
        and roman in _ROMAN[1:]
        and letters == _ROMAN[_ROMAN.index(roman) - 1]
        and marker.kind[1:] == following.kind[1:]
    )


def is_bullet(marker: Marker) -> bool:
    """Whether a marker is a sign without a number or a letter."""
    return not marker.number and len(marker.kind) == 1


def item_starts(lines: Sequence[Line], last: Marker | None) -> dict[int, Marker]:
    """The lines at which an item begins, by their number, with their markers.

    `last` is the marker of the item before them, None where no list is open.
    """
    markers = {at: one for at, line in enumerate(lines) if (one := marker_of(line.text))}
    kinds = Counter(marker.kind for marker in markers.values())
    in_order = _in_order(markers)
    starts: dict[int, Marker] = {}
    for at, marker in markers.items():
        goes_on = last is not None and follows(last, marker)
        single = kinds[marker.kind] == 1
        fresh = not at or lines[at - 1].ends_sentence or at - 1 in starts
        if is_bullet(marker):
            # A dash may also begin the second line of a sentence.
            begins = goes_on or not single or (fresh and (marker.kind not in _DASHES or at > 0))
        elif at in in_order or goes_on:
            begins = True
        else:
            indented = at > 0 and lines[at].indent > lines[at - 1].indent
            # "A." and "J." are initials.
            plain = marker.kind not in ("a.", "A.", "i.")
            begins = plain and (not at or (fresh and (not single or indented)))
        if begins:
            starts[at] = last = marker
    return starts


def _in_order(markers: Mapping[int, Marker]) -> set[int]:
    """The lines, of those with these markers, that are numbered one after the other."""
    in_order: set[int] = set()
    latest: dict[str, tuple[int, Marker]] = {}
    for at, marker in markers.items():
        for before, other in latest.values():
            if follows(other, marker):
                in_order |= {before, at}
        latest[marker.kind] = at, marker
    return in_order
