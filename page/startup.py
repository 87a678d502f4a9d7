"""What the page needs of its process: environment, file descriptors and signals.

Imports nothing slow, since part of it runs before gradio is imported.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from index.console import exit_process, prepare_console

# Of the settings that gradio reads from the environment the page keeps this one. The others would change
# what its own options decide (GRADIO_MCP_SERVER, GRADIO_SHARE, GRADIO_ALLOWED_PATHS …), have launch()
# block and SIGTERM ignored (GRADIO_DEBUG), or stop gradio's import (GRADIO_SERVER_PORT=abc).
KEPT_SETTINGS = frozenset({"GRADIO_TEMP_DIR"})
# Above this, a larger limit brings nothing, and programs that go through all descriptors are slow.
MAX_OPEN_FILES = 65_536
# What macOS allows where the hard limit says "unlimited".
MIN_OPEN_FILES = 10_240
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def prepare_server() -> None:
    """Prepare the process of the page; exits with status 2 without a temporary folder.

    Call it first in the program, before other modules are imported.
    """
    prepare_console(tolerant=True)
    if problem := check_temporary_folder():
        print(problem, file=sys.stderr)
        exit_process(2)
    if problem := bypass_proxies(*LOOPBACK):
        print(problem, file=sys.stderr)


def prepare_settings() -> None:
    """Set what gradio and uvicorn read from the environment; call it before they are imported."""
    for name in list(os.environ):
        if name.upper().startswith("GRADIO_") and name.upper() not in KEPT_SETTINGS:
            del os.environ[name]
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    # Gradio would sum up statistics that nobody reads after every request.
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(10**9)
    # Uvicorn trusts the headers of any proxy on this machine; the page asks for --trusted-proxy.
    os.environ["FORWARDED_ALLOW_IPS"] = ""


def check_temporary_folder() -> str | None:
    """Why there is no folder for temporary files, in a sentence, or None where there is one."""
    try:
        tempfile.gettempdir()
    except OSError:
        return "There is no folder for temporary files. Set TMPDIR to one that you can write to."
    return None


def set_upload_folder(folder: Path) -> None:
    """Have gradio put uploads, and the folders that it makes for itself, into this one."""
    import gradio.routes

    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    # Read when gradio was imported. Its default, "gradio" among the temporary files, may be another
    # user's, and then the page could not start.
    gradio.routes.DEFAULT_TEMP_DIR = str(folder)  # type: ignore[attr-defined]


def bypass_proxies(*hosts: str) -> str | None:
    """Have requests to these hosts go there directly, not by the proxies of the environment.

    Gradio sends its first request to the page itself. The proxies stay in use for other hosts, unless
    the HTTP client cannot use them at all, when gradio cannot even be imported: then they are
    switched off, and the return value says so in a sentence.
    """
    proxies = urllib.request.getproxies()
    if not set(proxies) & {"http", "https", "all"}:
        return None
    if not urllib.request.getproxies_environment():
        # Proxies that the system is configured with are not looked at once the environment has any.
        for scheme in {"http", "https", "all"} & set(proxies):
            os.environ[f"{scheme}_proxy"] = proxies[scheme]
    excepted = [name.strip() for name in proxies.get("no", "").split(",") if name.strip()]
    _set_no_proxy([*excepted, *(host for host in hosts if host not in excepted)])
    import httpx  # slow, and without proxies it is not needed yet

    try:
        httpx.Client(verify=False).close()
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        _set_no_proxy(["*"])
        return f"The proxy of this environment cannot be used, so none is: {error}"
    return None


def can_bind(host: str) -> bool:
    """Whether a host is an address of this machine, or a name that leads to one."""
    try:
        (family, kind, protocol, _, address), *_ = socket.getaddrinfo(
            host, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        with socket.socket(family, kind, protocol) as probe:
            probe.bind(address)
    except (OSError, UnicodeError):  # UnicodeError: no name can be that long
        return False
    return bool(host)


def raise_file_limit() -> None:
    """Allow the process as many open files and connections as the system does, within reason."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (MAX_OPEN_FILES, MIN_OPEN_FILES):
        wanted = limit if hard == resource.RLIM_INFINITY else min(hard, limit)
        if soft == resource.RLIM_INFINITY or soft >= wanted:
            return
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return


def exit_on_signals(clean_up: Callable[[], None]) -> None:
    """Until the page is served, have signals that stop a program clean up and end it at once."""

    def stop(number: int, _: FrameType | None) -> NoReturn:
        try:
            clean_up()
            os.write(2, b"stopped\n")
        finally:
            os._exit(128 + number)

    _handle(stop)


def stop_on_signals() -> threading.Event:
    """An event that is set when a signal says to stop."""
    stopped = threading.Event()
    _handle(lambda *_: stopped.set())
    return stopped


def _handle(handler: Callable[[int, FrameType | None], object]) -> None:
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        # What nohup has ignored stays so.
        if number and not (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):
            signal.signal(number, handler)


def _set_no_proxy(hosts: list[str]) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(hosts)
