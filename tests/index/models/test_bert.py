import pytest
import torch
from transformers import BertConfig, BertModel

from index.models.bert import BertSize, PackedBert

LENGTHS = [5, 1, 17, 9]


@pytest.fixture(scope="module")
def model() -> BertModel:
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


def packed(model: BertModel, dtype: torch.dtype = torch.float32) -> PackedBert:
    config = model.config
    size = BertSize(3, config.num_attention_heads, config.layer_norm_eps)
    return PackedBert(model.state_dict(), size, dtype)


def test_it_gives_what_transformers_gives(model: BertModel) -> None:
    torch.manual_seed(1)
    ids = torch.randint(0, 50, (sum(LENGTHS),))
    types = torch.randint(0, 2, (sum(LENGTHS),))
    found = torch.split(packed(model)(ids, types, LENGTHS), LENGTHS)
    half = torch.split(packed(model, torch.bfloat16)(ids, types, LENGTHS).float(), LENGTHS)
    texts = zip(torch.split(ids, LENGTHS), torch.split(types, LENGTHS), strict=True)
    for mine, rough, (of_text, of_type) in zip(found, half, texts, strict=True):
        with torch.inference_mode():
            expected = model(of_text[None], token_type_ids=of_type[None]).last_hidden_state[0]
        torch.testing.assert_close(mine, expected, atol=1e-5, rtol=1e-4)
        assert torch.cosine_similarity(rough, expected).min() > 0.99


def test_a_weight_that_is_missing(model: BertModel) -> None:
    tensors = dict(model.state_dict())
    del tensors["encoder.layer.1.output.dense.bias"]
    with pytest.raises(KeyError, match="layer.1.output.dense.bias"):
        PackedBert(tensors, BertSize(3, 2, 1e-12), torch.float32)
