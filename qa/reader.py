"""The reading model: a question and passages in, spans and no-answer scores out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index.errors import ArticleError, EncoderError
from index.models.encoder import batches
from index.models.model_files import REINSTALL_COMMAND, default_encoder_folder
from index.models.tokenizer import WordPieceTokenizer, read_bert_size
from index.passages.context import Context
from index.resources import resource
from index.storage import sha256_of, sha256_of_body
from qa.reader_format import ABOUT, FORMAT_VERSION, MAX_LENGTH, STRIDE, WEIGHTS, WORD_EMBEDDINGS
from qa.reading_input import MAX_QUESTION_PIECES
from qa.spans import Span, best_spans, merge_windows, no_answer_score

if TYPE_CHECKING:
    from index.models.bert import PackedBert
    from index.models.kernels import Precision

DEFAULT_READER = resource("models/reader")
# Tokens that go through the model at a time: enough for five passages, and few enough for the
# processor's caches.
BATCH_TOKENS = 4096
# The fields of ABOUT, without the training recipe.
_FIELDS = (
    *("format_version", "weights_sha256", "base_sha256", "layers", "heads", "max_length", "stride"),
    "figures",
)

Windows = list[tuple[list[Span], float]]
Logits = tuple[NDArray[np.float32], NDArray[np.float32], float]


class ReaderError(ArticleError):
    """The reader cannot be loaded."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The best spans of a passage for a question, best first, and the passage's no-answer score.

    Spans are in characters of the passage's text. Scores are sums of logits, comparable between the
    passages read for a question. `answerable` is the logit of the answerability head, which is
    already subtracted from the no-answer score; 0 if the reader has no such head.
    """

    spans: tuple[Span, ...]
    no_answer: float
    answerable: float = 0.0


@dataclass(frozen=True, slots=True)
class _Window:
    """A window of a passage: token ids and types, character offsets, and the part of each token.

    Tokens that cannot be quoted have the part -1.
    """

    passage: int
    ids: Sequence[int]
    types: Sequence[int]
    offsets: NDArray[np.int64]
    owners: NDArray[np.int64]


class Reader:
    """A model for extractive question answering: our own, or another from a folder or the hub."""

    def __init__(
        self,
        name: str | Path = DEFAULT_READER,
        *,
        base: str | Path | None = None,
        precision: Precision = "auto",
    ) -> None:
        """Load a reader; raises ReaderError if it is missing, damaged or of another format version.

        `name` is a folder written by training/train_reader.py, or any folder or name that
        transformers' AutoModelForQuestionAnswering accepts. `base` is the folder of the encoder whose
        word embeddings the first kind shares, by default that of the installed package.
        """
        # Imported here because it takes a second, and searching alone does not need it.
        from index.models.kernels import precision_of

        self.name = str(name)
        self.figures: dict[str, Any] = {}
        self.precision = precision_of(precision)
        self._ours: PackedBert | None = None
        limit, stride = MAX_LENGTH, STRIDE
        if (Path(name) / ABOUT).is_file():
            about = _read_about(Path(name))
            limit, stride = about["max_length"], about["stride"]
            self.figures, self.revision = about["figures"], about["weights_sha256"]
            self._load_ours(Path(name), about, base)
        else:
            self._load_other(self.name)
        self.max_length = min(limit, self._most)
        room = self.max_length - self._tokenizer.count_special_tokens(pair=True)
        self._max_question = min(MAX_QUESTION_PIECES, room // 2)
        self._stride = min(stride, (room - self._max_question) // 2)

    def read(self, question: str, texts: Sequence[Context], *, n: int = 5) -> list[Reading]:
        """Read passages for a question; returns the n best spans of each."""
        return self.read_all([(question, texts)], n=n)[0]

    def read_all(
        self, asked: Sequence[tuple[str, Sequence[Context]]], *, n: int = 5
    ) -> list[list[Reading]]:
        """Read the passages of many questions, faster than one question at a time."""
        questions = self._cut_questions([question for question, _ in asked])
        pairs = [(q, t) for q, (_, texts) in zip(questions, asked, strict=True) for t in texts]
        # Spans and scores of each pair's windows.
        spans_of: list[Windows] = [[] for _ in pairs]
        scores_of: list[list[tuple[float, float]]] = [[] for _ in pairs]
        windows = self._windows(pairs)
        for numbers in batches([len(window.owners) for window in windows], BATCH_TOKENS):
            batch = [windows[i] for i in numbers]
            logits = self._logits(batch)
            for window, (start, end, answerable) in zip(batch, logits, strict=True):
                spans = best_spans(start, end, window.owners, window.offsets, n=n)
                score = no_answer_score(start, end) - answerable
                spans_of[window.passage].append((spans, score))
                scores_of[window.passage].append((score, answerable))
        readings = []
        for (_, context), window_spans, scores in zip(pairs, spans_of, scores_of, strict=True):
            spans, score = merge_windows(window_spans, n=n)
            _, answerable = min(scores)
            trimmed = tuple(_trimmed(span, context.text) for span in spans)
            readings.append(Reading(trimmed, score, answerable))
        remaining = iter(readings)
        return [[next(remaining) for _ in texts] for _, texts in asked]

    def _load_ours(self, folder: Path, about: Mapping[str, Any], base: str | Path | None) -> None:
        from safetensors import safe_open
        from safetensors.torch import load_file
        from torch import cat

        from index.models.bert import PackedBert

        try:
            base = default_encoder_folder() if base is None else Path(base)
        except EncoderError as error:
            raise ReaderError(str(error)) from error
        words = base / "model.safetensors"
        _check(words, about["base_sha256"], REINSTALL_COMMAND)
        weights = folder / WEIGHTS
        _check(weights, about["weights_sha256"], f"git checkout -- {folder}")
        try:
            size = read_bert_size(base)
            if size is None:
                raise ValueError("not a BERT model")
            self._tokenizer = WordPieceTokenizer.load(base)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ReaderError(
                f"The encoder in '{base}', which the reader is built on, cannot be read "
                f"({type(error).__name__}): restore it with '{REINSTALL_COMMAND}'."
            ) from error
        tensors = {name: t.float() for name, t in load_file(weights).items()}
        with safe_open(words, framework="pt") as file:
            tensors[WORD_EMBEDDINGS] = file.get_tensor(WORD_EMBEDDINGS.removeprefix("bert."))
        heads = ["qa_outputs"] + ["answerable"] * ("answerable" in about["heads"])
        # Kept in single precision: half precision would make close scores equal.
        weight, bias = (
            cat([tensors.pop(f"{head}.{part}") for head in heads]) for part in ("weight", "bias")
        )
        # Rows for start, end and, if it was trained, answerability.
        self._heads = (weight, bias)
        size = replace(size, layers=about["layers"])
        named = {name.removeprefix("bert."): tensor for name, tensor in tensors.items()}
        self._ours = PackedBert(named, size, self.precision)
        self._most = len(named["embeddings.position_embeddings.weight"])

    def _load_other(self, name: str) -> None:
        from transformers import AutoModelForQuestionAnswering, AutoTokenizer
        from transformers.utils import logging

        from index.models.kernels import dtype_of

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        if Path(name) == DEFAULT_READER or (
            Path(name).is_dir() and not (Path(name) / "config.json").is_file()
        ):
            raise ReaderError(
                f"There is no reader in '{name}' (no file {ABOUT} or config.json): make one with "
                "'python -m training.train_reader', or give another folder with --reader."
            )
        try:
            # Loading a pickle may run arbitrary code.
            model = AutoModelForQuestionAnswering.from_pretrained(name, use_safetensors=True)
            tokenizer = AutoTokenizer.from_pretrained(name)
        except Exception as error:  # a foreign folder can make the library raise anything
            raise ReaderError(
                f"'{name}' cannot be loaded as a reader "
                f"({(str(error).strip().splitlines() or [type(error).__name__])[0][:200]}): give the "
                "folder or the hub's name of a whole model for extractive question answering."
            ) from error
        if not tokenizer.is_fast:
            raise ReaderError(
                f"The reader '{name}' has no fast tokenizer, which answers need for their offsets: "
                "give another reader."
            )
        self._tokenizer = WordPieceTokenizer(tokenizer.backend_tokenizer)
        self._pad = tokenizer.pad_token_id or 0
        positions = getattr(model.config, "max_position_embeddings", MAX_LENGTH)
        self._most = min(positions, tokenizer.model_max_length)
        # Asked of the model, since a tokenizer does not always know that its model has token types.
        self._typed = getattr(model.config, "type_vocab_size", 0) > 1
        if self.precision == "float16":  # only our own readers support it
            self.precision = "float32"
        self._model: Any = model.eval().to(dtype_of(self.precision))
        self.revision = str(getattr(model.config, "_commit_hash", None) or "")

    def _cut_questions(self, questions: Sequence[str]) -> list[str]:
        """The questions, each cut to its first word pieces."""
        if not questions:
            return []
        cut = self._tokenizer.encode(questions, max_length=self._max_question, special_tokens=False)
        return [
            question[: pieces.offsets[-1][1]] if len(pieces.ids) == self._max_question else question
            for question, pieces in zip(questions, cut, strict=True)
        ]

    def _windows(self, pairs: Sequence[tuple[str, Context]]) -> list[_Window]:
        """All windows of all passages, each with the question in front."""
        if not pairs:
            return []
        texts = [(question, context.text) for question, context in pairs]
        cuts = self._tokenizer.windows(texts, max_length=self.max_length, stride=self._stride)
        windows = []
        for passage, passage_cuts in enumerate(cuts):
            for cut in passage_cuts:
                offsets = np.array(cut.offsets, dtype=np.int64)
                is_passage = np.array([number == 1 for number in cut.sequence_ids])
                parts = _parts(offsets, pairs[passage][1])
                windows.append(
                    _Window(
                        passage=passage,
                        ids=cut.ids,
                        types=cut.type_ids,
                        offsets=offsets,
                        owners=np.where(is_passage, parts, -1),
                    )
                )
        return windows

    def _logits(self, windows: Sequence[_Window]) -> list[Logits]:
        """Start and end logits, each [tokens], and the answerability logit, 0 without that head."""
        if self._ours is None:
            return self._padded_logits(windows)
        import torch

        lengths = [len(window.owners) for window in windows]
        ids = torch.tensor([piece for window in windows for piece in window.ids])
        types = torch.tensor([kind for window in windows for kind in window.types])
        # In single precision: half precision would make close scores equal.
        hidden = self._ours(ids, types, lengths).float()
        logits = torch.split(torch.nn.functional.linear(hidden, *self._heads), lengths)
        answerable = [float(window[0, 2]) if window.shape[1] > 2 else 0.0 for window in logits]
        return [
            (window[:, 0].numpy(), window[:, 1].numpy(), logit)
            for window, logit in zip(logits, answerable, strict=True)
        ]

    def _padded_logits(self, windows: Sequence[_Window]) -> list[Logits]:
        """As _logits, with a padded batch and a model of transformers."""
        import torch

        lengths = [len(window.ids) for window in windows]

        def padded(rows: Sequence[Sequence[int]], pad: int) -> torch.Tensor:
            return torch.tensor([[*row, *[pad] * (max(lengths) - len(row))] for row in rows])

        tensors = {
            "input_ids": padded([window.ids for window in windows], self._pad),
            "attention_mask": padded([[1] * length for length in lengths], 0),
        }
        if self._typed:
            tensors["token_type_ids"] = padded([window.types for window in windows], 0)
        with torch.inference_mode():
            out = self._model(**tensors)
        start, end = out.start_logits.float().numpy(), out.end_logits.float().numpy()
        return [(s[:size], e[:size], 0.0) for s, e, size in zip(start, end, lengths, strict=True)]


def _parts(offsets: NDArray[np.int64], context: Context) -> NDArray[np.int64]:
    """The number of the segment that each token is in, -1 for one that is in none or is empty."""
    if not context.segments:
        return np.full(len(offsets), -1)
    starts, ends = np.array([(s.at, s.at + s.end - s.start) for s in context.segments]).T
    number = np.searchsorted(starts, offsets[:, 0], side="right") - 1
    inside = (number >= 0) & (offsets[:, 1] <= ends[number]) & (offsets[:, 0] < offsets[:, 1])
    return np.where(inside, number, -1)


def _trimmed(span: Span, text: str) -> Span:
    """The span without white space at its ends, which some tokenizers include in a word."""
    words = text[span.start : span.end]
    start = span.start + len(words) - len(words.lstrip())
    return Span(start, max(start, span.start + len(words.rstrip())), span.score)


def _read_about(folder: Path) -> dict[str, Any]:
    path = folder / ABOUT
    try:
        about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version = about["format_version"]
        missing = [name for name in _FIELDS if name not in about]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ReaderError(_damaged(path, type(error).__name__)) from error
    if version != FORMAT_VERSION:
        raise ReaderError(
            f"'{path}' has format version {version!r}, but this program needs {FORMAT_VERSION}: "
            "train the reader again with 'python -m training.train_reader'."
        )
    if missing:
        raise ReaderError(
            f"'{path}' lacks {', '.join(missing)}: restore it with 'git checkout -- {folder}', or "
            "give another folder with --reader."
        )
    # Readers trained before this hash was introduced have none.
    recorded = about.pop("sha256", None)
    if recorded not in (None, sha256_of_body(about)) or set(about) - {*_FIELDS, "recipe"}:
        raise ReaderError(_damaged(path, "its content differs from what was written"))
    return about


def _damaged(path: Path, why: str) -> str:
    return (
        f"'{path}' is damaged ({why}): restore it with 'git checkout -- {path.parent}', or give "
        "another folder with --reader."
    )


def _check(path: Path, sha256: str, restore: str) -> None:
    try:
        found = sha256_of(path)
    except OSError as error:
        raise ReaderError(
            f"The reader's weights '{path}' cannot be read ({error.strerror or error}): restore them "
            f"with '{restore}', or give another folder with --reader."
        ) from error
    if found != sha256:
        raise ReaderError(
            f"The reader's weights '{path}' are incomplete or the wrong ones (sha256 "
            f"{found[:12]}…, expected {sha256[:12]}…): restore them with '{restore}', or give "
            "another folder with --reader."
        )
