"""Throttle repeated log records, so that they do not fill a disk."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable

INTERVAL_SECONDS = 10.0
MAX_KINDS = 200
# A logger's filter does not apply to its children, and these have their own handlers.
LOGGERS = ("uvicorn", "uvicorn.error", "asyncio")

# Logger, level, first line of the message, exception with the line of code that raised it.
Kind = tuple[str, int, str, str]


class ThrottleFilter(logging.Filter):
    """Passes one record of each kind per interval, with the number of those dropped before it.

    A kind is a logger, a level, the first line of a message and an exception with the line of code
    that raised it.
    """

    def __init__(
        self, interval: float = INTERVAL_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`interval` and the clock are in seconds."""
        super().__init__()
        self._interval = interval
        self._clock = clock
        # When the last record of a kind passed, and how many were dropped since; oldest first.
        self._kinds: OrderedDict[Kind, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log the record; appends the number of dropped ones to its message."""
        if getattr(record, "not_throttled", False):  # it has passed its logger's filter
            return True
        kind, now = _kind(record), self._clock()
        with self._lock:
            last_passed, dropped = self._kinds.get(kind, (None, 0))
            if last_passed is not None and now - last_passed < self._interval:
                self._kinds[kind] = (last_passed, dropped + 1)
                return False
            self._kinds[kind] = (now, 0)
            self._kinds.move_to_end(kind)
            if len(self._kinds) > MAX_KINDS:
                self._kinds.popitem(last=False)
        record.not_throttled = True
        if dropped:
            record.msg = f"{record.getMessage()}\n({dropped:,} more like this were not logged)"
            record.args = None
        return True


def throttle_logs() -> None:
    """Throttle the loggers of the web server and the event loop, and those without a handler."""
    throttle = ThrottleFilter()
    for name in LOGGERS:
        logging.getLogger(name).addFilter(throttle)
    if logging.lastResort:
        logging.lastResort.addFilter(throttle)


def _kind(record: logging.LogRecord) -> Kind:
    message = str(record.msg).split("\n", 1)[0]
    error = record.exc_info[1] if record.exc_info else None
    raised = type(error).__name__ if error else ""
    if error and error.__traceback__:
        # Not extract_tb, which reads source files: there may be no file descriptor left.
        *_, (frame, line) = traceback.walk_tb(error.__traceback__)
        raised += f" {frame.f_code.co_filename}:{line}"
    return record.name, record.levelno, message, raised
