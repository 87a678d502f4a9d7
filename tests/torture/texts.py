"""Texts and questions of any characters, by the thousand."""

from __future__ import annotations

from collections.abc import Generator

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.models.encoder import SentenceEncoder
from qa.reader import Reader
from tests.qa.any_text import LONG_TEXTS, QUESTIONS, TEXTS, ask


def any_text(count: int = 4_900) -> Generator[str, None, None]:
    """Answers to questions on generated texts are slices of them"""
    yield from _asked(TEXTS, count)


def long_texts(count: int = 100) -> Generator[str, None, None]:
    """The same of texts of up to 100 kB"""
    yield from _asked(LONG_TEXTS, count)


def _asked(texts: st.SearchStrategy[str], count: int) -> list[str]:
    encoder, reader = SentenceEncoder(), Reader()
    found = []

    @settings(
        max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(text=texts, question=QUESTIONS)
    def look(text: str, question: str) -> None:
        try:
            problem = ask(text, question, encoder, reader)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        found.append(problem and f"{text[:80]!r}, {question[:80]!r}: {problem}")

    look()
    return found
