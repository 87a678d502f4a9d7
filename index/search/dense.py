"""FAISS: add vectors, search them, to bytes or a file and back."""

from __future__ import annotations

import errno
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from index.models.encoder import Vectors
from index.search.faiss_file import Kind as Kind
from index.search.faiss_file import check_bytes, check_file, flat_vectors

KINDS: tuple[Kind, ...] = ("flat", "hnsw", "ivf")
# Up to so many vectors an exact search takes less than 5 ms; benchmarks/scale.py measures it.
FLAT_MOST = 30_000
# Vectors that the centres of an "ivf" index are found from, for each centre.
_SAMPLE = 64


class DenseIndex:
    """Inner-product search over unit vectors, so a score is a cosine; exact unless it says otherwise."""

    def __init__(self, dimension: int) -> None:
        """Start empty, and exact."""
        self._faiss: faiss.Index = faiss.IndexFlatIP(dimension)

    @classmethod
    def build(cls, vectors: Vectors, kind: Kind, settings: Mapping[str, int]) -> DenseIndex:
        """Index vectors, float32 [n, dimension], in a way that settings_for gave settings for.

        "flat" compares a query with every vector. "hnsw" walks a graph of neighbours (Malkov & Yashunin
        2020), "ivf" looks into the cells with the nearest centres (Jégou et al. 2011); both keep vectors
        in half precision.
        """
        index = cls(vectors.shape[1])
        index._faiss = _new(vectors, kind, settings)
        index._faiss.add(np.ascontiguousarray(vectors, dtype=np.float32))
        return index

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

    def search(
        self, queries: Vectors, k: int, wanted: NDArray[np.bool_] | None = None
    ) -> tuple[Vectors, NDArray[np.int64]]:
        """The k nearest rows of each query, best first: scores and row numbers, [queries, k].

        Only of those `wanted`, [rows], where that is given. A row is -1 where fewer were found.
        """
        parameters = None
        if wanted is not None:
            parameters = _parameters(self._faiss, np.packbits(wanted, bitorder="little"))
        scores, rows = self._faiss.search(
            np.ascontiguousarray(queries, dtype=np.float32), min(k, len(self)), params=parameters
        )
        return scores, rows

    def look_into(self, cells: int) -> None:
        """Search so many cells of an "ivf" index from now on, whatever it was built with."""
        index: Any = self._faiss
        index.nprobe = cells

    def scores(self, queries: Vectors) -> Vectors:
        """The cosine of every query with every row of an exact index, float32 [queries, rows]."""
        scores: Vectors = np.asarray(queries, dtype=np.float32) @ self._view().T
        return scores

    def _view(self) -> Vectors:
        """The vectors of an exact index where FAISS keeps them, until the next add()."""
        if not len(self):
            return np.empty((0, self.dimension), dtype=np.float32)
        index: Any = self._faiss
        numbers = _library.rev_swig_ptr(index.get_xb(), len(self) * self.dimension)
        vectors: Vectors = numbers.reshape(len(self), self.dimension)
        return vectors

    def vectors(self) -> Vectors:
        """What was added to an exact index, float32 [rows, dimension]."""
        vectors: Vectors = self._faiss.reconstruct_n(0, len(self))
        return vectors

    def to_bytes(self) -> bytes:
        """The FAISS index file's content."""
        return bytes(faiss.serialize_index(self._faiss))

    @classmethod
    def from_bytes(cls, data: bytes, *, dimension: int, rows: int) -> DenseIndex:
        """Read what to_bytes gave of an exact index; raises ValueError for anything else."""
        check_bytes(np.frombuffer(data, dtype=np.uint8), "flat", dimension, rows)
        index = cls(dimension)
        index.add(flat_vectors(data, dimension, rows))
        return index

    def write(self, path: Path) -> None:
        """Write a FAISS index file; raises OSError."""
        # FAISS itself says nothing where the end of what it writes finds the disk full.
        with path.open("wb") as file:
            faiss.write_index(self._faiss, _library.PyCallbackIOWriter(file.write))

    @classmethod
    def map(cls, path: Path, kind: Kind, *, dimension: int, rows: int) -> DenseIndex:
        """Map a file of that kind into memory, so that its vectors stay on the disk till wanted.

        Raises OSError, and ValueError where it is not such a file.
        """
        check_file(path, kind, dimension, rows)
        index = cls.__new__(cls)
        # FAISS has two ways of it: one for what is in cells and one for what is in one piece.
        flag = faiss.IO_FLAG_MMAP if kind == "ivf" else faiss.IO_FLAG_MMAP_IFC
        try:
            index._faiss = faiss.read_index(str(path), flag)
        except (RuntimeError, MemoryError) as error:
            raise OSError(errno.EIO, f"FAISS cannot read it: {error}", str(path)) from error
        return index


def kind_for(vectors: int) -> Kind:
    """The way to index so many vectors, as benchmarks/results/scale.json bears out."""
    return "flat" if vectors <= FLAT_MOST else "ivf"


def settings_for(kind: Kind, vectors: int) -> dict[str, int]:
    """What a way of indexing is set to for so many vectors; nothing for an exact search."""
    if kind == "hnsw":
        return {"neighbours": 32, "build": 80, "search": 128}
    if kind == "ivf":
        # FAISS advises four to sixteen times the root of their number; of what these cells hold, probes
        # in the root of their number find 99 of the hundred that an exact search finds.
        cells = max(1, min(2 ** round(math.log2(4 * math.sqrt(max(vectors, 1)))), vectors // 40))
        return {"cells": cells, "probes": min(cells, round(3 * math.sqrt(cells)))}
    return {}


# FAISS's own types know little of what its Python functions take.
_library: Any = faiss


def _new(vectors: Vectors, kind: Kind, settings: Mapping[str, int]) -> Any:
    """An empty index for vectors like these."""
    dimension = vectors.shape[1]
    if kind == "hnsw":
        half = faiss.ScalarQuantizer.QT_fp16
        index = _library.IndexHNSWSQ(
            dimension, half, settings["neighbours"], faiss.METRIC_INNER_PRODUCT
        )
        index.hnsw.efConstruction, index.hnsw.efSearch = settings["build"], settings["search"]
        index.train(vectors[:1])
        return index
    if kind == "ivf":
        index = _library.index_factory(
            dimension, f"IVF{settings['cells']},SQfp16", faiss.METRIC_INNER_PRODUCT
        )
        index.nprobe = settings["probes"]
        index.cp.max_points_per_centroid = _SAMPLE
        some = np.random.default_rng(0).permutation(len(vectors))[: _SAMPLE * settings["cells"]]
        index.train(np.ascontiguousarray(vectors[np.sort(some)], dtype=np.float32))
        return index
    return faiss.IndexFlatIP(dimension)


def _parameters(index: Any, wanted: NDArray[np.uint8]) -> Any:
    """The settings of an index, for a search among the rows whose bits are set."""
    selector = _library.IDSelectorBitmap(wanted)
    if isinstance(index, faiss.IndexIVF):
        return _library.SearchParametersIVF(sel=selector, nprobe=index.nprobe)
    if isinstance(index, faiss.IndexHNSW):
        return _library.SearchParametersHNSW(sel=selector, efSearch=index.hnsw.efSearch)
    return _library.SearchParameters(sel=selector)
