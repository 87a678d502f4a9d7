"""Open documents for questions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from index.documents.document import Document, read_document
from index.models.encoder import SentenceEncoder
from index.models.model_files import DEFAULT_ENCODER
from index.models.types import Encoder, Progress
from index.resources import resource
from index.search.article_index import open_index
from index.search.collection import Collection
from index.search.index_files import index_folder, named_folder
from qa.answerer import ArticleAnswerer
from qa.candidates import PassageReader
from qa.reader import DEFAULT_READER, Reader, ReaderError

DEFAULT_ARTICLE = resource("articles") / "putin-visits-north-korea.txt"


def open_article(
    source: str | Path = DEFAULT_ARTICLE,
    *,
    encoder: str | Encoder = DEFAULT_ENCODER,
    reader: str | Path | PassageReader | None = DEFAULT_READER,
    index: str | Path | None = None,
    private: bool = False,
    progress: Progress | None = None,
) -> ArticleAnswerer:
    """Open one document for questions; see open_articles."""
    return open_articles(
        [source], encoder=encoder, reader=reader, index=index, private=private, progress=progress
    )


def open_articles(
    sources: Sequence[str | Path | Document],
    *,
    encoder: str | Encoder = DEFAULT_ENCODER,
    reader: str | Path | PassageReader | None = DEFAULT_READER,
    index: str | Path | None = None,
    private: bool = False,
    progress: Progress | None = None,
) -> ArticleAnswerer:
    """Open documents for questions, each from its saved index where that fits and else anew.

    `index` is the folder of the saved index, for several documents of a folder each, by default one
    in the person's cache folder; progress(done, total) counts the texts encoded when one is built.
    `private` allows web addresses of this machine and of the networks around it.
    Where the reader cannot be loaded, the answers are whole sentences and the note says why. Raises
    DocumentError, EncoderError, and SavedIndexError for an empty `index`.
    """
    named = None if index is None else named_folder(index)
    documents = deduplicate(
        source if isinstance(source, Document) else read_document(source, private=private)
        for source in sources
    )
    loaded = SentenceEncoder(encoder) if isinstance(encoder, str) else encoder
    indexes, notes = [], []
    for document in documents:
        folder = index_folder(document, loaded)
        if named is not None:
            folder = named / (folder.name if len(documents) > 1 else "")
        built, note = open_index(document, loaded, folder, progress)
        indexes.append(built)
        notes.append(note)
    read, missing = load_reader(reader) if isinstance(reader, (str, Path)) else (reader, "")
    return ArticleAnswerer(Collection(indexes), read, " ".join(filter(None, (*notes, missing))))


def deduplicate(documents: Iterable[Document], beside: Iterable[Document] = ()) -> list[Document]:
    """The documents without those of the same text as another's, each with an id of its own.

    None has an id or the text of one of those `beside` which they will stand.
    """
    others = list(beside)
    taken, texts = {d.id for d in others}, {d.text for d in others}
    kept = []
    for document in documents:
        if document.text in texts:
            continue
        name, number = document.id, 1
        while name in taken:
            number += 1
            name = f"{document.id} {number}"
        taken.add(name)
        texts.add(document.text)
        kept.append(replace(document, id=name))
    return kept


def load_reader(name: str | Path = DEFAULT_READER) -> tuple[Reader | None, str]:
    """The reader of that name or folder, or None and, in a sentence, why there is none."""
    try:
        return Reader(name), ""
    except ReaderError as error:
        return None, f"Answers are whole sentences. {error}"
