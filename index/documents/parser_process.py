"""A file in, what it holds out, as index.formats has it, but read where it can do no harm.

What takes a PDF, a Word document or a web page apart is much code of many people, and a file can be
made to keep it busy, to fill the memory or to break it. So they are read in a process of their own.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from index.documents import formats, sandbox
from index.documents.content import Content, check_text, content_from_json, content_to_json
from index.documents.sandbox import Protections
from index.errors import DocumentError

# Of the processor's time; a PDF of a thousand full pages takes about four of them.
SECONDS = 5
MEMORY = 512_000_000
# By the clock, where other work keeps the processor busy.
PATIENCE = 60.0

_PACKAGE = Path(__file__).parent.parent
# This package alone is found by its place: isolated (-I), Python takes neither the current folder nor
# the environment's PYTHONPATH, in which somebody else's json.py may be.
_LOAD = (
    "import sys; from importlib.util import module_from_spec, spec_from_file_location; "
    "spec = spec_from_file_location('index', sys.argv[1]); "
    "sys.modules['index'] = module_from_spec(spec); spec.loader.exec_module(sys.modules['index']); "
)
_CHILD = f"{_LOAD}from index.documents.parser_process import main; main()"
# What the process is told of its parent's environment: where libraries and Windows itself are.
_ENVIRONMENT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "LC_ALL")
# What reads each format, and is imported before the process is confined.
_PARSERS = {
    "pdf": ("pypdfium2.raw",),
    "zip": ("lxml.etree", "zipfile"),
    "html": ("trafilatura",),
    "markdown": ("markdown_it", "yaml"),
    "csv": ("csv",),
}
# Two at a time, or many visitors together could have what one may not.
_PLACES = threading.BoundedSemaphore(2)
_AS_TEXT = "save its text as .txt and open that, or paste it"


def extract(data: bytes, source: str, *, media_type: str = "", charset: str = "") -> Content:
    """Read what a file of any format holds, as index.formats.extract does.

    Raises DocumentError, also where that takes more than 5 seconds or 512 MB, or breaks the process.
    """
    told = {"source": source, "media_type": media_type, "charset": charset}
    kind = formats.format_of(data, source, media_type)
    if kind not in _PARSERS:
        return formats.extract(data, **told)
    with _PLACES:
        try:
            child = _run({"kind": kind, "told": told}, data)
        except subprocess.TimeoutExpired:
            raise _refused(source, "took too long to read") from None
    return _understood(child, source)


def protections() -> Protections:
    """What holds the processes that read files on this machine; asked of one of them."""
    try:
        return Protections(**json.loads(_run({"kind": "", "told": None}, b"").stdout))
    except (ValueError, TypeError, subprocess.TimeoutExpired):
        return Protections()


def run_main(module: str, about: dict[str, Any], data: bytes) -> subprocess.CompletedProcess[bytes]:
    """Run the main() of one of this package's modules in a process like the parser's.

    It has to call confine() before it looks at the data. Raises subprocess.TimeoutExpired.
    """
    with _PLACES:
        return _run(about, data, f"{_LOAD}from {module} import main; main()")


def timed_out(child: subprocess.CompletedProcess[bytes]) -> bool:
    """Whether the process has used up its time; Linux ends it by one of two signals then."""
    return child.returncode in (-9, -24)


def _run(about: dict[str, Any], data: bytes, code: str = "") -> subprocess.CompletedProcess[bytes]:
    # A library's threads would each set memory aside.
    environment = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-I", "-B", "-c", code or _CHILD, str(_PACKAGE / "__init__.py")],
        input=json.dumps(about).encode() + b"\n" + data,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=PATIENCE,
        cwd=os.path.abspath(os.sep),
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ} | environment,
    )


def main() -> None:
    """Be the process: confine it, read the file on the standard input, and print what it holds."""
    about = json.loads(sys.stdin.buffer.readline())
    active = confine(about["kind"])
    if about["told"] is None:
        print(json.dumps(asdict(active)))
        return
    told = about["told"]
    said: dict[str, Any]
    try:
        content = formats.extract(sys.stdin.buffer.read(), **told)
        # Or who reads it would need the memory that this process may not have.
        check_text(content.text, told["source"])
        said = content_to_json(content)
    except DocumentError as error:
        said = {"error": str(error)}
    except MemoryError:
        said = {"beyond": "memory"}
    except RecursionError:
        said = {"beyond": "depth"}
    print(json.dumps(said))


def confine(kind: str) -> Protections:
    """Take from this process all that reading a file of this format does not need."""
    limits = _limit()
    if kind:
        for module in _PARSERS[kind]:
            importlib.import_module(module)
    version, seccomp = sandbox.confine([_PACKAGE])
    return Protections(limits, version, seccomp)


def _limit() -> bool:
    """Bound its time and memory; whether the system has such limits."""
    try:
        import resource
    except ImportError:  # Windows has none; there the clock alone ends it
        return False
    for what, most in (
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    return True


def _understood(child: subprocess.CompletedProcess[bytes], source: str) -> Content:
    """What the process has printed; raises DocumentError where it has said so, or has ended early."""
    try:
        said = json.loads(child.stdout)
    except ValueError:
        late = timed_out(child)
        reason = f"takes more than {SECONDS} seconds to read" if late else "cannot be read"
        raise _refused(source, reason) from None
    if "error" in said:
        raise DocumentError(said["error"])
    if "beyond" in said:
        deep = said["beyond"] == "depth"
        reason = "is nested too deep" if deep else f"takes more than {MEMORY / 1e6:.0f} MB to read"
        raise _refused(source, reason)
    try:
        return content_from_json(said)
    except (KeyError, TypeError, ValueError):
        raise _refused(source, "cannot be read") from None


def _refused(source: str, reason: str) -> DocumentError:
    return DocumentError(f"'{source}' {reason}, as hardly a document does: {_AS_TEXT}.")
