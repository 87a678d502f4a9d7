"""A store in Milvus, for those who outgrow one machine, or in a file with Milvus Lite."""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from index.documents.document import Document, expand_user
from index.errors import StoreError
from index.models.encoder import Encoder, Vectors
from index.passages import Passage
from index.search.sparse import split_words
from index.storage import sha256
from index.stores.base import SEARCHED, WEIGHTS, rebuilt

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

# It prints a trace of every error, which is told in a sentence here.
logging.getLogger("pymilvus").setLevel(logging.CRITICAL)

FORMAT_VERSION = 1
COLLECTION = "ask_the_article"
# Rows that go over the line at a time: a few megabytes of Milvus's 64.
ROWS = 500
# What Milvus takes of a text, in bytes.
MAX_TEXT = 65_535
MAX_ID = 1_024
# What is indexed, and how. The graph of the nearest vectors is that of Malkov & Yashunin 2020; a
# document's key is to find its rows without going through all.
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
# How far a search looks in the graph.
LOOK = {"ef": 128}
# Seconds that a server has to answer.
TIMEOUT = 30.0
# And another builder to make what it has begun to.
MAKING = 5.0

_PASSAGE = ("document", "start", "end", "text", "sentences", "furniture")
_OF_DOCUMENT = ("title", "source")


class MilvusStore:
    """A row a passage, with its text, its vector, and its stems, for which Milvus computes BM25.

    A row's key is made of its content and its place, so that to put it twice is to put it once, and
    builders in any number can fill one collection. A row says how many its document has: one that a
    killed build left in part is known by it.
    """

    def __init__(self, address: str, encoder: Encoder) -> None:
        """Connect, and make the collection where there is none.

        The address is milvus://[USER:PASSWORD@]HOST[:PORT][/COLLECTION][?shards=2&replicas=1], with
        milvus+tls:// for an encrypted line, or milvus-lite:FILE.db; a token may be in MILVUS_TOKEN.
        Raises StoreError where it does not answer, or what is there was made with another encoder.
        """
        self.address = _without_password(address)
        options, name, shards, replicas = _parse(address)
        self._encoder = encoder
        # The name says what a collection was made with, since not every Milvus keeps a description.
        made_with = f"{FORMAT_VERSION}_{encoder.revision[:12]}_{encoder.max_pieces}"
        self._collection = f"{name}_v{made_with}"
        with self._told():
            self._client = MilvusClient(**options)
            there = self._client.list_collections(timeout=TIMEOUT)
            if self._collection not in there:
                if other := next((one for one in there if one.startswith(f"{name}_v")), None):
                    raise StoreError(
                        f"The collection '{other}' in {self.address} does not fit: its format version, "
                        f"encoder_revision and max_pieces are not {made_with}; name the --encoder that "
                        "it was built with, or another collection."
                    )
                self._create(shards)
            self._index()
            self._client.load_collection(self._collection, timeout=TIMEOUT, replica_number=replicas)

    def __len__(self) -> int:
        """How many passages it holds."""
        with self._told():
            (row,) = self._client.query(
                self._collection,
                filter="",
                output_fields=["count(*)"],
                consistency_level="Session",
                timeout=TIMEOUT,
            )
        return int(row["count(*)"])

    def held(self, documents: Sequence[Document]) -> set[str]:
        """The ids of those documents whose very text is in it, to the last passage."""
        texts = {document.id: document.sha256 for document in documents}
        rows: dict[str, int] = {}
        for row in self._rows(_among(texts), ("document", "sha256", "total")):
            identity = row["document"]
            # A row of another text makes it never fit.
            same = row["sha256"] == texts.get(identity)
            rows[identity] = rows.get(identity, row["total"]) - 1 if same else -1
        return {identity for identity, missing in rows.items() if missing == 0}

    def put(
        self, documents: Sequence[Document], passages: Sequence[Passage], vectors: Vectors
    ) -> None:
        """Add documents, each in place of what has its id; vectors has a row a passage.

        Raises StoreError where a text is longer than Milvus takes it, or it refuses.
        """
        totals = Counter(passage.document_id for passage in passages)
        about: dict[str, dict[str, Any]] = {
            document.id: {
                "document": document.id,
                "document_key": _document_key(document.id),
                "title": document.title,
                "source": document.source[:MAX_ID],
                "sha256": document.sha256,
                "total": totals[document.id],
            }
            for document in documents
        }
        stems = split_words([p.text for p in passages])
        rows = [
            {
                **about[passage.document_id],
                "key": _key(about[passage.document_id]["sha256"], passage),
                "start": passage.start,
                "end": passage.end,
                "furniture": passage.furniture,
                "text": passage.text,
                "terms": " ".join(terms),
                "sentences": [list(offsets) for offsets in passage.sentences],
                "dense": vector,
            }
            for passage, terms, vector in zip(passages, stems, vectors, strict=True)
        ]
        for row in rows:
            _check_sizes(row)
        with self._told():
            for at in range(0, len(rows), ROWS):
                self._client.upsert(self._collection, rows[at : at + ROWS], timeout=TIMEOUT)
            for identity, of in about.items():
                self._client.delete(
                    self._collection,
                    filter=f'{_among([identity])} and sha256 != "{of["sha256"]}"',
                    timeout=TIMEOUT,
                )

    def finish(self) -> None:
        """Make what was put last and found."""
        with self._told():
            self._client.flush(self._collection, timeout=10 * TIMEOUT)

    def nearest(self, queries: Sequence[str], vectors: Vectors, k: int) -> list[list[Passage]]:
        """The k best passages for each query by its words and its vector together, best first."""
        searched = max(SEARCHED, k)
        found = []
        for vector, terms in zip(vectors, split_words(queries), strict=True):
            requests = [_request([vector], "dense", "IP", LOOK, searched)]
            if terms:
                requests.append(_request([" ".join(terms)], "sparse", "BM25", {}, searched))
            with self._told():
                (hits,) = self._client.hybrid_search(
                    self._collection,
                    requests,
                    WeightedRanker(*WEIGHTS[: len(requests)]),
                    limit=k,
                    output_fields=list(_PASSAGE),
                    timeout=TIMEOUT,
                )
            found.append([_passage(hit["entity"]) for hit in hits])
        return found

    def document(self, identity: str) -> Document:
        """A document, with its very characters but for white space between passages; or KeyError."""
        rows = list(self._rows(_among([identity]), (*_PASSAGE, *_OF_DOCUMENT)))
        if not rows:
            raise KeyError(identity)
        title, source = (rows[0][name] for name in _OF_DOCUMENT)
        return rebuilt(identity, title, source, [_passage(row) for row in rows])

    def describe(self) -> dict[str, Any]:
        """What it says of itself."""
        with self._told():
            about = self._client.describe_collection(self._collection, timeout=TIMEOUT)
        return {
            "store": self.address,
            "collection": self._collection,
            "passages": len(self),
            "shards": about["num_shards"],
            "encoder_revision": self._encoder.revision,
            "max_pieces": self._encoder.max_pieces,
        }

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def _create(self, shards: int) -> None:
        """Make the collection, unless another builder does at this moment."""
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("key", DataType.VARCHAR, is_primary=True, max_length=64)
        for name, length in (
            ("document", MAX_ID),
            ("document_key", 64),
            ("title", MAX_ID),
            ("source", 4 * MAX_ID),
            ("sha256", 64),
            ("text", MAX_TEXT),
        ):
            schema.add_field(name, DataType.VARCHAR, max_length=length)
        for name in ("total", "start", "end"):
            schema.add_field(name, DataType.INT64)
        schema.add_field("furniture", DataType.BOOL)
        schema.add_field("sentences", DataType.JSON)
        # Our own stems, so that words meet here as they do in the other stores.
        schema.add_field(
            "terms",
            DataType.VARCHAR,
            max_length=MAX_TEXT,
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
        self._unless(
            partial(self._client.has_collection, self._collection, timeout=TIMEOUT),
            partial(
                self._client.create_collection,
                self._collection,
                schema=schema,
                num_shards=shards,
                timeout=TIMEOUT,
            ),
        )

    def _index(self) -> None:
        """Make the indexes that are not there: none may be, where a builder was killed."""
        for field, settings in INDEXES.items():
            wanted = self._client.prepare_index_params()
            wanted.add_index(field, **settings)
            self._unless(
                partial(self._client.list_indexes, self._collection, field, timeout=TIMEOUT),
                partial(self._client.create_index, self._collection, wanted, timeout=TIMEOUT),
            )

    @staticmethod
    def _unless(there: Callable[[], object], make: Callable[[], object]) -> None:
        """Make what is not there, or wait for another builder that makes it first."""
        if there():
            return
        try:
            make()
        except MilvusException:
            until = time.monotonic() + MAKING
            while not there():
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def _rows(self, condition: str, fields: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Every row that meets a condition, however many there are."""
        with self._told():
            rows = self._client.query_iterator(
                self._collection,
                batch_size=ROWS,
                filter=condition,
                output_fields=list(fields),
                consistency_level="Session",
                timeout=TIMEOUT,
            )
            while some := rows.next():
                yield from some
            rows.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Whatever Milvus raises, in a sentence."""
        try:
            yield
        except MilvusException as error:
            raise StoreError(
                f"The store {self.address} does not answer as it should ({error.message}): check that "
                "Milvus runs there and that you are let in, and start again; what is written stays."
            ) from error


def _parse(address: str) -> tuple[dict[str, Any], str, int, int]:
    """What to connect with, the collection's name, and how many shards and replicas it shall have."""
    if address.startswith("milvus-lite:"):
        path = expand_user(address.removeprefix("milvus-lite:"), StoreError)
        if path.suffix != ".db":
            raise StoreError(f"'{path}' is no name for a store: end it in '.db'.")
        _check_owner(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        return {"uri": str(path)}, COLLECTION, 1, 1
    try:
        parts = urlsplit(address)
        settings = dict(parse_qsl(parts.query))
        shards, replicas = (int(settings.pop(name, 1)) for name in ("shards", "replicas"))
        port = parts.port or 19530
    except ValueError:
        raise _not_an_address(address) from None
    if shards < 1 or replicas < 1 or settings or not parts.hostname:
        raise _not_an_address(address)
    scheme = "https" if parts.scheme == "milvus+tls" else "http"
    login = f"{parts.username}:{parts.password}" if parts.username else ""
    options = {
        "uri": f"{scheme}://{parts.hostname}:{port}",
        "token": login or os.environ.get("MILVUS_TOKEN", ""),
        "timeout": TIMEOUT,
    }
    return options, parts.path.strip("/") or COLLECTION, shards, replicas


def _check_owner(path: Path) -> None:
    """Raise StoreError where there is something else in the place of a store of Milvus Lite."""
    try:
        names = set(os.listdir(path))
    except FileNotFoundError:
        return
    except NotADirectoryError:
        names = {path.name}
    except OSError as error:
        raise StoreError(
            f"The store in '{path}' cannot be read ({error.strerror or error}): check whose it is, or "
            "choose another name."
        ) from error
    if names and not names & {"LOCK", "collections"}:
        raise StoreError(f"'{path}' is not a store of Milvus Lite: choose another name.")


def _not_an_address(address: str) -> StoreError:
    return StoreError(
        f"'{_without_password(address)}' is no address of a store: give "
        "milvus://HOST:PORT/COLLECTION?shards=2&replicas=1, of which all after HOST may be left out."
    )


def _without_password(address: str) -> str:
    # Not by urlsplit, which refuses addresses that may have a password all the same.
    return re.sub(r"(//[^/?#@:]*):[^/?#]*@", r"\1:…@", address)


def _request(
    data: Sequence[Any], field: str, metric: str, look: dict[str, int], limit: int
) -> AnnSearchRequest:
    return AnnSearchRequest(data, field, {"metric_type": metric, "params": look}, limit=limit)


def _passage(row: dict[str, Any]) -> Passage:
    return Passage(
        document_id=row["document"],
        start=row["start"],
        end=row["end"],
        text=row["text"],
        sentences=tuple((start, end) for start, end in row["sentences"]),
        furniture=row["furniture"],
    )


def _check_sizes(row: dict[str, Any]) -> None:
    for field, most in (("document", MAX_ID), ("text", MAX_TEXT), ("terms", MAX_TEXT)):
        if (size := len(row[field].encode())) > most:
            raise StoreError(
                f"The document '{row['document'][:80]}' has {size:,} bytes in one {field} and Milvus "
                f"takes {most:,}: leave it out, or use a store in a folder."
            )


def _among(identities: Sequence[str] | dict[str, str]) -> str:
    """The condition that a row is of one of these documents."""
    return f"document_key in {json.dumps([_document_key(identity) for identity in identities])}"


def _document_key(identity: str) -> str:
    # What stands in a condition is never a text of somebody's.
    return sha256(identity.encode())


def _key(text_sha256: str, passage: Passage) -> str:
    place = f"{passage.start}-{passage.end}"
    return sha256(f"{text_sha256} {place} {passage.document_id}".encode())
