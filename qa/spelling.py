"""A question's words that are likely misspelt, as the article spells them: by their likeness."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches

# How alike two words have to be (2 × letters in common ÷ letters of both).
ALIKE = 0.8
# So many words of a question are compared with those of the article, which takes some milliseconds each.
MOST = 8
_WORD = re.compile(r"[^\W\d_]{3,}")
_ASKING = ("who", "what", "when", "where", "which", "why", "how", "whose", "whom")
# What questions begin with and is like one of these.
_BEGINNING = frozenset(
    {*_ASKING, "were", "there", "here", "these", "those", "other", "while", "whole"}
)


def words_of(texts: Iterable[str]) -> dict[str, str]:
    """The words of some texts by their small letters, as they are written first."""
    found: dict[str, str] = {}
    for text in texts:
        for word in _WORD.findall(text):
            found.setdefault(word.lower(), word)
    return found


def respelled(question: str, words: Mapping[str, str], is_word: Callable[[str], bool]) -> str:
    """The question with what is no word in the spelling of the most similar one.

    `words` are those of the article, as words_of gives them; what `is_word`, which gets small letters,
    stays. Its first word may also be one that asks.
    """
    left = MOST

    def other(found: re.Match[str]) -> str:
        nonlocal left
        word = found[0].lower()
        if word in words or word in _BEGINNING:
            return found[0]
        first = not question[: found.start()].strip()
        if first and (asking := get_close_matches(word, _ASKING, 1, ALIKE)):
            return asking[0]
        if not left or is_word(word):
            return found[0]
        left -= 1
        # Few are misspelt in their first letter, and to compare all takes long.
        like = [w for w in words if w[0] == word[0] and abs(len(w) - len(word)) <= 2]
        return next((words[w] for w in get_close_matches(word, like, 1, ALIKE)), found[0])

    return _WORD.sub(other, question)
