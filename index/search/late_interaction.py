"""Late interaction: every word piece of a query looks for its like in a passage."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.arrays import read_array
from index.models.encoder import Tokens
from index.search.fusion import Scores


class LateIndex:
    """Passages as their word pieces' vectors, as in ColBERT (Khattab & Zaharia 2020).

    A passage's score is, over the query's pieces, the sum of the best cosine with any of its own, each
    weighed by the piece's idf. Vectors are kept in eight bits a dimension with one scale each.
    """

    def __init__(
        self,
        codes: NDArray[np.int8],
        scales: NDArray[np.float32],
        pieces: NDArray[np.int32],
        first: NDArray[np.int64],
    ) -> None:
        """Take codes [pieces, dimension], scales [pieces], pieces [pieces], first [passages + 1]."""
        self._codes, self._scales, self._pieces, self._first = codes, scales, pieces, first

    @classmethod
    def build(cls, passages: Sequence[Tokens]) -> LateIndex:
        """Index passages by what an encoder gave for them."""
        codes, scales = zip(*(_quantize(tokens.vectors) for tokens in passages), strict=True)
        return cls(
            np.concatenate(codes),
            np.concatenate(scales),
            np.concatenate([tokens.pieces for tokens in passages]).astype(np.int32),
            np.cumsum([0, *(len(tokens.pieces) for tokens in passages)], dtype=np.int64),
        )

    def __len__(self) -> int:
        """How many passages it holds."""
        return len(self._first) - 1

    def scores(
        self,
        queries: Sequence[Tokens],
        weights: Sequence[NDArray[np.floating[Any]]],
        wanted: NDArray[np.bool_],
    ) -> Scores:
        """The score of each query with each passage that is wanted for it, [queries, passages].

        `weights` has one for each piece of each query. The score is 0, which is little, where it is
        not wanted.
        """
        # Imported here because it takes seconds, and the page comes up before.
        import torch

        from index.models.kernels import dtype_of

        scores = np.zeros((len(queries), len(self)), dtype=np.float32)
        lengths = np.diff(self._first)
        dtype = dtype_of("auto")

        def codes_of(numbers: NDArray[np.int64]) -> tuple[torch.Tensor, NDArray[np.float32]]:
            codes, scales = self._of(numbers)
            return torch.from_numpy(codes).to(dtype).T, scales

        # Where all passages are wanted for all queries, they are made ready once.
        every = codes_of(np.arange(len(self))) if wanted.all() else None
        for row, query, weight, mine in zip(scores, queries, weights, wanted, strict=True):
            numbers = np.flatnonzero(mine & (lengths > 0))
            if not len(numbers) or not len(query.pieces):
                continue
            codes, scales = codes_of(numbers) if every is None else every
            # By PyTorch, since NumPy's own threads would go on waiting for work while the models want
            # the processor.
            products = torch.from_numpy(query.vectors).to(dtype) @ codes
            sizes = lengths[numbers]
            starts = np.cumsum(sizes) - sizes
            best = np.maximum.reduceat(products.float().numpy() * scales, starts, axis=1)
            row[numbers] = (weight.astype(np.float32)[:, None] * best).sum(axis=0)
        return scores

    def to_bytes(self) -> bytes:
        """The content of an .npz file."""
        file = io.BytesIO()
        np.savez(
            file, codes=self._codes, scales=self._scales, pieces=self._pieces, first=self._first
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, *, passages: int, dimension: int) -> LateIndex:
        """Read what to_bytes gave of so many passages; raises ValueError for anything else."""
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
        # A unit vector's codes have a scale of at most 1 / 127; what is not a number is not <= 1.
        if not (scales.min(initial=0) >= 0 and scales.max(initial=0) <= 1):
            raise ValueError("its scales are not those of unit vectors")
        return cls(codes, scales, pieces, first)

    def _of(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """The codes and the scales of some passages' pieces, one passage after the other."""
        if len(numbers) == len(self):
            return self._codes, self._scales
        at = [slice(self._first[i], self._first[i + 1]) for i in numbers]
        return np.concatenate([self._codes[of] for of in at]), np.concatenate(
            [self._scales[of] for of in at]
        )

    def held(self) -> Counter[int]:
        """How many of its passages have each piece."""
        return Counter(
            piece
            for a, b in zip(self._first, self._first[1:], strict=False)
            for piece in np.unique(self._pieces[a:b]).tolist()
        )


def _unzip(data: bytes) -> dict[str, bytes]:
    """The files of an archive that packs none of them; raises ValueError for any other archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            # What is packed may unpack to any size, and many names may stand for the same bytes.
            if sum(entry.file_size for entry in entries) > len(data) or any(
                entry.compress_type != zipfile.ZIP_STORED for entry in entries
            ):
                raise ValueError("it claims more than it has")
            return {entry.filename: archive.read(entry) for entry in entries}
    except Exception as error:  # a damaged archive makes the library raise almost anything
        raise ValueError("its archive cannot be read") from error


def held_by(indexes: Sequence[LateIndex]) -> Counter[int]:
    """How many passages of several indexes have each piece."""
    return sum((index.held() for index in indexes), Counter())


def _quantize(vectors: NDArray[np.float16]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Codes of -127..127 and the scale of each row; a row is its codes times its scale."""
    scales = np.maximum(np.abs(vectors).max(axis=1, initial=0).astype(np.float32), 1e-9) / 127
    return np.rint(vectors / scales[:, None]).astype(np.int8), scales
