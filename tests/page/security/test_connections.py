"""Connections that send nothing do not keep others out."""

from __future__ import annotations

import socket
import time

import httpx
import pytest

from page.security import connections as module
from page.security.proxy import client_key
from tests.browser import serving
from tests.page.security.ledger import QUESTION, call, opening

REQUEST = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


def connect(address: str, sent: bytes = b"") -> socket.socket:
    url = httpx.URL(address)
    connection = socket.create_connection((url.host, url.port), timeout=10)
    connection.sendall(sent)
    return connection


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1000) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("sent", [b"", b"GET / HT", REQUEST[:-2], b"GET / HTTP/1.1\r\nX: a\r\n"])
def test_a_request_that_is_never_whole_is_given_up(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HEADER_SECONDS", 0.5)
    with serving(opening()) as address:
        connection = connect(address, sent)
        started = time.monotonic()
        assert is_closed(connection)
        assert 0.3 < time.monotonic() - started < 5


def test_so_is_one_after_another_and_one_that_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEADER_SECONDS", 0.5)
    with serving(opening()) as address:
        connection = connect(address, REQUEST)
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        started = time.monotonic()
        with pytest.raises(ConnectionError):  # a byte now and then is no request either
            for _ in range(100):
                connection.sendall(b"G")
                time.sleep(0.1)
        assert time.monotonic() - started < 5


def test_a_reply_that_takes_longer_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEADER_SECONDS", 0.5)
    with serving(opening()) as address:
        url = f"{address}gradio_api/heartbeat/abc"
        with httpx.stream("GET", url, timeout=10) as heartbeat:
            time.sleep(1.5)
            assert "1851" in call(address, "ask", [QUESTION, None, None, 5])
            assert not heartbeat.is_closed


def test_one_client_cannot_take_all_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "max_connections", lambda: 10)
    with serving(opening()) as address:
        idle = [connect(address) for _ in range(5)]
        time.sleep(0.3)
        assert is_closed(connect(address))
        idle.pop().close()
        time.sleep(0.3)
        assert connect(address, REQUEST).recv(1000).startswith(b"HTTP/1.1 200")
        for connection in idle:
            connection.close()


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_what_tells_clients_apart(address: str, key: str) -> None:
    assert client_key({"type": "http", "client": (address, 1)}) == key
