"""A file in, what it holds out, as index.formats has it, but read where it can do no harm.

What takes a PDF, a Word document or a web page apart is much code of many people, and a file can be
made to keep it busy, to fill the memory or to break it. So they are read in a process of their own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from index import formats
from index.content import Content, check_text
from index.errors import DocumentError

# Of the processor's time; a book of a thousand pages takes half of it.
SECONDS = 5
MEMORY = 512_000_000
# By the clock, where other work keeps the processor busy.
PATIENCE = 60.0
# What is longer is no title, and will be cut.
MAX_TITLE = 1_000

_ROOT = Path(__file__).parent.parent
_CHILD = "import sys; sys.path.insert(0, sys.argv[1]); from index.bounded import main; main()"
# Two at a time, or many visitors together could have what one may not.
_PLACES = threading.BoundedSemaphore(2)
_AS_TEXT = "save its text as .txt and open that, or paste it"


def extract(data: bytes, source: str, *, media_type: str = "", charset: str = "") -> Content:
    """Read what a file of any format holds, as index.formats.extract does.

    Raises DocumentError, also where that takes more than 5 seconds or 512 MB, or breaks the process.
    """
    told = {"source": source, "media_type": media_type, "charset": charset}
    if formats.format_of(data, source, media_type) not in ("pdf", "docx", "html"):
        return formats.extract(data, **told)
    with _PLACES:
        try:
            child = subprocess.run(
                [sys.executable, "-c", _CHILD, str(_ROOT)],
                input=json.dumps(told).encode() + b"\n" + data,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=PATIENCE,
                # A library's threads would each set memory aside.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )
        except subprocess.TimeoutExpired:
            raise _refused(source, "took too long to read") from None
    return _understood(child, source)


def main() -> None:
    """Be the process: limit it, read the file on the standard input, and print what it holds."""
    _limit()
    told = json.loads(sys.stdin.buffer.readline())
    said: dict[str, Any]
    try:
        content = formats.extract(sys.stdin.buffer.read(), **told)
        # Or who reads it would need the memory that this process may not have.
        check_text(content.text, told["source"])
        said = asdict(replace(content, title=content.title[:MAX_TITLE]))
    except DocumentError as error:
        said = {"error": str(error)}
    except MemoryError:
        said = {"beyond": "memory"}
    except RecursionError:
        said = {"beyond": "depth"}
    print(json.dumps(said))


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; there the clock alone ends it
        return
    for what, most in (
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _understood(child: subprocess.CompletedProcess[bytes], source: str) -> Content:
    """What the process has printed; raises DocumentError where it has said so, or has ended early."""
    try:
        said = json.loads(child.stdout)
    except ValueError:
        # Linux ends what has used up its time by one of these two signals.
        timed_out = child.returncode in (-9, -24)
        reason = f"takes more than {SECONDS} seconds to read" if timed_out else "cannot be read"
        raise _refused(source, reason) from None
    if "error" in said:
        raise DocumentError(said["error"])
    if "beyond" in said:
        deep = said["beyond"] == "depth"
        reason = "is nested too deep" if deep else f"takes more than {MEMORY / 1e6:.0f} MB to read"
        raise _refused(source, reason)
    return Content(said["text"], said["title"], tuple(said["pages"]))


def _refused(source: str, reason: str) -> DocumentError:
    return DocumentError(f"'{source}' {reason}, as hardly a document does: {_AS_TEXT}.")
