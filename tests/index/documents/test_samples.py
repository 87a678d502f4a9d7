"""Small real-world files of every format, each with the blocks that a person sees in it.

Beside each file of `tests/documents/` stands `FILE.outline`. After a change that is meant, write them
anew with `python -m tests.index.documents.test_samples` and read what has changed.
"""

from pathlib import Path

import pytest

from index.documents.blocks import check_blocks
from index.documents.document import read_document
from tests.conftest import ROOT
from tests.index.documents.outline import outline

FOLDER = ROOT / "tests" / "documents"
FILES = sorted(path for path in FOLDER.iterdir() if path.suffix not in (".outline", ".py"))


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_a_file_has_the_blocks_that_are_expected(path: Path) -> None:
    document = read_document(path)
    check_blocks(document.text, document.blocks, document.pages)
    expected = path.with_name(f"{path.name}.outline").read_text(encoding="utf-8")
    assert outline(document) == expected


if __name__ == "__main__":
    for path in FILES:
        path.with_name(f"{path.name}.outline").write_text(
            outline(read_document(path)), encoding="utf-8"
        )
