"""Conversations made from a paragraph's questions: the second refers back to the first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_NAME = re.compile(
    r"\b[A-Z][\w’'-]*?(?=[’']s\b|[^\w’'-]|$)"
    r"(?: (?:(?:of|the|de|van|von) ){0,2}[A-Z0-9][\w’'-]*?(?=[’']s\b|[^\w’'-]|$))*"
)
_PRONOUNS = {
    "he": ("he", "him", "his"),
    "she": ("she", "her", "her"),
    "it": ("it", "it", "its"),
    "they": ("they", "them", "their"),
}
_PRONOUN_OF = {form: name for name, forms in _PRONOUNS.items() for form in forms}
_PRONOUN = re.compile(rf"\b({'|'.join(_PRONOUN_OF)})\b", re.IGNORECASE)
_FIRST_WORDS = """
    what who whom whose which when where why how in on at by for to of from with during after before did
    does do is are was were the a an according besides along other than if as name
"""
_QUESTION_WORDS = frozenset(_FIRST_WORDS.split())
_PREPOSITION = re.compile(
    r"\b(in|of|for|by|on|at|about|with|to|from|against|during|within|among)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
# Prepositions whose phrase can be left out: "What is the literacy rate in Israel?"
_OMITTED = frozenset({"in", "of", "for", "at", "during", "within"})
# A name stands for a whole noun phrase where the words around it are of these kinds.
_VERBS = """
    is are was were be been do does did has have had can could will would may might must should
"""
_AUXILIARIES = frozenset(_VERBS.split())
_WORDS_BEFORE = """
    the that which who what when where why how and or than as if because whether in of for by on at about
    with to from against during within among after before between into onto over under through according
    besides
"""
_BEFORE = _AUXILIARIES | frozenset(_WORDS_BEFORE.split())
_WORDS_AFTER = """
    in on at by for to of from with during after before and or as than when where that who which become
    became begin began win won make made take took get got come came go went not
"""
_AFTER = _AUXILIARIES | frozenset(_WORDS_AFTER.split())
MIN_WORDS_LEFT = 3
REACH = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, its answer and where the answer starts in the paragraph."""

    question: str
    answer: str
    start: int


def follow_ups(
    asked: Sequence[Asked], article: str, rng: np.random.Generator
) -> list[tuple[int, int, str]]:
    """Pairs of questions of one paragraph of which the second can refer back to the first.

    `article` is the text that says which pronoun a name has. Returns (first, second, the second
    rewritten) by number, at most one for each second question.
    """
    order = sorted(range(len(asked)), key=lambda i: asked[i].start)
    found = []
    for place, second in enumerate(order):
        # The nearest earlier question in the paragraph's order that shares a name.
        for first in reversed(order[:place]):
            rewritten = refer_back(asked[first], asked[second], article, rng)
            if rewritten:
                found.append((first, second, rewritten))
                break
    return found


def refer_back(first: Asked, second: Asked, article: str, rng: np.random.Generator) -> str | None:
    """The second question with the name it shares with the first as a pronoun, or left out.

    The shared name stands in the first question or is its answer. None if no name is shared.
    """
    earlier = f"{first.question} {first.answer}".lower()
    for match in _NAME.finditer(second.question):
        name = match[0]
        if name.split()[0].lower() in _QUESTION_WORDS and match.start() == 0:
            continue
        if len(name) < 3 or not re.search(rf"\b{re.escape(name.lower())}\b", earlier):
            continue
        if name.lower() in second.answer.lower():
            continue
        pronoun = _pronoun_for(name, article)
        return _replaced(second.question, match.span(), pronoun, rng) if pronoun else None
    return None


def _replaced(
    question: str, span: tuple[int, int], pronoun: str, rng: np.random.Generator
) -> str | None:
    """The question with the pronoun for its name, None where the name is part of a longer phrase."""
    start, end = span
    after = question[end:]
    subject, other, possessive = _PRONOUNS[pronoun]
    before = re.sub(r"\bthe\s+$", "", question[:start], flags=re.IGNORECASE)
    previous = re.findall(r"[\w’'-]+", before.lower())[-1:]
    if previous and previous[0] not in _BEFORE:
        return None
    if owned := re.match(r"[’']s?\b|[’'](?=\s)", after):
        return _capitalized(f"{before}{possessive}{after[owned.end() :]}")
    following = re.match(r"\s+([\w’'-]+)", after)
    if following and following[1].lower() not in _AFTER and not following[1].endswith("ed"):
        # "did Ann sing" has a verb there, "the Apollo program" a noun.
        article_before = question[:start].lower().endswith("the ")
        if article_before or not previous or previous[0] not in _AUXILIARIES:
            return None
    preposition = _PREPOSITION.search(question[:start])
    if preposition and preposition[1].lower() in _OMITTED and rng.random() < 0.4:
        left = f"{question[: preposition.start()].rstrip()}{after}"
        if len(left.split()) > MIN_WORDS_LEFT and left[:1].isupper():
            return left
    return _capitalized(f"{before}{other if preposition else subject}{after}")


def _capitalized(text: str) -> str:
    text = text.lstrip()
    return text[:1].upper() + text[1:]


def _pronoun_for(name: str, article: str) -> str | None:
    """The pronoun that most often follows the name closely; None if none does.

    "They" is taken for plural names only.
    """
    plural = name.endswith("s") or " and " in name
    votes: Counter[str] = Counter()
    for match in re.finditer(rf"\b{re.escape(name.split()[-1])}\b", article):
        following = _PRONOUN.search(article, match.end(), match.end() + REACH)
        if following:
            pronoun = _PRONOUN_OF[following[1].lower()]
            votes[pronoun] += pronoun != "they" or plural
    (pronoun, count), *_ = votes.most_common(1) or [("", 0)]
    return pronoun if count else None
