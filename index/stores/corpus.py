"""Read documents from files, folders, web addresses and JSON lines."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from index.documents.cleaning import replace_surrogates
from index.documents.document import Document, expand_user, make_document, read_document
from index.errors import DocumentError
from index.storage import sha256

# The files of a folder that are read.
SUFFIXES = (
    *(".txt", ".md", ".markdown", ".html", ".htm", ".xhtml", ".pdf", ".csv", ".tsv"),
    *(".docx", ".docm", ".xlsx", ".xlsm", ".pptx", ".pptm", ".ppsx", ".epub"),
    *(".jsonl", ".jsonl.gz"),
)
# The longest line in bytes: a text of the largest size, of which JSON may escape each byte with six.
MAX_LINE_BYTES = 32_000_000


class Shard(NamedTuple):
    """One of `total` shards that documents are divided into by their ids; numbers start at 1."""

    number: int
    total: int

    def __str__(self) -> str:
        return f"{self.number}-of-{self.total}"

    def has(self, identity: str) -> bool:
        """Whether the document with this id belongs to the shard."""
        return int(sha256(identity.encode())[:15], 16) % self.total == self.number - 1


ALL = Shard(1, 1)


def read_corpus(
    sources: Sequence[str],
    shard: Shard = ALL,
    skipped: Callable[[str], None] | None = None,
    *,
    allow_private_urls: bool = False,
) -> Iterator[Document]:
    """Yield the documents of a shard from files, web addresses, folders and JSON lines.

    Folders are read recursively, in the order of the names. A line of a .jsonl or .jsonl.gz file is
    an object with "id" and "text", and optionally "title" and "source". The id of any other file is
    its path as given. skipped(message) is called for each file or line that cannot be read; without
    it, DocumentError is raised. `allow_private_urls` allows addresses in private networks.
    """
    for source in sources:
        try:
            files = _files(source)
        except DocumentError as error:
            if skipped is None:
                raise
            skipped(str(error))
            continue
        for file in files:
            try:
                if file.lower().endswith((".jsonl", ".jsonl.gz")):
                    yield from _read_lines(file, shard, skipped)
                elif shard.has(identity := replace_surrogates(file)):
                    document = read_document(file, allow_private_urls=allow_private_urls)
                    yield replace(document, id=identity)
            except DocumentError as error:
                if skipped is None:
                    raise
                skipped(str(error))


def _files(source: str) -> Iterable[str]:
    """Return the files of a folder, or the source itself; raises DocumentError."""
    folder = expand_user(source)
    try:
        if not folder.is_dir():
            return [source]
    except OSError as error:
        raise DocumentError(
            f"'{source}' cannot be read ({error.strerror or error}): check that you may open it."
        ) from None
    return _files_below(folder)


def _files_below(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and path.name.lower().endswith(SUFFIXES) and not hidden:
            yield path.as_posix()


def _read_lines(
    source: str, shard: Shard, skipped: Callable[[str], None] | None
) -> Iterator[Document]:
    path = expand_user(source)
    open_file = gzip.open if source.lower().endswith(".gz") else open
    number = 0
    try:
        with open_file(path, "rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(MAX_LINE_BYTES), b""), 1):
                if len(line) == MAX_LINE_BYTES:
                    raise DocumentError(
                        f"Line {number} of '{source}' has more than {MAX_LINE_BYTES / 1e6:.0f} MB: "
                        "give an object with 'id' and 'text' on each line."
                    )
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                    identity, text = replace_surrogates(str(row["id"])), row["text"]
                    if not shard.has(identity):
                        continue
                    document = make_document(
                        text,
                        name=identity,
                        source=str(row.get("source") or identity),
                        title=str(row.get("title") or ""),
                    )
                except (
                    ValueError,
                    KeyError,
                    TypeError,
                    AttributeError,
                    RecursionError,
                    DocumentError,
                ) as error:
                    reason = error if isinstance(error, DocumentError) else type(error).__name__
                    message = (
                        f"Line {number} of '{source}' is not a document ({reason}): give an object "
                        "with 'id' and 'text' on each line."
                    )
                    if skipped is None:
                        raise DocumentError(message) from error
                    skipped(message)
                else:
                    yield document
    except FileNotFoundError:
        raise DocumentError(f"There is no file '{path}': check the path.") from None
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DocumentError(
            f"'{path}' cannot be read after line {number} ({error}): check that it is complete."
        ) from error
