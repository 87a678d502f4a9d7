"""What a request may have in it, before anything of it is parsed at length."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from page.security import bodies
from page.security.bodies import MAX_JSON_DEPTH, MAX_JSON_VALUES
from page.security.routes import (
    MAX_DOCUMENT_BODY,
    MAX_LOGIN_BODY,
    MAX_QUESTION_BODY,
    MAX_SMALL_BODY,
    BodyLimit,
    body_limit,
)
from tests.browser import serving
from tests.page.security.ledger import QUESTION, call, opening


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/login", MAX_LOGIN_BODY),
        ("/login/", MAX_LOGIN_BODY),
        ("/gradio_api/call/ask", MAX_QUESTION_BODY),
        ("/gradio_api/call/v2/ask/", MAX_QUESTION_BODY),
        ("/gradio_api/call/open", MAX_DOCUMENT_BODY),
        ("/gradio_api/queue/join", MAX_DOCUMENT_BODY),
        ("/gradio_api/mcp/", MAX_DOCUMENT_BODY),
        ("/gradio_api/call/documents", MAX_SMALL_BODY),
        ("/gradio_api/run/ask", MAX_SMALL_BODY),
        ("/gradio_api/cancel", MAX_SMALL_BODY),
        ("/anything/else", MAX_SMALL_BODY),
    ],
)
def test_each_route_takes_as_much_as_it_needs(path: str, limit: int) -> None:
    assert body_limit(path).max_bytes == limit


@pytest.mark.parametrize("name", ["call/documents", "run/ask", "cancel", "reset"])
def test_a_larger_body_is_refused_whether_its_length_is_given_or_not(name: str) -> None:
    def drip(body: bytes) -> Iterator[bytes]:  # which does not say how much it is
        yield body

    with serving(opening()) as address:
        url, headers = f"{address}gradio_api/{name}", {"content-type": "application/json"}
        for size, statuses in ((MAX_SMALL_BODY + 1, {413}), (MAX_SMALL_BODY, {422})):
            for content in (b"x" * size, drip(b"x" * size)):
                reply = httpx.post(url, content=content, headers=headers)
                assert reply.status_code in statuses
        assert reply.json() == {"detail": "The request is not valid JSON."}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"data": [' + b"[]," * MAX_JSON_VALUES + b"0]}", "has more than 5,000 values"),
        (b'{"data": ' + b"[" * 100 + b"]" * 100 + b"}", "nested deeper than 20 levels"),
        (b'{"data": [' + b'"a",' * 8_000_000 + b"0]}", "is larger than 32 MB"),
        (b'{"data": [' + b'"a",' * 7_900_000 + b"0]}", "has more than 5,000 values"),
        (b'{"data": [0], "session_hash": "' + b"a" * 65 + b'"}', "at most 64 letters"),
        (b'{"data": [0], "session_hash": "../etc"}', "at most 64 letters"),
        (b'{"data": [0], "session_hash": 5}', "at most 64 letters"),
        (b'{"data": [0', "not valid JSON"),
        (b'{"data": [0], "session_hash": "\xff"}', "not valid JSON"),
    ],
)
def test_json_that_would_keep_the_server_busy_is_refused_at_once(body: bytes, told: str) -> None:
    with serving(opening()) as address:
        headers = {"content-type": "application/json"}
        started = time.monotonic()
        reply = httpx.post(
            f"{address}gradio_api/queue/join", content=body, headers=headers, timeout=30
        )
        assert reply.status_code in (413, 422) and told in reply.json()["detail"]
        assert time.monotonic() - started < 10  # 5 to 13 s before, and nobody else was answered
        assert httpx.get(f"{address}health").status_code == 200


def test_what_is_no_json_is_refused() -> None:
    with serving(opening()) as address:
        for kind in ("text/plain", "multipart/form-data; boundary=a", "application/x-thing"):
            url = f"{address}gradio_api/call/ask"
            reply = httpx.post(url, content=b'{"data": []}', headers={"content-type": kind})
            assert reply.status_code == 415
            assert "Content-Type: application/json" in reply.json()["detail"]


def test_commas_and_brackets_in_a_text_are_no_values() -> None:
    text = 'A [list], {of} "quoted\\" words", and more. ' * 5_000
    with serving(opening()) as address:
        reply = call(address, "open", [None, text, None])
        assert reply.startswith("event: complete"), reply[:300]


@pytest.mark.parametrize(
    ("value", "depth"), [([], 1), ({"a": [{}]}, 3), ([[[]], []], 3), ("[[[", 0)]
)
def test_the_depth_of_json(value: Any, depth: int) -> None:
    body = json.dumps(value).encode()
    assert bodies._depth(bodies._STRINGS.sub(b"", body)) == depth <= MAX_JSON_DEPTH


def test_only_so_much_is_in_memory_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_BYTES_IN_FLIGHT", 100_000)
    head = (
        b"POST /gradio_api/call/ask HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\nContent-Length: 90000\r\n\r\n"
    )
    with serving(opening()) as address:
        url = httpx.URL(address)
        with socket.create_connection((url.host, url.port)) as waiting:
            waiting.sendall(head + b"x" * 80_000)
            time.sleep(0.5)
            content = json.dumps({"data": [QUESTION, None, [["q", "a" * 4_000]] * 6, 5]})
            asking = {
                "content": content.encode(),
                "headers": {"content-type": "application/json"},
            }
            reply = httpx.post(f"{address}gradio_api/call/ask", **asking)
            assert reply.status_code == 503 and "busy" in reply.json()["detail"]
        deadline = time.monotonic() + 10
        while httpx.post(f"{address}gradio_api/call/ask", **asking).status_code != 200:
            assert time.monotonic() < deadline, "the memory is not given back"
            time.sleep(0.1)


def test_a_body_that_does_not_arrive_is_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit = BodyLimit(1000, 0.5)
    monkeypatch.setattr("page.security.middleware.body_limit", lambda path: limit)
    head = (
        b"POST /gradio_api/call/ask HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\nContent-Length: 90\r\n\r\n{"
    )
    with serving(opening()) as address:
        url = httpx.URL(address)
        with socket.create_connection((url.host, url.port), timeout=10) as waiting:
            waiting.sendall(head)
            assert b" 408 " in waiting.recv(100)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("call/none", {"data": []}, 404),
        ("call/start_session", {"data": []}, 404),  # the page's own
        ("call/v2/start_session", {}, 404),
        ("call/v2/none", {}, 404),
        ("run/none", {"data": []}, 404),
        ("queue/join", {"data": [], "fn_index": 999, "session_hash": "a"}, 404),
        ("queue/join", {"data": [], "fn_index": -1, "session_hash": "a"}, 404),
        ("queue/join", {"data": [], "fn_index": True, "session_hash": "a"}, 404),
        ("queue/join", {"data": [], "fn_index": "0", "session_hash": "a"}, 404),
        ("queue/join", {"data": [], "session_hash": "a"}, 422),
        ("queue/join", [], 422),
        ("call/ask", [], 422),
        ("call/ask", {}, 422),
        ("call/ask", {"data": {"a": 1}}, 422),
        ("cancel", {}, 422),
        ("queue/data", {"data": []}, 405),
    ],
)
def test_what_calls_nothing_is_refused(path: str, body: Any, status: int) -> None:
    with serving(opening()) as address:
        reply = httpx.post(f"{address}gradio_api/{path}", json=body)
        assert reply.status_code == status, reply.text


def test_values_that_are_missing_are_told(capfd: pytest.CaptureFixture[str]) -> None:
    with serving(opening()) as address:
        reply = call(address, "ask", ["SECRET question"])
        assert reply.startswith("event: error")
        assert "4 values are needed, and 1 were given." in reply
    assert "SECRET" not in "".join(capfd.readouterr())
