"""The page under load, in the log, and when it is stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from page.loader import DocumentLoader
from page.request_log import RequestLog
from qa.answerer import ArticleAnswerer
from tests.browser import running_process, serving, wait_until_ready
from tests.conftest import FakeEncoder, FakeReader
from tests.page.shown import document_of

LIGHTHOUSE = "Lighthouse\n\nThe lighthouse of Rosport was built in 1851.\n\nIt is red."
QUESTION = "When was the lighthouse of Rosport built?"


class HeldReader(FakeReader):
    """Reads nothing before it is let."""

    def __init__(self) -> None:
        super().__init__({"1851": 9.0})
        self.let, self.reading = threading.Event(), threading.Semaphore(0)

    def read_all(self, *arguments: Any, **options: Any) -> Any:
        self.reading.release()
        assert self.let.wait(30)
        return super().read_all(*arguments, **options)


def opening(reader: FakeReader | None = None) -> DocumentLoader:
    document = document_of(LIGHTHOUSE, "lighthouse")
    index = ArticleIndex.build(document, FakeEncoder())
    answerer = ArticleAnswerer(
        Collection([index]), reader or FakeReader({"1851": 9.0, "1974": 9.0})
    )
    return DocumentLoader(lambda progress: answerer, documents=[document])


def connect(address: str) -> Client:
    return Client(address, verbose=False, analytics_enabled=False)


# Health


def test_health_says_whether_questions_can_be_asked() -> None:
    ready = threading.Event()
    answerer = opening().start().wait()

    def load(progress: Any) -> ArticleAnswerer:
        assert ready.wait(30)
        return answerer

    first = DocumentLoader(load, documents=[document_of(LIGHTHOUSE, "lighthouse")])
    with serving(first) as address:
        waits = httpx.get(f"{address}health")
        assert (waits.status_code, waits.json()["status"]) == (503, "opening")
        ready.set()
        assert first.opened.wait(30)
        assert httpx.get(f"{address}health").json() == {"status": "ok", "under_way": 0}
        assert httpx.get(f"{address}health").status_code == 200


def test_health_says_when_nothing_can_be_opened() -> None:
    def load(progress: Any) -> ArticleAnswerer:
        from index.errors import ArticleError

        raise ArticleError("No model.")

    first = DocumentLoader(load, documents=[document_of(LIGHTHOUSE, "lighthouse")])
    with serving(first) as address:
        assert first.finished.wait(30)
        said = httpx.get(f"{address}health")
        assert (said.status_code, said.json()["status"]) == (503, "failed")


def test_health_is_for_those_who_are_logged_in() -> None:
    with serving(opening(), auth=("reader", "secret")) as address:
        assert httpx.get(f"{address}health").status_code == 401
        with httpx.Client() as client:
            client.post(f"{address}login", data={"username": "reader", "password": "secret"})
            assert client.get(f"{address}health").status_code in (200, 503)


# Many at once


def test_who_comes_when_many_wait_is_told_so_and_the_others_are_answered() -> None:
    reader = HeldReader()
    with serving(opening(reader), page_options={"max_waiting": 2}) as address:
        asking = {"data": [QUESTION, None, None, 5]}
        call = f"{address}gradio_api/call/ask"
        answered = []
        # Two are under way and two wait.
        for number in range(4):
            answered.append(httpx.post(call, json=asking).json()["event_id"])
            if number < 2:
                assert reader.reading.acquire(timeout=30)
        refused = httpx.post(call, json=asking)
        assert refused.status_code == 503
        assert "event_id" not in refused.text
        reader.let.set()
        for event in answered:
            assert '"text": "1851"' in httpx.get(f"{call}/{event}", timeout=30).text
        again = httpx.post(call, json=asking)
        assert again.status_code == 200


def test_nobody_gets_what_another_has_opened() -> None:
    with serving(opening()) as address, ThreadPoolExecutor(8) as people:

        def ask(number: int) -> list[str]:
            client, said = connect(address), []
            client.predict(
                text=f"Tower {number}\n\nThe tower of town{number} was built by mason{number}.",
                api_name="/open",
            )
            for _ in range(5):
                answer = client.predict(f"Who built the tower of town{number}?", api_name="/ask")
                said += [p["text"] for p in answer["passages"] if p["document"] == "pasted text"]
            return said

        for number, said in enumerate(people.map(ask, range(8))):
            assert len(said) == 5
            assert all(f"mason{number}." in text for text in said)


def test_who_has_no_session_finds_nothing_of_others_who_have_none() -> None:
    with serving(opening()) as address:
        text = "Tower\n\nThe tower is of one person."
        both = ["lighthouse", "pasted text"]
        assert listed(address, "open", None, text, None) == both
        for _ in range(2):
            assert listed(address, "documents") == ["lighthouse"]
        assert listed(address, "open", None, text, None, session="mine") == both
        assert listed(address, "documents", session="mine") == both


def listed(address: str, name: str, *data: Any, session: str | None = None) -> list[str]:
    """The ids of the documents that an endpoint lists."""
    url = f"{address}gradio_api/call/{name}"
    body = {"data": data, "session_hash": session}
    event = httpx.post(url, json=body).json()["event_id"]
    reply = httpx.get(f"{url}/{event}", timeout=30).text
    (documents,) = json.loads(reply.partition("data: ")[2])
    return [document["id"] for document in documents]


def test_what_was_opened_is_closed_after_its_time() -> None:
    with serving(opening(), forget_after=1.0) as address:
        client = connect(address)
        assert len(client.predict(text="Tower\n\nIt is high.", api_name="/open")) == 2
        deadline = time.monotonic() + 30
        while True:
            time.sleep(1.5)
            try:
                assert len(client.predict(api_name="/documents")) == 2
            except AppError as error:
                assert "Please add them again." in str(error)
                break
            assert time.monotonic() < deadline
        assert len(client.predict(api_name="/documents")) == 1


# The log


def test_every_request_is_a_line_without_its_texts(tmp_path: Path) -> None:
    lines: list[str] = []
    path = tmp_path / "zamyatin.txt"
    path.write_text("Zamyatin wrote a novel.")
    with serving(
        opening(), page_options={"requests": RequestLog("json", write=lines.append)}
    ) as at:
        client = connect(at)
        client.predict(QUESTION, api_name="/ask")
        client.predict(files=[handle_file(path)], api_name="/open")
        with pytest.raises(AppError):
            client.predict(text="Zamyatin wrote a novel.", api_name="/open")
    said = [json.loads(line) for line in lines]
    assert [(line["request"], line["outcome"]) for line in said] == [
        ("ask", "answered"),
        ("open", "opened"),
        ("open", "refused"),
    ]
    assert {"retrieve", "read", "whole"} == set(said[0]["milliseconds"])
    assert "open" in said[1]["milliseconds"]
    assert "amyatin" not in "".join(lines) and "Rosport" not in "".join(lines)


# The end


@contextmanager
def half_an_upload(address: str) -> Iterator[None]:
    """Somebody who sends the beginning of a file, and no more."""
    to = urlsplit(address)
    body = b'--a\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nThe beg'
    with socket.create_connection((str(to.hostname), to.port)) as connection:
        connection.sendall(
            b"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n"
            b"Content-Type: multipart/form-data; boundary=a\r\n\r\n" + body
        )
        yield


@pytest.mark.models
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM")
def test_a_stop_while_an_article_is_encoded_is_clean(tmp_path: Path) -> None:
    article = tmp_path / "long.txt"
    lines = (f"The {i}th bridge was built of stone by the {i}th engineer." for i in range(20_000))
    article.write_text("\n\n".join(lines))
    with running_process(tmp_path, "--article", str(article)) as (address, process):
        time.sleep(8)  # till the models are loaded, most likely; a stop before that is clean, too
        assert httpx.get(f"{address}health", timeout=30).json()["status"] == "opening"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    assert "terminate" not in (tmp_path / "log.txt").read_text()


@pytest.mark.models
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM")
def test_a_stop_lets_open_requests_end_and_then_all_is_over(tmp_path: Path) -> None:
    with running_process(tmp_path, "--log-format", "json") as (address, process):
        wait_until_ready(address, process)
        # A page that is open, as a browser holds it.
        call = f"{address}gradio_api/call/ask"
        uploads = tmp_path / "uploads"
        with (
            httpx.stream("GET", f"{address}gradio_api/heartbeat/abc", timeout=30) as heartbeat,
            half_an_upload(address),
        ):
            assert heartbeat.status_code == 200
            questions = [f"When did Putin visit in {year}?" for year in range(2000, 2004)]
            events = [
                httpx.post(call, json={"data": [question, None, None, 5]}).json()["event_id"]
                for question in questions
            ]
            listening = threading.Semaphore(0)

            def read(event: str) -> str:
                with httpx.stream("GET", f"{call}/{event}", timeout=30) as reply:
                    listening.release()
                    return reply.read().decode()

            with ThreadPoolExecutor(4) as people:
                said = [people.submit(read, event) for event in events]
                for _ in events:
                    assert listening.acquire(timeout=30)
                assert list(uploads.rglob("a.txt"))
                stopped = time.monotonic()
                process.send_signal(signal.SIGTERM)
                assert process.wait(timeout=20) == 0
                # On a machine that has time for it.
                if os.getloadavg()[0] < (os.cpu_count() or 1):
                    assert time.monotonic() - stopped < 5
                assert [text.result().splitlines()[0] for text in said] == ["event: complete"] * 4
    log = (tmp_path / "log.txt").read_text()
    assert log.count('"request": "ask"') == 4
    assert "Traceback" not in log
    # Nothing of what is being uploaded is left, either.
    assert list((tmp_path / "uploads").glob("ask-the-article-*")) == []
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"{address}health", timeout=5)
