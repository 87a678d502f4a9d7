"""An open article that answers questions, and what an answer is."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from index.documents.document import Document, read_document, well_formed
from index.errors import ArticleError
from index.models.encoder import DEFAULT_ENCODER, Encoder, Progress, SentenceEncoder
from index.search.article_index import index_folder, named_folder, open_index
from index.search.collection import Collection, Hit
from qa.calibration import Calibration, of_sentences, of_spans
from qa.candidates import (
    Candidate,
    Citation,
    PassageReader,
    different,
    read_hits,
    sentence_candidates,
    span_candidates,
    whole_sentence,
    worth_reading,
)
from qa.dates import asks_for_previous, asks_when, is_duration, previous_of
from qa.followup import Turn, rewritings
from qa.reader import DEFAULT_READER, Reader, ReaderError
from qa.spelling import respelled, words_of

DEFAULT_ARTICLE = Path(__file__).parent.parent / "articles" / "putin-visits-north-korea.txt"
DEFAULT_K = 5
MAX_QUESTION = 1000
MAX_ALTERNATIVES = 2
# One that is right less often than once in twenty times is no help.
LEAST_ALTERNATIVE = 0.05

# What wants a reason or a description: a few words out of a sentence would not be one.
_DESCRIPTIVE = re.compile(
    r"""\b(?:why|describe|explain|how\s+come|what\s+happen(?:s|ed)|tell\s+(?:me|us)\s+about)\b
      | ^\W*(?:and\s+|but\s+|so\s+)?how\s+(?:do|does|did|is|are|was|were|has|have|had|can|could
        |will|would|should|might|may|to)\b
      | ^\W*how\W*$""",
    re.IGNORECASE | re.VERBOSE,
)


# "Last September" is no answer to "When did she last visit?", but it has the question's word.
_LAST = re.compile(
    r"""^(\W*when\s+(?:did|was|were|has|have|had|is|are|does|do)\b.*
        (?<!\bthe)(?<!\bhis)(?<!\bher)(?<!\bits)(?<!\bour)(?<!\byour)(?<!\btheir)(?<!['’]s))
        \s+last(?=\s+(?-i:[a-z]))(?!\s+(?:night|week|month|season|year|decade|century|time|spring|summer
        |autumn|fall|winter)\b)""",
    re.IGNORECASE | re.VERBOSE,
)


class Form(NamedTuple):
    """A way in which a question is asked.

    `rewritten`: with what it leans on put in, or spelt otherwise. `last_resort`: with the question that
    it leans on before it, which is often answered instead.
    """

    text: str
    rewritten: bool = False
    last_resort: bool = False


# A form of a question, what may answer it, and the passages found for it.
Way = tuple[Form, Sequence[Candidate], Sequence[Hit]]


class QuestionError(ArticleError):
    """A question cannot be asked as it is."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another answer, in other words and from elsewhere in the document."""

    text: str
    confidence: float
    citation: Citation


@dataclass(frozen=True, slots=True)
class Answer:
    """What the article says to a question: `text` is `document.text[citation.start:citation.end]`.

    `text` and `citation` are None when the article does not answer; `best` then still says what came
    nearest. Where a reason or a description is asked for, `text` is the whole sentence and `best` what
    was found in it. `confidence` is the probability that `best` answers; `no_answer_score` is how far
    the reader's score for no answer stands above the one for `best`, None without a reader. `rewritten`
    is the question as it was understood, None where that is the question itself. `seconds` has
    `retrieve` and `read`.
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
    no_answer_score: float | None = None

    @property
    def abstained(self) -> bool:
        """Whether the article does not answer, as far as the program can tell."""
        return self.text is None

    def sentence(self, citation: Citation) -> str:
        """The sentence around an answer's words, out of the passage it was read in."""
        (passage,) = {
            hit.passage
            for hit in self.hits
            if hit.passage.document_id == citation.document
            and hit.passage.start <= citation.sentence_start
            and citation.sentence_end <= hit.passage.end
        }
        return passage.text[
            citation.sentence_start - passage.start : citation.sentence_end - passage.start
        ]

    def to_json(self) -> dict[str, Any]:
        """The answer as the command line and the API give it."""
        citation = self.citation
        return {
            "question": self.question,
            "rewritten": self.rewritten,
            "text": self.text,
            "abstained": self.abstained,
            "confidence": round(self.confidence, 4),
            "citation": citation and asdict(citation),
            "alternatives": [
                {"text": a.text, "confidence": round(a.confidence, 4), **asdict(a.citation)}
                for a in self.alternatives
            ],
            "passages": [
                {
                    "document": h.passage.document_id,
                    "text": h.passage.text,
                    "start": h.passage.start,
                    "end": h.passage.end,
                    "score": round(h.score, 4),
                }
                for h in self.hits
            ],
            "seconds": {name: round(s, 4) for name, s in self.seconds.items()},
        }


def forms(question: str, history: Sequence[Turn]) -> list[Form]:
    """The ways in which a question is asked: as it is, and where that may help otherwise, too."""
    without = [Form(_LAST.sub(r"\1", question))] if _LAST.match(question) else []
    alone = [Form(text, rewritten=True) for text in rewritings(question, history)]
    return [
        Form(question),
        *without,
        *alone[:-1],
        *(f._replace(last_resort=True) for f in alone[-1:]),
    ]


class Searched(Protocol):
    """What finds the passages: a Collection, or a StoredCollection."""

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """The k best passages for each query, best first."""
        ...


class QuestionAnswerer:
    """Passages, wherever they are kept: ask them."""

    def __init__(
        self, searched: Searched, reader: PassageReader | None = None, note: str = ""
    ) -> None:
        """Answer from what finds passages; without a reader answers are whole sentences.

        `note` is what a person should know of how it was opened.
        """
        self.reader = reader
        # What makes a candidate's features a confidence.
        self.calibration: Calibration = of_spans() if reader else of_sentences()
        self.note = note
        self._searched = searched

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
        found = self._searched.search(queries, max(k, ranked or k))
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
        if _DESCRIPTIVE.search(form.text):
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


class Answerer(QuestionAnswerer):
    """Open articles, one or several: ask them."""

    def __init__(
        self, collection: Collection, reader: PassageReader | None = None, note: str = ""
    ) -> None:
        """Answer from a collection, as a QuestionAnswerer does."""
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

    def only(self, ids: Iterable[str]) -> Answerer:
        """The same for some of the articles; raises QuestionError where none of the ids is open."""
        wanted = [identity for identity in self.documents if identity in set(ids)]
        if not wanted:
            raise QuestionError(
                f"No open document is asked: choose one or more of {', '.join(self.documents)}."
            )
        return Answerer(self.collection.only(wanted), self.reader, self.note)


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
    reader: str | Path | PassageReader | None = DEFAULT_READER,
    index: str | Path | None = None,
    private: bool = False,
    progress: Progress | None = None,
) -> Answerer:
    """Open one document for questions; see open_articles."""
    return open_articles(
        [source], encoder=encoder, reader=reader, index=index, private=private, progress=progress
    )


def open_articles(
    sources: Sequence[str | Path | Document],
    *,
    encoder: str | Encoder = DEFAULT_ENCODER,
    reader: str | Path | PassageReader | None = DEFAULT_READER,
    index: str | Path | None = None,
    private: bool = False,
    progress: Progress | None = None,
) -> Answerer:
    """Open documents for questions, each from its saved index where that fits and else anew.

    `index` is the folder of the saved index, for several documents of a folder each, by default one
    in the person's cache folder; progress(done, total) counts the texts encoded when one is built.
    `private` allows web addresses of this machine and of the networks around it.
    Where the reader cannot be loaded, the answers are whole sentences and the note says why. Raises
    DocumentError, EncoderError, and SavedIndexError for an empty `index`.
    """
    named = None if index is None else named_folder(index)
    documents = distinct(
        source if isinstance(source, Document) else read_document(source, private=private)
        for source in sources
    )
    loaded = SentenceEncoder(encoder) if isinstance(encoder, str) else encoder
    indexes, notes = [], []
    for document in documents:
        folder = index_folder(document, loaded)
        if named is not None:
            folder = named / (folder.name if len(documents) > 1 else "")
        built, note = open_index(document, loaded, folder, progress)
        indexes.append(built)
        notes.append(note)
    read, missing = load_reader(reader) if isinstance(reader, (str, Path)) else (reader, "")
    return Answerer(Collection(indexes), read, " ".join(filter(None, (*notes, missing))))


def distinct(documents: Iterable[Document], beside: Iterable[Document] = ()) -> list[Document]:
    """The documents without those of the same text as another's, each with an id of its own.

    None has an id or the text of one of those `beside` which they will stand.
    """
    others = list(beside)
    taken, texts = {d.id for d in others}, {d.text for d in others}
    kept = []
    for document in documents:
        if document.text in texts:
            continue
        name, number = document.id, 1
        while name in taken:
            number += 1
            name = f"{document.id} {number}"
        taken.add(name)
        texts.add(document.text)
        kept.append(replace(document, id=name))
    return kept


def load_reader(name: str | Path = DEFAULT_READER) -> tuple[Reader | None, str]:
    """The reader of that name or folder, or None and, in a sentence, why there is none."""
    try:
        return Reader(name), ""
    except ReaderError as error:
        return None, f"Answers are whole sentences. {error}"
