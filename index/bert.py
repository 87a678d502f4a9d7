"""BERT's forward pass over texts of different lengths laid end to end, so that none is padded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

Pair = tuple[Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class BertSize:
    """What of a model's config.json its weights do not tell."""

    layers: int
    heads: int
    epsilon: float


class _Layer(NamedTuple):
    """A layer's weights and biases; those of query, key and value are one matrix."""

    attention: Pair
    attention_out: Pair
    attention_norm: Pair
    inner: Pair
    outer: Pair
    norm: Pair


class PackedBert:
    """A BERT encoder (Devlin et al. 2019) for inference, from its weights under their usual names.

    The same numbers as transformers' BertModel gives, without the products that padding costs there
    and with one product in place of three for query, key and value.
    """

    def __init__(self, tensors: Mapping[str, Tensor], size: BertSize, dtype: torch.dtype) -> None:
        """Take the weights; raises KeyError where one is missing."""
        self._size, self._dtype = size, dtype
        self._words, self._positions, self._types = (
            tensors[f"embeddings.{name}_embeddings.weight"].float()
            for name in ("word", "position", "token_type")
        )

        def pair(*names: str) -> Pair:
            weight, bias = (
                torch.cat([tensors[f"{name}.{of}"] for name in names]).to(dtype).contiguous()
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
                    attention=pair(*parts),
                    attention_out=pair(f"{at}.attention.output.dense"),
                    attention_norm=pair(f"{at}.attention.output.LayerNorm"),
                    inner=pair(f"{at}.intermediate.dense"),
                    outer=pair(f"{at}.output.dense"),
                    norm=pair(f"{at}.output.LayerNorm"),
                )
            )

    @torch.inference_mode()
    def __call__(self, ids: Tensor, types: Tensor, lengths: Sequence[int]) -> Tensor:
        """The last layer's vectors, [tokens, dimension].

        ids and types are [tokens], those of all texts one after the other, lengths one a text.
        """
        positions = torch.cat([torch.arange(length) for length in lengths])
        x = self._words[ids] + self._types[types] + self._positions[positions]
        x = self._normal(x.to(self._dtype), self._norm)
        for layer in self._layers:
            attended = functional.linear(
                self._attend(x, layer.attention, lengths), *layer.attention_out
            )
            x = self._normal(x + attended, layer.attention_norm)
            inner = functional.gelu(functional.linear(x, *layer.inner))
            x = self._normal(x + functional.linear(inner, *layer.outer), layer.norm)
        return x

    def _attend(self, x: Tensor, weights: Pair, lengths: Sequence[int]) -> Tensor:
        """Every token of a text looks at those of the same text."""
        tokens, dimension = x.shape
        heads = self._size.heads
        qkv = functional.linear(x, *weights).view(tokens, 3, heads, dimension // heads)
        out = torch.empty_like(x)
        of_texts = (torch.split(whole, list(lengths)) for whole in (qkv, out))
        for text, into in zip(*of_texts, strict=True):
            q, k, v = text.permute(1, 2, 0, 3).unsqueeze(1)
            found = functional.scaled_dot_product_attention(q, k, v)
            into.copy_(found[0].transpose(0, 1).reshape(into.shape))
        return out

    def _normal(self, x: Tensor, weights: Pair) -> Tensor:
        return functional.layer_norm(x, x.shape[-1:], *weights, self._size.epsilon)
