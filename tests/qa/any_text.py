"""Texts and questions of any characters at all, and what is wrong with an answer to one."""

from __future__ import annotations

import json
from collections import Counter

from hypothesis import strategies as st

from evaluation.run import misquotations
from index.documents.cleaning import clean
from index.documents.document import Document, make_document
from index.errors import ArticleError
from index.models.types import Encoder
from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from qa.answerer import ArticleAnswerer
from qa.candidates import PassageReader
from qa.types import Answer

# Any character, lone surrogates among them, and runs of what texts are seldom made of.
_CHARACTERS = st.characters(codec=None)
_ODD = st.sampled_from(
    [
        "The bridge was built in 1851. ",
        "“Who?” she said – Dr. Smith’s… ",
        "\u05d4\u05d2\u05e9\u05e8 \u05e0\u05d1\u05e0\u05d4 \u05d1-1851. ",
        "\u0627\u0644\u062c\u0633\u0631\u061f ",
        "\u6865\u5efa\u4e8e1851\u5e74\u3002",
        "e\u0301\u0323\u0302" * 20,
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 ",
        "\u202eevil\u202c ",
        "\x00\x1b[31m\x07 ",
        "\ud800",
        "\r\n\r\n",
        "\u2028\u2029\x85\x0b\x0c",
        "\ufeff\u200b\u00ad",
        "x" * 500,
        "ﬁ ß İ ǅ ",
        "| a | b |\n",
        "# ",
    ]
)
_PIECES = st.one_of(_ODD, st.text(_CHARACTERS, max_size=40))
TEXTS = st.lists(_PIECES, min_size=1, max_size=12).map("".join)
# As long as a report that repeats one sentence.
LONG_TEXTS = st.tuples(TEXTS, st.integers(1_000, 100_000)).map(
    lambda made: (
        (made[0] * (1 + made[1] // len(made[0].encode("utf-8", "replace")))) if made[0] else "a"
    )
)
QUESTIONS = st.one_of(
    st.lists(_PIECES, min_size=1, max_size=3).map("".join),
    st.sampled_from(["When was the bridge built?", "why?", "Who said that?", "?"]),
)


def lost_characters(text: str, document: Document) -> str:
    """The letters and digits of a text that its document does not have."""
    markers = "".join(block.marker for block in document.blocks)
    return "".join((_alphanumeric(text) - _alphanumeric(document.text + markers)).elements())


def _alphanumeric(text: str) -> Counter[str]:
    return Counter(character for character in clean(text) if character.isalnum())


def across_blocks(answer: Answer, document: Document) -> list[str]:
    """The quotations of an answer that are not within one block."""
    cited = [answer.citation, answer.best, *(other.citation for other in answer.alternatives)]
    return [
        f"{document.text[at.start : at.end]!r} is not within one block"
        for at in cited
        if at
        and not any(block.start <= at.start < at.end <= block.end for block in document.blocks)
    ]


def ask(text: str, question: str, encoder: Encoder, reader: PassageReader) -> str:
    """Ask a text, and give what is wrong with the answer; anything but an ArticleError is raised."""
    try:
        document = make_document(text, name="any", source="any.txt")
        index = ArticleIndex.build(document, encoder)
        answer = ArticleAnswerer(Collection([index]), reader).ask(question)
    except ArticleError as error:
        return "" if str(error).endswith(".") else f"no sentence: {error}"
    wrong = misquotations(answer, {"any": document.text})
    wrong += [f"lost {lost}"] if (lost := lost_characters(text, document)) else []
    wrong += across_blocks(answer, document)
    if json.loads(json.dumps(answer.to_dict()))["text"] != answer.text:
        wrong.append("another text after JSON")
    json.dumps(answer.to_dict(), ensure_ascii=False).encode()
    return "; ".join(wrong)
