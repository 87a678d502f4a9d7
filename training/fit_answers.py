"""Fit how the reader's answers are chosen and how sure they are, on articles it was not trained on.

Writes the "spans" part of qa/calibration.json, and prints and saves what it brings on a third of these
articles that take no part in the fitting:

    python -m training.fit_answers ../shared/data/squad/train-v2.0.json.gz
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evaluation import metrics
from evaluation.squad import SquadQuestion, read_squad
from index.models.encoder import SentenceEncoder
from index.search.article_index import ArticleIndex
from index.search.collection import Collection, Hit
from index.storage import read_fitted, write_manifest
from qa.answerer import DEFAULT_K
from qa.calibration import FITTED, Calibration
from qa.candidates import LEAST_SHARE, Candidate, read_hits, span_candidates, worth_reading
from qa.reader import DEFAULT_READER, Reader, Reading
from training.examples import HOLD_OUT_EVERY
from training.fit_ranking import Attempt, choose_threshold, fit_calibration, fit_logit, judge

ROOT = Path(__file__).parent.parent
# Thresholds that deal rightly with so many questions less than the best are as good: 5 of 1,000.
PLATEAU = 0.005
# Shares that a passage would have to have to be read, of which qa/candidates.py has one.
SHARES = (0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.0)
CHOICE = ("span", "no answer", "answerable", "passage", "sentence", "echo")


@dataclass
class Asked:
    """A question put to an article, what was found and read, and of which kind it is (see Attempt)."""

    question: SquadQuestion
    hits: Sequence[Hit]
    readings: Sequence[Reading]
    kind: str
    held_out: bool

    def worth(self, least: float = LEAST_SHARE) -> int:
        """How many of the passages are read where those with a lesser share of probability are not."""
        return len(worth_reading(self.hits, least))

    def candidates(
        self, choice: Mapping[str, float], least: float = LEAST_SHARE
    ) -> list[Candidate]:
        """The candidate answers from the passages that are read."""
        read = self.worth(least)
        return span_candidates(self.question.text, self.hits[:read], self.readings[:read], choice)

    def right(self, candidate: Candidate) -> bool:
        """Whether a candidate is the answer, give or take a few words."""
        if self.kind != "answerable":
            return False
        return bool(metrics.right(candidate.text, self.question.answers))


def ask(
    path: Path, reader: Reader, *, most: int, elsewhere: int, k: int = DEFAULT_K
) -> list[Asked]:
    """Put the held-out articles' own questions to them, at most so many, and some of the next one's."""
    rng = np.random.default_rng(0)
    articles = sorted(read_squad(path), key=lambda a: a.document.id)[::HOLD_OUT_EVERY]
    encoder = SentenceEncoder()
    out: list[Asked] = []
    started = time.monotonic()
    for number, article in enumerate(articles):
        index = Collection([ArticleIndex.build(article.document, encoder)])
        foreign = [q for q in articles[(number + 1) % len(articles)].questions if q.answers]
        asked = [
            (q, "answerable" if q.answers else "unanswerable")
            for q in _some(article.questions, most, rng)
        ]
        asked += [(q, "elsewhere") for q in _some(foreign, elsewhere, rng)]
        found = index.search([q.text for q, _ in asked], k)
        read = read_hits(
            reader, [(q.text, hits) for (q, _), hits in zip(asked, found, strict=True)]
        )
        out += [
            Asked(question, hits, readings, kind, number % 3 == 2)
            for (question, kind), hits, readings in zip(asked, found, read, strict=True)
        ]
        seconds = time.monotonic() - started
        print(
            f"\rread {number + 1} of {len(articles)} articles, {seconds:.0f} s", end="", flush=True
        )
    print()
    return out


def _some(
    questions: Sequence[SquadQuestion], most: int, rng: np.random.Generator
) -> list[SquadQuestion]:
    chosen = rng.permutation(len(questions))[:most]
    return [questions[i] for i in sorted(chosen)]


def fit_choice(asked: Sequence[Asked]) -> dict[str, float]:
    """Fit the conditional logit of the right span among those of a question's passages."""
    rows = []
    for one in asked:
        found = one.candidates(dict.fromkeys(CHOICE, 1.0))
        right = [one.right(candidate) for candidate in found]
        if any(right):
            features = [[candidate.features[name] for name in CHOICE] for candidate in found]
            rows.append((np.array([features], dtype=np.float32), np.array([right])))
    return fit_logit(rows, CHOICE)


def tried(asked: Sequence[Asked], choice: Mapping[str, float]) -> list[Attempt]:
    """The first candidate of each question, as the calibration is fitted on it."""
    firsts = [(one, found[0]) for one in asked if (found := one.candidates(choice))]
    return [Attempt(first.features, one.right(first), one.kind) for one, first in firsts]


def figures(
    asked: Sequence[Asked], choice: Mapping[str, float], least: float = LEAST_SHARE
) -> dict[str, float]:
    """How good the words chosen are for the answerable questions, and how many passages it takes."""
    rows = []
    for one in asked:
        found = one.candidates(choice, least)
        if one.kind == "answerable" and found:
            hit = one.hits[found[0].hit].passage
            words, accepted = found[0].text, one.question.answers
            first = any(hit.start <= start < hit.end for start in one.question.starts)
            scores = metrics.exact_match(words, accepted), metrics.f1(words, accepted)
            rows.append((*scores, first, one.worth(least) / 100))
    means = 100 * np.mean(np.array(rows, dtype=float), axis=0)
    names = ("exact_match", "f1", "right_passage", "passages_read")
    return dict(zip(names, np.round(means, 2).tolist(), strict=True))


def main() -> None:
    """Run it all; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("squad", type=Path, help="train-v2.0.json.gz")
    parser.add_argument("--reader", default=str(DEFAULT_READER), help="its folder")
    parser.add_argument("--most", type=int, default=200, help="questions an article (default 200)")
    parser.add_argument("--elsewhere", type=int, default=40, help="and of the next (default 40)")
    parser.add_argument("--out", default=ROOT / "benchmarks/results/answers.json", type=Path)
    arguments = parser.parse_args()

    asked = ask(
        arguments.squad,
        Reader(arguments.reader),
        most=arguments.most,
        elsewhere=arguments.elsewhere,
    )
    fit, held_out = [a for a in asked if not a.held_out], [a for a in asked if a.held_out]

    choice = fit_choice([a for a in fit if a.kind == "answerable"])
    choices = {
        "span": {"span": 1.0},
        "span over no answer": {"span": 1.0, "no answer": -1.0},
        "all, fitted": choice,
    }
    table: list[dict[str, Any]] = []
    for name, weighed in choices.items():
        table.append({"choice": name, **figures(held_out, weighed)})
    for least in SHARES:
        name = f"all, fitted, passages with a share of {least} read"
        table.append({"choice": name, **figures(held_out, choice, least)})
    for row in table:
        print(row)
    firsts = tried(fit, choice)
    weights = fit_calibration(firsts)
    threshold = choose_threshold(
        firsts, Calibration(0.0, weights), count_silence=True, within=PLATEAU
    )
    fitted = Calibration(threshold, weights, choice)
    quality = judge(tried(held_out, choice), fitted)
    print("confidence:", asdict(fitted), quality)

    body = read_fitted(FITTED)
    body["spans"] = asdict(fitted)
    result = {
        "command": f"python -m training.fit_answers {arguments.squad.name}",
        "questions": {"fitted": len(fit), "held_out": len(held_out)},
        "choice": table,
        "weights": body["spans"],
        "confidence": quality,
    }
    write_manifest(FITTED, body)
    arguments.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
