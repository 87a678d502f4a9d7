"""Retrieve, read, choose, calibrate: from a question to an answer."""

from __future__ import annotations

import math
import time
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple, Protocol

from index.documents.cleaning import replace_surrogates
from index.documents.document import Document
from index.search.collection import Collection, Hit
from qa.calibration import Calibration, load_sentence_calibration, load_span_calibration
from qa.candidates import (
    Candidate,
    PassageReader,
    deduplicate_candidates,
    read_hits,
    sentence_candidates,
    span_candidates,
    whole_sentence,
    worth_reading,
)
from qa.dates import asks_for_previous, asks_when, is_duration, previous_of
from qa.questions import QueryVariant, asks_for_description, check_question, query_variants
from qa.rules import ALL_RULES, Rules
from qa.spelling import respelled, words_of
from qa.types import Alternative, Answer, QuestionError, Turn

DEFAULT_K = 5
MAX_ALTERNATIVES = 2
# Alternatives less likely than this are not shown.
MIN_ALTERNATIVE_CONFIDENCE = 0.05


class Attempt(NamedTuple):
    """A query variant, the candidate answers to it and the passages retrieved for it, best first."""

    variant: QueryVariant
    candidates: Sequence[Candidate]
    hits: Sequence[Hit]


class Retriever(Protocol):
    """Finds passages: a Collection or a StoredCollection."""

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """The k best passages for each query, best first."""
        ...


class Answerer:
    """Answers questions from the passages of a retriever."""

    def __init__(
        self,
        retriever: Retriever,
        reader: PassageReader | None = None,
        note: str = "",
        *,
        calibration: Calibration | None = None,
        rules: Rules = ALL_RULES,
    ) -> None:
        """Without a reader, answers are whole sentences.

        `note` tells the user what went wrong while opening. `calibration` is by default read from
        the fitted file, for spans or for sentences. Raises ArticleError where that file is damaged.
        """
        self.reader = reader
        if calibration is None:
            calibration = load_span_calibration() if reader else load_sentence_calibration()
        self.calibration = calibration
        self.note = note
        self.rules = rules
        self._retriever = retriever

    def ask(self, question: str, *, history: Sequence[Turn] = (), k: int = DEFAULT_K) -> Answer:
        """Answer a question, asked after the turns of `history`, from the k best passages.

        Raises QuestionError for a question that is blank or too long, and for a k below 1.
        """
        return self.ask_all([(question, history)], k=k)[0]

    def ask_all(
        self,
        questions: Sequence[tuple[str, Sequence[Turn]]],
        *,
        k: int = DEFAULT_K,
        ranked: int | None = None,
    ) -> list[Answer]:
        """Answer many questions, each with its own history, faster than one by one.

        `ranked`, where greater than k, is the number of passages returned: the first k are read and
        reordered, the others follow in the order of retrieval. Raises as ask() does.
        """
        if k < 1:
            raise QuestionError(f"k is {k}, but must be 1 or more.")
        for question, _ in questions:
            check_question(question)
        started = time.perf_counter()
        # Answers repeat the question, and JSON cannot carry lone surrogates.
        questions = [
            (
                replace_surrogates(question),
                [Turn(*map(replace_surrogates, turn)) for turn in history],
            )
            for question, history in questions
        ]
        variants = [self.variants(question, history) for question, history in questions]
        queries = [variant.text for group in variants for variant in group]
        retrieved_hits = self._retriever.search(queries, max(k, ranked or k))
        retrieved = time.perf_counter()
        candidates = self.candidates(
            [(query, hits[:k]) for query, hits in zip(queries, retrieved_hits, strict=True)]
        )
        seconds = {
            "retrieve": (retrieved - started) / max(1, len(questions)),
            "read": (time.perf_counter() - retrieved) / max(1, len(questions)),
        }
        results = iter(zip(candidates, retrieved_hits, strict=True))
        answers = []
        for (question, history), group in zip(questions, variants, strict=True):
            attempts = [Attempt(variant, *next(results)) for variant in group]
            earlier_answers = {turn.answer for turn in history if turn.answer}
            best = self._best_attempt(attempts, earlier_answers)
            answers.append(self._answer(question, best, k, seconds))
        return answers

    def variants(self, question: str, history: Sequence[Turn]) -> list[QueryVariant]:
        """The texts that are searched and read for a question."""
        return query_variants(question, history, self.rules)

    def candidates(self, queries: Sequence[tuple[str, Sequence[Hit]]]) -> list[list[Candidate]]:
        """The candidate answers to each query from its passages, best first."""
        if self.reader is None:
            return [sentence_candidates(query, hits) for query, hits in queries]
        to_read = [(query, worth_reading(hits)) for query, hits in queries]
        readings = read_hits(self.reader, to_read)
        return [
            span_candidates(query, hits, reading, self.calibration.choice)
            for (query, hits), reading in zip(to_read, readings, strict=True)
        ]

    def _best_attempt(
        self, attempts: Sequence[Attempt], earlier_answers: Container[str]
    ) -> Attempt:
        """The attempt with the most confident answer.

        The fallback counts only where no other attempt reaches the threshold, and not if it repeats
        an earlier answer: then it has answered the previous question, which it contains.
        """

        def confidence(attempt: Attempt) -> float:
            found = attempt.candidates
            return self.calibration.probability(found[0].features) if found else 0.0

        def repeats(attempt: Attempt) -> bool:
            found = attempt.candidates
            return attempt.variant.fallback and bool(found) and found[0].text in earlier_answers

        best = max((a for a in attempts if not a.variant.fallback), key=confidence)
        if confidence(best) >= self.calibration.threshold:
            return best
        return max((a for a in attempts if not repeats(a)), key=confidence)

    def _previous_date_first(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The candidates; of those above the threshold the second latest date is moved to the front."""
        shown = [
            candidate
            for candidate in candidates
            if self.calibration.probability(candidate.features) >= self.calibration.threshold
        ]
        number = previous_of([candidate.text for candidate in shown])
        first = [] if number is None else [shown[number]]
        return [*first, *(c for c in candidates if c not in first)]

    def _answer(self, question: str, attempt: Attempt, k: int, seconds: dict[str, float]) -> Answer:
        query, (_, candidates, hits) = attempt.variant.text, attempt
        if self.rules.previous_date and asks_for_previous(query):
            candidates = self._previous_date_first(candidates)
        displayed = list(candidates)
        if self.rules.descriptive and asks_for_description(query):
            displayed = [whole_sentence(c, hits[c.hit_index]) for c in candidates]
        if self.rules.durations and asks_when(query):
            displayed = displayed[:1] + [c for c in displayed[1:] if not is_duration(c.text)]
        shown = [
            Alternative(c.text, self.calibration.probability(c.features), c.citation)
            for c in deduplicate_candidates(displayed, 1 + MAX_ALTERNATIVES)
        ]
        first = shown[0] if shown else None
        no_answer = None
        if self.reader:
            no_answer = candidates[0].no_answer_score if candidates else math.inf
        answered = first is not None and first.confidence >= self.calibration.threshold
        return Answer(
            question=question,
            rewritten=query if attempt.variant.rewritten else None,
            text=first.text if first and answered else None,
            confidence=first.confidence if first else 0.0,
            no_answer_score=no_answer,
            citation=first.citation if first and answered else None,
            best=candidates[0].citation if candidates else None,
            alternatives=_alternatives(shown),
            hits=(*_reordered(hits[:k], candidates), *hits[k:]),
            seconds=seconds,
        )


class ArticleAnswerer(Answerer):
    """Answers questions about open documents, one or several."""

    def __init__(
        self,
        collection: Collection,
        reader: PassageReader | None = None,
        note: str = "",
        *,
        calibration: Calibration | None = None,
        rules: Rules = ALL_RULES,
    ) -> None:
        """The arguments are those of Answerer, with a collection for the retriever."""
        super().__init__(collection, reader, note, calibration=calibration, rules=rules)
        self.collection = collection

    @property
    def documents(self) -> Mapping[str, Document]:
        """The documents by id, in the order in which they were opened."""
        return self.collection.documents

    @property
    def document(self) -> Document:
        """The first document."""
        return next(iter(self.documents.values()))

    def variants(self, question: str, history: Sequence[Turn]) -> list[QueryVariant]:
        """Those of Answerer, and the question in the spelling of the documents."""
        variants = super().variants(question, history)
        if self.rules.spelling:
            text = respelled(question, self._words, self._is_word)
            if text != question:
                variants.append(QueryVariant(text, rewritten=True))
        return variants

    @cached_property
    def _words(self) -> dict[str, str]:
        return words_of(document.text for document in self.documents.values())

    def _is_word(self, word: str) -> bool:
        """Whether a word is in the encoder's vocabulary, which has the 30,000 most frequent."""
        return self.collection.encoder.count_pieces([word])[0] <= 1

    def only(self, ids: Iterable[str]) -> ArticleAnswerer:
        """An answerer for some of the documents; raises QuestionError if none of the ids is open."""
        chosen = set(ids)  # once, since it may be an iterator
        wanted = [identity for identity in self.documents if identity in chosen]
        if not wanted:
            raise QuestionError(
                f"None of these documents is open. Choose from {', '.join(self.documents)}."
            )
        return ArticleAnswerer(
            self.collection.only(wanted),
            self.reader,
            self.note,
            calibration=self.calibration,
            rules=self.rules,
        )


def _alternatives(shown: Sequence[Alternative]) -> tuple[Alternative, ...]:
    """All but the first that are likely enough to show, most confident first.

    The calibration is fitted on first answers, so an alternative's confidence is at most the
    probability that the first answer is wrong.
    """
    rest = 1 - shown[0].confidence if shown else 0.0
    others = [replace(other, confidence=min(other.confidence, rest)) for other in shown[1:]]
    likely = (other for other in others if other.confidence >= MIN_ALTERNATIVE_CONFIDENCE)
    return tuple(sorted(likely, key=lambda other: -other.confidence))


def _reordered(hits: Sequence[Hit], candidates: Sequence[Candidate]) -> list[Hit]:
    """The hits by the score of their best candidate, which replaces their own; those without one last.

    The retrieval score is kept in `parts["retrieval"]`.
    """
    best: dict[int, float] = {}
    for candidate in candidates:
        number = candidate.hit_index
        best[number] = max(candidate.score, best.get(number, candidate.score))
    lowest = min(best.values(), default=0.0)
    reordered = [
        replace(
            hit,
            score=best.get(number, min(lowest, hit.score)),
            parts={**hit.parts, "retrieval": hit.score},
        )
        for number, hit in enumerate(hits)
    ]
    return sorted(reordered, key=lambda hit: -hit.score)
