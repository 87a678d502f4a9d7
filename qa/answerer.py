"""Retrieve, read, choose, calibrate: from a question to an answer."""

from __future__ import annotations

import math
import time
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Protocol

from index.documents.document import Document, well_formed
from index.search.collection import Collection, Hit
from qa.calibration import Calibration, of_sentences, of_spans
from qa.candidates import (
    Candidate,
    PassageReader,
    different,
    read_hits,
    sentence_candidates,
    span_candidates,
    whole_sentence,
    worth_reading,
)
from qa.dates import asks_for_previous, asks_when, is_duration, previous_of
from qa.questions import DESCRIPTIVE, Form, check_question, forms
from qa.spelling import respelled, words_of
from qa.types import Alternative, Answer, QuestionError, Turn

DEFAULT_K = 5
MAX_ALTERNATIVES = 2
# One that is right less often than once in twenty times is no help.
LEAST_ALTERNATIVE = 0.05

# A form of a question, what may answer it, and the passages found for it.
Way = tuple[Form, Sequence[Candidate], Sequence[Hit]]


class Retriever(Protocol):
    """What finds the passages: a Collection, or a StoredCollection."""

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """The k best passages for each query, best first."""
        ...


class Answerer:
    """Passages, wherever they are kept: ask them."""

    def __init__(
        self, retriever: Retriever, reader: PassageReader | None = None, note: str = ""
    ) -> None:
        """Answer from what finds passages; without a reader answers are whole sentences.

        `note` is what a person should know of how it was opened.
        """
        self.reader = reader
        # What makes a candidate's features a confidence.
        self.calibration: Calibration = of_spans() if reader else of_sentences()
        self.note = note
        self._retriever = retriever

    def ask(self, question: str, *, history: Sequence[Turn] = (), k: int = DEFAULT_K) -> Answer:
        """Answer a question, after earlier turns, from the k best passages.

        Raises QuestionError for an empty or an endless question, and for a k below 1.
        """
        return self.ask_all([(question, history)], k=k)[0]

    def ask_all(
        self,
        asked: Sequence[tuple[str, Sequence[Turn]]],
        *,
        k: int = DEFAULT_K,
        ranked: int | None = None,
    ) -> list[Answer]:
        """Answer many questions, each with its own history, faster than one by one.

        `ranked`, where it is more than k, is how many passages to give; the first k of them are read
        and ordered anew, the others follow as they were found.
        """
        if k < 1:
            raise QuestionError(f"k is {k}: ask for at least one passage.")
        for question, _ in asked:
            check_question(question)
        started = time.perf_counter()
        # What no file or message can carry is in no answer either.
        asked = [
            (well_formed(question), [Turn(*map(well_formed, turn)) for turn in history])
            for question, history in asked
        ]
        # One that leans on the turns before it is asked in several ways.
        ways = [self.forms(question, history) for question, history in asked]
        queries = [form.text for of in ways for form in of]
        found = self._retriever.search(queries, max(k, ranked or k))
        retrieved = time.perf_counter()
        candidates = self.candidates(
            [(q, hits[:k]) for q, hits in zip(queries, found, strict=True)]
        )
        seconds = {
            "retrieve": (retrieved - started) / max(1, len(asked)),
            "read": (time.perf_counter() - retrieved) / max(1, len(asked)),
        }
        tried = iter(zip(candidates, found, strict=True))
        answers = []
        for (question, history), of in zip(asked, ways, strict=True):
            said = {turn.answer for turn in history if turn.answer}
            best = self._surest([(form, *next(tried)) for form in of], said)
            answers.append(self._answer(question, *best, k, seconds))
        return answers

    def forms(self, question: str, history: Sequence[Turn]) -> list[Form]:
        """The ways in which a question is asked."""
        return forms(question, history)

    def candidates(self, asked: Sequence[tuple[str, Sequence[Hit]]]) -> list[list[Candidate]]:
        """The candidate answers to each question from its passages, best first."""
        if self.reader is None:
            return [sentence_candidates(*one) for one in asked]
        worth = [(question, worth_reading(hits)) for question, hits in asked]
        readings = read_hits(self.reader, worth)
        return [span_candidates(*one, read) for one, read in zip(worth, readings, strict=True)]

    def _surest(self, ways: Sequence[Way], said: Container[str]) -> Way:
        """The way of asking that is answered most surely, the last resort where the others are not.

        That has the earlier question in it, and where it gets an answer that was given before, that is
        what it answers.
        """

        def confidence(way: Way) -> float:
            return self.calibration.probability(way[1][0].features) if way[1] else 0.0

        def echo(way: Way) -> bool:
            return way[0].last_resort and bool(way[1]) and way[1][0].text in said

        best = max((way for way in ways if not way[0].last_resort), key=confidence)
        if confidence(best) >= self.calibration.threshold:
            return best
        return max((way for way in ways if not echo(way)), key=confidence)

    def _previous(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The candidates with the previous date first, of those sure enough to be shown."""
        sure = [
            candidate
            for candidate in candidates
            if self.calibration.probability(candidate.features) >= self.calibration.threshold
        ]
        place = previous_of([candidate.text for candidate in sure])
        first = [] if place is None else [sure[place]]
        return [*first, *(c for c in candidates if c not in first)]

    def _answer(
        self,
        question: str,
        form: Form,
        candidates: Sequence[Candidate],
        hits: Sequence[Hit],
        k: int,
        seconds: dict[str, float],
    ) -> Answer:
        if asks_for_previous(form.text):
            candidates = self._previous(candidates)
        if DESCRIPTIVE.search(form.text):
            places = [whole_sentence(c, hits[c.hit]) for c in candidates]
        else:
            places = list(candidates)
        if asks_when(form.text):  # how long something took is no other answer to that
            places = [*places[:1], *(c for c in places[1:] if not is_duration(c.text))]
        shown = [
            Alternative(c.text, self.calibration.probability(c.features), c.citation)
            for c in different(places, 1 + MAX_ALTERNATIVES)
        ]
        first = shown[0] if shown else None
        no_answer = None
        if self.reader:
            no_answer = candidates[0].no_answer_score if candidates else math.inf
        answered = first is not None and first.confidence >= self.calibration.threshold
        return Answer(
            question=question,
            rewritten=form.text if form.rewritten else None,
            text=first.text if first and answered else None,
            confidence=first.confidence if first else 0.0,
            no_answer_score=no_answer,
            citation=first.citation if first and answered else None,
            best=candidates[0].citation if candidates else None,
            alternatives=_others(shown),
            hits=(*_reordered(hits[:k], candidates), *hits[k:]),
            seconds=seconds,
        )


class ArticleAnswerer(Answerer):
    """Open articles, one or several: ask them."""

    def __init__(
        self, collection: Collection, reader: PassageReader | None = None, note: str = ""
    ) -> None:
        """Answer from a collection, as a Answerer does."""
        super().__init__(collection, reader, note)
        self.collection = collection

    @property
    def documents(self) -> Mapping[str, Document]:
        """The articles by their ids, in their order."""
        return self.collection.documents

    @property
    def document(self) -> Document:
        """The first article."""
        return next(iter(self.documents.values()))

    def forms(self, question: str, history: Sequence[Turn]) -> list[Form]:
        """The ways in which a question is asked: also with its words in the articles' spelling."""
        text = respelled(question, self._words, self._is_word)
        other = [] if text == question else [Form(text, rewritten=True)]
        return [*super().forms(question, history), *other]

    @cached_property
    def _words(self) -> dict[str, str]:
        return words_of(document.text for document in self.documents.values())

    def _is_word(self, word: str) -> bool:
        """Whether the encoder knows a word as a whole, as it does the thirty thousand commonest."""
        return self.collection.encoder.count_pieces([word])[0] <= 1

    def only(self, ids: Iterable[str]) -> ArticleAnswerer:
        """The same for some of the articles; raises QuestionError where none of the ids is open."""
        chosen = set(ids)  # once, since it may be an iterator
        wanted = [identity for identity in self.documents if identity in chosen]
        if not wanted:
            raise QuestionError(
                f"No open document is asked: choose one or more of {', '.join(self.documents)}."
            )
        return ArticleAnswerer(self.collection.only(wanted), self.reader, self.note)


def _others(shown: Sequence[Alternative]) -> tuple[Alternative, ...]:
    """Those after the first that may well be right instead, the likeliest first.

    The calibration is fitted on first answers: another is right at most where that is not.
    """
    left = 1 - shown[0].confidence if shown else 0.0
    others = [replace(other, confidence=min(other.confidence, left)) for other in shown[1:]]
    likely = (other for other in others if other.confidence >= LEAST_ALTERNATIVE)
    return tuple(sorted(likely, key=lambda other: -other.confidence))


def _reordered(hits: Sequence[Hit], candidates: Sequence[Candidate]) -> list[Hit]:
    """The passages by the best candidate of each, which becomes their score; those without one last."""
    best: dict[int, float] = {}
    for candidate in candidates:
        best[candidate.hit] = max(candidate.score, best.get(candidate.hit, candidate.score))
    low = min(best.values(), default=0.0)
    read = [
        replace(
            hit,
            score=best.get(number, min(low, hit.score)),
            parts={**hit.parts, "retrieval": hit.score},
        )
        for number, hit in enumerate(hits)
    ]
    return sorted(read, key=lambda hit: -hit.score)
