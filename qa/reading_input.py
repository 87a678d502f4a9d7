"""The layout of the reading model's input, in training and in serving.

    [CLS] previous question [SEP] its answer [SEP] question [SEP] header passage [SEP]

The token type is 0 up to the third [SEP] and 1 after it. The first two parts and their [SEP] are left
out without a previous turn, the header (such as "Title > Section") where there is none. No answer
starts or ends in the header. Imports no other module of the project, so that training can run alone.
"""

from __future__ import annotations

from collections.abc import Sequence

MAX_QUESTION_PIECES = 64
# The question with the previous turn, special tokens included.
MAX_ASKED = 96
# The previous question and its answer each, if both are long.
MAX_TURN_PART = 24
MAX_HEADER = 32


def asked_pieces(
    question: Sequence[int], history: Sequence[Sequence[int]], *, cls: int, sep: int
) -> list[int]:
    """The word pieces in front of the passage, from [CLS] to the question's [SEP].

    `history` is empty or has the pieces of the previous question and of its answer, which may be
    empty. Each part is cut to its first pieces; the history is cut before the question.
    """
    question = list(question[:MAX_QUESTION_PIECES])
    parts = [list(part) for part in history if len(part)]
    room = max(0, MAX_ASKED - 2 - len(question) - len(parts))
    longest = min(room, 2 * MAX_TURN_PART)
    pieces = [cls]
    for number, part in enumerate(parts):
        # A short part leaves its room to the other.
        others = sum(min(len(p), longest // 2) for i, p in enumerate(parts) if i != number)
        pieces += [*part[: max(longest // 2, longest - others)], sep]
    return [*pieces, *question, sep]
