"""A server on this machine that answers as a test says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from index.documents import fetch as web

PAGE = """<!doctype html><html><head><title>The lamp</title></head><body><article><h1>The lamp</h1>
<p>The lamp of Lowtown was lit in 1890, and it has been lit every night since then, says the keeper.</p>
</article></body></html>"""
LIMIT = 200_000

Answer = Callable[[BaseHTTPRequestHandler], None]


def answer(
    body: bytes = b"", kind: str | None = "text/html", status: int = 200, **headers: str
) -> Answer:
    def send(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        if kind is not None:
            request.send_header("Content-Type", kind)
        for name, value in {"content_length": str(len(body)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return send


def redirect(location: str, status: int = 302) -> Answer:
    return answer(status=status, location=location)


def drip(beginning: bytes) -> Answer:
    """Send a beginning, and after it a letter now and then."""

    def send(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(beginning)
        for _ in range(100):
            time.sleep(0.05)
            request.wfile.write(b"x")
            request.wfile.flush()

    return send


def endless(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    while True:
        request.wfile.write(b"The lamp was lit. " * 1000)


class Site:
    """A server on this machine, and what it has been asked."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.answers: dict[str, Answer] = {}
        self.asked: list[BaseHTTPRequestHandler] = []

    def __setitem__(self, path: str, answer: Answer) -> None:
        self.answers[path] = answer


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    class Request(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self)
            try:
                site.answers.get(self.path, answer(status=404))(self)
            except OSError:  # the other end has had enough
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setattr(web, "MAX_FILE_BYTES", LIMIT)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Request)
    server.daemon_threads = True
    server.block_on_close = False
    site = Site(server.server_address[1])
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield site
    server.shutdown()
    server.server_close()
