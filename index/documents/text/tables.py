"""Tables drawn in plain text: by pipes, by tabs, by leading dots, or by aligned columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from index.documents.tables import DraftCell, guess_heads
from index.documents.text.line_wraps import Line

Rows = list[list[DraftCell]]
_RowsOf = Callable[[Sequence[Line]], list[list[str]] | None]

# A table wider than this is none that a person has drawn.
MAX_WIDTH = 300
# Columns are aligned by chance in fewer lines.
MIN_ALIGNED = 3
# Of the rows of a table, so many have a second cell.
FILLED_SHARE = 0.6

_PIPE = re.compile(r"[|│┃║]")
_RULER_SIGNS = frozenset("-=_+|:─━═│┃║┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬ \t")
_DASHES = frozenset("-=_─━═")
_LEADERS = re.compile(r"(?:\s?\.){4,}\s*|\s?…(?:\s?…)+\s*")
# Two blanks follow a full stop in typewritten prose.
_GAP = re.compile(r"\S(?<![.!?:;,\"”'’)])\s{2}|\S\s{3}")


def split_tables(lines: Sequence[Line]) -> Iterator[Rows | list[Line]]:
    """The tables in lines that follow each other, each as its rows, and the lines around them."""
    around: list[Line] = []
    tried: dict[_RowsOf, int] = {}
    at = 0
    while at < len(lines):
        found = _table_at(lines, at, tried)
        if found is None:
            around.append(lines[at])
            at += 1
            continue
        if around:
            yield around
            around = []
        rows, at = found
        yield rows
    if around:
        yield around


def is_ruler(text: str) -> bool:
    """Whether a line has nothing but lines drawn with signs."""
    signs = set(text)
    return signs <= _RULER_SIGNS and any(2 * sign in text for sign in signs & _DASHES)


def _table_at(lines: Sequence[Line], at: int, tried: dict[_RowsOf, int]) -> tuple[Rows, int] | None:
    """The table that begins at a line, and the number of the line after it.

    `tried` keeps the end of the lines that are no table of each form, so that none is tried twice.
    """
    for belongs, rows_of in (
        (_has_pipe, _pipe_rows),
        (_has_tab, _tab_rows),
        (_has_leaders, _leader_rows),
        (_has_gap, _aligned_rows),
    ):
        if at < tried.get(rows_of, 0):
            continue
        end = at
        while end < len(lines) and (belongs(lines[end]) or is_ruler(lines[end].text)):
            end += 1
        # The second line of a cell in an aligned table stands under it.
        while (
            belongs is _has_gap
            and at < end < len(lines)
            and (lines[end].indent > lines[at].indent + 4 or _has_gap(lines[end]))
        ):
            end += 1
        run = lines[at:end]
        tried[rows_of] = end
        if sum(belongs(line) and not is_ruler(line.text) for line in run) < 2:
            continue
        rows = rows_of(run)
        if rows is not None:
            return _with_heads(rows, run), end
    return None


def _with_heads(rows: list[list[str]], run: Sequence[Line]) -> Rows:
    """The rows as cells; a ruler below the first row, and above others, makes heads of that row."""
    drawn = [line for line in run if not is_ruler(line.text)]
    first = run.index(drawn[0])
    ruled = len(drawn) > 1 and first + 1 < len(run) and is_ruler(run[first + 1].text)
    # Where a ruler is below every row, it tells nothing.
    rulers = len(run) - len(drawn)
    if ruled and rulers < len(drawn) + 1 and len(rows) > 1:
        marked = [[DraftCell(cell) for cell in row] for row in rows]
        marked[0] = [replace(cell, is_head=True) for cell in marked[0]]
        return marked
    return guess_heads(rows)


def _has_pipe(line: Line) -> bool:
    return _PIPE.search(line.text.strip("|")) is not None or (
        line.text.startswith("|") and line.text.endswith("|") and len(line.text) > 2
    )


def _has_tab(line: Line) -> bool:
    return "\t" in line.text


def _has_leaders(line: Line) -> bool:
    found = _LEADERS.search(line.text)
    return found is not None and found.start() > 0 and found.end() < len(line.text)


def _has_gap(line: Line) -> bool:
    return len(line.text) < MAX_WIDTH and _GAP.search(line.text) is not None


def _pipe_rows(run: Sequence[Line]) -> list[list[str]] | None:
    rows = []
    for line in run:
        if not is_ruler(line.text):
            bare = _PIPE.sub("|", line.text)
            bare = bare[1:] if bare.startswith("|") else bare
            bare = bare[:-1] if bare.endswith("|") else bare
            rows.append([cell.strip() for cell in bare.split("|")])
    same = len({len(row) for row in rows}) == 1
    framed = all(_PIPE.match(line.text) or is_ruler(line.text) for line in run)
    return rows if same or framed else None


def _tab_rows(run: Sequence[Line]) -> list[list[str]] | None:
    texts = [line.text for line in run if not is_ruler(line.text)]
    rows = [text.split("\t") for text in texts]
    if len({len(row) for row in rows}) > 1:  # several tabs to align a column
        rows = [[cell for cell in row if cell.strip()] for row in rows]
    return rows


def _leader_rows(run: Sequence[Line]) -> list[list[str]] | None:
    return [_LEADERS.split(line.text, maxsplit=1) for line in run if not is_ruler(line.text)]


def _aligned_rows(run: Sequence[Line]) -> list[list[str]] | None:
    """The rows of lines whose columns are parted by two blanks or more in every line."""
    texts = [" " * line.indent + line.text for line in run]
    drawn = [text for text in texts if not is_ruler(text)]
    if len(drawn) < MIN_ALIGNED - (len(drawn) < len(texts)) or max(map(len, texts)) > MAX_WIDTH:
        return None
    starts = _column_starts(texts, drawn)
    if len(starts) < 2:
        return None
    # What hangs out on the left belongs to the first column.
    edges = [0, *starts[1:], MAX_WIDTH]
    if any(_cuts_word(text, at) for text in drawn for at in starts[1:]):
        return None
    rows = [[text[a:b].strip() for a, b in pairwise(edges)] for text in drawn]
    filled = sum(sum(map(bool, row)) > 1 for row in rows)
    return _without_broken(rows) if filled >= FILLED_SHARE * len(rows) and filled > 1 else None


def _cuts_word(text: str, at: int) -> bool:
    return at < len(text) and not text[at].isspace() and not text[at - 1].isspace()


def _column_starts(texts: Sequence[str], drawn: Sequence[str]) -> list[int]:
    """Where the columns begin: at the words of a ruler, or after two blanks in all the lines drawn."""
    ruler = next((text for text in texts if is_ruler(text) and " " in text.strip()), None)
    if ruler:
        return [found.start() for found in re.finditer(r"\S+", ruler)]
    used = [False, False]
    for text in drawn:
        used += [False] * (len(text) + 2 - len(used))
        for found in re.finditer(r"\S+", text):
            used[found.start() + 2 : found.end() + 2] = [True] * (found.end() - found.start())
    return [at - 2 for at in range(2, len(used)) if used[at] and not any(used[at - 2 : at])]


def _without_broken(rows: Sequence[list[str]]) -> list[list[str]]:
    """The rows, with the second lines of their cells joined to the first ones."""
    whole: list[list[str]] = []
    for row in rows:
        goes_on = whole and not row[0] and not any(cell[:1].isdigit() for cell in row)
        if goes_on:
            whole[-1] = [" ".join(filter(None, pair)) for pair in zip(whole[-1], row, strict=True)]
        else:
            whole.append(row)
    return whole
