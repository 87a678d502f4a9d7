"""Whether a file is a FAISS index that is safe to read, checked before FAISS reads it.

FAISS allocates what a file claims and searches by the row numbers and the graph in it. The layouts are
those of faiss/impl/index_write.cpp in FAISS 1.15; a file of another version that differs is refused.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Literal

import faiss
import numpy as np
from numpy.typing import DTypeLike, NDArray

Kind = Literal["flat", "hnsw", "ivf"]
Bytes = NDArray[np.uint8]

# How a file of each kind begins.
_MARKS: dict[Kind, bytes] = {"flat": b"IxFI", "hnsw": b"IHNs", "ivf": b"IwSq"}
# The mark, the dimension, the number of vectors, 16 bytes that are not used, whether it is trained and
# the metric.
_HEADER = struct.Struct("<4siq16x?i")
# An encoder's vectors have a length of 1; below this no product of two of them is infinite.
_LARGEST = 1e6
# Numbers that are looked at together.
_STRETCH = 1 << 22
# Neighbours that a search in a graph may keep, and levels of the graph.
_MOST_KEPT = 100_000
_MOST_LEVELS = 100


def check_bytes(data: Bytes, kind: Kind, dimension: int, rows: int) -> None:
    """Raise ValueError unless these are a FAISS index of this kind, dimension and number of vectors."""
    if len(data) < _HEADER.size:
        raise ValueError("it is too short for a FAISS index")
    mark, d, n, _, metric = _HEADER.unpack(data[: _HEADER.size].tobytes())
    if mark != _MARKS.get(kind) or metric != faiss.METRIC_INNER_PRODUCT:
        raise ValueError(f"it is no FAISS index of the kind {kind}")
    if (d, n) != (dimension, rows):
        raise ValueError(f"it has {n} vectors of {d} numbers and not {rows} of {dimension}")
    exact = _HEADER.size + 8 + 4 * d * n
    if len(data) != exact if kind == "flat" else len(data) < 2 * d * n:
        raise ValueError(f"it has {len(data)} bytes, which is not what its vectors take")
    check = {"flat": _check_flat, "hnsw": _check_hnsw, "ivf": _check_ivf}[kind]
    file = _Cursor(data)
    check(file, dimension, rows)
    if file.left:
        raise ValueError(f"it has {file.left} bytes too many")


def check_file(path: Path, kind: Kind, dimension: int, rows: int) -> None:
    """The same of a file, which is not read into memory; raises OSError, too."""
    if not path.stat().st_size:  # which cannot be mapped
        raise ValueError("it is too short for a FAISS index")
    check_bytes(np.memmap(path, np.uint8, mode="r"), kind, dimension, rows)


def flat_vectors(data: bytes, dimension: int, rows: int) -> NDArray[np.float32]:
    """The vectors of a "flat" index that check_bytes found safe, float32 [rows, dimension]."""
    return np.frombuffer(data, np.float32, offset=_HEADER.size + 8).reshape(rows, dimension)


class _Cursor:
    """A place in a file, which goes on with what is read and not beyond the end."""

    def __init__(self, data: Bytes) -> None:
        self._data, self._at = data, 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, layout: str) -> tuple[Any, ...]:
        """The values of a layout of `struct`."""
        values = struct.Struct("<" + layout)
        return values.unpack(self.array(np.uint8, values.size).tobytes())

    def array(self, dtype: DTypeLike, length: int) -> NDArray[Any]:
        """So many numbers."""
        size = np.dtype(dtype).itemsize * length
        if not 0 <= size <= self.left:
            raise ValueError("it ends before what it claims to have")
        self._at += size
        return self._data[self._at - size : self._at].view(dtype)

    def vector(self, dtype: DTypeLike, length: int | None = None) -> NDArray[Any]:
        """Numbers after their count, which has to be `length` where that is given."""
        (count,) = self.take("Q")
        if length is not None and count != length:
            raise ValueError(f"it has {count} numbers in place of {length}")
        return self.array(dtype, count)

    def header(self, mark: bytes, dimension: int, rows: int) -> None:
        """The header of an index."""
        found = self.take(_HEADER.format.removeprefix("<"))
        if found != (mark, dimension, rows, True, faiss.METRIC_INNER_PRODUCT):
            raise ValueError(f"its part {mark.decode()} is not of {rows} vectors of {dimension}")

    def half_precision(self, dimension: int) -> None:
        """How numbers are coded: in two bytes each, with nothing learned."""
        kind, _, _, d, size, trained = self.take("iifQQQ")
        if (kind, d, size, trained) != (
            faiss.ScalarQuantizer.QT_fp16,
            dimension,
            2 * dimension,
            0,
        ):
            raise ValueError("its vectors are not in half precision")


def _check_flat(file: _Cursor, dimension: int, rows: int) -> None:
    file.header(_MARKS["flat"], dimension, rows)
    _check_numbers(file.vector(np.float32, dimension * rows))


def _check_ivf(file: _Cursor, dimension: int, rows: int) -> None:
    """Cells: their centres, then for each the codes of its vectors and their row numbers."""
    file.header(_MARKS["ivf"], dimension, rows)
    cells, probes = file.take("QQ")
    if not 1 <= probes <= cells <= max(1, rows):
        raise ValueError(f"it looks into {probes} of {cells} cells of {rows} vectors")
    _check_flat(file, dimension, cells)
    if file.take("BQ") != (0, 0):
        raise ValueError("it has a map of its rows")
    file.half_precision(dimension)
    (size,), (residual,) = file.take("Q"), file.take("B")
    if (
        size != 2 * dimension
        or residual > 1
        or file.take("4sQQ4s") != (b"ilar", cells, size, b"full")
    ):
        raise ValueError("its cells are not those of its vectors")
    sizes = file.vector(np.uint64, cells)
    if sizes.max(initial=0) > rows or int(sizes.sum()) != rows:
        raise ValueError(f"its cells do not hold {rows} vectors")
    seen = np.zeros(rows, dtype=np.bool_)
    for count in sizes.tolist():
        _check_codes(file.array(np.uint8, count * size))
        numbers = file.array(np.int64, count)
        if count and not 0 <= numbers.min() <= numbers.max() < rows:
            raise ValueError("a cell has rows that are not there")
        seen[numbers] = True
    if not seen.all():
        raise ValueError("a row is in no cell")


def _check_hnsw(file: _Cursor, dimension: int, rows: int) -> None:
    """A graph: each vector's level and, on each level up to that, the numbers of its neighbours."""
    file.header(_MARKS["hnsw"], dimension, rows)
    file.vector(np.float64)  # how likely each level is, which only adding asks for
    slots = file.vector(np.int32)  # of neighbours on all levels below each
    levels = file.vector(np.int32, rows)
    starts = file.vector(np.uint64, rows + 1)
    neighbours = file.vector(np.int32)
    entry, top, _, kept, _ = file.take("5i")
    if (
        not 2 <= len(slots) <= _MOST_LEVELS
        or slots[0] != 0
        or (slots[1:] < slots[:-1]).any()
        or slots[-1] > _MOST_KEPT
        or not 1 <= kept <= _MOST_KEPT
    ):
        raise ValueError("its graph has no such levels")
    if rows and not 1 <= levels.min() <= levels.max() < len(slots):
        raise ValueError("its graph has vectors on levels that are not there")
    ends = np.cumsum(slots[levels], dtype=np.uint64)
    if starts[0] != 0 or not np.array_equal(starts[1:], ends) or starts[-1] != len(neighbours):
        raise ValueError("its graph has other places than its levels take")
    if len(neighbours) and not -1 <= neighbours.min() <= neighbours.max() < rows:
        raise ValueError("its graph leads to vectors that are not there")
    if rows and (not 0 <= entry < rows or top != levels[entry] - 1):
        raise ValueError("its graph has no such entrance")
    # On the lowest level are all; higher ones may lead only to vectors that are on them, too.
    for level in range(1, int(levels.max(initial=0))):
        of = np.flatnonzero(levels > level)
        at = starts[of].astype(np.int64)[:, None] + np.arange(slots[level], slots[level + 1])
        found = neighbours[at]
        if (levels[found[found >= 0]] <= level).any():
            raise ValueError("its graph leads to vectors that are not on a level")
    file.header(b"IxSQ", dimension, rows)
    file.half_precision(dimension)
    _check_codes(file.vector(np.uint8, 2 * dimension * rows))


def _check_numbers(numbers: NDArray[np.float32]) -> None:
    """Raise ValueError where one of them is none, or so large that a product would be none."""
    for at in range(0, len(numbers), _STRETCH):
        some = numbers[at : at + _STRETCH]
        if not (some.min() >= -_LARGEST and some.max() <= _LARGEST):
            raise ValueError("its vectors have numbers that are none")


def _check_codes(codes: Bytes) -> None:
    """The same of numbers in half precision, whose largest product is none too large."""
    bits = codes.view(np.uint16)
    for at in range(0, len(bits), _STRETCH):
        if (bits[at : at + _STRETCH] & 0x7C00 == 0x7C00).any():  # infinite, or not a number
            raise ValueError("its vectors have numbers that are none")
