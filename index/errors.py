"""What goes wrong with what a person gives: each message is one sentence with what to do next."""


class ArticleError(Exception):
    """The base of this program's own errors; its text is meant to be shown as it is."""


class DocumentError(ArticleError):
    """An article cannot be opened."""


class EncoderError(ArticleError):
    """An encoder cannot be loaded."""


class SavedIndexError(ArticleError):
    """A saved index does not fit or is damaged, or a new one cannot be written."""


class StoreError(ArticleError):
    """A store cannot be opened, read or filled."""
