"""No file of the machine is read, served or deleted, and no route answers that the page does not use."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from mcp import ClientSession
from mcp.types import CallToolResult, TextContent

from tests.browser import launched, paths, serving
from tests.page.security.ledger import USER, call, login, opening, upload
from tests.page.security.test_login import FOR_ALL, filled
from tests.test_api import with_mcp


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text("SECRET of the machine, which was written down in 1851.")
    return path


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


# Served


class RawClient:
    """Asks for paths just as they stand, which other clients would tidy up, over one connection."""

    def __init__(self, address: str, cookies: dict[str, str]) -> None:
        parts = urlsplit(address)
        self._host = parts.netloc
        self._cookies = "; ".join(f"{name}={value}" for name, value in cookies.items())
        self._connection = HTTPConnection(str(parts.hostname), parts.port, timeout=20)

    def get(self, path: str) -> tuple[int, str]:
        """The status and the body of the reply."""
        self._connection.putrequest("GET", path, skip_host=True)
        self._connection.putheader("Cookie", self._cookies)
        self._connection.putheader("Host", self._host)
        self._connection.endheaders()
        reply = self._connection.getresponse()
        return reply.status, reply.read().decode("utf-8", "replace")

    def close(self) -> None:
        self._connection.close()


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
    tmp_path: Path, secret: Path, uploads: Path, who: str
) -> None:
    links = [uploads / "link.txt", uploads / "folder"]
    links[0].symlink_to(secret)
    links[1].symlink_to(tmp_path)
    options = {} if who == "anybody" else {"auth": USER}
    with serving(opening(tmp_path), **options) as address, httpx.Client() as client:
        if who == "a reader":
            login(address, client)
        raw = RawClient(address, dict(client.cookies))
        assert raw.get("/static/img/logo_nosize.svg")[0] == 200
        tried = [secret, links[0], links[1] / secret.name, uploads / ".." / secret.name]
        for file in [*tried, Path(__file__), Path("app.py").resolve()]:
            for path in ways_to(file):
                status, text = raw.get(path)
                assert status >= 400 and "SECRET" not in text, path
                assert "def " not in text, path
        raw.close()


def test_what_is_uploaded_is_not_given_back(uploads: Path) -> None:
    with serving(opening()) as address:
        path = upload(address, b"SECRET of a visitor")["path"]
        assert Path(path).read_bytes() == b"SECRET of a visitor"
        reply = httpx.get(f"{address}gradio_api/file={path}")
        assert (reply.status_code, reply.json()) == (404, {"detail": "Not Found"})


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
        "/gradio_api/user",
        "/gradio_api/user/",
        "/health",
        "/pdf/{key}/{page:int}",
    }
    with launched(opening(tmp_path)) as (page, address), httpx.Client(timeout=20) as client:
        known = set(paths(page.blocks.app.routes))
        assert used <= known
        # To share a visit it would be written down, and a film would be taken apart.
        assert {"/gradio_api/deep_link", "/gradio_api/process_recording"} < known - used
        for path in known - used:
            for method in ("GET", "POST"):
                reply = client.request(method, address.rstrip("/") + filled(path), json={})
                assert (reply.status_code, reply.json()) == (404, {"detail": "Not Found"}), path


# Opened


def not_uploads(secret: Path, uploads: Path, uploaded: str) -> list[str]:
    """Paths that lead to no upload, as a program may give them."""
    own = Path(uploaded).parent
    (uploads / "link.txt").symlink_to(secret)
    return [
        str(secret),
        f"{own}/../../../{secret.name}",
        f"{uploads}/../{secret.name}",
        f"{own}/..",
        str(uploads / "link.txt"),
        str(own),
        str(uploads),
        "app.py",
        "/etc/passwd",
        f"{uploaded}\0",
        "",
        ".",
        "..",
    ]


def as_file(path: str) -> dict[str, Any]:
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


def test_what_was_not_uploaded_is_neither_read_nor_deleted(secret: Path, uploads: Path) -> None:
    with serving(opening()) as address:
        uploaded = upload(address, b"The homework of all.")
        for path in not_uploads(secret, uploads, uploaded["path"]):
            reply = call(address, "open", [None, None, [as_file(path)]])
            assert reply.startswith("event: error"), path
            assert "Upload it instead." in reply or "is a folder" in reply, (path, reply)
        assert secret.exists() and uploads.is_dir() and Path("app.py").exists()
        assert '"mine"' in call(address, "open", [None, None, [uploaded]])


def test_gradio_fetches_nothing(uploads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def get(*_: object) -> None:
        raise AssertionError("fetched")

    monkeypatch.setattr("gradio.processing_utils.async_ssrf_protected_get", get)
    with serving(opening()) as address:
        for url in ("http://1.1.1.1/endless.txt", "https://example.org/endless.txt"):
            for name, data in (
                ("open", [None, None, [as_file(url)]]),
                ("ask", [as_file(url), None, None, 5]),
            ):
                reply = call(address, name, data)
                assert reply.startswith("event: error") and "Upload it instead." in reply


# By MCP


def tools(page: str, calls: Sequence[tuple[str, dict[str, Any]]]) -> list[tuple[bool, str]]:
    """Call tools of the MCP server in one session; of each, whether it failed and what it says."""

    async def use(client: ClientSession) -> list[CallToolResult]:
        return [await client.call_tool(name, arguments) for name, arguments in calls]

    return [
        (
            bool(result.isError),
            "".join(part.text for part in result.content if isinstance(part, TextContent)),
        )
        for result in with_mcp(page, use)
    ]


def tool(page: str, name: str, **arguments: Any) -> tuple[bool, str]:
    """Call one tool in a session of its own."""
    (result,) = tools(page, [(name, arguments)])
    return result


def test_an_mcp_client_cannot_read_a_file_of_the_machine(secret: Path, uploads: Path) -> None:
    with serving(opening(), mcp_server=True) as address:
        uploaded = upload(address, b"The homework of all.")["path"]
        calls: list[tuple[str, dict[str, Any]]] = []
        for path in [*not_uploads(secret, uploads, uploaded), uploaded]:
            file = as_file(path)
            calls += [
                ("open", {"files": [file]}),
                ("open", {"files": file}),
                ("open", {"text": file}),
                ("open", {"address": {"deep": [[file]]}}),
                ("open", {"files": [{"path": path}]}),
                ("open", {"files": [{"path": path, "url": "x", "orig_name": "a"}]}),
                ("ask", {"question": file}),
                ("ask", {"question": "When?", "documents": [file], "history": [[file, "a"]]}),
            ]
        for made, (failed, text) in zip(calls, tools(address, calls), strict=True):
            refused = "can't be given by its path" in text or "validation error" in text
            assert failed and refused, (made, text)
        _, listed = tool(address, "documents")
        assert [document["id"] for document in json.loads(listed)] == ["zwickel"]
        # Nothing was copied to where uploads are, either.
        files = [path for path in uploads.rglob("*") if path.is_file() and not path.is_symlink()]
        assert [str(path) for path in files] == [uploaded]
        assert secret.exists()
        for other in (str(secret), f"file://{secret}"):
            failed, text = tool(address, "open", address=other)
            assert failed and "isn't a web address" in text


def test_an_mcp_client_opens_a_file_by_its_content(uploads: Path) -> None:
    content = base64.b64encode(b"The lamp of Lowtown was lit in 1851.").decode()
    with serving(opening(), mcp_server=True) as address:
        for name in ("lamp.txt", "../../lamp.txt", "/etc/lamp.txt"):
            failed, listed = tool(address, "open", files=[{"name": name, "content": content}])
            assert failed == (name != "lamp.txt"), listed  # open already
            assert "'" not in listed and str(os.getcwd()) not in listed
        _, listed = tool(address, "documents")
        assert [document["source"] for document in json.loads(listed)] == [
            "zwickel.txt",
            "lamp.txt",
        ]
        assert [path for path in uploads.rglob("*") if path.is_file()] == []


def test_an_idle_mcp_session_is_forgotten_and_says_so_once(
    uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("page.page.SWEEP_SECONDS", 0.1)
    with launched(opening(), mcp_server=True) as (page, address):
        assert not tool(address, "open", text="The lamp was lit in 1851.")[0]
        assert "pasted text" in tool(address, "documents")[1]
        page.sessions.forget_after = 0.5
        time.sleep(1.5)
        page.sessions.forget_after = 3600.0
        failed, text = tool(address, "documents")
        assert failed and "Please add them again." in text
        failed, listed = tool(address, "documents")
        assert not failed and "pasted text" not in listed


def test_nobody_else_is_taken_for_the_mcp_client(uploads: Path) -> None:
    with serving(opening(), mcp_server=True) as address:
        assert not tool(address, "open", text="The lamp was lit in 1851.")[0]
        headers = {"x-gradio-user": "mcp"}
        url = f"{address}gradio_api/call/documents"
        event = httpx.post(url, json={"data": []}, headers=headers).json()["event_id"]
        reply = httpx.get(f"{url}/{event}", headers=headers).text
        assert "zwickel" in reply and "pasted text" not in reply
