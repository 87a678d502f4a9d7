"""What a visitor does on the page and looks for, in a test."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.page.shown import LIGHTHOUSE

EXAMPLE = "when did Putin last visit?"
QUESTION = "When did Russia begin its special military operation in Ukraine?"
WORDS = "February 2022"
SENTENCE = (
    "Since Russia’s “special military operation” in Ukraine in February 2022, relations between "
    "Russia and North Korea have deepened."
)
UNANSWERED = "What is the best recipe for kimchi?"
TITLE = "“Putin’s Visit to North Korea Sparks Concerns on Whether Russia and North Korea Will"
LIGHTHOUSE_QUESTION = "When was the lighthouse of Rosport built?"
HALF_PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog"
SHEET = "#article .sheet:not([hidden])"
WINDOWS: dict[str, dict[str, Any]] = {
    "desktop light": {"width": 1280, "height": 800, "color_scheme": "light"},
    "desktop dark": {"width": 1280, "height": 800, "color_scheme": "dark"},
    "phone light": {"width": 390, "height": 844, "color_scheme": "light"},
    "phone dark": {"width": 390, "height": 844, "color_scheme": "dark"},
}


Visitor = Callable[..., Page]  # opens a window at an address


def ready(page: Page) -> Page:
    expect(page.locator("#status")).to_have_text("Ready", timeout=120_000)
    return page


def box(page: Page) -> Locator:
    return page.get_by_label("Question", exact=True)


def ask(page: Page, question: str) -> None:
    box(page).fill(question)
    page.keyboard.press("Enter")


def answer(page: Page, number: int = 1) -> Locator:
    """The newest reply, once there are so many."""
    expect(page.locator("#chat .reply")).to_have_count(number, timeout=30_000)
    expect(page.locator("#chat .waiting")).to_have_count(0, timeout=30_000)
    return page.locator("#chat .reply").last


def in_sight(page: Page, selector: str) -> str:
    """Wait until the first such element lies within the visible part of the article.

    Returns what flashes at that moment; it fades soon after.
    """
    found = page.wait_for_function(
        """selector => {
            const element = document.querySelector(selector);
            const flashing = [...document.querySelectorAll("#article .flash")];
            const inner = element?.getBoundingClientRect();
            const outer = element?.closest(".sheet")?.getBoundingClientRect();
            return inner && outer && inner.height > 0 && inner.top >= outer.top &&
                inner.bottom <= outer.bottom && outer.bottom <= window.innerHeight + 1 &&
                flashing.map((one) => one.textContent).join("");
        }""",
        arg=selector,
    )
    return str(found.json_value())


def texts(page: Page) -> tuple[str, str]:
    return page.locator("#article").inner_text(), page.locator("#chat").inner_text()


def upload(page: Page, name: str, content: bytes) -> None:
    page.locator("#files input[type=file]").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    )


def paste(page: Page, text: str) -> None:
    page.get_by_role("button", name="Add document").click()
    page.get_by_label("Or paste text", exact=True).fill(text)
    page.get_by_role("button", name="Add", exact=True).click()


def notice(page: Page) -> Locator:
    return page.locator(".toast-body").last


def lighthouse(form: str) -> bytes:
    """The lighthouse's text as a file of a format."""
    title, *paragraphs = (block.replace("\n", " ").strip() for block in LIGHTHOUSE.split("\n\n"))
    if form == "html":
        inside = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
        return (
            f"<html><head><title>{title}</title></head><body><nav><a href='/'>Home</a></nav>"
            f"<article><h1>{title}</h1>{inside}</article></body></html>"
        ).encode()
    if form == "pdf":
        from reportlab.lib.styles import getSampleStyleSheet
        from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

        styles, made = getSampleStyleSheet(), io.BytesIO()
        parts: list[Any] = [Paragraph(title, styles["Title"])]
        for paragraph in paragraphs:
            parts += [Spacer(1, 14), Paragraph(paragraph, styles["BodyText"])]
        SimpleDocTemplate(made, title=title).build(parts)
        return made.getvalue()
    if form == "docx":
        import docx

        document, made = docx.Document(), io.BytesIO()
        document.add_heading(title, 0)
        for paragraph in paragraphs:
            document.add_paragraph(paragraph)
        document.save(made)
        return made.getvalue()
    return LIGHTHOUSE.encode()
