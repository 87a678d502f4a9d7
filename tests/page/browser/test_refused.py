"""Documents that cannot be opened: a notice that says what to do, and nothing changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from index.documents import fetch as web
from tests.browser import serving
from tests.index.documents import site as web_site
from tests.index.documents.samples import column, pdf, scan
from tests.page.browser.steps import (
    HALF_PDF,
    LIGHTHOUSE_QUESTION,
    QUESTION,
    SENTENCE,
    SHEET,
    Visitor,
    answer,
    ask,
    box,
    lighthouse,
    notice,
    ready,
    texts,
    upload,
)
from tests.page.shown import document_of, loader_of

BROKEN = {
    "empty.txt": b"",
    "binary.md": b"\x00\x01\x02" * 50,
    "nothing.html": b"<html><body><nav><a href='/'>Home</a></nav></body></html>",
    "half.pdf": HALF_PDF,
    "half.docx": b"PK\x03\x04" + b"\x00" * 50,
    "locked.pdf": pdf(column("The lamp was lit."), user="s3cret", owner="0wner"),
    "scanned.pdf": scan(),
}
# What each notice says to do.
TO_DO = {
    "empty.txt": "open a file that has some text in it.",
    "binary.md": "save it as plain text (.txt), html, pdf or docx and open that.",
    "nothing.html": "copy the text in your browser and paste it.",
    "half.pdf": "download or copy it again and open that.",
    "half.docx": "repair it with the program that made it and save it again, or paste its text.",
    "locked.pdf": "save a copy without one, by printing it to a PDF for example, and open the copy.",
    "scanned.pdf": "with ocrmypdf for example, and open what that writes.",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_of_each_format_is_a_notice_and_changes_nothing(
    page: Page, folder: Path, name: str
) -> None:
    ask(page, QUESTION)
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)
    answer(page)
    box(page).fill("half a quest")
    before = texts(page)
    upload(page, name, BROKEN[name])
    expect(notice(page)).to_contain_text(f"'{name}' ")
    expect(notice(page)).to_contain_text(TO_DO[name])
    ready(page)
    assert texts(page) == before
    expect(page.get_by_role("tab")).to_have_count(1)
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)
    expect(box(page)).to_have_value("half a quest")
    assert not list(folder.rglob(name))


def test_a_bad_address_is_a_notice(page: Page) -> None:
    page.get_by_role("button", name="Add document").click()
    page.get_by_label("Web address").fill("/etc/passwd")
    page.keyboard.press("Enter")
    expect(notice(page)).to_contain_text("“/etc/passwd” isn't a web address")
    expect(page.get_by_label("Web address")).to_have_value("/etc/passwd")
    expect(page.get_by_role("tab")).to_have_count(1)


def test_a_bad_address_changes_nothing_and_a_good_one_is_opened(
    site: web_site.Site, monkeypatch: pytest.MonkeyPatch, visitor: Visitor
) -> None:
    monkeypatch.setitem(web.fetch.__kwdefaults__, "seconds", 1.0)
    site["/refused"] = web_site.answer(status=403)
    site["/slow"] = web_site.drip(b"")
    site["/large"] = web_site.endless
    site["/film"] = web_site.answer(b"x", "video/mp4")
    site["/menu"] = web_site.answer(BROKEN["nothing.html"])
    site["/lighthouse"] = web_site.answer(lighthouse("html"))
    with serving(loader_of(document_of("A title\n\nThe first text."))) as address:
        page = ready(visitor(address))
        before = texts(page)
        page.get_by_role("button", name="Add document").click()
        for path, says in {
            "/refused": "is refused to this program (403): save the page in your browser",
            "/slow": "has not answered in full within 1 seconds: try again later",
            "/large": "has more than 0 MB: download it and open a part.",
            "/film": "is not a document but video/mp4: give the address of a page",
            "/menu": "copy the text in your browser and paste it.",
            "/nothing": "(404): check the address.",
        }.items():
            page.get_by_label("Web address").fill(site.address + path)
            page.keyboard.press("Enter")
            expect(notice(page)).to_contain_text(f"'{site.address}{path}'")
            expect(notice(page)).to_contain_text(says)
            ready(page)
            expect(page.get_by_label("Web address")).to_have_value(site.address + path)
            assert texts(page) == before
        page.get_by_label("Web address").fill(f"{site.address}/lighthouse")
        page.keyboard.press("Enter")
        expect(page.locator(f"{SHEET} h2")).to_have_text("The lighthouse of Rosport")
        tab = page.get_by_role("tab", name="The lighthouse of Rosport")
        expect(tab).to_have_attribute("title", re.compile(f"{site.address}/lighthouse$"))
        ready(page)
        ask(page, LIGHTHOUSE_QUESTION)
        expect(answer(page).locator(".words").first).to_have_text("1851")
