"""Linear layers at reduced precision: the only module that uses private PyTorch operators.

PyTorch does not promise to keep these operators, so each is tried once, on first use, with a small
product. Where one is missing, fails or gives a wrong result, models compute in float32 instead.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

Precision = Literal["auto", "float32", "float16", "bfloat16"]
# Maps float32 or bfloat16 [tokens, in_features] to [tokens, out_features] of the same type.
Linear = Callable[[Tensor], Tensor]

# The number of rows that the layout of bfloat16 weights is optimized for: about five passages.
_TYPICAL_ROWS = 896
# The largest absolute error of the trial product, whose terms are about 1.
_TOLERANCE = 0.1

_log = logging.getLogger(__name__)


def precision_of(precision: Precision) -> Precision:
    """Return the precision that models compute in when asked for this one; never "auto".

    "auto" is bfloat16 where the processor multiplies it natively, which takes a third of the time,
    else float16: float32 products with float16 weights. A precision whose operators do not work here
    becomes float32. Raises ValueError for an unknown precision.
    """
    if precision not in get_args(Precision):
        raise ValueError(
            f"Unknown precision {precision!r}: choose 'auto', 'float32', 'float16' or 'bfloat16'."
        )
    if precision == "auto":
        precision = "bfloat16" if _has_native_bfloat16() and _works("bfloat16") else "float16"
    return precision if precision == "float32" or _works(precision) else "float32"


def dtype_of(precision: Precision) -> torch.dtype:
    """Return the type of the activations at a precision; float16 applies to weights only."""
    return torch.bfloat16 if precision_of(precision) == "bfloat16" else torch.float32


def linear(weight: Tensor, bias: Tensor, precision: Precision, *, gelu: bool = False) -> Linear:
    """Return a linear layer, followed by GELU if asked for.

    weight is [out_features, in_features] and bias [out_features], both of type dtype_of(precision).
    """
    precision = precision_of(precision)
    if precision == "bfloat16":
        return _bfloat16_linear(weight, bias, gelu=gelu)
    layer = _float16_linear(weight, bias) if precision == "float16" else _plain(weight, bias)
    return (lambda x: functional.gelu(layer(x))) if gelu else layer


def _plain(weight: Tensor, bias: Tensor) -> Linear:
    return lambda x: functional.linear(x, weight, bias)


def _float16_linear(weight: Tensor, bias: Tensor) -> Linear:
    """Keep weights in float16, which halves the memory read, most of the time of a question."""
    packed = torch.ops.quantized.linear_prepack_fp16(weight, bias)
    multiply = torch.ops.quantized.linear_dynamic_fp16
    return lambda x: multiply(x, packed)


def _bfloat16_linear(weight: Tensor, bias: Tensor, *, gelu: bool = False) -> Linear:
    """Lay the weights out once, which oneDNN would do at every product, and fuse the GELU."""
    packed = torch.ops.mkldnn._reorder_linear_weight(weight, _TYPICAL_ROWS)
    multiply = torch.ops.mkldnn._linear_pointwise
    activation, algorithm = ("gelu", "none") if gelu else ("none", "")
    return lambda x: multiply(x, packed, bias, activation, [], algorithm)


def _has_native_bfloat16() -> bool:
    features = torch.cpu.get_capabilities()
    return bool(features.get("amx_bf16") or features.get("avx512_bf16"))


def _is_offered(precision: Precision) -> bool:
    """Whether this build of PyTorch claims to support a reduced precision on this processor."""
    if precision == "float16":
        return "fbgemm" in torch.backends.quantized.supported_engines
    available: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return available and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


@cache
def _works(precision: Precision) -> bool:
    """Try a reduced precision on a small product, with and without GELU; logs why it failed."""
    try:
        if not _is_offered(precision):
            return False
        dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
        # Exact in both types, so that only sums and GELU are rounded.
        x = torch.linspace(-1, 1, 17).repeat(4, 1)[:, :16].to(dtype)
        weight = torch.eye(16)[:8].add(0.5).to(dtype)
        bias = torch.linspace(-1, 1, 9)[:8].to(dtype)
        exact = functional.linear(x.float(), weight.float(), bias.float())
        with torch.inference_mode():
            if precision == "float16":
                products = [(_float16_linear(weight, bias)(x), exact)]
            else:
                products = [
                    (_bfloat16_linear(weight, bias)(x), exact),
                    (_bfloat16_linear(weight, bias, gelu=True)(x), functional.gelu(exact)),
                ]
        for found, expected in products:
            if not torch.allclose(found.float(), expected, atol=_TOLERANCE, rtol=0):
                raise ValueError("their products are wrong")
    except (AttributeError, RuntimeError, TypeError, ValueError) as error:
        # Private operators may be absent, take other arguments or fail in any way.
        _log.warning(
            "PyTorch %s has no working %s operators (%s): models use another precision.",
            torch.__version__,
            precision,
            (str(error).strip().splitlines() or [type(error).__name__])[0],
        )
        return False
    return True
