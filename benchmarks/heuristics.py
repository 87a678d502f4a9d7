"""Measure what each hand-written language rule contributes, by switching it off.

    python -m benchmarks.heuristics ../shared/data/squad/train-v2.0.json.gz \
        --followups ../shared/data/followups.jsonl --cases FOLDER

Without each rule in turn, asks
- SQuAD training articles that were held out of the reader's training (the split of
  training/examples.py), in article mode: by default every second of the 23 articles and at most 200
  evenly spaced questions of each;
- the 44 questions about the sample article;
- with --cases, questions on real documents: FOLDER has cases.jsonl (id, doc, question, history), the
  documents in docs/, and check.py, which judges a file of answers with "check.py CASES ANSWERS --all".
The follow-up rules are also measured on TREC CAsT (benchmarks/followups.py), which no other rule
affects. Suggestions change no answer; what they show is recorded for the sample article, the documents
of --cases and half of the SQuAD articles.

Each passage is retrieved and read once for a query, whatever rules are on, so a difference comes from
the rule and not from the arithmetic of another batch.

Each part is recorded when it is done; --parts measures some of them again and keeps the others.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.followups import compare, paragraphs, read_rows
from benchmarks.record import RESULTS, ROOT, record
from evaluation import metrics
from evaluation.run import Outcome, ask_article, summarize
from evaluation.squad import SquadArticle, read_squad
from index.documents.document import Document, read_document
from index.models.encoder import SentenceEncoder
from index.passages.context import Context
from index.search.article_index import ArticleIndex
from index.search.collection import Collection, Hit
from qa.answerer import DEFAULT_K, ArticleAnswerer
from qa.calibration import Calibration, load_span_calibration
from qa.opening import DEFAULT_ARTICLE
from qa.reader import DEFAULT_READER, Reader, Reading
from qa.rules import ALL_RULES, Rules
from qa.suggestions import example_questions
from qa.types import Answer, Turn
from training.examples import HOLD_OUT_EVERY

QUESTIONS = ROOT / "tests/data/article_questions.jsonl"
ALL = "all rules"
# The rules that an answerer is given.
ANSWERING = {
    ALL: ALL_RULES,
    '"last" as an adverb': Rules(last=False),
    "previous dates": Rules(previous_date=False),
    "durations": Rules(durations=False),
    "descriptive questions": Rules(descriptive=False),
    "spelling": Rules(spelling=False),
    "follow-up rules": Rules(followups=False),
}
PARTS = ("questions", "cases", "squad", "followups", "suggestions")
# The number of questions that the page suggests.
SUGGESTIONS = 4


class CachingReader:
    """Reads each passage once for a query."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._readings: dict[tuple[str, Context], Reading] = {}

    def read_all(
        self, asked: Sequence[tuple[str, Sequence[Context]]], *, n: int = 5
    ) -> list[list[Reading]]:
        """As Reader.read_all; n is the same in every call."""
        missing: dict[str, list[Context]] = defaultdict(list)
        for query, contexts in asked:
            new = [context for context in contexts if (query, context) not in self._readings]
            missing[query] += [context for context in new if context not in missing[query]]
        requests = [(query, contexts) for query, contexts in missing.items() if contexts]
        for (query, contexts), readings in zip(
            requests, self._reader.read_all(requests, n=n), strict=True
        ):
            for context, reading in zip(contexts, readings, strict=True):
                self._readings[query, context] = reading
        return [
            [self._readings[query, context] for context in contexts] for query, contexts in asked
        ]

    def clear(self) -> None:
        """Forget all readings."""
        self._readings.clear()


class CachingCollection(Collection):
    """Searches once for each query."""

    def __init__(self, indexes: Sequence[ArticleIndex]) -> None:
        super().__init__(indexes)
        self._hits: dict[tuple[str, int], list[Hit]] = {}

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """As Collection.search."""
        missing = [q for q in dict.fromkeys(queries) if (q, k) not in self._hits]
        for query, hits in zip(missing, super().search(missing, k), strict=True):
            self._hits[query, k] = hits
        return [self._hits[query, k] for query in queries]

    @property
    def searched(self) -> int:
        """The number of different queries."""
        return len(self._hits)


@dataclass
class Models:
    """What every answerer of the benchmark shares."""

    encoder: SentenceEncoder
    reader: CachingReader
    calibration: Calibration

    def answerers(self, document: Document) -> Iterator[tuple[str, ArticleAnswerer]]:
        """An answerer of the document with all rules, then one without each rule."""
        self.reader.clear()
        index = ArticleIndex.build(document, self.encoder)
        collection = CachingCollection([index])
        for name, rules in ANSWERING.items():
            yield name, self._answerer(collection, rules)

    def _answerer(self, collection: Collection, rules: Rules) -> ArticleAnswerer:
        return ArticleAnswerer(collection, self.reader, calibration=self.calibration, rules=rules)


def squad_row(outcomes: Sequence[Outcome], reference: Sequence[Outcome]) -> dict[str, Any]:
    """The figures of SQuAD's questions, compared with those of all rules."""
    summary = summarize(outcomes)
    others = [
        (alternative.text, o.question.answers)
        for o in outcomes
        for alternative in o.answer.alternatives
        if o.question.answers
    ]
    return {
        "questions": summary["n"],
        "f1": summary["f1"],
        "f1_as_shown": summary["as_shown"]["f1"],
        "holds_answer_as_shown": summary["as_shown"]["holds_answer"],
        "answered": summary["answered"],
        "recall@1": summary["recall@1"],
        "alternatives": len(others),
        "right_alternatives": sum(bool(metrics.right(*pair)) for pair in others),
        "changed": sum(
            shown(a.answer) != shown(b.answer) for a, b in zip(outcomes, reference, strict=True)
        ),
    }


def shown(answer: Answer) -> tuple[str | None, ...]:
    """What a user sees of an answer: its text and those of the alternatives."""
    return answer.text, *(alternative.text for alternative in answer.alternatives)


def held_out_sample(path: Path, every: int, questions: int) -> list[SquadArticle]:
    """Every Nth held-out article, each with at most `questions` evenly spaced questions."""
    held_out = sorted(read_squad(path), key=lambda a: a.document.id)[::HOLD_OUT_EVERY]
    return [
        replace(article, questions=article.questions[:: -(-len(article.questions) // questions)])
        for article in held_out[::every]
    ]


def measure_squad(articles: Sequence[SquadArticle], models: Models) -> dict[str, dict[str, Any]]:
    """The figures of each setting over the articles' questions."""
    outcomes: dict[str, list[Outcome]] = defaultdict(list)
    for number, article in enumerate(articles, 1):
        for name, answerer in models.answerers(article.document):
            outcomes[name] += [
                replace(outcome, answer=replace(outcome.answer, hits=()))  # they are large
                for outcome in ask_article(article, article.questions, answerer, k=DEFAULT_K)
            ]
        print(f"SQuAD: {number} of {len(articles)} articles", file=sys.stderr, flush=True)
    return {name: squad_row(rows, outcomes[ALL]) for name, rows in outcomes.items()}


def measure_questions(models: Models) -> dict[str, dict[str, Any]]:
    """How many of the questions about the sample article each setting answers correctly."""
    cases = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    right: dict[str, set[str]] = {}
    answers: dict[str, list[Answer]] = {}
    for name, answerer in models.answerers(read_document(DEFAULT_ARTICLE)):
        right[name], answers[name] = set(), []
        for case in cases:
            history = [Turn(question) for question in case.get("history", [])]
            answer = answerer.ask(case["question"], history=history)
            answers[name].append(answer)
            text = (answer.text or "").replace("’", "'")
            accepted = [text.replace("’", "'") for text in case["answers"]]
            if any(words in text for words in accepted) if accepted else not text:
                right[name].add(case["id"])
    return {
        name: {
            "questions": len(cases),
            "right": len(ids),
            "lost": sorted(right[ALL] - ids),
            "gained": sorted(ids - right[ALL]),
            "alternatives": sum(len(answer.alternatives) for answer in answers[name]),
            "changed": [
                {"id": case["id"], "shown": shown(a), "with_all_rules": shown(b)}
                for case, a, b in zip(cases, answers[name], answers[ALL], strict=True)
                if shown(a) != shown(b)
            ],
        }
        for name, ids in right.items()
    }


def measure_cases(folder: Path, models: Models) -> dict[str, dict[str, Any]]:
    """The verdicts of check.py on the answers of each setting."""
    cases = [
        json.loads(line)
        for line in (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    answers: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for name in dict.fromkeys(case["doc"] for case in cases):
        for setting, answerer in models.answerers(read_document(folder / "docs" / name)):
            for case in (case for case in cases if case["doc"] == name):
                history = [Turn(*turn) for turn in case["history"]]
                answer = answerer.ask(case["question"], history=history)
                answers[setting].append(
                    {"id": case["id"], "shown": answer.text, "confidence": answer.confidence}
                )
        print(f"cases: {name}", file=sys.stderr, flush=True)
    verdicts = {setting: judge(folder, rows) for setting, rows in answers.items()}
    texts = {
        setting: {row["id"]: row["shown"] for row in rows} for setting, rows in answers.items()
    }
    return {
        setting: {
            "questions": len(cases),
            "good": good(found),
            "verdicts": dict(sorted(Counter(found.values()).items())),
            "changed": sum(texts[setting][i] != text for i, text in texts[ALL].items()),
            "changed_verdicts": {
                i: f"{verdict} -> {found[i]}"
                for i, verdict in verdicts[ALL].items()
                if found[i] != verdict
            },
        }
        for setting, found in verdicts.items()
    }


def judge(folder: Path, answers: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The verdict of the folder's check.py on each answer, by the case's id."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "answers.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in answers), encoding="utf-8")
        ran = subprocess.run(
            [sys.executable, folder / "check.py", folder / "cases.jsonl", path, "--all"],
            check=True,
            capture_output=True,
            text=True,
        )
    line = r"^(right|partly right|wrong shown|wrongly abstained|rightly abstained) +(\S+) \["
    verdicts = {found[2]: found[1] for found in re.finditer(line, ran.stdout, re.MULTILINE)}
    if len(verdicts) != len(answers):
        raise ValueError(f"check.py gave {len(verdicts)} verdicts for {len(answers)} answers")
    return verdicts


def good(verdicts: Mapping[str, str]) -> int:
    """The number of right answers and of right abstentions."""
    return sum(verdict in ("right", "rightly abstained") for verdict in verdicts.values())


def measure_followups(path: Path, corpus: Path, encoder: SentenceEncoder) -> dict[str, Any]:
    """The figures of the follow-up rules on TREC CAsT, and without them."""
    rows = read_rows(path)
    table = compare(rows, paragraphs(corpus, 12, 2000), encoder).table(rows)
    return {
        ALL: table["first rewriting"],
        "follow-up rules": table["as asked"],
        "only the previous question in front": table["previous question in front"],
    }


def measure_suggestions(documents: Sequence[Document], models: Models) -> list[dict[str, Any]]:
    """What the page suggests for each document and how many queries it takes."""
    rows = []
    for document in documents:
        models.reader.clear()
        collection = CachingCollection([ArticleIndex.build(document, models.encoder)])
        answerer = ArticleAnswerer(collection, models.reader, calibration=models.calibration)
        suggested = example_questions(answerer, SUGGESTIONS)
        rows.append(
            {
                "document": document.id,
                "suggested": suggested,
                "queries": collection.searched,
            }
        )
        print(f"suggestions: {document.id}", file=sys.stderr, flush=True)
    return rows


def table(body: Mapping[str, Any]) -> Iterator[str]:
    """The figures of each rule as a Markdown table, "–" where a part was not measured."""

    def cell(part: str, rule: str, figure: str) -> str:
        return str(body[part][rule][figure]) if part in body else "–"

    yield "| without | SQuAD F1 | F1 as shown | changed | 44 questions | real questions, good |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for name in ANSWERING:
        figures = [cell("squad", name, figure) for figure in ("f1", "f1_as_shown", "changed")]
        figures += [cell("questions", name, "right"), cell("cases", name, "good")]
        yield " | ".join(["| nothing" if name == ALL else f"| {name}", *figures]) + " |"


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("squad", type=Path, help="train-v2.0.json.gz")
    parser.add_argument("--followups", type=Path, required=True, help="followups.jsonl")
    parser.add_argument("--cases", type=Path, help="a folder of questions on real documents")
    parser.add_argument(
        "--every", type=int, default=2, help="use every Nth held-out article (default 2)"
    )
    parser.add_argument(
        "--questions", type=int, default=200, help="questions of each article (default 200)"
    )
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure (default: all)"
    )
    parser.add_argument("--reader", default=str(DEFAULT_READER), help="the reader's folder")
    arguments = parser.parse_args()

    encoder, reader = SentenceEncoder(), Reader(arguments.reader)
    models = Models(encoder, CachingReader(reader), load_span_calibration())
    articles = held_out_sample(arguments.squad, arguments.every, arguments.questions)
    documents = [read_document(DEFAULT_ARTICLE)]
    if arguments.cases:
        documents += map(read_document, sorted((arguments.cases / "docs").iterdir()))
    documents += [article.document for article in articles[::2]]  # to save time
    measures: dict[str, Callable[[], Any]] = {
        "questions": lambda: measure_questions(models),
        "cases": lambda: measure_cases(arguments.cases, models),
        "squad": lambda: measure_squad(articles, models),
        "followups": lambda: measure_followups(arguments.followups, arguments.squad, encoder),
        "suggestions": lambda: measure_suggestions(documents, models),
    }
    path = RESULTS / "heuristics.json"
    recorded = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    body = {part: recorded[part] for part in PARTS if part in recorded}
    body["command"] = (
        f"python -m benchmarks.heuristics {arguments.squad.name} "
        f"--followups {arguments.followups.name} --cases FOLDER "
        f"--every {arguments.every} --questions {arguments.questions}"
    )
    for part in arguments.parts:
        if part != "cases" or arguments.cases:
            body[part] = measures[part]()
            record("heuristics", body)
    print("\n".join(table(body)))


if __name__ == "__main__":
    main()
