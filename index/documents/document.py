"""A file, a web address or a text in, a Document out."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from index.documents.blocks import Block, section_path
from index.documents.boxes import Boxes
from index.documents.cleaning import replace_surrogates
from index.documents.content import MAX_FILE_BYTES, MAX_TITLE, Content, Metadata, check_text
from index.documents.formats import HEAD, check_size, format_of
from index.documents.parser_process import extract
from index.documents.text.reader import paragraph_blocks, read_plain_text
from index.errors import ArticleError, DocumentError

_ADDRESS = re.compile(r"(?:https?|ftp|file)://", re.IGNORECASE)


@dataclass(frozen=True)  # without slots, so that it can be referred to weakly
class Document:
    """A text to ask, made of blocks; every offset in this program counts Python characters of `text`.

    `pages` has the offset where each page starts, and is empty where the format has no pages. `boxes`
    has where its characters stand on them, None where that is not known. `pdf` has the bytes of a PDF if
    they were kept when it was read, to draw its pages.
    """

    id: str
    title: str
    text: str
    source: str
    blocks: tuple[Block, ...] = ()
    pages: tuple[int, ...] = ()
    metadata: Metadata = field(default_factory=Metadata)
    boxes: Boxes | None = field(default=None, compare=False, repr=False)
    pdf: bytes | None = field(default=None, compare=False, repr=False)

    def __deepcopy__(self, _: object) -> Document:
        """The document itself, since nothing in it changes."""
        return self

    @cached_property
    def sha256(self) -> str:
        """The hash of its text, title and blocks, which tells whether a saved index is of it."""
        content = repr((self.title, self.text, self.blocks))
        return hashlib.sha256(content.encode()).hexdigest()

    @cached_property
    def _starts(self) -> list[int]:
        return [block.start for block in self.blocks]

    @cached_property
    def paragraph_numbers(self) -> list[int | None]:
        """The number of each block as a reader counts paragraphs, from 1; None for headings.

        A list or a table counts as one paragraph.
        """
        numbers: list[int | None] = []
        count, group = 0, None
        for block in self.blocks:
            if not block.is_heading:
                count += block.group is None or block.group != group
            numbers.append(None if block.is_heading else count)
            group = block.group
        return numbers

    def page_of(self, offset: int) -> int | None:
        """The number of the page, from 1, that a character is on; None without pages."""
        return bisect_right(self.pages, offset) or None

    def block_at(self, offset: int) -> int | None:
        """The number of the block that a character is in or follows; None before the first one."""
        number = bisect_right(self._starts, offset) - 1
        return None if number < 0 else number

    def blocks_between(self, start: int, end: int) -> range:
        """The numbers of the blocks that have some of the characters start..end."""
        first = bisect_right(self.blocks, start, key=lambda block: block.end)
        return range(first, bisect_left(self.blocks, end, lo=first, key=lambda block: block.start))

    def section_at(self, offset: int) -> list[str]:
        """The headings that a character stands under, outermost first."""
        number = self.block_at(offset)
        path = [] if number is None else section_path(self.blocks, number)
        return [self.text[self.blocks[at].start : self.blocks[at].end] for at in path]


def read_document(
    source: str | Path,
    *,
    allow_private_urls: bool = False,
    keep_pdf: bool = False,
    check: Callable[[], object] = lambda: None,
) -> Document:
    """Read a file or what stands at a web address: see index.documents.formats.FORMATS.

    `allow_private_urls` allows web addresses on this machine and in private networks. `keep_pdf` keeps
    the bytes of a PDF in the document. check() is called while waiting for a server, and may raise to
    give up. Raises DocumentError when there is nothing to read, or too much.
    """
    if isinstance(source, str) and _ADDRESS.match(source.strip()):
        return _read_address(source.strip(), allow_private_urls, keep_pdf, check)
    path = expand_user(source)
    try:
        if path.is_dir():
            raise DocumentError(f"'{path}' is a folder: give the file itself.")
        with path.open("rb") as file:
            data = file.read(HEAD)
            check_size(path.stat().st_size, data, str(path))
            data += file.read(MAX_FILE_BYTES)  # what is no plain file may have no end
    except FileNotFoundError:
        raise DocumentError(f"There is no file '{path}': check the path.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DocumentError(
            f"'{path}' cannot be read ({reason}): check that it is a file you may open."
        ) from None
    return read_bytes(data, str(path), keep_pdf=keep_pdf)


def expand_user(path: str | Path, error: type[ArticleError] = DocumentError) -> Path:
    """The path with the home folder in place of "~" or "~user"; raises `error` for an unknown user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise error(
            f"There is no home folder for the user in '{path}': check the path, or give it in full."
        ) from None


def read_bytes(data: bytes, name: str, *, keep_pdf: bool = False) -> Document:
    """Read what a file of that name, with or without a path, holds; raises DocumentError.

    `keep_pdf` keeps the bytes of a PDF in the document.
    """
    document = document_of(extract(data, name), name=Path(name).stem, source=name)
    return _with_pdf(document, data) if keep_pdf else document


def make_document(text: str, *, name: str, source: str, title: str = "") -> Document:
    """Make a document of plain text; its title is the one given, or its first heading, or its name."""
    return document_of(read_plain_text(text), name=name, source=source, title=title)


def of_paragraphs(
    paragraphs: Sequence[str], *, name: str, source: str, title: str = ""
) -> Document:
    """Make a document of paragraphs that are kept as they are, one block each, none of them empty."""
    text, blocks = paragraph_blocks(paragraphs)
    metadata = Metadata(words=len(text.split()))
    return Document(name, title or name, text, source, blocks, metadata=metadata)


def document_of(content: Content, *, name: str, source: str, title: str = "") -> Document:
    """Make a document of what a file holds; raises DocumentError where that is nothing or too much."""
    # A file may have a name that is none in any encoding.
    name, source = replace_surrogates(name), replace_surrogates(source)
    if not content.blocks:
        raise DocumentError(f"'{source}' is empty: open a file that has some text in it.")
    check_text(content.text, source)
    title = " ".join(replace_surrogates(title).split())[:MAX_TITLE]
    return Document(
        id=name,
        title=title or content.title or name,
        text=content.text,
        source=source,
        blocks=content.blocks,
        pages=content.pages,
        metadata=content.metadata,
        boxes=content.boxes,
    )


def _with_pdf(document: Document, data: bytes) -> Document:
    """The document with the bytes that it was read from, if they are a PDF."""
    is_pdf = document.boxes is not None and format_of(data, document.source) == "pdf"
    return replace(document, pdf=data) if is_pdf else document


def _read_address(
    address: str, allow_private_urls: bool, keep_pdf: bool, check: Callable[[], object]
) -> Document:
    from index.documents.fetch import fetch  # takes a while to import, and most documents are files

    found = fetch(address, allow_private_urls=allow_private_urls, check=check)
    content = extract(found.data, found.url, media_type=found.media_type, charset=found.charset)
    parts = urlsplit(found.url)
    last = Path(unquote(parts.path)).stem
    name = re.sub(r"[^\w.-]+", "-", f"{parts.hostname}-{last}" if last else f"{parts.hostname}")
    document = document_of(content, name=name, source=found.url)
    return _with_pdf(document, found.data) if keep_pdf else document
