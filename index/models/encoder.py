"""Encode texts as unit vectors with a sentence-transformers model."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index.documents.blocks import Offsets
from index.errors import EncoderError
from index.models.model_files import (
    DEFAULT_ENCODER,
    REINSTALL_COMMAND,
    find_model,
    weights_revision,
)
from index.models.tokenizer import MeanPoolingBert, read_mean_pooling_bert
from index.models.types import Encoded, Progress, Tokens, Vectors
from index.passages.passage import Passage, sentence_texts

if TYPE_CHECKING:
    from tokenizers import Encoding

    from index.models.bert import PackedBert
    from index.models.kernels import Precision

# Texts that sentence-transformers encodes at a time.
BATCH_SIZE = 32
# Word pieces that PackedBert encodes at a time: allocating memory for larger products is slow.
BATCH_PIECES = 4096
# Texts that are tokenized and sorted by length at a time.
SORT_WINDOW = 2000

# The tokenizers' own threads compete with the models': reading five passages takes 69 ms with them
# and 44 ms without.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

_NO_TOKENS = Tokens(np.zeros(0, dtype=np.int64), np.zeros((0, 0), dtype=np.float16))


class SentenceEncoder:
    """A sentence-transformers model from the installed package, a folder or the model hub.

    A BERT with mean pooling, such as the default model, is computed by PackedBert, every other model
    by the library.
    """

    def __init__(self, name: str = DEFAULT_ENCODER, *, precision: Precision = "auto") -> None:
        """Load a model; raises EncoderError if it is missing, damaged or not an encoder.

        `precision` applies to PackedBert only.
        """
        folder = find_model(name)
        self.name = name
        self.revision = weights_revision(folder, name)
        self._packed: PackedBert | None = None
        try:
            if model := read_mean_pooling_bert(folder):
                self._load_packed(folder, model, precision)
            else:
                self._load_with_library(folder)
        except Exception as error:  # the libraries raise anything for a foreign folder
            raise EncoderError(
                f"'{name}' cannot be loaded as an encoder ({_first_line(error)}): "
                + (
                    f"reinstall it with '{REINSTALL_COMMAND}'."
                    if name == DEFAULT_ENCODER
                    else "give the folder of a sentence-transformers model."
                )
            ) from error

    def _load_packed(self, folder: Path, model: MeanPoolingBert, precision: Precision) -> None:
        from safetensors.torch import load_file

        from index.models.bert import PackedBert

        self.dimension, self.max_pieces = model.dimension, model.max_pieces
        self.token_dimension = model.dimension
        self._tokenizer = model.tokenizer
        self._special_tokens = np.array(model.tokenizer.special_token_ids())
        weights = load_file(folder / "model.safetensors")
        self._packed = PackedBert(weights, model.size, precision)

    def _load_with_library(self, folder: Path) -> None:
        # Imported here because it takes seconds, and the default model does not need it.
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        self._model = SentenceTransformer(
            str(folder), device="cpu", model_kwargs={"use_safetensors": True}
        )
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.max_pieces = int(self._model.max_seq_length or 512)
        self._special_tokens = np.array(self._model.tokenizer.all_special_ids)
        # Counting and encoding use different settings of the same tokenizer.
        self._lock = threading.Lock()
        # Layers above the token vectors may change the dimension of a text's vector.
        self.token_dimension = self.encode_queries(["text"]).tokens[0].vectors.shape[1]

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        """Count the word pieces of each text, without special tokens."""
        if not texts:
            return []
        if self._packed is not None:
            encodings = self._tokenizer.encode(texts, special_tokens=False)
            return [len(encoding.ids) for encoding in encodings]
        with self._lock:
            pieces = self._model.tokenizer(
                list(texts), add_special_tokens=False, truncation=False, verbose=False
            )
        return [len(ids) for ids in pieces["input_ids"]]

    def encode_passages(
        self, passages: Sequence[Passage], progress: Progress | None = None
    ) -> Encoded:
        """Encode passages, their word pieces and their sentences; calls progress(done, total).

        PackedBert pools a sentence's vector from its word pieces' vectors in the passage ("late
        chunking", Günther et al. 2024), so nothing is encoded twice. With other models, which need not
        pool by the mean, each sentence is encoded separately.
        """
        texts = [p.context.text for p in passages]
        if self._packed is not None:
            spans = [p.context_sentences for p in passages]
            return self._encode(texts, progress, spans=spans)
        sentences = sentence_texts(passages)
        total = len(texts) + len(sentences)

        def continue_from(start: int) -> Progress | None:
            return progress and (lambda done, _: progress(start + done, total))

        encoded = self._encode(texts, continue_from(0))
        vectors = self.encode_texts(sentences, continue_from(len(texts)))
        return replace(encoded, sentences=vectors)

    def encode_texts(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Return unit vectors, float32 [len(texts), dimension]; calls progress(done, total)."""
        return self._encode(texts, progress, tokens=False).vectors

    def encode_queries(self, texts: Sequence[str]) -> Encoded:
        """Encode queries and their word pieces."""
        return self._encode(texts, None, queries=True)

    def _encode(
        self,
        texts: Sequence[str],
        progress: Progress | None,
        *,
        queries: bool = False,
        tokens: bool = True,
        spans: Sequence[Sequence[Offsets]] | None = None,
    ) -> Encoded:
        """Encode texts and, if asked for, their word pieces and the given spans of each text."""
        spans = spans or [()] * len(texts)
        first_span = np.cumsum([0, *map(len, spans)], dtype=np.int64)
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        span_vectors = np.zeros((first_span[-1], self.dimension), dtype=np.float32)
        text_tokens: list[Tokens] = [_NO_TOKENS] * len(texts)
        done = 0
        for batch, encoded in (
            self._library_batches(texts, queries=queries, tokens=tokens)
            if self._packed is None
            else self._packed_batches(self._packed, texts, spans, tokens=tokens)
        ):
            vectors[batch] = encoded.vectors
            if len(encoded.sentences):
                rows = np.concatenate([np.arange(first_span[i], first_span[i + 1]) for i in batch])
                span_vectors[rows] = encoded.sentences
            for i, of_text in zip(batch, encoded.tokens, strict=False):
                text_tokens[i] = of_text
            done += len(batch)
            if progress:
                progress(done, len(texts))
        return Encoded(vectors, text_tokens, span_vectors)

    def _packed_batches(
        self,
        packed: PackedBert,
        texts: Sequence[str],
        spans: Sequence[Sequence[Offsets]],
        *,
        tokens: bool,
    ) -> Iterator[tuple[list[int], Encoded]]:
        """Yield the text numbers of each batch and its encoding by PackedBert."""
        for first in range(0, len(texts), SORT_WINDOW):
            encodings = self._tokenizer.encode(
                texts[first : first + SORT_WINDOW], max_length=self.max_pieces
            )
            for batch in batches([len(encoding.ids) for encoding in encodings], BATCH_PIECES):
                numbers = [first + i for i in batch]
                encoded = self._encode_packed(
                    packed,
                    [encodings[i] for i in batch],
                    [spans[i] for i in numbers],
                    tokens=tokens,
                )
                yield numbers, encoded

    def _encode_packed(
        self,
        packed: PackedBert,
        encodings: Sequence[Encoding],
        spans: Sequence[Sequence[Offsets]],
        *,
        tokens: bool,
    ) -> Encoded:
        """Encode one batch: mean-pooled vectors of the texts and of their spans, and token vectors."""
        import torch

        lengths = [len(encoding.ids) for encoding in encodings]
        ids = torch.tensor([piece for encoding in encodings for piece in encoding.ids])
        hidden = packed(ids, torch.zeros_like(ids), lengths).float()

        def pool(groups: NDArray[np.int64], count: int) -> Vectors:
            """Mean-pool the tokens of each group to a unit vector; group -1 is left out."""
            sums = torch.zeros(count + 1, self.dimension)
            sums.index_add_(0, torch.from_numpy(groups % (count + 1)), hidden)
            unit: Vectors = torch.nn.functional.normalize(sums[:count]).numpy()
            return unit

        vectors = pool(np.repeat(np.arange(len(encodings)), lengths), len(encodings))
        parts = zip(torch.split(ids, lengths), torch.split(hidden, lengths), strict=True)
        text_tokens = [self._tokens(i.numpy(), h.numpy()) for i, h in parts] if tokens else []
        # Queries and a store's passages have no spans: skip the second pooling.
        if not any(spans):
            return Encoded(vectors, text_tokens)
        span_vectors = pool(_span_of_pieces(encodings, spans), sum(map(len, spans)))
        return Encoded(vectors, text_tokens, span_vectors)

    def _library_batches(
        self, texts: Sequence[str], *, queries: bool, tokens: bool
    ) -> Iterator[tuple[list[int], Encoded]]:
        """Yield the text numbers of each batch and its encoding by sentence-transformers."""
        encode: Callable[..., Any] = (
            self._model.encode_query if queries else self._model.encode_document
        )
        # Texts of similar length share a batch, so little is computed on padding.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for first in range(0, len(order), BATCH_SIZE):
            batch = order[first : first + BATCH_SIZE]
            with self._lock:
                outputs = encode(
                    [texts[i] for i in batch],
                    output_value=None if tokens else "sentence_embedding",
                    normalize_embeddings=True,
                    show_progress_bar=False,
                )
            if not tokens:
                yield batch, Encoded(outputs, [])
                continue
            vectors = np.stack([one["sentence_embedding"].float().numpy() for one in outputs])
            text_tokens = []
            for output in outputs:
                is_token = output["attention_mask"] > 0
                text_tokens.append(
                    self._tokens(
                        output["input_ids"][is_token].numpy(),
                        output["token_embeddings"][is_token].float().numpy(),
                    )
                )
            yield batch, Encoded(vectors, text_tokens)

    def _tokens(self, pieces: NDArray[np.int64], vectors: Vectors) -> Tokens:
        """Drop special tokens and scale the other vectors to length 1."""
        kept = ~np.isin(pieces, self._special_tokens)
        vectors = vectors[kept]
        lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return Tokens(pieces[kept], (vectors / lengths).astype(np.float16))


def _span_of_pieces(
    encodings: Sequence[Encoding], spans: Sequence[Sequence[Offsets]]
) -> NDArray[np.int64]:
    """The number of the span that each piece is in, counted over all texts; -1 outside of all."""
    numbers = []
    spans_before = 0
    for encoding, offsets in zip(encodings, spans, strict=True):
        if not offsets:
            numbers.append(np.full(len(encoding.ids), -1))
            continue
        # Special tokens have no length.
        start, end = np.array(encoding.offsets, dtype=np.int64).T
        span_starts, span_ends = np.array(offsets, dtype=np.int64).T
        number = np.searchsorted(span_starts, start, side="right") - 1
        inside = (number >= 0) & (start < span_ends[number]) & (start < end)
        numbers.append(np.where(inside, spans_before + number, -1))
        spans_before += len(offsets)
    return np.concatenate(numbers)


def batches(lengths: Sequence[int], max_tokens: int) -> Iterator[list[int]]:
    """Yield batches of text numbers, grouped by length, of at most max_tokens including padding.

    A text that is longer by itself gets a batch of its own.
    """
    batch: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if batch and (len(batch) + 1) * lengths[i] > max_tokens:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
