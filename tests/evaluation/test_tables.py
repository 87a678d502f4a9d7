"""Questions on tables: which are read, and which answers count as the right cell."""

import gzip
import json
from pathlib import Path

import pytest

from evaluation.__main__ import main
from evaluation.tables import TableQuestion, evaluate_tables, read_tables, table_document
from index.errors import DocumentError
from tests.conftest import FakeEncoder, FakeReader

HIVES = [["City", "Hives"], ["Lyon", "18"], ["", ""], ["Lille", "7"]]
YEARS = [["", "Years ended", ""], ["", "2018", "2019"], ["Sales", "31", "45"]]


def row(number: int, question: str, cells: list[list[int]], table: list[list[str]]) -> str:
    return json.dumps(
        {
            "id": str(number),
            "source": "made" if number < 3 else "other",
            "title": "Bees of France",
            "table": table,
            "question": question,
            "cells": cells,
        }
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tables.jsonl"
    path.write_text(
        "\n\n".join(
            [
                row(1, "How many hives are in Lyon?", [[1, 1]], HIVES),
                row(2, "How many hives are in Lille?", [[3, 1]], HIVES),
                row(3, "Which cities are named?", [[1, 0], [3, 0]], HIVES),
                row(4, "What were the sales of 2018?", [[2, 1]], YEARS),
            ]
        )
    )
    return path


def test_questions_with_one_cell_are_read(file: Path) -> None:
    questions = read_tables(file)
    assert [question.id for question in questions] == ["1", "2", "4"]
    assert questions[0] == TableQuestion(
        "1",
        "made",
        "How many hives are in Lyon?",
        "Bees of France",
        tuple(map(tuple, HIVES)),
        frozenset({(1, 1)}),
    )
    packed = file.with_suffix(".jsonl.gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert read_tables(packed) == questions


@pytest.mark.parametrize("content", [b"{}", b"[1]", b"no JSON", b"\xff"])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with pytest.raises(DocumentError, match="is not a file of questions on tables"):
        read_tables(path)
    with pytest.raises(DocumentError, match="There is no file"):
        read_tables(tmp_path / "none.jsonl")


def test_a_table_has_its_heads_and_the_places_of_its_cells(file: Path) -> None:
    first, _, last = read_tables(file)
    document, places = table_document(first)
    assert document.title == "Bees of France"
    assert {place: document.text[a:b] for place, (a, b) in places.items()} == {
        (0, 0): "City",
        (0, 1): "Hives",
        (1, 0): "Lyon",
        (1, 1): "18",
        (3, 0): "Lille",
        (3, 1): "7",
    }
    assert [block.is_table_head for block in document.blocks] == [True, False, False]
    # Both rows of heads.
    document, _ = table_document(last)
    assert [block.is_table_head for block in document.blocks] == [True, True, False]


def test_an_answer_is_right_in_the_right_cell_only(file: Path) -> None:
    # The fake reader finds one of the two numbers of hives, and the sales of the wrong year.
    reader = FakeReader({"18": 9.0, "45": 9.0})
    figures = evaluate_tables(read_tables(file), FakeEncoder(), reader)
    assert {name: (one["n"], one["right"]) for name, one in figures.items()} == {
        "all": (3, 33.3),
        "made": (2, 50.0),
        "other": (1, 0.0),
    }
    assert figures["all"]["shown"] <= figures["all"]["right"]


def test_the_command(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader = FakeReader({"18": 9.0})
    monkeypatch.setattr("evaluation.__main__.SentenceEncoder", lambda name: FakeEncoder())
    monkeypatch.setattr("evaluation.__main__.load_reader", lambda name: (reader, "a note"))
    assert main(["tables", str(file), "--sample", "1"]) == 0
    shown = capsys.readouterr()
    figures = json.loads(shown.out)
    assert list(figures) == ["all", "made"] and figures["all"]["n"] == 1
    assert figures["all"]["right"] == 100.0
    assert "a note" in shown.err
    assert main(["tables", str(file.with_name("none.jsonl"))]) == 2
    assert "There is no file" in capsys.readouterr().err
