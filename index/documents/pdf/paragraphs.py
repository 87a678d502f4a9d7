"""The lines of a column or page in, the paragraphs that they make out."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

from index.documents.boxes import UNITS
from index.documents.pdf.lines import Line
from index.documents.pdf.text import UNSPACED, Part, broken_word, ends_sentence, names_of

# How much print must differ in size to be another kind of print.
SAME_SIZE = 1.12
# Of the lines that begin where a line does, this share ends no further right than its column.
COLUMN_SHARE = 0.8
# Beside the most frequent distance between lines, those count that are not much rarer.
MIN_SHARE = 0.25
# A page of more lines is no page of text, and comparing each with all would take too long.
MAX_COMPARED = 1000
# Lines of a heading are this close, in sizes of print.
MAX_HEADING_LEADING = 1.35
# Lines of code further apart than this, in sizes of print, are two pieces of it.
MAX_CODE_DISTANCE = 3.0
BULLET = re.compile(r"[•●▪◦‣■❖➢✓○□☐☑\uf0b7]\s+")
MAYBE_ITEM = re.compile(r"(?:[–—*-]|\(?(?:\d{1,2}|[a-z])[.)])\s+")
_LEADERS = re.compile(r" … \S+$")


@dataclass(frozen=True, slots=True)
class Measures:
    """How the text of a document is printed."""

    body: float
    leadings: dict[float, float]
    fixed: bool  # all of it, so that print of a fixed width is no code
    named: Set[tuple[int, str]]  # the pages and names of headings that stand in a line of their own

    def is_named(self, page: int, line: Line) -> bool:
        """Whether a line is a heading that the file's bookmarks name."""
        return bool(self.named) and any((page, name) in self.named for name in names_of(line.text))


def leadings_of(pages: Sequence[Sequence[Line]]) -> dict[float, float]:
    """For each size of print the distance from line to line within a paragraph."""
    distances: dict[float, Counter[float]] = {}
    for page in pages:
        for above, line in zip(page, page[1:], strict=False):
            distance = above.base - line.base
            # Less than a size of print are no two lines of text.
            if above.size == line.size and 0.9 * line.size < distance < 3 * line.size:
                distances.setdefault(line.size, Counter())[round(2 * distance) / 2] += 1
    # Where paragraphs are short, the distance between them may be the more frequent one.
    return {
        size: min(d for d, times in counts.items() if times >= MIN_SHARE * max(counts.values()))
        for size, counts in distances.items()
    }


def paragraphs_of(
    number: int, lines: Sequence[Line], page: Sequence[Line], measures: Measures
) -> list[list[Part]]:
    """The paragraphs that lines make, on a page that has others too."""
    found: list[list[Part]] = []
    for line in lines:
        part = Part(number, line, _column_end(line, page))
        goes_on = len(found) > 1 and _hangs_like(found[-2], found[-1], line)
        if not found or (not goes_on and _begins(found[-1], line, measures)):
            found.append([part])
            continue
        last = found[-1][-1]
        # Lines of verse or of an address; but a heading of two lines is one, and so is an item.
        if _LEADERS.search(last.line.text) or (
            last.line.size < SAME_SIZE * measures.body
            and not _is_item(found[-1][0].line)
            and is_short(last, line)
        ):
            found[-1][-1] = replace(last, closed=True)
        found[-1].append(part)
    return found


def _column_end(line: Line, page: Sequence[Line]) -> float:
    """Where lines that begin about where this one does end on the right."""
    if len(page) > MAX_COMPARED:
        return line.right
    reach = 5 * line.size
    ends = sorted([peer.right for peer in page if -reach < peer.left - line.left < reach])
    ends = ends or [line.right]
    return ends[math.ceil(COLUMN_SHARE * (len(ends) - 1))]


def _begins(paragraph: Sequence[Part], line: Line, measures: Measures) -> bool:
    """Whether a line that follows a paragraph begins the next one."""
    last = paragraph[-1].line
    down = last.base - line.base
    page = paragraph[-1].page
    if measures.is_named(page, last) or measures.is_named(page, line):
        return True
    if last.turn != line.turn or line.marker or BULLET.match(line.text) or not is_like(last, line):
        return True
    if not measures.fixed and (last.fixed or line.fixed):
        return last.fixed != line.fixed or not 0 < down < MAX_CODE_DISTANCE * line.size
    if min(last.size, line.size) >= SAME_SIZE * measures.body:
        # The lines of a heading are close together, wherever each of them begins and ends.
        return not 0 < down < MAX_HEADING_LEADING * last.size or last.bold != line.bold
    return _begins_text(paragraph, line, measures.leadings.get(last.size, 1.25 * last.size))


def _begins_text(paragraph: Sequence[Part], line: Line, leading: float) -> bool:
    """Whether a line that follows a paragraph of running text begins the next one."""
    last = paragraph[-1].line
    down = last.base - line.base
    short = is_short(paragraph[-1], line)
    ended = short or ends_sentence(last)
    indent = (line.left - last.left) / last.size
    if short and last.bold != line.bold:
        return True
    if MAYBE_ITEM.match(line.text) and (ended or _is_beside(paragraph[0].line, line)):
        return True
    if down < -0.5 * last.size:  # on to the next column
        return ended
    if down > 1.2 * leading:  # a formula in the line moves it down a little too
        return ended or down > 1.7 * leading or not line.text[0].islower()
    if len(paragraph) == 1 and _hangs(last, line):
        return False
    if indent > 0.8:
        return ended
    if indent < -0.8 and len(paragraph) > 1:  # the lines after the first one were hanging
        return True
    return short and ends_sentence(last)


def _hangs_like(before: Sequence[Part], paragraph: Sequence[Part], line: Line) -> bool:
    """Whether a line hangs below the first one of its paragraph as in the paragraph before."""
    if len(paragraph) > 1 or len(before) < 2:
        return False
    first, second, last = before[0].line, before[1].line, paragraph[0].line
    return (
        second.left - first.left > 0.5 * line.size
        and abs(first.left - last.left) < 0.2 * line.size
        and abs(second.left - line.left) < 0.2 * line.size
        and 0 < last.base - line.base < 1.2 * (first.base - second.base)
        and is_like(last, line)
    )


def _is_beside(first: Line, line: Line) -> bool:
    """Whether a line begins where the marker of a list item does, or further to the left."""
    return _is_item(first) and line.left < first.left + 0.3 * line.size


def _is_item(line: Line) -> bool:
    return bool(line.marker or MAYBE_ITEM.match(line.text) or BULLET.match(line.text))


def _hangs(first: Line, line: Line) -> bool:
    """Whether a line stands below the text of the list item that the line before it begins."""
    marker = MAYBE_ITEM.match(first.text) or BULLET.match(first.text)
    if marker is None:
        return bool(first.marker) and abs(line.left - first.left) < 0.3 * line.size
    if first.edges is None or marker.end() >= len(first.text):
        return False
    return abs(int(first.edges[marker.end(), 0]) / UNITS - line.left) < 0.3 * line.size


def is_like(one: Line, other: Line) -> bool:
    """Whether two lines are printed in (nearly) one size."""
    return max(one.size, other.size) < SAME_SIZE * min(one.size, other.size)


def is_short(part: Part, following: Line) -> bool:
    """Whether the first word of the line that follows would still have had room."""
    if broken_word(part.line.text):
        return False
    unspaced = UNSPACED.match(following.text)
    word = following.text[0] if unspaced else following.text.split(maxsplit=1)[0]
    width = (following.right - following.left) * len(word) / len(following.text)
    return part.line.right + 0.25 * part.line.size + width < part.edge
