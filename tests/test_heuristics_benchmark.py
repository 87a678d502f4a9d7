"""The benchmark that switches each language rule off, with models that a person can work out."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.heuristics import (
    ALL,
    ANSWERING,
    CachingCollection,
    CachingReader,
    Models,
    held_out_sample,
    judge,
    table,
)
from index.documents.document import Document, make_document
from index.passages.context import plain_context
from index.search.article_index import ArticleIndex
from qa.calibration import load_span_calibration
from tests.conftest import FakeEncoder, FakeReader

TEXT = """The harbour was built by Ada Berg in the year 1931, and it has two cranes.

Admission 20 euros

The museum beside it was opened by Tom Reed in the year 1877 after a long dispute."""


@pytest.fixture
def document() -> Document:
    return make_document(TEXT, name="harbour", source="harbour.txt")


def models(**scores: float) -> Models:
    reader: Any = FakeReader({words.replace("_", " "): score for words, score in scores.items()})
    encoder: Any = FakeEncoder()
    return Models(encoder, CachingReader(reader), load_span_calibration())


def test_each_rule_is_switched_off_once(document: Document) -> None:
    settings = dict(models().answerers(document))
    assert list(settings) == list(ANSWERING)
    for name, answerer in settings.items():
        off = [rule for rule in answerer.rules.__slots__ if not getattr(answerer.rules, rule)]
        assert len(off) == (name in ANSWERING and name != ALL)


def test_a_rule_changes_the_answers_that_it_is_about(document: Document) -> None:
    answers = {
        name: answerer.ask("Why was the museum opened?").text
        for name, answerer in models(long_dispute=9.0).answerers(document)
    }
    assert answers.pop("descriptive questions") == "long dispute"
    (sentence,) = set(answers.values())
    assert sentence is not None and sentence.startswith("The museum beside it was opened")


def test_a_passage_is_read_once_for_a_query() -> None:
    fake: Any = FakeReader({"1931": 9.0})
    reader = CachingReader(fake)
    year, never = (plain_context(text, 0, len(text)) for text in ("In 1931.", "Never."))
    asked = [("When?", [year, never]), ("Who?", [year]), ("When?", [year])]
    readings = reader.read_all(asked)
    assert readings == FakeReader({"1931": 9.0}).read_all(asked)
    assert fake.read == [("When?", ["In 1931.", "Never."]), ("Who?", ["In 1931."])]
    assert reader.read_all(asked) == readings and len(fake.read) == 2


def test_a_query_is_searched_once(document: Document) -> None:
    encoder: Any = FakeEncoder()
    collection = CachingCollection([ArticleIndex.build(document, encoder)])
    first = collection.search(["harbour", "museum", "harbour"], 2)
    assert collection.searched == 2 and first[0] is first[2]
    assert collection.search(["museum"], 2)[0] is first[1]
    assert len(collection.search(["museum"], 1)[0]) == 1


def test_the_verdicts_are_those_of_check_py(tmp_path: Path) -> None:
    (tmp_path / "check.py").write_text(
        "import json, sys\n"
        "print('kind  right\\n')\n"
        "for row in map(json.loads, open(sys.argv[2])):\n"
        "    verdict = 'right' if row['shown'] else 'wrongly abstained'\n"
        "    print(f\"\\n{verdict:18}{row['id']} [factoid] Who?\\n  shown: x\")\n",
        encoding="utf-8",
    )
    answers = [{"id": "a/1", "shown": "Ada"}, {"id": "a/2", "shown": None}]
    assert judge(tmp_path, answers) == {"a/1": "right", "a/2": "wrongly abstained"}
    with pytest.raises(ValueError, match="2 verdicts for 3 answers"):
        judge(tmp_path, [*answers, answers[0]])


def test_the_sample_is_of_held_out_articles(tmp_path: Path) -> None:
    def article(number: int) -> dict[str, Any]:
        asked = [
            {"id": f"{number}-{i}", "question": f"Who is {i}?", "answers": []} for i in range(7)
        ]
        return {"title": f"{number:03}", "paragraphs": [{"context": "It is Ada.", "qas": asked}]}

    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": [article(n) for n in range(60)]}), encoding="utf-8")
    sample = held_out_sample(path, 2, 3)
    assert [a.document.id for a in sample] == ["000", "040"]
    assert [q.id for q in sample[1].questions] == ["40-0", "40-3", "40-6"]


def test_a_part_that_was_not_measured_is_a_dash() -> None:
    rows = {name: {"right": 36, "questions": 44} for name in ANSWERING}
    lines = list(table({"questions": rows}))
    assert len(lines) == 2 + len(ANSWERING)
    assert lines[2] == "| nothing | – | – | – | 36 | – |"
