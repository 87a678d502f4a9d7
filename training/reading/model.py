"""The reading model: BERT with heads for start, end, answerability and tags."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import BertConfig, BertModel

WEIGHTS = "reader.safetensors"
WORDS = "bert.embeddings.word_embeddings.weight"
LAYER = "bert.encoder.layer."


class Logits(NamedTuple):
    """Scores in single precision: start, end and tag [windows, pieces], answerable [windows]."""

    start: Tensor
    end: Tensor
    tag: Tensor
    answerable: Tensor


class ReadingModel(torch.nn.Module):
    """Start and end score a span, the tag says whether a piece is part of the answer.

    The answerable score, made from the first piece, says whether the window has an answer.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.bert = BertModel(config, add_pooling_layer=False)
        self.qa_outputs = torch.nn.Linear(config.hidden_size, 2)
        self.answerable = torch.nn.Linear(config.hidden_size, 1)
        self.tag = torch.nn.Linear(config.hidden_size, 1)

    def forward(self, ids: Tensor, types: Tensor, real: Tensor) -> Logits:
        """ids, types and real, which is False for padding, are [windows, pieces]."""
        hidden = self.bert(
            input_ids=ids, token_type_ids=types, attention_mask=real.long()
        ).last_hidden_state
        start, end = self.qa_outputs(hidden).float().unbind(-1)
        return Logits(
            start,
            end,
            self.tag(hidden).float().squeeze(-1),
            self.answerable(hidden[:, 0]).float().squeeze(-1),
        )


def build_model(base: Path, init: Path | None, *, layers: int, seed: int) -> ReadingModel:
    """A model with the encoder's word embeddings, frozen, and the weights of the reader in `init`.

    Without one it starts from the encoder. Heads that `init` lacks are new, and where it has fewer
    layers than wanted they are repeated. Raises ValueError if a weight of BERT is missing.
    """
    torch.manual_seed(seed)
    config = BertConfig.from_pretrained(base)
    config.num_hidden_layers = layers
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
    model = ReadingModel(config)
    # PyTorch's fused attention is slower backwards on a CPU than the plain one.
    model.bert.set_attn_implementation("eager")
    encoder = {
        f"bert.{name}": tensor.float()
        for name, tensor in load_file(base / "model.safetensors").items()
        if not name.startswith("pooler.") and name != "embeddings.position_ids"
    }
    given: Mapping[str, Tensor] = encoder
    if init is not None:
        own = {name: tensor.float() for name, tensor in load_file(init / WEIGHTS).items()}
        given = {**own, WORDS: encoder[WORDS]}
    wanted = model.state_dict()
    have = 1 + max(int(n.removeprefix(LAYER).split(".")[0]) for n in given if n.startswith(LAYER))
    for name in wanted:
        source = name
        if name.startswith(LAYER):
            number, rest = name.removeprefix(LAYER).split(".", 1)
            source = f"{LAYER}{int(number) % have}.{rest}"
        if source in given:
            wanted[name] = given[source]
        elif name.startswith("bert."):
            raise ValueError(f"'{init or base}' has no weight {source}")
    model.load_state_dict(wanted)
    model.bert.embeddings.word_embeddings.weight.requires_grad_(False)
    return model


def layers_of(reader: Path) -> int:
    """How many layers a reader's folder says it has."""
    layers: int = json.loads((reader / "reader.json").read_text(encoding="utf-8"))["layers"]
    return layers
