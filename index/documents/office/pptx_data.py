"""Tables, charts and diagrams on a slide as rows and texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from index.documents.office.drawing import paragraph_text
from index.documents.office.number_format import format_number, general
from index.documents.office.parts import child, children, descendants, number, value
from index.documents.tables import MAX_SPAN, DraftCell, guess_heads

# Of a chart; one of more has been drawn from a sheet that says more than its picture.
MAX_POINTS = 1_000


def table_rows(table: Any) -> list[list[DraftCell]]:
    """The rows of a table; its first one has heads where the table's style sets it apart."""
    about = child(table, "tblPr")
    marked = value(about, "firstRow") in ("1", "true")
    nodes = list(children(table, "tr"))
    rows = []
    for at, node in enumerate(nodes):
        cells = []
        for cell in children(node, "tc"):
            if value(cell, "hMerge") in ("1", "true") or value(cell, "vMerge") in ("1", "true"):
                continue  # another cell reaches over it
            cells.append(
                DraftCell(
                    " ".join(map(paragraph_text, children(child(cell, "txBody"), "p"))),
                    marked and at == 0 and len(nodes) > 1,
                    max(1, min(number(value(cell, "gridSpan"), 1), MAX_SPAN)),
                    max(1, min(number(value(cell, "rowSpan"), 1), MAX_SPAN)),
                )
            )
        rows.append(cells)
    spans = any(cell.columns > 1 or cell.rows > 1 for row in rows for cell in row)
    if marked or spans or not rows:
        return rows
    return guess_heads([[cell.text for cell in row] for row in rows])


def chart_title(root: Any) -> str:
    """The title of a chart, "" where it has none; `root` may be None."""
    return " ".join(_texts(child(root, "chart", "title")))


def _texts(node: Any) -> Iterator[str]:
    """The texts of the paragraphs below a node that is no shape."""
    for paragraph in descendants(node, "p"):
        if text := paragraph_text(paragraph):
            yield text


def chart_rows(root: Any) -> list[list[DraftCell]]:
    """The numbers of a chart: a row for each category, a column for each series."""
    area = child(root, "chart", "plotArea")
    names: list[str] = []
    categories: dict[int, str] = {}
    columns: list[dict[int, str]] = []
    for series in descendants(area, "ser"):
        names.append(" ".join(_points(child(series, "tx")).values()))
        categories = categories or _points(_first(series, "cat", "xVal"))
        columns.append(_points(_first(series, "val", "yVal")))
    used = sorted({at for column in columns for at in column})[:MAX_POINTS]
    head = [DraftCell(text, is_head=True) for text in ("", *names)]
    rows = [
        [DraftCell(categories.get(at, "")), *(DraftCell(column.get(at, "")) for column in columns)]
        for at in used
    ]
    return [head, *rows] if any(names) else rows


def diagram_texts(root: Any) -> Iterator[str]:
    """The texts of a diagram in their order, each once."""
    for point in descendants(root, "pt"):
        if value(point, "type", "node") == "node":
            text = " ".join(_texts(child(point, "t")))
            if text:
                yield text


def _first(node: Any, *names: str) -> Any:
    found = (child(node, name) for name in names)
    return next((one for one in found if one is not None), None)


def _points(node: Any) -> dict[int, str]:
    """The values that a chart keeps of its sheet, by their place, as they are shown."""
    code = next((one.text or "" for one in descendants(node, "formatCode")), "General")
    texts = {}
    numeric = any(True for _ in descendants(node, "numCache"))
    for point in descendants(node, "pt"):
        text = (next((v.text for v in children(point, "v")), "") or "").strip()
        if numeric:
            try:
                amount = float(text)
                text = general(amount) if code == "General" else format_number(amount, code)
            except (ValueError, OverflowError):
                pass
        texts[number(value(point, "idx"))] = text
    if not texts and (plain := child(node, "v")) is not None:
        texts[0] = plain.text or ""
    return texts
