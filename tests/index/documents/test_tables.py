from collections.abc import Sequence

import pytest

from index.documents.blocks import BlockKind
from index.documents.builder import ContentBuilder
from index.documents.content import Content
from index.documents.tables import MAX_SPAN, DraftCell, guess_heads, lay_out


def head(text: str, columns: int = 1, rows: int = 1) -> DraftCell:
    return DraftCell(text, is_head=True, columns=columns, rows=rows)


def cell(text: str, columns: int = 1, rows: int = 1) -> DraftCell:
    return DraftCell(text, columns=columns, rows=rows)


def table(*rows: Sequence[DraftCell]) -> Content:
    builder = ContentBuilder()
    builder.table(rows)
    return builder.build()


def heads_of(content: Content, words: str) -> list[str]:
    """The heads of the only cell with these words: of its row, then of its column."""
    (found,) = [
        cell
        for block in content.blocks
        for cell in block.cells
        if content.text[cell.start : cell.end] == words
    ]
    return [content.text[a:b] for a, b in (*found.row_heads, *found.heads)]


def test_a_cell_has_the_heads_of_its_column_and_its_row() -> None:
    hives = table([head("City"), head("Hives")], [cell("Lyon"), cell("18")])
    assert hives.text == "City\tHives\nLyon\t18"
    assert [block.kind for block in hives.blocks] == [BlockKind.TABLE_ROW] * 2
    assert [block.is_table_head for block in hives.blocks] == [True, False]
    assert heads_of(hives, "18") == ["Lyon", "Hives"]
    assert heads_of(hives, "Lyon") == ["City"]


def test_two_rows_of_heads() -> None:
    sales = table(
        [head(""), head("Sales", columns=2)],
        [head("Year"), head("North"), head("South")],
        [cell("2023"), cell("11"), cell("12")],
    )
    assert heads_of(sales, "12") == ["2023", "Sales", "South"]


def test_a_cell_that_spans_rows_heads_all_of_them() -> None:
    content = table(
        [head("City"), head("Year"), head("Hives")],
        [cell("Lyon", rows=2), cell("2020"), cell("18")],
        [cell("2021"), cell("20")],
        [cell("Lille"), cell("2022"), cell("7")],
    )
    assert heads_of(content, "20") == ["Lyon", "Hives"]
    assert heads_of(content, "7") == ["Lille", "Hives"]


def test_a_row_that_spans_the_table_heads_what_follows() -> None:
    content = table(
        [head("City"), head("Hives")],
        [cell("North", columns=2)],
        [cell("Lille"), cell("7")],
        [cell("South", columns=2)],
        [cell("Nice"), cell("9")],
    )
    assert heads_of(content, "7") == ["North", "Lille", "Hives"]
    assert heads_of(content, "9") == ["South", "Nice", "Hives"]


def test_a_row_of_heads_in_the_middle_replaces_those_above() -> None:
    content = table(
        [head("City"), head("Hives")],
        [cell("Lyon"), cell("18")],
        [head("Town"), head("Bees")],
        [cell("Agen"), cell("900")],
    )
    assert heads_of(content, "900") == ["Agen", "Bees"]


def test_a_table_of_nothing_but_heads_has_rows_all_the_same() -> None:
    content = table(*([head(f"name {n}"), head(f"value {n}")] for n in range(5)))
    assert heads_of(content, "value 3") == ["name 3", "value 0", "value 1", "value 2"]


def test_empty_cells_and_rows_say_nothing() -> None:
    content = table([cell("a"), cell(""), cell("c")], [cell(""), cell(" ")], [cell("d")])
    assert content.text == "a\tc\nd"
    assert [c.column for c in content.blocks[0].cells] == [0, 1, 2]


def test_a_span_without_end_is_cut() -> None:
    (row,) = lay_out([[cell("a", columns=10**9), cell("b")]])
    assert row.cells[1].column == MAX_SPAN


@pytest.mark.parametrize(
    ("rows", "has_heads"),
    [
        ([["City", "Hives", "Founded"], ["Lyon", "18", "1990"], ["Lille", "7", "2001"]], True),
        ([["City", "Hives", "2020"], ["Lyon", "18", "4"]], False),
        ([["City", "Hives", "Hives"], ["Lyon", "18", "4"]], False),
        ([["Anna", "Bern", "cook"], ["Beat", "Basel", "smith"]], False),
        ([["Weight", "2 kg"], ["Width", "30 cm"]], False),
        ([["City", "Hives", "Founded"]], False),
    ],
)
def test_guessed_heads(rows: list[list[str]], has_heads: bool) -> None:
    assert guess_heads(rows)[0][0].is_head is has_heads
