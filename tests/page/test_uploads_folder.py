from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from page.uploads_folder import MARKER, Sweeper, UploadsFolder
from tests.conftest import ROOT

# Holds an uploads folder with a file in it, says where, and waits to be killed.
HOLDER = """
import sys
from page.uploads_folder import UploadsFolder
uploads = UploadsFolder(sys.argv[1])
(uploads.files / "private.txt").write_text("A visitor's.")
print(uploads.files, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """The uploads folder of a process that was killed."""
    process, folder = hold(tmp_path)
    process.kill()
    process.wait()
    return folder


def hold(parent: Path) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(parent)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    return process, Path(process.stdout.readline().strip()).parent


def test_the_folder_is_private_and_deleted_whole(tmp_path: Path) -> None:
    uploads = UploadsFolder(str(tmp_path / "made"))
    (uploads.files / "a").mkdir()
    (uploads.files / "a" / "b.txt").write_text("b")
    folder = uploads.files.parent
    assert folder.parent == tmp_path / "made"
    if os.name != "nt":
        assert folder.stat().st_mode & 0o777 == 0o700
    uploads.delete()
    uploads.delete()
    assert os.listdir(tmp_path / "made") == []


def test_what_a_killed_process_left_is_deleted_at_the_next_start(killed: Path) -> None:
    assert (killed / "files" / "private.txt").exists()
    uploads = UploadsFolder(str(killed.parent))
    assert not killed.exists()
    assert os.listdir(killed.parent) == [uploads.files.parent.name]


def test_what_a_running_process_uses_stays(tmp_path: Path) -> None:
    process, folder = hold(tmp_path)
    try:
        UploadsFolder(str(tmp_path)).delete()
        assert (folder / "files" / "private.txt").read_text() == "A visitor's."
    finally:
        process.kill()
        process.wait()


def test_a_folder_that_is_not_provably_ours_stays(tmp_path: Path, killed: Path) -> None:
    def make(name: str, marker: bytes | None) -> None:
        folder = tmp_path / name
        (folder / "files").mkdir(parents=True)
        (folder / "files" / "novel.txt").write_text("A novel.")
        if marker is not None:
            (folder / "lock").write_bytes(marker)

    make("ask-the-article-abcdefgh", None)
    make("ask-the-article-bbbbbbbb", b"")
    make("ask-the-article-cccccccc", MARKER + b"And more.")
    make("ask-the-article-notes", MARKER)
    make("my-ask-the-article-dddddddd", MARKER)
    make("elsewhere", MARKER)
    kept = set(os.listdir(tmp_path)) - {killed.name}
    if os.name != "nt":
        (tmp_path / "ask-the-article-eeeeeeee").symlink_to(tmp_path / "elsewhere")
        (tmp_path / "ask-the-article-ffffffff").mkdir()
        os.mkfifo(tmp_path / "ask-the-article-ffffffff" / "lock")
        (tmp_path / "ask-the-article-gggggggg").mkdir()
        marked = tmp_path / "elsewhere" / "lock"
        (tmp_path / "ask-the-article-gggggggg" / "lock").symlink_to(marked)
        kept |= {f"ask-the-article-{letter * 8}" for letter in "efg"}
    novels = set(tmp_path.glob("*/files/novel.txt"))
    UploadsFolder(str(tmp_path)).delete()
    assert set(os.listdir(tmp_path)) == kept
    assert set(tmp_path.glob("*/files/novel.txt")) == novels
    assert len(novels) >= 6


def test_a_file_that_somebody_put_next_to_ours_stays(killed: Path) -> None:
    (killed / "note.txt").write_text("Mine.")
    UploadsFolder(str(killed.parent)).delete()
    assert (killed / "note.txt").read_text() == "Mine."
    assert not (killed / "files").exists()


def test_an_unusable_parent_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        UploadsFolder(str(tmp_path / "file"))


# Sweeping


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_files_are_deleted_when_they_have_not_changed_for_long(tmp_path: Path) -> None:
    clock = Clock()
    sweeper = Sweeper(tmp_path, 100, clock)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old.txt").write_text("old")
    (tmp_path / "growing.txt").write_text("g")
    sweeper.sweep()
    clock.now += 99
    (tmp_path / "growing.txt").write_text("gr")
    sweeper.sweep()
    assert (tmp_path / "a" / "old.txt").exists()
    clock.now += 1
    (tmp_path / "new.txt").write_text("new")
    sweeper.sweep()
    assert sorted(os.listdir(tmp_path)) == ["growing.txt", "new.txt"]
    clock.now += 100
    sweeper.sweep()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("jump", [10**7, -(10**7)])
def test_a_jump_of_the_clock_makes_no_file_old_or_young(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    clock = Clock()
    sweeper = Sweeper(tmp_path, 100, clock)
    (tmp_path / "fresh.txt").write_text("fresh")
    sweeper.sweep()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + jump)
    clock.now += 50
    sweeper.sweep()
    assert os.listdir(tmp_path) == ["fresh.txt"]
    clock.now += 50
    sweeper.sweep()
    assert os.listdir(tmp_path) == []
