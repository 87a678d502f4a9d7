"""Questions to show beside an article, each of which the article answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from index.sparse import split_words
from qa.answer import Answerer

# Two or more capitalised words in a row, the first no stop word ("On the Kremlin"): a name, likely.
_NAME = re.compile(r"\b[A-Z][\w’'-]+(?:\s+(?:(?:of|the|de|van|von|al)\s+)?[A-Z][\w’'-]+)+(?<![’'])")


def example_questions(answerer: Answerer, n: int = 4) -> list[str]:
    """At most n questions that the open article does answer, the surest first where they are ours.

    They come from the file NAME.questions.txt beside the article, one a line, and without one they are
    made of the names that the article mentions most. Any that it does not answer is left out.
    """
    given = _given(Path(answerer.document.source))
    candidates = given or _made(answerer.document.text, most=4 * n)
    answers = answerer.ask_all([(question, ()) for question in candidates])
    shown = [answer for answer in answers if not answer.abstained]
    if not given:
        shown.sort(key=lambda answer: -answer.confidence)
    return [answer.question for answer in shown[:n]]


def _given(source: Path) -> list[str]:
    path = source.with_suffix(".questions.txt")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []
    return [line.strip() for line in lines if line.strip()]


def _made(text: str, most: int) -> Sequence[str]:
    names = Counter(
        re.sub(r"[’']s$", "", name)
        for name in _NAME.findall(text)
        if split_words([name.split()[0]])[0]
    )
    return [f"What does the article say about {name}?" for name, _ in names.most_common(most)]
