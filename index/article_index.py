"""What is kept of an article: build it, save it and load it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import platformdirs
from filelock import FileLock

from index import saved
from index.dense import DenseIndex
from index.document import Document
from index.encoder import Encoder, Progress
from index.errors import SavedIndexError
from index.late import LateIndex
from index.passages import STUB_PIECES, Passage, split_passages
from index.saved import check_fits, damaged, sha256, write_file, write_manifest

FORMAT_VERSION = 3
MANIFEST = "manifest.json"
LOCK = "saving.lock"
# Seconds to wait for another process that saves in the same folder, which takes one or two.
PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a saved index says of itself; `files` maps each file's name to its sha256."""

    format_version: int
    encoder: str
    encoder_revision: str
    dimension: int
    max_pieces: int
    stub_pieces: int
    text_sha256: str
    document: dict[str, str]
    files: dict[str, str]


class ArticleIndex:
    """One document's passages, with vectors for each, for their sentences and for their word pieces."""

    def __init__(
        self,
        document: Document,
        passages: tuple[Passage, ...],
        dense: DenseIndex,
        late: LateIndex,
        encoder: Encoder,
    ) -> None:
        """Put the parts together; `dense` has the passages' rows first, then the sentences'."""
        self.document = document
        self.passages = passages
        self.encoder = encoder
        self.dense = dense
        self.late = late

    @classmethod
    def build(
        cls, document: Document, encoder: Encoder, progress: Progress | None = None
    ) -> ArticleIndex:
        """Split and encode a document; progress(done, total) counts what is encoded."""
        passages = split_passages(document, encoder.count_pieces, encoder.max_pieces - 2)
        encoded = encoder.encode_passages(passages, progress)
        dense = DenseIndex(encoder.dimension)
        dense.add(encoded.vectors)
        dense.add(encoded.sentences)
        return cls(document, passages, dense, LateIndex.build(encoded.tokens), encoder)

    def of(self, document: Document) -> ArticleIndex:
        """The same for another document of this very text, which may have another id or title."""
        return ArticleIndex(
            document,
            tuple(replace(p, document_id=document.id) for p in self.passages),
            self.dense,
            self.late,
            self.encoder,
        )

    def save(self, folder: str | Path) -> Manifest:
        """Write it into a folder, so that a crash at any moment leaves what was there before whole.

        The data files are named after their content and written first; the manifest, which names
        them, is replaced in one step. Processes that save here at once do it one after the other.
        Raises SavedIndexError when the folder cannot be written.
        """
        folder = Path(folder)
        contents = {
            "text": self.document.text.encode(),
            "passages": json.dumps(
                [[p.start, p.end, p.furniture, p.sentences] for p in self.passages]
            ).encode(),
            "vectors": self.dense.to_bytes(),
            "pieces": self.late.to_bytes(),
        }
        endings = {"text": "txt", "passages": "json", "vectors": "faiss", "pieces": "npz"}
        named = {
            f"{what}-{sha256(data)[:16]}.{endings[what]}": data for what, data in contents.items()
        }
        manifest = Manifest(
            **_expected(self.document, self.encoder),
            document={
                "id": self.document.id,
                "title": self.document.title,
                "source": self.document.source,
            },
            files={name: sha256(data) for name, data in named.items()},
        )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # One would take away what another has written and not yet named in a manifest.
            with FileLock(folder / LOCK, timeout=PATIENCE):
                new = [folder / name for name in named if not (folder / name).exists()]
                try:
                    for name, data in named.items():
                        write_file(folder / name, data)
                    write_manifest(folder / MANIFEST, asdict(manifest))
                except OSError:
                    _remove(new)
                    raise
                _remove(
                    old
                    for old in folder.iterdir()
                    if (old.name.split("-")[0] in contents or old.suffix == ".partial")
                    and old.name not in named
                )
        except OSError as error:
            raise SavedIndexError(
                f"The index cannot be saved in '{folder}' ({error.strerror or error}): "
                "choose another folder with --index."
            ) from error
        return manifest

    @classmethod
    def load(cls, folder: str | Path, document: Document, encoder: Encoder) -> ArticleIndex:
        """Read a saved index of this document and encoder.

        Raises SavedIndexError, naming the field or the file, when it was made of another text, with
        another encoder or settings, or is damaged.
        """
        folder = Path(folder)
        manifest = read_manifest(folder)
        check_fits(
            manifest,
            _expected(document, encoder),
            f"The index in '{folder}'",
            "it has to be built again",
        )
        data = {}
        for name, expected in manifest.files.items():
            try:
                content = (folder / name).read_bytes()
            except OSError as error:
                raise damaged(folder / name, error.strerror or str(error)) from error
            if sha256(content) != expected:
                raise damaged(folder / name, "its content is not what was saved")
            data[name.split("-")[0]] = content
        # Whoever makes a file can also make the manifest that has its hash.
        try:
            passages = _passages(document, data["passages"])
            dense = DenseIndex.from_bytes(
                data["vectors"],
                dimension=encoder.dimension,
                rows=len(passages) + sum(len(p.sentences) for p in passages),
            )
            late = LateIndex.from_bytes(data["pieces"], passages=len(passages))
        except (
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
            BadZipFile,
        ) as error:
            raise damaged(folder, f"not what was saved: {error}") from error
        return cls(document, passages, dense, late, encoder)


def open_index(
    document: Document,
    encoder: Encoder,
    folder: str | Path,
    progress: Progress | None = None,
) -> tuple[ArticleIndex, str]:
    """Load the saved index where it fits, and else build and save it.

    The second value says in a sentence why it was built again or could not be saved, "" where there
    is nothing to tell.
    """
    note = ""
    # Path.exists would raise where the folder may not be looked into.
    if os.path.exists(Path(folder) / MANIFEST):
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


def index_folder(document: Document, encoder: Encoder) -> Path:
    """Where the index of this text and encoder is kept when no folder is named."""
    name = f"{document.sha256[:16]}-{encoder.revision[:8]}"
    try:
        return platformdirs.user_cache_path("ask-the-article", appauthor=False) / name
    except RuntimeError as error:  # neither HOME nor an entry of this user
        raise SavedIndexError(
            "There is no home folder to keep the index in. Name a folder with --index."
        ) from error


def read_manifest(folder: str | Path) -> Manifest:
    """Read a saved index's manifest; raises SavedIndexError when there is none or it is damaged."""
    path = Path(folder) / MANIFEST
    try:
        return saved.read_manifest(path, FORMAT_VERSION, Manifest)
    except FileNotFoundError:
        raise SavedIndexError(
            f"There is no index in '{folder}': make one with 'python -m index build FILE'."
        ) from None


def _passages(document: Document, data: bytes) -> tuple[Passage, ...]:
    found = []
    for start, end, furniture, sentences in json.loads(data):
        order = [start, *(at for sentence in sentences for at in sentence), end]
        if order != sorted(order) or not 0 <= start < end <= len(document.text):
            raise ValueError(f"a passage from {start} to {end} is not in the text")
        found.append(
            Passage(
                document_id=document.id,
                start=start,
                end=end,
                text=document.text[start:end],
                sentences=tuple((a, b) for a, b in sentences),
                furniture=furniture,
            )
        )
    return tuple(found)


def _expected(document: Document, encoder: Encoder) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "encoder": encoder.name,
        "encoder_revision": encoder.revision,
        "dimension": encoder.dimension,
        "max_pieces": encoder.max_pieces,
        "stub_pieces": STUB_PIECES,
        "text_sha256": document.sha256,
    }


def _remove(paths: Iterable[Path]) -> None:
    """Delete what can be; what is left harms nothing and goes with the next save."""
    for path in paths:
        with suppress(OSError):
            path.unlink()
