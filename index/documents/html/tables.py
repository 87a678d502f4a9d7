"""The tables and definition lists of a page as rows of cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from index.documents.html.text import HEADING_TAGS, one_line, text_blocks
from index.documents.tables import MAX_SPAN, DraftCell, guess_heads

Rows = list[list[DraftCell]]

# What a cell of a table that only lays out a page holds, and one with a value does not.
_LAID_OUT = frozenset({"table", "pre", "form", "blockquote", "hr", "article", *HEADING_TAGS})
# Longer than this, a cell holds a part of the page.
MAX_CELL = 1_000
_SECTIONS = {"thead": 0, "tbody": 1, "tfoot": 2}
_AROUND = frozenset({"caption", "colgroup", "col"})
_BOLD = frozenset({"b", "strong"})
# What a definition can hold that a cell of a row cannot.
_STRUCTURE = (*HEADING_TAGS, "pre", "table", "dl", "blockquote", "figure")


def is_layout(table: Any) -> bool:
    """Whether a table only places parts of the page side by side; else it has rows of values."""
    if (table.get("role") or "").lower() in ("presentation", "none"):
        return True
    rows = list(_rows(table))
    if not rows or _has_strays(table):
        return True
    cells = [cell for _, row in rows for cell in row]
    if any(cell.tag == "th" or cell.get("scope") for cell in cells) or any(
        child.tag in ("thead", "caption") for child in table
    ):
        return False
    if max(len(row) for _, row in rows) == 1:
        return True
    if next(table.iterdescendants(*_LAID_OUT), None) is not None:
        return True
    if (
        len(rows) == 1
        and next(table.iterdescendants("p", "ul", "ol", "dl", "div"), None) is not None
    ):
        return True
    return any(_is_long(cell) for cell in cells)


def table_rows(table: Any) -> Rows:
    """The rows of a table; where it marks no heads, a bold first row, or one that looks like heads."""
    rows = sorted(_rows(table), key=lambda row: row[0])  # a foot may stand above the body
    drafts = [[_draft(cell, in_head=part == 0) for cell in row] for part, row in rows]
    if len(drafts) < 2 or any(cell.is_head for row in drafts for cell in row):
        return drafts
    first, second = (row for _, row in rows[:2])
    if all(map(_is_bold, first)) and not all(map(_is_bold, second)):
        drafts[0] = [replace(cell, is_head=True) for cell in drafts[0]]
    elif all(cell.columns == cell.rows == 1 for row in drafts for cell in row):
        drafts = guess_heads([[cell.text for cell in row] for row in drafts])
    return drafts


def nested_tables(table: Any) -> Iterator[Any]:
    """The tables in the cells of a table, without those in them."""
    for nested in table.iterdescendants("table"):
        if next(nested.iterancestors("table")) is table:
            yield nested


def is_list_of_pairs(definitions: Any) -> bool:
    """Whether all that a definition list holds are terms and short texts."""
    groups = list(_groups(definitions))
    return (
        next(definitions.iterdescendants(*_STRUCTURE), None) is None
        and bool(groups)
        and all(terms for terms, _ in groups)
        and any(described for _, described in groups)
        and not _has_strays(definitions)
    )


def definition_rows(definitions: Any) -> Rows:
    """A row for each paragraph of a definition, headed by its terms."""
    groups = [
        ([one_line(term) for term in terms], [t for one in described for t in text_blocks(one)])
        for terms, described in _groups(definitions)
    ]
    most = max((len(terms) for terms, _ in groups), default=1)
    rows: Rows = []
    for terms, texts in groups:
        if not texts:
            rows += [[DraftCell(term)] for term in terms]
            continue
        heads = [DraftCell(term, is_head=True, rows=len(texts)) for term in terms]
        heads[-1] = replace(heads[-1], columns=1 + most - len(terms))
        rows.append([*heads, DraftCell(texts[0])])
        rows += [[DraftCell(text)] for text in texts[1:]]
    return rows


def _rows(table: Any) -> Iterator[tuple[int, list[Any]]]:
    """Each row's cells, with 0 for a row of the head, 1 of the body and 2 of the foot."""
    for child in table:
        part = _SECTIONS.get(child.tag)
        for row in [child] if child.tag == "tr" else child if part is not None else ():
            cells = [cell for cell in row if cell.tag in ("td", "th")]
            if row.tag == "tr" and cells:
                yield 1 if part is None else part, cells


def _has_strays(parent: Any) -> bool:
    """Whether text or elements stand in a table or list where only rows, cells or items may."""
    if parent.tag in ("td", "th", "dt", "dd", "caption", "colgroup", "col"):
        return False
    if (parent.text or "").strip() or any((child.tail or "").strip() for child in parent):
        return True
    allowed = {
        "table": {"tr", *_SECTIONS, *_AROUND},
        "tr": {"td", "th"},
        "dl": {"dt", "dd", "div"},
        "div": {"dt", "dd"},
    }.get(parent.tag, {"tr"})
    return any(child.tag not in allowed or _has_strays(child) for child in parent)


def _draft(cell: Any, *, in_head: bool) -> DraftCell:
    down = _span(cell, "rowspan")
    return DraftCell(
        one_line(cell, without=("table",)),
        is_head=in_head or cell.tag == "th" or (cell.get("scope") or "") in ("row", "col"),
        columns=max(1, _span(cell, "colspan")),
        rows=down or MAX_SPAN,  # 0 is down to the end of the table
    )


def _span(cell: Any, name: str) -> int:
    digits = (cell.get(name) or "1").strip()[:6]
    return min(int(digits), MAX_SPAN) if digits.isascii() and digits.isdigit() else 1


def _is_bold(cell: Any) -> bool:
    """Whether all of a cell's text is in one bold element."""
    while len(cell) == 1 and not (cell.text or "").strip() and not (cell[0].tail or "").strip():
        cell = cell[0]
        if cell.tag in _BOLD:
            return True
    return False


def _is_long(cell: Any) -> bool:
    length = 0
    for text in cell.itertext():
        length += len(text.strip())
        if length > MAX_CELL:
            return True
    return False


def _groups(definitions: Any) -> Iterator[tuple[list[Any], list[Any]]]:
    """The terms of a definition list that stand together, with the definitions that follow them."""
    terms: list[Any] = []
    described: list[Any] = []
    for child in definitions:
        for item in child if child.tag == "div" else [child]:
            if item.tag == "dt" and described:
                yield terms, described
                terms, described = [], []
            if item.tag in ("dt", "dd"):
                (terms if item.tag == "dt" else described).append(item)
    if terms or described:
        yield terms, described
