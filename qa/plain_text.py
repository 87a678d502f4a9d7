"""Format an answer as plain text for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from index.documents.document import Document
from index.terminal import visible
from qa.location import location
from qa.types import Answer, Citation


@dataclass(frozen=True, slots=True)
class PlainText:
    """Formats answers, safe to print in a terminal.

    `documents` are the open documents by id; without them, as for a store, citations have character
    offsets. `mark` highlights an answer within its sentence.
    """

    documents: Mapping[str, Document]
    mark: Callable[[str], str] = lambda words: words

    def format(self, answer: Answer) -> str:
        """The answer, its alternatives, their citations and sentences, as lines."""
        lines = []
        if answer.text is not None and answer.citation:
            lines += self._cited(answer, answer.text, answer.confidence, answer.citation)
            for other in answer.alternatives:
                first, *sentence = self._cited(answer, other.text, other.confidence, other.citation)
                lines += [f"Other possibility: {first}", *sentence]
        else:
            lines.append(f"No clear answer found in {self._searched}.")
            if answer.hits:
                closest = visible(answer.hits[0].passage.text)
                lines.append(f"Closest passage (may not answer your question): {closest}")
        if answer.rewritten:
            lines.append(f"Interpreted as: {visible(answer.rewritten)}")
        return "\n".join(lines)

    @property
    def _searched(self) -> str:
        if not self.documents:
            return "the store"
        count = len(self.documents)
        return "this article" if count == 1 else f"{count} documents"

    def _cited(self, answer: Answer, text: str, confidence: float, citation: Citation) -> list[str]:
        """The text with its confidence and citation, and its sentence if that is longer."""
        location = visible(self._location(citation))
        lines = [f"{visible(text)}  ({confidence:.0%} confident, {location})"]
        sentence = answer.sentence(citation)
        if sentence != text:
            start = citation.start - citation.sentence_start
            end = citation.end - citation.sentence_start
            marked = self.mark(visible(sentence[start:end]))
            lines.append(
                f"    Source: {visible(sentence[:start])}{marked}{visible(sentence[end:])}"
            )
        return lines

    def _location(self, citation: Citation) -> str:
        if not self.documents:
            return f"characters {citation.start}-{citation.end} of {citation.document}"
        place = location(self.documents[citation.document], citation.start, citation.end)
        return f"{citation.document}, {place}" if len(self.documents) > 1 else place
