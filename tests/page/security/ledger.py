"""A page with one document whose words a stranger must not see, and ways to call it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx

from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from page.loader import DocumentLoader
from qa.answerer import ArticleAnswerer
from tests.conftest import FakeEncoder, FakeReader
from tests.page.shown import document_of

TITLE = "The ledger of Zwickelbach"
TEXT = f"{TITLE}\n\nThe quicksilver was weighed in 1851 by Ottilie Brandt.\n\nIt was sold at once."
WORDS = re.compile("Zwickelbach|quicksilver|Ottilie|zwickel", re.IGNORECASE)
USER = ("reader", "secret")
QUESTION = "When was the quicksilver weighed?"


def opening(folder: Path | None = None, reader: FakeReader | None = None) -> DocumentLoader:
    """What opens the document."""
    source = str((folder or Path("/srv/texts")) / "zwickel.txt")
    document = document_of(TEXT, "zwickel", source=source)
    index = ArticleIndex.build(document, FakeEncoder())
    answerer = ArticleAnswerer(Collection([index]), reader or FakeReader({"1851": 9.0}))
    return DocumentLoader(lambda progress: answerer, documents=[document])


def login(address: str, client: httpx.Client) -> None:
    """Log a client in."""
    given = {"username": USER[0], "password": USER[1]}
    assert client.post(f"{address}login", data=given).status_code == 200


def call(address: str, name: str, data: list[Any], **body: Any) -> str:
    """Call an endpoint and return the event stream of its reply."""
    url = f"{address}gradio_api/call/{name}"
    joined = httpx.post(url, json={"data": data, **body}, timeout=30)
    assert joined.status_code == 200, joined.text
    return httpx.get(f"{url}/{joined.json()['event_id']}", timeout=30).text


def upload(address: str, content: bytes, name: str = "mine.txt") -> dict[str, Any]:
    """Upload a file; returns what /open takes for it."""
    (path,) = httpx.post(f"{address}gradio_api/upload", files={"files": (name, content)}).json()
    return {"path": path, "meta": {"_type": "gradio.FileData"}}
