import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.documents.blocks import Block, BlockKind, check_blocks
from index.documents.builder import ContentBuilder
from index.documents.cleaning import given_title
from index.documents.content import Content, Metadata, content_from_json, content_to_json
from index.documents.tables import DraftCell

WORDS = st.text(st.characters(codec=None), max_size=30)
# Each is a call of one of the builder's methods.
CALLS = st.one_of(
    st.tuples(st.sampled_from(["title", "paragraph"]), WORDS),
    st.tuples(st.just("heading"), WORDS, st.integers(0, 7)),
    st.tuples(st.just("list_item"), WORDS),
    st.tuples(st.sampled_from(["end_list", "page"])),
    st.tuples(
        st.just("table"),
        st.lists(
            st.lists(
                st.builds(DraftCell, WORDS, st.booleans(), st.integers(0, 3), st.integers(0, 3)),
                max_size=4,
            ),
            max_size=4,
        ),
    ),
)


@given(st.lists(CALLS, max_size=12))
def test_whatever_is_written_the_blocks_are_those_of_the_text(calls: list[tuple[str]]) -> None:
    builder = ContentBuilder()
    for name, *arguments in calls:
        getattr(builder, name)(*arguments)
    content = builder.build()
    check_blocks(content.text, content.blocks, content.pages)
    assert content.text == content.text.strip()
    assert content_from_json(json.loads(json.dumps(content_to_json(content)))) == content


def written() -> Content:
    builder = ContentBuilder()
    builder.title("Bees")
    builder.paragraph("Bees live in:")
    builder.list_item("hives")
    builder.list_item("trees", depth=1, marker="a)")
    builder.end_list()
    builder.list_item("walls", marker="1.")
    builder.heading("France", 2)
    builder.paragraph("Lyon\r\nhas hives.")
    builder.heading("Spain", 1)
    builder.paragraph("\n  ")
    builder.page()
    builder.paragraph("So has\nVigo.", page_starts=[(7, 1)])
    return builder.build(metadata=Metadata(author="Ann"))


def test_text_and_blocks() -> None:
    content = written()
    assert content.text == (
        "Bees\n\nBees live in:\n\nhives\ntrees\n\nwalls\n\n"
        "France\n\nLyon\nhas hives.\n\nSpain\n\nSo has\nVigo."
    )
    assert content.title == "Bees"
    assert content.metadata == Metadata(author="Ann", words=15)
    blocks = content.blocks
    assert [(b.kind.value, b.level, b.section, b.group, b.marker) for b in blocks] == [
        ("title", 0, None, None, ""),
        ("paragraph", 0, 0, None, ""),
        ("list item", 0, 0, 1, "•"),
        ("list item", 1, 0, 1, "a)"),
        ("list item", 0, 0, 2, "1."),
        ("heading", 2, 0, None, ""),
        ("paragraph", 0, 5, None, ""),
        ("heading", 1, 0, None, ""),
        ("paragraph", 0, 7, None, ""),
    ]
    assert [content.text[page:] for page in content.pages] == ["So has\nVigo.", "Vigo."]


def test_a_surrogate_that_is_alone_moves_nothing() -> None:
    builder = ContentBuilder()
    builder.paragraph("a \ud800 b")
    assert builder.build().text == "a \ufffd b"


PARAGRAPH = BlockKind.PARAGRAPH


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.update(text=value["text"] + " more"),
        lambda value: value["blocks"].pop(3),
        lambda value: value["blocks"].reverse(),
        lambda value: value["blocks"][1].__setitem__(2, 10**6),
        lambda value: value["blocks"][1].__setitem__(4, 1),
        lambda value: value["blocks"][1].__setitem__(0, "poem"),
        lambda value: value.update(pages=[9, 3]),
        lambda value: value["metadata"].update(mood="good"),
        lambda value: value.pop("title"),
    ],
)
def test_what_is_not_a_document_is_refused(change: Callable[[dict[str, object]], object]) -> None:
    value = json.loads(json.dumps(content_to_json(written())))
    assert content_from_json(value) == written()
    change(value)
    with pytest.raises((ValueError, KeyError, TypeError)):
        content_from_json(value)


@pytest.mark.parametrize(
    "blocks",
    [
        [],
        [Block(PARAGRAPH, 0, 3)],
        [Block(PARAGRAPH, 0, 3), Block(PARAGRAPH, 2, 7)],
        [Block(PARAGRAPH, 0, 7, section=0)],
        [Block(PARAGRAPH, 0, 3), Block(PARAGRAPH, 4, 7, section=0)],
        [Block(PARAGRAPH, 0, 8)],
    ],
)
def test_blocks_that_are_not_those_of_a_text(blocks: list[Block]) -> None:
    with pytest.raises(ValueError, match="block"):
        check_blocks("one two", blocks)


@pytest.mark.parametrize("title", ["report.docx", "Untitled 3", "Slide 1", "https://a.b/c", "ab"])
def test_a_title_that_no_person_gave(title: str) -> None:
    assert given_title(title) == ""
