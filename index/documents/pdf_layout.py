"""The lines of print on a document's pages in, its paragraphs out: pure functions."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

# Heads may change from chapter to chapter and from left to right, so few pages have to agree.
MIN_REPEATS = 3
# A running head is among so many lines at the top of its page, or as many at the bottom.
EDGE_LINES = 3
# "Page 3 of 12." may be a running foot, and "The 3rd of the four men was Li." is none.
WORDS_OF_HEAD = 5
# How much print must differ in size to be another kind of print.
SAME_SIZE = 1.12
# Of the lines that begin where a line does, this share ends no further right than its column.
COLUMN_SHARE = 0.8
# Beside the most frequent distance between lines, those count that are not much rarer.
MIN_SHARE = 0.25
# A page of more lines is no page of text, and comparing each with all would take too long.
MAX_COMPARED = 1000

_WORD = re.compile(r"\w+(?:-\w+)*")
_NUMBER = re.compile(r"(?<!\d)\d{1,5}(?!\d)")
_PAGE_NUMBER = re.compile(r"\W*(?:page\W*)?(\d{1,5})(?:\W+(?:of\W+)?\d+)?\W*", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…:。！？।؟][\"'”’)\]»]*$")
_ITEM = re.compile(r"[•●▪◦‣■]\s")
_MAYBE_ITEM = re.compile(r"(?:[–—*-]|\(?(?:\d{1,2}|[a-z])[.)])\s")
_LEADERS = re.compile(r" … \S+$")
_HYPHEN = re.compile(r"([^\W_]{1,60})[-\u00ad\u2010]$")
# Scripts that are written without spaces between words.
_UNSPACED = re.compile(r"[\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of print and where it stands, in points; y grows upward."""

    text: str
    left: float
    right: float
    base: float
    size: float
    bold: bool = False


@dataclass(frozen=True, slots=True)
class _Part:
    """A line in its paragraph; `closed` where it ends before its column does, on purpose."""

    page: int
    line: Line
    edge: float  # of its column, on the right
    closed: bool = False


def reflow(pages: Sequence[Sequence[Line]]) -> tuple[str, tuple[int, ...]]:
    """Join lines into paragraphs, parted by blank lines: the text, and where each page starts in it.

    Running heads and page numbers are left out, hyphens at line ends taken away, and a paragraph
    that goes over the end of a page or column is one.
    """
    pages = _without_heads([_joined_levels(page) for page in pages])
    lines = [line for page in pages for line in page]
    body = body_size(lines)
    leadings = _leadings(pages)
    paragraphs: list[list[_Part]] = []
    for number, page in enumerate(pages):
        found = _paragraphs(number, page, body, leadings)
        if found and _goes_on(paragraphs, found[0][0].line, body):
            paragraphs[-1] += found.pop(0)
        paragraphs += found
    return _write(paragraphs, len(pages), _words(lines))


def body_size(lines: Sequence[Line]) -> float:
    """The size that most of the text is printed in."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[line.size] += len(line.text)
    return max(sizes, key=sizes.__getitem__, default=0.0)


def _joined_levels(page: Sequence[Line]) -> list[Line]:
    """The lines, with those made one that stand side by side; the sign of a footnote stands higher."""
    found: list[Line] = []
    for line in page:
        if found:
            last = found[-1]
            apart, raised = line.left - last.right, abs(last.base - line.base) / last.size
            if apart > -1 and raised < (0.7 if apart < last.size else 0.2):
                found[-1] = replace(last, text=f"{last.text} {line.text}", right=line.right)
                continue
        found.append(line)
    return found


def _without_heads(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The pages without running heads, running feet and page numbers."""
    body = body_size([line for page in pages for line in page])
    seen: Counter[tuple[str, int, int]] = Counter()
    for number, page in enumerate(pages):
        seen.update({sign for line in _edges(page, body) for sign in _signs(line, number)})
    least = min(MIN_REPEATS, max(2, len(pages)))
    kept = []
    for number, page in enumerate(pages):
        heads = set()
        for line in _edges(page, body):
            own = _PAGE_NUMBER.fullmatch(line.text)
            repeated = any(seen[sign] >= least for sign in _signs(line, number))
            if repeated or (own and int(own[1]) == number + 1):
                heads.add(line)
        kept.append([line for line in page if line not in heads])
    # Where all pages are alike, what they say is the text.
    return kept if any(kept) else [list(page) for page in pages]


def _edges(page: Sequence[Line], body: float) -> list[Line]:
    """The lines at the top and the bottom of a page that may be running heads by their size."""
    ordered = sorted(page, key=lambda line: line.base)
    edges = ordered[:EDGE_LINES] + ordered[EDGE_LINES:][-EDGE_LINES:]
    return [line for line in edges if line.size < SAME_SIZE * body]


def _signs(line: Line, page: int) -> list[tuple[str, int, int]]:
    """What a running head has in common with its like on other pages.

    That is its words and height; or its words but for a number that grows by one from page to page,
    where they are no sentence; or its height and such a number at its end, where a chapter has too
    few pages to tell its title.
    """
    height = round(line.base)
    signs = [(line.text, 0, height)]
    if _SENTENCE_END.search(line.text) and len(_WORD.findall(line.text)) > WORDS_OF_HEAD:
        return signs
    numbers = list(_NUMBER.finditer(line.text))
    for number in numbers[:2] + numbers[2:][-2:]:
        first = int(number[0]) - page
        signs.append((f"{line.text[: number.start()]}#{line.text[number.end() :]}", first, 0))
        if number.end() == len(line.text):
            signs.append(("#", first, height))
    return signs


def _leadings(pages: Sequence[Sequence[Line]]) -> dict[float, float]:
    """For each size of print the distance from line to line within a paragraph."""
    distances: dict[float, Counter[float]] = {}
    for page in pages:
        for above, line in zip(page, page[1:], strict=False):
            distance = above.base - line.base
            if above.size == line.size and 0 < distance < 3 * line.size:
                distances.setdefault(line.size, Counter())[round(2 * distance) / 2] += 1
    # Where paragraphs are short, the distance between them may be the more frequent one.
    return {
        size: min(d for d, times in counts.items() if times >= MIN_SHARE * max(counts.values()))
        for size, counts in distances.items()
    }


def _paragraphs(
    number: int, page: Sequence[Line], body: float, leadings: dict[float, float]
) -> list[list[_Part]]:
    found: list[list[_Part]] = []
    for line in page:
        part = _Part(number, line, _column_end(line, page))
        if not found or _begins(found[-1], line, leadings):
            found.append([part])
            continue
        last = found[-1][-1]
        # Lines of verse, of an address, of a table; but a heading of two lines is one.
        if _LEADERS.search(last.line.text) or (
            _is_short(last, line) and last.line.size < SAME_SIZE * body
        ):
            found[-1][-1] = replace(last, closed=True)
        found[-1].append(part)
    return found


def _column_end(line: Line, page: Sequence[Line]) -> float:
    """Where lines that begin about where this one does end on the right."""
    if len(page) > MAX_COMPARED:
        return line.right
    ends = sorted(peer.right for peer in page if abs(peer.left - line.left) < 5 * line.size)
    return ends[math.ceil(COLUMN_SHARE * (len(ends) - 1))]


def _begins(paragraph: Sequence[_Part], line: Line, leadings: dict[float, float]) -> bool:
    """Whether a line that follows a paragraph begins the next one."""
    last = paragraph[-1].line
    short = _is_short(paragraph[-1], line)
    ended = short or _ends_sentence(last)
    down = last.base - line.base
    leading = leadings.get(last.size, 1.25 * last.size)
    indent = (line.left - last.left) / last.size
    if _ITEM.match(line.text) or not _like(last, line) or (short and last.bold != line.bold):
        return True
    if _MAYBE_ITEM.match(line.text) and ended:
        return True
    if down < -0.5 * last.size:  # on to the next column
        return ended
    if down > 1.2 * leading:  # a formula in the line moves it down a little too
        return ended or down > 1.7 * leading or not line.text[0].islower()
    if indent > 0.8:
        return ended
    if indent < -0.8 and len(paragraph) > 1:  # the lines after the first one were hanging
        return True
    return short and _ends_sentence(last)


def _goes_on(paragraphs: list[list[_Part]], line: Line, body: float) -> bool:
    """Whether the page's first line goes on with the last paragraph, footnotes not counted.

    Footnotes are put before that paragraph, so that it is the last one.
    """
    if not paragraphs:
        return False
    page = paragraphs[-1][-1].page
    at = len(paragraphs) - 1
    while at > 0 and body > SAME_SIZE * paragraphs[at][-1].line.size:
        at -= 1
    last = paragraphs[at][-1]
    if (
        last.page != page
        or _is_short(last, line)
        or _ends_sentence(last.line)
        or _ITEM.match(line.text)
        or not _like(last.line, line)
        or last.line.bold != line.bold
    ):
        return False
    if at < len(paragraphs) - 1:
        # Before a paragraph from an earlier page they would seem to stand on that page.
        if paragraphs[at][0].page != page:
            return False
        paragraphs.append(paragraphs.pop(at))
    return True


def _like(one: Line, other: Line) -> bool:
    return max(one.size, other.size) < SAME_SIZE * min(one.size, other.size)


def _ends_sentence(line: Line) -> bool:
    return _SENTENCE_END.search(line.text) is not None


def _is_short(part: _Part, following: Line) -> bool:
    """Whether the first word of the line that follows would still have had room."""
    if _HYPHEN.search(part.line.text):
        return False
    unspaced = _UNSPACED.match(following.text)
    word = following.text[0] if unspaced else following.text.split(maxsplit=1)[0]
    width = (following.right - following.left) * len(word) / len(following.text)
    return part.line.right + 0.25 * part.line.size + width < part.edge


def _write(
    paragraphs: Sequence[Sequence[_Part]], pages: int, words: Set[str]
) -> tuple[str, tuple[int, ...]]:
    written: list[str] = []
    length = 0
    starts: dict[int, int] = {}
    for paragraph in paragraphs:
        for part, following in zip(paragraph, [*paragraph[1:], None], strict=True):
            starts.setdefault(part.page, length)
            text = part.line.text
            if following is None:
                text += "\n\n"
            elif part.closed:
                text += "\n"
            else:
                text = _joint(text, following.line.text, words)
            written.append(text)
            length += len(text)
    text = "".join(written).removesuffix("\n\n")
    ends = len(text)
    offsets = []
    for page in reversed(range(pages)):  # a page without text starts where the next one does
        ends = starts.get(page, ends)
        offsets.append(ends)
    return text, tuple(reversed(offsets))


def _words(lines: Sequence[Line]) -> set[str]:
    """The words of the text in small letters, without those that the end of a line has broken."""
    words: set[str] = set()
    for line in lines:
        found = _WORD.findall(line.text.lower())
        words.update(found[:-1] if _HYPHEN.search(line.text) else found)
    return words


def _joint(text: str, following: str, words: Set[str]) -> str:
    """A line ready to be followed by the next: a space after it, or its hyphen gone."""
    broken, rest = _HYPHEN.search(text), _WORD.match(following)
    if broken and rest:
        first, second = broken[1].lower(), rest[0].lower()
        compound = f"{first}-{second}" in words or (
            first + second not in words
            and min(len(first), len(second)) > 3
            and {first, second} <= words
        )
        return text if compound or not rest[0][0].islower() else text[:-1]
    if _UNSPACED.match(text[-1]) and _UNSPACED.match(following):
        return text
    return f"{text} "
