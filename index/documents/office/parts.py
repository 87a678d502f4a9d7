"""What the formats of Office have in common: parts, relationships, names of XML and properties."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from index.documents.cleaning import given_author, given_title
from index.documents.content import MAX_TITLE, Content, Metadata
from index.documents.members import Members

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def local_name(node: Any) -> str:
    """The name of an element without its namespace, which is another one in strict documents."""
    return node.tag.rpartition("}")[2] if node is not None and isinstance(node.tag, str) else ""


def child(node: Any, *names: str) -> Any:
    """The first child of the first name, its first child of the next name, and so on; or None."""
    for name in names:
        if node is None:
            return None
        node = next((one for one in node if local_name(one) == name), None)
    return node


def children(node: Any, name: str) -> Iterator[Any]:
    """The children of that name."""
    return (one for one in (() if node is None else node) if local_name(one) == name)


def descendants(node: Any, name: str) -> Iterator[Any]:
    """The elements of that name below a node."""
    return iter(()) if node is None else node.iter(f"{{*}}{name}")


def value(node: Any, name: str = "val", default: str = "") -> str:
    """An attribute by its name without namespace, or the default where there is none."""
    if node is None:
        return default
    return next((v for k, v in node.attrib.items() if k.rpartition("}")[2] == name), default)


def number(text: str, default: int = 0) -> int:
    """The whole number that an attribute has, or the default where it is none."""
    try:
        return int(text[:12])
    except ValueError:
        return default


def is_on(node: Any) -> bool:
    """Whether a switch is set: `<b/>` is, `<b val="0"/>` is not, nor is one that is not there."""
    return node is not None and value(node, "val", "1") not in ("0", "false", "off", "none")


def relationships(members: Members, part: str) -> dict[str, tuple[str, str]]:
    """The kind and the target of each relationship of a part, by its id, without external ones."""
    folder, file = posixpath.split(part)
    root = members.xml(posixpath.join(folder, "_rels", f"{file}.rels"))
    found = {}
    for node in () if root is None else root:
        if local_name(node) != "Relationship" or value(node, "TargetMode") == "External":
            continue
        kind = value(node, "Type").rpartition("/")[2]
        if target := members.resolve(part, value(node, "Target")):
            found[value(node, "Id")] = kind, target
    return found


def related(links: dict[str, tuple[str, str]], kind: str) -> str:
    """The target of the first relationship of a kind, "" where there is none."""
    return next((target for one, target in links.values() if one == kind), "")


def with_properties(
    members: Members, content: Content, *, language: str = "", title_from_heading: bool = True
) -> Content:
    """The content with the title, author, date and language that the package names.

    A title that a person has given counts more than the one in the text, or its first heading.
    """
    part = related(relationships(members, ""), "core-properties") or "docProps/core.xml"
    texts = {local_name(node): node.text or "" for node in _elements(members.xml(part))}
    dates = (_DATE.match(texts.get(name, "")) for name in ("created", "modified"))
    about = Metadata(
        author=given_author(texts.get("creator")),
        date=next((found[0] for found in dates if found), ""),
        language=(texts.get("language") or language).strip().partition("-")[0].lower(),
        words=content.metadata.words,
    )
    headings = (
        content.text[block.start : block.end] for block in content.blocks if block.is_heading
    )
    title = given_title(texts.get("title")) or content.title
    if not title and title_from_heading:
        title = next(headings, "")
    return replace(content, title=title[:MAX_TITLE], metadata=about)


def _elements(root: Any) -> list[Any]:
    return [] if root is None else [node for node in root if isinstance(node.tag, str)]
