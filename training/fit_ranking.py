"""Fit the weights of the ranking, and the calibration of sentence answers, on training articles.

Writes index/search/ranking.json and the "sentences" part of qa/calibration.json, and prints and saves
an ablation of the retrievers on held-out training articles. Needs a file in the SQuAD 2.0 format:

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
from index.models.encoder import SentenceEncoder
from index.models.types import Encoder
from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from index.search.fusion import Scores, fuse
from index.search.ranking import RANKING_FILE, RankingWeights
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
    """The scores of an article's answerable questions, by retriever, and which texts are right.

    `passages` and `right_passages` are [questions, passages], `sentences` and `right_sentences`
    [questions, sentences]; `passage_of_sentence` is [sentences].
    """

    passages: dict[str, Scores]
    right_passages: NDArray[np.bool_]
    sentences: dict[str, Scores]
    right_sentences: NDArray[np.bool_]
    passage_of_sentence: NDArray[np.int64]


def score_article(collection: Collection, article: SquadArticle, encoder: Encoder) -> Tables:
    """Score every passage and sentence of an article against its answerable questions."""
    questions = [q for q in article.questions if q.answers]
    queries = [q.text for q in questions]
    passages, sentences = collection.parts(queries, encoder.encode_queries(queries))
    in_paragraph = np.array(
        [
            [p.start < end and start < p.end for p in collection.passages]
            for start, end in article.paragraphs
        ]
    )
    right_passages = np.array([in_paragraph[q.paragraph] for q in questions])
    offsets = np.array([s for p in collection.passages for s in p.sentences])
    starts = np.array([q.starts[0] for q in questions])[:, None]
    right_sentences = (offsets[:, 0] <= starts) & (starts < offsets[:, 1])
    counts = [len(p.sentences) for p in collection.passages]
    passage_of_sentence = np.repeat(np.arange(len(counts)), counts)
    return Tables(passages, right_passages, sentences, right_sentences, passage_of_sentence)


def fit_logit(
    rows: Sequence[tuple[Scores, NDArray[np.bool_]]], names: Sequence[str]
) -> dict[str, float]:
    """Fit a conditional logit (McFadden 1974) by maximum likelihood; returns weights by name.

    Each of `rows` is (features [questions, texts, names], which texts are right [questions, texts]).
    Questions without a right text are left out.
    """
    rows = [(f[r.any(axis=1)], r[r.any(axis=1)]) for f, r in rows]
    scale = _nonzero(np.sqrt(np.mean([np.mean(f.var(axis=1), axis=0) for f, _ in rows], axis=0)))
    count = sum(len(r) for _, r in rows)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        total, gradient = 0.0, np.zeros(len(names))
        for features, right in rows:
            scores = features @ (weights / scale).astype(np.float32)
            scores -= scores.max(axis=1, keepdims=True)
            exp_all, exp_right = np.exp(scores), np.where(right, np.exp(scores), 0)
            sum_all = exp_all.sum(axis=1, keepdims=True)
            sum_right = np.maximum(exp_right.sum(axis=1, keepdims=True), 1e-30)
            total += float(np.log(sum_all / sum_right).sum())
            difference = exp_all / sum_all - exp_right / sum_right
            gradient += np.einsum("qt,qtn->n", difference, features) / scale
        return total / count, gradient / count

    result = minimize(loss, np.ones(len(names)), jac=True, method="L-BFGS-B")
    return {n: round(float(w), 4) for n, w in zip(names, result.x / scale, strict=True)}


def _nonzero(scale: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Replace 0, the standard deviation of a constant feature, by 1."""
    return np.where(scale > 0, scale, 1.0)


def stack(parts: dict[str, Scores], names: Sequence[str]) -> Scores:
    """Stack the named tables to one array [questions, texts, names]."""
    return np.stack([parts[name] for name in names], axis=-1)


def ranks(scores: Scores, right: NDArray[np.bool_]) -> list[int | None]:
    """Return the rank, from 1, of the first right text of each row; None if no text is right."""
    ordered = np.take_along_axis(right, np.argsort(-scores, axis=1, kind="stable"), axis=1)
    return [int(row.argmax()) + 1 if row.any() else None for row in ordered]


def figures(articles: Sequence[tuple[Scores, NDArray[np.bool_]]]) -> dict[str, float]:
    """Return recall at 1, 3 and 5 and the mean reciprocal rank over the questions of articles."""
    all_ranks = [rank for scores, right in articles for rank in ranks(scores, right)]
    return {
        **{f"recall@{k}": round(metrics.recall_at(all_ranks, k), 4) for k in (1, 3, 5)},
        "mrr": round(metrics.mean_reciprocal_rank(all_ranks), 4),
    }


def min_max(scores: Scores) -> Scores:
    """Scale each row to 0..1, as in the usual fusion, which ours is compared with."""
    low, high = scores.min(axis=1, keepdims=True), scores.max(axis=1, keepdims=True)
    scaled: Scores = (scores - low) / np.maximum(high - low, 1e-9)
    return scaled


def ablation(fit: Sequence[Tables], held_out: Sequence[Tables]) -> list[dict[str, object]]:
    """Measure each retriever alone and the ranking without it, with weights fitted each time."""

    def row(label: str, scores: Sequence[Scores]) -> dict[str, object]:
        pairs = [(s, t.right_passages) for s, t in zip(scores, held_out, strict=True)]
        return {"ranking": label, **figures(pairs)}

    def fitted(names: Sequence[str]) -> list[Scores]:
        weights = fit_logit([(stack(t.passages, names), t.right_passages) for t in fit], names)
        return [fuse(t.passages, weights) for t in held_out]

    rows = [row(f"{name} alone", [t.passages[name] for t in held_out]) for name in PASSAGE_PARTS]
    usual = {"dense": 1.0, "sentence": 1.0, "words": 1.2, "sentence words": 0.8}
    rows.append(
        row(
            "min-max scaled sum of the first four (1, 1, 1.2, 0.8)",
            [fuse({n: min_max(t.passages[n]) for n in usual}, usual) for t in held_out],
        )
    )
    rows.append(row("the first four, fitted", fitted(PASSAGE_PARTS[:4])))
    for name in PASSAGE_PARTS:
        rows.append(row(f"all without {name}", fitted([n for n in PASSAGE_PARTS if n != name])))
    rows.append(row("all, fitted", fitted(PASSAGE_PARTS)))
    return rows


@dataclass
class Attempt:
    """The best sentence for a question: its features, whether it has the answer, and the kind.

    kind: "answerable" or "unanswerable" by this article (SQuAD 2.0), or "elsewhere": a question on
    another article.
    """

    features: Mapping[str, float]
    right: bool
    kind: str


def try_questions(
    collections: Sequence[Collection], articles: Sequence[SquadArticle], *, elsewhere: int
) -> list[Attempt]:
    """Search each article for its own questions, and for about `elsewhere` of the next article's."""
    attempts: list[Attempt] = []
    for number, (collection, article) in enumerate(zip(collections, articles, strict=True)):
        foreign = [q for q in articles[(number + 1) % len(articles)].questions if q.answers]
        questions = [(q, "answerable" if q.answers else "unanswerable") for q in article.questions]
        questions += [(q, "elsewhere") for q in foreign[:: max(1, len(foreign) // elsewhere)]]
        results = collection.search([q.text for q, _ in questions], DEFAULT_K)
        for (question, kind), hits in zip(questions, results, strict=True):
            if candidates := sentence_candidates(question.text, hits):
                citation = candidates[0].citation
                right = kind == "answerable" and any(
                    citation.start <= start < citation.end for start in question.starts
                )
                attempts.append(Attempt(candidates[0].features, right, kind))
    return attempts


def fit_calibration(attempts: Sequence[Attempt]) -> dict[str, float]:
    """Fit a logistic regression of whether an attempt is right; returns weights by feature."""
    names = list(attempts[0].features)
    features = np.array([[a.features[name] for name in names] for a in attempts])
    scale = _nonzero(features.std(axis=0))
    model = LogisticRegression(C=1.0, max_iter=1000).fit(
        features / scale, [a.right for a in attempts]
    )
    weights = {n: float(w) for n, w in zip(names, model.coef_[0] / scale, strict=True)}
    return {"intercept": round(float(model.intercept_[0]), 4)} | {
        n: round(w, 4) for n, w in weights.items()
    }


def choose_threshold(
    attempts: Sequence[Attempt],
    fitted: Calibration,
    *,
    count_silence: bool = False,
    within: float = 0.0,
) -> float:
    """Return the least confidence to show an answer with.

    Answerable questions are weighted as half of all, the other two kinds as a quarter each. The
    threshold maximizes F1, where precision is the share of shown answers that are right, and recall
    the share of answerable questions with a right answer shown. With `count_silence` it maximizes
    accuracy: a right answer is shown, or none where there is none. Thresholds whose quality is
    `within` a margin of the best differ by chance only, so their mean is returned.
    """
    shares = {"answerable": 0.5, "unanswerable": 0.25, "elsewhere": 0.25}
    counts = {kind: sum(a.kind == kind for a in attempts) for kind in shares}
    confidence = np.array([fitted.probability(a.features) for a in attempts])
    weight = np.array([shares[a.kind] / max(1, counts[a.kind]) for a in attempts])
    right = weight * np.array([a.right for a in attempts])
    unanswerable = weight * np.array([a.kind != "answerable" for a in attempts])

    def quality(threshold: float) -> float:
        shown = confidence >= threshold
        if count_silence:
            return float(right[shown].sum() + unanswerable[~shown].sum())
        return float(2 * right[shown].sum() / (weight[shown].sum() + shares["answerable"]))

    grid = np.linspace(0.05, 0.95, 181)
    qualities = np.array([quality(threshold) for threshold in grid])
    best = grid[qualities >= qualities.max() - within] if within else grid[[qualities.argmax()]]
    return round(float(best.mean()), 3)


def judge(attempts: Sequence[Attempt], fitted: Calibration) -> dict[str, float]:
    """Measure confidence and threshold, on articles that neither was fitted on."""
    confidence = np.array([fitted.probability(a.features) for a in attempts])
    right = np.array([a.right for a in attempts])
    quality = {
        "questions": len(attempts),
        "confidence_auroc": metrics.auroc(confidence, right),
        "calibration_error": metrics.calibration_error(confidence, right),
    }
    for kind in ("answerable", "unanswerable", "elsewhere"):
        of_kind = np.array([a.kind == kind for a in attempts])
        quality[f"{kind}_shown"] = float((confidence[of_kind] >= fitted.threshold).mean())
        if kind == "answerable":
            quality["best_right"] = float(right[of_kind].mean())
            shown = of_kind & (confidence >= fitted.threshold)
            quality["shown_right"] = float(right[shown].mean())
    return {name: round(value, 4) for name, value in quality.items()}


def main() -> None:
    """Fit and measure everything, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("squad", help="train-v2.0.json.gz")
    parser.add_argument("--every", type=int, default=3, help="use every Nth article (default 3)")
    parser.add_argument("--out", default=ROOT / "benchmarks/results/ranking.json", type=Path)
    arguments = parser.parse_args()

    articles = sorted(read_squad(arguments.squad), key=lambda a: a.document.id)[:: arguments.every]
    articles = [a for a in articles if any(q.answers for q in a.questions)]
    encoder = SentenceEncoder()
    collections = []
    for number, article in enumerate(articles, 1):
        collections.append(Collection([ArticleIndex.build(article.document, encoder)]))
        print(f"\rencoded {number} of {len(articles)} articles", end="", flush=True)
    print()
    # Every third article is held out from the ranking and from the calibration.
    is_held_out = [number % 3 == 2 for number in range(len(articles))]
    tables = [score_article(c, a, encoder) for c, a in zip(collections, articles, strict=True)]
    fit = [t for t, out in zip(tables, is_held_out, strict=True) if not out]
    held_out = [t for t, out in zip(tables, is_held_out, strict=True) if out]

    table = ablation(fit, held_out)
    for row in table:
        print(row)
    first_stage, passage = (
        fit_logit([(stack(t.passages, names), t.right_passages) for t in fit], names)
        for names in (FIRST_STAGE, PASSAGE_PARTS)
    )
    for t in tables:
        t.sentences["passage"] = fuse(t.passages, passage)[:, t.passage_of_sentence]
    sentence = fit_logit(
        [(stack(t.sentences, SENTENCE_PARTS), t.right_sentences) for t in fit], SENTENCE_PARTS
    )
    ranking = RankingWeights(first_stage, passage, sentence)
    sentence_figures = figures([(fuse(t.sentences, sentence), t.right_sentences) for t in held_out])
    print("sentences:", sentence_figures)

    def attempts(*, held_out: bool) -> list[Attempt]:
        chosen = [i for i, out in enumerate(is_held_out) if out == held_out]
        return try_questions(
            [Collection(collections[i].indexes, weights=ranking) for i in chosen],
            [articles[i] for i in chosen],
            elsewhere=100,
        )

    fit_attempts, held_out_attempts = attempts(held_out=False), attempts(held_out=True)
    weights = fit_calibration(fit_attempts)
    threshold = choose_threshold(fit_attempts, Calibration(0.0, weights))
    quality = judge(held_out_attempts, Calibration(threshold, weights))
    print("calibration:", weights, threshold, quality)
    calibrations = read_fitted(FITTED)
    calibrations["sentences"] = {"threshold": threshold, "weights": weights}

    result = {
        "command": f"python -m training.fit_ranking {Path(arguments.squad).name}",
        "articles": {"fitted": len(fit), "held_out": len(held_out)},
        "held_out_questions": sum(len(t.right_passages) for t in held_out),
        "ablation": table,
        "sentences": sentence_figures,
        "confidence": quality,
    }
    write_manifest(RANKING_FILE, ranking.to_dict())
    write_manifest(FITTED, calibrations)
    arguments.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
