"""Put documents into a store in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from index.documents.document import Document
from index.models.types import Encoder, Progress
from index.passages.split import split_passages
from index.stores.base import Store

# Characters of text that are split, encoded and put at a time.
BATCH_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class FillResult:
    """The documents and passages added to a store, and the documents that it had already."""

    documents: int
    passages: int
    already_stored: int


def fill(
    store: Store, documents: Iterable[Document], encoder: Encoder, progress: Progress | None = None
) -> FillResult:
    """Put the documents into a store that it does not have yet.

    Calls progress(done, total) with the passages of each batch. A fill that was interrupted can be
    started again, and does not encode stored documents again.
    """
    added_documents = added_passages = already_stored = 0
    for batch in _batches(documents):
        stored = store.stored_ids(batch)
        new = [document for document in batch if document.id not in stored]
        passages = [
            passage
            for document in new
            for passage in split_passages(document, encoder.count_pieces, encoder.max_pieces - 2)
        ]
        if new:
            vectors = encoder.encode_texts([p.context.text for p in passages], progress)
            store.put(new, passages, vectors)
        added_documents += len(new)
        added_passages += len(passages)
        already_stored += len(batch) - len(new)
    store.finish()
    return FillResult(added_documents, added_passages, already_stored)


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Yield batches of documents; of those with one id in a batch, only the last."""
    batch: dict[str, Document] = {}
    size = 0
    for document in documents:
        batch[document.id] = document
        size += len(document.text)
        if size >= BATCH_CHARACTERS:
            yield list(batch.values())
            batch, size = {}, 0
    if batch:
        yield list(batch.values())
