"""The types of questions and answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from index.errors import ArticleError
from index.search.collection import Hit


class QuestionError(ArticleError):
    """A question cannot be asked as given."""


class Turn(NamedTuple):
    """An earlier question, its answer ("" if there was none) and the answer's sentence."""

    question: str
    answer: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Citation:
    """The offsets of an answer and of its sentence, in characters of the document's text."""

    document: str
    start: int
    end: int
    sentence_start: int
    sentence_end: int


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another possible answer, from another sentence."""

    text: str
    confidence: float
    citation: Citation


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a question, `text`, which is `document.text[citation.start:citation.end]`.

    `text` and `citation` are None if no confident answer was found; `best` then still locates the best
    candidate. For questions that ask for a reason or a description, `text` is the whole sentence and
    `best` the span in it. `confidence` is the probability that `best` is right. `no_answer_score` is
    the reader's no-answer score minus the score of `best`, None without a reader. `rewritten` is the
    query that was answered, None if it is the question itself. `seconds` has the time for `retrieve`
    and `read`.
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
        """Whether no confident answer was found."""
        return self.text is None

    def sentence(self, citation: Citation) -> str:
        """The text of a citation's sentence, from the passage it was read in."""
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

    def to_dict(self) -> dict[str, Any]:
        """The answer as the command line and the API return it."""
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
