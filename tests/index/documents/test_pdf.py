"""PDFs made for the tests, read from their bytes to their blocks."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pytest
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Table

from index.documents import parser_process
from index.documents.blocks import BlockKind, check_blocks
from index.documents.content import Content, Metadata
from index.documents.formats import extract
from index.documents.parser_process import SECONDS
from index.documents.pdf import reader as from_pdf
from index.documents.pdf.lines import Line, PrintedPage, tidy
from index.documents.pdf.reader import PdfFile
from index.documents.pdf.shapes import MAX_SHAPES, Frame, ShapeReader
from index.errors import DocumentError
from tests.conftest import ROOT
from tests.index.documents.samples import BODY, BOLD, CHINESE, column, pdf, scan

CHINESE_TEXT = "灯塔建于一八九〇年。港口在六月重新开放，渡轮载着两百人离开，城里的人都很高兴。"


def says(data: bytes, name: str) -> str:
    """The sentence that refuses a file."""
    with pytest.raises(DocumentError) as refused:
        extract(data, name)
    sentence = str(refused.value)
    assert sentence.startswith(f"'{name}' ") and sentence.endswith(".") and ": " in sentence
    assert "\n" not in sentence and "Error" not in sentence
    return sentence


def drawn(draw: Callable[[Canvas], None], **options: Any) -> Content:
    """What is read of a PDF of one page or more that `draw` draws."""
    file = BytesIO()
    canvas = Canvas(file, **({"pagesize": A4, "invariant": True} | options))
    draw(canvas)
    canvas.showPage()
    canvas.save()
    content = extract(file.getvalue(), "a.pdf")
    check_blocks(content.text, content.blocks, content.pages)
    return content


def texts(content: Content) -> list[str]:
    return [content.text[block.start : block.end] for block in content.blocks]


def kinds(content: Content) -> list[BlockKind]:
    return [block.kind for block in content.blocks]


def rows(content: Content) -> list[list[str]]:
    """The rows of all tables, each cell with its column heads in front."""
    text = content.text
    return [
        [
            "/".join(text[a:b] for a, b in (*cell.heads, (cell.start, cell.end)))
            for cell in block.cells
        ]
        for block in content.blocks
        if block.kind is BlockKind.TABLE_ROW
    ]


def test_a_pdf_gives_its_paragraphs_and_pages() -> None:
    one = """
The harbour of Lowtown opened again on Monday, nine days after a storm had
torn away forty metres of its wall. The council had called for an extraordi-
nary meeting on that night.
    The first ferry, with 212 people aboard, left at twenty minutes to seven and
"""
    two = """
arrived on time. Its captain was glad.

Harbour master Jonathan Reed said that the repair had cost 1.2 million euros,
of which the town pays a third.
"""
    head = (72, 800, "The Daily Post", BOLD, 8)
    data = pdf(
        [head, *column(one), (300, 30, "1")],
        [head, *column(two), (300, 30, "2")],
        [head, (300, 30, "3")],
    )
    read = extract(data, "a.pdf")
    assert kinds(read) == [BlockKind.BOILERPLATE, *[BlockKind.PARAGRAPH] * 3]
    assert texts(read)[1:] == [
        "The harbour of Lowtown opened again on Monday, nine days after a storm had torn away forty "
        "metres of its wall. The council had called for an extraordinary meeting on that night.",
        "The first ferry, with 212 people aboard, left at twenty minutes to seven and arrived on time. "
        "Its captain was glad.",
        "Harbour master Jonathan Reed said that the repair had cost 1.2 million euros, of which the "
        "town pays a third.",
    ]
    assert texts(read)[0] == "The Daily Post"
    assert read.pages == (0, read.text.index("arrived on time."), len(read.text))


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("The walls of Lowtown", "The walls of Lowtown"),
        ("", "Walls of the north"),
        ("untitled", "Walls of the north"),
        ("Microsoft Word - walls.doc", "Walls of the north"),
        ("walls_final2.docx", "Walls of the north"),
        ("about:blank", "Walls of the north"),
        ("https://example.org/walls", "Walls of the north"),
    ],
)
def test_the_title_of_a_pdf_is_its_own_or_its_largest_print(own: str, expected: str) -> None:
    large = [(90, 790, "Walls of", BOLD, 20), (90, 766, "the north", BOLD, 20)]
    body = column("It was torn away by the storm of 1953.\nThen it was built again.", top=700)
    assert extract(pdf([*large, *body], title=own), "a.pdf").title == expected


def test_a_pdf_with_one_size_of_print_has_no_title_of_its_own() -> None:
    assert extract(pdf(column("The lamp was lit.")), "a.pdf").title == ""


def test_a_line_is_as_large_as_most_of_it() -> None:
    first = [(72, 704, "1", BOLD, 6), (78, 700, "The minutes of the council are in the archive on")]
    data = pdf([*first, *column("the third floor, where nobody\nreads them.", top=686)])
    assert extract(data, "a.pdf").text.startswith(
        "1 The minutes of the council are in the archive on the"
    )


def test_a_heading_is_bold_whatever_its_number_is_printed_in() -> None:
    def heading(*words: tuple[str, str]) -> list[BlockKind]:
        x, line = 72.0, []
        for text, font in words:
            line.append((x, 720, text, font, 11))
            x += stringWidth(f"{text} ", font, 11)
        return kinds(
            extract(pdf([*line, *column("The lamp was lit.\nIt was bright.", 690)]), "a.pdf")
        )

    assert heading(("1.", BODY), ("Update the printer", BOLD))[0] is BlockKind.HEADING
    assert heading(("Note", BOLD), ("that it is bright", BODY))[0] is BlockKind.PARAGRAPH


def test_a_page_on_its_side_is_read_like_another() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setPageRotation(90)
        canvas.rotate(90)
        canvas.translate(0, -595)
        lines = "The harbour opened on a Monday in\nJune and all were glad."
        for x, y, words in column(lines, top=500):
            canvas.drawString(x, y, words)

    text = "The harbour opened on a Monday in June and all were glad."
    # The canvas swaps the sides of a page that it turns.
    read = drawn(draw, pagesize=(842, 595))
    assert read.text == text
    assert read.boxes is not None
    assert read.boxes.page_size(0) == (842, 595)
    ((_, left, bottom, _, top),) = read.boxes.rectangles(0, len("The harbour"))
    assert left == 72 and bottom < 500 < top


def test_chinese_in_a_pdf() -> None:
    read = extract(
        pdf([(72, 700, CHINESE_TEXT[:24], CHINESE, 12), (72, 684, CHINESE_TEXT[24:], CHINESE, 12)]),
        "a.pdf",
    )
    assert read.text == CHINESE_TEXT


def test_a_pdf_with_a_password_is_refused_and_one_that_only_forbids_printing_is_read() -> None:
    lines = column("The lamp was lit.")
    assert "is a PDF with a password" in says(pdf(lines, user="s3cret", owner="0wner"), "a.pdf")
    assert extract(pdf(lines, owner="0wner"), "a.pdf").text == "The lamp was lit."


def test_a_scanned_pdf_is_refused_with_what_to_do() -> None:
    for data in (scan(), pdf([], [])):
        sentence = says(data, "a.pdf")
        assert "without text" in sentence and "ocrmypdf" in sentence


def test_a_pdf_whose_letters_show_nothing_has_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line("\u200b\xad", 0, 100, 100, 10)
    assert tidy(line).text == ""
    monkeypatch.setattr(from_pdf, "_read", lambda data, source: PdfFile([PrintedPage([])]))
    assert "without text" in says(b"%PDF-1.7 %%EOF", "a.pdf")


def test_a_pdf_of_unknown_letters_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(letters: str) -> str:
        page = PrintedPage([Line(letters, 0, 100, 100, 10)])
        monkeypatch.setattr(from_pdf, "_read", lambda data, source: PdfFile([page]))
        return extract(b"%PDF-1.7 %%EOF", "a.pdf").text

    assert read("The lamp \ue000 was lit") == "The lamp \ue000 was lit"
    with pytest.raises(DocumentError, match="does not say which letters it shows"):
        read("\ue012\ue013\ue014 \ue015 a\x01")


def test_damaged_pdfs_are_refused() -> None:
    whole = pdf(column("The lamp was lit."), column("It was bright."))
    assert "whose end is missing" in says(whole[: len(whole) // 2], "a.pdf")
    assert "whose end is missing" in says(whole[:-40], "a.pdf")
    for data in (
        b"%PDF-1.7\n%%EOF",
        whole[: len(whole) // 2] + b"\n%%EOF\n",
        whole[:200] + bytes(400) + whole[600:],
        whole.replace(b"/Kids", b"/Kidz"),
    ):
        assert "is a damaged PDF" in says(data, "a.pdf")
    assert "whose end is missing" in says(b"not a PDF at all", "a.pdf")


def test_a_large_pdf_is_read_in_a_moment() -> None:
    lines = column(
        "\n".join(["The harbour of Lowtown opened again on Monday, nine days after"] * 50)
    )
    data = pdf(*[lines] * 40)
    before = time.process_time()
    assert len(extract(data, "a.pdf").pages) == 40
    assert time.process_time() - before < 5


# Metadata and bookmarks


def test_metadata_is_what_the_file_says() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setAuthor("Mira  Okafor")
        canvas.drawString(72, 700, "The lamp was lit.")

    read = drawn(draw, lang="en-GB")
    assert read.metadata == Metadata("Mira Okafor", "2000-01-01", "en-GB", 4)
    assert drawn(lambda canvas: canvas.drawString(72, 700, "A lamp.")).metadata.author == ""


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("D:20240131093000Z", "2024-01-31"),
        ("D:20240131093000+01'00'", "2024-01-31"),
        ("20240131", "2024-01-31"),
        ("D:202401", "2024-01"),
        ("D:2024", "2024"),
        ("D:20249931", "2024"),
        ("D:20240199", "2024-01"),
        ("yesterday", ""),
        ("", ""),
    ],
)
def test_the_date_of_a_pdf_is_written_as_in_iso_8601(written: str, date: str) -> None:
    assert from_pdf._iso_date(written) == date


def test_bookmarks_tell_headings_that_are_printed_like_the_text() -> None:
    def draw(canvas: Canvas) -> None:
        for number, (words, level) in enumerate(
            [("Rules", 0), ("Boats are booked a day ahead.", None), ("Guests", 1), ("Two.", None)]
        ):
            if level is not None:
                canvas.bookmarkPage(words)
                canvas.addOutlineEntry(words, words, level)
            canvas.drawString(72, 700 - 30 * number, words)

    read = drawn(draw)
    assert [(b.kind, b.level) for b in read.blocks] == [
        (BlockKind.HEADING, 1),
        (BlockKind.PARAGRAPH, 0),
        (BlockKind.HEADING, 2),
        (BlockKind.PARAGRAPH, 0),
    ]


# Tables


def table(cells: list[list[str]], style: list[Any], **options: Any) -> Content:
    """What is read of a table between two paragraphs."""

    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 780, "The harbours of the coast are listed here, with their walls.")
        made = Table(cells, style=style, **options)
        _, height = made.wrap(500, 600)
        made.drawOn(canvas, 72, 760 - height)
        canvas.drawString(72, 730 - height, "All of them have been measured at low water.")

    return drawn(draw)


HARBOURS = [
    ["Harbour", "Built", "Metres"],
    ["Lowtown", "1871", "412"],
    ["Port Ellery", "1988", "96"],
    ["Varde", "1902", "265"],
]
FOUND = [
    ["Harbour", "Built", "Metres"],
    *(
        [f"{head}/{cell}" for head, cell in zip(HARBOURS[0], row, strict=True)]
        for row in HARBOURS[1:]
    ),
]


@pytest.mark.parametrize(
    "style",
    [
        pytest.param([("GRID", (0, 0), (-1, -1), 0.5, colors.black)], id="grid"),
        pytest.param([], id="no rules"),
        pytest.param(
            [
                ("LINEABOVE", (0, 0), (-1, 0), 1, colors.black),
                ("LINEBELOW", (0, 0), (-1, 0), 0.5, colors.black),
                ("LINEBELOW", (0, -1), (-1, -1), 1, colors.black),
            ],
            id="head rule",
        ),
        pytest.param([("LINEBELOW", (0, 0), (-1, -1), 0.5, colors.grey)], id="rules below"),
        pytest.param([("BACKGROUND", (0, 0), (-1, 0), colors.lightgrey)], id="shaded head"),
    ],
)
@pytest.mark.parametrize("align", ["LEFT", "RIGHT", "CENTER"])
def test_a_table_has_rows_with_column_heads(style: list[Any], align: str) -> None:
    read = table(HARBOURS, [*style, ("ALIGN", (1, 0), (-1, -1), align)])
    assert rows(read) == FOUND
    assert kinds(read) == [BlockKind.PARAGRAPH, *[BlockKind.TABLE_ROW] * 4, BlockKind.PARAGRAPH]
    assert len({b.group for b in read.blocks if b.cells}) == 1


@pytest.mark.parametrize("valign", ["TOP", "MIDDLE"])
@pytest.mark.parametrize("ruled", [True, False])
def test_cells_of_several_lines_are_one_cell(valign: str, ruled: bool) -> None:
    cells = [
        ["Harbour", "Remarks", "Metres"],
        ["Lowtown", "rebuilt after the storm,\nwith steel sheets", "412"],
        ["Port Ellery", "closed", "96"],
        ["Varde", "sound, but wet\nin the winter", "265"],
    ]
    style: list[Any] = [("VALIGN", (0, 0), (-1, -1), valign)]
    if ruled:
        style.append(("GRID", (0, 0), (-1, -1), 0.5, colors.black))
    found = rows(table(cells, style))
    assert [row[1] for row in found] == [
        "Remarks",
        "Remarks/rebuilt after the storm, with steel sheets",
        "Remarks/closed",
        "Remarks/sound, but wet in the winter",
    ]


def test_cells_that_span_columns_and_rows() -> None:
    cells = [
        ["", "Lite", "", "Pro", ""],
        ["", "Day", "Night", "Day", "Night"],
        ["Range", "18 m", "12 m", "30 m", "25 m"],
        ["", "measured", "guessed", "measured", "measured"],
    ]
    style: list[Any] = [
        ("GRID", (0, 0), (-1, -1), 0.5, colors.black),
        ("SPAN", (1, 0), (2, 0)),
        ("SPAN", (3, 0), (4, 0)),
        ("SPAN", (0, 2), (0, 3)),
        ("FONT", (0, 0), (-1, 1), BOLD),
    ]
    read = table(cells, style, colWidths=80)
    assert rows(read)[2:] == [
        ["Range", "Lite/Day/18 m", "Lite/Night/12 m", "Pro/Day/30 m", "Pro/Night/25 m"],
        ["Lite/Day/measured", "Lite/Night/guessed", "Pro/Day/measured", "Pro/Night/measured"],
    ]
    last = read.blocks[-2].cells[0]
    assert [read.text[a:b] for a, b in last.row_heads] == ["Range"]


def test_labels_with_values_beside_them_are_rows() -> None:
    read = table([["Weight:", "312 g"], ["Length over all:", "9.45 m"], ["Engine:", "14 kW"]], [])
    assert rows(read) == [
        ["Weight:", "312 g"],
        ["Length over all:", "9.45 m"],
        ["Engine:", "14 kW"],
    ]


def test_a_list_with_wide_gaps_behind_its_markers_is_no_table() -> None:
    def draw(canvas: Canvas) -> None:
        for number in range(1, 6):
            canvas.drawString(72, 700 - 20 * number, f"{number}.")
            canvas.drawString(110, 700 - 20 * number, f"Take lamp number {number} down.")

    read = drawn(draw)
    assert kinds(read) == [BlockKind.LIST_ITEM] * 5
    assert [b.marker for b in read.blocks] == ["1.", "2.", "3.", "4.", "5."]


LEFT = """
The ice went out on the eleventh of March,
two weeks earlier than last year, and the
first boat was on the water that afternoon.
Nobody fell in, although the eight came
close when a swan would not give way.
"""
RIGHT = """
The roof of the boathouse has been mended
at last. It cost 3,400 euros, of which the
town paid half. We still need volunteers to
paint the doors on the first Saturday in
September, and somebody with a ladder.
"""


@pytest.mark.parametrize("in_turns", [True, False])
def test_columns_of_text_are_read_one_after_the_other(in_turns: bool) -> None:
    left, right = column(LEFT, top=700, left=50), column(RIGHT, top=700, left=310)
    lines = [line for pair in zip(left, right, strict=True) for line in pair]
    read = extract(pdf(lines if in_turns else [*left, *right]), "a.pdf")
    assert texts(read) == [" ".join(LEFT.split()), " ".join(RIGHT.split())]


def test_bullets_that_are_drawn_are_markers() -> None:
    def draw(canvas: Canvas) -> None:
        for y, words in ((700, "lamps for the keeper"), (680, "ropes")):
            canvas.circle(76, y + 3, 2, fill=1)
            canvas.drawString(84, y, words)

    read = drawn(draw)
    assert [(b.kind, b.marker) for b in read.blocks] == [(BlockKind.LIST_ITEM, "•")] * 2
    assert texts(read) == ["lamps for the keeper", "ropes"]


def test_the_heads_of_a_table_that_come_again_on_each_page_are_its_heads() -> None:
    file = BytesIO()
    canvas = Canvas(file, pagesize=A4, invariant=True)
    for page in range(4):
        canvas.setFont(BODY, 9)
        canvas.drawString(72, 800, "The walls of the coast")
        names = [[f"{name} {page}", built, "96"] for name, built, _ in HARBOURS[1:]]
        made = Table([HARBOURS[0], *names], colWidths=100)
        made.wrap(500, 600)
        made.drawOn(canvas, 72, 600)
        canvas.showPage()
    canvas.save()
    read = extract(file.getvalue(), "a.pdf")
    assert kinds(read).count(BlockKind.BOILERPLATE) == 1
    assert [row[2] for row in rows(read)] == ["Metres", *["Metres/96"] * 3] * 4
    assert [read.text[b.start : b.end] for b in read.blocks if b.cells][0::4] == (
        ["Harbour\tBuilt\tMetres"] * 4
    )


@pytest.mark.parametrize("repeats", [True, False])
def test_a_table_that_goes_over_a_page_has_its_heads_on_both(repeats: bool) -> None:
    def draw(canvas: Canvas) -> None:
        heads = [HARBOURS[0]]
        for page in (0, 1):
            names = [[f"{name} {page}", built, "96"] for name, built, _ in HARBOURS[1:]]
            cells = [*heads, *names]
            made = Table(cells, colWidths=100, style=[("GRID", (0, 0), (-1, -1), 1, colors.black)])
            made.wrap(500, 600)
            made.drawOn(canvas, 72, 600)
            heads = heads if repeats else []
            if not page:
                canvas.showPage()

    read = drawn(draw)
    assert [row[0] for row in rows(read)[:4]] == [
        "Harbour",
        *(f"Harbour/{name} 0" for name in ("Lowtown", "Port Ellery", "Varde")),
    ]
    assert [row[1] for row in rows(read)[-3:]] == ["Built/1871", "Built/1988", "Built/1902"]
    assert read.pages == (
        0,
        read.text.index("Harbour", 1) if repeats else read.text.index("Lowtown 1"),
    )


# Where the characters stand


def test_the_characters_of_an_answer_are_found_on_their_page() -> None:
    first = column("The lamp of Lowtown was lit in 1890, and it was an extraordi-\nnary sight.")
    read = extract(pdf(column("The first page.\n\nIt is short."), first), "a.pdf")
    assert read.boxes is not None
    start = read.text.index("Lowtown")
    ((page, left, bottom, right, top),) = read.boxes.rectangles(start, start + len("Lowtown"))
    assert page == 1
    assert left == pytest.approx(72 + stringWidth("The lamp of ", BODY, 11), abs=0.2)
    assert right - left == pytest.approx(stringWidth("Lowtown", BODY, 11), abs=0.3)
    assert bottom < 760 < top < 775
    # A word that goes over the end of a line has a rectangle on each.
    start = read.text.index("extraordinary")
    above, below = read.boxes.rectangles(start, start + len("extraordinary"))
    assert above[2] > below[2] and below[1] == pytest.approx(72, abs=0.2)
    assert read.boxes.page_size(1) == (595.3, 841.9)


def test_boxes_are_those_of_the_page_as_it_is_shown() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setCropBox((50, 100, 350, 400))
        canvas.drawString(72, 300, "The lamp was lit.")

    read = drawn(draw)
    assert read.boxes is not None
    assert read.boxes.page_size(0) == (300, 300)
    ((_, left, bottom, _, top),) = read.boxes.rectangles(0, 3)
    assert left == pytest.approx(22, abs=0.1) and bottom < 200 < top


def test_print_that_runs_up_the_page_has_boxes_and_print_aslant_has_none() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.saveState()
        canvas.translate(40, 300)
        canvas.rotate(90)
        canvas.drawString(0, 0, "Leaflet seven")
        canvas.restoreState()
        canvas.translate(200, 200)
        canvas.rotate(30)
        canvas.drawString(0, 0, "A draft")

    read = drawn(draw)
    assert texts(read) == ["Leaflet seven", "A draft"]
    assert read.boxes is not None
    ((_, left, bottom, right, top),) = read.boxes.rectangles(0, len("Leaflet seven"))
    assert left < 40 < right < 60 and bottom == pytest.approx(300, abs=0.2) and top > 350
    assert read.boxes.rectangles(read.text.index("A draft"), len(read.text)) == []


def test_boxes_of_table_cells() -> None:
    read = table(HARBOURS, [("GRID", (0, 0), (-1, -1), 0.5, colors.black)])
    assert read.boxes is not None
    start = read.text.index("1988")
    ((_, left, _, right, _),) = read.boxes.rectangles(start, start + 4)
    assert 10 < right - left < 30
    # The tab between two cells stands nowhere.
    assert read.boxes.rectangles(start + 4, start + 5) == []


def test_boxes_come_out_of_the_process_that_reads_the_file() -> None:
    data = pdf(column("The lamp was lit."), column("It was bright."))
    inside, outside = extract(data, "a.pdf"), parser_process.extract(data, "a.pdf")
    assert outside == inside and inside.boxes is not None and outside.boxes is not None
    for name in ("pages", "runs", "edges"):
        assert np.array_equal(getattr(outside.boxes, name), getattr(inside.boxes, name))


def test_a_page_of_many_drawings_costs_little_and_keeps_its_text() -> None:
    def draw(canvas: Canvas) -> None:
        for page in range(10):
            for number in range(MAX_SHAPES - 100 + 200 * (page % 2)):
                canvas.rect(100 + number % 300, 100 + number // 10, 20, 9)
            canvas.drawString(72, 700, f"The map has the number {page}.")
            if page < 9:
                canvas.showPage()

    before = time.process_time()
    read = drawn(draw)
    assert [text[-2:] for text in texts(read)] == [f"{page}." for page in range(10)]
    assert time.process_time() - before < SECONDS


def test_drawings_are_looked_at_until_the_budget_is_spent() -> None:
    file = BytesIO()
    canvas = Canvas(file, invariant=True)
    for _ in range(3):
        canvas.grid([100, 200, 300], [400, 450, 500])
        canvas.showPage()
    canvas.save()
    with pypdfium2.PdfDocument(file.getvalue()) as document:
        reader = ShapeReader(budget=15)
        found = [len(reader.read(page, Frame(page))[0]) for page in document]
    assert found[0] == 6 and found[-1] == 0


SAMPLES = sorted((ROOT / "tests" / "documents").glob("*.pdf"))


@pytest.mark.parametrize("path", SAMPLES, ids=[path.stem for path in SAMPLES])
def test_every_word_is_printed_where_its_boxes_are(path: Path) -> None:
    content = extract(path.read_bytes(), path.name)
    assert content.boxes is not None
    upright = {
        number for number, page in enumerate(pypdfium2.PdfDocument(path)) if not page.get_rotation()
    }
    layers = [page.get_textpage() for page in pypdfium2.PdfDocument(path)]
    for word in re.finditer(r"\S+", content.text):
        found = content.boxes.rectangles(word.start(), word.end())
        assert found, f"{word[0]!r} stands nowhere"
        for page, left, bottom, right, top in found:
            width, height = content.boxes.page_size(page)
            assert 0 <= left < right <= width and 0 <= bottom < top <= height
        if {one[0] for one in found} <= upright:
            # The library's own search by place finds the word there, or the parts of a broken one.
            printed = "".join(
                layers[page].get_text_bounded(left + 0.5, bottom + 1, right - 0.5, top - 1)
                for page, left, bottom, right, top in found
            )
            letters = re.sub(r"[\s\u00ad\ufffe\x02-]", "", printed)
            assert re.sub("-", "", word[0]) in letters


def test_a_book_of_a_thousand_pages_is_read_within_the_time_of_the_process() -> None:
    lines = column(
        "\n".join(["The harbour of Lowtown opened again on Monday, nine days after the storm"] * 36)
    )
    book = pdf(*[[*lines, (300, 30, str(n + 1))] for n in range(250)])
    before = time.process_time()
    read = extract(book, "a.pdf")
    assert (time.process_time() - before) * 4 < SECONDS
    assert len(read.pages) == 250
    assert read.boxes is not None
    size = read.boxes.edges.nbytes + read.boxes.runs.nbytes
    assert size < 6 * len(read.text)
