"""How long one question takes with the models warm: finding the passages, and reading them.

    python -m benchmarks.latency ../shared/data/squad/dev-v1.1.json.gz

Asks questions of whole articles one by one, as a person does, and prints and saves the median and the
95th percentile in milliseconds. Run it with nothing else on the machine.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.record import record
from index.article_index import ArticleIndex
from index.collection import Collection
from index.encoder import SentenceEncoder
from qa.answer import DEFAULT_K, Answerer
from qa.reader import DEFAULT_READER, Reader
from qa.squad import read_squad

WARM = 10


def main() -> None:
    """Run it; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("squad", type=Path, help="dev-v1.1.json.gz")
    parser.add_argument("--articles", type=int, default=5, help="how many (default 5)")
    parser.add_argument("--questions", type=int, default=60, help="of each (default 60)")
    parser.add_argument("--reader", default=str(DEFAULT_READER), help="its name or its folder")
    arguments = parser.parse_args()

    encoder, reader = SentenceEncoder(), Reader(arguments.reader)
    rows = []
    passages = []
    for article in read_squad(arguments.squad)[: arguments.articles]:
        collection = Collection([ArticleIndex.build(article.document, encoder)])
        answerer = Answerer(collection, reader)
        passages.append(len(collection.passages))
        for number, question in enumerate(article.questions[: WARM + arguments.questions]):
            seconds = answerer.ask(question.text).seconds
            if number >= WARM:
                rows.append([1000 * seconds["retrieve"], 1000 * seconds["read"]])
    times = np.array(rows)
    table = {
        name: {
            "p50": round(float(np.median(of)), 1),
            "p95": round(float(np.percentile(of, 95)), 1),
        }
        for name, of in (
            ("retrieve", times[:, 0]),
            (f"read {DEFAULT_K} passages", times[:, 1]),
            ("whole question", times.sum(axis=1)),
        )
    }
    for name, row in table.items():
        print(f"{name:20} p50 {row['p50']:7.1f} ms   p95 {row['p95']:7.1f} ms")
    record(
        "latency",
        {
            "command": f"python -m benchmarks.latency {arguments.squad.name} "
            f"--articles {arguments.articles} --questions {arguments.questions}",
            "questions": len(rows),
            "passages": passages,
            "precision": reader.precision,
            "milliseconds": table,
        },
    )


if __name__ == "__main__":
    main()
