"""The blocks of plain text before it is known which of them are headings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field

from index.documents.blocks import BlockKind
from index.documents.text.forms import FIELD, heading_style, may_be_heading
from index.documents.text.line_wraps import (
    MAX_COLUMN,
    Line,
    join_lines,
    usual_column,
    words_of,
    wrapped_paragraphs,
)
from index.documents.text.lists import Marker, item_starts
from index.documents.text.tables import Rows, is_ruler, split_tables

# Code is indented by so much more than the text around it.
CODE_INDENT = 3
CODE_SHARE = 0.5
# A line is centred where its middle is so near to that of the text's column.
CENTRED = 5
_RULER_SIGNS = frozenset("-=_*~#+^─━═—")
_QUOTED = re.compile(r"(?:>[ \t]?){1,20}")
_CODE = re.compile(
    r"[;{}]$|^(?:\$|>>>|#!|//|/\*|\*/|<\?|</?\w)|^[{}\[\])]{1,9}[,;]?$"
    r"|\w\([^ ]*\)|\w\s?[:+*/-]?=\s?\S|::|->|=>"
)
_UNDERLINE_LEVELS = {"=": "=", "-": "-", "~": "~", "^": "~", "*": "-", "#": "=", "+": "~", '"': "~"}


@dataclass(slots=True)
class Draft:
    """A block of plain text; `style` is how a heading is marked as one, "" where it is none.

    `is_line` is whether it is a line by itself, which may turn out to be a heading.
    """

    kind: BlockKind
    text: str
    page: int = 0
    style: str = ""
    is_line: bool = False
    is_centred: bool = False
    depth: int = 0
    marker: Marker | None = None
    rows: Rows | None = None
    page_starts: list[tuple[int, int]] = field(default_factory=list)


class Drafter:
    """Make drafts of groups of lines, each of which is between two blank lines."""

    def __init__(self, groups: Sequence[Sequence[Line]]) -> None:
        """Learn from the whole text where its lines are wrapped and how far they are indented."""
        lines = [line for group in groups for line in group]
        # In a text without blank lines, each line is a paragraph.
        self._each_line = len(groups) == 1 and lines[0].page == lines[-1].page
        self._column = usual_column(groups)
        self._words: Set[str] = words_of(lines)
        indents: Counter[int] = Counter()
        for group in groups:
            indents[min(line.indent for line in group)] += len(group)
        self._indent = max(indents, key=lambda indent: (indents[indent], -indent), default=0)
        # How far the items of the open lists are indented, outermost first.
        self._lists: list[int] = []
        self._last: Marker | None = None

    def drafts(self, group: Sequence[Line]) -> Iterator[Draft]:
        """The blocks of a group of lines."""
        for part in self._underlined(list(group)):
            if isinstance(part, Draft):
                self._lists = []
                yield part
                continue
            if self._is_code(part):
                yield self._code(part)
                continue
            for run in split_tables(part):
                if run and isinstance(run[0], Line):
                    yield from self._lines([line for line in run if isinstance(line, Line)])
                else:
                    rows = [row for row in run if isinstance(row, list)]
                    self._lists = []
                    yield Draft(BlockKind.TABLE_ROW, "", part[0].page, rows=rows)

    def _underlined(self, lines: list[Line]) -> Iterator[Draft | list[Line]]:
        """Underlined headings, and the lines between them without rulers."""
        rest: list[Line] = []
        for number, line in enumerate(lines):
            if not is_ruler_of_signs(line.text):
                rest.append(line)
                continue
            title = rest[-1] if rest and lines[number - 1] is rest[-1] else None
            if title is None or not _underlines(line, title, alone=len(rest) == 1):
                # The rulers of a table tell its heads and its columns.
                if is_ruler(line.text) and len(lines) > 2 and _is_in_table(lines, number):
                    rest.append(line)
                elif rest:
                    yield rest
                    rest = []
                continue
            rest.pop()
            if rest:
                yield rest
            rest = []
            over = number > 1 and is_ruler_of_signs(lines[number - 2].text)
            style = "over" if over else _UNDERLINE_LEVELS.get(line.text[0], "~")
            yield Draft(BlockKind.HEADING, title.text, title.page, style=style)
        rest = [line for line in rest if not is_ruler(line.text)] if len(rest) == 1 else rest
        if rest:
            yield rest

    def _is_code(self, lines: Sequence[Line]) -> bool:
        """Whether lines are those of a program, or are drawn with signs."""
        inner = min(line.indent for line in lines) - self._indent
        if self._lists and inner < self._lists[-1] + 2 * CODE_INDENT:
            return False
        signs = sum(_CODE.search(line.text[:300]) is not None for line in lines)
        if inner >= CODE_INDENT:
            return signs >= CODE_SHARE * len(lines) and not any(map(_quotes, lines))
        return len(lines) > 2 and signs >= 0.75 * len(lines)

    def _code(self, lines: Sequence[Line]) -> Draft:
        indent = min(line.indent for line in lines)
        text = "\n".join(" " * (line.indent - indent) + line.text for line in lines)
        return Draft(BlockKind.CODE, text, lines[0].page)

    def _lines(self, lines: list[Line]) -> Iterator[Draft]:
        """The drafts of lines that are no table and no code: quotations, list items and paragraphs."""
        at = 0
        while at < len(lines):
            quoted = _quotes(lines[at])
            end = at
            while end < len(lines) and _quotes(lines[end]) == quoted:
                end += 1
            if quoted:
                self._lists = []
                yield from self._quotation(lines[at:end])
            else:
                yield from self._items(lines[at:end])
            at = end

    def _quotation(self, lines: Sequence[Line]) -> Iterator[Draft]:
        paragraph: list[Line] = []
        for line in [*lines, Line(">")]:
            bare = line.text[_QUOTED.match(line.text).end() :].strip()  # type: ignore[union-attr]
            if bare:
                paragraph.append(Line(bare, 0, line.page))
            elif paragraph:
                for draft in self._paragraphs(paragraph):
                    draft.kind, draft.is_line = BlockKind.QUOTATION, False
                    yield draft
                paragraph = []

    def _items(self, lines: list[Line]) -> Iterator[Draft]:
        """The items of a list and the paragraphs around it."""
        starts = item_starts(lines, self._last)
        self._last = next(reversed(starts.values()), self._last)
        first = min(starts, default=len(lines))
        if first:
            yield from self._before_items(lines[:first])
        for start, end in zip(starts, [*list(starts)[1:], len(lines)], strict=False):
            yield from self._item(lines[start:end], starts[start])

    def _before_items(self, lines: list[Line]) -> Iterator[Draft]:
        """The paragraphs in front of a list, or those that go on with the item before them."""
        goes_on = self._lists and min(line.indent for line in lines) >= self._lists[-1] + 2
        if not goes_on:
            self._lists, self._last = [], None
        for draft in self._paragraphs(lines):
            if goes_on:
                draft.kind, draft.is_line = BlockKind.LIST_ITEM, False
                draft.depth = len(self._lists) - 1
            yield draft

    def _item(self, lines: list[Line], marker: Marker) -> Iterator[Draft]:
        indent = lines[0].indent
        while self._lists and self._lists[-1] > indent:
            self._lists.pop()
        if not self._lists or self._lists[-1] + 1 < indent:
            self._lists.append(indent)
        depth = len(self._lists) - 1
        inside = [Line(marker.rest, lines[0].end - len(marker.rest), lines[0].page)]
        rest = list(lines[1:])
        while rest and (rest[0].indent > indent or not inside[-1].ends_sentence):
            inside.append(rest.pop(0))
        text, page_starts = join_lines(inside, self._words)
        yield Draft(
            BlockKind.LIST_ITEM,
            text,
            lines[0].page,
            is_line=len(lines) == 1,
            depth=depth,
            marker=marker,
            page_starts=page_starts,
        )
        if rest:
            yield from self._before_items(rest)

    def _paragraphs(self, lines: list[Line]) -> Iterator[Draft]:
        """The paragraphs of lines, joined where a program has wrapped them."""
        if self._is_centred(lines):
            for line in lines:
                yield Draft(
                    BlockKind.PARAGRAPH, line.text, line.page, is_line=True, is_centred=True
                )
            return
        if len(lines) > 1 and self._has_heading(lines):
            yield Draft(BlockKind.PARAGRAPH, lines[0].text, lines[0].page, is_line=True)
            lines = lines[1:]
        # Where lines are longer than a program would wrap them, each is a paragraph.
        if 3 * sum(len(line.text) > MAX_COLUMN for line in lines) >= len(lines):
            for line in lines:
                yield Draft(BlockKind.PARAGRAPH, line.text, line.page, is_line=True)
            return
        paragraphs = wrapped_paragraphs(lines, self._column)
        if paragraphs is None:
            yield from self._ended_by_hand(lines)
            return
        for paragraph in paragraphs:
            text, starts = join_lines(paragraph, self._words)
            yield Draft(BlockKind.PARAGRAPH, text, paragraph[0].page, page_starts=starts)

    def _ended_by_hand(self, lines: Sequence[Line]) -> Iterator[Draft]:
        """Lines of verse or of an address as one paragraph; fields, each as one."""
        fields = sum(FIELD.match(line.text) is not None for line in lines)
        parted = 2 * fields >= len(lines) or self._each_line
        parts: list[list[Line]] = []
        for line in lines:
            begins = parted and (self._each_line or FIELD.match(line.text))
            if not parts or begins:
                parts.append([])
            parts[-1].append(line)
        for part in parts:
            hanging = parted and all(line.indent > part[0].indent for line in part[1:])
            text = (" " if hanging else "\n").join(" ".join(line.text.split()) for line in part)
            is_line = len(part) == 1 and (parted or len(lines) == 1)
            yield Draft(BlockKind.PARAGRAPH, text, part[0].page, is_line=is_line)

    def _has_heading(self, lines: Sequence[Line]) -> bool:
        """Whether the first line is short for its paragraph, and like a heading."""
        first, second, *rest = lines
        if not (heading_style(first.text) or may_be_heading(first.text)):
            return False
        if not second.text[:1].isupper() or first.indent > second.indent + CODE_INDENT:
            return False
        if not self._column:  # nothing is wrapped, and the second line is a paragraph
            return len(second.text) > len(first.text) and second.ends_sentence
        room = self._column - first.end - 1
        if 2 * len(second.text.split(maxsplit=1)[0]) > room or len(second.text) < 2 * len(
            first.text
        ):
            return False
        return len(second.text) > 100 or wrapped_paragraphs(lines[1:], self._column) is not None

    def _is_centred(self, lines: Sequence[Line]) -> bool:
        """Whether all lines have their middle at that of the text's column."""
        middle = (self._indent + (self._column or 76)) / 2
        return len(lines) < 6 and all(
            line.indent > self._indent + CENTRED
            and abs((line.indent + line.end) / 2 - middle) <= CENTRED
            for line in lines
        )


def is_ruler_of_signs(text: str) -> bool:
    """Whether a line is one sign again and again, with blanks or without; "--" is above a signature."""
    if text == "--":
        return True
    signs = set(text) - {" "}
    return len(signs) == 1 and signs <= _RULER_SIGNS and len(text.replace(" ", "")) > 2


def _underlines(ruler: Line, title: Line, *, alone: bool) -> bool:
    """Whether a ruler makes a heading of the line above it."""
    if " " in ruler.text or ruler.text[0] not in _UNDERLINE_LEVELS or len(title.text) > 120:
        return False
    if not any(map(str.isalnum, title.text)) or "  " in title.text or "|" in title.text:
        return False
    if abs(len(ruler.text) - len(title.text)) <= 1:
        return True
    return alone and not title.ends_sentence and len(ruler.text) >= len(title.text) / 2


def _is_in_table(lines: Sequence[Line], number: int) -> bool:
    """Whether a line above or below a ruler has columns."""
    around = [*lines[max(0, number - 1) : number], *lines[number + 1 : number + 2]]
    return " " in lines[number].text or any(
        "  " in line.text or "|" in line.text for line in around
    )


def _quotes(line: Line) -> bool:
    return line.text.startswith(">") and not line.text.startswith(">>> ")
