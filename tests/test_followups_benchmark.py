import json
from pathlib import Path

import numpy as np

from benchmarks.followups import detection, found_in_common, halves, read_rows

ASKED = [
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
        for name, history, question, rewrite in ASKED
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_the_forms_of_a_question(tmp_path: Path) -> None:
    row = read_rows(written(tmp_path))[0]
    assert row.forms == {
        "plain": "Is it treatable?",
        "theme before": "What is throat cancer? Is it treatable?",
        "ours": "Is throat cancer treatable?",
        "best of ours": "Is throat cancer treatable?",
        "people's": "Is throat cancer treatable?",
    }


def test_what_is_told_in_each_half(tmp_path: Path) -> None:
    of = halves(read_rows(written(tmp_path)))
    assert [row.topic for row in of["first half"]] == ["a"]
    assert detection(of["first half"])["told, with a pronoun"] == 1
    assert detection(of["second half"])["left as they are"] == 1
    assert detection(of["second half"])["lean with a pronoun"] == 0


def test_what_two_rankings_have_in_common() -> None:
    ours, people = np.array([[1, 2], [3, 4]]), np.array([[2, 9], [8, 3]])
    assert found_in_common(ours, people) == (0.5, 0.5)
    assert found_in_common(people, people) == (1.0, 1.0)
