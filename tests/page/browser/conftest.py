"""A running page and windows that look at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import running
from tests.page.browser.steps import WINDOWS, Visitor, ready


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="session")
def address(folder: Path) -> Iterator[str]:
    with running(folder) as started:
        yield started


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Visitor]:
    """Opens windows at an address; at the end, nothing may have gone elsewhere or gone wrong."""
    opened, elsewhere, wrong = [], [], []

    def open_window(
        address: str, width: int = 1280, height: int = 800, script: str = "", **options: Any
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        opened.append(context)
        context.add_init_script(script)
        page = context.new_page()
        here = address.partition("?")[0]
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((here, "data:", "blob:"))
                else elsewhere.append(request.url)
            ),
        )
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(address)
        return page

    yield open_window
    for context in opened:
        context.close()
    assert elsewhere == []
    assert wrong == []


@pytest.fixture
def page(address: str, visitor: Visitor) -> Page:
    """A window of a desktop."""
    return ready(visitor(address))


@pytest.fixture(params=WINDOWS.values(), ids=WINDOWS.keys())
def anywhere(request: pytest.FixtureRequest, address: str, visitor: Visitor) -> Page:
    """A window of a desktop and of a phone, light and dark."""
    return ready(visitor(address, **request.param))
