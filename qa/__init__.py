"""Question in, answer out: the exact words of the article, or that it does not say."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qa.answerer import ArticleAnswerer
    from qa.opening import open_article
    from qa.types import Alternative, Answer, Citation, QuestionError

__all__ = ["Alternative", "Answer", "ArticleAnswerer", "Citation", "QuestionError", "open_article"]


def __getattr__(name: str) -> Any:
    """Import a name when it is first used.

    It takes seconds, and `python -m qa` imports this package before it can handle Ctrl-C.
    """
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("qa.candidates" if name == "Citation" else "qa.answer"), name)
