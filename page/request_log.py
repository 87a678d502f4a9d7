"""Count the requests in progress, and log a line for each when it ends."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal

from index.console import strict_stream
from index.errors import ArticleError
from index.terminal import visible
from page.loader import DocumentLoader
from qa.answerer import ArticleAnswerer
from qa.types import Answer

LogFormat = Literal["text", "json"]
LOG_FORMATS: tuple[LogFormat, ...] = ("text", "json")


@dataclass
class Request:
    """A request to log: its outcome, the seconds of each step, and its texts.

    `texts` (questions, answers, titles) are logged on request only.
    """

    outcome: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    texts: dict[str, Any] = field(default_factory=dict)

    def set_answer(self, answer: Answer) -> None:
        """Record the answer to a question."""
        self.outcome = "not answered" if answer.abstained else "answered"
        self.seconds = answer.seconds
        self.texts["answer"] = answer.text

    def set_opened(self, loader: DocumentLoader, opened: ArticleAnswerer) -> None:
        """Record which documents were opened."""
        self.outcome = "opened"
        self.seconds = loader.seconds
        self.texts["documents"] = [document.title for document in opened.documents.values()]


class RequestLog:
    """Counts the requests that are `under_way`, and logs a line for each that has ended."""

    def __init__(
        self,
        log_format: LogFormat | None = None,
        *,
        texts: bool = False,
        write: Callable[[str], None] | None = None,
    ) -> None:
        """Log nothing without a format; `texts` also logs questions, answers and titles.

        A line for which `write` raises OSError or ValueError is dropped; the next one that can be
        written says in `dropped` how many were.
        """
        self._format = log_format
        self._texts = texts
        self._write = write or _print
        self.under_way = 0
        self._dropped = 0  # log lines since the last one that could be written
        self._lock = threading.Lock()

    @contextmanager
    def record(self, kind: str, client: str, **texts: Any) -> Iterator[Request]:
        """Count a request while it is in progress, and log it at its end.

        `kind` is "ask" or "open"; `client` is "page", "program" or "mcp".
        """
        request = Request(texts=texts)
        started = time.perf_counter()
        with self._lock:
            self.under_way += 1
        try:
            yield request
        except ArticleError as error:
            request.outcome = "refused"
            request.texts["error"] = str(error)
            raise
        except Exception as error:
            request.outcome = f"failed: {type(error).__name__}"
            raise
        finally:
            with self._lock:
                self.under_way -= 1
            # No outcome recorded: the client disconnected.
            request.outcome = request.outcome or "left"
            self._log(kind, client, request, time.perf_counter() - started)

    def _log(self, kind: str, client: str, request: Request, seconds: float) -> None:
        if self._format is None:
            return
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        steps = {**request.seconds, "whole": seconds}
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        line: dict[str, Any] = {
            "time": now,
            "request": kind,
            "by": client,
            "outcome": request.outcome,
            "milliseconds": {name: round(1000 * s, 1) for name, s in steps.items()},
            **({"dropped": dropped} if dropped else {}),
            **(request.texts if self._texts else {}),
        }
        try:
            self._write(visible(self._formatted(line)))
        except (OSError, ValueError):  # a full disk, a pipe that nobody reads, a closed stream
            with self._lock:
                self._dropped += dropped + 1

    def _formatted(self, line: dict[str, Any]) -> str:
        if self._format == "json":
            return json.dumps(line, ensure_ascii=False, default=str)
        times = " ".join(f"{name} {ms:.0f} ms" for name, ms in line["milliseconds"].items())
        fields = " ".join(
            f"{name}={json.dumps(value, ensure_ascii=False, default=str)}"
            for name, value in line.items()
            if name not in ("time", "request", "by", "outcome", "milliseconds")
        )
        head = "{time} {request} by {by}: {outcome}".format_map(line)
        return f"{head}, {times} {fields}".rstrip()


def _print(line: str) -> None:
    print(line, file=strict_stream(sys.stderr), flush=True)
