"""python -m qa ask | evaluate."""

from __future__ import annotations

from index.console import prepare_console, run_program

# Before the imports that take seconds.
if __name__ == "__main__":
    prepare_console()

import argparse
import json
import sys
from collections.abc import Sequence

from evaluation.run import evaluate, summarize, write_predictions
from evaluation.squad import read_squad
from index.errors import ArticleError
from index.models.encoder import SentenceEncoder
from index.stores.collection import StoredCollection
from index.stores.open import STORE_HELP, open_store
from index.terminal import Parser, add_shared, count, nonempty, print_progress, run, visible
from qa.answerer import DEFAULT_K, Answerer
from qa.opening import DEFAULT_ARTICLE, load_reader, open_articles
from qa.questions import check_question
from qa.reader import DEFAULT_READER
from qa.types import Answer, Citation


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 2 for what a person can mend."""
    parser = Parser(prog="python -m qa", description="Ask an article.")
    commands = parser.add_subparsers(dest="command", required=True)
    ask = commands.add_parser("ask", help="ask a question of a document")
    ask.add_argument("question")
    ask.add_argument(
        "--article",
        type=nonempty,
        action="append",
        metavar="SOURCE",
        help="a txt, md, html, pdf or docx file, or a web address; again for several (default: the "
        "article that comes with the program)",
    )
    ask.add_argument(
        "--store", type=nonempty, metavar="ADDRESS", help=f"instead of articles, {STORE_HELP}"
    )
    ask.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    ask.add_argument(
        "--index", type=nonempty, help="the folder that keeps the index (default: your cache)"
    )
    ask.set_defaults(run=_ask)
    judge = commands.add_parser("evaluate", help="ask all questions of a file in SQuAD's layout")
    judge.add_argument("file", help=".json or .json.gz, SQuAD 1.1 or 2.0")
    judge.add_argument(
        "--mode",
        choices=("article", "paragraph"),
        default="article",
        help="ask the whole article (default) or, as SQuAD does, the question's own paragraph",
    )
    judge.add_argument("--predictions", metavar="OUT.jsonl", help="write a line a question")
    judge.add_argument("--limit", type=count, help="ask only the first N questions")
    judge.set_defaults(run=_evaluate)
    for command in (ask, judge):
        command.add_argument(
            "--k", type=count, default=DEFAULT_K, help="passages to read (default: %(default)s)"
        )
        add_shared(command)
        command.add_argument(
            "--reader",
            type=nonempty,
            default=str(DEFAULT_READER),
            help="a model for extractive question answering, by name or folder (default: our own)",
        )
    return run(parser.parse_args(argv))


def _ask(arguments: argparse.Namespace) -> None:
    check_question(arguments.question)  # before the models are loaded for nothing
    if arguments.store is not None:
        _ask_store(arguments)
        return
    articles = open_articles(
        arguments.article or [DEFAULT_ARTICLE],
        encoder=arguments.encoder,
        reader=arguments.reader,
        index=arguments.index,
        private=arguments.allow_private_urls,
        progress=print_progress("encoding"),
    )
    _show(arguments, articles, len(articles.documents) > 1)


def _ask_store(arguments: argparse.Namespace) -> None:
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
        _show(arguments, Answerer(stored, reader, note), True)
    finally:
        store.close()


def _show(arguments: argparse.Namespace, articles: Answerer, several: bool) -> None:
    if articles.note:
        print(visible(articles.note), file=sys.stderr)
    answer = articles.ask(arguments.question, k=arguments.k)
    if arguments.json:
        print(visible(json.dumps(answer.to_dict(), ensure_ascii=False, indent=2)))
    else:
        print(visible(_in_words(answer, several)))


def _evaluate(arguments: argparse.Namespace) -> None:
    articles = read_squad(arguments.file)
    reader, note = load_reader(arguments.reader)
    if note:
        print(visible(note), file=sys.stderr)
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


def _in_words(answer: Answer, several: bool) -> str:
    lines = []
    if answer.text is not None and answer.citation:
        lines += _cited("", answer.text, answer.confidence, answer.citation, answer, several)
        for a in answer.alternatives:
            lines += _cited("or: ", a.text, a.confidence, a.citation, answer, several)
    else:
        lines.append(f"The article does not say.  [{answer.confidence:.0%} sure of the nearest]")
        if answer.hits:
            lines.append(f"Nearest passage, not an answer: {answer.hits[0].passage.text}")
    if answer.rewritten:
        lines.append(f"understood as: {answer.rewritten}")
    return "\n".join(lines)


def _cited(
    before: str, text: str, confidence: float, at: Citation, answer: Answer, several: bool
) -> list[str]:
    """An answer's words and place, and the sentence around them where it has more."""
    named = f" of {at.document}" if several else ""
    around = answer.sentence(at)
    return [
        f"{before}{text}  [{confidence:.0%} sure, characters {at.start}-{at.end}{named}]",
        *([f"    in: {around}"] if around != text else []),
    ]


if __name__ == "__main__":
    run_program(main)
