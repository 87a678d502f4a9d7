"""Prepare the page's process: environment, file descriptors and signals.

Imports nothing slow, since part of it runs before Gradio is imported.
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
from types import FrameType
from typing import NoReturn

from index.console import exit_process, prepare_console

# The only setting of Gradio's that is kept in the environment. Others would override the page's options
# (GRADIO_MCP_SERVER, GRADIO_SHARE, GRADIO_ALLOWED_PATHS …), make launch() block and ignore SIGTERM
# (GRADIO_DEBUG), or make the import of Gradio fail (GRADIO_SERVER_PORT=abc).
KEPT_SETTINGS = frozenset({"GRADIO_TEMP_DIR"})
# A larger limit brings nothing, and slows down code that loops over all descriptors.
MAX_OPEN_FILES = 65_536
# What macOS allows if the hard limit is "unlimited".
MIN_OPEN_FILES = 10_240
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def prepare_server() -> None:
    """Prepare the process; exits with status 2 if there is no temporary folder.

    Call it first, before other modules are imported.
    """
    prepare_console(tolerant=True)
    if problem := check_temporary_folder():
        print(f"error: {problem}", file=sys.stderr)
        exit_process(2)
    if problem := bypass_proxies(*LOOPBACK):
        print(f"warning: {problem}", file=sys.stderr)


def prepare_settings() -> None:
    """Set what Gradio and Uvicorn read from the environment; call it before they are imported."""
    for name in list(os.environ):
        if name.upper().startswith("GRADIO_") and name.upper() not in KEPT_SETTINGS:
            del os.environ[name]
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    # Otherwise Gradio computes statistics that nobody reads after every request.
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(10**9)
    # Otherwise Uvicorn trusts any proxy on this machine; the page has --trusted-proxy.
    os.environ["FORWARDED_ALLOW_IPS"] = ""


def check_temporary_folder() -> str | None:
    """A message if there is no folder for temporary files, else None."""
    try:
        tempfile.gettempdir()
    except OSError:
        return "No folder for temporary files. Set TMPDIR to a folder that you can write to."
    return None


def bypass_proxies(*hosts: str) -> str | None:
    """Send requests to these hosts directly, not through the environment's proxies.

    Gradio sends its first request to the page itself. Other hosts still use the proxies, unless the HTTP
    client rejects them, in which case Gradio cannot even be imported: then they are switched off, and
    the returned message says so.
    """
    proxies = urllib.request.getproxies()
    if not set(proxies) & {"http", "https", "all"}:
        return None
    if not urllib.request.getproxies_environment():
        # The system's own proxy settings are ignored once the environment has any.
        for scheme in {"http", "https", "all"} & set(proxies):
            os.environ[f"{scheme}_proxy"] = proxies[scheme]
    bypassed = [name.strip() for name in proxies.get("no", "").split(",") if name.strip()]
    _set_no_proxy([*bypassed, *(host for host in hosts if host not in bypassed)])
    import httpx  # slow, and not needed yet without proxies

    try:
        httpx.Client(verify=False).close()
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        _set_no_proxy(["*"])
        return f"Ignoring the proxy set in the environment, which can't be used: {error}"
    return None


def can_bind(host: str) -> bool:
    """Whether a host is an address of this machine, or a name that resolves to one."""
    try:
        (family, kind, protocol, _, address), *_ = socket.getaddrinfo(
            host, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        with socket.socket(family, kind, protocol) as probe:
            probe.bind(address)
    except (OSError, UnicodeError):  # UnicodeError: a label of the name is too long
        return False
    return bool(host)


def raise_file_limit() -> None:
    """Raise the limit on open files and connections as far as is allowed and useful."""
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
    """Clean up and end at once on a stop signal, until the page is served."""

    def stop(number: int, _: FrameType | None) -> NoReturn:
        try:
            clean_up()
            os.write(2, b"stopped\n")
        finally:
            os._exit(128 + number)

    _handle(stop)


def stop_on_signals() -> threading.Event:
    """An event that is set on a stop signal."""
    stopped = threading.Event()
    _handle(lambda *_: stopped.set())
    return stopped


def _handle(handler: Callable[[int, FrameType | None], object]) -> None:
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        # Under nohup, SIGHUP stays ignored.
        if number and not (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):
            signal.signal(number, handler)


def _set_no_proxy(hosts: list[str]) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(hosts)
