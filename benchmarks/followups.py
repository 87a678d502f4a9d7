"""Evaluate the rewriting of follow-up questions on TREC CAsT 2019 and 2020.

    python -m benchmarks.followups ../shared/data/followups.jsonl \
        --corpus ../shared/data/squad/train-v2.0.json.gz

Each question has a standalone version written by a person. Four other variants are compared with it:
the question as asked, the previous question put in front of it, our first rewriting, and the best of
our rewritings, which is what a perfect choice among them would give. The rules were developed on the
first half of the topics, so the figures of the second half are the fair ones.

The passages that CAsT judged are not part of the data. Instead, a variant is judged by whether it
retrieves what the person's version retrieves, from paragraphs of SQuAD's training articles: the
person's first passage in the variant's top 10, and the overlap of both top 10. Without those
paragraphs: whether the person's version of the same question is the nearest of all of them. This
measures whether a variant searches like a person's version, not whether the answer is found. In CAsT
2020 questions also refer to answers, which are not in the data.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.record import record
from evaluation import metrics
from evaluation.squad import read_squad
from index.models.encoder import SentenceEncoder
from index.search.fusion import fuse
from index.search.sparse import SparseIndex, split_words
from qa.followup import rewritings
from qa.types import Turn

VARIANTS = (
    "as asked",
    "previous question in front",
    "first rewriting",
    "best rewriting",
    "person's version",
)
REFERENCE = VARIANTS[-1]
K = 10
# Weights of the dense and the BM25 score; fixed, whatever the program's ranking is.
WEIGHTS = {"dense": 10.0912, "words": 0.2624}
# To count the context-dependent questions that have a pronoun.
_PRONOUN = re.compile(
    r"\b(?:he|she|it|they|him|her|his|its|their|them|this|that|these|those|there|ones?)\b", re.I
)

Ranking = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Row:
    """A question with earlier turns, the person's standalone version and our rewritings.

    `dependent`: whether the person's version differs from the question.
    """

    topic: str
    question: str
    reference: str
    dependent: bool
    rewritings: tuple[str, ...]

    @property
    def variants(self) -> dict[str, str]:
        """The text of each of VARIANTS; the best rewriting is the one with the highest word F1."""
        candidates = [*self.rewritings, self.question]
        best = max(candidates, key=lambda text: metrics.f1(text, [self.reference]))
        # The last rewriting is the one with the previous question in front.
        in_front = self.rewritings[-1] if self.rewritings else self.question
        texts = (self.question, in_front, candidates[0], best, self.reference)
        return dict(zip(VARIANTS, texts, strict=True))


def read_rows(path: Path) -> list[Row]:
    """The questions of a file that have earlier turns."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        body = json.loads(line)
        history = [Turn(*turn) for turn in body["history"]]
        if history:
            question = body["question"].strip()
            rows.append(
                Row(
                    topic=body["id"].rsplit("_", 1)[0],
                    question=question,
                    reference=body["rewrite"].strip(),
                    dependent=body["changed"],
                    rewritings=tuple(rewritings(question, history)),
                )
            )
    return rows


def halves(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of the first and of the second half of the topics, by name."""
    topics = sorted({row.topic for row in rows})
    first = set(topics[: len(topics) // 2])
    return {
        "first half": [row for row in rows if row.topic in first],
        "second half": [row for row in rows if row.topic not in first],
    }


def detection(rows: Sequence[Row]) -> dict[str, float]:
    """How many questions are recognized as standalone or as context-dependent."""
    dependent = [row for row in rows if row.dependent]
    with_pronoun = [row for row in dependent if _PRONOUN.search(row.question)]
    return {
        "standalone": sum(not row.dependent for row in rows),
        "left unchanged": _share([not row.rewritings for row in rows if not row.dependent]),
        "context-dependent": len(dependent),
        "detected": _share([bool(row.rewritings) for row in dependent]),
        "context-dependent with a pronoun": len(with_pronoun),
        "detected, with a pronoun": _share([bool(row.rewritings) for row in with_pronoun]),
    }


def paragraphs(path: Path, every: int, limit: int) -> list[str]:
    """Paragraphs of every Nth article of a SQuAD file, at most `limit`."""
    return [
        article.document.text[start:end]
        for article in read_squad(path)[::every]
        for start, end in article.paragraphs
    ][:limit]


def overlap(ranking: Ranking, reference: Ranking) -> tuple[float, float]:
    """The share of the reference's first passages, and of all of its passages, in `ranking`.

    Both are [queries, K] passage numbers, best first.
    """
    common = [np.isin(theirs, ours) for ours, theirs in zip(ranking, reference, strict=True)]
    return _share([hits[0] for hits in common]), _share(np.concatenate(common))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What each variant of the context-dependent questions retrieves.

    `rankings` are [questions, K] passage numbers; `nearest` tells for each question whether the
    person's version nearest to the variant is that of the same question.
    """

    rows: Sequence[Row]
    rankings: dict[str, Ranking]
    nearest: dict[str, list[bool]]

    def table(self, rows: Sequence[Row]) -> dict[str, dict[str, float]]:
        """The figures of each variant over some of the rows."""
        chosen = {id(row) for row in rows}
        numbers = [number for number, row in enumerate(self.rows) if id(row) in chosen]
        table = {}
        for name in VARIANTS:
            first, all_ten = overlap(
                self.rankings[name][numbers], self.rankings[REFERENCE][numbers]
            )
            words = [
                metrics.f1(self.rows[i].variants[name], [self.rows[i].reference]) for i in numbers
            ]
            table[name] = {
                "word F1": round(float(np.mean(words)), 4),
                f"person's first in top {K}": first,
                f"person's top {K} in top {K}": all_ten,
                "own version nearest": _share([self.nearest[name][i] for i in numbers]),
            }
        return table


def compare(rows: Sequence[Row], texts: Sequence[str], encoder: SentenceEncoder) -> Comparison:
    """Search the texts with each variant of the context-dependent questions."""
    sparse, vectors = SparseIndex(list(texts), split_words), encoder.encode_texts(texts)
    dependent = [row for row in rows if row.dependent]
    references = encoder.encode_queries([row.reference for row in rows]).vectors
    rankings: dict[str, Ranking] = {}
    nearest: dict[str, list[bool]] = {}
    for name in VARIANTS:
        queries = [row.variants[name] for row in dependent]
        encoded = encoder.encode_queries(queries).vectors
        scores = fuse({"dense": encoded @ vectors.T, "words": sparse.scores(queries)}, WEIGHTS)
        rankings[name] = np.argsort(-scores, axis=1, kind="stable")[:, :K]
        best = (encoded @ references.T).argmax(axis=1)
        nearest[name] = [
            rows[number].reference == row.reference
            for number, row in zip(best, dependent, strict=True)
        ]
    return Comparison(dependent, rankings, nearest)


def _share(hits: Sequence[bool] | NDArray[np.bool_]) -> float:
    return round(float(np.mean(hits)), 4) if len(hits) else 0.0


def main() -> None:
    """Print and record the figures of both halves and of all topics."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("followups", type=Path, help="followups.jsonl")
    parser.add_argument("--corpus", type=Path, required=True, help="train-v2.0.json.gz")
    parser.add_argument(
        "--every", type=int, default=12, help="use every Nth article of the corpus (default 12)"
    )
    parser.add_argument(
        "--limit", type=int, default=2000, help="use at most N paragraphs (default 2000)"
    )
    arguments = parser.parse_args()

    rows = read_rows(arguments.followups)
    texts = paragraphs(arguments.corpus, arguments.every, arguments.limit)
    comparison = compare(rows, texts, SentenceEncoder())
    body: dict[str, object] = {
        "command": f"python -m benchmarks.followups {arguments.followups.name} "
        f"--corpus {arguments.corpus.name} --every {arguments.every} --limit {arguments.limit}",
        "passages": len(texts),
    }
    for name, part in (*halves(rows).items(), ("all", rows)):
        detected, table = detection(part), comparison.table(part)
        body[name] = {"detection": detected, "context-dependent questions": table}
        print(f"\n{name}: " + ", ".join(f"{what} {figure}" for what, figure in detected.items()))
        print(f"{'':28}" + "".join(f"{what:>26}" for what in table[REFERENCE]))
        for variant, row in table.items():
            print(f"{variant:28}" + "".join(f"{figure:26.4f}" for figure in row.values()))
    record("followups", body)


if __name__ == "__main__":
    main()
