"""Answers outside the page: as text to copy, and a conversation as Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.search.collection import Hit
from page.text_ranges import OpenDocuments, source
from qa.answerer import MIN_ALTERNATIVE_CONFIDENCE
from qa.types import Alternative, Answer, Citation

# The lowest confidence that each word stands for.
WORDS = ((0.9, "very likely"), (0.6, "likely"), (0.4, "perhaps"), (0.0, "unsure"))
NOT_AN_ANSWER = "Nearest passage, not an answer"

# What Markdown takes for more than the character that it is: anywhere, and where a line begins. Bare
# addresses become links in GitHub's.
_MARKUP = re.compile(r"([\\`*_\[\]<>&~|$#@]|:(?=//)|(?<=www)\.)", re.IGNORECASE)
_AT_START = re.compile(r"^(\d*)([+\-=:.)])")


def answer_text(shelf: OpenDocuments, answer: Answer) -> str:
    """An answer with its citation, to paste into a text."""
    at = answer.citation
    if answer.text is None or at is None:
        return f"{answer.question}\n{no_answer(shelf)}"
    sentence = _sentence(shelf, at)
    lines = [answer.text, *([f"“{sentence}”"] if sentence != answer.text else [])]
    return "\n".join([*lines, f"— {_cited(shelf, at)}"])


def conversation_markdown(shelf: OpenDocuments, turns: Sequence[Answer]) -> str:
    """A conversation: each question, its answer or that there is none, and what that is taken from.

    Every quotation has the offsets of its characters in the document's text, the end exclusive.
    """
    blocks = ["# Questions and answers"]
    for number, turn in enumerate(turns, 1):
        blocks.append(f"## {number}. {_line(turn.question)}")
        if turn.rewritten:
            blocks.append(f"Understood as: {_line(turn.rewritten)}")
        if turn.text is not None and turn.citation is not None:
            blocks += _quoted(shelf, turn.text, turn.citation, turn.confidence)
            for other in alternatives(turn):
                blocks.append("Also possible:")
                blocks += _quoted(shelf, other.text, other.citation, other.confidence)
            continue
        blocks.append(no_answer(shelf))
        if hit := nearest(turn):
            at = hit.passage
            place = Citation(at.document_id, at.start, at.end, at.start, at.end)
            blocks += [
                f"{NOT_AN_ANSWER}:",
                _quote(at.text),
                f"{escape(_cited(shelf, place))}, characters {at.start}–{at.end}",
            ]
    return "\n\n".join(blocks) + "\n"


def escape(text: str) -> str:
    """One line of text as Markdown that shows the very same characters."""
    return _AT_START.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", text))


def no_answer(shelf: OpenDocuments) -> str:
    """The sentence that says that there is no answer."""
    many = len(shelf.documents) > 1
    return "The documents do not say." if many else "The article does not say."


def sureness(confidence: float) -> str:
    """A confidence as a probability, with a word for it."""
    word = next(word for least, word in WORDS if confidence >= least)
    return f"{confidence:.0%} · {word}"


def alternatives(answer: Answer) -> list[Alternative]:
    """The other answers that are worth showing."""
    return [
        other for other in answer.alternatives if other.confidence >= MIN_ALTERNATIVE_CONFIDENCE
    ]


def nearest(answer: Answer) -> Hit | None:
    """The passage of the words that came nearest to an answer, or else the first one."""
    best = answer.best
    for hit in answer.hits:
        at = hit.passage
        if best and at.document_id == best.document and at.start <= best.start < at.end:
            return hit
    return answer.hits[0] if answer.hits else None


def _quoted(shelf: OpenDocuments, words: str, at: Citation, confidence: float) -> list[str]:
    sentence = _sentence(shelf, at)
    offsets = f"characters {at.sentence_start}–{at.sentence_end}"
    if sentence != words:
        offsets += f", the answer {at.start}–{at.end}"
    return [
        *([f"**{_line(words)}**"] if sentence != words else []),
        _quote(sentence),
        f"{escape(_cited(shelf, at))}, {offsets}; {sureness(confidence)}",
    ]


def _quote(text: str) -> str:
    """A block quote in which lines are broken as they are in the text."""
    lines = [escape(line.strip()) for line in text.splitlines() if line.strip()]
    return "> " + "\\\n> ".join(lines)


def _line(text: str) -> str:
    """A text on one line of Markdown."""
    return escape(" ".join(text.split()))


def _cited(shelf: OpenDocuments, at: Citation) -> str:
    """The document, where in it the words stand, and where it is from."""
    document = shelf.documents[at.document]
    alone = OpenDocuments({at.document: document})
    return f"{document.title}, {alone.name(at.document, at.start, at.end)} ({source(document)})"


def _sentence(shelf: OpenDocuments, at: Citation) -> str:
    return shelf.documents[at.document].text[at.sentence_start : at.sentence_end]
