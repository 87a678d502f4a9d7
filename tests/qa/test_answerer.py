import dataclasses
import json
import shutil

import pytest

from index.documents.blocks import BlockKind
from index.documents.builder import ContentBuilder
from index.documents.document import Document, document_of, make_document
from index.errors import ArticleError
from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from qa import ArticleAnswerer, QuestionError, open_article
from qa.calibration import Calibration, load_sentence_calibration, load_span_calibration
from qa.candidates import read_hits, worth_reading
from qa.opening import deduplicate, open_articles
from qa.questions import QueryVariant, query_variants
from qa.reader import ABOUT, DEFAULT_READER, WEIGHTS, Reader
from qa.rules import Rules
from qa.types import Turn
from tests.conftest import FakeEncoder, FakeReader

VIDEOS = "Click to watch related videos."


@pytest.fixture(scope="module")
def article(encoder, reader, tmp_path_factory) -> ArticleAnswerer:
    return open_article(encoder=encoder, reader=reader, index=tmp_path_factory.mktemp("index"))


@pytest.fixture(scope="module")
def sentences(article: ArticleAnswerer) -> ArticleAnswerer:
    """The same without a reader."""
    return ArticleAnswerer(article.collection)


def made(text: str, encoder: FakeEncoder, **scores: float) -> ArticleAnswerer:
    """An answerer of a document in which the reader finds the named words with their scores.

    Each paragraph gets a second sentence, since short paragraphs would share a passage.
    """
    more = "That is all that is known of it to this day, and it is not much."
    text = "\n\n".join(f"{paragraph} {more}" for paragraph in text.split("\n\n"))
    document = make_document(text, name="made", source="made.txt")
    reader = FakeReader({words.replace("_", " "): score for words, score in scores.items()})
    return ArticleAnswerer(Collection([ArticleIndex.build(document, encoder)]), reader)


def test_the_example_of_the_readme(article: ArticleAnswerer) -> None:
    answer = article.ask("when did Putin last visit?")
    text = article.document.text
    assert answer.text is not None and answer.citation is not None
    shown = [(answer.text, answer.citation), *((a.text, a.citation) for a in answer.alternatives)]
    # "24 years" is no answer to when, and nothing else is likely enough to be shown.
    assert [words for words, _ in shown] == ["June 18th and 19th", "July 2000"]
    for words, at in shown:
        assert words == text[at.start : at.end]
        assert words in text[at.sentence_start : at.sentence_end]
    assert answer.citation.document == "putin-visits-north-korea"
    assert len(answer.hits) == 5 and 0 < answer.confidence < 1
    assert answer.seconds.keys() == {"retrieve", "read"}


def test_nothing_is_remembered_of_a_question(encoder: FakeEncoder) -> None:
    answerer = made("Ada built it.\n\nIt is in Hanoi.", encoder, Ada=9.0, Hanoi=5.0)
    assert isinstance(answerer.reader, FakeReader)
    first = answerer.ask("Who built it?")
    before = len(answerer.reader.read)
    again = answerer.ask("Who built it?")
    assert dataclasses.replace(again, seconds={}) == dataclasses.replace(first, seconds={})
    assert len(answerer.reader.read) == 2 * before > 0


def test_a_history_may_be_of_lists(encoder: FakeEncoder) -> None:
    answerer = made("Ada built it.\n\nIt is in Hanoi.", encoder, Ada=9.0, Hanoi=5.0)
    turns = [Turn("Where is it?", "Hanoi")]
    lists = [["Where is it?", "Hanoi"]]
    given = [answerer.ask("Who built it?", history=history) for history in (turns, lists)]
    assert given[0].text == given[1].text == "Ada"


def test_the_previous_date_is_the_one_before_the_latest(article: ArticleAnswerer) -> None:
    assert article.ask("When did Putin visit North Korea?").text == "June 18th and 19th"
    answer = article.ask("When was Putin's previous visit to North Korea?")
    assert answer.text == "July 2000" and answer.best == answer.citation
    assert "June 18th and 19th" in {other.text for other in answer.alternatives}


def test_a_passage_that_is_hardly_the_right_one_is_not_read(encoder: FakeEncoder) -> None:
    answerer = made("Ada built it.\n\nBob sold it.\n\nIt is in Hanoi.", encoder, Ada=9.0, Bob=5.0)
    hits = answerer.ask("Who built it?", k=3).hits
    likely = [
        dataclasses.replace(hit, score=score)
        for hit, score in zip(hits, (2.0, 1.0, -4.0), strict=True)
    ]
    # Shares of 0.73, 0.27 and 0.002.
    assert worth_reading(likely) == likely[:2]
    assert worth_reading(likely, 0.3) == likely[:1] and worth_reading(likely, 0.001) == likely
    assert worth_reading([]) == []
    assert isinstance(answerer.reader, FakeReader)
    answerer.reader.read.clear()
    (candidates,) = answerer.candidates([("Who built it?", likely)])
    assert {c.hit_index for c in candidates} <= {0, 1}
    (read,) = answerer.reader.read
    assert list(read[1]) == [hit.passage.context.body.text for hit in likely[:2]]


def test_a_last_that_is_an_adverb_is_asked_without_it_too(article: ArticleAnswerer) -> None:
    assert query_variants("when did Putin last visit?", ()) == [
        QueryVariant("when did Putin last visit?"),
        QueryVariant("when did Putin visit?"),
    ]
    for question in (
        "When was his last visit?",
        "When did the last train leave?",
        "When did Putin's last visit end?",
        "Where did it last?",
        "When did it rain last September?",
    ):
        assert query_variants(question, ()) == [QueryVariant(question)]
    assert article.ask("when did Putin last visit?").rewritten is None


def test_without_a_reader_answers_are_sentences(sentences: ArticleAnswerer) -> None:
    answer = sentences.ask("when did Putin last visit?")
    assert answer.text is not None and answer.citation is not None
    shown = [answer.text, *(a.text for a in answer.alternatives)]
    assert any("June 18th and 19th" in one for one in shown)
    assert any("July 2000" in one for one in shown)
    assert answer.citation.start == answer.citation.sentence_start


def test_a_reader_that_cannot_be_loaded(encoder, tmp_path) -> None:
    folder = tmp_path / "reader"
    shutil.copytree(DEFAULT_READER, folder)
    whole = {name: (folder / name).read_bytes() for name in (WEIGHTS, ABOUT)}
    for name, content in (
        (WEIGHTS, whole[WEIGHTS][:-1]),
        (WEIGHTS, None),
        (ABOUT, whole[ABOUT].replace(b'"format_version": 1', b'"format_version": 99')),
    ):
        for file, bytes_ in whole.items():
            (folder / file).write_bytes(bytes_)
        if content is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(content)
        article = open_article(encoder=encoder, reader=folder, index=tmp_path / "index")
        assert article.note.startswith("Answers are whole sentences. ")
        assert str(folder / name) in article.note
        answer = article.ask("when did Putin last visit?")
        assert answer.text is not None and answer.text.endswith(".")


def test_the_span_that_fits_passage_and_question_is_chosen(fake_encoder: FakeEncoder) -> None:
    text = "The bridge opened in 1931.\n\nThe harbour opened in 1877.\n\nNothing opened here."
    article = made(text, fake_encoder, **{"1931": 6.0, "1877": 6.0})
    answer = article.ask("When was the harbour opened?")
    assert answer.best is not None and "1877" in answer.hits[0].passage.text
    assert article.document.text[answer.best.start : answer.best.end] == "1877"
    assert [a.text for a in answer.alternatives] == ["1931"]
    assert answer.confidence > answer.alternatives[0].confidence
    # The passage found second comes first where the reader found much more in it.
    article = made(text, fake_encoder, **{"1931": 60.0, "1877": 0.0})
    assert "1931" in article.ask("When was the harbour opened?").hits[0].passage.text


def test_the_same_words_in_two_passages_count_for_each_other(fake_encoder: FakeEncoder) -> None:
    text = "In Rome it rained.\n\nIn Oslo it rained.\n\nRome was wet."
    article = made(text, fake_encoder, Rome=5.0, Oslo=5.0)
    answer = article.ask("Where was rain?")
    best = answer.best
    assert best is not None and article.document.text[best.start : best.end] == "Rome"
    assert [a.text for a in answer.alternatives] == ["Oslo"]


def test_other_answers_say_something_else(fake_encoder: FakeEncoder) -> None:
    text = "Anna Berg built it with Carl Dahl.\n\nBerg drew it.\n\nTom Reed paid."
    article = made(text, fake_encoder, Anna_Berg=9.0, Berg=8.0, Carl_Dahl=7.0, Tom_Reed=5.0)
    answer = article.ask("Who built it?")
    # Carl Dahl is in the sentence that is shown already.
    assert [a.text for a in answer.alternatives] == ["Tom Reed"]
    assert answer.confidence + answer.alternatives[0].confidence <= 1


def test_other_answers_are_those_that_may_be_right(fake_encoder: FakeEncoder) -> None:
    text = "The bridge opened in 1931.\n\nThe harbour opened in 1877.\n\nIt took seven years."

    def others(question: str, **scores: float) -> list[str]:
        article = made(text, fake_encoder, **{"1931": 6.0, **scores})
        return [other.text for other in article.ask(question).alternatives]

    what, when = "What of the opening?", "When was the opening?"
    assert others(what, **{"1877": 6.0}, seven_years=6.0) == ["1877", "seven years"]
    assert others(when, **{"1877": 6.0}, seven_years=6.0) == ["1877"]
    # Likelihood, and not rank, decides whether it is shown.
    assert others(what, **{"1877": -30.0}, seven_years=6.0) == ["seven years"]
    # Where how long is all that was found, it is what is asked about.
    assert made(text, fake_encoder, seven_years=9.0).ask(when).text == "seven years"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("“Rodong Sinmun”", "Rodong Sinmun"),
        ("(1931)", "1931"),
        ("Berg),", "Berg"),
        ("the U.S.", "the U.S."),
        ("“Yes,” he said", "“Yes,” he said"),
        ("Dawn” twice", "Dawn” twice"),
        ("f(x)", "f(x)"),
    ],
)
def test_marks_that_only_surround_an_answer_are_left_out(
    fake_encoder: FakeEncoder, words: str, shown: str
) -> None:
    article = made(f"It was {words} there.", fake_encoder, **{words: 9.0})
    best = article.ask("What was it?").best
    assert best is not None and article.document.text[best.start : best.end] == shown


@pytest.mark.parametrize(
    ("question", "whole"),
    [
        ("Why did it fall?", True),
        ("How did it fall?", True),
        ("What happened to the bridge?", True),
        ("Describe the bridge.", True),
        ("How many fell?", False),
        ("How old is the bridge?", False),
        ("What fell?", False),
    ],
)
def test_a_reason_or_a_description_is_a_whole_sentence(
    fake_encoder: FakeEncoder, question: str, whole: bool
) -> None:
    sentence = "The old bridge fell into the river, since nine bolts had rusted through."
    article = made(f"It rained.\n\n{sentence}", fake_encoder, **{"nine bolts": 30.0})
    answer = article.ask(question)
    assert answer.text == (sentence if whole else "nine bolts")
    assert answer.best is not None
    assert article.document.text[answer.best.start : answer.best.end] == "nine bolts"


def with_boilerplate(encoder: FakeEncoder, reader: FakeReader | None) -> ArticleAnswerer:
    builder = ContentBuilder()
    builder.paragraph("The bridge over the river was built by nine men in four years.")
    builder.add(BlockKind.BOILERPLATE, VIDEOS)
    builder.paragraph("The videos of the bridge are kept in the archive of the old town.")
    document = document_of(builder.build(), name="bridge", source="bridge.html")
    return ArticleAnswerer(Collection([ArticleIndex.build(document, encoder)]), reader)


def test_boilerplate_ranks_last_and_is_read(encoder: FakeEncoder) -> None:
    reader = FakeReader({"Click": 99.0})
    answer = with_boilerplate(encoder, reader).ask(VIDEOS, k=100)
    assert [hit.passage.boilerplate for hit in answer.hits] == [False, False, True]
    reader.read.clear()
    ((reading, *_),) = read_hits(reader, [(VIDEOS, answer.hits[::-1])])
    ((_, texts),) = reader.read
    assert texts[0].endswith(VIDEOS)
    (span,) = reading.spans
    assert texts[0][span.start : span.end] == "Click"


def test_without_a_reader_boilerplate_is_no_answer(encoder: FakeEncoder) -> None:
    answer = with_boilerplate(encoder, None).ask(VIDEOS, k=100)
    (videos,) = (hit.passage for hit in answer.hits if hit.passage.boilerplate)
    assert videos.text == VIDEOS
    assert answer.best is not None and answer.best.start != videos.start


def test_it_abstains(article: ArticleAnswerer) -> None:
    answer = article.ask("What is the best recipe for kimchi?")
    assert answer.abstained and answer.text is None and answer.citation is None
    assert answer.best is not None and answer.hits


def test_a_follow_up(article: ArticleAnswerer) -> None:
    first = article.ask("Who is Zhang Tianliang?")
    assert first.text is not None
    history = [Turn(first.question, first.text)]
    answer = article.ask("What is his program called?", history=history)
    rewritten = "What is Zhang Tianliang's program called?"
    assert rewritten in [variant.text for variant in query_variants(answer.question, history)]
    assert answer.rewritten in (None, rewritten)  # whichever is answered more surely
    assert answer.text == "Break of Dawn"
    # What was answered before is no answer to what is asked now.
    session = article.ask("When did Putin visit North Korea?")
    history = [Turn(session.question, session.text or "")]
    assert article.ask("Where did he go after that?", history=history).text != session.text
    alone = article.ask("Which newspaper published Putin's article?", history=history)
    assert alone.rewritten is None and alone.text == "Rodong Sinmun"


def test_the_json_has_what_is_promised(article: ArticleAnswerer) -> None:
    answer = article.ask("when did Putin last visit?", k=3)
    body = json.loads(json.dumps(answer.to_dict()))
    assert list(body) == [
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
    place = ["document", "start", "end", "sentence_start", "sentence_end"]
    assert list(body["citation"]) == place
    assert list(body["alternatives"][0]) == ["text", "confidence", *place]
    assert list(body["passages"][0]) == ["document", "text", "start", "end", "score"]
    assert len(body["passages"]) == 3 and body["abstained"] is False
    for at in (body["citation"], *body["alternatives"], *body["passages"]):
        text = article.documents[at["document"]].text[at["start"] : at["end"]]
        assert text == at.get("text", body["text"])
    assert article.ask("What is the best recipe for kimchi?").to_dict()["citation"] is None


def test_a_batch_is_answered_like_single_questions(article: ArticleAnswerer) -> None:
    questions = ["Who is Yuri Ushakov?", "What is the best recipe for kimchi?", "Why?"]
    together = article.ask_all([(q, ()) for q in questions])
    for question, answer in zip(questions, together, strict=True):
        alone = article.ask(question)
        assert answer.text == alone.text
        assert answer.confidence == pytest.approx(alone.confidence, abs=0.05)
    assert article.ask_all([]) == []
    assert len(article.ask_all([("Who?", ())], k=2, ranked=10)[0].hits) == 10


@pytest.mark.parametrize("question", ["", "   ", "\n\t"])
def test_a_blank_question(article: ArticleAnswerer, question: str) -> None:
    with pytest.raises(QuestionError, match="Type a question first"):
        article.ask(question)


def test_questions_that_cannot_be_asked(article: ArticleAnswerer) -> None:
    with pytest.raises(QuestionError, match="10,000 characters; the limit is 1,000"):
        article.ask("x" * 10_000)
    with pytest.raises(QuestionError, match="must be 1 or more"):
        article.ask("Who?", k=0)
    assert issubclass(QuestionError, ArticleError)


@pytest.mark.parametrize("question", ["?", "…", "😀", "谁是总统？", "\ud800", "of the", "x" * 1000])
def test_odd_questions_are_answered(article: ArticleAnswerer, question: str) -> None:
    answer = article.ask(question)
    assert 0 <= answer.confidence <= 1


@pytest.mark.parametrize(
    "text", ["One.", "…", "😀 😀", "他来了。他走了。", "a" * 3000, "Only a heading"]
)
def test_odd_articles(fake_encoder: FakeEncoder, reader: Reader, text: str) -> None:
    document = make_document(text, name="odd", source="odd.txt")
    collection = Collection([ArticleIndex.build(document, fake_encoder)])
    best = ArticleAnswerer(collection).ask("What is it?").best
    assert best is not None and text[best.start : best.end].strip()
    read = ArticleAnswerer(collection, reader).ask("What is it?").best
    assert read is None or text[read.start : read.end].strip()


def test_several_articles(fake_encoder: FakeEncoder) -> None:
    bridge = make_document("The bridge opened in May 1931.", name="bridge", source="bridge.txt")
    harbour = make_document(
        "The harbour opened in June 1877.", name="harbour", source="harbour.txt"
    )
    indexes = [ArticleIndex.build(document, fake_encoder) for document in (bridge, harbour)]
    reader = FakeReader({"May 1931": 9.0, "June 1877": 9.0})
    both = ArticleAnswerer(Collection(indexes), reader)
    answer = both.ask("When was the harbour opened?")
    assert answer.text == "June 1877" and answer.citation is not None
    assert answer.citation.document == "harbour"
    assert [(a.text, a.citation.document) for a in answer.alternatives] == [("May 1931", "bridge")]
    alone = both.only(["bridge"]).ask("When was the harbour opened?")
    assert alone.best is not None and alone.best.document == "bridge" and not alone.alternatives
    for ids in (["harbour"], ["bridge", "harbour"]):
        assert list(both.only(iter(ids)).documents) == ids
    with pytest.raises(QuestionError, match="Choose from bridge, harbour"):
        both.only(["nothing"])


def test_documents_are_deduplicated() -> None:
    def document(name: str, text: str) -> Document:
        return make_document(text, name=name, source=name)

    given = [document("a", "One."), document("a", "Two."), document("b", "One.")]
    kept = deduplicate([*given, document("a", "Three.")], beside=[document("a 2", "Four.")])
    assert [(d.id, d.text) for d in kept] == [("a", "One."), ("a 3", "Two."), ("a 4", "Three.")]


def test_several_files_are_opened_and_each_kept(encoder, tmp_path) -> None:
    for name, text in (("one", "The bridge was opened in 1931."), ("two", "Anna Berg built it.")):
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    sources = [tmp_path / "one.txt", tmp_path / "two.txt", tmp_path / "one.txt"]
    seen: list[tuple[int, int]] = []
    for _ in range(2):
        articles = open_articles(
            sources,
            encoder=encoder,
            reader=None,
            index=tmp_path / "index",
            progress=lambda *at: seen.append(at),
        )
        assert list(articles.documents) == ["one", "two"] and not articles.note
    assert len(list((tmp_path / "index").iterdir())) == 2
    assert seen == [(1, 1)] * 2


def test_calibration_and_rules_are_passed_in_and_kept(fake_encoder: FakeEncoder) -> None:
    answerer = made("Ada built it.\n\nIt is in Hanoi.", fake_encoder, Ada=9.0)
    assert answerer.ask("Who built it?").text == "Ada"
    calibration = dataclasses.replace(answerer.calibration, threshold=1.1)
    rules = Rules(descriptive=False)
    strict = ArticleAnswerer(
        answerer.collection, answerer.reader, calibration=calibration, rules=rules
    )
    for one in (strict, strict.only(["made"])):
        assert one.calibration is calibration and one.rules is rules
        assert one.ask("Who built it?").abstained
    assert answerer.ask("Who built it?").text == "Ada"


def test_answers_are_frozen(article: ArticleAnswerer) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        article.ask("Who is Yuri Ushakov?").text = "Somebody else"  # type: ignore[misc]


def test_the_article_is_built_once(encoder, tmp_path) -> None:
    seen: list[tuple[int, int]] = []
    for _ in range(2):
        open_article(
            encoder=encoder, reader=None, index=tmp_path, progress=lambda *at: seen.append(at)
        )
    assert seen == [(13, 13)]


def test_probability() -> None:
    fitted = Calibration(0.5, {"intercept": -1.0, "a": 2.0, "b": 0.5})
    # -1 + 2 × 0.5 + 0.5 × 2 = 1, and 1 / (1 + e^-1) = 0.7311
    assert fitted.probability({"a": 0.5, "b": 2.0, "c": 9.0}) == pytest.approx(0.73106, abs=1e-5)
    assert Calibration(0.5, {"intercept": -1e6}).probability({}) == pytest.approx(0)
    with pytest.raises(KeyError):
        fitted.probability({"a": 1.0})
    # What makes a right answer likelier must not have been fitted the other way round.
    sentences, spans = load_sentence_calibration(), load_span_calibration()
    assert sentences.weights["cosine"] > 0 and sentences.weights["coverage"] > 0
    assert spans.weights["span"] > 0 > spans.weights["no answer"]
    assert spans.choice["span"] > 0 and spans.choice["passage"] > 0
