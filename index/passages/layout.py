"""What is saved of a passage beside its text: its sentences, and how its context is made of its text.

The context is saved as its parts: words that are not the passage's, and pairs of offsets in its text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from index.documents.blocks import Offsets
from index.documents.cleaning import replace_surrogates
from index.passages.context import Context, Segment
from index.passages.passage import Passage


def pack(passage: Passage) -> list[Any]:
    """A value for JSON; all of its offsets count from the passage's start."""
    first, parts, at = passage.start, [], 0
    words = passage.context.text
    for segment in passage.context.segments:
        parts += [words[at : segment.at], [segment.start - first, segment.end - first]]
        at = segment.at + segment.end - segment.start
    parts.append(words[at:])
    return [
        passage.boilerplate,
        [[a - first, b - first] for a, b in passage.sentences],
        passage.context_sentences,
        parts,
    ]


def unpack(document_id: str, start: int, text: str, packed: Sequence[Any]) -> Passage:
    """The passage of a document that has this text from `start` on.

    Raises ValueError or TypeError where the value is not one of such a passage.
    """
    boilerplate, sentences, places, parts = packed
    # Segments that do not overlap also bound the length of the context.
    _check_pairs([part for part in parts if type(part) is not str], len(text))
    context, segments = "", []
    for part in parts:
        if type(part) is str:
            context += replace_surrogates(part)
        else:
            a, b = part
            segments.append(Segment(len(context), start + a, start + b))
            context += text[a:b]
    _check_pairs(sentences, len(text))
    _check_pairs(places, len(context))
    if type(boilerplate) is not bool or not text or not 0 < len(sentences) == len(places):
        raise ValueError(f"the passage at {start} is not whole")
    return Passage(
        document_id=document_id,
        start=start,
        end=start + len(text),
        text=text,
        sentences=tuple((start + a, start + b) for a, b in sentences),
        context=Context(context, tuple(segments)),
        context_sentences=_pairs(places),
        boilerplate=boilerplate,
    )


def _pairs(values: Iterable[Sequence[int]]) -> tuple[Offsets, ...]:
    return tuple((a, b) for a, b in values)


def _check_pairs(pairs: Iterable[Sequence[int]], length: int) -> None:
    """Raise ValueError unless these are stretches of a text, in order, none empty or overlapping."""
    last = 0
    for a, b in pairs:
        if type(a) is not int or type(b) is not int or not last <= a < b <= length:
            raise ValueError(f"offsets out of order: {a}, {b}")
        last = b
