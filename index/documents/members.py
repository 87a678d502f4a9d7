"""The members of a zip file, read within bounds, and its XML, parsed without entities or network."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from index.errors import DocumentError

# A long book has a few thousand pictures, a large workbook a few hundred sheets.
MAX_MEMBERS = 20_000
# The most that all that is read of a document inflates to; one that is all text stays far below. A zip
# can hold more in a few kilobytes than a machine has memory.
MAX_INFLATED = 50_000_000
# An element takes some 200 bytes as a tree, so that these fit in the memory that a reader may use.
MAX_TAGS = 2_000_000

_ENCRYPTED = 0x1  # bit of a member's general purpose flag


class Members:
    """The members of a zip file by name; nothing is ever written to a disk.

    Names are compared without case and with either slash, as some programs write them.
    """

    def __init__(self, data: bytes, source: str) -> None:
        """Open the file; raises zipfile.BadZipFile, or DocumentError for too many members."""
        self.source = source
        self._archive = zipfile.ZipFile(BytesIO(data))
        self._inflated = 0
        infos = self._archive.infolist()
        if len(infos) > MAX_MEMBERS:
            raise DocumentError(
                f"'{source}' has {len(infos)} files in it and the limit is {MAX_MEMBERS}: save its "
                "text as .txt and open that."
            )
        self._infos = {_key(info.filename): info for info in infos if not info.is_dir()}

    def __contains__(self, name: str) -> bool:
        """Whether there is a member of that name."""
        return _key(name) in self._infos

    def __iter__(self) -> Iterator[str]:
        """The names of the members, in the file's order, with plain slashes."""
        return (info.filename.replace("\\", "/") for info in self._infos.values())

    def read(self, name: str) -> bytes:
        """A member's bytes, b"" where there is none.

        Raises DocumentError where it is encrypted or inflates to too much, or zipfile's own errors.
        """
        info = self._infos.get(_key(name))
        if info is None:
            return b""
        if info.flag_bits & _ENCRYPTED:
            raise DocumentError(
                f"'{self.source}' has a password: save a copy without one and open that."
            )
        self._inflated += info.file_size
        if self._inflated > MAX_INFLATED:
            raise DocumentError(
                f"'{self.source}' would unpack to more than {MAX_INFLATED / 1e6:.0f} MB of text: "
                "split it and open a part."
            )
        # No more is inflated than the file says, and its checksum shows where that was a lie.
        return self._archive.read(info)

    def xml(self, name: str) -> Any:
        """The root of a member's XML, None where there is no such member.

        Raises lxml.etree.XMLSyntaxError where it is no XML, and what read() raises.
        """
        import lxml.etree

        if name not in self:
            return None
        data = self.read(name)
        check_tags(data, self.source)
        parser = lxml.etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True
        )
        return lxml.etree.fromstring(data, parser)

    def resolve(self, base: str, target: str) -> str:
        """The name of the member that `target` means in the member `base`; "" where there is none."""
        path = target.partition("#")[0].replace("\\", "/")
        joined = path[1:] if path.startswith("/") else f"{posixpath.dirname(base)}/{path}"
        name = posixpath.normpath(joined).lstrip("/")
        is_inside = not name.startswith("../")
        return name if is_inside and name in self else ""


def check_tags(data: bytes, source: str) -> None:
    """Raise DocumentError for XML of more elements than a reader has memory for."""
    # A start and an end tag each have one such sign; in text it is written as an entity.
    if data.count(b"<") > 2 * MAX_TAGS:
        raise DocumentError(
            f"'{source}' has more than {MAX_TAGS / 1e6:.0f} million pieces of markup: split it and "
            "open a part."
        )


def _key(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()
