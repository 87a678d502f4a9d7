"""From retrieved passages and the reader's spans to ranked candidate answers."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from index.passages.context import Context
from index.search.collection import Hit, SentenceHit
from qa.calibration import weighted_sum
from qa.normalize import normalize
from qa.reader import Reading
from qa.spans import Span
from qa.types import Citation

# Spans taken from each passage; those of all passages compete.
SPANS_PER_PASSAGE = 5
# Passages whose probability by the retrieval scores is lower than this are not read.
MIN_SHARE = 0.01
# Bound of the log odds, so that one feature cannot dominate the confidence.
MAX_LOG_ODDS = 12.0

_WORD = re.compile(r"\w+")
_NAME = re.compile(r"(?<=\w\W)[A-Z]\w+")
_SEPARATORS = ",;: \t\n\r"
# Without single quotation marks, since an apostrophe looks like a closing one.
_CLOSING = {"(": ")", "[": "]", "“": "”", "«": "»", '"': '"'}
_OPENING = {closing: opening for opening, closing in _CLOSING.items()}


class PassageReader(Protocol):
    """Finds answer spans in passages: a Reader, or a fake in tests."""

    def read_all(
        self, asked: Sequence[tuple[str, Sequence[Context]]], *, n: int = 5
    ) -> list[list[Reading]]:
        """The n best spans and the no-answer score of each passage, for each question."""
        ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """Words that may answer a question.

    `hit_index` is the position of its passage among the hits. `score` is comparable among the
    candidates of one question; `features` are the input of the calibration.
    """

    text: str
    citation: Citation
    hit_index: int
    score: float
    features: Mapping[str, float]

    @property
    def no_answer_score(self) -> float:
        """The passage's no-answer score minus the span's score; raises KeyError for a sentence."""
        return self.features["no answer"] - self.features["span"]


def sentence_candidates(question: str, hits: Sequence[Hit]) -> list[Candidate]:
    """The sentences of the passages by retrieval score, boilerplate last, for use without a reader."""
    sentences = [
        (sentence, number) for number, hit in enumerate(hits) for sentence in hit.sentences
    ]
    sentences.sort(key=lambda pair: (hits[pair[1]].passage.boilerplate, -pair[0].score))
    # The scores are utilities of a conditional logit, so their softmax is a probability.
    shares = _softmax([sentence.score for sentence, _ in sentences])
    return [
        Candidate(
            _text_at(hits[number], sentence.start, sentence.end),
            Citation(
                hits[number].passage.document_id,
                start=sentence.start,
                end=sentence.end,
                sentence_start=sentence.start,
                sentence_end=sentence.end,
            ),
            number,
            sentence.score,
            {**_retrieval_features(question, hits[number], sentence), "share": share},
        )
        for (sentence, number), share in zip(sentences, shares, strict=True)
    ]


def worth_reading(hits: Sequence[Hit], min_share: float = MIN_SHARE) -> Sequence[Hit]:
    """The first hits of a question, given best first, whose probability is at least `min_share`.

    The scores are utilities of a conditional logit, so their softmax is a probability.
    """
    return hits[: sum(share >= min_share for share in _softmax([hit.score for hit in hits]))]


def read_hits(
    reader: PassageReader, queries: Sequence[tuple[str, Sequence[Hit]]]
) -> list[list[Reading]]:
    """Read each query's passages, without the headings in front, which distract the reader."""
    return reader.read_all(
        [(query, [hit.passage.context.body for hit in hits]) for query, hits in queries],
        n=SPANS_PER_PASSAGE,
    )


def span_candidates(
    question: str,
    hits: Sequence[Hit],
    readings: Sequence[Reading],
    weights: Mapping[str, float],
) -> list[Candidate]:
    """The spans read in the passages, best first; equal texts pool their probabilities.

    `readings` has one entry for each hit. The spans of all passages compete in a conditional logit
    with the given weights, Calibration.choice.
    """
    candidates, texts = [], []
    least_no_answer = min((reading.no_answer for reading in readings), default=0.0)
    question_words = set(normalize(question).split())
    for number, (hit, reading) in enumerate(zip(hits, readings, strict=True)):
        for span in reading.spans:
            if (location := _locate(hit, span)) is None:
                continue
            citation, sentence = location
            text = _text_at(hit, citation.start, citation.end)
            if not (normalized := normalize(text)):
                continue
            texts.append(normalized)
            words = normalized.split()
            features = {
                "span": span.score,
                "no answer": reading.no_answer,
                "least no answer": least_no_answer,
                "answerable": reading.answerable,
                "passage": hit.score,
                "sentence": sentence.score,
                # "Who is Putin's wife?" is not answered by "Vladimir Putin".
                "echo": sum(word in question_words for word in words) / len(words),
                **_retrieval_features(question, hit, sentence),
            }
            score = weighted_sum(weights, features)
            candidates.append(Candidate(text, citation, number, score, features))
    shares: dict[str, float] = {}
    for text, share in zip(texts, _softmax([c.score for c in candidates]), strict=True):
        shares[text] = shares.get(text, 0.0) + share
    candidates = [
        replace(c, features={**c.features, "odds": _log_odds(shares[text])})
        for c, text in zip(candidates, texts, strict=True)
    ]
    return sorted(candidates, key=lambda c: (-c.features["odds"], -c.score))


def deduplicate_candidates(candidates: Sequence[Candidate], limit: int) -> list[Candidate]:
    """The first candidates, at most `limit`, without those that repeat one before them.

    Two repeat each other if the words of one are all among the other's, or if they are in the same
    sentence.
    """
    kept: list[tuple[Candidate, set[str]]] = []
    for candidate in candidates:
        words = set(normalize(candidate.text).split())
        if len(kept) < limit and not any(
            words <= other_words
            or other_words <= words
            or _in_same_sentence(candidate.citation, other.citation)
            for other, other_words in kept
        ):
            kept.append((candidate, words))
    return [candidate for candidate, _ in kept]


def whole_sentence(candidate: Candidate, hit: Hit) -> Candidate:
    """The candidate with its whole sentence as the answer; `hit` is its passage."""
    citation = candidate.citation
    start, end = citation.sentence_start, citation.sentence_end
    return replace(
        candidate,
        text=_text_at(hit, start, end),
        citation=replace(citation, start=start, end=end),
    )


def _in_same_sentence(a: Citation, b: Citation) -> bool:
    apart = a.sentence_end <= b.sentence_start or b.sentence_end <= a.sentence_start
    return a.document == b.document and not apart


def _text_at(hit: Hit, start: int, end: int) -> str:
    """The document's text between two of its offsets, which lie in the passage."""
    first = hit.passage.start
    return hit.passage.text[start - first : end - first]


def _locate(hit: Hit, span: Span) -> tuple[Citation, SentenceHit] | None:
    """The trimmed span's citation and its first sentence; None if it is empty or in no sentence."""
    passage = hit.passage
    body = passage.context.body
    place = body.place_of(*_trim(body.text, span.start, span.end))
    if place is None:
        return None
    start, end = place
    sentences = [s for s in hit.sentences if s.start < end and start < s.end]
    if start >= end or not sentences:
        return None
    first, last = min(start, sentences[0].start), max(end, sentences[-1].end)
    return Citation(passage.document_id, start, end, first, last), sentences[0]


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Offsets without separators, unmatched brackets and unmatched or surrounding quotation marks."""
    while start < end:
        first, last = text[start], text[end - 1]
        after, before = text[start + 1 : end], text[start : end - 1]
        if first in _SEPARATORS or _unmatched(first, after):
            start += 1
        elif last in _SEPARATORS or _unmatched(last, before):
            end -= 1
        elif _CLOSING.get(first) == last and not {first, last} & set(text[start + 1 : end - 1]):
            start, end = start + 1, end - 1
        else:
            break
    return start, end


def _unmatched(mark: str, rest: str) -> bool:
    """Whether a bracket or quotation mark at one end of a text has no counterpart in the rest."""
    counterparts = {_CLOSING.get(mark), _OPENING.get(mark)} - {None}
    return bool(counterparts) and not any(other in rest for other in counterparts if other)


def _retrieval_features(question: str, hit: Hit, sentence: SentenceHit) -> dict[str, float]:
    """The features of the calibration that come from retrieval."""
    return {
        "cosine": sentence.parts["sentence"],
        "coverage": sentence.parts["coverage"],
        "passage cosine": hit.parts["dense"],
        "passage coverage": hit.parts["coverage"],
        "known": hit.parts["known"],
        "names": _name_coverage(question, hit.passage.context.text),
    }


def _name_coverage(question: str, text: str) -> float:
    """The share of the question's capitalized words, except its first word, that are in the text."""
    names = _NAME.findall(question)
    words = set(_WORD.findall(text.lower()))
    return sum(name.lower() in words for name in names) / len(names) if names else 1.0


def _softmax(scores: Sequence[float]) -> list[float]:
    highest = max(scores, default=0.0)
    odds = [math.exp(score - highest) for score in scores]
    return [odd / sum(odds) for odd in odds]


def _log_odds(share: float) -> float:
    rest = max(1.0 - share, math.exp(-MAX_LOG_ODDS))
    return max(-MAX_LOG_ODDS, min(MAX_LOG_ODDS, math.log(max(share, 1e-300) / rest)))
