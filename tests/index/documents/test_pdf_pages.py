"""Pages of a PDF as images: the right page in the right size, and what a hostile file can do."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from index.documents import parser_process
from index.documents.content import MAX_FILE_BYTES
from index.documents.document import read_bytes
from index.documents.pdf import pages
from index.documents.pdf.pages import render_page
from index.errors import DocumentError
from tests.index.documents.hostile_files import HOSTILE
from tests.index.documents.samples import column, pdf

COLORS = ((1, 0, 0), (0, 1, 0), (0, 0, 1))


@pytest.fixture(scope="module")
def colored() -> bytes:
    """A PDF of three pages, each of another size and all of a color, the last one on its side."""
    file = BytesIO()
    canvas = Canvas(file, invariant=True)
    for number, color in enumerate(COLORS):
        canvas.setPageSize((200 + 100 * number, 300))
        if number == 2:
            canvas.setPageRotation(90)
        canvas.setFillColorRGB(*color)
        canvas.rect(0, 0, 600, 600, fill=1, stroke=0)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def image(png: bytes) -> Image.Image:
    opened = Image.open(BytesIO(png))
    assert opened.format == "PNG"
    opened.load()  # which checks what the chunks say
    return opened


@pytest.mark.parametrize("page", [0, 1])
@pytest.mark.parametrize("scale", [0.5, 1, 2])
def test_the_page_is_drawn_in_its_size(colored: bytes, page: int, scale: float) -> None:
    drawn = image(render_page(colored, page, scale))
    assert drawn.size == ((200 + 100 * page) * scale, 300 * scale)
    assert drawn.getpixel((9, 9)) == tuple(255 * part for part in COLORS[page])


def test_the_image_has_the_size_that_boxes_count_in() -> None:
    file = BytesIO()
    canvas = Canvas(file, pagesize=(300, 500), invariant=True)
    canvas.setPageRotation(90)
    canvas.drawString(50, 200, "The lamp was lit.")
    canvas.showPage()
    canvas.save()
    boxes = read_bytes(file.getvalue(), "a.pdf").boxes
    assert boxes is not None
    drawn = image(render_page(file.getvalue(), 0, 2))
    width, height = boxes.page_size(0)
    assert drawn.size == (2 * width, 2 * height)
    ((_, left, bottom, right, top),) = boxes.rectangles(0, len("The lamp"))
    dark = np.argwhere(np.asarray(drawn.convert("L")) < 128)
    inside = [
        2 * left - 2 < x < 2 * right + 2 and 2 * (height - top) - 2 < y < 2 * (height - bottom) + 2
        for y, x in dark
    ]
    # The words are half of the line, and nothing of them is elsewhere.
    assert 0.3 < np.mean(inside) < 0.7


def test_a_large_page_is_drawn_smaller() -> None:
    file = BytesIO()
    canvas = Canvas(file, pagesize=(14_000, 7_000), invariant=True)
    canvas.showPage()
    canvas.save()
    width, height = image(render_page(file.getvalue(), 0, 8)).size
    assert width * height <= pages.MAX_PIXELS
    assert width / height == pytest.approx(2, rel=0.01)


def test_a_page_that_is_not_there_is_refused(colored: bytes) -> None:
    with pytest.raises(DocumentError, match=r"^'a\.pdf' has no page 4: it has 3\.$"):
        render_page(colored, 3, source="a.pdf")
    for page, scale in ((-1, 1.0), (0, 0.0), (0, 99.0), (0, float("nan"))):
        with pytest.raises(ValueError, match="no page"):
            render_page(colored, page, scale)


def test_damaged_and_locked_files_are_refused_as_when_they_are_read() -> None:
    whole = pdf(column("The lamp was lit."))
    for data, reason in (
        (whole[:-40], "whose end is missing"),
        (b"%PDF-1.7\n%%EOF", "is a damaged PDF"),
        (pdf(column("A lamp."), user="s3cret", owner="0wner"), "is a PDF with a password"),
        (b"%PDF-" + bytes(MAX_FILE_BYTES), "is too large"),
    ):
        with pytest.raises(DocumentError, match=reason):
            render_page(data, 0)


@pytest.mark.parametrize("name", ["bomb.pdf", "deep.pdf"])
def test_a_hostile_file_is_drawn_or_refused_in_time(name: str) -> None:
    try:
        image(render_page(HOSTILE[name](), 0, source=name))
    except DocumentError as error:
        assert name in str(error)


Instead = Callable[[str], None]


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch) -> Instead:
    """Run other code in place of drawing, in a process that is confined in the same way."""

    def have(code: str) -> None:
        start = (
            f"{parser_process._LOAD}import sys, json; "
            "from index.documents import parser_process; parser_process.confine('pdf')"
        )
        run = parser_process._run
        monkeypatch.setattr(
            parser_process, "_run", lambda about, data, _: run(about, data, f"{start}\n{code}")
        )

    return have


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "nonsense",
        "[]",
        json.dumps({"width": 2, "height": 2}) + "\\n123",
        json.dumps({"width": -1, "height": -1}) + "\\n123",
        json.dumps({"width": 0, "height": 0}) + "\\n",
        json.dumps({"width": "1", "height": 1}) + "\\n123",
        json.dumps({"width": 10**6, "height": 10**6}) + "\\n123",
    ],
)
def test_what_is_no_image_is_refused(instead: Instead, printed: str) -> None:
    instead(f"sys.stdout.write('{printed}')")
    with pytest.raises(DocumentError, match=r"^Page 1 of 'a\.pdf' cannot be drawn: "):
        render_page(b"", 0, source="a.pdf")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("bytes(600_000_000)", "cannot be drawn"),
        ("while True: pass", "takes more than 5 seconds to draw"),
    ],
)
def test_too_much_memory_and_time_are_refused(instead: Instead, code: str, reason: str) -> None:
    instead(code)
    with pytest.raises(DocumentError, match=reason):
        render_page(b"", 0)


def test_what_waits_for_ever_is_ended(instead: Instead, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser_process, "PATIENCE", 0.5)
    instead("import time; time.sleep(60)")
    with pytest.raises(DocumentError, match="took too long to draw"):
        render_page(b"", 0)


def test_drawing_can_read_and_write_no_other_files(instead: Instead) -> None:
    if not parser_process.protections().landlock:
        pytest.skip("this kernel has no Landlock")
    instead("print(json.dumps({'width': 1, 'height': 1})); print(open('/etc/passwd').read()[:3])")
    with pytest.raises(DocumentError, match="cannot be drawn"):
        render_page(b"", 0)
