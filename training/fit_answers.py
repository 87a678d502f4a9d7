"""Fit the ranking of the reader's spans and the calibration of their confidence.

Both are fitted on articles that were held out of the reader's training, and evaluated on a third of
them that is left out of the fitting. Writes the "spans" part of qa/calibration.json and
benchmarks/results/answers.json:

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
from qa.candidates import MIN_SHARE, Candidate, read_hits, span_candidates, worth_reading
from qa.reader import DEFAULT_READER, Reader, Reading
from training.examples import HOLD_OUT_EVERY
from training.fit_ranking import Attempt, choose_threshold, fit_calibration, fit_logit, judge

ROOT = Path(__file__).parent.parent
# Thresholds within this share of correctly handled questions of the best count as equally good.
PLATEAU = 0.005
# Values of qa.candidates.MIN_SHARE that are compared.
SHARES = (0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.0)
CHOICE = ("span", "no answer", "answerable", "passage", "sentence", "echo")


@dataclass
class Asked:
    """A question asked of an article, its hits and their readings, and its kind (see Attempt)."""

    question: SquadQuestion
    hits: Sequence[Hit]
    readings: Sequence[Reading]
    kind: str
    held_out: bool

    def passages_read(self, min_share: float = MIN_SHARE) -> int:
        """The number of passages that are read if they need this share of probability."""
        return len(worth_reading(self.hits, min_share))

    def candidates(
        self, weights: Mapping[str, float], min_share: float = MIN_SHARE
    ) -> list[Candidate]:
        """The candidate answers from the passages that are read, best first by these weights."""
        read = self.passages_read(min_share)
        return span_candidates(self.question.text, self.hits[:read], self.readings[:read], weights)

    def right(self, candidate: Candidate) -> bool:
        """Whether a candidate is an accepted answer, give or take a few words."""
        if self.kind != "answerable":
            return False
        return bool(metrics.right(candidate.text, self.question.answers))


def ask(
    path: Path, reader: Reader, *, most: int, elsewhere: int, k: int = DEFAULT_K
) -> list[Asked]:
    """Ask each held-out article up to `most` of its questions and `elsewhere` of the next one's."""
    rng = np.random.default_rng(0)
    articles = sorted(read_squad(path), key=lambda a: a.document.id)[::HOLD_OUT_EVERY]
    encoder = SentenceEncoder()
    asked: list[Asked] = []
    started = time.monotonic()
    for number, article in enumerate(articles):
        index = Collection([ArticleIndex.build(article.document, encoder)])
        foreign = [q for q in articles[(number + 1) % len(articles)].questions if q.answers]
        questions = [
            (q, "answerable" if q.answers else "unanswerable")
            for q in _sample(article.questions, most, rng)
        ]
        questions += [(q, "elsewhere") for q in _sample(foreign, elsewhere, rng)]
        found = index.search([q.text for q, _ in questions], k)
        read = read_hits(
            reader, [(q.text, hits) for (q, _), hits in zip(questions, found, strict=True)]
        )
        asked += [
            Asked(question, hits, readings, kind, number % 3 == 2)
            for (question, kind), hits, readings in zip(questions, found, read, strict=True)
        ]
        seconds = time.monotonic() - started
        print(
            f"\rread {number + 1} of {len(articles)} articles, {seconds:.0f} s", end="", flush=True
        )
    print()
    return asked


def _sample(
    questions: Sequence[SquadQuestion], most: int, rng: np.random.Generator
) -> list[SquadQuestion]:
    chosen = rng.permutation(len(questions))[:most]
    return [questions[i] for i in sorted(chosen)]


def fit_choice(asked: Sequence[Asked]) -> dict[str, float]:
    """Fit the weights of the conditional logit that chooses among the spans of a question's passages."""
    rows = []
    for one in asked:
        candidates = one.candidates(dict.fromkeys(CHOICE, 1.0))
        right = [one.right(candidate) for candidate in candidates]
        if any(right):
            features = [[candidate.features[name] for name in CHOICE] for candidate in candidates]
            rows.append((np.array([features], dtype=np.float32), np.array([right])))
    return fit_logit(rows, CHOICE)


def tried(asked: Sequence[Asked], choice: Mapping[str, float]) -> list[Attempt]:
    """The first candidate of each question: the examples that the calibration is fitted on."""
    firsts = [(one, ranked[0]) for one in asked if (ranked := one.candidates(choice))]
    return [Attempt(first.features, one.right(first), one.kind) for one, first in firsts]


def figures(
    asked: Sequence[Asked], choice: Mapping[str, float], min_share: float = MIN_SHARE
) -> dict[str, float]:
    """The quality of the first candidates of answerable questions, and the passages read for it.

    All in percent but "passages_read", the mean number of passages.
    """
    rows = []
    for one in asked:
        candidates = one.candidates(choice, min_share)
        if one.kind == "answerable" and candidates:
            passage = one.hits[candidates[0].hit_index].passage
            text, accepted = candidates[0].text, one.question.answers
            right_passage = any(
                passage.start <= start < passage.end for start in one.question.starts
            )
            scores = metrics.exact_match(text, accepted), metrics.f1(text, accepted)
            # Divided by 100, since all means are multiplied by 100 below.
            rows.append((*scores, right_passage, one.passages_read(min_share) / 100))
    means = 100 * np.mean(np.array(rows, dtype=float), axis=0)
    names = ("exact_match", "f1", "right_passage", "passages_read")
    return dict(zip(names, np.round(means, 2).tolist(), strict=True))


def main() -> None:
    """Fit, evaluate, print and write the files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("squad", type=Path, help="train-v2.0.json.gz")
    parser.add_argument("--reader", default=str(DEFAULT_READER), help="the reader's folder")
    parser.add_argument(
        "--most", type=int, default=200, help="questions of each article (default 200)"
    )
    parser.add_argument(
        "--elsewhere",
        type=int,
        default=40,
        help="questions of another article, asked of each (default 40)",
    )
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
    for name, span_weights in choices.items():
        table.append({"choice": name, **figures(held_out, span_weights)})
    for min_share in SHARES:
        name = f"all, fitted, passages with a share of {min_share} read"
        table.append({"choice": name, **figures(held_out, choice, min_share)})
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
