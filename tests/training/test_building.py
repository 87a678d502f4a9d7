"""The data set: what becomes of each published set."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.squad import read_squad
from tests.training.made_up import answer, extra_rows, reading_folder, squad_file, write_jsonl
from training.reading.build import build
from training.reading.builder import Builder
from training.reading.example import (
    Example,
    Kind,
    Passage,
    is_held_out,
    read_examples,
    read_passages,
)
from training.reading.other_sets import sections
from training.reading.squad_set import add_squad, wrong_passages
from training.reading.tables import heads, rows_text, table_window


class DataSet:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.passages = read_passages(folder)

    def examples(self, name: str) -> list[Example]:
        """Those of a set, held out or not."""
        paths = [self.folder / part / f"{name}.jsonl.gz" for part in ("train", "held_out")]
        return [e for path in paths if path.exists() for e in read_examples(path)]

    def passage(self, example: Example) -> Passage:
        return self.passages[example.passage]

    def spans(self, example: Example) -> list[str]:
        return [self.passage(example).text[a:b] for a, b in example.spans]

    def items(self, example: Example) -> list[str]:
        return [self.passage(example).text[a:b] for a, b in example.items]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    folder = tmp_path_factory.mktemp("data")
    squad = squad_file(folder / "squad.json.gz")
    extra = write_jsonl(folder / "extra.jsonl.gz", extra_rows())
    build(squad, extra, reading_folder(folder / "reading"), folder / "out", report=lambda _: None)
    return DataSet(folder / "out")


def test_a_squad_question_has_its_paragraph_under_the_title(data: DataSet) -> None:
    (example,) = [e for e in data.examples("squad") if e.id == "squad/three_people-bob-where"]
    assert data.passage(example).header == "three people"
    assert data.spans(example) == data.items(example) == ["the blue house"]
    assert example.kind is Kind.SPAN and example.history is None


def test_wrong_passages_are_of_the_same_document_and_lack_the_answer(data: DataSet) -> None:
    (example,) = [e for e in data.examples("squad") if e.id == "squad/two-ann-where"]
    assert len(example.negatives) == 3
    for number in example.negatives:
        assert data.passages[number].document == "two"
        assert "the red house" not in data.passages[number].text


def test_every_twentieth_squad_article_is_held_out(data: DataSet) -> None:
    held_out = read_examples(data.folder / "held_out" / "squad.jsonl.gz")
    assert {data.passage(e).document for e in held_out} == {"one"}
    trained = read_examples(data.folder / "train" / "squad.jsonl.gz")
    assert {data.passage(e).document for e in trained} == {"three people", "two"}


def test_a_document_is_held_out_whatever_its_set() -> None:
    builder = Builder()
    held_out = next(str(i) for i in range(1000) if is_held_out(str(i)))
    kept = next(str(i) for i in range(1000) if not is_held_out(str(i)))
    for document in (held_out, kept):
        number = builder.passage(document, "", "text")
        builder.add("spans", Example("x", "drop", "?", number, Kind.NONE))
        builder.add("lists", Example("y", "drop", "?", number, Kind.NONE))
    assert {key: [e.passage for e in es] for key, es in builder.examples.items()} == {
        ("held_out", "spans"): [0],
        ("held_out", "lists"): [0],
        ("train", "spans"): [1],
        ("train", "lists"): [1],
    }


def test_about_seven_documents_in_a_hundred_are_held_out() -> None:
    assert 55 <= sum(is_held_out(f"document {i}") for i in range(1000)) <= 85


def test_what_is_made_of_squad_questions(tmp_path: Path) -> None:
    text = "Ada Stone planted oak, ash and elm in Leeds in 1931. She was born in York."
    asked = {
        "What did Ada Stone plant?": "oak, ash and elm",
        "Where was Ada Stone born?": "York",
        "When was it in Leeds?": "1931",
    }
    questions = [
        {"id": str(number), "question": question, "answers": [answer(text, found)]}
        for number, (question, found) in enumerate(asked.items())
    ]
    article = {"title": "Trees", "paragraphs": [{"context": text, "qas": questions}]}
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": [article]}))
    builder = Builder()
    add_squad(builder, read_squad(path))
    made = {name: examples for (_, name), examples in builder.examples.items()}
    trees = ["oak", "ash", "elm"]
    assert [text[a:b] for a, b in made["squad"][0].items] == trees
    assert [text[a:b] for a, b in made["squad"][0].spans] == ["oak, ash and elm"]
    (listed,) = made["squad_lists"]
    assert listed.kind is Kind.LIST and [text[a:b] for a, b in listed.items] == trees
    (turn,) = made["squad_conversations"]
    assert turn.question == "Where was she born?"
    assert turn.history == ("What did Ada Stone plant?", "oak, ash and elm")
    assert [text[a:b] for a, b in turn.spans] == ["York"]
    assert made["squad_swapped"]
    for unanswerable in made["squad_swapped"]:
        assert unanswerable.kind is Kind.NONE and not unanswerable.spans
        assert unanswerable.question not in asked


def test_a_span_outside_its_passage_is_refused() -> None:
    builder = Builder()
    number = builder.passage("d", "", "text")
    example = Example("x", "drop", "?", number, Kind.SPAN, spans=((0, 5),))
    with pytest.raises(ValueError, match="outside its passage"):
        builder.add("spans", example)
    builder.add("spans", replace(example, spans=((0, 4),)))


def test_answers_that_overlap_are_alternatives_and_others_a_list(data: DataSet) -> None:
    alternatives, listed = data.examples("spans")
    assert alternatives.kind is Kind.SPAN
    assert data.spans(alternatives) == ["The Tiber", "Tiber"]
    assert data.items(alternatives) == ["The Tiber"]
    assert listed.kind is Kind.LIST
    assert data.items(listed) == ["Tiber", "Tevere"]


def test_a_list_wants_all_its_items_in_the_order_of_the_text(data: DataSet) -> None:
    (example,) = data.examples("lists")
    assert example.kind is Kind.LIST
    assert data.items(example) == ["Smith", "Chambers"]


def test_a_section_is_a_passage_and_the_others_are_wrong(data: DataSet) -> None:
    section, _ = data.examples("explanations")
    assert data.passage(section).header == "Gout > Causes"
    assert section.kind is Kind.EVIDENCE
    assert data.items(section) == ["It is caused by food. It comes at night."]
    assert data.spans(section) == ["It is caused by food.", "It comes at night."]
    assert [data.passages[n].header for n in section.negatives] == ["Gout > Outlook"]


def test_evidence_in_a_meeting_is_a_part_of_its_text(data: DataSet) -> None:
    _, turn = data.examples("explanations")
    assert data.passage(turn).header == ""
    assert data.items(turn) == ["B: I like cheese. And bread."]
    assert data.spans(turn)[0].startswith("B:") and data.spans(turn)[-1].endswith("bread.")


def test_a_turn_has_the_one_before_it_as_history(data: DataSet) -> None:
    (example,) = data.examples("conversation")
    assert example.history == ("what do I bring?", "A photo.")
    assert data.passage(example).header == "Cards"
    assert data.spans(example) == ["It is free."]


def test_a_table_is_read_as_rows_with_their_heads(data: DataSet) -> None:
    (example,) = data.examples("tables")
    passage = data.passage(example)
    assert passage.header == "Hives"
    assert passage.text == "City: Lyon · Hives: 18\nCity: Lille · Hives: 7"
    assert data.spans(example) == ["18"]
    labels = [passage.text[a:b] for a, b in passage.labels]
    assert labels == ["City:", "Hives:", "City:", "Hives:"]


def test_the_same_files_make_the_same_data_set(data: DataSet, tmp_path: Path) -> None:
    squad = squad_file(tmp_path / "squad.json.gz")
    extra = write_jsonl(tmp_path / "extra.jsonl.gz", extra_rows())
    build(squad, extra, reading_folder(tmp_path / "reading"), tmp_path / "out", lambda _: None)
    for path in sorted(data.folder.rglob("*.jsonl.gz")):
        assert (tmp_path / "out" / path.relative_to(data.folder)).read_bytes() == path.read_bytes()
    about = json.loads((data.folder / "about.json").read_text())
    assert about["counts"]["train"]["squad"] == 24


def test_sections_are_headings_with_text() -> None:
    text = "Title\n\nFirst\nOne.\nTwo.\n\n \nSecond\nThree."
    found = [(heading, text[a:b]) for heading, (a, b) in sections(text)]
    assert found == [("First", "One.\nTwo."), ("Second", "Three.")]


def test_wrong_passages_in_the_order_given() -> None:
    texts = ["the mill", "a house", "the mills", "a barn", "a cave", "a hut"]
    assert wrong_passages(["mill"], 0, [5, 0, 2, 1, 3], texts) == [5, 2, 1]
    assert wrong_passages([], 0, [5, 2], texts) == []


def test_a_second_row_of_heads_is_joined_to_the_first() -> None:
    table = [["", "Years ended"], ["", "2019"], ["Sales", "5"]]
    assert heads(table) == (["", "Years ended 2019"], 2)
    assert rows_text(table, [2]).text == "Sales · Years ended 2019: 5"


def test_an_empty_cell_is_left_out_of_its_row() -> None:
    window = rows_text([["A", "B"], ["", "2"], ["1", ""]], [1, 2])
    assert window.text == "B: 2\nA: 1"
    assert window.cells == {(1, 1): (3, 4), (2, 0): (8, 9)}


def test_a_long_table_is_cut_to_rows_around_the_answer() -> None:
    table = [["Name", "Note"], *([f"n{i}", "word " * 12] for i in range(60))]
    row = {"table": table, "cells": [[30, 0]], "question": "who is it?"}
    window = table_window(row, np.random.default_rng(0))
    assert window is not None
    start, end = window.cells[30, 0]
    assert window.text[start:end] == "n29"
    assert 200 < len(window.text) <= 1000
    rows = sorted({r for r, _ in window.cells})
    assert rows == list(range(rows[0], rows[-1] + 1))


def test_a_question_on_all_rows_of_a_long_table_is_left_out() -> None:
    table = [["Name", "Note"], *([f"n{i}", "word " * 12] for i in range(60))]
    row = {"table": table, "cells": [[30, 0]], "question": "who is the oldest?"}
    assert table_window(row, np.random.default_rng(0)) is None


def test_an_answer_in_the_heads_is_left_out() -> None:
    row = {"table": [["A", "B"], ["1", "2"]], "cells": [[0, 1]], "question": "which?"}
    assert table_window(row, np.random.default_rng(0)) is None
