"""Which lines of a plain text are headings, how they are nested, and who wrote the text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.documents.blocks import BlockKind
from index.documents.text.drafts import Draft
from index.documents.text.forms import FIELD, byline_of, heading_style, may_be_heading
from index.documents.text.line_wraps import Line

# The styles of headings, the highest one first.
_STYLES = ("part", "chapter", "over", "=", "caps", "-", "~", *(f"number {n}" for n in range(1, 8)))
_PLAIN = "plain"
# A line that is longer, or ends a sentence, is text for the heading above it.
LONG_LINE = 60
# A byline and a date may stand between a title and the text.
TOP_LINES = 5
MAX_TOP = 300
_MAIL = re.compile(r"<[^<>]{0,200}>|\"")


def mark_headings(drafts: list[Draft]) -> list[Draft]:
    """Make headings of the lines that are, and a title of the first one, in place."""
    for at in range(len(drafts) - 1, -1, -1):
        if drafts[at].is_line and not drafts[at].style:
            _mark(drafts, at)
    centred = (at for at, draft in enumerate(drafts[:TOP_LINES]) if draft.is_centred)
    first = next(centred, 0)
    if drafts and _is_title(drafts[first:]):
        drafts[first].kind = BlockKind.TITLE
    used = [draft.style for draft in drafts if draft.kind is BlockKind.HEADING]
    levels = [style for style in _STYLES if style in used]
    # Unmarked headings are below those with a mark, but where an abstract or a preface is in front.
    below = 0 if used[:1] == [_PLAIN] else len(levels)
    for draft in drafts:
        if draft.kind is BlockKind.HEADING:
            draft.depth = 1 + (below if draft.style == _PLAIN else levels.index(draft.style))
    return drafts


def byline(drafts: Sequence[Draft]) -> tuple[str, str, str]:
    """The author, the date and the subject that the lines at the text's top name, "" where none does."""
    author, date, subject = "", "", ""
    for draft in drafts[: 2 * TOP_LINES]:
        is_text = draft.text.endswith((".", "!", "?")) and not FIELD.match(draft.text)
        if len(draft.text) > MAX_TOP or is_text:
            break
        for line in draft.text.split("\n"):
            named = FIELD.match(line)
            key, value = (named[1].lower(), line[named.end() :]) if named else ("", "")
            if key in ("author", "authors", "by", "from"):
                author = author or " ".join(_MAIL.sub("", value).split()) or value
            elif key in ("date", "published"):
                date = date or value
            elif key == "subject":
                subject = subject or value
            elif draft.kind is not BlockKind.TITLE:
                found = byline_of(line)
                author, date = author or found[0], date or found[1]
    return author, date, subject


def _mark(drafts: list[Draft], at: int) -> None:
    """Make a heading of a line if it is one; those after it are known already."""
    draft = drafts[at]
    if at + 1 == len(drafts):
        return
    if draft.kind is BlockKind.LIST_ITEM:
        _mark_item(drafts, at)
    elif draft.kind is BlockKind.PARAGRAPH:
        style = heading_style(draft.text)
        if not style and _is_plain_heading(drafts, at):
            style = "caps" if draft.is_centred else _PLAIN
        if style:
            draft.kind, draft.style = BlockKind.HEADING, style


def _mark_item(drafts: list[Draft], at: int) -> None:
    """Make a heading of a numbered line that is not in a list, with its number in the text."""
    draft = drafts[at]
    marker = draft.marker
    if marker is None or marker.kind != "1.":
        return
    text = f"{marker.sign} {draft.text}"
    style = heading_style(text)
    around = [drafts[at + 1], *drafts[at - 1 : at]]
    in_list = any(
        one.kind is BlockKind.LIST_ITEM
        and one.marker is not None
        and one.marker.kind == marker.kind
        and abs(one.marker.number - marker.number) == 1
        for one in around
    )
    if not style or in_list:
        return
    draft.kind, draft.style, draft.text, draft.marker = BlockKind.HEADING, style, text, None
    # What went on with the item stands under the heading.
    at += 1
    while at < len(drafts) and drafts[at].kind is BlockKind.LIST_ITEM and not drafts[at].marker:
        drafts[at].kind = BlockKind.PARAGRAPH
        at += 1


def _is_plain_heading(drafts: Sequence[Draft], at: int) -> bool:
    """Whether a line that nothing marks as a heading stands above the text like one."""
    draft, following = drafts[at], drafts[at + 1]
    if not may_be_heading(draft.text) or (at and drafts[at - 1].text.endswith(",")):
        return False
    # "Either party may end it" above "(a) with three months' notice" begins a sentence.
    if following.marker and following.marker.kind[0] in "ai":
        return False
    # Two headings may follow each other; more short lines in a row are an address or a list of names.
    above = [_is_short(one) for one in drafts[max(0, at - 2) : at]]
    if len(above) == 2 and all(above):
        return False
    if _is_body(following):
        return True
    return following.kind is BlockKind.HEADING and (
        following.style != _PLAIN or not any(above[-1:])
    )


def _is_short(draft: Draft) -> bool:
    """Whether a draft is a line like a heading, which it is not known to be yet."""
    return draft.is_line and not _is_body(draft) and may_be_heading(draft.text)


def _is_body(draft: Draft) -> bool:
    """Whether a draft is text that may stand under a heading."""
    if draft.kind is BlockKind.HEADING:
        return False
    if draft.kind is not BlockKind.PARAGRAPH or not draft.is_line:
        return True
    is_sentence = len(draft.text) >= LONG_LINE or Line(draft.text).ends_sentence
    return is_sentence or FIELD.match(draft.text) is not None


def _is_title(drafts: Sequence[Draft]) -> bool:
    """Whether the first draft is the title, with the text below it or below a few lines more."""
    first, *rest = drafts
    if first.kind is BlockKind.HEADING:
        alone = all(draft.style != first.style for draft in rest)
        return first.style in ("over", "caps", _PLAIN) or (alone and first.style in ("=", "-", "~"))
    if not first.is_line or first.kind is not BlockKind.PARAGRAPH or not rest:
        return False
    if not may_be_heading(first.text, title=True) or FIELD.match(rest[0].text):
        return False
    return any(map(_is_body, rest[:TOP_LINES])) or any(
        draft.kind is BlockKind.HEADING for draft in rest[:TOP_LINES]
    )
