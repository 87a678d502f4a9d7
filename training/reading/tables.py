"""Questions on tables: each row as one line, every cell after the head of its column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.reading.example import Offsets

SEPARATOR = " · "
MAX_CHARACTERS = 1000
MIN_CHARACTERS = 300
# A question about the order or the extremes of all rows is lost with a part of them.
_WHOLE = re.compile(
    r"\b(?:most|least|fewest|first|last|\w+est|how many|average|top|bottom)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class TableText:
    """Rows of a table as text; `labels` are the column heads' offsets, `cells` the cells'."""

    text: str
    labels: tuple[Offsets, ...]
    cells: dict[tuple[int, int], Offsets]


def heads(table: Sequence[Sequence[str]]) -> tuple[list[str], int]:
    """The head of each column, and the number of the first row below the heads.

    A second row of heads, such as years below "Years ended", has an empty first cell.
    """
    first = [" ".join(cell.split()) for cell in table[0]]
    if len(table) > 2 and not first[0] and not table[1][0].strip():
        second = [" ".join(cell.split()) for cell in table[1]]
        return [" ".join(filter(None, pair)) for pair in zip(first, second, strict=True)], 2
    return first, 1


def rows_text(table: Sequence[Sequence[str]], rows: Sequence[int]) -> TableText:
    """The given rows, one a line: "City: Lyon · Hives: 18". Empty cells are left out."""
    names, _ = heads(table)
    text = ""
    labels, cells = [], {}
    for row in rows:
        text += "\n" if text else ""
        line_start = len(text)
        for column, cell in enumerate(table[row]):
            value = " ".join(cell.split())
            if not value:
                continue
            text += SEPARATOR if len(text) > line_start else ""
            if names[column]:
                labels.append((len(text), len(text) + len(names[column]) + 1))
                text += f"{names[column]}: "
            cells[row, column] = (len(text), len(text) + len(value))
            text += value
    return TableText(text, tuple(labels), cells)


def table_window(row: dict[str, Any], rng: np.random.Generator) -> TableText | None:
    """The rows around the answer and others beside them, as many as a passage may have.

    None if the answer stands in the heads, or the question needs more rows than fit.
    """
    table = row["table"]
    _, first = heads(table)
    wanted = {tuple(cell) for cell in row["cells"]}
    if any(r < first for r, _ in wanted):
        return None
    every = range(first, len(table))
    if len(rows_text(table, every).text) <= MAX_CHARACTERS:
        return rows_text(table, every)
    if _WHOLE.search(row["question"]):
        return None
    low, high = min(r for r, _ in wanted), max(r for r, _ in wanted)
    limit = rng.uniform(MIN_CHARACTERS, MAX_CHARACTERS)
    window = rows_text(table, range(low, high + 1))
    if len(window.text) > MAX_CHARACTERS:
        return None
    while low > first or high < every[-1]:
        up = low > first and (high == every[-1] or rng.random() < 0.5)
        wider = rows_text(table, range(low - up, high + 1 + (not up)))
        if len(wider.text) > limit:
            break
        low, high, window = low - up, high + (not up), wider
    return window
