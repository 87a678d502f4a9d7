"""Questions made of a document, and which of them are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from qa import ArticleAnswerer, open_article
from qa.opening import DEFAULT_ARTICLE
from qa.suggestions import _questions, _Vocabulary, example_questions
from tests.conftest import FakeEncoder, FakeReader
from tests.page.shown import document_of

LIGHTHOUSE = (
    "The lighthouse was built in 1851 by Anna Berg near Bergen. It has a red door.\n\n"
    "In May 1862, Anna Berg visited Oslo and met the king. Carl Dahl, a painter, lived there.\n\n"
    "Mechanically it was simple. The door was closed."
)

WORDS = _Vocabulary({"Putin"}, {"herbicides", "chlorophyll", "photosynthesis"})


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            "The bridge was built in 1931 by Anna Berg near Oslo.",
            {
                "When was the bridge built?": "in 1931",
                "By whom was the bridge built?": "by Anna Berg",
                "Where was the bridge built?": "near Oslo",
            },
        ),
        (
            "According to the Kremlin’s announcement, Putin visited North Korea on June 18th and 19th,"
            " followed by a visit to Vietnam.",
            {
                "When did Putin visit North Korea?": "on June 18th and 19th",
                "Who visited North Korea on June 18th and 19th?": "Putin",
                "What did Putin visit?": "North Korea on June 18th and 19th",
            },
        ),
        (
            "In May 1862, Anna Berg wrote the plan and sent it to the king.",
            {
                "When did Anna Berg write the plan?": "in May 1862",
                "Who wrote the plan?": "Anna Berg",
            },
        ),
        (
            "Zhang Tianliang, a professor of history, is an author.",
            {"Who is Zhang Tianliang?": "a professor of history"},
        ),
        ("The Falekaupule is a council.", {"What is the Falekaupule?": "a council"}),
        (
            "Herbicides became common in the fields.",
            {"Where did herbicides become common?": "in the fields"},
        ),
        (
            "Chlorophyll absorbs red and blue light.",
            {
                "What does chlorophyll absorb?": "red and blue light",
                "What absorbs red and blue light?": "Chlorophyll",
            },
        ),
        (
            "Photosynthesis is the process by which plants grow.",
            {"What is photosynthesis?": "the process by"},
        ),
        (
            "Hardware sales fell by 3 percent.",
            {"By how much did hardware sales fall?": "by 3 percent"},
        ),
        (
            "Place the dough in a floured basket and cover it with a cloth.",
            {
                "Where do you place the dough?": "in a floured basket",
                "What do you place in a floured basket?": "the dough",
            },
        ),
        (
            "2. Then feed the starter with flour every 12 hours.",
            {
                "How often do you feed the starter?": "every 12 hours",
                "With what do you feed the starter?": "with flour",
                "What do you feed with flour every 12 hours?": "the starter",
            },
        ),
        (
            "To reset the router, press and hold the button at the back for ten seconds.",
            {
                "How long do you hold the button to reset the router?": "for ten seconds",
                "What do you hold at the back for ten seconds to reset the router?": "the button",
            },
        ),
        (
            "Bake the bread at 230 degrees until it is brown, then take it out.",
            {
                "How long do you bake the bread?": "until it is brown",
                "At what temperature do you bake the bread?": "at 230 degrees",
                "What do you bake at 230 degrees until it is brown?": "the bread",
            },
        ),
        ("Visitors bring the keys in the morning.", {}),
        (
            "The books may be borrowed for four weeks.",
            {"How long may the books be borrowed?": "for four weeks"},
        ),
        (
            "The guests must leave a bag at the entrance every two hours.",
            {
                "Where must the guests leave a bag?": "at the entrance",
                "How often must the guests leave a bag at the entrance?": "every two hours",
                "What must the guests leave?": "a bag at the entrance every two hours",
            },
        ),
        ("The energy of the bridge can be subdivided and classified in various ways.", {}),
        ("The fee is 20 euros a year.", {"How much is the fee?": "20 euros"}),
        ("The room is about 40 metres long.", {"How long is the room?": "about 40 metres long"}),
        ("The heating is turned on in October.", {"When is the heating turned on?": "in October"}),
        (
            "The bakery makes some 6,000 small rolls a night.",
            {"How many small rolls does the bakery make?": "some 6,000 small rolls"},
        ),
        (
            "There are 23 members in the council.",
            {"How many members are there in the council?": "23 members"},
        ),
        (
            "Nine residents voted against it.",
            {"How many residents voted against it?": "Nine residents"},
        ),
        (
            "The owner, a former sailor, bought the house in 1998 after a fire.",
            {
                "When did the owner buy the house?": "in 1998",
                "What did the owner buy?": "the house in 1998",
            },
        ),
        (
            "The meeting began at 19:00 in the common room.",
            {
                "When did the meeting begin?": "at 19:00",
                "Where did the meeting begin?": "in the common room",
            },
        ),
        (
            "It was as cold as ever, and the council closed the bridge in 1931; the mayor cut a tree.",
            {
                "When did the council close the bridge?": "in 1931",
                "What did the council close?": "the bridge in 1931",
                "What did the mayor cut?": "a tree",
            },
        ),
        # No standalone or sensible question can be made of these.
        ("She built the bridge in 1931.", {}),
        ("Traditionally built the house.", {}),
        ("The bridge built in 1931 was old.", {}),
        ("The minister said the bridge was old.", {}),
        ("Putin used to visit the bridge.", {}),
        ("The city was the scene of it.", {}),
        ("The many uses of the house.", {}),
        ("Holt raised the tax in 1967.", {}),
        ("Of note was the bridge.", {}),
        ("A popular example is the bridge.", {}),
        ("An armed rebellion beginning in 1956 by the council.", {}),
        ("The islands enjoy a mild climate and varied soils.", {}),
        ("Putin related this to the bridge.", {}),
        ("The system introduced by Anna Berg in 1931.", {}),
        ("Putin died the following year.", {"Who died the following year?": "Putin"}),
        ("Paris, the old city, and Rome were built.", {}),
        ("北京是中国的首都。", {}),
        ("", {}),
    ],
)
def test_questions_of_a_sentence(sentence: str, expected: dict[str, str]) -> None:
    found = dict(reversed(list(_questions(sentence, WORDS))))  # the first of a question counts
    assert {q: a for q, a in found.items() if q in expected} == expected
    assert found.keys() - expected.keys() == set()


def test_only_what_is_answered_as_expected_is_shown() -> None:
    collection = Collection([ArticleIndex.build(document_of(LIGHTHOUSE), FakeEncoder())])
    # The reader finds 1851 in the first sentence for whatever is asked.
    sure = ArticleAnswerer(collection, FakeReader({"1851": 9.0}))
    assert example_questions(sure) == ["When was the lighthouse built?"]
    assert example_questions(ArticleAnswerer(collection, FakeReader({"1851": -9.0}))) == []


def test_lines_beside_a_file_that_cannot_be_asked_are_skipped(tmp_path: Path) -> None:
    collection = Collection([ArticleIndex.build(document_of(LIGHTHOUSE), FakeEncoder())])
    sure = ArticleAnswerer(collection, FakeReader({"1851": 9.0}))
    asked = "When did Anna Berg build the lighthouse?"
    lines = ["", "x" * 1001, f"  {asked}", "   "]
    (tmp_path / "name.questions.txt").write_text("\n".join(lines), encoding="utf-8")
    assert example_questions(sure, beside=tmp_path / "name.txt") == [asked]


def test_questions_beside_a_file_come_first(encoder, reader, tmp_path: Path) -> None:
    article = open_article(encoder=encoder, reader=reader, index=tmp_path / "index")
    questions = example_questions(article, beside=DEFAULT_ARTICLE)
    assert len(questions) == 4 and questions[0] == "when did Putin last visit?"
    assert not any(article.ask(question).abstained for question in questions)
    made = example_questions(article, beside=tmp_path / "elsewhere.txt")
    assert made and made == example_questions(article)
    assert not set(made) & set(questions)
    assert not any(article.ask(question).abstained for question in made)
