"""Split a document into passages and their sentences, each with its exact offsets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import groupby

from index.documents.blocks import Block, BlockKind, section_path
from index.documents.document import Document
from index.passages.context import (
    FULL_CONTEXT,
    PATH_SEPARATOR,
    Context,
    ContextOptions,
    Segment,
    cells_context,
    join_contexts,
    plain_context,
    row_context,
)
from index.passages.passage import Passage
from index.passages.sentences import split_sentences

# Shorter than this, in word pieces, a block says too little by itself ("Yes.", "Seoul, June 3.").
STUB_PIECES = 8
# The most word pieces of the title and the headings in front of a passage, and the most of its room.
MAX_HEADER_PIECES = 32
MAX_HEADER_SHARE = 1 / 4

CountPieces = Callable[[Sequence[str]], list[int]]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A sentence, a heading or a row, which a cut does not go through while it fits a passage."""

    block: int
    start: int
    end: int
    context: Context
    size: int
    is_heading: bool = False


def split_passages(
    document: Document,
    count_pieces: CountPieces,
    max_pieces: int,
    options: ContextOptions = FULL_CONTEXT,
) -> tuple[Passage, ...]:
    """Cut a document into passages of at most max_pieces word pieces, with their context.

    A passage is a paragraph with the headings and the very short blocks before it, or a list or a table
    with the paragraph that leads in. What is too long is cut between sentences, items or rows into parts
    of like size. Every character but white space between passages is in exactly one of them.
    """
    return _Splitter(document, count_pieces, max_pieces, options).split()


class _Splitter:
    """One document on its way to passages."""

    def __init__(
        self,
        document: Document,
        count_pieces: CountPieces,
        max_pieces: int,
        options: ContextOptions,
    ) -> None:
        self._document = document
        self._text = document.text
        self._blocks = document.blocks
        self._count = count_pieces
        self._max = max_pieces
        self._max_header = min(MAX_HEADER_PIECES, int(max_pieces * MAX_HEADER_SHARE))
        self._room = max(1, max_pieces - self._max_header)  # of one piece beside a header
        self._options = options
        self._headers: dict[tuple[int, ...], tuple[str, int]] = {}  # by what is in them
        self._passages: list[Passage] = []

    def split(self) -> tuple[Passage, ...]:
        # A document of nothing but boilerplate is what the person wants to read.
        has_text = any(block.kind is not BlockKind.BOILERPLATE for block in self._blocks)
        pending: list[_Piece] = []  # headings and short blocks, for what follows
        lead_in = ""
        for run in self._runs():
            pieces = [piece for number in run for piece in self._pieces(number)]
            first = self._blocks[run[0]]
            size = sum(piece.size for piece in pieces)
            if has_text and first.kind is BlockKind.BOILERPLATE:
                self._close(pending)
                self._close(pieces, boilerplate=True)
                pending, lead_in = [], ""
            elif first.is_heading:
                if any(not piece.is_heading for piece in pending):
                    self._close(pending, lead_in)
                    pending = []
                pending += pieces
                lead_in = ""
            elif self._leads_in(run[-1]):
                pending += pieces
                lead_in = pieces[-1].context.text
                if size > self._max // 2:
                    self._close(pending)
                    pending = []
            elif size < STUB_PIECES and first.group is None:
                pending += pieces
            else:
                self._close([*pending, *pieces], lead_in)
                pending, lead_in = [], ""
        self._close(pending, lead_in)
        return tuple(self._passages)

    def _runs(self) -> Iterator[list[int]]:
        """The numbers of the blocks: of one list or table together, of others each by itself."""

        def key(number: int) -> tuple[str, int]:
            group = self._blocks[number].group
            return ("", number) if group is None else ("group", group)

        for _, run in groupby(range(len(self._blocks)), key):
            yield list(run)

    def _leads_in(self, number: int) -> bool:
        """Whether a list or a table follows a block that is not part of one, in its section."""
        if number + 1 == len(self._blocks):
            return False
        block, following = self._blocks[number : number + 2]
        return (
            block.group is None
            and following.group is not None
            and following.section == block.section
        )

    def _close(
        self, pieces: Sequence[_Piece], lead_in: str = "", *, boilerplate: bool = False
    ) -> None:
        """Make passages of pieces, which all stand under one heading."""
        if not pieces:
            return
        (lead_in_size,) = self._count([lead_in]) if lead_in else (0,)
        if not self._options.lead_in or lead_in_size > self._max // 4:
            lead_in, lead_in_size = "", 0
        _, header_size = self._header(pieces[-1].block)
        for part in _cut(pieces, max(1, self._max - header_size - lead_in_size)):
            self._passages.append(self._passage(part, lead_in, boilerplate))

    def _passage(self, part: Sequence[_Piece], lead_in: str, boilerplate: bool) -> Passage:
        text, start, end = self._text, part[0].start, part[-1].end
        header, _ = self._header(part[-1].block, {piece.block for piece in part})
        if lead_in and self._is_item(part[0]):
            header = f"{header}\n{lead_in}" if header else lead_in
        gaps = [text[a.end : b.start] for a, b in zip(part, part[1:], strict=False)]
        context, places = join_contexts(header, [piece.context for piece in part], gaps)
        # A heading names what is below it, and answers only where nothing is.
        only_headings = all(piece.is_heading for piece in part)
        sentences = [
            ((piece.start, piece.end), place)
            for piece, place in zip(part, places, strict=True)
            if only_headings or not piece.is_heading
        ]
        segments = _merged(context.segments, part)
        first = sentences[0][1][0]
        return Passage(
            document_id=self._document.id,
            start=start,
            end=end,
            text=text[start:end],
            sentences=tuple(offsets for offsets, _ in sentences),
            context=Context(context.text, tuple(s for s in segments if s.at >= first)),
            context_sentences=tuple(place for _, place in sentences),
            boilerplate=boilerplate,
        )

    def _is_item(self, piece: _Piece) -> bool:
        return self._blocks[piece.block].group is not None

    def _header(self, number: int, part: Set[int] = frozenset()) -> tuple[str, int]:
        """The title and the headings above a block, but for those in its part, and their pieces."""
        headings = [at for at in section_path(self._blocks, number) if at not in part]
        in_part = (self._text_of(at) for at in part if self._blocks[at].is_heading)
        shows_title = self._document.title not in in_part
        key = (shows_title, *headings)
        if key not in self._headers:
            self._headers[key] = self._make_header(headings, shows_title)
        return self._headers[key]

    def _make_header(self, headings: Sequence[int], shows_title: bool) -> tuple[str, int]:
        title = self._document.title
        parts = [title] if shows_title and self._options.title else []
        if self._options.section:
            parts += [words for at in headings if (words := self._text_of(at)) != title]
        while parts:
            header = PATH_SEPARATOR.join(parts)
            (size,) = self._count([header])
            if size <= self._max_header:
                return header, size
            # The title and the nearest heading say most.
            del parts[len(parts) // 2 if len(parts) > 2 else 0]
        return "", 0

    def _text_of(self, number: int) -> str:
        block = self._blocks[number]
        return self._text[block.start : block.end]

    def _pieces(self, number: int) -> list[_Piece]:
        block = self._blocks[number]
        if block.kind is BlockKind.TABLE_ROW:
            return self._row_pieces(number, block)
        offsets = [(block.start, block.end)]
        if not block.is_heading:
            offsets = split_sentences(self._text, block.start, block.end)
        contexts = [plain_context(self._text, *pair) for pair in offsets]
        sizes = self._count([context.text for context in contexts])
        pieces = []
        for (start, end), context, size in zip(offsets, contexts, sizes, strict=True):
            if size > self._room:
                pieces += self._break(number, start, end, size)
            else:
                pieces.append(_Piece(number, start, end, context, size, block.is_heading))
        return pieces

    def _row_pieces(self, number: int, row: Block) -> list[_Piece]:
        context = row_context(self._text, row, self._options)
        (size,) = self._count([context.text])
        if size <= self._room:
            return [_Piece(number, row.start, row.end, context, size)]
        pieces = []
        for cell in row.cells:
            if cell.start == cell.end:
                continue
            context = cells_context(self._text, row, [cell], self._options)
            (size,) = self._count([context.text])
            if size <= self._room:
                pieces.append(_Piece(number, cell.start, cell.end, context, size))
            else:
                pieces += self._break(number, cell.start, cell.end, size)
        return pieces

    def _break(self, number: int, start: int, end: int, size: int) -> list[_Piece]:
        """Break a sentence that is too long by itself: between words, or in a word without end."""
        text = self._text
        if size <= self._room or end - start < 2:
            return [_Piece(number, start, end, plain_context(text, start, end), size)]
        middle = (start + end) // 2
        spaces = [m.start() for m in re.finditer(r"\s+", text[start:end])]
        if spaces:
            middle = start + min(spaces, key=lambda s: abs(start + s - middle))
        halves = []
        for left, right in ((start, middle), (middle, end)):
            half = text[left:right]
            if half.strip():
                left += len(half) - len(half.lstrip())
                right = left + len(half.strip())
                (size,) = self._count([text[left:right]])
                halves += self._break(number, left, right, size)
        return halves


def _merged(segments: Sequence[Segment], part: Sequence[_Piece]) -> tuple[Segment, ...]:
    """The segments, with those made one that follow each other in one block's running text."""
    owners = [piece.block for piece in part for _ in piece.context.segments]
    merged: list[Segment] = []
    last_owner = None
    for segment, owner in zip(segments, owners, strict=True):
        last = merged[-1] if merged else None
        if (
            last
            and owner == last_owner
            and segment.at - last.at == segment.start - last.start  # nothing but the text between
        ):
            merged[-1] = last._replace(end=segment.end)
        else:
            merged.append(segment)
        last_owner = owner
    return tuple(merged)


def _cut(pieces: Sequence[_Piece], max_pieces: int) -> list[list[_Piece]]:
    """Share pieces out among as few parts as fit, of like size rather than full ones and a rest."""
    total = sum(p.size for p in pieces)
    aim = total / -(-total // max_pieces) if total else 0
    parts: list[list[_Piece]] = [[]]
    size = 0
    for piece in pieces:
        # A heading at a part's end belongs to what follows it, so it never closes a part.
        if parts[-1] and (
            size + piece.size > max_pieces or (size >= aim and not parts[-1][-1].is_heading)
        ):
            parts.append([])
            size = 0
        parts[-1].append(piece)
        size += piece.size
    return parts
