"""Serve the web page: ask questions of documents and see the answers highlighted."""

from __future__ import annotations

import sys

from index.console import exit_process
from page.startup import (
    bypass_proxies,
    can_bind,
    exit_on_signals,
    prepare_server,
    prepare_settings,
    raise_file_limit,
    set_upload_folder,
    stop_on_signals,
)

# Before the imports that take seconds.
if __name__ == "__main__":
    prepare_server()
prepare_settings()

import argparse
import contextlib
import ctypes
import gc
import importlib.util
import math
import os
import webbrowser
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

# Collecting garbage while gradio is imported takes a seventh of that time, and finds none.
gc.disable()

from index.documents.document import Document, read_document
from index.errors import ArticleError
from index.terminal import Parser, add_document_options, nonempty, visible
from page.api import check_k
from page.loader import DocumentLoader
from page.log_throttle import throttle_logs
from page.page import EXAMPLES, MAX_WAITING, Page
from page.request_log import FORMS, RequestLog
from page.sessions import FORGET_AFTER, Sessions
from page.uploads import Uploads
from page.uploads_folder import UploadsFolder
from qa.answerer import DEFAULT_K
from qa.opening import DEFAULT_ARTICLE, deduplicate, open_articles
from qa.reader import DEFAULT_READER

gc.freeze()
gc.enable()


# In characters: what is no plain file may have no line's end.
MAX_PASSWORD = 1000


def main(arguments: Sequence[str] | None = None, *, prog: str | None = None) -> int:
    """Serve the page until it is interrupted; 2 when it cannot be.

    `prog` is the name of the command in the help, by default the file that was started.
    """
    parser = _parser(prog)
    options = parser.parse_args(arguments)
    _share_memory()
    raise_file_limit()
    try:
        check_k(options.k)
        auth = _password(options.auth) if options.auth else None
        _check(options)
        documents = deduplicate(
            read_document(source, private=options.allow_private_urls)
            for source in options.article or [DEFAULT_ARTICLE]
        )
    except ArticleError as error:
        print(visible(str(error)), file=sys.stderr)
        return 2
    try:
        uploads = UploadsFolder(os.environ.get("GRADIO_TEMP_DIR"))
    except OSError as error:
        told = f"The folder for uploads cannot be made ({error}). Set GRADIO_TEMP_DIR to another."
        print(visible(told), file=sys.stderr)
        return 2
    exit_on_signals(uploads.delete)
    set_upload_folder(uploads.files)
    try:
        return _serve(options, documents, auth, uploads.files)
    finally:
        uploads.delete()


def _serve(
    options: argparse.Namespace,
    documents: Sequence[Document],
    auth: tuple[str, str] | None,
    uploads: Path,
) -> int:
    """Serve the page with these documents open until it is stopped."""
    first = DocumentLoader(
        lambda progress: open_articles(
            documents,
            encoder=options.encoder,
            reader=options.reader,
            index=options.index,
            progress=progress,
        ),
        documents=documents,
        examples=EXAMPLES,
        beside=Path(documents[0].source),
    )
    sessions = Sessions(
        first,
        private=options.allow_private_urls,
        forget_after=60 * options.forget_after,
        uploads=Uploads(uploads),
    )
    page = Page(
        sessions,
        options.k,
        RequestLog(options.log_format, texts=options.log_texts),
        options.max_waiting,
    )
    throttle_logs()
    bypass_proxies(options.host)
    try:
        address, public = page.launch(
            options.host,
            options.port,
            _names(options),
            options.trusted_proxy or (),
            auth=auth,
            root_path=options.root_path,
            share=options.share,
            mcp_server=options.mcp,
        )
    except OSError:
        print(
            f"Port {options.port or '7860 and those after it'} cannot be used on {options.host}: "
            "give another with --port.",
            file=sys.stderr,
        )
        return 2
    stopped = stop_on_signals()
    first.start()
    print(f"Ask the Article is open at {address}", flush=True)
    if options.share and not public:
        print("A public address could not be had: is there a network?", file=sys.stderr)
    if public:
        print(f"and for everyone who has this address at {public}", flush=True)
    # Without a screen a browser of the terminal would open, and take the terminal.
    screen = sys.platform != "linux" or {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ)
    if options.browser and screen:
        webbrowser.open(address)
    while not stopped.wait(0.5):  # without a time no signal would wake it on Windows
        pass
    page.close()
    return 0


def _share_memory() -> None:
    """Have the server's threads take memory from two heaps, where the C library is glibc.

    By default it keeps up to eight for each core, and what one has free is nothing to the others: memory
    grew by a sixth over 2,000 questions.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(-8, 2)  # M_ARENA_MAX


def _parser(prog: str | None = None) -> argparse.ArgumentParser:
    parser = Parser(prog=prog, description=__doc__)
    parser.add_argument(
        "--article",
        type=nonempty,
        action="append",
        metavar="SOURCE",
        help="a file or a web address; give it again for several (default: the article of the house)",
    )
    add_document_options(parser)
    parser.add_argument(
        "--reader", type=nonempty, default=str(DEFAULT_READER), help="its name or its folder"
    )
    parser.add_argument(
        "--index", type=nonempty, help="the folder where the articles' index is kept"
    )
    parser.add_argument("--port", type=int, help="by default 7860, or the next that is free")
    parser.add_argument("--host", default="127.0.0.1", help="the address to serve at")
    parser.add_argument("--k", type=int, default=DEFAULT_K, help="how many passages to read")
    parser.add_argument("--browser", action="store_true", help="open the page in your browser")
    parser.add_argument("--mcp", action="store_true", help="serve MCP clients, too")
    parser.add_argument(
        "--auth",
        metavar="USER:PASSWORD-FILE",
        help="ask for this name and for the password that the file's first line has",
    )
    parser.add_argument("--root-path", help="where a proxy in front of the page puts it: /articles")
    parser.add_argument(
        "--name",
        action="append",
        help="a host name that the page is known by, with :PORT where that is not 80 or 443",
    )
    parser.add_argument(
        "--trusted-proxy",
        action="append",
        type=_network,
        metavar="ADDRESS",
        help="address or network of a proxy whose X-Forwarded headers tell who its visitors are",
    )
    parser.add_argument(
        "--log-format",
        choices=FORMS,
        help="log a line for every request, with the time of each step (default: none)",
    )
    parser.add_argument(
        "--log-texts", action="store_true", help="log what is asked and answered, too"
    )
    parser.add_argument(
        "--forget-after",
        type=float,
        metavar="MINUTES",
        default=FORGET_AFTER / 60,
        help="close what a visitor has opened when it was not used for so long (default: %(default)g)",
    )
    parser.add_argument(
        "--max-waiting",
        type=int,
        metavar="N",
        default=MAX_WAITING,
        help="how many questions may wait for those before them (default: %(default)s)",
    )
    parser.add_argument("--share", action="store_true", help="make it public by gradio's tunnel")
    return parser


def _network(given: str) -> str:
    try:
        ip_network(given, strict=False)
    except ValueError:
        told = f"'{given}' is no IP address and no network such as 10.0.0.0/8"
        raise argparse.ArgumentTypeError(told) from None
    return given


def _check(options: argparse.Namespace) -> None:
    """Raise ArticleError for options that do not go together or cannot be had."""
    if options.mcp and options.auth:
        raise ArticleError("--mcp asks nobody for a password: leave --mcp or --auth out.")
    if options.mcp and importlib.util.find_spec("mcp") is None:
        raise ArticleError("--mcp needs the package mcp: pip install -r requirements.txt.")
    if options.port is not None and not 0 < options.port < 1 << 16:
        raise ArticleError(f"--port is {options.port}: give one from 1 to 65535.")
    if not can_bind(options.host):
        raise ArticleError(
            f"--host is '{options.host}': give an address of this machine, or 0.0.0.0 for all of them."
        )
    # More often than each second would take all of a processor's time.
    if not 1 / 60 <= options.forget_after < math.inf:
        raise ArticleError(f"--forget-after is {options.forget_after:g}: give some minutes.")
    if options.max_waiting < 1:
        raise ArticleError(f"--max-waiting is {options.max_waiting}: give 1 or more.")
    if options.log_texts and not options.log_format:
        raise ArticleError("--log-texts needs --log-format: give text or json.")
    root = options.root_path
    if root and (not root.startswith(("/", "http://", "https://")) or root.startswith("//")):
        raise ArticleError(f"--root-path is '{root}': give a path that begins with /.")


def _names(options: argparse.Namespace) -> list[str] | None:
    """The names that the page may be called by, or None for any: it is served to others anyway."""
    names = [name.lower() for name in options.name or []]
    if options.share or not _is_this_machine(options.host):
        return names or None
    root = urlsplit(options.root_path or "").netloc
    return [*names, *([root] if root else [])]


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _password(given: str) -> tuple[str, str]:
    """The name and the password of USER:PASSWORD-FILE; raises ArticleError."""
    user, _, path = given.partition(":")
    if not user or not path:
        raise ArticleError(f"--auth is '{given}': give USER:PASSWORD-FILE.")
    try:
        with Path(path).expanduser().open(encoding="utf-8") as file:
            password = file.readline(MAX_PASSWORD).strip()
    except (OSError, ValueError, RuntimeError) as error:
        unknown = "there is no such user" if isinstance(error, RuntimeError) else "it is not text"
        reason = getattr(error, "strerror", None) or unknown
        raise ArticleError(f"The password file '{path}' cannot be read: {reason}.") from error
    if not password:
        raise ArticleError(f"The first line of '{path}' is empty: put the password there.")
    return user, password


if __name__ == "__main__":
    exit_process(main())
