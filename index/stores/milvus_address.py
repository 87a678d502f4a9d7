"""The address of a store in Milvus or Milvus Lite."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from index.documents.document import expand_user
from index.errors import StoreError

DEFAULT_COLLECTION = "ask_the_article"
DEFAULT_PORT = 19530


@dataclass(frozen=True, slots=True)
class MilvusAddress:
    """Where to connect, the name of the collection, and the numbers of its shards and replicas."""

    uri: str
    token: str = ""
    collection: str = DEFAULT_COLLECTION
    shards: int = 1
    replicas: int = 1


def parse_address(address: str) -> MilvusAddress:
    """Parse the address of a store; raises StoreError if it is invalid.

    It is milvus://[USER:PASSWORD@]HOST[:PORT][/COLLECTION][?shards=2&replicas=1], milvus+tls:// for an
    encrypted connection, or milvus-lite:FILE.db. A token may be in the environment's MILVUS_TOKEN.
    """
    if address.startswith("milvus-lite:"):
        path = expand_user(address.removeprefix("milvus-lite:"), StoreError)
        if path.suffix != ".db":
            raise StoreError(f"'{path}' is not a name for a store: give one that ends in '.db'.")
        _check_owner(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        return MilvusAddress(str(path))
    try:
        parts = urlsplit(address)
        settings = dict(parse_qsl(parts.query))
        shards, replicas = (int(settings.pop(name, 1)) for name in ("shards", "replicas"))
        port = parts.port or DEFAULT_PORT
    except ValueError:
        raise _invalid_address(address) from None
    if shards < 1 or replicas < 1 or settings or not parts.hostname:
        raise _invalid_address(address)
    scheme = "https" if parts.scheme == "milvus+tls" else "http"
    login = f"{parts.username}:{parts.password}" if parts.username else ""
    return MilvusAddress(
        f"{scheme}://{parts.hostname}:{port}",
        login or os.environ.get("MILVUS_TOKEN", ""),
        parts.path.strip("/") or DEFAULT_COLLECTION,
        shards,
        replicas,
    )


def hide_password(address: str) -> str:
    """Return an address without its password, to be shown in messages."""
    # urlsplit refuses some invalid addresses that have a password all the same.
    return re.sub(r"(//[^/?#@:]*):[^/?#]*@", r"\1:…@", address)


def _check_owner(path: Path) -> None:
    """Raise StoreError if a path exists that is not a store of Milvus Lite."""
    try:
        names = set(os.listdir(path))
    except FileNotFoundError:
        return
    except NotADirectoryError:
        names = {path.name}
    except OSError as error:
        raise StoreError(
            f"The store in '{path}' cannot be read ({error.strerror or error}): check its "
            "permissions, or choose another name."
        ) from error
    if names and not names & {"LOCK", "collections"}:
        raise StoreError(f"'{path}' is not a store of Milvus Lite: choose another name.")


def _invalid_address(address: str) -> StoreError:
    return StoreError(
        f"'{hide_password(address)}' is not the address of a store: give "
        "milvus://HOST:PORT/COLLECTION?shards=2&replicas=1, where everything after HOST is optional."
    )
