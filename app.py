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

# Disable the garbage collector while Gradio is imported: saves a seventh of that time.
gc.disable()

from index.documents.document import Document, read_document
from index.errors import ArticleError
from index.terminal import Parser, add_document_options, nonempty, visible
from page import gradio_compat
from page.api import check_k
from page.layout import MAX_EXAMPLES
from page.loader import DocumentLoader
from page.log_throttle import throttle_logs
from page.page import MAX_WAITING, Page
from page.request_log import LOG_FORMATS, RequestLog
from page.sessions import FORGET_AFTER_SECONDS, Sessions
from page.uploads import Uploads
from page.uploads_folder import UploadsFolder
from qa.answerer import DEFAULT_K
from qa.opening import DEFAULT_ARTICLE, deduplicate, open_articles
from qa.reader import DEFAULT_READER

gc.freeze()
gc.enable()


MAX_PASSWORD = 1000  # characters; a device file may have no end of line


def main(arguments: Sequence[str] | None = None, *, prog: str | None = None) -> int:
    """Serve the page until it is stopped; returns the exit status, 2 if it cannot be served.

    `prog` is the name of the command in the help, by default that of the script.
    """
    parser = _parser(prog)
    options = parser.parse_args(arguments)
    _limit_heaps()
    raise_file_limit()
    try:
        auth = _read_password(options.auth) if options.auth else None
        _check(options)
        gradio_compat.check(mcp=options.mcp)
        documents = deduplicate(
            read_document(source, allow_private_urls=options.allow_private_urls, keep_pdf=True)
            for source in options.article or [DEFAULT_ARTICLE]
        )
    except ArticleError as error:
        return _fail(str(error))
    try:
        uploads = UploadsFolder(os.environ.get("GRADIO_TEMP_DIR"))
    except OSError as error:
        return _fail(
            f"The folder for uploads can't be created ({error}). Set GRADIO_TEMP_DIR to another."
        )
    exit_on_signals(uploads.delete)
    gradio_compat.set_upload_folder(uploads.files)
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
    """Serve the page with these documents open until it is stopped; returns the exit status."""
    initial = DocumentLoader(
        lambda progress: open_articles(
            documents,
            encoder=options.encoder,
            reader=options.reader,
            index=options.index,
            progress=progress,
        ),
        documents=documents,
        examples=MAX_EXAMPLES,
        beside=Path(documents[0].source),
    )
    sessions = Sessions(
        initial,
        allow_private_urls=options.allow_private_urls,
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
        if options.port is None:
            return _fail("Port 7860 and those after it are in use. Choose another with --port.")
        # Gradio does not say which of the two it is.
        reason = "in use or reserved" if options.port < 1024 else "in use"
        return _fail(f"Port {options.port} is {reason}. Choose another with --port.")
    stopped = stop_on_signals()
    initial.start()
    print(f"Ask the Article is open at {address}", flush=True)
    if options.share and not public:
        print(
            "warning: No public address, so the page is local only. Check the network connection.",
            file=sys.stderr,
        )
    if public:
        print(f"Everyone with this address can use it: {public}", flush=True)
    # Without a display, a text browser would open and take over the terminal.
    has_display = sys.platform != "linux" or {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ)
    if options.browser and has_display:
        webbrowser.open(address)
    while not stopped.wait(0.5):  # without a timeout no signal would wake it on Windows
        pass
    page.close()
    return 0


def _fail(message: str) -> int:
    """Print an error message; returns the exit status."""
    print(visible(f"error: {message}"), file=sys.stderr)
    return 2


def _limit_heaps() -> None:
    """Limit the server's threads to two heaps, if the C library is glibc.

    By default there are up to eight per core, and free memory in one is of no use to the others: memory
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
        help="file or web address to open; repeat for several (default: the bundled sample article)",
    )
    add_document_options(parser)
    parser.add_argument(
        "--reader",
        type=nonempty,
        default=str(DEFAULT_READER),
        help="question-answering model: name or folder (default: the built-in reader)",
    )
    parser.add_argument(
        "--index",
        type=nonempty,
        help="folder for the index of the articles (default: your cache folder)",
    )
    parser.add_argument(
        "--port", type=int, help="port to listen on (default: 7860, or the next free one)"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--k",
        type=int,
        default=DEFAULT_K,
        help="passages to read per question (default: %(default)s)",
    )
    parser.add_argument("--browser", action="store_true", help="open the page in your browser")
    parser.add_argument("--mcp", action="store_true", help="also serve MCP clients")
    parser.add_argument(
        "--auth",
        metavar="USER:PASSWORD-FILE",
        help="require this user name and the password on the file's first line",
    )
    parser.add_argument("--root-path", help="path prefix behind a proxy, e.g. /articles")
    parser.add_argument(
        "--name",
        action="append",
        help="host name to accept, with :PORT unless it is 80 or 443; repeat for several",
    )
    parser.add_argument(
        "--trusted-proxy",
        action="append",
        type=_network,
        metavar="ADDRESS",
        help="address or network of a proxy whose X-Forwarded headers are used; repeat for several",
    )
    parser.add_argument(
        "--log-format",
        choices=LOG_FORMATS,
        help="log one line per request, with the time of each step (default: no log)",
    )
    parser.add_argument(
        "--log-texts",
        action="store_true",
        help="also log questions, answers and titles; needs --log-format",
    )
    parser.add_argument(
        "--forget-after",
        type=float,
        metavar="MINUTES",
        default=FORGET_AFTER_SECONDS / 60,
        help="forget a visitor's documents after this many idle minutes (default: %(default)g)",
    )
    parser.add_argument(
        "--max-waiting",
        type=int,
        metavar="N",
        default=MAX_WAITING,
        help="maximum number of queued questions (default: %(default)s)",
    )
    parser.add_argument(
        "--share", action="store_true", help="publish through Gradio's share tunnel"
    )
    return parser


def _network(text: str) -> str:
    try:
        ip_network(text, strict=False)
    except ValueError:
        message = f"'{text}' isn't an IP address or a network such as 10.0.0.0/8"
        raise argparse.ArgumentTypeError(message) from None
    return text


def _check(options: argparse.Namespace) -> None:
    """Raise ArticleError for invalid options and combinations."""
    check_k(options.k)
    if options.mcp and options.auth:
        raise ArticleError(
            "--mcp can't be combined with --auth, since MCP clients aren't asked for a password. Omit "
            "one of them."
        )
    if options.mcp and importlib.util.find_spec("mcp") is None:
        raise ArticleError("--mcp needs the package mcp. Install it: pip install mcp.")
    if options.port is not None and not 0 < options.port < 1 << 16:
        raise ArticleError(f"--port must be a number from 1 to 65535, not {options.port}.")
    if not can_bind(options.host):
        raise ArticleError(
            f"'{options.host}' isn't an address of this machine. Choose another --host, or 0.0.0.0 for "
            "all addresses."
        )
    # Sessions are swept four times in this period, which must not take all of a processor's time.
    if not 1 / 60 <= options.forget_after < math.inf:
        raise ArticleError(
            f"--forget-after must be a number of minutes, not {options.forget_after:g}."
        )
    if options.max_waiting < 1:
        raise ArticleError(f"--max-waiting must be 1 or more, not {options.max_waiting}.")
    if options.log_texts and not options.log_format:
        raise ArticleError("--log-texts needs --log-format text or --log-format json.")
    root = options.root_path
    if root and (not root.startswith(("/", "http://", "https://")) or root.startswith("//")):
        raise ArticleError(
            f"--root-path must be a path that starts with / or a full address, not '{root}'."
        )


def _names(options: argparse.Namespace) -> list[str] | None:
    """The host names that the page answers to, or None for any if it is served to others anyway."""
    names = [name.lower() for name in options.name or []]
    if options.share or not _is_loopback(options.host):
        return names or None
    root = urlsplit(options.root_path or "").netloc
    return [*names, *([root] if root else [])]


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read_password(text: str) -> tuple[str, str]:
    """The user name and the password of USER:PASSWORD-FILE; raises ArticleError."""
    user, _, path = text.partition(":")
    if not user or not path:
        raise ArticleError(f"--auth must be USER:PASSWORD-FILE, not '{text}'.")
    try:
        with Path(path).expanduser().open(encoding="utf-8") as file:
            password = file.readline(MAX_PASSWORD).strip()
    except (OSError, ValueError, RuntimeError) as error:
        fallback = "no such user" if isinstance(error, RuntimeError) else "not a text file"
        reason = getattr(error, "strerror", None) or fallback
        raise ArticleError(
            f"The password file '{path}' can't be read ({reason}). Check the path."
        ) from error
    if not password:
        raise ArticleError(f"The first line of '{path}' is empty. Put the password there.")
    return user, password


if __name__ == "__main__":
    exit_process(main())
