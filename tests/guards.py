"""Stops a test that connects to another machine, or that loads a model without being marked so."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

# Models that a test makes for itself are smaller.
LARGE_WEIGHTS = 5_000_000


class _Guard:
    """What the test that runs may do, and what it did although it may not."""

    models_allowed = True
    violations: list[str] = []


@contextmanager
def guarded(*, models: bool) -> Iterator[list[str]]:
    """The violations of a test, to which they are added while it runs."""
    before = _Guard.models_allowed, _Guard.violations
    _Guard.models_allowed, _Guard.violations = models, []
    try:
        yield _Guard.violations
    finally:
        _Guard.models_allowed, _Guard.violations = before


def install() -> None:
    """Watch this process until it ends.

    What other processes do is not seen, nor what compiled code opens; but the default models are
    hashed by Python before they are loaded.
    """
    sys.addaudithook(_audit)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        client, address = arguments
        if event == "socket.connect" and client.type == socket.SOCK_DGRAM:
            return  # sends nothing yet
        if isinstance(address, tuple) and not _is_local(str(address[0])):
            _refuse(f"connects to {address[0]}")
    elif event == "open" and not _Guard.models_allowed:
        path = arguments[0]
        if isinstance(path, (str, os.PathLike)) and _has_weights(os.fspath(path)):
            _refuse(f"loads {path} and is not marked with pytest.mark.models")


def _refuse(what: str) -> None:
    # Noted as well, since the program may well handle an error.
    _Guard.violations.append(what)
    raise RuntimeError(f"The test {what}.")


def _has_weights(path: str) -> bool:
    return (
        path.endswith(".safetensors")
        and os.path.exists(path)
        and os.path.getsize(path) > LARGE_WEIGHTS
    )


def _is_local(host: str) -> bool:
    if host in ("", "localhost"):
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
