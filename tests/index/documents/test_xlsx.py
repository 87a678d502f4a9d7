"""Excel workbooks: what a person sees on their sheets, as tables and paragraphs."""

import pytest

from index.documents.office.number_format import BUILT_IN
from index.documents.office.xlsx_cells import unescape
from index.documents.office.xlsx_sheet import MAX_CELLS, parse_place, parse_range
from index.errors import DocumentError
from tests.index.documents.packages import document, lines, packed, relations
from tests.index.documents.refusals import refusal

COLUMNS = "ABCDEFGH"
# The styles of cells here: none, bold, and some formats.
PLAIN, BOLD, EURO, DATE, PERCENT, OWN_DATE = range(6)
STYLES = (
    '<numFmts><numFmt numFmtId="170" formatCode="#,##0.00 &quot;€&quot;"/></numFmts>'
    "<fonts><font/><font><b/></font></fonts><cellXfs><xf/><xf fontId='1'/><xf numFmtId='170'/>"
    "<xf numFmtId='15'/><xf numFmtId='9'/><xf numFmtId='14'/></cellXfs>"
)


def cell(place: str, shown: object, style: int = PLAIN) -> str:
    if isinstance(shown, str) and shown.startswith("<"):
        return shown.replace("<c", f'<c r="{place}"', 1)
    if isinstance(shown, str):
        return f'<c r="{place}" s="{style}" t="inlineStr"><is><t>{shown}</t></is></c>'
    return f'<c r="{place}" s="{style}"><v>{shown}</v></c>'


def rows(*given: list[object], start: int = 1, column: int = 0) -> str:
    """Rows of cells; a cell is a value, or a pair of a value and a style, or XML, or None."""
    made = []
    for number, one in enumerate(given, start):
        cells = [
            cell(f"{COLUMNS[at]}{number}", *(shown if isinstance(shown, tuple) else (shown,)))
            for at, shown in enumerate(one, column)
            if shown is not None
        ]
        made.append(f'<row r="{number}">{"".join(cells)}</row>')
    return "".join(made)


def xlsx(
    *sheets: tuple[str, str] | str,
    about: str = "",
    strings: str = "",
    before: str = "",
    after: str = "",
    more: dict[str, str] | None = None,
) -> bytes:
    """A workbook; a sheet is its rows, or its attributes and rows."""
    names, targets, members = [], {}, {}
    for number, one in enumerate(sheets, 1):
        attributes, content = (f'name="Sheet{number}"', one) if isinstance(one, str) else one
        names.append(f'<sheet {attributes} x:id="r{number}"/>')
        targets[f"r{number}"] = f"worksheet sheets/s{number}.xml"
        members[f"xl/sheets/s{number}.xml"] = (
            f"<worksheet>{before}<sheetData>{content}</sheetData>{after}</worksheet>"
        )
    targets |= {"rs": "styles styles.xml", "rt": "sharedStrings strings.xml"}
    return packed(
        {
            "xl/workbook.xml": f'<workbook xmlns:x="urn:x">{about}<sheets>{"".join(names)}</sheets>'
            "</workbook>",
            "xl/_rels/workbook.xml.rels": relations(**targets),
            "xl/styles.xml": f"<styleSheet>{STYLES}</styleSheet>",
            "xl/strings.xml": f"<sst>{strings}</sst>",
            **members,
            **(more or {}),
        }
    )


def read(data: bytes) -> list[str]:
    return lines(data, "a.xlsx")


HIVES = rows(["City", "Hives"], ["Lyon", 18], ["Ghent", 7])
HIVES_READ = ["row  City* | Hives*", "row  City: Lyon | Lyon, Hives: 18"]
HIVES_READ.append("row  City: Ghent | Ghent, Hives: 7")


# Sheets


def test_each_of_several_sheets_is_a_heading() -> None:
    data = xlsx(('name="Bees"', HIVES), ('name="Notes &amp; co"', rows(["Only this."])))
    assert read(data) == ["# Bees", *HIVES_READ, "# Notes & co", "paragraph  Only this."]
    assert document(data, "a.xlsx").title == "a"


def test_the_name_of_a_single_sheet_is_the_title_if_a_person_gave_it() -> None:
    assert read(xlsx(('name="Bees"', HIVES))) == ["title  Bees", *HIVES_READ]
    for name in ("Sheet1", "Tabelle 1", "Feuil1", "シート1"):
        assert read(xlsx((f'name="{name}"', HIVES))) == HIVES_READ


def test_hidden_sheets_rows_and_columns_are_left_out() -> None:
    hidden = rows(["Hives", "Secret", "Honey"], [18, 1, 4], [7, 2, 5], [9, 3, 6]).replace(
        'r="3">', 'r="3" hidden="1">', 1
    )
    data = xlsx(
        ('name="Bees"', hidden),
        ('name="x" state="hidden"', HIVES),
        ('name="y" state="veryHidden"', HIVES),
        before='<cols><col min="2" max="2" hidden="1"/></cols>',
        after='<mergeCells><mergeCell ref="B2:C2"/></mergeCells>',
    )
    assert read(data) == [
        "title  Bees",
        "row  Hives* | Honey*",
        "row  Hives: 18 | 18, Honey: 4",
        "row  Hives: 9 | 9, Honey: 6",
    ]


def test_rows_that_a_filter_or_an_outline_hides_are_there() -> None:
    filtered = HIVES.replace('r="2">', 'r="2" hidden="1">')
    area = '<autoFilter ref="A1:B3"><filterColumn colId="0"/></autoFilter>'
    assert read(xlsx(filtered, after=area)) == HIVES_READ
    table = f'<table ref="A1:B3">{area}</table>'
    parts = {"xl/sheets/_rels/s1.xml.rels": relations(r1="table t.xml"), "xl/sheets/t.xml": table}
    assert read(xlsx(filtered, more=parts)) == HIVES_READ
    folded = HIVES.replace('r="2">', 'r="2" hidden="1" outlineLevel="1">')
    assert read(xlsx(folded)) == HIVES_READ
    assert read(xlsx(filtered)) == [HIVES_READ[0], HIVES_READ[2]]


def test_a_workbook_with_nothing_on_its_sheets_is_empty() -> None:
    with pytest.raises(DocumentError, match="'a.xlsx' is empty"):
        document(xlsx("", ""), "a.xlsx")


# Cells


def test_numbers_are_shown_by_their_formats() -> None:
    data = xlsx(
        rows(
            ["Day", "Sum", "Share", "Plain"],
            [(45363, DATE), (1234.5, EURO), (0.256, PERCENT), 0.30000000000000004],
            [(45364.0, OWN_DATE), (-2, EURO), (1, PERCENT), 1e21],
        )
    )
    assert read(data)[1:] == [
        "row  Day: 12-Mar-24 | 12-Mar-24, Sum: 1,234.50 € | 12-Mar-24, Share: 26% "
        "| 12-Mar-24, Plain: 0.3",
        "row  Day: 2024-03-13 | 2024-03-13, Sum: -2.00 € | 2024-03-13, Share: 100% "
        "| 2024-03-13, Plain: 1E+21",
    ]
    old = xlsx(rows(["x", (45363 - 1462, OWN_DATE)]), about='<workbookPr date1904="1"/>')
    assert read(old) == ["row  x | x: 2024-03-12"]
    assert BUILT_IN[14] == "yyyy-mm-dd"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ('<c t="s"><v>0</v></c>', "plain"),
        ('<c t="s"><v>1</v></c>', "rich text"),
        ('<c t="b"><v>1</v></c>', "TRUE"),
        ('<c t="b"><v>0</v></c>', "FALSE"),
        ('<c t="e"><v>#DIV/0!</v></c>', "#DIV/0!"),
        ('<c t="str"><f>A1&amp;"x"</f><v>ax</v></c>', "ax"),
        ('<c t="d"><v>2024-03-12T00:00:00</v></c>', "2024-03-12"),
        ("<c><f>SUM(B1:B9)</f><v>42</v></c>", "42"),
        ("<c><f>SUM(B1:B9)</f></c>", "=SUM(B1:B9)"),
        ('<c t="n"><v>INF</v></c>', "INF"),
        ('<c t="n" s="2"><v>1e999</v></c>', "1e999"),
        ('<c t="inlineStr"><is><r><t>a </t></r><r><t>b</t></r></is></c>', "a b"),
    ],
)
def test_the_kinds_of_cells(given: str, shown: str) -> None:
    strings = "<si><t>plain</t></si><si><r><t>rich </t></r><r><t>text</t></r>"
    strings += "<rPh><t>reading</t></rPh></si>"
    assert read(xlsx(rows(["x", given]), strings=strings)) == [f"row  x | x: {shown}"]


@pytest.mark.parametrize(
    "given",
    [
        '<c t="s"><v>99</v></c>',
        '<c t="s"><v>-1</v></c>',
        '<c t="str"><f>""</f><v></v></c>',
        '<c s="2"/>',
        '<c><f t="shared" si="0"/></c>',
        '<c t="inlineStr"><is><t> </t></is></c>',
    ],
)
def test_cells_that_show_nothing(given: str) -> None:
    assert read(xlsx(rows(["x", given]))) == ["paragraph  x"]


def test_cells_without_references_follow_each_other() -> None:
    data = xlsx(
        "<row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c><c><v>4</v></c></row>"
    )
    assert read(data) == ["row  1 | 1: 2", "row  3 | 3: 4"]


def test_characters_that_xml_cannot_have() -> None:
    assert unescape("a_x000D_\nb_x0041_ x_x") == "a\nbA x_x"


def test_places() -> None:
    assert parse_place("AA10") == (9, 26)
    assert parse_place("$B$2") == (1, 1)
    assert parse_place("A0") is parse_place("XFE1") is parse_place("A9999999") is None
    assert parse_range("B2:C4") == ((1, 1), (3, 2))
    assert parse_range("B2") == ((1, 1), (1, 1))
    assert parse_range("C4:B2") is parse_range("x:y") is None


# Tables


def test_lines_above_and_below_a_table_are_paragraphs() -> None:
    data = xlsx(
        rows(["Bees of 2024"], ["without wild ones"], ["City", "Hives"], ["Lyon", 18], ["Ghent", 7])
        + rows(["Counted in May."], start=6),
        after='<mergeCells><mergeCell ref="A1:B1"/></mergeCells>',
    )
    assert read(data) == [
        "paragraph  Bees of 2024",
        "paragraph  without wild ones",
        *HIVES_READ,
        "paragraph  Counted in May.",
    ]


def test_empty_rows_and_columns_part_tables() -> None:
    below = rows(["Year", "Honey"], [2023, 9.5], [2024, 8.5], start=6)
    beside = [
        row.replace("</row>", f"{cell(f'E{n}', a)}{cell(f'F{n}', b)}</row>")
        for n, (row, a, b) in enumerate(
            zip(
                HIVES.replace("</row>", "</row>\n").split("\n"),
                ("Keeper", "Ada", "Bo", ""),
                ("Age", 61, 44, ""),
                strict=True,
            ),
            1,
        )
        if row
    ]
    assert read(xlsx("".join(beside) + below)) == [
        *HIVES_READ,
        "row  Keeper* | Age*",
        "row  Keeper: Ada | Ada, Age: 61",
        "row  Keeper: Bo | Bo, Age: 44",
        "row  Year* | Honey*",
        "row  Year: 2023 | 2023, Honey: 9.5",
        "row  Year: 2024 | 2024, Honey: 8.5",
    ]


def test_an_empty_row_or_column_within_a_table_does_not_part_it() -> None:
    data = xlsx(HIVES + rows(["Turin", 31], ["Total", 56], start=5))
    assert read(data) == [
        *HIVES_READ,
        "row  City: Turin | Turin, Hives: 31",
        "row  City: Total | Total, Hives: 56",
    ]
    spaced = xlsx(rows(["City", None, "Hives"], ["Lyon", None, 18], ["Ghent", None, 7]))
    assert read(spaced)[1] == "row  City: Lyon | Lyon:  | Lyon, Hives: 18"


@pytest.mark.parametrize(
    ("given", "heads"),
    [
        ([["City", "Hives"], ["Lyon", 18]], 1),
        ([["City", 2023, 2024], ["Lyon", 18.5, 7], ["Ghent", 2, 3]], 1),
        ([["City", (45000, DATE)], ["Lyon", 18], ["Ghent", 2]], 1),
        ([[("Name", BOLD), ("Role", BOLD)], ["Ada", "keeper"]], 1),
        ([["Name", "Role", "Town"], ["Ada", "keeper", "Lyon"], ["Bo", "helper", "Ghent"]], 1),
        ([["Name", "Lowtown Harbour"], ["Founded", 1890], ["Town", "Lowtown"]], 0),
        ([["Apples", 3], ["Pears", 4]], 0),
        ([["Word", "Meaning"], ["quay", "a place to land"]], 0),
        ([["Lyon", "Lyon"], ["a", 1]], 0),
        ([[("A", BOLD), ("B", BOLD)], [("C", BOLD), ("D", BOLD)]], 0),
    ],
)
def test_which_row_has_the_heads(given: list[list[object]], heads: int) -> None:
    blocks = document(xlsx(rows(*given)), "a.xlsx").blocks
    assert [block.is_table_head for block in blocks] == [n < heads for n in range(len(given))]


def test_rows_that_the_file_marks_are_heads() -> None:
    words = rows(["Word", "Meaning"], ["quay", "a place"], ["pier", "a bridge"])
    expected = "row  Word* | Meaning*"
    assert read(xlsx(words))[0] != expected
    frozen = '<sheetViews><sheetView><pane ySplit="1" state="frozen"/></sheetView></sheetViews>'
    assert read(xlsx(words, before=frozen))[0] == expected
    assert read(xlsx(words, after='<autoFilter ref="A1:B3"/>'))[0] == expected
    parts = {"xl/sheets/_rels/s1.xml.rels": relations(r1="table t.xml")}
    with_heads = parts | {"xl/sheets/t.xml": '<table ref="A1:B3"/>'}
    assert read(xlsx(words, more=with_heads))[0] == expected
    without = parts | {"xl/sheets/t.xml": '<table ref="A1:B3" headerRowCount="0"/>'}
    assert read(xlsx(words, more=without))[0] != expected


def test_merged_cells_and_two_rows_of_heads() -> None:
    data = xlsx(
        rows(
            ["City", "Hives", None],
            [None, "May", "June"],
            ["Lyon", 18, 19],
            [None, 7, 8],
            ["Ghent", "none", None],
        ),
        after='<mergeCells><mergeCell ref="A1:A2"/><mergeCell ref="B1:C1"/>'
        '<mergeCell ref="A3:A4"/><mergeCell ref="B5:C5"/></mergeCells>',
    )
    assert read(data) == [
        "row  City* | Hives*",
        "row  Hives: May* | Hives: June*",
        "row  City: Lyon | Lyon, Hives, May: 18 | Lyon, Hives, June: 19",
        "row  Lyon, Hives, May: 7 | Lyon, Hives, June: 8",
        "row  City: Ghent | Ghent, Hives, May, June: none",
    ]


def test_a_column_of_words_is_a_list_and_one_of_sentences_is_text() -> None:
    assert [b.kind.value for b in document(xlsx(rows(*[["a"]] * 4)), "a.xlsx").blocks] == [
        "table row"
    ] * 4
    data = xlsx(rows(*[["A sentence that says more. " * 4]] * 4))
    assert [b.kind.value for b in document(data, "a.xlsx").blocks] == ["paragraph"] * 4


def test_text_that_is_drawn_on_a_sheet_is_read() -> None:
    shape = "<sp><txBody><p><r><t>Only in </t></r><r><t>summer.</t></r></p><p/></txBody></sp>"
    drawing = f"<wsDr>{shape}</wsDr>"
    parts = {
        "xl/sheets/_rels/s1.xml.rels": relations(r1="drawing d.xml"),
        "xl/sheets/d.xml": drawing,
    }
    assert read(xlsx(HIVES, more=parts)) == [*HIVES_READ, "paragraph  Only in summer."]


# Bad files


def test_more_cells_than_can_be_read_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.documents.office.xlsx_sheet.MAX_CELLS", 5)
    assert "has more than 5 cells" in refusal(xlsx(HIVES), "a.xlsx")
    assert MAX_CELLS == 150_000


def test_cells_beyond_the_last_row_are_damage() -> None:
    data = xlsx('<row r="99999999"><c><v>1</v></c></row>')
    assert "is a damaged Excel workbook" in refusal(data, "a.xlsx")


def test_a_cell_merged_over_the_whole_sheet_costs_nothing() -> None:
    merged = '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    assert len(read(xlsx(HIVES + far, after=merged))) == 4


def test_links_to_other_files_are_not_followed() -> None:
    linked = "<c><f>[1]Other!A1</f><v>18</v></c>"
    assert read(xlsx(rows(["x", linked]))) == ["row  x | x: 18"]
