import dataclasses
import json

import pytest

from index.article_index import ArticleIndex
from index.document import make_document
from index.errors import ArticleError
from qa import Answerer, QuestionError, open_article
from qa.calibration import CALIBRATION, probability
from qa.examples import example_questions
from tests.conftest import FakeEncoder


@pytest.fixture(scope="module")
def article(encoder, tmp_path_factory) -> Answerer:
    return open_article(encoder=encoder, index=tmp_path_factory.mktemp("index"))


def test_the_example_of_the_readme(article: Answerer) -> None:
    answer = article.ask("when did Putin last visit?")
    text = article.document.text
    assert answer.text is not None and answer.citation is not None
    assert answer.text == text[answer.citation.start : answer.citation.end]
    shown = [answer.text, *(a.text for a in answer.alternatives)]
    assert any("June 18th and 19th" in one for one in shown)
    assert any("July 2000" in one for one in shown)
    assert answer.citation.document == "putin-visits-north-korea"
    assert len(answer.hits) == 5 and 0 < answer.confidence < 1
    assert answer.seconds.keys() == {"retrieve", "read"}


def test_it_abstains(article: Answerer) -> None:
    answer = article.ask("What is the best recipe for kimchi?")
    assert answer.abstained and answer.text is None and answer.citation is None
    assert answer.best is not None and answer.hits


def test_furniture_never_answers(article: Answerer) -> None:
    answer = article.ask("Click to watch related videos.", k=100)
    assert len(answer.hits) == 13 and answer.hits[-1].passage.furniture
    shown = [answer.best, *answer.alternatives]
    assert all(
        article.document.text[s.start : s.end] != "Click to watch related videos." for s in shown
    )


def test_a_follow_up(article: Answerer) -> None:
    history = [("When did Putin visit North Korea?", "June 18th and 19th")]
    answer = article.ask("Where did he go after that?", history=history)
    assert answer.rewritten == "When did Putin visit North Korea? Where did he go after that?"
    assert answer.text is not None and "Vietnam" in answer.text


def test_the_json_has_what_is_promised(article: Answerer) -> None:
    answer = article.ask("Which newspaper published Putin's article?", k=3)
    said = json.loads(json.dumps(answer.to_json()))
    assert list(said) == [
        "question",
        "rewritten",
        "text",
        "abstained",
        "confidence",
        "citation",
        "alternatives",
        "passages",
        "seconds",
    ]
    assert list(said["citation"]) == ["document", "start", "end", "sentence_start", "sentence_end"]
    assert list(said["alternatives"][0]) == ["text", "confidence", "start", "end"]
    assert list(said["passages"][0]) == ["text", "start", "end", "score"]
    assert len(said["passages"]) == 3 and said["abstained"] is False
    for place in (said["citation"], *said["alternatives"], *said["passages"]):
        text = article.document.text[place["start"] : place["end"]]
        assert text == place.get("text", said["text"])
    assert article.ask("What is the best recipe for kimchi?").to_json()["citation"] is None


def test_many_questions_are_answered_as_one_is(article: Answerer) -> None:
    questions = ["Who is Yuri Ushakov?", "What is the best recipe for kimchi?", "Why?"]
    together = article.ask_all([(q, ()) for q in questions])
    for question, answer in zip(questions, together, strict=True):
        alone = article.ask(question)
        assert answer.text == alone.text
        assert answer.confidence == pytest.approx(alone.confidence, abs=1e-3)
    assert article.ask_all([]) == []
    assert len(article.ask_all([("Who?", ())], k=2, ranked=10)[0].hits) == 10


@pytest.mark.parametrize("question", ["", "   ", "\n\t"])
def test_a_blank_question(article: Answerer, question: str) -> None:
    with pytest.raises(QuestionError, match="The question is empty: type"):
        article.ask(question)


def test_questions_that_cannot_be_asked(article: Answerer) -> None:
    with pytest.raises(QuestionError, match="10,000 characters and the limit is 1,000"):
        article.ask("x" * 10_000)
    with pytest.raises(QuestionError, match="at least one passage"):
        article.ask("Who?", k=0)
    assert issubclass(QuestionError, ArticleError)


@pytest.mark.parametrize("question", ["?", "…", "😀", "谁是总统？", "\ud800", "of the", "x" * 1000])
def test_odd_questions_do_no_harm(article: Answerer, question: str) -> None:
    answer = article.ask(question)
    assert 0 <= answer.confidence <= 1


@pytest.mark.parametrize(
    "text", ["One.", "…", "😀 😀", "他来了。他走了。", "a" * 3000, "Only a heading"]
)
def test_odd_articles(fake_encoder: FakeEncoder, text: str) -> None:
    document = make_document(text, name="odd", source="odd.txt")
    answerer = Answerer(ArticleIndex.build(document, fake_encoder))
    answer = answerer.ask("What is it?")
    assert answer.best is not None
    assert text[answer.best.start : answer.best.end].strip()


def test_answers_are_frozen(article: Answerer) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        article.ask("Who is Yuri Ushakov?").text = "Somebody else"  # type: ignore[misc]


def test_the_article_is_built_once(encoder, tmp_path) -> None:
    seen: list[tuple[int, int]] = []
    for _ in range(2):
        open_article(encoder=encoder, index=tmp_path, progress=lambda *at: seen.append(at))
    assert seen == [(13, 33), (33, 33)]


def test_probability() -> None:
    weights = {"intercept": -1.0, "a": 2.0, "b": 0.5}
    # -1 + 2 × 0.5 + 0.5 × 2 = 1, and 1 / (1 + e^-1) = 0.7311
    assert probability(weights, {"a": 0.5, "b": 2.0, "c": 9.0}) == pytest.approx(0.73106, abs=1e-5)
    assert probability({"intercept": -1e6}, {}) == pytest.approx(0)
    with pytest.raises(KeyError):
        probability(weights, {"a": 1.0})
    # What makes a right answer likelier must not have been fitted the other way round.
    assert CALIBRATION["cosine"] > 0 and CALIBRATION["coverage"] > 0


def test_examples_are_answered(article: Answerer, encoder, tmp_path) -> None:
    questions = example_questions(article)
    assert len(questions) == 4 and questions[0] == "when did Putin last visit?"
    assert not any(article.ask(question).abstained for question in questions)
    # Without a file of questions beside it they are made of the names in the text.
    path = tmp_path / "copy.txt"
    path.write_text(article.document.text, encoding="utf-8")
    copy = open_article(path, encoder=encoder, index=tmp_path / "index")
    made = example_questions(copy, n=3)
    assert made and not any(copy.ask(question).abstained for question in made)
