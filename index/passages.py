"""A document in, its passages and their sentences out, each with its exact offsets."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sentencex

from index.documents.document import Document, is_heading, paragraphs

# Shorter than this, in word pieces, a paragraph says too little by itself ("Yes.", "Seoul, June 3.")
STUB_PIECES = 8

# Page furniture is told by its form, as an advert blocker does: a short line of its own that tells
# the reader what to do with the page. A whole phrase must fit, so that "Click beetles can jump." and
# "Read was born in Leeds." stay text.
_ASIDE = (
    r"(?:\W*(?:here|now|below|above|also|more|all|on|us|our|the|this|these|for|to|and|in|a|of|at|by"
    r"|with|from|your|free))*"
)
_THING = (
    r"(?:videos?|photos?|pictures?|gallery|galleries|stor(?:y|ies)|articles?|news|newsletters?|posts?"
    r"|podcasts?|coverage|updates?|link|links|comments?|app|page|site|website|channel|topics?|reading)"
)
_FURNITURE = re.compile(
    rf"""\W*(?:
      (?:click|tap|swipe|press)\b{_ASIDE}
        (?:\W*(?:watch|read|see|view|subscribe|share|download|related|full|{_THING}))*{_ASIDE}
    | (?:watch|read|see|view|listen)\b{_ASIDE}(?:\W*(?:related|more|full|next|also|all))+
        (?:\W*{_THING})*(?:\W*:.*)?
    | (?:watch|read|listen)(?:\s+(?:also|more|next|now))?:.*
    | (?:related|recommended|popular|trending|latest|more|most\s+read)\b{_ASIDE}\W*{_THING}
    | (?:view|read|see|load|show|hide)\s+(?:all\s+|more\s+)?(?:comments?|more)
    | (?:leave|post|add)\s+a\s+comment
    | (?:subscribe|sign\s+up|sign\s+in|log\s+in|register)\b(?:{_ASIDE}\W*{_THING})*{_ASIDE}
    | (?:follow|like|find|join)\s+us\s+on\b.*
    | share\s+(?:this|on|via)\b(?:\W*\w+){{0,4}}
    | (?:advertisements?|advert|sponsored(?:\s+content)?|story\s+continues\s+below.*)
    | (?:copyright\s*)?(?:©|\(c\)|copyright\s+\d{{4}}).*
    | all\s+rights\s+reserved
    | (?:we\s+use|this\s+(?:web)?site\s+uses)\s+cookies.*
    | (?:skip\s+to|back\s+to|jump\s+to)\s+(?:the\s+)?(?:top|content|main\s+content|navigation)
    )\W*""",
    re.IGNORECASE | re.VERBOSE,
)
MAX_FURNITURE = 120
# So many characters of a paragraph are parted into sentences at a time: of opening quotation marks
# alone, a megabyte would take a quarter of an hour at once.
STRETCH = 8_000

CountPieces = Callable[[Sequence[str]], list[int]]
Offsets = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of the document, `text == document.text[start:end]`, with its sentences' offsets.

    Headings within it are not among its sentences. Furniture ("Click to watch related videos.") is
    kept, since no text is lost, but never ranks above real text and never answers.
    """

    document_id: str
    start: int
    end: int
    text: str
    sentences: tuple[Offsets, ...]
    furniture: bool = False


@dataclass(frozen=True, slots=True)
class _Piece:
    """A sentence or a heading, which a cut does not go through while it fits a passage."""

    start: int
    end: int
    size: int
    heading: bool


def split_passages(
    document: Document, count_pieces: CountPieces, max_pieces: int
) -> tuple[Passage, ...]:
    """Cut a document into passages of at most max_pieces word pieces.

    A passage is a paragraph. A long one is cut at sentence ends into parts of like size; a heading
    or a stub goes with the paragraph after it. Every character but white space between passages is
    in exactly one of them.
    """
    text = document.text
    spans = paragraphs(text)
    # A text that is nothing but furniture is what the person wants to read.
    has_text = not all(is_furniture(text[start:end]) for start, end in spans)
    pieces_of = [_pieces(text, offsets, count_pieces, max_pieces) for offsets in spans]
    passages: list[Passage] = []
    waiting: list[_Piece] = []  # headings and stubs, for the paragraph that follows

    def close(pieces: Sequence[_Piece], furniture: bool = False) -> None:
        for part in _cut(pieces, max_pieces):
            start, end = part[0].start, part[-1].end
            sentences = [p for p in part if not p.heading] or part
            passages.append(
                Passage(
                    document_id=document.id,
                    start=start,
                    end=end,
                    text=text[start:end],
                    sentences=tuple((p.start, p.end) for p in sentences),
                    furniture=furniture,
                )
            )

    for pieces in pieces_of:
        paragraph = text[pieces[0].start : pieces[-1].end]
        if has_text and is_furniture(paragraph):
            if waiting:
                close(waiting)
                waiting = []
            close(pieces, furniture=True)
        elif pieces[0].heading or sum(p.size for p in pieces) < STUB_PIECES:
            waiting += pieces
        else:
            close([*waiting, *pieces])
            waiting = []
    if waiting:
        close(waiting)
    return tuple(passages)


def split_sentences(text: str, start: int, end: int) -> list[Offsets]:
    """Offsets of the sentences of text[start:end], without the white space around them."""
    found = []
    while start < end:
        stretch = text[start : min(end, start + STRETCH)]
        boundaries = sentencex.get_sentence_boundaries("en", stretch)
        # The last one may go on after the stretch.
        if start + len(stretch) < end and len(boundaries) > 1:
            boundaries.pop()
        for boundary in boundaries:
            left, right = start + boundary["start_index"], start + boundary["end_index"]
            sentence = text[left:right]
            if sentence.strip():
                left += len(sentence) - len(sentence.lstrip())
                found.append((left, left + len(sentence.strip())))
        start += boundaries[-1]["end_index"]
    return found


def sentence_texts(passages: Sequence[Passage]) -> list[str]:
    """The text of every sentence, passage by passage."""
    return [p.text[a - p.start : b - p.start] for p in passages for a, b in p.sentences]


def is_furniture(paragraph: str) -> bool:
    """Whether a paragraph is an instruction of the page around the text, not of the text."""
    return len(paragraph) <= MAX_FURNITURE and _FURNITURE.fullmatch(paragraph) is not None


def _pieces(
    text: str, paragraph: Offsets, count_pieces: CountPieces, max_pieces: int
) -> list[_Piece]:
    start, end = paragraph
    if is_heading(text[start:end]):
        (size,) = count_pieces([text[start:end]])
        if size <= max_pieces // 4:
            return [_Piece(start, end, size, heading=True)]
    sentences = split_sentences(text, start, end)
    sizes = count_pieces([text[a:b] for a, b in sentences])
    pieces = []
    for (a, b), size in zip(sentences, sizes, strict=True):
        if size <= max_pieces:
            pieces.append(_Piece(a, b, size, heading=False))
        else:
            pieces += _break(text, a, b, count_pieces, max_pieces)
    return pieces


def _break(
    text: str, start: int, end: int, count_pieces: CountPieces, max_pieces: int
) -> list[_Piece]:
    """Break a sentence that is too long by itself: between words, or in a word without end."""
    (size,) = count_pieces([text[start:end]])
    if size <= max_pieces or end - start < 2:
        return [_Piece(start, end, size, heading=False)]
    middle = (start + end) // 2
    spaces = [m.start() for m in re.finditer(r"\s+", text[start:end])]
    if spaces:
        middle = start + min(spaces, key=lambda s: abs(start + s - middle))
    halves = []
    for left, right in ((start, middle), (middle, end)):
        half = text[left:right]
        if half.strip():
            left += len(half) - len(half.lstrip())
            halves += _break(text, left, left + len(half.strip()), count_pieces, max_pieces)
    return halves


def _cut(pieces: Sequence[_Piece], max_pieces: int) -> list[list[_Piece]]:
    """Share pieces out among as few parts as fit, of like size rather than full ones and a rest."""
    total = sum(p.size for p in pieces)
    aim = total / -(-total // max_pieces) if total else 0
    parts: list[list[_Piece]] = [[]]
    size = 0
    for piece in pieces:
        # A heading at a part's end belongs to what follows it, so it never closes a part.
        if parts[-1] and (
            size + piece.size > max_pieces or (size >= aim and not parts[-1][-1].heading)
        ):
            parts.append([])
            size = 0
        parts[-1].append(piece)
        size += piece.size
    return parts
