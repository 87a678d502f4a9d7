"""How a question and a passage are laid out for the reading model, in training and in use.

    [CLS] previous question [SEP] its answer [SEP] question [SEP] header passage [SEP]

The token type is 0 up to the third [SEP] and 1 after it. Without a previous turn the first two parts
are left out with their [SEP], without a header (such as "Title > Section") that is. No answer starts
or ends in the header. Imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Sequence

MAX_QUESTION = 64
# The question with what was said before it, marks included.
MAX_ASKED = 96
# Each of the previous question and its answer, if the other fills its part too.
MAX_TURN_PART = 24
MAX_HEADER = 32


def asked_pieces(
    question: Sequence[int], history: Sequence[Sequence[int]], *, cls: int, sep: int
) -> list[int]:
    """The word pieces in front of the passage, from [CLS] to the question's [SEP].

    `history` is empty or holds the pieces of the previous question and of its answer, which may be
    empty; each is cut to its first pieces, the question last.
    """
    question = list(question[:MAX_QUESTION])
    parts = [list(part) for part in history if len(part)]
    room = max(0, MAX_ASKED - 2 - len(question) - len(parts))
    longest = min(room, 2 * MAX_TURN_PART)
    pieces = [cls]
    for number, part in enumerate(parts):
        # A short part leaves the rest of its room to the other.
        others = sum(min(len(p), longest // 2) for i, p in enumerate(parts) if i != number)
        pieces += [*part[: max(longest // 2, longest - others)], sep]
    return [*pieces, *question, sep]
