"""A file, a web address or a text in, a Document out; and the paragraphs of a text."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from index.documents.content import MAX_FILE_BYTES, check_text
from index.documents.formats import HEAD, check_size
from index.documents.parser_process import extract
from index.errors import ArticleError, DocumentError

MAX_TITLE = 200

_ADDRESS = re.compile(r"(?:https?|ftp|file)://", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")
# A carriage return counts alone only where no line feed follows, or one line end would pass for two.
_NEWLINE = r"(?:\r\n|\r(?!\n)|[\n\u2028\u2029])"
_BLANK_LINES = re.compile(rf"{_NEWLINE}[^\S\r\n]*{_NEWLINE}\s*|\u2029\s*")
_LINE_END = re.compile(rf"{_NEWLINE}\s*")
# An item of a list or a row of a table: short and without a full stop too, but it says something.
_ITEM = re.compile(r"[-*+–•‣◦▪●]\s|.*\s\|\s")


@dataclass(frozen=True)  # without slots, so that it can be referred to weakly
class Document:
    """A text to ask: every offset in this program counts Python characters of `text`.

    `pages` has the offset where each page starts, and is empty where the format has no pages.
    """

    id: str
    title: str
    text: str
    source: str
    pages: tuple[int, ...] = ()

    @property
    def sha256(self) -> str:
        """The hash of the text, which says whether a saved index is of this very text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def page_of(self, offset: int) -> int | None:
        """The number of the page, from 1, that a character is on; None without pages."""
        return bisect_right(self.pages, offset) or None


def read_document(
    source: str | Path, *, private: bool = False, check: Callable[[], object] = lambda: None
) -> Document:
    """Read a file or what stands at a web address: txt, md, html, pdf or docx.

    `private` allows addresses of this machine and of the networks around it. check() is called while a
    server is waited for, and may raise to give up. Raises DocumentError when there is nothing, nothing
    to read or too much of it.
    """
    if isinstance(source, str) and _ADDRESS.match(source.strip()):
        return _read_address(source.strip(), private, check)
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
    return read_bytes(data, str(path))


def expand_user(path: str | Path, error: type[ArticleError] = DocumentError) -> Path:
    """The path with the home folder in place of "~" or "~user"; raises `error` for an unknown user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise error(
            f"There is no home folder for the user in '{path}': check the path, or give it in full."
        ) from None


def read_bytes(data: bytes, name: str) -> Document:
    """Read what a file of that name, with or without a path, holds; raises DocumentError."""
    content = extract(data, name)
    return make_document(
        content.text,
        name=Path(name).stem,
        source=name,
        title=content.title,
        pages=content.pages,
    )


def make_document(
    text: str, *, name: str, source: str, title: str = "", pages: tuple[int, ...] = ()
) -> Document:
    """Make a document of a text; its title is the one given, or its first heading, or its name."""
    # A file may have a name that is none in any encoding, too.
    text, name, source = well_formed(text), well_formed(name), well_formed(source)
    if not text.strip():
        raise DocumentError(f"'{source}' is empty: open a file that has some text in it.")
    check_text(text, source)
    title = " ".join(well_formed(title).split())[:MAX_TITLE] or _title(text) or name
    return Document(id=name, title=title, text=text, source=source, pages=pages)


def _read_address(address: str, private: bool, check: Callable[[], object]) -> Document:
    from index.documents.fetch import fetch  # takes a while to import, and most documents are files

    found = fetch(address, private=private, check=check)
    content = extract(found.data, found.url, media_type=found.media_type, charset=found.charset)
    parts = urlsplit(found.url)
    last = Path(unquote(parts.path)).stem
    return make_document(
        content.text,
        name=re.sub(r"[^\w.-]+", "-", f"{parts.hostname}-{last}" if last else f"{parts.hostname}"),
        source=found.url,
        title=content.title,
        pages=content.pages,
    )


def well_formed(text: str) -> str:
    """The text with U+FFFD for every lone surrogate, which no encoding can carry; offsets stay."""
    return _SURROGATE.sub("\ufffd", text)


def paragraphs(text: str) -> list[tuple[int, int]]:
    """Offsets of the paragraphs, in order and without the white space around them.

    Blank lines part them; in a text without any, every line is a paragraph.
    """
    parting = _BLANK_LINES if _BLANK_LINES.search(text.strip()) else _LINE_END
    found = []
    start = 0
    for end, following in [*(m.span() for m in parting.finditer(text)), (len(text), len(text))]:
        block = text[start:end]
        if block.strip():
            left = start + len(block) - len(block.lstrip())
            found.append((left, start + len(block.rstrip())))
        start = following
    return found


def _title(text: str) -> str:
    first = paragraphs(text)[0]
    title = text[slice(*first)]
    if len(title) > MAX_TITLE or "\n" in title or not is_heading(title):
        return ""
    return title.strip("“”\"'#*= ")


def is_heading(paragraph: str) -> bool:
    """Whether a paragraph, by its form, is a heading: short, with no sentence's end at its end."""
    if len(paragraph) > MAX_TITLE or _ITEM.match(paragraph):
        return False
    bare = paragraph.rstrip("”’»\"')]*_ ")
    return not bare.endswith((*".!?…:;,", *"。！？；，", "।", "؟"))
