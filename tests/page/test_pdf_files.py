"""The PDFs that are open: their images, their limits, and when they are gone."""

from __future__ import annotations

import copy
import gc
import weakref

import pytest

from index.documents.document import read_bytes, read_document
from index.errors import DocumentError
from page.index_cache import IndexCache
from page.loader import CancelledError, DocumentLoader
from page.pdf_files import MAX_IMAGE_BYTES, PdfFile, PdfFiles
from page.session import Session
from page.sessions import Sessions
from tests.conftest import ROOT
from tests.index.documents import site as web_site
from tests.page.pdf_samples import PAPER, opening, paper
from tests.page.shown import StepEncoder, document_of

LIGHTHOUSE = "Lighthouse\n\nThe lighthouse was built in 1851."


class Drawing:
    """Draws images of a size, and counts them."""

    def __init__(self, size: int = 10, error: str = "") -> None:
        self.size, self.error = size, error
        self.drawn: list[tuple[int, float]] = []

    def __call__(self, data: bytes, page: int, scale: float, name: str) -> bytes:
        self.drawn.append((page, round(scale, 3)))
        if self.error:
            raise DocumentError(f"{self.error} {name}")
        return bytes(self.size)


@pytest.fixture
def files() -> PdfFiles:
    return PdfFiles()


@pytest.fixture
def initial() -> DocumentLoader:
    loader = opening(document_of(LIGHTHOUSE, "lighthouse")).start()
    loader.wait()
    return loader


@pytest.fixture
def session(initial: DocumentLoader) -> Session:
    return Session.create(initial.documents)


def add_paper(session: Session, initial: DocumentLoader, files: PdfFiles) -> PdfFile:
    """Open the paper in a session; returns its file."""
    given = [("paper.pdf", PAPER.read_bytes())]
    loader = session.start_loading(initial, IndexCache(), pdfs=files, contents=given)
    session.add_loaded(loader.wait(), loader.take_pdfs())
    return session.pdfs["paper"]


def file_with(drawing: Drawing) -> PdfFile:
    file = PdfFiles(draw=drawing).add(paper())
    assert file
    return file


# Reading


def test_the_bytes_are_kept_only_if_asked_for() -> None:
    data = PAPER.read_bytes()
    assert read_document(PAPER).pdf is None
    assert read_bytes(data, "paper.pdf").pdf is None
    assert read_document(PAPER, keep_pdf=True).pdf == data
    assert read_bytes(data, "paper", keep_pdf=True).pdf == data
    slides = ROOT / "tests" / "documents" / "bees.pptx"
    assert read_document(slides, keep_pdf=True).pdf is None
    assert read_bytes(b"%P is no PDF.", "notes.txt", keep_pdf=True).pdf is None


def test_the_bytes_of_a_pdf_at_a_web_address_are_kept(site: web_site.Site) -> None:
    data = PAPER.read_bytes()
    site["/paper"] = web_site.answer(data, "application/pdf")
    address = f"{site.address}/paper"
    assert read_document(address, allow_private_urls=True, keep_pdf=True).pdf == data
    assert read_document(address, allow_private_urls=True).pdf is None


# Images


def test_a_page_is_drawn_once_for_a_width() -> None:
    drawing = Drawing()
    file = file_with(drawing)
    page_width = file.boxes.page_size(1)[0]
    assert file.image(1, 600) == file.image(1, 600)
    file.image(1, 700)
    assert drawing.drawn == [
        (1, round(600 / page_width, 3)),
        (1, round(700 / page_width, 3)),
    ]


def test_images_are_kept_up_to_their_limit_and_the_oldest_dropped() -> None:
    drawing = Drawing(MAX_IMAGE_BYTES // 2)
    file = file_with(drawing)
    for width in (600, 700, 600, 800):
        file.image(0, width)
    assert len(drawing.drawn) == 3
    file.image(0, 600)
    assert len(drawing.drawn) == 3  # used later than the one of 700
    file.image(0, 700)
    assert len(drawing.drawn) == 4


def test_a_page_that_cannot_be_drawn_is_not_tried_again() -> None:
    drawing = Drawing(error="Cannot draw")
    file = file_with(drawing)
    for width in (600, 700):
        with pytest.raises(DocumentError, match=r"^Cannot draw paper-two-columns\.pdf$"):
            file.image(0, width)
    assert len(drawing.drawn) == 1


# What is open


def test_a_key_leads_to_its_file_alone(files: PdfFiles) -> None:
    first, second = files.add(paper()), files.add(paper())
    assert first and second and first.key != second.key
    assert (files.get(first.key), files.get(second.key)) == (first, second)
    assert files.get("") is None and files.get(first.key[:-1]) is None
    assert files.add(document_of(LIGHTHOUSE)) is None


def test_a_file_is_gone_with_whoever_holds_it(files: PdfFiles) -> None:
    file = files.add(paper())
    assert file
    key = file.key
    del file
    assert files.get(key) is None


def test_a_copy_of_a_session_has_the_same_files(files: PdfFiles) -> None:
    document = paper(id="paper")
    file = files.add(document)
    assert file
    copied = copy.deepcopy(Session.create([document], pdfs={"paper": file}))
    assert copied.pdfs["paper"] is file
    assert copied.documents["paper"] is document  # its boxes take memory


def test_a_pdf_that_is_added_is_shown_as_pages(
    session: Session, initial: DocumentLoader, files: PdfFiles
) -> None:
    file = add_paper(session, initial, files)
    assert session.open_documents.page_urls == {"paper": f"pdf/{file.key}"}
    assert files.get(file.key) is file
    assert file.data == PAPER.read_bytes()
    assert session.documents["paper"].pdf is None  # the bytes are in the file alone


def test_without_files_pdfs_are_opened_as_text(session: Session, initial: DocumentLoader) -> None:
    given = [("paper.pdf", PAPER.read_bytes())]
    loader = session.start_loading(initial, IndexCache(), contents=given)
    session.add_loaded(loader.wait(), loader.take_pdfs())
    assert session.open_documents.page_urls == {}
    assert session.documents["paper"].pdf is None


def test_removing_a_document_drops_its_file(
    session: Session, initial: DocumentLoader, files: PdfFiles
) -> None:
    key = add_paper(session, initial, files).key
    session.remove("paper")
    gc.collect()
    assert files.get(key) is None
    assert session.open_documents.page_urls == {}


def test_a_file_is_gone_with_its_session(initial: DocumentLoader, files: PdfFiles) -> None:
    session = Session.create(initial.documents)
    file = weakref.ref(add_paper(session, initial, files))
    del session
    gc.collect()
    assert file() is None


def test_a_cancelled_document_leaves_no_file(initial: DocumentLoader, files: PdfFiles) -> None:
    encoder = StepEncoder()
    session = Session.create(initial.documents)
    initial.wait().collection.encoder = encoder  # type: ignore[misc]
    encoder.go.clear()
    given = [("paper.pdf", PAPER.read_bytes())]
    loader = session.start_loading(initial, IndexCache(), pdfs=files, contents=given)
    assert encoder.asked.wait(10)
    assert len(files) == 1
    loader.cancel()
    encoder.go.set()
    with pytest.raises(CancelledError):
        loader.wait()
    assert encoder.stopped.wait(10)
    for _ in range(100):
        gc.collect()
        if not len(files):
            break
        loader.finished.wait(0.05)
    assert len(files) == 0


def test_a_pdf_for_which_there_is_no_room_is_opened_as_text(
    session: Session, initial: DocumentLoader
) -> None:
    size = PAPER.stat().st_size + MAX_IMAGE_BYTES
    files = PdfFiles(max_open_bytes=2 * size - 1)
    held = files.add(paper())
    assert held
    given = [("paper.pdf", PAPER.read_bytes())]
    loader = session.start_loading(initial, IndexCache(), pdfs=files, contents=given)
    opened = loader.wait()
    session.add_loaded(opened, loader.take_pdfs())
    title = session.documents["paper"].title
    assert opened.note == (
        f"This server is full, so “{title}” is shown as text only. Remove a document, or add it "
        "again later to see its pages."
    )
    assert session.open_documents.page_urls == {}
    del held
    assert files.add(paper())


def test_the_initial_pdfs_are_the_same_for_all() -> None:
    sessions = Sessions(opening(document_of(LIGHTHOUSE), paper(id="paper")))
    one, other = sessions.new(), sessions.new()
    assert one.pdfs == other.pdfs
    assert set(one.open_documents.page_urls) == {"paper"}
    one.remove("paper")
    assert set(other.open_documents.page_urls) == {"paper"}


def test_the_initial_pdfs_do_not_count() -> None:
    files = PdfFiles(max_open_bytes=PAPER.stat().st_size + MAX_IMAGE_BYTES)
    initial = [files.add(paper(), counted=False) for _ in range(3)]
    added = files.add(paper())
    assert added and all(initial)
    with pytest.raises(DocumentError, match="is shown as text only"):
        files.add(paper())
