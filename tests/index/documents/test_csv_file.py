import pytest
from hypothesis import given, settings

from index.documents.blocks import check_blocks
from index.documents.content import Content
from index.documents.csv_file import MAX_CELLS, read_csv
from index.documents.document import document_of
from index.errors import DocumentError
from tests.index.documents.outline import outline
from tests.index.documents.test_plain_text import FORMS
from tests.qa.any_text import TEXTS


def checked(text: str) -> Content:
    content = read_csv(text, "x.csv")
    check_blocks(content.text, content.blocks, content.pages)
    return content


def read(text: str) -> list[str]:
    """The blocks of a text as outline() writes them."""
    document = document_of(checked(text), name="x", source="x.csv")
    return outline(document).split("\n\n", 1)[1].splitlines()


@given(TEXTS | FORMS)
@settings(max_examples=200, deadline=None)
def test_any_text_gives_blocks(text: str) -> None:
    content = checked(text)
    written = sorted(character for character in text if character.isalnum())
    shown = content.text + "".join(block.marker for block in content.blocks)
    assert sorted(character for character in shown if character.isalnum()) == written


LYON = [
    "row  City* | Hives*",
    "row  City: Lyon | Lyon, Hives: 18",
    "row  City: Paris | Paris, Hives: 4",
]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_by_the_rows(delimiter: str) -> None:
    text = "City,Hives\nLyon,18\nParis,4\n".replace(",", delimiter)
    assert read(text) == LYON
    assert read(text.replace("\n", "\r\n")) == LYON
    assert read("\ufeff" + text) == LYON


def test_the_delimiter_may_be_named() -> None:
    assert read("sep=;\nA;B, C\nx;1\n") == ["row  A* | B, C*", "row  A: x | x, B, C: 1"]


def test_quoted_cells_have_delimiters_quotes_and_line_ends() -> None:
    assert read('Name,Note\n"Doe, Jane","She said\n""yes"""\n') == [
        "row  Name* | Note*",
        'row  Name: Doe, Jane | Doe, Jane, Note: She said "yes"',
    ]


def test_a_quotation_mark_that_is_never_closed_keeps_its_row() -> None:
    assert read('Size,Price\n5" pipe,3\n"6 pipe,4\n7 pipe,5\n')[1:] == [
        'row  Size: 5" pipe | 5" pipe, Price: 3',
        'row  Size: "6 pipe | "6 pipe, Price: 4',
        "row  Size: 7 pipe | 7 pipe, Price: 5",
    ]


@pytest.mark.parametrize(
    ("text", "has_heads"),
    [
        ("City,Hives\nLyon,18", True),
        ("Lyon,18\nParis,4", False),
        ("Product,2023,2024\nLamp,12,14", True),
        (",2023,2024\nLamp,12,14", True),
        ("1999,12\n2004,14", False),
        ("Jane,jane@example.org\nOmar,omar@example.org", False),
        ("2024-05-01,on\n2024-05-02,off", False),
        ("name,city\nJane,Lyon", True),
        ("1,2\n3,4", False),
    ],
)
def test_the_first_row_has_the_heads_unless_it_looks_like_data(text: str, has_heads: bool) -> None:
    assert checked(text).blocks[0].is_table_head is has_heads


def test_lines_around_the_table() -> None:
    text = "Report 2024,,\nLowtown,,\n\nCity,Hives,\nLyon,18,\nParis,4,\n\nSource: survey\n"
    assert read(text) == [
        "title  Report 2024",
        "paragraph  Lowtown",
        *LYON,
        "paragraph  Source: survey",
    ]
    assert checked(text).title == "Report 2024"


def test_two_tables_in_one_file() -> None:
    text = "Hives\nCity,Hives\nLyon,18\nParis,4\n\nLamps\nPier,Lamps\nOne,2\n"
    assert read(text) == [
        "title  Hives",
        *LYON,
        "# Lamps",
        "row  Pier* | Lamps*",
        "row  Pier: One | One, Lamps: 2",
    ]


def test_ragged_rows_and_empty_columns() -> None:
    assert read("a,,b,\nx,,1,\ny\nz,,2,,3\n") == [
        "row  a* | b* | *",
        "row  a: x | x, b: 1 | x: ",
        "row  a: y | y, b:  | y: ",
        "row  a: z | z, b: 2 | z: 3",
    ]


def test_a_formula_is_text() -> None:
    assert "=HYPERLINK(http://e.org)" in checked("a,b\n=HYPERLINK(http://e.org),1\n").text


def test_prose_is_read_as_plain_text() -> None:
    text = "The harbour, which was closed, opened again.\nThe ferry left, with 212 people, at noon."
    assert read(text) == [f"paragraph  {text}".replace("\n", " ")]


def test_the_number_of_cells_is_limited() -> None:
    row = "1,2,3,4,5\n"
    with pytest.raises(
        DocumentError, match="'x.csv' has 200,005 cells and the limit is 200,000: split"
    ):
        read_csv(row * (MAX_CELLS // 5 + 1), "x.csv")


@pytest.mark.parametrize("piece", ['"', ",", '",', 'a,"b\n', ";\n", '""\n'])
def test_any_length_takes_time_in_proportion(piece: str) -> None:
    checked(piece * (200_000 // len(piece)))
