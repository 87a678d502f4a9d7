"""Read articles and questions from files in the SQuAD 1.1 or 2.0 format."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.documents.content import BLOCK_GAP
from index.documents.document import Document, of_paragraphs
from index.errors import DocumentError
from qa.types import Turn


@dataclass(frozen=True, slots=True)
class SquadQuestion:
    """A question about one paragraph; `answers` is empty if the paragraph does not answer it.

    `starts` are the answers' offsets in the article's text.
    """

    id: str
    text: str
    paragraph: int
    answers: tuple[str, ...]
    starts: tuple[int, ...]
    history: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class SquadArticle:
    """An article: its paragraphs as one document, their offsets in its text, and its questions."""

    document: Document
    paragraphs: tuple[tuple[int, int], ...]
    questions: tuple[SquadQuestion, ...]


def read_squad(path: str | Path) -> list[SquadArticle]:
    """Read a .json or .json.gz file; raises DocumentError if it is not in this format."""
    path = Path(path)
    try:
        content = path.read_bytes()
        data = json.loads(gzip.decompress(content) if path.suffix.lower() == ".gz" else content)[
            "data"
        ]
        return [_article(article) for article in data]
    except FileNotFoundError:
        raise DocumentError(f"There is no file '{path}'. Check the path.") from None
    except (
        OSError,
        EOFError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise DocumentError(
            f"'{path}' is not in the SQuAD format ({type(error).__name__}: {error}). Choose a file as "
            "published, .json or .json.gz."
        ) from error


def _article(article: dict[str, Any]) -> SquadArticle:
    contexts = [paragraph["context"] for paragraph in article["paragraphs"]]
    offsets, start = [], 0
    for context in contexts:
        offsets.append((start, start + len(context)))
        start += len(context) + len(BLOCK_GAP)
    title = article["title"].replace("_", " ")
    document = of_paragraphs(contexts, name=article["title"], source=article["title"], title=title)
    questions = [
        SquadQuestion(
            id=item["id"],
            text=item["question"],
            paragraph=number,
            answers=tuple(answer["text"] for answer in item["answers"]),
            starts=tuple(offsets[number][0] + answer["answer_start"] for answer in item["answers"]),
            history=tuple(Turn(turn[0], turn[1]) for turn in item.get("history", [])),
        )
        for number, paragraph in enumerate(article["paragraphs"])
        for item in paragraph["qas"]
    ]
    return SquadArticle(document, tuple(offsets), tuple(questions))
