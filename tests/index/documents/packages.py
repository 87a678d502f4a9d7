"""Documents of Office and EPUB books, made for the tests of their XML."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from io import BytesIO

from index.documents.document import Document, document_of
from index.documents.formats import extract
from tests.index.documents.outline import outline

RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'


def packed(members: Mapping[str, str | bytes]) -> bytes:
    """A zip file of these members."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def relations(**targets: str) -> str:
    """A part of relationships: the ids with "kind target", as in rId1="slide slides/slide1.xml"."""
    rows = []
    for identity, both in targets.items():
        kind, target = both.split(" ")
        rows.append(f'<Relationship Id="{identity}" Type="{RELATIONS}/{kind}" Target="{target}"/>')
    return f"<Relationships>{''.join(rows)}</Relationships>"


def docx(body: str, **parts: str) -> bytes:
    """A Word document of that body; `parts` are the content of others, as styles="<w:style …/>"."""
    members = {"word/document.xml": f"<w:document {W} {MC}><w:body>{body}</w:body></w:document>"}
    for name, content in parts.items():
        members[f"word/{name}.xml"] = f"<w:{name} {W}>{content}</w:{name}>"
    members["word/_rels/document.xml.rels"] = relations(
        **{f"r{name}": f"{name.rstrip('123456789')} {name}.xml" for name in parts}
    )
    return packed(members)


def document(data: bytes, name: str = "a.docx") -> Document:
    """The document that a file of that name holds."""
    return document_of(extract(data, name), name="a", source=name)


def lines(data: bytes, name: str = "a.docx") -> list[str]:
    """The outline of its blocks, a line for each."""
    return outline(document(data, name)).rstrip("\n").partition("\n\n")[2].split("\n")
