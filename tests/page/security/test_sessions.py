"""Nobody's session is pushed out by a stranger's, and names are bounded."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from page.page import Page
from page.security import sessions as module
from page.security.sessions import SessionLimits
from tests.browser import launched
from tests.page.security.ledger import QUESTION, call, opening

EXPIRED = "inactivity or a server restart. Please add them again."


class Recorder:
    def __init__(self) -> None:
        self.now = 0.0
        self.forgotten: list[str] = []
        self.sessions = SessionLimits(lambda: self.now, self.forgotten.append)


def test_who_begins_too_many_loses_the_oldest_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SESSIONS_PER_CLIENT", 3)
    seen = Recorder()
    assert seen.sessions.use("anna", "10.0.0.1")
    for number in range(5):
        assert seen.sessions.use(f"stranger{number}", "10.0.0.2")
        assert seen.sessions.use("stranger0", "10.0.0.2")  # is in use
    assert seen.forgotten == ["stranger1", "stranger2"]
    assert len(seen.sessions) == 4


def test_where_the_page_is_full_the_client_with_the_most_loses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_SESSIONS", 4)
    seen = Recorder()
    for name, client in (("a", "1"), ("b1", "2"), ("b2", "2"), ("b3", "2"), ("c", "3")):
        seen.sessions.use(name, client)
    assert seen.forgotten == ["b1"]


def test_new_sessions_of_a_client_are_limited_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_NEW_SESSIONS", 3)
    seen = Recorder()
    assert [seen.sessions.use(f"s{n}", "1") for n in range(5)] == [True] * 3 + [False] * 2
    assert seen.sessions.use("s0", "1") and seen.sessions.use("other", "2")
    seen.now = 61.0
    assert seen.sessions.use("s4", "1")


def test_sessions_that_are_not_used_end() -> None:
    seen = Recorder()
    seen.sessions.use("a", "1")
    seen.sessions.use("b", "1")
    seen.now = 60.0
    seen.sessions.use("a", "1")
    seen.now = 100.0
    seen.sessions.use("c", "2")
    seen.now = 160.0
    seen.sessions.end_idle(60.0, lambda name: name == "c")
    assert seen.forgotten == ["b", "a"]


def test_a_session_that_ended_is_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Recorder()
    seen.sessions.use("a", "1")
    seen.sessions.end("a")
    seen.sessions.end("never")
    assert (len(seen.sessions), seen.sessions._clients) == (0, {})


@contextmanager
def small(monkeypatch: pytest.MonkeyPatch, **limits: int) -> Iterator[tuple[Page, str]]:
    for name, most in limits.items():
        monkeypatch.setattr(module, name, most)
    with launched(opening(), trusted_proxies=["127.0.0.1"]) as (page, address):
        yield page, address


def ids(reply: str) -> list[str]:
    return [name for name in ("zwickel", "pasted text") if f'"{name}"' in reply]


def test_a_stranger_wipes_nobody_elses_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    with small(monkeypatch, MAX_SESSIONS_PER_CLIENT=5, MAX_SESSIONS=20, MAX_NEW_SESSIONS=1000) as (
        _,
        at,
    ):

        def as_client(client: str, session: str, name: str, data: list[Any]) -> str:
            url = f"{at}gradio_api/call/{name}"
            headers = {"X-Forwarded-For": client}
            body = {"data": data, "session_hash": session}
            event = httpx.post(url, json=body, headers=headers).json()["event_id"]
            return httpx.get(f"{url}/{event}", headers=headers).text

        for person in ("anna", "ben"):
            text = f"The lamp of {person} was lit in 1851."
            as_client(f"10.0.0.{person}", person, "open", [None, text, None])
        for number in range(60):
            as_client("203.0.113.9", f"stranger{number}", "open", [None, "A lamp.", None])
        for person in ("anna", "ben"):
            reply = as_client(f"10.0.0.{person}", person, "documents", [])
            assert ids(reply) == ["zwickel", "pasted text"]
        # Whoever lost theirs is told so, once.
        assert EXPIRED in as_client("203.0.113.9", "stranger0", "documents", [])
        assert ids(as_client("203.0.113.9", "stranger0", "documents", [])) == ["zwickel"]
        assert ids(as_client("203.0.113.9", "stranger59", "documents", [])) == [
            "zwickel",
            "pasted text",
        ]


def test_too_many_new_sessions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with small(monkeypatch, MAX_NEW_SESSIONS=3) as (_, address):
        url = f"{address}gradio_api/call/documents"
        statuses = [
            httpx.post(url, json={"data": [], "session_hash": f"s{n}"}).status_code
            for n in range(5)
        ]
        assert statuses == [200, 200, 200, 429, 429]
        assert httpx.post(url, json={"data": [], "session_hash": "s0"}).status_code == 200


def test_a_page_that_lost_its_state_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with small(monkeypatch, MAX_SESSIONS_PER_CLIENT=1) as (page, address):
        functions = {
            dependency["api_name"]: dependency["id"]
            for dependency in httpx.get(f"{address}config").json()["dependencies"]
        }

        def ask(session: str, name: str, data: list[Any]) -> str:
            body = {"data": data, "fn_index": functions[name], "session_hash": session}
            joined = httpx.post(f"{address}gradio_api/queue/join", json=body)
            joined.raise_for_status()
            url = f"{address}gradio_api/queue/data?session_hash={session}"
            return httpx.get(url, timeout=30).text

        ask("anna", "start_session", [None])
        assert "1851" in ask("anna", "ask_1", [QUESTION, None, True])
        ask("ben", "start_session", [None])
        assert "anna" not in page.blocks.state_holder.session_data
        assert EXPIRED in ask("anna", "ask_1", [QUESTION, None, True])
        again = ask("anna", "ask_1", [QUESTION, None, True])
        assert EXPIRED not in again and "1851" in again


def test_a_call_without_a_session_leaves_nothing() -> None:
    with launched(opening()) as (page, address):
        for _ in range(5):
            assert "1851" in call(address, "ask", [QUESTION, None, None, 5])
        deadline = time.monotonic() + 20
        while page.blocks.state_holder.session_data and time.monotonic() < deadline:
            time.sleep(0.1)
        assert page.blocks.state_holder.session_data == {}
        assert page.replies._calls == set()


def test_a_question_that_arrives_before_the_page_is_loaded_is_answered() -> None:
    with launched(opening()) as (_, address):
        config = httpx.get(f"{address}config").json()
        functions = {one["api_name"]: one["id"] for one in config["dependencies"]}
        body = {
            "data": [QUESTION, None, False],
            "fn_index": functions["ask_1"],
            "session_hash": "anna",
        }
        httpx.post(f"{address}gradio_api/queue/join", json=body).raise_for_status()
        url = f"{address}gradio_api/queue/data?session_hash=anna"
        reply = httpx.get(url, timeout=30).text
        assert "1851" in reply and EXPIRED not in reply
