"""The shapes of a slide in the order in which a person reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from index.documents.office.parts import child, descendants, local_name, number, value
from index.documents.office.pptx_lists import Levels

# Shapes whose upper edges differ by less than a quarter of an inch stand beside each other (in EMU).
BESIDE = 228_600

_TITLES = ("title", "ctrTitle")
_SHAPES = ("sp", "graphicFrame")
_GROUPS = ("grpSp", "AlternateContent", "Choice")
Position = tuple[int, int]  # from the left and from the top


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape; `kind` and `index` are those of the placeholder it fills, "" where it fills none."""

    node: Any
    is_placeholder: bool = False
    kind: str = ""
    index: str = ""
    position: Position | None = None

    @property
    def is_title(self) -> bool:
        """Whether it is the title of its slide."""
        return self.kind in _TITLES


class Layout:
    """The layout and the master of a slide: where its placeholders stand, and how they look."""

    def __init__(self, layout: Any, master: Any) -> None:
        """Take the roots of the two parts; either may be None."""
        self._layout = list(_shapes(child(layout, "cSld", "spTree")))
        self._master = list(_shapes(child(master, "cSld", "spTree")))
        self._styles = child(master, "txStyles")

    def position(self, shape: Shape) -> Position | None:
        """Where a shape stands: where it says, or its placeholder does."""
        places = [shape.position, *(one.position for one in self._models(shape))]
        return next((place for place in places if place is not None), None)

    def levels(self, shape: Shape, body: Any, defaults: Any) -> list[Levels]:
        """What the levels of a shape's lists look like, the nearest first."""
        nodes = [child(body, "lstStyle")]
        nodes += [child(one.node, "txBody", "lstStyle") for one in self._models(shape)]
        if shape.is_placeholder:
            of_body = shape.kind in ("", "body", "obj", "subTitle")
            nodes.append(child(self._styles, "bodyStyle" if of_body else "otherStyle"))
        nodes.append(defaults)
        return [Levels(node) for node in nodes if node is not None]

    def _models(self, shape: Shape) -> list[Shape]:
        """The placeholders of the layout and the master that a shape takes after."""
        if not shape.is_placeholder:
            return []
        found = [one for one in self._layout if one.is_placeholder and one.index == shape.index]
        found = [one for one in found if _family(one) == _family(shape)] or found
        family = _family(found[0] if found else shape)
        return found[:1] + [one for one in self._master if _family(one) == family][:1]


def slide_shapes(tree: Any, layout: Layout) -> Iterator[Shape]:
    """The title, then the other placeholders and shapes from top to bottom and left to right."""
    shapes = [replace(one, position=layout.position(one)) for one in _shapes(tree)]
    titles = [one for one in shapes if one.is_title]
    others = [one for one in shapes if not one.is_title]
    placed = [one for one in others if one.position is not None]
    # A shape that stands nowhere is read where the file has it.
    yield from titles
    yield from (one for one in others if one.position is None)
    yield from _in_reading_order(placed)


def _in_reading_order(shapes: list[Shape]) -> list[Shape]:
    rows: list[list[Shape]] = []
    for shape in sorted(shapes, key=_top):
        if rows and _top(shape) - _top(rows[-1][0]) < BESIDE:
            rows[-1].append(shape)
        else:
            rows.append([shape])
    return [shape for row in rows for shape in sorted(row, key=_left)]


def _left(shape: Shape) -> int:
    return shape.position[0] if shape.position else 0


def _top(shape: Shape) -> int:
    return shape.position[1] if shape.position else 0


def _shapes(tree: Any, offset: Position = (0, 0)) -> Iterator[Shape]:
    """The shapes below a node, those of groups at their place on the slide."""
    for node in () if tree is None else tree:
        name = local_name(node)
        if name in _SHAPES and not _is_hidden(node):
            yield _shape(node, offset)
        elif name in _GROUPS and not _is_hidden(node):
            yield from _shapes(node, _group_offset(node, offset))


def _shape(node: Any, offset: Position) -> Shape:
    placeholder = next(descendants(node[0], "ph"), None) if len(node) else None
    frame = child(node, "spPr", "xfrm") if local_name(node) == "sp" else child(node, "xfrm")
    place = child(frame, "off")
    position = None if place is None else (_at(place, "x", offset[0]), _at(place, "y", offset[1]))
    if placeholder is None:
        return Shape(node, position=position)
    return Shape(node, True, value(placeholder, "type"), value(placeholder, "idx", "0"), position)


def _group_offset(node: Any, offset: Position) -> Position:
    """How far the shapes of a group are moved; a group's own scale changes no order."""
    frame = child(node, "grpSpPr", "xfrm")
    place, inner = child(frame, "off"), child(frame, "chOff")
    if place is None or inner is None:
        return offset
    return (
        _at(place, "x", offset[0]) - number(value(inner, "x")),
        _at(place, "y", offset[1]) - number(value(inner, "y")),
    )


def _at(place: Any, name: str, offset: int) -> int:
    return number(value(place, name)) + offset


def _is_hidden(node: Any) -> bool:
    about = child(node[0], "cNvPr") if len(node) else None
    return value(about, "hidden") in ("1", "true")


def _family(shape: Shape) -> str:
    """The kind of placeholder that a master has for shapes of a kind."""
    if not shape.is_placeholder:
        return "none"
    return {"ctrTitle": "title", "": "body", "obj": "body", "subTitle": "body"}.get(
        shape.kind, shape.kind
    )
