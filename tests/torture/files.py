"""Files that are hostile on purpose, and good ones that were harmed."""

from __future__ import annotations

import io
import random
from collections.abc import Generator

from docx import Document as WordDocument
from reportlab.pdfgen.canvas import Canvas

from index.documents.parser_process import extract
from index.errors import DocumentError
from tests.conftest import ROOT
from tests.index.documents.hostile_files import HOSTILE

SAMPLES = ROOT / "tests" / "documents"

LINES = [f"The lighthouse number {n} of Rosport was built in {1800 + n}." for n in range(40)]


def hostile() -> Generator[str, None, None]:
    """Bombs, endless nesting and the like are refused or read within bounds"""
    for name, make in HOSTILE.items():
        yield _wrong(make(), name)


def harmed(count: int = 50, seed: int = 1) -> Generator[str, None, None]:
    """A file of each format with bytes changed or cut is read or refused"""
    rng = random.Random(seed)
    made = {"a.pdf": _pdf(), "a.docx": _docx(), "a.html": _html()}
    samples = ("accounts.xlsx", "ferry-plan.pptx", "keeper.epub")
    made |= {name: (SAMPLES / name).read_bytes() for name in samples}
    for name, whole in made.items():
        for _ in range(count):
            data = bytearray(whole)
            for _ in range(rng.randint(1, 20)):
                data[rng.randrange(16, len(data))] = rng.randrange(256)
            if rng.random() < 0.3:
                del data[rng.randrange(16, len(data)) :]
            yield _wrong(bytes(data), name)


def _wrong(data: bytes, name: str) -> str:
    """Anything but a text or a sentence is wrong."""
    try:
        extract(data, name)
    except DocumentError as error:
        sentence = str(error).startswith(f"'{name}' ") and str(error).endswith(".")
        return "" if sentence else f"no sentence: {error}"
    except Exception as error:
        return f"{name}: {type(error).__name__}: {error}"
    return ""


def _pdf() -> bytes:
    file = io.BytesIO()
    canvas = Canvas(file)
    for number, line in enumerate(LINES):
        canvas.drawString(72, 800 - 18 * number, line)
    canvas.save()
    return file.getvalue()


def _docx() -> bytes:
    document, file = WordDocument(), io.BytesIO()
    for line in LINES:
        document.add_paragraph(line)
    document.save(file)
    return file.getvalue()


def _html() -> bytes:
    body = "".join(f"<p>{line}</p>" for line in LINES)
    return f"<html><head><title>Rosport</title></head><body>{body}</body></html>".encode()
