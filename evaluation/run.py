"""Ask the questions of files in the SQuAD layout and summarize the quality of the answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evaluation import metrics
from evaluation.squad import SquadArticle, SquadQuestion
from index.documents.document import of_paragraphs
from index.models.types import Encoder
from index.search.article_index import ArticleIndex
from index.search.collection import Collection, Hit
from qa.answerer import ArticleAnswerer
from qa.calibration import Calibration, load_sentence_calibration, load_span_calibration
from qa.candidates import PassageReader
from qa.types import Answer

RANKED = 10  # passages ranked, for recall@10
BATCH_SIZE = 256  # questions asked at a time
MODES = ("article", "paragraph")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question, its answer, and the rank of the first passage of the question's own paragraph.

    `best_text` is the best span, even if no answer was shown, and never the whole sentence. The ranks
    are from 1, None where no passage of the paragraph was retrieved. `misquoted`: whether anything
    shown differs from the article's text at its offsets.
    """

    question: SquadQuestion
    answer: Answer
    best_text: str
    rank: int | None
    rank_before_reading: int | None
    misquoted: bool = False

    @property
    def shown_text(self) -> str:
        """The best span, "" where the program abstained."""
        return "" if self.answer.abstained else self.best_text

    @property
    def no_answer_score(self) -> float:
        """The reader's no-answer score; without a reader, 1 - confidence."""
        score = self.answer.no_answer_score
        return 1 - self.answer.confidence if score is None else score

    def to_dict(self) -> dict[str, Any]:
        """One line of the predictions file."""
        best = self.answer.best
        return {
            "id": self.question.id,
            "text": self.shown_text,
            "best_text": self.best_text,
            "confidence": round(self.answer.confidence, 4),
            "start": best and best.start,
            "end": best and best.end,
            "passages": [
                [hit.passage.start, hit.passage.end, round(hit.score, 4)]
                for hit in self.answer.hits
            ],
        }


def evaluate(
    articles: Sequence[SquadArticle],
    encoder: Encoder,
    reader: PassageReader | None = None,
    *,
    mode: str = "article",
    k: int,
    limit: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Outcome]:
    """Ask the questions, at most `limit` of them, and yield the outcome of each.

    In mode "article" a question is asked of its whole article, in mode "paragraph" of its own
    paragraph alone, which is SQuAD's official protocol. Raises ValueError for any other mode.
    """
    if mode not in MODES:
        raise ValueError(f"the mode is '{mode}': choose one of {', '.join(MODES)}")
    calibration = load_span_calibration() if reader else load_sentence_calibration()
    return _outcomes(articles, encoder, reader, calibration, mode, k, limit, progress)


def _outcomes(
    articles: Sequence[SquadArticle],
    encoder: Encoder,
    reader: PassageReader | None,
    calibration: Calibration,
    mode: str,
    k: int,
    limit: int | None,
    progress: Callable[[int, int], None] | None,
) -> Iterator[Outcome]:
    total = sum(len(a.questions) for a in articles)
    total = total if limit is None else min(limit, total)
    done = 0
    for article in articles:
        for unit in [article] if mode == "article" else _paragraphs(article):
            questions = unit.questions[: total - done]
            if not questions:
                continue
            collection = Collection([ArticleIndex.build(unit.document, encoder)])
            answerer = ArticleAnswerer(collection, reader, calibration=calibration)
            yield from ask_article(unit, questions, answerer, k=k)
            done += len(questions)
            if progress:
                progress(done, total)


def ask_article(
    article: SquadArticle,
    questions: Sequence[SquadQuestion],
    answerer: ArticleAnswerer,
    *,
    k: int,
) -> Iterator[Outcome]:
    """Ask the answerer, which has the article open, some of the article's questions."""
    for first in range(0, len(questions), BATCH_SIZE):
        batch = questions[first : first + BATCH_SIZE]
        answers = answerer.ask_all([(q.text, q.history) for q in batch], k=k, ranked=RANKED)
        for question, answer in zip(batch, answers, strict=True):
            yield _outcome(article, question, answer)


def summarize(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """All figures of an evaluation; exact_match and f1 are in percent.

    They are computed on the best span, "" where the program abstained. `no_abstention` is computed on
    the best span of the answerable questions, even where the program abstained, `as_shown` on the
    answer as displayed, which is a sentence for "why" and "how".
    """
    accepted = [o.question.answers for o in outcomes]
    texts, best = [o.shown_text for o in outcomes], [o.best_text for o in outcomes]
    shown_pairs = list(zip(texts, accepted, strict=True))
    best_pairs = list(zip(best, accepted, strict=True))
    ranks = [o.rank for o in outcomes if o.question.answers]
    before = [o.rank_before_reading for o in outcomes if o.question.answers]
    confidence = [o.answer.confidence for o in outcomes]
    out: dict[str, Any] = {
        "n": len(outcomes),
        "misquoted": sum(o.misquoted for o in outcomes),
        "exact_match": _percent([metrics.exact_match(t, a) for t, a in shown_pairs]),
        "f1": _percent([metrics.f1(t, a) for t, a in shown_pairs]),
        "no_abstention": {
            "exact_match": _percent([metrics.exact_match(t, a) for t, a in best_pairs if a]),
            "f1": _percent([metrics.f1(t, a) for t, a in best_pairs if a]),
        },
        "as_shown": {
            "f1": _percent([metrics.f1(o.answer.text or "", o.question.answers) for o in outcomes]),
            "holds_answer": _percent(
                [
                    metrics.contains_answer(o.answer.text or "", a)
                    for o, a in zip(outcomes, accepted, strict=True)
                    if a
                ]
            ),
        },
        **{f"recall@{k}": round(metrics.recall_at(ranks, k), 4) for k in (1, 3, 5, 10)},
        "mrr": round(metrics.mean_reciprocal_rank(ranks), 4),
        "before_reading": {
            **{f"recall@{k}": round(metrics.recall_at(before, k), 4) for k in (1, 3, 5, 10)},
            "mrr": round(metrics.mean_reciprocal_rank(before), 4),
        },
        "answered": round(sum(t != "" for t in texts) / max(1, len(texts)), 4),
        # The confidence is that of the best span, even where a sentence is displayed.
        "calibration_error": round(
            metrics.calibration_error(confidence, [metrics.right(t, a) for t, a in best_pairs]), 4
        ),
    }
    if not all(accepted):
        no_answer, has = [o.no_answer_score for o in outcomes], [bool(a) for a in accepted]
        official = metrics.squad2(texts, best, no_answer, accepted)
        out["squad2"] = {name: round(value, 4) for name, value in official.items()}
        out["no_answer_auroc"] = round(metrics.auroc([-s for s in no_answer], has), 4)
        out["confidence_auroc"] = round(metrics.auroc(confidence, has), 4)
    return out


def write_predictions(outcomes: Sequence[Outcome], path: str | Path) -> None:
    """Write the outcomes as JSON lines; raises OSError."""
    with Path(path).open("w", encoding="utf-8") as file:
        for outcome in outcomes:
            file.write(json.dumps(outcome.to_dict(), ensure_ascii=False) + "\n")


def _outcome(article: SquadArticle, question: SquadQuestion, answer: Answer) -> Outcome:
    text, best = article.document.text, answer.best
    retrieved = sorted(answer.hits, key=lambda hit: -hit.parts.get("retrieval", hit.score))
    return Outcome(
        question,
        answer,
        text[best.start : best.end] if best else "",
        _rank(article, question, answer.hits),
        _rank(article, question, retrieved),
        bool(misquotations(answer, {article.document.id: text})),
    )


def misquotations(answer: Answer, texts: Mapping[str, str]) -> list[str]:
    """What an answer quotes wrongly, as sentences; empty unless the program has a bug.

    `texts` are the documents' texts by id.
    """
    cited = [(a.text, a.citation) for a in answer.alternatives]
    if answer.citation:
        cited.append((answer.text or "", answer.citation))
    quoted = [(text, c.document, c.start, c.end) for text, c in cited]
    quoted += [(p.text, p.document_id, p.start, p.end) for p in (h.passage for h in answer.hits)]
    wrong = [
        f"{text!r} is not the text of {document} at {start} to {end}"
        for text, document, start, end in quoted
        if not text or texts[document][start:end] != text
    ]
    outside = [
        f"{text!r} is not within its sentence"
        for text, c in cited
        if not c.sentence_start <= c.start < c.end <= c.sentence_end
    ]
    return wrong + outside


def _rank(article: SquadArticle, question: SquadQuestion, hits: Sequence[Hit]) -> int | None:
    start, end = article.paragraphs[question.paragraph]
    overlaps = [h.passage.start < end and start < h.passage.end for h in hits]
    return 1 + overlaps.index(True) if any(overlaps) else None


def _paragraphs(article: SquadArticle) -> list[SquadArticle]:
    """Each paragraph as an article, with the answers' offsets relative to it."""
    paragraphs = []
    for number, (start, end) in enumerate(article.paragraphs):
        document = of_paragraphs(
            [article.document.text[start:end]],
            name=f"{article.document.id}#{number}",
            source=article.document.source,
            title=article.document.title,
        )
        questions = [
            replace(q, paragraph=0, starts=tuple(s - start for s in q.starts))
            for q in article.questions
            if q.paragraph == number
        ]
        paragraphs.append(SquadArticle(document, ((0, end - start),), tuple(questions)))
    return paragraphs


def _percent(values: Sequence[float]) -> float:
    return round(100 * sum(values) / max(1, len(values)), 4)
