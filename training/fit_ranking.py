"""Fit the weights of the ranking and the calibration of the answers on training articles.

Writes index/search/ranking.json and the part of qa/calibration.json that is of whole sentences, and
prints and saves what each part brings on training articles that were held out. Needs only a file in
the SQuAD 2.0 layout:

    python -m training.fit_ranking ../shared/data/squad/train-v2.0.json.gz
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from evaluation import metrics
from evaluation.squad import SquadArticle, read_squad
from index.models.encoder import Encoder, SentenceEncoder
from index.search import collection
from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from index.search.fusion import Scores, fuse
from index.storage import read_fitted, write_manifest
from qa.answerer import DEFAULT_K
from qa.calibration import FITTED, Calibration
from qa.candidates import sentence_candidates

ROOT = Path(__file__).parent.parent
PASSAGE_PARTS = (
    "dense",
    "sentence",
    "words",
    "sentence words",
    "grams",
    "sentence grams",
    "pairs",
    "pieces",
)
FIRST_STAGE = PASSAGE_PARTS[:-1]
SENTENCE_PARTS = ("sentence", "sentence words", "sentence grams", "passage")


@dataclass
class Tables:
    """One article's answerable questions: what each retriever gave, and which texts are right."""

    passages: dict[str, Scores]
    right_passages: NDArray[np.bool_]
    sentences: dict[str, Scores]
    right_sentences: NDArray[np.bool_]
    owner: NDArray[np.int64]


def tables(index: Collection, article: SquadArticle, encoder: Encoder) -> Tables:
    """Score every passage and sentence of an article against its answerable questions."""
    asked = [q for q in article.questions if q.answers]
    queries = [q.text for q in asked]
    passages, sentences = index.parts(queries, encoder.encode_queries(queries))
    of_paragraph = np.array(
        [
            [p.start < end and start < p.end for p in index.passages]
            for start, end in article.paragraphs
        ]
    )
    right = np.array([of_paragraph[q.paragraph] for q in asked])
    offsets = np.array([s for p in index.passages for s in p.sentences])
    starts = np.array([q.starts[0] for q in asked])[:, None]
    right_sentences = (offsets[:, 0] <= starts) & (starts < offsets[:, 1])
    counts = [len(p.sentences) for p in index.passages]
    return Tables(
        passages, right, sentences, right_sentences, np.repeat(np.arange(len(counts)), counts)
    )


def fit_logit(
    rows: Sequence[tuple[Scores, NDArray[np.bool_]]], names: Sequence[str]
) -> dict[str, float]:
    """Fit a conditional logit (McFadden 1974) by its likelihood.

    Each of `rows` is (features [questions, texts, names], which texts are right [questions, texts]);
    a question without a right text is left out.
    """
    rows = [(f[r.any(axis=1)], r[r.any(axis=1)]) for f, r in rows]
    spread = _scale(np.sqrt(np.mean([np.mean(f.var(axis=1), axis=0) for f, _ in rows], axis=0)))
    count = sum(len(r) for _, r in rows)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        total, slope = 0.0, np.zeros(len(names))
        for features, right in rows:
            scores = features @ (weights / spread).astype(np.float32)
            scores -= scores.max(axis=1, keepdims=True)
            all_of, of_right = np.exp(scores), np.where(right, np.exp(scores), 0)
            every, mine = all_of.sum(axis=1, keepdims=True), of_right.sum(axis=1, keepdims=True)
            total += float(np.log(every / np.maximum(mine, 1e-30)).sum())
            pull = all_of / every - of_right / np.maximum(mine, 1e-30)
            slope += np.einsum("qt,qtn->n", pull, features) / spread
        return total / count, slope / count

    found = minimize(loss, np.ones(len(names)), jac=True, method="L-BFGS-B")
    return {n: round(float(w), 4) for n, w in zip(names, found.x / spread, strict=True)}


def _scale(spread: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """What to divide features by, so that a step means the same for each; a constant one stays."""
    return np.where(spread > 0, spread, 1.0)


def stack(parts: dict[str, Scores], names: Sequence[str]) -> Scores:
    """The named tables as one array [questions, texts, names]."""
    return np.stack([parts[name] for name in names], axis=-1)


def ranks(scores: Scores, right: NDArray[np.bool_]) -> list[int | None]:
    """The rank, from 1, of the first right text of each row."""
    ordered = np.take_along_axis(right, np.argsort(-scores, axis=1, kind="stable"), axis=1)
    return [int(row.argmax()) + 1 if row.any() else None for row in ordered]


def figures(of: Sequence[tuple[Scores, NDArray[np.bool_]]]) -> dict[str, float]:
    """Recall at 1, 3 and 5 and the mean reciprocal rank over several articles' scores."""
    every = [rank for scores, right in of for rank in ranks(scores, right)]
    return {
        **{f"recall@{k}": round(metrics.recall_at(every, k), 4) for k in (1, 3, 5)},
        "mrr": round(metrics.mean_reciprocal_rank(every), 4),
    }


def min_max(scores: Scores) -> Scores:
    """Each row scaled to 0..1, the usual fusion that ours is compared with."""
    low, high = scores.min(axis=1, keepdims=True), scores.max(axis=1, keepdims=True)
    scaled: Scores = (scores - low) / np.maximum(high - low, 1e-9)
    return scaled


def ablation(fit: Sequence[Tables], held_out: Sequence[Tables]) -> list[dict[str, object]]:
    """What each part gives alone, and what is left without it, weights fitted anew each time."""

    def row(what: str, scores: Sequence[Scores]) -> dict[str, object]:
        pairs = [(s, t.right_passages) for s, t in zip(scores, held_out, strict=True)]
        return {"ranking": what, **figures(pairs)}

    def fitted(names: Sequence[str]) -> list[Scores]:
        weights = fit_logit([(stack(t.passages, names), t.right_passages) for t in fit], names)
        return [fuse(t.passages, weights) for t in held_out]

    out = [row(f"{name} alone", [t.passages[name] for t in held_out]) for name in PASSAGE_PARTS]
    usual = {"dense": 1.0, "sentence": 1.0, "words": 1.2, "sentence words": 0.8}
    out.append(
        row(
            "min-max scaled sum of the first four (1, 1, 1.2, 0.8)",
            [fuse({n: min_max(t.passages[n]) for n in usual}, usual) for t in held_out],
        )
    )
    out.append(row("the first four, fitted", fitted(PASSAGE_PARTS[:4])))
    for name in PASSAGE_PARTS:
        out.append(row(f"all without {name}", fitted([n for n in PASSAGE_PARTS if n != name])))
    out.append(row("all, fitted", fitted(PASSAGE_PARTS)))
    return out


@dataclass
class Tried:
    """The best sentence for one question: its features, whether it holds the answer, and the kind.

    kind: "answerable", "unanswerable" (of this article, SQuAD 2.0) or "elsewhere" (another article's).
    """

    features: Mapping[str, float]
    right: bool
    kind: str


def try_questions(
    indexes: Sequence[Collection], articles: Sequence[SquadArticle], *, elsewhere: int
) -> list[Tried]:
    """Ask each article its own questions, and some of the next article's, which it cannot answer."""
    out: list[Tried] = []
    for at, (index, article) in enumerate(zip(indexes, articles, strict=True)):
        foreign = [q for q in articles[(at + 1) % len(articles)].questions if q.answers]
        asked = [(q, "answerable" if q.answers else "unanswerable") for q in article.questions]
        asked += [(q, "elsewhere") for q in foreign[:: max(1, len(foreign) // elsewhere)]]
        found = index.search([q.text for q, _ in asked], DEFAULT_K)
        for (question, kind), hits in zip(asked, found, strict=True):
            if candidates := sentence_candidates(question.text, hits):
                place = candidates[0].citation
                right = kind == "answerable" and any(
                    place.start <= start < place.end for start in question.starts
                )
                out.append(Tried(candidates[0].features, right, kind))
    return out


def fit_calibration(tried: Sequence[Tried]) -> dict[str, float]:
    """Fit a logistic regression of being right on the features."""
    names = list(tried[0].features)
    features = np.array([[t.features[name] for name in names] for t in tried])
    spread = _scale(features.std(axis=0))
    model = LogisticRegression(C=1.0, max_iter=1000).fit(
        features / spread, [t.right for t in tried]
    )
    weights = {n: float(w) for n, w in zip(names, model.coef_[0] / spread, strict=True)}
    return {"intercept": round(float(model.intercept_[0]), 4)} | {
        n: round(w, 4) for n, w in weights.items()
    }


def choose_threshold(
    tried: Sequence[Tried], fitted: Calibration, *, count_silence: bool = False, within: float = 0.0
) -> float:
    """The confidence to show an answer from, where answerable questions are half of all.

    The other two kinds are a quarter each. By default precision and recall have their best harmonic
    mean there: precision is the share of shown answers that are right, recall that of answerable
    questions with a right answer shown. With `count_silence` the most questions are dealt with
    rightly: a right answer shown, or none where there is none. Where many do almost as well as the
    best, to `within`, which of them is the best is chance, and their mean is taken.
    """
    shares = {"answerable": 0.5, "unanswerable": 0.25, "elsewhere": 0.25}
    counts = {kind: sum(t.kind == kind for t in tried) for kind in shares}
    confidence = np.array([fitted.probability(t.features) for t in tried])
    weight = np.array([shares[t.kind] / max(1, counts[t.kind]) for t in tried])
    right = weight * np.array([t.right for t in tried])

    none = weight * np.array([t.kind != "answerable" for t in tried])

    def quality(at: float) -> float:
        shown = confidence >= at
        if count_silence:
            return float(right[shown].sum() + none[~shown].sum())
        return float(2 * right[shown].sum() / (weight[shown].sum() + shares["answerable"]))

    grid = np.linspace(0.05, 0.95, 181)
    qualities = np.array([quality(at) for at in grid])
    best = grid[qualities >= qualities.max() - within] if within else grid[[qualities.argmax()]]
    return round(float(best.mean()), 3)


def judge(tried: Sequence[Tried], fitted: Calibration) -> dict[str, float]:
    """How good confidence and threshold are on articles that neither was fitted on."""
    confidence = np.array([fitted.probability(t.features) for t in tried])
    right = np.array([t.right for t in tried])
    out = {
        "questions": len(tried),
        "confidence_auroc": metrics.auroc(confidence, right),
        "calibration_error": metrics.calibration_error(confidence, right),
    }
    for kind in ("answerable", "unanswerable", "elsewhere"):
        mine = np.array([t.kind == kind for t in tried])
        out[f"{kind}_shown"] = float((confidence[mine] >= fitted.threshold).mean())
        if kind == "answerable":
            out["best_right"] = float(right[mine].mean())
            out["shown_right"] = float(right[mine & (confidence >= fitted.threshold)].mean())
    return {name: round(value, 4) for name, value in out.items()}


def main() -> None:
    """Run it all; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("squad", help="train-v2.0.json.gz")
    parser.add_argument("--every", type=int, default=3, help="use every Nth article (default 3)")
    parser.add_argument("--out", default=ROOT / "benchmarks/results/ranking.json", type=Path)
    arguments = parser.parse_args()

    articles = sorted(read_squad(arguments.squad), key=lambda a: a.document.id)[:: arguments.every]
    articles = [a for a in articles if any(q.answers for q in a.questions)]
    encoder = SentenceEncoder()
    indexes = []
    for number, article in enumerate(articles, 1):
        indexes.append(Collection([ArticleIndex.build(article.document, encoder)]))
        print(f"\rencoded {number} of {len(articles)} articles", end="", flush=True)
    print()
    # Every third is held out, from fitting as from calibration.
    held = [number % 3 == 2 for number in range(len(articles))]
    of = [tables(i, a, encoder) for i, a in zip(indexes, articles, strict=True)]
    fit = [t for t, out in zip(of, held, strict=True) if not out]
    held_out = [t for t, out in zip(of, held, strict=True) if out]

    table = ablation(fit, held_out)
    for row in table:
        print(row)
    first_stage, passage = (
        fit_logit([(stack(t.passages, names), t.right_passages) for t in fit], names)
        for names in (FIRST_STAGE, PASSAGE_PARTS)
    )
    for t in of:
        t.sentences["passage"] = fuse(t.passages, passage)[:, t.owner]
    sentence = fit_logit(
        [(stack(t.sentences, SENTENCE_PARTS), t.right_sentences) for t in fit], SENTENCE_PARTS
    )
    ranking = {"first stage": first_stage, "passage": passage, "sentence": sentence}
    collection.ranking().update(ranking)
    of_sentences = figures([(fuse(t.sentences, sentence), t.right_sentences) for t in held_out])
    print("sentences:", of_sentences)

    def part(out: bool) -> list[Tried]:
        mine = [
            pair
            for pair, h in zip(zip(indexes, articles, strict=True), held, strict=True)
            if h == out
        ]
        return try_questions([i for i, _ in mine], [a for _, a in mine], elsewhere=100)

    tried, judged = part(False), part(True)
    weights = fit_calibration(tried)
    threshold = choose_threshold(tried, Calibration(0.0, weights))
    quality = judge(judged, Calibration(threshold, weights))
    print("calibration:", weights, threshold, quality)
    calibrations = read_fitted(FITTED)
    calibrations["sentences"] = {"threshold": threshold, "weights": weights}

    result = {
        "command": f"python -m training.fit_ranking {Path(arguments.squad).name}",
        "articles": {"fitted": len(fit), "held_out": len(held_out)},
        "held_out_questions": sum(len(t.right_passages) for t in held_out),
        "ablation": table,
        "sentences": of_sentences,
        "confidence": quality,
    }
    write_manifest(collection.RANKING, ranking)
    write_manifest(FITTED, calibrations)
    arguments.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
