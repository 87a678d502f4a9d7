"""Helpers of the command lines: options, progress, and errors as one line with exit code 2."""

from __future__ import annotations

import argparse
import re
import sys
from typing import NoReturn

from index.console import INTERRUPTED, discard_output
from index.errors import ArticleError
from index.models.model_files import DEFAULT_ENCODER
from index.models.types import Progress

# Control characters except tab and line feed, characters that change the direction of text, and lone
# surrogates.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, with exit code 2."""

    def error(self, message: str) -> NoReturn:
        """Print the message and exit."""
        self.exit(2, visible(f"error: {message}; see '{self.prog} --help'\n"))


def positive_int(text: str) -> int:
    """Parse an argument; raises ArgumentTypeError unless it is a whole number of 1 or more."""
    number = int(text) if text.isdecimal() and len(text) < 10 else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"'{text[:100]}' is not a whole number of 1 or more")
    return number


def nonempty(text: str) -> str:
    """Return an argument; raises ArgumentTypeError if it is empty."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; leave the option out for its default")
    return text


def run(arguments: argparse.Namespace) -> int:
    """Call arguments.run(arguments) and return the exit code; a user's error prints one line."""
    try:
        arguments.run(arguments)
        sys.stdout.flush()  # otherwise a failed write would show only when the interpreter exits
    except ArticleError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of the output, such as head, has closed it
        discard_output()
        return 0
    except OSError as error:
        discard_output()
        return _fail(
            f"Reading or writing failed ({error}). Check the paths and the space on the disk."
        )
    return 0


def _fail(message: str) -> int:
    print(visible(f"error: {message}"), file=sys.stderr)
    return 2


def visible(text: str) -> str:
    r"""Escape the characters of a text that could control a terminal as \uXXXX.

    JSON keeps its meaning.
    """
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text.replace("\r\n", "\n"))


def print_progress(label: str) -> Progress | None:
    """Return a callback that prints progress in one line; None if stderr is not a terminal."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        end = "\n" if done >= total else ""
        print(f"\r{label} {done:,} of {total:,} ({done / total:.0%})", end=end, file=sys.stderr)

    return show


def add_document_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of all commands that open documents."""
    parser.add_argument(
        "--encoder",
        type=nonempty,
        default=DEFAULT_ENCODER,
        help="a sentence-transformers model, by name or folder (default: %(default)s)",
    )
    parser.add_argument(
        "--allow-private-urls",
        action="store_true",
        help="also open web addresses of this machine and of private networks",
    )
