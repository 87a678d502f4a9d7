"""Ask every question of a file in the SQuAD layout, and say how good the answers were."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evaluation import metrics
from evaluation.squad import SquadArticle, SquadQuestion
from index.documents.document import Document
from index.models.types import Encoder
from index.search.article_index import ArticleIndex
from index.search.collection import Collection, Hit
from qa.answerer import ArticleAnswerer
from qa.candidates import PassageReader
from qa.types import Answer

# So many passages are ranked that recall@10 can be told; so many questions are asked at a time.
RANKED = 10
BATCH = 256
MODES = ("article", "paragraph")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question, what was answered, and the ranks of the first passage of its own paragraph.

    `best_text` are the words found, whether they were shown or not, and never widened to a sentence.
    `misquoted` is whether anything shown stands otherwise in the article.
    """

    question: SquadQuestion
    answer: Answer
    best_text: str
    rank: int | None
    rank_before_reading: int | None
    misquoted: bool = False

    @property
    def shown_text(self) -> str:
        """The words found, "" where the answer was that the article does not say."""
        return "" if self.answer.abstained else self.best_text

    @property
    def no_answer_score(self) -> float:
        """What says that there is no answer: the reader's score, without one the lack of confidence."""
        score = self.answer.no_answer_score
        return 1 - self.answer.confidence if score is None else score

    def to_dict(self) -> dict[str, Any]:
        """A line of the predictions file."""
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
    """Ask the questions, at most `limit` of them, and yield what came of each.

    In mode "article" a question is asked of its whole article, in mode "paragraph" of its own
    paragraph alone, which is SQuAD's official protocol. Raises ValueError for any other mode.
    """
    if mode not in MODES:
        raise ValueError(f"the mode is '{mode}': choose one of {', '.join(MODES)}")
    return _outcomes(articles, encoder, reader, mode, k, limit, progress)


def _outcomes(
    articles: Sequence[SquadArticle],
    encoder: Encoder,
    reader: PassageReader | None,
    mode: str,
    k: int,
    limit: int | None,
    progress: Callable[[int, int], None] | None,
) -> Iterator[Outcome]:
    total = sum(len(a.questions) for a in articles)
    total = total if limit is None else min(limit, total)
    done = 0
    for article in articles:
        units = [article] if mode == "article" else _paragraphs(article)
        for unit in units:
            questions = unit.questions[: total - done]
            if not questions:
                continue
            answerer = ArticleAnswerer(
                Collection([ArticleIndex.build(unit.document, encoder)]), reader
            )
            for at in range(0, len(questions), BATCH):
                some = questions[at : at + BATCH]
                answers = answerer.ask_all([(q.text, q.history) for q in some], k=k, ranked=RANKED)
                for question, answer in zip(some, answers, strict=True):
                    yield _outcome(unit, question, answer)
            done += len(questions)
            if progress:
                progress(done, total)


def summarize(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """All figures of an evaluation; exact_match and f1 in percent, of the words found in what is shown.

    Those of `no_abstention` are of the words found whether shown or not, for the questions that have
    an answer, and `as_shown` is the f1 of what a person sees, with sentences for a "why" or "how".
    """
    accepted = [o.question.answers for o in outcomes]
    texts, best = [o.shown_text for o in outcomes], [o.best_text for o in outcomes]
    pairs, found = list(zip(texts, accepted, strict=True)), list(zip(best, accepted, strict=True))
    ranks = [o.rank for o in outcomes if o.question.answers]
    before = [o.rank_before_reading for o in outcomes if o.question.answers]
    confidence = [o.answer.confidence for o in outcomes]
    out: dict[str, Any] = {
        "n": len(outcomes),
        "misquoted": sum(o.misquoted for o in outcomes),
        "exact_match": _percent([metrics.exact_match(t, a) for t, a in pairs]),
        "f1": _percent([metrics.f1(t, a) for t, a in pairs]),
        "no_abstention": {
            "exact_match": _percent([metrics.exact_match(t, a) for t, a in found if a]),
            "f1": _percent([metrics.f1(t, a) for t, a in found if a]),
        },
        "as_shown": {
            "f1": _percent([metrics.f1(o.answer.text or "", o.question.answers) for o in outcomes]),
            "holds_answer": _percent(
                [
                    metrics.holds(o.answer.text or "", a)
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
        # Confidence speaks of the words found.
        "calibration_error": round(
            metrics.calibration_error(confidence, [metrics.right(t, a) for t, a in found]), 4
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
    """Write a line of JSON a question."""
    with Path(path).open("w", encoding="utf-8") as file:
        for outcome in outcomes:
            file.write(json.dumps(outcome.to_dict(), ensure_ascii=False) + "\n")


def _outcome(article: SquadArticle, question: SquadQuestion, answer: Answer) -> Outcome:
    text, best = article.document.text, answer.best
    found = sorted(answer.hits, key=lambda hit: -hit.parts.get("retrieval", hit.score))
    return Outcome(
        question,
        answer,
        text[best.start : best.end] if best else "",
        _rank(article, question, answer.hits),
        _rank(article, question, found),
        bool(misquotations(answer, {article.document.id: text})),
    )


def misquotations(answer: Answer, texts: Mapping[str, str]) -> list[str]:
    """What an answer quotes otherwise than it stands in the documents' texts: nothing, ever."""
    cited = [(a.text, a.citation) for a in answer.alternatives]
    if answer.citation:
        cited.append((answer.text or "", answer.citation))
    quoted = [(words, at.document, at.start, at.end) for words, at in cited]
    quoted += [(p.text, p.document_id, p.start, p.end) for p in (h.passage for h in answer.hits)]
    wrong = [
        f"{words!r} is not what stands at {start} to {end} of {document}"
        for words, document, start, end in quoted
        if not words or texts[document][start:end] != words
    ]
    outside = [
        f"{words!r} is not within its sentence"
        for words, at in cited
        if not at.sentence_start <= at.start < at.end <= at.sentence_end
    ]
    return wrong + outside


def _rank(article: SquadArticle, question: SquadQuestion, hits: Sequence[Hit]) -> int | None:
    start, end = article.paragraphs[question.paragraph]
    of_paragraph = [h.passage.start < end and start < h.passage.end for h in hits]
    return 1 + of_paragraph.index(True) if any(of_paragraph) else None


def _paragraphs(article: SquadArticle) -> list[SquadArticle]:
    """Each paragraph as an article of its own, its questions' offsets moved to it."""
    found = []
    for number, (start, end) in enumerate(article.paragraphs):
        document = Document(
            id=f"{article.document.id}#{number}",
            title=article.document.title,
            text=article.document.text[start:end],
            source=article.document.source,
        )
        questions = [
            replace(q, paragraph=0, starts=tuple(s - start for s in q.starts))
            for q in article.questions
            if q.paragraph == number
        ]
        found.append(SquadArticle(document, ((0, end - start),), tuple(questions)))
    return found


def _percent(values: Sequence[float]) -> float:
    return round(100 * sum(values) / max(1, len(values)), 4)
