"""A page's own tree as the blocks that a browser shows, in order."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from index.documents.blocks import BlockKind
from index.documents.html.lists import (
    CONTENTS,
    LIST_TAGS,
    TERMS,
    OpenList,
    next_marker,
    open_list,
)
from index.documents.html.metadata import AUTHOR_CLASSES
from index.documents.html.tables import (
    Rows,
    definition_rows,
    is_layout,
    is_list_of_pairs,
    nested_tables,
    table_rows,
)
from index.documents.html.text import (
    BLOCK_TAGS,
    HEADING_TAGS,
    PRE_TAGS,
    TextBuffer,
    caption_of,
    one_line,
    preformatted,
    prose_of,
)

_KINDS = {
    "blockquote": BlockKind.QUOTATION,
    "caption": BlockKind.CAPTION,
    "figcaption": BlockKind.CAPTION,
}
# The rest of the words of a table of contents are numbers.
MOST_LINKS = 0.6
_KEEPS_SPACES = re.compile(r"white-space\s*:\s*(?:pre|break-spaces)", re.IGNORECASE)

# Elements that hold what is beside the text, by their tag, role or class.
ASIDE_TAGS = frozenset({"aside", "footer", "header"})
_NEVER_ASIDE = frozenset({"article", "body", "html", "main"})
_ASIDE_ROLES = frozenset({"banner", "complementary", "contentinfo"})
_ASIDE_WORDS = frozenset(
    {"breadcrumb", "breadcrumbs", "comment", "comments", "consent", "cookie", "cookies", "footer"}
    | {"masthead", "menu", "nav", "navbar", "navbox", "navfooter", "navheader", "navigation"}
    | {"newsletter", "pager", "pagination", "promo", "recommendations", "recommended", "related"}
    | {"share", "sharing", "sidebar", "social", "subscribe", "subscription", "teaser", "teasers"}
    | {"toolbar"}
)
_HEADERS = frozenset({"site-header", "page-header", "global-header"})
_WORDS = re.compile(r"[a-z]+")


@dataclass(slots=True)
class Draft:
    """A block of a page, and where it stands there.

    `node` is the element that it is the text of, and `aside` the closest one around it that holds what
    is beside the text. `links` is how many links to other pages it has if it has no other text. `list`
    is the list that it is of; a heading with one is a term, whose section ends with the list. `closes`
    is a list whose sections end here, in a draft without text.
    """

    kind: BlockKind
    text: str
    node: Any
    level: int = 0
    marker: str = ""
    rows: Rows = field(default_factory=list)
    aside: Any = None
    links: int = 0
    list: Any = None
    closes: Any = None


@dataclass(slots=True)
class _Context:
    """An open element that gives the blocks in it their kind."""

    node: Any
    kind: BlockKind
    level: int = 0
    marker: str = ""
    list: Any = None


def page_blocks(body: Any) -> list[Draft]:
    """The blocks of a page from which unseen elements were taken away, in order."""
    import lxml.etree

    walk = _Walk()
    events = lxml.etree.iterwalk(body, events=("start", "end"))
    for event, node in events:
        if event == "end":
            walk.end(node)
            walk.buffer.add(node.tail if node is not body else None)
        elif walk.start(node):
            walk.buffer.add(node.text)
        else:
            events.skip_subtree()
    walk.flush()
    return walk.drafts


class _Walk:
    """The open elements while a page is walked through, and the blocks found so far."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.buffer = TextBuffer()
        self._blocks: list[Any] = []
        self._asides: list[Any] = []
        self._contexts: list[_Context] = []
        self._lists: list[OpenList] = []

    def start(self, node: Any) -> bool:
        """Enter an element; whether what is in it is still to be walked through."""
        tag = node.tag
        if tag == "img" and (caption := self._caption_of(node)):
            self._add(BlockKind.CAPTION, caption)
        keeps_spaces = tag in PRE_TAGS or (
            tag in ("code", "div", "samp") and _KEEPS_SPACES.search(node.get("style") or "")
        )
        if tag not in BLOCK_TAGS and not keeps_spaces:
            return self.buffer.start(node)
        self.flush()
        self._blocks.append(node)
        if _is_aside(node):
            self._asides.append(node)
        if keeps_spaces:
            self._preformatted(preformatted(node))
            return False
        if tag == "table" and not is_layout(node):
            self._table(node)
            return False
        if tag == "dl" and is_list_of_pairs(node) and not self._is_contents(node):
            self._rows(definition_rows(node))
            return False
        self._open(node, tag)
        return True

    def end(self, node: Any) -> None:
        """Leave an element."""
        if not self._blocks or self._blocks[-1] is not node:
            self.buffer.end(node)
            return
        self.flush()
        self._blocks.pop()
        if self._asides and self._asides[-1] is node:
            self._asides.pop()
        if self._contexts and self._contexts[-1].node is node:
            self._contexts.pop()
        if self._lists and self._lists[-1].node is node:
            self._lists.pop()
        if node.tag == "dl":
            self.drafts.append(Draft(BlockKind.PARAGRAPH, "", node, closes=node))

    def flush(self) -> None:
        """End the block whose text was collected."""
        texts, links = self.buffer.take()
        for text in texts:
            context = self._contexts[-1] if self._contexts else None
            if context is None:
                self._add(BlockKind.PARAGRAPH, text, links=links)
                continue
            self._add(
                context.kind,
                text,
                links=links,
                level=context.level,
                marker=context.marker,
                list=context.list,
            )
            context.marker = ""  # what follows in the item goes on with it

    def _add(self, kind: BlockKind, text: str, **more: Any) -> None:
        if text.strip():
            self.drafts.append(
                Draft(
                    kind,
                    text,
                    self._blocks[-1] if self._blocks else None,
                    aside=self._asides[-1] if self._asides else None,
                    **more,
                )
            )

    def _open(self, node: Any, tag: str) -> None:
        """Note what an element says of the blocks in it."""
        kind: BlockKind | None = None
        level, marker, of = 0, "", None
        if tag in HEADING_TAGS:
            kind, level = BlockKind.HEADING, int(tag[1])
            if not AUTHOR_CLASSES.isdisjoint(_classes(node)):
                kind = BlockKind.PARAGRAPH  # a name in large print, which nothing stands under
        elif tag in _KINDS:
            kind = _KINDS[tag]
        elif tag in LIST_TAGS:
            self._lists.append(open_list(node))
        elif tag == "dl":
            self._lists.append(OpenList(node, form=CONTENTS if self._is_contents(node) else TERMS))
        elif tag == "dt" and self._in_list_of(TERMS):
            kind, of = BlockKind.HEADING, self._lists[-1].node
        elif tag == "dd" and self._in_list_of(TERMS) and self._contexts:
            kind = BlockKind.PARAGRAPH  # of its term, not of the item that the list stands in
        elif tag in ("li", "dt"):
            items = [one.node for one in self._lists if one.form != TERMS]
            kind, level, marker = (
                BlockKind.LIST_ITEM,
                max(0, len(items) - 1),
                next_marker(self._lists, node),
            )
            of = items[0] if items else node.getparent()
        if kind is not None:
            self._contexts.append(_Context(node, kind, level, marker, of))

    def _in_list_of(self, form: str) -> bool:
        return bool(self._lists) and self._lists[-1].form == form

    def _is_contents(self, definitions: Any) -> bool:
        return self._in_list_of(CONTENTS) or _is_contents(definitions)

    def _preformatted(self, text: str) -> None:
        paragraphs = prose_of(text)
        for paragraph in paragraphs:
            self._add(BlockKind.PARAGRAPH, paragraph)
        if not paragraphs:
            self._add(BlockKind.CODE, text)

    def _table(self, table: Any) -> None:
        for child in table:
            if child.tag == "caption":
                self._add(BlockKind.CAPTION, one_line(child))
        self._rows(table_rows(table))
        for nested in nested_tables(table):
            self._blocks.append(nested)
            self._table(nested)
            self._blocks.pop()

    def _rows(self, rows: Rows) -> None:
        self._add(
            BlockKind.TABLE_ROW, "\n".join(cell.text for row in rows for cell in row), rows=rows
        )

    def _caption_of(self, image: Any) -> str:
        """What stands in place of an image that has no caption below it."""
        figure = next(image.iterancestors("figure"), None)
        if figure is not None and next(figure.iterdescendants("figcaption"), None) is not None:
            return ""
        return caption_of(image)


def _classes(node: Any) -> list[str]:
    return str(node.get("class") or "").lower().split()


def _is_aside(node: Any) -> bool:
    """Whether an element holds what is beside the text: the head of the page, comments, other pages."""
    if node.tag in ASIDE_TAGS:
        # The head of an article has its title and its date.
        return node.tag != "header" or next(node.iterancestors("article", "main"), None) is None
    if (node.get("role") or "").lower() in _ASIDE_ROLES:
        return True
    if node.tag in _NEVER_ASIDE:
        return False
    names = f"{node.get('class', '')} {node.get('id', '')}"
    if not _HEADERS.isdisjoint(names.lower().split()):
        return True
    return len(names) > 1 and not _ASIDE_WORDS.isdisjoint(_WORDS.findall(names.lower()))


def _is_contents(definitions: Any) -> bool:
    """Whether a definition list is a list of terms only, or of links: a table of contents."""
    if next(definitions.iterdescendants("dd"), None) is None:
        return True
    if next(definitions.iterdescendants("p", "pre"), None) is not None:
        return False
    words = len("".join(definitions.itertext()).split())
    in_links = sum(len("".join(link.itertext()).split()) for link in definitions.iter("a"))
    return in_links > MOST_LINKS * words
