"""Clean what a file says: its characters, and the titles and authors that no person gave."""

from __future__ import annotations

import re

# Titles that a program has made of a file's name, or for want of one.
_MADE_UP = re.compile(
    r"microsoft \w+ - .*|untitled.*|(?:word )?document ?\d*|powerpoint presentation"
    r"|(?:slide|sheet|book|workbook|presentation|mappe) ?\d+"
    r"|(?:about:|data:|file:|https?://)\S*"  # a page that a browser printed
    r"|.*\.(?:do[ct][xm]?|odt|rtf|tex|dvi|pdf|pp[st][xm]?|xl[st][xm]?|csv|tsv|epub|indd|qxd|pages"
    r"|html?|txt|md)",
    re.IGNORECASE,
)
MAX_AUTHOR = 200
# Authors that a program has written for want of one.
_NOBODY = re.compile(
    r"python-docx|openpyxl|xlsxwriter|apache poi|calibre.*|microsoft(?: office(?: user)?)?|unknown"
    r"|admin(?:istrator)?|(?:windows |default )?user|author|owner|none|null",
    re.IGNORECASE,
)
_INVISIBLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u2060\ufeff]")
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_END = re.compile(r"\r\n|\r")


def clean(text: str) -> str:
    """The text with plain line ends, and U+FFFD for lone surrogates."""
    return replace_surrogates(_LINE_END.sub("\n", text))


def replace_surrogates(text: str) -> str:
    """The text with U+FFFD for every lone surrogate, which no encoding can carry; offsets stay."""
    return _SURROGATE.sub("\ufffd", text)


def strip_invisible(text: str) -> str:
    """The text without characters that show nothing and would part a word from its like.

    They are control characters, soft hyphens and joiners of no width; ligatures are spelled out.
    """
    return _INVISIBLE.sub("", text.translate(_LIGATURES))


def given_title(title: str | None) -> str:
    """The title that a file gives itself, or nothing where no person can have given it."""
    title = " ".join((title or "").split())
    return title if len(title) > 2 and not _MADE_UP.fullmatch(title) else ""


def given_author(author: str | None) -> str:
    """The author that a file names, or nothing where a program has filled that in."""
    author = " ".join((author or "").split())[:MAX_AUTHOR]
    return "" if _NOBODY.fullmatch(author) else author
