"""From the passages found, and what was read in them, to candidate answers, best first."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from index.search.collection import Hit, SentenceHit
from qa.calibration import of_spans, weighted_sum
from qa.normalize import normalize
from qa.reader import Reading
from qa.spans import Span
from qa.types import Citation

# Spans read in each passage, of which those of all passages compete.
SPANS_PER_PASSAGE = 5
# A passage less likely than this to be the right one, as far as retrieval can tell, is not read.
LEAST_SHARE = 0.01
# The features of the confidence stay within it, however lopsided the shares are.
MAX_LOG_ODDS = 12.0

_WORD = re.compile(r"\w+")
_NAME = re.compile(r"(?<=\w\W)[A-Z]\w+")
_SEPARATORS = ",;: \t\n\r"
# An apostrophe also ends a quotation, so the single marks are left alone.
_CLOSING = {"(": ")", "[": "]", "“": "”", "«": "»", '"': '"'}
_OPENING = {closing: opening for opening, closing in _CLOSING.items()}


class PassageReader(Protocol):
    """What reads: a Reader, or whatever stands in for one."""

    def read_all(
        self, asked: Sequence[tuple[str, Sequence[str]]], *, n: int = 5
    ) -> list[list[Reading]]:
        """The n best spans and the no-answer score of each passage, for each question."""
        ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """Words that may answer a question.

    `hit` is the place of its passage among those given, from 0; `score` is comparable among the
    candidates of one question, and `features` are what its confidence is made of.
    """

    text: str
    citation: Citation
    hit: int
    score: float
    features: Mapping[str, float]

    @property
    def no_answer_score(self) -> float:
        """How far the passage's no-answer score stands above this span's; KeyError for a sentence."""
        return self.features["no answer"] - self.features["span"]


def sentence_candidates(question: str, hits: Sequence[Hit]) -> list[Candidate]:
    """The sentences of the passages, for where there is no reader."""
    found = [
        (sentence, number)
        for number, hit in enumerate(hits)
        if not hit.passage.furniture
        for sentence in hit.sentences
    ]
    found.sort(key=lambda pair: -pair[0].score)
    # The scores are those of a conditional logit, so their softmax is a share of probability.
    shares = _softmax([sentence.score for sentence, _ in found])
    return [
        Candidate(
            _words(hits[number], sentence.start, sentence.end),
            Citation(hits[number].passage.document_id, *(2 * (sentence.start, sentence.end))),
            number,
            sentence.score,
            {**_of_texts(question, hits[number], sentence), "share": share},
        )
        for (sentence, number), share in zip(found, shares, strict=True)
    ]


def worth_reading(hits: Sequence[Hit], least: float = LEAST_SHARE) -> Sequence[Hit]:
    """The first of a question's passages, best first, that may well be the right one.

    Their scores are those of a conditional logit, so that their softmax is a share of probability.
    """
    return hits[: sum(share >= least for share in _softmax([hit.score for hit in hits]))]


def read_hits(
    reader: PassageReader, asked: Sequence[tuple[str, Sequence[Hit]]]
) -> list[list[Reading]]:
    """What each question's passages say to it; what surrounds an article ("Read more") says nothing."""
    return reader.read_all(
        [
            (question, ["" if hit.passage.furniture else hit.passage.text for hit in hits])
            for question, hits in asked
        ],
        n=SPANS_PER_PASSAGE,
    )


def span_candidates(
    question: str,
    hits: Sequence[Hit],
    readings: Sequence[Reading],
    choice: Mapping[str, float] | None = None,
) -> list[Candidate]:
    """The spans read in the passages, those with the same words counting for each other.

    `readings` has one for each of `hits`. Spans of all passages compete by a conditional logit whose
    weights are `choice`, by default those that training/fit_answers.py fitted: of the span's score, its
    passage's no-answer score and what retrieval thought of its passage and its sentence.
    """
    weights = of_spans().choice if choice is None else choice
    found = []
    least = min((reading.no_answer for reading in readings), default=0.0)
    asked = set(normalize(question).split())
    words = []
    for number, (hit, reading) in enumerate(zip(hits, readings, strict=True)):
        for span in reading.spans:
            if (place := _place(hit, span)) is None:
                continue
            citation, sentence = place
            text = _words(hit, citation.start, citation.end)
            if not (said := normalize(text)):
                continue
            words.append(said)
            features = {
                "span": span.score,
                "no answer": reading.no_answer,
                "least no answer": least,
                "answerable": reading.answerable,
                "passage": hit.score,
                "sentence": sentence.score,
                # "Who is Putin's wife?" is not answered by "Vladimir Putin".
                "echo": sum(word in asked for word in said.split()) / len(said.split()),
                **_of_texts(question, hit, sentence),
            }
            score = weighted_sum(weights, features)
            found.append(Candidate(text, citation, number, score, features))
    shares: dict[str, float] = {}
    for one, share in zip(words, _softmax([c.score for c in found]), strict=True):
        shares[one] = shares.get(one, 0.0) + share
    candidates = [
        replace(c, features={**c.features, "odds": _log_odds(shares[one])})
        for c, one in zip(found, words, strict=True)
    ]
    return sorted(candidates, key=lambda c: (-c.features["odds"], -c.score))


def different(candidates: Sequence[Candidate], most: int) -> list[Candidate]:
    """The first candidates, at most so many, no two of which say the same in other words.

    They say the same where the words of one are all among the other's, or where they stand in the
    same sentence.
    """
    kept: list[tuple[Candidate, set[str]]] = []
    for candidate in candidates:
        words = set(normalize(candidate.text).split())
        if len(kept) < most and not any(
            words <= other or other <= words or _together(candidate.citation, taken.citation)
            for taken, other in kept
        ):
            kept.append((candidate, words))
    return [candidate for candidate, _ in kept]


def whole_sentence(candidate: Candidate, hit: Hit) -> Candidate:
    """The candidate with all of its sentence for an answer; `hit` is its passage."""
    at = candidate.citation
    start, end = at.sentence_start, at.sentence_end
    return replace(
        candidate, text=_words(hit, start, end), citation=replace(at, start=start, end=end)
    )


def _together(a: Citation, b: Citation) -> bool:
    apart = a.sentence_end <= b.sentence_start or b.sentence_end <= a.sentence_start
    return a.document == b.document and not apart


def _words(hit: Hit, start: int, end: int) -> str:
    """The document's text between two offsets that lie in the passage."""
    first = hit.passage.start
    return hit.passage.text[start - first : end - first]


def _place(hit: Hit, span: Span) -> tuple[Citation, SentenceHit] | None:
    """The span in the document, without marks that only surround it, and its sentence."""
    passage = hit.passage
    start, end = (passage.start + at for at in _tidy(passage.text, span.start, span.end))
    around = [s for s in hit.sentences if s.start < end and start < s.end]
    if start >= end or not around:
        return None
    first, last = min(start, around[0].start), max(end, around[-1].end)
    return Citation(passage.document_id, start, end, first, last), around[0]


def _tidy(text: str, start: int, end: int) -> tuple[int, int]:
    """The stretch without separators, lone brackets and lone or surrounding quotation marks."""
    while start < end:
        first, last = text[start], text[end - 1]
        after, before = text[start + 1 : end], text[start : end - 1]
        if first in _SEPARATORS or _alone(first, after):
            start += 1
        elif last in _SEPARATORS or _alone(last, before):
            end -= 1
        elif _CLOSING.get(first) == last and not {first, last} & set(text[start + 1 : end - 1]):
            start, end = start + 1, end - 1
        else:
            break
    return start, end


def _alone(mark: str, rest: str) -> bool:
    """Whether a mark at one end of a text lacks its fellow in the rest of it."""
    fellows = {_CLOSING.get(mark), _OPENING.get(mark)} - {None}
    return bool(fellows) and not any(fellow in rest for fellow in fellows if fellow)


def _of_texts(question: str, hit: Hit, sentence: SentenceHit) -> dict[str, float]:
    """The features of a confidence that come from retrieval."""
    return {
        "cosine": sentence.parts["sentence"],
        "coverage": sentence.parts["coverage"],
        "passage cosine": hit.parts["dense"],
        "passage coverage": hit.parts["coverage"],
        "known": hit.parts["known"],
        "names": _names_found(question, hit.passage.text),
    }


def _names_found(question: str, text: str) -> float:
    """The share of the question's capitalised words, its first one apart, that the text has."""
    names = _NAME.findall(question)
    words = set(_WORD.findall(text.lower()))
    return sum(name.lower() in words for name in names) / len(names) if names else 1.0


def _softmax(scores: Sequence[float]) -> list[float]:
    top = max(scores, default=0.0)
    odds = [math.exp(score - top) for score in scores]
    return [odd / sum(odds) for odd in odds]


def _log_odds(share: float) -> float:
    rest = max(1.0 - share, math.exp(-MAX_LOG_ODDS))
    return max(-MAX_LOG_ODDS, min(MAX_LOG_ODDS, math.log(max(share, 1e-300) / rest)))
