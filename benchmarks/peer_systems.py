"""The project and its peers behind one interface; benchmarks/peers.py runs each in its own process.

    python -m benchmarks.peer_systems NAME WORK.json OUT.json

Runs in the peers' environment (benchmarks/requirements-peers.txt), so only AskTheArticle imports other
modules of the project. Each peer appears twice: as in its documentation's introduction, and as "best",
with the settings in its documentation that suit whole articles and short answers best.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

K = 5
# The offsets of a passage in the text, end exclusive.
Offsets = tuple[int, int]


class System(Protocol):
    """A question-answering system."""

    def open(self, text: str) -> int:
        """Index a text in place of the previous one; returns the number of passages."""
        ...

    def ask(self, question: str) -> tuple[list[Offsets], str | None]:
        """The five best passages, best first, and the answer; None if the system extracts none."""
        ...


class AskTheArticle:
    """The project with its defaults."""

    def __init__(self, encoder: str, reader: str) -> None:
        """Load the models; ours have the same weights as those of the two folders."""
        from index.models.encoder import SentenceEncoder
        from qa.answerer import ArticleAnswerer
        from qa.reader import Reader

        self._encoder, self._reader = SentenceEncoder(), Reader()
        self._answerer: ArticleAnswerer | None = None

    def open(self, text: str) -> int:
        """Index a text."""
        from index.documents.content import BLOCK_GAP
        from index.documents.document import of_paragraphs
        from index.search.article_index import ArticleIndex
        from index.search.collection import Collection
        from qa.answerer import ArticleAnswerer

        # The paragraphs stay where they are in the text, by whose offsets the systems are compared.
        document = of_paragraphs(text.split(BLOCK_GAP), name="a", source="a")
        index = ArticleIndex.build(document, self._encoder)
        self._answerer = ArticleAnswerer(Collection([index]), self._reader)
        return len(index.passages)

    def ask(self, question: str) -> tuple[list[Offsets], str | None]:
        """The best span, even where the program would abstain, as the peers do."""
        assert self._answerer
        answer = self._answerer.ask(question, k=K)
        best = answer.best
        text = self._answerer.document.text
        return (
            [(hit.passage.start, hit.passage.end) for hit in answer.hits],
            text[best.start : best.end] if best else "",
        )


class LangChain:
    """RecursiveCharacterTextSplitter, HuggingFaceEmbeddings and FAISS."""

    def __init__(self, encoder: str, reader: str, *, best: bool) -> None:
        """Load the encoder."""
        from langchain_huggingface import HuggingFaceEmbeddings

        self._best = best
        self._embeddings = HuggingFaceEmbeddings(
            model_name=encoder,
            encode_kwargs={"normalize_embeddings": True} if best else {},
        )
        self._search: Callable[[str], Any] = lambda question: []

    def open(self, text: str) -> int:
        """Split and index; the best settings split at paragraphs and add BM25 by rank fusion."""
        from langchain_community.vectorstores import FAISS
        from langchain_text_splitters import RecursiveCharacterTextSplitter

        splitter = RecursiveCharacterTextSplitter(
            chunk_size=1000, chunk_overlap=0 if self._best else 200, add_start_index=True
        )
        documents = splitter.create_documents(
            text.split("\n\n") if self._best else [text],
            [{"at": at} for at in _paragraph_starts(text)] if self._best else [{"at": 0}],
        )
        store = FAISS.from_documents(documents, self._embeddings)
        if self._best:
            from langchain_classic.retrievers import EnsembleRetriever
            from langchain_community.retrievers import BM25Retriever

            words = BM25Retriever.from_documents(documents, preprocess_func=_words)
            words.k = 2 * K
            retriever = EnsembleRetriever(
                retrievers=[words, store.as_retriever(search_kwargs={"k": 2 * K})],
                weights=[0.5, 0.5],
            )
            self._search = lambda question: retriever.invoke(question)[:K]
        else:
            self._search = lambda question: store.similarity_search(question, k=K)
        return len(documents)

    def ask(self, question: str) -> tuple[list[Offsets], str | None]:
        """Search."""
        offsets = []
        for hit in self._search(question):
            start = hit.metadata["at"] + hit.metadata["start_index"]
            offsets.append((start, start + len(hit.page_content)))
        return offsets, None


class LlamaIndex:
    """VectorStoreIndex with HuggingFaceEmbedding."""

    def __init__(self, encoder: str, reader: str, *, best: bool) -> None:
        """Load the encoder."""
        from llama_index.core import Settings
        from llama_index.core.llms import MockLLM
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding

        self._best = best
        Settings.embed_model = HuggingFaceEmbedding(model_name=encoder)
        # Without this, the default language model asks for an API key.
        Settings.llm = MockLLM()
        self._retriever: Any = None

    def open(self, text: str) -> int:
        """Split and index; the best settings make passages of 256 tokens and add BM25 by rank fusion."""
        from llama_index.core import Document, VectorStoreIndex
        from llama_index.core.node_parser import SentenceSplitter

        splitter = SentenceSplitter(chunk_size=256, chunk_overlap=20)
        nodes = (splitter if self._best else SentenceSplitter()).get_nodes_from_documents(
            [Document(text=text)]
        )
        index = VectorStoreIndex(nodes)
        if self._best:
            from llama_index.core.retrievers import QueryFusionRetriever
            from llama_index.core.retrievers.fusion_retriever import FUSION_MODES
            from llama_index.retrievers.bm25 import BM25Retriever

            most = min(2 * K, len(nodes))
            self._retriever = QueryFusionRetriever(
                [
                    index.as_retriever(similarity_top_k=most),
                    BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=most),
                ],
                mode=FUSION_MODES.RECIPROCAL_RANK,
                similarity_top_k=K,
                num_queries=1,
                use_async=False,
            )
        else:
            self._retriever = index.as_retriever(similarity_top_k=K)
        return len(nodes)

    def ask(self, question: str) -> tuple[list[Offsets], str | None]:
        """Search."""
        found = self._retriever.retrieve(question)
        return [(hit.node.start_char_idx, hit.node.end_char_idx) for hit in found], None


class Haystack:
    """The hybrid pipeline in memory, and the extractive reader on its five best."""

    def __init__(self, encoder: str, reader: str, *, best: bool) -> None:
        """Load the models."""
        from haystack.utils import ComponentDevice
        from haystack_integrations.components.embedders.sentence_transformers import (
            SentenceTransformersDocumentEmbedder,
            SentenceTransformersTextEmbedder,
        )
        from haystack_integrations.components.readers.transformers import (
            TransformersExtractiveReader,
        )

        self._best = best
        device = ComponentDevice.from_str("cpu")
        self._documents = SentenceTransformersDocumentEmbedder(
            model=encoder, device=device, progress_bar=False
        )
        self._query = SentenceTransformersTextEmbedder(
            model=encoder, device=device, progress_bar=False
        )
        self._reader = TransformersExtractiveReader(
            model=reader, device=device, **({"no_answer": False, "top_k": 1} if best else {})
        )
        for component in (self._documents, self._query, self._reader):
            component.warm_up()
        self._pipeline: Any = None

    def open(self, text: str) -> int:
        """Split and index; the best settings split at paragraphs and fuse by rank."""
        from haystack import Document, Pipeline
        from haystack.components.joiners import DocumentJoiner
        from haystack.components.preprocessors import DocumentSplitter
        from haystack.components.retrievers.in_memory import (
            InMemoryBM25Retriever,
            InMemoryEmbeddingRetriever,
        )
        from haystack.document_stores.in_memory import InMemoryDocumentStore

        if self._best:
            documents = [
                Document(content=paragraph, meta={"split_idx_start": at})
                for paragraph, at in zip(text.split("\n\n"), _paragraph_starts(text), strict=True)
            ]
        else:
            splitter = DocumentSplitter(split_by="word", split_length=200, split_overlap=0)
            documents = splitter.run([Document(content=text)])["documents"]
        store = InMemoryDocumentStore(embedding_similarity_function="cosine")
        store.write_documents(self._documents.run(documents)["documents"])
        mode = "reciprocal_rank_fusion" if self._best else "concatenate"
        pipeline = Pipeline()
        pipeline.add_component("words", InMemoryBM25Retriever(store, top_k=2 * K))
        pipeline.add_component("vectors", InMemoryEmbeddingRetriever(store, top_k=2 * K))
        pipeline.add_component("joiner", DocumentJoiner(join_mode=mode, top_k=K))
        pipeline.connect("words", "joiner")
        pipeline.connect("vectors", "joiner")
        self._pipeline = pipeline
        return len(documents)

    def ask(self, question: str) -> tuple[list[Offsets], str | None]:
        """Search and read."""
        vector = self._query.run(question)["embedding"]
        ran = self._pipeline.run(
            {"words": {"query": question}, "vectors": {"query_embedding": vector}}
        )
        found = ran["joiner"]["documents"]
        answers = self._reader.run(question, found)["answers"]
        offsets = []
        for document in found:
            start = document.meta["split_idx_start"]
            offsets.append((start, start + len(document.content)))
        # The answer with the highest score, which may be that there is none.
        top = max(answers, key=lambda answer: answer.score, default=None)
        return offsets, (top.data or "") if top else ""


class Txtai:
    """Embeddings with hybrid search, and the extractive pipeline over the best three."""

    def __init__(self, encoder: str, reader: str, *, best: bool) -> None:
        """Load the models."""
        from txtai import Embeddings
        from txtai.pipeline import RAG

        self._embeddings = Embeddings(path=encoder, hybrid=True, content=True, gpu=False)
        # With three passages the input is often truncated, so the best settings read one.
        self._rag = RAG(
            self._embeddings,
            reader,
            gpu=False,
            task="question-answering",
            context=1 if best else 3,
            output="flatten",
        )
        self._paragraphs: list[Offsets] = []

    def open(self, text: str) -> int:
        """Index the paragraphs."""
        paragraphs = text.split("\n\n")
        starts = _paragraph_starts(text)
        self._paragraphs = [(at, at + len(p)) for at, p in zip(starts, paragraphs, strict=True)]
        self._embeddings.index(list(enumerate(paragraphs)))
        return len(paragraphs)

    def ask(self, question: str) -> tuple[list[Offsets], str | None]:
        """Search, and read; the pipeline searches once more itself."""
        found = self._embeddings.search(question.replace("'", "’"), K)
        try:
            answer = self._rag(question)
        except TypeError:  # raised if its reader finds no answer
            answer = ""
        return [self._paragraphs[int(hit["id"])] for hit in found], answer or ""


def _paragraph_starts(text: str) -> list[int]:
    starts, at = [], 0
    for paragraph in text.split("\n\n"):
        starts.append(at)
        at += len(paragraph) + 2
    return starts


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in text.lower()).split()


SYSTEMS: dict[str, Callable[[str, str], System]] = {
    "Ask the Article": AskTheArticle,
    "LangChain": lambda e, r: LangChain(e, r, best=False),
    "LangChain, best": lambda e, r: LangChain(e, r, best=True),
    "LlamaIndex": lambda e, r: LlamaIndex(e, r, best=False),
    "LlamaIndex, best": lambda e, r: LlamaIndex(e, r, best=True),
    "Haystack": lambda e, r: Haystack(e, r, best=False),
    "Haystack, best": lambda e, r: Haystack(e, r, best=True),
    "txtai": lambda e, r: Txtai(e, r, best=False),
    "txtai, best": lambda e, r: Txtai(e, r, best=True),
}


def run(name: str, work: dict[str, Any]) -> dict[str, Any]:
    """Ask one system all questions of all articles, one by one, and return answers and times."""
    began = time.perf_counter()
    system = SYSTEMS[name](work["encoder"], work["reader"])
    loaded = time.perf_counter()
    first = 0.0
    passages, indexing = 0, 0.0
    asked: list[dict[str, Any]] = []
    for article in work["articles"]:
        start = time.perf_counter()
        passages += system.open(article["text"])
        indexing += time.perf_counter() - start
        for question in article["questions"]:
            start = time.perf_counter()
            offsets, answer = system.ask(question["text"])
            now = time.perf_counter()
            first = first or now - began
            asked.append({"offsets": offsets, "answer": answer, "seconds": now - start})
    return {
        "load_seconds": loaded - began,
        "first_answer_seconds": first,
        "passages": passages,
        "indexing_seconds": indexing,
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "asked": asked,
    }


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    Path(sys.argv[3]).write_text(json.dumps(run(sys.argv[1], given)), encoding="utf-8")
