"""The PDFs whose pages visitors can see, each under a key that cannot be guessed."""

from __future__ import annotations

import secrets
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable

from index.documents.boxes import Boxes
from index.documents.document import Document
from index.documents.pdf.pages import MAX_SCALE, MIN_SCALE, render_page
from index.errors import DocumentError
from page.text_ranges import display_source

MAX_IMAGE_BYTES = 2_000_000  # of the images that are kept of one PDF
# Of all PDFs that visitors have open, each with as many images as may be kept.
MAX_OPEN_BYTES = 1_000_000_000

# Draws a page: the bytes of a PDF, the number of the page from 0, the scale, and the name for errors.
Draw = Callable[[bytes, int, float, str], bytes]


def _render(data: bytes, page: int, scale: float, name: str) -> bytes:
    return render_page(data, page, scale, source=name)


class PdfFile:
    """The bytes of an open PDF, and the images of its pages that were drawn last. Thread-safe."""

    def __init__(self, data: bytes, boxes: Boxes, name: str, draw: Draw = _render) -> None:
        """`boxes` has the sizes of the pages, and `name` is the file's in error messages."""
        self.data = data
        self.boxes = boxes
        self.key = secrets.token_urlsafe(16)
        self._name = name
        self._draw = draw
        self._images: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._errors: dict[int, str] = {}
        self._lock = threading.Lock()

    def __deepcopy__(self, _: object) -> PdfFile:
        """The file itself: Gradio copies a session for each visitor."""
        return self

    @property
    def url(self) -> str:
        """The address of the page images, relative to the page's."""
        return f"pdf/{self.key}"

    @property
    def max_bytes(self) -> int:
        """The memory that the file and its images can take."""
        return len(self.data) + MAX_IMAGE_BYTES

    def image(self, page: int, width: int) -> bytes:
        """A page, from 0, as a PNG about `width` pixels wide; raises DocumentError.

        A page that could not be drawn is not tried again: it may have taken all the time it is allowed.
        """
        with self._lock:
            if image := self._images.get((page, width)):
                self._images.move_to_end((page, width))
                return image
            if error := self._errors.get(page):
                raise DocumentError(error)
        scale = width / self.boxes.page_size(page)[0]
        try:
            image = self._draw(self.data, page, min(max(scale, MIN_SCALE), MAX_SCALE), self._name)
        except DocumentError as error:
            with self._lock:
                self._errors[page] = str(error)
            raise
        with self._lock:
            self._images[page, width] = image
            while sum(map(len, self._images.values())) > MAX_IMAGE_BYTES:
                self._images.popitem(last=False)
        return image


class PdfFiles:
    """The PDFs that are open, by their keys. Thread-safe.

    A session holds its files, so that they are gone with it, or when a document is removed.
    """

    def __init__(self, *, max_open_bytes: int = MAX_OPEN_BYTES, draw: Draw = _render) -> None:
        """Limit the memory of the files added for visitors."""
        self._max_open_bytes = max_open_bytes
        self._draw = draw
        self._files: weakref.WeakValueDictionary[str, PdfFile] = weakref.WeakValueDictionary()
        self._counted: weakref.WeakSet[PdfFile] = weakref.WeakSet()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """The number of open files."""
        return len(self._files)

    def add(self, document: Document, *, counted: bool = True) -> PdfFile | None:
        """The file of a document that was read with `keep_pdf`; None for another document.

        Raises DocumentError if the counted files take too much memory already.
        """
        if document.pdf is None or document.boxes is None:
            return None
        file = PdfFile(document.pdf, document.boxes, display_source(document), self._draw)
        if not counted:
            self._files[file.key] = file
            return file
        with self._lock:
            open_bytes = sum(other.max_bytes for other in self._counted)
            if open_bytes + file.max_bytes > self._max_open_bytes:
                raise DocumentError(
                    f"This server is full, so “{document.title}” is shown as text only. Remove a "
                    "document, or add it again later to see its pages."
                )
            self._counted.add(file)
            self._files[file.key] = file
        return file

    def get(self, key: str) -> PdfFile | None:
        """The open file with this key."""
        return self._files.get(key)
