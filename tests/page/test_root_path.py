from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from page.root_path import RedirectToRoot


async def show(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(request.scope["path"]))


def client(root_path: str) -> TestClient:
    app = RedirectToRoot(Starlette(routes=[Route("/{path:path}", show)]))

    async def below_root(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "root_path": root_path}, receive, send)

    return TestClient(below_root, follow_redirects=False)


@pytest.mark.parametrize(
    "root_path", ["/articles", "/articles/", "https://name.example/articles", "http://a/articles/"]
)
def test_the_root_path_without_its_slash_is_redirected(root_path: str) -> None:
    answer = client(root_path).get("/articles?q=who%20%26&k=3")
    assert answer.status_code == 307
    assert answer.headers["location"] == "/articles/?q=who%20%26&k=3"
    assert client(root_path).get("/articles").headers["location"] == "/articles/"


@pytest.mark.parametrize(
    ("root_path", "path"),
    [("", "/"), ("", "/articles"), ("/articles", "/article"), ("https://name.example", "/")],
)
def test_other_paths_are_passed_on(root_path: str, path: str) -> None:
    answer = client(root_path).get(path)
    assert (answer.status_code, answer.text) == (200, path)
