"""What a batch of windows is trained to say."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from training.reading.model import Logits

NEVER = -1e30
# The tag loss of a window is per piece of its answer; short answers count as this many.
SHORTEST_ANSWER = 4.0


@dataclass(frozen=True)
class Targets:
    """Labels of a batch: masks [windows, pieces] as in Window, and each window's group [windows].

    Windows of one question are one group.
    """

    answerable: Tensor
    start: Tensor
    end: Tensor
    tags: Tensor
    group: Tensor

    @property
    def has_answer(self) -> Tensor:
        """Whether each window has an answer."""
        return ~self.start[:, 0]


@dataclass(frozen=True)
class LossWeights:
    """How much each loss counts beside that of the spans."""

    shared: float = 0.4
    answerability: float = 1.0
    tags: float = 0.4


def losses(logits: Logits, targets: Targets, weights: LossWeights) -> dict[str, Tensor]:
    """The weighted losses of a batch by name: span, shared, answerability and tags."""
    allowed = targets.answerable.clone()
    allowed[:, 0] = True
    span = shared = logits.start.new_zeros(())
    for scores, right in ((logits.start, targets.start), (logits.end, targets.end)):
        span = span + 0.5 * span_loss(scores, right, allowed)
        shared = shared + 0.5 * shared_loss(scores, right, targets.answerable, targets.group)
    answerability = functional.binary_cross_entropy_with_logits(
        logits.answerable, targets.has_answer.float()
    )
    tags = tag_loss(logits.tag, targets.tags, targets.answerable)
    return {
        "span": span,
        "shared": weights.shared * shared,
        "answerability": weights.answerability * answerability,
        "tags": weights.tags * tags,
    }


def span_loss(scores: Tensor, right: Tensor, allowed: Tensor) -> Tensor:
    """Minus the log probability that the best piece is any of the right ones, mean over windows."""
    every = scores.masked_fill(~allowed, NEVER).logsumexp(dim=1)
    return (every - scores.masked_fill(~right, NEVER).logsumexp(dim=1)).mean()


def shared_loss(scores: Tensor, right: Tensor, answerable: Tensor, group: Tensor) -> Tensor:
    """The same over the pieces of all windows of a group, mean over the groups with an answer.

    Clark & Gardner (2018) call this shared normalisation; it makes the scores of passages comparable.
    """
    has_answer = ~right[:, 0]
    every = scores.masked_fill(~answerable, NEVER).logsumexp(dim=1)
    own = scores.masked_fill(~(right & answerable), NEVER).logsumexp(dim=1)
    same = group[:, None] == group[None, :]
    # Each window's group as a row: over all its windows, and over their right pieces.
    every_of = torch.where(same, every[None, :], NEVER).logsumexp(dim=1)
    right_of = torch.where(same, own[None, :], NEVER).logsumexp(dim=1)
    holds = has_answer.float()
    # Windows of one group share what the group counts for.
    weight = holds / (same.float() @ holds).clamp(min=1)
    return ((every_of - right_of) * weight).sum() / weight.sum().clamp(min=1)


def tag_loss(scores: Tensor, tags: Tensor, answerable: Tensor) -> Tensor:
    """Binary cross entropy of a window's pieces, per piece of its answer, mean over windows."""
    each = functional.binary_cross_entropy_with_logits(scores, tags.float(), reduction="none")
    total = (each * answerable).sum(dim=1)
    return (total / tags.sum(dim=1).clamp(min=SHORTEST_ANSWER)).mean()
