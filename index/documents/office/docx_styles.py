"""The styles of a Word document: what a paragraph is by its style, and which runs are hidden."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from index.documents.office.parts import (
    child,
    children,
    descendants,
    is_on,
    local_name,
    number,
    value,
)

# Built-in styles keep these names whatever language Word speaks; what else there is has a base.
_HEADING = re.compile(r"heading (\d)")
_CONTENTS = re.compile(
    r"toc (?:\d|heading)|contents (?:\d|heading)|table of (?:figures|authorities)"
)
_QUOTATION = re.compile(r"(?:intense )?quote|quotations|block ?(?:text|quote)")
_CODE = re.compile(
    r"(?:source |inline )?code.*|source text|preformatted text|html preformatted|macro"
)
_FIXED_WIDTH = re.compile(
    r".*\bmono\b.*|courier.*|consolas|menlo|monaco|lucida console|cascadia (?:code|mono)|.* code"
    r"|andale mono|fixedsys|terminal",
    re.IGNORECASE,
)
_DEPTH = 20  # of styles based on styles; they may be based on each other in a circle
BODY_TEXT = 9  # the outline level of what is no heading


@dataclass(frozen=True, slots=True)
class Style:
    """A style with what it takes from those that it is based on, nearest first in `names`."""

    names: tuple[str, ...] = ()
    outline: int | None = None
    numbering: Any = None
    bold: bool = False
    hidden: bool = False
    font: str = ""
    marks_first_row: bool = False

    @property
    def name(self) -> str:
        """Its own name, in small letters."""
        return self.names[0] if self.names else ""

    @property
    def is_contents(self) -> bool:
        """Whether it is that of a line of a table of contents."""
        return _CONTENTS.fullmatch(self.name) is not None

    @property
    def is_code(self) -> bool:
        """Whether it is one for code."""
        return any(map(_CODE.fullmatch, self.names))

    @property
    def is_quotation(self) -> bool:
        """Whether it is one for quotations."""
        return any(map(_QUOTATION.fullmatch, self.names))

    @property
    def heading_level(self) -> int:
        """The level of a heading, from 1; 0 for other paragraphs."""
        for name in self.names:
            if found := _HEADING.fullmatch(name):
                return int(found[1])
        return 0 if self.outline is None or self.outline >= BODY_TEXT else self.outline + 1


@dataclass(slots=True)
class Styles:
    """The styles of a document by their ids."""

    by_id: dict[str, Style] = field(default_factory=dict)
    default: Style = field(default_factory=Style)
    language: str = ""

    @classmethod
    def of(cls, root: Any) -> Styles:
        """The styles that a part defines; `root` may be None."""
        nodes = {value(node, "styleId"): node for node in children(root, "style")}
        defaults = child(root, "docDefaults", "rPrDefault", "rPr")
        base = Style(font=_font(defaults))
        made = cls(language=value(child(defaults, "lang")))
        made.by_id = {name: _resolve(node, nodes, base) for name, node in nodes.items()}
        made.default = next(
            (
                made.by_id[name]
                for name, node in nodes.items()
                if value(node, "type") == "paragraph" and value(node, "default") in ("1", "true")
            ),
            base,
        )
        return made

    def get(self, name: str) -> Style:
        """The style of that id; one that is not defined has its id as its name."""
        if not name:
            return self.default
        return self.by_id.get(name) or Style((re.sub(r"(?<=[a-z])(?=\d)", " ", name.lower()),))

    def of_run(self, name: str) -> Style:
        """The style of a run by its id, or one that changes nothing."""
        return self.by_id.get(name) or _NO_STYLE

    def is_code_font(self, font: str) -> bool:
        """Whether a font has a fixed width in a document that is not all written in such a one."""
        return is_fixed_width(font) and not is_fixed_width(self.default.font)


_NO_STYLE = Style()


def is_fixed_width(font: str) -> bool:
    """Whether all letters of a font have the same width, by its name."""
    return _FIXED_WIDTH.fullmatch(font) is not None


def font_of(properties: Any) -> str:
    """The font that the properties of a run name, "" where they name none."""
    return _font(properties)


def _font(properties: Any) -> str:
    fonts = child(properties, "rFonts")
    return value(fonts, "ascii") or value(fonts, "hAnsi")


def _resolve(node: Any, nodes: dict[str, Any], base: Style) -> Style:
    """A style with what it takes from its bases."""
    chain: list[Any] = []
    while node is not None and node not in chain and len(chain) < _DEPTH:
        chain.append(node)
        node = nodes.get(value(child(node, "basedOn")))

    def first(*path: str) -> Any:
        found = (child(one, *path) for one in chain)
        return next((one for one in found if one is not None), None)

    outline = first("pPr", "outlineLvl")
    fonts = (_font(child(one, "rPr")) for one in chain)
    return Style(
        names=tuple(value(child(one, "name")).lower() for one in chain),
        outline=None if outline is None else number(value(outline), BODY_TEXT),
        numbering=_numbering(chain),
        bold=is_on(first("rPr", "b")),
        hidden=is_on(first("rPr", "vanish")),
        font=next(filter(None, fonts), base.font),
        marks_first_row=any(
            value(part, "type") == "firstRow" and any(local_name(one) for one in part)
            for one in chain
            for part in descendants(one, "tblStylePr")
        ),
    )


def _numbering(chain: list[Any]) -> Any:
    found = (child(one, "pPr", "numPr") for one in chain)
    return next((one for one in found if one is not None), None)
