"""Answers as text for the terminal, with their citations."""

from dataclasses import replace

import pytest

from index.documents.document import Document, make_document
from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from qa.answerer import ArticleAnswerer
from qa.location import location
from qa.plain_text import PlainText
from qa.types import Answer
from tests.conftest import FakeEncoder, FakeReader

TEXT = """The harbour

Ada Berg built the harbour with her brother in 1990.

The ferry to the island sails at noon every day."""


def document() -> Document:
    return make_document(TEXT, name="harbour", source="harbour.txt")


@pytest.fixture
def answer() -> Answer:
    index = ArticleIndex.build(document(), FakeEncoder())  # type: ignore[arg-type]
    reader = FakeReader({"1990": 9.0, "noon": 8.5})
    return ArticleAnswerer(Collection([index]), reader).ask("When was the harbour built?")


@pytest.mark.parametrize(
    ("words", "place"), [("The", "title"), ("Ada", "paragraph 1"), ("noon", "paragraph 2")]
)
def test_paragraphs_are_numbered_without_the_title(words: str, place: str) -> None:
    assert location(document(), TEXT.index(words), TEXT.index(words) + 1) == place


def test_a_text_without_a_title_begins_with_paragraph_1() -> None:
    text = TEXT.partition("\n\n")[2]
    assert location(make_document(text, name="x", source="x"), 0, 1) == "paragraph 1"


def test_in_a_format_with_pages_the_page_is_cited() -> None:
    pages = (0, TEXT.index("The ferry"))
    paged = replace(document(), pages=pages)
    assert location(paged, TEXT.index("Ada"), TEXT.index("Ada") + 1) == "p. 1"
    assert location(paged, TEXT.index("noon"), TEXT.index("noon") + 1) == "p. 2"


def test_an_answer_has_its_citation_and_its_sentence(answer: Answer) -> None:
    lines = PlainText({"harbour": document()}, lambda words: f"<{words}>").format(answer)
    first, sentence, *_ = lines.splitlines()
    assert first == f"1990  ({answer.confidence:.0%} confident, paragraph 1)"
    assert sentence == "    Source: Ada Berg built the harbour with her brother in <1990>."


def test_an_alternative_is_marked_as_one(answer: Answer) -> None:
    (other,) = answer.alternatives
    lines = PlainText({"harbour": document()}).format(answer).splitlines()
    assert lines[2] == f"Other possibility: noon  ({other.confidence:.0%} confident, paragraph 2)"


def test_a_document_of_a_store_is_cited_by_its_characters(answer: Answer) -> None:
    start = TEXT.index("1990")
    text = PlainText({}).format(answer)
    assert f"confident, characters {start}-{start + 4} of harbour)" in text


def test_where_there_is_no_answer_the_closest_passage_is_given(answer: Answer) -> None:
    index = ArticleIndex.build(document(), FakeEncoder())  # type: ignore[arg-type]
    answerer = ArticleAnswerer(Collection([index]), FakeReader({}))
    none = answerer.ask("When does the ferry sail?")
    assert PlainText(answerer.documents).format(none).splitlines() == [
        "No clear answer found in this article.",
        "Closest passage (may not answer your question): "
        "The ferry to the island sails at noon every day.",
    ]
    assert PlainText({}).format(none).startswith("No clear answer found in the store.")
