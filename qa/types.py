"""What goes into a question and what comes out of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from index.errors import ArticleError
from index.search.collection import Hit


class QuestionError(ArticleError):
    """A question cannot be asked as it is."""


class Turn(NamedTuple):
    """A question asked before, its answer, "" where there was none, and the answer's sentence."""

    question: str
    answer: str = ""
    sentence: str = ""


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

    def to_dict(self) -> dict[str, Any]:
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
