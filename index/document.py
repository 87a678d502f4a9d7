"""A file or a text in, a Document out; and the paragraphs of a text."""

from __future__ import annotations

import codecs
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import charset_normalizer

from index.errors import DocumentError

# A long novel has 3 MB. More would be encoded for an hour on a small CPU before the first answer.
MAX_BYTES = 5_000_000
MAX_TITLE = 200

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins like UTF-16's, so it is looked for first
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Control characters that no text has; form feed, tab and the line ends are text.
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# A carriage return counts alone only where no line feed follows, or one line end would pass for two.
_NEWLINE = r"(?:\r\n|\r(?!\n)|[\n\u2028\u2029])"
_BLANK_LINES = re.compile(rf"{_NEWLINE}[^\S\r\n]*{_NEWLINE}\s*|\u2029\s*")
_LINE_END = re.compile(rf"{_NEWLINE}\s*")


@dataclass(frozen=True, slots=True)
class Document:
    """A text to ask: every offset in this program counts Python characters of `text`."""

    id: str
    title: str
    text: str
    source: str

    @property
    def sha256(self) -> str:
        """The hash of the text, which says whether a saved index is of this very text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def read_document(path: str | Path) -> Document:
    """Read a text file; raises DocumentError when it is missing, empty, too large or not text."""
    path = Path(path).expanduser()
    if path.is_dir():
        raise DocumentError(f"'{path}' is a folder: give the text file itself.")
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise DocumentError(
                f"'{path}' has {size / 1e6:.1f} MB and the limit is {MAX_BYTES / 1e6:.0f} MB: "
                "split it and open a part."
            )
        data = path.read_bytes()
    except FileNotFoundError:
        raise DocumentError(f"There is no file '{path}': check the path.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DocumentError(
            f"'{path}' cannot be read ({reason}): check that it is a text file you may open."
        ) from None
    return make_document(_decode(data, path), name=path.stem, source=str(path))


def make_document(text: str, *, name: str, source: str) -> Document:
    """Make a document of a text; `name` is its id, and its title where the text has none."""
    text = well_formed(text)
    if not text.strip():
        raise DocumentError(f"'{source}' is empty: open a file that has some text in it.")
    return Document(id=name, title=_title(text) or name, text=text, source=source)


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


def _decode(data: bytes, path: Path) -> str:
    text = None
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            text = data[len(mark) :].decode(encoding, "replace")
            break
    if text is None:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            # An old eight-bit encoding has no zero byte; a guess at anything else would be noise.
            best = None if b"\0" in data else charset_normalizer.from_bytes(data).best()
            text = str(best) if best else None
    if text is None or _BINARY.search(text):
        raise DocumentError(f"'{path}' is not text: save it as plain text (.txt) and open that.")
    return text


def _title(text: str) -> str:
    first = paragraphs(text)[0]
    title = text[slice(*first)]
    if len(title) > MAX_TITLE or "\n" in title or not is_heading(title):
        return ""
    return title.strip("“”\"'#*= ")


def is_heading(paragraph: str) -> bool:
    """Whether a paragraph, by its form, is a heading: short, with no sentence's end at its end."""
    bare = paragraph.rstrip("”’»\"')]*_ ")
    return len(paragraph) <= MAX_TITLE and not bare.endswith((*".!?…:;,", *"。！？；，", "।", "؟"))
