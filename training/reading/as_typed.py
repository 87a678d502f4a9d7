"""Questions as people type them: without a question mark, contracted, as keywords, with a typo."""

from __future__ import annotations

import re

import numpy as np

_CONTRACTIONS = (
    (r"\b(what|who|where|when|how|that|it|he|she|there) is\b", r"\1's"),
    (r"\b(who|what|where|how) (?:are)\b", r"\1're"),
    (r"\b(do|does|did|is|are|was|were|could|would|should|has|have|had) not\b", r"\1n't"),
    (r"\bcannot\b", "can't"),
    (r"\bwill not\b", "won't"),
    (r"\b(I|you|we|they) have\b", r"\1've"),
)
_FUNCTION_WORDS = """
    a an the of in on at to for from by with did does do is are was were be been has have had which that
    as and what who whom whose where when it its there please tell me
"""
_LEFT_OUT = frozenset(_FUNCTION_WORDS.split())
_KEYS = "qwertyuiop asdfghjkl zxcvbnm"


def as_typed(question: str, rng: np.random.Generator) -> str:
    """The question in one of several everyday forms, all lower case."""
    text = question.strip().lower()
    draw = rng.random()
    if draw < 0.45:
        text = without_mark(text)
    elif draw < 0.65:
        text = contracted(text)
        text = text if rng.random() < 0.3 else without_mark(text)
        text = text.replace("'", "") if rng.random() < 0.4 else text
    elif draw < 0.8:
        text = keywords(text)
    else:
        text = with_typo(text, rng)
        text = text if rng.random() < 0.5 else without_mark(text)
    return text or question


def without_mark(text: str) -> str:
    """The text without the question mark or full stop at its end."""
    return text.rstrip("?. \t")


def contracted(text: str) -> str:
    """The text with "what is" as "what's", "did not" as "didn't" and the like."""
    for pattern, replacement in _CONTRACTIONS:
        text = re.sub(pattern, replacement, text, flags=re.IGNORECASE)
    return text


def keywords(text: str) -> str:
    """The words that carry meaning; all of them if fewer than two do."""
    words = without_mark(text).split()
    kept = [word for word in words if word.lower().strip("'\",") not in _LEFT_OUT]
    return " ".join(kept if len(kept) >= 2 else words)


def with_typo(text: str, rng: np.random.Generator) -> str:
    """The text with one letter dropped, doubled, replaced or swapped within a word of over four."""
    words = [match.span() for match in re.finditer(r"[a-z]{5,}", text)]
    if not words:
        return text
    start, end = words[rng.integers(len(words))]
    at = int(rng.integers(start + 1, end - 1))
    letter = text[at]
    way = rng.integers(4)
    if way == 0:
        return text[:at] + text[at + 1 :]
    if way == 1:
        return text[:at] + letter + text[at:]
    if way == 2:
        return text[:at] + text[at + 1] + letter + text[at + 2 :]
    key = _KEYS.index(letter)
    near = [k for k in _KEYS[max(0, key - 1) : key + 2] if k not in (" ", letter)]
    return text[:at] + near[rng.integers(len(near))] + text[at + 1 :]
