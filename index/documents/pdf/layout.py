"""The print on a document's pages in, its paragraphs, tables and running heads out: pure functions."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

import numpy as np

from index.documents.pdf.cells import PrintedTable, continues, rows_of
from index.documents.pdf.columns import MAX_ROW_DISTANCE
from index.documents.pdf.furniture import Furniture, body_size, find_furniture
from index.documents.pdf.lines import Line, PrintedPage
from index.documents.pdf.paragraphs import (
    BULLET,
    SAME_SIZE,
    Measures,
    is_like,
    is_short,
    leadings_of,
    paragraphs_of,
)
from index.documents.pdf.tables import find_tables
from index.documents.pdf.text import Part, ends_sentence


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines that belong together."""

    parts: tuple[Part, ...]

    @property
    def first_page(self) -> int:
        """The page it begins on."""
        return self.parts[0].page

    @property
    def last_page(self) -> int:
        """The page it ends on."""
        return self.parts[-1].page


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table, and the page that each of its rows is on."""

    table: PrintedTable
    pages: tuple[int, ...]

    @property
    def first_page(self) -> int:
        """The page it begins on."""
        return self.pages[0]

    @property
    def last_page(self) -> int:
        """The page it ends on."""
        return self.pages[-1]


Item = Paragraph | PageTable | Furniture


def lay_out(pages: Sequence[PrintedPage], named: Set[tuple[int, str]] = frozenset()) -> list[Item]:
    """Join the lines of all pages into paragraphs and tables, in the order in which they are read.

    A paragraph that goes over the end of a page or column is one. Footnotes are put before a paragraph
    that goes on behind them. Running heads and feet stand once, where they first are on their page,
    and not within a paragraph. `named` has the page and the name of headings that are known.
    """
    kept, furniture = _without_furniture(pages)
    lines = [line for page in kept for line in page]
    body = body_size(lines)
    measures = Measures(
        body,
        leadings_of(kept),
        2 * sum(len(one.text) for one in lines if one.fixed) > sum(len(one.text) for one in lines),
        named,
    )
    items: list[list[Part] | PageTable] = []
    for number, (page, printed) in enumerate(zip(kept, pages, strict=True)):
        found = _page_items(number, page, printed, measures)
        if found and _goes_on(items, found[0], measures):
            items[-1] = [*_parts(items[-1]), *_parts(found.pop(0))]
        elif found and items and (whole := _whole_table(items[-1], found[0])) is not None:
            items[-1] = whole
            found = found[1:]
        items += found
    return _with_furniture(
        [one if isinstance(one, PageTable) else Paragraph(tuple(one)) for one in items], furniture
    )


def join_levels(page: Sequence[Line]) -> list[list[Line]]:
    """The lines, those together that stand side by side; the sign of a footnote stands higher."""
    found: list[list[Line]] = []
    for line in page:
        if found:
            last = found[-1][-1]
            apart, raised = line.left - last.right, abs(found[-1][0].base - line.base) / last.size
            if (
                apart > -1
                and raised < (0.7 if apart < last.size else 0.2)
                and last.turn == line.turn
            ):
                found[-1].append(line)
                continue
        found.append([line])
    return found


def _joined(lines: Sequence[Line]) -> Line:
    """Lines that stand side by side as one."""
    first = lines[0]
    if len(lines) == 1:
        return first
    most = max(lines, key=lambda line: len(line.text))
    edges = []
    for line in lines:
        if line.edges is None:
            return replace(
                most,
                text=" ".join(one.text for one in lines),
                left=first.left,
                right=lines[-1].right,
                base=first.base,
                edges=None,
            )
        edges += [line.edges, line.edges[-1:, [1, 1]]]  # and the space after it
    return replace(
        most,
        text=" ".join(line.text for line in lines),
        left=first.left,
        right=lines[-1].right,
        base=first.base,
        low=min(line.low for line in lines),
        high=max(line.high for line in lines),
        edges=np.concatenate(edges[:-1]),
        marker=first.marker,
    )


def _without_furniture(
    pages: Sequence[PrintedPage],
) -> tuple[list[list[Line]], list[Furniture]]:
    """The lines of each page without its running heads, and those that are kept."""
    levels = [join_levels(page.lines) for page in pages]
    joined = [[_joined(one) for one in page] for page in levels]
    dropped, furniture = find_furniture(joined, [_table_rows(page) for page in levels])
    kept = [
        [line for at, level in enumerate(page) if at not in heads for line in level]
        for page, heads in zip(levels, dropped, strict=True)
    ]
    return kept, furniture


def _table_rows(levels: Sequence[Sequence[Line]]) -> set[int]:
    """The numbers of the levels of a page that stand right above or below others in columns."""
    numbers = [at for at, level in enumerate(levels) if len(level) > 1]
    numbers.sort(key=lambda at: -levels[at][0].base)
    found: set[int] = set()
    for one, other in zip(numbers, numbers[1:], strict=False):
        above, below = levels[one], levels[other]
        distance = (above[0].base - below[0].base) / below[0].size
        if distance < MAX_ROW_DISTANCE and _aligned_parts(above, below) > 1:
            found |= {one, other}
    return found


def _aligned_parts(one: Sequence[Line], other: Sequence[Line]) -> int:
    """How many of the parts of a level stand below or above one of another's."""
    return sum(any(_is_aligned(a, b) for b in other) for a in one)


def _is_aligned(one: Line, other: Line) -> bool:
    """Whether the left sides, the right sides or the middles of two lines are above each other."""
    left, right = one.left - other.left, one.right - other.right
    return min(abs(left), abs(right), abs(left + right) / 2) < 1.5


def _with_furniture(
    items: Sequence[Paragraph | PageTable], furniture: Sequence[Furniture]
) -> list[Item]:
    before: dict[int, list[Furniture]] = {}
    for one in furniture:
        page = one.page if one.at_top else one.page + 1
        at = next((n for n, item in enumerate(items) if item.first_page >= page), len(items))
        # A foot stands before a paragraph that goes on behind it.
        if not one.at_top and at and items[at - 1].first_page == one.page < items[at - 1].last_page:
            at -= 1
        before.setdefault(at, []).append(one)
    placed: list[Item] = []
    for at, item in enumerate(items):
        placed += [*before.get(at, ()), item]
    return [*placed, *before.get(len(items), ())]


def _page_items(
    number: int, page: Sequence[Line], printed: PrintedPage, measures: Measures
) -> list[list[Part] | PageTable]:
    items: list[list[Part] | PageTable] = []
    lines: list[Line] = []
    found = find_tables(page, printed.rules)
    peers = [line for one in found for line in ([one] if isinstance(one, Line) else rows_of(one))]
    for one in [*found, None]:
        if isinstance(one, Line):
            lines.append(one)
            continue
        joined = [_joined(level) for level in join_levels(lines)]
        items += paragraphs_of(number, joined, peers, measures)
        lines = []
        if one is not None:
            items.append(PageTable(one, (number,) * len(one.rows)))
    return items


def _goes_on(
    items: list[list[Part] | PageTable], following: list[Part] | PageTable, measures: Measures
) -> bool:
    """Whether the page's first line goes on with the last paragraph, footnotes not counted.

    Footnotes are put before that paragraph, so that it is the last one.
    """
    at = _last_of_text(items, measures.body)
    if at is None or isinstance(following, PageTable):
        return False
    paragraph = _parts(items[at])
    last, line = paragraph[-1], following[0].line
    if (
        last.page != _last_page(items[-1])
        or last.line.turn != line.turn
        or line.marker
        or is_short(last, line)
        or ends_sentence(last.line)
        or BULLET.match(line.text)
        or not is_like(last.line, line)
        or last.line.bold != line.bold
        or last.line.fixed != line.fixed
    ):
        return False
    if at < len(items) - 1:
        # Before a paragraph from an earlier page they would seem to stand on that page.
        if paragraph[0].page != last.page:
            return False
        items.append(items.pop(at))
    return True


def _whole_table(
    last: list[Part] | PageTable, following: list[Part] | PageTable
) -> PageTable | None:
    """A table that goes over the end of a page as one; None where two items are no such parts."""
    if not isinstance(last, PageTable) or not isinstance(following, PageTable):
        return None
    if not continues(last.table, following.table):
        return None
    rows = (*last.table.rows, *following.table.rows)
    return PageTable(PrintedTable(rows), (*last.pages, *following.pages))


def _last_of_text(items: Sequence[list[Part] | PageTable], body: float) -> int | None:
    """The number of the last paragraph that is no footnote."""
    for at in reversed(range(len(items))):
        one = items[at]
        if isinstance(one, PageTable):
            return None
        if at == 0 or body <= SAME_SIZE * one[-1].line.size:
            return at
    return None


def _parts(item: list[Part] | PageTable) -> list[Part]:
    return item if isinstance(item, list) else []


def _last_page(item: list[Part] | PageTable) -> int:
    return item.last_page if isinstance(item, PageTable) else item[-1].page
