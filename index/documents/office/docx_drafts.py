"""The blocks of a Word document before they are written: what spans several paragraphs is told here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from index.documents.blocks import BlockKind
from index.documents.builder import ContentBuilder
from index.documents.content import Content
from index.documents.tables import DraftCell
from index.documents.text.forms import may_be_heading

# A bold line of its own is a heading up to so many characters, and no more than so many in a row.
MAX_BOLD_HEADING = 100
MAX_BOLD_HEADINGS = 2

NoteReference = tuple[str, str, str]  # the kind of note, its id, and its own mark


@dataclass(frozen=True, slots=True)
class Draft:
    """A paragraph as a block; `list_id` tells lists apart, `bold` is whether all its words are."""

    kind: BlockKind
    text: str
    level: int = 0
    marker: str = ""
    list_id: str = ""
    bold: bool = False
    notes: tuple[NoteReference, ...] = ()


@dataclass(frozen=True, slots=True)
class TableDraft:
    """A table."""

    rows: list[list[DraftCell]]
    notes: tuple[NoteReference, ...] = ()


def write_drafts(
    drafts: Iterable[Draft | TableDraft],
    note: Callable[[str, str, str], list[Draft]],
    headers: Sequence[str],
    footers: Sequence[str],
) -> Content:
    """Write the blocks; `note` gives those of a note by its reference, in the order of the text."""
    writer = _Writer(note)
    for line in headers:
        writer.builder.add(BlockKind.BOILERPLATE, line)
    for draft in _with_bold_headings(_with_whole_code(drafts)):
        writer.write(draft)
    writer.end_section()
    writer.write_notes(writer.endnotes)
    writer.builder.end_section(1)
    for line in footers:
        writer.builder.add(BlockKind.BOILERPLATE, line)
    return writer.builder.build()


class _Writer:
    """Writes drafts, with the notes of a section at its end."""

    def __init__(self, note: Callable[[str, str, str], list[Draft]]) -> None:
        self.builder = ContentBuilder()
        self.endnotes: list[Draft] = []
        self._footnotes: list[Draft] = []
        self._note = note
        self._list_id = ""
        self._has_title = False

    def write(self, draft: Draft | TableDraft) -> None:
        """Write a block and keep its notes for later."""
        if isinstance(draft, TableDraft):
            self.builder.table(draft.rows)
        elif draft.kind is BlockKind.TITLE and not self._has_title:
            self.builder.title(draft.text)
            self._has_title = True
        elif draft.kind in (BlockKind.TITLE, BlockKind.HEADING):
            self.end_section()
            self.builder.heading(draft.text, draft.level)
        elif draft.kind is BlockKind.LIST_ITEM:
            if not draft.level and draft.list_id != self._list_id:
                self.builder.end_list()
                self._list_id = draft.list_id
            self.builder.list_item(draft.text, depth=draft.level, marker=draft.marker)
        else:
            self.builder.add(draft.kind, draft.text)
        for reference in draft.notes:
            kept = self.endnotes if reference[0] == "endnote" else self._footnotes
            kept += self._note(*reference)

    def end_section(self) -> None:
        """Write the footnotes of the section that ends."""
        self.write_notes(self._footnotes)
        self._footnotes = []

    def write_notes(self, notes: Sequence[Draft]) -> None:
        """Write notes as a list, each with its number."""
        self.builder.end_list()
        for one in notes:
            self.builder.list_item(one.text, marker=one.marker)
        self.builder.end_list()


def _with_whole_code(drafts: Iterable[Draft | TableDraft]) -> list[Draft | TableDraft]:
    """The drafts with the lines of a program, a paragraph each, as one block."""
    made: list[Draft | TableDraft] = []
    for draft in drafts:
        last = made[-1] if made else None
        if (
            isinstance(draft, Draft)
            and isinstance(last, Draft)
            and draft.kind is BlockKind.CODE is last.kind
        ):
            made[-1] = replace(
                last, text=f"{last.text}\n{draft.text}", notes=last.notes + draft.notes
            )
        else:
            made.append(draft)
    return made


def _with_bold_headings(drafts: Sequence[Draft | TableDraft]) -> list[Draft | TableDraft]:
    """The drafts with bold lines as headings, below those that have a heading's style."""
    made: list[Draft | TableDraft] = []
    waiting: list[Draft] = []
    level = 0
    for draft in (*drafts, None):
        if isinstance(draft, Draft) and _is_bold_line(draft):
            waiting.append(draft)
            continue
        are_headings = len(waiting) <= MAX_BOLD_HEADINGS and not (
            draft is None or (isinstance(draft, Draft) and draft.kind in _HEADINGS)
        )
        for depth, line in enumerate(waiting, 1):
            made.append(
                replace(line, kind=BlockKind.HEADING, level=level + depth) if are_headings else line
            )
        waiting = []
        if draft is not None:
            made.append(draft)
            if isinstance(draft, Draft) and draft.kind is BlockKind.HEADING:
                level = draft.level
    return made


_HEADINGS = (BlockKind.TITLE, BlockKind.HEADING)


def _is_bold_line(draft: Draft) -> bool:
    return (
        draft.bold
        and draft.kind is BlockKind.PARAGRAPH
        and len(draft.text) <= MAX_BOLD_HEADING
        and may_be_heading(draft.text)
    )
