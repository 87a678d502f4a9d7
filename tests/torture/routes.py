"""Requests that no browser sends, to every route of a page that runs."""

from __future__ import annotations

import json
import random
import re
import string
from collections.abc import Generator
from typing import Any

import httpx

from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from page.loader import DocumentLoader
from qa.answerer import ArticleAnswerer
from tests.browser import launched, paths
from tests.conftest import FakeEncoder, FakeReader
from tests.page.shown import document_of

TEXT = "Lighthouse\n\nThe lighthouse of Rosport was built in 1851.\n\nIt is red."
# Those where a GET never ends.
_ENDLESS = ("heartbeat", "queue/data", "mcp", "logs", "reload")
_PARAMETER = re.compile(r"\{[^}]*\}")
_ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    10**30,
    1e308,
    "",
    " ",
    "\x00",
    "\ud83d\ude00",
    "../../etc/passwd",
    "<script>",
    "http://127.0.0.1:1/",
    "a" * 100_000,
    [],
    {},
    {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
)


def endpoints(count: int = 300, seed: int = 1) -> Generator[str, None, None]:
    """What is sent to /ask, /open and /documents is answered, or refused in a sentence"""
    rng = random.Random(seed)
    with launched(_opening()) as (_, address), httpx.Client(timeout=60) as client:
        for name, inputs in (("ask", 4), ("open", 3), ("documents", 0)):
            call = f"{address}gradio_api/call/{name}"
            for _ in range(count):
                data = [_value(rng) for _ in range(max(0, inputs + rng.choice([-1, 0, 0, 0, 1])))]
                yield _called(client, call, data)
            yield _alive(client, address)


def routes(count: int = 20, seed: int = 2) -> Generator[str, None, None]:
    """Whatever is sent to any route, the page lives on and tells nothing of its inside"""
    rng = random.Random(seed)
    with (
        launched(_opening(), mcp_server=True) as (page, address),
        httpx.Client(timeout=20) as client,
    ):
        dependencies = client.get(f"{address}config").json()["dependencies"]
        names = [d["api_name"] for d in dependencies if d["api_name"]]
        for path in sorted(set(paths(page.blocks.server_app.routes))):
            endless = any(name in path for name in _ENDLESS)
            for method in ("POST",) if endless else ("GET", "POST"):
                for _ in range(count):
                    yield _sent(client, address, method, path, names, rng)
            yield _alive(client, address)


def _called(client: httpx.Client, call: str, data: list[Any]) -> str:
    # Not by `json=`, which refuses numbers and surrogates that others may send.
    headers = {"content-type": "application/json"}
    said = client.post(call, content=json.dumps({"data": data}), headers=headers)
    if said.status_code != 200:
        told = str(said.json().get("detail", "")) if said.status_code < 500 else ""
        wrong = f"{said.status_code} for {str(data)[:200]}: {said.text[:200]}"
        return "" if re.search(r"[.!?]$", told) else wrong
    lines = client.get(f"{call}/{said.json()['event_id']}").text.splitlines()
    if lines[0] == "event: complete":
        return ""
    error = json.loads(lines[1].partition(":")[2])
    if error is None:  # gradio's own, whose words are on the terminal alone
        return f"an error without a sentence for {str(data)[:200]}"
    told = str(error["error"] if isinstance(error, dict) else error)
    return "" if re.search(r"[.!?]$", told) else f"{told[:200]} for {str(data)[:200]}"


def _sent(
    client: httpx.Client,
    address: str,
    method: str,
    path: str,
    names: list[str],
    rng: random.Random,
) -> str:
    odd = ["x", "0", "%00", "a" * 500, "%2e%2e"]
    filled = _PARAMETER.sub(lambda _: rng.choice([*names, *odd]), path)
    body = {
        "data": _value(rng),
        "fn_index": rng.choice([*range(30), None, -1, "x", 10**20]),
        "session_hash": rng.choice(["a", "", None, 5, "a" * 100]),
        "event_id": rng.choice(["x", None]),
        "event_data": _value(rng),
    }
    given = rng.choice([_value(rng), body, {**body, "data": [_value(rng) for _ in range(5)]}])
    content = rng.choice([b"", b"{", b"null", json.dumps(given).encode(), rng.randbytes(300)])
    kind = rng.choice(["application/json", "text/plain", "multipart/form-data; boundary=a"])
    try:
        said = client.request(
            method, address + filled.lstrip("/"), content=content, headers={"content-type": kind}
        )
    except httpx.TimeoutException:
        return f"{method} {filled}: no answer"
    except httpx.TransportError:
        # Refused before all of it was read, which closes the connection; is anybody still there?
        return _alive(client, address)
    inside = "Traceback" in said.text or "site-packages" in said.text
    wrong = inside or said.status_code == 500
    return (
        f"{method} {filled} {content[:200]!r}: {said.status_code} {said.text[:200]}"
        if wrong
        else ""
    )


def _alive(client: httpx.Client, address: str) -> str:
    said = client.get(f"{address}health")
    return "" if said.status_code == 200 else f"health is {said.status_code}: {said.text[:200]}"


def _value(rng: random.Random, depth: int = 0) -> Any:
    kind = rng.random()
    if kind < 0.6 or depth > 3:
        return rng.choice(_ODD)
    if kind < 0.8:
        return "".join(rng.choices(string.printable, k=rng.randrange(60)))
    values = [_value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return values if kind < 0.9 else {str(number): value for number, value in enumerate(values)}


def _opening() -> DocumentLoader:
    document = document_of(TEXT, "lighthouse")
    index = ArticleIndex.build(document, FakeEncoder())
    answerer = ArticleAnswerer(Collection([index]), FakeReader({"1851": 9.0}))
    return DocumentLoader(lambda progress: answerer, documents=[document])
