"""How a page of a PDF is shown, and the straight lines and small shapes that are drawn on it."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.documents.boxes import MAX_COORDINATE, UNITS

# A page with more drawings is a map or a plot, and no table.
MAX_SHAPES = 3000
MAX_SEGMENTS = 400
# More dots than this are no bullets.
MAX_DOTS = 300
# Looking at a shape or a segment of one is a step, and so is skipping this many other objects. All the
# pages of a document together get a budget of steps that takes about a second.
OBJECTS_A_STEP = 20
BUDGET = 100_000
# Lines drawn thinner than this are rules; a bullet is smaller than this in both directions.
RULE_WIDTH = 3.0
BULLET_SIZE = 9.0
# No coordinate of a character is larger, in points.
LIMIT = MAX_COORDINATE / UNITS / 2


class Rule(NamedTuple):
    """A straight line drawn on a page, thin in one direction; in points as the page is shown."""

    left: float
    bottom: float
    right: float
    top: float


class Frame:
    """How a page is shown: cropped to its box, and turned."""

    def __init__(self, page: Any) -> None:
        import pypdfium2.raw as pdfium

        box = pdfium.FS_RECTF()
        pdfium.FPDF_GetPageBoundingBox(page.raw, box)
        self.quarters = pdfium.FPDFPage_GetRotation(page.raw) % 4  # clockwise
        self._left, self._bottom = box.left, box.bottom
        width, height = box.right - box.left, box.top - box.bottom
        self.size = (height, width) if self.quarters % 2 else (width, height)
        self._inside = (width, height)

    def point(self, x: float, y: float) -> tuple[float, float]:
        """A point of the page's content on the page as it is shown."""
        width, height = self._inside
        u, v = x - self._left, y - self._bottom
        return ((u, v), (v, width - u), (width - u, height - v), (height - v, u))[self.quarters]

    def shown(self, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Boxes (left, top, right, bottom) as left, bottom, right, top on the page as it is shown."""
        width, height = self._inside
        left, right = boxes[:, 0] - self._left, boxes[:, 2] - self._left
        top, bottom = boxes[:, 1] - self._bottom, boxes[:, 3] - self._bottom
        turned = (
            (left, bottom, right, top),
            (bottom, width - right, top, width - left),
            (width - right, height - top, width - left, height - bottom),
            (height - top, left, height - bottom, right),
        )[self.quarters]
        clipped: NDArray[np.float64] = np.clip(np.stack(turned, axis=1), -LIMIT, LIMIT)
        return clipped


class ShapeReader:
    """Find the rules and bullets of page after page, as long as that takes no more than its share."""

    def __init__(self, budget: int = BUDGET) -> None:
        """Allow so many steps, for all pages together."""
        self._left = budget

    def read(self, page: Any, frame: Frame) -> tuple[list[Rule], list[Rule]]:
        """The rules that are drawn on a page, and what is so small that it may be a bullet.

        A page of too many shapes is a map or a plot, and has none.
        """
        import pypdfium2.raw as pdfium

        count = pdfium.FPDFPage_CountObjects(page.raw)
        self._left -= count // OBJECTS_A_STEP
        if self._left <= 0:
            return [], []
        objects = (pdfium.FPDFPage_GetObject(page.raw, at) for at in range(count))
        path_type = pdfium.FPDF_PAGEOBJ_PATH
        paths = [one for one in objects if pdfium.FPDFPageObj_GetType(one) == path_type]
        if len(paths) > min(MAX_SHAPES, self._left):
            return [], []
        self._left -= len(paths)
        rules: list[Rule] = []
        dots: list[Rule] = []
        for path in paths:
            shape = _bounds(path, frame)
            width, height = shape.right - shape.left, shape.top - shape.bottom
            if max(width, height) <= BULLET_SIZE and _is_square(shape):
                dots.append(shape)
            elif min(width, height) <= RULE_WIDTH:
                rules += [shape] if max(width, height) > 2 * RULE_WIDTH else []
            elif max(width, height) > BULLET_SIZE and _is_seen(path):
                rules += self._sides(path, frame)
        return rules, dots if len(dots) <= MAX_DOTS else []

    def _sides(self, path: Any, frame: Frame) -> Iterator[Rule]:
        """The straight sides, along the page's, of a shape with an inside."""
        import pypdfium2.raw as pdfium

        count = pdfium.FPDFPath_CountSegments(path)
        if count > min(MAX_SEGMENTS, self._left):
            return
        self._left -= count
        matrix = pdfium.FS_MATRIX()
        pdfium.FPDFPageObj_GetMatrix(path, matrix)
        start: tuple[float, float] | None = None
        last: tuple[float, float] | None = None
        for at in range(count):
            segment = pdfium.FPDFPath_GetPathSegment(path, at)
            x, y = ctypes.c_float(), ctypes.c_float()
            pdfium.FPDFPathSegment_GetPoint(segment, x, y)
            here = frame.point(
                matrix.a * x.value + matrix.c * y.value + matrix.e,
                matrix.b * x.value + matrix.d * y.value + matrix.f,
            )
            kind = pdfium.FPDFPathSegment_GetType(segment)
            if kind == pdfium.FPDF_SEGMENT_MOVETO:
                start = here
            ends = [last] if kind == pdfium.FPDF_SEGMENT_LINETO else []
            if pdfium.FPDFPathSegment_GetClose(segment):
                ends.append(start)
            for end in ends:
                if end is not None:
                    side = _between(here, end)
                    width, height = side.right - side.left, side.top - side.bottom
                    if min(width, height) < 0.5 and max(width, height) > 2 * RULE_WIDTH:
                        yield side
            last = here


def _is_square(shape: Rule) -> bool:
    width, height = shape.right - shape.left, shape.top - shape.bottom
    return min(width, height) > 1 and max(width, height) < 1.5 * min(width, height)


def _bounds(path: Any, frame: Frame) -> Rule:
    import pypdfium2.raw as pdfium

    sides = [ctypes.c_float() for _ in range(4)]
    pdfium.FPDFPageObj_GetBounds(path, *sides)
    left, bottom, right, top = (side.value if math.isfinite(side.value) else 0 for side in sides)
    return _between(frame.point(left, bottom), frame.point(right, top))


def _between(one: tuple[float, float], other: tuple[float, float]) -> Rule:
    (x0, x1), (y0, y1) = sorted((one[0], other[0])), sorted((one[1], other[1]))
    return Rule(x0, y0, x1, y1)


def _is_seen(path: Any) -> bool:
    """Whether a shape is drawn, and in something else than white alone."""
    import pypdfium2.raw as pdfium

    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDFPath_GetDrawMode(path, fill, stroke)
    if stroke.value:
        return True
    color = [ctypes.c_uint() for _ in range(4)]
    pdfium.FPDFPageObj_GetFillColor(path, *color)
    return bool(fill.value) and min(part.value for part in color[:3]) < 255
