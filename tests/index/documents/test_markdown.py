import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.documents.blocks import BlockKind, check_blocks
from index.documents.content import Content
from index.documents.document import document_of
from index.documents.markdown.front_matter import split_front_matter
from index.documents.markdown.parsers import MAX_NESTING
from index.documents.markdown.reader import read_markdown
from tests.index.documents.outline import outline
from tests.qa.any_text import TEXTS

LINES = st.sampled_from(
    [
        "",
        "word",
        "# Heading",
        "Setext",
        "---",
        "===",
        "- item",
        "    - deeper",
        "7. seven",
        "> quoted",
        "| a | b |",
        "|---|---|",
        "| `x|y` | z | more |",
        "```",
        "    code",
        "**bold** *and* _so_ `on`",
        "[^note]: what is noted",
        "see[^note] there",
        "\\* not a list",
        "hard  ",
        "- [ ] done",
        "***",
    ]
)


def read(text: str) -> list[str]:
    """The blocks of a text as outline() writes them."""
    content = checked(text)
    return outline(document_of(content, name="x", source="x.md")).split("\n\n", 1)[1].splitlines()


def checked(text: str) -> Content:
    content = read_markdown(text)
    check_blocks(content.text, content.blocks, content.pages)
    return content


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_any_text_gives_blocks(text: str) -> None:
    checked(text)


@given(st.lists(LINES, max_size=20).map("\n".join))
@settings(max_examples=300, deadline=None)
def test_no_word_is_lost(text: str) -> None:
    content = checked(text)
    shown = Counter(
        re.findall("[a-z]+", " ".join([content.text, *(b.marker for b in content.blocks)]))
    )
    written = Counter(re.findall("[a-z]+", text))
    assert not written - shown


def test_headings_of_both_kinds() -> None:
    assert read("# The *rain*\n\nIt rained.\n\nPart **one**\n---\n\n### Deeper #") == [
        "title  The rain",
        "paragraph  It rained.",
        "## Part one",
        "### Deeper",
    ]
    assert read("# One\n\na\n\n# Two\n\nb") == ["# One", "paragraph  a", "# Two", "paragraph  b"]
    assert checked("# One\n\na\n\n# Two\n\nb").title == "One"


def test_the_text_of_a_line_has_no_markup() -> None:
    text = (
        '**Bold**, *so*, ~~gone~~, `a*b`, [a *link*](/x "t"), <https://e.org>, https://f.org,\n'
        "![an *image*](/y.png) &amp; <b>tag</b><!-- not this -->, 2 \\* 3, snake_case_word"
    )
    assert checked(text).text == (
        "Bold, so, gone, a*b, a link, https://e.org, https://f.org, an image & tag, 2 * 3, "
        "snake_case_word"
    )


def test_hard_breaks_stay_and_soft_ones_do_not() -> None:
    assert checked("**one**\ntwo  \nthree\\\nfour<br>five").text == "one two\nthree\nfour\nfive"


def test_lists_are_nested_and_keep_what_is_in_their_items() -> None:
    text = (
        "3. three\n\n   more\n   - [ ] to do\n   - [x] done\n4. four\n\n   ```\n   x = 1\n   ```\n"
    )
    assert read(text) == [
        "3. three",
        "… more",
        "  ☐ to do",
        "  ☑ done",
        "4. four",
        "code  x = 1",
    ]
    groups = [block.group for block in checked("- a\n- b\n\n1. c\n").blocks]
    assert groups[0] == groups[1] != groups[2]


def test_code_and_quotations() -> None:
    assert read("```py\nif x:\n    y()\n```\n\n    z\n\n> one\n> two\n> > three") == [
        "code  if x:⏎    y()",
        "code  z",
        "quotation  one two",
        "quotation  three",
    ]


def test_tables_have_heads_and_every_cell() -> None:
    assert read("| City | *Hives* |\n|---|--:|\n| [Lyon](/l) | **18** | more |\n| a \\| b | |") == [
        "row  City* | Hives*",
        "row  City: Lyon | Lyon, Hives: 18 | Lyon: more",
        "row  City: a | b | a | b, Hives: ",
    ]


def test_images_are_captions_and_html_is_text() -> None:
    text = (
        "![A lamp](http://e.org/l.png)\n\n<details><summary>Why?</summary>\nIt <i>rained</i>.<br>Much."
        "</details>\n\n<!-- not this -->\n\n<table><tr><th>A</th></tr><tr><td>1</td></tr></table>\n\n"
        "<img src=x alt='A ship'>\n"
    )
    assert read(text) == [
        "caption  A lamp",
        "paragraph  Why?",
        "paragraph  It rained.⏎Much.",
        "row  A*",
        "row  A: 1",
        "paragraph  A ship",
    ]


def test_footnotes() -> None:
    text = (
        "Lit[^1] in 1890[^x], see `[^1]` and [^no].\n\n"
        "[^1]: By *Li*,\n    who left.\n\n    Later.\n[^x]: https://e.org\n"
    )
    assert read(text) == [
        "paragraph  Lit[1] in 1890[x], see [^1] and [^no].",
        "paragraph  [1] By Li, who left.",
        "paragraph  Later.",
        "paragraph  [x] https://e.org",
    ]


def test_front_matter() -> None:
    text = (
        "---\ntitle: 'The lamp: a history'\nauthor: [Li Wei, Jane Doe]\ndate: 2024-05-03\nlang: en\n"
        "tags:\n  - light\n  - sea\n---\nIt was lit.\n"
    )
    content = checked(text)
    about = content.metadata
    assert content.title == "The lamp: a history"
    assert (about.author, about.date, about.language) == ("Li Wei, Jane Doe", "2024-05-03", "en")
    assert read(text) == [
        "title  The lamp: a history",
        "paragraph  author: Li Wei, Jane Doe",
        "paragraph  date: 2024-05-03",
        "boilerplate  tags: light, sea",
        "paragraph  It was lit.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "---\n\nIt rained. All day\n\n---\n\nThen it stopped.",
        "---\nIt rained: all day.\nAnd all night.\n---\n",
        "---\nkey: [unclosed\n---\nIt rained.",
        "---\na: " + "[" * 5000 + "\n---\nIt rained.",
        "---\na: &a [x,x]\nb: &b [*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c]\n"
        "e: [*d,*d,*d,*d,*d]\n---\nIt rained.",
    ],
    ids=["ruler", "sentence", "damaged", "nested", "bomb"],
)
def test_what_is_no_front_matter_is_text(text: str) -> None:
    assert split_front_matter(text) == ({}, text)
    assert "rained" in checked(text).text


def test_plain_text_in_a_markdown_file_is_read_as_such() -> None:
    text = "Opening hours\n\nMonday: 9 to 17\nSunday: closed\n\nWe are closed in May."
    assert read(text) == [
        "title  Opening hours",
        "paragraph  Monday: 9 to 17",
        "paragraph  Sunday: closed",
        "paragraph  We are closed in May.",
    ]


def test_what_is_nested_too_deep_is_not_lost() -> None:
    text = ">" * (2 * MAX_NESTING) + " It rained."
    assert "It rained." in checked(text).text
    text = "\n".join("  " * depth + "- item" for depth in range(MAX_NESTING))
    assert checked(text).text.count("item") == MAX_NESTING


@pytest.mark.parametrize(
    "piece",
    ["[", ">", "*", "- ", "`a", "<!--", "![a](", "[^1]: ", '<a "', "&", "**a *b**", "|a"],
)
def test_markup_without_end_takes_bounded_time(piece: str) -> None:
    checked(piece * (50_000 // len(piece)))


def test_a_comment_that_is_not_closed_is_text() -> None:
    assert "It rained." in checked("<!-- It rained.\n\nAll day.").text
    assert BlockKind.PARAGRAPH in {block.kind for block in checked("a\n\n<!-- b\n").blocks}
