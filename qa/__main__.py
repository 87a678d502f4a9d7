"""python -m qa ask | chat | evaluate."""

from __future__ import annotations

from index.console import prepare_console, run_program

# Before the imports that take seconds.
if __name__ == "__main__":
    prepare_console()

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from evaluation.run import evaluate, summarize, write_predictions
from evaluation.squad import read_squad
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
from qa.plain_text import answer_text
from qa.questions import check_question
from qa.reader import DEFAULT_READER


def main(argv: Sequence[str] | None = None, *, prog: str = "python -m qa") -> int:
    """Run a command; returns the exit code: 2 for what a person can mend."""
    parser = Parser(prog=prog, description="Ask an article.")
    commands = parser.add_subparsers(dest="command", required=True)
    ask = commands.add_parser("ask", help="ask a question of a document")
    ask.add_argument("question")
    ask.set_defaults(run=_ask)
    talk = commands.add_parser("chat", help="ask questions and follow-ups, read from the terminal")
    talk.set_defaults(run=_chat)
    for command in (ask, talk):
        command.add_argument(
            "--article",
            type=nonempty,
            action="append",
            metavar="SOURCE",
            help="a txt, md, html, pdf or docx file, or a web address; again for several (default: the "
            "article that comes with the program)",
        )
        command.add_argument(
            "--store", type=nonempty, metavar="ADDRESS", help=f"instead of articles, {STORE_HELP}"
        )
        command.add_argument("--json", action="store_true", help="print the whole answer as JSON")
        command.add_argument(
            "--index", type=nonempty, help="the folder that keeps the index (default: your cache)"
        )
    judge = commands.add_parser("evaluate", help="ask all questions of a file in SQuAD's layout")
    judge.add_argument("file", help=".json or .json.gz, SQuAD 1.1 or 2.0")
    judge.add_argument(
        "--mode",
        choices=("article", "paragraph"),
        default="article",
        help="ask the whole article (default) or, as SQuAD does, the question's own paragraph",
    )
    judge.add_argument("--predictions", metavar="OUT.jsonl", help="write a line a question")
    judge.add_argument("--limit", type=positive_int, help="ask only the first N questions")
    judge.set_defaults(run=_evaluate)
    for command in (ask, talk, judge):
        command.add_argument(
            "--k",
            type=positive_int,
            default=DEFAULT_K,
            help="passages to read (default: %(default)s)",
        )
        add_document_options(command)
        command.add_argument(
            "--reader",
            type=nonempty,
            default=str(DEFAULT_READER),
            help="a model for extractive question answering, by name or folder (default: our own)",
        )
    return run(parser.parse_args(argv))


def _ask(arguments: argparse.Namespace) -> None:
    check_question(arguments.question)  # before the models are loaded for nothing
    with _opened(arguments) as (articles, several):
        answer = articles.ask(arguments.question, k=arguments.k)
        if arguments.json:
            print(visible(json.dumps(answer.to_dict(), ensure_ascii=False, indent=2)))
        else:
            print(answer_text(answer, several=several))


def _chat(arguments: argparse.Namespace) -> None:
    with _opened(arguments) as (articles, several):
        chat(articles, k=arguments.k, several=several, as_json=arguments.json)


@contextmanager
def _opened(arguments: argparse.Namespace) -> Iterator[tuple[Answerer, bool]]:
    """The documents or the store to ask, and whether answers have to name their document."""
    if arguments.store is None:
        articles = open_articles(
            arguments.article or [DEFAULT_ARTICLE],
            encoder=arguments.encoder,
            reader=arguments.reader,
            index=arguments.index,
            private=arguments.allow_private_urls,
            progress=print_progress("encoding"),
        )
        _print_note(articles.note)
        yield articles, len(articles.documents) > 1
        return
    if arguments.article or arguments.index is not None:
        raise ArticleError(
            "A store is asked by itself: leave --article and --index out, or put the documents into "
            "it with 'python -m index build'."
        )
    encoder = SentenceEncoder(arguments.encoder)
    store = open_store(arguments.store, encoder)
    try:
        stored = StoredCollection(store, encoder)
        reader, note = load_reader(arguments.reader)
        _print_note(note)
        yield Answerer(stored, reader, note), True
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
        raise ArticleError(f"'{arguments.file}' has no question to ask: give a file that has some.")
    if arguments.predictions:
        try:
            write_predictions(outcomes, arguments.predictions)
        except OSError as error:
            raise ArticleError(
                f"'{arguments.predictions}' cannot be written ({error.strerror or error}): "
                "give another path."
            ) from error
    print(json.dumps(summarize(outcomes), indent=2))


if __name__ == "__main__":
    run_program(main)
