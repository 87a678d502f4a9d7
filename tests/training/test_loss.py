"""The losses, with values computed by hand."""

from __future__ import annotations

import math

import pytest
import torch

from training.reading.loss import LossWeights, Targets, losses, shared_loss, span_loss, tag_loss
from training.reading.model import Logits

NO, YES = False, True


def bools(*rows: list[bool]) -> torch.Tensor:
    return torch.tensor(rows)


def test_any_right_piece_will_do() -> None:
    # Odds 1, 2, 3 and 4 of ten; a piece that is not allowed does not count.
    scores = torch.tensor([[1.0, 2.0, 3.0, 4.0]]).log()
    everything = bools([YES] * 4)
    assert span_loss(scores, bools([NO, YES, NO, YES]), everything).item() == pytest.approx(
        -math.log(6 / 10)
    )
    assert span_loss(
        scores, bools([NO, YES, NO, NO]), bools([YES, YES, NO, YES])
    ).item() == pytest.approx(-math.log(2 / 7))


def test_the_span_loss_is_a_mean_over_windows() -> None:
    scores = torch.tensor([[1.0, 1.0], [1.0, 3.0]]).log()
    right = bools([YES, NO], [NO, YES])
    expected = -(math.log(1 / 2) + math.log(3 / 4)) / 2
    assert span_loss(scores, right, bools([YES] * 2, [YES] * 2)).item() == pytest.approx(expected)


def test_windows_of_one_group_share_a_normalisation() -> None:
    # The first two windows are of one question; their first piece is no passage's.
    scores = torch.tensor([[9.0, 1.0, 2.0], [9.0, 3.0, 4.0], [9.0, 1.0, 1.0]]).log()
    right = bools([NO, NO, YES], [YES, NO, NO], [YES, NO, NO])
    answerable = bools(*[[NO, YES, YES]] * 3)
    loss = shared_loss(scores, right, answerable, torch.tensor([0, 0, 1]))
    assert loss.item() == pytest.approx(-math.log(2 / 10))


def test_groups_without_an_answer_share_nothing() -> None:
    loss = shared_loss(
        torch.randn(2, 3),
        bools(*[[YES, NO, NO]] * 2),
        bools(*[[NO, YES, YES]] * 2),
        torch.tensor([0, 1]),
    )
    assert loss.item() == 0


def test_the_tag_loss_is_per_piece_of_the_answer() -> None:
    scores = torch.zeros(2, 10)
    tags = torch.zeros(2, 10, dtype=torch.bool)
    tags[0, 2:7] = True
    answerable = torch.ones(2, 10, dtype=torch.bool)
    answerable[:, :2] = False
    # Eight pieces of log 2 each: over five of the answer, and over the least of four.
    expected = (8 / 5 + 8 / 4) / 2 * math.log(2)
    assert tag_loss(scores, tags, answerable).item() == pytest.approx(expected)


def test_all_losses_are_weighed() -> None:
    logits = Logits(torch.zeros(1, 3), torch.zeros(1, 3), torch.zeros(1, 3), torch.zeros(1))
    middle = bools([NO, YES, NO])
    targets = Targets(bools([NO, YES, YES]), middle, middle, middle, torch.tensor([0]))
    named = losses(logits, targets, LossWeights(shared=0.5, answerability=2.0, tags=4.0))
    assert {name: loss.item() for name, loss in named.items()} == pytest.approx(
        {
            "span": math.log(3),
            "shared": 0.5 * math.log(2),
            "answerability": 2 * math.log(2),
            "tags": 4.0 * 2 / 4 * math.log(2),
        }
    )


def test_a_window_without_an_answer_has_its_first_piece_right() -> None:
    first = bools([YES, NO, NO])
    targets = Targets(first, first, first, bools([NO] * 3), torch.tensor([0]))
    assert targets.has_answer.tolist() == [False]
