"""PowerPoint presentations: their slides as pages, in the order in which a person reads them."""

import pytest

from index.documents.office.number_format import format_number
from tests.index.documents.packages import document, lines, packed, relations
from tests.index.documents.samples import rezipped

SLIDE = (
    '<p:sld xmlns:p="urn:p" xmlns:a="urn:a" xmlns:r="urn:r"{}><p:cSld><p:spTree>{}</p:spTree></p:cSld>'
    "</p:sld>"
)
NUMBERED = '<a:pPr lvl="{}"><a:buAutoNum type="{}" {}/></a:pPr>'


def p(text: str, settings: str = "") -> str:
    return f"<a:p>{settings}<a:r><a:t>{text}</a:t></a:r></a:p>"


def sp(
    *paragraphs: str,
    ph: str | None = None,
    at: tuple[int, int] | None = None,
    style: str = "",
    about: str = "",
) -> str:
    """A shape: its paragraphs, the placeholder it fills, and where it stands in inches."""
    fills = "" if ph is None else f"<p:ph {ph}/>"
    place = ""
    if at is not None:
        place = f'<a:xfrm><a:off x="{at[0] * 914_400}" y="{at[1] * 914_400}"/></a:xfrm>'
    inside = "".join(one if one.startswith("<") else p(one) for one in paragraphs)
    return (
        f"<p:sp><p:nvSpPr><p:cNvPr{about}/><p:nvPr>{fills}</p:nvPr></p:nvSpPr><p:spPr>{place}</p:spPr>"
        f"<p:txBody><a:lstStyle>{style}</a:lstStyle>{inside}</p:txBody></p:sp>"
    )


def frame(inside: str) -> str:
    return f"<p:graphicFrame><p:nvGraphicFramePr/><a:graphic>{inside}</a:graphic></p:graphicFrame>"


def pptx(*slides: str, parts: dict[str, str] | None = None, **links: str) -> bytes:
    """A presentation; a slide is its shapes, or a whole part; `links` are those of every slide."""
    members = {
        "ppt/presentation.xml": '<p:presentation xmlns:p="urn:p" xmlns:r="urn:r"><p:sldIdLst>'
        + "".join(f'<p:sldId id="{n + 255}" r:id="r{n}"/>' for n, _ in enumerate(slides, 1))
        + "</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": relations(
            **{f"r{n}": f"slide slides/s{n}.xml" for n, _ in enumerate(slides, 1)}
        ),
    }
    for number, slide in enumerate(slides, 1):
        whole = slide if slide.startswith("<p:sld") else SLIDE.format("", slide)
        members[f"ppt/slides/s{number}.xml"] = whole
        members[f"ppt/slides/_rels/s{number}.xml.rels"] = relations(**links)
    return packed(members | (parts or {}))


def read(data: bytes) -> list[str]:
    return lines(data, "a.pptx")


TITLE = 'type="title"'


def test_slides_are_pages_and_their_titles_headings() -> None:
    data = pptx(
        sp("A new ferry", ph='type="ctrTitle"') + sp("The plan", ph='type="subTitle" idx="1"'),
        sp("Text.", at=(0, 3)) + sp("Why", "now?", ph=TITLE),
        SLIDE.format(' show="0"', sp("Spare", ph=TITLE)),
        sp("No title here."),
    )
    made = document(data, "a.pptx")
    assert read(data) == [
        "title  A new ferry",
        "paragraph  The plan",
        "# Why now?",
        "paragraph  Text.",
        "paragraph  No title here.",
    ]
    assert made.title == "A new ferry"
    assert [made.page_of(block.start) for block in made.blocks] == [1, 1, 2, 2, 4]
    assert [block.section for block in made.blocks] == [None, 0, 0, 2, 0]


def test_shapes_are_read_from_top_to_bottom_and_left_to_right() -> None:
    group = (
        '<p:grpSp><p:nvGrpSpPr/><p:grpSpPr><a:xfrm><a:off x="0" y="4572000"/><a:chOff x="0" y="0"/>'
        f"</a:xfrm></p:grpSpPr>{sp('grouped', at=(0, 0))}</p:grpSp>"
    )
    shapes = group + sp("below", at=(0, 6)) + sp("right", at=(5, 2)) + sp("left", at=(0, 2))
    shapes += sp("first", at=(9, 0)) + sp("unseen", at=(0, 0), about=' hidden="1"')
    data = pptx(shapes)
    assert document(data, "a.pptx").text.split("\n\n") == [
        *("first", "left", "right", "grouped", "below")
    ]


def test_a_placeholder_stands_where_its_layout_has_it() -> None:
    layout = sp(ph='idx="1"', at=(0, 1)) + sp(ph='idx="2"', at=(5, 1))
    master = sp("Lowtown", at=(9, 9)) + sp(ph='type="ftr"', at=(0, 9))
    data = pptx(
        sp("right", ph='idx="2"') + sp("left", ph='idx="1"') + sp("Draft", ph='type="ftr" idx="9"'),
        sp("Draft", ph='type="ftr" idx="9"') + sp("7", ph='type="sldNum" idx="8"'),
        rlayout="slideLayout ../layout.xml",
        parts={
            "ppt/layout.xml": SLIDE.format("", layout),
            "ppt/_rels/layout.xml.rels": relations(r1="slideMaster master.xml"),
            "ppt/master.xml": SLIDE.format("", master),
        },
    )
    assert read(data) == [
        "paragraph  left",
        "paragraph  right",
        "boilerplate  Lowtown",
        "boilerplate  Draft",
    ]


def test_bullets_come_from_the_paragraph_its_shape_the_layout_or_the_master() -> None:
    bullets = (
        '<a:lvl1pPr><a:buChar char="•"/></a:lvl1pPr><a:lvl2pPr><a:buChar char="–"/></a:lvl2pPr>'
    )
    master = SLIDE.format("", sp(ph='type="body"')).replace(
        "</p:cSld>", f"</p:cSld><p:txStyles><p:bodyStyle>{bullets}</p:bodyStyle></p:txStyles>"
    )
    layout = sp(ph='idx="2"', style="<a:lvl1pPr><a:buNone/></a:lvl1pPr>")
    body = sp(
        "one",
        p("two", '<a:pPr lvl="1"/>'),
        p("none", "<a:pPr><a:buNone/></a:pPr>"),
        p("picture", "<a:pPr><a:buBlip/></a:pPr>"),
        ph='idx="1"',
    )
    own = '<a:lvl1pPr><a:buChar char="§"/></a:lvl1pPr>'
    data = pptx(
        body + sp("plain", ph='idx="2"') + sp("own", ph='idx="2"', style=own) + sp("box"),
        rlayout="slideLayout ../layout.xml",
        parts={
            "ppt/layout.xml": SLIDE.format("", layout),
            "ppt/_rels/layout.xml.rels": relations(r1="slideMaster master.xml"),
            "ppt/master.xml": master,
        },
    )
    assert read(data) == [
        "• one",
        "  – two",
        "paragraph  none",
        "• picture",
        "paragraph  plain",
        "§ own",
        "paragraph  box",
    ]


def test_numbers_are_counted() -> None:
    def numbered(text: str, level: int = 0, form: str = "arabicPeriod", start: str = "") -> str:
        return p(text, NUMBERED.format(level, form, start))

    shape = sp(
        numbered("a"),
        "<a:p/>",
        numbered("b"),
        numbered("c", 1, "alphaLcParenR"),
        numbered("d", 1, "alphaLcParenR"),
        numbered("e"),
        numbered("f", 1, "alphaLcParenR"),
        "between",
        numbered("g", 0, "romanUcParenBoth", 'startAt="4"'),
        numbered("h", 0, "thaiNumPeriod"),
    )
    assert read(pptx(shape)) == [
        *("1. a", "2. b", "  a) c", "  b) d", "3. e", "  a) f", "paragraph  between"),
        *("(IV) g", "1. h"),
    ]


def test_a_table_has_heads_where_its_first_row_is_set_apart() -> None:
    def row(*cells: str) -> str:
        return "<a:tr>" + "".join(f"<a:tc{one}</a:tc>" for one in cells) + "</a:tr>"

    def text(words: str) -> str:
        return f"<a:txBody>{p(words)}</a:txBody>"

    rows = row(">" + text("Pier"), ' gridSpan="2">' + text("Ferries"), ' hMerge="1">')
    rows += row(' rowSpan="2">' + text("Crane"), ">" + text("6:30"), ">" + text("23:00"))
    rows += row(' vMerge="1">' + text(""), ">" + text("7:30"), ">" + text("20:00"))
    table = '<a:tbl><a:tblPr firstRow="1"/>' + rows + "</a:tbl>"
    assert read(pptx(frame(table))) == [
        "row  Pier* | Ferries*",
        "row  Pier: Crane | Crane, Ferries: 6:30 | Crane, Ferries: 23:00",
        "row  Crane, Ferries: 7:30 | Crane, Ferries: 20:00",
    ]
    plain = frame(f"<a:tbl><a:tblPr/>{rows}</a:tbl>")
    assert read(pptx(plain))[0] == "row  Pier | Pier: Ferries"


def test_notes_follow_their_slide() -> None:
    notes = SLIDE.format(
        "", sp(ph='type="sldImg"') + sp("Smile.", ph='type="body"') + sp("1", ph='type="sldNum"')
    )
    data = pptx(
        sp("Title", ph=TITLE) + sp("Text.", at=(0, 1)),
        rnotes="notesSlide ../notes.xml",
        parts={"ppt/notes.xml": notes},
    )
    assert read(data) == ["# Title", "paragraph  Text.", "paragraph  Smile."]


def test_a_chart_is_a_table_of_its_numbers_and_a_diagram_its_texts() -> None:
    def cache(kind: str, *values: object) -> str:
        points = "".join(f'<c:pt idx="{n}"><c:v>{v}</c:v></c:pt>' for n, v in enumerate(values))
        code = "<c:formatCode>0%</c:formatCode>" if kind == "num" else ""
        return f"<c:{kind}Ref><c:{kind}Cache>{code}{points}</c:{kind}Cache></c:{kind}Ref>"

    series = (
        f"<c:ser><c:tx>{cache('str', 'Share')}</c:tx><c:cat>{cache('str', 'Lyon', 'Ghent')}</c:cat>"
        f"<c:val>{cache('num', 0.25, 0.75)}</c:val></c:ser>"
    )
    chart = (
        f'<c:chartSpace xmlns:c="urn:c" xmlns:a="urn:a"><c:chart><c:title>{p("Hives")}</c:title>'
        f"<c:plotArea><c:pieChart>{series}</c:pieChart></c:plotArea></c:chart></c:chartSpace>"
    )
    diagram = (
        f'<d:dataModel xmlns:d="urn:d" xmlns:a="urn:a"><d:pt type="doc"/><d:pt><d:t>{p("Ask")}</d:t>'
        f'</d:pt><d:pt type="pres"><d:t>{p("Ask")}</d:t></d:pt></d:dataModel>'
    )
    data = pptx(
        frame('<c:chart xmlns:c="urn:c" r:id="r1"/>')
        + frame('<d:relIds xmlns:d="urn:d" r:dm="r2"/>'),
        r1="chart ../chart.xml",
        r2="diagramData ../data.xml",
        parts={"ppt/chart.xml": chart, "ppt/data.xml": diagram},
    )
    assert read(data) == [
        "caption  Hives",
        "row  * | Share*",
        "row  Lyon | Lyon, Share: 25%",
        "row  Ghent | Ghent, Share: 75%",
        "paragraph  Ask",
    ]
    assert format_number(0.25, "0%") == "25%"


@pytest.mark.parametrize(
    ("inside", "shown"),
    [
        ("<a:r><a:t>a</a:t></a:r><a:br/><a:r><a:t>b</a:t></a:r>", "a⏎b"),
        ("<a:r><a:t>a_x000B_b</a:t></a:r>", "a⏎b"),
        ('<a:r><a:t>a</a:t></a:r><a:fld type="slidenum"><a:t>7</a:t></a:fld>', "a"),
        ('<a:fld type="datetime1"><a:t>12 March</a:t></a:fld>', "12 March"),
    ],
)
def test_the_text_of_a_paragraph(inside: str, shown: str) -> None:
    assert read(pptx(sp(f"<a:p>{inside}</a:p>"))) == [f"paragraph  {shown}"]


def test_a_slide_that_is_missing_is_an_empty_page() -> None:
    data = rezipped(pptx(sp("One."), sp("Two."), sp("Three.")), {"ppt/slides/s2.xml": None})
    made = document(data, "a.pptx")
    assert [made.page_of(block.start) for block in made.blocks] == [1, 3]
