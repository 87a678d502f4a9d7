"""The tokenizer that lies beside a model's weights, and the files that say what a BERT of it is.

Read here and not by transformers or sentence-transformers, which take five seconds to import: with
them a first answer takes three times as long. They read every other kind of model.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.documents.document import well_formed

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

    from index.models.bert import BertSize

# What the files of a sentence-transformers model may say, and it still is a BERT whose mean token is a
# text's vector, and nothing more.
_MODULES = (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
_SETTINGS = frozenset({"max_seq_length", "do_lower_case"})


class WordPieces:
    """A tokenizer; several threads may use it."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Use one of the tokenizers library, whatever it was set to."""
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        # It is set up anew for each call.
        self._lock = threading.Lock()

    @classmethod
    def load(cls, folder: Path) -> WordPieces:
        """Read a model's tokenizer.json; raises OSError, and ValueError where it is none."""
        from tokenizers import Tokenizer

        content = (folder / "tokenizer.json").read_text(encoding="utf-8")
        try:
            return cls(Tokenizer.from_str(content))
        except Exception as error:  # the library has no error of its own
            raise ValueError(str(error)) from error

    def marks(self, *, pair: bool = False) -> int:
        """How many marks of its own it puts around a text, or around two."""
        return int(self._tokenizer.num_special_tokens_to_add(pair))

    @property
    def lowercase(self) -> bool | None:
        """Whether letters are made small first; None where it is no tokenizer of BERT's."""
        return getattr(self._tokenizer.normalizer, "lowercase", None)

    def special(self) -> list[int]:
        """The numbers of its own marks."""
        added = self._tokenizer.get_added_tokens_decoder()
        return [number for number, token in added.items() if token.special]

    def cut(
        self, texts: Sequence[str], *, most: int | None = None, marks: bool = True
    ) -> list[Encoding]:
        """Cut texts into pieces, at most so many of each, with marks around them or without."""
        with self._lock:
            if most is None:
                self._tokenizer.no_truncation()
            else:
                self._tokenizer.enable_truncation(most)
            sound = [well_formed(text) for text in texts]
            return self._tokenizer.encode_batch(sound, add_special_tokens=marks)

    def windows(
        self, pairs: Sequence[tuple[str, str]], *, most: int, stride: int
    ) -> list[list[Encoding]]:
        """Windows of at most so many pieces over each pair's second text, the first one before each.

        Neighbours share `stride` pieces.
        """
        with self._lock:
            self._tokenizer.enable_truncation(most, stride=stride, strategy="only_second")
            sound = [(well_formed(first), well_formed(second)) for first, second in pairs]
            cut = self._tokenizer.encode_batch(sound)
        return [[first, *first.overflowing] for first in cut]


@dataclass(frozen=True, slots=True)
class MeanBert:
    """A sentence-transformers model that is a BERT whose mean token is a text's vector."""

    size: BertSize
    dimension: int
    max_pieces: int
    pieces: WordPieces


def bert_size(folder: Path) -> BertSize | None:
    """What a model's config.json says of it, None where it is no plain BERT.

    Raises OSError, and ValueError where it is no JSON.
    """
    from index.models.bert import BertSize

    config = _json(folder / "config.json")
    plain = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
    if any(config.get(name, value) != value for name, value in plain.items()):
        return None
    return BertSize(
        config["num_hidden_layers"], config["num_attention_heads"], config["layer_norm_eps"]
    )


def mean_bert(folder: Path) -> MeanBert | None:
    """Read the files of a sentence-transformers model but for the weights.

    None where it is more than a MeanBert, or where they are not as expected: the library itself knows
    what to make of it then.
    """
    try:
        modules = [m["type"].rpartition(".")[2] for m in _json(folder / "modules.json")]
        pooling = _json(folder / "1_Pooling/config.json")
        about = _json(folder / "config_sentence_transformers.json")
        settings = _json(folder / "sentence_bert_config.json")
        config = _json(folder / "config.json")
        size = bert_size(folder)
        # The library takes some of what it needs from here, and so it has to say the same.
        named = _json(folder / "tokenizer_config.json")
        pieces = WordPieces.load(folder)
        lower = pieces.lowercase
        means = {name: on for name, on in pooling.items() if name.startswith("pooling_mode")}
        plain = (
            size is not None
            and modules in _MODULES
            and means.pop("pooling_mode_mean_tokens")
            and not any(means.values())
            and not any(about.get("prompts", {}).values())
            and settings.keys() <= _SETTINGS
            and not settings.get("do_lower_case")
            and lower is not None
            and named.get("do_lower_case", lower) == lower
            and (folder / "model.safetensors").is_file()
        )
        if not plain or size is None:
            return None
        most = min(settings["max_seq_length"], config["max_position_embeddings"])
        return MeanBert(size, int(config["hidden_size"]), int(most), pieces)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
