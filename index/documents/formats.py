"""The bytes of a file in, what it holds out; the bytes tell the format, or else the name does."""

from __future__ import annotations

import codecs
import contextlib
import re

import charset_normalizer

from index.documents.content import MAX_BYTES, MAX_FILE_BYTES, Content
from index.documents.text.reader import read_plain_text
from index.errors import DocumentError

# What can be opened, for messages and help texts.
FORMATS = "txt, md, html, pdf, docx, xlsx, csv, pptx or epub"
# The format is told by so many of the first bytes.
HEAD = 4096

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins like UTF-16's, so it is looked for first
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Control characters that no text has; form feed, tab and the line ends are text.
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_HTML = re.compile(
    r"\ufeff?\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
# Python knows codecs that are no encodings of a text, and some of them take forever.
_ENCODING = re.compile(
    r"(?:utf-(?:8|16|32)|iso8859|iso2022|cp\d|koi8|gb|hz|big5|euc|shift|johab|mac|ascii)"
)
# When more of the characters are none in the encoding that was named, it is the wrong one.
MAX_WRONG = 0.001
# In damaged UTF-8 there are at least so many characters beyond ASCII for each damaged place, and one for
# each damaged byte. In texts of thirty other encodings there was one for each place at most.
MIN_INTACT = 3
_BAD_BYTES = re.compile("[\udc80-\udcff]+")  # as Python's surrogateescape writes them
# What browsers take the encodings for that pages name.
_AS_BROWSERS_DO = {"iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}
_BY_NAME = {
    **dict.fromkeys(("html", "htm", "xhtml"), "html"),
    **dict.fromkeys(("md", "markdown", "mkd"), "markdown"),
    **dict.fromkeys(("csv", "tsv"), "csv"),
    **dict.fromkeys(("docx", "docm", "xlsx", "xlsm", "pptx", "pptm", "ppsx", "epub"), "zip"),
    "pdf": "pdf",
}
# What the old programs call the stream that holds the document, and as what they can save it today.
_OLD_OFFICE = {"WordDocument": ".docx", "PowerPoint Document": ".pptx", "Workbook": ".xlsx"}
_BY_MEDIA_TYPE = {
    "text/markdown": "markdown",
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
}


def extract(data: bytes, source: str, *, media_type: str = "", charset: str = "") -> Content:
    """Read what a file of any format holds; raises DocumentError, whose sentence names the source.

    The media type and the charset are what a server says of the data.
    """
    if not data.strip():
        raise DocumentError(f"'{source}' is empty: open a file that has some text in it.")
    check_size(len(data), data, source, media_type)
    kind = format_of(data, source, media_type)
    # A parser takes a while to import, so each is when there is something to parse.
    if kind == "pdf":
        from index.documents.pdf.reader import read_pdf

        return read_pdf(data, source)
    if kind == "zip":
        from index.documents.archive import read_archive

        return read_archive(data, source)
    if kind == "html":
        from index.documents.html.reader import read_html

        named = _CHARSET.search(data[:HEAD])
        charset = charset or (named[1].decode("ascii") if named else "")
        return read_html(_decode(data, source, charset), source)
    if kind == "markdown":
        from index.documents.markdown.reader import read_markdown

        return read_markdown(_decode(data, source, charset))
    if kind == "csv":
        from index.documents.csv_file import read_csv

        return read_csv(_decode(data, source, charset), source)
    if kind == "office":
        raise DocumentError(f"'{source}' {_refuse_old_office(data)}.")
    if kind == "rtf":
        raise DocumentError(f"'{source}' is rich text (RTF): save it as .docx and open that.")
    return read_plain_text(_decode(data, source, charset))


def _refuse_old_office(data: bytes) -> str:
    """Why a file of the old container of Office cannot be opened, and what to do."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        return "has a password: save a copy without one and open that"
    for stream, suffix in _OLD_OFFICE.items():
        if stream.encode("utf-16-le") in data:
            return f"is of an Office before 2007: save it as {suffix} and open that"
    return "is of an Office before 2007: save it as .docx, .xlsx or .pptx and open that"


def check_size(size: int, head: bytes, source: str, media_type: str = "") -> None:
    """Raise DocumentError for more bytes than a file that begins with these may have."""
    plain = format_of(head, source, media_type) in ("text", "markdown", "csv")
    limit = MAX_BYTES if plain else MAX_FILE_BYTES
    if size > limit:
        raise DocumentError(
            f"'{source}' has {size / 1e6:.1f} MB and the limit is {limit / 1e6:.0f} MB: "
            "split it and open a part."
        )


def format_of(data: bytes, source: str, media_type: str = "") -> str:
    """The format by the first bytes, what a server says, or the name.

    One of pdf, zip (Word, Excel, PowerPoint, EPUB), html, markdown, csv, office, rtf and text.
    """
    head = data[:HEAD]
    if head.lstrip(b"\xef\xbb\xbf\0\t\r\n ").startswith(b"%PDF-"):
        return "pdf"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return "office"
    if head.startswith(b"{\\rtf"):
        return "rtf"
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if head.startswith(mark)), "latin-1")
    if _HTML.match(head.decode(encoding, "replace")):
        return "html"
    if "html" in media_type:
        return "html"
    if media_type in _BY_MEDIA_TYPE:
        return _BY_MEDIA_TYPE[media_type]
    suffix = source.rpartition("?")[0] or source
    kind = _BY_NAME.get(suffix.rpartition(".")[2].lower(), "text")
    # A server that says "text" means no format that is not.
    return "text" if media_type.startswith("text/") and kind in ("pdf", "zip", "html") else kind


def _encoding(charset: str) -> str:
    """The encoding that a page or a server means, or nothing where there is none of that name."""
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):
        return ""
    return _AS_BROWSERS_DO.get(name, name) if _ENCODING.match(name) else ""


def _decode(data: bytes, source: str, charset: str = "") -> str:
    """The text of bytes: by their mark, the charset that was named, as UTF-8, or by a guess."""
    text = None
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            text = data[len(mark) :].decode(encoding, "replace")
            break
    named = _encoding(charset)
    for encoding in (named, "utf-8"):
        if text is None and encoding:
            with contextlib.suppress(UnicodeError):
                text = data.decode(encoding)
    if text is None and named:
        text = data.decode(named, "replace")
        if text.count("\ufffd") > MAX_WRONG * len(text):
            text = None
    if text is None and _is_damaged_utf8(data):
        text = data.decode("utf-8", "replace")
    if text is None:
        # An old eight-bit encoding has no zero byte; a guess at anything else would be noise.
        text = None if b"\0" in data else _guess(data)
    if text is None or _BINARY.search(text):
        raise DocumentError(
            f"'{source}' is not text: save it as plain text (.txt), html, pdf or docx and open that."
        )
    return text


def _guess(data: bytes) -> str | None:
    """The text in the encoding that makes most sense; None where none does."""
    matches = charset_normalizer.from_bytes(data)
    best = matches.best()
    if best is None:
        return None
    # Of those that make equal sense, the one that most files are in.
    western = next((one for one in matches if one.encoding == "cp1252"), best)
    return str(western if western.coherence >= best.coherence else best)


def _is_damaged_utf8(data: bytes) -> bool:
    """Whether bytes are UTF-8 but for a few, or for a character that is cut off at their end."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    text = decoder.decode(data)  # which keeps to itself what may go on
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    places = [len(found[0]) for found in _BAD_BYTES.finditer(text)]
    intact = beyond_ascii - sum(places)
    return intact > 0 and intact >= max(MIN_INTACT * len(places), sum(places))
