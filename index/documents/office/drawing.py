"""DrawingML, which slides and the shapes on a sheet have in common: the text of their paragraphs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from index.documents.cleaning import strip_invisible
from index.documents.office.parts import children, descendants, local_name, value

# The number of the slide, which a page's number says.
_OWN_NUMBER = "slidenum"


def paragraph_text(paragraph: Any) -> str:
    """The text of a paragraph, without the number of the slide."""
    texts = []
    for one in paragraph:
        name = local_name(one)
        if name == "br":
            texts.append("\n")
        elif name == "r" or (name == "fld" and value(one, "type") != _OWN_NUMBER):
            texts += [node.text or "" for node in children(one, "t")]
        elif name in ("m", "AlternateContent"):  # a formula
            texts += [node.text or "" for node in descendants(one, "t")]
    # A vertical tab is a line end that was typed with Shift and Enter.
    lines = "".join(texts).replace("_x000B_", "\n").replace("\v", "\n").split("\n")
    return "\n".join(strip_invisible(line).strip() for line in lines).strip()


def drawing_texts(root: Any) -> Iterator[str]:
    """The text of each paragraph in the shapes of a drawing; `root` may be None."""
    for body in descendants(root, "txBody"):
        for paragraph in children(body, "p"):
            if text := paragraph_text(paragraph):
                yield text
