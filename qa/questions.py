"""Check a question and make the variants of it that are searched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from qa.followup import rewritings
from qa.rules import ALL_RULES, Rules
from qa.types import QuestionError, Turn

MAX_QUESTION = 1000  # characters

_DESCRIPTIVE = re.compile(
    r"""\b(?:why|describe|explain|how\s+come|what\s+happen(?:s|ed)|tell\s+(?:me|us)\s+about)\b
      | ^\W*(?:and\s+|but\s+|so\s+)?how\s+(?:do|does|did|is|are|was|were|has|have|had|can|could
        |will|would|should|might|may|to)\b
      | ^\W*how\W*$""",
    re.IGNORECASE | re.VERBOSE,
)
# An adverb "last", not "his last visit" or "last September": a passage with "last September" shares
# the word with "When did she last visit?" and does not answer it.
_LAST = re.compile(
    r"""^(\W*when\s+(?:did|was|were|has|have|had|is|are|does|do)\b.*
        (?<!\bthe)(?<!\bhis)(?<!\bher)(?<!\bits)(?<!\bour)(?<!\byour)(?<!\btheir)(?<!['’]s))
        \s+last(?=\s+(?-i:[a-z]))(?!\s+(?:night|week|month|season|year|decade|century|time|spring|summer
        |autumn|fall|winter)\b)""",
    re.IGNORECASE | re.VERBOSE,
)


class QueryVariant(NamedTuple):
    """A text that is searched and read for a question.

    `rewritten`: made standalone or respelled. `fallback`: has the previous question in front, which
    the reader often answers instead.
    """

    text: str
    rewritten: bool = False
    fallback: bool = False


def check_question(question: str) -> None:
    """Raise QuestionError for a question that is blank or too long."""
    if not question.strip():
        raise QuestionError("Type a question first.")
    if len(question) > MAX_QUESTION:
        raise QuestionError(
            f"That question is too long ({len(question):,} characters; the limit is "
            f"{MAX_QUESTION:,}). Please shorten it."
        )


def asks_for_description(question: str) -> bool:
    """Whether a question wants a reason or a description, which takes a sentence, not a few words."""
    return bool(_DESCRIPTIVE.search(question))


def query_variants(
    question: str, history: Sequence[Turn], rules: Rules = ALL_RULES
) -> list[QueryVariant]:
    """The question as asked, then the rewritings of it that may be answered better."""
    variants = [QueryVariant(question)]
    if rules.last and _LAST.match(question):
        variants.append(QueryVariant(_LAST.sub(r"\1", question)))
    standalone = rewritings(question, history) if rules.followups else []
    variants += [QueryVariant(text, rewritten=True) for text in standalone[:-1]]
    # rewritings() puts the one with the previous question in front last.
    variants += [QueryVariant(text, rewritten=True, fallback=True) for text in standalone[-1:]]
    return variants
