"""The page: its HTML by itself, and all of it in a real Chromium."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

import app
from index.article_index import ArticleIndex, Hit
from index.document import Document, make_document, read_document
from index.passages import Passage
from page.markup import answer_html, article_html, chat_html, passages_html, places, status_html
from page.opening import Opening
from qa.answer import DEFAULT_ARTICLE, Alternative, Answer, Answerer
from qa.candidates import Citation
from tests.browser import ROOT, NoBrowserError, free_port, open_browser, running
from tests.conftest import FakeEncoder

EXAMPLE = "when did Putin last visit?"
QUESTION = "When did Russia begin its special military operation in Ukraine?"
WORDS = "February 2022"
SENTENCE = (
    "Since Russia’s “special military operation” in Ukraine in February 2022, relations between "
    "Russia and North Korea have deepened."
)
UNANSWERED = "What is the best recipe for kimchi?"
TITLE = "“Putin’s Visit to North Korea Sparks Concerns on Whether Russia and North Korea Will"
LIGHTHOUSE = """The lighthouse of Rosport

The lighthouse of Rosport was built in 1851 by the engineer Anna Weber. It is 31 metres tall.

Its keeper lived in a cottage beside it until 1974.
"""
HOSTILE = """<img src=x onerror="window.hacked = 1"> **bold** title

The <script>window.hacked = 1</script> lighthouse of Rosport was built in 1851 by <b>Anna</b> \
[Weber](javascript:window.hacked=1). ${window.hacked = 1} {{value}} `code` &amp; @children.
"""


# The HTML by itself


def document_of(text: str) -> Document:
    return make_document(text, name="name", source="name.txt")


def answer_of(document: Document, words: str, sentence: str, **changes: Any) -> Answer:
    start, left = document.text.index(words), document.text.index(sentence)
    citation = Citation(document.id, start, start + len(words), left, left + len(sentence))
    answer = Answer(
        question="When?",
        rewritten=None,
        text=words,
        confidence=0.72,
        citation=citation,
        best=citation,
        alternatives=(),
        hits=(hit_of(document, sentence, 8.0),),
        seconds={"retrieve": 0.0, "read": 0.0},
    )
    return replace(answer, **changes)


def hit_of(document: Document, text: str, score: float) -> Hit:
    start = document.text.index(text)
    passage = Passage(document.id, start, start + len(text), text, ((start, start + len(text)),))
    return Hit(passage, score, {}, ())


def test_the_title_is_the_heading_and_the_paragraphs_are_numbered_from_one() -> None:
    made = article_html(document_of("A title\n\nOne.\n\nTwo & three."))
    assert re.findall(r"<(h2|p) [^>]*?(?:data-number=\"(\d+)\")?>(.*?)</", made) == [
        ("h2", "0", "A title"),
        ("p", "1", "One."),
        ("p", "2", "Two &amp; three."),
    ]


def test_a_text_without_a_title_is_headed_by_its_file_name() -> None:
    made = article_html(document_of("It begins at once.\n\nAnd it ends."))
    assert '<h2 dir="auto">name</h2><p dir="auto" data-number="1">It begins at once.</p>' in made


def test_places_count_as_a_browser_does() -> None:
    # A face is two units of UTF-16, and a browser makes one line end of two characters.
    document = document_of("Title\n\n😀 one\r\ntwo three.\n\nLast.")
    start = document.text.index("two")
    assert places(document, start, start + 3) == [(1, 7, 10)]
    assert "😀 one\ntwo three." in article_html(document)


def test_a_stretch_over_paragraphs_has_a_place_in_each() -> None:
    document = document_of("Title\n\nOne.\n\nTwo.")
    assert places(document, 0, len(document.text)) == [(0, 0, 5), (1, 0, 4), (2, 0, 4)]
    assert places(document, document.text.index("e.\n"), document.text.index("o.")) == [
        (1, 2, 4),
        (2, 0, 2),
    ]


def test_an_answer_that_is_a_sentence_is_shown_once() -> None:
    document = document_of("Title\n\nHe came in 1851.")
    made = answer_html(document, answer_of(document, "He came in 1851.", "He came in 1851."))
    assert made.count("He came in 1851.") == 1
    assert 'data-places="[[1,0,16]]">paragraph 1</button>' in made
    assert "72% · likely" in made
    assert "Also possible" not in made


def test_an_answer_within_a_sentence_is_shown_with_its_sentence() -> None:
    document = document_of("Title\n\nHe <came> in 1851.")
    made = answer_html(document, answer_of(document, "1851", "He <came> in 1851."))
    assert '<p class="words" dir="auto">1851</p>' in made
    assert '<blockquote dir="auto">He &lt;came&gt; in <b>1851</b>.</blockquote>' in made
    assert 'data-marks="[[1,0,18]]" data-words="[[1,13,17]]"' in made


def test_other_answers_have_their_place_and_the_hopeless_ones_are_left_out() -> None:
    document = document_of("Title\n\nHe came in 1851.\n\nShe <left>.\n\nNobody stayed.")
    left = document.text.index("She")
    at = Citation(document.id, left + 4, left + 10, left, left + 11)
    nobody = Citation(document.id, *(2 * (left + 13, left + 27)))
    others = (Alternative("<left>", 0.4, at), Alternative("Nobody stayed.", 0.02, nobody))
    answer = answer_of(document, "1851", "He came in 1851.", alternatives=others)
    made = answer_html(document, answer)
    assert '<p class="words" dir="auto">&lt;left&gt;</p>' in made
    assert "She <b>&lt;left&gt;</b>." in made
    assert ">paragraph 2</button>" in made
    assert "40% · perhaps" in made
    assert "Nobody" not in made


def test_an_abstention_says_so_and_labels_the_nearest_passage() -> None:
    document = document_of("Title\n\nHe came in 1851.")
    answer = answer_of(
        document, "1851", "He came in 1851.", text=None, citation=None, rewritten="<b>Who?"
    )
    made = answer_html(document, answer)
    assert "Understood as: &lt;b&gt;Who?" in made
    assert "The article does not say." in made
    assert "<h2>Nearest passage, not an answer</h2>" in made
    assert 'class="cited"' not in made
    assert "none answers" in passages_html(document, answer)


def test_an_abstention_without_any_passage_is_only_its_sentence() -> None:
    document = document_of("Title\n\nOne.")
    answer = answer_of(document, "One.", "One.", text=None, citation=None, best=None, hits=())
    assert answer_html(document, answer) == '<p class="none">The article does not say.</p>'
    assert passages_html(document, answer) == ""


def test_passages_have_bars_relative_to_the_best_and_scores() -> None:
    document = document_of("Title\n\n<One>.\n\nTwo.\n\nThree.")
    hits = tuple(
        hit_of(document, t, s) for t, s in (("<One>.", 8.0), ("Two.", 2.0), ("Three.", -1))
    )
    made = passages_html(document, answer_of(document, "Two.", "Two.", hits=hits))
    assert re.findall(r"--share:(-?\d+)%", made) == ["100", "25", "0"]
    assert re.findall(r'class="number">(.*?)<', made) == ["8.0", "2.0", "-1.0"]
    assert "&lt;One&gt;." in made
    assert 'data-places="[[2,0,4]]"' in made


def test_a_waiting_question_is_escaped() -> None:
    made = chat_html(document_of("One."), [], "<i>Who?</i>")
    assert '<p class="asked" dir="auto">&lt;i&gt;Who?&lt;/i&gt;</p>' in made
    assert 'class="reply waiting"' in made


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"done": 0, "total": 0, "ready": False}, "Loading…"),
        ({"done": 3, "total": 12, "ready": False}, "Reading the article: 25%"),
        ({"done": 12, "total": 12, "ready": True}, "Ready"),
        ({"done": 12, "total": 12, "ready": True, "note": "<Rebuilt>"}, "&lt;Rebuilt&gt;"),
        ({"done": 0, "total": 0, "ready": True, "error": "<No>"}, "&lt;No&gt;"),
    ],
)
def test_the_status_says_how_far_it_is(state: dict[str, Any], words: str) -> None:
    assert f">{words}</p>" in status_html(at_first="Loading…", **state)


# The command


def run_app(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "app.py", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def test_a_bad_article_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    ran = run_app("--article", str(tmp_path / "none.txt"))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == f"There is no file '{tmp_path / 'none.txt'}': check the path.\n"


def test_a_port_in_use_is_one_sentence_and_exit_code_2() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = run_app("--port", str(port))
    assert (ran.returncode, ran.stdout) == (2, "")
    expected = f"Port {port} cannot be used on 127.0.0.1: give another with --port.\n"
    assert ran.stderr == expected


def test_no_passages_are_refused() -> None:
    ran = run_app("--k", "0")
    assert ran.returncode == 2
    assert ran.stderr.endswith("--k is 0: read at least one passage.\n")


# In a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        try:
            opened = open_browser(playwright)
        except NoBrowserError as error:
            if os.environ.get("CI") == "true":
                pytest.fail(str(error))
            pytest.skip(str(error))
        yield opened
        opened.close()


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

    def open_window(address: str, width: int = 1280, height: int = 800, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        opened.append(context)
        page = context.new_page()
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((address, "data:", "blob:"))
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
    return ready(visitor(address))


def ready(page: Page) -> Page:
    expect(page.locator("#status")).to_have_text("Ready", timeout=120_000)
    return page


def ask(page: Page, question: str) -> None:
    page.get_by_label("Question", exact=True).fill(question)
    page.keyboard.press("Enter")


def answer(page: Page) -> Any:
    """The newest reply, once it is there."""
    expect(page.locator("#chat .waiting")).to_have_count(0)
    return page.locator("#chat .reply").last


def in_sight(page: Page, selector: str) -> None:
    """Wait until the first such element lies within the visible part of the article."""
    page.wait_for_function(
        """selector => {
            const inner = document.querySelector(selector)?.getBoundingClientRect();
            const outer = document.querySelector("#article .sheet").getBoundingClientRect();
            return inner && inner.height > 0 && inner.top >= outer.top &&
                inner.bottom <= outer.bottom && outer.bottom <= window.innerHeight + 1;
        }""",
        arg=selector,
        timeout=5000,
    )


def texts(page: Page) -> tuple[str, str]:
    return page.locator("#article").inner_text(), page.locator("#chat").inner_text()


def upload(page: Page, name: str, content: bytes) -> None:
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "text/plain", "buffer": content}
    )


in_browser = pytest.mark.browser


@in_browser
def test_an_answer_is_in_the_chat_and_marked_in_sight_in_the_article(page: Page) -> None:
    expect(page.locator("#article h2")).to_contain_text(TITLE)
    ask(page, QUESTION)
    expect(answer(page).locator(".words").first).to_have_text(WORDS)
    expect(answer(page).locator("blockquote").first).to_have_text(SENTENCE)
    expect(page.get_by_label("Question", exact=True)).to_have_value("")
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)
    expect(page.locator("#article .words.cited")).to_have_text(WORDS)
    in_sight(page, "#article .words.cited")
    expect(answer(page).locator(".place").first).to_have_text("paragraph 7")
    expect(answer(page).locator(".sure").first).to_have_text(re.compile(r"^\d+% · [a-z ]+$"))
    expect(page.locator("#passages li")).to_have_count(5)


@in_browser
def test_two_answers_are_each_marked_in_their_own_sentence(page: Page) -> None:
    ask(page, EXAMPLE)
    expect(answer(page).locator(".others li")).to_have_count(2)
    words = answer(page).locator(".words").all_text_contents()
    assert {"June 18th and 19th", "July 2000"} <= set(words)
    expect(page.locator("#article .words")).to_have_count(3)
    marked = page.locator("#article .words").all_text_contents()
    assert sorted(marked) == sorted(words)
    for one in page.locator("#article .words").all():
        assert one.evaluate("words => !!words.closest('mark')")
    second = answer(page).locator(".others .place").first
    second.click()
    in_sight(page, "#article mark.other .flash")


@in_browser
def test_a_place_and_a_passage_go_to_where_they_stand(page: Page) -> None:
    ask(page, QUESTION)
    answer(page).locator(".place").first.wait_for()
    page.locator("#article .sheet").evaluate("sheet => sheet.scrollTo(0, sheet.scrollHeight)")
    answer(page).locator(".place").first.click()
    in_sight(page, "#article mark.cited .flash")
    assert "".join(page.locator("#article .flash").all_text_contents()) == WORDS
    page.locator("#passages button").nth(3).click()
    in_sight(page, "#article .flash")
    # It fades, and what was marked before is whole again.
    expect(page.locator("#article .flash")).to_have_count(0)
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)


@in_browser
def test_an_example_asks_and_leaves_what_was_typed(page: Page) -> None:
    page.get_by_label("Question", exact=True).fill("my own")
    example = page.locator("#examples button:visible").first
    expect(example).to_have_text(EXAMPLE)
    example.click()
    expect(answer(page)).to_contain_text("July 2000")
    expect(page.locator("#chat .asked")).to_have_text([EXAMPLE])
    expect(page.get_by_label("Question", exact=True)).to_have_value("my own")


@in_browser
def test_an_abstention_says_so_and_marks_nothing(page: Page) -> None:
    ask(page, QUESTION)
    expect(page.locator("#article mark.cited")).to_have_count(1)
    ask(page, UNANSWERED)
    expect(page.locator("#chat .reply")).to_have_count(2)
    expect(answer(page)).to_contain_text("The article does not say.")
    expect(answer(page)).to_contain_text("Nearest passage, not an answer")
    expect(page.locator("#article mark")).to_have_count(0)
    expect(page.locator("#article .nearest").first).to_be_visible()
    expect(page.locator("#passages h2")).to_have_text("Nearest passages: none answers")


@in_browser
def test_a_question_that_leans_on_another_shows_how_it_was_understood(page: Page) -> None:
    ask(page, "Who is Zhang Tianliang?")
    expect(page.locator("#chat .reply")).to_have_count(1)
    answer(page)
    ask(page, "What is his program called?")
    expect(page.locator("#chat .reply")).to_have_count(2)
    expect(answer(page).locator(".understood")).to_have_text(
        "Understood as: What is Zhang Tianliang's program called?"
    )


@in_browser
def test_clearing_forgets_the_chat_and_the_marks(page: Page) -> None:
    ask(page, QUESTION)
    expect(page.locator("#article mark.cited")).to_have_count(1)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#chat .turn")).to_have_count(0)
    expect(page.locator("#article mark")).to_have_count(0)
    expect(page.locator("#passages li")).to_have_count(0)
    # Nothing is left for a later question to lean on.
    ask(page, "What did he say?")
    expect(page.locator("#chat .reply")).to_have_count(1)
    answer(page)
    expect(page.locator("#chat .understood")).to_have_count(0)


@in_browser
@pytest.mark.parametrize(
    ("question", "notice"),
    [
        ("   ", "The question is empty: type what you want to know."),
        ("x" * 10_000, "The question has 10,000 characters and the limit is 1,000"),
    ],
    ids=["blank", "endless"],
)
def test_a_bad_question_is_a_notice_and_changes_nothing(
    page: Page, question: str, notice: str
) -> None:
    ask(page, QUESTION)
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)
    before = texts(page)
    ask(page, question)
    expect(page.locator(".toast-body")).to_contain_text(notice)
    assert texts(page) == before
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)
    expect(page.get_by_label("Question", exact=True)).to_have_value(question)
    ask(page, UNANSWERED)
    expect(page.locator("#chat .reply")).to_have_count(2)


@in_browser
def test_another_file_takes_the_place_of_the_article_for_its_visitor_only(
    page: Page, address: str, folder: Path, visitor: Visitor
) -> None:
    other = ready(visitor(address))
    ask(page, QUESTION)
    expect(page.locator("#article mark.cited")).to_have_count(1)
    upload(page, "rosport.txt", LIGHTHOUSE.encode())
    expect(page.locator("#article h2")).to_have_text("The lighthouse of Rosport")
    expect(page.locator("#chat .turn")).to_have_count(0)
    expect(page.locator("#passages li")).to_have_count(0)
    expect(page.locator("#article mark")).to_have_count(0)
    expect(page.locator("#examples button:visible", has_text="Putin")).to_have_count(0)
    ask(page, "When was the lighthouse of Rosport built?")
    expect(answer(page)).to_contain_text("1851")
    expect(page.locator("#article mark.cited")).to_contain_text("was built in 1851")
    expect(other.locator("#article h2")).to_contain_text(TITLE)
    ask(other, QUESTION)
    expect(answer(other)).to_contain_text(SENTENCE)
    expect(other.locator("#chat .turn")).to_have_count(1)
    # What the visitor gave is kept nowhere.
    kept = [path for path in folder.rglob("*") if path.is_file()]
    assert kept
    assert [path for path in kept if b"Rosport" in path.read_bytes()] == []


@in_browser
@pytest.mark.parametrize(
    ("name", "content", "notice"),
    [
        ("empty.txt", b"", "'empty.txt' is empty: open a file that has some text in it."),
        ("binary.txt", b"\x00\x01\x02" * 50, "'binary.txt' is not text: save it as plain text"),
    ],
)
def test_a_bad_file_is_a_notice_and_changes_nothing(
    page: Page, name: str, content: bytes, notice: str
) -> None:
    ask(page, QUESTION)
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)
    page.get_by_label("Question", exact=True).fill("half a quest")
    before = texts(page)
    upload(page, name, content)
    expect(page.locator(".toast-body")).to_contain_text(notice)
    assert texts(page) == before
    expect(page.locator("#status")).to_have_text("Ready")
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)
    expect(page.get_by_label("Question", exact=True)).to_have_value("half a quest")


@in_browser
def test_html_and_markdown_are_shown_as_the_characters_they_are(page: Page) -> None:
    question = (
        "When was <img src=x onerror='window.hacked=1'> **the** [Rosport](javascript:1) built?"
    )
    upload(page, "hostile.txt", HOSTILE.encode())
    expect(page.locator("#article h2")).to_contain_text('<img src=x onerror="window.hacked = 1">')
    ask(page, question)
    answer(page)
    expect(page.locator("#chat .asked")).to_have_text(question)
    expect(page.locator("#article p")).to_have_text(HOSTILE.split("\n\n")[1].strip())
    expect(page.locator("#passages li").first).to_contain_text("<script>window.hacked = 1</script>")
    assert page.locator(":is(#chat, #article, #passages) :is(img, script, a)").count() == 0
    assert page.evaluate("window.hacked") is None


@in_browser
def test_a_text_from_right_to_left_stays_so(page: Page) -> None:
    text = "مدينة القاهرة\n\nتأسست مدينة القاهرة عام 969 على يد القائد جوهر الصقلي."
    upload(page, "cairo.txt", text.encode())
    expect(page.locator("#article h2")).to_have_text("مدينة القاهرة")
    assert page.locator("#article p").evaluate("p => getComputedStyle(p).direction") == "rtl"
    ask(page, "متى تأسست مدينة القاهرة؟")
    answer(page)
    asked = page.locator("#chat .asked")
    assert asked.evaluate("p => getComputedStyle(p).direction") == "rtl"


@in_browser
def test_on_a_phone_the_article_is_below_the_chat_and_nothing_is_cut_off(
    address: str, visitor: Visitor
) -> None:
    page = ready(visitor(address, 390, 844))
    ask(page, QUESTION)
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    asking = page.locator("#asking").bounding_box()
    article = page.locator("#article .sheet").bounding_box()
    assert asking and article
    assert asking["y"] + asking["height"] <= article["y"]
    for selector in ("#upload", "#ask", "#clear", "#chat .log", "#article .sheet", "#passages ol"):
        box = page.locator(selector).bounding_box()
        assert box, selector
        assert box["x"] >= 0, selector
        assert box["x"] + box["width"] <= 390, selector
    answer(page).locator(".place").first.click()
    in_sight(page, "#article mark.cited .flash")


@in_browser
def test_on_a_desktop_all_of_it_fits_the_window(page: Page) -> None:
    ask(page, QUESTION)
    expect(page.locator("#passages li")).to_have_count(5)
    assert page.evaluate("document.documentElement.scrollHeight") <= 800
    chat, article = (page.locator(s).bounding_box() for s in ("#chat .log", "#article .sheet"))
    assert chat and article
    assert chat["x"] + chat["width"] <= article["x"]
    assert chat["y"] == article["y"]


@in_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_system_and_can_be_read(address: str, visitor: Visitor, scheme: str) -> None:
    page = ready(visitor(address, color_scheme=scheme))
    ask(page, QUESTION)
    expect(page.locator("#article mark.cited")).to_have_text(SENTENCE)
    pairs = [
        ("#article p", "#article .sheet"),
        ("#article mark.cited", "#article mark.cited"),
        ("#chat .sure", "#chat .log"),
        ("#chat .place", "#chat .log"),
        ("#chat .asked", "#chat .asked"),
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
    sheet = page.locator("#article .sheet").evaluate("e => getComputedStyle(e).backgroundColor")
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
def test_it_can_be_used_with_the_keyboard_and_a_screen_reader(page: Page) -> None:
    page.get_by_role("textbox", name="Question").fill(QUESTION)
    page.get_by_role("button", name="Ask", exact=True).press("Enter")
    log = page.get_by_role("log", name="Questions and answers")
    expect(log).to_contain_text(SENTENCE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Ask the Article")
    place = log.get_by_role("button", name="paragraph 7")
    place.focus()
    place.press("Enter")
    in_sight(page, "#article mark.cited .flash")
    expect(page.get_by_role("region", name="Ranked passages").get_by_role("button")).to_have_count(
        5
    )
    assert page.locator("html").get_attribute("lang") == "en"


# With an article that opens when the test says so


class Gate:
    """Opens an article in steps: until told to go on, it stands where it is."""

    def __init__(self, document: Document) -> None:
        self.fraction, self.end = threading.Event(), threading.Event()
        self.failure: Exception | None = None
        self.opening = Opening(document, self._open, app.EXAMPLES)

    def _open(self, progress: Callable[[int, int], None]) -> Answerer:
        self.fraction.wait(60)
        progress(3, 12)
        self.end.wait(60)
        if self.failure:
            raise self.failure
        return Answerer(ArticleIndex.build(self.opening.document, FakeEncoder()))


@pytest.fixture
def gate() -> Iterator[tuple[Gate, str]]:
    made = Gate(read_document(DEFAULT_ARTICLE))
    page = app.Page(made.opening)
    address = page.launch("127.0.0.1", free_port())
    made.opening.start()
    yield made, address
    made.fraction.set()
    made.end.set()
    page.blocks.close()


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
    expect(page.locator("#chat .waiting")).to_have_text("Looking in the article…")
    page.get_by_label("Question", exact=True).fill("the next one")
    opens.fraction.set()
    expect(page.locator("#status")).to_have_text("Reading the article: 25%")
    expect(page.locator("#status progress")).to_have_attribute("value", "3")
    opens.end.set()
    expect(page.locator("#status")).to_have_text("Ready")
    expect(page.locator("#chat .reply:not(.waiting)")).to_have_count(1)
    expect(page.get_by_label("Question", exact=True)).to_have_value("the next one")


@in_browser
@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (app.ArticleError("There is no <encoder>."), "There is no <encoder>."),
        (
            ZeroDivisionError("secret"),
            "The article cannot be opened: the page's terminal says why.",
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
    expect(page.locator(".toast-body")).to_contain_text(said)
    expect(page.locator("#chat .turn")).to_have_count(0)
    expect(page.get_by_label("Question", exact=True)).to_have_value(QUESTION)
    expect(page.locator("#article h2")).to_contain_text(TITLE)
