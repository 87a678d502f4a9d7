from __future__ import annotations

import logging

import pytest

from page.log_throttle import MAX_KINDS, ThrottleFilter


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> ThrottleFilter:
    return ThrottleFilter(interval=10.0, clock=clock)


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def log(throttle: ThrottleFilter, lines: Lines) -> logging.Logger:
    logger = logging.Logger("server")
    logger.addHandler(lines)
    logger.addFilter(throttle)
    return logger


def fail(log: logging.Logger, message: str, error: type[Exception]) -> None:
    try:
        raise error("too many")
    except error:
        log.exception(message)


def test_repeated_records_are_counted_and_told_once(
    log: logging.Logger, lines: Lines, clock: Clock
) -> None:
    for number in range(5000):
        log.error("socket.accept() out of system resource\nsocket: fd=%d", number)
    assert len(lines.lines) == 1
    clock.now = 10.0
    log.error("socket.accept() out of system resource\nsocket: fd=%d", 7)
    assert lines.lines[1].splitlines()[1:] == [
        "socket: fd=7",
        "(4,999 more like this were not logged)",
    ]
    clock.now = 20.0
    log.error("socket.accept() out of system resource\nsocket: fd=%d", 7)
    assert "more like this" not in lines.lines[2]


def test_different_records_do_not_hide_each_other(log: logging.Logger, lines: Lines) -> None:
    log.warning("Invalid HTTP request received.")
    log.error("Invalid HTTP request received.")
    log.error("Exception in ASGI application")
    fail(log, "Exception in ASGI application", ValueError)
    fail(log, "Exception in ASGI application", KeyError)
    assert len(lines.lines) == 5
    fail(log, "Exception in ASGI application", KeyError)
    assert len(lines.lines) == 5


def test_an_exception_from_another_line_is_another_kind(log: logging.Logger, lines: Lines) -> None:
    for raises in (
        lambda: int("x"),
        lambda: float("x"),
    ):
        try:
            raises()
        except ValueError:
            log.exception("Exception in ASGI application")
    assert len(lines.lines) == 2


def test_a_record_passes_the_filters_of_its_logger_and_of_its_handler(
    log: logging.Logger, lines: Lines, throttle: ThrottleFilter
) -> None:
    lines.addFilter(throttle)
    log.error("once")
    log.error("once")
    assert lines.lines == ["once"]


def test_the_number_of_kinds_is_bounded(log: logging.Logger, throttle: ThrottleFilter) -> None:
    for number in range(MAX_KINDS + 50):
        log.error(f"message {number}")
    assert len(throttle._kinds) == MAX_KINDS
