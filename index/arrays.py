"""NumPy's .npy files, read without trusting what they claim."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

# What NumPy writes before an array's bytes: a magic number, the version, the length of the header, the
# header. Read by this and not by NumPy, which evaluates it as Python and allocates what it claims.
_ARRAY_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00(..)\{'descr': '([<>|][a-z]\d)', 'fortran_order': False, "
    rb"'shape': \(((?:\d{1,15}, )*(?:\d{1,15},?)?)\), \} *\n",
    re.DOTALL,
)
_MAX_ARRAY_HEADER = 1024


def map_array(path: Path, dtype: DTypeLike, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """Map an .npy file of this type and shape into memory; None stands for any length.

    Nothing is allocated for what the file only claims. Raises OSError, and ValueError for another type,
    shape or length of the file.
    """
    with path.open("rb") as file:
        head = file.read(_MAX_ARRAY_HEADER)
    found, offset = _read_array_header(head, path.stat().st_size, dtype, shape)
    if 0 in found:  # which cannot be mapped
        return np.zeros(found, dtype)
    return np.memmap(path, dtype, mode="r", offset=offset, shape=found)


def read_array(data: bytes, dtype: DTypeLike, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """A copy of the array of an .npy file's content; raises ValueError as map_array does."""
    found, offset = _read_array_header(data[:_MAX_ARRAY_HEADER], len(data), dtype, shape)
    return np.frombuffer(data[offset:], dtype).reshape(found).copy()


def _read_array_header(
    head: bytes, size: int, dtype: DTypeLike, shape: tuple[int | None, ...]
) -> tuple[tuple[int, ...], int]:
    """The shape of an array and where its bytes begin in a file of so many bytes; or ValueError."""
    header = _ARRAY_HEADER.match(head)
    if header is None or header.end() != 10 + int.from_bytes(header[1], "little"):
        raise ValueError("it is not an array")
    found = tuple(int(length) for length in header[3].split(b",") if length.strip())
    if header[2].decode() != np.dtype(dtype).str or len(found) != len(shape):
        raise ValueError(f"it is not an array of {np.dtype(dtype)} in {len(shape)} dimensions")
    if any(
        wanted is not None and wanted != length for wanted, length in zip(shape, found, strict=True)
    ):
        raise ValueError(f"its shape is {found} and not {shape}")
    if size != header.end() + np.dtype(dtype).itemsize * math.prod(found):
        raise ValueError(f"it has {size} bytes, which is not what its shape {found} takes")
    return found, header.end()
