from __future__ import annotations

import io
import json
import os
import time

import pytest

from index.console import TimedFile, TolerantStream, _open_stream, strict_stream


class Broken(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise BrokenPipeError


def test_a_tolerant_stream_drops_output_that_cannot_be_written() -> None:
    stream = TolerantStream(Broken())
    print("lost", file=stream, flush=True)
    assert not stream.isatty()
    with pytest.raises(BrokenPipeError):
        print("lost", file=strict_stream(stream))
    closed = io.StringIO()
    closed.close()
    print("lost", file=TolerantStream(closed), flush=True)
    kept = io.StringIO()
    print("kept", file=TolerantStream(kept), flush=True)
    assert kept.getvalue() == "kept\n"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_unencodable_characters_are_escaped_as_in_json(encoding: str) -> None:
    import index.console

    index.console.codecs.register_error(index.console._ESCAPE, index.console._escape)
    text = "café Żółć 😀 \ud800"
    raw = io.BytesIO()
    stream = _open_stream(io.TextIOWrapper(raw, encoding=encoding), 1)
    print(json.dumps(text, ensure_ascii=False), file=stream, flush=True)
    assert json.loads(raw.getvalue().decode(encoding)) == text


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot wait for a pipe")
def test_a_pipe_that_nobody_reads_does_not_block() -> None:
    reading, writing = os.pipe()
    file = TimedFile(writing, 0.2)
    line = b"x" * 999 + b"\n"
    with pytest.raises(BlockingIOError):
        for _ in range(1000):
            file.write(line)
    started = time.monotonic()
    for _ in range(1000):  # only the first write waits
        with pytest.raises(BlockingIOError):
            file.write(line)
    assert time.monotonic() - started < 1
    data = os.read(reading, 1 << 20)
    assert 0 < len(data) < 1000 * len(line) and len(data) % len(line) == 0
    assert file.write(line) == len(line)
    assert os.read(reading, 1 << 20) == line
    os.close(reading)
    with pytest.raises(BrokenPipeError):
        file.write(line)
    os.close(writing)
