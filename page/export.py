"""Answers outside the page: as text to copy, and the conversation as Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.search.collection import Hit
from page.quotations import quotation_text, sentence_offsets
from page.text_ranges import OpenDocuments, display_source
from qa.answerer import MIN_ALTERNATIVE_CONFIDENCE
from qa.types import Alternative, Answer, Citation

# Each with the lowest confidence that it stands for.
CONFIDENCE_LEVELS = ((0.9, "Very high"), (0.6, "High"), (0.4, "Medium"), (0.0, "Low"))
INTERPRETED_AS = "Interpreted as:"
CLOSEST_PASSAGE = "Closest passage (may not answer your question)"

# Characters with a meaning in Markdown: anywhere, and at the start of a line. GitHub turns plain
# addresses into links.
_MARKUP = re.compile(r"([\\`*_\[\]<>&~|$#@]|:(?=//)|(?<=www)\.)", re.IGNORECASE)
_AT_START = re.compile(r"^(\d*)([+\-=:.)])")


def answer_text(opened: OpenDocuments, answer: Answer) -> str:
    """An answer with its citation, to paste into a text."""
    citation = answer.citation
    if answer.text is None or citation is None:
        return f"{answer.question}\n{no_answer(opened)}"
    words, sentence = _words(opened, citation), _sentence(opened, citation)
    lines = [words, f"“{sentence}”"] if words else [sentence]
    return "\n".join([*lines, f"— {_source(opened, citation)}"])


def conversation_markdown(opened: OpenDocuments, turns: Sequence[Answer]) -> str:
    """The conversation as Markdown: each question with its answer and source.

    Every quotation has its character offsets in the document's text, the end exclusive.
    """
    blocks = ["# Questions and answers"]
    for number, turn in enumerate(turns, 1):
        blocks.append(f"## {number}. {_line(turn.question)}")
        if turn.rewritten:
            blocks.append(f"{INTERPRETED_AS} {_line(turn.rewritten)}")
        if turn.text is not None and turn.citation is not None:
            blocks += _quotation(opened, turn.citation, turn.confidence)
            for other in alternatives(turn):
                blocks.append("Another possible answer:")
                blocks += _quotation(opened, other.citation, other.confidence)
            continue
        blocks.append(no_answer(opened))
        if hit := closest_hit(turn):
            passage = hit.passage
            start, end = passage.start, passage.end
            citation = Citation(passage.document_id, start, end, start, end)
            blocks += [
                f"{CLOSEST_PASSAGE}:",
                _quote(_sentence(opened, citation)),
                f"{escape(_source(opened, citation))}, characters {start}–{end}",
            ]
    return "\n\n".join(blocks) + "\n"


def escape(text: str) -> str:
    """One line of text as Markdown that shows exactly these characters."""
    return _AT_START.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", text))


def no_answer(opened: OpenDocuments) -> str:
    """The message for a question without an answer."""
    where = "the documents" if len(opened.documents) > 1 else "this article"
    return f"No clear answer found in {where}."


def confidence_label(confidence: float) -> str:
    """A confidence in percent and in words: "72% · High confidence"."""
    level = next(level for lowest, level in CONFIDENCE_LEVELS if confidence >= lowest)
    return f"{confidence:.0%} · {level} confidence"


def alternatives(answer: Answer) -> list[Alternative]:
    """The other answers that are worth showing."""
    return [
        other for other in answer.alternatives if other.confidence >= MIN_ALTERNATIVE_CONFIDENCE
    ]


def closest_hit(answer: Answer) -> Hit | None:
    """The passage of the best rejected answer, or else the first one."""
    best = answer.best
    for hit in answer.hits:
        passage = hit.passage
        if (
            best
            and passage.document_id == best.document
            and passage.start <= best.start < passage.end
        ):
            return hit
    return answer.hits[0] if answer.hits else None


def _quotation(opened: OpenDocuments, citation: Citation, confidence: float) -> list[str]:
    words = _words(opened, citation)
    start, end = sentence_offsets(opened.documents[citation.document], citation)
    offsets = f"characters {start}–{end}"
    if words:
        offsets += f", the answer {citation.start}–{citation.end}"
    return [
        *([f"**{_line(words)}**"] if words else []),
        _quote(_sentence(opened, citation)),
        f"{escape(_source(opened, citation))}, {offsets}; {confidence_label(confidence)}",
    ]


def _quote(text: str) -> str:
    """A block quote with the line breaks of the text."""
    lines = [escape(line.strip()) for line in text.splitlines() if line.strip()]
    return "> " + "\\\n> ".join(lines)


def _line(text: str) -> str:
    """A text on one line of Markdown."""
    return escape(" ".join(text.split()))


def _source(opened: OpenDocuments, citation: Citation) -> str:
    """The document's title, the location in it, and where the document comes from."""
    document = opened.documents[citation.document]
    alone = OpenDocuments({citation.document: document})
    location = alone.location(citation.document, citation.start, citation.end)
    return f"{document.title}, {location} ({display_source(document)})"


def _words(opened: OpenDocuments, citation: Citation) -> str:
    """The answer's words, "" where they are the whole sentence."""
    document = opened.documents[citation.document]
    start, end = citation.start, citation.end
    if (start, end) == sentence_offsets(document, citation):
        return ""
    several = len(document.blocks_between(start, end)) > 1
    return quotation_text(document, start, end, labels=several)


def _sentence(opened: OpenDocuments, citation: Citation) -> str:
    document = opened.documents[citation.document]
    return quotation_text(document, *sentence_offsets(document, citation))
