from __future__ import annotations

import json

import pytest

from index.errors import ArticleError
from page.request_log import LogFormat, RequestLog


@pytest.fixture
def lines() -> list[str]:
    return []


def test_nothing_is_logged_unless_it_is_wanted(lines: list[str]) -> None:
    requests = RequestLog(write=lines.append)
    with requests.record("ask", "page", question="Who?"):
        assert requests.under_way == 1
    assert requests.under_way == 0
    assert lines == []


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_text_is_logged_unless_it_is_wanted(lines: list[str], form: LogFormat) -> None:
    requests = RequestLog(form, write=lines.append)
    with pytest.raises(ArticleError), requests.record("ask", "page", question="Who is Zamyatin?"):
        raise ArticleError("There is no ‘Zamyatin’.")
    (line,) = lines
    assert "Zamyatin" not in line
    assert "refused" in line
    wordy = RequestLog(form, texts=True, write=lines.append)
    with pytest.raises(ArticleError), wordy.record("ask", "page", question="Who is Zamyatin?"):
        raise ArticleError("There is no ‘Zamyatin’.")
    assert lines[1].count("Zamyatin") == 2


def test_a_line_of_json_has_the_time_of_each_step(lines: list[str]) -> None:
    with RequestLog("json", write=lines.append).record("ask", "program") as noted:
        noted.outcome, noted.seconds = "answered", {"retrieve": 0.0123, "read": 0.04}
    said = json.loads(lines[0])
    assert (said["request"], said["by"]) == ("ask", "program")
    assert said["outcome"] == "answered"
    whole = said["milliseconds"].pop("whole")
    assert said["milliseconds"] == {"retrieve": 12.3, "read": 40.0}
    assert whole >= 0
    assert said["time"].endswith("+00:00")


def test_a_request_is_one_line_and_commands_no_terminal(lines: list[str]) -> None:
    requests = RequestLog("text", texts=True, write=lines.append)
    with requests.record(
        "ask", "page", question="Who?\n2026 ask by page: answered \x1b[2J"
    ) as noted:
        noted.outcome = "answered"
    assert "\n" not in lines[0]
    assert "\x1b" not in lines[0]


def test_what_goes_wrong_is_logged_with_its_kind(lines: list[str]) -> None:
    requests = RequestLog("json", write=lines.append)
    with pytest.raises(ZeroDivisionError), requests.record("ask", "page"):
        raise ZeroDivisionError("secret")
    assert json.loads(lines[0])["outcome"] == "failed: ZeroDivisionError"
    assert "secret" not in lines[0]
    assert requests.under_way == 0


def test_who_leaves_before_the_answer_is_logged_so(lines: list[str]) -> None:
    requests = RequestLog("json", write=lines.append)

    def generate() -> object:
        with requests.record("ask", "page"):
            yield 1

    steps = generate()
    next(steps)  # type: ignore[call-overload]
    steps.close()  # type: ignore[attr-defined]
    assert json.loads(lines[0])["outcome"] == "left"
    assert requests.under_way == 0


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("closed")])
def test_a_line_that_cannot_be_written_is_dropped_and_counted(
    lines: list[str], form: LogFormat, error: Exception
) -> None:
    broken = True

    def write(line: str) -> None:
        if broken:
            raise error
        lines.append(line)

    requests = RequestLog(form, write=write)
    for _ in range(3):
        with requests.record("ask", "page") as noted:
            noted.outcome = "answered"
    assert requests.under_way == 0
    broken = False
    for _ in range(2):
        with requests.record("ask", "page") as noted:
            noted.outcome = "answered"
    assert len(lines) == 2
    assert ('"dropped": 3' if form == "json" else "dropped=3") in lines[0]
    assert "dropped" not in lines[1]


def test_an_error_of_the_request_is_not_hidden_by_one_of_the_log() -> None:
    def write(line: str) -> None:
        raise BrokenPipeError

    with (
        pytest.raises(ArticleError, match="no document"),
        RequestLog("json", write=write).record("a", "b"),
    ):
        raise ArticleError("There is no document.")
