"""Many documents, one after the other: files, folders of them, and lines of JSON."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from index.documents.document import (
    Document,
    expand_user,
    make_document,
    read_document,
    well_formed,
)
from index.errors import DocumentError
from index.storage import sha256

# What is read of a folder; other files there are likely no documents.
SUFFIXES = (".txt", ".md", ".html", ".htm", ".pdf", ".docx", ".jsonl", ".jsonl.gz")
# Of a text of the largest size, each byte of which JSON may spell with six, in bytes; what is packed may
# have no end.
MAX_LINE = 32_000_000


class Shard(NamedTuple):
    """The documents whose id falls to this one of so many builders, counted from 1."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}-of-{self.of}"

    def has(self, identity: str) -> bool:
        """Whether a document of that id is in it."""
        return int(sha256(identity.encode())[:15], 16) % self.of == self.number - 1


ALL = Shard(1, 1)


def read_corpus(
    sources: Sequence[str],
    shard: Shard = ALL,
    skipped: Callable[[str], None] | None = None,
    *,
    private: bool = False,
) -> Iterator[Document]:
    """Read the documents of a shard from files, web addresses, folders and files of JSON lines.

    A folder gives what is in it and in its folders, in the order of the names; a line of a .jsonl or
    .jsonl.gz file is {"id", "text"} and may have "title" and "source". A file's id is its path as it
    was given. What cannot be read is told to `skipped`, or else raised as a DocumentError;
    `private` is as for read_document.
    """
    for source in sources:
        try:
            files = _files(source)
        except DocumentError as error:
            if skipped is None:
                raise
            skipped(str(error))
            continue
        for one in files:
            try:
                if one.lower().endswith((".jsonl", ".jsonl.gz")):
                    yield from _lines(one, shard, skipped)
                elif shard.has(identity := well_formed(one)):
                    yield replace(read_document(one, private=private), id=identity)
            except DocumentError as error:
                if skipped is None:
                    raise
                skipped(str(error))


def _files(source: str) -> Iterable[str]:
    """The files of a folder, or the source itself; raises DocumentError."""
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


def _lines(source: str, shard: Shard, skipped: Callable[[str], None] | None) -> Iterator[Document]:
    path = expand_user(source)
    opened = gzip.open if source.lower().endswith(".gz") else open
    number = 0
    try:
        with opened(path, "rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(MAX_LINE), b""), 1):
                if len(line) == MAX_LINE:
                    raise DocumentError(
                        f"Line {number} of '{source}' has more than {MAX_LINE / 1e6:.0f} MB: give an "
                        "object with 'id' and 'text' on each line."
                    )
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                    identity, text = well_formed(str(row["id"])), row["text"]
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
                    why = error if isinstance(error, DocumentError) else f"{type(error).__name__}"
                    message = (
                        f"Line {number} of '{source}' is not a document ({why}): give an object with "
                        "'id' and 'text' on each line."
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
            f"'{path}' cannot be read after line {number} ({error}): check that it is whole."
        ) from error
