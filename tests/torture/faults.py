"""Kills, full disks and harm to files, in their hundreds.

A check is a generator that gives "" for what survived and says in words what did not.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count as numbers
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest.mock import patch

from index.errors import ArticleError, SavedIndexError
from index.search import ranking
from index.search.article_index import ArticleIndex
from index.search.faiss_file import KINDS
from index.search.index_files import LOCK, MANIFEST
from index.storage import read_fitted
from index.stores.faiss_store import FaissStore
from index.stores.fill import fill
from qa import calibration
from qa.reader import ABOUT, DEFAULT_READER, WEIGHTS, Reader
from tests.faults import (
    VALUES,
    Faults,
    faulty,
    harmed,
    put_in_manifest,
    put_with_manifest,
    tampered,
)
from tests.torture.whole import (
    ENCODER,
    NEW,
    OLD,
    article,
    built,
    fill_store,
    ranked,
    town,
    wrong_when_opened,
    wrong_when_used,
    wrong_with_index,
    wrong_with_store,
)

# What a process may take while it loads a file of some kilobytes.
ROOM = 1 << 30

# One process imports all that is needed, and those that are killed are forked off it.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])


def article_killed_at_random(count: int = 50, seed: int = 0) -> Iterator[str]:
    """An article's index, killed at random moments of saving"""
    rng = random.Random(seed)
    with _folder() as folder:
        built(0).save(folder)
        for _ in range(count):
            _kill(_save_on_and_on, folder, after=rng.uniform(0, 0.3))
            yield wrong_with_index(folder)
        yield wrong_when_opened(folder, 0) or wrong_when_opened(folder, 1)


def article_killed_at_each_call() -> Iterator[str]:
    """An article's index, killed at each call that changes the disk"""
    with _folder() as folder:
        for number in numbers():
            shutil.rmtree(folder, ignore_errors=True)
            built(0).save(folder)
            killed = _kill(_killed_at, _save, folder, number)
            yield _at(number, wrong_with_index(folder) or wrong_when_opened(folder, 1))
            if not killed:
                return


def store_killed_at_random(count: int = 50, seed: int = 0) -> Iterator[str]:
    """A store, killed at random moments of a build"""
    rng = random.Random(seed)
    with _folder() as folder:
        _old_store(folder)
        started = time.monotonic()
        _kill(_fill, folder)
        whole = time.monotonic() - started
        for _ in range(count):
            _old_store(folder)
            _kill(_fill, folder, after=rng.uniform(0, whole))
            yield _wrong_after_kill(folder)


def store_killed_at_each_call() -> Iterator[str]:
    """A store, killed at each call that changes the disk"""
    with _folder() as folder:
        for number in numbers():
            _old_store(folder)
            killed = _kill(_killed_at, _fill, folder, number)
            yield _at(number, _wrong_after_kill(folder))
            if not killed:
                return


def article_harmed(count: int = 200, seed: int = 0) -> Iterator[str]:
    """Each file of an article's index, a byte changed or cut short"""
    with _folder() as folder:
        built(0).save(folder)
        files = [path for path in sorted(folder.iterdir()) if path.name != LOCK]
        for path in files:
            yield from _harm(path, _load_article, count, seed)
            yield wrong_when_opened(folder, 0)


def store_harmed(count: int = 200, seed: int = 0) -> Iterator[str]:
    """Each file of a store, a byte changed or cut short"""
    with _folder() as folder:
        _old_store(folder)
        for path in sorted(path for path in folder.rglob("segment-*/**/*") if path.is_file()):
            yield from _harm(path, _load_store, count, seed)
        (segment,) = folder.glob("segment-*")
        shutil.rmtree(segment)  # as the errors say
        fill_store(folder, OLD)
        yield wrong_with_store(folder, OLD, OLD)


def article_tampered(count: int = 400, seed: int = 0) -> Iterator[str]:
    """Each file of an article's index, changed along with its manifest"""
    with _folder() as folder:
        built(0).save(folder)
        manifest = folder / MANIFEST
        for path in _data_files(folder):
            yield from _harm(path, _use_article, count, seed, partial(_tamper, manifest))
        yield from _harm(manifest, _use_article, count, seed, _tamper_fields)


def store_tampered(count: int = 80, seed: int = 0) -> Iterator[str]:
    """Each file of a store of each kind, changed along with its manifest"""
    for kind in KINDS:
        with _folder() as folder:
            store = FaissStore(folder, ENCODER, kind=kind)
            fill(store, OLD, ENCODER)
            store.close()
            (segment,) = folder.glob("segment-*")
            manifest = segment / MANIFEST
            for path in _data_files(segment):
                tries = 10 * count if path.suffix == ".faiss" else count
                yield from _harm(path, _use_store, tries, seed, partial(_tamper, manifest))
            yield from _harm(manifest, _use_store, count, seed, _tamper_fields)


def reader_harmed(count: int = 200, seed: int = 0) -> Iterator[str]:
    """The reader's files and the fitted weights, a byte changed or cut short"""
    with _folder() as folder:
        folder.mkdir()
        for name in (WEIGHTS, ABOUT):
            for other in (WEIGHTS, ABOUT):
                shutil.copy(DEFAULT_READER / other, folder / other)
            yield from _harm(folder / name, _load_reader, count, seed)
        for fitted in (ranking.RANKING_FILE, calibration.FITTED):
            shutil.copy(fitted, folder)
            yield from _harm(folder / fitted.name, _load_fitted, count, seed)


def article_saved_at_once(count: int = 10) -> Iterator[str]:
    """An article's index, saved by three processes at once"""
    with _folder() as folder:
        for _ in range(count):
            saving = [_start(_save_often, folder, number) for number in (0, 0, 1)]
            for one in saving:
                one.join()
            codes = [one.exitcode for one in saving]
            yield wrong_with_index(folder) or ("" if codes == [0, 0, 0] else f"exit codes {codes}")


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name, _unsynced():
        yield Path(name) / "index"


def _unsynced() -> Any:
    """No waiting for the disk: what a process wrote is there after it is killed, synced or not."""
    return patch.object(os, "fsync", lambda descriptor: None)


def _at(number: int, wrong: str) -> str:
    return wrong and f"at call {number}: {wrong}"


# What a process does that may be killed.


def _save(folder: Path) -> None:
    built(1).save(folder)


def _save_often(folder: Path, number: int) -> None:
    for _ in range(20):
        built(number).save(folder)


def _save_on_and_on(folder: Path) -> None:
    for number in numbers():
        built(number % 2).save(folder)


def _fill(folder: Path) -> None:
    fill_store(folder, OLD + NEW)


def _killed_at(work: Callable[[Path], None], folder: Path, number: int) -> None:
    faults = Faults(folder, number, lambda: os.kill(os.getpid(), signal.SIGKILL), when="half")
    with faulty(faults):
        work(folder)


def _start(work: Callable[..., None], *arguments: Any) -> Any:
    begun, told = _processes.Pipe(duplex=False)
    process = _processes.Process(target=_begin, args=(told, work, *arguments))
    process.start()
    told.close()
    begun.recv()
    return process


def _begin(told: Connection, work: Callable[..., None], *arguments: Any) -> None:
    built(0), built(1)
    told.send("begun")
    with _unsynced():
        work(*arguments)


def _kill(work: Callable[..., None], *arguments: Any, after: float | None = None) -> bool:
    """Let a process work and kill it after so many seconds, if ever; whether it was killed."""
    process = _start(work, *arguments)
    if after is not None:
        time.sleep(after)
        process.kill()
    process.join()
    if process.exitcode not in (0, -signal.SIGKILL):
        raise RuntimeError(f"the build ended with {process.exitcode}")
    return bool(process.exitcode)


def _old_store(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    fill_store(folder, OLD)


def _wrong_after_kill(folder: Path) -> str:
    """Whether what was there before is whole, and a build that is started again leaves all of it."""
    if wrong := wrong_with_store(folder, OLD + NEW, OLD):
        return wrong
    # Once as it was begun, and once with one more, so that there is something to build for sure.
    for every in (OLD + NEW, [*OLD, *NEW, town(20)]):
        fill_store(folder, every)
        if wrong := wrong_with_store(folder, every, every):
            return wrong
    left = {path.name.split("-")[0] for path in folder.iterdir()} - {"building", "segment"}
    return f"left behind: {left}" if left else ""


# Files that are harmed, and loaded in a process that a library may bring down.


Load = Callable[[Path], str]
# Puts something else in the place of a file's content.
Change = Callable[[Path, bytes, random.Random], object]


def _change(path: Path, content: bytes, rng: random.Random) -> None:
    path.write_bytes(harmed(content, rng))


def _tamper(manifest: Path, path: Path, content: bytes, rng: random.Random) -> None:
    put_with_manifest(manifest, path, tampered(content, rng))


def _tamper_fields(manifest: Path, content: bytes, rng: random.Random) -> None:
    manifest.write_bytes(content)
    fields = sorted(json.loads(content).keys() - {"sha256"})
    put_in_manifest(manifest, **{rng.choice(fields): rng.choice(VALUES)})


def _data_files(folder: Path) -> list[Path]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path in paths if path.name not in (MANIFEST, LOCK)]


def _harm(path: Path, load: Load, count: int, seed: int, change: Change = _change) -> Iterator[str]:
    """Harm a file again and again, and mend it at the end, with what tells of it."""
    manifest = path.parent / MANIFEST
    before = {one: one.read_bytes() for one in path.parent.rglob("*") if one.is_file()}
    if not manifest.exists():
        before |= {one: one.read_bytes() for one in path.parent.parent.glob(MANIFEST)}
    content = path.read_bytes()
    done = 0
    while done < count:
        results, told = _processes.Pipe(duplex=False)
        process = _processes.Process(
            target=_try_each, args=(told, path, content, load, change, range(done, count), seed)
        )
        process.start()
        told.close()
        try:
            while done < count:
                wrong = results.recv()
                done += 1
                yield wrong and f"{path.name}, harm {done - 1}: {wrong}"
        except EOFError:
            process.join()
            yield f"{path.name}, harm {done}: the process ended with {process.exitcode}"
            done += 1
        process.join()
    for one, whole in before.items():
        one.write_bytes(whole)


def _try_each(
    told: Connection,
    path: Path,
    content: bytes,
    load: Load,
    change: Change,
    which: range,
    seed: int,
) -> None:
    # What a file claims must not be allocated.
    if Path("/proc/self/status").exists():
        resource.setrlimit(resource.RLIMIT_AS, (_address_space() + ROOM,) * 2)
    for number in which:
        change(path, content, random.Random(f"{seed} {path.name} {number}"))
        try:
            wrong = load(path)
        except ArticleError as error:
            said = str(error)
            named = str(path) in said or "format_version" in said or change is not _change
            wrong = "" if named and "\n" not in said else f"told without the file's name: {said}"
        except Exception as error:  # which is what is looked for
            wrong = f"{type(error).__name__}: {error}"
        told.send(wrong)


def _load_article(path: Path) -> str:
    """What is wrong with an index that is loaded all the same; one blank of its JSON may differ."""
    index = ArticleIndex.load(path.parent, article(0), ENCODER)
    return "" if path.name == MANIFEST and ranked(index) == ranked(built(0)) else "silent"


def _load_store(path: Path) -> str:
    folder = next(above for above in path.parents if above.name.startswith("segment-")).parent
    try:
        FaissStore(folder, ENCODER)
    except SavedIndexError as error:
        return "" if "delete '" in str(error) else f"told without what to do: {error}"
    return wrong_with_store(folder, OLD, OLD) if path.name == MANIFEST else "silent"


def _use_article(path: Path) -> str:
    """Whether an index that is loaded can be searched, whatever it says."""
    ranked(ArticleIndex.load(path.parent, article(0), ENCODER))
    return ""


def _use_store(path: Path) -> str:
    """The same of a store."""
    folder = next(above for above in path.parents if above.name.startswith("segment-")).parent
    return wrong_when_used(FaissStore(folder, ENCODER))


def _address_space() -> int:
    """The bytes that this process has, in memory or not."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmSize:")[1].split()[0])


def _load_reader(path: Path) -> str:
    Reader(path.parent)
    about = [json.loads((folder / ABOUT).read_bytes()) for folder in (path.parent, DEFAULT_READER)]
    return "" if path.name == ABOUT and about[0] == about[1] else "silent"


def _load_fitted(path: Path) -> str:
    fitted = next(f for f in (ranking.RANKING_FILE, calibration.FITTED) if f.name == path.name)
    return "" if read_fitted(path) == read_fitted(fitted) else "silent"
