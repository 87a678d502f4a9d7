"""Replies that nobody fetches are dropped, and nothing of a forgotten document stays in memory."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from gradio_client import Client

from page import replies as module
from page.gradio_compat import PageQueue
from page.page import Page
from tests.browser import launched
from tests.conftest import FakeReader
from tests.index.documents.site import Site
from tests.page.security.ledger import QUESTION, call, opening

MARKER = "Zwiebelturm"


def functions(address: str) -> dict[str, int]:
    dependencies = httpx.get(f"{address}config").json()["dependencies"]
    return {dependency["api_name"]: dependency["id"] for dependency in dependencies}


def join(address: str, name: str, data: list[Any], session: str) -> str:
    """Put a request of the page into the queue and do not fetch the reply."""
    body = {"data": data, "fn_index": functions(address)[name], "session_hash": session}
    reply = httpx.post(f"{address}gradio_api/queue/join", json=body)
    assert reply.status_code == 200, reply.text
    return str(reply.json()["event_id"])


def fetch(address: str, session: str) -> str:
    return httpx.get(f"{address}gradio_api/queue/data?session_hash={session}", timeout=30).text


def soon(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Page, str]]:
    monkeypatch.setattr("page.page.SWEEP_SECONDS", 0.1)
    with launched(opening()) as (page, address):
        yield page, address


def waiting(page: Page) -> dict[str, int]:
    messages = page.blocks._queue.pending_messages_per_session
    return {session: queue.qsize() for session, queue in messages.items()}


def test_a_reply_waits_for_a_while_and_no_longer(
    running: tuple[Page, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page, address = running
    monkeypatch.setattr(module, "UNFETCHED_SECONDS", 3.0)
    join(address, "ask", [QUESTION, None, None, 5], "early")
    join(address, "ask", [QUESTION, None, None, 5], "late")
    time.sleep(1)
    assert "1851" in fetch(address, "early")
    assert soon(lambda: "late" not in waiting(page))
    assert "1851" not in fetch(address, "late")
    # The session itself goes on.
    join(address, "ask", [QUESTION, None, None, 5], "late")
    assert "1851" in fetch(address, "late")


def test_a_reply_is_given_once(running: tuple[Page, str]) -> None:
    _, address = running
    url = f"{address}gradio_api/call/ask"
    for session in (None, "anna"):
        body = {"data": [QUESTION, None, None, 5], "session_hash": session}
        event = httpx.post(url, json=body).json()["event_id"]
        assert "1851" in httpx.get(f"{url}/{event}", timeout=10).text
        again = httpx.get(f"{url}/{event}", timeout=10)
        assert (again.status_code, again.json()["detail"][:9]) == (404, "No reply ")


def test_unheard_replies_are_bounded_by_their_size(
    running: tuple[Page, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page, address = running
    join(address, "ask", [QUESTION, None, None, 5], "first")
    assert soon(lambda: waiting(page).get("first", 0) > 1)
    time.sleep(0.5)
    assert "first" in waiting(page)
    monkeypatch.setattr(module, "MAX_UNFETCHED_BYTES", 100)
    assert soon(lambda: "first" not in waiting(page))


def test_what_is_being_fetched_is_not_dropped(
    running: tuple[Page, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, address = running
    monkeypatch.setattr(module, "UNFETCHED_SECONDS", 0.3)
    event = join(address, "start_session", [None], "anna")
    assert event in fetch(address, "anna")
    with httpx.stream(
        "GET", f"{address}gradio_api/heartbeat/anna", timeout=10
    ):  # a page that is open
        join(address, "ask", [QUESTION, None, None, 5], "anna")
        assert "1851" in fetch(address, "anna")


def test_the_size_of_replies() -> None:
    queue: asyncio.Queue[Any] = asyncio.Queue()
    for data in (["abc", {"a": "de", "b": [1, "f"]}], None):
        queue.put_nowait(SimpleNamespace(output={"data": data}))
    queue.put_nowait(SimpleNamespace())
    pending = SimpleNamespace(
        pending_messages_per_session={"anna": queue, "ben": asyncio.Queue()},
        pending_event_ids_session={},
    )
    sizes = PageQueue(SimpleNamespace(_queue=pending)).pending_sizes()  # type: ignore[arg-type]
    assert sizes == {"anna": 3 + 2 + 8 + 1}
    assert queue.qsize() == 3


# Opening what is slow


def test_who_leaves_while_an_address_is_read_stops_it(
    running: tuple[Page, str], site: Site
) -> None:
    _, address = running
    url = f"{address}gradio_api/call/open"
    site["/slow"] = lambda request: time.sleep(8)
    started = time.monotonic()
    for number in range(2):
        body = {"data": [f"{site.address}/slow", None, None], "session_hash": f"slow{number}"}
        event = httpx.post(url, json=body).json()["event_id"]
        with httpx.stream("GET", f"{url}/{event}", timeout=10):
            pass
    # Both places are free again, and a question waits for neither of them.
    client = Client(address, verbose=False, analytics_enabled=False)
    assert len(client.predict(text="A lamp of 1851.", api_name="/open")) == 2
    assert time.monotonic() - started < 7


def test_questions_are_answered_while_addresses_are_read(
    running: tuple[Page, str], site: Site
) -> None:
    _, address = running
    site["/slow"] = lambda request: time.sleep(5)
    for number in range(60):
        url = f"{address}gradio_api/call/open"
        body = {"data": [f"{site.address}/slow", None, None], "session_hash": f"slow{number}"}
        httpx.post(url, json=body)
    started = time.monotonic()
    client = Client(address, verbose=False, analytics_enabled=False)
    assert client.predict(QUESTION, api_name="/ask")["text"] == "1851"
    assert time.monotonic() - started < 4


@pytest.mark.parametrize("route", ["run", "api"])
@pytest.mark.parametrize("name", ["ask", "open", "documents", "add_address_or_text", "ask_1"])
def test_there_is_no_way_around_the_queue(running: tuple[Page, str], route: str, name: str) -> None:
    _, address = running
    data = {"ask": [QUESTION, None, None, 5], "open": [None, "A lamp.", None]}.get(name, [])
    for body in ({"data": data}, {"data": data, "fn_index": functions(address)[name]}):
        reply = httpx.post(f"{address}gradio_api/{route}/{name}", json=body)
        assert reply.status_code == 404


# Forgetting


def holders() -> list[str]:
    """What in this process refers to a text with the marker in it."""
    gc.collect()
    found = []
    for thing in gc.get_objects():
        if thing is found:
            continue
        for text in gc.get_referents(thing):
            if isinstance(text, str) and MARKER in text and len(text) > len(MARKER):
                found.append(f"{type(thing).__name__}: {str(thing)[:200]}")
    return found


class ForgetfulReader(FakeReader):
    """Remembers nothing of what it has read."""

    def read_all(self, *arguments: Any, **options: Any) -> Any:
        readings = super().read_all(*arguments, **options)
        self.read.clear()
        return readings


def test_nothing_of_a_forgotten_document_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("page.page.SWEEP_SECONDS", 0.1)
    with launched(opening(reader=ForgetfulReader({"1851": 9.0})), forget_after=20.0) as (
        page,
        address,
    ):
        text = f"The {MARKER[:5]}" + f"{MARKER[5:]} was built in 1851 by a mason of the town."
        for session in ("anna", "ben"):
            for name, data in (
                ("start_session", [None]),
                ("add_address_or_text", ["", text, None, True]),
                ("ask_1", ["When was the tower built by a mason?", None, True]),
                ("ask_1", ["Who built it?", None, True]),
            ):
                join(address, name, data, session)
                assert "process_completed" in fetch(address, session)
        call(address, "open", [None, text, None], session_hash="program")
        call(address, "ask", ["When was the tower built?", None, None, 5], session_hash="program")
        del text, data
        assert holders()  # or nothing would be proved
        page.sessions.forget_after = 0.1
        assert soon(lambda: not holders(), 30), "\n".join(holders())
