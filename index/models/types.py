"""What an encoder returns, and what search and stores ask of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.passages.passage import Passage

# Called with the number of texts done and the total.
Progress = Callable[[int, int], None]
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The word-piece ids of a text, int64 [pieces], and a unit vector for each, [pieces, dimension].

    The vectors are float16, because a long document has many of them.
    """

    pieces: NDArray[np.int64]
    vectors: NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Unit vectors of texts, float32 [texts, dimension], and the tokens of each text.

    `sentences` has a unit vector for each sentence of each passage, float32 [sentences, dimension],
    passage by passage; a sentence without a word piece has a zero vector.
    """

    vectors: Vectors
    tokens: list[Tokens]
    sentences: Vectors = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))


class Encoder(Protocol):
    """A model that encodes texts as vectors.

    `max_pieces` is the longest input in word pieces, `dimension` the length of a text's vector and
    `token_dimension` that of a word piece's vector.
    """

    name: str
    revision: str
    dimension: int
    token_dimension: int
    max_pieces: int

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        """Count the word pieces of each text, without special tokens."""
        ...

    def encode_passages(
        self, passages: Sequence[Passage], progress: Progress | None = None
    ) -> Encoded:
        """Encode passages, their word pieces and their sentences; calls progress(done, total)."""
        ...

    def encode_texts(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Return unit vectors, float32 [len(texts), dimension]; calls progress(done, total)."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> Encoded:
        """Encode queries and their word pieces."""
        ...
