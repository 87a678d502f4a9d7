"""python -m index build | info | search | isolation."""

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

from index.documents.document import Document, read_document
from index.documents.parser_process import protections
from index.errors import ArticleError
from index.models.encoder import SentenceEncoder
from index.search.article_index import (
    ArticleIndex,
    index_folder,
    named_folder,
    open_index,
    read_manifest,
)
from index.search.collection import Collection
from index.search.dense import KINDS
from index.stores.collection import StoredCollection
from index.stores.corpus import ALL, Shard, read_corpus
from index.stores.fill import fill
from index.stores.open import STORE_HELP, open_store
from index.terminal import Parser, add_shared, count, nonempty, print_progress, run, visible


def main(argv: Sequence[str] | None = None, *, prog: str = "python -m index") -> int:
    """Run a command; returns the exit code: 2 for what a person can mend."""
    parser = Parser(
        prog=prog,
        description="Build, describe and search the index of a document, or a store of many.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build the index, whether or not there is one")
    build.add_argument(
        "files",
        nargs="+",
        metavar="file",
        help="a txt, md, html, pdf or docx file, or a web address; for a store also several, folders "
        "of them, and .jsonl files with an object of 'id' and 'text' on each line",
    )
    build.add_argument(
        "--shard", type=_shard, default=ALL, metavar="I/N", help="put only the I-th of N parts in"
    )
    build.add_argument(
        "--kind", choices=KINDS, help="how FAISS shall index it (default: by its size)"
    )
    build.set_defaults(run=_build)
    info = commands.add_parser("info", help="print what a saved index says of itself")
    info.set_defaults(run=_info)
    search = commands.add_parser("search", help="print the passages nearest to a query")
    search.set_defaults(run=_search)
    isolation = commands.add_parser(
        "isolation", help="print what confines the processes that read PDF, Word and HTML files"
    )
    isolation.set_defaults(run=lambda _: print(protections()))
    for command in (info, search):
        command.add_argument("file", nargs="?", help="the document, where no store is named")
    search.add_argument("query")
    search.add_argument(
        "--k", type=count, default=5, help="passages to print (default: %(default)s)"
    )
    search.add_argument("--json", action="store_true", help="print them as JSON")
    for command in (build, info, search):
        command.add_argument(
            "--index", type=nonempty, help="the folder of the index (default: your cache)"
        )
        command.add_argument("--store", type=nonempty, metavar="ADDRESS", help=STORE_HELP)
        add_shared(command)
    return run(parser.parse_args(argv))


def _open(
    arguments: argparse.Namespace, file: str | None
) -> tuple[Document, SentenceEncoder, Path]:
    if file is None:
        raise ArticleError("There is nothing to open: give a file, or a --store.")
    named = None if arguments.index is None else named_folder(arguments.index)
    document = read_document(file, private=arguments.allow_private_urls)
    encoder = SentenceEncoder(arguments.encoder)
    return document, encoder, named or index_folder(document, encoder)


def _build(arguments: argparse.Namespace) -> None:
    if arguments.store is not None:
        _fill(arguments)
        return
    if len(arguments.files) > 1 or arguments.shard != ALL or arguments.kind:
        raise ArticleError("Several files, a shard and a kind are for a store: name a --store.")
    document, encoder, folder = _open(arguments, arguments.files[0])
    index = ArticleIndex.build(document, encoder, print_progress("encoding"))
    index.save(folder)
    made = f"{len(index.passages)} passages and {_sentences(index)} sentences"
    print(visible(f"{made}, in {folder}"))


def _fill(arguments: argparse.Namespace) -> None:
    skipped: list[str] = []

    def skip(why: str) -> None:
        skipped.append(why)
        print(visible(f"left out: {why}"), file=sys.stderr)

    encoder = SentenceEncoder(arguments.encoder)
    store = open_store(arguments.store, encoder, kind=arguments.kind, shard=str(arguments.shard))
    try:
        documents = read_corpus(
            arguments.files, arguments.shard, skip, private=arguments.allow_private_urls
        )
        filled = fill(store, documents, encoder, print_progress("encoding"))
        done = (
            f"{filled.documents:,} documents with {filled.passages:,} passages added, {filled.held:,} "
            f"were there, {len(skipped):,} left out; {len(store):,} passages in {arguments.store}"
        )
        print(visible(done))
    finally:
        store.close()
    if skipped and not filled.documents + filled.held:
        raise ArticleError("No document could be read: see what was left out.")


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
                    "sentences": _sentences(index),
                    **asdict(manifest),
                },
                ensure_ascii=False,
                indent=2,
            )
        )
    )


def _search(arguments: argparse.Namespace) -> None:
    if not arguments.query.strip():
        raise ArticleError("The query is empty: type what you want to find.")
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
    found = [
        {
            "document": hit.passage.document_id,
            "text": hit.passage.text,
            "start": hit.passage.start,
            "end": hit.passage.end,
            "score": round(hit.score, 4),
            "parts": {name: round(value, 4) for name, value in hit.parts.items()},
        }
        for hit in hits
    ]
    if arguments.json:
        print(visible(json.dumps(found, ensure_ascii=False, indent=2)))
        return
    for hit in hits:
        named = f" of {hit.passage.document_id}" if arguments.store else ""
        place = f"[{hit.passage.start}-{hit.passage.end}{named}]"
        print(visible(f"{hit.score:7.3f}  {place}  {hit.passage.text}"))


def _shard(text: str) -> Shard:
    number, _, of = text.partition("/")
    if not (number.isdigit() and of.isdigit() and 1 <= int(number) <= int(of)):
        raise argparse.ArgumentTypeError("must be like 2/8, the second of eight")
    return Shard(int(number), int(of))


def _sentences(index: ArticleIndex) -> int:
    return sum(len(p.sentences) for p in index.passages)


if __name__ == "__main__":
    run_program(main)
