"""The bytes of a zip-based document in, what it holds out: Word, Excel, PowerPoint and EPUB."""

from __future__ import annotations

import re
import zipfile
import zlib

from index.documents.content import Content
from index.documents.members import Members
from index.documents.office.parts import local_name, relationships
from index.errors import DocumentError

_KINDS = {
    "docx": "Word document",
    "docm": "Word document",
    "dotx": "Word document",
    "xlsx": "Excel workbook",
    "xlsm": "Excel workbook",
    "xltx": "Excel workbook",
    "pptx": "PowerPoint presentation",
    "pptm": "PowerPoint presentation",
    "ppsx": "PowerPoint presentation",
    "epub": "EPUB book",
}
# Where a package does not say which of its parts is the main one, or says it wrongly.
_MAIN_PART = re.compile(r"(?:word/document|xl/workbook|ppt/presentation)\d*\.xml", re.IGNORECASE)
_ODF = "application/vnd.oasis.opendocument."
_ODF_AS = {"text": ".docx", "spreadsheet": ".xlsx", "presentation": ".pptx"}


def read_archive(data: bytes, source: str) -> Content:
    """Read a Word document, an Excel workbook, a PowerPoint presentation or an EPUB book.

    Raises DocumentError where it is damaged, encrypted, too large or something else in a zip file.
    """
    import lxml.etree

    try:
        return _read(Members(data, source))
    except (
        zipfile.BadZipFile,
        zlib.error,
        lxml.etree.LxmlError,
        EOFError,
        OSError,
        NotImplementedError,  # a method of compression that no office program uses
        ValueError,
    ):
        kind = _KINDS.get(source.rpartition(".")[2].lower(), "zip file")
        raise DocumentError(
            f"'{source}' is a damaged {kind}: repair it with the program that made it and save it "
            "again, or paste its text."
        ) from None


def _read(members: Members) -> Content:
    # Each reader is imported when there is something to read.
    if "META-INF/container.xml" in members:
        from index.documents.epub import read_epub

        return read_epub(members)
    name = _main_part(members)
    main = members.xml(name)
    kind = local_name(main)
    if kind == "document":
        from index.documents.office.docx import read_docx

        return read_docx(members, name, main)
    if kind == "workbook":
        from index.documents.office.xlsx import read_xlsx

        return read_xlsx(members, name, main)
    if kind == "presentation":
        from index.documents.office.pptx import read_pptx

        return read_pptx(members, name, main)
    raise DocumentError(f"'{members.source}' {_other_kind(members)}.")


def _main_part(members: Members) -> str:
    """The name of the part that holds the document; "" where there is none."""
    for kind, target in relationships(members, "").values():
        if kind == "officeDocument" and target in members and not target.endswith(".bin"):
            return target
    return next((name for name in members if _MAIN_PART.fullmatch(name)), "")


def _other_kind(members: Members) -> str:
    """What a zip file is that is none of the formats, and what to do with it."""
    mimetype = members.read("mimetype").decode("ascii", "replace").strip()
    if mimetype.startswith(_ODF):
        kind = mimetype.removeprefix(_ODF).partition("-")[0]
        return f"is an OpenDocument file: save it as {_ODF_AS.get(kind, '.pdf')} and open that"
    if "xl/workbook.bin" in members:
        return "is a binary Excel workbook (.xlsb): save it as .xlsx and open that"
    if any(name.lower().endswith(".iwa") for name in members):
        return "is a document of Pages, Numbers or Keynote: export it as .docx, .xlsx or .pptx"
    return (
        "is a zip file and no Word, Excel, PowerPoint or EPUB document: unpack it, and open a file "
        "from it that is txt, md, html, csv, pdf, docx, xlsx, pptx or epub"
    )
