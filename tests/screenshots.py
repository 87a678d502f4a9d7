"""Take the pictures of the page in docs/: python -m tests.screenshots."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser import ROOT, open_browser, running

QUESTION = "when did Putin last visit?"
SECOND = """The lighthouse of Rosport

The lighthouse of Rosport was built in 1851 by the engineer Anna Weber. It is 31 metres tall, and its
light is seen as far as the islands.

Its keeper lived in a cottage beside it until 1974. The light has been electric since.
"""
SECOND_QUESTION = "Who built the lighthouse of Rosport?"
MAX_BYTES = 300_000
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
# The window of each picture, and whether a second document is open in it.
PICTURES: dict[str, tuple[dict[str, Any], bool]] = {
    "page.png": ({**DESKTOP, "color_scheme": "light"}, False),
    "page-dark.png": ({**DESKTOP, "color_scheme": "dark"}, True),
    "page-phone.png": (
        {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
        False,
    ),
}


def main() -> None:
    """Ask the first example in each window and take its picture."""
    docs = ROOT / "docs"
    docs.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder)) as address,
        sync_playwright() as playwright,
    ):
        browser = open_browser(playwright)
        for name, (window, several) in PICTURES.items():
            page = browser.new_page(**window, reduced_motion="reduce")
            page.goto(address)
            page.locator("#status .ready").wait_for(timeout=120_000)
            questions = [QUESTION]
            if several:
                page.get_by_role("button", name="Add document").click()
                page.get_by_label("Or paste text", exact=True).fill(SECOND)
                page.get_by_role("button", name="Add", exact=True).click()
                page.get_by_role("tab").nth(1).wait_for()
                page.locator("#status .ready").wait_for()
                questions.append(SECOND_QUESTION)
            for number, question in enumerate(questions):
                page.get_by_label("Question", exact=True).fill(question)
                page.keyboard.press("Enter")
                page.locator("#chat .answer").nth(number).wait_for()
            page.locator("#article mark").first.wait_for(state="attached")
            page.screenshot(path=docs / name)
            size = (docs / name).stat().st_size
            if size > MAX_BYTES:
                raise SystemExit(f"docs/{name} has {size:,} bytes and the limit is {MAX_BYTES:,}.")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
