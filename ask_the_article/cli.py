"""The command ask-the-article: one entry point for the page and the command lines."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from ask_the_article import __version__
from index.console import exit_process, prepare_console, run_program
from page.startup import prepare_server

PROGRAM = "ask-the-article"
COMMANDS = {
    "serve": "serve the web page",
    "ask": "ask one question about a document",
    "chat": "ask questions and follow-ups about a document in the terminal",
    "index": "build, describe or search an index",
    "evaluate": "ask all questions of a file in the SQuAD format and print the metrics",
}


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run one command with the arguments after it, and exit with its status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    # The command's own parser handles what follows its name.
    command = _parser().parse_args(arguments[:1]).command
    rest = arguments[1:]
    # Each prepares its process before the imports that take seconds.
    if command == "serve":
        prepare_server()
        import app

        exit_process(app.main(rest, prog=f"{PROGRAM} serve"))
    prepare_console()
    if command == "index":
        from index.__main__ import main as index_main

        run_program(lambda: index_main(rest, prog=f"{PROGRAM} index"))
    from qa.__main__ import main as qa_main

    run_program(lambda: qa_main([command, *rest], prog=PROGRAM))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Ask questions about documents; answers are quoted word for word.",
        epilog=f"'{PROGRAM} COMMAND --help' lists the options of a command.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, about in COMMANDS.items():
        commands.add_parser(name, help=about, add_help=False)
    return parser
