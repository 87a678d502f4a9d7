"""Check that a FAISS index file is safe to read, before FAISS reads it.

FAISS allocates the sizes that a file claims, and trusts the row numbers and the graph in it. The
layouts are those of faiss/impl/index_write.cpp in FAISS 1.15; any other layout is refused.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Literal

import faiss
import numpy as np
from numpy.typing import DTypeLike, NDArray

Kind = Literal["flat", "hnsw", "ivf"]
KINDS: tuple[Kind, ...] = ("flat", "hnsw", "ivf")
Bytes = NDArray[np.uint8]

# The first bytes of a file of each kind.
_MAGIC: dict[Kind, bytes] = {"flat": b"IxFI", "hnsw": b"IHNs", "ivf": b"IwSq"}
# Magic, dimension, number of vectors, 16 unused bytes, whether it is trained, metric.
_HEADER = struct.Struct("<4siq16x?i")
# The largest absolute component. Unit vectors are far below, and no product of two overflows.
_MAX_COMPONENT = 1e6
# Components checked at a time.
_CHUNK_SIZE = 1 << 22
# Limits of a graph: candidates that a search may keep, and levels.
_MAX_EF_SEARCH = 100_000
_MAX_LEVELS = 100


def check_bytes(data: Bytes, kind: Kind, dimension: int, rows: int) -> None:
    """Raise ValueError unless these are a FAISS index of this kind, dimension and number of vectors."""
    if len(data) < _HEADER.size:
        raise ValueError("it is too short for a FAISS index")
    magic, d, n, _, metric = _HEADER.unpack(data[: _HEADER.size].tobytes())
    if magic != _MAGIC.get(kind) or metric != faiss.METRIC_INNER_PRODUCT:
        raise ValueError(f"it is not a FAISS index of the kind {kind}")
    if (d, n) != (dimension, rows):
        raise ValueError(f"it has {n} vectors of dimension {d}, not {rows} of {dimension}")
    flat_size = _HEADER.size + 8 + 4 * d * n
    if len(data) != flat_size if kind == "flat" else len(data) < 2 * d * n:
        raise ValueError(f"it has {len(data)} bytes, which does not match its vectors")
    check = {"flat": _check_flat, "hnsw": _check_hnsw, "ivf": _check_ivf}[kind]
    cursor = _Cursor(data)
    check(cursor, dimension, rows)
    if cursor.remaining:
        raise ValueError(f"it has {cursor.remaining} bytes too many")


def check_file(path: Path, kind: Kind, dimension: int, rows: int) -> None:
    """Check a file as check_bytes does, without reading it into memory; raises OSError, too."""
    if not path.stat().st_size:  # an empty file cannot be mapped
        raise ValueError("it is too short for a FAISS index")
    check_bytes(np.memmap(path, np.uint8, mode="r"), kind, dimension, rows)


def flat_vectors(data: bytes, dimension: int, rows: int) -> NDArray[np.float32]:
    """Return the vectors of a checked "flat" index, float32 [rows, dimension]."""
    return np.frombuffer(data, np.float32, offset=_HEADER.size + 8).reshape(rows, dimension)


class _Cursor:
    """Reads a file from its start to its end; raises ValueError at a read beyond the end."""

    def __init__(self, data: Bytes) -> None:
        self._data, self._position = data, 0

    @property
    def remaining(self) -> int:
        """The number of bytes that were not read yet."""
        return len(self._data) - self._position

    def unpack(self, layout: str) -> tuple[Any, ...]:
        """Read values by a format string of `struct`."""
        values = struct.Struct("<" + layout)
        return values.unpack(self.array(np.uint8, values.size).tobytes())

    def array(self, dtype: DTypeLike, length: int) -> NDArray[Any]:
        """Read an array of a known length."""
        size = np.dtype(dtype).itemsize * length
        if not 0 <= size <= self.remaining:
            raise ValueError("it is shorter than it claims")
        self._position += size
        return self._data[self._position - size : self._position].view(dtype)

    def vector(self, dtype: DTypeLike, length: int | None = None) -> NDArray[Any]:
        """Read an array after its length, which has to be `length` if that is given."""
        (count,) = self.unpack("Q")
        if length is not None and count != length:
            raise ValueError(f"it has {count} numbers instead of {length}")
        return self.array(dtype, count)

    def check_header(self, magic: bytes, dimension: int, rows: int) -> None:
        """Read the header of an index."""
        header = self.unpack(_HEADER.format.removeprefix("<"))
        if header != (magic, dimension, rows, True, faiss.METRIC_INNER_PRODUCT):
            raise ValueError(f"its part {magic.decode()} is not of {rows} vectors of {dimension}")

    def check_half_precision(self, dimension: int) -> None:
        """Read the header of a scalar quantizer, which has to be untrained and of two bytes."""
        kind, _, _, d, size, trained = self.unpack("iifQQQ")
        if (kind, d, size, trained) != (
            faiss.ScalarQuantizer.QT_fp16,
            dimension,
            2 * dimension,
            0,
        ):
            raise ValueError("its vectors are not in half precision")


def _check_flat(cursor: _Cursor, dimension: int, rows: int) -> None:
    cursor.check_header(_MAGIC["flat"], dimension, rows)
    _check_floats(cursor.vector(np.float32, dimension * rows))


def _check_ivf(cursor: _Cursor, dimension: int, rows: int) -> None:
    """Check centroids, then the codes and row numbers of each cell's vectors."""
    cursor.check_header(_MAGIC["ivf"], dimension, rows)
    cells, probes = cursor.unpack("QQ")
    if not 1 <= probes <= cells <= max(1, rows):
        raise ValueError(f"it searches {probes} of {cells} cells of {rows} vectors")
    _check_flat(cursor, dimension, cells)
    if cursor.unpack("BQ") != (0, 0):
        raise ValueError("it has a map of its rows")
    cursor.check_half_precision(dimension)
    (size,), (residual,) = cursor.unpack("Q"), cursor.unpack("B")
    if (
        size != 2 * dimension
        or residual > 1
        or cursor.unpack("4sQQ4s") != (b"ilar", cells, size, b"full")
    ):
        raise ValueError("its cells do not match its vectors")
    sizes = cursor.vector(np.uint64, cells)
    if sizes.max(initial=0) > rows or int(sizes.sum()) != rows:
        raise ValueError(f"its cells do not have {rows} vectors")
    seen = np.zeros(rows, dtype=np.bool_)
    for count in sizes.tolist():
        _check_codes(cursor.array(np.uint8, count * size))
        numbers = cursor.array(np.int64, count)
        if count and not 0 <= numbers.min() <= numbers.max() < rows:
            raise ValueError("a cell has rows that do not exist")
        seen[numbers] = True
    if not seen.all():
        raise ValueError("a row is in no cell")


def _check_hnsw(cursor: _Cursor, dimension: int, rows: int) -> None:
    """Check the graph: each vector's number of levels, and its neighbours on each of them."""
    cursor.check_header(_MAGIC["hnsw"], dimension, rows)
    cursor.vector(np.float64)  # level probabilities, which only adding vectors uses
    slots = cursor.vector(np.int32)  # of neighbours on all levels below each
    levels = cursor.vector(np.int32, rows)
    starts = cursor.vector(np.uint64, rows + 1)
    neighbours = cursor.vector(np.int32)
    entry, top, _, ef_search, _ = cursor.unpack("5i")
    if (
        not 2 <= len(slots) <= _MAX_LEVELS
        or slots[0] != 0
        or (slots[1:] < slots[:-1]).any()
        or slots[-1] > _MAX_EF_SEARCH
        or not 1 <= ef_search <= _MAX_EF_SEARCH
    ):
        raise ValueError("the levels of its graph are invalid")
    if rows and not 1 <= levels.min() <= levels.max() < len(slots):
        raise ValueError("its graph has vectors on levels that do not exist")
    ends = np.cumsum(slots[levels], dtype=np.uint64)
    if starts[0] != 0 or not np.array_equal(starts[1:], ends) or starts[-1] != len(neighbours):
        raise ValueError("the size of its graph does not match its levels")
    if len(neighbours) and not -1 <= neighbours.min() <= neighbours.max() < rows:
        raise ValueError("its graph leads to vectors that do not exist")
    if rows and (not 0 <= entry < rows or top != levels[entry] - 1):
        raise ValueError("the entry point of its graph is invalid")
    # All vectors are on the lowest level. On a higher one, neighbours have to be on it, too.
    for level in range(1, int(levels.max(initial=0))):
        numbers = np.flatnonzero(levels > level)
        positions = starts[numbers].astype(np.int64)[:, None] + np.arange(
            slots[level], slots[level + 1]
        )
        neighbours_here = neighbours[positions]
        if (levels[neighbours_here[neighbours_here >= 0]] <= level).any():
            raise ValueError("its graph leads to vectors that are not on a level")
    cursor.check_header(b"IxSQ", dimension, rows)
    cursor.check_half_precision(dimension)
    _check_codes(cursor.vector(np.uint8, 2 * dimension * rows))


def _check_floats(numbers: NDArray[np.float32]) -> None:
    """Raise ValueError for NaN, and for numbers so large that a product could overflow."""
    for start in range(0, len(numbers), _CHUNK_SIZE):
        chunk = numbers[start : start + _CHUNK_SIZE]
        if not (chunk.min() >= -_MAX_COMPONENT and chunk.max() <= _MAX_COMPONENT):
            raise ValueError("its vectors have invalid numbers")


def _check_codes(codes: Bytes) -> None:
    """Raise ValueError for infinity and NaN in half precision; other products cannot overflow."""
    bits = codes.view(np.uint16)
    for start in range(0, len(bits), _CHUNK_SIZE):
        if (bits[start : start + _CHUNK_SIZE] & 0x7C00 == 0x7C00).any():  # infinity or NaN
            raise ValueError("its vectors have invalid numbers")
