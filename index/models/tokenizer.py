"""Load a tokenizer and a model's config without importing transformers.

Importing transformers or sentence-transformers takes five seconds, which triples the time to the
first answer. They are used for every model that is not a BERT with mean pooling.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.documents.cleaning import replace_surrogates

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

    from index.models.bert import BertSize

# The modules and settings of a sentence-transformers model that only pools a BERT by the mean.
_MODULES = (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
_SETTINGS = frozenset({"max_seq_length", "do_lower_case"})


class WordPieceTokenizer:
    """A thread-safe tokenizer."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Wrap a tokenizer of the tokenizers library, and switch its padding off."""
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        # Each call sets the truncation of the shared tokenizer.
        self._lock = threading.Lock()

    @classmethod
    def load(cls, folder: Path) -> WordPieceTokenizer:
        """Read a model's tokenizer.json; raises OSError, and ValueError if it is not a tokenizer."""
        from tokenizers import Tokenizer

        content = (folder / "tokenizer.json").read_text(encoding="utf-8")
        try:
            return cls(Tokenizer.from_str(content))
        except Exception as error:  # the library raises a bare Exception
            raise ValueError(str(error)) from error

    def count_special_tokens(self, *, pair: bool = False) -> int:
        """How many special tokens are added to a text, or to a pair of texts."""
        return int(self._tokenizer.num_special_tokens_to_add(pair))

    @property
    def lowercase(self) -> bool | None:
        """Whether texts are lowercased; None if this is not a BERT tokenizer."""
        return getattr(self._tokenizer.normalizer, "lowercase", None)

    def special_token_ids(self) -> list[int]:
        """The ids of all special tokens."""
        added = self._tokenizer.get_added_tokens_decoder()
        return [number for number, token in added.items() if token.special]

    def encode(
        self, texts: Sequence[str], *, max_length: int | None = None, special_tokens: bool = True
    ) -> list[Encoding]:
        """Tokenize texts, truncated to max_length word pieces, with or without special tokens."""
        with self._lock:
            if max_length is None:
                self._tokenizer.no_truncation()
            else:
                self._tokenizer.enable_truncation(max_length)
            valid = [replace_surrogates(text) for text in texts]
            return self._tokenizer.encode_batch(valid, add_special_tokens=special_tokens)

    def windows(
        self, pairs: Sequence[tuple[str, str]], *, max_length: int, stride: int
    ) -> list[list[Encoding]]:
        """Tokenize each pair's second text in windows, with the first text in front of each.

        A window has at most max_length pieces; neighbouring windows share `stride` pieces.
        """
        with self._lock:
            self._tokenizer.enable_truncation(max_length, stride=stride, strategy="only_second")
            valid = [
                (replace_surrogates(first), replace_surrogates(second)) for first, second in pairs
            ]
            encodings = self._tokenizer.encode_batch(valid)
        return [[first, *first.overflowing] for first in encodings]


@dataclass(frozen=True, slots=True)
class MeanPoolingBert:
    """A sentence-transformers model that is a BERT, pooled by the mean of its token vectors."""

    size: BertSize
    dimension: int
    max_pieces: int
    tokenizer: WordPieceTokenizer


def read_bert_size(folder: Path) -> BertSize | None:
    """Read a model's config.json; None if it is not a plain BERT.

    Raises OSError, and ValueError for invalid JSON.
    """
    from index.models.bert import BertSize

    config = _read_json(folder / "config.json")
    plain = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
    if any(config.get(name, value) != value for name, value in plain.items()):
        return None
    return BertSize(
        config["num_hidden_layers"], config["num_attention_heads"], config["layer_norm_eps"]
    )


def read_mean_pooling_bert(folder: Path) -> MeanPoolingBert | None:
    """Read all files of a sentence-transformers model except its weights.

    Returns None for any other kind of model, and if a file is missing or not as expected: such models
    are left to the library.
    """
    try:
        modules = [m["type"].rpartition(".")[2] for m in _read_json(folder / "modules.json")]
        pooling = _read_json(folder / "1_Pooling/config.json")
        prompts = _read_json(folder / "config_sentence_transformers.json").get("prompts", {})
        settings = _read_json(folder / "sentence_bert_config.json")
        config = _read_json(folder / "config.json")
        size = read_bert_size(folder)
        # The library reads do_lower_case from here, so it has to agree with tokenizer.json.
        tokenizer_config = _read_json(folder / "tokenizer_config.json")
        tokenizer = WordPieceTokenizer.load(folder)
        lowercase = tokenizer.lowercase
        modes = {name: on for name, on in pooling.items() if name.startswith("pooling_mode")}
        is_supported = (
            size is not None
            and modules in _MODULES
            and modes.pop("pooling_mode_mean_tokens")
            and not any(modes.values())
            and not any(prompts.values())
            and settings.keys() <= _SETTINGS
            and not settings.get("do_lower_case")
            and lowercase is not None
            and tokenizer_config.get("do_lower_case", lowercase) == lowercase
            and (folder / "model.safetensors").is_file()
        )
        if not is_supported or size is None:
            return None
        max_pieces = min(settings["max_seq_length"], config["max_position_embeddings"])
        return MeanPoolingBert(size, int(config["hidden_size"]), int(max_pieces), tokenizer)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
