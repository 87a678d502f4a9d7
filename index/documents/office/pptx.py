"""The parts of a PowerPoint presentation in, its slides as pages out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from index.documents.blocks import BlockKind
from index.documents.builder import ContentBuilder
from index.documents.content import Content
from index.documents.members import Members
from index.documents.office.drawing import drawing_texts, paragraph_text
from index.documents.office.parts import (
    child,
    children,
    descendants,
    local_name,
    related,
    relationships,
    value,
    with_properties,
)
from index.documents.office.pptx_data import chart_rows, chart_title, diagram_texts, table_rows
from index.documents.office.pptx_lists import Levels, Lists
from index.documents.office.pptx_shapes import Layout, Shape, slide_shapes

_FOOTERS = ("dt", "ftr", "hdr")
_UNSEEN = ("sldNum", "sldImg")


def read_pptx(members: Members, name: str, main: Any) -> Content:
    """Read a presentation whose main part has that name and root: its slides, in their order.

    A hidden slide is an empty page, so that pages are numbered as slides are.
    """
    links = relationships(members, name)
    reader = _Reader(members, main)
    for node in children(child(main, "sldIdLst"), "sldId"):
        identity = next((v for k, v in node.attrib.items() if k.endswith("}id")), "")
        _, part = links.get(identity, ("", ""))
        reader.read(part)
    return with_properties(members, reader.finish())


class _Reader:
    """Writes slides one after the other, with what they have in common once at the end."""

    def __init__(self, members: Members, main: Any) -> None:
        self._members = members
        self._defaults = child(main, "defaultTextStyle")
        self._layouts: dict[str, Layout] = {}
        self._frame: dict[str, None] = {}  # footers and the text of masters, in order
        self._builder = ContentBuilder()
        self._has_heading = False

    def read(self, part: str) -> None:
        """Write a slide."""
        self._builder.page()
        root = self._members.xml(part) if part else None
        if root is None or value(root, "show") in ("0", "false"):
            return
        links = relationships(self._members, part)
        layout = self._layout(related(links, "slideLayout"))
        self._builder.end_section(1)
        for shape in slide_shapes(child(root, "cSld", "spTree"), layout):
            self._shape(shape, layout, links)
        notes = self._members.xml(related(links, "notesSlide"))
        for body in _notes(notes):
            for text in (paragraph_text(one) for one in children(body, "p")):
                self._builder.paragraph(text)

    def finish(self) -> Content:
        """What was written."""
        self._builder.end_section(1)
        for line in self._frame:
            self._builder.add(BlockKind.BOILERPLATE, line)
        return self._builder.build()

    def _layout(self, part: str) -> Layout:
        if part not in self._layouts:
            root = self._members.xml(part)
            master = self._members.xml(related(relationships(self._members, part), "slideMaster"))
            self._layouts[part] = Layout(root, master)
            for one in (master, root):
                for shape in slide_shapes(child(one, "cSld", "spTree"), Layout(None, None)):
                    if not shape.is_placeholder:
                        self._frame |= dict.fromkeys(drawing_texts(shape.node))
        return self._layouts[part]

    def _shape(self, shape: Shape, layout: Layout, links: dict[str, tuple[str, str]]) -> None:
        self._builder.end_list()
        if shape.kind in _UNSEEN:
            return
        if shape.kind in _FOOTERS:
            self._frame |= dict.fromkeys(drawing_texts(shape.node))
        elif shape.is_title:
            self._title(shape)
        elif local_name(shape.node) == "graphicFrame":
            self._graphic(shape.node, links)
        else:
            body = child(shape.node, "txBody")
            self._paragraphs(body, layout.levels(shape, body, self._defaults))

    def _title(self, shape: Shape) -> None:
        text = " ".join(drawing_texts(shape.node))
        if shape.kind == "ctrTitle" and not self._has_heading:
            self._builder.title(text)
        else:
            self._builder.heading(text, 1)
        self._has_heading |= bool(text)

    def _paragraphs(self, body: Any, levels: Sequence[Levels]) -> None:
        lists = Lists(levels)
        for paragraph in children(body, "p"):
            text = paragraph_text(paragraph)
            marker, depth = lists.next(paragraph, is_empty=not text)
            if marker is None:
                self._builder.paragraph(text)
            else:
                self._builder.list_item(text, depth=depth, marker=marker)

    def _graphic(self, node: Any, links: dict[str, tuple[str, str]]) -> None:
        """Write a table, a chart with its numbers, or the texts of a diagram."""
        for table in descendants(node, "tbl"):
            self._builder.table(table_rows(table))
        for chart in descendants(node, "chart"):
            root = self._linked(chart, "id", links)
            self._builder.add(BlockKind.CAPTION, chart_title(root))
            self._builder.table(chart_rows(root))
        for diagram in descendants(node, "relIds"):
            for text in diagram_texts(self._linked(diagram, "dm", links)):
                self._builder.paragraph(text)

    def _linked(self, node: Any, name: str, links: dict[str, tuple[str, str]]) -> Any:
        _, part = links.get(value(node, name), ("", ""))
        return self._members.xml(part) if part else None


def _notes(root: Any) -> Iterator[Any]:
    """The text of the notes of a slide, without its picture, number and footer."""
    for shape in descendants(root, "sp"):
        placeholder = child(shape, "nvSpPr", "nvPr", "ph")
        if value(placeholder, "type") == "body" and (body := child(shape, "txBody")) is not None:
            yield body
