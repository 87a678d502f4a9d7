"""One format for every reading data set, and its files.

A data set is a folder:

    passages.jsonl.gz            every passage, one a line; examples refer to them by line number
    train/NAME.jsonl.gz          examples to train on, one a line
    held_out/NAME.jsonl.gz       examples on documents that no training example is about
    about.json                   the counts, and the hashes of the files it was built from

Offsets count Python characters of the passage's text.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

Offsets = tuple[int, int]
HELD_OUT_PERCENT = 7


class Kind(str, Enum):
    """What the answer looks like."""

    SPAN = "span"  # one span; several are alternatives
    LIST = "list"  # several spans, all wanted
    EVIDENCE = "evidence"  # whole sentences
    NONE = "none"  # the passage has no answer


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a document with the title and section in front of it.

    `header` is a line such as "Title > Section", "" if there is none. `labels` are parts of the text
    that cannot be part of an answer, such as the column heads repeated in each row of a table.
    """

    document: str
    header: str
    text: str
    labels: tuple[Offsets, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A question on a passage.

    `spans` are what the start and end scores are trained on, any of them being right; for evidence,
    the start of any and the end of any other. `items` are what the tags are trained on, all of them
    wanted; those of an answer such as "oak and elm" are its parts. `history` is the previous question
    and its answer. `negatives` are passages of the same document without the answer.
    """

    id: str
    source: str
    question: str
    passage: int
    kind: Kind
    spans: tuple[Offsets, ...] = ()
    items: tuple[Offsets, ...] = ()
    history: tuple[str, str] | None = None
    negatives: tuple[int, ...] = ()


def is_held_out(document: str) -> bool:
    """Whether a document is kept for evaluation, by a hash of its name or text."""
    return int(hashlib.sha256(document.encode()).hexdigest()[:8], 16) % 100 < HELD_OUT_PERCENT


def write_rows(path: Path, rows: Iterable[Passage | Example]) -> None:
    """Write rows as gzipped JSON lines, byte for byte the same for the same rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode(), compresslevel=4, mtime=0))


def read_passages(folder: Path) -> list[Passage]:
    """Read a data set's passages."""
    return [
        Passage(row["document"], row["header"], row["text"], _offsets(row["labels"]))
        for row in _rows(folder / "passages.jsonl.gz")
    ]


def read_examples(path: Path) -> list[Example]:
    """Read one file of examples."""
    return [
        Example(
            id=row["id"],
            source=row["source"],
            question=row["question"],
            passage=row["passage"],
            kind=Kind(row["kind"]),
            spans=_offsets(row["spans"]),
            items=_offsets(row["items"]),
            history=tuple(row["history"]) if row["history"] else None,
            negatives=tuple(row["negatives"]),
        )
        for row in _rows(path)
    ]


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Read a .jsonl.gz file as published."""
    return _rows(path)


def _rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _offsets(pairs: Sequence[Sequence[int]]) -> tuple[Offsets, ...]:
    return tuple((start, end) for start, end in pairs)
