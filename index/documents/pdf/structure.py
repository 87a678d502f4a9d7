"""Paragraphs of print in, what they are out: headings with their levels, items, captions, code."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from index.documents.blocks import BlockKind
from index.documents.boxes import UNITS
from index.documents.pdf.furniture import Furniture, body_size
from index.documents.pdf.layout import Item, PageTable, Paragraph
from index.documents.pdf.lines import Line
from index.documents.pdf.paragraphs import BULLET, MAYBE_ITEM, SAME_SIZE
from index.documents.pdf.text import alphanumeric, names_of

MAX_HEADING = 200
MAX_LINES = 3
# Bold or numbered lines of the text's own size are headings up to this length.
MAX_PLAIN_HEADING = 120
MAX_LEVEL = 6

_CAPTION = re.compile(
    r"(?:figure|fig\.|table|tab\.|chart|listing|plate|box|map|exhibit|algorithm|scheme|photo)"
    r"\s*(?:[A-Z]?\d+(?:[.\-–]\d+)*[a-z]?|[IVXL]+)\s*(?:[:.—–|-]|$)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"(?:(?:chapter|part|section|appendix)\s+)?(\d{1,2}(?:\.\d{1,2})*)\.?\s+\S", re.I
)
_LETTERS = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Bookmark:
    """An entry of a PDF's own outline: its level, from 1, its title, and its page, None if unknown."""

    level: int
    title: str
    page: int | None


@dataclass(frozen=True, slots=True)
class Labelled:
    """An item of the layout and what it is; `skip` characters at its start are its marker."""

    item: Item
    kind: BlockKind
    level: int = 0
    marker: str = ""
    skip: int = 0


def named_on_pages(bookmarks: Sequence[Bookmark]) -> set[tuple[int, str]]:
    """The pages and names of the headings that bookmarks lead to."""
    return {
        (one.page, name)
        for one in bookmarks
        if one.page is not None
        for name in names_of(one.title)
    }


# A kind of print that headings have: its size, whether it is bold, whether all in capitals.
Style = tuple[float, bool, bool]


def label(items: Sequence[Item], bookmarks: Sequence[Bookmark], title: str = "") -> list[Labelled]:
    """What each item is; `title` is the document's by its own word, which tells its title block."""
    lines = [part.line for one in items if isinstance(one, Paragraph) for part in one.parts]
    body = _Body(
        body_size(lines),
        _mostly([(one.bold, one.text) for one in lines]),
        _mostly([(one.fixed, one.text) for one in lines]),
    )
    marked = _bookmarked(items, bookmarks)
    styles = {
        at: style
        for at, one in enumerate(items)
        if isinstance(one, Paragraph)
        and (style := _heading_style(one, body, at in marked)) is not None
    }
    title_at = _title_at(items, styles, title, body)
    styles = {at: style for at, style in styles.items() if at != title_at}
    if title_at is not None and _is_subtitle(title_at + 1, styles) and title_at + 1 not in marked:
        del styles[title_at + 1]
    levels = _levels(items, styles, marked)
    labelled = []
    depths = _Depths()
    for at, item in enumerate(items):
        if isinstance(item, PageTable):
            labelled.append(Labelled(item, BlockKind.TABLE_ROW))
        elif isinstance(item, Furniture):
            labelled.append(Labelled(item, BlockKind.BOILERPLATE))
            continue
        elif at == title_at:
            labelled.append(Labelled(item, BlockKind.TITLE))
        elif at in levels:
            labelled.append(Labelled(item, BlockKind.HEADING, levels[at]))
        else:
            labelled.append(_label_text(item, body, depths))
            continue
        depths.clear()
    return labelled


@dataclass(frozen=True, slots=True)
class _Body:
    """How most of the text is printed."""

    size: float
    bold: bool
    fixed: bool


@dataclass(slots=True)
class _Depths:
    """The places, from the left, of the open items of a list and of their text."""

    lefts: list[float] = field(default_factory=list)
    hang: float | None = None

    def clear(self) -> None:
        """Let the next item begin a list."""
        self.lefts.clear()
        self.hang = None

    def of(self, line: Line) -> int:
        """The depth of an item that begins with a line."""
        while self.lefts and line.left < self.lefts[-1] - 0.5 * line.size:
            self.lefts.pop()
        if not self.lefts or line.left > self.lefts[-1] + 0.5 * line.size:
            self.lefts.append(line.left)
        return len(self.lefts) - 1


def text_of(paragraph: Paragraph) -> str:
    """The lines of a paragraph, with a space between them."""
    return " ".join(part.line.text for part in paragraph.parts)


def _mostly(flags: Sequence[tuple[bool, str]]) -> bool:
    yes = sum(len(text) for flag, text in flags if flag)
    return 2 * yes > sum(len(text) for _, text in flags)


def _label_text(item: Paragraph, body: _Body, depths: _Depths) -> Labelled:
    first = item.parts[0].line
    if not body.fixed and all(part.line.fixed for part in item.parts):
        depths.clear()
        return Labelled(item, BlockKind.CODE)
    found = None if first.marker else BULLET.match(first.text) or MAYBE_ITEM.match(first.text)
    if (first.marker or found) and (found is None or found.end() < len(first.text)):
        marker = first.marker or (found[0].strip() if found else "")
        skip = found.end() if found else 0
        depth = depths.of(first)
        depths.hang = first.left
        if first.edges is not None:
            depths.hang = int(first.edges[skip, 0]) / UNITS
        return Labelled(item, BlockKind.LIST_ITEM, depth, marker, skip)
    if _CAPTION.match(first.text) and len(text_of(item)) < 3 * MAX_HEADING:
        depths.clear()
        return Labelled(item, BlockKind.CAPTION)
    # A further paragraph of an item stands below its text, to the right of its marker.
    if (
        depths.lefts
        and depths.hang is not None
        and abs(first.left - depths.hang) < 0.3 * first.size
        and depths.hang > depths.lefts[-1] + 0.5 * first.size
    ):
        return Labelled(item, BlockKind.LIST_ITEM, len(depths.lefts) - 1)
    depths.clear()
    return Labelled(item, BlockKind.PARAGRAPH)


def _heading_style(paragraph: Paragraph, body: _Body, bookmarked: bool) -> Style | None:
    """The kind of print of a paragraph that may be a heading; None for one that is none."""
    lines = [part.line for part in paragraph.parts]
    text = text_of(paragraph)
    if (
        len(text) > MAX_HEADING
        or len(lines) > MAX_LINES
        or not _LETTERS.search(text)
        or lines[0].marker
        or BULLET.match(text)
        or any(line.turn for line in lines)
        or " … " in text
        or (lines[0].fixed and not body.fixed)
    ):
        return None
    size = round(max(line.size for line in lines), 1)
    bold = all(line.bold for line in lines)
    capitals = text.isupper()
    style = (size, bold, capitals)
    if bookmarked:
        return style
    if _CAPTION.match(text):
        return None
    if size >= SAME_SIZE * body.size:
        return style
    if size < 0.95 * body.size or len(text) > MAX_PLAIN_HEADING or len(lines) > 2:
        return None
    if any(part.closed for part in paragraph.parts) or text.rstrip()[-1] in ".,;":
        return None
    numbered = _NUMBERED.match(text)
    if (bold and not body.bold) or (numbered and "." in numbered[1]):
        return style
    letters = len(_LETTERS.findall(text))
    words = letters > 4 and letters > 0.9 * len(alphanumeric(text))
    return style if capitals and words else None


def _title_at(
    items: Sequence[Item], styles: Mapping[int, Style], title: str, body: _Body
) -> int | None:
    """The number of the first page's paragraph that is the title: the one named so, or the largest."""
    page = next((one.first_page for one in items if isinstance(one, Paragraph)), None)
    first = [
        at for at in styles if isinstance(one := items[at], Paragraph) and one.first_page == page
    ]
    wanted = alphanumeric(title)
    for at in first:
        one = items[at]
        if wanted and isinstance(one, Paragraph) and alphanumeric(text_of(one)) == wanted:
            return at
    if not first:
        return None
    largest = max(styles[at][0] for at in first)
    if largest < SAME_SIZE * body.size:
        return None
    return next(at for at in first if styles[at][0] == largest)


def _is_subtitle(at: int, styles: Mapping[int, Style]) -> bool:
    """Whether what follows the title only says more of it, as the names of its authors do.

    It is not bold where headings are, or has a larger heading right behind it.
    """
    if at not in styles:
        return False
    size, bold, _ = styles[at]
    others = [style for number, style in styles.items() if number != at]
    if not bold and others and all(style[1] for style in others):
        return True
    return at + 1 in styles and styles[at + 1][:2] > (size, bold)


def _levels(
    items: Sequence[Item], styles: Mapping[int, Style], marked: Mapping[int, int]
) -> dict[int, int]:
    """The level of each heading: that of its bookmark, or else by the rank of its kind of print."""
    ranked = sorted(set(styles.values()), key=lambda style: (-style[0], not style[1], not style[2]))
    ranks = {style: rank for rank, style in enumerate(ranked, 1)}
    by_style: dict[Style, Counter[int]] = {}
    for at, level in marked.items():
        if at in styles:
            by_style.setdefault(styles[at], Counter())[level] += 1
    known = {style: counts.most_common(1)[0][0] for style, counts in by_style.items()}
    if known:
        # Kinds of print that no bookmark leads to are below those that one does, unless larger.
        last = 1
        for style in ranked:
            last = known.get(style, last + 1 if style not in known and ranks[style] > 1 else last)
            ranks[style] = last
    numbers = {at: _depth(items[at]) for at in styles}
    shallow: dict[Style, int] = {}
    for at, depth in numbers.items():
        if depth:
            shallow[styles[at]] = min(depth, shallow.get(styles[at], depth))
    levels = {}
    for at, style in styles.items():
        level = marked.get(at, ranks[style])
        if at not in marked and numbers[at]:
            level += numbers[at] - shallow[style]
        levels[at] = min(level, MAX_LEVEL)
    return levels


def _depth(item: Item) -> int:
    """How many numbers a heading's number has ("2.1 Scope": 2); 0 without one."""
    if not isinstance(item, Paragraph):
        return 0
    found = _NUMBERED.match(text_of(item))
    return found[1].count(".") + 1 if found else 0


def _bookmarked(items: Sequence[Item], bookmarks: Sequence[Bookmark]) -> dict[int, int]:
    """The numbers of the paragraphs that bookmarks name, with the bookmarks' levels."""
    by_name: dict[str, list[Bookmark]] = {}
    for bookmark in bookmarks:
        for name in names_of(bookmark.title):
            by_name.setdefault(name, []).append(bookmark)
    found = {}
    for at, item in enumerate(items):
        if not isinstance(item, Paragraph) or len(item.parts) > MAX_LINES or not by_name:
            continue
        for name in names_of(text_of(item)):
            for bookmark in by_name.get(name, ()):
                if bookmark.page in (None, item.first_page):
                    found[at] = bookmark.level
    return found
