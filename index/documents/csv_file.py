"""A file of separated values in, a table out: each row with the heads of its columns."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from io import StringIO
from itertools import islice

from index.documents.builder import ContentBuilder
from index.documents.cleaning import clean
from index.documents.content import Content
from index.documents.tables import DraftCell
from index.documents.text.reader import read_plain_text
from index.errors import DocumentError

_DELIMITERS = ",;\t|"
# Excel's own way to name the delimiter, in the file's first line.
_SEPARATOR_LINE = re.compile(r"sep=(.)\n", re.IGNORECASE)
# The delimiter is told by so many of the first rows.
SAMPLE_ROWS = 200
# Of those, so many have the same number of cells. In prose, the number of commas varies.
SAME_WIDTH_SHARE = 0.6
# Or they differ, but few have one cell only.
MAX_SINGLE_SHARE = 0.3
# A column is one of numbers, dates or addresses where so many of its values are.
KIND_SHARE = 0.8
# Laying out a cell takes 10 µs, and a reader may take 5 seconds.
MAX_CELLS = 200_000
# More lines than these without a table are a table of one column.
MAX_LINES = 3

# What shows that the first row is one of values.
_KINDS = {
    "number": re.compile(
        r"[-+(]?\s?[$€£¥]?\s?\d[\d.,' \u00a0\u202f]*\)?\s?(?:%|[$€£¥]|[eE][-+]?\d+)?"
    ),
    "date": re.compile(
        r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?:[T ]\d{1,2}:\d{2}\S*)?|\d{1,2}:\d{2}(?::\d{2})?"
    ),
    "address": re.compile(r"[^\s@]+@[^\s@]+|(?:https?://|www\.)\S+"),
}
_YEAR = re.compile(r"(?:1[89]|20)\d\d")
_SENTENCE_END = (".", "!", "?", "…", '."', ".”")


def read_csv(text: str, source: str) -> Content:
    """Read a table of separated values, or prose in a file that is only named like one.

    Raises DocumentError for a table of too many cells.
    """
    text = clean(text.lstrip("\ufeff"))
    named = _SEPARATOR_LINE.match(text)
    if named:
        text = text[named.end() :]
    delimiter = named[1] if named else _delimiter(text)
    if delimiter is None:
        return read_plain_text(text)
    rows = [[cell.strip() for cell in row] for row in _rows(text, delimiter)]
    cells = sum(map(len, rows))
    if cells > MAX_CELLS:
        raise DocumentError(
            f"'{source}' has {cells:,} cells and the limit is {MAX_CELLS:,}: "
            "split it and open a part."
        )
    builder = ContentBuilder()
    for part in _parts(rows):
        _write(builder, part)
    return builder.build()


def _delimiter(text: str) -> str | None:
    """The character between the cells; None where the lines are no table."""
    best: tuple[float, int] = (0.0, 0)
    found = None
    for delimiter in _DELIMITERS:
        sample = islice(_rows(text, delimiter), SAMPLE_ROWS)
        rows = [row for row in sample if any(cell.strip() for cell in row)]
        widths = Counter(len(row) for row in rows)
        wide = {width: times for width, times in widths.items() if width > 1}
        if not wide or _is_prose(rows, delimiter):
            continue
        width = max(wide, key=lambda width: (wide[width], width))
        # Title rows and notes have one cell, and are no sign against a delimiter.
        share = wide[width] / (sum(wide.values()) + widths[1] / 2)
        is_ragged = MAX_SINGLE_SHARE * len(rows) >= widths[1]
        if (share >= SAME_WIDTH_SHARE or is_ragged) and (share, width) > best:
            best, found = (share, width), delimiter
    return found


def _is_prose(rows: Sequence[Sequence[str]], delimiter: str) -> bool:
    """Whether the cells are parts of sentences: blanks follow the commas, or lines end with a stop."""
    if delimiter not in ",;":
        return False
    inner = [cell for row in rows for cell in row[1:]]
    spaced = sum(cell.startswith(" ") for cell in inner)
    ended = sum(row[-1].rstrip().endswith(_SENTENCE_END) for row in rows)
    return 2 * spaced > len(inner) or 2 * ended > len(rows)


def _rows(text: str, delimiter: str) -> Iterable[list[str]]:
    """The rows of a table; a quotation mark that is never closed is a character like any other."""
    csv.field_size_limit(max(len(text), 1))
    lines = StringIO(text, newline="")
    if '"' in text and not _quotes_close(text, delimiter):
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=delimiter)


def _quotes_close(text: str, delimiter: str) -> bool:
    try:
        for _ in csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True):
            pass
    except csv.Error as error:
        return "end of data" not in str(error)
    return True


def _parts(rows: Sequence[list[str]]) -> Iterable[list[list[str]]]:
    """The tables of a file: a row with one cell after an empty row begins another one."""
    part: list[list[str]] = []
    after_gap = False
    for row in rows:
        filled = sum(map(bool, row))
        if after_gap and filled == 1 and part:
            yield part
            part = []
        after_gap = not filled
        if filled:
            part.append(row)
    if part:
        yield part


def _write(builder: ContentBuilder, rows: list[list[str]]) -> None:
    """Add a table with the lines above and below it: its title and its notes."""
    above = _count_single(rows)
    if above == len(rows) > MAX_LINES:  # a table of one column
        above = 0
    lines = [next(filter(None, row)) for row in rows[:above]]
    if lines and builder.is_empty:
        builder.title(lines.pop(0))
    elif lines and above < len(rows):
        builder.heading(lines.pop(0), 1)
    for line in lines:
        builder.paragraph(line)
    rows = rows[above:]
    below = _count_single(rows[::-1])
    # A row of a name without values ends with empty cells; a note has none.
    while 0 < below <= len(rows) and (below == len(rows) or len(rows[-below]) > 1):
        below -= 1
    table, notes = rows[: len(rows) - below], rows[len(rows) - below :]
    if table:
        builder.table(_cells(table))
    for row in notes:
        builder.paragraph(next(filter(None, row)))


def _count_single(rows: Sequence[Sequence[str]]) -> int:
    """How many rows there are before the first one with more than one filled cell."""
    counts = (number for number, row in enumerate(rows) if sum(map(bool, row)) > 1)
    return next(counts, len(rows))


def _cells(rows: Sequence[Sequence[str]]) -> list[list[DraftCell]]:
    """The cells of a table without its empty columns, those of its first row as heads unless data."""
    width = max(map(len, rows))
    used = [at for at in range(width) if any(at < len(row) and row[at] for row in rows)]
    table = [[row[at] if at < len(row) else "" for at in used] for row in rows]
    has_heads = len(table) > 1 and len(used) > 1 and not _is_data(table)
    return [
        [DraftCell(cell, is_head=has_heads and not number) for cell in row]
        for number, row in enumerate(table)
    ]


def _is_data(table: Sequence[Sequence[str]]) -> bool:
    """Whether the first row holds values like those below it, and no names for them."""
    first, *rest = table
    if all(_YEAR.fullmatch(cell) for cell in first[1:] if cell) and any(first[1:]):
        # Years are heads in "Product, 2023, 2024", and values in "1999, 2004".
        return _kind(first[0]) != ""
    for at, cell in enumerate(first):
        kind = _kind(cell)
        below = [row[at] for row in rest[:SAMPLE_ROWS] if row[at]]
        if kind and below and sum(_kind(one) == kind for one in below) >= KIND_SHARE * len(below):
            return True
    return not any(map(_has_letter, first))


def _kind(cell: str) -> str:
    """Whether a cell is a number, a date or an address; "" for any other text."""
    return next((name for name, form in _KINDS.items() if form.fullmatch(cell)), "")


def _has_letter(cell: str) -> bool:
    return any(character.isalpha() for character in cell)
