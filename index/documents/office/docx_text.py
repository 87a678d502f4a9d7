"""The words of a Word paragraph as a person sees them, from its runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from index.documents.cleaning import strip_invisible
from index.documents.office.docx_styles import Styles, font_of
from index.documents.office.parts import child, is_on, local_name, value
from index.documents.office.symbols import symbol

# Stands for a page number, which differs from page to page.
PAGE_NUMBER = "\x00"
# Deleted or moved away, written for programs that cannot show what stands beside it, and readings.
_UNSEEN = frozenset({"del", "moveFrom", "Fallback", "pPr", "rPr", "tcPr", "rt"})
_HANGING = frozenset({"footnoteReference", "endnoteReference", "txbxContent"})
_FIELDS = frozenset({"fldChar", "instrText"})
_HEXADECIMAL = re.compile("[0-9A-Fa-f]{1,4}")
_PAGE_FIELDS = ("PAGE", "NUMPAGES", "SECTIONPAGES")
_BREAKS_OF_PAGES = ("page", "column")


@dataclass(slots=True)
class ParagraphText:
    """What a paragraph shows, and what hangs on it.

    `notes` are the part ("footnote" or "endnote"), the id and the own mark of each note. `bold` and
    `fixed` say whether all of its words are bold and in a fixed width.
    """

    words: list[str] = field(default_factory=list)
    notes: list[tuple[str, str, str]] = field(default_factory=list)
    boxes: list[Any] = field(default_factory=list)
    bold: bool = True
    fixed: bool = True

    @property
    def text(self) -> str:
        """Its text, without page numbers."""
        return "".join(self.words).replace(PAGE_NUMBER, "").strip()

    @property
    def code(self) -> str:
        """Its text with the spaces in front of it."""
        return "".join(self.words).replace(PAGE_NUMBER, "").rstrip()


class TextReader:
    """Reads the words of paragraphs; knows the styles of the document."""

    def __init__(self, styles: Styles) -> None:
        """Read with these styles."""
        self._styles = styles

    def read(self, paragraph: Any) -> ParagraphText:
        """The words of a paragraph and what hangs on it."""
        style = self._styles.get(value(child(paragraph, "pPr", "pStyle")))
        walk = _Walk(self._styles)
        walk.gather(paragraph, style.bold, style.font)
        return walk.found


@dataclass(slots=True)
class _Field:
    """A field that is open: its instructions, and whether what follows is its result."""

    instructions: str = ""
    is_shown: bool = False


class _Walk:
    """Collects the words of one paragraph."""

    def __init__(self, styles: Styles) -> None:
        self.found = ParagraphText()
        self._styles = styles
        self._fields: list[_Field] = []

    def gather(self, node: Any, bold: bool, font: str) -> None:
        """Collect what is below a node, of a paragraph or run that is bold and of that font."""
        for one in node:
            name = local_name(one)
            if name == "r":
                self._run(one, bold, font)
            elif name in _WORDS:
                self._add(_WORDS[name](one))
            elif name in _HANGING:
                self._hang(one, name)
            elif name in _FIELDS:
                self._field(one, name)
            elif name == "fldSimple":
                self._fields.append(_Field(value(one, "instr"), is_shown=True))
                self.gather(one, bold, font)
                self._fields.pop()
            elif name == "f":
                self._fraction(one, bold, font)
            elif name not in _UNSEEN:
                self.gather(one, bold, font)

    def _run(self, run: Any, bold: bool, font: str) -> None:
        properties = child(run, "rPr")
        style = self._styles.of_run(value(child(properties, "rStyle")))
        own_bold, vanish = child(properties, "b"), child(properties, "vanish")
        if is_on(vanish) if vanish is not None else style.hidden:
            return
        bold = is_on(own_bold) if own_bold is not None else bold or style.bold
        font = font_of(properties) or style.font or font
        before = len(self.found.words)
        self.gather(run, bold, font)
        if any(word.strip() for word in self.found.words[before:]):
            self.found.bold &= bold
            self.found.fixed &= self._styles.is_code_font(font)

    def _add(self, word: str) -> None:
        """Add a word, unless it is in a field's instructions or is a page number."""
        if all(field.is_shown for field in self._fields):
            in_page_field = any(_is_page_field(field.instructions) for field in self._fields)
            self.found.words.append(PAGE_NUMBER if in_page_field else word)

    def _hang(self, node: Any, name: str) -> None:
        """Keep a text box, or the reference to a note."""
        if name == "txbxContent":
            self.found.boxes.append(node)
        else:
            kind = name.removesuffix("Reference")
            self.found.notes.append((kind, value(node, "id"), _own_mark(node)))

    def _field(self, node: Any, name: str) -> None:
        """Follow where a field begins, where its result does, and where it ends."""
        kind = value(node, "fldCharType")
        if name == "instrText":
            if self._fields:
                self._fields[-1].instructions += node.text or ""
        elif kind == "begin":
            self._fields.append(_Field())
        elif kind == "separate" and self._fields:
            self._fields[-1].is_shown = True
        elif kind == "end" and self._fields:
            self._fields.pop()

    def _fraction(self, node: Any, bold: bool, font: str) -> None:
        """Collect a fraction of a formula, with a stroke between its halves."""
        for half in ("num", "den"):
            if half == "den":
                self._add("/")
            if (part := child(node, half)) is not None:
                self.gather(part, bold, font)


def _break(node: Any) -> str:
    return "" if value(node, "type") in _BREAKS_OF_PAGES else "\n"


def _symbol(node: Any) -> str:
    code = value(node, "char")
    return symbol(int(code, 16), value(node, "font")) if _HEXADECIMAL.fullmatch(code) else ""


def _is_page_field(instructions: str) -> bool:
    words = instructions.split()
    return bool(words) and words[0].upper() in _PAGE_FIELDS


def _own_mark(reference: Any) -> str:
    """The mark that the document gives a note in place of a number, "" where it is counted."""
    if value(reference, "customMarkFollows") not in ("1", "true", "on"):
        return ""
    following = reference.getnext()
    return (following.text or "").strip() if local_name(following) == "t" else ""


# What shows words, by its name.
_WORDS: dict[str, Callable[[Any], str]] = {
    "t": lambda node: strip_invisible(node.text or ""),
    "tab": lambda _: "\t",
    "ptab": lambda _: "\t",
    "cr": lambda _: "\n",
    "noBreakHyphen": lambda _: "-",
    "br": _break,
    "sym": _symbol,
}
