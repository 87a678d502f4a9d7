"""A saved index is complete or absent, whatever happens to the process, the disk or the files."""

import errno
import io
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from index.errors import SavedIndexError
from index.search.article_index import ArticleIndex, open_index
from index.search.index_files import MANIFEST
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
from tests.index.disk import SPACE, calls_of, copies, files_in, files_of, moments, run_concurrently
from tests.torture.whole import (
    ENCODER,
    article,
    built,
    ranked,
    wrong_when_opened,
    wrong_with_index,
)

pytestmark = pytest.mark.usefixtures("in_memory")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved index of the first article."""
    folder = tmp_path_factory.mktemp("saved")
    built(0).save(folder)
    return folder


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


def test_processes_save_in_one_folder_at_once(tmp_path: Path) -> None:
    """Two of them save one article and one another; the index is that of the last."""
    done = run_concurrently(SAVE, *([str(tmp_path), number] for number in "001"))
    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 3
    assert not wrong_with_index(tmp_path)
    assert len(files_of(tmp_path)) == 5
