"""Plain text in, its blocks out: headings, paragraphs, lists, tables and code by their form."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from index.documents.blocks import Block, BlockKind
from index.documents.builder import ContentBuilder
from index.documents.cleaning import clean
from index.documents.content import BLOCK_GAP, Content, Metadata
from index.documents.text.drafts import Draft, Drafter
from index.documents.text.headings import byline, mark_headings
from index.documents.text.line_wraps import Line

_LINE_SEPARATORS = str.maketrans("\u2028\u2029\x85\x0b\x1c\x1d\x1e", "\n" * 7)
_NUMBER = re.compile(r"\d+|\b[ivxl]{1,6}\b")
# A running head or foot is among so many lines at the edge of its page, in a text of so many pages.
EDGE_LINES = 2
MIN_PAGES = 3
TAB = 8
# What a typewriter has in place of "•".
_TYPED_BULLETS = ("-", "*", "+")

Group = list[Line]


def read_plain_text(text: str) -> Content:
    """Read a text without markup."""
    pages, running = _without_running(_pages(clean(text).translate(_LINE_SEPARATORS)))
    groups = _groups(pages)
    drafter = Drafter(groups)
    drafts = mark_headings([draft for group in groups for draft in drafter.drafts(group)])
    author, date, title = byline(drafts)
    builder = ContentBuilder()
    _write(builder, [*drafts, *running], len(pages))
    return builder.build(title=title, metadata=Metadata(author=author, date=date))


def paragraph_blocks(paragraphs: Sequence[str]) -> tuple[str, tuple[Block, ...]]:
    """Paragraphs joined as they are, with a block for each."""
    blocks, start = [], 0
    for paragraph in paragraphs:
        blocks.append(Block(BlockKind.PARAGRAPH, start, start + len(paragraph)))
        start += len(paragraph) + len(BLOCK_GAP)
    return BLOCK_GAP.join(paragraphs), tuple(blocks)


def _pages(text: str) -> list[list[Line | None]]:
    """The lines of each page, None for a blank one; form feeds part pages."""
    pages = [page for page in text.split("\f") if page.strip()]
    return [
        [_line(line, number) if line.strip() else None for line in page.split("\n")]
        for number, page in enumerate(pages)
    ]


def _line(line: str, page: int) -> Line:
    bare = line.strip()
    before = line[: len(line) - len(line.lstrip())]
    return Line(bare, len(before.expandtabs(TAB)), page)


def _without_running(
    pages: list[list[Line | None]],
) -> tuple[list[list[Line | None]], list[Draft]]:
    """The pages without the lines at their edges that most pages have, but for numbers; and those."""
    if len(pages) < MIN_PAGES:
        return pages, []
    edges = [
        (filled[:EDGE_LINES] + filled[EDGE_LINES:][-EDGE_LINES:])
        for filled in ([line for line in page if line] for page in pages)
    ]
    seen = Counter(form for page in edges for form in {_form(line) for line in page})
    # The first page may have another head, and a chapter has few pages.
    repeats = min(MIN_PAGES, len(pages) - 1)
    kept, running = [], []
    for page, edge in zip(pages, edges, strict=True):
        heads = {id(line) for line in edge if seen[_form(line)] >= repeats}
        kept.append([line for line in page if id(line) not in heads])
        running += [
            Draft(BlockKind.BOILERPLATE, line.text, line.page) for line in edge if id(line) in heads
        ]
    # Where all pages are alike, what they say is the text.
    return (kept, running) if all(map(any, kept)) else (pages, [])


def _form(line: Line) -> str:
    return " ".join(_NUMBER.sub("#", line.text.lower()).split())


def _groups(pages: Sequence[Sequence[Line | None]]) -> list[Group]:
    """The lines between blank ones; in a text without any, each line, unless a program wrapped it."""
    groups: list[Group] = []
    for page in pages:
        open_group = False
        for line in page:
            if line is None:
                open_group = False
            elif open_group or (groups and _goes_on(groups[-1], line)):
                groups[-1].append(line)
                open_group = True
            else:
                groups.append([line])
                open_group = True
    return groups


def _goes_on(group: Group, line: Line) -> bool:
    """Whether the first line of a page goes on with the last paragraph of the page before it."""
    last = group[-1]
    return last.page < line.page and not last.ends_sentence and line.text[0].islower()


def _write(builder: ContentBuilder, drafts: Sequence[Draft], pages: int) -> None:
    page = 0
    for draft in sorted(drafts, key=lambda draft: draft.page):
        while pages > 1 and page <= draft.page:
            builder.page()
            page += 1
        if draft.page_starts:
            page = max(page, draft.page_starts[-1][1] + 1)
        _write_one(builder, draft)


def _write_one(builder: ContentBuilder, draft: Draft) -> None:
    if draft.rows is not None:
        builder.table(draft.rows)
    elif draft.kind is BlockKind.TITLE:
        builder.title(draft.text)
    elif draft.kind is BlockKind.HEADING:
        builder.heading(draft.text, draft.depth)
    elif draft.kind is BlockKind.LIST_ITEM:
        sign = draft.marker.sign if draft.marker else ""
        sign = "•" if sign in _TYPED_BULLETS else sign
        builder.list_item(draft.text, depth=draft.depth, marker=sign)
    else:
        builder.add(draft.kind, draft.text, page_starts=draft.page_starts)
