"""What the tests share: a fake encoder with scores a person can work out, the real one, and the data."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from index.models.encoder import DEFAULT_ENCODER, SentenceEncoder
from index.models.types import Encoded, Progress, Tokens, Vectors
from index.passages.context import Context
from index.passages.passage import Passage, sentence_texts
from page.startup import prepare_settings
from qa.reader import DEFAULT_READER, Reader, Reading
from qa.spans import Span
from tests import guards
from tests.index.documents.site import site as site

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parent.parent
VIOLATIONS = pytest.StashKey[list[str]]()
prepare_settings()  # before a test imports gradio
# For torch, and for the processes that tests start: with a thread for each core in each of several
# processes, most of the time is spent waiting.
os.environ.setdefault("OMP_NUM_THREADS", "1")
guards.install()


class FakeEncoder:
    """A bag of words: each word is one direction, so a cosine is the share of words in common."""

    name = "fake"
    revision = "0" * 64
    dimension = token_dimension = 512
    max_pieces = 32

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def encode_texts(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for number in self._numbers(text):
                row[number] += 1
        if progress:
            progress(len(texts), len(texts))
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.maximum(norms, 1e-9)

    def encode_passages(
        self, passages: Sequence[Passage], progress: Progress | None = None
    ) -> Encoded:
        encoded = self.encode_queries([p.context.text for p in passages])
        if progress:
            progress(len(passages), len(passages))
        return replace(encoded, sentences=self.encode_texts(sentence_texts(passages)))

    def encode_queries(self, texts: Sequence[str]) -> Encoded:
        return Encoded(self.encode_texts(texts), [self._tokens(t) for t in texts])

    def _tokens(self, text: str) -> Tokens:
        numbers = np.array(self._numbers(text), dtype=np.int64)
        return Tokens(numbers, np.eye(self.dimension, dtype=np.float16)[numbers])

    def _numbers(self, text: str) -> list[int]:
        words = [word.strip(".,?!“”\"'") for word in text.lower().split()]
        digests = [hashlib.sha256(word.encode("utf-8", "replace")).digest() for word in words]
        return [int.from_bytes(digest[:2], "big") % self.dimension for digest in digests]


class FakeReader:
    """Finds the words it is given wherever they stand, each with its score; a no-answer score of 0."""

    def __init__(self, scores: Mapping[str, float]) -> None:
        self.scores = scores
        self.read: list[tuple[str, list[str]]] = []

    def read_all(
        self, asked: Sequence[tuple[str, Sequence[Context]]], *, n: int = 5
    ) -> list[list[Reading]]:
        texts = [(question, [context.text for context in contexts]) for question, contexts in asked]
        self.read += texts
        return [[self._reading(text, n) for text in some] for _, some in texts]

    def _reading(self, text: str, n: int) -> Reading:
        spans = [
            Span(at.start(), at.end(), score)
            for words, score in self.scores.items()
            for at in re.finditer(re.escape(words), text)
        ]
        return Reading(tuple(sorted(spans, key=lambda span: -span.score)[:n]), 0.0)


# A test that uses one of these fixtures, however indirectly, has the marker.
MARKED_FIXTURES = {
    "browser": "browser",
    "encoder": "models",
    "reader": "models",
    "installed": "models",
    "wheel": "slow",
}


# Folders and files in which most tests start servers or processes, or rebuild an index many times.
SLOW = (
    "index/documents/test_parser_process.py",
    "index/search/test_article_index_faults.py",
    "index/stores/test_store_faults.py",
    "page/security",
    "page/test_replies.py",
    "page/test_uploads.py",
    "test_serving.py",
    "training/test_train.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests by the fixtures that they use, and by their place."""
    slow = [ROOT / "tests" / name for name in SLOW]
    assert all(path.exists() for path in slow)
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if marker := MARKED_FIXTURES.get(fixture):
                item.add_marker(marker)
        if any(item.path.is_relative_to(path) for path in slow):
            item.add_marker("slow")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Let only tests with the marker load a model, and none connect to another machine."""
    with guards.guarded(models=item.get_closest_marker("models") is not None) as violations:
        item.stash[VIOLATIONS] = violations
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Fail a test that did what it may not."""
    yield
    if violations := item.stash[VIOLATIONS]:
        pytest.fail(f"This test {'; '.join(sorted(set(violations)))}.")


@pytest.fixture
def fake_encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture(scope="session")
def encoder() -> SentenceEncoder:
    return SentenceEncoder()


@pytest.fixture(scope="session")
def reader() -> Reader:
    return Reader()


@pytest.fixture
def shared_models(
    encoder: SentenceEncoder, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Have commands run by main() use the models that are loaded already."""

    def load_encoder(name: str = DEFAULT_ENCODER) -> SentenceEncoder:
        return encoder if name == DEFAULT_ENCODER else SentenceEncoder(name)

    def load_reader(name: str | Path = DEFAULT_READER) -> Reader:
        return reader if Path(name) == DEFAULT_READER else Reader(name)

    for module in ("index.__main__", "qa.__main__", "qa.opening"):
        monkeypatch.setattr(f"{module}.SentenceEncoder", load_encoder)
    monkeypatch.setattr("qa.opening.Reader", load_reader)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium; without one the test is skipped, and in CI it fails."""
    # Imported here because they take seconds, and most tests are not of the page.
    from playwright.sync_api import expect, sync_playwright

    from tests.browser import NoBrowserError, open_browser

    # What is waited for comes at once on a quiet machine, and late on a busy one.
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        try:
            opened = open_browser(playwright)
        except NoBrowserError as error:
            if os.environ.get("CI") == "true":
                pytest.fail(str(error))
            pytest.skip(str(error))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def squad_dir() -> Path:
    """The folder of the SQuAD files; without it the test is skipped, and in CI it fails."""
    folder = Path(os.environ.get("SQUAD_DIR", ROOT.parent / "shared/data/squad"))
    if not (folder / "dev-v1.1.json.gz").is_file():
        reason = f"no SQuAD files in '{folder}': set SQUAD_DIR to the folder that has them"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
