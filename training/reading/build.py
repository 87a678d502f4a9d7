"""Build the reader's data set from the published files.

The --help of python -m training.reading.build lists them; training/README.md has a whole command.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from evaluation.squad import read_squad
from index.storage import sha256_of
from training.reading.builder import Builder
from training.reading.example import read_jsonl
from training.reading.other_sets import (
    Row,
    add_conversations,
    add_explanations,
    add_extra,
    add_lists,
    add_spans,
    add_tables,
)
from training.reading.squad_set import add_squad

READING: dict[str, Callable[[Builder, Sequence[Row]], None]] = {
    "spans": add_spans,
    "lists": add_lists,
    "explanations": add_explanations,
    "conversation": add_conversations,
    "tables": add_tables,
}


def build(
    squad: Path, extra: Path, reading: Path, out: Path, report: Callable[[str], None] = print
) -> None:
    """Write the data set of all files into the folder `out`."""
    builder = Builder()
    built_from = {"squad": sha256_of(squad), "extra": sha256_of(extra)}
    report("reading SQuAD")
    add_squad(builder, read_squad(squad))
    add_extra(builder, read_jsonl(extra))
    for name, add in READING.items():
        path = reading / f"{name}.jsonl.gz"
        report(f"reading {name}")
        built_from[name] = sha256_of(path)
        add(builder, read_jsonl(path))
    for part, counts in builder.write(out, built_from).items():
        report(f"{part}: {counts}")


def main(argv: Sequence[str] | None = None) -> None:
    """Build the data set; see the module's docstring."""
    parser = argparse.ArgumentParser(
        prog="python -m training.reading.build", description="Build the reader's data set."
    )
    parser.add_argument("--squad", type=Path, required=True, help="train-v2.0.json.gz")
    parser.add_argument("--extra", type=Path, required=True, help="extra-reading.jsonl.gz")
    parser.add_argument(
        "--reading",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="folder with spans, lists, explanations, conversation and tables.jsonl.gz",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    a = parser.parse_args(argv)
    build(a.squad, a.extra, a.reading, a.out)


if __name__ == "__main__":
    main()
