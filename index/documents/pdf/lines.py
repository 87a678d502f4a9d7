"""A page of a PDF in, its lines of print and the lines drawn on it out."""

from __future__ import annotations

import ctypes
import math
import re
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.documents.boxes import UNITS, Edges
from index.documents.cleaning import strip_invisible
from index.documents.pdf.shapes import Frame, Rule, ShapeReader

# Words that stand further apart than this share of their height may be in two cells, or columns.
WIDE_GAP = 1.0

_HYPHEN = "\ufffe"  # what the library writes for a hyphen and the end of the line after it
_HYPHEN_AS_CHARACTER = "\x02"
_PRINTED = re.compile(r"[^\r\n\ufffe]+\ufffe?")
_LEADERS = re.compile(r"(?:\.\s?){4,}")  # from a title in a table of contents to its page
_BOLD = re.compile(r"bold|black|heavy|demi|cmbx", re.IGNORECASE)
_FIXED = re.compile(r"mono|courier|consol|typewriter|cmtt|menlo", re.IGNORECASE)
_FIXED_PITCH = 1  # a flag of the font's
# What makes a line need tidy() letter by letter.
_UNTIDY = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u200b\u2060\ufeff\ufb00-\ufb06\ud800-\udfff]|\s\s|[^\S ]|(?:\.\s?){4}"
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of print and where it stands, in points; y grows upward.

    `turn` is how many quarter turns, counter-clockwise, it is turned on its page; its place is that in
    a frame turned with it. `edges` has the left and the right of each character in tenths of a point,
    None where they are not known. `marker` is that of a list item, "" for other lines.
    """

    text: str
    left: float
    right: float
    base: float
    size: float
    bold: bool = False
    fixed: bool = False
    turn: int = 0
    low: float = 0.0
    high: float = 0.0
    edges: Edges | None = field(default=None, compare=False, repr=False)
    marker: str = ""


@dataclass(frozen=True, slots=True)
class PrintedPage:
    """What is printed on a page: lines in the order of the file, rules, and its size in points."""

    lines: Sequence[Line]
    rules: Sequence[Rule] = ()
    size: tuple[float, float] = (595.0, 842.0)


class PageReader:
    """Read pages one after the other; the memory for the characters of a page is used again."""

    def __init__(self) -> None:
        """Set nothing aside yet."""
        self._structures: list[Any] = []
        self._buffer: Any = None
        self._shapes = ShapeReader()

    def read(self, page: Any) -> PrintedPage:
        """What is printed on a page of the library's."""
        frame = Frame(page)
        rules, dots = self._shapes.read(page, frame)
        layer = page.get_textpage()
        try:
            lines = [
                tidied for line in self._lines(layer.raw, frame) if (tidied := tidy(line)).text
            ]
        finally:
            layer.close()
        return PrintedPage(_with_drawn_bullets(lines, dots), rules, frame.size)

    def _lines(self, layer: Any, frame: Frame) -> Iterator[Line]:
        text = _text_of(layer)
        characters = _Characters(text, frame.shown(self._boxes(layer, len(text))))
        for match in _PRINTED.finditer(text):
            words = match[0].rstrip(_HYPHEN).rstrip()
            first = match.start() + len(words) - len(words.lstrip())
            end = match.start() + len(words)
            if first >= end:
                continue
            angle = _angle(layer, first) - frame.quarters * math.pi / 2
            for start, stop in characters.stretches(first, end, angle):
                printed = text[start:stop]
                if stop == end and match[0].endswith(_HYPHEN):
                    printed += "-"
                elif printed.endswith("\xad"):
                    printed = printed[:-1] + "-"
                yield _line(layer, frame, printed, start, stop, angle, characters)

    def _boxes(self, layer: Any, count: int) -> NDArray[np.float64]:
        """The boxes of a page's characters: left, top, right, bottom; shape (count, 4)."""
        import pypdfium2.raw as pdfium

        if count > len(self._structures):
            size = max(count, 2 * len(self._structures))
            self._buffer = (pdfium.FS_RECTF * size)()
            self._structures = [self._buffer[at] for at in range(size)]
        get_box = pdfium.FPDFText_GetLooseCharBox
        deque(map(get_box, repeat(layer), range(count), self._structures), maxlen=0)
        values = np.frombuffer(self._buffer or b"", np.float32, 4 * count)
        boxes: NDArray[np.float64] = values.reshape(count, 4).astype(np.float64)
        return np.nan_to_num(boxes, posinf=0, neginf=0)


def _text_of(layer: Any) -> str:
    """The characters of a page, by which the library counts."""
    import pypdfium2.raw as pdfium

    count = max(0, pdfium.FPDFText_CountChars(layer))
    units = (ctypes.c_ushort * (count + 1))()
    written = max(1, pdfium.FPDFText_GetText(layer, 0, count, units))
    text = bytes(units)[: 2 * (written - 1)].decode("utf-16-le", "surrogatepass")
    if len(text) == count:
        return text
    # It has left some out, or counts in halves of characters.
    codes = map(pdfium.FPDFText_GetUnicode, repeat(layer), range(count))
    characters = (chr(code) if 0 < code < 0x110000 else "\ufffd" for code in codes)
    return "".join(characters).replace(_HYPHEN_AS_CHARACTER, _HYPHEN)


class _Characters:
    """The places of a page's characters, in frames turned by quarters."""

    def __init__(self, text: str, boxes: NDArray[np.float64]) -> None:
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        self.spaces = np.flatnonzero((codes <= 32) | (codes == 160))
        self._boxes = boxes
        self._gaps: dict[int, list[int]] = {}
        self._turned: dict[int, tuple[Edges, NDArray[np.float64], NDArray[np.float64]]] = {}

    def turned(self, turn: int) -> tuple[Edges, NDArray[np.float64], NDArray[np.float64]]:
        """Their edges in tenths of a point, and where they end below and above."""
        if turn not in self._turned:
            left, bottom, right, top = (self._boxes[:, column] for column in range(4))
            lefts, lows, rights, highs = (
                (left, bottom, right, top),
                (bottom, -right, top, -left),
                (-right, -top, -left, -bottom),
                (-top, left, -bottom, right),
            )[turn]
            edges = np.stack([np.minimum(lefts, rights), np.maximum(lefts, rights)], axis=1)
            edges = np.rint(edges * UNITS).astype(np.int32)
            if len(self.spaces):
                # A space is as wide as the library thinks; the words beside it say where it is.
                edges[self.spaces] = edges[np.maximum(self.spaces - 1, 0), 1:]
            self._turned[turn] = edges, lows, highs
        return self._turned[turn]

    def stretches(self, first: int, end: int, angle: float) -> list[tuple[int, int]]:
        """The characters from one to another, parted where there is a wide gap between words."""
        turn = _quarter(angle)
        if turn is None:
            return [(first, end)]
        if turn not in self._gaps:
            edges, lows, highs = self.turned(turn)
            before = self.spaces[(self.spaces > 0) & (self.spaces < len(edges) - 1)]
            gaps = edges[before + 1, 0] - edges[before, 1]
            wide = gaps > WIDE_GAP * UNITS * np.abs(highs - lows)[before - 1]
            self._gaps[turn] = before[wide].tolist()
        gaps = self._gaps[turn]
        inside = gaps[bisect_left(gaps, first) : bisect_left(gaps, end)]
        starts = [first, *(at + 1 for at in inside)]
        return list(zip(starts, [*inside, end], strict=True))


def _line(
    layer: Any,
    frame: Frame,
    printed: str,
    first: int,
    end: int,
    angle: float,
    characters: _Characters,
) -> Line:
    """The line of print from one character to another."""
    middle = (first + end - 1) // 2
    while printed[middle - first].isspace():
        middle += 1
    size, bold, fixed = _print_of_line(layer, first, middle, end - 1)
    x, y = _origin(layer, frame, middle)
    if not (math.isfinite(x) and math.isfinite(y)):
        return Line(printed, 0.0, 0.0, 0.0, size, bold, fixed)
    turn = _quarter(angle)
    if turn is None:
        # Aslant, as "DRAFT" is across a page: in its order, but at no place that can be marked.
        cos, sin = math.cos(angle), math.sin(angle)
        points = _origin(layer, frame, first), _origin(layer, frame, end - 1)
        left, right = sorted(a * cos + b * sin for a, b in points)
        return Line(printed, left, right, y * cos - x * sin, size, bold, fixed)
    base = (y, -x, -y, x)[turn]
    every, lows, highs = characters.turned(turn)
    edges = every[first : first + len(printed)]
    start, last = edges[0].tolist(), every[end - 1].tolist()
    left, right = start[0] / UNITS, last[1] / UNITS
    if last[0] < start[0]:
        left, right = -start[1] / UNITS, -last[0] / UNITS  # from right to left, seen in a mirror
    low, high = float(lows[middle]), float(highs[middle])
    return Line(printed, left, right, base, size, bold, fixed, turn, low, high, edges)


def _quarter(angle: float) -> int | None:
    """How many quarters an angle turns, counter-clockwise; None for one that is aslant."""
    quarters = round(angle / (math.pi / 2))
    return quarters % 4 if abs(angle - quarters * math.pi / 2) < 0.02 else None


def _angle(layer: Any, at: int) -> float:
    """How far a character is turned on its page, counter-clockwise."""
    import pypdfium2.raw as pdfium

    clockwise = float(pdfium.FPDFText_GetCharAngle(layer, at))
    return -clockwise if math.isfinite(clockwise) and clockwise > 0 else 0.0


def _origin(layer: Any, frame: Frame, at: int) -> tuple[float, float]:
    """The point on its base line where a character starts, on the page as it is shown."""
    import pypdfium2.raw as pdfium

    x, y = ctypes.c_double(), ctypes.c_double()
    pdfium.FPDFText_GetCharOrigin(layer, at, x, y)
    return frame.point(x.value, y.value)


def _print_of_line(layer: Any, first: int, middle: int, last: int) -> tuple[float, bool, bool]:
    """The size of most of a line, whether it is bold but for its number, and all of a fixed width."""
    import pypdfium2.raw as pdfium

    # Asking for the objects that characters are in is cheap, and most lines are one.
    objects = [pdfium.FPDFText_GetTextObject(layer, at) for at in (first, middle, last)]
    addresses = {ctypes.cast(one, ctypes.c_void_p).value for one in objects}
    if len(addresses) == 1:
        return _print(layer, middle)
    begin, body, end = (_print(layer, at) for at in (first, middle, last))
    # A bullet or the sign of a footnote is not like the rest of its line.
    size = sorted((begin[0], body[0], end[0]))[1]
    return size, body[1] and end[1], begin[2] and body[2] and end[2]


def _print(layer: Any, at: int) -> tuple[float, bool, bool]:
    """The size that a character is printed in, in points, and whether it is bold, of a fixed width."""
    import pypdfium2.raw as pdfium

    matrix, flags = pdfium.FS_MATRIX(), ctypes.c_int()
    pdfium.FPDFText_GetMatrix(layer, at, matrix)
    size = pdfium.FPDFText_GetFontSize(layer, at) * math.hypot(matrix.c, matrix.d)
    buffer = ctypes.create_string_buffer(128)
    pdfium.FPDFText_GetFontInfo(layer, at, buffer, len(buffer), flags)
    # Print of no size, or of one that is no number, is text all the same.
    size = round(abs(size), 1) if math.isfinite(size) else 0.0
    bold, fixed = _style(buffer.value)
    return max(size, 0.1), bold, fixed or bool(flags.value & _FIXED_PITCH)


@lru_cache(maxsize=1000)
def _style(name: bytes) -> tuple[bool, bool]:
    """Whether a font is bold, and whether it has a fixed width, by its name."""
    words = name.decode("latin-1")
    return _BOLD.search(words) is not None, _FIXED.search(words) is not None


def tidy(line: Line) -> Line:
    """The line in letters that can be searched, single spaces between its words."""
    if not _UNTIDY.search(line.text):
        return line
    letters: list[str] = []
    places: list[int] = []
    for at, one in enumerate(_paired(line.text)):
        shown = strip_invisible(one) if one else ""
        for letter in shown:
            if not letter.isspace() or (letters and letters[-1] != " "):
                letters.append(" " if letter.isspace() else letter)
                places.append(at)
    text = "".join(letters)
    pieces, numbers, last = [], [], 0
    for dots in _LEADERS.finditer(text):
        pieces += [text[last : dots.start()].rstrip(), " … "]
        numbers += places[last : last + len(pieces[-2])] + [-1] * 3
        last = dots.end() + len(text[dots.end() :]) - len(text[dots.end() :].lstrip())
    text = "".join([*pieces, text[last:]])
    numbers += places[last:]
    before = len(text) - len(text.lstrip())
    text = text.strip()
    numbers = numbers[before : before + len(text)]
    if line.edges is None:
        return replace(line, text=text)
    nowhere = [[line.edges[0, 0]] * 2]
    edges = np.concatenate([line.edges, nowhere]).astype(np.int32)[numbers]
    return replace(line, text=text, edges=edges)


def _paired(text: str) -> list[str]:
    """The characters of a text; the two halves of one are the character and nothing."""
    found = list(text)
    for at, (one, other) in enumerate(zip(text, text[1:], strict=False)):
        if "\ud800" <= one <= "\udbff" and "\udc00" <= other <= "\udfff":
            found[at] = (one + other).encode("utf-16-le", "surrogatepass").decode("utf-16-le")
            found[at + 1] = ""
    return ["\ufffd" if "\ud800" <= one <= "\udfff" and len(one) == 1 else one for one in found]


def _with_drawn_bullets(lines: Sequence[Line], dots: Sequence[Rule]) -> list[Line]:
    """The lines, marked as list items where a bullet is drawn in front of them."""
    if not dots:
        return list(lines)
    return [
        replace(line, marker="•") if any(_is_bullet(dot, line) for dot in dots) else line
        for line in lines
    ]


def _is_bullet(dot: Rule, line: Line) -> bool:
    middle = (dot.bottom + dot.top) / 2
    return (
        not line.turn
        and line.base - 0.1 * line.size < middle < line.base + 0.8 * line.size
        and 0 < line.left - dot.right < 2 * line.size
        and dot.right - dot.left <= line.size
    )
