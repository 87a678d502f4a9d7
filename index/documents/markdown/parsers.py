"""The parsers of Markdown: one of blocks, with footnotes, and one of the text within them."""

from __future__ import annotations

import re
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from index.documents.html.fragments import tag_text

# The parser drops what is nested deeper, and Python ends a recursion of 1000 calls, of which each level
# takes five.
MAX_NESTING = 100
# Brackets within brackets take the parser time in proportion to this; what is deeper is text.
MAX_INLINE_NESTING = 20
_NOTE = re.compile(r"\[\^([^\]\s]{1,50})\]:[ \t]*")
_NOTE_MARK = re.compile(r"\[\^([^\]\s]{1,50})\]")

Environment = dict[str, Any]  # what the parser keeps for a document: references and footnotes


def block_parser() -> MarkdownIt:
    """A parser of blocks, which leaves the text within them as it is."""
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING})
    parser.enable("table").disable("inline")
    parser.block.ruler.before(
        "reference", "footnote", _footnote_rule, {"alt": ["paragraph", "reference"]}
    )
    return parser


def _footnote_rule(state: StateBlock, line: int, last_line: int, silent: bool) -> bool:
    """Take the lines of a footnote, "[^1]: text", with those below it that are indented by four."""
    start = state.bMarks[line] + state.tShift[line]
    found = _NOTE.match(state.src, start, state.eMarks[line])
    if found is None or state.is_code_block(line):
        return False
    if silent:
        return True
    end = line + 1
    while end < last_line:
        ahead = end
        while ahead < last_line and state.isEmpty(ahead):
            ahead += 1
        if ahead == last_line:
            break
        goes_on = ahead == end and not _NOTE.match(
            state.src, state.bMarks[end] + state.tShift[end], state.eMarks[end]
        )
        if not goes_on and state.sCount[ahead] - state.blkIndent < 4:
            break
        end = ahead + 1
    token = state.push("footnote", "", 0)
    first = state.src[found.end() : state.eMarks[line]]
    token.content = f"{first}\n{state.getLines(line + 1, end, state.blkIndent + 4, False)}"
    token.meta = {"label": found[1]}
    state.env["notes"].append(found[1])
    state.line = end
    return True


class InlineText:
    """The text within blocks, without its markup."""

    def __init__(self, environment: Environment) -> None:
        self._parser = MarkdownIt("commonmark", {"maxNesting": MAX_INLINE_NESTING})
        self._parser.enable("strikethrough")
        self._environment = environment

    def parse(self, token: Token) -> list[Token]:
        """The parts of a token's text."""
        found: list[Token] = []
        self._parser.inline.parse(token.content, self._parser, self._environment, found)
        return found

    def text(self, token: Token) -> str:
        """The text of a token; a line end in it is one that readers see."""
        return tidy_lines("".join(map(self._part, self.parse(token))))

    def is_image(self, token: Token) -> bool:
        """Whether there is nothing but images."""
        if "![" not in token.content:
            return False
        parts = [part for part in self.parse(token) if part.content.strip() or part.type == "image"]
        return bool(parts) and all(part.type == "image" for part in parts)

    def _part(self, part: Token) -> str:
        if part.type == "text":
            notes = self._environment["notes"]
            return _NOTE_MARK.sub(
                lambda mark: f"[{mark[1]}]" if mark[1] in notes else mark[0], part.content
            )
        if part.type == "softbreak":
            return " "
        if part.type == "hardbreak":
            return "\n"
        if part.type == "html_inline":
            return tag_text(part.content)
        if part.type == "image":  # its alternative text may have markup
            return "".join(map(self._part, part.children or ()))
        return part.content

    def _note_mark(self, mark: re.Match[str]) -> str:
        return f"[{mark[1]}]" if mark[1] in self._environment["notes"] else mark[0]


def tidy_lines(text: str) -> str:
    """The text with single blanks, and without those around its line ends."""
    return "\n".join(" ".join(line.split()) for line in text.split("\n"))
