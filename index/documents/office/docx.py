"""The parts of a Word document in, its blocks out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from index.documents.blocks import BlockKind
from index.documents.content import Content
from index.documents.members import Members
from index.documents.office.docx_drafts import Draft, TableDraft, write_drafts
from index.documents.office.docx_numbering import Numbering, in_form
from index.documents.office.docx_styles import BODY_TEXT, Style, Styles
from index.documents.office.docx_table import is_layout, table_cells, table_rows
from index.documents.office.docx_text import PAGE_NUMBER, ParagraphText, TextReader
from index.documents.office.parts import (
    child,
    descendants,
    is_on,
    local_name,
    number,
    related,
    relationships,
    value,
    with_properties,
)

# More words than this are a paragraph, whatever outline level they were given.
MAX_HEADING = 300

_TYPED_BULLET = re.compile(r"([•◦▪‣●■])\s*(?=\S)|([–—*-]|\(?(?:\d{1,3}|[a-z])[.)])\t\s*(?=\S)")
_CONTENTS_GALLERY = "table of contents"
_NOTE_FORMS = {"footnote": "decimal", "endnote": "lowerRoman"}
_SKIPPED = frozenset({"del", "moveFrom", "Fallback", "sectPr", "tblPr", "tblGrid", "tcPr", "trPr"})


def read_docx(members: Members, name: str, main: Any) -> Content:
    """Read a Word document whose main part has that name and root; its parts may be missing."""
    links = relationships(members, name)

    def part(kind: str) -> Any:
        return members.xml(related(links, kind) or f"word/{kind}.xml")

    styles = Styles.of(part("styles"))
    reader = _Reader(styles, Numbering.of(part("numbering")))
    frame = _running_text(
        members, links, main, reader, is_on(child(part("settings"), "evenAndOddHeaders"))
    )
    notes = {kind: _notes(part(f"{kind}s"), kind) for kind in _NOTE_FORMS}
    body = child(main, "body")
    drafts = [] if body is None else list(reader.blocks(body))

    counts = dict.fromkeys(_NOTE_FORMS, 0)

    def note(kind: str, identity: str, mark: str) -> list[Draft]:
        if not mark:
            counts[kind] += 1
            mark = in_form(counts[kind], _NOTE_FORMS[kind])
        node = notes[kind].get(identity)
        found = [] if node is None else [d for d in reader.blocks(node) if isinstance(d, Draft)]
        return [
            Draft(BlockKind.LIST_ITEM, draft.text, marker="" if follows else mark)
            for follows, draft in enumerate(draft for draft in found if draft.text)
        ]

    return with_properties(members, write_drafts(drafts, note, *frame), language=styles.language)


class _Reader:
    """Reads paragraphs and tables in the order of the document, which their numbers depend on."""

    def __init__(self, styles: Styles, numbering: Numbering) -> None:
        self._styles = styles
        self._numbering = numbering
        self.text_reader = TextReader(styles)
        self._before: ParagraphText | None = None  # goes in front of the next paragraph
        self._listed: Draft | None = None  # the block before, where it is an item of a list

    def blocks(self, node: Any) -> Iterator[Draft | TableDraft]:
        """The blocks below a node."""
        for one in node:
            name = local_name(one)
            if name == "p":
                yield from self._paragraph(one)
            elif name == "tbl":
                self._listed = None
                yield from self._table(one)
            elif name == "sdt" and _is_contents(one):
                continue
            elif name not in _SKIPPED:
                yield from self.blocks(one)

    def _paragraph(self, node: Any) -> Iterator[Draft | TableDraft]:
        settings = child(node, "pPr")
        style_id = value(child(settings, "pStyle"))
        style = self._styles.get(style_id)
        if style.is_contents:
            return
        found = self.text_reader.read(node)
        deleted_end = child(settings, "rPr", "del") is not None
        is_initial = value(child(settings, "framePr"), "dropCap") in ("drop", "margin")
        if self._before is not None:
            found.words[:0] = self._before.words
            found.notes[:0] = self._before.notes
            found.boxes[:0] = self._before.boxes
            self._before = None
        if deleted_end or (is_initial and found.text):
            self._before = found
            return
        draft = self._draft(settings, style, found)
        if draft is not None:
            in_list = draft.kind is BlockKind.LIST_ITEM
            self._listed = draft if in_list else None
            yield replace(draft, notes=tuple(found.notes))
        for box in found.boxes:
            self._listed = None
            yield from self.blocks(box)

    def _draft(self, settings: Any, style: Style, found: ParagraphText) -> Draft | None:
        """The paragraph as a block, None where it is empty."""
        text = found.text
        marker, depth, list_id = self._number(settings, style)
        if not text:
            return Draft(BlockKind.CODE, "") if style.is_code else None
        is_long = len(text) > MAX_HEADING
        if style.name == "title" and not is_long:
            return Draft(BlockKind.TITLE, text)
        level = _outline_level(settings, style)
        if level and not is_long:
            numbered = marker and any(map(str.isalnum, marker))
            return Draft(BlockKind.HEADING, f"{marker} {text}" if numbered else text, level)
        if marker is not None:
            return Draft(BlockKind.LIST_ITEM, text, depth, marker, list_id)
        if "caption" in style.names:
            return Draft(BlockKind.CAPTION, text)
        if style.is_quotation:
            return Draft(BlockKind.QUOTATION, text)
        if style.is_code or found.fixed:
            return Draft(BlockKind.CODE, found.code)
        if typed := _TYPED_BULLET.match(text):
            marker = (typed[1] or typed[2]).strip()
            return Draft(BlockKind.LIST_ITEM, text[typed.end() :], depth, marker)
        listed = self._listed
        if listed is not None and style.name.startswith(("list continue", "list paragraph")):
            return Draft(BlockKind.LIST_ITEM, text, listed.level, "", listed.list_id)
        return Draft(BlockKind.PARAGRAPH, text, bold=found.bold)

    def _number(self, settings: Any, style: Style) -> tuple[str | None, int, str]:
        """The marker of a paragraph, None where it is in no list; its depth, and its list."""
        own, of_style = child(settings, "numPr"), style.numbering
        identity = value(child(own, "numId")) or value(child(of_style, "numId"))
        depth = number(value(child(own, "ilvl")) or value(child(of_style, "ilvl")))
        if identity == "0":
            return None, 0, ""
        marker = self._numbering.next(identity, depth) if identity else None
        if marker is None and style.name.startswith("list bullet"):
            marker = "•"
        return marker, max(0, depth), identity

    def _table(self, node: Any) -> Iterator[Draft | TableDraft]:
        rows = list(table_rows(node))
        contents = [
            [[*self.blocks(cell.node)] if cell.node is not None else [] for cell in row.cells]
            for row in rows
        ]
        style = self._styles.get(value(child(node, "tblPr", "tblStyle")))
        look = child(node, "tblPr", "tblLook")
        first = value(look, "firstRow")
        heads_first = (
            first in ("1", "true") if first else bool(int(value(look) or "0", 16) & 0x20)
        ) and style.marks_first_row
        if is_layout(rows, contents):
            for row in contents:
                for cell in row:
                    yield from cell
        else:
            yield table_cells(rows, contents, heads_first=heads_first)


def _outline_level(settings: Any, style: Style) -> int:
    """The level of a heading, from 1; 0 for other paragraphs."""
    own = child(settings, "outlineLvl")
    if own is not None:
        level = number(value(own), BODY_TEXT)
        return level + 1 if 0 <= level < BODY_TEXT else 0
    return style.heading_level


def _is_contents(node: Any) -> bool:
    gallery = child(node, "sdtPr", "docPartObj", "docPartGallery")
    return value(gallery).lower() == _CONTENTS_GALLERY


def _notes(root: Any, kind: str) -> dict[str, Any]:
    """The notes of a part by their ids, without the lines that part them from the text."""
    return {
        value(node, "id"): node
        for node in descendants(root, kind)
        if value(node, "type") in ("", "normal")
    }


def _running_text(
    members: Members, links: dict[str, tuple[str, str]], main: Any, reader: _Reader, even: bool
) -> tuple[list[str], list[str]]:
    """What stands above and below every page, each once, without the page's number."""
    found: dict[str, dict[str, None]] = {"header": {}, "footer": {}}
    for section in descendants(main, "sectPr"):
        for reference in section:
            name, kind = local_name(reference), value(reference, "type")
            where = name.removesuffix("Reference")
            shown = {"first": is_on(child(section, "titlePg")), "even": even}.get(kind, True)
            _, part = links.get(value(reference, "id"), ("", ""))
            if where not in found or name == where or not shown or not part:
                continue
            for paragraph in descendants(members.xml(part), "p"):
                words = "".join(reader.text_reader.read(paragraph).words)
                pieces = re.split(r"[\t\n]", words)
                line = "\t".join(p.strip() for p in pieces if p.strip() and PAGE_NUMBER not in p)
                if line:
                    found[where][line] = None
    return list(found["header"]), list(found["footer"])
