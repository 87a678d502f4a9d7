"""Indexes and stores in folders of another user."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from index.errors import StoreError
from index.search.article_index import open_index
from index.stores.faiss_store import FaissStore
from index.stores.fill import fill
from tests.torture.whole import (
    ENCODER,
    NEW,
    OLD,
    article,
    built,
    fill_store,
    ranked,
    wrong_with_store,
)

pytestmark = pytest.mark.usefixtures("in_memory")


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
