"""An answer as lines of text for the terminal."""

from __future__ import annotations

from collections.abc import Callable

from index.terminal import visible
from qa.types import Answer, Citation


def answer_text(
    answer: Answer, *, several: bool, mark: Callable[[str], str] = lambda words: words
) -> str:
    """The answer, its alternatives and where they stand, safe to print in a terminal.

    `several`: whether to name the document of each answer. mark(words) highlights an answer inside
    its sentence.
    """
    lines = []
    if answer.text is not None and answer.citation:
        lines += _cited("", answer.text, answer.confidence, answer.citation, answer, several, mark)
        for a in answer.alternatives:
            lines += _cited("or: ", a.text, a.confidence, a.citation, answer, several, mark)
    else:
        lines.append(f"The article does not say.  [{answer.confidence:.0%} sure of the nearest]")
        if answer.hits:
            nearest = visible(answer.hits[0].passage.text)
            lines.append(f"Nearest passage, not an answer: {nearest}")
    if answer.rewritten:
        lines.append(f"understood as: {visible(answer.rewritten)}")
    return "\n".join(lines)


def _cited(
    before: str,
    text: str,
    confidence: float,
    at: Citation,
    answer: Answer,
    several: bool,
    mark: Callable[[str], str],
) -> list[str]:
    """An answer's words and place, and the sentence around them where it has more."""
    named = visible(f" of {at.document}") if several else ""
    lines = [
        f"{before}{visible(text)}  [{confidence:.0%} sure, characters {at.start}-{at.end}{named}]"
    ]
    around = answer.sentence(at)
    if around != text:
        start, end = at.start - at.sentence_start, at.end - at.sentence_start
        marked = visible(around[:start]) + mark(visible(around[start:end])) + visible(around[end:])
        lines.append(f"    in: {marked}")
    return lines
