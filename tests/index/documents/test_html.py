from random import Random

import pytest

from index.documents.blocks import BlockKind, check_blocks
from index.documents.content import Content
from index.documents.document import document_of
from index.documents.formats import extract
from index.errors import DocumentError
from tests.index.documents.outline import outline

NEWS = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Harbour reopens after storm | Daily Post</title>
<style>.x { color: red }</style><script>var tracking = "code"</script></head><body>
<header><nav><ul><li><a href="/">Home</a></li><li><a href="/weather">Weather forecast</a></li>
</ul></nav></header>
<div class="cookie-banner">We use cookies to improve your visit. <button>Accept all</button></div>
<main><article><h1>Harbour reopens after storm</h1>
<p>The harbour of Lowtown opened again on Monday, nine days after a storm tore away
forty metres of its wall. The first ferry, with 212 people aboard, left at 06:40.</p>
<div class="advertisement" id="x-2"><p>Buy the new telephone today, only 499 euros!</p></div>
<p>Harbour master Jon&shy;athan Reed said that the re\u00adpair had cost 1.2 million euros. “We worked at
night, at low tide,” he told the council.<br>He thanked the divers.</p>
<h2>What is next</h2>
<ul><li>The lighthouse gets a new lamp in autumn.</li><li>500 sacks of sand</li></ul>
<table><tr><th>Month</th><th>Ferries</th></tr><tr><td>May</td><td>88</td></tr></table>
<pre>one line
  and another</pre>
<p>The council will vote on a second wall in September, when all of its members are back in town.</p>
<aside class="related"><h3>Related articles</h3><ul><li><a href="/a">Ten best beaches</a></li></ul>
</aside>
</article></main>
<section id="comments"><h3>Comments</h3><p>user1: first comment of all!</p></section>
<footer><p>© 2024 Daily Post. All rights reserved. Privacy policy.</p></footer></body></html>"""

ARTICLE = """title  Harbour reopens after storm
paragraph  The harbour of Lowtown opened again on Monday, nine days after a storm tore away forty \
metres of its wall. The first ferry, with 212 people aboard, left at 06:40.
paragraph  Harbour master Jonathan Reed said that the repair had cost 1.2 million euros. “We worked \
at night, at low tide,” he told the council.⏎He thanked the divers.
## What is next
• The lighthouse gets a new lamp in autumn.
• 500 sacks of sand
row  Month* | Ferries*
row  Month: May | May, Ferries: 88
code  one line⏎  and another
paragraph  The council will vote on a second wall in September, when all of its members are back in \
town."""

AROUND = """boilerplate  We use cookies to improve your visit.
{article}
boilerplate  Related articles
boilerplate  Ten best beaches
boilerplate  Comments
boilerplate  user1: first comment of all!
boilerplate  © 2024 Daily Post. All rights reserved. Privacy policy."""

RUSSIAN = "Маяк был зажжён в 1890 году. Это случилось в мае."
WORDS = (
    "The lamp of Lowtown was lit in 1890, and every night since then it has been seen from the sea."
)


def read(page: str) -> Content:
    content = extract(page.encode("utf-8", "surrogatepass"), "a.html")
    check_blocks(content.text, content.blocks, content.pages)
    return content


def shown(page: str) -> str:
    """The blocks of a page, or of a part of one."""
    content = read(page if page.startswith("<!") else f"<!doctype html><body>{page}</body>")
    lines = outline(document_of(content, name="a", source="a.html")).split("\n")
    return "\n".join(lines[lines.index("") + 1 :]).strip("\n")


def says(page: str) -> str:
    with pytest.raises(DocumentError) as error:
        extract(page.encode(), "a.html")
    return str(error.value)


# The main text and what is around it


def test_a_page_gives_its_article_and_what_is_around_it_as_boilerplate() -> None:
    assert shown(NEWS) == AROUND.format(article=ARTICLE)
    content = read(NEWS)
    assert content.title == "Harbour reopens after storm"
    assert content.metadata.language == "en"
    for frame in ("Home", "Accept all", "telephone", "tracking"):
        assert frame not in content.text


def test_an_advert_is_told_from_an_article_that_is_called_one() -> None:
    page = NEWS.replace("<main>", '<main><div class="has ads">').replace("</main>", "</div></main>")
    assert shown(page) == AROUND.format(article=ARTICLE)


def test_a_title_that_is_not_in_the_article_is_the_one_of_the_page() -> None:
    page = NEWS.replace("<h1>Harbour reopens after storm</h1>", "")
    assert read(page).title == "Harbour reopens after storm | Daily Post"
    page = page.replace(
        "<title>", '<meta property="og:title" content=" Harbour &amp; storm "><title>'
    )
    assert read(page).title == "Harbour & storm"


@pytest.mark.parametrize(
    "page",
    [
        "<html><head><title>x</title></head><body></body></html>",
        "<html><body><noscript>You need to enable JavaScript to run this app.</noscript>"
        '<div id="root"></div><script src="app.js"></script></body></html>',
        "<html><body><noscript>You need to enable JavaScript to run this app.</noscript>"
        '<div id="root">Loading …</div><script src="app.js"></script></body></html>',
        '<html><body><nav><ul><li><a href="/">Home</a></li><li><a href="/a">Products</a></li>'
        '<li><a href="/b">About us</a></li></ul></nav><img src="x.png"><footer>Imprint</footer>',
        '<html><body><div><a href="/r">Register</a></div><form>Name <input> Password '
        '<input type="password"><button>Log in</button></form></body></html>',
        "<html>",
        "<html><body><dl></dl><ul><li></ul><table></table><footer>Imprint</footer>",
    ],
    ids=["empty", "script", "loading", "menu", "login", "nothing", "no words"],
)
def test_a_page_without_an_article_is_refused(page: str) -> None:
    sentence = says(page)
    assert "has no article" in sentence and "copy the text in your browser and paste it" in sentence


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<p>Open on Sunday.</p>", "paragraph  Open on Sunday."),
        ("Open on Sunday.", "paragraph  Open on Sunday."),
        ("<ul><li>Bread<li>Milk</ul>", "• Bread\n• Milk"),
        (
            '<ul><li><a href="/b">Bread</a><li><a href="/m">Milk</a></ul>',
            "• Bread\n• Milk",
        ),
        ("<table><tr><td>Lyon<td>18</table>", "row  Lyon | Lyon: 18"),
        ("<pre>a = 1</pre>", "code  a = 1"),
        (
            "<FONT SIZE=5>The Lamp</FONT><P>It was lit.<BR><BR>It was bright.",
            "paragraph  The Lamp\nparagraph  It was lit.\nparagraph  It was bright.",
        ),
    ],
    ids=["paragraph", "bare text", "list", "links", "table", "code", "old"],
)
def test_a_short_page_comes_out_whole(page: str, expected: str) -> None:
    assert shown(page) == expected


def test_all_in_the_container_of_the_main_text_is_kept() -> None:
    article = "".join(
        f"<h3>Part {n}</h3><p>{WORDS} It was the {n}th time.</p><p>Short.</p>" for n in range(9)
    )
    page = (
        f'<div>Old site</div><div class="post"><p>by Ann</p>{article}<dl><dt>Fee<dd>None</dl></div>'
    )
    lines = shown(page).split("\n")
    assert lines[0] == "boilerplate  Old site"
    assert lines[1:3] == ["paragraph  by Ann", "### Part 0"]
    assert lines.count("paragraph  Short.") == 9
    assert lines[-1] == "row  Fee* | Fee: None"


def test_what_is_between_the_title_and_the_text_is_main_text() -> None:
    text = "".join(f"<p>{WORDS} It was the {n}th time.</p>" for n in range(9))
    page = (
        f"<div>Old site</div><h1>The lamp</h1><div>by Ann, 3 May</div><div><div>{text}</div></div>"
    )
    lines = shown(page).split("\n")
    assert lines[:3] == ["boilerplate  Old site", "title  The lamp", "paragraph  by Ann, 3 May"]


@pytest.mark.parametrize(
    "page",
    [
        "<body class='with-sidebar'><p>Open on Sunday.</p>",
        "<div class='wrapper has-menu'><p>Open on Sunday.</p></div>",
        "<div class='wrapper has-menu'><h1>Mill</h1><p>Open on Sunday.</p></div>By Ann",
    ],
)
def test_a_name_that_speaks_of_a_menu_does_not_make_the_page_one(page: str) -> None:
    assert "paragraph  Open on Sunday." in shown(page)


def test_a_menu_of_an_old_page_is_boilerplate_and_its_contents_are_not() -> None:
    menu = "".join(f'<a href="/{n}.html">Page {n}</a><br>' for n in range(12))
    contents = '<ul><li><a href="#a">The first part</a></ul>'
    page = (
        f"<table><tr><td>{menu}</td><td><h1>The lamp</h1>{contents}"
        + f"<p>{WORDS}</p>" * 9
        + "</td></tr></table><p>Updated in May.</p>"
    )
    lines = shown(page).split("\n")
    assert lines[0].startswith("boilerplate  Page 0⏎Page 1")
    assert lines[1:3] == ["title  The lamp", "• The first part"]
    assert lines[-1].endswith("Updated in May.")


def test_what_a_browser_does_not_show_is_not_read() -> None:
    page = (
        "<p>Seen.</p><p hidden>a1</p><p style='color:red; display: none'>a2</p><template>a3</template>"
        "<select><option>a4</select><p>Also <span class='sr-only'>a5</span>seen.</p><dialog>a6</dialog>"
        "<div role='navigation'>a7</div><iframe>a8</iframe><details><summary>More</summary>Closed."
        "</details><div style='visibility:hidden'>a9</div>"
    )
    expected = ["Seen.", "Also seen.", "More", "Closed."]
    assert shown(page) == "\n".join(f"paragraph  {text}" for text in expected)


def test_a_page_is_known_by_its_name_or_its_server() -> None:
    page = b"<p>The lamp was lit in 1890.</p><p>The keeper was glad.</p>"
    content = extract(page, "a.html")
    assert content.text == "The lamp was lit in 1890.\n\nThe keeper was glad."
    assert extract(page, "a.HTM") == content
    assert extract(page, "https://example.org/a", media_type="text/html") == content
    assert extract(page, "https://example.org/a.html?b=c.txt") == content
    assert "<p>" in extract(page, "a.txt").text
    assert "<p>" in extract(page, "https://example.org/a.html", media_type="text/plain").text


# Headings


def test_headings_have_their_levels_and_no_permalinks() -> None:
    page = (
        '<h1>The lamp<a class="headerlink" href="#l">¶</a></h1><p>One.</p>'
        '<h2><a class="anchor" href="#c">#</a> Programs in C#</h2><p>Two.</p>'
        '<h4>Old<br>parts<span class="mw-editsection">[edit]</span></h4><p>Three.</p><h2></h2>'
    )
    assert shown(page) == (
        "title  The lamp\nparagraph  One.\n## Programs in C#\nparagraph  Two.\n#### Old parts\n"
        "paragraph  Three."
    )


def test_the_title_is_the_heading_that_the_head_of_the_page_names() -> None:
    head = "<html><head><title>Keeping bees - a guide</title></head><body>"
    page = f"{head}<h1>Bee Press</h1><h2>Keeping bees</h2><p>{WORDS}</p><h1>Part one</h1>"
    content = read(page)
    kinds = {content.text[b.start : b.end]: b.kind for b in content.blocks}
    assert kinds["Keeping bees"] is BlockKind.TITLE
    assert kinds["Part one"] is BlockKind.HEADING
    assert content.title == "Keeping bees"


def test_of_several_large_headings_none_is_the_title() -> None:
    assert shown("<h1>One</h1><p>a</p><h1>Two</h1><p>b</p>").startswith("# One\n")


# Text


def test_lines_and_paragraphs_of_bare_text() -> None:
    page = (
        "<div>One\n line.<br>\nAnother.<br> <br/>A paragraph.<div>Inside.</div>After.</div>"
        "<address>Mill Lane 3<br>Lowtown</address>"
    )
    assert shown(page) == (
        "paragraph  One line.⏎Another.\nparagraph  A paragraph.\nparagraph  Inside.\n"
        "paragraph  After.\nparagraph  Mill Lane 3⏎Lowtown"
    )


def test_signs_inside_a_sentence() -> None:
    page = (
        "<p>10<sup>6</sup> m<sup>2</sup> of H<sub>2</sub>O.<sup><a href='#n'>[1]</a></sup> "
        "The note<sup><a href='#o'>2</a></sup> "
        "1<sup>st</sup> <q>lamp</q>, <ruby>灯<rp>(</rp><rt>あかり</rt><rp>)</rp></ruby>, "
        "<math alttext='x^2'><mi>x</mi></math> re&shy;pair\u200bed <img alt='😀' src='x'> &amp; "
        "A&nbsp;B.</p>"
    )
    assert shown(page) == (
        "paragraph  10⁶ m² of H2O.[1] The note² 1st “lamp”, 灯, x^2 repaired 😀 & A\xa0B."
    )


def test_a_formula_is_given_as_tex() -> None:
    mathml = (
        "<span class='katex'><math><semantics><mi>x</mi><annotation encoding='application/x-tex'>"
        "\\frac{x}{2}</annotation></semantics></math><span class='katex-html' aria-hidden='true'>x2"
        "</span></span>"
    )
    assert shown(f"<p>Half: {mathml}, <script type='math/tex'>y^2</script>.</p>") == (
        "paragraph  Half: \\frac{x}{2}, y^2."
    )


def test_code_quotations_and_captions() -> None:
    page = (
        "<pre>\nif a:\n\tb<br>c\n\n<span>d</span></pre><div style='white-space: pre'>x\n y</div>"
        "<blockquote><p>Let there be light.</p><footer>Ann</footer></blockquote>"
        "<figure><img alt='A tall lamp at night' src='a.png'><figcaption>The lamp</figcaption></figure>"
        "<figure><img alt='A tall lamp by day' src='b.png'></figure><img alt='Logo' src='c.png'>"
    )
    assert shown(page) == (
        "code  if a:⏎\tb⏎c⏎⏎d\ncode  x⏎ y\nquotation  Let there be light.\nboilerplate  Ann\n"
        "caption  The lamp\ncaption  A tall lamp by day"
    )


def test_who_is_quoted_stands_on_a_line_of_its_own() -> None:
    page = "<blockquote><div><cite>Ann wrote:</cite>Let there be light.</div></blockquote>"
    assert shown(page) == "quotation  Ann wrote:⏎Let there be light."


def test_prose_that_is_marked_as_preformatted_is_prose() -> None:
    letter = (
        "Dear Ann,\n\nthe lamp has been mended, and it can be seen\nfrom the sea again as in the old"
        " days.\n\nCome and see it before the end of the week, please.\n\nJo"
    )
    assert shown(f"<pre>{letter}</pre>") == (
        "paragraph  Dear Ann,\nparagraph  the lamp has been mended, and it can be seen from the sea "
        "again as in the old days.\nparagraph  Come and see it before the end of the week, please.\n"
        "paragraph  Jo"
    )
    program = (
        "import sys\n\n# This is the main loop of the program, and it never ends.\nwhile True:"
    )
    assert shown(f"<pre>{program}</pre>").startswith("code  import sys⏎⏎#")


# Lists


def test_lists_have_the_markers_that_a_browser_shows() -> None:
    page = (
        "<ol start=3><li>c<li value=7>g<ol type=a><li>x<li>y</ol><li>h</ol><p>-</p>"
        "<ol reversed><li>two<li>one</ol><p>-</p><ol type=I start=9><li>nine<li>ten</ol>"
    )
    assert shown(page) == (
        "3. c\n7. g\n  a. x\n  b. y\n8. h\nparagraph  -\n2. two\n1. one\nparagraph  -\n"
        "IX. nine\nX. ten"
    )


def test_what_an_item_holds_besides_its_first_paragraph() -> None:
    page = (
        "<ul><li><p>One</p><p>more</p><pre>code</pre>end</li><ul><li>deep</li></ul><li>"
        "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table></li></ul>"
    )
    assert shown(page) == (
        "• One\n… more\ncode  code\n… end\n  • deep\nrow  a* | b*\nrow  a: 1 | 1, b: 2"
    )


def test_two_lists_are_two_groups() -> None:
    blocks = read("<html><ul><li>a<ul><li>b</ul></ul><ul><li>c</ul>").blocks
    assert blocks[0].group == blocks[1].group != blocks[2].group


# Definition lists


def test_a_definition_stands_beside_its_term() -> None:
    page = "<dl><dt>root<dd>The superuser.<dt>bin<dt>sys<dd><p>Legacy.</p><p>HELP.</p><dt>last</dl>"
    assert shown(page) == (
        "row  root* | root: The superuser.\nrow  bin* | bin: sys* | bin, sys: Legacy.\n"
        "row  bin, sys: HELP.\nrow  last"
    )


def test_a_term_with_parts_of_the_page_is_a_heading_up_to_the_end_of_the_list() -> None:
    page = (
        "<h2>Functions</h2><dl><dt>open(path)</dt><dd><p>Open it.</p><pre>open('a')</pre></dd>"
        "<dt>close()</dt><dd>Close it.</dd></dl><p>After all.</p>"
    )
    assert shown(page) == (
        "## Functions\n### open(path)\nparagraph  Open it.\ncode  open('a')\n### close()\n"
        "paragraph  Close it.\nparagraph  After all."
    )
    blocks = read(f"<html>{page}").blocks
    assert [block.section for block in blocks] == [None, 0, 1, 1, 0, 4, 0]


def test_a_definition_list_of_links_is_a_table_of_contents() -> None:
    page = (
        "<DL><DT>1. <A HREF='#a'>The lamp</A><DD><DL><DT>1.1 <A HREF='#b'>Its oil</A></DL></DD>"
        "<DT>2. <A HREF='#c'>The tower</A></DL>"
    )
    assert shown(page) == "• 1. The lamp\n  • 1.1 Its oil\n• 2. The tower"


# Tables


def test_a_table_has_its_heads_in_two_rows_and_its_caption_in_front() -> None:
    page = (
        "<table><caption>Ferries</caption><thead><tr><th rowspan=2>Port<th colspan=2>2023</tr>"
        "<tr><th>May<th>June</tr></thead><tfoot><tr><td>All<td>9<td>8</tfoot>"
        "<tbody><tr><th scope=row>Lowtown<td>5<td></tr></tbody></table>"
    )
    assert shown(page) == (
        "caption  Ferries\nrow  Port* | 2023*\nrow  2023: May* | 2023: June*\n"
        "row  Port: Lowtown* | Lowtown, 2023, May: 5 | Lowtown, 2023, June: \n"
        "row  Port: All | All, 2023, May: 9 | All, 2023, June: 8"
    )


@pytest.mark.parametrize(
    "first",
    ["<td><b>Port</b><td><b>May</b>", "<td scope=col>Port<td scope=col>May"],
    ids=["bold", "scope"],
)
def test_heads_that_are_no_head_cells(first: str) -> None:
    page = f"<table><tr>{first}</tr><tr><td>Lowtown<td>5</table>"
    assert shown(page) == "row  Port* | May*\nrow  Port: Lowtown | Lowtown, May: 5"


def test_a_head_beside_an_empty_cell_heads_its_row() -> None:
    page = "<table><tr><th>Name<td>Ann</tr><tr><th>Nickname<td></tr><tr><th>Born<td>1890</table>"
    assert (
        shown(page)
        == "row  Name* | Name: Ann\nrow  Nickname* | Nickname: \nrow  Born* | Born: 1890"
    )


def test_a_cell_that_reaches_down_on_the_right_heads_no_row() -> None:
    page = (
        "<table><tr><th>Town<th>People<th>Shore</tr><tr><td>Ehlen<td>5<td rowspan=2>North</tr>"
        "<tr><td>Serl<td>1</table>"
    )
    assert shown(page).endswith("\nrow  Town: Serl | Serl, People: 1")


def test_a_picture_across_a_table_heads_no_rows_that_have_heads() -> None:
    page = (
        "<table><tr><th colspan=2>Ondra</tr><tr><td colspan=2>The lake in 2011</tr>"
        "<tr><th>Depth<td>118 m</table>"
    )
    assert shown(page).endswith("\nrow  Depth* | Depth: 118 m")


def test_a_cell_is_one_text() -> None:
    page = (
        "<table><tr><th>Day<th>Open</tr><tr><td>Monday<td><ul><li>9–12<li>13–17</ul></tr>"
        "<tr><td>Sunday<td><img alt='No' src='x.png'></table>"
    )
    assert shown(page) == (
        "row  Day* | Open*\nrow  Day: Monday | Monday, Open: 9–12 13–17\n"
        "row  Day: Sunday | Sunday, Open: No"
    )


@pytest.mark.parametrize(
    "table",
    [
        "<table><tr><td><p>One.</p><p>Two.</p></table>",
        "<table role=presentation><tr><td>One.<td>Two.</table>",
        "<table><tr><td><h2></h2>One.<td></tr><tr><td>Two.<td></table>",
        "<table>One.<tr><td>Two.</table>",
        "<table><tr><td><table><tr><td>One.</table><td>Two.</table>",
    ],
    ids=["one cell", "role", "heading", "stray text", "nested"],
)
def test_a_table_that_lays_out_the_page_is_unfolded(table: str) -> None:
    assert shown(table) == "paragraph  One.\nparagraph  Two."


def test_a_table_in_a_table_of_values_stands_after_it() -> None:
    inner = "<table><tr><th>x<th>y</tr><tr><td>1<td>2</table>"
    page = f"<table><tr><th>a<th>b</tr><tr><td>3<td>4 {inner}</tr><tr><td>5<td>6</table>"
    assert shown(page) == (
        "row  a* | b*\nrow  a: 3 | 3, b: 4\nrow  a: 5 | 5, b: 6\nrow  x* | y*\nrow  x: 1 | 1, y: 2"
    )


# Metadata


@pytest.mark.parametrize(
    ("head", "body", "expected"),
    [
        ('<meta name="author" content="By Ann Lee">', "", ("Ann Lee", "")),
        (
            '<meta property="article:author" content="https://example.org/ann">'
            '<meta property="article:published_time" content="2024-03-05T08:00:00+01:00">',
            '<p class="byline">By Ann Lee</p>',
            ("Ann Lee", "2024-03-05"),
        ),
        (
            '<script type="application/ld+json">{"@graph": [{"@type": "Article", "datePublished":'
            ' "2024-03-05", "author": [{"name": "Ann Lee"}, "Jo Ray"]}]}</script>',
            "",
            ("Ann Lee, Jo Ray", "2024-03-05"),
        ),
        (
            '<meta name="DC.date" content="March 2024">',
            '<a rel="author">Ann</a>',
            ("Ann", "March 2024"),
        ),
        (
            '<script type="application/ld+json">{"author": </script>',
            '<article><header><time datetime="2024-03-05 08:00">today</time></header></article>',
            ("", "2024-03-05"),
        ),
    ],
)
def test_the_author_and_the_date_of_a_page(head: str, body: str, expected: tuple[str, str]) -> None:
    metadata = read(f"<html><head>{head}</head><body>{body}<p>{WORDS}</p></body></html>").metadata
    assert (metadata.author, metadata.date) == expected


@pytest.mark.parametrize(
    ("page", "language"),
    [
        ("<html lang=en-GB><p>Light.</p>", "en-GB"),
        ('<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="de"><p>Licht.</p>', "de"),
        ('<html><meta http-equiv="Content-Language" content="fr"><p>Feu.</p>', "fr"),
        ('<html><meta property="og:locale" content="pt_BR"><p>Luz.</p>', "pt-BR"),
        ('<html lang="{{ lang }}"><p>Light.</p>', ""),
    ],
)
def test_the_language_of_a_page(page: str, language: str) -> None:
    assert read(page).metadata.language == language


# Encodings


@pytest.mark.parametrize(
    ("encoding", "meta", "charset"),
    [
        ("utf-8", "", ""),
        ("utf-8", '<meta charset="utf-8">', ""),
        ("utf-16", "", ""),
        ("cp1252", '<meta charset="iso-8859-1">', ""),
        (
            "cp1251",
            '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">',
            "",
        ),
        ("iso-8859-2", '<meta charset="windows-1252">', "iso-8859-2"),  # the server's word counts
        ("utf-8", '<meta charset="no-such-thing">', "nor-this"),
        ("utf-8", '<meta charset="utf-8">', "unicode_escape"),
        ("utf-8", '<?xml version="1.0" encoding="iso-8859-2"?>', ""),
    ],
)
def test_the_encoding_of_a_page(encoding: str, meta: str, charset: str) -> None:
    text = {"cp1251": RUSSIAN, "iso-8859-2": "Erdős Pál 1913-ban született Budapesten."}.get(
        encoding, "Zoë’s café “Málaga” has been there since 1999, they say."
    )
    before, meta = (meta, "") if meta.startswith("<?") else ("", meta)
    page = f"{before}<!doctype html><html><head>{meta}</head><body><p>{text}</p></body></html>"
    content = extract(page.encode(encoding), "a.html", media_type="text/html", charset=charset)
    assert content.text == text


def test_one_wrong_byte_does_not_make_another_encoding_of_a_page() -> None:
    page = f'<!doctype html><meta charset="utf-8"><p>{RUSSIAN * 20}</p>'.encode()
    cut = page.replace("Маяк".encode(), "Маяк".encode()[:-1], 1)
    assert extract(cut, "a.html").text == (RUSSIAN * 20).replace("Маяк", "Мая\ufffd", 1)


# Limits


def test_a_page_with_many_open_elements_is_read_whole() -> None:
    page = "<html><body>" + "<p>A line.<font>" * 400 + "The end."
    assert read(page).text.endswith("The end.")


@pytest.mark.parametrize("tags", ["<div>", "<ul><li>", "<table><tr><td>", "<b>", "<dl><dt>a<dd>"])
def test_a_page_that_is_nested_too_deep_is_refused(tags: str) -> None:
    assert "'a.html' is nested too deep" in says("<html><body>" + tags * 10_000 + "Deep.")


@pytest.mark.parametrize("tags", ["<div>", "<ul><li>", "<b>", "<q>", "<blockquote>"])
def test_a_page_that_is_nested_deep_is_read(tags: str) -> None:
    assert "Deep." in read("<html><body>" + tags * 900 + "Deep.").text


# Any page


TAGS = (
    "p div span ul ol li dl dt dd table tr td th thead tbody caption h1 h2 b i a br img pre code"
    " blockquote figure figcaption section article main sup sub details summary form label center hr"
    " address q cite"
)
ATTRIBUTES = (
    *("", "", "", " href=/x", " colspan=2", " rowspan=3", " rowspan=0", " scope=row", " start=x"),
    *(" alt='a tall lamp'", " style='white-space: pre'", " role=presentation", " class=related"),
)


@pytest.mark.parametrize("seed", range(200))
def test_every_word_of_any_page_is_in_one_block(seed: int) -> None:
    random = Random(seed)
    parts, words = ["<!doctype html><body>Begin. "], []
    for _ in range(random.randint(1, 60)):
        tag = random.choice(TAGS.split())
        kind = random.random()
        if kind < 0.45:
            parts.append(f"<{tag}{random.choice(ATTRIBUTES)}>")
        elif kind < 0.65:
            parts.append(f"</{tag}>")
        else:
            words.append(f"w{len(words)}x")
            parts.append(f"{words[-1]} {random.choice(['', chr(10), '“End.” '])}")
    text = read("".join(parts)).text
    assert [text.count(word) for word in words] == [1] * len(words)
