"""Put documents into a store, batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from index.documents.document import Document
from index.models.encoder import Encoder, Progress
from index.passages import split_passages
from index.stores.base import Store

# Characters of text that are split, encoded and put at a time.
BATCH_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Filled:
    """What was added to a store, and how many documents it already had."""

    documents: int
    passages: int
    held: int


def fill(
    store: Store, documents: Iterable[Document], encoder: Encoder, progress: Progress | None = None
) -> Filled:
    """Put into a store what it does not hold yet; progress(done, total) counts a batch's passages.

    It can be stopped at any moment and started again: what is there already is not encoded again.
    """
    added = passages_added = held = 0
    for batch in _batches(documents):
        there = store.held(batch)
        fresh = [document for document in batch if document.id not in there]
        passages = [
            passage
            for document in fresh
            for passage in split_passages(document, encoder.count_pieces, encoder.max_pieces - 2)
        ]
        if fresh:
            vectors = encoder.encode_texts([p.text for p in passages], progress)
            store.put(fresh, passages, vectors)
        added, passages_added = added + len(fresh), passages_added + len(passages)
        held += len(batch) - len(fresh)
    store.finish()
    return Filled(added, passages_added, held)


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Documents by the batch, none of which has two of one id: the last of them counts."""
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
