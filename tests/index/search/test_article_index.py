import json
import os
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

from index.documents.document import Document, make_document
from index.errors import SavedIndexError
from index.search.article_index import ArticleIndex, open_index
from index.search.collection import Collection
from index.search.index_files import FORMAT_VERSION, LOCK, MANIFEST, index_folder, read_manifest
from index.storage import write_manifest
from tests.conftest import FakeEncoder

TEXT = """A title without an end

The president flew to Hanoi on Tuesday. He met the workers of a harbour there.

Nobody expected the harbour to be closed. The workers had been told on Monday evening.

Rain fell all over the country for several days, and rivers rose above their banks.

Click to watch related videos."""
QUERIES = ["When did the president fly to Hanoi?", "who was told?", "related videos to watch"]


@pytest.fixture
def document() -> Document:
    return make_document(TEXT, name="harbour", source="harbour.txt")


@pytest.fixture
def index(document: Document, fake_encoder: FakeEncoder) -> ArticleIndex:
    return ArticleIndex.build(document, fake_encoder)


def ranked(index: ArticleIndex) -> list:
    return [
        [(h.passage, round(h.score, 5), h.sentences) for h in hits]
        for hits in Collection([index]).search(QUERIES, 10)
    ]


def test_a_loaded_index_ranks_as_the_saved_one(
    index: ArticleIndex, document: Document, fake_encoder: FakeEncoder, tmp_path: Path
) -> None:
    manifest = index.save(tmp_path)
    assert manifest == read_manifest(tmp_path)
    assert manifest.text_sha256 == document.sha256
    assert manifest.encoder_revision == fake_encoder.revision
    loaded = ArticleIndex.load(tmp_path, document, fake_encoder)
    assert loaded.passages == index.passages
    assert ranked(loaded) == ranked(index)
    suffixes = [Path(name).suffix for name in files_of(tmp_path)]
    assert sorted(suffixes) == [".faiss", ".json", ".json", ".npz", ".txt"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format_version", FORMAT_VERSION + 1),
        ("format_version", 3),  # before documents were made of blocks
        ("encoder", "another"),
        ("encoder_revision", "1" * 64),
        ("dimension", 3),
        ("max_pieces", 99),
        ("stub_pieces", 99),
        ("text_sha256", "2" * 64),
    ],
)
def test_a_mismatch_is_reported_and_the_index_rebuilt(
    index: ArticleIndex,
    document: Document,
    fake_encoder: FakeEncoder,
    tmp_path: Path,
    field: str,
    value: object,
) -> None:
    index.save(tmp_path)
    body = json.loads((tmp_path / MANIFEST).read_bytes())
    del body["sha256"]
    write_manifest(tmp_path / MANIFEST, {**body, field: value})
    with pytest.raises(SavedIndexError, match=f"{field} is {value!r} and .* was expected"):
        ArticleIndex.load(tmp_path, document, fake_encoder)
    again, note = open_index(document, fake_encoder, tmp_path)
    assert field in note and ranked(again) == ranked(index)
    assert open_index(document, fake_encoder, tmp_path)[1] == ""


def files_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != LOCK)


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "missing"])
def test_damage_is_reported_and_the_index_rebuilt(
    index: ArticleIndex,
    document: Document,
    fake_encoder: FakeEncoder,
    tmp_path: Path,
    damage: str,
    number: int,
) -> None:
    index.save(tmp_path)
    path = tmp_path / files_of(tmp_path)[number]
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "flipped":
        middle = len(content) // 2
        changed = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        path.write_bytes(changed)
    else:
        path.write_bytes(content[: len(content) // 2 if damage == "truncated" else 0])
    with pytest.raises(SavedIndexError) as raised:
        ArticleIndex.load(tmp_path, document, fake_encoder)
    assert path.name in str(raised.value) or (
        damage == "missing" and "There is no index" in str(raised.value)
    )
    again, _ = open_index(document, fake_encoder, tmp_path)
    assert ranked(again) == ranked(index)
    ArticleIndex.load(tmp_path, document, fake_encoder)


def test_any_flipped_bit_in_the_manifest_is_reported(
    index: ArticleIndex, document: Document, fake_encoder: FakeEncoder, tmp_path: Path
) -> None:
    index.save(tmp_path)
    path = tmp_path / MANIFEST
    content = path.read_bytes()
    for i in range(len(content)):
        path.write_bytes(content[:i] + bytes([content[i] ^ 4]) + content[i + 1 :])
        try:
            loaded = ArticleIndex.load(tmp_path, document, fake_encoder)
        except SavedIndexError:
            continue
        # Only white space between the fields may change.
        assert content[i : i + 1].isspace() and loaded.passages == index.passages


def test_a_crash_at_any_step_keeps_the_previous_index(
    index: ArticleIndex, document: Document, fake_encoder: FakeEncoder, tmp_path: Path, monkeypatch
) -> None:
    index.save(tmp_path)
    other = make_document(TEXT.replace("Hanoi", "Seoul"), name="harbour", source="harbour.txt")
    changed = ArticleIndex.build(other, fake_encoder)
    replace, steps = os.replace, 0
    while True:
        left = steps

        def crash(a: Path, b: Path) -> None:
            nonlocal left
            if left == 0:
                raise KeyboardInterrupt
            left -= 1
            replace(a, b)

        monkeypatch.setattr(os, "replace", crash)
        try:
            changed.save(tmp_path)
            break
        except KeyboardInterrupt:
            loaded = ArticleIndex.load(tmp_path, document, fake_encoder)
            assert ranked(loaded) == ranked(index)
        steps += 1
    assert steps == 5  # four data files and the manifest
    assert ranked(ArticleIndex.load(tmp_path, other, fake_encoder)) == ranked(changed)
    assert len(files_of(tmp_path)) == 5  # no old and no partial files


def test_an_index_in_a_folder_that_cannot_be_written_is_still_used(
    index: ArticleIndex, document: Document, fake_encoder: FakeEncoder, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SavedIndexError, match="cannot be saved .* choose another folder"):
        index.save(tmp_path / "file" / "index")
    opened, note = open_index(document, fake_encoder, tmp_path / "file" / "index")
    assert "cannot be saved" in note and ranked(opened) == ranked(index)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The cache folder for indexes."""
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: tmp_path / "cache/ask")
    old = os.umask(0o022)
    yield tmp_path / "cache/ask"
    os.umask(old)


def modes(folder: Path) -> set[str]:
    return {f"{'d' if p.is_dir() else 'f'}{p.stat().st_mode & 0o777:o}" for p in folder.rglob("*")}


@pytest.mark.skipif(os.name == "nt", reason="Windows has a cache for each user")
def test_the_cache_is_readable_by_its_owner_only(
    document: Document, fake_encoder: FakeEncoder, cache: Path
) -> None:
    open_index(document, fake_encoder, index_folder(document, fake_encoder))
    assert modes(cache.parent) == {"d700", "f600"}
    assert len(list(cache.rglob("*"))) == 1 + 5 + 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has a cache for each user")
def test_a_readable_cache_is_made_private(
    document: Document, fake_encoder: FakeEncoder, cache: Path
) -> None:
    folder = index_folder(document, fake_encoder)
    open_index(document, fake_encoder, folder)
    for path in (cache, folder):
        path.chmod(0o755)
    assert open_index(document, fake_encoder, folder)[1] == ""
    assert [path.stat().st_mode & 0o777 for path in (cache, folder)] == [0o700, 0o700]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_a_given_folder_has_the_usual_permissions(
    document: Document, fake_encoder: FakeEncoder, cache: Path, tmp_path: Path
) -> None:
    open_index(document, fake_encoder, tmp_path / "shared" / "index")
    assert modes(tmp_path / "shared") == {"d755", "f644"}
