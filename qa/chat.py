"""A conversation in the terminal: questions from standard input, answers with citations."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from contextlib import suppress

from index.documents.document import Document
from index.terminal import visible
from qa.answerer import Answerer
from qa.plain_text import PlainText
from qa.types import Answer, QuestionError, Turn

QUIT = ":quit"


def chat(
    answerer: Answerer, documents: Mapping[str, Document], *, k: int, as_json: bool = False
) -> None:
    """Answer each line of standard input, with the turns before it as history, until it ends.

    `documents` are the open ones by id, for the citations; empty for a store. A question that cannot
    be asked is reported on standard error and skipped. `as_json`: print each answer as a line of JSON.
    """
    interactive = bool(sys.stdin) and sys.stdin.isatty()
    if interactive:
        with suppress(ImportError):  # Windows has none
            import readline  # noqa: F401 - input() then edits lines and recalls earlier ones
        print(f"Ask a question; {QUIT} or Ctrl-D ends the conversation.", file=sys.stderr)
    elif isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    plain = PlainText(documents, _bold if sys.stdout.isatty() else _starred)
    history: list[Turn] = []
    while (question := _next_question("> " if interactive else "")) is not None:
        try:
            answer = answerer.ask(question, history=history, k=k)
        except QuestionError as error:
            print(visible(f"error: {error}"), file=sys.stderr)
            continue
        if as_json:
            print(visible(json.dumps(answer.to_dict(), ensure_ascii=False)), flush=True)
        else:
            print(plain.format(answer), end="\n\n", flush=True)
        history.append(_turn(answer))


def _next_question(prompt: str) -> str | None:
    """The next line that is not blank; None at the end of the input."""
    while True:
        try:
            line = input(prompt).strip()
        except EOFError:
            if prompt:
                print()  # Ctrl-D leaves the cursor after the prompt
            return None
        except RuntimeError:  # standard input is closed
            return None
        if line == QUIT:
            return None
        if line:
            return line


def _turn(answer: Answer) -> Turn:
    sentence = answer.sentence(answer.citation) if answer.citation else ""
    return Turn(answer.question, answer.text or "", sentence)


def _bold(words: str) -> str:
    return f"\033[1m{words}\033[0m"


def _starred(words: str) -> str:
    return f"**{words}**"
