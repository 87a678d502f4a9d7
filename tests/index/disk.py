"""Helpers for tests of saved files: copies of a folder, calls to the disk, concurrent processes."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from index.search.index_files import LOCK, MANIFEST
from tests.conftest import ROOT
from tests.faults import (
    Faults,
    faulty,
)

SPACE = ("open", "write", "mkdir")  # the calls that a full disk refuses


def calls_of(work: Callable[[Path], object], folder: Path) -> list[tuple[str, str]]:
    """The calls that change the disk if none fails."""
    faults = Faults(folder)
    with faulty(faults):
        work(folder)
    return faults.calls


def copies(source: Path, to: Path) -> Iterator[Path]:
    """Yield fresh copies of a folder, each replacing the one before."""
    while True:
        folder = to / "copy"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(source, folder)
        yield folder


def moments(calls: list[tuple[str, str]]) -> list[tuple[int, str]]:
    """The moments before each call, in the middle of each write, and after the last call."""
    before_and_half = [(i, when) for i in range(len(calls)) for when in ("before", "half")]
    possible = [
        (i, when) for i, when in before_and_half if when == "before" or calls[i][0] == "write"
    ]
    return [*possible, (len(calls) - 1, "after")]


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != LOCK}


def files_in(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in (MANIFEST, LOCK))


def run_concurrently(code: str, *each: list[str]) -> list[subprocess.CompletedProcess[str]]:
    """Run processes that start their work at the same time."""
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            cwd=ROOT,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )
        for arguments in each
    ]
    for one in processes:
        assert one.stdout and one.stdout.readline() == "ready\n"
    for one in processes:
        assert one.stdin
        one.stdin.write("\n")
        one.stdin.flush()
    done = []
    for one in processes:
        out, err = one.communicate(timeout=120)
        done.append(subprocess.CompletedProcess(one.args, one.returncode, out, err))
    return done
