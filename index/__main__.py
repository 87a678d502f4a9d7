"""The command python -m index: build, describe and search indexes."""

from __future__ import annotations

from index.console import prepare_console, run_program

# Before the imports that take seconds.
if __name__ == "__main__":
    prepare_console()

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from index.documents.document import Document, read_document
from index.documents.formats import FORMATS
from index.documents.parser_process import protections
from index.errors import ArticleError
from index.models.encoder import SentenceEncoder
from index.search.article_index import ArticleIndex, open_index
from index.search.collection import Collection, Hit
from index.search.faiss_file import KINDS
from index.search.index_files import index_folder, named_folder, read_manifest
from index.stores.collection import StoredCollection
from index.stores.corpus import ALL, Shard, read_corpus
from index.stores.fill import fill
from index.stores.open import STORE_HELP, open_store
from index.terminal import (
    Parser,
    add_document_options,
    nonempty,
    positive_int,
    print_progress,
    run,
    visible,
)


def main(argv: Sequence[str] | None = None, *, prog: str = "python -m index") -> int:
    """Run a command and return its exit code, which is 2 for errors that the user can fix."""
    parser = Parser(
        prog=prog,
        description="Build, describe and search the index of a document, or a store of many.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build an index, replacing a previous one")
    build.add_argument(
        "files",
        nargs="+",
        metavar="file",
        help=f"a {FORMATS} file, or a web address; with --store also several of "
        "them, folders, and .jsonl files with an object of 'id' and 'text' on each line",
    )
    build.add_argument(
        "--shard",
        type=_parse_shard,
        default=ALL,
        metavar="I/N",
        help="add only the I-th of N parts of the documents",
    )
    build.add_argument(
        "--kind", choices=KINDS, help="the kind of FAISS index (default: chosen by its size)"
    )
    build.set_defaults(run=_build)
    info = commands.add_parser("info", help="describe a saved index")
    info.set_defaults(run=_info)
    search = commands.add_parser("search", help="print the best passages for a query")
    search.set_defaults(run=_search)
    isolation = commands.add_parser(
        "isolation", help="describe the sandbox that PDF, Word and HTML files are read in"
    )
    isolation.set_defaults(run=lambda _: print(protections()))
    for command in (info, search):
        command.add_argument("file", nargs="?", help="the document, unless --store is given")
    search.add_argument("query")
    search.add_argument(
        "--k", type=positive_int, default=5, help="passages to print (default: %(default)s)"
    )
    search.add_argument("--json", action="store_true", help="print JSON")
    for command in (build, info, search):
        command.add_argument(
            "--index", type=nonempty, help="the folder of the index (default: in your cache)"
        )
        command.add_argument("--store", type=nonempty, metavar="ADDRESS", help=STORE_HELP)
        add_document_options(command)
    return run(parser.parse_args(argv))


def _open(
    arguments: argparse.Namespace, file: str | None
) -> tuple[Document, SentenceEncoder, Path]:
    """Open a document and the encoder, and find the folder of the document's index."""
    if file is None:
        raise ArticleError("There is nothing to open: give a file, or a --store.")
    folder = None if arguments.index is None else named_folder(arguments.index)
    document = read_document(file, allow_private_urls=arguments.allow_private_urls)
    encoder = SentenceEncoder(arguments.encoder)
    return document, encoder, folder or index_folder(document, encoder)


def _build(arguments: argparse.Namespace) -> None:
    if arguments.store is not None:
        _fill_store(arguments)
        return
    if len(arguments.files) > 1 or arguments.shard != ALL or arguments.kind:
        raise ArticleError("Several files, --shard and --kind need a store: give a --store.")
    document, encoder, folder = _open(arguments, arguments.files[0])
    index = ArticleIndex.build(document, encoder, print_progress("encoding"))
    index.save(folder)
    size = f"{len(index.passages)} passages and {_count_sentences(index)} sentences"
    print(visible(f"{size}, in {folder}"))


def _fill_store(arguments: argparse.Namespace) -> None:
    skipped: list[str] = []

    def skip(message: str) -> None:
        skipped.append(message)
        print(visible(f"skipped: {message}"), file=sys.stderr)

    encoder = SentenceEncoder(arguments.encoder)
    store = open_store(arguments.store, encoder, kind=arguments.kind, shard=str(arguments.shard))
    try:
        documents = read_corpus(
            arguments.files,
            arguments.shard,
            skip,
            allow_private_urls=arguments.allow_private_urls,
        )
        result = fill(store, documents, encoder, print_progress("encoding"))
        summary = (
            f"{result.documents:,} documents with {result.passages:,} passages added, "
            f"{result.already_stored:,} already there, {len(skipped):,} skipped; "
            f"{len(store):,} passages in {arguments.store}"
        )
        print(visible(summary))
    finally:
        store.close()
    if skipped and not result.documents + result.already_stored:
        raise ArticleError("No document could be read: see the messages above.")


def _info(arguments: argparse.Namespace) -> None:
    if arguments.store is not None:
        store = open_store(arguments.store, SentenceEncoder(arguments.encoder))
        try:
            print(visible(json.dumps(store.describe(), ensure_ascii=False, indent=2)))
        finally:
            store.close()
        return
    document, encoder, folder = _open(arguments, arguments.file)
    manifest = read_manifest(folder)
    index = ArticleIndex.load(folder, document, encoder)
    print(
        visible(
            json.dumps(
                {
                    "folder": str(folder),
                    "passages": len(index.passages),
                    "sentences": _count_sentences(index),
                    **asdict(manifest),
                },
                ensure_ascii=False,
                indent=2,
            )
        )
    )


def _search(arguments: argparse.Namespace) -> None:
    if not arguments.query.strip():
        raise ArticleError("The query is empty: give some words to search for.")
    if arguments.store is not None:
        encoder = SentenceEncoder(arguments.encoder)
        store = open_store(arguments.store, encoder)
        try:
            (hits,) = StoredCollection(store, encoder).search([arguments.query], arguments.k)
        finally:
            store.close()
    else:
        document, encoder, folder = _open(arguments, arguments.file)
        index, note = open_index(document, encoder, folder, print_progress("encoding"))
        if note:
            print(visible(note), file=sys.stderr)
        (hits,) = Collection([index]).search([arguments.query], arguments.k)
    if arguments.json:
        print(visible(json.dumps([_to_dict(hit) for hit in hits], ensure_ascii=False, indent=2)))
        return
    for hit in hits:
        origin = f" of {hit.passage.document_id}" if arguments.store else ""
        offsets = f"[{hit.passage.start}-{hit.passage.end}{origin}]"
        print(visible(f"{hit.score:7.3f}  {offsets}  {hit.passage.text}"))


def _to_dict(hit: Hit) -> dict[str, Any]:
    return {
        "document": hit.passage.document_id,
        "text": hit.passage.text,
        "start": hit.passage.start,
        "end": hit.passage.end,
        "score": round(hit.score, 4),
        "parts": {name: round(value, 4) for name, value in hit.parts.items()},
    }


def _parse_shard(text: str) -> Shard:
    number, _, total = text.partition("/")
    if not (number.isdigit() and total.isdigit() and 1 <= int(number) <= int(total)):
        raise argparse.ArgumentTypeError("must be like 2/8, the second of eight")
    return Shard(int(number), int(total))


def _count_sentences(index: ArticleIndex) -> int:
    return sum(len(p.sentences) for p in index.passages)


if __name__ == "__main__":
    run_program(main)
