"""Texts and questions of any characters, by the thousand."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings

from index.encoder import SentenceEncoder
from qa.reader import Reader
from tests.qa.any_text import LONG_TEXTS, QUESTIONS, TEXTS, ask


def any_text(count: int = 5_000) -> dict[str, Any]:
    """Ask so many generated texts, a hundredth of them long; each answer has to be a slice of it."""
    encoder, reader = SentenceEncoder(), Reader()
    tried, wrong = 0, []

    def look(text: str, question: str) -> None:
        nonlocal tried
        tried += 1
        try:
            problem = ask(text, question, encoder, reader)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        if problem:
            wrong.append(f"{text[:80]!r}, {question[:80]!r}: {problem}")

    for texts, share in ((TEXTS, count - count // 100), (LONG_TEXTS, count // 100)):
        run = settings(
            max_examples=share,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )(given(text=texts, question=QUESTIONS)(look))
        run()
    return {"tried": tried, "lost": len(wrong), "wrong": wrong[:10]}
