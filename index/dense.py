"""FAISS: add vectors, search them, to bytes and back."""

from __future__ import annotations

import faiss
import numpy as np
from numpy.typing import NDArray

from index.encoder import Vectors


class DenseIndex:
    """Exact inner-product search over unit vectors, so a score is a cosine."""

    def __init__(self, dimension: int) -> None:
        """Start empty."""
        self._faiss: faiss.Index = faiss.IndexFlatIP(dimension)

    def __len__(self) -> int:
        """How many vectors it holds."""
        return int(self._faiss.ntotal)

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return int(self._faiss.d)

    def add(self, vectors: Vectors) -> None:
        """Append rows, float32 [n, dimension]; they are numbered on from those already there."""
        self._faiss.add(np.ascontiguousarray(vectors, dtype=np.float32))

    def search(self, queries: Vectors, k: int) -> tuple[Vectors, NDArray[np.int64]]:
        """The k nearest rows of each query, best first: scores and row numbers, [queries, k]."""
        scores, rows = self._faiss.search(
            np.ascontiguousarray(queries, dtype=np.float32), min(k, len(self))
        )
        return scores, rows

    def scores(self, queries: Vectors) -> Vectors:
        """The cosine of every query with every row, float32 [queries, rows]."""
        found, rows = self.search(queries, len(self))
        scores = np.empty_like(found)
        np.put_along_axis(scores, rows, found, axis=1)
        return scores

    def to_bytes(self) -> bytes:
        """The FAISS index file's content."""
        return bytes(faiss.serialize_index(self._faiss))

    @classmethod
    def from_bytes(cls, data: bytes) -> DenseIndex:
        """Read what to_bytes gave; check the bytes' hash first, since FAISS trusts what it reads."""
        index = cls.__new__(cls)
        index._faiss = faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))
        return index
