"""BERT's forward pass over a packed batch: texts are concatenated instead of padded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from index.models.kernels import Linear, Precision, dtype_of, linear, precision_of

WeightAndBias = tuple[Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class BertSize:
    """The settings of a model's config.json that its weights do not imply."""

    layers: int
    heads: int
    epsilon: float


class _Layer(NamedTuple):
    """A transformer layer; query, key and value are computed by one product."""

    attention: Linear
    attention_out: Linear
    attention_norm: WeightAndBias
    inner: Linear
    outer: Linear
    norm: WeightAndBias


class _Layout(NamedTuple):
    """Maps packed tokens to the padded table [texts, longest] that attention needs, and back.

    `source` is the token of each cell, [texts × longest], with any token in padding cells. `mask`,
    [texts, 1, 1, longest], is -inf in padding cells. `target` is the cell of each token, [tokens].
    """

    source: Tensor
    mask: Tensor
    target: Tensor

    @classmethod
    def from_lengths(cls, lengths: Sequence[int], dtype: torch.dtype) -> _Layout:
        sizes = torch.tensor(lengths)
        positions = torch.arange(_round_up(max(lengths)))
        is_token = positions < sizes[:, None]
        source = torch.where(is_token, positions + (sizes.cumsum(0) - sizes)[:, None], 0)
        mask = torch.zeros(is_token.shape, dtype=dtype).masked_fill(~is_token, float("-inf"))
        return cls(source.flatten(), mask[:, None, None], is_token.flatten().nonzero().squeeze(1))


def _round_up(size: int) -> int:
    """Round up to one of eight sizes per power of two.

    oneDNN compiles a kernel for each new size, which takes longer than the product itself.
    """
    step = max(16, (1 << size.bit_length()) // 16)
    return -(-size // step) * step


class PackedBert:
    """A BERT encoder (Devlin et al. 2019) for inference.

    It computes what BertModel of transformers does, but nothing on padding, and query, key and value
    in one product instead of three.
    """

    def __init__(self, tensors: Mapping[str, Tensor], size: BertSize, precision: Precision) -> None:
        """Take weights under the names that transformers uses.

        Raises KeyError for a missing weight and ValueError for an unknown precision.
        """
        precision = precision_of(precision)
        self._size, self._dtype = size, dtype_of(precision)
        self._words, self._positions, self._types = (
            tensors[f"embeddings.{name}_embeddings.weight"].float()
            for name in ("word", "position", "token_type")
        )

        def load(*names: str) -> WeightAndBias:
            weight, bias = (
                torch.cat([tensors[f"{name}.{kind}"] for name in names])
                .to(self._dtype)
                .contiguous()
                for kind in ("weight", "bias")
            )
            return weight, bias

        self._norm = load("embeddings.LayerNorm")
        self._layers = []
        for number in range(size.layers):
            prefix = f"encoder.layer.{number}"
            qkv = [f"{prefix}.attention.self.{part}" for part in ("query", "key", "value")]
            self._layers.append(
                _Layer(
                    attention=linear(*load(*qkv), precision),
                    attention_out=linear(*load(f"{prefix}.attention.output.dense"), precision),
                    attention_norm=load(f"{prefix}.attention.output.LayerNorm"),
                    inner=linear(*load(f"{prefix}.intermediate.dense"), precision, gelu=True),
                    outer=linear(*load(f"{prefix}.output.dense"), precision),
                    norm=load(f"{prefix}.output.LayerNorm"),
                )
            )

    @torch.inference_mode()
    def __call__(self, ids: Tensor, types: Tensor, lengths: Sequence[int]) -> Tensor:
        """Return the last layer's vectors, [tokens, dimension].

        ids and types are [tokens], concatenated over all texts; lengths has the tokens of each text.
        """
        layout = _Layout.from_lengths(lengths, self._dtype)
        positions = torch.cat([torch.arange(length) for length in lengths])
        x = self._words[ids] + self._types[types] + self._positions[positions]
        x = functional.pad(x, (0, 0, 0, _round_up(len(x)) - len(x)))
        x = self._normalize(x.to(self._dtype), self._norm)
        for layer in self._layers:
            attended = layer.attention_out(self._attend(x, layer.attention, layout))
            x = self._normalize(x + attended, layer.attention_norm)
            x = self._normalize(x + layer.outer(layer.inner(x)), layer.norm)
        return x[: len(ids)]

    def _attend(self, x: Tensor, project: Linear, layout: _Layout) -> Tensor:
        """Self-attention within each text; `project` computes query, key and value."""
        tokens, dimension = x.shape
        heads = self._size.heads
        # index_select is several times as fast as indexing with brackets.
        qkv = project(x).index_select(0, layout.source)
        shape = (len(layout.mask), layout.mask.shape[-1], 3, heads, dimension // heads)
        q, k, v = qkv.view(shape).permute(2, 0, 3, 1, 4)
        padded = functional.scaled_dot_product_attention(q, k, v, attn_mask=layout.mask)
        attended = padded.transpose(1, 2).reshape(-1, dimension).index_select(0, layout.target)
        return functional.pad(attended, (0, 0, 0, tokens - len(attended)))

    def _normalize(self, x: Tensor, weights: WeightAndBias) -> Tensor:
        return functional.layer_norm(x, x.shape[-1:], *weights, self._size.epsilon)
