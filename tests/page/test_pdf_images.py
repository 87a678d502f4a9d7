"""The endpoint for images of PDF pages: what it draws, for whom, and within which limits."""

from __future__ import annotations

import asyncio
import gc
import struct
import threading
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from index.documents.pdf.pages import render_page
from index.errors import DocumentError
from page.pdf_files import PdfFile, PdfFiles
from page.pdf_images import MAX_WAITING_PER_CLIENT, MAX_WIDTH, MIN_WIDTH, PdfImages
from tests.browser import launched, serving
from tests.page.pdf_samples import opening, paper
from tests.page.security.ledger import USER, login
from tests.page.shown import document_of


def size_of(image: bytes) -> tuple[int, int]:
    """The width and height of a PNG."""
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", image[16:24])


def only_file(files: PdfFiles) -> PdfFile:
    (file,) = files._files.values()
    return file


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of the pages of a paper that a page was started with."""
    with launched(opening(paper())) as (page, address):
        yield f"{address}{only_file(page.sessions.pdfs).url}"


# What is drawn


def test_a_page_is_drawn_at_the_width_asked_rounded_up(address: str) -> None:
    reply = httpx.get(f"{address}/2?width=580")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "image/png"
    assert reply.headers["cache-control"] == "private, max-age=3600, immutable"
    assert reply.headers["x-content-type-options"] == "nosniff"
    width, height = size_of(reply.content)
    assert width in (600, 601)
    page_width, page_height = paper().boxes.page_size(1)  # type: ignore[union-attr]
    assert height == pytest.approx(600 * page_height / page_width, abs=2)
    pdf = paper().pdf
    assert pdf and reply.content == render_page(pdf, 1, 600 / page_width)
    assert reply.content != httpx.get(f"{address}/1?width=580").content


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/0?width=600", 404, "The document has no page 0."),
        ("/3?width=600", 404, "The document has no page 3."),
        (f"/{'9' * 200}?width=600", 404, f"The document has no page {'9' * 200}."),
        *(
            (f"/1{query}", 400, f"width must be a number from {MIN_WIDTH} to {MAX_WIDTH}.")
            for query in (
                "",
                "?width=",
                "?width=x",
                "?width=-600",
                "?width=²",
                f"?width={MIN_WIDTH - 1}",
                f"?width={MAX_WIDTH + 1}",
                f"?width={'0' * 20}{MAX_WIDTH}",
                f"?width={'9' * 5000}",
            )
        ),
    ],
)
def test_other_pages_and_widths_are_refused(
    address: str, path: str, status: int, message: str
) -> None:
    reply = httpx.get(f"{address}{path}")
    assert (reply.status_code, reply.text) == (status, message)
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["", "/", "/x", "/1/2", "/-1", "/1.5"])
def test_other_paths_are_not_found(address: str, path: str) -> None:
    assert httpx.get(f"{address}{path}?width=600").status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_pages_can_only_be_fetched(address: str, method: str) -> None:
    assert httpx.request(method, f"{address}/1?width=600").status_code == 405


def test_a_damaged_pdf_is_refused_in_a_sentence_without_its_folder() -> None:
    damaged = paper(pdf=b"%PDF-1.7\n" + bytes(500), source="/srv/texts/paper.pdf")
    with launched(opening(damaged)) as (page, address):
        reply = httpx.get(f"{address}{only_file(page.sessions.pdfs).url}/1?width=600")
        assert reply.status_code == 422
        assert "'paper.pdf'" in reply.text and "/srv" not in reply.text
        assert httpx.get(f"{address}health").status_code == 200


# For whom


def test_another_key_is_not_found(address: str) -> None:
    reply = httpx.get(f"{address}x/1?width=600")
    assert reply.status_code == 404
    assert reply.text == "This document is no longer open. Reload the page."


def test_a_document_that_was_closed_is_not_found() -> None:
    with launched(opening(document_of("Title\n\nText."))) as (page, address):
        file = page.sessions.pdfs.add(paper())
        assert file
        url = f"{address}{file.url}/1?width=600"
        assert httpx.get(url).status_code == 200
        del file
        gc.collect()
        assert httpx.get(url).status_code == 404


def test_a_password_is_needed() -> None:
    with launched(opening(paper()), auth=USER) as (page, address), httpx.Client() as client:
        url = f"{address}{only_file(page.sessions.pdfs).url}/1?width=600"
        assert client.get(url).status_code == 401
        login(address, client)
        assert client.get(url).status_code == 200


def test_other_sites_cannot_fetch_pages(address: str) -> None:
    foreign = {"Origin": "http://other.example"}
    assert httpx.get(f"{address}/1?width=600", headers=foreign).status_code == 403
    embedded = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert httpx.get(f"{address}/1?width=600", headers=embedded).status_code == 403


def test_pages_are_below_the_root_path() -> None:
    with serving(opening(paper()), root_path="/articles") as address:
        config = httpx.get(f"{address}config").text
        assert "pdf/" in config and "/pdf/" not in config


# Limits


class Gate:
    """Draws when it is opened, and counts how many pages are drawn at once."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.now = self.most = 0
        self._lock = threading.Lock()

    def __call__(self, data: bytes, page: int, scale: float, name: str) -> bytes:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        if not self.open.wait(10):
            raise DocumentError("The gate stayed closed.")
        with self._lock:
            self.now -= 1
        return b"image"


async def fetch_all(gate: Gate, counts: dict[str, int]) -> list[int]:
    """The statuses of so many requests at once of each client."""
    files = PdfFiles(draw=gate)
    held = files.add(paper())
    assert held
    images = PdfImages(files)
    app = Starlette(routes=[Route("/pdf/{key}/{page:int}", images.__call__)])

    async def fetch(client: str, number: int) -> int:
        transport = httpx.ASGITransport(app, client=(client, 123))
        async with httpx.AsyncClient(transport=transport, base_url="http://page") as http:
            width = MIN_WIDTH + 100 * (number % 20)
            return (await http.get(f"/{held.url}/1?width={width}")).status_code

    requests = [
        asyncio.create_task(fetch(client, number))
        for client, count in counts.items()
        for number in range(count)
    ]
    await asyncio.sleep(0.5)
    gate.open.set()
    statuses = await asyncio.gather(*requests)
    assert not images._waiting
    return statuses


def test_two_pages_are_drawn_at_once_and_a_client_waits_for_so_many() -> None:
    gate = Gate()
    counts = {"10.0.0.1": MAX_WAITING_PER_CLIENT + 5, "10.0.0.2": 3}
    statuses = asyncio.run(fetch_all(gate, counts))
    first, second = statuses[: counts["10.0.0.1"]], statuses[counts["10.0.0.1"] :]
    assert sorted(first) == [200] * MAX_WAITING_PER_CLIENT + [429] * 5
    assert second == [200] * 3
    assert gate.most == 2


def test_all_clients_together_wait_for_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("page.pdf_images.MAX_WAITING", 4)
    statuses = asyncio.run(fetch_all(Gate(), {f"10.0.0.{n}": 2 for n in range(3)}))
    assert sorted(statuses) == [200] * 4 + [429] * 2


def test_a_page_that_nobody_waits_for_any_more_is_not_drawn(address: str) -> None:
    gate = Gate()
    files = PdfFiles(draw=gate)
    held = files.add(paper())
    assert held
    images = PdfImages(files)

    async def leave() -> None:
        scope = {
            "type": "http",
            "method": "GET",
            "headers": [],
            "client": ("10.0.0.1", 1),
            "path_params": {"key": held.key, "page": 1},
            "query_string": b"width=600",
        }

        async def receive() -> dict[str, str]:
            return {"type": "http.disconnect"}

        from starlette.requests import Request

        reply = await images(Request(scope, receive))
        assert reply.status_code == 408

    asyncio.run(leave())
    assert gate.most == 0
