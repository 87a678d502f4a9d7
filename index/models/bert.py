"""BERT's forward pass over texts of different lengths laid end to end, so that none is padded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from index.models.kernels import Linear, Precision, dtype_of, linear, precision_of

Pair = tuple[Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class BertSize:
    """What of a model's config.json its weights do not tell."""

    layers: int
    heads: int
    epsilon: float


class _Layer(NamedTuple):
    """A layer's products and norms; those of query, key and value are one product."""

    attention: Linear
    attention_out: Linear
    attention_norm: Pair
    inner: Linear
    outer: Linear
    norm: Pair


class _Layout(NamedTuple):
    """Where tokens laid end to end stand in a table of one row a text, which attention wants.

    `source` is the token at each place, [texts × longest], any at a place that is none's; `mask` keeps
    attention from such places, [texts, 1, 1, longest]; `target` is each token's place, [tokens].
    """

    source: Tensor
    mask: Tensor
    target: Tensor

    @classmethod
    def of(cls, lengths: Sequence[int], dtype: torch.dtype) -> _Layout:
        sizes = torch.tensor(lengths)
        places = torch.arange(_round(max(lengths)))
        taken = places < sizes[:, None]
        source = torch.where(taken, places + (sizes.cumsum(0) - sizes)[:, None], 0)
        mask = torch.zeros(taken.shape, dtype=dtype).masked_fill(~taken, float("-inf"))
        return cls(source.flatten(), mask[:, None, None], taken.flatten().nonzero().squeeze(1))


def _round(size: int) -> int:
    """The size rounded up to one of eight to each power of two.

    The math library prepares itself for a size that it has not seen, which takes longer than the
    product.
    """
    step = max(16, (1 << size.bit_length()) // 16)
    return -(-size // step) * step


class PackedBert:
    """A BERT encoder (Devlin et al. 2019) for inference, from its weights under their usual names.

    The same numbers as transformers' BertModel gives, without the products that padding costs there
    and with one product in place of three for query, key and value.
    """

    def __init__(self, tensors: Mapping[str, Tensor], size: BertSize, precision: Precision) -> None:
        """Take the weights; raises KeyError where one is missing and ValueError for a precision."""
        precision = precision_of(precision)
        self._size, self._dtype = size, dtype_of(precision)
        self._words, self._positions, self._types = (
            tensors[f"embeddings.{name}_embeddings.weight"].float()
            for name in ("word", "position", "token_type")
        )

        def pair(*names: str) -> Pair:
            weight, bias = (
                torch.cat([tensors[f"{name}.{of}"] for name in names]).to(self._dtype).contiguous()
                for of in ("weight", "bias")
            )
            return weight, bias

        self._norm = pair("embeddings.LayerNorm")
        self._layers = []
        for number in range(size.layers):
            at = f"encoder.layer.{number}"
            parts = [f"{at}.attention.self.{part}" for part in ("query", "key", "value")]
            self._layers.append(
                _Layer(
                    attention=linear(*pair(*parts), precision),
                    attention_out=linear(*pair(f"{at}.attention.output.dense"), precision),
                    attention_norm=pair(f"{at}.attention.output.LayerNorm"),
                    inner=linear(*pair(f"{at}.intermediate.dense"), precision, gelu=True),
                    outer=linear(*pair(f"{at}.output.dense"), precision),
                    norm=pair(f"{at}.output.LayerNorm"),
                )
            )

    @torch.inference_mode()
    def __call__(self, ids: Tensor, types: Tensor, lengths: Sequence[int]) -> Tensor:
        """The last layer's vectors, [tokens, dimension].

        ids and types are [tokens], those of all texts one after the other, lengths one a text.
        """
        layout = _Layout.of(lengths, self._dtype)
        positions = torch.cat([torch.arange(length) for length in lengths])
        x = self._words[ids] + self._types[types] + self._positions[positions]
        x = functional.pad(x, (0, 0, 0, _round(len(x)) - len(x)))
        x = self._normal(x.to(self._dtype), self._norm)
        for layer in self._layers:
            attended = layer.attention_out(self._attend(x, layer.attention, layout))
            x = self._normal(x + attended, layer.attention_norm)
            x = self._normal(x + layer.outer(layer.inner(x)), layer.norm)
        return x[: len(ids)]

    def _attend(self, x: Tensor, qkv_of: Linear, layout: _Layout) -> Tensor:
        """Every token of a text looks at those of the same text."""
        tokens, dimension = x.shape
        heads = self._size.heads
        # To take rows by index_select is several times as fast as by an index in brackets.
        qkv = qkv_of(x).index_select(0, layout.source)
        shape = (len(layout.mask), layout.mask.shape[-1], 3, heads, dimension // heads)
        q, k, v = qkv.view(shape).permute(2, 0, 3, 1, 4)
        found = functional.scaled_dot_product_attention(q, k, v, attn_mask=layout.mask)
        attended = found.transpose(1, 2).reshape(-1, dimension).index_select(0, layout.target)
        return functional.pad(attended, (0, 0, 0, tokens - len(attended)))

    def _normal(self, x: Tensor, weights: Pair) -> Tensor:
        return functional.layer_norm(x, x.shape[-1:], *weights, self._size.epsilon)
