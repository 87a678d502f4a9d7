"""The rules drawn on a page in, the grids that they make out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from index.documents.pdf.shapes import Rule

# Rules this close, in points, are one; double rules and the borders of neighbouring cells are.
TOLERANCE = 4.0
# More rules than this are a drawing, once those that go on with each other are joined.
MAX_RULES = 300


@dataclass(frozen=True)
class Grid:
    """The lines of a grid: `xs` from left to right, `ys` from top to bottom, and its rules."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    rules: tuple[Rule, ...]

    @property
    def left(self) -> float:
        """Its left side."""
        return self.xs[0]

    @property
    def right(self) -> float:
        """Its right side."""
        return self.xs[-1]

    @property
    def top(self) -> float:
        """Its upper side."""
        return self.ys[0]

    @property
    def bottom(self) -> float:
        """Its lower side."""
        return self.ys[-1]

    @property
    def columns(self) -> int:
        """How many columns it has."""
        return len(self.xs) - 1

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return len(self.ys) - 1

    def column_at(self, x: float) -> int:
        """The number of the column at a place."""
        return min(max(bisect_right(self.xs, x) - 1, 0), self.columns - 1)

    def row_at(self, y: float) -> int:
        """The number of the row at a height."""
        return min(max(sum(line > y for line in self.ys) - 1, 0), self.rows - 1)

    @cached_property
    def spans(self) -> dict[tuple[int, int], tuple[int, int]]:
        """How many rows and columns the field that begins at a row and column has."""
        spans: dict[tuple[int, int], tuple[int, int]] = {}
        covered: set[tuple[int, int]] = set()
        for row in range(self.rows):
            for column in range(self.columns):
                if (row, column) not in covered:
                    down, across = self._span(row, column, covered)
                    spans[row, column] = (down, across)
                    covered |= {(row + y, column + x) for y in range(down) for x in range(across)}
        return spans

    @cached_property
    def field_of(self) -> dict[tuple[int, int], tuple[int, int]]:
        """The row and column at which the field begins that has a row and column."""
        return {
            (row + y, column + x): (row, column)
            for (row, column), (down, across) in self.spans.items()
            for y in range(down)
            for x in range(across)
        }

    @cached_property
    def _horizontal(self) -> list[Rule]:
        return [rule for rule in self.rules if _is_horizontal(rule)]

    @cached_property
    def _vertical(self) -> list[Rule]:
        return [rule for rule in self.rules if not _is_horizontal(rule)]

    def _span(self, row: int, column: int, covered: set[tuple[int, int]]) -> tuple[int, int]:
        across = 1
        while (
            column + across < self.columns
            and (row, column + across) not in covered
            and not self._has_vertical(column + across, row)
        ):
            across += 1
        down = 1
        while row + down < self.rows and all(
            (row + down, at) not in covered and not self._has_horizontal(row + down, at)
            for at in range(column, column + across)
        ):
            down += 1
        return down, across

    def _has_vertical(self, line: int, row: int) -> bool:
        x, y = self.xs[line], (self.ys[row] + self.ys[row + 1]) / 2
        return any(
            rule.left - TOLERANCE < x < rule.right + TOLERANCE and rule.bottom < y < rule.top
            for rule in self._vertical
        )

    def _has_horizontal(self, line: int, column: int) -> bool:
        y, x = self.ys[line], (self.xs[column] + self.xs[column + 1]) / 2
        return any(
            rule.bottom - TOLERANCE < y < rule.top + TOLERANCE and rule.left < x < rule.right
            for rule in self._horizontal
        )


def find_grids(rules: Sequence[Rule]) -> list[Grid]:
    """The grids on a page, of two columns and two rows or more, or of three columns and a row."""
    joined = _joined([rule for rule in rules if _is_horizontal(rule)], horizontal=True)
    joined += _joined([rule for rule in rules if not _is_horizontal(rule)], horizontal=False)
    if len(joined) > MAX_RULES:
        return []
    grids = []
    for group in _connected(joined):
        horizontal = [rule for rule in group if _is_horizontal(rule)]
        vertical = [rule for rule in group if not _is_horizontal(rule)]
        if not horizontal or not vertical:
            continue
        xs = _clustered(
            [(rule.left + rule.right) / 2 for rule in vertical]
            + [min(rule.left for rule in horizontal), max(rule.right for rule in horizontal)]
        )
        ys = _clustered(
            [(rule.bottom + rule.top) / 2 for rule in horizontal]
            + [min(rule.bottom for rule in vertical), max(rule.top for rule in vertical)]
        )
        if len(xs) > 2 and (len(ys) > 2 or (len(xs) > 3 and len(ys) == 2)):
            grids.append(Grid(tuple(xs), tuple(reversed(ys)), tuple(group)))
    return grids


def _is_horizontal(rule: Rule) -> bool:
    return rule.right - rule.left >= rule.top - rule.bottom


def _joined(rules: Sequence[Rule], *, horizontal: bool) -> list[Rule]:
    """The rules, those that go on with each other on one line made one."""

    def place(rule: Rule) -> tuple[float, float]:
        middle = rule.bottom + rule.top if horizontal else rule.left + rule.right
        return round(middle / TOLERANCE), rule.left if horizontal else rule.bottom

    joined: list[Rule] = []
    for rule in sorted(rules, key=place):
        if joined and _goes_on(joined[-1], rule, horizontal):
            last = joined[-1]
            joined[-1] = Rule(
                min(last.left, rule.left),
                min(last.bottom, rule.bottom),
                max(last.right, rule.right),
                max(last.top, rule.top),
            )
        else:
            joined.append(rule)
    return joined


def _goes_on(one: Rule, other: Rule, horizontal: bool) -> bool:
    if horizontal:
        return (
            abs(one.bottom + one.top - other.bottom - other.top) < TOLERANCE
            and other.left < one.right + TOLERANCE
        )
    return (
        abs(one.left + one.right - other.left - other.right) < TOLERANCE
        and other.bottom < one.top + TOLERANCE
    )


def _connected(rules: Sequence[Rule]) -> list[list[Rule]]:
    """The rules in groups of those that touch or cross each other."""
    left = list(rules)
    groups = []
    while left:
        group = [left.pop()]
        for one in group:  # which grows
            touching = [other for other in left if _touch(one, other)]
            group += touching
            left = [other for other in left if other not in touching]
        groups.append(group)
    return groups


def _touch(one: Rule, other: Rule) -> bool:
    return (
        one.left < other.right + TOLERANCE
        and other.left < one.right + TOLERANCE
        and one.bottom < other.top + TOLERANCE
        and other.bottom < one.top + TOLERANCE
    )


def _clustered(values: Sequence[float]) -> list[float]:
    """The values in order, those that are close together as their first one."""
    kept: list[float] = []
    for value in sorted(values):
        if not kept or value - kept[-1] > TOLERANCE:
            kept.append(value)
    return kept
