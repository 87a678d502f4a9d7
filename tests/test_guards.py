"""A test that connects to another machine or loads a model unannounced fails."""

from __future__ import annotations

import socket

import pytest

from qa.reader import DEFAULT_READER
from tests.guards import guarded

WEIGHTS = DEFAULT_READER / "reader.safetensors"


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_connecting_to_another_machine_is_refused(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with guarded(models=False) as violations, socket.socket(family) as client:
        pytest.raises(RuntimeError, client.connect, (host, 9))
    assert violations == [f"connects to {host}"]


def test_sending_to_another_machine_is_refused() -> None:
    with guarded(models=False) as violations, socket.socket(type=socket.SOCK_DGRAM) as client:
        pytest.raises(RuntimeError, client.sendto, b"", ("192.0.2.1", 9))
        client.connect(("192.0.2.1", 9))  # which sends nothing
    assert violations == ["connects to 192.0.2.1"]


def test_connecting_to_this_machine_is_not() -> None:
    with guarded(models=False) as violations, socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())
    assert violations == []


def test_loading_a_model_needs_the_marker() -> None:
    with guarded(models=False) as violations, pytest.raises(RuntimeError):
        WEIGHTS.read_bytes()
    (violation,) = violations
    assert violation.startswith(f"loads {WEIGHTS} ")
    with guarded(models=True) as violations:
        assert WEIGHTS.read_bytes()
    assert violations == []
