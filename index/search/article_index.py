"""What is kept of an article: build it, save it and load it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import platformdirs
from filelock import FileLock

from index import storage as saved
from index.documents.document import Document
from index.errors import SavedIndexError
from index.models.encoder import Encoder, Progress
from index.passages import STUB_PIECES, Passage, sentence_texts, split_passages
from index.search.dense import DenseIndex
from index.search.late_interaction import LateIndex
from index.search.sparse import Split, TermCounts
from index.storage import (
    MAX_MANIFEST_BYTES,
    PARTIAL_SUFFIX,
    check_fits,
    check_lock_file,
    damaged,
    make_folder,
    read_bounded,
    sha256,
    sha256_of,
    sync_folder,
    write_file,
    write_manifest,
)

FORMAT_VERSION = 3
MANIFEST = "manifest.json"
LOCK = "saving.lock"
# Seconds to wait for another process that saves in the same folder, which takes one or two.
PATIENCE = 60

# The data files: what each holds and the suffix of its name, which begins with that and goes on with the
# first 16 digits of its sha256.
_SUFFIXES = {"text": "txt", "passages": "json", "vectors": "faiss", "pieces": "npz"}
_DATA_FILE = "|".join(rf"{what}-[0-9a-f]{{16}}\.{suffix}" for what, suffix in _SUFFIXES.items())
_PARTIAL_FILE = rf"(?:{_DATA_FILE}|{re.escape(MANIFEST)}){PARTIAL_SUFFIX}"
# What every version's manifest has, and no other program's.
_FIELDS = frozenset({"format_version", "text_sha256", "files"})


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
        self._counts: dict[tuple[Split, bool], TermCounts] = {}

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
        other = ArticleIndex(
            document,
            tuple(replace(p, document_id=document.id) for p in self.passages),
            self.dense,
            self.late,
            self.encoder,
        )
        other._counts = self._counts
        return other

    def term_counts(self, split: Split, *, sentences: bool = False) -> TermCounts:
        """The terms of its passages, or of their sentences, which are counted once and kept."""
        if (split, sentences) not in self._counts:
            texts = sentence_texts(self.passages) if sentences else [p.text for p in self.passages]
            self._counts[split, sentences] = TermCounts.of(texts, split)
        return self._counts[split, sentences]

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
        named = {
            f"{what}-{sha256(data)[:16]}.{_SUFFIXES[what]}": data for what, data in contents.items()
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
        # In the cache, which has whatever was asked, nobody else may read it.
        private = _cache_folder() in folder.parents
        mode = 0o600 if private else 0o666
        try:
            _check_owner(folder)
            make_folder(folder, 0o700 if private else 0o777)
            check_lock_file(folder / LOCK)
            # One would take away what another has written and not yet named in a manifest.
            with FileLock(folder / LOCK, timeout=PATIENCE, mode=0o600 if private else -1):
                old = list(_made_here(folder))
                new = [folder / name for name in named if not (folder / name).exists()]
                try:
                    for name, data in named.items():
                        write_file(folder / name, data, mode)
                    sync_folder(folder)
                    write_manifest(folder / MANIFEST, asdict(manifest), mode)
                except OSError:
                    _remove(new)
                    raise
                # Only now that the new manifest lasts.
                sync_folder(folder)
                _remove(path for path in old if path.name not in named)
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
        then = "it has to be built again"
        check_fits(manifest, _expected(document, encoder), f"The index in '{folder}'", then)
        # No word piece and no sentence is shorter than a character.
        most = 10_000 + len(document.text) * (
            8 * encoder.dimension + 8 * encoder.token_dimension + 200
        )
        data = {}
        for name, expected in manifest.files.items():
            if not re.fullmatch(_DATA_FILE, name):
                raise damaged(folder / MANIFEST, "it names a file that is none of an index")
            try:
                content = read_bounded(folder / name, most)
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
            late = LateIndex.from_bytes(
                data["pieces"], passages=len(passages), dimension=encoder.token_dimension
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
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
    folder = Path(folder)
    if (cache := _cache_folder()) in folder.parents:
        for path in (cache, folder):
            _make_private(path)
    # Path.exists would raise where the folder may not be looked into.
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


def index_folder(document: Document, encoder: Encoder) -> Path:
    """Where the index of this text and encoder is kept when no folder is named."""
    name = f"{document.sha256[:16]}-{encoder.revision[:8]}"
    return _cache_folder() / name


def named_folder(index: str | Path) -> Path:
    """The folder that a person named for an index; raises SavedIndexError for an empty name."""
    # An empty path would be the current folder.
    if not str(index).strip():
        raise SavedIndexError(
            "The name of the index's folder is empty: give a folder with --index."
        )
    return Path(index)


def _cache_folder() -> Path:
    try:
        return platformdirs.user_cache_path("ask-the-article", appauthor=False)
    except RuntimeError as error:  # neither HOME nor an entry of this user
        raise SavedIndexError(
            "There is no home folder to keep the index in. Name a folder with --index."
        ) from error


def _make_private(folder: Path) -> None:
    """Let nobody else into a folder that is this user's."""
    with suppress(OSError, AttributeError):  # Windows has no user ids, and a cache for each user
        about = folder.stat()
        if about.st_uid == os.geteuid() and about.st_mode & 0o077:
            folder.chmod(0o700)


def _check_owner(folder: Path) -> None:
    """Raise SavedIndexError where the folder has a manifest that is not of an index of an article."""
    try:
        with (folder / MANIFEST).open("rb") as file:
            content = file.read(MAX_MANIFEST_BYTES)
    except FileNotFoundError:
        return
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    keys = set(body) if isinstance(body, dict) else set()
    known = {*Manifest.__slots__, "sha256"}
    # A damaged one is recognized by the data files beside it.
    may_be_damaged = not keys or keys & known
    if keys >= _FIELDS or (may_be_damaged and any(map(_is_data_file, folder.iterdir()))):
        return
    raise SavedIndexError(
        f"The folder '{folder}' has a {MANIFEST} of another program, which would be overwritten: choose "
        "another folder with --index."
    )


def _made_here(folder: Path) -> Iterator[Path]:
    """The data files in a folder, and those half written, that this program made there."""
    try:
        named = set(read_manifest(folder).files)
    except SavedIndexError:
        named = set()
    for path in folder.iterdir():
        is_data = path.name in named and re.fullmatch(_DATA_FILE, path.name)
        if is_data or re.fullmatch(_PARTIAL_FILE, path.name) or _is_data_file(path):
            yield path


def _is_data_file(path: Path) -> bool:
    """Whether a file has a name of ours, with the hash of its content."""
    if not re.fullmatch(_DATA_FILE, path.name):
        return False
    try:
        return path.is_file() and sha256_of(path)[:16] == path.stem.rpartition("-")[2]
    except OSError:
        return False


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
    last = 0
    for start, end, furniture, sentences in json.loads(data):
        offsets = [start, *(at for sentence in sentences for at in sentence), end]
        if not all(type(at) is int for at in offsets) or type(furniture) is not bool:
            raise ValueError("a passage is not made of offsets")
        # One after the other, so that together they are no longer than the text.
        if [last, *offsets, len(document.text)] != sorted([last, *offsets, len(document.text)]):
            raise ValueError(f"a passage from {start} to {end} is not in the text after {last}")
        if start == end or not sentences or any(a == b for a, b in sentences):
            raise ValueError(f"the passage from {start} to {end} is empty")
        last = end
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
    if not found:
        raise ValueError("it has no passages")
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
