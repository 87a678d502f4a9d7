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
    allow_private_urls: bool = False,
    progress: Progress | None = None,
) -> ArticleAnswerer:
    """Open one document for questions; see open_articles."""
    return open_articles(
        [source],
        encoder=encoder,
        reader=reader,
        index=index,
        allow_private_urls=allow_private_urls,
        progress=progress,
    )


def open_articles(
    sources: Sequence[str | Path | Document],
    *,
    encoder: str | Encoder = DEFAULT_ENCODER,
    reader: str | Path | PassageReader | None = DEFAULT_READER,
    index: str | Path | None = None,
    allow_private_urls: bool = False,
    progress: Progress | None = None,
) -> ArticleAnswerer:
    """Open documents for questions, each from its saved index or, if that does not fit, a new one.

    `index` is the folder of the saved index, or of one folder a document for several documents; the
    default is in the user's cache folder. progress(done, total) counts the texts encoded.
    `allow_private_urls` allows web addresses on this machine and in private networks. If the reader
    cannot be loaded, answers are whole sentences and the answerer's note tells why. Raises
    DocumentError, EncoderError, and SavedIndexError for an empty `index`.
    """
    named = None if index is None else named_folder(index)
    documents = deduplicate(
        source
        if isinstance(source, Document)
        else read_document(source, allow_private_urls=allow_private_urls)
        for source in sources
    )
    loaded_encoder = SentenceEncoder(encoder) if isinstance(encoder, str) else encoder
    indexes, notes = [], []
    for document in documents:
        folder = index_folder(document, loaded_encoder)
        if named is not None:
            folder = named / (folder.name if len(documents) > 1 else "")
        built, index_note = open_index(document, loaded_encoder, folder, progress)
        indexes.append(built)
        notes.append(index_note)
    loaded_reader, problem = (
        load_reader(reader) if isinstance(reader, (str, Path)) else (reader, "")
    )
    note = " ".join(filter(None, (*notes, problem)))
    return ArticleAnswerer(Collection(indexes), loaded_reader, note)


def deduplicate(documents: Iterable[Document], beside: Iterable[Document] = ()) -> list[Document]:
    """The documents without repeated texts, renamed so that their ids are unique.

    Texts and ids of the documents `beside`, which are open already, count as taken.
    """
    open_documents = list(beside)
    taken, texts = {d.id for d in open_documents}, {d.text for d in open_documents}
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
    """The reader of that name or folder and ""; None and the reason if it cannot be loaded."""
    try:
        return Reader(name), ""
    except ReaderError as error:
        return None, f"Answers are whole sentences. {error}"
