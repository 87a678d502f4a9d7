"""Errors that a user can fix. Each message is one sentence that says what to do next."""


class ArticleError(Exception):
    """The base of the program's errors; its text is shown to the user as it is."""


class DocumentError(ArticleError):
    """A document cannot be opened."""


class EncoderError(ArticleError):
    """An encoder cannot be loaded."""


class SavedIndexError(ArticleError):
    """A saved index is damaged or does not fit, or cannot be written."""


class StoreError(ArticleError):
    """A store cannot be opened, read or filled."""
