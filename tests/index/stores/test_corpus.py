"""Which files of a folder are read as documents."""

from pathlib import Path

from index.stores.corpus import read_corpus
from tests.index.documents.packages import docx

DOCUMENT = docx("<w:p><w:r><w:t>The lamp was lit.</w:t></w:r></w:p>")


def test_a_folder_gives_the_documents_of_every_format(tmp_path: Path) -> None:
    # What is in a zip file counts more than its name.
    zipped = [f"a.{suffix}" for suffix in ("docx", "docm", "xlsx", "xlsm", "pptx", "ppsx", "epub")]
    for name in (*zipped, "B.DOCX"):
        (tmp_path / name).write_bytes(DOCUMENT)
    for name in ("a.txt", "picture.png", "a.doc", ".hidden.txt"):
        (tmp_path / name).write_text("The lamp was lit.")
    found = {Path(document.id).name for document in read_corpus([str(tmp_path)])}
    assert found == {*zipped, "B.DOCX", "a.txt"}
