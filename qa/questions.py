"""A question, checked, and the variants in which it is asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from qa.followup import rewritings
from qa.types import QuestionError, Turn

MAX_QUESTION = 1000  # characters

# What wants a reason or a description: a few words out of a sentence would not be one.
DESCRIPTIVE = re.compile(
    r"""\b(?:why|describe|explain|how\s+come|what\s+happen(?:s|ed)|tell\s+(?:me|us)\s+about)\b
      | ^\W*(?:and\s+|but\s+|so\s+)?how\s+(?:do|does|did|is|are|was|were|has|have|had|can|could
        |will|would|should|might|may|to)\b
      | ^\W*how\W*$""",
    re.IGNORECASE | re.VERBOSE,
)


# "Last September" is no answer to "When did she last visit?", but it has the question's word.
_LAST = re.compile(
    r"""^(\W*when\s+(?:did|was|were|has|have|had|is|are|does|do)\b.*
        (?<!\bthe)(?<!\bhis)(?<!\bher)(?<!\bits)(?<!\bour)(?<!\byour)(?<!\btheir)(?<!['’]s))
        \s+last(?=\s+(?-i:[a-z]))(?!\s+(?:night|week|month|season|year|decade|century|time|spring|summer
        |autumn|fall|winter)\b)""",
    re.IGNORECASE | re.VERBOSE,
)


class Form(NamedTuple):
    """A way in which a question is asked.

    `rewritten`: with what it leans on put in, or spelt otherwise. `last_resort`: with the question that
    it leans on before it, which is often answered instead.
    """

    text: str
    rewritten: bool = False
    last_resort: bool = False


def check_question(question: str) -> None:
    """Raise QuestionError for a question that is blank or longer than any question is."""
    if not question.strip():
        raise QuestionError("The question is empty: type what you want to know.")
    if len(question) > MAX_QUESTION:
        raise QuestionError(
            f"The question has {len(question):,} characters and the limit is {MAX_QUESTION:,}: "
            "ask a shorter one."
        )


def forms(question: str, history: Sequence[Turn]) -> list[Form]:
    """The ways in which a question is asked: as it is, and where that may help otherwise, too."""
    without = [Form(_LAST.sub(r"\1", question))] if _LAST.match(question) else []
    alone = [Form(text, rewritten=True) for text in rewritings(question, history)]
    return [
        Form(question),
        *without,
        *alone[:-1],
        *(f._replace(last_resort=True) for f in alone[-1:]),
    ]
