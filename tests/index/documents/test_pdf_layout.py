from collections.abc import Sequence
from dataclasses import replace

import pytest

from index.documents.pdf_layout import Line, reflow

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


def paragraphs(*pages: Sequence[Line]) -> list[str]:
    return reflow(pages)[0].split("\n\n")


def starts(*pages: Sequence[Line]) -> list[str]:
    """The first words of each page."""
    text, offsets = reflow(pages)
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


def test_each_item_of_a_list_is_a_paragraph() -> None:
    text = """
• sacks of sand, filled on the beach by all
  who had a spade
• lamps
• ropes
"""
    assert paragraphs(print_of(text)) == [
        "• sacks of sand, filled on the beach by all who had a spade",
        "• lamps",
        "• ropes",
    ]


def test_a_line_that_may_be_an_item_is_one_after_the_end_of_a_sentence() -> None:
    text = """
1. The wall was built in the winter of 1953.
2. The lamp was lit by the keeper of it, in
the same winter.
- ropes
"""
    assert [item[:5] for item in paragraphs(print_of(text))] == ["1. Th", "2. Th", "- rop"]
    text = "The harbour opened again in June of the\n19. century, or so, they say, in the\n- old books."
    assert len(paragraphs([replace(line, right=400) for line in print_of(text)])) == 1


def test_lines_at_no_regular_distance_are_told_apart_all_the_same() -> None:
    lines = [
        Line(f"Line {n} has some words in it.", 72, 300, 800 - 12 * n - n * n / 3, 10)
        for n in range(20)
    ]
    assert reflow([lines])[0].count("Line") == 20


def test_a_heading_is_a_paragraph_and_one_of_two_lines_is_one() -> None:
    heading = print_of("The long winter of the\nharbour", top=760, size=18)
    assert paragraphs([*heading, *print_of(FULL)]) == [
        "The long winter of the harbour",
        " ".join(FULL.split()),
    ]


def test_a_bold_line_above_a_paragraph_is_its_heading() -> None:
    lines = print_of("The wall" + FULL)
    assert paragraphs([replace(lines[0], bold=True), *lines[1:]])[0] == "The wall"


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
    assert joined in reflow([lines])[0]


def test_lines_of_a_script_without_spaces_are_joined_without_one() -> None:
    lines = [
        replace(line, right=400) for line in print_of("港口在六月重新开放，渡轮\n载着两百人离开。")
    ]
    assert reflow([lines])[0] == "港口在六月重新开放，渡轮载着两百人离开。"


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
def test_running_heads_and_page_numbers_are_left_out(head: str, foot: str) -> None:
    pages = [
        page(n, head=head.format(n=n, m=n + 116), foot=foot.format(n=n, m=n + 116))
        for n in (1, 2, 3, 4)
    ]
    assert reflow(pages) == reflow([page(n) for n in (1, 2, 3, 4)])


def test_heads_that_take_turns_are_left_out() -> None:
    pages = [page(n, head=("Ann Smith", "On walls")[n % 2]) for n in range(1, 7)]
    assert reflow(pages) == reflow([page(n) for n in range(1, 7)])


def test_the_number_of_a_single_page_is_left_out() -> None:
    assert reflow([page(1, foot="1")]) == reflow([page(1)])
    assert "1953" in reflow([page(1, foot="1953")])[0]


def test_what_only_looks_like_a_running_head_stays() -> None:
    # Larger than the text, as the titles of slides are.
    slides = [[*print_of("Results", top=800, size=20), *page(n)] for n in (1, 2, 3, 4)]
    assert reflow(slides)[0].count("Results") == 4
    # In the middle of the page.
    middle = [page(n, *print_of("See there.\n\nx", top=500), foot="a\n\nb\n\nc") for n in (1, 2, 3)]
    assert reflow(middle)[0].count("See there.") == 3
    # Numbers that do not count the pages.
    years = [page(n, foot=f"Founded in {year}") for n, year in ((1, 1890), (2, 1953), (3, 1701))]
    assert reflow(years)[0].count("Founded in") == 3
    # A sentence, which may be alike on each of them.
    like = [page(n, head=f"The {n}. prize went to a man of the town.") for n in (1, 2, 3)]
    assert reflow(like)[0].count("prize went to") == 3


def test_pages_that_are_all_alike_are_the_text() -> None:
    pages = [print_of("Yes.") for _ in range(4)]
    assert paragraphs(*pages) == ["Yes."] * 4


def test_pages_start_where_their_first_words_do() -> None:
    pages = [page(n, head="The Journal of Walls", foot=str(n)) for n in (1, 2, 3)]
    assert starts(*pages) == ["The harbour "] * 3
    assert reflow([page(1)]) == (" ".join(FULL.replace("Monday", "111").split()), (0,))


def test_a_page_without_text_starts_where_the_next_one_does() -> None:
    text, offsets = reflow([[], page(1), [], [], page(2), []])
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
    assert "an unusual sight" in reflow([one, two])[0]
    assert starts(one, two) == ["The harbour ", "al sight for"]


def test_a_paragraph_that_ends_with_its_page_is_not_joined() -> None:
    one = print_of(FULL)
    assert len(paragraphs(one, print_of("The ferry left."))) == 2
    short = [*one[:1], replace(one[1], text="Ann Smith", right=126)]
    assert paragraphs(short, print_of("the wall")) == [one[0].text + " Ann Smith", "the wall"]
    heading = [replace(line, bold=True) for line in print_of("the wall")]
    assert paragraphs(one[:2], heading)[1] == "the wall"
    assert paragraphs(one[:2], print_of("• ropes"))[1] == "• ropes"


def test_a_footnote_does_not_part_the_paragraph_it_stands_below() -> None:
    note = print_of("1 See the minutes.", top=60, size=7)
    one = [
        *print_of(
            "The harbour opened again on Monday, nine\ndays after a storm had torn away a piece"
        ),
        *note,
    ]
    two = print_of("of its wall. Nobody came to harm. It was\nnight.")
    text, offsets = reflow([one, two])
    assert [p[:12] for p in text.split("\n\n")] == ["1 See the mi", "The harbour "]
    assert "a piece of its wall" in text
    assert text[offsets[1] :].startswith("of its wall.")
    # Where the paragraph began a page earlier, the note has to stay behind it.
    before = print_of(
        "It was in the winter, and in that winter\nthe people had been hoping for so long that"
    )
    text, offsets = reflow([before, one, two])
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
    assert reflow([]) == ("", ())
    assert reflow([[], []]) == ("", (0, 0))
