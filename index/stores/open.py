"""Open a store by its address."""

from __future__ import annotations

from index.documents.document import expand_user
from index.errors import StoreError
from index.models.types import Encoder
from index.search.faiss_file import Kind
from index.stores.base import Store

STORE_HELP = (
    "use a store of many documents: faiss:FOLDER, milvus-lite:FILE.db or "
    "milvus://HOST:PORT/COLLECTION?shards=2&replicas=1"
)


def open_store(
    address: str, encoder: Encoder, *, kind: Kind | None = None, shard: str = "1-of-1"
) -> Store:
    """Open the store at faiss:FOLDER, milvus-lite:FILE.db or milvus://HOST:PORT.

    `kind` and `shard` apply to documents that will be put into a folder. Raises StoreError, and
    SavedIndexError for a damaged store.
    """
    scheme = address.split(":", 1)[0]
    if scheme == "faiss":
        from index.stores.faiss_store import FaissStore

        name = address.removeprefix("faiss:")
        # An empty path would mean the current folder.
        if not name.strip():
            raise StoreError("The name of the store's folder is empty: give faiss:FOLDER.")
        folder = expand_user(name, StoreError)
        return FaissStore(folder, encoder, kind=kind, shard=shard)
    if scheme in ("milvus", "milvus+tls", "milvus-lite"):
        if kind:
            raise StoreError("Milvus chooses its own kind of index: leave --kind out.")
        from index.stores.milvus import MilvusStore

        return MilvusStore(address, encoder)
    raise StoreError(
        f"'{address}' is not the address of a store: give faiss:FOLDER, milvus-lite:FILE.db or "
        "milvus://HOST:PORT."
    )
