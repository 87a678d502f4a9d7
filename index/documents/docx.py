"""The bytes of a Word document (.docx) in, its text and title out."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

from index.documents.content import Content, given_title, legible
from index.errors import DocumentError

# The most that any document inflates to; one that is all text stays far below. A zip can hold more
# in a few kilobytes than a machine has memory.
MAX_INFLATED = 50_000_000

_CONTENTS = re.compile(r"toc (?:\d|heading)")  # styles are named so whatever language Word speaks
_HEADING = re.compile(r"title|heading \d")
# Deleted or moved away, or written for programs that cannot show what stands beside it.
_UNSEEN = frozenset({"del", "moveFrom", "Fallback", "instrText", "pPr", "rPr", "rt"})
_SIGNS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}


def read_docx(data: bytes, source: str) -> Content:
    """Read a Word document: its paragraphs and its tables' rows, in order.

    Raises DocumentError where it is damaged, too large or something else in a zip file.
    """
    import lxml.etree

    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            parts = _parse(archive, source)
    except (
        zipfile.BadZipFile,
        zlib.error,
        lxml.etree.LxmlError,
        EOFError,
        OSError,
        RuntimeError,
        ValueError,
    ):
        raise DocumentError(
            f"'{source}' is a damaged Word document: let a word processor repair it and save it "
            "anew, or paste its text."
        ) from None
    main, styles, properties = parts
    names = {
        _value(style, "styleId"): _value(_child(style, "name"), "val").lower()
        for style in _named(styles, "style")
    }
    blocks = list(_blocks(main, names))
    title = given_title("".join(node.text or "" for node in _named(properties, "title")))
    headings = (text for style, text in blocks if _HEADING.fullmatch(style))
    return Content("\n\n".join(text for _, text in blocks), title or next(headings, ""))


def _parse(archive: zipfile.ZipFile, source: str) -> list[Any]:
    """The parts that hold the text, the names of the styles and the title; None for one it lacks."""
    import lxml.etree

    names = archive.namelist()
    # Some programs number the part: word/document2.xml.
    main = [name for name in names if re.fullmatch(r"word/document\d*\.xml", name)]
    if not main:
        raise DocumentError(
            f"'{source}' is a zip file and no Word document (.docx): unpack it, and open a file "
            "from it that is txt, md, html, pdf or docx."
        )
    parts = [main[0], "word/styles.xml", "docProps/core.xml"]
    present = [part for part in parts if part in names]
    if sum(archive.getinfo(part).file_size for part in present) > MAX_INFLATED:
        raise DocumentError(
            f"'{source}' would unpack to more than {MAX_INFLATED / 1e6:.0f} MB of text: split it "
            "and open a part."
        )
    parser = lxml.etree.XMLParser(resolve_entities=False, no_network=True)
    return [
        lxml.etree.fromstring(archive.read(part), parser) if part in present else None
        for part in parts
    ]


def _blocks(node: Any, styles: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The style's name and the text of each paragraph, and of each row of a table."""
    for child in node:
        name = _name(child)
        if name == "p":
            yield from _paragraph(child, styles)
        elif name == "tr":
            yield from _row(child, styles)
        elif name not in _UNSEEN:
            yield from _blocks(child, styles)


def _paragraph(node: Any, styles: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    settings = _child(node, "pPr")
    style = _value(_child(settings, "pStyle"), "val")
    style = styles.get(style, style.lower())
    if _CONTENTS.match(style):
        return
    words: list[str] = []
    boxes: list[Any] = []
    _gather(node, words, boxes)
    text = "".join(words).strip()
    numbering = _child(settings, "numPr")
    listed = numbering is not None and _value(_child(numbering, "numId"), "val") != "0"
    if text and not _HEADING.fullmatch(style) and (listed or style.startswith("list bullet")):
        text = f"• {text}"
    if text:
        yield style, text
    for box in boxes:
        yield from _blocks(box, styles)


def _gather(node: Any, words: list[str], boxes: list[Any]) -> None:
    """Collect the words of a paragraph, and the text boxes that hang on it."""
    for child in node:
        name = _name(child)
        if name == "t":
            words.append(legible(child.text or ""))
        elif name in _SIGNS:
            words.append(_SIGNS[name])
        elif name == "txbxContent":
            boxes.append(child)
        elif name not in _UNSEEN:
            _gather(child, words, boxes)


def _row(node: Any, styles: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """A row as one paragraph; or each of its paragraphs, where cells hold more than one."""
    cells = [list(_blocks(cell, styles)) for cell in _cells(node)]
    if all(len(cell) <= 1 for cell in cells):
        texts = [text for cell in cells for _, text in cell]
        if texts:
            yield "", " | ".join(texts)
    else:
        for cell in cells:
            yield from cell


def _cells(node: Any) -> Iterator[Any]:
    for child in node:
        if _name(child) == "tc":
            yield child
        elif _name(child) not in _UNSEEN:
            yield from _cells(child)


def _name(node: Any) -> str:
    """The name of an element without its namespace, which is another one in strict documents."""
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def _named(node: Any, name: str) -> list[Any]:
    return [] if node is None else [found for found in node.iter() if _name(found) == name]


def _child(node: Any, name: str) -> Any:
    return None if node is None else next((c for c in node if _name(c) == name), None)


def _value(node: Any, name: str) -> str:
    """An attribute, or nothing where there is none."""
    if node is None:
        return ""
    return next((v for k, v in node.attrib.items() if k.rpartition("}")[2] == name), "")
