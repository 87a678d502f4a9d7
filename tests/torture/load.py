"""Many people at once, each with a document of their own, at the real page over loopback."""

from __future__ import annotations

import json
import os
import random
import re
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from tests.browser import running_process, wait_until_ready
from tests.conftest import ROOT

PEOPLE = 50
QUESTIONS = 2_000
# After so many questions memory has what it needs, and may grow by this share and no more.
SETTLED = 200
GROWTH = 0.1

_MASON = re.compile(r"mason(\d+)", re.IGNORECASE)


@dataclass
class Seen:
    """What the people saw: how long each question took, and what was wrong."""

    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Person:
    """A visitor with a session, as a browser has it: of the page itself or of its endpoints."""

    def __init__(self, address: str, number: int, *, on_page: bool) -> None:
        self._client = httpx.Client(base_url=f"{address}gradio_api/", timeout=120)
        self._session = f"person{number}"
        self.number, self.on_page = number, on_page
        config = httpx.get(f"{address}config", timeout=120).json()
        self._functions = {d["api_name"]: d["id"] for d in config["dependencies"] if d["api_name"]}
        self.text = (
            f"The bridge of Town{number}\n\nThe bridge of Town{number} was built by "
            f"Mason{number} in {1500 + number}. It has {number + 3} arches.\n\nA toll was taken "
            f"there by Keeper{number} until the year {1700 + number}."
        )

    def open(self) -> None:
        """Have the own text open, on the page or in the session of the endpoints."""
        if self.on_page:
            self._call("start_session", [None])
            self._call("add_address_or_text", ["", self.text, None, True])
        else:
            self._call("open", [None, self.text, None])

    def ask(self, question: str) -> Any:
        """The page's new parts, or the answer as JSON."""
        if self.on_page:
            return self._call("ask_1", [question, None, True])
        return self._call("ask", [question, None, None, 5])[0]

    def _call(self, name: str, data: list[Any]) -> Any:
        joined = self._client.post(
            "queue/join",
            json={"data": data, "fn_index": self._functions[name], "session_hash": self._session},
        )
        joined.raise_for_status()
        event = joined.json()["event_id"]
        for message in self._messages(event):
            if message["msg"] == "process_completed":
                if not message["success"]:
                    raise RuntimeError(str(message["output"]))
                return message["output"]["data"]
        raise RuntimeError("the stream ended without an answer")

    def _messages(self, event: str) -> Iterator[Mapping[str, Any]]:
        parameters = {"session_hash": self._session}
        with self._client.stream("GET", "queue/data", params=parameters) as stream:
            for line in stream.iter_lines():
                if line.startswith("data:"):
                    message = json.loads(line[5:])
                    if message.get("event_id") == event:
                        yield message


def questions(number: int, count: int) -> list[str]:
    """What a person asks: of the own text and of the article, in an order of their own."""
    lines = (ROOT / "tests/data/article_questions.jsonl").read_text(encoding="utf-8").splitlines()
    own = [
        f"Who built the bridge of Town{number}?",
        f"When was the bridge of Town{number} built?",
        f"Who took a toll in Town{number}?",
        f"How many arches does the bridge of Town{number} have?",
    ]
    everyone = [*own * 5, *(json.loads(line)["question"] for line in lines)]
    return random.Random(number).choices(everyone, k=count)


def wrong(person: Person, question: str, answer: Any, article: str) -> str:
    """What is wrong with an answer: it has to be this person's, and a slice of what is open."""
    said = json.dumps(answer, ensure_ascii=False)
    others = {n for n in _MASON.findall(said) if int(n) != person.number}
    if others:
        return f"person {person.number} was shown the text of person {', '.join(others)}"
    if person.on_page:
        return "" if question.split()[0] in said else f"person {person.number} sees no answer"
    citation = answer["citation"]
    if citation:
        text = person.text if citation["document"] == "pasted text" else article
        if text[citation["start"] : citation["end"]] != answer["text"]:
            return f"{answer['text']!r} is not what stands at {citation}"
    own = f"Town{person.number}" in question
    if own and citation and citation["document"] != "pasted text":
        return f"{question!r} was answered from {citation['document']}"
    return ""


def resident(process: int) -> float:
    """The megabytes of memory that a process of this machine, a Linux, has."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def fifty_people() -> Generator[str, None, dict[str, Any]]:
    """Fifty people at once get their answers, and nothing of another's"""
    seen, measured = load(PEOPLE, QUESTIONS)
    yield from seen.wrong
    for _ in range(len(seen.seconds) - len(seen.wrong)):
        yield ""
    grown = measured["memory_growth"]
    yield f"memory grew by {grown:.0%} after the first {SETTLED}" if grown > GROWTH else ""
    return measured


def load(people: int, asked: int) -> tuple[Seen, dict[str, Any]]:
    """Have so many people ask so many questions together, without a pause.

    The times are as a person sees them, in milliseconds, with all the others waiting too.
    """
    seen = Seen()
    article = (ROOT / "articles/putin-visits-north-korea.txt").read_text(encoding="utf-8")
    memory: list[tuple[int, float]] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        running_process(Path(folder)) as (address, process),
    ):
        wait_until_ready(address, process)
        visitors = [Person(address, n, on_page=bool(n % 2)) for n in range(people)]

        def ask(person: Person) -> None:
            for question in questions(person.number, asked // people):
                started = time.perf_counter()
                try:
                    answer = person.ask(question)
                    error = wrong(person, question, answer, article)
                except (httpx.HTTPError, RuntimeError) as problem:
                    error = f"{type(problem).__name__}: {problem}"
                seen.seconds.append(time.perf_counter() - started)
                if error:
                    seen.wrong.append(error)
                if len(seen.seconds) % 100 == 0:
                    memory.append((len(seen.seconds), resident(process.pid)))

        with ThreadPoolExecutor(people) as pool:
            list(pool.map(Person.open, visitors))
            started = time.perf_counter()
            list(pool.map(ask, visitors))
            took = time.perf_counter() - started
    settled = next((mb for n, mb in memory if n >= SETTLED), 0.0)
    grown = max(mb for _, mb in memory) / settled - 1 if settled else 0.0
    p50, p95, p99 = (1000 * np.percentile(seen.seconds, [50, 95, 99])).round().tolist()
    return seen, {
        "people": people,
        "questions_per_second": round(len(seen.seconds) / took, 1),
        "milliseconds": {"p50": p50, "p95": p95, "p99": p99},
        "megabytes": [(n, round(mb)) for n, mb in memory],
        "memory_growth": round(grown, 3),
    }
