"""Measure what each part of a passage's context brings.

    python -m benchmarks.context ../shared/data/squad/train-v2.0.json.gz \
        --tables tables.jsonl.gz --cases FOLDER

Leaves out each part of the context in turn (see ContextOptions), and asks
- SQuAD training articles that were held out of the reader's training: is the first passage found the
  right one? Only the title matters there, since the articles have neither headings nor tables;
- with --tables, questions that one cell of a table answers (evaluation/tables.py), every so many;
- with --cases, questions on real documents (see benchmarks/heuristics.py).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.heuristics import good, held_out_sample, judge
from benchmarks.record import record
from evaluation.squad import SquadArticle
from evaluation.tables import TableQuestion, evaluate_tables, read_tables
from index.documents.document import read_document
from index.models.encoder import SentenceEncoder
from index.passages.context import FULL_CONTEXT, ContextOptions
from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from qa.answerer import ArticleAnswerer
from qa.reader import Reader
from qa.types import Turn

SETTINGS = {
    "all": FULL_CONTEXT,
    "no title": ContextOptions(title=False),
    "no section": ContextOptions(section=False),
    "no column heads": ContextOptions(column_heads=False),
    "no lead-in": ContextOptions(lead_in=False),
}
RANKED = 5


def measure_squad(
    articles: Sequence[SquadArticle], encoder: SentenceEncoder, options: ContextOptions
) -> dict[str, float]:
    """The share of answerable questions whose paragraph is the first found, and among the first five."""
    ranks = []
    for article in articles:
        collection = Collection([ArticleIndex.build(article.document, encoder, options=options)])
        questions = [question for question in article.questions if question.answers]
        found = collection.search([question.text for question in questions], RANKED)
        for question, hits in zip(questions, found, strict=True):
            start, end = article.paragraphs[question.paragraph]
            right = [hit.passage.start < end and start < hit.passage.end for hit in hits]
            ranks.append(right.index(True) if any(right) else RANKED)
    count = max(1, len(ranks))
    return {
        "questions": len(ranks),
        "recall@1": round(sum(rank == 0 for rank in ranks) / count, 4),
        "recall@5": round(sum(rank < RANKED for rank in ranks) / count, 4),
    }


def measure_cases(
    folder: Path, encoder: SentenceEncoder, reader: Reader, options: ContextOptions
) -> dict[str, Any]:
    """The verdicts of check.py on the answers."""
    lines = (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    cases: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for case in map(json.loads, lines):
        cases[case["doc"]].append(case)
    answers = []
    for name, asked in cases.items():
        document = read_document(folder / "docs" / name)
        index = ArticleIndex.build(document, encoder, options=options)
        answerer = ArticleAnswerer(Collection([index]), reader)
        for case in asked:
            answer = answerer.ask(case["question"], history=[Turn(*t) for t in case["history"]])
            answers.append(
                {"id": case["id"], "shown": answer.text, "confidence": answer.confidence}
            )
    verdicts = judge(folder, answers)
    return {"good": good(verdicts), **dict(sorted(Counter(verdicts.values()).items()))}


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.context")
    parser.add_argument("squad", type=Path, help="train-v2.0.json.gz")
    parser.add_argument("--articles", type=int, default=4, help="every N-th held-out article")
    parser.add_argument("--questions", type=int, default=200, help="at most so many of an article")
    parser.add_argument("--tables", type=Path, help="questions on tables, .jsonl.gz")
    parser.add_argument("--sample", type=int, default=300, help="questions on tables to ask")
    parser.add_argument("--cases", type=Path, metavar="FOLDER", help="questions on real documents")
    arguments = parser.parse_args()
    encoder, reader = SentenceEncoder(), Reader()
    articles = held_out_sample(arguments.squad, arguments.articles, arguments.questions)
    tables: list[TableQuestion] = read_tables(arguments.tables) if arguments.tables else []
    tables = tables[:: max(1, len(tables) // arguments.sample)][: arguments.sample]
    results: dict[str, Mapping[str, Any]] = {}
    for name, options in SETTINGS.items():
        row: dict[str, Any] = {"squad": measure_squad(articles, encoder, options)}
        if tables:
            row["tables"] = evaluate_tables(tables, encoder, reader, options=options)
        if arguments.cases:
            row["cases"] = measure_cases(arguments.cases, encoder, reader, options)
        results[name] = row
        print(name, json.dumps(row), file=sys.stderr, flush=True)
    print(record("context", {"results": results}))


if __name__ == "__main__":
    main()
