"""Find the answers that are enumerations, such as "oak, ash and elm", and their items."""

from __future__ import annotations

import re

from training.reading.example import Offsets

MAX_ITEM_WORDS = 7
_SEPARATOR = re.compile(r"\s*(?:[,;]\s+(?:and|or|as well as)\s+|[,;]\s+|\s(?:and|or|&)\s+)")
_CONJUNCTION = re.compile(r"\s(?:and|or|&)\s")
_LEADING = re.compile(r"(?:both|either|the two)\s+", re.IGNORECASE)
_MONTH = (
    r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"  # "May 5, 1990" is a date
)
_DATE = re.compile(rf"\b{_MONTH}\s+\d|\d\s+{_MONTH}|^\W*\d{{1,2}},?\s+\d{{4}}", re.IGNORECASE)
# "between 5 and 10", "from 1990 to …": the two ends of one range.
_RANGE = re.compile(r"\b(?:between|from)\b", re.IGNORECASE)
_SEVERAL = re.compile(
    r"\b(?:two|three|four|five|six|both|which\s+(?:are|were)|what\s+(?:are|were)|who\s+(?:are|were)"
    r"|(?:what|which|whose)(?:\s+\w+){0,2}\s+\w+[^s\W]s\b|other\s+than|names?\s+of)\b",
    re.IGNORECASE,
)


def split_items(text: str) -> list[Offsets]:
    """The parts of a text between commas and conjunctions, as offsets; one if there are none."""
    lead = _LEADING.match(text)
    start = lead.end() if lead else 0
    items = []
    for separator in _SEPARATOR.finditer(text, start):
        items.append((start, separator.start()))
        start = separator.end()
    items.append((start, len(text.rstrip(" .,;"))))
    return [(a, b) for a, b in items if text[a:b].strip()]


def enumerated(question: str, answer: str) -> list[Offsets]:
    """The items of an answer that is an enumeration, as offsets in it; empty if it is not one.

    Three items need a conjunction ("Paris, Texas" has none). Two are taken where the question asks for
    several, or where they are common nouns: "Simon and Garfunkel" is one name.
    """
    if _DATE.search(answer) or _RANGE.search(question) or _RANGE.match(answer):
        return []
    items = split_items(answer)
    texts = [answer[a:b] for a, b in items]
    if len(items) < 2 or not _CONJUNCTION.search(answer):
        return []
    if any(len(text.split()) > MAX_ITEM_WORDS or not re.search(r"\w", text) for text in texts):
        return []
    if len(items) == 2 and not _SEVERAL.search(question):
        plain = all(text[:1].islower() and len(text.split()) <= 3 for text in texts)
        return items if plain else []
    return items


def items_of(question: str, text: str, span: Offsets) -> tuple[Offsets, ...]:
    """The items of the answer at that span of a text: the span itself unless it is an enumeration."""
    start, end = span
    items = enumerated(question, text[start:end])
    return tuple((start + a, start + b) for a, b in items) or (span,)
