"""The builder that every format's reader writes a document with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from index.documents.blocks import Block, BlockKind
from index.documents.boxes import BoxesBuilder, Origin
from index.documents.cleaning import clean, replace_surrogates
from index.documents.content import BLOCK_GAP, MAX_TITLE, Content, Metadata
from index.documents.tables import DraftCell, TableRow, lay_out

# Between the items of a list or the rows of a table, and between two cells.
LINE_GAP = "\n"
CELL_GAP = "\t"


class ContentBuilder:
    """Write a document block by block; the builder joins their text and keeps the offsets.

    Text given to it has no markup. White space around a block is dropped, and so are empty blocks.
    Consecutive list items are one list until `end_list()` is called or another block comes.
    `origins` say where the characters of a block's text, or of a cell's, stand on their pages.
    """

    def __init__(self) -> None:
        """Start an empty document."""
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._pages: list[int] = []
        self._headings: list[int] = []  # open ones, outermost first
        self._groups = 0
        self._list: int | None = None
        self._boxes = BoxesBuilder()

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been written yet."""
        return not self._blocks

    def title(
        self,
        text: str,
        *,
        page_starts: Sequence[tuple[int, int]] = (),
        origins: Sequence[Origin] = (),
    ) -> None:
        """Add the document's title where it stands in the text."""
        self._add_heading(BlockKind.TITLE, text, 0, page_starts, origins)

    def heading(
        self,
        text: str,
        level: int,
        *,
        page_starts: Sequence[tuple[int, int]] = (),
        origins: Sequence[Origin] = (),
    ) -> None:
        """Add a heading; level 1 is the highest."""
        self._add_heading(BlockKind.HEADING, text, max(1, level), page_starts, origins)

    @property
    def level(self) -> int:
        """The level of the heading that the next block stands under, 0 for a title or none."""
        return self._blocks[self._headings[-1]].level if self._headings else 0

    def end_section(self, level: int) -> None:
        """Let the next block stand above the open headings of this level and deeper."""
        while self._headings and self._blocks[self._headings[-1]].level >= level:
            self._headings.pop()

    def paragraph(
        self,
        text: str,
        *,
        page_starts: Sequence[tuple[int, int]] = (),
        origins: Sequence[Origin] = (),
    ) -> None:
        """Add a paragraph; a line end in it is one that its readers see.

        `page_starts` has pairs of an offset in `text` and the number of the page, from 0, that starts
        there, for a paragraph that runs over the end of a page.
        """
        self.add(BlockKind.PARAGRAPH, text, page_starts=page_starts, origins=origins)

    def list_item(self, text: str, *, depth: int = 0, marker: str = "•") -> None:
        """Add an item of a list; one without a marker goes on with the item before it."""
        self.add(BlockKind.LIST_ITEM, text, level=depth, marker=marker)

    def end_list(self) -> None:
        """Let the next list item begin another list."""
        self._list = None

    def table(
        self,
        rows: Sequence[Sequence[DraftCell]],
        *,
        page_starts: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Add the rows of a table, none of which is left out but empty ones.

        `page_starts` has pairs of the number of a row and that of the page, from 0, that it is on.
        """
        self.end_list()
        self._groups += 1
        heads: dict[tuple[int, int], tuple[int, int]] = {}
        pages = dict(page_starts)
        for row in lay_out(rows):
            self._add_row(row, heads, pages.get(row.number))

    def add(
        self,
        kind: BlockKind,
        text: str,
        *,
        level: int = 0,
        marker: str = "",
        page_starts: Sequence[tuple[int, int]] = (),
        origins: Sequence[Origin] = (),
    ) -> None:
        """Add a block of any kind but a table row."""
        bare = clean(text)
        if len(bare) != len(text):
            origins = ()  # they count characters that are no longer there
        before = len(bare) - len(bare.lstrip())
        bare = bare.strip()
        if not bare:
            return
        in_list = kind is BlockKind.LIST_ITEM
        if not in_list:
            self.end_list()
        elif self._list is None:
            self._groups += 1
            self._list = self._groups
        start = self._append(bare, LINE_GAP if in_list and self._follows_item() else BLOCK_GAP)
        for offset, page in page_starts:
            self._start_page(page, start + max(0, offset - before))
        self._add_origins(origins, start, -before, len(bare))
        self._blocks.append(
            Block(
                kind,
                start,
                self._length,
                level=level,
                section=self._headings[-1] if self._headings else None,
                group=self._list if in_list else None,
                marker=marker,
            )
        )

    def page(self) -> None:
        """Let a new page start with the next block."""
        self._pages.append(self._length + len(BLOCK_GAP) if self._blocks else 0)

    def build(
        self,
        *,
        title: str = "",
        metadata: Metadata | None = None,
        page_sizes: Sequence[tuple[float, float]] = (),
    ) -> Content:
        """The document that was written; its title is the one given, or its title block's.

        `page_sizes` are the widths and heights of the pages that origins are on, in points.
        """
        text = "".join(self._parts)
        if page_sizes:
            self._start_page(len(page_sizes) - 1, len(text))  # those at the end without text too
        if not title:
            titles = (b for b in self._blocks if b.kind is BlockKind.TITLE)
            title = next((text[b.start : b.end] for b in titles), "")
        return Content(
            text=text,
            blocks=tuple(self._blocks),
            title=" ".join(replace_surrogates(title).split())[:MAX_TITLE],
            pages=tuple(min(start, len(text)) for start in self._pages),
            metadata=replace(metadata or Metadata(), words=len(text.split())),
            boxes=self._boxes.build(page_sizes, len(text)),
        )

    def _add_heading(
        self,
        kind: BlockKind,
        text: str,
        level: int,
        page_starts: Sequence[tuple[int, int]],
        origins: Sequence[Origin],
    ) -> None:
        self.end_section(level)
        before = len(self._blocks)
        words = " ".join(text.split())
        if words != text:
            origins = ()  # they count characters that are no longer there
        self.add(kind, words, level=level, page_starts=page_starts, origins=origins)
        if len(self._blocks) > before:
            self._headings.append(before)

    def _add_row(
        self, row: TableRow, heads: dict[tuple[int, int], tuple[int, int]], page: int | None
    ) -> None:
        """Add a row; `heads` has the offsets of the table's cells by their place in its grid."""
        if not any(cell.text for cell in row.cells):
            return
        follows = bool(self._blocks) and self._blocks[-1].group == self._groups
        line = CELL_GAP.join(cell.text for cell in row.cells if cell.text)
        start = at = self._append(line, LINE_GAP if follows else BLOCK_GAP)
        if page is not None:
            self._start_page(page, start)
        cells = []
        for cell in row.cells:
            at = min(at, self._length)  # an empty cell after the last full one
            end = at + len(cell.text)
            if cell.text:
                heads[row.number, cell.column] = (at, end)
                self._add_origins(cell.origins, at, 0, len(cell.text))
            cells.append(cell.placed(at, end, heads))
            at = end + len(CELL_GAP) if cell.text else end
        self._blocks.append(
            Block(
                BlockKind.TABLE_ROW,
                start,
                self._length,
                section=self._headings[-1] if self._headings else None,
                group=self._groups,
                cells=tuple(cells),
            )
        )

    def _add_origins(self, origins: Sequence[Origin], start: int, moved: int, length: int) -> None:
        for origin in origins:
            if (kept := origin.moved(moved, length)) is not None:
                self._boxes.add(kept, start)

    def _follows_item(self) -> bool:
        return bool(self._blocks) and self._blocks[-1].group == self._list

    def _append(self, text: str, gap: str) -> int:
        """Append a block's text and give the offset at which it starts."""
        if self._parts:
            self._parts.append(gap)
            self._length += len(gap)
        start = self._length
        self._parts.append(text)
        self._length += len(text)
        return start

    def _start_page(self, page: int, offset: int) -> None:
        # Pages without text start where the next one does.
        while len(self._pages) <= page:
            self._pages.append(offset)
