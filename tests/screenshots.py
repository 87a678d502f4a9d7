"""Take the pictures of the page in docs/: python -m tests.screenshots."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import ROOT, open_browser, running

DOCUMENTS = ROOT / "tests" / "documents"
QUESTION = "when did Putin last visit?"
SECOND = """The lighthouse of Rosport

The lighthouse of Rosport was built in 1851 by the engineer Anna Weber. It is 31 metres tall, and its
light is seen as far as the islands.

Its keeper lived in a cottage beside it until 1974. The light has been electric since.
"""
SECOND_QUESTION = "Who built the lighthouse of Rosport?"
PDF = ROOT / "tests" / "documents" / "paper-two-columns.pdf"
PDF_PICTURE = "pane-pdf.png"
PDF_QUESTION = "How many of the flagged walls were found to be damaged?"
MAX_BYTES = 300_000
MAX_PANE_BYTES = 200_000
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}}
# The window of each picture, and whether a second document is open in it.
PICTURES: dict[str, tuple[dict[str, Any], bool]] = {
    "page.png": ({**DESKTOP, "color_scheme": "light"}, False),
    "page-dark.png": ({**DESKTOP, "color_scheme": "dark"}, True),
    "page-phone.png": ({**PHONE, "color_scheme": "light"}, False),
}
# The window, the document, the question and the heading to go to ("" for the answer) of each picture.
PANES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "pane-markdown.png": (
        {**DESKTOP, "color_scheme": "light"},
        "readme.md",
        "How do you stop it?",
        "Options",
    ),
    "pane-handbook.png": (
        {**DESKTOP, "color_scheme": "dark"},
        "docbook_handbook.html",
        "How long does snap take?",
        "",
    ),
    "pane-spreadsheet.png": (
        {**PHONE, "color_scheme": "light"},
        "ferries.xlsx",
        "How long is the crossing?",
        "",
    ),
}


def main() -> None:
    """Ask a question in each window and take its picture."""
    (ROOT / "docs").mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder)) as address,
        sync_playwright() as playwright,
    ):
        browser = open_browser(playwright)
        for name, (window, several) in PICTURES.items():
            page = _open_page(browser, address, window)
            _ask(page, QUESTION, 0)
            if several:
                page.get_by_role("button", name="Add document").click()
                page.get_by_label("Or paste text", exact=True).fill(SECOND)
                page.get_by_role("button", name="Add", exact=True).click()
                page.get_by_role("tab").nth(1).wait_for()
                page.locator("#status .ready").wait_for()
                _ask(page, SECOND_QUESTION, 1)
            _save(page, name, MAX_BYTES)
        for name, (window, document, question, heading) in PANES.items():
            page = _open_page(browser, address, window)
            page.locator("#files input[type=file]").set_input_files(DOCUMENTS / document)
            page.get_by_role("tab").nth(1).wait_for()
            page.get_by_role("button", name="Remove").first.click()
            page.get_by_role("tab").nth(1).wait_for(state="detached")
            page.locator("#status .ready").wait_for()
            _ask(page, question, 0)
            sheet = page.locator(".sheet:not([hidden])")
            if heading:
                sheet.locator("summary").click()
                sheet.get_by_role("button", name=heading, exact=True).click()
            sheet.scroll_into_view_if_needed()
            page.wait_for_timeout(300)
            _save(page, name, MAX_PANE_BYTES)
        browser.close()
    take_pdf()


def take_pdf() -> None:
    """Ask a question of a PDF and take the picture of its page with the answer marked."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), "--article", str(PDF)) as address,
        sync_playwright() as playwright,
    ):
        browser = open_browser(playwright)
        page = browser.new_page(**DESKTOP, color_scheme="light", reduced_motion="reduce")
        page.goto(address)
        page.locator("#status .ready").wait_for(timeout=120_000)
        page.get_by_label("Question", exact=True).fill(PDF_QUESTION)
        page.keyboard.press("Enter")
        page.locator("#article .pdf-box.words").first.wait_for()
        page.wait_for_function(
            "() => document.querySelectorAll('#article .pdf-page img[src]').length === 2"
        )
        page.wait_for_timeout(500)  # until the images are decoded
        _save(page, PDF_PICTURE, MAX_BYTES)
        browser.close()


def _open_page(browser: Browser, address: str, window: dict[str, Any]) -> Page:
    page = browser.new_page(**window, reduced_motion="reduce")
    page.goto(address)
    page.locator("#status .ready").wait_for(timeout=120_000)
    return page


def _ask(page: Page, question: str, number: int) -> None:
    page.get_by_label("Question", exact=True).fill(question)
    page.keyboard.press("Enter")
    page.locator("#chat .answer").nth(number).wait_for()
    page.locator("#article mark").first.wait_for(state="attached")


def _save(page: Page, name: str, limit: int) -> None:
    path = ROOT / "docs" / name
    page.screenshot(path=path)
    if (size := path.stat().st_size) > limit:
        raise SystemExit(f"docs/{name} has {size:,} bytes and the limit is {limit:,}.")
    page.close()


if __name__ == "__main__":
    main()
