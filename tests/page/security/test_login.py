"""Without the password nothing is answered, and passwords cannot be guessed."""

from __future__ import annotations

import re
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client
from playwright.sync_api import Browser, expect

from page.security import login as login_module
from page.security.login import MAX_ATTEMPTS, MAX_IN_FLIGHT, WINDOW_SECONDS, LoginThrottle
from tests.browser import launched, paths, serving
from tests.page.security.ledger import USER, WORDS, login, opening

WRONG = {"username": USER[0], "password": "guess"}
RIGHT = {"username": USER[0], "password": USER[1]}
# All routes that answer a stranger.
FOR_ALL = {
    "/",
    "/assets/{path:path}",
    "/favicon.ico",
    "/gradio_api/theme.css",
    "/login",
    "/login/",
    "/manifest.json",
    "/pwa_icon",
    "/robots.txt",
    "/logout",
    "/static/{path:path}",
    "/svelte/{path:path}",
    "/theme.css",
}


def filled(path: str) -> str:
    return re.sub(r"{\w+(:\w+)?}", "1", path)


@pytest.mark.parametrize("options", [{}, {"root_path": "/articles"}, {"mcp_server": True}])
def test_a_stranger_gets_the_login_page_and_nothing_else(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    with (
        launched(opening(tmp_path), auth=USER, **options) as (page, address),
        httpx.Client(timeout=20) as client,
    ):
        known = set(paths(page.blocks.app.routes))
        # Or the test would be of less than there is.
        assert {"/config", "/gradio_api/queue/join", "/gradio_api/call/{api_name}"} < known
        assert {"/openapi.json", "/gradio_api/heartbeat/{session_hash}"} < known
        assert ("/gradio_api/mcp/" in known) == ("mcp_server" in options)
        answered = set()
        before = options.get("root_path", "")
        for path in sorted(known):
            for method in ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"):
                url = address.rstrip("/") + before + filled(path)
                # Streamed, since some of what must not be answered would have no end.
                with client.stream(method, url, json={}) as reply:
                    refused = reply.status_code in (401, 403)
                    if not refused:
                        answered.add(path)
                    if refused or path in FOR_ALL:
                        reply.read()
                        assert not WORDS.search(reply.text), (method, path)
        assert answered <= FOR_ALL
        for query in ("?deep_link=1", "?view=api&all_endpoints=true", "?q=When?&page=config"):
            reply = client.get(f"{address}{query}")
            assert '"auth_required":true' in reply.text and not WORDS.search(reply.text)
        # Those who have the password do get what the others were searched for.
        login(address, client)
        assert WORDS.search(client.get(f"{address}config").text)


def test_a_cookie_that_nobody_was_given_opens_nothing(tmp_path: Path) -> None:
    with launched(opening(tmp_path), auth=USER) as (page, address):
        name = f"access-token-unsecure-{page.blocks.app.cookie_id}"
        for token in ("", "1", "None", USER[0], "x" * 5000):
            cookies = {"Cookie": f"{name}={token}"}
            assert httpx.get(f"{address}config", headers=cookies).status_code == 401


def test_a_link_logs_nobody_out(tmp_path: Path) -> None:
    with serving(opening(tmp_path), auth=USER) as address, httpx.Client() as client:
        login(address, client)
        cookies = dict(client.cookies)
        form = client.get(f"{address}logout")
        assert form.status_code == 200 and "method=post" in form.text
        assert client.get(f"{address}config").status_code == 200
        foreign = client.post(f"{address}logout", headers={"Origin": "http://evil.example"})
        assert foreign.status_code == 403
        assert client.get(f"{address}config").status_code == 200
        assert client.post(f"{address}logout").headers["location"] == "/"
        assert httpx.get(f"{address}config", cookies=cookies).status_code == 401


def test_logging_out_leaves_other_browsers_logged_in(tmp_path: Path) -> None:
    with (
        serving(opening(tmp_path), auth=USER) as address,
        httpx.Client() as one,
        httpx.Client() as other,
    ):
        login(address, one)
        login(address, other)
        one.post(f"{address}logout")
        assert one.get(f"{address}config").status_code == 401
        assert other.get(f"{address}config").status_code == 200


# Guessing


def test_passwords_cannot_be_tried_without_end(tmp_path: Path) -> None:
    with serving(opening(tmp_path), auth=USER) as address, httpx.Client() as client:
        replies = [client.post(f"{address}login", data=WRONG) for _ in range(MAX_ATTEMPTS + 2)]
        assert [each.status_code for each in replies] == [400] * MAX_ATTEMPTS + [429] * 2
        assert replies[-1].json() == {"detail": "Too many wrong passwords. Try again in a minute."}
        assert replies[-1].headers["retry-after"] == "60"
        # Or a guess that is right would still be told from the others.
        for path in ("login", "login/"):
            assert client.post(address + path, data=RIGHT).status_code == 429
        assert client.get(address).status_code == 200


def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that are compared from now on."""
    seen: list[str] = []

    def compare(given: str, right: str) -> bool:
        seen.append(given)
        return given == right

    monkeypatch.setattr("gradio.routes.compare_passwords_securely", compare)
    return seen


def test_another_forwarded_address_is_no_new_chance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = compared(monkeypatch)
    with serving(opening(tmp_path), auth=USER) as address:
        for number in range(40):
            forwarded = {"X-Forwarded-For": f"10.0.0.{number}", "X-Real-IP": f"10.0.1.{number}"}
            httpx.post(f"{address}login", data=WRONG, headers=forwarded)
    assert len(seen) == MAX_ATTEMPTS


def test_many_attempts_at_once_are_all_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections that send their bodies late, all at the same moment."""
    seen = compared(monkeypatch)
    body = b"username=reader&password=guess"
    head = (
        "POST /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with serving(opening(tmp_path), auth=USER) as address:
        url = httpx.URL(address)
        connections = []
        for _ in range(60):
            connection = socket.create_connection((url.host, url.port))
            connection.sendall(head + body[:5])
            connections.append(connection)
        time.sleep(0.5)
        for connection in connections:
            connection.sendall(body[5:])
        statuses = [connection.recv(20)[9:12] for connection in connections]
        for connection in connections:
            connection.close()
    assert set(statuses) == {b"400", b"429"}
    assert 0 < len(seen) <= MAX_ATTEMPTS


def test_few_logins_are_checked_at_once() -> None:
    throttle = LoginThrottle(lambda: 0.0)
    with ExitStack() as attempts:
        for number in range(MAX_IN_FLIGHT):
            assert throttle.refusal("10.0.1.1") == ""
            attempts.enter_context(throttle.attempt(f"10.0.0.{number}"))
        assert throttle.refusal("10.0.1.1").startswith("Too many people are logging in")
    assert throttle.refusal("10.0.1.1") == ""


def test_behind_a_trusted_proxy_one_attacker_locks_nobody_else_out(tmp_path: Path) -> None:
    def attempt(address: str, client: str, data: dict[str, str]) -> int:
        headers = {"X-Forwarded-For": client}
        return httpx.post(f"{address}login", data=data, headers=headers).status_code

    with serving(opening(tmp_path), auth=USER, trusted_proxies=["127.0.0.0/8"]) as address:
        statuses = [attempt(address, "203.0.113.5", WRONG) for _ in range(MAX_ATTEMPTS + 1)]
        assert statuses[-1] == 429
        # What the attacker puts in front of the address that the proxy adds is not taken.
        assert attempt(address, "198.51.100.7, 203.0.113.5", RIGHT) == 429
        assert attempt(address, "198.51.100.7", RIGHT) == 200


def test_attempts_are_forgotten_after_a_minute_and_right_ones_at_once() -> None:
    now = 0.0
    throttle = LoginThrottle(lambda: now)

    def attempt(client: str, *, right: bool = False) -> None:
        with throttle.attempt(client) as succeeded:
            if right:
                succeeded()

    for client in ("10.0.0.1", "10.0.0.2"):
        for _ in range(MAX_ATTEMPTS - 1):
            attempt(client)
    attempt("10.0.0.2", right=True)
    now = 30.0
    attempt("10.0.0.1")
    assert throttle.refusal("10.0.0.1") and not throttle.refusal("10.0.0.2")
    now = WINDOW_SECONDS + 1
    assert not throttle.refusal("10.0.0.1")


def test_only_so_many_clients_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_module, "MAX_CLIENTS", 5)
    throttle = LoginThrottle(lambda: 0.0)
    for number in range(20):
        with throttle.attempt(f"10.0.0.{number}"):
            pass
    assert len(throttle._attempts) == 5


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data; charset=punycode; boundary=a", b"\xff" * 1_000_000),
        ("multipart/form-data; boundary=a; charset=punycode", b"x" * 3_000),
        ("application/x-www-form-urlencoded; charset=utf-7", b"x" * 3_000),
        ("application/x-www-form-urlencoded", b"x" * 100_000),
        ("application/x-www-form-urlencoded", b"x" * 31_000_000),
    ],
)
def test_a_login_that_would_keep_the_server_busy_is_refused_at_once(
    tmp_path: Path, kind: str, body: bytes
) -> None:
    form = (
        b'--a\r\nContent-Disposition: form-data; name="username"\r\n\r\n' + body + b"\r\n--a--\r\n"
    )
    with serving(opening(tmp_path), auth=USER) as address:
        url = httpx.URL(address)
        head = f"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
        with socket.create_connection((url.host, url.port), timeout=10) as connection:
            connection.sendall(f"{head}Content-Length: {len(form)}\r\n\r\n".encode())
            assert connection.recv(12)[9:] in (b"413", b"415")
        # The server has read and decoded nothing, so it answers the next one.
        assert httpx.get(address, timeout=10).status_code == 200


# Logged in


def test_a_program_with_the_password_is_answered(tmp_path: Path) -> None:
    with serving(opening(tmp_path), auth=USER) as address:
        client = Client(address, auth=USER, verbose=False, analytics_enabled=False)
        assert client.predict("When was it weighed?", api_name="/ask")["text"] == "1851"
        with pytest.raises(ValueError, match="401|auth|login|credentials"):
            Client(address, verbose=False, analytics_enabled=False)


def test_a_reader_logs_in_asks_and_logs_out(tmp_path: Path, browser: Browser) -> None:
    with serving(opening(tmp_path), auth=USER) as address:
        page = browser.new_page()
        page.goto(address)
        expect(page.get_by_role("button", name="Login")).to_be_visible(timeout=20_000)
        assert not WORDS.search(page.content())
        page.get_by_label("username").fill(USER[0])
        page.get_by_label("password").fill(USER[1])
        page.get_by_role("button", name="Login").click()
        expect(page.locator("#article")).to_contain_text("quicksilver", timeout=20_000)
        page.get_by_label("Question", exact=True).fill("When was it weighed?")
        page.keyboard.press("Enter")
        expect(page.locator("#chat .cited")).to_contain_text("1851", timeout=20_000)
        page.goto(f"{address}logout")
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("button", name="Login")).to_be_visible(timeout=20_000)
        page.close()
