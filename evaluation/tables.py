"""Ask questions of tables, and count the first answers that are in the right cell."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.documents.builder import ContentBuilder
from index.documents.document import Document, document_of
from index.documents.tables import DraftCell
from index.errors import DocumentError
from index.models.types import Encoder
from index.passages.context import FULL_CONTEXT, ContextOptions
from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from qa.answerer import ArticleAnswerer
from qa.candidates import PassageReader
from qa.types import Citation

Place = tuple[int, int]  # a cell's row and column, from 0


@dataclass(frozen=True, slots=True)
class TableQuestion:
    """A question, the table that it is about, and the cells that answer it."""

    id: str
    source: str
    text: str
    title: str
    table: tuple[tuple[str, ...], ...]
    cells: frozenset[Place]


def read_tables(path: str | Path) -> list[TableQuestion]:
    """Read the questions with one right cell of a .jsonl or .jsonl.gz file; raises DocumentError.

    A line has `id`, `source`, `title`, `table` (rows of texts), `question` and `cells` (pairs of a row
    and a column).
    """
    path = Path(path)
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            questions = [_question(json.loads(line)) for line in file if line.strip()]
    except FileNotFoundError:
        raise DocumentError(f"There is no file '{path}': check the path.") from None
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise DocumentError(
            f"'{path}' is not a file of questions on tables ({type(error).__name__}: {error}): give "
            "one object with id, source, title, table, question and cells on each line."
        ) from error
    return [question for question in questions if len(question.cells) == 1]


def evaluate_tables(
    questions: Sequence[TableQuestion],
    encoder: Encoder,
    reader: PassageReader | None = None,
    *,
    options: ContextOptions = FULL_CONTEXT,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Ask each question of its table, as a document of its own.

    `right` is the percentage of questions whose first words, shown or not, are in the right cell, and
    `shown` that of those for which they are also shown; both for all questions and by source.
    """
    by_source: dict[str, list[tuple[bool, bool]]] = {}
    for number, question in enumerate(questions, 1):
        document, places = table_document(question)
        index = ArticleIndex.build(document, encoder, options=options)
        answer = ArticleAnswerer(Collection([index]), reader).ask(question.text)
        right = _is_in(answer.best, [places[cell] for cell in question.cells if cell in places])
        by_source.setdefault(question.source, []).append((right, right and not answer.abstained))
        if progress:
            progress(number, len(questions))
    every = [outcome for outcomes in by_source.values() for outcome in outcomes]
    return {"all": _figures(every)} | {
        source: _figures(outcomes) for source, outcomes in sorted(by_source.items())
    }


def table_document(question: TableQuestion) -> tuple[Document, dict[Place, tuple[int, int]]]:
    """A document of one table, and the offsets of its cells that are not empty.

    The first row has the heads. So has the second where both begin with an empty cell, as with years
    below "Years ended".
    """
    table = question.table
    is_two = len(table) > 2 and not table[0][0].strip() and not table[1][0].strip()
    builder = ContentBuilder()
    builder.table(
        [
            [DraftCell(text, is_head=row <= is_two) for text in cells]
            for row, cells in enumerate(table)
        ]
    )
    document = document_of(builder.build(), name="table", source="table", title=question.title)
    filled = [n for n, cells in enumerate(table) if any(text.strip() for text in cells)]
    return document, {
        (row, cell.column): (cell.start, cell.end)
        for row, block in zip(filled, document.blocks, strict=True)
        for cell in block.cells
        if cell.start < cell.end
    }


def _question(row: dict[str, Any]) -> TableQuestion:
    return TableQuestion(
        id=row["id"],
        source=row["source"],
        text=row["question"],
        title=row["title"],
        table=tuple(tuple(map(str, cells)) for cells in row["table"]),
        cells=frozenset((cell[0], cell[1]) for cell in row["cells"]),
    )


def _is_in(found: Citation | None, places: Sequence[tuple[int, int]]) -> bool:
    return found is not None and any(a <= found.start and found.end <= b for a, b in places)


def _figures(outcomes: Sequence[tuple[bool, bool]]) -> dict[str, float]:
    count = len(outcomes)
    return {
        "n": count,
        "right": round(100 * sum(right for right, _ in outcomes) / max(1, count), 1),
        "shown": round(100 * sum(shown for _, shown in outcomes) / max(1, count), 1),
    }
