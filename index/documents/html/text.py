"""The text of a page's elements as a browser shows it: white space, line ends, scripts and marks."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from index.documents.cleaning import strip_invisible

# Elements that stand on lines of their own.
BLOCK_TAGS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details"}
    | {"dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "html", "legend", "li"}
    | {"listing", "main", "menu", "nav", "ol", "p", "plaintext", "pre", "search", "section"}
    | {"summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul", "xmp"}
)
PRE_TAGS = frozenset({"pre", "listing", "xmp", "plaintext"})
HEADING_TAGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})

_SPOKEN = frozenset({"rt", "rp"})  # how the word in front of it is spoken

# A share of a block's text, from which on the block is taken for a list of links.
MOST = 0.9
# Fewer words in place of an image name it, and say nothing that a reader looks for.
MIN_ALT_WORDS = 3
# Fewer words in a <pre> are a line of a program's output as often as a sentence.
MIN_PROSE_WORDS = 8

_SPACES = re.compile(r"[ \t\r\n\f]+")
_BEGINS_PROSE = re.compile(r"[\w\"'“‘«(]")
_EMPTY_LINES = re.compile(r"\n[ \t\r]*\n\s*")
_RUN = re.compile(r" {2,}")
_LINE_ENDS = re.compile(r" *\n *")
_PARAGRAPH_END = re.compile(r"\n{2,}")
# What pages put after a heading, to link to it, and at a note, to link back to its mark.
_PERMALINK = re.compile(r"\s*[¶§#🔗∞^↑↩]\ufe0e?\s*")
_RAISED = re.compile(r"[+\-−]?[0-9]+|[a-pr-z]")
_SUPERSCRIPT = str.maketrans(
    "0123456789+-−abcdefghijklmnoprstuvwxyz", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ"
)
_INLINE_IMAGE = re.compile(r"\b(?:math|tex|latex|emoji|emoticon|smiley|icon)", re.IGNORECASE)
_FILE_NAME = re.compile(r"\S+\.(?:png|jpe?g|gif|svg|webp|bmp|tiff?)", re.IGNORECASE)


class TextBuffer:
    """Collect the inline text of a block, and give it as the paragraphs that a browser shows."""

    def __init__(self) -> None:
        """Start with no text."""
        self._parts: list[str] = []
        self._links: list[Any] = []  # open ones that lead elsewhere
        self._length = self._linked = self._count = 0

    def add(self, text: str | None) -> None:
        """Add text in which white space is a space."""
        if text:
            flowing = _SPACES.sub(" ", strip_invisible(text))
            self._parts.append(flowing)
            size = len(flowing.strip())
            self._length += size
            self._linked += size if self._links else 0

    def start(self, node: Any) -> bool:
        """Add what an inline element shows in front of its content; whether to go into it."""
        tag = node.tag
        if tag == "br":
            self._parts.append("\n")
        elif tag == "img":
            self.add(_inline_alt(node))
        elif tag == "math":
            self.add(_formula(node))
        elif tag == "script":  # MathJax; other scripts were taken away
            self.add(node.text)
        elif tag == "sup" and (raised := _raised(node, "".join(self._parts[-1:]))):
            self.add(raised)
        elif tag in _SPOKEN or (tag == "a" and _is_permalink(node)):
            pass
        else:
            if tag == "a" and not (node.get("href") or "#").startswith("#"):
                self._links.append(node)
                self._count += 1
            if tag == "q":
                self._parts.append("“")
            return True
        return False

    def end(self, node: Any) -> None:
        """Add what an inline element shows after its content."""
        if self._links and self._links[-1] is node:
            self._links.pop()
        if node.tag == "q":
            self._parts.append("”")
        elif node.tag == "cite" and next(node.iterancestors("blockquote"), None) is not None:
            # Who is quoted stands above the words or below them.
            self._parts.append("\n")

    def take(self) -> tuple[list[str], int]:
        """The paragraphs collected, and how many links they are if nothing else; start anew."""
        text = _LINE_ENDS.sub("\n", _RUN.sub(" ", "".join(self._parts)))
        links = self._count if self._linked > MOST * self._length else 0
        self._parts.clear()
        self._length = self._linked = self._count = 0
        parts = (part.strip(" \n") for part in _PARAGRAPH_END.split(text))
        return [part for part in parts if part.strip()], links


def text_blocks(root: Any, *, without: Collection[str] = ()) -> Iterator[str]:
    """The texts of the blocks in an element, without what is in elements of some tags."""
    import lxml.etree

    buffer = TextBuffer()
    if not len(root):  # as most cells of a table
        buffer.add(root.text)
        yield from buffer.take()[0]
        return
    events = lxml.etree.iterwalk(root, events=("start", "end"))
    for event, node in events:
        is_block = node.tag in BLOCK_TAGS
        if is_block:
            yield from buffer.take()[0]
        if event == "end":
            if not is_block:
                buffer.end(node)
            buffer.add(node.tail if node is not root else None)
        elif (node is not root and node.tag in without) or not (is_block or buffer.start(node)):
            events.skip_subtree()
        else:
            buffer.add(node.text)
    yield from buffer.take()[0]


def one_line(node: Any, *, without: Collection[str] = ()) -> str:
    """The text of an element on one line; what is in place of its images if it has no other."""
    text = " ".join(" ".join(text_blocks(node, without=without)).split())
    return text or " ".join(filter(None, (_alt(image) for image in node.iter("img"))))


def preformatted(node: Any) -> str:
    """The text of an element whose white space counts, with its line ends and tabs."""
    import lxml.etree

    parts: list[str] = []
    for event, child in lxml.etree.iterwalk(node, events=("start", "end")):
        if child is not node and (
            (child.tag == "br" and event == "start")
            or (child.tag in BLOCK_TAGS and parts and not parts[-1].endswith("\n"))
        ):
            parts.append("\n")
        words = child.text if event == "start" else child.tail if child is not node else None
        if words:
            parts.append(strip_invisible(words))
    return "".join(parts).strip("\r\n")


def prose_of(text: str) -> list[str]:
    """The paragraphs of a text whose white space counts, if it is prose all the same, as in a letter.

    Nothing where most of it is anything else, such as a program, a table or verse.
    """
    parts = [part for part in _EMPTY_LINES.split(text) if part.strip()]
    prose = sum(len(part) for part in parts if _is_prose(part))
    if 2 * prose < len(text):
        return []
    return [_SPACES.sub(" ", part) if _is_prose(part) else part for part in parts]


def _is_prose(part: str) -> bool:
    lines = part.strip().split("\n")
    letters = sum(char.isalpha() or char in " ,.'’" for char in part if char != "\n")
    return (
        lines[-1].rstrip().endswith((".", "!", "?", ":"))
        and len(part.split()) >= MIN_PROSE_WORDS
        and letters >= MOST * (len(part) - len(lines) + 1)
        and not any("  " in line or not _BEGINS_PROSE.match(line) for line in lines)
    )


def caption_of(image: Any) -> str:
    """What stands in place of an image, where that says something; "" where it only names it."""
    alt = _alt(image)
    says_something = len(alt.split()) >= MIN_ALT_WORDS or (not alt.isascii() and len(alt) > 5)
    return alt if says_something and not _FILE_NAME.fullmatch(alt) else ""


def _alt(image: Any) -> str:
    return " ".join(strip_invisible(image.get("alt") or "").split())


def _inline_alt(image: Any) -> str:
    """What stands in place of an image that is part of a sentence: a formula or a sign."""
    alt = _alt(image)
    is_sign = 0 < len(alt) <= 2 and not alt.isascii()
    return alt if is_sign or _INLINE_IMAGE.search(image.get("class") or "") else ""


def _formula(node: Any) -> str:
    """A formula as TeX where the page has it so, or its signs one after the other."""
    if alt := node.get("alttext"):
        return str(alt)
    for annotation in node.iter("annotation"):
        if "tex" in (annotation.get("encoding") or "").lower() and annotation.text:
            return str(annotation.text)
    return " ".join("".join(node.itertext()).split())


def _raised(node: Any, before: str) -> str:
    """A number or a letter above the line: the exponent of "m²", or the mark of a note.

    On the line it would be part of what is in front of it.
    """
    text = "".join(node.itertext()).strip()
    if not before[-1:].isalnum() or not _RAISED.fullmatch(text):
        return ""
    return text.translate(_SUPERSCRIPT)


def _is_permalink(link: Any) -> bool:
    return _PERMALINK.fullmatch(strip_invisible("".join(link.itertext()))) is not None
