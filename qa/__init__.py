"""Answer questions with quotations from documents."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qa.answerer import ArticleAnswerer
    from qa.opening import open_article, open_articles
    from qa.types import Alternative, Answer, Citation, QuestionError, Turn

__all__ = [
    "Alternative",
    "Answer",
    "ArticleAnswerer",
    "Citation",
    "QuestionError",
    "Turn",
    "open_article",
    "open_articles",
]
_MODULES = {"ArticleAnswerer": "answerer", "open_article": "opening", "open_articles": "opening"}


def __getattr__(name: str) -> Any:
    """Import a public name on first use.

    The import takes seconds, and `python -m qa` imports this package before it can handle Ctrl-C.
    """
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"qa.{_MODULES.get(name, 'types')}"), name)
