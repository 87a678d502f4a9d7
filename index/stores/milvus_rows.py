"""The rows of a Milvus collection, one for each passage."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from index.documents.document import Document
from index.errors import StoreError
from index.models.types import Vectors
from index.passages.layout import pack, unpack
from index.passages.passage import Passage
from index.search.sparse import split_words
from index.storage import sha256

# The longest texts that Milvus takes, in bytes.
MAX_TEXT_BYTES = 65_535
MAX_ID_BYTES = 1_024

PASSAGE_FIELDS = ("document", "start", "text", "layout")
DOCUMENT_FIELDS = ("title", "source")


def make_rows(
    documents: Sequence[Document], passages: Sequence[Passage], vectors: Vectors
) -> list[dict[str, Any]]:
    """Make a row of each passage; raises StoreError for a text that is too long for Milvus.

    The key of a row is a hash of its content, so that putting it twice does not duplicate it. `total`
    is the number of rows of the document, which reveals documents that are stored in part.
    """
    totals = Counter(passage.document_id for passage in passages)
    document_fields: dict[str, dict[str, Any]] = {
        document.id: {
            "document": document.id,
            "document_key": document_key(document.id),
            "title": document.title,
            "source": document.source[:MAX_ID_BYTES],
            "sha256": document.sha256,
            "total": totals[document.id],
        }
        for document in documents
    }
    rows = [
        {
            **document_fields[passage.document_id],
            "key": _passage_key(document_fields[passage.document_id]["sha256"], passage),
            "start": passage.start,
            "end": passage.end,
            "text": passage.text,
            "terms": " ".join(terms),
            "layout": pack(passage),
            "dense": vector,
        }
        for passage, terms, vector in zip(
            passages, split_words([p.context.text for p in passages]), vectors, strict=True
        )
    ]
    for row in rows:
        _check_sizes(row)
    return rows


def read_passage(row: Mapping[str, Any]) -> Passage:
    """Make a passage of a row's PASSAGE_FIELDS; raises StoreError if they are damaged."""
    try:
        return unpack(row["document"], row["start"], row["text"], row["layout"])
    except (ValueError, TypeError) as error:
        raise StoreError(
            f"A passage of '{row['document'][:80]}' in the store is damaged ({error}): put the document "
            "in again."
        ) from error


def of_documents(identities: Iterable[str]) -> str:
    """Return the filter for the rows of the documents with these ids."""
    return f"document_key in {json.dumps([document_key(identity) for identity in identities])}"


def document_key(identity: str) -> str:
    """Return a hash of a document's id, so that filters contain no text of a user."""
    return sha256(identity.encode())


def _passage_key(text_sha256: str, passage: Passage) -> str:
    offsets = f"{passage.start}-{passage.end}"
    return sha256(f"{text_sha256} {offsets} {passage.document_id}".encode())


def _check_sizes(row: Mapping[str, Any]) -> None:
    for field, limit in (
        ("document", MAX_ID_BYTES),
        ("text", MAX_TEXT_BYTES),
        ("terms", MAX_TEXT_BYTES),
    ):
        if (size := len(row[field].encode())) > limit:
            raise StoreError(
                f"The document '{row['document'][:80]}' has {size:,} bytes in a field '{field}', and "
                f"Milvus takes {limit:,}: leave it out, or use a store in a folder."
            )
