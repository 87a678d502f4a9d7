"""Which blocks of a page are its main text, and which are beside it."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from copy import deepcopy
from itertools import accumulate, islice
from typing import Any

from index.documents.blocks import BlockKind
from index.documents.html.blocks import ASIDE_TAGS, Draft

# Blocks are compared by so many letters of their beginning and of their end.
KEY = 40
# What the extraction library found at either end is left aside, up to this share: a stray line of the
# page's foot would make the whole page the main text.
STRAY = 0.05
# Fewer characters, or a smaller share of the page's text, do not tell where the main text is.
MIN_FOUND = 500
MIN_SHARE = 0.4

_NO_LETTERS = re.compile(r"[\W_]+")
_PARTS = frozenset({"p", "head", "item", "cell", "row", "quote", "code", "list", "table", "div"})
# A page with more is a table or a list, and would keep the extraction library busy for seconds. A long
# article of an encyclopaedia has a third of them.
MAX_ELEMENTS = 60_000
# Elements that can hold a main text; others hold a part of one.
_PARTS_OF_PAGE = frozenset({"article", "body", "center", "div", "form", "main", "section", "td"})
# An element of the page that can hold all of it, so that being in it says nothing.
_WHOLE = frozenset({"html", "body", "center", "form", "table", "tbody", "tr"})


def extract_main(tree: Any) -> Any:
    """The main text by the extraction library, as its own tree; None where it finds none."""
    if sum(1 for _ in islice(tree.iter(), MAX_ELEMENTS + 1)) > MAX_ELEMENTS:
        return None
    import trafilatura

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # what is wrong is said by us
    try:
        found: Any = trafilatura.bare_extraction(deepcopy(tree), include_comments=False)
    except RecursionError:  # it goes down a page by calling itself
        return None
    return None if found is None else found.body


def main_blocks(drafts: Sequence[Draft], extracted: Any, title: Draft | None = None) -> list[bool]:
    """Which blocks are main text, given what the extraction library found.

    It drops headings, terms, tables and whole paragraphs of what it finds, so all counts as main text
    that is in the smallest element around its finds, or between that and the title, but for parts that
    say that they are something else and that it has not found either.
    """
    keys = {key for text in _texts(extracted) for key in _keys(text)}
    found = [_is_found(draft, keys) for draft in drafts]
    container = _container(drafts, found)
    inside = _inside(drafts, container, title)
    misnamed = _misnamed(drafts) if container is None else set()
    # There, links to other pages are the page's menu.
    is_whole = container is not None and container.tag in _WHOLE
    chosen = [
        draft is title
        or (
            not _is_menu(draft)
            and (here or (within and not _is_beside(draft, container, misnamed)))
            and not (is_whole and draft.links and not here)
        )
        for draft, here, within in zip(drafts, found, inside, strict=True)
    ]
    if not any(
        here and draft.text and draft is not title
        for draft, here in zip(drafts, chosen, strict=True)
    ):
        # It is nothing but links, or all of it is in an element of a misleading name.
        return [draft.aside is None or draft.aside.tag not in ASIDE_TAGS for draft in drafts]
    return chosen


def _inside(drafts: Sequence[Draft], container: Any, title: Draft | None) -> list[bool]:
    """Which blocks are in the container, or between the title and it: a byline, a date."""
    inside = [_is_in(draft.node, container) for draft in drafts]
    if title is not None and any(inside):
        first = inside.index(True)
        above = next(number for number, draft in enumerate(drafts) if draft is title)
        inside[above:first] = [True] * max(0, first - above)
    return inside


def _is_menu(draft: Draft) -> bool:
    """Whether a block is a line of links to other pages."""
    return draft.kind is BlockKind.PARAGRAPH and draft.links > 1


def _container(drafts: Sequence[Draft], found: Sequence[bool]) -> Any:
    """The smallest element around what was found; None where that does not tell the main text."""
    places = [number for number, here in enumerate(found) if here]
    sizes = [len(drafts[number].text) for number in places]
    text = sum(len(d.text) for d in drafts if d.aside is None and not d.links)
    if sum(sizes) < max(MIN_FOUND, MIN_SHARE * text):
        return None
    ends = list(accumulate(sizes))
    first = next(place for place, end in zip(places, ends, strict=True) if end > STRAY * ends[-1])
    last = next(
        place for place, end in zip(places, ends, strict=True) if end >= (1 - STRAY) * ends[-1]
    )
    around = {drafts[first].node, *drafts[first].node.iterancestors()}
    node = drafts[last].node
    while node is not None and (node not in around or node.tag not in _PARTS_OF_PAGE):
        node = node.getparent()
    return node


def _is_in(node: Any, container: Any) -> bool:
    while node is not None and node is not container:
        node = node.getparent()
    return node is container


def _is_beside(draft: Draft, container: Any, misnamed: set[Any]) -> bool:
    """Whether a block is in a part of the container that says that it is beside the text."""
    return (
        draft.aside is not None
        and draft.aside is not container
        and draft.aside not in misnamed
        and (container is None or _is_in(draft.aside, container))
    )


def _misnamed(drafts: Sequence[Draft]) -> set[Any]:
    """The element that holds most of the page, although its name ("with-menu") speaks of a menu."""
    sizes: Counter[Any] = Counter()
    for draft in drafts:
        sizes[draft.aside] += len(draft.text)
    (most, size), *_ = sizes.most_common(1) or [(None, 0)]
    is_misnamed = 2 * size > sizes.total() and most is not None and most.tag not in ASIDE_TAGS
    return {most} if is_misnamed else set()


def _is_found(draft: Draft, keys: set[str]) -> bool:
    if not draft.rows:
        return not keys.isdisjoint(_keys(draft.text))
    cells = [cell.text for row in draft.rows for cell in row if cell.text]
    return sum(not keys.isdisjoint(_keys(cell)) for cell in cells) > len(cells) / 2


def _keys(text: str) -> Iterator[str]:
    """What a text is known by: the letters of its beginning, of its end and of its first line."""
    for part in (text[: 4 * KEY], text.partition("\n")[0][: 4 * KEY]):
        if key := _letters(part)[:KEY]:
            yield key
    if key := _letters(text[-4 * KEY :])[-KEY:]:
        yield key


def _letters(text: str) -> str:
    return _NO_LETTERS.sub("", text).lower()


def _texts(extracted: Any) -> Iterator[str]:
    """The texts of the blocks that the extraction library found."""
    import lxml.etree

    if extracted is None:
        return
    words: list[str] = []
    for event, node in lxml.etree.iterwalk(extracted, events=("start", "end")):
        if node.tag in _PARTS or node.tag == "lb":
            yield "".join(words)
            words = []
        words.append((node.text if event == "start" else node.tail) or "")
    yield "".join(words)
