"""Running heads, running feet and page numbers, told from the text of the pages by their likes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass

from index.documents.pdf.lines import Line
from index.documents.pdf.text import ends_sentence

# Heads may change from chapter to chapter and from left to right, so few pages have to agree.
MIN_REPEATS = 3
# A running head is among so many lines at the top of its page, or as many at the bottom.
EDGE_LINES = 3
# "Page 3 of 12." may be a running foot, and "The 3rd of the four men was Li." is none.
WORDS_OF_HEAD = 5
# How much larger than the text no running head is printed.
MAX_SIZE = 1.12

_WORD = re.compile(r"\w+(?:-\w+)*")
_NUMBER = re.compile(r"(?<!\d)\d{1,5}(?!\d)")
_PAGE_NUMBER = re.compile(r"\W*(?:page\W*)?(\d{1,5})(?:\W+(?:of\W+)?\d+)?\W*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Furniture:
    """A running head or foot where it first stands; those like it on other pages are left out."""

    page: int
    line: Line
    at_top: bool


def body_size(lines: Sequence[Line]) -> float:
    """The size that most of the text is printed in."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[line.size] += len(line.text)
    return max(sizes, key=sizes.__getitem__, default=0.0)


def find_furniture(
    pages: Sequence[Sequence[Line]], rows: Sequence[Set[int]]
) -> tuple[list[set[int]], list[Furniture]]:
    """The numbers of the lines of each page that are its furniture, and what of it is worth keeping.

    `rows` are the numbers of the lines of each page that are rows of a table, whose heads come again
    on every page too.

    Each head is kept once, for it may say what nothing else does (a journal, a date, "Draft"); page
    numbers are not, which say nothing but what `Document.pages` knows.
    """
    body = body_size([line for page in pages for line in page])
    seen: Counter[tuple[str, int, int]] = Counter()
    for number, page in enumerate(pages):
        edges = [at for at in _edges(page, body) if at not in rows[number]]
        seen.update({sign for at in edges for sign in _signs(page[at], number)})
    least = min(MIN_REPEATS, max(2, len(pages)))
    dropped: list[set[int]] = []
    for number, page in enumerate(pages):
        heads = set()
        for at in [at for at in _edges(page, body) if at not in rows[number]]:
            own = _PAGE_NUMBER.fullmatch(page[at].text)
            repeated = any(seen[sign] >= least for sign in _signs(page[at], number))
            if repeated or (own and int(own[1]) == number + 1):
                heads.add(at)
        dropped.append(heads)
    # Where all pages are alike, what they say is the text.
    if all(len(heads) == len(page) for heads, page in zip(dropped, pages, strict=True)):
        return [set() for _ in pages], []
    return dropped, _kept(pages, dropped)


def _kept(pages: Sequence[Sequence[Line]], dropped: Sequence[set[int]]) -> list[Furniture]:
    kept: list[Furniture] = []
    seen: set[str] = set()
    for number, (page, heads) in enumerate(zip(pages, dropped, strict=True)):
        bases = sorted(line.base for line in page)
        for at in sorted(heads):
            line = page[at]
            like = _NUMBER.sub("#", line.text)
            if not _PAGE_NUMBER.fullmatch(line.text) and like not in seen:
                seen.add(like)
                at_top = bases.index(line.base) >= len(bases) / 2
                kept.append(Furniture(number, line, at_top))
    return kept


def _edges(page: Sequence[Line], body: float) -> list[int]:
    """The lines at the top and the bottom of a page that may be running heads by their size."""
    ordered = sorted(range(len(page)), key=lambda at: page[at].base)
    edges = ordered[:EDGE_LINES] + ordered[EDGE_LINES:][-EDGE_LINES:]
    return [at for at in edges if page[at].size < MAX_SIZE * body and not page[at].turn]


def _signs(line: Line, page: int) -> list[tuple[str, int, int]]:
    """What a running head has in common with its like on other pages.

    That is its words and height; or its words but for a number that grows by one from page to page,
    where they are no sentence; or its height and such a number at its end, where a chapter has too
    few pages to tell its title.
    """
    height = round(line.base)
    signs = [(line.text, 0, height)]
    if ends_sentence(line) and len(_WORD.findall(line.text)) > WORDS_OF_HEAD:
        return signs
    numbers = list(_NUMBER.finditer(line.text))
    for number in numbers[:2] + numbers[2:][-2:]:
        first = int(number[0]) - page
        signs.append((f"{line.text[: number.start()]}#{line.text[number.end() :]}", first, 0))
        if number.end() == len(line.text):
            signs.append(("#", first, height))
    return signs
