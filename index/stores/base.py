"""The interface of a store of many documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from index.documents.blocks import Block, BlockKind
from index.documents.content import Metadata
from index.documents.document import Document
from index.models.types import Vectors
from index.passages.passage import Passage

# Passages found by vector and by BM25 each, which are then fused with these weights.
SEARCH_LIMIT = 50
FUSION_WEIGHTS = (0.5, 0.5)


class Store(Protocol):
    """The passages of documents with different ids, searchable by vector and by BM25."""

    def __len__(self) -> int:
        """The number of searchable passages; after finish(), of all that were put."""
        ...

    def stored_ids(self, documents: Sequence[Document]) -> set[str]:
        """Return the ids of the documents that are completely stored with identical text."""
        ...

    def put(
        self, documents: Sequence[Document], passages: Sequence[Passage], vectors: Vectors
    ) -> None:
        """Add documents, replacing those with the same ids; `vectors` is [passages, dimension]."""
        ...

    def finish(self) -> None:
        """Make everything that was put durable and searchable."""
        ...

    def nearest(self, queries: Sequence[str], vectors: Vectors, k: int) -> list[list[Passage]]:
        """Return the k best passages for each query by vector and BM25, best first."""
        ...

    def document(self, identity: str) -> Document:
        """Return a document, exact except for white space between passages, or raise KeyError."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return the store's address, size and settings, ready for JSON."""
        ...

    def close(self) -> None:
        """Close files and connections."""
        ...


def rebuild_document(
    identity: str, title: str, source: str, passages: Iterable[Passage]
) -> Document:
    """Rebuild a document from its passages, which together lack only white space and kinds of blocks."""
    text = ""
    blocks = []
    for passage in sorted(passages, key=lambda p: p.start):
        gap = passage.start - len(text)
        text += (" " if gap == 1 else "\n" * gap) + passage.text
        blocks += [Block(BlockKind.PARAGRAPH, s.start, s.end) for s in passage.context.segments]
    metadata = Metadata(words=len(text.split()))
    return Document(identity, title, text, source, tuple(blocks), metadata=metadata)
