"""A question that leans on the turns before it in, one that can be searched by itself out."""

from __future__ import annotations

import re
from collections.abc import Sequence

Turn = tuple[str, str]

# Words that point at something said before. "it", "that", "there" and "this" also begin or fill
# questions that stand alone ("Is it true that…", "How many are there?"), so they count only where
# they can be an object or a place: at the end, or before a verb that needs a subject.
_POINTING = re.compile(
    r"""\b(?:he|she|they|him|her|hers|his|them|their|theirs|its|those|these)\b
      | \b(?:it|this|that)\b(?=\s*(?:\?|\.|!|$))
      | \b(?:did|does|do|was|is|has|had|can|could|will|would|about|after|before|of|for|with|to)
        \s+(?:it|this|that)\b(?!\s+true)
      | \b(?:there|then)\s*(?:\?|$)
      | ^\s*(?:and|but|so|or)\b
      | ^\s*(?:why|how|when|where|who|how\s+so|how\s+come|since\s+when|what|anything)
        (?:\s+not|\s+else)?\s*\?*\s*$
    """,
    re.IGNORECASE | re.VERBOSE,
)


def stand_alone(question: str, history: Sequence[Turn]) -> str | None:
    """The question with the one that it leans on put before it, or None where it leans on none.

    It leans on the last earlier question that itself stands alone, which names what is spoken of.
    """
    if not history or not _POINTING.search(question):
        return None
    earlier = [asked for asked, _ in history]
    topic = next((q for q in reversed(earlier) if not _POINTING.search(q)), earlier[0])
    return f"{topic.strip()} {question.strip()}"
