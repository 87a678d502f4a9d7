"""BERT's forward pass over texts of different lengths laid end to end, so that none is padded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

Pair = tuple[Tensor, Tensor]
Precision = Literal["auto", "float32", "float16", "bfloat16"]
# Whether the math library takes weights that it has laid out before; these operators are torch's own,
# made for what its compiler writes.
_LAID_OUT: bool = torch._C._has_mkldnn and torch.ops.mkldnn._is_mkldnn_bf16_supported()
# The rows that weights are laid out for: some five passages' tokens.
_USUAL_ROWS = 896
# Whether the processor multiplies single precision by weights in half precision.
_HALVES = "fbgemm" in torch.backends.quantized.supported_engines


@dataclass(frozen=True, slots=True)
class BertSize:
    """What of a model's config.json its weights do not tell."""

    layers: int
    heads: int
    epsilon: float


class _Linear:
    """A product and a bias, with GELU after it where asked for.

    In bfloat16 the weights are laid out once as the math library multiplies them, which it would else
    do at every product, and GELU is taken where the product is made. Weights in half precision are
    read from memory in half the time, which is most of the time that a question takes.
    """

    def __init__(self, weights: Pair, precision: Precision, *, gelu: bool = False) -> None:
        weight, bias = weights
        # Whether GELU is still to be taken.
        self._gelu = gelu
        self._product: Callable[[Tensor], Tensor]
        if precision == "float16" and _HALVES:
            halves = torch.ops.quantized.linear_prepack_fp16(weight, bias)
            self._product = lambda x: torch.ops.quantized.linear_dynamic_fp16(x, halves)
        elif precision == "bfloat16" and _LAID_OUT:
            laid_out = torch.ops.mkldnn._reorder_linear_weight(weight, _USUAL_ROWS)
            multiply = torch.ops.mkldnn._linear_pointwise
            after, how = ("gelu", "none") if gelu else ("none", "")
            self._product = lambda x: multiply(x, laid_out, bias, after, [], how)
            self._gelu = False
        else:
            self._product = lambda x: functional.linear(x, weight, bias)

    def __call__(self, x: Tensor) -> Tensor:
        product = self._product(x)
        return functional.gelu(product) if self._gelu else product


class _Layer(NamedTuple):
    """A layer's products and norms; those of query, key and value are one product."""

    attention: _Linear
    attention_out: _Linear
    attention_norm: Pair
    inner: _Linear
    outer: _Linear
    norm: Pair


def precision_of(precision: Precision) -> Precision:
    """The precision, or what "auto" is on this processor.

    That is bfloat16 where it multiplies it at once, which takes a third of the time, and else
    float16 where it can: single precision with weights in half precision.
    """
    if precision != "auto":
        return precision
    able = torch.cpu.get_capabilities()
    if able.get("amx_bf16") or able.get("avx512_bf16"):
        return "bfloat16"
    return "float16" if _HALVES else "float32"


def dtype_of(precision: Precision) -> torch.dtype:
    """What is computed in at that precision, whatever the weights are in."""
    return torch.bfloat16 if precision_of(precision) == "bfloat16" else torch.float32


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
        """Take the weights; raises KeyError where one is missing."""
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
                    attention=_Linear(pair(*parts), precision),
                    attention_out=_Linear(pair(f"{at}.attention.output.dense"), precision),
                    attention_norm=pair(f"{at}.attention.output.LayerNorm"),
                    inner=_Linear(pair(f"{at}.intermediate.dense"), precision, gelu=True),
                    outer=_Linear(pair(f"{at}.output.dense"), precision),
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

    def _attend(self, x: Tensor, qkv_of: _Linear, layout: _Layout) -> Tensor:
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
