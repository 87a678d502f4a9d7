"""Take the pictures of the page in docs/: python -m tests.screenshots."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser import ROOT, open_browser, running

QUESTION = "when did Putin last visit?"
MAX_BYTES = 300_000
PICTURES = {
    "page.png": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "page-dark.png": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "page-phone.png": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
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
        for name, window in PICTURES.items():
            page = browser.new_page(**window, reduced_motion="reduce")
            page.goto(address)
            page.locator("#status .ready").wait_for(timeout=120_000)
            page.get_by_label("Question", exact=True).fill(QUESTION)
            page.keyboard.press("Enter")
            page.locator("#passages li").first.wait_for()
            page.locator("#article mark").first.wait_for()
            page.screenshot(path=docs / name)
            size = (docs / name).stat().st_size
            if size > MAX_BYTES:
                raise SystemExit(f"docs/{name} has {size:,} bytes and the limit is {MAX_BYTES:,}.")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
