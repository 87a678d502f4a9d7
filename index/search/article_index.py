"""The index of one document: build it, save it and load it."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from index.documents.document import Document
from index.errors import SavedIndexError
from index.models.types import Encoder, Progress
from index.passages.context import FULL_CONTEXT, ContextOptions
from index.passages.layout import pack, unpack
from index.passages.passage import Passage, sentence_texts
from index.passages.split import STUB_PIECES, split_passages
from index.search.dense import DenseIndex
from index.search.index_files import (
    DATA_FILE,
    DATA_SUFFIXES,
    FORMAT_VERSION,
    LOCK,
    MANIFEST,
    Manifest,
    check_manifest_owner,
    is_in_cache,
    make_cache_private,
    own_files,
    read_manifest,
    remove_files,
)
from index.search.late_interaction import LateInteractionIndex
from index.search.sparse import Split, TermCounts
from index.storage import (
    check_fits,
    check_lock_file,
    damaged,
    make_folder,
    read_bounded,
    sha256,
    sync_folder,
    write_file,
    write_manifest,
)

# How long to wait for another process that saves in the same folder, which takes a second or two.
LOCK_TIMEOUT_SECONDS = 60


class ArticleIndex:
    """One document's passages, with vectors of passages, sentences and word pieces."""

    def __init__(
        self,
        document: Document,
        passages: tuple[Passage, ...],
        dense: DenseIndex,
        late_interaction: LateInteractionIndex,
        encoder: Encoder,
    ) -> None:
        """Combine the parts; `dense` has a row for each passage, then one for each sentence."""
        self.document = document
        self.passages = passages
        self.encoder = encoder
        self.dense = dense
        self.late_interaction = late_interaction
        self._counts: dict[tuple[Split, bool], TermCounts] = {}

    @classmethod
    def build(
        cls,
        document: Document,
        encoder: Encoder,
        progress: Progress | None = None,
        *,
        options: ContextOptions = FULL_CONTEXT,
    ) -> ArticleIndex:
        """Split and encode a document; calls progress(done, total) while encoding."""
        max_pieces = encoder.max_pieces - 2
        passages = split_passages(document, encoder.count_pieces, max_pieces, options)
        encoded = encoder.encode_passages(passages, progress)
        dense = DenseIndex(encoder.dimension)
        dense.add(encoded.vectors)
        dense.add(encoded.sentences)
        return cls(document, passages, dense, LateInteractionIndex.build(encoded.tokens), encoder)

    def with_document(self, document: Document) -> ArticleIndex:
        """Return this index for a document with the same text but another id, title or source."""
        other = ArticleIndex(
            document,
            tuple(replace(p, document_id=document.id) for p in self.passages),
            self.dense,
            self.late_interaction,
            self.encoder,
        )
        other._counts = self._counts
        return other

    def term_counts(self, split: Split, *, sentences: bool = False) -> TermCounts:
        """Count the terms of the passages, or of their sentences; each is counted once and kept."""
        if (split, sentences) not in self._counts:
            texts = (
                sentence_texts(self.passages)
                if sentences
                else [p.context.text for p in self.passages]
            )
            self._counts[split, sentences] = TermCounts.from_texts(texts, split)
        return self._counts[split, sentences]

    def save(self, folder: str | Path) -> Manifest:
        """Write the index into a folder, so that a crash at any moment keeps the previous one intact.

        The data files are named by their content and written first; then the manifest, which lists
        them, is replaced in one step. A lock makes processes that save in one folder take turns.
        Raises SavedIndexError if the folder cannot be written.
        """
        folder = Path(folder)
        contents = {
            "text": self.document.text.encode(),
            "passages": json.dumps([[p.start, p.end, pack(p)] for p in self.passages]).encode(),
            "vectors": self.dense.to_bytes(),
            "pieces": self.late_interaction.to_bytes(),
        }
        files = {
            f"{content}-{sha256(data)[:16]}.{DATA_SUFFIXES[content]}": data
            for content, data in contents.items()
        }
        manifest = Manifest(
            **_expected_fields(self.document, self.encoder),
            document={
                "id": self.document.id,
                "title": self.document.title,
                "source": self.document.source,
            },
            files={name: sha256(data) for name, data in files.items()},
        )
        # The cache shows which documents were opened, so only its owner may read it.
        private = is_in_cache(folder)
        mode = 0o600 if private else 0o666
        try:
            check_manifest_owner(folder)
            make_folder(folder, 0o700 if private else 0o777)
            check_lock_file(folder / LOCK)
            # Without a lock, a process would delete files that another has not listed yet.
            with FileLock(
                folder / LOCK, timeout=LOCK_TIMEOUT_SECONDS, mode=0o600 if private else -1
            ):
                old = list(own_files(folder))
                new = [folder / name for name in files if not (folder / name).exists()]
                try:
                    for name, data in files.items():
                        write_file(folder / name, data, mode)
                    sync_folder(folder)
                    write_manifest(folder / MANIFEST, asdict(manifest), mode)
                except OSError:
                    remove_files(new)
                    raise
                # Delete old files only when the new manifest is on the disk.
                sync_folder(folder)
                remove_files(path for path in old if path.name not in files)
        except OSError as error:
            raise SavedIndexError(
                f"The index cannot be saved in '{folder}' ({error.strerror or error}): "
                "choose another folder with --index."
            ) from error
        return manifest

    @classmethod
    def load(cls, folder: str | Path, document: Document, encoder: Encoder) -> ArticleIndex:
        """Read a saved index of this document and encoder.

        Raises SavedIndexError, naming the field or the file, if it is damaged, or was built from
        another text or with another encoder or settings.
        """
        folder = Path(folder)
        manifest = read_manifest(folder)
        check_fits(
            manifest,
            _expected_fields(document, encoder),
            f"The index in '{folder}'",
            "it has to be built again",
        )
        # Each word piece and each sentence has at least one character.
        max_bytes = 10_000 + len(document.text) * (
            8 * encoder.dimension + 8 * encoder.token_dimension + 200
        )
        contents = {}
        for name, expected in manifest.files.items():
            if not re.fullmatch(DATA_FILE, name):
                raise damaged(folder / MANIFEST, "it lists a file that is not part of an index")
            try:
                data = read_bounded(folder / name, max_bytes)
            except OSError as error:
                raise damaged(folder / name, error.strerror or str(error)) from error
            if sha256(data) != expected:
                raise damaged(folder / name, "its content has changed")
            contents[name.split("-")[0]] = data
        # The hashes protect against damage only: who can change a file can change its hash, too.
        try:
            passages = _read_passages(document, contents["passages"])
            dense = DenseIndex.from_bytes(
                contents["vectors"],
                dimension=encoder.dimension,
                rows=len(passages) + sum(len(p.sentences) for p in passages),
            )
            late_interaction = LateInteractionIndex.from_bytes(
                contents["pieces"], passages=len(passages), dimension=encoder.token_dimension
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise damaged(folder, f"its content is invalid: {error}") from error
        return cls(document, passages, dense, late_interaction, encoder)


def open_index(
    document: Document,
    encoder: Encoder,
    folder: str | Path,
    progress: Progress | None = None,
) -> tuple[ArticleIndex, str]:
    """Load the saved index of a document, or build and save it.

    The second value is a sentence on why the index was rebuilt or could not be saved, or "".
    """
    note = ""
    folder = Path(folder)
    if is_in_cache(folder):
        make_cache_private(folder)
    # Path.exists would raise for a folder that may not be searched.
    if os.path.exists(folder / MANIFEST):
        try:
            return ArticleIndex.load(folder, document, encoder), ""
        except SavedIndexError as error:
            note = str(error)
    index = ArticleIndex.build(document, encoder, progress)
    try:
        index.save(folder)
    except SavedIndexError as error:
        note = str(error)
    return index, note


def _read_passages(document: Document, data: bytes) -> tuple[Passage, ...]:
    """Read the saved passages; raises ValueError or TypeError for invalid ones."""
    passages: list[Passage] = []
    for start, end, packed in json.loads(data):
        if type(start) is not int or type(end) is not int:
            raise TypeError("the place of a passage is not made of offsets")
        # Passages do not overlap, so that together they are no longer than the text.
        if not (passages[-1].end if passages else 0) <= start < end <= len(document.text):
            raise ValueError(f"a passage from {start} to {end} is not in the text")
        passages.append(unpack(document.id, start, document.text[start:end], packed))
    if not passages:
        raise ValueError("it has no passages")
    return tuple(passages)


def _expected_fields(document: Document, encoder: Encoder) -> dict[str, Any]:
    """The manifest fields that a saved index has to match."""
    return {
        "format_version": FORMAT_VERSION,
        "encoder": encoder.name,
        "encoder_revision": encoder.revision,
        "dimension": encoder.dimension,
        "max_pieces": encoder.max_pieces,
        "stub_pieces": STUB_PIECES,
        "text_sha256": document.sha256,
    }
