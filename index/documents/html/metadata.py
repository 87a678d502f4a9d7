"""What a page says of itself: its title, author, date and language."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from index.documents.cleaning import given_title
from index.documents.content import Metadata

# The names of meta elements, the best first.
_AUTHORS = (
    *("author", "article:author", "dc.creator", "dcterms.creator", "citation_author"),
    *("parsely-author", "sailthru.author", "byl"),
)
_DATES = (
    *("article:published_time", "datepublished", "date", "dc.date", "dc.date.issued"),
    *("dcterms.date", "dcterms.created", "dcterms.issued", "citation_publication_date"),
    *("citation_date", "pubdate", "publishdate", "parsely-pub-date", "sailthru.date"),
)
AUTHOR_CLASSES = frozenset({"author", "byline", "author-name", "p-author", "byline-name"})
# Longer than this, an element of that class tells about the author.
MAX_AUTHOR = 100
# More are those who have written to a page, not its authors.
MAX_AUTHORS = 8
MAX_JSON = 200_000

_BY = re.compile(r"(?:written\s+)?by[\s:]+", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d\d-\d\d(?=T|\s|$)")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")


def page_titles(tree: Any) -> list[str]:
    """The titles that a page's head gives it, the best first."""
    named = tree.xpath("//meta[@property='og:title']/@content") + tree.xpath("//head/title/text()")
    return [title for title in map(given_title, named) if title]


def page_metadata(tree: Any) -> Metadata:
    """The author, date and language of a page; to be asked before its scripts are taken away."""
    metas: dict[str, str] = {}
    authors: list[str] = []
    for meta in tree.iter("meta"):
        name = (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").lower()
        content = " ".join((meta.get("content") or "").split())
        if name and content:
            metas.setdefault(name, content)
            if name in _AUTHORS[:1]:
                authors.append(content)
    stated = list(_linked_data(tree))
    author = (
        _author(authors)
        or next((name for one in stated if (name := _author(_names(one.get("author"))))), "")
        or _author([metas[name] for name in _AUTHORS if name in metas][:1])
        or _byline(tree)
    )
    dates = [
        *(metas[name] for name in _DATES if name in metas),
        *(str(one["datePublished"]) for one in stated if one.get("datePublished")),
        *(str(one["dateCreated"]) for one in stated if one.get("dateCreated")),
        *tree.xpath("//*[@itemprop='datePublished']/@datetime"),
        *tree.xpath("//time[@pubdate]/@datetime"),
        *tree.xpath("//article//header//time/@datetime"),
        *tree.xpath("//main//time/@datetime")[:1],
    ]
    return Metadata(
        author=author,
        date=_date(dates[0]) if dates else "",
        language=_language(tree, metas, stated),
    )


def _linked_data(tree: Any) -> Iterator[Mapping[str, Any]]:
    """The objects of a page's JSON-LD."""
    for script in tree.iter("script"):
        text = script.text or ""
        if (script.get("type") or "").lower() != "application/ld+json" or len(text) > MAX_JSON:
            continue
        try:
            value = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            continue
        graph = value.get("@graph") if isinstance(value, dict) else None
        for one in [value, *_listed(value), *_listed(graph)]:
            if isinstance(one, dict):
                yield one


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _names(value: Any) -> list[str]:
    """The names of people, who stand in JSON-LD as texts, objects or a list of them."""
    people = value if isinstance(value, list) else [value]
    names = [one.get("name") if isinstance(one, dict) else one for one in people]
    return [" ".join(name.split()) for name in names if isinstance(name, str)]


def _author(names: list[str]) -> str:
    people = [_BY.sub("", name, count=1) if _BY.match(name) else name for name in names]
    # An address in place of a name says where the author is told about.
    return ", ".join(dict.fromkeys(name for name in people if name and "://" not in name))[
        : 2 * MAX_AUTHOR
    ]


def _byline(tree: Any) -> str:
    """The authors by the elements that say that they name one."""
    names: list[str] = []
    for node in tree.iter():
        if not isinstance(node.tag, str) or node.tag in ("meta", "body", "link"):
            continue
        classes = (node.get("class") or "").lower().split()
        if (
            (node.get("rel") or "").lower() == "author"
            or (node.get("itemprop") or "").lower() == "author"
            or not AUTHOR_CLASSES.isdisjoint(classes)
        ):
            name = " ".join("".join(node.itertext()).split())
            # With a number it tells more than the name.
            if 2 < len(name) <= MAX_AUTHOR and not re.search(r"\d", name):
                names += [name] if not any(name in one or one in name for one in names) else []
    return _author(names) if len(names) <= MAX_AUTHORS else ""


def _date(text: str) -> str:
    """The day, where a date is written with its time; else as it is written."""
    text = " ".join(text.split())[:MAX_AUTHOR]
    day = _DAY.match(text)
    return day[0] if day else text


def _language(tree: Any, metas: Mapping[str, str], stated: list[Mapping[str, Any]]) -> str:
    root = tree.getroottree().getroot()
    body = tree.find("body")
    for text in (
        root.get("lang"),
        root.get("xml:lang"),
        root.get("{http://www.w3.org/XML/1998/namespace}lang"),
        body.get("lang") if body is not None else None,
        *tree.xpath(
            "//meta[@http-equiv='content-language' or @http-equiv='Content-Language']/@content"
        ),
        metas.get("og:locale"),
        metas.get("dc.language"),
        *(one.get("inLanguage") for one in stated),
    ):
        if isinstance(text, str) and _LANGUAGE.fullmatch(text.strip()):
            return text.strip().replace("_", "-")
    return ""
