"""Measure how a FAISS store scales: build and open time, disk, memory, latency and recall.

    python -m benchmarks.scale ../shared/data/squad/train-v2.0.json.gz

The passages are synthetic, since no file here has a million: three to six random sentences of one
article, with the mean of the sentences' vectors. The questions are real ones about these articles. The
index types are compared first, each with exact search over the same vectors; then whole stores are
built, opened and searched, each in its own process. Encoding is not included: benchmarks/latency.py
measures that. Prints, records and plots the figures.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.draw import save_lines
from benchmarks.record import ROOT, record
from evaluation.squad import read_squad
from index.documents.document import Document
from index.models.encoder import SentenceEncoder
from index.models.types import Vectors
from index.passages.passage import Passage, plain_passage
from index.passages.sentences import split_sentences
from index.search.dense import DenseIndex, default_kind, default_settings
from index.search.faiss_file import KINDS, Kind
from index.stores.faiss_store import FaissStore

SIZES = (1_000, 10_000, 100_000, 1_000_000)
DEFAULT_MAX_VECTORS = 5_000_000
# The most vectors of each index type. HNSW's recall is too low at 100,000 already.
MAX_VECTORS: dict[Kind, int] = {"flat": 1_000_000, "hnsw": 100_000, "ivf": DEFAULT_MAX_VECTORS}
PROBES = (16, 32, 48, 64, 96, 128, 192, 256)
EVERY_ARTICLE = 4
QUERIES = 200
PASSAGES_A_DOCUMENT = 20
# Vectors made at a time.
BLOCK = 50_000


def main() -> None:
    """Measure, print, record and plot."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale")
    parser.add_argument("file", help="train-v2.0.json.gz")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of passages")
    parser.add_argument(
        "--vectors",
        type=int,
        default=DEFAULT_MAX_VECTORS,
        help="more vectors, without a store",
    )
    # For the benchmark's own subprocesses.
    parser.add_argument("--build", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    folder = arguments.folder
    if arguments.build:
        print(json.dumps(_build(Material.load(folder), arguments.build, folder)))
    elif arguments.measure:
        print(json.dumps(_measure(Material.load(folder), folder)))
    else:
        _run(arguments.file, sorted(arguments.sizes), arguments.vectors)


def _run(file: str, sizes: Sequence[int], most_vectors: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        material = Material.of(file)
        material.save(folder)
        found: list[dict[str, Any]] = []
        for size in [*sizes, *[n for n in [most_vectors] if n > max(sizes)]]:
            row: dict[str, Any] = {
                "passages": size,
                "kinds": _compare_kinds(material, size, folder),
            }
            if size in sizes:
                built = _subprocess(file, folder, "--build", str(size))
                row["store"] = {**built, **_subprocess(file, folder, "--measure")}
                shutil.rmtree(folder / "store")
            found.append(row)
            _print(row)
            record("scale", {"sentences": len(material.texts), "sizes": found})
    _draw(found)


class Material:
    """Sentences and their vectors, from which passages are made, and questions."""

    def __init__(
        self,
        texts: list[str],
        articles: list[int],
        vectors: Vectors,
        queries: list[str],
        query_vectors: Vectors,
    ) -> None:
        """`articles` has the article number of each sentence, ascending; `vectors` one row each."""
        self.texts, self.articles, self.vectors = texts, articles, vectors
        self.queries, self.query_vectors = queries, query_vectors
        self._sizes = np.bincount(np.array(articles))
        self._first = np.cumsum(self._sizes) - self._sizes
        self._lengths = np.array([len(text) for text in texts], dtype=np.float32)

    @classmethod
    def of(cls, file: str) -> Material:
        """Read every fourth article of a SQuAD file and encode its sentences and some questions."""
        articles = sorted(read_squad(file), key=lambda a: a.document.title)[::EVERY_ARTICLE]
        texts: list[str] = []
        owners: list[int] = []
        for number, article in enumerate(articles):
            text = article.document.text
            for start, end in article.paragraphs:
                for a, b in split_sentences(text, start, end):
                    texts.append(text[a:b].replace("\n", " "))
                    owners.append(number)
        questions = [q.text for article in articles for q in article.questions if q.answers]
        order = np.random.default_rng(1).permutation(len(questions))
        queries = [questions[i] for i in order[:QUERIES]]
        encoder = SentenceEncoder()
        began = time.perf_counter()
        vectors = encoder.encode_texts(texts)
        print(
            f"{len(texts):,} sentences encoded in {time.perf_counter() - began:.0f} s", flush=True
        )
        return cls(texts, owners, vectors, queries, encoder.encode_queries(queries).vectors)

    def save(self, folder: Path) -> None:
        """Write it for the subprocesses."""
        (folder / "material.json").write_text(json.dumps([self.texts, self.articles, self.queries]))
        np.savez(folder / "material.npz", vectors=self.vectors, queries=self.query_vectors)

    @classmethod
    def load(cls, folder: Path) -> Material:
        """Read what save() wrote."""
        texts, articles, queries = json.loads((folder / "material.json").read_text())
        arrays = np.load(folder / "material.npz")
        return cls(texts, articles, arrays["vectors"], queries, arrays["queries"])

    def blocks(self, size: int) -> Iterator[tuple[NDArray[np.int64], Vectors]]:
        """Passages as sentence numbers [n, 6], padded with -1, and their vectors."""
        rng = np.random.default_rng(size)
        for first in range(0, size, BLOCK):
            n = min(BLOCK, size - first)
            owner = rng.choice(len(self._sizes), n, p=self._sizes / self._sizes.sum())
            count = rng.integers(3, 7, n)
            chosen = self._first[owner][:, None] + (
                rng.random((n, 6)) * self._sizes[owner][:, None]
            ).astype(np.int64)
            chosen[np.arange(6) >= count[:, None]] = -1
            # A passage's vector is the mean over its pieces, so sentences are weighted by length.
            weights = np.where(chosen >= 0, self._lengths[chosen], 0)
            vectors = np.zeros((n, self.vectors.shape[1]), dtype=np.float32)
            for column in range(6):
                vectors += weights[:, column : column + 1] * self.vectors[chosen[:, column]]
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            yield chosen, vectors

    def documents(self, size: int) -> Iterator[tuple[list[Document], list[Passage], Vectors]]:
        """The same passages as documents with texts."""
        number = 0
        for chosen, vectors in self.blocks(size):
            documents, passages = [], []
            for at in range(0, len(chosen), PASSAGES_A_DOCUMENT):
                number += 1
                name, text = f"documents/{number}", ""
                for row in chosen[at : at + PASSAGES_A_DOCUMENT]:
                    start, offsets = len(text), []
                    for i in row[row >= 0]:
                        offsets.append((len(text), len(text) + len(self.texts[i])))
                        text += self.texts[i] + " "
                    text = text[:-1]
                    passages.append(plain_passage(name, start, text[start:], offsets))
                    text += "\n\n"
                documents.append(Document(name, f"Document {number}", text, name))
            yield documents, passages, vectors


def _compare_kinds(material: Material, size: int, folder: Path) -> dict[str, Any]:
    """Compare the index types at this number of vectors."""
    vectors = np.concatenate([block for _, block in material.blocks(size)])
    exact = DenseIndex.build(vectors[:1], "flat", {})
    exact.add(vectors[1:])
    _, expected = exact.search(material.query_vectors, 10)
    del exact
    found: dict[str, Any] = {}
    for kind in KINDS:
        settings = default_settings(kind, size)
        if size > MAX_VECTORS[kind]:
            continue
        start = time.perf_counter()
        index = DenseIndex.build(vectors, kind, settings)
        seconds = time.perf_counter() - start
        path = folder / "vectors.faiss"
        index.write(path)
        del index
        index = DenseIndex.map(path, kind, dimension=vectors.shape[1], rows=size)
        found[kind] = {
            "settings": settings,
            "build_s": round(seconds, 2),
            "bytes": path.stat().st_size,
            **_search_figures(index, material.query_vectors, expected),
        }
        if kind == "ivf":
            # Other numbers of probed cells, for choosing default_settings.
            found[kind]["by_probes"] = {}
            for probes in [n for n in PROBES if n <= settings["cells"]]:
                index.set_nprobe(probes)
                found[kind]["by_probes"][probes] = _search_figures(
                    index, material.query_vectors, expected
                )
        path.unlink()
    return found


def _search_figures(
    index: DenseIndex, queries: Vectors, expected: NDArray[np.int64]
) -> dict[str, float]:
    """Search one query at a time: the latency, and the recall of the ten expected vectors."""
    times, rows = [], []
    for query in queries:
        start = time.perf_counter()
        rows.append(index.search(query[None], 10)[1][0])
        times.append(time.perf_counter() - start)
    shared = [len(set(a) & set(b)) for a, b in zip(rows, expected, strict=True)]
    return {**_quantiles(times), "recall_at_10": round(sum(shared) / (10 * len(shared)), 4)}


def _build(material: Material, size: int, folder: Path) -> dict[str, Any]:
    """Build a store of this many passages with precomputed vectors."""
    store = FaissStore(folder / "store", SentenceEncoder())
    start, making = time.perf_counter(), 0.0
    made = time.perf_counter()
    for batch in material.documents(size):
        making += time.perf_counter() - made
        store.put(*batch)
        made = time.perf_counter()
    store.finish()
    seconds = time.perf_counter() - start - making
    sizes: dict[str, int] = {}
    for path in (folder / "store").rglob("*"):
        if path.is_file():
            what = {"vectors.faiss": "vectors", "texts.bin": "texts"}.get(path.name, "other")
            what = "words" if path.parent.name == "words" else what
            sizes[what] = sizes.get(what, 0) + path.stat().st_size
    return {
        "kind": default_kind(size),
        "build_s": round(seconds, 1),
        "build_peak_mb": _megabytes("VmHWM"),
        "bytes": sizes,
    }


def _measure(material: Material, folder: Path) -> dict[str, Any]:
    """Open and search a store: the latency and the memory."""
    encoder = SentenceEncoder()
    held, mapped = _megabytes("RssAnon"), _megabytes("RssFile")
    start = time.perf_counter()
    store = FaissStore(folder / "store", encoder)
    opened = time.perf_counter() - start
    times = []
    for query, vector in zip(material.queries, material.query_vectors, strict=True):
        start = time.perf_counter()
        store.nearest([query], vector[None], 20)
        times.append(time.perf_counter() - start)
    vectors = sum(p.stat().st_size for p in (folder / "store").rglob("vectors.faiss")) / 1e6
    held, mapped = _megabytes("RssAnon") - held, _megabytes("RssFile") - mapped
    return {
        "open_s": round(opened, 2),
        **_quantiles(times),
        "vectors_mb": round(vectors, 1),
        "held_mb": round(held, 1),
        "mapped_mb": round(mapped, 1),
        "held_and_mapped_by_vectors": round((held + mapped) / vectors, 2),
    }


def _subprocess(file: str, folder: Path, *arguments: str) -> dict[str, Any]:
    """The result of a subprocess, so that its memory is measured separately."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scale", file, *arguments, "--folder", str(folder)],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _quantiles(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "p50_ms": round(1000 * statistics.median(ordered), 2),
        "p95_ms": round(1000 * ordered[int(0.95 * len(ordered))], 2),
    }


def _megabytes(field: str) -> float:
    """A field of /proc/self/status in MB; where there is none, the peak memory."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith(f"{field}:"):
                return round(int(line.split()[1]) / 1e3, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, 1)


def _print(row: dict[str, Any]) -> None:
    print(f"{row['passages']:,} passages")
    for kind, figures in row["kinds"].items():
        print(
            f"  vectors, {kind:5} built in {figures['build_s']:7.1f} s  "
            f"{figures['bytes'] / 1e6:8.1f} MB  search {figures['p50_ms']:7.2f} / "
            f"{figures['p95_ms']:7.2f} ms  recall@10 {figures['recall_at_10']:.3f}"
        )
    if of := row.get("store"):
        print(
            f"  store, {of['kind']:7} built in {of['build_s']:7.1f} s  "
            f"{sum(of['bytes'].values()) / 1e6:8.1f} MB  opened in {of['open_s']:.1f} s  "
            f"search {of['p50_ms']:.1f} / {of['p95_ms']:.1f} ms  memory {of['held_mb']:.0f} MB and "
            f"{of['mapped_mb']:.0f} MB mapped, of vectors {of['vectors_mb']:.0f} MB"
        )
    sys.stdout.flush()


def _draw(found: Sequence[dict[str, Any]]) -> None:
    def of_kinds(name: str) -> dict[str, list[float | None]]:
        return {kind: [row["kinds"].get(kind, {}).get(name) for row in found] for kind in KINDS}

    def of_stores(*names: str) -> dict[str, list[float | None]]:
        return {name: [row.get("store", {}).get(name) for row in found] for name in names}

    save_lines(
        "scale",
        [row["passages"] for row in found],
        {
            "vectors: search p50, ms": of_kinds("p50_ms"),
            "vectors: recall@10": of_kinds("recall_at_10"),
            "vectors: build, s": of_kinds("build_s"),
            "store: search, ms": of_stores("p50_ms", "p95_ms"),
            "store: build and open, s": of_stores("build_s", "open_s"),
            "store: memory, MB": of_stores("vectors_mb", "held_mb", "mapped_mb"),
        },
    )


if __name__ == "__main__":
    main()
