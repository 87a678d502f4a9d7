"""The lines of a text file, and how those that a program has wrapped are joined to paragraphs."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from statistics import median_high

# Lines are wrapped at a column between these; shorter ones are verse or addresses, and longer ones are
# whole paragraphs.
MIN_COLUMN = 40
MAX_COLUMN = 110
# Of the lines of a wrapped paragraph, so many are full; a typist may break one early.
FULL_SHARE = 0.5
# A person who wraps lines by hand ends one later than this share of the column.
GOES_ON_SHARE = 0.7
# Lines of verse begin with a capital, and are shorter than this.
MAX_VERSE = 60

_WORD = re.compile(r"\w+(?:-\w+)*")
_HYPHEN = re.compile(r"(?<![^\W_])([^\W_]{1,60})[-\u00ad\u2010]$")
_SENTENCE_END = re.compile(r"[.!?…:。！？।؟][\"'”’)\]»」』）]{0,5}$")
# Scripts that are written without spaces between words.
_UNSPACED = re.compile(r"[\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not blank: its text, the column at which that begins, and its page, from 0."""

    text: str
    indent: int = 0
    page: int = 0

    @property
    def end(self) -> int:
        """The column after its last character."""
        return self.indent + len(self.text)

    @property
    def ends_sentence(self) -> bool:
        """Whether it ends with the end of a sentence, or a colon."""
        return _SENTENCE_END.search(self.text[-10:]) is not None


def usual_column(groups: Sequence[Sequence[Line]]) -> int:
    """The column at which a text's lines are wrapped; 0 where its groups of lines do not tell."""
    widest = [max(line.end for line in group) for group in groups if len(group) >= 4]
    widths = [width for width in widest if MIN_COLUMN < width <= MAX_COLUMN]
    return median_high(widths) if widths else 0


def wrapped_paragraphs(lines: Sequence[Line], usual: int) -> list[list[Line]] | None:
    """The paragraphs of lines that a program has wrapped; None where the lines were ended by hand.

    `usual` is the column at which the text's lines are wrapped, 0 where it is not known. A program
    ends a line where the next word has no room, so that each line but a paragraph's last is full.
    """
    column = _column(lines, usual)
    if len(lines) < 2 or not MIN_COLUMN <= column <= MAX_COLUMN or _is_verse(lines):
        return None
    full = [_is_full(a, b, column) for a, b in zip(lines, lines[1:], strict=False)]
    if sum(full) < FULL_SHARE * len(full):
        return None
    base = min(line.indent for line in lines[1:])
    paragraphs = [[lines[0]]]
    for last, line, is_full in zip(lines, lines[1:], full, strict=False):
        indented = line.indent > base + 1 and line.indent != last.indent and last.ends_sentence
        if indented or (not is_full and last.ends_sentence):
            paragraphs.append([])
        paragraphs[-1].append(line)
    return paragraphs


def _column(lines: Sequence[Line], usual: int) -> int:
    ends = sorted(line.end for line in lines)
    # An address of the web may stick out.
    column = ends[-2] if len(ends) > 4 else ends[-1]
    if usual and (len(lines) < 4 or column > usual):
        return max(usual, min(column, usual + 2)) if column <= MAX_COLUMN else column
    return column


def _is_full(line: Line, following: Line, column: int) -> bool:
    """Whether the first word of the line that follows had no room, or goes on with the sentence."""
    if (
        following.text[0].islower()
        and line.end >= GOES_ON_SHARE * column
        and not line.ends_sentence
    ):
        return True
    if _UNSPACED.match(following.text):
        return line.end + 2 > column
    return line.end + 1 + len(following.text.split(maxsplit=1)[0]) > column


def _is_verse(lines: Sequence[Line]) -> bool:
    """Whether all lines are short and begin with a capital."""
    return len(lines) > 2 and all(
        line.text.lstrip("\"'“‘([")[:1].isupper() and len(line.text) < MAX_VERSE for line in lines
    )


def join_lines(lines: Sequence[Line], words: Set[str]) -> tuple[str, list[tuple[int, int]]]:
    """The text of a paragraph's lines with single blanks, and where in it pages start.

    That is a pair for each page: the offset in the text and the page's number.
    `words` are those of the whole text, which tell a compound from a word that was broken.
    """
    lines = [replace(line, text=" ".join(line.text.split())) for line in lines]
    parts = [lines[0].text]
    length = len(parts[0])
    starts = []
    for last, line in zip(lines, lines[1:], strict=False):
        parts[-1] = _before(parts[-1], line.text, words)
        length += len(parts[-1]) - len(last.text)
        if line.page != last.page:
            starts.append((length, line.page))
        parts.append(line.text)
        length += len(line.text)
    return "".join(parts), starts


def words_of(lines: Sequence[Line]) -> set[str]:
    """The words of a text in lower case, without those that the end of a line has broken."""
    words: set[str] = set()
    for line in lines:
        found = _WORD.findall(line.text.lower())
        words.update(found[:-1] if _HYPHEN.search(line.text[-70:]) else found)
    return words


def _before(text: str, following: str, words: Set[str]) -> str:
    """A line ready to be followed by the next: a space after it, or its hyphen gone."""
    broken, rest = _HYPHEN.search(text[-70:]), _WORD.match(following)
    if broken and rest:
        first, second = broken[1].lower(), rest[0].lower()
        is_compound = f"{first}-{second}" in words or (
            first + second not in words
            and min(len(first), len(second)) > 3
            and {first, second} <= words
        )
        return text if is_compound or not rest[0][0].islower() else text[:-1]
    if _UNSPACED.match(text[-1]) and _UNSPACED.match(following):
        return text
    return text if text.endswith(("--", "—")) else f"{text} "
