"""Set up the standard streams and Ctrl-C before anything slow is imported."""

from __future__ import annotations

import codecs
import errno
import io
import os
import select
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

if TYPE_CHECKING:
    from typing_extensions import Buffer

INTERRUPTED = 130  # the exit code that shells give a process ended by Ctrl-C
WRITE_TIMEOUT_SECONDS = 0.5  # how long a server waits for the reader of its log
_ESCAPE = "json-escape"
_PIPE_BUF = getattr(select, "PIPE_BUF", 512)


class TolerantStream:
    """A text stream that drops output that cannot be written, instead of raising OSError."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text, or drop it."""
        with suppress(OSError, ValueError):  # ValueError: the stream is closed
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write the buffered text, or drop it."""
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class TimedFile(io.FileIO):
    """A file whose writes raise BlockingIOError if its reader takes nothing for a while.

    Otherwise a pipe that nobody reads, or a terminal paused with Ctrl-S, would block every thread that
    writes to it.
    """

    def __init__(self, descriptor: int, timeout: float) -> None:
        """Write to an open descriptor, which stays open; `timeout` is in seconds."""
        super().__init__(descriptor, "w", closefd=False)
        self._timeout = timeout
        self._stuck = False

    def write(self, data: Buffer, /) -> int:
        """Write all of the data, or raise OSError."""
        view = memoryview(data).cast("B")
        for start in range(0, len(view), _PIPE_BUF):
            # A pipe that is ready takes PIPE_BUF bytes without blocking.
            if not self._ready() or super().write(view[start : start + _PIPE_BUF]) is None:
                raise BlockingIOError(errno.EAGAIN, "Nobody reads the output")
        return len(view)

    def _ready(self) -> bool:
        # After one write has timed out, others do not wait until there is room again.
        timeout = 0.0 if self._stuck else self._timeout
        self._stuck = not select.select([], [self], [], timeout)[1]
        return not self._stuck


def strict_stream(stream: TextIO) -> TextIO:
    """Unwrap a TolerantStream, for callers that need to know when a write fails."""
    return stream._stream if isinstance(stream, TolerantStream) else stream


def prepare_console(*, tolerant: bool = False) -> None:
    """Make the standard streams safe to use, and let Ctrl-C end the process without a traceback.

    Output that cannot be written to stderr is dropped. With `tolerant`, for servers, so is output that
    cannot be written to stdout, or to stderr in time. Call this before importing other modules:
    imports take seconds, and a KeyboardInterrupt in one of them can surface anywhere.
    """
    exit_on_interrupt()
    _open_missing_descriptors()
    codecs.register_error(_ESCAPE, _escape)
    sys.stdout = _open_stream(sys.stdout, 1)
    if tolerant:
        sys.stdout = TolerantStream(sys.stdout)
    timeout = WRITE_TIMEOUT_SECONDS if tolerant and os.name == "posix" else None
    sys.stderr = TolerantStream(_unbuffered(_open_stream(sys.stderr, 2), timeout))
    try:
        os.getcwd()
    except OSError:  # torch could not be imported, and relative paths do not work
        print(
            "error: The current folder has been deleted. Change to another and start again.",
            file=sys.stderr,
        )
        exit_process(2)


def run_program(main: Callable[[], int]) -> NoReturn:
    """Run `main` and exit with its return value; only inside it, Ctrl-C is a KeyboardInterrupt."""
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    try:
        if not ignored:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        code = main()
        exit_on_interrupt()
    except KeyboardInterrupt:
        _exit_interrupted()
    finally:  # also after --help
        try:
            sys.stdout.flush()
        except (OSError, ValueError):
            discard_output()
    sys.exit(code)


def exit_on_interrupt() -> None:
    """Let Ctrl-C end the process at once, unless it was started with Ctrl-C ignored."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: _exit_interrupted())


def exit_process(code: int) -> NoReturn:
    """End the process at once, without waiting for its threads.

    A thread inside torch would make the interpreter abort on a normal shutdown.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def discard_output() -> None:
    """Discard the buffered and all further output to stdout."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def _exit_interrupted() -> NoReturn:
    with suppress(OSError):
        os.write(2, b"stopped\n")
    os._exit(INTERRUPTED)


def _open_missing_descriptors() -> None:
    """Open stdin, stdout and stderr on the null device if they are closed.

    Otherwise the next file that is opened gets their number, and output for the terminal is written
    into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            os.set_inheritable(number, True)


def _open_stream(stream: TextIO | None, number: int) -> TextIO:
    r"""Return a stream that writes unencodable characters as \uXXXX, as in JSON."""
    if stream is None:  # its descriptor was closed
        raw = io.FileIO(number, "w", closefd=False)
        stream = io.TextIOWrapper(raw, "utf-8", line_buffering=True)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=_ESCAPE)
    return stream


def _unbuffered(stream: TextIO, timeout: float | None) -> TextIO:
    """Return the stream without its buffer, which would keep a line that could not be written."""
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    raw: Any = getattr(stream.buffer, "raw", None)
    if timeout is not None:
        raw = TimedFile(stream.fileno(), timeout)
    if raw is None:  # it is not buffered
        return stream
    return io.TextIOWrapper(raw, stream.encoding, _ESCAPE, line_buffering=True)


def _escape(error: UnicodeError) -> tuple[str, int]:
    r"""Handle an encoding error: escape characters as UTF-16 code units, \uXXXX each."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    escaped = (f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
    return "".join(escaped), error.end
