from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.documents.blocks import BlockKind, check_blocks
from index.documents.content import Content
from index.documents.document import document_of
from index.documents.text.reader import read_plain_text
from tests.index.documents.outline import outline
from tests.qa.any_text import TEXTS

WORDS = "the harbour of Lowtown opened again on Monday nine days after a storm tore away its wall "
LINES = st.sampled_from(
    [
        "",
        "\f",
        "CHAPTER I",
        "Title",
        "=====",
        "-----",
        "---- ----",
        "2.1 Scope",
        "4. Redistribution",
        "- one",
        "  - two",
        "3) three",
        "(a) a clause",
        "> quoted",
        ">> twice",
        ">>> print(1)",
        "Key: value",
        "a | b | c",
        "|---|---|",
        "| x | y |",
        "a\tb",
        "\tb",
        "Apples    5    red",
        "Pears    12    green",
        "          blue",
        "Intro ........ 3",
        "    if x == 1;",
        "By Jane Doe, 3 May 2024",
        "                     Centred",
        "Page 3",
        "an extraordi-",
        "nary meeting",
        "A line that is wrapped by a program at about seventy columns, as most of",
        "them are, and goes on here. Then comes another sentence, which is long as",
        "  an indented line that is wrapped by a program at about seventy columns",
        "A very long line " + WORDS * 3,
    ]
)
FORMS = st.lists(LINES, max_size=25).map("\n".join)


def letters(text: str) -> Counter[str]:
    return Counter(character for character in text if character.isalnum())


def everything(content: Content) -> str:
    return content.text + " ".join(block.marker for block in content.blocks)


def read(text: str) -> list[str]:
    """The blocks of a text as outline() writes them."""
    content = read_plain_text(text)
    check_blocks(content.text, content.blocks, content.pages)
    return outline(document_of(content, name="x", source="x.txt")).split("\n\n", 1)[1].splitlines()


@given(st.one_of(TEXTS, FORMS))
@settings(max_examples=300, deadline=None)
def test_any_text_is_all_in_blocks(text: str) -> None:
    content = read_plain_text(text)
    check_blocks(content.text, content.blocks, content.pages)
    assert letters(everything(content)) == letters(text)


WRAPPED = """\
  The harbour of Lowtown opened again on Monday, nine days after a storm
tore away forty metres of its wall. The council had called for an extraordi-
nary meeting on that night, and the well-
known diver came. The extraordinary costs were well-known.
  The first ferry left at 06:40."""


def test_wrapped_lines_are_joined_and_an_indented_line_begins_a_paragraph() -> None:
    assert read(WRAPPED) == [
        "paragraph  The harbour of Lowtown opened again on Monday, nine days after a storm tore away "
        "forty metres of its wall. The council had called for an extraordinary meeting on that night, "
        "and the well-known diver came. The extraordinary costs were well-known.",
        "paragraph  The first ferry left at 06:40.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\n"
        "Rough winds do shake the darling buds of May,\nAnd summer's lease hath all too short a date:",
        "Mr Jonathan Reed\nHarbour Master\n1 Pier Road\nLowtown LT2 8QE",
        "a line\nbroken off",
    ],
    ids=["verse", "address", "note"],
)
def test_lines_that_were_ended_by_hand_stay(text: str) -> None:
    assert read(f"{text}\n\nIt rained.") == [
        f"paragraph  {text}".replace("\n", "⏎"),
        "paragraph  It rained.",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Admission: 20 euros",
        "By Jane Doe",
        "Jane Doe, 3 May 2024",
        "3 May 2024",
        "May 3, 2024",
        "2024-05-03",
        "14 Quay Street",
        "jane@example.org",
        "Join us on Sunday at 10 a.m. in the town hall.",
        "500 sacks of sand",
        "Dear Mr Reed,",
    ],
)
def test_a_short_line_is_no_heading_for_being_short(line: str) -> None:
    after = "The harbour opened again on Monday, nine days after the storm. All were glad."
    assert read(f"It rained on Monday.\n\n{line}\n\n{after}")[1] == f"paragraph  {line}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Title\n=====\n\nIt rained.\n\nPart\n----\n\nIt stopped.", ["title  Title", "# Part"]),
        ("One\n===\n\nIt rained.\n\nTwo\n===\n\nIt stopped.", ["# One", "# Two"]),
        ("=====\nTitle\n=====\n\nIt rained.", ["title  Title"]),
        (
            "1. Scope\n\nIt rained.\n\n1.1 Rain\n\nIt did.\n\n2. Terms\n\nNone.",
            ["# 1. Scope", "## 1.1 Rain", "# 2. Terms"],
        ),
        ("  0. Definitions.\n\n  It means rain.", ["# 0. Definitions."]),
        (
            "CHAPTER I\n\nIt rained.\n\nCHAPTER II. The Sun\n\nIt shone.",
            ["# CHAPTER I", "# CHAPTER II. The Sun"],
        ),
        ("It rained.\n\nTERMS AND CONDITIONS\n\nNone.", ["# TERMS AND CONDITIONS"]),
        ("The rain\n\nIt rained.", ["title  The rain"]),
        ("It rained.\n\nSun\n\nIn May\n\nIt shone.", ["# Sun", "# In May"]),
        ("It rained.\n\nLi Wei\n\nJane Doe\n\nTom Becker\n\nIt shone.", []),
        ("The rain", []),
        ("It rained.\n\n1. Buy milk.\n\n2. Go home.", []),
    ],
)
def test_headings(text: str, expected: list[str]) -> None:
    assert [line for line in read(text) if line.startswith(("#", "title"))] == expected


def test_the_marker_of_a_list_is_not_in_its_text() -> None:
    text = "Buy:\n- milk,\n  two litres\n- bread\n    1. white\n    2. brown\n\n- tea\n\n  in bags"
    assert read(text) == [
        "paragraph  Buy:",
        "• milk, two litres",
        "• bread",
        "  1. white",
        "  2. brown",
        "• tea",
        "… in bags",
    ]
    content = read_plain_text(text)
    assert content.text.startswith("Buy:\n\nmilk, two litres\nbread\nwhite\nbrown\ntea")
    assert {block.group for block in content.blocks[1:]} == {1}


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a | b\n--|--\n1 | 2", ["row  a* | b*", "row  a: 1 | 1, b: 2"]),
        ("Lyon\t18\nParis\t4", ["row  Lyon | Lyon: 18", "row  Paris | Paris: 4"]),
        (
            "City    Hives  Honey\nLyon       18    240\nParis       4     31",
            [
                "row  City* | Hives* | Honey*",
                "row  City: Lyon | Lyon, Hives: 18 | Lyon, Honey: 240",
                "row  City: Paris | Paris, Hives: 4 | Paris, Honey: 31",
            ],
        ),
        ("Intro ....... 3\nEnd . . . . . 9", ["row  Intro | Intro: 3", "row  End | End: 9"]),
        (
            "Name  Use\n----  ------------\n-v    print what\n      is done",
            ["row  Name* | Use*", "row  Name: -v | -v, Use: print what is done"],
        ),
    ],
)
def test_tables(text: str, rows: list[str]) -> None:
    assert read(f"Here it is:\n\n{text}\n\nIt rained.")[1:-1] == rows


def test_code_and_quotations() -> None:
    text = "Type:\n\n    if x:\n        y = f(x);\n\n> It rained\n> on Monday.\n>> Did it?\n\nYes."
    assert read(text) == [
        "paragraph  Type:",
        "code  if x:⏎    y = f(x);",
        "quotation  It rained⏎on Monday.⏎Did it?",
        "paragraph  Yes.",
    ]


def test_who_wrote_it_and_when() -> None:
    content = read_plain_text("The storm\n\nBy Jane Doe | 3 May 2024\n\nIt rained on Monday.")
    assert (content.title, content.metadata.author, content.metadata.date) == (
        "The storm",
        "Jane Doe",
        "3 May 2024",
    )
    assert "By Jane Doe | 3 May 2024" in content.text
    content = read_plain_text("From: Li Wei <wei@example.org>\nSubject: Lamps\n\nThey are out.")
    assert (content.title, content.metadata.author) == ("Lamps", "Li Wei")
    forwarded = "Here it is.\n\nGood luck.\n\nFrom: Ben\nSubject: Lamps\n\nThey are out."
    assert read_plain_text(forwarded).metadata.author == ""
    assert read_plain_text("By the way we went\n\nIt rained.").metadata.author == ""


def test_form_feeds_part_pages_and_running_heads_are_boilerplate() -> None:
    parts = [
        "It was dark. It rained.\n\nThe keeper said",
        "that he had lit the lamp, and",
        "he left.",
    ]
    pages = [f"The Lamp   {number}\n\n{part}\n" for number, part in enumerate(parts, 1)]
    content = read_plain_text("\f".join(pages))
    whole = "The keeper said\nthat he had lit the lamp, and\nhe left."
    assert content.text.startswith(f"It was dark. It rained.\n\n{whole}\n\nThe Lamp")
    kinds = [block.kind for block in content.blocks]
    assert kinds == [BlockKind.PARAGRAPH] * 2 + [BlockKind.BOILERPLATE] * 3
    assert len(content.pages) == 3


@pytest.mark.parametrize(
    "piece",
    [
        "- a\n",
        "a|b\nc|d|e\n",
        "1. A\n\n",
        "a   b\n",
        " .",
        "-",
        '"a',
        "By A ",
        "A: b\n",
        "x\f",
        "> ",
    ],
)
def test_any_length_takes_time_in_proportion(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    content = read_plain_text(text)
    check_blocks(content.text, content.blocks, content.pages)
    assert letters(everything(content)) == letters(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One.\n\nTwo.", ["One.", "Two."]),
        ("One.\r\n\r\nTwo.\r\n", ["One.", "Two."]),
        ("One.\n \t\n\n  Two.  \n", ["One.", "Two."]),
        ("Old,\rMac.\r\rTwo.", ["Old,\nMac.", "Two."]),
        ("no blank line\nanywhere", ["no blank line", "anywhere"]),
        ("\n\n One.", ["One."]),
        ("One.\u2029Two.", ["One.", "Two."]),
    ],
)
def test_line_ends_of_any_system_part_paragraphs(text: str, expected: list[str]) -> None:
    content = read_plain_text(text)
    assert [content.text[block.start : block.end] for block in content.blocks] == expected


@pytest.mark.parametrize(
    "line",
    [
        "Click to watch related videos.",
        "Follow us on Facebook!",
        "Join us on Sunday at 10 a.m. in the town hall.",
        "Find us on Sunday from 10 a.m. on the square in front of the town hall.",
    ],
)
def test_no_words_alone_make_a_line_boilerplate(line: str) -> None:
    content = read_plain_text(f"It rained on Monday.\n\n{line}\n\nAll of the town was glad of it.")
    assert content.blocks[1].kind is BlockKind.PARAGRAPH
