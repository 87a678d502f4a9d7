"""Pieces of HTML within a text of another format: their words, without the tags."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

# What a text has more of than this between two angle brackets is no tag.
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)\b[^<>]{0,4000}>")
_ALT = re.compile(r"\salt\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_UNSEEN = frozenset({"script", "style", "template"})
# Elements that part what is before them from what is in them.
_PARTING = re.compile(
    "address|article|aside|blockquote|center|dd|details|div|dl|dt|figcaption|figure|footer|h[1-6r]"
    "|header|li|main|nav|ol|p|pre|section|summary|table|tbody|td|th|thead|tr|ul"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """The words between two tags that part text, and the element that they are in, "" after its end."""

    element: str
    text: str


def fragment_pieces(fragment: str) -> Iterator[Piece]:
    """The pieces of a fragment, in order; comments, scripts and styles are left out."""
    element, words, skipped, last = "", [], "", 0
    fragment = drop_comments(fragment)
    for tag in _TAG.finditer(fragment):
        name = tag[2].lower()
        if not skipped:
            words.append(html.unescape(fragment[last : tag.start()]))
        last = tag.end()
        if name in _UNSEEN:
            skipped = "" if tag[1] else name
        elif name in ("br", "img"):
            words.append(tag_text(tag[0]))
        elif _PARTING.fullmatch(name):
            yield Piece(element, "".join(words))
            element, words = "" if tag[1] else name, []
    words.append(html.unescape(fragment[last:]))
    yield Piece(element, "".join(words))


def tag_text(tag: str) -> str:
    """What a tag within a line shows: a line end, the words for an image, or nothing."""
    found = _TAG.match(tag)
    name = found[2].lower() if found else ""
    if name == "br":
        return "\n"
    alt = _ALT.search(tag) if name == "img" else None
    return html.unescape(alt[1] or alt[2] or alt[3] or "") if alt else ""


def drop_comments(fragment: str) -> str:
    """The fragment without comments; one that is never closed stays, since all that follows is in it."""
    kept, at = [], 0
    while (start := fragment.find("<!--", at)) >= 0:
        end = fragment.find("-->", start + 4)
        if end < 0:
            break
        kept.append(fragment[at:start])
        at = end + 3
    return "".join([*kept, fragment[at:]])
