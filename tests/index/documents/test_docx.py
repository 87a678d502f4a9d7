"""Word documents: what a person sees in them, as blocks."""

import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from index.documents.blocks import BlockKind
from index.documents.formats import extract
from index.documents.office.docx_numbering import in_form
from tests.index.documents.packages import document, docx, lines, packed, relations
from tests.index.documents.samples import rezipped, word


def p(text: str, settings: str = "") -> str:
    run = text if text.startswith("<") else f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'
    return f"<w:p><w:pPr>{settings}</w:pPr>{run}</w:p>"


def styled(text: str, style: str) -> str:
    return p(text, f'<w:pStyle w:val="{style}"/>')


def listed(text: str, numbering: str = "1", level: int = 0) -> str:
    return p(text, f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{numbering}"/></w:numPr>')


def style(identity: str, name: str, inside: str = "", based: str = "") -> str:
    return (
        f'<w:style w:type="paragraph" w:styleId="{identity}"><w:name w:val="{name}"/>'
        f'<w:basedOn w:val="{based}"/>{inside}</w:style>'
    )


def level(number: int, form: str, text: str, inside: str = "") -> str:
    return (
        f'<w:lvl w:ilvl="{number}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>'
        f'<w:lvlText w:val="{text}"/>{inside}</w:lvl>'
    )


def numbering(*levels: str, more: str = "") -> str:
    return (
        f'<w:abstractNum w:abstractNumId="7">{"".join(levels)}</w:abstractNum>'
        f'<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>{more}'
    )


def row(*cells: str, settings: str = "") -> str:
    inside = "".join(
        cell if cell.startswith("<w:tc") else f"<w:tc>{p(cell)}</w:tc>" for cell in cells
    )
    return f"<w:tr><w:trPr>{settings}</w:trPr>{inside}</w:tr>"


HEAD = "<w:tblHeader/>"


# Paragraphs and headings


def test_a_word_document_gives_its_blocks_in_order() -> None:
    def fill(document) -> None:
        document.add_heading("Harbour reopens", 0)
        document.add_paragraph("The harbour opened ").add_run("again on Monday.").bold = True
        document.add_paragraph()
        document.add_paragraph("a lamp", style="List Bullet")
        document.add_paragraph("a rope", style="List Bullet 2")
        document.add_paragraph("Count", style="List Number")
        document.add_heading("What is next", 1)
        table = document.add_table(rows=2, cols=3)
        for row, texts in zip(
            table.rows, (("Month", "", "Ferries"), ("May", "", "88")), strict=True
        ):
            for cell, text in zip(row.cells, texts, strict=True):
                cell.text = text
        line = document.add_paragraph("One line\nand\tanother of the repair")
        line.add_run("\u00ads.")

    read = document(word(fill))
    assert lines(word(fill)) == [
        "title  Harbour reopens",
        "paragraph  The harbour opened again on Monday.",
        "• a lamp",
        "• a rope",
        "1. Count",
        "# What is next",
        "row  Month | Month:  | Month: Ferries",
        "row  May | May:  | May: 88",
        "paragraph  One line⏎and\tanother of the repairs.",
    ]
    assert read.title == "Harbour reopens"
    assert read.pages == ()
    assert read.metadata.author == ""  # which python-docx has filled in


@pytest.mark.parametrize(
    ("styles", "expected"),
    [
        (style("x", "heading 2"), "## Lamps"),
        (style("x", "Heading 3"), "### Lamps"),
        (style("x", "Mein Kapitel", based="y") + style("y", "heading 1"), "# Lamps"),
        (style("x", "Kapitel", '<w:pPr><w:outlineLvl w:val="1"/></w:pPr>'), "## Lamps"),
        (style("x", "Body", '<w:pPr><w:outlineLvl w:val="9"/></w:pPr>'), "paragraph  Lamps"),
        (style("x", "TOC Heading", based="y") + style("y", "heading 1"), ""),
        (style("x", "toc 2"), ""),
        (style("x", "table of figures"), ""),
        (style("x", "Title"), "title  Lamps"),
        (style("x", "Intense Quote"), "quotation  Lamps"),
        (style("x", "Illustration", based="y") + style("y", "caption"), "caption  Lamps"),
        (style("x", "HTML Preformatted"), "code  Lamps"),
        (style("x", "a", based="y") + style("y", "b", based="x"), "paragraph  Lamps"),
    ],
)
def test_a_style_tells_what_a_paragraph_is(styles: str, expected: str) -> None:
    read = lines(docx(styled("Lamps", "x") + p("The end of it."), styles=styles))
    assert read == [line for line in (expected, "paragraph  The end of it.") if line]


def test_an_outline_level_of_a_paragraph_counts_more_than_its_style() -> None:
    styles = style("x", "heading 1")
    body = p("Not one", '<w:pStyle w:val="x"/><w:outlineLvl w:val="9"/>')
    body += p("One", '<w:outlineLvl w:val="2"/>') + styled("long " * 80, "x")
    assert [block.kind for block in document(docx(body, styles=styles)).blocks] == [
        BlockKind.PARAGRAPH,
        BlockKind.HEADING,
        BlockKind.PARAGRAPH,
    ]


def test_bold_lines_are_headings_below_those_with_a_style() -> None:
    def bold(text: str) -> str:
        return p(f'<w:r><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>')

    body = styled("Chapter", "x") + bold("Section") + p("Text.") + bold("A whole sentence is bold.")
    body += bold("One") + bold("Two") + bold("Three") + p("Text.") + bold("The end")
    assert lines(docx(body, styles=style("x", "heading 1"))) == [
        "# Chapter",
        "## Section",
        "paragraph  Text.",
        "paragraph  A whole sentence is bold.",
        "paragraph  One",
        "paragraph  Two",
        "paragraph  Three",
        "paragraph  Text.",
        "paragraph  The end",
    ]


def test_code_is_one_block_with_its_indents_and_empty_lines() -> None:
    def fixed(text: str) -> str:
        return p(
            '<w:r><w:rPr><w:rFonts w:ascii="Courier New"/></w:rPr>'
            f'<w:t xml:space="preserve">{text}</w:t></w:r>'
        )

    body = styled("if lit:", "x") + styled("", "x") + styled("    wait()", "x")
    body += p("Text.") + fixed("a = 1") + fixed("  b = 2")
    assert lines(docx(body, styles=style("x", "Code"))) == [
        "code  if lit:⏎⏎    wait()",
        "paragraph  Text.",
        "code  a = 1⏎  b = 2",
    ]
    # A manuscript that is all typed in such a font is no program.
    normal = '<w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii="Courier New"/></w:rPr>'
    normal += "</w:rPrDefault></w:docDefaults>"
    assert lines(docx(fixed("INT. LIGHTHOUSE - NIGHT"), styles=normal)) == [
        "paragraph  INT. LIGHTHOUSE - NIGHT"
    ]


# What is shown


def test_what_word_does_not_show_is_not_read() -> None:
    names = nsdecls("w")
    alternative = (
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
        'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
    )
    paragraphs = [
        f'<w:p {names}><w:r><w:t xml:space="preserve">It was </w:t></w:r>'
        "<w:del><w:r><w:delText>never </w:delText></w:r></w:del>"
        '<w:ins><w:r><w:t xml:space="preserve">always </w:t></w:r></w:ins>'
        "<w:moveFrom><w:r><w:t>away </w:t></w:r></w:moveFrom><w:r><w:t>here</w:t></w:r>"
        '<w:r><w:fldChar w:fldCharType="begin"/><w:instrText>PAGEREF x</w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>"
        '<w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t>,</w:t></w:r>'
        '<w:hyperlink><w:r><w:t xml:space="preserve"> and</w:t></w:r></w:hyperlink>'
        "<w:sdt><w:sdtContent><w:r><w:t> well</w:t><w:noBreakHyphen/><w:t>known</w:t>"
        '<w:softHyphen/><w:t>.</w:t><w:br w:type="page"/></w:r></w:sdtContent></w:sdt></w:p>',
        f"<w:p {names} {alternative}><w:r><w:t>Beside.</w:t><mc:AlternateContent><mc:Choice>"
        "<wps:txbx><w:txbxContent><w:p><w:r><w:t>In a box.</w:t></w:r></w:p></w:txbxContent></wps:txbx>"
        "</mc:Choice><mc:Fallback><w:p><w:r><w:t>In a box.</w:t></w:r></w:p></mc:Fallback>"
        "</mc:AlternateContent></w:r></w:p>",
        f'<w:p {names}><w:pPr><w:pStyle w:val="Contents1"/></w:pPr><w:r><w:t>Walls 3</w:t></w:r></w:p>',
    ]

    def fill(document) -> None:
        from docx.enum.style import WD_STYLE_TYPE

        style = document.styles.add_style("Contents1", WD_STYLE_TYPE.PARAGRAPH)
        style.name = "toc 1"
        for xml in paragraphs:
            document.element.body.append(parse_xml(xml))

    assert extract(word(fill), "a.docx").text.split("\n\n") == [
        "It was always here, and well-known.",
        "Beside.",
        "In a box.",
    ]


def test_a_paragraph_whose_end_was_deleted_goes_on() -> None:
    body = p("The lamp ", '<w:rPr><w:del w:id="1"/></w:rPr>') + p("was lit.")
    assert lines(docx(body)) == ["paragraph  The lamp was lit."]


def test_a_large_initial_belongs_to_its_word() -> None:
    body = p("T", '<w:framePr w:dropCap="drop"/>') + p("he lamp was lit.")
    assert lines(docx(body)) == ["paragraph  The lamp was lit."]


def test_symbols_and_fractions_are_spelled() -> None:
    body = p(
        '<w:r><w:sym w:font="Wingdings" w:char="F0FE"/><w:t xml:space="preserve"> paid, 5 </w:t>'
        '<w:sym w:font="Symbol" w:char="F06D"/><w:t>m, </w:t><w:sym w:font="X" w:char="?"/></w:r>'
        "<w:f><w:num><w:r><w:t>1</w:t></w:r></w:num><w:den><w:r><w:t>16</w:t></w:r></w:den></w:f>"
    )
    assert lines(docx(body)) == ["paragraph  ☑ paid, 5 μm, 1/16"]


# Lists


def test_items_have_the_numbers_that_word_counts() -> None:
    levels = (
        level(0, "decimal", "%1."),
        level(1, "lowerLetter", "%2)"),
        level(2, "upperRoman", "%1.%2.%3", "<w:isLgl/>"),
    )
    restart = (
        '<w:num w:numId="2"><w:abstractNumId w:val="7"/><w:lvlOverride w:ilvl="0">'
        '<w:startOverride w:val="4"/></w:lvlOverride></w:num>'
    )
    body = listed("a") + listed("b", level=1) + listed("c", level=1) + listed("d", level=2)
    body += listed("e") + listed("f", level=1) + p("Between.") + listed("g")
    body += listed("h", "2") + listed("i", "2") + listed("j", "9") + listed("k", "0")
    read = document(docx(body, numbering=numbering(*levels, more=restart)))
    assert [(b.kind.value, b.level, b.marker) for b in read.blocks] == [
        ("list item", 0, "1."),
        ("list item", 1, "a)"),
        ("list item", 1, "b)"),
        ("list item", 2, "1.2.1"),
        ("list item", 0, "2."),
        ("list item", 1, "a)"),
        ("paragraph", 0, ""),
        ("list item", 0, "3."),
        ("list item", 0, "4."),
        ("list item", 0, "5."),
        ("paragraph", 0, ""),
        ("paragraph", 0, ""),
    ]
    groups = [block.group for block in read.blocks]
    assert groups[:6] == [groups[0]] * 6 and len({groups[0], groups[7], groups[8]}) == 3


def test_bullets_are_shown_as_a_person_sees_them() -> None:
    levels = (
        level(0, "bullet", "\uf0b7", '<w:rPr><w:rFonts w:ascii="Symbol"/></w:rPr>'),
        level(1, "bullet", "o", '<w:rPr><w:rFonts w:ascii="Courier New"/></w:rPr>'),
        level(2, "bullet", "–"),
        level(3, "bullet", "\uf0fc", '<w:rPr><w:rFonts w:ascii="Wingdings"/></w:rPr>'),
        level(4, "none", ""),
    )
    body = "".join(listed("x", level=depth) for depth in range(5))
    read = document(docx(body, numbering=numbering(*levels)))
    assert [block.marker for block in read.blocks] == ["•", "◦", "–", "✓", ""]
    assert read.blocks[-1].kind is BlockKind.PARAGRAPH


def test_a_heading_has_its_number_in_its_text() -> None:
    inside = '<w:pPr><w:numPr><w:ilvl w:val="{}"/><w:numId w:val="1"/></w:numPr></w:pPr>'
    styles = style("a", "heading 1", inside.format(0)) + style("b", "heading 2", inside.format(1))
    levels = level(0, "decimal", "%1"), level(1, "decimal", "%1.%2")
    body = styled("Scope", "a") + styled("Rent", "a") + styled("Deposit", "b")
    assert lines(docx(body, styles=styles, numbering=numbering(*levels))) == [
        "# 1 Scope",
        "# 2 Rent",
        "## 2.1 Deposit",
    ]


def test_a_list_of_a_style_is_found_where_the_style_has_it() -> None:
    more = (
        '<w:abstractNum w:abstractNumId="8"><w:numStyleLink w:val="Steps"/></w:abstractNum>'
        '<w:abstractNum w:abstractNumId="9"><w:styleLink w:val="Steps"/>'
        f"{level(0, 'decimal', 'Step %1:')}</w:abstractNum>"
        '<w:num w:numId="5"><w:abstractNumId w:val="8"/></w:num>'
    )
    assert lines(docx(listed("Turn", "5"), numbering=numbering(more=more))) == ["Step 1: Turn"]


def test_what_was_typed_as_a_list_is_one() -> None:
    body = p("• a lamp") + p("<w:r><w:t>b)</w:t><w:tab/><w:t>a rope</w:t></w:r>")
    body += styled("<w:r><w:t>c)</w:t><w:tab/><w:t>a bell</w:t></w:r>", "x")
    body += p("– he said") + p("3.5 metres")
    assert lines(docx(body, styles=style("x", "List Paragraph"))) == [
        "• a lamp",
        "b) a rope",
        "c) a bell",
        "paragraph  – he said",
        "paragraph  3.5 metres",
    ]


def test_a_paragraph_without_a_number_goes_on_with_its_item() -> None:
    styles = style("x", "List Paragraph")
    body = listed("a lamp") + styled("which is lit", "x") + p("Text.") + styled("no item", "x")
    levels = level(0, "decimal", "%1.")
    assert lines(docx(body, styles=styles, numbering=numbering(levels))) == [
        "1. a lamp",
        "… which is lit",
        "paragraph  Text.",
        "paragraph  no item",
    ]


@pytest.mark.parametrize(
    ("count", "form", "expected"),
    [
        (4, "decimal", "4"),
        (4, "decimalZero", "04"),
        (28, "lowerLetter", "bb"),
        (3, "upperLetter", "C"),
        (1994, "lowerRoman", "1994"),
        (949, "upperRoman", "CMXLIX"),
        (11, "ordinal", "11th"),
        (22, "ordinal", "22nd"),
        (7, "japaneseCounting", "7"),
        (0, "lowerLetter", "0"),
    ],
)
def test_forms_of_numbers(count: int, form: str, expected: str) -> None:
    assert in_form(count, form) == expected


# Tables


def test_merged_cells_and_two_rows_of_heads() -> None:
    def cell(text: str, settings: str) -> str:
        return f"<w:tc><w:tcPr>{settings}</w:tcPr>{p(text)}</w:tc>"

    body = row(
        cell("Port", '<w:vMerge w:val="restart"/>'),
        cell("Ferries", '<w:gridSpan w:val="2"/>'),
        settings=HEAD,
    )
    body += row(cell("", "<w:vMerge/>"), "May", "June", settings=HEAD)
    body += row(cell("Lowtown", '<w:vMerge w:val="restart"/>'), "88", "90")
    body += row(cell("", "<w:vMerge/>"), "12", "14") + row(
        "gone", settings='<w:del w:id="1" w:author="A"/>'
    )
    assert lines(docx(f"<w:tbl>{body}</w:tbl>")) == [
        "row  Port* | Ferries*",
        "row  Ferries: May* | Ferries: June*",
        "row  Port: Lowtown | Lowtown, Ferries, May: 88 | Lowtown, Ferries, June: 90",
        "row  Lowtown, Ferries, May: 12 | Lowtown, Ferries, June: 14",
    ]


def test_a_row_of_bold_words_is_one_of_heads_and_so_is_one_that_its_style_sets_apart() -> None:
    def bold(text: str) -> str:
        return f"<w:tc>{p(f'<w:r><w:rPr><w:b/></w:rPr><w:t>{text}</w:t></w:r>')}</w:tc>"

    expected = ["row  Port* | Since*", "row  Port: Lowtown | Lowtown, Since: then"]
    body = row(bold("Port"), bold("Since")) + row("Lowtown", "then")
    assert lines(docx(f"<w:tbl>{body}</w:tbl>")) == expected
    plain = row("Port", "Since") + row("Lowtown", "then")
    about = '<w:tblPr><w:tblStyle w:val="t"/><w:tblLook w:val="04A0"/></w:tblPr>'
    body = f"<w:tbl>{about}{plain}</w:tbl>"
    shaded = style(
        "t", "Grid", '<w:tblStylePr w:type="firstRow"><w:rPr><w:b/></w:rPr></w:tblStylePr>'
    )
    assert lines(docx(body, styles=shaded)) == expected
    assert lines(docx(body, styles=style("t", "Grid"))) == [
        "row  Port | Port: Since",
        "row  Lowtown | Lowtown: then",
    ]


def test_a_cell_has_all_of_its_paragraphs_and_a_table_in_it() -> None:
    inner = f"<w:tbl>{row('bare', '4 €')}{row('boxed', '6 €')}</w:tbl>"
    body = row("Probe", "Price", settings=HEAD)
    body += row(f"<w:tc>{p('K-type')}{p('to 400 °C')}</w:tc>", f"<w:tc>{inner}<w:p/></w:tc>")
    assert lines(docx(f"<w:tbl>{body}</w:tbl>"))[1:] == [
        "row  Probe: K-type to 400 °C | K-type to 400 °C, Price: bare 4 € boxed 6 €"
    ]


def test_a_table_that_lays_out_a_page_is_no_table() -> None:
    left = f"<w:tc>{styled('Work', 'x')}{p('Harbour master since 2001.')}</w:tc>"
    body = f"<w:tbl>{row('2001', left)}</w:tbl><w:tbl>{row('Only a box.')}</w:tbl>"
    assert lines(docx(body, styles=style("x", "heading 1"))) == [
        "paragraph  2001",
        "# Work",
        "paragraph  Harbour master since 2001.",
        "paragraph  Only a box.",
    ]


# Notes, headers and footers


def test_notes_stand_at_the_end_of_their_section() -> None:
    def reference(kind: str, identity: int) -> str:
        return f'<w:r><w:t>See.</w:t><w:{kind}Reference w:id="{identity}"/></w:r>'

    own = '<w:r><w:footnoteReference w:customMarkFollows="1" w:id="3"/><w:t>*</w:t></w:r>'
    body = styled("One", "x") + p(reference("footnote", 1) + reference("endnote", 1)) + p("Then.")
    body += styled("Two", "x") + p(reference("footnote", 2)) + p(own) + p("End.")
    notes = '<w:footnote w:type="separator" w:id="0"><w:p/></w:footnote>' + "".join(
        f'<w:footnote w:id="{n}">{p(f"Note {n}.")}{p("More.") if n == 2 else ""}</w:footnote>'
        for n in (1, 2, 3)
    )
    data = docx(
        body,
        styles=style("x", "heading 1"),
        footnotes=notes,
        endnotes=f'<w:endnote w:id="1">{p("At the end.")}</w:endnote>',
    )
    assert lines(data) == [
        "# One",
        "paragraph  See.See.",
        "paragraph  Then.",
        "1 Note 1.",
        "# Two",
        "paragraph  See.",
        "paragraph  *",
        "paragraph  End.",
        "2 Note 2.",
        "… More.",
        "* Note 3.",
        "i At the end.",
    ]


def test_headers_and_footers_are_boilerplate_once_and_without_page_numbers() -> None:
    names = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    field = (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>PAGE</w:instrText></w:r>'
    )
    field += '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>3</w:t></w:r>'
    field += '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    section = (
        f'<w:sectPr {names}><w:headerReference w:type="default" r:id="rhdr"/>'
        '<w:headerReference w:type="first" r:id="rother"/><w:footerReference r:id="rftr"/></w:sectPr>'
    )
    body = p("Text.", section) + p("More.") + section
    data = docx(
        body,
        hdr=p("Lowtown Harbour"),
        other=p("On no page"),
        ftr=p(f"<w:r><w:t>Draft</w:t><w:tab/><w:t>Page </w:t></w:r>{field}"),
    )
    assert lines(data) == [
        "boilerplate  Lowtown Harbour",
        "paragraph  Text.",
        "paragraph  More.",
        "boilerplate  Draft",
    ]


# The file


def test_a_word_document_says_who_wrote_it_and_when() -> None:
    def fill(document) -> None:
        document.core_properties.title = "The walls of Lowtown"
        document.core_properties.author = "Ines  Brandt"
        document.core_properties.language = "de-AT"
        document.add_heading("Harbour reopens", 1)

    read = extract(word(fill), "a.docx")
    assert read.title == "The walls of Lowtown"
    assert (read.metadata.author, read.metadata.language) == ("Ines Brandt", "de")
    assert read.metadata.date == "2013-12-23"  # that of python-docx's template
    fill_none = word(lambda document: document.add_heading("Harbour reopens", 1))
    assert extract(fill_none, "a.docx").title == "Harbour reopens"


def test_a_word_document_needs_no_more_than_its_text() -> None:
    whole = word(lambda document: document.add_paragraph("The lamp was lit."))
    bare = rezipped(whole, {"word/styles.xml": None, "docProps/core.xml": None})
    assert extract(bare, "a.docx").text == "The lamp was lit."
    with zipfile.ZipFile(BytesIO(whole)) as archive:
        content = archive.read("word/document.xml")
    moved = rezipped(whole, {"word/document.xml": None, "word/document2.xml": content})
    assert extract(moved, "a.docx").text == "The lamp was lit."


def test_a_style_without_a_definition_is_known_by_its_id() -> None:
    assert lines(docx(styled("Lamps", "Heading2") + p("Text."))) == ["## Lamps", "paragraph  Text."]


def test_a_document_of_another_case_and_with_backslashes_is_read() -> None:
    inside = f"<w:document {nsdecls('w')}><w:body>{p('The lamp was lit.')}</w:body></w:document>"
    relation = relations(r1="officeDocument Word\\Document.xml")
    data = packed({"_rels\\.rels": relation, "word\\document.xml": inside})
    assert extract(data, "a.docx").text == "The lamp was lit."


def test_entities_of_a_word_document_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret")
    whole = word(lambda document: document.add_paragraph("x"))
    names = nsdecls("w")
    for entity in (f'SYSTEM "{(tmp_path / "secret").as_uri()}"', '"inner"'):
        content = (
            f"<!DOCTYPE d [<!ENTITY e {entity}>]><w:document {names}><w:body><w:p><w:r><w:t>Lamp &e;"
            "</w:t></w:r></w:p></w:body></w:document>"
        )
        read = extract(rezipped(whole, {"word/document.xml": content.encode()}), "a.docx")
        assert read.text == "Lamp"
