"""A web page in, the text and the title of its article out."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

from index.documents.content import Content, given_title, legible
from index.errors import DocumentError

# Shorter than this, a text may be what is left of a page without one: a menu, or a call to log in.
MIN_SURE = 500
# Longer than this, what calls itself an advert is the article on a page that has adverts.
MAX_ADVERT = 500

_CLASS_WORDS = re.compile(r"[a-z]+")
_ADVERT = frozenset(
    {"ad", "ads", "advert", "adverts", "advertisement", "advertising", "adsbygoogle", "sponsored"}
)
_BOXES = ("aside", "div", "figure", "iframe", "ins", "li", "section", "span")
_BLOCKS = frozenset({"body", "div", "head", "item", "list", "p", "quote", "row", "table"})
_SPACES = re.compile(r"[ \t\r\n\f]+")
_ANCHOR = re.compile(r"\s*[¶🔗#]$")  # what pages put after a heading, to link to it


def read_html(page: str, source: str) -> Content:
    """Read the article of a page, without menus, adverts and comments.

    Raises DocumentError where the page has none.
    """
    import lxml.etree
    import lxml.html

    blocks: list[str] = []
    # As bytes, or a page that declares another encoding would be taken at its word.
    parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        tree = lxml.html.document_fromstring(page.encode("utf-8"), parser)
    except lxml.etree.ParserError:  # nothing in it
        tree = None
    if tree is not None:
        _drop_surroundings(tree)
        blocks = list(_blocks(_article(tree)))
        if sum(map(len, blocks)) < MIN_SURE and _article(tree, sure=True) is None:
            blocks = []
    if not blocks:
        raise DocumentError(
            f"'{source}' has no article that can be told from the page around it: copy the text in "
            "your browser and paste it."
        )
    return Content("\n\n".join(blocks), _title(tree, blocks))


def _article(tree: Any, sure: bool = False) -> Any:
    """The body that holds nothing but the article, or None; `sure`: rather none than a wrong one."""
    import trafilatura

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # what is wrong is said by us
    found: Any = trafilatura.bare_extraction(tree, include_comments=False, favor_precision=sure)
    return None if found is None else found.body


def _drop_surroundings(tree: Any) -> None:
    """Take menus and adverts away."""
    for menu in list(tree.iter("nav")):
        menu.drop_tree()
    for box in list(tree.iter(*_BOXES)):
        names = f"{box.get('class', '')} {box.get('id', '')}".lower()
        advert = not _ADVERT.isdisjoint(_CLASS_WORDS.findall(names))
        if advert and len(box.text_content()) < MAX_ADVERT and box.getparent() is not None:
            box.drop_tree()


def _blocks(node: Any) -> Iterator[str]:
    """The paragraphs, headings, list items and rows of tables below a node, each as one text."""
    if node is None:
        return
    words = [_flowing(node.text)]
    for child in node:
        if child.tag in _BLOCKS or (child.tag == "code" and "\n" in "".join(child.itertext())):
            yield from _text(words)
            words = []
            yield from _block(child)
        else:
            words.append("\n" if child.tag == "lb" else _flowing("".join(child.itertext())))
        words.append(_flowing(child.tail))
    yield from _text(words)


def _block(node: Any) -> Iterator[str]:
    if node.tag == "row":
        cells = (" ".join(_blocks(cell)) for cell in node)
        if row := " | ".join(cell for cell in cells if cell):
            yield row
    elif node.tag == "item" and not str(node.get("rend")).startswith("d"):
        for number, text in enumerate(_blocks(node)):
            yield text if number else f"• {text}"
    elif node.tag == "code" or (node.tag == "quote" and len(node) == 0):
        if lines := legible("".join(node.itertext())).strip("\r\n"):
            yield lines
    elif node.tag == "head":
        yield from (_ANCHOR.sub("", text) for text in _blocks(node))
    else:
        yield from _blocks(node)


def _flowing(text: str | None) -> str:
    """Text in which the ends of lines say nothing."""
    return _SPACES.sub(" ", legible(text or ""))


def _text(words: list[str]) -> Iterator[str]:
    text = "\n".join(line.strip(" ") for line in "".join(words).split("\n")).strip()
    if text:
        yield text


def _title(tree: Any, blocks: list[str]) -> str:
    """The title in the page's head; or the article's heading, where that is it without the site."""
    named = tree.xpath("//meta[@property='og:title']/@content") + tree.xpath("//head/title/text()")
    title = next(filter(None, map(given_title, named)), "")
    return blocks[0] if blocks[0] in title else title
