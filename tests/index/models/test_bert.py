import pytest
import torch
from transformers import BertConfig, BertModel

from index.models.bert import BertSize, PackedBert
from index.models.kernels import Precision, dtype_of, precision_of

LENGTHS = [5, 1, 17, 9]


def random_bert() -> BertModel:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50,
        hidden_size=24,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=40,
        max_position_embeddings=32,
        initializer_range=0.3,
    )
    return BertModel(config, add_pooling_layer=False).eval()


@pytest.fixture(scope="module")
def model() -> BertModel:
    return random_bert()


def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    """Random token ids and types of texts with LENGTHS."""
    torch.manual_seed(1)
    return torch.randint(0, 50, (sum(LENGTHS),)), torch.randint(0, 2, (sum(LENGTHS),))


@torch.inference_mode()
def reference(model: BertModel, ids: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
    """The vectors that transformers computes, text by text."""
    texts = zip(torch.split(ids, LENGTHS), torch.split(types, LENGTHS), strict=True)
    return torch.cat(
        [model(i[None], token_type_ids=t[None]).last_hidden_state[0] for i, t in texts]
    )


def packed(model: BertModel, precision: Precision) -> PackedBert:
    config = model.config
    size = BertSize(3, config.num_attention_heads, config.layer_norm_eps)
    return PackedBert(model.state_dict(), size, precision)


def test_vectors_equal_those_of_transformers(model: BertModel) -> None:
    ids, types = inputs()
    found = packed(model, "float32")(ids, types, LENGTHS)
    torch.testing.assert_close(found, reference(model, ids, types), atol=1e-5, rtol=1e-4)


# The ranges do not overlap, and both exclude the error of float32, which is below 1e-6.
@pytest.mark.parametrize(
    ("precision", "lowest", "highest"), [("float16", 2e-4, 5e-3), ("bfloat16", 8e-3, 8e-2)]
)
def test_half_precision_differs_by_its_rounding_error(
    model: BertModel, precision: Precision, lowest: float, highest: float
) -> None:
    if precision_of(precision) != precision:
        pytest.skip(f"{precision} does not work on this machine")
    ids, types = inputs()
    expected = reference(model, ids, types)
    found = packed(model, precision)(ids, types, LENGTHS)
    assert found.dtype == dtype_of(precision)
    # Vectors are normalized, so this is relative to their length.
    error = (found.float() - expected).square().mean().sqrt()
    assert lowest < error < highest
    assert torch.cosine_similarity(found.float(), expected).min() > 0.99


def test_a_missing_weight_is_named(model: BertModel) -> None:
    tensors = dict(model.state_dict())
    del tensors["encoder.layer.1.output.dense.bias"]
    with pytest.raises(KeyError, match="layer.1.output.dense.bias"):
        PackedBert(tensors, BertSize(3, 2, 1e-12), "float32")
