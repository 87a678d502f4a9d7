from collections.abc import Sequence
from dataclasses import replace

import pytest

from index.documents.blocks import BlockKind
from index.documents.content import Content
from index.documents.pdf.lines import Line, PrintedPage
from index.documents.pdf.reader import PdfFile, content_of

WIDTH = 6.0  # of a letter


def print_of(text: str, top: float = 700, left: float = 72, size: float = 10) -> list[Line]:
    """The lines of a text as print; one that is empty makes a gap, spaces before one an indent."""
    return [
        Line(
            text=line.strip(),
            left=left + WIDTH * (len(line) - len(line.lstrip())),
            right=left + WIDTH * len(line),
            base=top - 1.2 * size * number,
            size=size,
        )
        for number, line in enumerate(text.strip("\n").split("\n"))
        if line.strip()
    ]


def reflow(pages: Sequence[Sequence[Line]]) -> Content:
    return content_of(PdfFile([PrintedPage(page) for page in pages]))


def paragraphs(*pages: Sequence[Line], kind: BlockKind | None = None) -> list[str]:
    """The text of the blocks, of all or of those of one kind."""
    content = reflow(pages)
    return [content.text[b.start : b.end] for b in content.blocks if kind in (None, b.kind)]


def without_heads(pages: Sequence[Sequence[Line]]) -> list[tuple[BlockKind, str]]:
    """The blocks that are no boilerplate."""
    content = reflow(pages)
    return [
        (b.kind, content.text[b.start : b.end])
        for b in content.blocks
        if b.kind is not BlockKind.BOILERPLATE
    ]


def starts(*pages: Sequence[Line]) -> list[str]:
    """The first words of each page."""
    content = reflow(pages)
    text, offsets = content.text, content.pages
    assert list(offsets) == sorted(offsets) and offsets[0] == 0
    return [text[offset:][:12] for offset in offsets]


FULL = """
The harbour opened again on Monday, nine
days after a storm had torn away a piece
of its wall. Nobody came to harm in it.
"""


def test_the_lines_of_a_paragraph_are_joined() -> None:
    assert paragraphs(print_of(FULL)) == [" ".join(FULL.split())]


@pytest.mark.parametrize(
    "second",
    [
        pytest.param("\n\nThe ferry left at once, and two hundred\nwent.", id="after a gap"),
        pytest.param("\n   The ferry left at once and two hundred\nwent.", id="indented"),
        pytest.param(
            "\nThere.\nThe ferry left at once, and two hundred\nwent.", id="short last line"
        ),
    ],
)
def test_paragraphs_are_told_apart(second: str) -> None:
    text = FULL.rstrip("\n") + second
    last = "The ferry left at once" + text.split("The ferry left at once")[1].replace("\n", " ")
    found = paragraphs(print_of(text))
    assert len(found) == 2
    assert found[1] == last


def test_an_indented_first_line_belongs_to_the_lines_after_it() -> None:
    text = """
   The harbour opened again on Monday and
all were glad, for there had been nothing
to eat for days and days, and no letters.
   The ferry left.
"""
    first = (
        "The harbour opened again on Monday and all were glad, for there had been nothing to eat"
    )
    assert paragraphs(print_of(text)) == [
        f"{first} for days and days, and no letters.",
        "The ferry left.",
    ]


def test_hanging_lines_belong_to_the_line_above_and_the_next_entry_is_its_own() -> None:
    text = """
Smith, Ann: The walls of the north and the
   people who built them by hand, Lowtown,
   second edition, with a map of the coast
Young, Bea: Ferries, in the journal of all
   things that float, third series, part 2
"""
    found = paragraphs(print_of(text))
    assert [entry.split(":")[0] for entry in found] == ["Smith, Ann", "Young, Bea"]
    assert found[0].endswith("with a map of the coast")


def test_verse_keeps_its_lines() -> None:
    text = """
Tide after tide the sea
comes to the harbour wall
and asks
for nothing but a stone, and one more stone
"""
    assert paragraphs(print_of(text)) == [text.strip()]


def test_each_item_of_a_list_is_a_block_without_its_marker() -> None:
    text = """
• sacks of sand, filled on the beach by all
  who had a spade
• lamps
• ropes
"""
    content = reflow([print_of(text)])
    assert [(b.kind, b.marker, content.text[b.start : b.end], b.group) for b in content.blocks] == [
        (BlockKind.LIST_ITEM, "•", words, 1)
        for words in (
            "sacks of sand, filled on the beach by all who had a spade",
            "lamps",
            "ropes",
        )
    ]


def test_a_line_that_may_be_an_item_is_one_after_the_end_of_a_sentence() -> None:
    text = """
1. The wall was built in the winter of 1953.
2. The lamp was lit by the keeper of it, in
the same winter.
- ropes
"""
    assert [(b.marker, b.level) for b in reflow([print_of(text)]).blocks] == [
        ("1.", 0),
        ("2.", 0),
        ("-", 0),
    ]
    text = "The harbour opened again in June of the\n19. century, or so, they say, in the\n- old books."
    assert len(paragraphs([replace(line, right=400) for line in print_of(text)])) == 1


def test_lines_at_no_regular_distance_are_told_apart_all_the_same() -> None:
    lines = [
        Line(f"Line {n} has some words in it.", 72, 300, 800 - 12 * n - n * n / 3, 10)
        for n in range(20)
    ]
    assert reflow([lines]).text.count("Line") == 20


def test_a_heading_is_a_paragraph_and_one_of_two_lines_is_one() -> None:
    heading = print_of("The long winter of the\nharbour", top=760, size=18)
    assert paragraphs([*heading, *print_of(FULL)]) == [
        "The long winter of the harbour",
        " ".join(FULL.split()),
    ]


def test_a_bold_line_above_a_paragraph_is_its_heading() -> None:
    lines = print_of("The wall" + FULL)
    assert paragraphs([replace(lines[0], bold=True), *lines[1:]])[0] == "The wall"


def headings(*pages: Sequence[Line], title: str = "") -> list[tuple[int, str]]:
    """The levels and words of title and headings."""
    content = content_of(PdfFile([PrintedPage(page) for page in pages], title))
    return [(b.level, content.text[b.start : b.end]) for b in content.blocks if b.is_heading]


def below(top: float, *printed: tuple[str, float, bool]) -> list[Line]:
    """Paragraphs of a size, bold or not, one below the other."""
    lines: list[Line] = []
    for text, size, bold in printed:
        found = print_of(text, top=top, size=size)
        lines += [replace(line, bold=bold) for line in found]
        top = lines[-1].base - 3 * max(size, 10)
    return lines


def test_headings_have_levels_by_their_print() -> None:
    lines = below(
        900,
        ("The walls of Lowtown", 24, True),
        ("Before the storm", 16, True),
        (FULL, 10, False),
        ("Stones", 12, True),
        (FULL, 10, False),
        ("Which stones?", 10, True),
        (FULL, 10, False),
        ("After the storm", 16, True),
        (FULL, 10, False),
    )
    assert headings(lines) == [
        (0, "The walls of Lowtown"),
        (1, "Before the storm"),
        (2, "Stones"),
        (3, "Which stones?"),
        (1, "After the storm"),
    ]


def test_headings_of_one_print_have_levels_by_their_numbers() -> None:
    lines = below(
        900,
        ("1 Walls", 12, True),
        (FULL, 10, False),
        ("1.1 Stones", 12, True),
        (FULL, 10, False),
        ("2 Ferries", 12, True),
        (FULL, 10, False),
    )
    found = content_of(PdfFile([PrintedPage(lines)], "A title that stands nowhere"))
    levels = [b.level for b in found.blocks if b.kind is BlockKind.HEADING]
    assert levels == [2, 1]
    assert found.text.startswith("1 Walls")


def test_the_title_is_the_print_that_the_file_names_so() -> None:
    lines = below(900, ("Issue 7", 24, True), ("On walls", 18, True), (FULL, 10, False))
    assert headings(lines, title="On Walls")[1] == (0, "On walls")
    assert headings(lines)[0] == (0, "Issue 7")


def test_bold_sentences_and_long_lines_are_no_headings() -> None:
    sentence = "The harbour opened again on Monday."
    assert headings(below(900, (sentence, 10, True), (FULL, 10, False))) == []
    assert headings(below(900, ("HARBOUR RULES", 10, False), (FULL, 10, False))) == [
        (1, "HARBOUR RULES")
    ]
    assert headings(below(900, ("EN4 2QT", 10, False), (FULL, 10, False))) == []


def test_captions_and_code_are_told_from_the_text() -> None:
    code = [replace(line, fixed=True) for line in print_of("for all:\n    go\nend", top=560)]
    lines = [
        *print_of(FULL),
        *print_of("Figure 3: The wall in May", top=620),
        *code,
        *print_of("He figured 3 of them out.", top=480),
    ]
    content = reflow([lines])
    assert [(b.kind, content.text[b.start : b.end]) for b in content.blocks[1:]] == [
        (BlockKind.CAPTION, "Figure 3: The wall in May"),
        (BlockKind.CODE, "for all:\n    go\nend"),
        (BlockKind.PARAGRAPH, "He figured 3 of them out."),
    ]


def test_a_document_all_in_a_fixed_width_has_paragraphs() -> None:
    lines = [replace(line, fixed=True) for line in print_of(FULL)]
    assert [b.kind for b in reflow([lines]).blocks] == [BlockKind.PARAGRAPH]


def test_items_have_depths_by_their_places() -> None:
    text = """
1. Lamps
   • one for the keeper
   • one for the boat
2. Ropes
"""
    content = reflow([print_of(text)])
    assert [(b.marker, b.level) for b in content.blocks] == [
        ("1.", 0),
        ("•", 1),
        ("•", 1),
        ("2.", 0),
    ]


def test_a_table_of_contents_keeps_its_lines() -> None:
    assert paragraphs(print_of("1 Walls … 3\n1.1 Stone … 4\n1.2 Sand … 7")) == [
        "1 Walls … 3\n1.1 Stone … 4\n1.2 Sand … 7"
    ]


def test_a_line_with_a_raised_sign_in_it_is_one_line() -> None:
    first, last = print_of("It was torn away by the storm of 1953 and\nbuilt again.")
    cut = first.left + 30 * WIDTH
    pieces = [
        replace(first, text=first.text[:30], right=cut),
        replace(first, text="1 " + first.text[31:], left=cut, base=first.base + 4),
    ]
    assert paragraphs([*pieces, last]) == [f"{first.text[:30]} 1 {first.text[31:]} built again."]


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("The engineers of the harbour had an exam-\nple to follow.", "an example to follow."),
        ("They did not com-\nply, and an unlikely thing had come about", "not comply, and"),
        ("A well-known wall is not as well-\nknown as another wall.", "not as well-known as"),
        ("The term is long, and so a long-\nterm wall is built in it.", "a long-term wall"),
        ("The long and overall look over all of the over-\nall wall.", "of the overall wall"),
        ("She is half Anglo-\nSaxon, they say in the town.", "half Anglo-Saxon, they"),
        ("It stood there in the years 1939-\n1945 and later on.", "1939-1945"),
        ("The manip-\nulation of it was easy.", "The manipulation of it"),
        ("A word with a soft hyp\u00ad\nhen in it.", "soft hyphen in"),
    ],
)
def test_hyphens_at_the_ends_of_lines(text: str, joined: str) -> None:
    # Lines as long as their column, whatever their words.
    lines = [replace(line, right=400) for line in print_of(text)]
    assert joined in reflow([lines]).text


def test_lines_of_a_script_without_spaces_are_joined_without_one() -> None:
    lines = [
        replace(line, right=400) for line in print_of("港口在六月重新开放，渡轮\n载着两百人离开。")
    ]
    assert reflow([lines]).text == "港口在六月重新开放，渡轮载着两百人离开。"


def page(number: int, *more: Line, head: str = "", foot: str = "") -> list[Line]:
    """A page with text of its own."""
    text = FULL.replace("Monday", f"{number}{number}{number}")
    return [
        *print_of(head, top=800),
        *print_of(text, top=700 - 20 * (number % 3)),  # so that only heads stand at one height
        *more,
        *print_of(foot, top=40),
    ]


@pytest.mark.parametrize(
    ("head", "foot"),
    [
        ("The Journal of Walls", ""),
        ("", "{n}"),
        ("", "– {n} –"),
        ("", "Page {n} of 4"),
        ("{m}", ""),
        ("{m}   The Journal of Walls", "All rights reserved 2024"),
        ("Chapter {n}: its name is like no other {m}", ""),
    ],
)
def test_running_heads_and_page_numbers_are_no_text(head: str, foot: str) -> None:
    pages = [
        page(n, head=head.format(n=n, m=n + 116), foot=foot.format(n=n, m=n + 116))
        for n in (1, 2, 3, 4)
    ]
    assert without_heads(pages) == without_heads([page(n) for n in (1, 2, 3, 4)])


def test_a_running_head_is_kept_once_and_a_page_number_never() -> None:
    pages = [page(n, head="The Journal of Walls", foot=f"Draft, page {n}") for n in (1, 2, 3)]
    pages = [[*lines, *print_of(str(n), top=20)] for n, lines in enumerate(pages, 1)]
    content = reflow(pages)
    heads = [b for b in content.blocks if b.kind is BlockKind.BOILERPLATE]
    assert [content.text[b.start : b.end] for b in heads] == [
        "The Journal of Walls",
        "Draft, page 1",
    ]
    # The head before the text of its page, the foot behind it.
    assert content.blocks[0] == heads[0]
    assert content.blocks[2] == heads[1]


def test_a_running_foot_does_not_part_a_paragraph_that_goes_over_its_page() -> None:
    pages = [page(n, foot="Harbour news") for n in (1, 2, 3)]
    first = [line for line in pages[0] if "Nobody" not in line.text]
    content = reflow([first, *pages[1:]])
    kinds = [b.kind for b in content.blocks]
    assert kinds == [BlockKind.BOILERPLATE, BlockKind.PARAGRAPH, BlockKind.PARAGRAPH]
    assert content.text.count("Harbour news") == 1


def test_heads_that_take_turns_are_kept_once_each() -> None:
    pages = [page(n, head=("Ann Smith", "On walls")[n % 2]) for n in range(1, 7)]
    assert without_heads(pages) == without_heads([page(n) for n in range(1, 7)])
    assert paragraphs(*pages, kind=BlockKind.BOILERPLATE) == ["On walls", "Ann Smith"]


def test_the_number_of_a_single_page_is_left_out() -> None:
    assert reflow([page(1, foot="1")]) == reflow([page(1)])
    assert "1953" in reflow([page(1, foot="1953")]).text


def test_what_only_looks_like_a_running_head_stays() -> None:
    # Larger than the text, as the titles of slides are.
    slides = [[*print_of("Results", top=800, size=20), *page(n)] for n in (1, 2, 3, 4)]
    assert reflow(slides).text.count("Results") == 4
    # In the middle of the page.
    middle = [page(n, *print_of("See there.\n\nx", top=500), foot="a\n\nb\n\nc") for n in (1, 2, 3)]
    assert reflow(middle).text.count("See there.") == 3
    # Numbers that do not count the pages.
    years = [page(n, foot=f"Founded in {year}") for n, year in ((1, 1890), (2, 1953), (3, 1701))]
    assert reflow(years).text.count("Founded in") == 3
    # A sentence, which may be alike on each of them.
    like = [page(n, head=f"The {n}. prize went to a man of the town.") for n in (1, 2, 3)]
    assert reflow(like).text.count("prize went to") == 3


def test_pages_that_are_all_alike_are_the_text() -> None:
    pages = [print_of("Yes.") for _ in range(4)]
    assert paragraphs(*pages) == ["Yes."] * 4


def test_pages_start_where_their_first_words_do() -> None:
    pages = [page(n, head="The Journal of Walls", foot=str(n)) for n in (1, 2, 3)]
    assert starts(*pages) == ["The Journal ", "The harbour ", "The harbour "]
    content = reflow([page(1)])
    assert (content.text, content.pages) == (" ".join(FULL.replace("Monday", "111").split()), (0,))


def test_a_page_without_text_starts_where_the_next_one_does() -> None:
    content = reflow([[], page(1), [], [], page(2), []])
    text, offsets = content.text, content.pages
    second = text.index("\n\n") + 2
    assert offsets == (0, 0, second, second, second, len(text))


def test_a_paragraph_that_goes_over_a_page_is_one() -> None:
    one = print_of(
        "The harbour opened again on Monday, nine\ndays after a storm had torn away a piece"
    )
    two = print_of("of its wall. Nobody came to harm. It was\nnight.")
    assert paragraphs(one, two) == [
        "The harbour opened again on Monday, nine days after a storm had torn away a piece of its "
        "wall. Nobody came to harm. It was night."
    ]
    assert starts(one, two) == ["The harbour ", "of its wall."]


def test_a_page_may_start_within_a_word() -> None:
    one = print_of(
        "The harbour opened again on Monday, nine\ndays after a storm, and it was an unusu-"
    )
    two = print_of("al sight for everyone. It was\nnight.")
    assert "an unusual sight" in reflow([one, two]).text
    assert starts(one, two) == ["The harbour ", "al sight for"]


def test_a_paragraph_that_ends_with_its_page_is_not_joined() -> None:
    one = print_of(FULL)
    assert len(paragraphs(one, print_of("The ferry left."))) == 2
    short = [*one[:1], replace(one[1], text="Ann Smith", right=126)]
    assert paragraphs(short, print_of("the wall")) == [one[0].text + " Ann Smith", "the wall"]
    heading = [replace(line, bold=True) for line in print_of("the wall")]
    assert paragraphs(one[:2], heading)[1] == "the wall"
    assert paragraphs(one[:2], print_of("• ropes"))[1] == "ropes"


def test_a_footnote_does_not_part_the_paragraph_it_stands_below() -> None:
    note = print_of("1 See the minutes.", top=60, size=7)
    one = [
        *print_of(
            "The harbour opened again on Monday, nine\ndays after a storm had torn away a piece"
        ),
        *note,
    ]
    two = print_of("of its wall. Nobody came to harm. It was\nnight.")
    content = reflow([one, two])
    text, offsets = content.text, content.pages
    assert [p[:12] for p in text.split("\n\n")] == ["1 See the mi", "The harbour "]
    assert "a piece of its wall" in text
    assert text[offsets[1] :].startswith("of its wall.")
    # Where the paragraph began a page earlier, the note has to stay behind it.
    before = print_of(
        "It was in the winter, and in that winter\nthe people had been hoping for so long that"
    )
    content = reflow([before, one, two])
    text, offsets = content.text, content.pages
    assert [text[offset:][:12] for offset in offsets] == [
        "It was in th",
        "The harbour ",
        "of its wall.",
    ]
    assert offsets[1] < text.index("1 See the minutes.") < offsets[2]


def test_columns_are_read_one_after_the_other() -> None:
    left = print_of(
        "The harbour opened again on Monday, nine\ndays after a storm had torn away a piece"
    )
    right = print_of("of its wall. Nobody came to harm. It was\nnight.", left=330)
    assert paragraphs([*left, *right])[0].endswith(
        "a piece of its wall. Nobody came to harm. It was night."
    )
    ended = [*left[:-1], replace(left[-1], text="It was night.", right=150)]
    assert len(paragraphs([*ended, *right])) == 2


def test_no_pages_and_pages_without_lines() -> None:
    assert (reflow([]).text, reflow([]).pages) == ("", ())
    assert (reflow([[], []]).text, reflow([[], []]).pages) == ("", (0, 0))
