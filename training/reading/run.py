"""A training run: the model, its optimizer, where they are in the data, and what is saved of them."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import Tensor, distributed

from qa.reader_format import MAX_LENGTH, STRIDE
from training.reading.loss import LossWeights, Targets, losses
from training.reading.mixture import SHARES, Group, Mixture, Variation, batches
from training.reading.model import WEIGHTS, ReadingModel, build_model
from training.reading.schedule import Schedule
from training.reading.windows import Pieces

FORMAT_VERSION = 1
CHECKPOINT = "checkpoint.safetensors"
# Questions that are sorted by length together.
POOL = 400

Report = Callable[[str], None]


@dataclass(frozen=True)
class Recipe:
    """How to train; saved with the weights.

    `tokens` is what each worker reads in a step, padding included.
    """

    minutes: float = 100.0
    rate: float = 1e-4
    warmup: float = 0.04
    decay: float = 0.01
    tokens: int = 4096
    average: float = 0.998
    layers: int = 6
    workers: int = 2
    seed: int = 1
    shares: Mapping[str, float] = field(default_factory=lambda: dict(SHARES))
    weights: LossWeights = LossWeights()
    variation: Variation = Variation()


@dataclass
class State:
    """Where training is, besides the weights; `elapsed` is in seconds."""

    step: int = 0
    pool: int = 0
    batch: int = 0
    seen: int = 0
    elapsed: float = 0.0


@dataclass
class Running:
    """Means since the last report."""

    sums: dict[str, float] = field(default_factory=dict)
    steps: int = 0
    questions: int = 0
    since: float = 0.0

    def add(self, named: Mapping[str, Tensor], questions: int) -> None:
        """Count a step."""
        for name, loss in named.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(loss)
        self.steps += 1
        self.questions += questions

    def line(self, now: float) -> str:
        """The means as text."""
        means = "  ".join(f"{name} {total / self.steps:.3f}" for name, total in self.sums.items())
        return f"{means}  {self.questions / max(1e-9, now - self.since):.1f} questions/s"


class Training:
    """A run: the model, its optimizer, and where they are in the data.

    With several workers each has the same model, reads its own batches and adds its gradients to the
    others'; the first keeps the time, reports and saves.
    """

    def __init__(
        self,
        mixture: Mixture,
        pieces: Pieces,
        recipe: Recipe,
        base: Path,
        out: Path,
        *,
        init: Path | None = None,
        report: Report = print,
        clock: Callable[[], float] = time.monotonic,
        rank: int = 0,
    ) -> None:
        """Set it up at its beginning."""
        self.rank = rank
        self.mixture, self.pieces, self.recipe = mixture, pieces, recipe
        self.base, self.out, self.report, self.clock = base, out, report, clock
        self.model = build_model(base, init, layers=recipe.layers, seed=recipe.seed)
        self.trained = {n: p for n, p in self.model.named_parameters() if p.requires_grad}
        flat = [p for p in self.trained.values() if p.ndim < 2]
        rest = [p for p in self.trained.values() if p.ndim >= 2]
        self.optimizer = torch.optim.AdamW(
            [{"params": rest, "weight_decay": recipe.decay}, {"params": flat, "weight_decay": 0.0}],
            lr=recipe.rate,
            fused=True,
        )
        self.averaged = {n: p.detach().clone() for n, p in self.trained.items()}
        self.state = State()

    def run(self, *, checkpoint_minutes: float = 10.0, report_seconds: float = 60.0) -> None:
        """Train to the end of the time, and write the averaged weights."""
        recipe, state = self.recipe, self.state
        schedule = Schedule(60 * recipe.minutes, recipe.warmup)
        self.model.train()
        began = self.clock() - state.elapsed
        saved = state.elapsed
        running = Running(since=state.elapsed)
        for batch in self._batches():
            state.elapsed = self.clock() - began
            factor = self._agreed(schedule.factor(state.elapsed))
            if factor == 0:
                break
            named = self._step(batch, factor)
            state.step += 1
            state.seen += len(batch) * recipe.workers
            running.add(named, len(batch) * recipe.workers)
            state.elapsed = self.clock() - began
            if self.rank:
                continue
            if state.elapsed - running.since >= report_seconds or state.step == 1:
                minutes = state.elapsed / 60
                rate = self.optimizer.param_groups[0]["lr"]
                self.report(
                    f"{minutes:.1f} min  step {state.step:,}  {state.seen:,} questions  "
                    f"rate {rate:.2e}  {running.line(state.elapsed)}"
                )
                running = Running(since=state.elapsed)
            if state.elapsed - saved >= 60 * checkpoint_minutes:
                self.save()
                saved = state.elapsed
        if not self.rank:
            self.save()
            self.report(f"done after {state.elapsed / 60:.1f} min and {state.seen:,} questions")

    def _agreed(self, factor: float) -> float:
        """The first worker's value."""
        if self.recipe.workers == 1:
            return factor
        shared = torch.tensor([factor], dtype=torch.float64)
        distributed.broadcast(shared, src=0)
        return float(shared)

    def _batches(self) -> Iterator[list[Group]]:
        """Yield this worker's batches from where training is, which it keeps track of.

        Every worker has as many: what is left over of a pool is dropped.
        """
        state, workers = self.state, self.recipe.workers
        for groups in self.mixture.pools(POOL, first=state.pool):
            rng = np.random.default_rng([self.recipe.seed, 4, state.pool])
            every = batches(groups, self.recipe.tokens, rng)
            rounds = len(every) // workers
            for number in range(state.batch, rounds):
                state.batch += 1
                yield every[number * workers + self.rank]
            state.pool, state.batch = state.pool + 1, 0

    def _step(self, groups: Sequence[Group], factor: float) -> dict[str, Tensor]:
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate * factor
        ids, types, real, targets = stack(groups, self.pieces.pad)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = self.model(ids, types, real)
        named = losses(logits, targets, self.recipe.weights)
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(named.values())).sum().backward()  # type: ignore[no-untyped-call]
        self._share_gradients()
        torch.nn.utils.clip_grad_norm_(list(self.trained.values()), 1.0)
        self.optimizer.step()
        # A short run would otherwise average in its beginning for long.
        keep = min(self.recipe.average, (1 + self.state.step) / (10 + self.state.step))
        for average, now in zip(self.averaged.values(), self.trained.values(), strict=True):
            average.lerp_(now.detach(), 1 - keep)
        return {name: loss.detach() for name, loss in named.items()}

    def _share_gradients(self) -> None:
        """Put the mean over all workers in the place of each one's gradients."""
        if self.recipe.workers == 1:
            return
        gradients = [p.grad for p in self.trained.values() if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= self.recipe.workers
        parts = torch.split(flat, [gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    @contextmanager
    def averaged_weights(self) -> Iterator[ReadingModel]:
        """The model with the averaged weights, for as long as it lasts."""
        with torch.no_grad():
            own = [p.detach().clone() for p in self.trained.values()]
            for name, averaged in self.averaged.items():
                self.trained[name].copy_(averaged)
            try:
                yield self.model
            finally:
                for parameter, weight in zip(self.trained.values(), own, strict=True):
                    parameter.copy_(weight)

    def save(self) -> None:
        """Write a checkpoint, and the averaged weights so far as a reader."""
        tensors = {f"model.{n}": p.detach() for n, p in self.trained.items()}
        tensors |= {f"averaged.{n}": averaged for n, averaged in self.averaged.items()}
        for name, p in self.trained.items():
            for key, value in self.optimizer.state.get(p, {}).items():
                tensors[f"optimizer.{key}.{name}"] = value
        about = {"state": asdict(self.state), "recipe": asdict(self.recipe)}
        _write(self.out / CHECKPOINT, save(tensors, {"about": json.dumps(about)}))
        self.export()

    def resume(self) -> None:
        """Go on from the checkpoint; raises ValueError if it is of another recipe."""
        path = self.out / CHECKPOINT
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()["about"])
        if about["recipe"] != json.loads(json.dumps(asdict(self.recipe))):
            raise ValueError(
                f"'{path}' was trained with another recipe: {about['recipe']}. Give the same options, "
                "or start a new run from its weights with --init."
            )
        tensors = load_file(path)
        with torch.no_grad():
            for name, p in self.trained.items():
                p.copy_(tensors[f"model.{name}"])
                self.averaged[name].copy_(tensors[f"averaged.{name}"])
                self.optimizer.state[p] = {
                    key: tensors[f"optimizer.{key}.{name}"]
                    for key in ("step", "exp_avg", "exp_avg_sq")
                }
        self.state = State(**about["state"])

    def export(self) -> None:
        """Write the averaged weights in half precision, as qa/reader.py loads them."""
        weights = {name: tensor.half().contiguous() for name, tensor in self.averaged.items()}
        data = save(weights, {"format": "pt"})
        _write(self.out / WEIGHTS, data)
        body = {
            "format_version": FORMAT_VERSION,
            "weights_sha256": hashlib.sha256(data).hexdigest(),
            "base_sha256": _sha256(self.base / "model.safetensors"),
            "layers": self.recipe.layers,
            "heads": ["span", "answerable", "tag"],
            "max_length": MAX_LENGTH,
            "stride": STRIDE,
            "figures": {},
            "recipe": asdict(self.recipe) | {"questions_seen": self.state.seen},
        }
        # The hash of all the rest, as index.saved.sha256_of_body makes it and qa/reader.py checks it.
        body["sha256"] = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        _write(self.out / "reader.json", (json.dumps(body, indent=2) + "\n").encode())


def stack(groups: Sequence[Group], pad: int) -> tuple[Tensor, Tensor, Tensor, Targets]:
    """The windows of the groups, padded to the longest: ids, types, which are real, and the labels."""
    windows = [(number, w) for number, group in enumerate(groups) for w in group.windows]
    shape = (len(windows), max(len(w) for _, w in windows))
    ids, types = torch.full(shape, pad), torch.zeros(shape, dtype=torch.long)
    real, answerable, start, end, tags = (torch.zeros(shape, dtype=torch.bool) for _ in range(5))
    for row, (_, window) in enumerate(windows):
        size = len(window)
        ids[row, :size] = torch.from_numpy(window.ids)
        types[row, :size] = torch.from_numpy(window.types)
        real[row, :size] = True
        for mask, labels in (
            (answerable, window.answerable),
            (start, window.start),
            (end, window.end),
            (tags, window.tags),
        ):
            mask[row, :size] = torch.from_numpy(labels)
    group = torch.tensor([number for number, _ in windows])
    return ids, types, real, Targets(answerable, start, end, tags, group)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(data)
    os.replace(partial, path)
