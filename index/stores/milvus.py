"""A store in Milvus, which may run on many machines, or in a file with Milvus Lite."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from index.documents.document import Document
from index.errors import StoreError
from index.models.types import Encoder, Vectors
from index.passages.passage import Passage
from index.search.sparse import split_words
from index.stores.base import FUSION_WEIGHTS, SEARCH_LIMIT, rebuild_document
from index.stores.milvus_address import hide_password, parse_address
from index.stores.milvus_rows import (
    DOCUMENT_FIELDS,
    MAX_ID_BYTES,
    MAX_TEXT_BYTES,
    PASSAGE_FIELDS,
    make_rows,
    of_documents,
    read_passage,
)

try:
    from pymilvus import (
        AnnSearchRequest,
        DataType,
        Function,
        FunctionType,
        MilvusClient,
        MilvusException,
        WeightedRanker,
    )
except ImportError as error:
    raise StoreError(
        f"A store in Milvus needs packages that are not installed ({error.name}): install them with "
        "'pip install -r requirements-milvus.txt'."
    ) from error

# pymilvus logs a traceback of each error, which StoreError reports in one sentence.
logging.getLogger("pymilvus").setLevel(logging.CRITICAL)

FORMAT_VERSION = 2
# Rows sent at a time: a few megabytes, where Milvus takes 64.
BATCH_ROWS = 500
# HNSW is the graph of Malkov & Yashunin 2020; the index of document_key avoids scanning all rows.
INDEXES: dict[str, dict[str, Any]] = {
    "dense": {
        "index_type": "HNSW",
        "metric_type": "IP",
        "params": {"M": 32, "efConstruction": 200},
    },
    "sparse": {
        "index_type": "SPARSE_INVERTED_INDEX",
        "metric_type": "BM25",
        "params": {"bm25_k1": 1.2, "bm25_b": 0.75},
    },
    "document_key": {"index_type": "INVERTED"},
}
# The candidates that a search of the HNSW graph keeps.
SEARCH_PARAMS = {"ef": 128}
# How long a server may take to answer.
TIMEOUT_SECONDS = 30.0
# How long another build may take to finish creating the collection.
CREATION_TIMEOUT_SECONDS = 5.0


class MilvusStore:
    """A collection with a row for each passage; Milvus computes BM25 from the passage's stems.

    Any number of builds can fill one collection at once, since putting a row twice does not duplicate
    it, and documents that a killed build stored in part are recognized.
    """

    def __init__(self, address: str, encoder: Encoder) -> None:
        """Connect, and create the collection if it is missing; parse_address describes addresses.

        Raises StoreError if Milvus does not answer, or if the collection is of another encoder.
        """
        self.address = hide_password(address)
        parsed = parse_address(address)
        self._encoder = encoder
        # The settings are part of the name, since not every Milvus stores a description.
        settings = f"{FORMAT_VERSION}_{encoder.revision[:12]}_{encoder.max_pieces}"
        prefix = f"{parsed.collection}_v"
        self._collection = f"{prefix}{settings}"
        with self._store_errors():
            self._client = MilvusClient(uri=parsed.uri, token=parsed.token, timeout=TIMEOUT_SECONDS)
            existing = self._client.list_collections(timeout=TIMEOUT_SECONDS)
            if self._collection not in existing:
                if other := next((name for name in existing if name.startswith(prefix)), None):
                    raise StoreError(
                        f"The collection '{other}' in {self.address} does not fit: its format version, "
                        f"encoder_revision and max_pieces are not {settings}; name the --encoder that "
                        "it was built with, or another collection."
                    )
                self._create_collection(parsed.shards)
            self._create_indexes()
            self._client.load_collection(
                self._collection, timeout=TIMEOUT_SECONDS, replica_number=parsed.replicas
            )

    def __len__(self) -> int:
        """The number of passages."""
        with self._store_errors():
            (row,) = self._client.query(
                self._collection,
                filter="",
                output_fields=["count(*)"],
                consistency_level="Session",
                timeout=TIMEOUT_SECONDS,
            )
        return int(row["count(*)"])

    def stored_ids(self, documents: Sequence[Document]) -> set[str]:
        """Return the ids of the documents that are completely stored with identical text."""
        texts = {document.id: document.sha256 for document in documents}
        missing_rows: dict[str, int] = {}
        for row in self._rows(of_documents(texts), ("document", "sha256", "total")):
            identity = row["document"]
            # A row of another text makes the count negative for good.
            same = row["sha256"] == texts.get(identity)
            missing_rows[identity] = missing_rows.get(identity, row["total"]) - 1 if same else -1
        return {identity for identity, missing in missing_rows.items() if missing == 0}

    def put(
        self, documents: Sequence[Document], passages: Sequence[Passage], vectors: Vectors
    ) -> None:
        """Add documents, replacing those with the same ids; `vectors` is [passages, dimension].

        Raises StoreError if a text is too long for Milvus, or if Milvus refuses.
        """
        rows = make_rows(documents, passages, vectors)
        with self._store_errors():
            for first in range(0, len(rows), BATCH_ROWS):
                self._client.upsert(
                    self._collection, rows[first : first + BATCH_ROWS], timeout=TIMEOUT_SECONDS
                )
            for identity, sha256 in {d.id: d.sha256 for d in documents}.items():
                self._client.delete(
                    self._collection,
                    filter=f'{of_documents([identity])} and sha256 != "{sha256}"',
                    timeout=TIMEOUT_SECONDS,
                )

    def finish(self) -> None:
        """Make everything that was put durable and searchable."""
        with self._store_errors():
            self._client.flush(self._collection, timeout=10 * TIMEOUT_SECONDS)

    def nearest(self, queries: Sequence[str], vectors: Vectors, k: int) -> list[list[Passage]]:
        """Return the k best passages for each query by vector and BM25, best first."""
        limit = max(SEARCH_LIMIT, k)
        results = []
        for vector, terms in zip(vectors, split_words(queries), strict=True):
            requests = [_search_request(vector, "dense", "IP", SEARCH_PARAMS, limit)]
            if terms:
                requests.append(_search_request(" ".join(terms), "sparse", "BM25", {}, limit))
            with self._store_errors():
                (hits,) = self._client.hybrid_search(
                    self._collection,
                    requests,
                    WeightedRanker(*FUSION_WEIGHTS[: len(requests)]),
                    limit=k,
                    output_fields=list(PASSAGE_FIELDS),
                    timeout=TIMEOUT_SECONDS,
                )
            results.append([read_passage(hit["entity"]) for hit in hits])
        return results

    def document(self, identity: str) -> Document:
        """Return a document, exact except for white space between passages, or raise KeyError."""
        rows = list(self._rows(of_documents([identity]), (*PASSAGE_FIELDS, *DOCUMENT_FIELDS)))
        if not rows:
            raise KeyError(identity)
        title, source = (rows[0][name] for name in DOCUMENT_FIELDS)
        return rebuild_document(identity, title, source, [read_passage(row) for row in rows])

    def describe(self) -> dict[str, Any]:
        """Return the store's address, size and settings, ready for JSON."""
        with self._store_errors():
            description = self._client.describe_collection(
                self._collection, timeout=TIMEOUT_SECONDS
            )
        return {
            "store": self.address,
            "collection": self._collection,
            "passages": len(self),
            "shards": description["num_shards"],
            "encoder_revision": self._encoder.revision,
            "max_pieces": self._encoder.max_pieces,
        }

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _create_collection(self, shards: int) -> None:
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("key", DataType.VARCHAR, is_primary=True, max_length=64)
        for name, length in (
            ("document", MAX_ID_BYTES),
            ("document_key", 64),
            ("title", MAX_ID_BYTES),
            ("source", 4 * MAX_ID_BYTES),
            ("sha256", 64),
            ("text", MAX_TEXT_BYTES),
        ):
            schema.add_field(name, DataType.VARCHAR, max_length=length)
        for name in ("total", "start", "end"):
            schema.add_field(name, DataType.INT64)
        schema.add_field("layout", DataType.JSON)
        # Stems are made by split_words, so that words match as in the other stores.
        schema.add_field(
            "terms",
            DataType.VARCHAR,
            max_length=MAX_TEXT_BYTES,
            enable_analyzer=True,
            analyzer_params={"tokenizer": "standard"},
        )
        schema.add_field("dense", DataType.FLOAT_VECTOR, dim=self._encoder.dimension)
        schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
        schema.add_function(
            Function(
                name="bm25",
                function_type=FunctionType.BM25,
                input_field_names=["terms"],
                output_field_names=["sparse"],
            )
        )
        self._create_once(
            partial(self._client.has_collection, self._collection, timeout=TIMEOUT_SECONDS),
            partial(
                self._client.create_collection,
                self._collection,
                schema=schema,
                num_shards=shards,
                timeout=TIMEOUT_SECONDS,
            ),
        )

    def _create_indexes(self) -> None:
        """Create missing indexes; a build that was killed may have left a collection without."""
        for field, settings in INDEXES.items():
            parameters = self._client.prepare_index_params()
            parameters.add_index(field, **settings)
            self._create_once(
                partial(
                    self._client.list_indexes, self._collection, field, timeout=TIMEOUT_SECONDS
                ),
                partial(
                    self._client.create_index,
                    self._collection,
                    parameters,
                    timeout=TIMEOUT_SECONDS,
                ),
            )

    @staticmethod
    def _create_once(exists: Callable[[], object], create: Callable[[], object]) -> None:
        """Create what does not exist, or wait for another build that is creating it."""
        if exists():
            return
        try:
            create()
        except MilvusException:
            deadline = time.monotonic() + CREATION_TIMEOUT_SECONDS
            while not exists():
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _rows(self, condition: str, fields: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield all rows that match a filter."""
        with self._store_errors():
            iterator = self._client.query_iterator(
                self._collection,
                batch_size=BATCH_ROWS,
                filter=condition,
                output_fields=list(fields),
                consistency_level="Session",
                timeout=TIMEOUT_SECONDS,
            )
            while batch := iterator.next():
                yield from batch
            iterator.close()

    @contextmanager
    def _store_errors(self) -> Iterator[None]:
        """Raise a StoreError for any error of Milvus."""
        try:
            yield
        except MilvusException as error:
            raise StoreError(
                f"The store {self.address} does not answer as expected ({error.message}): check that "
                "Milvus is running there and that you have access, and start again; documents "
                "written so far are kept."
            ) from error


def _search_request(
    query: Any, field: str, metric: str, params: dict[str, int], limit: int
) -> AnnSearchRequest:
    return AnnSearchRequest([query], field, {"metric_type": metric, "params": params}, limit=limit)
