import gzip
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluation.run import evaluate, summarize
from evaluation.squad import read_squad
from index.errors import DocumentError
from index.search.collection import Hit
from qa.__main__ import main
from qa.answerer import ArticleAnswerer
from qa.types import Alternative, Answer, Citation, Turn
from tests.conftest import FakeEncoder, FakeReader

PARAGRAPHS = [
    "The bridge was built in 1931 by Anna Berg. It is made of red steel.",
    "The harbour was closed by a storm. Ships had to wait for nine days.",
    "Nobody knows why the lighthouse fell silent. Its keeper was Tom Reed.",
]
DATA = {
    "version": "v2.0",
    "data": [
        {
            "title": "The_Coast",
            "paragraphs": [
                {
                    "context": PARAGRAPHS[0],
                    "qas": [
                        {
                            "id": "a",
                            "question": "Who built the bridge in 1931?",
                            "answers": [{"text": "Anna Berg", "answer_start": 32}],
                            "is_impossible": False,
                        },
                        {
                            "id": "b",
                            "question": "What do penguins eat for breakfast?",
                            "answers": [],
                            "is_impossible": True,
                        },
                    ],
                },
                {"context": PARAGRAPHS[1], "qas": []},
                {
                    "context": PARAGRAPHS[2],
                    "qas": [
                        {
                            "id": "c",
                            "question": "What was his name?",
                            "history": [["Who was keeper of the silent lighthouse?", "its keeper"]],
                            "answers": [{"text": "Tom Reed", "answer_start": 60}],
                        }
                    ],
                },
            ],
        }
    ],
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "coast.json.gz"
    path.write_bytes(gzip.compress(json.dumps(DATA).encode()))
    return path


def test_reading(path: Path, tmp_path: Path) -> None:
    (article,) = read_squad(path)
    assert article.document.text == "\n\n".join(PARAGRAPHS)
    assert [article.document.text[a:b] for a, b in article.paragraphs] == PARAGRAPHS
    assert [q.id for q in article.questions] == ["a", "b", "c"]
    for question in article.questions:
        for start, answer in zip(question.starts, question.answers, strict=True):
            assert article.document.text[start : start + len(answer)] == answer
    assert article.questions[2].history == (
        Turn("Who was keeper of the silent lighthouse?", "its keeper"),
    )
    plain = tmp_path / "coast.json"
    plain.write_text(json.dumps(DATA))
    assert read_squad(plain) == [article]
    assert read_squad(path.rename(tmp_path / "COAST.JSON.GZ")) == [article]


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"[" * 200_000, b"\x1f\x8bcut", b'{"data": [{"title": 1}]}']
)
def test_files_that_are_not_squad(tmp_path: Path, content: bytes) -> None:
    for name in ("bad.json", "bad.json.gz"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DocumentError, match="is not in the SQuAD format"):
            read_squad(tmp_path / name)
    with pytest.raises(DocumentError, match="There is no file"):
        read_squad(tmp_path / "none.json")


def test_whole_articles(path: Path, fake_encoder: FakeEncoder) -> None:
    seen: list[tuple[int, int]] = []
    articles = read_squad(path)
    outcomes = list(evaluate(articles, fake_encoder, k=2, progress=lambda *at: seen.append(at)))
    a, b, c = outcomes
    assert seen == [(3, 3)]
    assert (a.rank, c.rank) == (1, 1)
    assert a.no_answer_score == 1 - a.answer.confidence
    assert "Anna Berg" in a.best_text and c.best_text in PARAGRAPHS[2]
    assert c.answer.rewritten is not None and len(a.answer.hits) == 3
    summary = summarize(outcomes)
    assert summary["n"] == 3 and summary["recall@1"] == 1 and summary["mrr"] == 1
    assert summary["squad2"]["NoAns_exact"] == (100 if b.answer.abstained else 0)
    assert set(summary) >= {"exact_match", "f1", "no_answer_auroc", "calibration_error"}


@pytest.mark.parametrize("mode", ["paragraphs", "Article", ""])
def test_an_unknown_mode_is_an_error(path: Path, fake_encoder: FakeEncoder, mode: str) -> None:
    with pytest.raises(ValueError, match="choose one of article, paragraph"):
        evaluate(read_squad(path), fake_encoder, mode=mode, k=5)


def test_what_was_read_is_judged(
    path: Path, fake_encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All that is found is read, however unlikely the fake encoder makes it.
    monkeypatch.setattr("qa.answerer.worth_reading", lambda hits: hits)
    reader = FakeReader({"Anna Berg": 20.0, "Tom Reed": 20.0, "nine days": 300.0})
    outcomes = list(evaluate(read_squad(path), fake_encoder, reader, k=3))
    a, b, c = outcomes
    assert (a.best_text, c.best_text) == ("nine days", "nine days")
    # The reader finds no answer worth 0, and these words worth 300.
    assert [o.no_answer_score for o in outcomes] == [-300, -300, -300]
    # The harbour's paragraph was found later, and comes first for what was read in it.
    assert (a.rank, a.rank_before_reading) == (2, 1)
    summary = summarize(outcomes)
    assert summary["recall@1"] == 0 and summary["before_reading"]["recall@1"] == 1
    nothing = next(iter(evaluate(read_squad(path), fake_encoder, FakeReader({}), k=2)))
    assert nothing.best_text == "" and nothing.no_answer_score == float("inf")
    outcomes = list(evaluate(read_squad(path), fake_encoder, FakeReader({"Anna Berg": 20.0}), k=2))
    summary = summarize(outcomes)
    assert summary["no_abstention"] == {"exact_match": 50, "f1": 50}
    assert outcomes[0].shown_text == ("" if outcomes[0].answer.abstained else "Anna Berg")


def test_a_why_is_judged_by_the_words_found(path: Path, fake_encoder: FakeEncoder) -> None:
    data = json.loads(json.dumps(DATA))
    data["data"][0]["paragraphs"][0]["qas"][0]["question"] = "How did Anna Berg get the bridge?"
    path = path.with_name("how.json")
    path.write_text(json.dumps(data))
    reader = FakeReader({"Anna Berg": 20.0})
    outcome = next(iter(evaluate(read_squad(path), fake_encoder, reader, k=2)))
    assert outcome.answer.text == "The bridge was built in 1931 by Anna Berg."
    assert outcome.best_text == outcome.shown_text == "Anna Berg"
    summary = summarize([outcome])
    assert summary["f1"] == 100 and 0 < summary["as_shown"]["f1"] < 100


def test_paragraphs_alone(path: Path, fake_encoder: FakeEncoder) -> None:
    outcomes = list(evaluate(read_squad(path), fake_encoder, mode="paragraph", k=5))
    assert [len(o.answer.hits) for o in outcomes] == [1, 1, 1]
    assert [o.question.id for o in outcomes] == ["a", "b", "c"]
    assert "Anna Berg" in outcomes[0].best_text and outcomes[2].best_text in PARAGRAPHS[2]


def of_another_place(citation: Citation) -> Citation:
    return replace(citation, start=citation.start - 1, end=citation.end - 1)


def first_hit(answer: Answer, **changed: object) -> tuple[Hit, ...]:
    hit, *others = answer.hits
    return (replace(hit, passage=replace(hit.passage, **changed)), *others)


WRONG: dict[str, Callable[[Answer], dict[str, object]]] = {
    "words": lambda a: {"text": f"{a.text}s"},
    "no words": lambda a: {"text": ""},
    "place": lambda a: {"citation": a.citation and of_another_place(a.citation)},
    "sentence": lambda a: {"citation": a.citation and replace(a.citation, sentence_start=10**6)},
    "alternative": lambda a: {"alternatives": (Alternative("x", 0.5, a.citation),)},
    "alternative's place": lambda a: {
        "alternatives": (Alternative(a.text or "", 0.5, of_another_place(a.citation)),)
    },
    "passage": lambda a: {"hits": first_hit(a, text="Anna Bergs.")},
    "passage's place": lambda a: {"hits": first_hit(a, start=a.hits[0].passage.start + 1)},
    "nothing": lambda a: {},
}


@pytest.mark.parametrize("mode", ["article", "paragraph"])
@pytest.mark.parametrize("what", WRONG)
def test_misquoted_answers_are_counted(
    path: Path,
    fake_encoder: FakeEncoder,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    what: str,
) -> None:
    ask_all = ArticleAnswerer.ask_all

    def wrongly(self: ArticleAnswerer, *asked: Any, **options: Any) -> list[Answer]:
        answers = ask_all(self, *asked, **options)
        return [replace(a, **WRONG[what](a)) if "1931" in a.question else a for a in answers]

    monkeypatch.setattr(ArticleAnswerer, "ask_all", wrongly)
    reader = FakeReader({"Anna Berg": 20.0, "Tom Reed": 20.0})
    outcomes = list(evaluate(read_squad(path), fake_encoder, reader, mode=mode, k=5))
    assert outcomes[0].answer.citation is not None
    assert summarize(outcomes)["misquoted"] == (what != "nothing")


def test_a_limit(path: Path, fake_encoder: FakeEncoder) -> None:
    for mode in ("article", "paragraph"):
        outcomes = list(evaluate(read_squad(path), fake_encoder, mode=mode, k=5, limit=2))
        assert [o.question.id for o in outcomes] == ["a", "b"]


@pytest.mark.usefixtures("shared_models")
def test_the_command(path: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out.jsonl"
    assert main(["evaluate", str(path), "--predictions", str(out)]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["n"] == 3 and not math.isnan(summary["f1"])
    text = read_squad(path)[0].document.text
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [line["id"] for line in lines] == ["a", "b", "c"]
    for line in lines:
        assert list(line) == ["id", "text", "best_text", "confidence", "start", "end", "passages"]
        assert text[line["start"] : line["end"]] == line["best_text"]
        assert line["text"] in ("", line["best_text"])
        assert all(0 <= start < end <= len(text) for start, end, _ in line["passages"])


@pytest.mark.usefixtures("shared_models")
def test_an_out_that_cannot_be_written(path: Path, tmp_path: Path, capsys) -> None:
    assert main(["evaluate", str(path), "--predictions", str(tmp_path / "no/out.jsonl")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_some_of_squad(squad_dir: Path, encoder, reader) -> None:
    """The real file: offsets exact for every question, and a floor on ranking and answers."""
    articles = read_squad(squad_dir / "dev-v1.1.json.gz")[-1:]
    text = articles[0].document.text
    outcomes = list(evaluate(articles, encoder, reader, k=5, limit=200))
    for outcome in outcomes:
        best = outcome.answer.best
        assert best is not None and text[best.start : best.end] == outcome.best_text
        for hit in outcome.answer.hits:
            assert text[hit.passage.start : hit.passage.end] == hit.passage.text
    summary = summarize(outcomes)
    assert summary["n"] == 200 and summary["recall@5"] > 0.9 and summary["recall@1"] > 0.8
    assert summary["no_abstention"]["f1"] > 60
