"""Read .npy files without trusting their headers."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

# Magic number, version, length of the header, and the header itself. NumPy would evaluate the header as
# Python and allocate the shape that it claims.
_ARRAY_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00(..)\{'descr': '([<>|][a-z]\d)', 'fortran_order': False, "
    rb"'shape': \(((?:\d{1,15}, )*(?:\d{1,15},?)?)\), \} *\n",
    re.DOTALL,
)
_MAX_HEADER_BYTES = 1024


def map_array(path: Path, dtype: DTypeLike, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """Map an .npy file of this type and shape into memory; None in the shape allows any length.

    Raises OSError, and ValueError if the type, the shape or the size of the file is another.
    """
    with path.open("rb") as file:
        head = file.read(_MAX_HEADER_BYTES)
    found, offset = _read_header(head, path.stat().st_size, dtype, shape)
    if 0 in found:  # an empty array cannot be mapped
        return np.zeros(found, dtype)
    return np.memmap(path, dtype, mode="r", offset=offset, shape=found)


def read_array(data: bytes, dtype: DTypeLike, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """Copy the array from the content of an .npy file; raises ValueError as map_array does."""
    found, offset = _read_header(data[:_MAX_HEADER_BYTES], len(data), dtype, shape)
    return np.frombuffer(data[offset:], dtype).reshape(found).copy()


def _read_header(
    head: bytes, size: int, dtype: DTypeLike, shape: tuple[int | None, ...]
) -> tuple[tuple[int, ...], int]:
    """Return the shape of an array and the offset of its data in a file of `size` bytes."""
    header = _ARRAY_HEADER.match(head)
    if header is None or header.end() != 10 + int.from_bytes(header[1], "little"):
        raise ValueError("it is not an array")
    found = tuple(int(length) for length in header[3].split(b",") if length.strip())
    if header[2].decode() != np.dtype(dtype).str or len(found) != len(shape):
        raise ValueError(f"it is not an array of {np.dtype(dtype)} in {len(shape)} dimensions")
    if any(
        expected is not None and expected != length
        for expected, length in zip(shape, found, strict=True)
    ):
        raise ValueError(f"its shape is {found} and not {shape}")
    if size != header.end() + np.dtype(dtype).itemsize * math.prod(found):
        raise ValueError(f"it has {size} bytes, which does not match its shape {found}")
    return found, header.end()
