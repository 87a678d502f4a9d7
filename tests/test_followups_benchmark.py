import json
from pathlib import Path

import numpy as np

from benchmarks.followups import compare, detection, halves, overlap, read_rows
from tests.conftest import FakeEncoder

QUESTIONS = [
    ("a_1", [], "What is throat cancer?", "What is throat cancer?"),
    ("a_2", ["What is throat cancer?"], "Is it treatable?", "Is throat cancer treatable?"),
    ("b_2", ["Who is Zhang?"], "Who is Putin?", "Who is Putin?"),
    ("b_3", ["Who is Zhang?"], "Is the weather good?", "Is the weather in Zhang's city good?"),
]


def written(folder: Path) -> Path:
    path = folder / "followups.jsonl"
    lines = [
        json.dumps(
            {
                "id": name,
                "history": [[earlier, ""] for earlier in history],
                "question": question,
                "rewrite": rewrite,
                "changed": question != rewrite,
            }
        )
        for name, history, question, rewrite in QUESTIONS
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_the_variants_of_a_question(tmp_path: Path) -> None:
    row = read_rows(written(tmp_path))[0]
    assert row.variants == {
        "as asked": "Is it treatable?",
        "previous question in front": "What is throat cancer? Is it treatable?",
        "first rewriting": "Is throat cancer treatable?",
        "best rewriting": "Is throat cancer treatable?",
        "person's version": "Is throat cancer treatable?",
    }


def test_what_is_detected_in_each_half(tmp_path: Path) -> None:
    parts = halves(read_rows(written(tmp_path)))
    assert [row.topic for row in parts["first half"]] == ["a"]
    assert detection(parts["first half"])["detected, with a pronoun"] == 1
    assert detection(parts["second half"])["left unchanged"] == 1
    assert detection(parts["second half"])["context-dependent with a pronoun"] == 0


def test_the_overlap_of_two_rankings() -> None:
    ours, reference = np.array([[1, 2], [3, 4]]), np.array([[2, 9], [8, 3]])
    assert overlap(ours, reference) == (0.5, 0.5)
    assert overlap(reference, reference) == (1.0, 1.0)


def test_a_rewriting_retrieves_what_the_persons_version_does(tmp_path: Path) -> None:
    rows = read_rows(written(tmp_path))
    # Ten texts share words with the question as asked, one with the person's version alone.
    texts = [f"is it treatable {number}" for number in range(10)] + ["throat cancer treatable"]
    table = compare(rows, texts, FakeEncoder()).table([row for row in rows if row.topic == "a"])  # type: ignore[arg-type]
    assert table["as asked"]["person's first in top 10"] == 0
    assert table["first rewriting"]["person's first in top 10"] == 1
    assert table["first rewriting"]["word F1"] == 1
