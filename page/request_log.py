"""The requests under way, and the line that is logged of each when it has ended."""

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

Form = Literal["text", "json"]
FORMS: tuple[Form, ...] = ("text", "json")


@dataclass
class Request:
    """What is noted of a request: how it ended, how long its steps took, and its texts.

    `seconds` has a name and a time for each step; `texts` is logged only where that is wanted.
    """

    outcome: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    texts: dict[str, Any] = field(default_factory=dict)

    def answered(self, answer: Answer) -> None:
        """Note what came of a question."""
        self.outcome = "not answered" if answer.abstained else "answered"
        self.seconds = answer.seconds
        self.texts["answer"] = answer.text

    def opened(self, opening: DocumentLoader, added: ArticleAnswerer) -> None:
        """Note which documents were opened."""
        self.outcome = "opened"
        self.seconds = opening.seconds
        self.texts["documents"] = [document.title for document in added.documents.values()]


class RequestLog:
    """Counts the requests that are `under_way`, and logs those that have ended, one line each."""

    def __init__(
        self,
        form: Form | None = None,
        *,
        texts: bool = False,
        write: Callable[[str], None] | None = None,
    ) -> None:
        """Log in a form, or nothing by default; with `texts` what was asked and opened, too.

        A line for which `write` raises OSError or ValueError is dropped, and the next one that can be
        written has the number of those in `dropped`.
        """
        self._form = form
        self._texts = texts
        self._write = write or _print
        self.under_way = 0
        self._dropped = 0  # log lines since the last one that could be written
        self._lock = threading.Lock()

    @contextmanager
    def one(self, what: str, by: str, **texts: Any) -> Iterator[Request]:
        """A request while it is under way: `what` is asked for, `by` a page or a program."""
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
            # Whoever asked has gone before it was answered where no outcome was noted.
            request.outcome = request.outcome or "left"
            self._log(what, by, request, time.perf_counter() - started)

    def _log(self, what: str, by: str, request: Request, seconds: float) -> None:
        if self._form is None:
            return
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        steps = {**request.seconds, "whole": seconds}
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        line: dict[str, Any] = {
            "time": now,
            "request": what,
            "by": by,
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
        if self._form == "json":
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
