"""A Chromium and a running page, for the tests of the page and for its pictures."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Error, Playwright

from page.loader import DocumentLoader
from page.page import Page
from page.sessions import FORGET_AFTER_SECONDS, Sessions

ROOT = Path(__file__).parent.parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Names of a local network, for tests of what other sites may do.
    "--host-resolver-rules=MAP *.lan 127.0.0.1",
]


class NoBrowserError(Exception):
    """There is no Chromium to be found."""


def open_browser(playwright: Playwright) -> Browser:
    """The system's Chromium, else Playwright's own, which is fetched where it is not there yet."""
    if found := next(filter(None, map(shutil.which, NAMES)), None):
        return playwright.chromium.launch(executable_path=found, args=FLAGS)
    if not Path(playwright.chromium.executable_path).exists():
        subprocess.run(
            [sys.executable, "-m", "playwright", "install", "chromium"], capture_output=True
        )
    try:
        return playwright.chromium.launch(args=FLAGS)
    except Error as error:
        raise NoBrowserError(f"no Chromium: install one of {', '.join(NAMES)}") from error


def free_port() -> int:
    """A port that nothing listens at."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[str]:
    """The address of a page that runs with its index and its uploads in a folder."""
    with running_process(folder, *arguments) as (address, _):
        yield address


@contextmanager
def running_process(folder: Path, *arguments: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The same, and the process that it runs in."""
    port = free_port()
    address = f"http://127.0.0.1:{port}/"
    command = [sys.executable, "app.py", "--port", str(port), "--index", str(folder / "index")]
    log = folder / "log.txt"
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(folder / "uploads")}
    with log.open("w") as out:
        process = subprocess.Popen(
            [*command, *arguments], cwd=ROOT, env=environment, stdout=out, stderr=out
        )
    try:
        deadline = time.monotonic() + 60
        while not _answers(address):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the page did not start:\n{log.read_text()}")
            time.sleep(0.1)
        yield address, process
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def serving(first: DocumentLoader, **options: Any) -> Iterator[str]:
    """The address of a page in this process, with what opens its articles and gradio's options."""
    with launched(first, **options) as (_, address):
        yield address


@contextmanager
def launched(
    first: DocumentLoader,
    *,
    private: bool = True,
    page_options: Mapping[str, Any] | None = None,
    forget_after: float = FORGET_AFTER_SECONDS,
    **options: Any,
) -> Iterator[tuple[Page, str]]:
    """The page itself, too."""
    sessions = Sessions(first, allow_private_urls=private, forget_after=forget_after)
    page = Page(sessions, **(page_options or {}))
    address, _ = page.launch("127.0.0.1", free_port(), **options)
    first.start()
    try:
        yield page, address
    finally:
        page.close()


def paths(routes: Iterable[Any], before: str = "") -> Iterator[str]:
    """The paths of routes and of what is mounted or included among them."""
    for route in routes:
        path = before + getattr(route, "path", "")
        inner = getattr(getattr(route, "original_router", route), "routes", None)
        if inner is not None:
            yield from paths(inner, path)
            # What a mount does with the rest of a path is its own affair.
            yield f"{path}/"
        elif path:
            yield path


def wait_until_ready(address: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until questions can be asked of a page that runs; raises RuntimeError where it ends."""
    deadline = time.monotonic() + 120
    while not _answers(f"{address}health"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the page is not ready")
        time.sleep(0.2)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=10) as response:
            return bool(response.status == 200)
    except OSError:
        return False
