"""An open article that answers questions, and what an answer is."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.article_index import ArticleIndex, Hit, index_folder, open_index
from index.document import Document, read_document
from index.encoder import DEFAULT_ENCODER, Encoder, Progress, SentenceEncoder
from index.errors import ArticleError
from qa.calibration import CALIBRATION, THRESHOLD, probability
from qa.followup import Turn, stand_alone

DEFAULT_ARTICLE = Path(__file__).parent.parent / "articles" / "putin-visits-north-korea.txt"
DEFAULT_K = 5
MAX_QUESTION = 1000
MAX_ALTERNATIVES = 2

_WORD = re.compile(r"\w+")
_NAME = re.compile(r"(?<=\w\W)[A-Z]\w+")


class QuestionError(ArticleError):
    """A question cannot be asked as it is."""


@dataclass(frozen=True, slots=True)
class Citation:
    """Where an answer stands, in characters of the document's text, and the sentence around it."""

    document: str
    start: int
    end: int
    sentence_start: int
    sentence_end: int


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another answer, from elsewhere in the document."""

    text: str
    confidence: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What the article says to a question: `text` is `document.text[citation.start:citation.end]`.

    `text` and `citation` are None when the article does not answer; `best` then still says what came
    nearest. `confidence` is the probability that `best` answers. `rewritten` is the question as it
    was understood, None where that is the question itself. `seconds` has `retrieve` and `read`.
    """

    question: str
    rewritten: str | None
    text: str | None
    confidence: float
    citation: Citation | None
    best: Citation | None
    alternatives: tuple[Alternative, ...]
    hits: tuple[Hit, ...]
    seconds: dict[str, float]

    @property
    def abstained(self) -> bool:
        """Whether the article does not answer, as far as the program can tell."""
        return self.text is None

    def to_json(self) -> dict[str, Any]:
        """The answer as the command line and the API give it."""
        citation = self.citation
        return {
            "question": self.question,
            "rewritten": self.rewritten,
            "text": self.text,
            "abstained": self.abstained,
            "confidence": round(self.confidence, 4),
            "citation": citation
            and {
                "document": citation.document,
                "start": citation.start,
                "end": citation.end,
                "sentence_start": citation.sentence_start,
                "sentence_end": citation.sentence_end,
            },
            "alternatives": [
                {
                    "text": a.text,
                    "confidence": round(a.confidence, 4),
                    "start": a.start,
                    "end": a.end,
                }
                for a in self.alternatives
            ],
            "passages": [
                {
                    "text": h.passage.text,
                    "start": h.passage.start,
                    "end": h.passage.end,
                    "score": round(h.score, 4),
                }
                for h in self.hits
            ],
            "seconds": {name: round(s, 4) for name, s in self.seconds.items()},
        }


class Answerer:
    """An open article: ask it."""

    def __init__(self, index: ArticleIndex, note: str = "") -> None:
        """Answer from an index; `note` is what a person should know of how it was opened."""
        self.index = index
        self.note = note

    @property
    def document(self) -> Document:
        """The article."""
        return self.index.document

    def ask(self, question: str, *, history: Sequence[Turn] = (), k: int = DEFAULT_K) -> Answer:
        """Answer a question, after earlier turns of (question, its answer), from the k best passages.

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

        `ranked`, where it is more than k, is how many passages to give; the first k of them are read.
        """
        if k < 1:
            raise QuestionError(f"k is {k}: ask for at least one passage.")
        for question, _ in asked:
            check_question(question)
        started = time.perf_counter()
        rewritten = [stand_alone(question, history) for question, history in asked]
        queries = [new or question for new, (question, _) in zip(rewritten, asked, strict=True)]
        found = self.index.search(queries, max(k, ranked or k))
        retrieved = time.perf_counter()
        chosen = [self.candidates(q, hits[:k]) for q, hits in zip(queries, found, strict=True)]
        seconds = {
            "retrieve": (retrieved - started) / max(1, len(asked)),
            "read": (time.perf_counter() - retrieved) / max(1, len(asked)),
        }
        return [
            self._answer(question, new, candidates, hits, seconds)
            for (question, _), new, candidates, hits in zip(
                asked, rewritten, chosen, found, strict=True
            )
        ]

    def candidates(
        self, question: str, hits: Sequence[Hit]
    ) -> list[tuple[Citation, dict[str, float]]]:
        """The best sentences of the passages, best first, with the features of their calibration."""
        sentences = [
            (sentence, hit)
            for hit in hits
            if not hit.passage.furniture
            for sentence in hit.sentences
        ]
        sentences.sort(key=lambda pair: -pair[0].score)
        # The scores are those of a conditional logit, so their softmax is a share of probability.
        odds = [math.exp(sentence.score - sentences[0][0].score) for sentence, _ in sentences]
        total = sum(odds)
        found = []
        for (sentence, hit), odd in zip(sentences[: MAX_ALTERNATIVES + 1], odds, strict=False):
            found.append(
                (
                    Citation(
                        document=self.document.id,
                        start=sentence.start,
                        end=sentence.end,
                        sentence_start=sentence.start,
                        sentence_end=sentence.end,
                    ),
                    {
                        "cosine": sentence.parts["sentence"],
                        "coverage": sentence.parts["coverage"],
                        "passage cosine": hit.parts["dense"],
                        "passage coverage": hit.parts["coverage"],
                        "known": hit.parts["known"],
                        "names": _names_found(question, hit.passage.text),
                        "share": odd / total,
                    },
                )
            )
        return found

    def _answer(
        self,
        question: str,
        rewritten: str | None,
        candidates: Sequence[tuple[Citation, dict[str, float]]],
        hits: Sequence[Hit],
        seconds: dict[str, float],
    ) -> Answer:
        confidences = [probability(CALIBRATION, features) for _, features in candidates]
        confidence, best = (confidences[0], candidates[0][0]) if candidates else (0.0, None)
        citation = best if confidence >= THRESHOLD else None
        text = self.document.text
        return Answer(
            question=question,
            rewritten=rewritten,
            text=text[citation.start : citation.end] if citation else None,
            confidence=confidence,
            citation=citation,
            best=best,
            alternatives=tuple(
                Alternative(text[c.start : c.end], probable, c.start, c.end)
                for probable, (c, _) in zip(confidences[1:], candidates[1:], strict=True)
            ),
            hits=tuple(hits),
            seconds=seconds,
        )


def _names_found(question: str, text: str) -> float:
    """The share of the question's capitalised words, its first one apart, that the text has."""
    names = _NAME.findall(question)
    words = set(_WORD.findall(text.lower()))
    return sum(name.lower() in words for name in names) / len(names) if names else 1.0


def check_question(question: str) -> None:
    """Raise QuestionError for a question that is blank or longer than any question is."""
    if not question.strip():
        raise QuestionError("The question is empty: type what you want to know.")
    if len(question) > MAX_QUESTION:
        raise QuestionError(
            f"The question has {len(question):,} characters and the limit is {MAX_QUESTION:,}: "
            "ask a shorter one."
        )


def open_article(
    source: str | Path = DEFAULT_ARTICLE,
    *,
    encoder: str | Encoder = DEFAULT_ENCODER,
    index: str | Path | None = None,
    progress: Progress | None = None,
) -> Answerer:
    """Open a text file for questions, from its saved index where that fits and else anew.

    `index` is the folder of the saved index, by default one in the person's cache folder;
    progress(done, total) counts the texts encoded when one is built. Raises DocumentError and
    EncoderError.
    """
    document = read_document(source)
    loaded = SentenceEncoder(encoder) if isinstance(encoder, str) else encoder
    folder = index_folder(document, loaded) if index is None else Path(index)
    built, note = open_index(document, loaded, folder, progress)
    return Answerer(built, note)
