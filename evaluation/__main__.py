"""python -m evaluation tables."""

from __future__ import annotations

from index.console import prepare_console, run_program

# Before the imports that take seconds.
if __name__ == "__main__":
    prepare_console()

import argparse
import json
import sys
from collections.abc import Sequence

from evaluation.tables import evaluate_tables, read_tables
from index.models.encoder import SentenceEncoder
from index.terminal import Parser, add_document_options, nonempty, positive_int, print_progress, run
from qa.opening import load_reader
from qa.reader import DEFAULT_READER


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status, 2 for invalid input."""
    parser = Parser(prog="python -m evaluation", description="Measure answers on question sets.")
    commands = parser.add_subparsers(dest="command", required=True)
    tables = commands.add_parser("tables", help="questions that one cell of a table answers")
    tables.add_argument("file", help=".jsonl or .jsonl.gz with tables, questions and cells")
    tables.add_argument("--sample", type=positive_int, help="ask only so many, taken evenly")
    tables.set_defaults(run=_tables)
    add_document_options(tables)
    tables.add_argument(
        "--reader",
        type=nonempty,
        default=str(DEFAULT_READER),
        help="a model for extractive question answering, by name or folder (default: our own)",
    )
    return run(parser.parse_args(argv))


def _tables(arguments: argparse.Namespace) -> None:
    questions = read_tables(arguments.file)
    if arguments.sample:
        questions = questions[:: max(1, len(questions) // arguments.sample)][: arguments.sample]
    reader, note = load_reader(arguments.reader)
    if note:
        print(note, file=sys.stderr)
    figures = evaluate_tables(
        questions, SentenceEncoder(arguments.encoder), reader, progress=print_progress("asking")
    )
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    run_program(main)
