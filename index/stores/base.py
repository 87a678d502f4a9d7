"""What a store of many documents does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from index.documents.document import Document
from index.models.encoder import Vectors
from index.passages import Passage

# A store blends so many passages that are best by their words and so many that are best by their
# vectors, with the weight of each of the two.
SEARCHED = 50
WEIGHTS = (0.5, 0.5)


class Store(Protocol):
    """Passages, their vectors and their words, of documents each with an id of its own."""

    def __len__(self) -> int:
        """How many passages can be found in it: after finish(), all that were put."""
        ...

    def held(self, documents: Sequence[Document]) -> set[str]:
        """The ids of those documents whose very text is in it, to the last passage."""
        ...

    def put(
        self, documents: Sequence[Document], passages: Sequence[Passage], vectors: Vectors
    ) -> None:
        """Add documents, each in place of what has its id; vectors has a row a passage."""
        ...

    def finish(self) -> None:
        """Make what was put last and found."""
        ...

    def nearest(self, queries: Sequence[str], vectors: Vectors, k: int) -> list[list[Passage]]:
        """The k best passages for each query by its words and its vector together, best first."""
        ...

    def document(self, identity: str) -> Document:
        """A document, with its very characters but for white space between passages; or KeyError."""
        ...

    def describe(self) -> dict[str, Any]:
        """What it says of itself."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


def rebuilt(identity: str, title: str, source: str, passages: Iterable[Passage]) -> Document:
    """A document out of its passages, which leave nothing out but white space."""
    text = ""
    for passage in sorted(passages, key=lambda p: p.start):
        gap = passage.start - len(text)
        text += (" " if gap == 1 else "\n" * gap) + passage.text
    return Document(identity, title, text, source)
