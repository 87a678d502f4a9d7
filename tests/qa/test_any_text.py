"""Every answer is in the document, whatever the document and the question are made of."""

from __future__ import annotations

from hypothesis import HealthCheck, example, given, settings

from index.models.encoder import SentenceEncoder
from qa.reader import Reader
from tests.qa.any_text import LONG_TEXTS, QUESTIONS, TEXTS, ask

# The long run is one of python -m tests.torture.
FEW = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@FEW
@example(text="\ufeff\u200b\xad", question="?")  # not one word piece
@given(text=TEXTS, question=QUESTIONS)
def test_answers_are_slices_of_any_text(
    encoder: SentenceEncoder, reader: Reader, text: str, question: str
) -> None:
    assert ask(text, question, encoder, reader) == ""


@settings(FEW, max_examples=3)
@given(text=LONG_TEXTS, question=QUESTIONS)
def test_answers_are_slices_of_long_texts(
    encoder: SentenceEncoder, reader: Reader, text: str, question: str
) -> None:
    assert ask(text, question, encoder, reader) == ""
