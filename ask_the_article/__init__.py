"""Ask questions about documents; answers are quoted word for word, with citations."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from index.errors import (
        ArticleError,
        DocumentError,
        EncoderError,
        SavedIndexError,
        StoreError,
    )
    from qa.answerer import ArticleAnswerer
    from qa.opening import open_article, open_articles
    from qa.reader import ReaderError
    from qa.types import Alternative, Answer, Citation, QuestionError, Turn

__version__ = "0.2.0"
__all__ = [
    "Alternative",
    "Answer",
    "ArticleAnswerer",
    "ArticleError",
    "Citation",
    "DocumentError",
    "EncoderError",
    "QuestionError",
    "ReaderError",
    "SavedIndexError",
    "StoreError",
    "Turn",
    "__version__",
    "open_article",
    "open_articles",
]
_EXPORTS = {
    "index.errors": (
        "ArticleError",
        "DocumentError",
        "EncoderError",
        "SavedIndexError",
        "StoreError",
    ),
    "qa.answerer": ("ArticleAnswerer",),
    "qa.opening": ("open_article", "open_articles"),
    "qa.reader": ("ReaderError",),
    "qa.types": ("Alternative", "Answer", "Citation", "QuestionError", "Turn"),
}
_MODULES = {name: module for module, names in _EXPORTS.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a name on first use: it takes seconds, and the command line must handle Ctrl-C first."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
