"""Question in, answer out: the exact words of the article, or that it does not say."""

from qa.answer import Alternative, Answer, Answerer, QuestionError, open_article
from qa.candidates import Citation

__all__ = ["Alternative", "Answer", "Answerer", "Citation", "QuestionError", "open_article"]
