"""What is done to the program on purpose, again and again, and what it survives.

    python -m tests.torture [--only NAME]

Prints a row a check and saves them; exits with 1 where anything is lost.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.record import record
from tests.torture import faults, files, load, memory, routes, texts

# What a check gives for each thing it tries: "" where it was survived, and else what was wrong. At its
# end it may return what it has measured.
Check = Callable[[], Generator[str, None, dict[str, Any] | None]]

CHECKS: tuple[Check, ...] = (
    faults.article_killed_at_random,
    faults.article_killed_at_each_call,
    faults.article_saved_at_once,
    faults.article_harmed,
    faults.article_tampered,
    faults.store_killed_at_random,
    faults.store_killed_at_each_call,
    faults.store_harmed,
    faults.store_tampered,
    faults.reader_harmed,
    files.hostile,
    files.harmed,
    texts.any_text,
    texts.long_texts,
    routes.endpoints,
    routes.routes,
    load.fifty_people,
    memory.strangers,
)
# Of a check so many losses are kept, in words.
TOLD = 5


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a check."""

    name: str
    what: str
    tried: int
    survived: int
    lost: int
    seconds: float
    losses: tuple[str, ...] = ()
    measured: dict[str, Any] = field(default_factory=dict)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the checks; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture")
    names = [check.__name__ for check in CHECKS]
    parser.add_argument("--only", choices=names, help="run this one, and save nothing")
    only = parser.parse_args(argv).only
    print(f"{'what':75} {'tried':>6} {'survived':>8} {'lost':>5} {'seconds':>8}")
    found = []
    for check in CHECKS:
        if only in (None, check.__name__):
            found.append(one := tried(check))
            print(
                f"{one.what:75} {one.tried:6} {one.survived:8} {one.lost:5} {one.seconds:8.1f}",
                *(f"\n  {loss}" for loss in one.losses),
                *([f"\n  {one.measured}"] if one.measured else []),
                flush=True,
            )
    if only is None:
        record("torture", {"command": "python -m tests.torture", "checks": [*map(asdict, found)]})
    return int(any(one.lost for one in found))


def tried(check: Check) -> Tried:
    """Run a check to its end; that it breaks off is a loss too."""
    started, count, losses = time.monotonic(), 0, []
    measured: dict[str, Any] = {}
    run = check()
    try:
        while True:
            wrong = next(run)
            count += 1
            if wrong:
                losses.append(wrong)
    except StopIteration as end:
        measured = end.value or {}
    except Exception:
        count += 1
        losses.append(traceback.format_exc())
    what = (check.__doc__ or check.__name__).splitlines()[0]
    seconds = round(time.monotonic() - started, 1)
    lost = len(losses)
    kept = tuple(losses[:TOLD])
    return Tried(check.__name__, what, count, count - lost, lost, seconds, kept, measured)


if __name__ == "__main__":
    sys.exit(main())
