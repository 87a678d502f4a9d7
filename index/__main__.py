"""python -m index build | info | search."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from index.article_index import ArticleIndex, index_folder, open_index, read_manifest
from index.collection import Collection
from index.document import Document, read_document
from index.encoder import DEFAULT_ENCODER, SentenceEncoder
from index.errors import ArticleError
from index.terminal import print_progress, run


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 2 for what a person can mend."""
    parser = argparse.ArgumentParser(
        prog="python -m index", description="Build, describe and search the index of a document."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build the index, whether or not there is one")
    build.set_defaults(run=_build)
    info = commands.add_parser("info", help="print what a saved index says of itself")
    info.set_defaults(run=_info)
    search = commands.add_parser("search", help="print the passages nearest to a query")
    search.set_defaults(run=_search)
    for command in (build, info, search):
        command.add_argument("file", help="a txt, md, html, pdf or docx file, or a web address")
    search.add_argument("query")
    search.add_argument("--k", type=int, default=5, help="passages to print (default: %(default)s)")
    search.add_argument("--json", action="store_true", help="print them as JSON")
    for command in (build, info, search):
        command.add_argument("--index", help="the folder of the index (default: your cache)")
        command.add_argument(
            "--encoder",
            default=DEFAULT_ENCODER,
            help="a sentence-transformers model, by name or folder (default: %(default)s)",
        )
    return run(parser.parse_args(argv))


def _open(arguments: argparse.Namespace) -> tuple[Document, SentenceEncoder, Path]:
    document = read_document(arguments.file)
    encoder = SentenceEncoder(arguments.encoder)
    folder = Path(arguments.index) if arguments.index else index_folder(document, encoder)
    return document, encoder, folder


def _build(arguments: argparse.Namespace) -> None:
    document, encoder, folder = _open(arguments)
    index = ArticleIndex.build(document, encoder, print_progress("encoding"))
    index.save(folder)
    print(f"{len(index.passages)} passages and {_sentences(index)} sentences, in {folder}")


def _info(arguments: argparse.Namespace) -> None:
    document, encoder, folder = _open(arguments)
    manifest = read_manifest(folder)
    index = ArticleIndex.load(folder, document, encoder)
    print(
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


def _search(arguments: argparse.Namespace) -> None:
    if not arguments.query.strip():
        raise ArticleError("The query is empty: type what you want to find.")
    if arguments.k < 1:
        raise ArticleError(f"--k is {arguments.k}: ask for at least one passage.")
    document, encoder, folder = _open(arguments)
    index, note = open_index(document, encoder, folder, print_progress("encoding"))
    if note:
        print(note, file=sys.stderr)
    (hits,) = Collection([index]).search([arguments.query], arguments.k)
    found = [
        {
            "text": hit.passage.text,
            "start": hit.passage.start,
            "end": hit.passage.end,
            "score": round(hit.score, 4),
            "parts": {name: round(value, 4) for name, value in hit.parts.items()},
        }
        for hit in hits
    ]
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        for hit in hits:
            print(f"{hit.score:7.3f}  [{hit.passage.start}-{hit.passage.end}]  {hit.passage.text}")


def _sentences(index: ArticleIndex) -> int:
    return sum(len(p.sentences) for p in index.passages)


if __name__ == "__main__":
    sys.exit(main())
