"""A passage: what is searched and read as one, and what the models are given of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from index.documents.blocks import Offsets
from index.passages.context import Context, Segment


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of the document, `text == document.text[start:end]`, with its sentences' offsets.

    The rows of a table are sentences, too; a heading is one only where nothing stands below it.
    `context` is what the models are given, and `context_sentences` are the sentences' offsets in it.
    Boilerplate, such as the menu of a web page, never ranks above other text.
    """

    document_id: str
    start: int
    end: int
    text: str
    sentences: tuple[Offsets, ...]
    context: Context
    context_sentences: tuple[Offsets, ...]
    boilerplate: bool = False


def plain_passage(document_id: str, start: int, text: str, sentences: Sequence[Offsets]) -> Passage:
    """A passage that is given to the models as it stands."""
    return Passage(
        document_id=document_id,
        start=start,
        end=start + len(text),
        text=text,
        sentences=tuple(sentences),
        context=Context(text, (Segment(0, start, start + len(text)),)),
        context_sentences=tuple((a - start, b - start) for a, b in sentences),
    )


def sentence_texts(passages: Sequence[Passage]) -> list[str]:
    """The text of every sentence as the models are given it, passage by passage."""
    return [p.context.text[a:b] for p in passages for a, b in p.context_sentences]
