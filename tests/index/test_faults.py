"""Saved indexes and stores survive crashes, full disks and damaged files."""

import errno
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from index.documents.document import Document
from index.errors import SavedIndexError, StoreError
from index.models.types import Vectors
from index.passages import Passage, split_passages
from index.search.article_index import ArticleIndex, open_index
from index.search.faiss_file import KINDS, Kind
from index.search.index_files import LOCK, MANIFEST
from index.stores.faiss_store import FaissStore
from index.stores.fill import fill
from tests.conftest import ROOT, FakeEncoder
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
from tests.torture.whole import (
    ENCODER,
    NEW,
    OLD,
    PASSAGES,
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

SPACE = ("open", "write", "mkdir")  # the calls that a full disk refuses


@pytest.fixture(autouse=True)
def in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip fsync: after a killed process, its writes are there anyway."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved index of the first article."""
    folder = tmp_path_factory.mktemp("saved")
    built(0).save(folder)
    return folder


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the OLD documents, in one segment."""
    folder = tmp_path_factory.mktemp("stored")
    fill(FaissStore(folder, ENCODER), OLD, ENCODER)
    return folder


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


# The index of one article.


def test_a_crash_at_any_call_leaves_a_complete_index(saved: Path, tmp_path: Path) -> None:
    folders = copies(saved, tmp_path)
    calls = calls_of(built(1).save, next(folders))
    names = [name for name, _ in calls]
    # Four files and the manifest are written, four old files deleted.
    assert names.count("replace") == 5 and names.count("unlink") == 4
    # The folder is synced before the manifest is replaced, and before old files are deleted.
    synced = [i for i, call in enumerate(calls) if call == ("fsync", "copy")]
    replaced = [i for i, (name, _) in enumerate(calls) if name == "replace"]
    assert len(synced) == 2 and names.count("fsync") == 5 + 2
    assert replaced[3] < synced[0] < replaced[4] < synced[1] < names.index("unlink")
    for i, when in moments(calls):
        folder = next(folders)
        with faulty(Faults(folder, i, crash, when=when)), pytest.raises(Crash):
            built(1).save(folder)
        assert not wrong_with_index(folder), (calls[i], when)
        assert not wrong_when_opened(folder, 1), (calls[i], when)


def test_a_crash_at_any_call_of_the_first_save(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    calls = calls_of(built(1).save, folder)
    assert calls[0][0] == "mkdir"
    for i, when in moments(calls)[:-1]:
        shutil.rmtree(tmp_path / "a")
        with faulty(Faults(folder.parent, i, crash, when=when)), pytest.raises(Crash):
            built(1).save(folder)
        assert not wrong_when_opened(folder, 1), (calls[i], when)
        assert len(files_of(folder)) <= 6, "leftovers are not deleted"


def test_a_full_disk_at_any_call_keeps_the_previous_index(saved: Path, tmp_path: Path) -> None:
    folders = copies(saved, tmp_path)
    counted = Faults(folder := next(folders), only=SPACE)
    with faulty(counted):
        built(1).save(folder)
    for i, when in moments(counted.calls)[:-1]:
        folder = next(folders)
        before = files_of(folder)
        faults = Faults(folder, i, full, when=when, only=SPACE, lasting=True)
        with faulty(faults), pytest.raises(SavedIndexError) as raised:
            built(1).save(folder)
        assert str(folder) in str(raised.value) and "No space left" in str(raised.value)
        assert "choose another folder" in str(raised.value)
        assert files_of(folder) == before, "useless files are left on a full disk"
        assert ranked(ArticleIndex.load(folder, article(0), ENCODER)) == ranked(built(0))


@pytest.mark.parametrize("refuse", [read_only, forbidden])
def test_a_folder_that_refuses_writes(saved: Path, tmp_path: Path, refuse: Callable) -> None:
    folder = next(copies(saved, tmp_path))
    for i in range(3):
        with faulty(Faults(folder, i, refuse, lasting=True)):
            with pytest.raises(SavedIndexError, match=f"cannot be saved in '{folder}'"):
                built(1).save(folder)
            assert open_index(article(0), ENCODER, folder)[1] == ""
            index, note = open_index(article(1), ENCODER, folder)
            assert "cannot be saved" in note and ranked(index) == ranked(built(1))
    assert not wrong_with_index(folder)


def test_old_files_that_cannot_be_deleted_are_no_error(saved: Path, tmp_path: Path) -> None:
    folder = next(copies(saved, tmp_path))
    with faulty(Faults(folder, 0, forbidden, only=("unlink",), lasting=True)):
        built(1).save(folder)
    assert len(files_of(folder)) == 9 and not wrong_with_index(folder)
    built(1).save(folder)
    assert len(files_of(folder)) == 5


@contextmanager
def folder_of_another_user() -> Iterator[Path]:
    """A folder that this process may not write into, even if it runs as root."""
    root, top = os.geteuid() == 0, Path(tempfile.mkdtemp())
    folder = top / "index"
    try:
        built(0).save(folder)
        (top / "stored").mkdir()
        fill(FaissStore(top / "stored", ENCODER), OLD, ENCODER)
        for path in (top, *top.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        if root:
            os.seteuid(65534)
        yield top
    finally:
        if root:
            os.seteuid(0)
        for path in (top, *(p for p in top.rglob("*") if p.is_dir())):
            path.chmod(0o755)
        shutil.rmtree(top)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_a_folder_of_another_user() -> None:
    with folder_of_another_user() as top:
        assert open_index(article(0), ENCODER, top / "index")[1] == ""
        for folder in (top / "index", top / "new"):
            index, note = open_index(article(1), ENCODER, folder)
            assert f"'{folder}' (Permission denied)" in note
            assert ranked(index) == ranked(built(1))
        assert not wrong_with_store(top / "stored", OLD + NEW, OLD)
        for folder in (top / "stored", top / "more"):
            with pytest.raises(StoreError, match=rf"cannot be written in '{folder}' \(Permission"):
                fill_store(folder, NEW)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_a_folder_that_may_not_be_searched() -> None:
    with folder_of_another_user() as top:
        user = os.geteuid()
        os.seteuid(os.getuid())
        for name in ("index", "stored"):
            (top / name).chmod(0)
        os.seteuid(user)
        index, note = open_index(article(0), ENCODER, top / "index")
        assert "Permission denied" in note and ranked(index) == ranked(built(0))
        with pytest.raises(StoreError, match=r"cannot be read \(Permission denied\)"):
            FaissStore(top / "stored", ENCODER)


def test_a_manifest_that_cannot_be_read(saved: Path, tmp_path: Path, monkeypatch) -> None:
    folder = next(copies(saved, tmp_path))
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == MANIFEST:
            raise OSError(errno.EIO, "Input/output error")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(SavedIndexError, match=f"{MANIFEST}' is damaged .Input/output error"):
        ArticleIndex.load(folder, article(0), ENCODER)


@pytest.mark.parametrize("content", [b"", b"null", b"[" * 200_000, b'{"sha256": 1}'])
def test_an_invalid_manifest(saved: Path, tmp_path: Path, content: bytes) -> None:
    folder = next(copies(saved, tmp_path))
    (folder / MANIFEST).write_bytes(content)
    with pytest.raises(SavedIndexError, match=f"{MANIFEST}' is damaged .it is not a manifest"):
        ArticleIndex.load(folder, article(0), ENCODER)
    assert not wrong_when_opened(folder, 0)


def test_any_damage_to_a_file_is_reported_and_the_index_rebuilt(
    saved: Path, tmp_path: Path
) -> None:
    folder, rng = next(copies(saved, tmp_path)), random.Random(0)
    for name, content in files_of(folder).items():
        for _ in range(8):
            (folder / name).write_bytes(harmed(content, rng))
            try:
                index = ArticleIndex.load(folder, article(0), ENCODER)
            except SavedIndexError as error:
                assert str(folder / name) in str(error) or "format_version" in str(error)
            else:
                assert name == MANIFEST and ranked(index) == ranked(built(0)), "a silent change"
        assert not wrong_when_opened(folder, 0)
        assert files_of(folder).keys() == files_of(saved).keys()


def files_in(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in (MANIFEST, LOCK))


def test_a_file_tampered_with_along_with_its_manifest_is_refused_or_harmless(
    saved: Path, tmp_path: Path
) -> None:
    folder, rng = next(copies(saved, tmp_path)), random.Random(0)
    refused = 0
    for path in files_in(folder):
        content = path.read_bytes()
        for _ in range(80):
            put_with_manifest(folder / MANIFEST, path, tampered(content, rng))
            try:
                index = ArticleIndex.load(folder, article(0), ENCODER)
            except SavedIndexError as error:
                assert str(folder) in str(error) and "\n" not in str(error)
                refused += 1
            else:
                ranked(index)
        put_with_manifest(folder / MANIFEST, path, content)
    assert refused > 100
    assert not wrong_with_index(folder)


def test_a_manifest_with_any_value_is_refused(saved: Path, tmp_path: Path) -> None:
    # The document's title and source are only printed.
    for field in json.loads((saved / MANIFEST).read_bytes()).keys() - {"sha256", "document"}:
        for value in VALUES:
            folder = next(copies(saved, tmp_path))
            put_in_manifest(folder / MANIFEST, **{field: value})
            with pytest.raises(SavedIndexError, match=f"damaged|{field}"):
                ArticleIndex.load(folder, article(0), ENCODER)
            assert not wrong_when_opened(folder, 0)


def test_an_endless_file_is_not_read(saved: Path, tmp_path: Path) -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("no /dev/zero")
    folder = next(copies(saved, tmp_path))
    for path in [*files_in(folder), folder / MANIFEST]:
        content = path.read_bytes()
        path.unlink()
        path.symlink_to("/dev/zero")
        with pytest.raises(SavedIndexError, match="not a regular file"):
            ArticleIndex.load(folder, article(0), ENCODER)
        path.unlink()
        with path.open("wb") as file:
            file.truncate(10**13)
        with pytest.raises(SavedIndexError, match="it has more than"):
            ArticleIndex.load(folder, article(0), ENCODER)
        path.write_bytes(content)


def test_word_pieces_of_another_dimension_are_refused(saved: Path, tmp_path: Path) -> None:
    folder = next(copies(saved, tmp_path))
    (path,) = folder.glob("pieces-*")
    arrays = dict(np.load(path))
    arrays["codes"] = arrays["codes"][:, :-1]
    file = io.BytesIO()
    np.savez(file, **arrays)
    put_with_manifest(folder / MANIFEST, path, file.getvalue())
    with pytest.raises(SavedIndexError, match="its shape is .*511. and not .*512"):
        ArticleIndex.load(folder, article(0), ENCODER)


def test_compressed_word_pieces_are_refused(saved: Path, tmp_path: Path) -> None:
    """They could unpack to any size."""
    folder = next(copies(saved, tmp_path))
    (path,) = folder.glob("pieces-*")
    file = io.BytesIO()
    np.savez_compressed(file, **dict(np.load(path)))
    put_with_manifest(folder / MANIFEST, path, file.getvalue())
    with pytest.raises(SavedIndexError, match="archive cannot be read"):
        ArticleIndex.load(folder, article(0), ENCODER)


SAVE = """
import sys
from pathlib import Path
from tests.torture.whole import built, article
index = built(int(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(10):
    index.save(Path(sys.argv[1]))
"""


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


def test_processes_save_in_one_folder_at_once(tmp_path: Path) -> None:
    """Two of them save one article and one another; the index is that of the last."""
    done = run_concurrently(SAVE, *([str(tmp_path), number] for number in "001"))
    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 3
    assert not wrong_with_index(tmp_path)
    assert len(files_of(tmp_path)) == 5


# The store.


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
