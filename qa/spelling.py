"""Correct misspelt words of a question by the most similar words of the document."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches

# The least similarity of two words (difflib: 2 × common letters / letters of both).
MIN_SIMILARITY = 0.8
# The most words of a question that are looked up; each takes some milliseconds.
MAX_WORDS = 8
_WORD = re.compile(r"[^\W\d_]{3,}")
_QUESTION_WORDS = ("who", "what", "when", "where", "which", "why", "how", "whose", "whom")
# Words that are never corrected: question words, and words similar to one that also begin questions.
_CORRECT = frozenset(
    {*_QUESTION_WORDS, "were", "there", "here", "these", "those", "other", "while", "whole"}
)


def words_of(texts: Iterable[str]) -> dict[str, str]:
    """The words of the texts: lower case to the first spelling."""
    words: dict[str, str] = {}
    for text in texts:
        for word in _WORD.findall(text):
            words.setdefault(word.lower(), word)
    return words


def respelled(question: str, words: Mapping[str, str], is_word: Callable[[str], bool]) -> str:
    """The question with misspelt words replaced by the most similar word of the document.

    `words` are the document's, as words_of returns them. A word is misspelt if neither `words` has it
    nor is_word(lower case) accepts it. A misspelt first word may also become a question word.
    """
    remaining = MAX_WORDS

    def corrected(match: re.Match[str]) -> str:
        nonlocal remaining
        word = match[0].lower()
        if word in words or word in _CORRECT:
            return match[0]
        first = not question[: match.start()].strip()
        if first and (close := get_close_matches(word, _QUESTION_WORDS, 1, MIN_SIMILARITY)):
            return close[0]
        if not remaining or is_word(word):
            return match[0]
        remaining -= 1
        # The first letter is rarely misspelt, and comparing with all words is slow.
        similar = [w for w in words if w[0] == word[0] and abs(len(w) - len(word)) <= 2]
        close = get_close_matches(word, similar, 1, MIN_SIMILARITY)
        return words[close[0]] if close else match[0]

    return _WORD.sub(corrected, question)
