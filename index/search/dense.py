"""Inner-product search over vectors with FAISS."""

from __future__ import annotations

import errno
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from index.models.types import Vectors
from index.search.faiss_file import Kind, check_bytes, check_file, flat_vectors

# The largest number of vectors that an exact search takes less than 5 ms for, by benchmarks/scale.py.
MAX_FLAT_VECTORS = 30_000
# Training vectors per cell of an "ivf" index.
_TRAINING_VECTORS_PER_CELL = 64
# FAISS's type hints lack what its Python wrappers accept.
_faiss: Any = faiss


class DenseIndex:
    """Inner-product search over unit vectors, so that scores are cosines."""

    def __init__(self, dimension: int) -> None:
        """Create an empty exact index."""
        self._index: faiss.Index = faiss.IndexFlatIP(dimension)

    @classmethod
    def build(cls, vectors: Vectors, kind: Kind, settings: Mapping[str, int]) -> DenseIndex:
        """Index vectors, float32 [n, dimension], with settings as default_settings returns them.

        "flat" compares a query with every vector. "hnsw" searches a graph of neighbours (Malkov &
        Yashunin 2020), "ivf" searches the cells with the nearest centroids (Jégou et al. 2011); both
        store vectors in half precision.
        """
        index = cls(vectors.shape[1])
        index._index = _create(vectors, kind, settings)
        index._index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        return index

    def __len__(self) -> int:
        """The number of vectors."""
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return int(self._index.d)

    def add(self, vectors: Vectors) -> None:
        """Append rows, float32 [n, dimension]."""
        self._index.add(np.ascontiguousarray(vectors, dtype=np.float32))

    def search(
        self, queries: Vectors, k: int, mask: NDArray[np.bool_] | None = None
    ) -> tuple[Vectors, NDArray[np.int64]]:
        """Return scores and numbers of the k nearest rows of each query, best first, [queries, k].

        `mask`, [rows], restricts the search to rows where it is true. Missing rows have number -1.
        """
        parameters = None
        if mask is not None:
            parameters = _search_parameters(self._index, np.packbits(mask, bitorder="little"))
        scores, rows = self._index.search(
            np.ascontiguousarray(queries, dtype=np.float32), min(k, len(self)), params=parameters
        )
        return scores, rows

    def set_nprobe(self, nprobe: int) -> None:
        """Set the number of cells that a search of an "ivf" index visits."""
        index: Any = self._index
        index.nprobe = nprobe

    def scores(self, queries: Vectors) -> Vectors:
        """Score every query with every row of an exact index, float32 [queries, rows]."""
        scores: Vectors = np.asarray(queries, dtype=np.float32) @ self._view().T
        return scores

    def _view(self) -> Vectors:
        """A view of the vectors of an exact index, which is valid until the next add()."""
        if not len(self):
            return np.empty((0, self.dimension), dtype=np.float32)
        index: Any = self._index
        numbers = _faiss.rev_swig_ptr(index.get_xb(), len(self) * self.dimension)
        vectors: Vectors = numbers.reshape(len(self), self.dimension)
        return vectors

    def vectors(self) -> Vectors:
        """Return a copy of the vectors of an exact index, float32 [rows, dimension]."""
        vectors: Vectors = self._index.reconstruct_n(0, len(self))
        return vectors

    def to_bytes(self) -> bytes:
        """Return the content of a FAISS index file."""
        return bytes(faiss.serialize_index(self._index))

    @classmethod
    def from_bytes(cls, data: bytes, *, dimension: int, rows: int) -> DenseIndex:
        """Read an exact index from the result of to_bytes; raises ValueError for anything else."""
        check_bytes(np.frombuffer(data, dtype=np.uint8), "flat", dimension, rows)
        index = cls(dimension)
        index.add(flat_vectors(data, dimension, rows))
        return index

    def write(self, path: Path) -> None:
        """Write a FAISS index file; raises OSError."""
        # Without this writer, FAISS does not report a full disk when it flushes the file's end.
        with path.open("wb") as file:
            faiss.write_index(self._index, _faiss.PyCallbackIOWriter(file.write))

    @classmethod
    def map(cls, path: Path, kind: Kind, *, dimension: int, rows: int) -> DenseIndex:
        """Map an index file into memory.

        Raises OSError, and ValueError if it is damaged or has another kind or size.
        """
        check_file(path, kind, dimension, rows)
        index = cls.__new__(cls)
        # FAISS maps inverted lists with one flag and contiguous vectors with another.
        flag = faiss.IO_FLAG_MMAP if kind == "ivf" else faiss.IO_FLAG_MMAP_IFC
        try:
            index._index = faiss.read_index(str(path), flag)
        except (RuntimeError, MemoryError) as error:
            raise OSError(errno.EIO, f"FAISS cannot read it: {error}", str(path)) from error
        return index


def default_kind(vectors: int) -> Kind:
    """Return the kind of index for a number of vectors; see benchmarks/results/scale.json."""
    return "flat" if vectors <= MAX_FLAT_VECTORS else "ivf"


def default_settings(kind: Kind, vectors: int) -> dict[str, int]:
    """Return the settings of an index for a number of vectors; none for an exact index."""
    if kind == "hnsw":
        return {"neighbours": 32, "build": 80, "search": 128}
    if kind == "ivf":
        # FAISS advises 4 to 16 times the square root of the number of vectors. Visiting 3 times the
        # square root of the number of cells finds 99% of the neighbours that an exact search finds.
        cells = max(1, min(2 ** round(math.log2(4 * math.sqrt(max(vectors, 1)))), vectors // 40))
        return {"cells": cells, "probes": min(cells, round(3 * math.sqrt(cells)))}
    return {}


def _create(vectors: Vectors, kind: Kind, settings: Mapping[str, int]) -> Any:
    """Create an empty index, trained on a sample of the vectors if its kind needs that."""
    dimension = vectors.shape[1]
    if kind == "hnsw":
        half = faiss.ScalarQuantizer.QT_fp16
        index = _faiss.IndexHNSWSQ(
            dimension, half, settings["neighbours"], faiss.METRIC_INNER_PRODUCT
        )
        index.hnsw.efConstruction, index.hnsw.efSearch = settings["build"], settings["search"]
        index.train(vectors[:1])
        return index
    if kind == "ivf":
        index = _faiss.index_factory(
            dimension, f"IVF{settings['cells']},SQfp16", faiss.METRIC_INNER_PRODUCT
        )
        index.nprobe = settings["probes"]
        index.cp.max_points_per_centroid = _TRAINING_VECTORS_PER_CELL
        size = _TRAINING_VECTORS_PER_CELL * settings["cells"]
        sample = np.random.default_rng(0).permutation(len(vectors))[:size]
        index.train(np.ascontiguousarray(vectors[np.sort(sample)], dtype=np.float32))
        return index
    return faiss.IndexFlatIP(dimension)


def _search_parameters(index: Any, bits: NDArray[np.uint8]) -> Any:
    """Return search parameters that restrict a search to the rows whose bits are set."""
    selector = _faiss.IDSelectorBitmap(bits)
    if isinstance(index, faiss.IndexIVF):
        return _faiss.SearchParametersIVF(sel=selector, nprobe=index.nprobe)
    if isinstance(index, faiss.IndexHNSW):
        return _faiss.SearchParametersHNSW(sel=selector, efSearch=index.hnsw.efSearch)
    return _faiss.SearchParameters(sel=selector)
