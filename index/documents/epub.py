"""The members of an EPUB book in, its chapters in the order of the spine out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from index.documents.builder import ContentBuilder
from index.documents.cleaning import given_author, given_title
from index.documents.content import Content, Metadata
from index.documents.html.reader import add_html
from index.documents.members import Members, check_tags
from index.documents.office.parts import child, children, descendants, local_name, value
from index.errors import DocumentError

CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
# Fonts may be scrambled in a book that anyone can read.
_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")
# Parts of the reading program: a picture of the cover, and lists of links that the book has anyway.
_GUIDES = frozenset({"cover", "toc", "loi", "lot", "landmarks", "page-list"})
_DATE = re.compile(r"\d{4}(?:-\d{2}){0,2}")
_HEADINGS = tuple(f"h{level}" for level in range(1, 7))


@dataclass(slots=True)
class _Book:
    """What a package says: its pages in order, which of them are lists of links, and their titles."""

    pages: list[str] = field(default_factory=list)
    guides: set[str] = field(default_factory=set)
    titles: dict[str, str] = field(default_factory=dict)
    title: str = ""
    metadata: Metadata = field(default_factory=Metadata)


def read_epub(members: Members) -> Content:
    """Read a book; raises DocumentError where it is encrypted or is not whole."""
    _check_encryption(members)
    book = _read_package(members)
    if not book.pages:
        raise DocumentError(
            f"'{members.source}' is a damaged EPUB book: repair it with the program that made it and "
            "save it again, or paste its text."
        )
    builder = ContentBuilder()
    for name in book.pages:
        if name in book.guides:
            continue
        data = members.read(name)
        check_tags(data, members.source)
        builder.end_list()
        page = _prepare(_decode(data), book.titles.get(name, ""))
        add_html(builder, page, members.source)
    return builder.build(title=book.title, metadata=book.metadata)


def _check_encryption(members: Members) -> None:
    for node in descendants(members.xml(_ENCRYPTION), "EncryptedData"):
        algorithm = value(child(node, "EncryptionMethod"), "Algorithm")
        if algorithm not in _FONTS:
            raise DocumentError(
                f"'{members.source}' is a book with copy protection (DRM), which only its own reading "
                "program can open: open a copy without it."
            )


def _read_package(members: Members) -> _Book:
    """What the package of the book says, which its container names."""
    roots = descendants(members.xml(CONTAINER), "rootfile")
    name = next((value(node, "full-path") for node in roots if value(node, "full-path")), "")
    root = members.xml(unquote(name))
    book = _Book()
    if root is None:
        return book
    items = {
        value(node, "id"): (
            members.resolve(name, unquote(value(node, "href"))),
            value(node, "media-type").lower(),
            value(node, "properties").split(),
        )
        for node in children(child(root, "manifest"), "item")
    }
    spine = child(root, "spine")
    for reference in children(spine, "itemref"):
        part, media_type, properties = items.get(value(reference, "idref"), ("", "", []))
        if part and media_type in _PAGES and part not in book.pages:
            book.pages.append(part)
            if "nav" in properties:
                book.guides.add(part)
    for node in children(child(root, "guide"), "reference"):
        if value(node, "type").lower() in _GUIDES:
            book.guides.add(members.resolve(name, unquote(value(node, "href"))))
    navigation = [part for part, _, properties in items.values() if "nav" in properties]
    contents = items.get(value(spine, "toc"), ("", "", []))[0]
    ncx = [part for part, media_type, _ in items.values() if media_type.endswith("dtbncx+xml")]
    for part in (*navigation, contents, *ncx):
        for target, title in _contents(members, part):
            book.titles.setdefault(target, title)
    # A page that is all of the book is no cover, whatever it is called.
    if book.guides.issuperset(book.pages):
        book.guides.clear()
    _take_metadata(child(root, "metadata"), book)
    return book


def _contents(members: Members, part: str) -> Iterator[tuple[str, str]]:
    """The pages that a table of contents leads to, with their titles."""
    root = members.xml(part) if part else None
    for node in () if root is None else root.iter():
        name = local_name(node)
        if name == "navPoint":
            text = "".join(next(descendants(child(node, "navLabel"), "text"), node).itertext())
            href = value(child(node, "content"), "src")
        elif name == "a" and _is_in_contents(node):
            text, href = "".join(node.itertext()), value(node, "href")
        else:
            continue
        target = members.resolve(part, unquote(href))
        if target and text.strip():
            yield target, " ".join(text.split())


def _is_in_contents(link: Any) -> bool:
    """Whether a link is in the table of contents, and not in a list of landmarks or pages."""
    above = (node for node in link.iterancestors() if local_name(node) == "nav")
    return all("toc" in value(node, "type").split() for node in above)


def _take_metadata(node: Any, book: _Book) -> None:
    texts: dict[str, list[str]] = {}
    for one in () if node is None else node.iter():
        text = " ".join((one.text or "").split()) if isinstance(one.tag, str) else ""
        if text:
            texts.setdefault(local_name(one), []).append(text)
    dates = (_DATE.match(text) for text in texts.get("date", []))
    book.title = given_title(next(iter(texts.get("title", [])), ""))
    book.metadata = Metadata(
        author=given_author(", ".join(dict.fromkeys(texts.get("creator", [])))),
        date=next((found[0] for found in dates if found), ""),
        language=next(iter(texts.get("language", [])), "").partition("-")[0].lower(),
    )


def _decode(data: bytes) -> str:
    """The text of a page, which is in UTF-8 or has a byte order mark, as the format demands."""
    marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    return data.decode("utf-16" if marked else "utf-8-sig", "replace")


def _prepare(page: str, title: str) -> str:
    """The page without the marks of its notes, and with a heading where the contents have its title.

    A page that has no heading of its own gets the element that says no more than the title as one, or
    else a new one in front of its text.
    """
    import lxml.etree
    import lxml.html

    parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=True)
    try:
        tree = lxml.html.document_fromstring(page.encode(), parser)
    except lxml.etree.ParserError:  # nothing in it
        return ""
    body = tree.find("body")
    if body is None:
        return page
    for link in [node for node in body.iter("a") if "noteref" in (node.get("epub:type") or "")]:
        mark = link.getparent() if link.getparent().tag == "sup" else link
        mark.drop_tree()
    # A page without a text has a picture.
    if title and body.text_content().strip() and next(body.iter(*_HEADINGS), None) is None:
        _add_heading(body, title)
    return str(lxml.html.tostring(tree, encoding="unicode"))


def _add_heading(body: Any, title: str) -> None:
    said = title.casefold()
    for node in body.iter("p", "div"):
        if " ".join(node.text_content().split()).casefold() == said:
            node.tag = "h1"
            return
    heading = body.makeelement("h1")
    heading.text = title
    heading.tail, body.text = body.text, None
    body.insert(0, heading)
