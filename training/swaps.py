"""Questions that a passage nearly answers, made of those that it does by changing what they name.

People wrote SQuAD 2.0's unanswerable questions mostly so: with another name or number, or the opposite
word (Rajpurkar et al. 2018, table 2).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

# A name within a sentence, so that its capital letter says something.
_NAME = re.compile(
    r"(?<=[a-z,;] )[A-Z][\w’'-]*?(?=[’']s\b|[^\w’'-]|$)"
    r"(?: (?:(?:of|the|de|van|von) ){0,2}[A-Z][\w’'-]*?(?=[’']s\b|[^\w’'-]|$))*"
)
_NUMBER = re.compile(r"\b\d(?:[\d,.]*\d)?\b")
_WORD = re.compile(r"\w+")
_PAIRS = """
    above/below accept/reject accepted/rejected agree/disagree agreed/disagreed
    allowed/forbidden ancient/modern appointed/dismissed attack/defend before/after
    began/ended begin/end best/worst better/worse biggest/smallest bought/sold buy/sell
    common/rare create/destroy created/destroyed earliest/latest early/late east/west
    eastern/western first/last former/current gain/lose gained/lost high/low highest/lowest
    hot/cold import/export include/exclude included/excluded increase/decrease
    increased/decreased inside/outside internal/external joined/left large/small
    largest/smallest legal/illegal long/short longest/shortest major/minor male/female
    maximum/minimum more/less most/least north/south northern/southern old/new older/newer
    older/younger oldest/youngest open/close outlawed/permitted positive/negative
    previous/next public/private reduce/increase reduced/increased rich/poor rise/fall
    rose/fell start/end strong/weak strongest/weakest success/failure support/oppose
    supported/opposed upper/lower urban/rural warm/cool win/lose won/lost
"""
_OPPOSITES: dict[str, list[str]] = {}
for _one, _other in (pair.split("/") for pair in _PAIRS.split()):
    _OPPOSITES.setdefault(_one, []).append(_other)
    _OPPOSITES.setdefault(_other, []).append(_one)


def names(text: str) -> list[str]:
    """The names within a text's sentences, as often as they stand there."""
    return [name for name in _NAME.findall(text) if len(name) > 2]


def swapped(
    question: str,
    answers: Sequence[str],
    text: str,
    elsewhere: Sequence[str],
    rng: np.random.Generator,
) -> str | None:
    """The question with one name, number or word changed, None where it has nothing to change.

    The other name is one of the text's, of as many words where there is one, and else one from
    `elsewhere`; it shares no word with the question or its answers.
    """
    ways = list(_ways(question, answers, text, elsewhere))
    if not ways:
        return None
    start, end, others = ways[rng.integers(len(ways))]
    return question[:start] + others[rng.integers(len(others))] + question[end:]


def _ways(
    question: str, answers: Sequence[str], text: str, elsewhere: Sequence[str]
) -> Iterator[tuple[int, int, list[str]]]:
    """What of the question can be changed, and for what."""
    taken = _words(question).union(*map(_words, answers))
    here = [name for name in names(text) if not _words(name) & taken]
    for at in _NAME.finditer(question):
        alike = [name for name in here if len(name.split()) == len(at[0].split())]
        if others := alike or here or [n for n in elsewhere if not _words(n) & taken]:
            yield (*at.span(), others)
    for at in _NUMBER.finditer(question):
        numbers = [n for n in _NUMBER.findall(text) if len(n) == len(at[0])]
        if others := [number for number in numbers if not _words(number) & taken]:
            yield (*at.span(), others)
    for at in re.finditer(r"\b[a-z]+\b", question):
        if at[0] in _OPPOSITES:
            yield (*at.span(), _OPPOSITES[at[0]])


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))
