"""Reduced precision where PyTorch's private operators work, float32 where they do not."""

import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional

from index.models import kernels
from index.models.bert import PackedBert
from index.models.encoder import SentenceEncoder
from index.passages.context import plain_context
from qa.reader import Reader
from tests.conftest import ROOT
from tests.index.models.test_bert import LENGTHS, inputs, packed, random_bert, reference
from tests.qa.test_reader import close, save_base, save_ours, save_tokenizer

# Anything of torch with a leading underscore, and the operators behind the public functions.
PRIVATE = re.compile(r"\btorch\.(?:\w+\.)*(?:_(?!_)\w+|ops\b)")
REDUCED = ("auto", "float16", "bfloat16")


@pytest.fixture(autouse=True)
def fresh_probe() -> Iterator[None]:
    kernels._works.cache_clear()
    yield
    kernels._works.cache_clear()


def fail(*_: object) -> torch.Tensor:
    raise RuntimeError("could not create a primitive\nat line 1")


def zeros(x: torch.Tensor, *_: object) -> torch.Tensor:
    return torch.zeros(len(x), 8, dtype=x.dtype)


def namespaces(
    multiply: Callable[..., torch.Tensor] | None,
) -> tuple[SimpleNamespace, SimpleNamespace]:
    """Stand-ins for torch.ops.mkldnn and torch.ops.quantized that claim to be supported."""
    mkldnn = SimpleNamespace(_is_mkldnn_bf16_supported=lambda: True)
    quantized = SimpleNamespace()
    if multiply is not None:
        mkldnn._reorder_linear_weight = lambda weight, rows: weight
        mkldnn._linear_pointwise = multiply
        quantized.linear_prepack_fp16 = lambda weight, bias: weight
        quantized.linear_dynamic_fp16 = multiply
    return mkldnn, quantized


@pytest.fixture(params=[None, fail, zeros], ids=["missing", "failing", "wrong"])
def no_operators(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor with native bfloat16, and a PyTorch without working operators."""
    mkldnn, quantized = namespaces(request.param)
    monkeypatch.setattr(torch.ops, "mkldnn", mkldnn)
    monkeypatch.setattr(torch.ops, "quantized", quantized)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.quantized.__class__, "supported_engines", ["fbgemm"])
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})


@pytest.mark.usefixtures("no_operators")
@pytest.mark.parametrize("precision", REDUCED)
def test_without_operators_bert_computes_in_float32(precision: kernels.Precision) -> None:
    model = random_bert()
    ids, types = inputs()
    found = packed(model, precision)(ids, types, LENGTHS)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, reference(model, ids, types), atol=1e-5, rtol=1e-4)
    assert kernels.precision_of(precision) == "float32"
    assert kernels.dtype_of(precision) == torch.float32


@pytest.mark.usefixtures("no_operators")
def test_without_operators_the_reader_computes_in_float32(tmp_path: Path) -> None:
    base = save_base(tmp_path / "base")
    save_ours(tmp_path / "ours", base).save_pretrained(tmp_path / "whole")
    save_tokenizer(tmp_path / "whole")
    reader = Reader(tmp_path / "ours", base=base)
    assert reader.precision == "float32"
    library = Reader(tmp_path / "whole", precision="float32")
    texts = ["the red house is blue.", "who wrote the red"]
    contexts = [plain_context(text, 0, len(text)) for text in texts]
    pairs = zip(reader.read("who?", contexts), library.read("who?", contexts), strict=True)
    assert all(close(mine, expected) for mine, expected in pairs)


def test_without_operators_the_encoder_computes_in_float32(
    encoder: SentenceEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["He flew to Hanoi.", "The soup needs salt."]
    usual = encoder.encode_texts(texts)
    exact = SentenceEncoder(precision="float32").encode_texts(texts)
    monkeypatch.setattr(torch.ops, "mkldnn", SimpleNamespace())
    monkeypatch.setattr(torch.ops, "quantized", SimpleNamespace())
    found = SentenceEncoder().encode_texts(texts)
    np.testing.assert_array_equal(found, exact)
    # An encoder that was loaded before keeps its precision.
    np.testing.assert_array_equal(encoder.encode_texts(texts), usual)
    assert (usual * exact).sum(axis=1).min() > 0.999


@pytest.mark.usefixtures("no_operators")
def test_missing_operators_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="index.models.kernels"):
        assert [kernels.precision_of("auto") for _ in range(3)] == ["float32"] * 3
    messages = [record.getMessage() for record in caplog.records]
    assert [name for m in messages for name in ("bfloat16", "float16") if f" {name} " in m] == [
        "bfloat16",
        "float16",
    ]
    assert not any("\n" in message for message in messages)


def test_a_processor_without_support_logs_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert kernels.precision_of("bfloat16") == "float32"
    assert caplog.records == []


def test_auto_is_the_fastest_precision_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "_works", lambda precision: True)
    for features, expected in (
        ({"amx_bf16": True}, "bfloat16"),
        ({"avx512_bf16": True}, "bfloat16"),
        ({"avx2": True}, "float16"),
    ):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda features=features: features)
        assert kernels.precision_of("auto") == expected
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    monkeypatch.setattr(kernels, "_works", lambda precision: precision == "float16")
    assert kernels.precision_of("auto") == "float16"


def test_an_unknown_precision_is_refused() -> None:
    for unknown in (torch.bfloat16, "half", None):
        with pytest.raises(ValueError, match="Unknown precision .*: choose 'auto', 'float32'"):
            kernels.precision_of(unknown)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Unknown precision"):
        PackedBert({}, None, torch.bfloat16)  # type: ignore[arg-type]


def test_private_operators_are_used_in_one_file_only() -> None:
    rooms = ("index", "qa", "page", "evaluation", "training", "benchmarks")
    paths = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    using = [p.name for p in paths if PRIVATE.search(p.read_text(encoding="utf-8"))]
    assert using == ["kernels.py"]


@pytest.mark.parametrize("gelu", [False, True])
@pytest.mark.parametrize(("precision", "tolerance"), [("float16", 1e-3), ("bfloat16", 0.02)])
def test_a_layer_is_the_rounded_product(
    precision: kernels.Precision, tolerance: float, gelu: bool
) -> None:
    if kernels.precision_of(precision) != precision:
        pytest.skip(f"{precision} does not work on this machine")
    torch.manual_seed(0)
    x, weight, bias = torch.randn(7, 24), torch.randn(40, 24) / 5, torch.randn(40)
    expected = functional.linear(x, weight, bias)
    expected = functional.gelu(expected) if gelu else expected
    dtype = kernels.dtype_of(precision)
    with torch.inference_mode():
        layer = kernels.linear(weight.to(dtype), bias.to(dtype), precision, gelu=gelu)
        found = layer(x.to(dtype))
    assert found.dtype == dtype
    torch.testing.assert_close(found.float(), expected, atol=tolerance, rtol=tolerance)
    assert not torch.equal(found.float(), expected)
