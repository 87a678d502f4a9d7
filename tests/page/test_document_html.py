"""The HTML of a document's blocks."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from index.documents.blocks import BlockKind
from index.documents.builder import ContentBuilder
from index.documents.document import Document, read_document
from index.documents.document import document_of as content_document
from index.documents.tables import DraftCell
from page.document_html import CHUNK_HEIGHT, MAX_ITEMS, document_html
from page.document_tables import MAX_ROWS, column_widths
from tests.index.documents.test_samples import FILES
from tests.page.shown import document_of


def built(write: Callable[[ContentBuilder], object], title: str = "") -> Document:
    builder = ContentBuilder()
    write(builder)
    return content_document(builder.build(title=title), name="name", source="name.html")


def shown(write: Callable[[ContentBuilder], object]) -> str:
    """The HTML of what write(builder) has written, without its title and chunks."""
    made = document_html(built(write))
    return re.sub(r'^<h2 dir="auto">name</h2>|<div class="chunk"[^>]*>|</div>$', "", made)


class BlockTexts(HTMLParser):
    """The text of every element with a data-number."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[int, str] = {}
        self._open: list[int | None] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "col":
            return
        number = dict(attributes).get("data-number")
        self._open.append(None if number is None else int(number))
        if number is not None:
            self.texts[int(number)] = ""

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for number in self._open:
            if number is not None:
                self.texts[number] += data


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_each_element_has_its_blocks_text(path: Path) -> None:
    document = read_document(path)
    parser = BlockTexts()
    parser.feed(document_html(document))
    assert [parser.texts[n] for n in sorted(parser.texts)] == [
        document.text[block.start : block.end] for block in document.blocks
    ]


def test_the_title_is_the_heading_and_the_paragraphs_are_numbered_from_one() -> None:
    made = document_html(document_of("A title\n\nOne.\n\nTwo & three."))
    assert re.findall(
        r'<(h2|p) dir="auto" data-number="(\d+)"(?: data-paragraph="(\d+)")?>(.*?)</', made
    ) == [("h2", "0", "", "A title"), ("p", "1", "1", "One."), ("p", "2", "2", "Two &amp; three.")]


def test_a_text_without_a_title_is_headed_by_its_file_name() -> None:
    made = document_html(document_of("It begins at once.\n\nAnd it ends."))
    assert made.startswith('<h2 dir="auto">name</h2>')
    assert '<p dir="auto" data-number="0" data-paragraph="1">It begins at once.</p>' in made


def test_a_first_heading_that_is_the_title_is_not_repeated() -> None:
    def write(builder: ContentBuilder) -> None:
        builder.heading("Lamps", 1)
        builder.heading("Lamps", 2)

    made = document_html(built(write, title="Lamps"))
    assert re.findall(r"<(h\d)[^>]*>(.*?)</", made) == [("h2", "Lamps"), ("h3", "Lamps")]
    made = document_html(built(write, title="All about lamps"))
    assert re.findall(r"<(h\d)[^>]*>(.*?)</", made) == [
        ("h2", "All about lamps"),
        ("h3", "Lamps"),
        ("h4", "Lamps"),
    ]


@pytest.mark.parametrize(
    ("levels", "ranks"),
    [
        ((1, 2, 3, 4, 5, 6), (3, 4, 5, 6, 6, 6)),
        ((2, 5, 2), (3, 4, 3)),  # none is left out
        ((0, 3, 4, 1), (2, 3, 4, 3)),
    ],
)
def test_headings_have_a_rank_by_those_above_them(
    levels: tuple[int, ...], ranks: tuple[int, ...]
) -> None:
    def write(builder: ContentBuilder) -> None:
        for level in levels:
            builder.heading("H", level) if level else builder.title("H")

    made = re.findall(r"<h(\d) [^>]*data-number", document_html(built(write, title="Title")))
    assert tuple(map(int, made)) == ranks


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (BlockKind.PARAGRAPH, '<p dir="auto" data-number="0" data-paragraph="1">a\n&lt;b&gt;</p>'),
        (
            BlockKind.CAPTION,
            '<p class="caption" dir="auto" data-number="0" data-paragraph="1">a\n&lt;b&gt;</p>',
        ),
        (
            BlockKind.BOILERPLATE,
            '<p class="boilerplate" dir="auto" data-number="0" data-paragraph="1">a\n&lt;b&gt;</p>',
        ),
        (
            BlockKind.QUOTATION,
            '<blockquote dir="auto" data-number="0" data-paragraph="1">a\n&lt;b&gt;</blockquote>',
        ),
        (
            BlockKind.CODE,
            '<div class="code" data-paragraph="1"><pre dir="auto" tabindex="0" data-number="0">'
            "a\n&lt;b&gt;</pre></div>",
        ),
    ],
)
def test_a_block_of_text(kind: BlockKind, expected: str) -> None:
    assert shown(lambda builder: builder.add(kind, "a\n<b>")) == expected


def test_a_list_has_markers_and_depths() -> None:
    def write(builder: ContentBuilder) -> None:
        builder.list_item("one", marker="1.")
        builder.list_item("deep", depth=1, marker='"')

    assert shown(write) == (
        '<div class="list" role="list" dir="auto" data-paragraph="1">'
        '<div role="listitem" data-number="0" data-marker="1." style="--depth:0">one</div>'
        '<div role="listitem" data-number="1" data-marker="&quot;" style="--depth:1">deep</div></div>'
    )


def test_a_long_list_is_several_elements_and_one_paragraph() -> None:
    made = shown(lambda builder: [builder.list_item("x") for _ in range(MAX_ITEMS + 1)])
    assert made.count('role="list"') == 2
    assert made.count('data-paragraph="1"') == 1


def table_of(*rows: str) -> Callable[[ContentBuilder], None]:
    """Write a table of rows such as "*Town|Adult", where * marks a head."""
    cells = [
        [DraftCell(cell.lstrip("*"), cell.startswith("*")) for cell in row.split("|")]
        for row in rows
    ]
    return lambda builder: builder.table(cells)


def test_a_table_has_heads_and_the_white_space_between_cells() -> None:
    made = shown(table_of("*Town|*Adult|*Child", "*Lyon||<10>"))
    assert made == (
        '<div class="table" dir="auto" data-paragraph="1">'
        '<div class="scroll" role="group" aria-label="Table" tabindex="0"><table><thead>'
        '<tr data-number="0"><th scope="col">Town</th>\t<th scope="col">Adult</th>\t'
        '<th scope="col">Child</th></tr></thead><tbody>'
        '<tr data-number="1"><th scope="row">Lyon</th>\t<td></td><td>&lt;10&gt;</td></tr>'
        "</tbody></table></div></div>"
    )


def test_cells_that_span_columns_and_rows_keep_the_grid() -> None:
    def write(builder: ContentBuilder) -> None:
        builder.table(
            [
                [DraftCell("Wide", columns=2), DraftCell("High", rows=2)],
                [DraftCell("a"), DraftCell("b")],
                [DraftCell("High", rows=2), DraftCell("c"), DraftCell("d")],
                [DraftCell("e"), DraftCell("f")],
            ]
        )

    made = shown(write)
    assert '<td colspan="2">Wide</td>\t<td>High</td>' in made
    assert '<td>a</td>\t<td>b</td><td class="above" colspan="1"></td></tr>' in made
    assert '<tr data-number="3"><td class="above" colspan="1"></td><td>e</td>' in made


def test_a_long_table_is_several_of_the_same_widths() -> None:
    rows = [f"{n}|{'word ' * 9}" for n in range(2 * MAX_ROWS)]
    document = built(table_of("*Number|*Text", *rows))
    widths = column_widths(document, range(len(document.blocks)))
    assert widths == [8, 34]
    made = document_html(document)
    assert made.count("<table>") == made.count('<colgroup><col style="width:19.048%">') == 3
    assert made.count('<div class="table long"') == made.count("<thead>") == 1
    assert made.count("--width:42") == 3


def test_a_long_document_is_drawn_in_chunks() -> None:
    made = document_html(
        built(lambda builder: [builder.paragraph("word " * 99) for _ in range(99)])
    )
    heights = [int(height) for height in re.findall(r"--height:(\d+)px", made)]
    assert len(heights) > 9
    assert all(CHUNK_HEIGHT < height < CHUNK_HEIGHT + 400 for height in heights[:-1])


def test_contents_are_listed_where_there_are_several_headings() -> None:
    def write(builder: ContentBuilder) -> None:
        for text, level in (("One & all", 2), ("Two", 3), ("Three", 2)):
            builder.heading(text, level)

    assert re.findall(
        r'--level:(\d)"><button type="button" data-block="(\d)" dir="auto">(.*?)</', shown(write)
    ) == [("0", "0", "One &amp; all"), ("1", "1", "Two"), ("0", "2", "Three")]
    assert "contents" not in shown(lambda builder: [builder.heading(n, 2) for n in "ab"])


def test_line_ends_are_those_of_a_browser() -> None:
    made = document_html(document_of("Title\n\n😀 one\r\ntwo three."))
    assert "😀 one\ntwo three." in made


def test_where_a_page_begins_is_marked() -> None:
    text = "Title\n\nOne & two.\n\nThree.\n\nFour."
    # The second page begins within a paragraph, the third is blank, the fourth begins between two.
    starts = (0, text.index("& two"), text.index("\n\nThree"), text.index("Three"))
    made = document_html(document_of(text, pages=starts))
    mark = '<span class="page" data-page="{}"></span>'
    assert f">One {mark.format(2)}&amp; two.</p>" in made
    assert f">{mark.format(3)}{mark.format(4)}Three.</p>" in made
    assert made.count("data-page") == 3
