"""Saved layouts of passages: they come back as they were, or are refused."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.documents.document import Document, make_document, read_document
from index.passages.layout import pack, unpack
from index.passages.passage import Passage
from index.passages.split import split_passages
from tests.index.documents.test_samples import FILES


def split(document: Document, most: int) -> tuple[Passage, ...]:
    return split_passages(document, lambda texts: [len(t.split()) for t in texts], most)


def restored(passage: Passage) -> Passage:
    packed = json.loads(json.dumps(pack(passage)))
    return unpack(passage.document_id, passage.start, passage.text, packed)


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_the_passages_of_a_file_come_back(path: Any) -> None:
    document = read_document(path)
    for most in (12, 120):
        for passage in split(document, most):
            assert restored(passage) == passage
            assert passage.text == document.text[passage.start : passage.end]


@given(st.text(max_size=300), st.integers(2, 40))
def test_the_passages_of_any_text_come_back(text: str, most: int) -> None:
    if text.strip():
        for passage in split(make_document(text, name="x", source="x"), most):
            assert restored(passage) == passage


PASSAGE = split(
    make_document("Lamps\n\nIt was lit. It was bright.", name="x", source="x", title="Oil"), 40
)[0]
VALUES = (None, True, -1, 0, 3, 10**9, 1.5, "", "a", "\ud800", [], {}, [[]], [0, 0], [2, 1], ["a"])


@pytest.mark.parametrize(
    "packed",
    [
        *(None, 1, "abcd", [], {}, [False], pack(PASSAGE)[:3], [*pack(PASSAGE), 1]),
        [0, *pack(PASSAGE)[1:]],
        [False, [], [], ["", [0, 5], ""]],
        [False, [[0, 5]], [[0, 5]], [[0, 5]] * 3],
        [False, [[0, 5]], [[0, 5]], [[0, 10**6]]],
        [False, [[0, 5]], [[0, 10**6]], [[0, 5]]],
        [False, [[0, 5], [3, 8]], [[0, 2], [2, 5]], [[0, 5]]],
        [False, [[0, 5]], [[0, 5]], [[-5, 5]]],
        [False, [[0, 5]], [[0, 5]], [[0.0, 5.0]]],
    ],
)
def test_damaged_layouts_are_refused(packed: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        unpack("x", 0, PASSAGE.text, packed)


def test_a_layout_with_any_change_is_refused_or_quotes_the_text() -> None:
    rng = random.Random(0)
    refused = 0
    for _ in range(3_000):
        packed = json.loads(json.dumps(pack(PASSAGE)))
        inside = packed
        while rng.random() < 0.7:
            deeper = [value for value in inside if isinstance(value, list) and value]
            if not deeper:
                break
            inside = rng.choice(deeper)
        inside[rng.randrange(len(inside))] = rng.choice(VALUES)
        try:
            passage = unpack("x", 0, PASSAGE.text, packed)
        except (ValueError, TypeError):
            refused += 1
            continue
        passage.context.text.encode()  # no lone surrogates
        for at, start, end in passage.context.segments:
            assert passage.context.text[at : at + end - start] == PASSAGE.text[start:end] != ""
        for a, b in passage.sentences:
            assert 0 <= a < b <= len(PASSAGE.text)
    assert refused > 1_000
