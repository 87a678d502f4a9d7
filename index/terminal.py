"""What the two command lines share: progress, and errors as one sentence with exit code 2."""

from __future__ import annotations

import argparse
import re
import sys
from typing import NoReturn

from index.console import INTERRUPTED, discard_output
from index.errors import ArticleError
from index.models.encoder import DEFAULT_ENCODER, Progress

# Control characters but for tab and line feed, those that change the direction of a text, and what no
# encoding can carry.
_COMMANDS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, with exit code 2."""

    def error(self, message: str) -> NoReturn:
        """Print the message and exit."""
        self.exit(2, visible(f"error: {message}; see '{self.prog} --help'\n"))


def count(text: str) -> int:
    """A number of things, for argparse; raises ArgumentTypeError unless it is 1 or more."""
    number = int(text) if text.isdecimal() and len(text) < 10 else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"'{text[:100]}' is not a whole number of 1 or more")
    return number


def nonempty(text: str) -> str:
    """A path, name or address, for argparse; raises ArgumentTypeError for one that is empty."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; leave the option out for its default")
    return text


def run(arguments: argparse.Namespace) -> int:
    """Call arguments.run(arguments) and turn an error that a person can mend into a sentence."""
    try:
        arguments.run(arguments)
        sys.stdout.flush()  # or a failure to write would only show when the interpreter ends
    except ArticleError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # whoever read the output has seen enough
        discard_output()
        return 0
    except OSError as error:
        discard_output()
        return _fail(
            f"Reading or writing failed ({error}). Check the paths and the space on the disk."
        )
    return 0


def _fail(reason: str) -> int:
    print(visible(f"error: {reason}"), file=sys.stderr)
    return 2


def visible(text: str) -> str:
    """The text with what would command a terminal or turn its lines around spelled out in escapes.

    Of a JSON text it makes another of the same meaning.
    """
    return _COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text.replace("\r\n", "\n"))


def print_progress(what: str) -> Progress | None:
    """A line on the terminal that says how far it is; None where nobody looks at it."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        end = "\n" if done >= total else ""
        print(f"\r{what} {done:,} of {total:,} ({done / total:.0%})", end=end, file=sys.stderr)

    return show


def add_shared(parser: argparse.ArgumentParser) -> None:
    """The options that every command has which opens documents."""
    parser.add_argument(
        "--encoder",
        type=nonempty,
        default=DEFAULT_ENCODER,
        help="a sentence-transformers model, by name or folder (default: %(default)s)",
    )
    parser.add_argument(
        "--allow-private-urls",
        action="store_true",
        help="open web addresses of this machine and of the networks around it, too",
    )
