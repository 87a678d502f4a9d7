"""A FAISS store stays complete, whatever happens to the process, the disk or the files."""

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from index.documents.document import Document
from index.errors import SavedIndexError, StoreError
from index.models.types import Vectors
from index.passages.passage import Passage
from index.passages.split import split_passages
from index.search.faiss_file import KINDS, Kind
from index.search.index_files import MANIFEST
from index.stores.faiss_store import FaissStore
from index.stores.fill import fill
from tests.conftest import FakeEncoder
from tests.faults import (
    VALUES,
    Crash,
    Faults,
    crash,
    faulty,
    forbidden,
    full,
    harmed,
    put_in_manifest,
    put_with_manifest,
    read_only,
    tampered,
)
from tests.index.disk import SPACE, calls_of, copies, files_in, moments, run_concurrently
from tests.torture.whole import (
    ENCODER,
    NEW,
    OLD,
    PASSAGES,
    built,
    fill_store,
    town,
    wrong_when_used,
    wrong_with_store,
)

pytestmark = pytest.mark.usefixtures("in_memory")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the OLD documents, in one segment."""
    folder = tmp_path_factory.mktemp("stored")
    fill(FaissStore(folder, ENCODER), OLD, ENCODER)
    return folder


def test_a_crash_at_any_call_leaves_a_complete_store(stored: Path, tmp_path: Path) -> None:
    folders = copies(stored, tmp_path)
    calls = calls_of(lambda folder: fill_store(folder, NEW), next(folders))
    names = [name for name, _ in calls]
    # Two segments and the merged one are renamed into place, and two are deleted.
    assert names.count("replace") == 3 * 2 + 2 and names.count("rmdir") == 4
    # Each segment is synced before it is renamed, and the store's folder right after.
    for i, call in enumerate(calls):
        if call == ("replace", "partial-1-of-1"):
            before = [name for call_name, name in calls[:i] if call_name == "fsync"]
            partial = "partial-1-of-1"
            assert before[-4:] == ["words", partial, f"{MANIFEST}.{os.getpid()}.partial", partial]
            assert calls[i + 1] == ("fsync", "copy")
    # All calls that create, rename or delete a folder, and a sample of the 600 others;
    # tests/torture/faults.py kills a process at each of them.
    folder_calls = [m for m in moments(calls) if calls[m[0]][0] in ("mkdir", "replace", "rmdir")]
    others = [moment for moment in moments(calls) if moment not in folder_calls]
    for i, when in folder_calls + random.Random(0).sample(others, 12):
        folder = next(folders)
        with faulty(Faults(folder, i, crash, when=when)), pytest.raises(Crash):
            fill_store(folder, NEW)
        assert not wrong_with_store(folder, OLD + NEW, OLD), (calls[i], when)
        # Repeat the build, then add another document, so that there is something to build.
        every = [*OLD, *NEW, town(9)]
        fill_store(folder, NEW)
        fill_store(folder, every)
        assert not wrong_with_store(folder, every, every), (calls[i], when)
        left = {path.name.split("-")[0] for path in folder.iterdir()}
        assert left == {"building", "segment"}, (calls[i], when)


def test_a_full_disk_at_any_call_keeps_the_store(stored: Path, tmp_path: Path) -> None:
    folders = copies(stored, tmp_path)
    counted = Faults(folder := next(folders), only=SPACE)
    with faulty(counted):
        fill_store(folder, NEW)
    chosen = random.Random(0).sample(moments(counted.calls)[:-1], 20)
    for i, when in chosen:
        folder = next(folders)
        faults = Faults(folder, i, full, when=when, only=SPACE, lasting=True)
        with faulty(faults), pytest.raises(StoreError) as raised:
            fill_store(folder, NEW)
        assert f"cannot be written in '{folder}' (No space left" in str(raised.value)
        assert not list(folder.glob("partial-*"))
        assert not wrong_with_store(folder, OLD + NEW, OLD)
    fill_store(folder, NEW)
    assert not wrong_with_store(folder, OLD + NEW, OLD + NEW)


@pytest.mark.parametrize("vectors", [3, 3000])
def test_vectors_that_do_not_fit_on_the_disk(vectors: int) -> None:
    """FAISS buffers its output, and does not check the last write."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    index = built(0).dense
    dense = type(index).build(index.vectors()[[0] * vectors], "flat", {})
    with pytest.raises(OSError, match="No space left"):
        dense.write(Path("/dev/full"))


@pytest.mark.parametrize("refuse", [read_only, forbidden])
def test_a_store_that_refuses_writes(stored: Path, tmp_path: Path, refuse: Callable) -> None:
    folders = copies(stored, tmp_path)
    counted = Faults(folder := next(folders), only=("replace",))
    with faulty(counted):
        fill_store(folder, NEW)
    cases = [(0, ()), *((i, ("replace",)) for i in range(len(counted.calls)))]
    for i, only in cases:
        folder = next(folders)
        with (
            faulty(Faults(folder, i, refuse, only=only, lasting=True)),
            pytest.raises(StoreError, match=f"cannot be written in '{folder}'"),
        ):
            fill_store(folder, NEW)
        assert not wrong_with_store(folder, OLD + NEW, OLD)


def test_any_damage_to_a_file_of_a_store_is_reported(stored: Path, tmp_path: Path) -> None:
    folder, rng = next(copies(stored, tmp_path)), random.Random(0)
    (segment,) = folder.glob("segment-*")
    files = [path for path in segment.rglob("*") if path.is_file()]
    assert len(files) > 10
    for path in files:
        content = path.read_bytes()
        for _ in range(4):
            path.write_bytes(harmed(content, rng))
            try:
                FaissStore(folder, ENCODER)
            except SavedIndexError as error:
                assert str(path) in str(error) or "format_version" in str(error)
                assert f"delete '{segment}' and fill the store again" in str(error)
            else:
                assert path.name == MANIFEST and not wrong_with_store(folder, OLD, OLD)
        path.write_bytes(content)
    path.write_bytes(b"")
    shutil.rmtree(segment)  # as the error says
    fill_store(folder, OLD)
    assert not wrong_with_store(folder, OLD, OLD)


@pytest.fixture(scope="module", params=KINDS)
def stored_as(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the OLD documents, with each kind of index."""
    folder = tmp_path_factory.mktemp("stored")
    fill(FaissStore(folder, ENCODER, kind=request.param), OLD, ENCODER)
    return folder


def test_a_file_of_a_store_tampered_with_along_with_its_manifest_is_refused_or_harmless(
    stored_as: Path, tmp_path: Path
) -> None:
    folder, rng = next(copies(stored_as, tmp_path)), random.Random(0)
    (segment,) = folder.glob("segment-*")
    refused = 0
    for path in files_in(segment):
        content = path.read_bytes()
        for _ in range(80 if path.suffix == ".faiss" else 12):
            put_with_manifest(segment / MANIFEST, path, tampered(content, rng))
            try:
                store = FaissStore(folder, ENCODER)
            except SavedIndexError as error:
                assert f"delete '{segment}' and fill" in str(error) and "\n" not in str(error)
                refused += 1
            else:
                assert not wrong_when_used(store), path
        put_with_manifest(segment / MANIFEST, path, content)
    assert refused > 100
    assert not wrong_with_store(folder, OLD, OLD)


def test_a_manifest_of_a_segment_with_any_value_is_refused_or_harmless(
    stored: Path, tmp_path: Path
) -> None:
    (manifest,) = stored.glob(f"segment-*/{MANIFEST}")
    for field in json.loads(manifest.read_bytes()).keys() - {"sha256"}:
        for value in VALUES:
            folder = next(copies(stored, tmp_path))
            (segment,) = folder.glob("segment-*")
            put_in_manifest(segment / MANIFEST, **{field: value})
            try:
                store = FaissStore(folder, ENCODER)
            except SavedIndexError as error:
                assert f"'{segment}" in str(error) or field in str(error)
            else:
                assert not wrong_when_used(store)
                assert field in ("shard", "loose", "settings", "number"), (field, value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_of_another_dimension_is_refused(tmp_path: Path, kind: Kind) -> None:
    fill(FaissStore(tmp_path, ENCODER, kind=kind), OLD, ENCODER)
    other = FakeEncoder()
    other.dimension = 256
    with pytest.raises(SavedIndexError, match="has 8 vectors of dimension 512, not 8 of 256"):
        FaissStore(tmp_path, other)


def test_a_store_is_opened_while_another_build_merges(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A segment that is deleted after it was listed is found in the merged one."""
    folder = next(copies(stored, tmp_path))
    listdir, listed = os.listdir, []

    def merge_then_list(path: object) -> list[str]:
        names = listdir(path)
        if Path(str(path)) == folder and not listed:
            listed.append(names)
            monkeypatch.setattr(FaissStore, "_loose_segments", lambda self: list(self._segments))
            one = FaissStore(folder, ENCODER)
            one.put([town(9)], *split(town(9)))
            one.finish()
            one.close()
        return names

    monkeypatch.setattr(os, "listdir", merge_then_list)
    assert not wrong_with_store(folder, [*OLD, town(9)], [*OLD, town(9)])
    assert listed and not set(listed[0]) <= set(listdir(folder))


def split(document: Document) -> tuple[tuple[Passage, ...], Vectors]:
    passages = split_passages(document, ENCODER.count_pieces, ENCODER.max_pieces - 2)
    return passages, ENCODER.encode_texts([p.text for p in passages])


def test_passages_are_counted_when_they_are_searchable(tmp_path: Path) -> None:
    one = FaissStore(tmp_path, ENCODER)
    one.put([town(1)], *split(town(1)))
    assert (len(one), one.stored_ids([town(1)])) == (0, {town(1).id})
    one.finish()
    assert len(one) == PASSAGES


FILL = """
import sys
from pathlib import Path
from index.errors import StoreError
from tests.torture.whole import fill_store, town
print("ready", flush=True)
sys.stdin.readline()
try:
    fill_store(Path(sys.argv[1]), [town(number) for number in range(12)])
except StoreError as error:
    print(error)
"""


def test_two_processes_fill_one_store(tmp_path: Path) -> None:
    towns = [town(number) for number in range(12)]
    done = run_concurrently(FILL, *([str(tmp_path)] for _ in range(2)))
    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 2
    messages = [one.stdout for one in done if one.stdout]
    assert all("Another build of shard 1-of-1 is running" in one for one in messages)
    assert len(messages) < 2
    assert not wrong_with_store(tmp_path, towns, towns)
