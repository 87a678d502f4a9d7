"""Lines of print in, their text out, with where each character stands; hyphens at line ends go."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

import numpy as np

from index.documents.boxes import UNITS, Edges, Origin
from index.documents.pdf.lines import Line

# Scripts that are written without spaces between words.
UNSPACED = re.compile(r"[\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")

# Lines of code further apart, in sizes of print, have an empty one between them.
MAX_CODE_LEADING = 1.7

_WORD = re.compile(r"\w+(?:-\w+)*")
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_NUMBER_IN_FRONT = re.compile(r"[\d.]+\s+")
_LAST_WORD = re.compile(r"[^\W_]{1,60}$")
_HYPHENS = ("-", "\u00ad", "\u2010")
_SENTENCE_ENDS = tuple(".!?…:。！？।؟")


@dataclass(frozen=True, slots=True)
class Part:
    """A line in its paragraph; `closed` where it ends before its column does, on purpose."""

    page: int
    line: Line
    edge: float = 0.0  # of its column, on the right
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A text with the offsets in it at which pages start, and where its characters stand."""

    text: str
    page_starts: tuple[tuple[int, int], ...]
    origins: tuple[Origin, ...]


def ends_sentence(line: Line) -> bool:
    """Whether a line ends as a sentence does."""
    return line.text.rstrip("\"'”’)]»").endswith(_SENTENCE_ENDS)


def broken_word(text: str) -> str:
    """What stands before the hyphen at the end of a line; "" where there is none."""
    # The end is looked at first, since most lines have none.
    if not text.endswith(_HYPHENS):
        return ""
    found = _LAST_WORD.search(text[-61:-1])
    return found[0] if found else ""


def names_of(title: str) -> set[str]:
    """What a heading may be called elsewhere: its letters and digits, with and without its number."""
    found = (title, _NUMBER_IN_FRONT.sub("", title, count=1))
    return {name for one in found if (name := alphanumeric(one))}


def alphanumeric(text: str) -> str:
    """The letters and digits of a text, in small letters, to compare it with another."""
    return _NOT_ALPHANUMERIC.sub("", text).casefold()


def words_of(lines: Iterable[Line]) -> set[str]:
    """The words of the text in small letters, without those that the end of a line has broken."""
    words: set[str] = set()
    for line in lines:
        found = _WORD.findall(line.text.lower())
        words.update(found[:-1] if broken_word(line.text) else found)
    return words


def write(parts: Sequence[Part], words: Set[str], *, skip: int = 0) -> Text:
    """The text of lines that are one paragraph, without the first `skip` characters of it.

    `words` are those of the document, which tell whether a hyphen at the end of a line is the word's.
    """
    pieces: list[str] = []
    starts: dict[int, int] = {}
    origins: list[Origin] = []
    length = 0
    for number, part in enumerate(parts):
        line, first = part.line, 0 if number else skip
        text = line.text[first:]
        piece = text
        if number + 1 < len(parts):
            following = parts[number + 1].line.text
            piece = f"{text}\n" if part.closed else _joint(text, following, words)
        starts.setdefault(part.page, length)
        shown = min(len(text), len(piece))
        if (origin := origin_of(part, first, first + shown, length)) is not None:
            origins.append(origin)
        pieces.append(piece)
        length += len(piece)
    page_starts = tuple((offset, page) for page, offset in starts.items())
    return Text("".join(pieces), page_starts, tuple(origins))


def write_code(parts: Sequence[Part]) -> Text:
    """The text of lines of code, each one of its own and as far indented as it is printed."""
    lines = [part.line for part in parts]
    width = min((one.right - one.left) / max(1, len(one.text)) for one in lines)
    left = min(one.left for one in lines)
    pieces: list[str] = []
    starts: dict[int, int] = {}
    origins: list[Origin] = []
    length = 0
    for number, part in enumerate(parts):
        line = part.line
        indent = " " * min(40, round((line.left - left) / max(width, 0.1)))
        starts.setdefault(part.page, length)
        origin = origin_of(part, 0, len(line.text), length + len(indent))
        if origin is not None:
            origins.append(origin)
        piece = indent + line.text
        if number + 1 < len(parts):
            down = line.base - parts[number + 1].line.base
            piece += "\n\n" if down > MAX_CODE_LEADING * line.size else "\n"
        pieces.append(piece)
        length += len(piece)
    page_starts = tuple((offset, page) for page, offset in starts.items())
    return Text("".join(pieces), page_starts, tuple(origins))


def origin_of(part: Part, first: int, last: int, start: int) -> Origin | None:
    """Where some characters of a line stand, for a text in which they begin at `start`."""
    line = part.line
    if line.edges is None or first >= last:
        return None
    edges: Edges = line.edges[first:last]
    low, high = (int(np.rint(value * UNITS)) for value in (line.low, line.high))
    return Origin(start, part.page, line.turn, min(low, high), max(low, high), edges)


def _joint(text: str, following: str, words: Set[str]) -> str:
    """A line ready to be followed by the next: a space after it, or its hyphen gone."""
    broken = broken_word(text)
    if broken and (rest := _WORD.match(following)):
        first, second = broken.lower(), rest[0].lower()
        compound = f"{first}-{second}" in words or (
            first + second not in words
            and min(len(first), len(second)) > 3
            and {first, second} <= words
        )
        return text if compound or not rest[0][0].islower() else text[:-1]
    if text and UNSPACED.match(text[-1]) and UNSPACED.match(following):
        return text
    return f"{text} "
