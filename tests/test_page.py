"""The page: its command, and all of it in a real Chromium."""

from __future__ import annotations

import io
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

import app
from index.documents import fetch as web
from index.documents.document import Document, read_document
from index.errors import ArticleError
from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from page.loader import DocumentLoader
from qa.answerer import ArticleAnswerer
from qa.opening import DEFAULT_ARTICLE
from tests.browser import ROOT, running, serving
from tests.conftest import FakeEncoder, FakeReader
from tests.index.documents import site as web_site
from tests.index.documents.samples import column, pdf, scan
from tests.page.shown import StepEncoder, document_of

EXAMPLE = "when did Putin last visit?"
QUESTION = "When did Russia begin its special military operation in Ukraine?"
WORDS = "February 2022"
SENTENCE = (
    "Since Russia’s “special military operation” in Ukraine in February 2022, relations between "
    "Russia and North Korea have deepened."
)
WHY = "Why have relations between Russia and North Korea deepened?"
UNANSWERED = "What is the best recipe for kimchi?"
TITLE = "“Putin’s Visit to North Korea Sparks Concerns on Whether Russia and North Korea Will"
LIGHTHOUSE = """The lighthouse of Rosport

The lighthouse of Rosport was built in 1851 by the engineer Anna Weber. It is 31 metres tall.

Its keeper lived in a cottage beside it until 1974. He rowed to the village twice a week, and when the
sea was rough he stayed on the rock for a month. The cottage burned down in the winter of 1974, and
nobody has lived on the rock since then. The light has been electric from 1975 on.
"""
LIGHTHOUSE_QUESTION = "When was the lighthouse of Rosport built?"
HOSTILE = """<img src=x onerror="window.hacked = 1"> **bold** title

The <script>window.hacked = 1</script> lighthouse of Rosport was built in 1851 by <b>Anna</b> \
[Weber](javascript:window.hacked=1). ${window.hacked = 1} {{value}} `code` &amp; @children.
"""
FORMATS = ("txt", "md", "html", "pdf", "docx")
BROKEN = {
    "empty.txt": b"",
    "binary.md": b"\x00\x01\x02" * 50,
    "nothing.html": b"<html><body><nav><a href='/'>Home</a></nav></body></html>",
    "half.pdf": b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog",
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
    "half.docx": "let a word processor repair it and save it anew, or paste its text.",
    "locked.pdf": "save a copy without one, by printing it to a PDF for example, and open the copy.",
    "scanned.pdf": "with ocrmypdf for example, and open what that writes.",
}
WINDOWS: dict[str, dict[str, Any]] = {
    "desktop light": {"width": 1280, "height": 800, "color_scheme": "light"},
    "desktop dark": {"width": 1280, "height": 800, "color_scheme": "dark"},
    "phone light": {"width": 390, "height": 844, "color_scheme": "light"},
    "phone dark": {"width": 390, "height": 844, "color_scheme": "dark"},
}
SHEET = "#article .sheet:not([hidden])"


# The command


def run_app(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "app.py", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def test_a_bad_article_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    ran = run_app("--article", str(DEFAULT_ARTICLE), "--article", str(tmp_path / "none.txt"))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == f"error: There is no file '{tmp_path / 'none.txt'}': check the path.\n"


def test_a_port_in_use_is_one_sentence_and_exit_code_2() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = run_app("--port", str(port))
    assert (ran.returncode, ran.stdout) == (2, "")
    expected = f"error: Port {port} is in use. Choose another with --port.\n"
    assert ran.stderr == expected


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--k", "0"], "k must be a number from 1 to 50."),
        (["--auth", "ann"], "--auth must be USER:PASSWORD-FILE, not 'ann'."),
        (["--auth", ":{tmp}/empty"], "--auth must be USER:PASSWORD-FILE, not ':{tmp}/empty'."),
        (
            ["--auth", "ann:{tmp}/none"],
            "The password file '{tmp}/none' can't be read (No such file or directory). Check the path.",
        ),
        (
            ["--auth", "ann:~nosuchuser/password"],
            "The password file '~nosuchuser/password' can't be read (no such user). Check the path.",
        ),
        (
            ["--auth", "ann:{tmp}/empty"],
            "The first line of '{tmp}/empty' is empty. Put the password there.",
        ),
        (
            ["--auth", "ann:{tmp}/password", "--mcp"],
            "--mcp can't be combined with --auth, since MCP clients aren't asked for a password. Omit "
            "one of them.",
        ),
        (["--port", "70000"], "--port must be a number from 1 to 65535, not 70000."),
        (["--forget-after", "inf"], "--forget-after must be a number of minutes, not inf."),
        (["--forget-after", "nan"], "--forget-after must be a number of minutes, not nan."),
        (["--forget-after", "1e-300"], "--forget-after must be a number of minutes, not 1e-300."),
        *(
            (
                ["--host", host],
                f"'{host}' isn't an address of this machine. Choose another --host, or 0.0.0.0 for all "
                "addresses.",
            )
            for host in ("", "192.0.2.1", "999.1.1.1", "...", "a" * 300)
        ),
        (
            ["--root-path", "//other.example"],
            "--root-path must be a path that starts with / or a full address, not '//other.example'.",
        ),
        (
            ["--root-path", "articles"],
            "--root-path must be a path that starts with / or a full address, not 'articles'.",
        ),
    ],
)
def test_bad_options_are_one_sentence_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "password").write_text("secret\n")
    given = [argument.replace("{tmp}", str(tmp_path)) for argument in arguments]
    assert app.main(given) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"error: {says.replace('{tmp}', str(tmp_path))}\n")


def test_without_the_package_mcp_its_option_says_how_to_have_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert app.main(["--mcp"]) == 2
    expected = "error: --mcp needs the package mcp. Install it: pip install mcp.\n"
    assert capsys.readouterr().err == expected


def opening(*documents: Document) -> DocumentLoader:
    def how(progress: Callable[[int, int], None]) -> ArticleAnswerer:
        indexes = [ArticleIndex.build(document, FakeEncoder()) for document in documents]
        return ArticleAnswerer(Collection(indexes), FakeReader({"1851": 9.0}))

    return DocumentLoader(how, documents=documents)


def test_a_password_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("secret\nand more\n")
    auth = app._read_password(f"ann:{file}")
    with serving(opening(document_of(LIGHTHOUSE)), auth=auth) as address, httpx.Client() as client:
        assert client.get(f"{address}config").status_code == 401
        wrong = client.post(f"{address}login", data={"username": "ann", "password": "and more"})
        assert wrong.status_code == 400
        right = client.post(f"{address}login", data={"username": "ann", "password": "secret"})
        assert right.status_code == 200
        assert client.get(f"{address}config").status_code == 200


def test_a_proxy_can_put_it_at_a_path_of_its_own() -> None:
    with serving(opening(document_of(LIGHTHOUSE)), root_path="/articles") as address:
        assert httpx.get(f"{address}config").json()["root"].endswith("/articles")


def test_nothing_of_the_page_is_for_programs_but_its_endpoints() -> None:
    with serving(opening(document_of(LIGHTHOUSE))) as address:
        told = httpx.get(f"{address}gradio_api/info").json()
        assert set(told["named_endpoints"]) == {"/ask", "/open", "/documents"}
        assert told["unnamed_endpoints"] == {}
        assert not httpx.get(f"{address}config").json().get("run_history")


# In a browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with running(folder) as started:
        yield started


Visitor = Callable[..., Page]


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


def in_sight(page: Page, selector: str) -> None:
    """Wait until the first such element lies within the visible part of the article."""
    page.wait_for_function(
        """selector => {
            const element = document.querySelector(selector);
            const inner = element?.getBoundingClientRect();
            const outer = element?.closest(".sheet")?.getBoundingClientRect();
            return inner && outer && inner.height > 0 && inner.top >= outer.top &&
                inner.bottom <= outer.bottom && outer.bottom <= window.innerHeight + 1;
        }""",
        arg=selector,
        timeout=5000,
    )


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


in_browser = pytest.mark.browser


@in_browser
def test_an_answer_is_in_the_chat_and_a_click_brings_it_in_sight(anywhere: Page) -> None:
    page = anywhere
    expect(page.locator("#article h2")).to_contain_text(TITLE)
    ask(page, QUESTION)
    expect(answer(page).locator(".words").first).to_have_text(WORDS)
    expect(answer(page).locator("blockquote").first).to_have_text(SENTENCE)
    expect(answer(page).locator("blockquote mark").first).to_have_text(WORDS)
    expect(box(page)).to_have_value("")
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)
    expect(page.locator("#article .words.cited")).to_have_text(WORDS)
    place = answer(page).locator(".location").first
    expect(place).to_have_text("paragraph 7")
    expect(answer(page).locator(".sure").first).to_have_text(
        re.compile(r"^\d+% · (Very high|High|Medium|Low) confidence$")
    )
    expect(page.locator("#passages li")).to_have_count(5)
    page.locator(SHEET).evaluate("sheet => sheet.scrollTo(0, sheet.scrollHeight)")
    place.click()
    in_sight(page, "#article mark.cited .flash")
    assert "".join(page.locator("#article .flash").all_text_contents()) == WORDS


@in_browser
def test_a_follow_up_shows_how_it_was_understood(anywhere: Page) -> None:
    page = anywhere
    ask(page, "Who is Zhang Tianliang?")
    answer(page)
    ask(page, "What is his program called?")
    expect(answer(page, 2).locator(".understood")).to_have_text(
        "Interpreted as: What is Zhang Tianliang's program called?"
    )


@in_browser
def test_an_abstention_says_so_and_marks_nothing(anywhere: Page) -> None:
    page = anywhere
    ask(page, QUESTION)
    expect(page.locator("#article mark.cited")).to_have_count(1)
    ask(page, UNANSWERED)
    expect(answer(page, 2)).to_contain_text("No clear answer found in this article.")
    expect(answer(page, 2)).to_contain_text("Closest passage (may not answer your question)")
    expect(page.locator("#article mark")).to_have_count(0)
    expect(page.locator("#article .nearest").first).to_be_visible()
    expect(page.locator("#passages h2")).to_have_text("Closest passages")


# Has each message reach gradio's client half a second after the one before it.
LATE = """
const fetched = window.fetch;
window.fetch = async (...given) => {
  const response = await fetched(...given);
  if (!response.url.includes("/queue/data")) return response;
  const late = new TransformStream({
    async transform(chunk, to) {
      for (const message of new TextDecoder().decode(chunk).split(/(?<=\\n\\n)/)) {
        await new Promise((go) => setTimeout(go, 500));
        to.enqueue(new TextEncoder().encode(message));
      }
    },
  });
  return new Response(response.body.pipeThrough(late), response);
};
"""


# In milliseconds after the reply is shown; its end is told after 500, that no more comes after 1000.
@in_browser
@pytest.mark.parametrize("after", [0, 750])
def test_what_is_asked_before_the_last_reply_has_ended_is_answered(
    address: str, visitor: Visitor, after: int
) -> None:
    page = ready(visitor(address, script=LATE))
    ask(page, QUESTION)
    page.keyboard.press("Enter")  # once more, which asks nothing
    answer(page)
    page.wait_for_timeout(after)
    ask(page, EXAMPLE)
    answer(page, 2)
    expect(page.locator("#chat .asked")).to_have_text([QUESTION, EXAMPLE])
    expect(page.locator(".toast-body")).to_have_count(0)


@in_browser
def test_undo_edit_and_clear(anywhere: Page) -> None:
    page = anywhere
    for number, question in enumerate((QUESTION, EXAMPLE, UNANSWERED), 1):
        ask(page, question)
        answer(page, number)
    page.get_by_role("button", name="Delete question 3").click()
    expect(page.locator("#chat .asked")).to_have_text([QUESTION, EXAMPLE])
    expect(box(page)).to_have_value(UNANSWERED)
    expect(box(page)).to_be_focused()
    expect(page.locator("#article mark")).not_to_have_count(0)
    page.get_by_role("button", name="Edit question 1").click()
    expect(page.locator("#chat .turn")).to_have_count(0)
    expect(box(page)).to_have_value(QUESTION)
    page.keyboard.press("Enter")
    expect(answer(page)).to_contain_text(WORDS)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#chat .turn")).to_have_count(0)
    expect(page.locator("#article mark")).to_have_count(0)
    expect(page.locator("#passages li")).to_have_count(0)
    # Nothing is left for a later question to lean on.
    ask(page, "What did he say?")
    answer(page)
    expect(page.locator("#chat .understood")).to_have_count(0)


@in_browser
@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS.keys())
def test_a_link_to_a_question_opens_with_it_asked(
    address: str, visitor: Visitor, window: dict[str, Any]
) -> None:
    page = ready(visitor(f"{address}?q=When+did+Putin+visit+%3Cb%3E%3F&k=2", **window))
    answer(page)
    expect(page.locator("#chat .asked")).to_have_text("When did Putin visit <b>?")
    expect(page.locator("#passages li")).to_have_count(2)


@in_browser
@pytest.mark.parametrize("k", ["many", "9" * 5000])
def test_a_bad_link_is_a_notice(address: str, visitor: Visitor, k: str) -> None:
    page = visitor(f"{address}?q=Who%3F&k={k}")
    expect(notice(page)).to_contain_text("k must be a number from 1 to 50.")
    ready(page)
    expect(page.locator("#chat .turn")).to_have_count(0)


@in_browser
@pytest.mark.parametrize("form", FORMATS)
def test_a_file_of_each_format_is_opened_beside_the_article(
    anywhere: Page, folder: Path, form: str
) -> None:
    page = anywhere
    ask(page, QUESTION)
    answer(page)
    upload(page, f"rosport.{form}", lighthouse(form))
    expect(page.locator(f"{SHEET} h2")).to_have_text("The lighthouse of Rosport", timeout=60_000)
    ready(page)
    expect(page.get_by_role("tab")).to_have_count(2)
    expect(page.get_by_role("tab", name="The lighthouse of Rosport")).to_have_attribute(
        "aria-selected", "true"
    )
    expect(page.locator("#chat .turn")).to_have_count(1)
    ask(page, LIGHTHOUSE_QUESTION)
    expect(answer(page, 2)).to_contain_text("1851")
    place = answer(page, 2).locator(".location").first
    where = "p. 1" if form == "pdf" else "paragraph 1"
    expect(place).to_have_text(f"The lighthouse of Rosport, {where}")
    place.click()
    in_sight(page, "#article mark.cited .flash")
    # The answer before it is in the other document, and a click turns to that.
    page.locator("#chat .location", has_text="paragraph 7").first.click()
    expect(page.locator(f"{SHEET} h2")).to_contain_text(TITLE)
    in_sight(page, "#article .flash")
    # What the visitor gave is kept nowhere.
    kept = [path for path in folder.rglob("*") if path.is_file()]
    assert kept
    assert [path for path in kept if b"Rosport" in path.read_bytes()] == []
    assert not [path for path in kept if path.name.startswith("rosport")]


@in_browser
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_of_each_format_is_a_notice_and_changes_nothing(
    anywhere: Page, folder: Path, name: str
) -> None:
    page = anywhere
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


@in_browser
def test_it_can_be_used_with_the_keyboard_alone(anywhere: Page) -> None:
    page = anywhere
    page.keyboard.press("/")
    expect(box(page)).to_be_focused()
    expect(box(page)).to_have_value("")
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    answer(page)
    go_to(page, ".location", "Shift+Tab")
    page.keyboard.press("Enter")
    in_sight(page, "#article mark.cited .flash")
    expect(page.locator(SHEET)).to_be_focused()
    go_to(page, "#passages button", "Tab")
    page.keyboard.press("Enter")
    in_sight(page, "#article .flash")
    page.keyboard.press("/")
    page.keyboard.press("ArrowUp")
    expect(box(page)).to_have_value(QUESTION)
    # With something in the box the arrow moves in it.
    box(page).fill("My own")
    page.keyboard.press("ArrowUp")
    expect(box(page)).to_have_value("My own")
    box(page).fill("")
    go_to(page, "#documents .add", "Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#adding")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#adding")).to_be_hidden()
    expect(page.locator("#documents .add")).to_be_focused()


def go_to(page: Page, selector: str, key: str) -> None:
    """Press a key until such an element has the focus."""
    for _ in range(30):
        page.keyboard.press(key)
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"{key} does not go to {selector}")


@in_browser
@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS.keys())
@pytest.mark.parametrize(
    "state", ["at first", "answered", "abstained", "several", "adding", "refused"]
)
def test_no_serious_finding_of_axe(
    address: str, visitor: Visitor, window: dict[str, Any], state: str
) -> None:
    page = ready(visitor(address, **window, reduced_motion="reduce"))
    if state in ("answered", "several"):
        ask(page, EXAMPLE)
        answer(page)
    if state == "abstained":
        ask(page, UNANSWERED)
        answer(page)
    if state == "several":
        paste(page, LIGHTHOUSE)
        expect(page.get_by_role("tab")).to_have_count(2)
        ready(page)
    if state == "adding":
        page.get_by_role("button", name="Add document").click()
    if state == "refused":
        upload(page, "half.pdf", BROKEN["half.pdf"])
        expect(notice(page)).to_contain_text("half.pdf")
        expect(notice(page)).to_have_css("opacity", "1")  # it fades in
    found = Axe().run(page).response["violations"]
    grave = [
        (one["id"], one["impact"], [node["html"] for node in one["nodes"]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert grave == []


@in_browser
def test_two_answers_are_each_marked_in_their_own_sentence(anywhere: Page) -> None:
    page = anywhere
    ask(page, EXAMPLE)
    expect(answer(page).locator(".others li")).to_have_count(1)
    words = answer(page).locator(".words").all_text_contents()
    assert words == ["June 18th and 19th", "July 2000"]
    marked = page.locator("#article .words").all_text_contents()
    assert sorted(marked) == sorted(words)
    for one in page.locator("#article .words").all():
        assert one.evaluate("words => !!words.closest('mark')")
    answer(page).locator(".others .location").first.click()
    in_sight(page, "#article mark.other .flash")


@in_browser
def test_a_passage_goes_to_where_it_stands_and_the_flash_fades(page: Page) -> None:
    ask(page, QUESTION)
    answer(page)
    page.locator("#passages button").nth(3).click()
    in_sight(page, "#article .flash")
    # It fades, and what was marked before is whole again.
    expect(page.locator("#article .flash")).to_have_count(0)
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)


@in_browser
def test_a_question_why_gets_the_whole_sentence(anywhere: Page) -> None:
    page = anywhere
    ask(page, WHY)
    shown = answer(page)
    expect(shown.locator(".cited").first).to_be_visible()
    expect(shown.locator(".cited").first.locator(".words")).to_have_count(0)


@in_browser
def test_an_example_asks_and_leaves_what_was_typed(page: Page) -> None:
    box(page).fill("my own")
    example = page.locator("#examples button:visible").first
    expect(example).to_have_text(EXAMPLE)
    example.click()
    answer(page)
    expect(page.locator("#chat .asked")).to_have_text([EXAMPLE])
    expect(box(page)).to_have_value("my own")


@in_browser
@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("   ", "Type a question first."),
        ("x" * 10_000, "That question is too long (10,000 characters; the limit is 1,000)"),
    ],
    ids=["blank", "endless"],
)
def test_a_bad_question_is_a_notice_and_changes_nothing(
    page: Page, question: str, says: str
) -> None:
    ask(page, QUESTION)
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)
    before = texts(page)
    ask(page, question)
    expect(notice(page)).to_contain_text(says)
    assert texts(page) == before
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)
    expect(box(page)).to_have_value(question)
    ask(page, UNANSWERED)
    answer(page, 2)


@in_browser
def test_what_a_visitor_opens_is_for_that_visitor_only(
    page: Page, address: str, visitor: Visitor
) -> None:
    other = ready(visitor(address))
    paste(page, LIGHTHOUSE)
    expect(page.get_by_role("tab")).to_have_count(2)
    expect(other.get_by_role("tab")).to_have_count(1)
    ask(other, LIGHTHOUSE_QUESTION)
    expect(answer(other)).not_to_contain_text("1851")


@in_browser
def test_several_documents_are_turned_ticked_and_removed(page: Page) -> None:
    paste(page, LIGHTHOUSE)
    mine = page.get_by_role("tab", name="The lighthouse of Rosport")
    expect(mine).to_have_attribute("aria-selected", "true")
    expect(page.locator("#adding")).to_be_hidden()
    ready(page)
    # Another text is added beside these; the same one is not.
    paste(page, LIGHTHOUSE)
    expect(notice(page)).to_contain_text("“The lighthouse of Rosport” is already open.")
    expect(page.get_by_label("Or paste text", exact=True)).to_have_value(LIGHTHOUSE)
    page.keyboard.press("Escape")
    expect(page.get_by_role("tab")).to_have_count(2)
    # By mouse and by key.
    page.get_by_role("tab").first.click()
    expect(page.locator(f"{SHEET} h2")).to_contain_text(TITLE)
    page.keyboard.press("ArrowRight")
    expect(mine).to_be_focused()
    expect(page.locator(f"{SHEET} h2")).to_have_text("The lighthouse of Rosport")
    # Only what is ticked is asked.
    page.get_by_role("checkbox", name="Include The lighthouse of Rosport in answers").uncheck()
    ask(page, LIGHTHOUSE_QUESTION)
    expect(answer(page)).not_to_contain_text("1851")
    page.get_by_role("checkbox", name="Include The lighthouse of Rosport in answers").check()
    page.get_by_role("button", name="Ask question 1 again").click()
    expect(page.locator("#chat .words").first).to_have_text("1851")
    # What is removed is cited without a way to it.
    page.get_by_role("button", name="Remove The lighthouse of Rosport").click()
    expect(page.get_by_role("tab")).to_have_count(1)
    expect(page.locator(f"{SHEET} h2")).to_contain_text(TITLE)
    expect(page.locator("#chat .gone").first).to_have_text(
        "The lighthouse of Rosport, paragraph 1 (document removed)"
    )
    expect(page.locator("#article mark")).to_have_count(0)


@in_browser
def test_a_dropped_file_is_opened(page: Page) -> None:
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.items.add(new File([text], "rosport.txt", {type: "text/plain"}));
            for (const type of ["dragover", "drop"]) {
                document.querySelector("#chat .log").dispatchEvent(
                    new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
            }
        }""",
        LIGHTHOUSE,
    )
    expect(page.get_by_role("tab", name="The lighthouse of Rosport")).to_be_visible()


@in_browser
def test_a_bad_address_is_a_notice(page: Page) -> None:
    page.get_by_role("button", name="Add document").click()
    page.get_by_label("Web address").fill("/etc/passwd")
    page.keyboard.press("Enter")
    expect(notice(page)).to_contain_text("“/etc/passwd” isn't a web address")
    expect(page.get_by_label("Web address")).to_have_value("/etc/passwd")
    expect(page.get_by_role("tab")).to_have_count(1)


@in_browser
@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS.keys())
def test_a_bad_address_changes_nothing_and_a_good_one_is_opened(
    site: web_site.Site, monkeypatch: pytest.MonkeyPatch, visitor: Visitor, window: dict[str, Any]
) -> None:
    monkeypatch.setitem(web.fetch.__kwdefaults__, "seconds", 1.0)
    site["/refused"] = web_site.answer(status=403)
    site["/slow"] = web_site.drip(b"")
    site["/large"] = web_site.endless
    site["/film"] = web_site.answer(b"x", "video/mp4")
    site["/menu"] = web_site.answer(BROKEN["nothing.html"])
    site["/lighthouse"] = web_site.answer(lighthouse("html"))
    with serving(opening(document_of("A title\n\nThe first text."))) as address:
        page = ready(visitor(address, **window))
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


@in_browser
def test_an_answer_is_copied_and_the_conversation_exported(address: str, visitor: Visitor) -> None:
    page = ready(visitor(address, permissions=["clipboard-read", "clipboard-write"]))
    ask(page, QUESTION)
    answer(page)
    page.get_by_role("button", name="Copy the answer to question 1").click()
    expect(page.get_by_text("Copied").first).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"{WORDS}\n“{SENTENCE}”\n— Putin")
    assert copied.endswith("paragraph 7 (putin-visits-north-korea.txt)")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename == "questions-and-answers.md"
    saved = download.value.path().read_text(encoding="utf-8")
    assert f"## 1. {QUESTION}" in saved
    assert f"**{WORDS}**" in saved
    start = read_document(DEFAULT_ARTICLE).text.index(SENTENCE)
    assert f"characters {start}–{start + len(SENTENCE)}" in saved


@in_browser
def test_a_very_long_sentence_is_folded_up_and_can_be_shown(anywhere: Page) -> None:
    page = anywhere
    long = "The lighthouse of Rosport was built in 1851 " + "and painted in white " * 60 + "again."
    paste(page, f"A long sentence\n\n{long}")
    expect(page.get_by_role("tab")).to_have_count(2)
    ready(page)
    page.get_by_role("checkbox").first.uncheck()
    ask(page, LIGHTHOUSE_QUESTION)
    quotation = answer(page).locator("blockquote").first
    folded = quotation.bounding_box()
    answer(page).get_by_role("button", name="Show all").first.click()
    whole = quotation.bounding_box()
    assert folded and whole
    assert whole["height"] > folded["height"]
    expect(answer(page).get_by_role("button", name="Show less")).to_be_visible()


@in_browser
def test_html_and_markdown_are_shown_as_the_characters_they_are(page: Page) -> None:
    question = (
        "When was <img src=x onerror='window.hacked=1'> **the** [Rosport](javascript:1) built?"
    )
    upload(page, "hostile.txt", HOSTILE.encode())
    expect(page.locator(f"{SHEET} h2")).to_contain_text('<img src=x onerror="window.hacked = 1">')
    expect(page.get_by_role("tab").last).to_contain_text('<img src=x onerror="window.hacked = 1">')
    ready(page)
    page.get_by_role("checkbox").first.uncheck()
    ask(page, question)
    answer(page)
    expect(page.locator("#chat .asked")).to_have_text(question)
    expect(page.locator(f"{SHEET} p")).to_have_text(HOSTILE.split("\n\n")[1].strip())
    expect(page.locator("#passages li").first).to_contain_text("<script>window.hacked = 1</script>")
    ours = ":is(#chat, #documents, #article, #passages)"
    assert page.locator(f"{ours} :is(img, script, a)").count() == 0
    upload(page, "<img src=x onerror=window.hacked=1>.txt", b"")
    expect(notice(page)).to_contain_text("is empty")
    assert page.evaluate("window.hacked") is None


@in_browser
@pytest.mark.parametrize(
    ("title", "sentence", "question", "side"),
    [
        (
            "مدينة القاهرة",
            "تأسست مدينة القاهرة عام 969 على يد القائد جوهر الصقلي.",
            "متى تأسست مدينة القاهرة؟",
            "right",
        ),
        ("京都", "京都は794年に日本の都になりました。", "京都はいつ都になりましたか？", "left"),
    ],
    ids=["arabic", "japanese"],
)
def test_other_scripts_stay_as_they_are(
    anywhere: Page, title: str, sentence: str, question: str, side: str
) -> None:
    page, direction = anywhere, {"left": "ltr", "right": "rtl"}[side]
    upload(page, "city.txt", f"{title}\n\n{sentence}".encode())
    expect(page.locator(f"{SHEET} h2")).to_have_text(title)
    paragraph = page.locator(f"{SHEET} p")
    assert paragraph.evaluate("p => getComputedStyle(p).direction") == direction
    # Its number stands where its lines begin, and nothing of that is cut off.
    room = paragraph.evaluate("(p, side) => getComputedStyle(p, '::before')[side]", side)
    assert 0 <= float(room.removesuffix("px")) < 28
    ready(page)
    ask(page, question)
    answer(page)
    asked = page.locator("#chat .asked")
    expect(asked).to_have_text(question)
    assert asked.evaluate("p => getComputedStyle(p).direction") == direction


@in_browser
def test_on_a_phone_the_article_is_below_the_chat_and_nothing_is_cut_off(
    address: str, visitor: Visitor
) -> None:
    page = ready(visitor(address, 390, 844))
    for example in page.locator("#examples button:visible").all():
        within(page, example)
    paste(page, LIGHTHOUSE)
    expect(page.get_by_role("tab")).to_have_count(2)
    ready(page)
    title = page.get_by_role("tab", name="The lighthouse of Rosport")
    within(page, title)
    # All of it can be read.
    assert title.evaluate("tab => tab.scrollWidth <= tab.clientWidth")
    ask(page, QUESTION)
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)
    page.get_by_role("button", name="Add document").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    asking = page.locator("#asking").bounding_box()
    article = page.locator(SHEET).bounding_box()
    assert asking and article
    assert asking["y"] + asking["height"] <= article["y"]
    for selector in (
        "#ask",
        "#chat .log",
        "#chat .tools.all",
        "#documents .add",
        "#adding",
        SHEET,
        "#passages ol",
    ):
        within(page, page.locator(selector))


def within(page: Page, part: Locator) -> None:
    """Nothing of a part is to the left or to the right of the window."""
    bounds, window = part.bounding_box(), page.viewport_size
    assert bounds and window
    assert bounds["x"] >= 0, part
    assert bounds["x"] + bounds["width"] <= window["width"], part


@in_browser
def test_on_a_desktop_all_of_it_fits_the_window(page: Page) -> None:
    paste(page, LIGHTHOUSE)
    expect(page.get_by_role("tab")).to_have_count(2)
    ready(page)
    ask(page, QUESTION)
    expect(page.locator("#passages li")).to_have_count(5)
    assert page.evaluate("document.documentElement.scrollHeight") <= 800
    chat, article = (page.locator(s).bounding_box() for s in ("#chat .log", SHEET))
    assert chat and article
    assert chat["x"] + chat["width"] <= article["x"]
    assert article["height"] > 250


@in_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_system_and_can_be_read(address: str, visitor: Visitor, scheme: str) -> None:
    page = ready(visitor(address, color_scheme=scheme))
    ask(page, QUESTION)
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)
    pairs = [
        ("#article p", SHEET),
        ("#article mark.cited", "#article mark.cited"),
        ("#article .words.cited", "#article .words.cited"),
        ("#chat blockquote mark", "#chat blockquote mark"),
        ("#chat .sure", "#chat .log"),
        ("#chat .location", "#chat .log"),
        ("#chat .tools button", "#chat .log"),
        ("#chat .asked", "#chat .asked"),
        ("#documents [role=tab]", SHEET),
        ("#documents .add", "#documents .add"),
        ("#status p", "body"),
        ("#ask", "#ask"),
        ("#examples button", "#examples button"),
    ]
    for front, back in pairs:
        ink, paper = (
            page.locator(selector).first.evaluate(
                "(e, name) => getComputedStyle(e)[name].match(/[0-9.]+/g).map(Number)", name
            )
            for selector, name in ((front, "color"), (back, "backgroundColor"))
        )
        assert len(paper) == 3 or paper[3] == 1, (back, paper)
        assert contrast(ink, paper) >= 4.5, (front, ink, paper)
    sheet = page.locator(SHEET).evaluate("e => getComputedStyle(e).backgroundColor")
    assert sheet == {"light": "rgb(255, 255, 255)", "dark": "rgb(30, 33, 37)"}[scheme]


def contrast(one: list[float], other: list[float]) -> float:
    """The contrast of two colours as WCAG 2 has it, 1 to 21."""

    def light(colour: list[float]) -> float:
        parts = [c / 255 for c in colour[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((light(one), light(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@in_browser
def test_a_screen_reader_finds_its_way(page: Page) -> None:
    page.get_by_role("textbox", name="Question").fill(QUESTION)
    page.get_by_role("button", name="Ask", exact=True).press("Enter")
    log = page.get_by_role("log", name="Questions and answers")
    expect(log).to_contain_text(SENTENCE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Ask the Article")
    expect(log.get_by_role("button", name="paragraph 7")).to_be_visible()
    expect(page.get_by_role("tablist", name="Open documents")).to_have_count(1)
    expect(page.get_by_role("tabpanel", name=re.compile("Putin"))).to_be_visible()
    passages = page.get_by_role("region", name="Ranked passages")
    expect(passages.get_by_role("button")).to_have_count(5)
    assert page.locator("html").get_attribute("lang") == "en"
    # The words of the answer are announced where they stand, in the article and in the chat.
    said = f"Ukraine in [answer begins] {WORDS} [answer ends] , relations"
    assert said in page.get_by_role("tabpanel").aria_snapshot()
    assert f'mark: "[answer begins] {WORDS} [answer ends]"' in log.aria_snapshot()


# With documents that open when the test says so


class Gate:
    """Opens an article in steps: until told to go on, it stands where it is."""

    def __init__(self, document: Document) -> None:
        self.fraction, self.end = threading.Event(), threading.Event()
        self.failure: Exception | None = None
        self.document = document
        self.opening = DocumentLoader(self._open, documents=[document])

    def _open(self, progress: Callable[[int, int], None]) -> ArticleAnswerer:
        self.fraction.wait(60)
        progress(3, 12)
        self.end.wait(60)
        if self.failure:
            raise self.failure
        return ArticleAnswerer(Collection([ArticleIndex.build(self.document, FakeEncoder())]))


@pytest.fixture
def gate() -> Iterator[tuple[Gate, str]]:
    made = Gate(read_document(DEFAULT_ARTICLE))
    with serving(made.opening) as address:
        yield made, address
        made.fraction.set()
        made.end.set()


@in_browser
def test_the_page_is_there_and_takes_questions_before_the_models_are(
    gate: tuple[Gate, str], visitor: Visitor
) -> None:
    opens, address = gate
    page = visitor(address)
    expect(page.locator("#status")).to_have_text("Loading the models…")
    expect(page.locator("#article h2")).to_contain_text(TITLE)
    expect(page.locator("#examples button:visible")).to_have_count(0)
    ask(page, "Ushakov emphasized at a press conference that the schedule would focus on what?")
    expect(page.locator("#chat .waiting")).to_have_text("Searching…")
    box(page).fill("the next one")
    opens.fraction.set()
    expect(page.locator("#status")).to_have_text("Indexing the article, 25%")
    expect(page.locator("#status progress")).to_have_attribute("value", "3")
    # What all visitors wait for cannot be cancelled by one of them.
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    opens.end.set()
    expect(page.locator("#status")).to_have_text("Ready")
    expect(page.locator("#chat .reply:not(.waiting)")).to_have_count(1)
    expect(box(page)).to_have_value("the next one")


@in_browser
@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (ArticleError("There is no <encoder>."), "There is no <encoder>."),
        (
            ZeroDivisionError("secret"),
            "The document can't be opened. The server's log has the reason.",
        ),
    ],
)
def test_a_failure_to_load_is_said_and_the_question_is_kept(
    gate: tuple[Gate, str], visitor: Visitor, failure: Exception, said: str
) -> None:
    opens, address = gate
    page = visitor(address)
    ask(page, QUESTION)
    expect(page.locator("#chat .waiting")).to_have_count(1)
    opens.failure = failure
    opens.fraction.set()
    opens.end.set()
    expect(page.locator("#status")).to_have_text(said)
    expect(notice(page)).to_contain_text(said)
    expect(page.locator("#chat .turn")).to_have_count(0)
    expect(box(page)).to_have_value(QUESTION)
    expect(page.locator("#article h2")).to_contain_text(TITLE)


@contextmanager
def stepping() -> Iterator[tuple[StepEncoder, str]]:
    """A page whose encoder goes on when the test says so, once its own article is open."""
    encoder = StepEncoder()
    document = document_of("A title\n\nThe first text is short.")

    def how(progress: Callable[[int, int], None]) -> ArticleAnswerer:
        return ArticleAnswerer(Collection([ArticleIndex.build(document, encoder)]))

    with serving(DocumentLoader(how, documents=[document])) as address:
        yield encoder, address
        encoder.go.set()


@in_browser
def test_opening_shows_a_bar_and_can_be_cancelled(visitor: Visitor) -> None:
    with stepping() as (encoder, address):
        page = ready(visitor(address))
        encoder.go.clear()
        paste(page, LIGHTHOUSE)
        expect(page.locator("#status progress")).to_be_visible()
        # Another one has to wait, and what is open can be asked.
        page.get_by_label("Web address").fill("https://example.org/")
        page.keyboard.press("Enter")
        expect(notice(page)).to_contain_text("Another document is being added")
        ask(page, "How is the first text?")
        answer(page)
        page.get_by_role("button", name="Cancel").click()
        ready(page)
        expect(page.locator("#status progress")).to_have_count(0)
        expect(page.get_by_role("tab")).to_have_count(1)
        expect(page.get_by_label("Or paste text", exact=True)).to_have_value(LIGHTHOUSE)
        encoder.go.set()
        assert encoder.stopped.wait(10)
        page.get_by_label("Web address").fill("")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_role("tab")).to_have_count(2)


@in_browser
def test_opening_stops_when_its_visitor_goes(visitor: Visitor) -> None:
    with stepping() as (encoder, address):
        page = ready(visitor(address))
        encoder.go.clear()
        paste(page, LIGHTHOUSE)
        expect(page.locator("#status progress")).to_be_visible()
        page.goto("about:blank")
        page.wait_for_timeout(5000)
        encoder.go.set()
        assert encoder.stopped.wait(10)
