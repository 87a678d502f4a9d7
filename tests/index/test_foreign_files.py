"""Files of other programs and of the user are neither deleted nor overwritten."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from index import __main__ as index_command
from index.errors import SavedIndexError, StoreError
from index.search.article_index import ArticleIndex, open_index
from index.search.index_files import LOCK, MANIFEST
from index.stores.faiss_store import FaissStore
from index.stores.open import open_store
from qa import __main__ as qa_command
from qa.opening import open_articles
from tests.conftest import FakeReader
from tests.torture.whole import ENCODER, NEW, OLD, article, built, fill_store, ranked, town

HEX = "0123456789abcdef"
# A user's files whose names resemble the program's.
FOREIGN = {
    "text-notes.md": "notes",
    "text-.txt": "no hash",
    f"text-{HEX}.txt": "the hash of other content",
    f"text-{HEX}.txt.bak": "a copy",
    f"passages-{HEX}.txt": "another suffix",
    "passages-of-my-novel.docx": "a novel",
    "vectors-and-matrices.pdf": "lectures",
    "pieces-for-piano.npz": "music",
    "download.iso.partial": "incomplete",
    "manifest.json.partial": "no process id",
    "manifest.json.old.partial": "no process id",
    "gone-fishing/photo.jpg": "a fish",
    "gone-fishing/manifest.json": "{}",
    "gone-segment-of-a-film/scene.mov": "a scene",
    f"gone-segment-000001-{HEX}/diary.txt": "not part of a segment",
    "segment-of-a-film/scene.mov": "a scene",
    "segment-000001/scene.mov": "a scene",
    "partial-1-of-1/thesis.tex": "a thesis",
    "partial-results/table.csv": "1,2",
    "words/vocab.index.json": "{}",
    "vectors.faiss": "not in a segment",
}
WEB_APP = {"name": "Lighthouse", "icons": [], "start_url": "/", "files": {}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    for name, content in FOREIGN.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def foreign(folder: Path) -> dict[str, str]:
    """The user's files that still exist."""
    return {name: (folder / name).read_text() for name in FOREIGN if (folder / name).exists()}


def test_saving_an_index_touches_no_other_file(folder: Path) -> None:
    for number in (0, 1, 0):
        built(number).save(folder)
        assert foreign(folder) == FOREIGN
        loaded = ArticleIndex.load(folder, article(number), ENCODER)
        assert ranked(loaded) == ranked(built(number))
        # Of the program's files, those of the last article are left.
        own = {path.name for path in folder.iterdir()} - {n.split("/")[0] for n in FOREIGN}
        assert len(own - {LOCK}) == 5


def test_filling_a_store_touches_no_other_file(folder: Path) -> None:
    # A folder with the name of a build's, but other files in it, is reported.
    with pytest.raises(StoreError, match=f"cannot be written in '{folder}' .File exists"):
        fill_store(folder, OLD)
    assert foreign(folder) == FOREIGN
    (folder / "partial-1-of-1" / "thesis.tex").rename(folder / "thesis.tex")
    (folder / "partial-1-of-1").rmdir()
    fill_store(folder, OLD)
    fill_store(folder, [*OLD, *NEW])
    assert FaissStore(folder, ENCODER).stored_ids([*OLD, *NEW]) == {
        document.id for document in [*OLD, *NEW]
    }
    left = {k: v for k, v in FOREIGN.items() if not k.startswith("partial-1-of-1")}
    assert foreign(folder) == left


def test_leftovers_of_a_killed_build_are_deleted_but_no_other_files(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    fill_store(folder, OLD)
    (segment,) = folder.glob("segment-*")
    gone = segment.with_name(f"gone-{segment.name}")
    segment.rename(gone)
    (gone / "diary.txt").write_text("not part of a segment")
    (gone / "words" / "list.txt").write_text("not part of it either")
    fill_store(folder, OLD)
    left = sorted(path.relative_to(gone).as_posix() for path in gone.rglob("*"))
    assert left == ["diary.txt", "words", "words/list.txt"]


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links")
def test_links_are_not_followed_when_deleting(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "store", tmp_path / "elsewhere"
    fill_store(folder, OLD)
    fill_store(elsewhere, OLD)
    (segment,) = elsewhere.glob("segment-*")
    before = sorted(segment.rglob("*"))
    (folder / f"gone-{segment.name}").symlink_to(segment)
    fill_store(folder, [*OLD, town(9)])
    assert sorted(segment.rglob("*")) == before


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(WEB_APP),
        json.dumps({"manifest_version": 3, "name": "An extension", "version": "1"}),
        "{ a: 'manifest' }",
        "[]",
        "",
    ],
)
def test_a_folder_with_the_manifest_of_another_program_is_refused(
    tmp_path: Path, content: str
) -> None:
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(SavedIndexError) as refused:
        built(0).save(tmp_path)
    assert str(refused.value) == (
        f"The folder '{tmp_path}' has a manifest.json of another program, which would be "
        "overwritten: choose another folder with --index."
    )
    index, note = open_index(article(0), ENCODER, tmp_path)
    assert note == str(refused.value) and ranked(index) == ranked(built(0))
    assert [path.name for path in tmp_path.iterdir()] == [MANIFEST]
    assert (tmp_path / MANIFEST).read_text() == content


def test_the_manifest_of_another_program_beside_an_index_is_kept(tmp_path: Path) -> None:
    built(0).save(tmp_path)
    (tmp_path / MANIFEST).write_text(json.dumps({"name": "Lighthouse"}))
    with pytest.raises(SavedIndexError, match="of another program"):
        built(1).save(tmp_path)
    assert (tmp_path / MANIFEST).read_text() == json.dumps({"name": "Lighthouse"})


def test_a_segment_of_a_store_is_not_overwritten_by_an_index(tmp_path: Path) -> None:
    fill_store(tmp_path, OLD)
    (segment,) = tmp_path.glob("segment-*")
    with pytest.raises(SavedIndexError, match="of another program"):
        built(0).save(segment)
    assert FaissStore(tmp_path, ENCODER).stored_ids(OLD) == {document.id for document in OLD}


@pytest.mark.parametrize(
    ("lock", "use"),
    [
        (LOCK, lambda folder: built(0).save(folder)),
        ("building-1-of-1.lock", lambda folder: fill_store(folder, OLD)),
    ],
)
def test_a_file_named_like_a_lock_is_kept(
    tmp_path: Path, lock: str, use: Callable[[Path], object]
) -> None:
    (tmp_path / lock).write_text("how the canal's lock is operated")
    with pytest.raises((SavedIndexError, StoreError), match=f"'{lock}' is not a lock file"):
        use(tmp_path)
    assert (tmp_path / lock).read_text() == "how the canal's lock is operated"


def test_leftovers_of_a_killed_save_are_deleted(tmp_path: Path) -> None:
    built(1).save(tmp_path)
    (tmp_path / MANIFEST).unlink()
    left = {path.name for path in tmp_path.iterdir()} - {LOCK}
    (tmp_path / f"text-{HEX}.txt.123.partial").write_text("half")
    (tmp_path / f"{MANIFEST}.123.partial").write_text("half")
    built(0).save(tmp_path)
    assert len(left) == 4 and not any((tmp_path / name).exists() for name in left)
    assert not list(tmp_path.glob("*.partial"))


# Empty names


def exit_status(main: Callable[[list[str]], int], *arguments: str) -> int | str | None:
    """The exit status of a command, also if its arguments are refused."""
    try:
        return main([*arguments])
    except SystemExit as end:
        return end.code


@pytest.mark.parametrize("name", ["", " "])
def test_an_empty_name_of_an_index_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("The lamp was lit in 1890.")
    with pytest.raises(SavedIndexError, match="folder is empty: give a folder with --index"):
        open_articles(["a.txt"], encoder=ENCODER, reader=FakeReader({}), index=name)
    for command in ("build", "info", "search"):
        query = ["lamp"] if command == "search" else []
        assert exit_status(index_command.main, command, *query, "a.txt", "--index", name) == 2
    ask = ("ask", "Which lamp?", "--article", "a.txt")
    assert exit_status(qa_command.main, *ask, "--index", name) == 2
    assert capsys.readouterr().err.count("error: argument --index: it is empty;") == 4
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.usefixtures("shared_models")
@pytest.mark.parametrize("address", ["", "faiss:", "faiss: ", "milvus-lite:", "milvus-lite:.db"])
def test_an_empty_name_of_a_store_is_refused(
    address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match="empty|is not (the address of a|a name for a) store"):
        open_store(address, ENCODER)
    (tmp_path / "a.txt").write_text("The lamp was lit in 1890.")
    assert exit_status(index_command.main, "build", "a.txt", "--store", address) == 2
    assert exit_status(index_command.main, "info", "--store", address) == 2
    assert exit_status(index_command.main, "search", "lamp", "--store", address) == 2
    assert exit_status(qa_command.main, "ask", "Which lamp?", "--store", address) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4 and all(line.startswith("error: ") for line in lines)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_milvus_lite_does_not_use_other_folders_or_files(tmp_path: Path) -> None:
    pytest.importorskip("milvus_lite")
    (tmp_path / "folder.db").mkdir()
    (tmp_path / "folder.db" / "notes.txt").write_text("notes")
    (tmp_path / "file.db").write_text("a database")
    for name in ("folder.db", "file.db"):
        with pytest.raises(StoreError, match=f"{name}' is not a store of Milvus Lite"):
            open_store(f"milvus-lite:{tmp_path / name}", ENCODER)
    assert os.listdir(tmp_path / "folder.db") == ["notes.txt"]
    assert (tmp_path / "file.db").read_text() == "a database"
