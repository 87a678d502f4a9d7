"""Where each character of a document stands on its pages, kept in flat arrays of integers."""

from __future__ import annotations

import base64
import binascii
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Lengths are counted in tenths of a point.
UNITS = 10
# No page is larger (200 inches is the format's own limit), and nothing on it stands further out.
MAX_COORDINATE = 200 * 72 * UNITS * 2

Edges = NDArray[np.int32]
# The number of a page, from 0, and the left, bottom, right and top of a rectangle on it, in points.
Rectangle = tuple[int, float, float, float, float]

_COLUMNS = 7
_START, _END, _PAGE, _TURN, _LOW, _HIGH, _LEFT = range(_COLUMNS)
_MAX_OFFSET = 0xFFFF


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a part of a block's text stands: characters from `start` on, on one line of one page.

    `turn` is how many quarter turns, counter-clockwise, the line is turned. In a frame turned with it,
    `low` and `high` are below and above the line and `edges` has the left and the right of each
    character, shape (characters, 2), equal where its place is not known; all in tenths of a point.
    """

    start: int
    page: int
    turn: int
    low: int
    high: int
    edges: Edges

    def moved(self, by: int, length: int) -> Origin | None:
        """It in a text that begins `by` characters earlier, cut to `length`; None if nothing is left."""
        start = self.start + by
        edges = self.edges[max(0, -start) : max(0, length - start)]
        start = max(0, start)
        if not len(edges):
            return None
        return Origin(start, self.page, self.turn, self.low, self.high, edges)


@dataclass(frozen=True, eq=False)
class Boxes:
    """The places of a text's characters on the pages, as they are shown.

    `pages` has the width and height of each page in tenths of a point, turned and cropped as a viewer
    shows it; places count from the lower left corner of that. `runs` has a row for each stretch of
    text on one line: start, end, page, turn, low, high and left. `edges` has two numbers for each
    character of the runs, one after the other: how far its left edge is from the run's, and its width,
    0 where its place is not known.
    """

    pages: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 2), np.int32))
    runs: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, _COLUMNS), np.int32))
    edges: NDArray[np.uint16] = field(default_factory=lambda: np.zeros((0, 2), np.uint16))

    def page_size(self, page: int) -> tuple[float, float]:
        """The width and height of a page, from 0, in points."""
        width, height = self.pages[page].tolist()
        return width / UNITS, height / UNITS

    def rectangles(self, start: int, end: int) -> list[Rectangle]:
        """The rectangles around text[start:end], one for each line; none where no place is known."""
        first = max(0, bisect_right(self._ends, start))
        found = []
        for number in range(first, len(self.runs)):
            run = self.runs[number].tolist()
            if run[_START] >= end:
                break
            at = self._first_edges[number] + max(0, start - run[_START])
            upto = self._first_edges[number] + min(end, run[_END]) - run[_START]
            edges = self.edges[at:upto].astype(np.int32)
            edges = edges[edges[:, 1] > 0]
            if len(edges):
                left = run[_LEFT] + int(edges[:, 0].min())
                right = run[_LEFT] + int(edges.sum(axis=1).max())
                found.append(_rectangle(run, left, right))
        return list(_merged(found))

    @cached_property
    def _ends(self) -> list[int]:
        ends: list[int] = self.runs[:, _END].tolist()
        return ends

    @cached_property
    def _first_edges(self) -> list[int]:
        lengths = self.runs[:, _END] - self.runs[:, _START]
        firsts: list[int] = (np.cumsum(lengths) - lengths).tolist()
        return firsts


class BoxesBuilder:
    """Collect the origins of a text that is written from its beginning to its end."""

    def __init__(self) -> None:
        """Start without any."""
        self._runs: list[tuple[int, ...]] = []
        self._edges: list[Edges] = []

    def add(self, origin: Origin, start: int) -> None:
        """Add an origin of a block whose text begins at `start` in the document's."""
        first = start + origin.start
        last = first + len(origin.edges)
        self._runs.append((first, last, origin.page, origin.turn, origin.low, origin.high, 0))
        self._edges.append(origin.edges)

    def build(self, sizes: Sequence[tuple[float, float]], length: int) -> Boxes | None:
        """The boxes of a text of that length on pages of these sizes; None without pages."""
        if not sizes:
            return None
        pages = np.clip(np.rint(np.array(sizes) * UNITS), 1, MAX_COORDINATE).astype(np.int32)
        if not self._runs:
            return Boxes(pages)
        runs = np.array(self._runs, np.int32)
        edges = np.concatenate(self._edges)
        lengths = runs[:, _END] - runs[:, _START]
        runs[:, _LEFT] = np.minimum.reduceat(edges[:, 0], np.cumsum(lengths) - lengths)
        offsets = edges[:, 0] - np.repeat(runs[:, _LEFT], lengths)
        widths = np.where(offsets > _MAX_OFFSET, 0, edges[:, 1] - edges[:, 0])
        packed = np.clip(np.stack([offsets, widths], axis=1), 0, _MAX_OFFSET).astype(np.uint16)
        boxes = Boxes(pages, runs, packed)
        check_boxes(boxes, length)
        return boxes


def check_boxes(boxes: Boxes, length: int) -> None:
    """Raise ValueError unless the boxes are those of a text of that length, in order."""
    runs = boxes.runs.astype(np.int64)
    starts, ends = runs[:, _START], runs[:, _END]
    if np.any(starts >= ends) or np.any(starts < 0) or np.any(ends > length):
        raise ValueError("a run of characters is outside of the text")
    if np.any(starts[1:] < ends[:-1]):
        raise ValueError("two runs of characters overlap")
    if len(boxes.edges) != int((ends - starts).sum()):
        raise ValueError("not every character of the runs has its edges")
    if np.any(runs[:, _PAGE] < 0) or np.any(runs[:, _PAGE] >= len(boxes.pages)):
        raise ValueError("a run of characters is on no page")
    if np.any(runs[:, _TURN] < 0) or np.any(runs[:, _TURN] > 3):
        raise ValueError("a line is turned by something else than quarters")
    if np.any(runs[:, _LOW] > runs[:, _HIGH]) or np.any(np.abs(runs[:, _LOW:]) > MAX_COORDINATE):
        raise ValueError("a line stands outside of every page")
    if np.any(boxes.pages < 1) or np.any(boxes.pages > MAX_COORDINATE):
        raise ValueError("a page has no size that a page can have")


def boxes_to_json(boxes: Boxes | None) -> dict[str, Any] | None:
    """The boxes as a value for JSON: how many runs and pages there are, and the packed arrays."""
    if boxes is None:
        return None
    return {
        "pages": len(boxes.pages),
        "runs": len(boxes.runs),
        "arrays": [
            _packed(boxes.pages, "<i4"),
            _packed(boxes.runs, "<i4"),
            _packed(boxes.edges, "<u2"),
        ],
    }


def boxes_from_json(value: Mapping[str, Any] | None, length: int) -> Boxes | None:
    """The boxes that boxes_to_json() made a value of, for a text of that length.

    Raises ValueError, KeyError or TypeError for another value, before it takes more memory than the
    boxes of such a text can need.
    """
    if value is None:
        return None
    pages, runs = value["pages"], value["runs"]
    if not (isinstance(pages, int) and isinstance(runs, int) and 0 <= runs <= length):
        raise ValueError("the boxes do not say how many runs they have")
    # A page without text is only a number here, but a book has no million pages.
    if not 0 < pages <= 1_000_000:
        raise ValueError("the boxes have no pages, or too many")
    packed_pages, packed_runs, packed_edges = value["arrays"]
    run_array = _unpacked(packed_runs, "<i4", runs * _COLUMNS).reshape(runs, _COLUMNS)
    count = int((run_array[:, _END].astype(np.int64) - run_array[:, _START]).sum())
    if not 0 <= count <= length:
        raise ValueError("the boxes have more characters than the text")
    boxes = Boxes(
        _unpacked(packed_pages, "<i4", pages * 2).reshape(pages, 2).astype(np.int32),
        run_array.astype(np.int32),
        _unpacked(packed_edges, "<u2", count * 2).reshape(count, 2).astype(np.uint16),
    )
    check_boxes(boxes, length)
    return boxes


def _packed(array: NDArray[Any], kind: str) -> str:
    return base64.b64encode(zlib.compress(array.astype(kind).tobytes(), 1)).decode("ascii")


def _unpacked(packed: str, kind: str, count: int) -> NDArray[Any]:
    """The array of so many numbers that was packed; raises ValueError where it has more or fewer."""
    size = count * np.dtype(kind).itemsize
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(base64.b64decode(packed, validate=True), size + 1)
    except (binascii.Error, zlib.error) as error:
        raise ValueError("the boxes cannot be unpacked") from error
    if len(data) != size:
        raise ValueError("the boxes have another size than they should have")
    return np.frombuffer(data, kind)


def _rectangle(run: Sequence[int], left: int, right: int) -> Rectangle:
    """A stretch of a run's line as a rectangle on its page."""
    low, high = run[_LOW], run[_HIGH]
    corners = (
        (left, low, right, high),
        (-high, left, -low, right),
        (-right, -high, -left, -low),
        (low, -right, high, -left),
    )[run[_TURN]]
    x, y, right_x, top = (number / UNITS for number in corners)
    return run[_PAGE], x, y, right_x, top


def _merged(rectangles: Sequence[Rectangle]) -> Iterator[Rectangle]:
    """The rectangles, those that follow each other on one line made one."""
    last: Rectangle | None = None
    for one in rectangles:
        if last is not None and _on_one_line(last, one):
            page, left, bottom, right, top = last
            last = (
                page,
                min(left, one[1]),
                min(bottom, one[2]),
                max(right, one[3]),
                max(top, one[4]),
            )
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last


def _on_one_line(one: Rectangle, other: Rectangle) -> bool:
    """Whether two rectangles stand beside each other, a word space apart."""
    if one[0] != other[0]:
        return False
    height = min(one[4] - one[2], other[4] - other[2])
    shared = min(one[4], other[4]) - max(one[2], other[2])
    return shared > 0.5 * height and -height < other[1] - one[3] < height
