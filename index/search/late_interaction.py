"""Late interaction: match each word piece of a query with its most similar piece in a passage."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.arrays import read_array
from index.models.types import Tokens
from index.search.fusion import Scores


class LateInteractionIndex:
    """The word-piece vectors of passages, as in ColBERT (Khattab & Zaharia 2020).

    A passage's score is the idf-weighted sum, over the query's pieces, of the highest cosine with any
    of its pieces. Vectors are quantized to eight bits per dimension with one scale each.
    """

    def __init__(
        self,
        codes: NDArray[np.int8],
        scales: NDArray[np.float32],
        pieces: NDArray[np.int32],
        first: NDArray[np.int64],
    ) -> None:
        """Take codes [pieces, dimension], scales [pieces] and piece ids [pieces].

        `first`, [passages + 1], has the row at which each passage starts, and the number of rows.
        """
        self._codes, self._scales, self._pieces, self._first = codes, scales, pieces, first

    @classmethod
    def build(cls, passages: Sequence[Tokens]) -> LateInteractionIndex:
        """Index the encoded tokens of passages."""
        codes, scales = zip(*(_quantize(tokens.vectors) for tokens in passages), strict=True)
        return cls(
            np.concatenate(codes),
            np.concatenate(scales),
            np.concatenate([tokens.pieces for tokens in passages]).astype(np.int32),
            np.cumsum([0, *(len(tokens.pieces) for tokens in passages)], dtype=np.int64),
        )

    def __len__(self) -> int:
        """The number of passages."""
        return len(self._first) - 1

    def scores(
        self,
        queries: Sequence[Tokens],
        weights: Sequence[NDArray[np.floating[Any]]],
        selected: NDArray[np.bool_],
    ) -> Scores:
        """Score each query with each passage, [queries, passages]; 0 where it is not `selected`.

        `weights` has the idf of each piece of each query.
        """
        # Imported here because it takes seconds, and the page should start before.
        import torch

        from index.models.kernels import dtype_of

        scores = np.zeros((len(queries), len(self)), dtype=np.float32)
        lengths = np.diff(self._first)
        dtype = dtype_of("auto")

        def prepare(numbers: NDArray[np.int64]) -> tuple[torch.Tensor, NDArray[np.float32]]:
            codes, scales = self._quantized(numbers)
            return torch.from_numpy(codes).to(dtype).T, scales

        # If all passages are selected for all queries, prepare them once.
        prepared = prepare(np.arange(len(self))) if selected.all() else None
        for row, query, weight, chosen in zip(scores, queries, weights, selected, strict=True):
            numbers = np.flatnonzero(chosen & (lengths > 0))
            if not len(numbers) or not len(query.pieces):
                continue
            codes, scales = prepare(numbers) if prepared is None else prepared
            # Multiply with PyTorch: NumPy's threads would keep the processor busy waiting for work
            # while the models run.
            products = torch.from_numpy(query.vectors).to(dtype) @ codes
            sizes = lengths[numbers]
            starts = np.cumsum(sizes) - sizes
            best = np.maximum.reduceat(products.float().numpy() * scales, starts, axis=1)
            row[numbers] = (weight.astype(np.float32)[:, None] * best).sum(axis=0)
        return scores

    def to_bytes(self) -> bytes:
        """Return the content of an .npz file."""
        file = io.BytesIO()
        np.savez(
            file, codes=self._codes, scales=self._scales, pieces=self._pieces, first=self._first
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, *, passages: int, dimension: int) -> LateInteractionIndex:
        """Read the result of to_bytes; raises ValueError if it is damaged or has other sizes."""
        files = _unzip(data)
        if files.keys() != {f"{name}.npy" for name in ("codes", "scales", "pieces", "first")}:
            raise ValueError("it has other arrays than those of word pieces")
        codes = read_array(files["codes.npy"], np.int8, (None, dimension))
        rows = len(codes)
        scales = read_array(files["scales.npy"], np.float32, (rows,))
        pieces = read_array(files["pieces.npy"], np.int32, (rows,))
        first = read_array(files["first.npy"], np.int64, (passages + 1,))
        if (first[0], first[-1]) != (0, rows) or (first[1:] < first[:-1]).any():
            raise ValueError("its word pieces are not those of its passages")
        # The scale of a unit vector is at most 1 / 127. The comparison is false for NaN, too.
        if not (scales.min(initial=0) >= 0 and scales.max(initial=0) <= 1):
            raise ValueError("its scales are not those of unit vectors")
        return cls(codes, scales, pieces, first)

    def _quantized(
        self, numbers: NDArray[np.int64]
    ) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """Return the codes and scales of the passages with these numbers, concatenated."""
        if len(numbers) == len(self):
            return self._codes, self._scales
        ranges = [slice(self._first[i], self._first[i + 1]) for i in numbers]
        return np.concatenate([self._codes[rows] for rows in ranges]), np.concatenate(
            [self._scales[rows] for rows in ranges]
        )

    def document_frequency(self) -> Counter[int]:
        """Count the passages that each piece occurs in."""
        return Counter(
            piece
            for start, end in zip(self._first, self._first[1:], strict=False)
            for piece in np.unique(self._pieces[start:end]).tolist()
        )


def _unzip(data: bytes) -> dict[str, bytes]:
    """Read an uncompressed zip archive; raises ValueError for any other data."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            # A compressed entry may unpack to any size, and many entries may share the same bytes.
            if sum(entry.file_size for entry in entries) > len(data) or any(
                entry.compress_type != zipfile.ZIP_STORED for entry in entries
            ):
                raise ValueError("it claims more than it has")
            return {entry.filename: archive.read(entry) for entry in entries}
    except Exception as error:  # a damaged archive makes the library raise almost anything
        raise ValueError("its archive cannot be read") from error


def document_frequencies(indexes: Sequence[LateInteractionIndex]) -> Counter[int]:
    """Count the passages of several indexes that each piece occurs in."""
    return sum((index.document_frequency() for index in indexes), Counter())


def _quantize(vectors: NDArray[np.float16]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return codes from -127 to 127 and a scale for each row; a row is its codes times its scale."""
    scales = np.maximum(np.abs(vectors).max(axis=1, initial=0).astype(np.float32), 1e-9) / 127
    return np.rint(vectors / scales[:, None]).astype(np.int8), scales
