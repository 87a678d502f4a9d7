"""The parts of an Excel workbook in, its sheets as tables out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from index.documents.builder import ContentBuilder
from index.documents.content import Content
from index.documents.members import Members
from index.documents.office.drawing import drawing_texts
from index.documents.office.parts import (
    child,
    children,
    descendants,
    related,
    relationships,
    value,
    with_properties,
)
from index.documents.office.xlsx_cells import Formats, shared_strings
from index.documents.office.xlsx_sheet import SheetReader, table_heads
from index.documents.office.xlsx_tables import SheetTable, sheet_tables

# Names that programs give to sheets, in the language of their user.
_UNNAMED = re.compile(
    r"(?:sheet|tabelle|feuil(?:le)?|hoja|foglio|blad|ark|planilha|taul|лист|工作表|シート) ?\d+",
    re.IGNORECASE,
)


def read_xlsx(members: Members, name: str, main: Any) -> Content:
    """Read a workbook whose main part has that name and root: its visible sheets, in their order."""
    links = relationships(members, name)
    properties = child(main, "workbookPr")
    date_1904 = value(properties, "date1904") in ("1", "true")
    formats = Formats.of(members.xml(related(links, "styles")), date_1904=date_1904)
    strings_part = related(links, "sharedStrings")
    strings = shared_strings(members.read(strings_part)) if strings_part else []
    reader = SheetReader(strings, formats, members.source)
    sheets = []
    for sheet_name, part in _visible_sheets(main, links):
        tables, texts = _read_sheet(members, part, reader)
        if tables or texts:
            sheets.append((sheet_name, tables, texts))
    builder = ContentBuilder()
    for sheet_name, tables, texts in sheets:
        if len(sheets) > 1:
            builder.heading(sheet_name, 1)
        elif not _UNNAMED.fullmatch(sheet_name):
            builder.title(sheet_name)
        for table in tables:
            _write(builder, table)
        for text in texts:
            builder.paragraph(text)
    # The name of the first of several sheets is not that of the workbook.
    return with_properties(members, builder.build(), title_from_heading=False)


def _visible_sheets(main: Any, links: dict[str, tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The name and the part of each sheet of cells that is not hidden."""
    for node in children(child(main, "sheets"), "sheet"):
        identity = next((v for k, v in node.attrib.items() if k.endswith("}id")), "")
        kind, part = links.get(identity, ("", ""))
        if kind == "worksheet" and value(node, "state", "visible") == "visible":
            yield value(node, "name"), part


def _read_sheet(
    members: Members, part: str, reader: SheetReader
) -> tuple[list[SheetTable], list[str]]:
    """The tables of a sheet, and the texts of what is drawn on it."""
    links = relationships(members, part)
    marked = [members.xml(target) for kind, target in links.values() if kind == "table"]
    filtered = any(True for root in marked for _ in descendants(root, "filterColumn"))
    sheet = reader.read(members.read(part), [*map(table_heads, marked)], is_filtered=filtered)
    drawn = [
        text
        for kind, target in links.values()
        if kind == "drawing"
        for text in drawing_texts(members.xml(target))
    ]
    return list(sheet_tables(sheet)), drawn


def _write(builder: ContentBuilder, table: SheetTable) -> None:
    for line in table.above:
        builder.paragraph(line)
    builder.table(table.rows)
    for line in table.below:
        builder.paragraph(line)
