"""The pieces in front of a passage."""

from qa.reading_input import MAX_ASKED, MAX_QUESTION_PIECES, asked_pieces

CLS, SEP = 1, 2


def laid_out(question: int, *history: int) -> list[int]:
    """Of a question and parts of a history of so many pieces: 10s, and 20s, 30s."""
    parts = [[20 + 10 * i] * size for i, size in enumerate(history)]
    return asked_pieces([10] * question, parts, cls=CLS, sep=SEP)


def test_a_question_alone() -> None:
    assert laid_out(3) == [CLS, 10, 10, 10, SEP]


def test_the_previous_question_and_answer_come_first() -> None:
    assert laid_out(2, 1, 2) == [CLS, 20, SEP, 30, 30, SEP, 10, 10, SEP]


def test_an_empty_answer_is_left_out() -> None:
    assert laid_out(1, 2, 0) == [CLS, 20, 20, SEP, 10, SEP]


def test_a_long_question_is_cut() -> None:
    assert laid_out(100) == [CLS, *[10] * MAX_QUESTION_PIECES, SEP]


def test_a_long_turn_is_cut_to_both_parts_alike() -> None:
    pieces = laid_out(10, 100, 100)
    assert (pieces.count(20), pieces.count(30), pieces.count(10)) == (24, 24, 10)


def test_a_short_part_leaves_its_room_to_the_other() -> None:
    assert (laid_out(10, 5, 100).count(20), laid_out(10, 5, 100).count(30)) == (5, 43)
    assert (laid_out(10, 100, 5).count(20), laid_out(10, 100, 5).count(30)) == (43, 5)


def test_a_long_question_leaves_less_for_the_turn() -> None:
    pieces = laid_out(100, 100, 100)
    assert pieces.count(10) == MAX_QUESTION_PIECES
    assert MAX_ASKED - 1 <= len(pieces) <= MAX_ASKED
