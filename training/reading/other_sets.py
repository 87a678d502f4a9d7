"""The reading data sets beside SQuAD: spans, lists, explanations, conversations and tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from index.passages.sentences import split_sentences
from training.reading.builder import Builder
from training.reading.enumerations import items_of
from training.reading.example import Example, Kind, Offsets, is_held_out
from training.reading.tables import table_window

Row = dict[str, Any]
# Titles that are only a number say nothing that a question could refer to.
_NAMELESS = re.compile(r"(?:nfl|history)_\d+|Wikipedia page \d+|financial report \w+|Meeting \w+")
# The site's suffix of a page's name, such as "#3_0".
_SUFFIX = re.compile(r"#[\d_]+$")
_BLANK = re.compile(r"\n\s*\n")
EXTRA_HOLD_OUT_EVERY = 20


def add_spans(builder: Builder, rows: Sequence[Row]) -> None:
    """Add spans.jsonl.gz: answers are alternatives, unless they may be the parts of one list."""
    for row in rows:
        spans = _spans(row)
        if not spans:
            continue
        # Alternatives overlap or repeat each other; the parts of a list do neither.
        listed = bool(row.get("may_be_list")) and not _overlap(spans)
        _add(builder, "spans", row, spans, Kind.LIST if listed else Kind.SPAN)


def add_lists(builder: Builder, rows: Sequence[Row]) -> None:
    """Add lists.jsonl.gz: every answer is wanted."""
    for row in rows:
        if spans := _spans(row):
            _add(builder, "lists", row, tuple(sorted(spans)), Kind.LIST)


def add_extra(builder: Builder, rows: Sequence[Row]) -> None:
    """Add extra-reading.jsonl.gz, of which every 20th title is held out.

    The same as for earlier readers, so that these questions are new to each. A title that another set
    holds out is left out.
    """
    titles = sorted({(row["source"], row["title"]) for row in rows})
    held_out = set(titles[::EXTRA_HOLD_OUT_EVERY])
    for row in rows:
        kept = (row["source"], row["title"]) in held_out
        if (kept or not is_held_out(row["title"])) and (spans := _spans(row)):
            _add(builder, "extra", row, spans, Kind.SPAN, held_out=kept)


def add_conversations(builder: Builder, rows: Sequence[Row]) -> None:
    """Add conversation.jsonl.gz with the last turn before each question."""
    for row in rows:
        title = _SUFFIX.sub("", row["title"])
        passage = builder.passage(row["document"], title, row["context"])
        spans = _spans(row)
        if not spans:
            continue
        history = (row["history"][-1][0], row["history"][-1][1]) if row["history"] else None
        builder.add(
            "conversation",
            Example(
                id=row["id"],
                source=row["source"],
                question=row["question"],
                passage=passage,
                kind=Kind.SPAN,
                spans=spans,
                items=spans,
                history=history,
            ),
        )


def add_explanations(builder: Builder, rows: Sequence[Row]) -> None:
    """Add explanations.jsonl.gz: the sentences of the sections or turns that answer."""
    for row in rows:
        if row["source"] == "medquad":
            _add_section(builder, row)
        elif spans := _spans(row):
            document, text = row["title"], row["context"]
            passage = builder.passage(document, "", text)
            builder.add("explanations", _evidence(row, passage, text, sorted(spans)))


def add_tables(builder: Builder, rows: Sequence[Row]) -> None:
    """Add tables.jsonl.gz: the rows around the answer as lines, under the table's title."""
    rng = np.random.default_rng(11)
    for row in rows:
        window = table_window(row, rng)
        if window is None:
            continue
        cells = [window.cells.get((r, c)) for r, c in row["cells"]]
        spans = tuple(cell for cell in cells if cell is not None)
        if len(spans) < len(cells):
            continue
        passage = builder.passage(row["title"], _title(row), window.text, window.labels)
        builder.add(
            "tables",
            Example(
                id=row["id"],
                source=row["source"],
                question=row["question"],
                passage=passage,
                kind=Kind.LIST if len(spans) > 1 else Kind.SPAN,
                spans=spans,
                items=tuple(sorted(spans)),
            ),
        )


def sections(text: str) -> list[tuple[str, Offsets]]:
    """The sections of a page, each a heading on a line of its own and what follows it.

    The first block is the page's title and has no text.
    """
    starts = [0, *(match.end() for match in _BLANK.finditer(text))]
    ends = [*(match.start() for match in _BLANK.finditer(text)), len(text)]
    found = []
    for start, end in zip(starts, ends, strict=True):
        line_end = text.find("\n", start, end)
        if line_end > 0 and text[line_end + 1 : end].strip():
            found.append((text[start:line_end].strip(), (line_end + 1, end)))
    return found


def _add_section(builder: Builder, row: Row) -> None:
    """Add a question on a page whose sections are passages: the right one, and the others as wrong."""
    text, title = row["context"], row["title"]
    spans = _spans(row)
    numbers, right = [], None
    for heading, (start, end) in sections(text):
        number = builder.passage(title, f"{title} > {heading}", text[start:end])
        numbers.append(number)
        inside = [(a - start, b - start) for a, b in spans if start <= a and b <= end]
        if right is None and inside:
            right = number, text[start:end], inside
    if right is not None:
        number, body, inside = right
        wrong = tuple(n for n in dict.fromkeys(numbers) if n != number)
        builder.add("explanations", _evidence(row, number, body, inside, wrong))


def _evidence(
    row: Row, passage: int, text: str, items: Sequence[Offsets], wrong: tuple[int, ...] = ()
) -> Example:
    return Example(
        id=row["id"],
        source=row["source"],
        question=row["question"],
        passage=passage,
        kind=Kind.EVIDENCE,
        spans=tuple(s for start, end in items for s in split_sentences(text, start, end)),
        items=tuple(items),
        negatives=wrong,
    )


def _add(
    builder: Builder,
    name: str,
    row: Row,
    spans: tuple[Offsets, ...],
    kind: Kind,
    held_out: bool | None = None,
) -> None:
    document = row["title"] or row["context"]
    passage = builder.passage(document, _title(row), row["context"])
    builder.add(
        name,
        Example(
            id=row["id"],
            source=row["source"],
            question=row["question"],
            passage=passage,
            kind=kind,
            spans=spans,
            items=(
                tuple(sorted(spans))
                if kind is Kind.LIST
                else items_of(row["question"], row["context"], spans[0])
            ),
        ),
        held_out=held_out,
    )


def _title(row: Row) -> str:
    title: str = row["title"]
    return "" if _NAMELESS.fullmatch(title) else title


def _spans(row: Row) -> tuple[Offsets, ...]:
    spans = (
        (a["answer_start"], a["answer_start"] + len(a["text"])) for a in row["answers"] if a["text"]
    )
    return tuple(dict.fromkeys(spans))


def _overlap(spans: Sequence[Offsets]) -> bool:
    ordered = sorted(spans)
    return any(a[1] > b[0] for a, b in zip(ordered, ordered[1:], strict=False))
