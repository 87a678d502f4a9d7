"""What strangers leave in the memory of a real server, with new sessions all the time."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx

from tests.browser import running_process, wait_until_ready
from tests.torture.load import resident

UNHEARD = 400
SESSIONS = 300
COPIES = 40
WORDS = 150_000  # of a text that many open
# Megabytes that each of the three may add. Without limits they would take 2,000 and more.
GROWTH = 600


def strangers() -> Generator[str, None, dict[str, Any]]:
    """Replies that nobody fetches, sessions and copies of a text leave little in memory"""
    measured = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        # A page whose HTML is large, so that each reply is.
        running_process(Path(folder), "--article", str(_article(Path(folder)))) as (
            address,
            process,
        ),
        httpx.Client(base_url=f"{address}gradio_api/", timeout=120) as client,
    ):
        wait_until_ready(address, process)
        functions = {
            dependency["api_name"]: dependency["id"]
            for dependency in httpx.get(f"{address}config", timeout=120).json()["dependencies"]
        }

        def join(name: str, data: list[Any], session: str) -> int:
            body = {"data": data, "fn_index": functions[name], "session_hash": session}
            return client.post("queue/join", json=body).status_code

        def call(name: str, data: list[Any], session: str | None) -> str:
            body = {"data": data, "session_hash": session}
            reply = client.post(f"call/{name}", json=body)
            if reply.status_code != 200:
                return reply.text
            return client.get(f"call/{name}/{reply.json()['event_id']}").text

        before = resident(process.pid)
        for step, attempts in (
            ("unheard", (lambda n: join("remove", [None], f"unheard{n}"), UNHEARD)),
            (
                "sessions",
                (lambda n: call("documents", [], f"session{n}" if n % 2 else None), SESSIONS),
            ),
            ("copies", (lambda n: call("open", [None, _text(), None], f"copy{n}"), COPIES)),
        ):
            attempt, count = attempts
            for number in range(count):
                attempt(number)
                yield ""
            after = resident(process.pid)
            measured[step] = round(after - before)
            yield f"{step} took {measured[step]} MB" if measured[step] > GROWTH else ""
            before = after
            alive = httpx.get(f"{address}health", timeout=30).status_code
            yield "" if alive == 200 else f"health is {alive} after {step}"
    return {"megabytes_added": measured}


def _article(folder: Path) -> Path:
    path = folder / "article.txt"
    path.write_text(_text())
    return path


def _text() -> str:
    lines = (f"The {n}th stone was laid by mason {n % 97}." for n in range(WORDS // 8))
    return "\n\n".join(lines)
