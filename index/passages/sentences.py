"""The sentences of a text."""

from __future__ import annotations

import sentencex

from index.documents.blocks import Offsets

# So many characters are split at a time: of opening quotation marks alone, a megabyte would take a
# quarter of an hour at once.
STRETCH = 8_000


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
