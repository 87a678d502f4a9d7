"""Windows of word pieces and their labels."""

from __future__ import annotations

import numpy as np
import pytest

from qa.reader_format import MAX_LENGTH, STRIDE
from tests.qa.test_reader import save_tokenizer
from training.reading.example import Kind, Offsets, Passage
from training.reading.windows import Context, Labels, Pieces, Window, window_bounds

TEXT = "red blue. green lives in the house"


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Pieces:
    folder = tmp_path_factory.mktemp("base")
    save_tokenizer(folder)
    return Pieces(folder)


def find(text: str, *parts: str) -> tuple[Offsets, ...]:
    return tuple((text.index(part), text.index(part) + len(part)) for part in parts)


def words(pieces: Pieces, window: Window, mask: np.ndarray) -> list[str]:
    return pieces.tokens(window.ids[mask])


def whole(pieces: Pieces, labels: Labels, passage: Passage | None = None) -> Window:
    context = Context(pieces, passage or Passage("d", "", TEXT), header=True)
    (window,) = context.every_window(pieces.asking("who won?", None), labels)
    return window


def test_the_layout_of_a_window(pieces: Pieces) -> None:
    window = whole(pieces, Labels(), Passage("d", "the red", TEXT))
    tokens = pieces.tokens(window.ids)
    assert tokens[:5] == ["[CLS]", "who", "won", "?", "[SEP]"]
    assert tokens[5:10] == ["the", "red", "red", "blue", "."] and tokens[-1] == "[SEP]"
    assert window.types.tolist() == [0] * 5 + [1] * (len(window) - 5)
    # Neither the header nor a mark can be part of an answer.
    assert np.flatnonzero(window.answerable).tolist() == list(range(7, len(window) - 1))
    assert tuple(window.offsets[7]) == (0, 3) and tuple(window.offsets[5]) == (0, 0)


def test_history_stands_before_the_question(pieces: Pieces) -> None:
    asking = pieces.asking("who won?", ("where", "in the red"))
    tokens = " ".join(pieces.tokens(asking.pieces))
    assert tokens == "[CLS] where [SEP] in the red [SEP] who won ? [SEP]"


def test_a_span_starts_and_ends_where_it_does(pieces: Pieces) -> None:
    spans = find(TEXT, "green lives")
    window = whole(pieces, Labels(Kind.SPAN, spans, spans))
    assert words(pieces, window, window.start) == ["green"]
    assert words(pieces, window, window.end) == ["lives"]
    assert words(pieces, window, window.tags) == ["green", "lives"]


def test_every_item_of_a_list_is_a_span_and_tagged(pieces: Pieces) -> None:
    spans = find(TEXT, "red", "green")
    window = whole(pieces, Labels(Kind.LIST, spans, spans))
    for mask in (window.start, window.end, window.tags):
        assert words(pieces, window, mask) == ["red", "green"]


def test_an_enumeration_is_one_span_of_several_items(pieces: Pieces) -> None:
    labels = Labels(Kind.LIST, find(TEXT, "red blue"), find(TEXT, "red", "blue"))
    window = whole(pieces, labels)
    assert words(pieces, window, window.start) == ["red"]
    assert words(pieces, window, window.end) == ["blue"]
    assert words(pieces, window, window.tags) == ["red", "blue"]


def test_evidence_starts_and_ends_with_its_sentences(pieces: Pieces) -> None:
    labels = Labels(Kind.EVIDENCE, find(TEXT, "red blue.", TEXT[10:]), ((0, len(TEXT)),))
    window = whole(pieces, labels)
    assert words(pieces, window, window.start) == ["red", "green"]
    # "house" is not one of the made-up vocabulary's words.
    assert words(pieces, window, window.end) == [".", "##e"]
    assert (window.tags == window.answerable).all()


def test_without_an_answer_the_first_piece_is_right(pieces: Pieces) -> None:
    window = whole(pieces, Labels())
    assert np.flatnonzero(window.start).tolist() == np.flatnonzero(window.end).tolist() == [0]
    assert not window.tags.any()


def test_labels_of_a_table_cannot_be_part_of_an_answer(pieces: Pieces) -> None:
    passage = Passage("d", "", TEXT, labels=find(TEXT, "red"))
    window = whole(pieces, Labels(Kind.SPAN, find(TEXT, "blue"), find(TEXT, "red blue")), passage)
    assert words(pieces, window, window.answerable)[:2] == ["blue", "."]
    assert words(pieces, window, window.tags) == ["blue"]


LONG = " ".join(["red blue green."] * 300) + " where " + " ".join(["red blue."] * 200)


def test_a_long_passage_is_cut_around_its_answer(pieces: Pieces) -> None:
    spans = find(LONG, "where")
    context = Context(pieces, Passage("d", "the", LONG), header=True)
    asking = pieces.asking("who won?", None)
    firsts = set()
    for seed in range(20):
        window = context.drawn_window(
            asking, Labels(Kind.SPAN, spans, spans), np.random.default_rng(seed), short=False
        )
        assert words(pieces, window, window.start) == ["where"]
        assert len(window) <= MAX_LENGTH
        tokens = pieces.tokens(window.ids)
        # Every window has the header, and starts after a sentence.
        assert tokens[5] == "the" and tokens[6] == "red"
        firsts.add(int(window.offsets[6, 0]))
    assert len(firsts) > 5


def test_a_long_answer_is_cut_and_stays_an_answer(pieces: Pieces) -> None:
    context = Context(pieces, Passage("d", "", LONG), header=False)
    labels = Labels(Kind.EVIDENCE, ((0, len(LONG)),), ((0, len(LONG)),))
    window = context.drawn_window(
        pieces.asking("who won?", None), labels, np.random.default_rng(1), short=True
    )
    assert (window.tags == window.answerable).all() and window.tags.any()
    assert not window.start[0] and window.start.any() and window.end.any()


def test_a_window_away_from_the_answer(pieces: Pieces) -> None:
    spans = find(LONG, "where")
    context = Context(pieces, Passage("d", "", LONG), header=False)
    asking = pieces.asking("who won?", None)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        window = context.window_without_answer(asking, Labels(Kind.SPAN, spans, spans), rng)
        assert window is not None and window.start[0]
        assert "where" not in pieces.tokens(window.ids)
    short = Context(pieces, Passage("d", "", TEXT), header=False)
    rng = np.random.default_rng(0)
    assert short.window_without_answer(asking, Labels(Kind.SPAN, spans, spans), rng) is None


def test_windows_in_use_cover_the_passage(pieces: Pieces) -> None:
    context = Context(pieces, Passage("d", "", LONG), header=False)
    windows = context.every_window(pieces.asking("who won?", None), Labels())
    assert all(len(w) <= MAX_LENGTH for w in windows)
    seen = {tuple(o) for w in windows for o in w.offsets[w.answerable]}
    assert len(seen) == len(context.ids)


def test_window_bounds() -> None:
    assert window_bounds(10, 10, 4) == [(0, 10)]
    assert window_bounds(11, 10, 4) == [(0, 10), (6, 11)]
    assert window_bounds(22, 10, 4) == [(0, 10), (6, 16), (12, 22)]
    assert STRIDE < MAX_LENGTH


def test_of_a_span_that_a_window_cuts_the_rest_counts(pieces: Pieces) -> None:
    context = Context(pieces, Passage("d", "", TEXT), header=False)
    asking = pieces.asking("who won?", None)
    sentences = find(TEXT, "red blue.", "green lives in the house")
    evidence = Labels(Kind.EVIDENCE, sentences, ((0, len(TEXT)),))
    later = context.window(asking, 1, 6, evidence)
    assert words(pieces, later, later.start) == ["green"]
    assert words(pieces, later, later.end) == ["."]
    # Where neither end of the answer is inside, any of its pieces will do.
    within = context.window(asking, 4, 6, evidence)
    for mask in (within.start, within.end, within.tags):
        assert words(pieces, within, mask) == ["lives", "in"]
