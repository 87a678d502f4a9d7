"""The page as its server answers, without a browser."""

from __future__ import annotations

from pathlib import Path

import httpx

import app
from tests.browser import serving
from tests.page.shown import LIGHTHOUSE, document_of, loader_of


def test_a_password_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("secret\nand more\n")
    auth = app._read_password(f"ann:{file}")
    with (
        serving(loader_of(document_of(LIGHTHOUSE)), auth=auth) as address,
        httpx.Client() as client,
    ):
        assert client.get(f"{address}config").status_code == 401
        wrong = client.post(f"{address}login", data={"username": "ann", "password": "and more"})
        assert wrong.status_code == 400
        right = client.post(f"{address}login", data={"username": "ann", "password": "secret"})
        assert right.status_code == 200
        assert client.get(f"{address}config").status_code == 200


def test_a_proxy_can_put_it_at_a_path_of_its_own() -> None:
    with serving(loader_of(document_of(LIGHTHOUSE)), root_path="/articles") as address:
        assert httpx.get(f"{address}config").json()["root"].endswith("/articles")


def test_nothing_of_the_page_is_for_programs_but_its_endpoints() -> None:
    with serving(loader_of(document_of(LIGHTHOUSE))) as address:
        told = httpx.get(f"{address}gradio_api/info").json()
        assert set(told["named_endpoints"]) == {"/ask", "/open", "/documents"}
        assert told["unnamed_endpoints"] == {}
        assert not httpx.get(f"{address}config").json().get("run_history")
