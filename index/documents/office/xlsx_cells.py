"""The cells of a workbook as a person sees them: numbers by their formats, and shared texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, NamedTuple

from index.documents.cleaning import strip_invisible
from index.documents.office.number_format import BUILT_IN, format_number, general, is_date_format
from index.documents.office.parts import child, children, is_on, local_name, number, value

_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
# A whole number without a format may be a year, which heads a column as a word does.
_FIRST_YEAR, _LAST_YEAR = 1800, 2200


class SheetCell(NamedTuple):
    """A cell that shows something; `kind` is text, number, year or date."""

    text: str
    kind: str
    is_bold: bool = False


@dataclass(frozen=True, slots=True)
class Formats:
    """The number format and whether the font is bold, by the number of a cell's style."""

    codes: Sequence[str] = ()
    bold: Sequence[bool] = ()
    date_1904: bool = False

    @classmethod
    def of(cls, root: Any, *, date_1904: bool) -> Formats:
        """The formats that the part of styles defines; `root` may be None."""
        own = {
            number(value(node, "numFmtId")): value(node, "formatCode")
            for node in children(child(root, "numFmts"), "numFmt")
        }
        fonts = [is_on(child(node, "b")) for node in children(child(root, "fonts"), "font")]
        codes, bold = [], []
        for node in children(child(root, "cellXfs"), "xf"):
            identity = number(value(node, "numFmtId"))
            codes.append(own.get(identity) or BUILT_IN.get(identity, "General"))
            font = number(value(node, "fontId"))
            bold.append(0 <= font < len(fonts) and fonts[font])
        return cls(codes, bold, date_1904)

    def is_bold(self, style: int) -> bool:
        """Whether cells of a style are bold."""
        return 0 <= style < len(self.bold) and self.bold[style]

    def shown(self, amount: float, style: int) -> SheetCell:
        """A number as a cell of that style shows it."""
        code = self.codes[style] if 0 <= style < len(self.codes) else "General"
        bold = self.is_bold(style)
        if code == "General":
            is_year = amount == int(amount) and _FIRST_YEAR <= amount <= _LAST_YEAR
            kind = "year" if is_year else "number"
            return SheetCell(general(amount), kind, bold)
        kind = "date" if is_date_format(code) else "number"
        return SheetCell(format_number(amount, code, date_1904=self.date_1904), kind, bold)


def shared_strings(data: bytes) -> list[str]:
    """The texts that cells refer to by number."""
    return [string_of(node) for node in parse_elements(data, "si")]


def string_of(node: Any) -> str:
    """The text of a string, with its runs and without its readings."""
    texts = []
    for one in node:
        name = local_name(one)
        if name == "t":
            texts.append(one.text or "")
        elif name == "r":
            texts += [part.text or "" for part in children(one, "t")]
    return unescape("".join(texts))


def unescape(text: str) -> str:
    """The text with the characters that XML cannot have, which Excel writes as _x000D_."""
    if "_x" in text:
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return strip_invisible(text.replace("\r\n", "\n").replace("\r", "\n"))


def read_cell(node: Any, strings: Sequence[str], formats: Formats) -> SheetCell | None:
    """A cell as it is shown; a formula as its last result, or else as it was typed."""
    kind = node.get("t") or "n"
    style = number(node.get("s") or "0")
    parts = {local_name(one): one for one in node}
    if "is" in parts:
        return SheetCell(string_of(parts["is"]), "text", formats.is_bold(style))
    shown = parts["v"].text if "v" in parts else None
    if shown is None:
        formula = parts["f"].text if "f" in parts and kind != "str" else None
        return SheetCell(f"={formula}", "text") if formula else None
    if kind == "n":
        try:
            return formats.shown(float(shown), style)
        except (ValueError, OverflowError):  # no number, or an infinite one
            return SheetCell(shown, "text")
    if kind == "b":
        return SheetCell("TRUE" if shown.strip() == "1" else "FALSE", "number")
    if kind == "d":
        return SheetCell(shown.removesuffix("T00:00:00"), "date")
    if kind == "s":
        at = number(shown, -1)
        shown = strings[at] if 0 <= at < len(strings) else ""
    return SheetCell(unescape(shown), "text", formats.is_bold(style))


def parse_elements(data: bytes, *names: str) -> Iterator[Any]:
    """The elements of these names, each dropped after it was used."""
    import lxml.etree

    found = lxml.etree.iterparse(
        BytesIO(data),
        events=("end",),
        tag=[f"{{*}}{name}" for name in names],
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
    )
    for _, node in found:
        yield node
        node.clear()
        while node.getprevious() is not None:
            del node.getparent()[0]
