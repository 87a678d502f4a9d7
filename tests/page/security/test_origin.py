"""Pages of other sites can link to the page, and neither send nor read anything."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

import app
from page.request_log import RequestLog
from page.security.origin import AllowedHosts
from tests.browser import serving
from tests.page.security.ledger import QUESTION, WORDS, opening


def config_for(address: str, host: str, **headers: str) -> tuple[int, str]:
    reply = httpx.get(f"{address}config", headers={"Host": host, **headers})
    return reply.status_code, reply.text


def test_the_page_answers_to_no_name_that_another_may_own() -> None:
    with serving(opening(), names=["reading.example.org"]) as address:
        for host in ("127.0.0.1:7860", "localhost", "LOCALHOST:1", "a.localhost", "[::1]:7860"):
            assert config_for(address, host)[0] == 200, host
        assert config_for(address, "Reading.example.org:443")[0] == 200
        for host in ("example.org", "localhost.example.org", "127.0.0.1.nip.io", "[bad", "a@b:c"):
            status, text = config_for(address, host)
            assert status == 421 and not WORDS.search(text), host
            assert "Start it with --name HOST" in json.loads(text)["detail"]
    with serving(opening()) as address:
        assert config_for(address, "example.org")[0] == 200


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ([], []),
        (["--host", "::1"], []),
        (["--host", "localhost", "--name", "A.example.org"], ["a.example.org"]),
        (["--root-path", "https://b.example.org/articles"], ["b.example.org"]),
        (["--root-path", "https://b.example.org:8443/articles"], ["b.example.org:8443"]),
        (["--root-path", "/articles"], []),
        # Meant for others, who may call it by any name.
        (["--host", "0.0.0.0"], None),
        (["--host", "reading.lan"], None),
        (["--share"], None),
        (["--host", "0.0.0.0", "--name", "c.example.org"], ["c.example.org"]),
    ],
)
def test_the_names_of_a_page(given: list[str], names: list[str] | None) -> None:
    assert app._names(app._parser().parse_args(given)) == names


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://localhost:7860", "localhost:7860", True),
        ("http://127.0.0.1:7860", "127.0.0.1:7860", True),
        ("http://[::1]:7860", "[::1]:7860", True),
        ("https://page.lan", "page.lan", True),
        ("http://page.lan:80", "page.lan", True),
        ("https://PAGE.lan", "page.lan:443", True),
        # Another program on this machine.
        ("http://localhost:3000", "localhost:7860", False),
        ("http://localhost", "localhost:7860", False),
        ("http://127.0.0.1:7860", "localhost:7860", False),
        ("http://page.lan:8080", "page.lan:7860", False),
        ("http://evil.lan:7860", "page.lan:7860", False),
        # A proxy passes another Host on.
        ("https://reading.example.org", "127.0.0.1:7860", True),
        ("https://reading.example.org:8443", "127.0.0.1:7860", False),
        ("https://other.example.org:8443", "127.0.0.1:7860", True),
        ("https://evil.example.org", "127.0.0.1:7860", False),
        ("null", "localhost:7860", False),
        ("", "localhost:7860", False),
        ("file://", "localhost:7860", False),
        ("chrome-extension://abcdef", "localhost:7860", False),
        ("http://a@localhost:7860", "localhost:7860", False),
        ("http://localhost:7860/x", "localhost:7860", False),
        ("http://[bad", "[bad", False),
    ],
)
def test_which_origin_is_the_pages_own(origin: str, host: str, same: bool) -> None:
    hosts = AllowedHosts(["reading.example.org", "other.example.org:8443"], any_host=True)
    assert hosts.is_same_origin(origin, host) is same


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        # Another port of the same name is the same site, and yet not this page.
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
    ],
)
def test_requests_of_other_origins_are_refused(headers: dict[str, str]) -> None:
    data = {"data": [QUESTION, None, None, 5], "session_hash": "abc"}
    with serving(opening()) as address:
        for method, path, given in (
            ("GET", "config", None),
            ("GET", "", None),
            ("POST", "gradio_api/call/ask", data),
            ("POST", "gradio_api/run/documents", data),
            ("POST", "gradio_api/upload", None),
            ("OPTIONS", "gradio_api/call/ask", None),
        ):
            asking = {"Access-Control-Request-Method": "POST"} if method == "OPTIONS" else {}
            url = address + path
            reply = httpx.request(method, url, headers={**headers, **asking}, json=given)
            assert reply.status_code == 403, (method, path)
            assert not [name for name in reply.headers if name.startswith("access-control")]
            assert not WORDS.search(reply.text)


def test_the_page_itself_and_links_to_it_are_answered() -> None:
    data = {"data": [], "session_hash": "abc"}
    with serving(opening()) as address:
        own = address.rstrip("/")
        link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        assert httpx.get(f"{address}?q=When?", headers=link).status_code == 200
        for site in ("same-origin", "none"):
            headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors", "Origin": own}
            assert httpx.get(f"{address}config", headers=headers).status_code == 200
            url = f"{address}gradio_api/call/documents"
            reply = httpx.post(url, json=data, headers=headers)
            assert reply.status_code == 200
            assert not [name for name in reply.headers if name.startswith("access-control")]
        # A form of another site, which is a navigation, too.
        form = httpx.post(f"{address}gradio_api/call/documents", headers=link, json=data)
        assert form.status_code == 403
        shown = httpx.get(address).headers
        assert shown["content-security-policy"] == "frame-ancestors 'self'"
        assert shown["referrer-policy"] == "same-origin"
        assert httpx.get(f"{address}none").headers["x-content-type-options"] == "nosniff"


@contextmanager
def another_site() -> Iterator[int]:
    """The port of a server with an empty page."""

    class Empty(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Another site</title>")

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Empty)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


# Sends a question in all the ways that a page can; returns what it can read of the replies.
ATTACK = """async ([target, question]) => {
    const read = [];
    const url = target + "gradio_api/call/ask";
    const body = JSON.stringify({data: [question, null, null, 5], session_hash: "abc"});
    for (const mode of ["cors", "no-cors", "same-origin"])
        for (const type of ["application/json", "text/plain"])
            for (const [address, options] of [
                [url, {method: "POST", body, mode, headers: {"Content-Type": type}}],
                [target + "config", {mode}],
            ])
                try {
                    const reply = await fetch(address, options);
                    read.push(reply.type + " " + await reply.text());
                } catch (error) { read.push("refused"); }
    const form = document.createElement("form");
    Object.assign(form, {method: "post", action: url, enctype: "text/plain", target: "frame"});
    const frame = document.createElement("iframe");
    frame.name = "frame";
    document.body.append(form, frame);
    form.submit();
    await new Promise(resolve => setTimeout(resolve, 500));
    return read;
}"""


@pytest.mark.parametrize(
    ("name", "site"),
    [("page.lan", "evil.lan"), ("page.lan", "page.lan"), ("localhost", "localhost")],
)
def test_a_page_of_another_origin_in_a_real_browser(browser: Browser, name: str, site: str) -> None:
    lines: list[str] = []
    requests = RequestLog("json", write=lines.append)
    with (
        serving(opening(), names=["page.lan"], page_options={"requests": requests}) as address,
        another_site() as port,
    ):
        target = address.replace("127.0.0.1", name)
        page = browser.new_page()
        page.goto(f"http://{site}:{port}/")
        read = page.evaluate(ATTACK, [target, QUESTION])
        assert len(read) == 12
        assert set(read) <= {"refused", "opaque "}
        assert lines == []
        # The page itself can ask, by the same name.
        page.goto(target)
        expect(page.locator("#status")).to_have_text("Ready", timeout=20_000)
        page.get_by_label("Question", exact=True).fill(QUESTION)
        page.keyboard.press("Enter")
        expect(page.locator("#chat .cited")).to_contain_text("1851", timeout=20_000)
        assert len(lines) == 1
        page.close()
