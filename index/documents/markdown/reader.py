"""Markdown in, its blocks out: CommonMark with GitHub's tables, strikethrough, tasks and footnotes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markdown_it.token import Token

from index.documents.blocks import BlockKind
from index.documents.builder import ContentBuilder
from index.documents.cleaning import clean
from index.documents.content import Content, Metadata
from index.documents.html.fragments import fragment_pieces
from index.documents.markdown.front_matter import split_front_matter
from index.documents.markdown.parsers import (
    MAX_NESTING,
    Environment,
    InlineText,
    block_parser,
    tidy_lines,
)
from index.documents.tables import DraftCell
from index.documents.text.reader import read_plain_text

_TASK = re.compile(r"\[([ xX])\][ \t]+")
_CELL_END = re.compile(r"(?<!\\)\|")
_HTML_HEADING = re.compile(r"h[1-6]")
_PARAGRAPH = frozenset({"paragraph_open", "paragraph_close", "inline"})
_TEXT = frozenset({"text", "softbreak"})
_LISTS = ("bullet_list", "ordered_list")


def read_markdown(text: str) -> Content:
    """Read Markdown; text without any markup is read as plain text."""
    fields, body = split_front_matter(clean(text).lstrip("\ufeff"))
    environment: Environment = {"notes": []}
    tokens = block_parser().parse(body, environment)
    inline = InlineText(environment)
    too_deep = any(token.level >= MAX_NESTING - 1 for token in tokens)
    if too_deep or (not fields and _is_plain(tokens, inline)):
        return read_plain_text(text)
    builder = ContentBuilder()
    title_heading = _title_heading(tokens, fields.get("title", ""))
    writer = _Writer(builder, inline, environment, body, title_heading)
    above = 3 if title_heading is not None and title_heading is tokens[0] else 0
    writer.write(tokens[:above])
    _write_fields(builder, fields, has_heading=title_heading is not None)
    writer.write(tokens[above:])
    known = {key.lower(): value for key, value in fields.items()}
    return builder.build(
        title=fields.get("title", "") or _first_heading(tokens, inline),
        metadata=Metadata(
            author=known.get("author") or known.get("authors", ""),
            date=known.get("date", ""),
            language=known.get("lang") or known.get("language", ""),
        ),
    )


def _is_plain(tokens: Sequence[Token], inline: InlineText) -> bool:
    """Whether a text has no markup at all."""
    return all(
        token.type in _PARAGRAPH
        and (token.type != "inline" or all(one.type in _TEXT for one in inline.parse(token)))
        for token in tokens
    )


def _title_heading(tokens: Sequence[Token], title: str) -> Token | None:
    """The heading that is the document's title: the first one, and the only one of the top level."""
    headings = [at for at, token in enumerate(tokens) if token.type == "heading_open"]
    tops = [at for at in headings if tokens[at].tag == "h1" and not tokens[at].level]
    if len(tops) != 1 or tops[0] != headings[0]:
        return None
    same = " ".join(tokens[tops[0] + 1].content.split()).casefold() == title.casefold()
    return tokens[tops[0]] if same or not title else None


def _first_heading(tokens: Sequence[Token], inline: InlineText) -> str:
    """The document's first heading, "" where that is none of the top level."""
    for token, text in pairwise(tokens):
        if token.type == "heading_open":
            return inline.text(text) if token.tag == "h1" else ""
    return ""


def _write_fields(builder: ContentBuilder, fields: dict[str, str], *, has_heading: bool) -> None:
    """Write the front matter: its title, who wrote the text and when, and the rest as boilerplate."""
    if fields.get("title") and not has_heading:
        builder.title(fields["title"])
    for key, value in fields.items():
        if key.lower() in ("title", "lang", "language") or not value:
            continue
        known = key.lower() in ("author", "authors", "date")
        builder.add(BlockKind.PARAGRAPH if known else BlockKind.BOILERPLATE, f"{key}: {value}")


@dataclass(slots=True)
class _List:
    """An open list: its next number where it has numbers, and the marker of the open item.

    The marker is empty once the item's first block has it.
    """

    number: int | None
    delimiter: str
    marker: str = ""

    def open_item(self) -> None:
        """Go on to the next item."""
        self.marker = "•"
        if self.number is not None:
            self.marker = f"{self.number}{self.delimiter}"
            self.number += 1


class _Writer:
    """Write blocks for the tokens of a parsed text, whose lists and quotations may be nested."""

    def __init__(
        self,
        builder: ContentBuilder,
        inline: InlineText,
        environment: Environment,
        source: str,
        title_heading: Token | None = None,
    ) -> None:
        self._builder, self._inline, self._environment = builder, inline, environment
        self._source = source.split("\n")
        self._title_heading = title_heading
        self._lists: list[_List] = []
        self._quotations = 0
        self._heading: Token | None = None
        self._rows: list[list[DraftCell]] | None = None
        self._row: Token | None = None
        self._cell: Token | None = None

    def write(self, tokens: Sequence[Token]) -> None:
        """Write the blocks of some tokens."""
        for token in tokens:
            name, _, edge = token.type.rpartition("_")
            if edge == "open":
                self._open(name, token)
            elif edge == "close":
                self._close(name)
            elif token.type == "inline":
                self._write_inline(token)
            elif token.type in ("fence", "code_block"):
                self._builder.add(BlockKind.CODE, token.content)
            elif token.type == "html_block":
                self._write_html(token.content)
            elif token.type == "footnote":
                self._write_note(token)

    def _open(self, name: str, token: Token) -> None:
        if name in _LISTS:
            if not self._lists:
                self._builder.end_list()
            number = int(token.attrs.get("start", 1)) if name == "ordered_list" else None
            self._lists.append(_List(number, token.markup))
        elif name == "list_item":
            self._lists[-1].open_item()
        elif name == "blockquote":
            self._quotations += 1
        elif name == "heading":
            self._heading = token
        elif name == "table":
            self._rows = []
        elif name == "tr" and self._rows is not None:
            self._rows.append([])
            self._row = token
        elif name in ("th", "td"):
            self._cell = token

    def _close(self, name: str) -> None:
        if name in _LISTS:
            self._lists.pop()
        elif name == "blockquote":
            self._quotations -= 1
        elif name == "heading":
            self._heading = None
        elif name == "tr" and self._rows is not None:
            self._add_excess_cells(self._rows[-1])
        elif name == "table" and self._rows is not None:
            self._builder.table(self._rows)
            self._rows = None

    def _add_excess_cells(self, row: list[DraftCell]) -> None:
        """Add the cells of the open row that the parser drops, as those right of the last head."""
        if self._row is None or not self._row.map:
            return
        line = self._source[self._row.map[0]].strip().strip("|")
        for words in _CELL_END.split(line)[len(row) :]:
            if words.strip():
                token = Token("inline", "", 0, content=words.strip())
                row.append(DraftCell(self._inline.text(token)))

    def _write_inline(self, token: Token) -> None:
        text = self._inline.text(token)
        if self._rows is not None and self._cell is not None:
            self._rows[-1].append(DraftCell(text, is_head=self._cell.type == "th_open"))
        elif self._heading is not None and not self._lists and not self._quotations:
            if self._heading is self._title_heading:
                self._builder.title(text)
            else:
                self._builder.heading(text, int(self._heading.tag[1]))
        else:
            self._write_text(text, caption=self._inline.is_image(token))

    def _write_text(self, text: str, *, caption: bool = False) -> None:
        """Write a paragraph, as what the open lists and quotations make of it."""
        if self._lists:
            self._write_item(text)
        elif self._quotations:
            self._builder.add(BlockKind.QUOTATION, text)
        else:
            self._builder.add(BlockKind.CAPTION if caption else BlockKind.PARAGRAPH, text)

    def _write_item(self, text: str) -> None:
        item = self._lists[-1]
        task = _TASK.match(text) if item.marker else None
        if task:
            text = text[task.end() :]
            item.marker = "☐" if task[1] == " " else "☑"
        self._builder.list_item(text, depth=len(self._lists) - 1, marker=item.marker)
        item.marker = ""

    def _write_html(self, fragment: str) -> None:
        rows: list[list[DraftCell]] = []
        for piece in fragment_pieces(fragment):
            text = tidy_lines(piece.text).strip()
            if piece.element == "tr" or (piece.element in ("td", "th") and not rows):
                rows.append([])
            if piece.element in ("td", "th"):
                rows[-1].append(DraftCell(text, is_head=piece.element == "th"))
            elif text:
                if rows:
                    self._builder.table(rows)
                rows = []
                self._write_piece(piece.element, text)
        if rows:
            self._builder.table(rows)

    def _write_piece(self, element: str, text: str) -> None:
        if _HTML_HEADING.fullmatch(element) and not self._lists:
            self._builder.heading(text, int(element[1]))
        elif element == "li":
            self._builder.list_item(text, depth=len(self._lists))
        else:
            self._write_text(text)

    def _write_note(self, note: Token) -> None:
        """Write a footnote with the mark that the text has for it."""
        parser = block_parser()
        parser.block.ruler.disable("footnote")  # or notes within notes would nest without end
        tokens = parser.parse(note.content, self._environment)
        first = next((token for token in tokens if token.type == "inline"), None)
        mark = f"[{note.meta['label']}]"
        if first is None:
            self._builder.paragraph(mark)
        else:
            first.content = f"{mark} {first.content}"
        _Writer(self._builder, self._inline, self._environment, note.content).write(tokens)
