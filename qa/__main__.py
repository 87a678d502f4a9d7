"""The command line: python -m qa ask | chat | evaluate."""

from __future__ import annotations

from index.console import prepare_console, run_program

# Before the imports that take seconds.
if __name__ == "__main__":
    prepare_console()

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from evaluation.run import MODES, evaluate, summarize, write_predictions
from evaluation.squad import read_squad
from index.documents.document import Document
from index.documents.formats import FORMATS
from index.errors import ArticleError
from index.models.encoder import SentenceEncoder
from index.stores.collection import StoredCollection
from index.stores.open import STORE_HELP, open_store
from index.terminal import (
    Parser,
    add_document_options,
    nonempty,
    positive_int,
    print_progress,
    run,
    visible,
)
from qa.answerer import DEFAULT_K, Answerer
from qa.chat import chat
from qa.opening import DEFAULT_ARTICLE, load_reader, open_articles
from qa.plain_text import PlainText
from qa.questions import check_question
from qa.reader import DEFAULT_READER


def main(argv: Sequence[str] | None = None, *, prog: str = "python -m qa") -> int:
    """Run a command and return its exit status, 2 for invalid input."""
    parser = Parser(prog=prog, description="Ask questions about documents.")
    commands = parser.add_subparsers(dest="command", required=True)
    ask = commands.add_parser("ask", help="ask one question about a document")
    ask.add_argument("question")
    ask.set_defaults(run=_ask)
    talk = commands.add_parser("chat", help="ask questions and follow-ups in the terminal")
    talk.set_defaults(run=_chat)
    for command in (ask, talk):
        command.add_argument(
            "--article",
            type=nonempty,
            action="append",
            metavar="SOURCE",
            help=f"{FORMATS} file, or web address; repeat for several (default: the "
            "bundled sample article)",
        )
        command.add_argument(
            "--store", type=nonempty, metavar="ADDRESS", help=f"instead of --article: {STORE_HELP}"
        )
        command.add_argument("--json", action="store_true", help="print the full answer as JSON")
        command.add_argument(
            "--index", type=nonempty, help="folder of the index (default: in your cache)"
        )
    judge = commands.add_parser(
        "evaluate", help="ask all questions of a file in the SQuAD format and print the metrics"
    )
    judge.add_argument("file", help="SQuAD 1.1 or 2.0 file, .json or .json.gz")
    judge.add_argument(
        "--mode",
        choices=MODES,
        default=MODES[0],
        help="search the whole article, or only the question's own paragraph as SQuAD does "
        "(default: %(default)s)",
    )
    judge.add_argument(
        "--predictions", metavar="OUT.jsonl", help="write one JSON line per question"
    )
    judge.add_argument("--limit", type=positive_int, help="ask only the first N questions")
    judge.set_defaults(run=_evaluate)
    for command in (ask, talk, judge):
        command.add_argument(
            "--k",
            type=positive_int,
            default=DEFAULT_K,
            help="passages to read per question (default: %(default)s)",
        )
        add_document_options(command)
        command.add_argument(
            "--reader",
            type=nonempty,
            default=str(DEFAULT_READER),
            help="question-answering model: name or folder (default: the bundled one)",
        )
    return run(parser.parse_args(argv))


def _ask(arguments: argparse.Namespace) -> None:
    check_question(arguments.question)  # before loading the models
    with _opened(arguments) as (answerer, documents):
        answer = answerer.ask(arguments.question, k=arguments.k)
        if arguments.json:
            print(visible(json.dumps(answer.to_dict(), ensure_ascii=False, indent=2)))
        else:
            print(PlainText(documents).format(answer))


def _chat(arguments: argparse.Namespace) -> None:
    with _opened(arguments) as (answerer, documents):
        chat(answerer, documents, k=arguments.k, as_json=arguments.json)


@contextmanager
def _opened(arguments: argparse.Namespace) -> Iterator[tuple[Answerer, Mapping[str, Document]]]:
    """An answerer for the documents or the store, and the documents, none for a store."""
    if arguments.store is None:
        answerer = open_articles(
            arguments.article or [DEFAULT_ARTICLE],
            encoder=arguments.encoder,
            reader=arguments.reader,
            index=arguments.index,
            allow_private_urls=arguments.allow_private_urls,
            progress=print_progress("encoding"),
        )
        _print_note(answerer.note)
        yield answerer, answerer.documents
        return
    if arguments.article or arguments.index is not None:
        raise ArticleError(
            "--store cannot be combined with --article or --index. Leave them out, or add the documents "
            "to the store with 'python -m index build'."
        )
    encoder = SentenceEncoder(arguments.encoder)
    store = open_store(arguments.store, encoder)
    try:
        reader, note = load_reader(arguments.reader)
        _print_note(note)
        yield Answerer(StoredCollection(store, encoder), reader, note), {}
    finally:
        store.close()


def _print_note(note: str) -> None:
    if note:
        print(visible(note), file=sys.stderr)


def _evaluate(arguments: argparse.Namespace) -> None:
    articles = read_squad(arguments.file)
    reader, note = load_reader(arguments.reader)
    _print_note(note)
    outcomes = list(
        evaluate(
            articles,
            SentenceEncoder(arguments.encoder),
            reader,
            mode=arguments.mode,
            k=arguments.k,
            limit=arguments.limit,
            progress=print_progress("asking"),
        )
    )
    if not outcomes:
        raise ArticleError(f"'{arguments.file}' has no questions. Choose another file.")
    if arguments.predictions:
        try:
            write_predictions(outcomes, arguments.predictions)
        except OSError as error:
            raise ArticleError(
                f"'{arguments.predictions}' cannot be written ({error.strerror or error}). "
                "Choose another path."
            ) from error
    print(json.dumps(summarize(outcomes), indent=2))


if __name__ == "__main__":
    run_program(main)
