"""A page's tree without what a browser does not show."""

from __future__ import annotations

import re
from typing import Any

from index.errors import DocumentError

# Longer than this, what calls itself an advert is the article on a page that has adverts.
MAX_ADVERT = 500
_CLASS_WORDS = re.compile(r"[a-z]+")
_ADVERT = frozenset(
    {"ad", "ads", "advert", "adverts", "advertisement", "advertising", "adsbygoogle", "sponsored"}
)
_BOXES = ("aside", "div", "figure", "iframe", "ins", "li", "section", "span")
# The program's parts of a page, and what a browser does not show or cannot without fetching it.
_UNSEEN = frozenset(
    {"applet", "audio", "button", "canvas", "datalist", "embed", "iframe", "input", "map", "meter"}
    | {"nav", "noframes", "noscript", "object", "progress", "script", "select", "style", "svg"}
    | {"template", "textarea", "title", "video"}
)
_UNSEEN_ROLES = frozenset({"navigation", "search", "button", "menu", "menubar", "tooltip"})
_UNSEEN_CLASSES = frozenset(
    {"sr-only", "visually-hidden", "visuallyhidden", "govuk-visually-hidden", "screen-reader-text"}
    | {"mw-editsection", "mw-jump-link", "katex-html", "mathjax_preview"}
    | {"linenos", "lineno", "line-number", "line-numbers", "gutter"}
)
_HIDDEN = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_KEPT = frozenset({"html", "head", "body", "main"})
_TEX = re.compile(r"math/tex", re.IGNORECASE)


def parse_page(page: str, source: str) -> Any:
    """The tree of a page; None for an empty one."""
    import lxml.etree
    import lxml.html

    # As bytes, or a page that declares another encoding would be taken at its word. Without
    # `huge_tree` what is deeper than 256 elements would be missing, as in an old page that leaves
    # its <font> open.
    parser = lxml.html.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True
    )
    try:
        tree = lxml.html.document_fromstring(page.encode("utf-8", "replace"), parser)
    except lxml.etree.ParserError:  # nothing in it
        return None
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise DocumentError(
            f"'{source}' is nested too deep to be read whole: copy the text in your browser and "
            "paste it."
        )
    _part_definitions(tree)
    return tree


def _part_definitions(tree: Any) -> None:
    """Move a term or a definition out of the one that is not closed in front of it.

    The parser knows where a paragraph or a list item ends without its end tag, but not where these do.
    """
    for node in list(tree.iter("dt", "dd")):
        parent = node.getparent()
        if parent.tag in ("dt", "dd"):
            parent.addnext(node)


def asks_for_more(tree: Any) -> bool:
    """Whether a page asks for a password, or for scripts, before it shows its text."""
    if tree.xpath("//input[@type='password']"):
        return True
    return any("javascript" in "".join(n.itertext()).lower() for n in tree.iter("noscript"))


def drop_unseen(tree: Any) -> None:
    """Take away what a browser does not show, menus, forms' controls and adverts."""
    asking = set(tree.xpath("//form[.//input[@type='password' or @type='search']]"))
    unseen = [
        node
        for node in tree.iter()
        if isinstance(node.tag, str) and node.tag not in _KEPT and _is_unseen(node)
    ]
    for node in unseen:
        _drop(node)
    for form in list(tree.iter("form")):
        # The controls are gone, and what stood beside them says nothing by itself.
        if form in asking and len(form.text_content()) < MAX_ADVERT:
            _drop(form)
    for box in list(tree.iter(*_BOXES)):
        names = f"{box.get('class', '')} {box.get('id', '')}".lower()
        advert = not _ADVERT.isdisjoint(_CLASS_WORDS.findall(names))
        if advert and len(box.text_content()) < MAX_ADVERT:
            _drop(box)


def _drop(node: Any) -> None:
    if node.getparent() is not None:
        node.drop_tree()


def _is_unseen(node: Any) -> bool:
    if node.tag in _UNSEEN:
        # A formula that a script would draw is text.
        return not (node.tag == "script" and _TEX.match(node.get("type") or ""))
    get = node.get
    return (
        (get("hidden") is not None and get("hidden") != "until-found")
        or (node.tag == "dialog" and get("open") is None)
        or _HIDDEN.search(get("style") or "") is not None
        or (get("role") or "").lower() in _UNSEEN_ROLES
        or (get("aria-hidden") == "true" and node.tag in ("a", "i"))
        or not _UNSEEN_CLASSES.isdisjoint((get("class") or "").lower().split())
    )
