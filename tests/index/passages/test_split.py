import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.squad import read_squad
from index.documents.document import make_document, read_document
from index.models.encoder import SentenceEncoder
from index.passages.passage import Passage
from index.passages.sentences import split_sentences
from index.passages.split import split_passages
from tests.conftest import ROOT


def words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def split(text: str, most: int = 30) -> tuple[Passage, ...]:
    return split_passages(make_document(text, name="x", source="x"), words, most)


def assert_exact(text: str, passages: Sequence[Passage]) -> None:
    """Every character but white space is in one passage, and each passage is a slice of the text."""
    at = 0
    for passage in passages:
        assert text[at : passage.start].strip() == ""
        assert text[passage.start : passage.end] == passage.text
        assert passage.text == passage.text.strip() != ""
        assert passage.sentences
        for (a, b), (c, _) in zip(passage.sentences, passage.sentences[1:], strict=False):
            assert a < b <= c
        assert passage.start <= passage.sentences[0][0]
        assert passage.sentences[-1][1] <= passage.end
        at = passage.end
    assert text[at:].strip() == ""


def test_a_passage_is_a_paragraph() -> None:
    text = (
        "One two three four five six seven eight.\n\n"
        "Nine ten eleven twelve thirteen fourteen fifteen sixteen."
    )
    assert [p.text for p in split(text)] == text.split("\n\n")


def test_headings_and_stubs_go_with_what_follows() -> None:
    text = (
        "A heading\n\n"
        "Yes.\n\n"
        "This paragraph has more than eight words in it, so it stands.\n\n"
        "A heading at the end"
    )
    first, last = split(text)
    assert first.text.startswith("A heading\n\nYes.\n\nThis paragraph")
    # A heading is part of the passage, and none of its sentences where text stands below it.
    assert [text[a:b] for a, b in first.sentences] == [
        "Yes.",
        "This paragraph has more than eight words in it, so it stands.",
    ]
    assert last.text == "A heading at the end"
    assert [text[a:b] for a, b in last.sentences] == ["A heading at the end"]


def test_a_long_paragraph_is_cut_at_sentence_ends_into_like_parts() -> None:
    sentence = "This one sentence here has exactly ten words in all."
    text = " ".join([sentence] * 8)
    passages = split(text, most=31)  # with the title
    assert [len(p.sentences) for p in passages] == [3, 3, 2]
    assert_exact(text, passages)


def test_a_sentence_too_long_for_a_passage_is_broken_between_words() -> None:
    text = "word " * 100 + "end."
    passages = split(text, most=30)
    assert_exact(text, passages)
    assert max(words([p.context.text for p in passages])) <= 30
    assert all(set(p.text.split()) <= {"word", "end."} for p in passages)


def test_five_thousand_characters_without_a_space(encoder: SentenceEncoder) -> None:
    text = "x" * 5000
    passages = split_passages(
        make_document(text, name="x", source="x"), encoder.count_pieces, encoder.max_pieces
    )
    assert_exact(text, passages)
    assert max(encoder.count_pieces([p.context.text for p in passages])) <= encoder.max_pieces


@pytest.mark.parametrize(
    "sentence",
    [
        "Kim Jong-un met him on the 18th.",
        "The U.S. Army came.",
        "He said “I went there.”",
        "Dr. Smith et al. wrote 3.14.",
        "J. K. Rowling wrote it.",
        "It costs $2.5 million.",
        "“Is it?” she asked.",
    ],
)
def test_sentences_are_not_broken(sentence: str) -> None:
    text = f"Before it. {sentence} And after it."
    cut = [text[a:b] for a, b in split_sentences(text, 0, len(text))]
    assert cut == ["Before it.", sentence, "And after it."]


def test_the_article(encoder: SentenceEncoder) -> None:
    document = read_document(ROOT / "articles/putin-visits-north-korea.txt")
    passages = split_passages(document, encoder.count_pieces, encoder.max_pieces)
    assert_exact(document.text, passages)
    assert len(passages) == 13
    assert passages[0].text.startswith("“Putin’s Visit") and len(passages[0].sentences) == 2
    assert not any(p.boilerplate for p in passages)


def test_a_text_that_is_nothing_but_boilerplate_is_text() -> None:
    assert not any(p.boilerplate for p in split("Read more\n\nSubscribe"))


@given(st.text(alphabet=st.characters(codec=None), max_size=300))
def test_any_text(text: str) -> None:
    if any(character.isalnum() for character in text):
        document = make_document(text, name="x", source="x")
        assert_exact(document.text, split_passages(document, words, 5))


@pytest.mark.parametrize("name", ["dev-v1.1.json.gz", "dev-v2.0.json.gz"])
def test_all_squad_articles(squad_dir, encoder: SentenceEncoder, name: str) -> None:
    articles = read_squad(squad_dir / name)
    assert len(articles) in (48, 35)
    most = encoder.max_pieces - 2
    for article in articles:
        passages = split_passages(article.document, encoder.count_pieces, most)
        assert_exact(article.document.text, passages)
        assert max(encoder.count_pieces([p.context.text for p in passages])) <= most
        for question in article.questions:
            for start, answer in zip(question.starts, question.answers, strict=True):
                assert article.document.text[start : start + len(answer)] == answer


def test_a_stretch_at_a_time_gives_the_same_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(f"The {n} ships of Dr. Berg came home in {1800 + n}." for n in range(40))
    whole = split_sentences(text, 0, len(text))
    assert len(whole) == 40
    monkeypatch.setattr("index.passages.sentences.STRETCH", 120)
    assert split_sentences(text, 0, len(text)) == whole


def test_no_paragraph_takes_the_square_of_its_length() -> None:
    text = "\u201c" * 200_000
    before = time.process_time()
    found = split_sentences(text, 0, len(text))
    assert time.process_time() - before < 10  # and not half a minute
    assert "".join(text[a:b] for a, b in found) == text
