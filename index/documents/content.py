"""What a file holds, whatever its format."""

from __future__ import annotations

import re
from dataclasses import dataclass

from index.errors import DocumentError

# A long novel has 3 MB. More would be encoded for an hour on a small CPU before the first answer.
MAX_BYTES = 5_000_000
# Files that are not plain text bring markup, fonts and pictures along.
MAX_FILE_BYTES = 20_000_000

# Titles that a program has made of a file's name, or for want of one.
_MADE_UP = re.compile(
    r"microsoft \w+ - .*|untitled.*|(?:word )?document ?\d*|powerpoint presentation|slide \d+"
    r"|(?:about:|data:|file:|https?://)\S*"  # a page that a browser printed
    r"|.*\.(?:docx?|odt|rtf|tex|dvi|pdf|pptx?|indd|qxd|pages|html?|txt|md)",
    re.IGNORECASE,
)
_SHOWS_NOTHING = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u2060\ufeff]")
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
)


@dataclass(frozen=True, slots=True)
class Content:
    """The text of a file, its title if it has one, and where in the text each of its pages starts."""

    text: str
    title: str = ""
    pages: tuple[int, ...] = ()


def legible(text: str) -> str:
    """The text without characters that show nothing and would part a word from its like.

    They are control characters, soft hyphens and joiners of no width; ligatures are spelled out.
    """
    return _SHOWS_NOTHING.sub("", text.translate(_LIGATURES))


def check_text(text: str, source: str) -> None:
    """Raise DocumentError for more text than a document may have."""
    size = len(text.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        raise DocumentError(
            f"'{source}' has {size / 1e6:.1f} MB of text and the limit is {MAX_BYTES / 1e6:.0f} MB: "
            "split it and open a part."
        )


def given_title(title: str | None) -> str:
    """The title that a file gives itself, or nothing where no person can have given it."""
    title = " ".join((title or "").split())
    return title if len(title) > 2 and not _MADE_UP.fullmatch(title) else ""
