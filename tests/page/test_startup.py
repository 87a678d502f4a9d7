from __future__ import annotations

import os
import signal
import sys
import tempfile
import urllib.request

import httpx
import pytest

from page import startup

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No proxies; what a test sets is undone after it."""
    for name in PROXIES:
        for spelled in (name, name.upper()):
            monkeypatch.setenv(spelled, "")
            monkeypatch.delenv(spelled)
    return monkeypatch


def proxy_for(url: str) -> bool:
    """Whether the HTTP client would ask a proxy for this address."""
    with httpx.Client() as client:
        return client._transport_for_url(httpx.URL(url)) is not client._transport


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_this_machine_is_asked_directly_and_others_by_the_proxy(
    environment: pytest.MonkeyPatch, name: str
) -> None:
    environment.setenv(name, "http://proxy.example:3128")
    environment.setenv("NO_PROXY", "intranet.example")
    assert proxy_for("http://127.0.0.1:7860/")
    assert startup.bypass_proxies(*startup.LOOPBACK) is None
    assert startup.bypass_proxies("192.168.1.5") is None
    for host in (
        "127.0.0.1:7860",
        "localhost:7860",
        "[::1]:7860",
        "192.168.1.5",
        "intranet.example",
    ):
        assert not proxy_for(f"http://{host}/"), host
    assert proxy_for("http://models.example/")


def test_without_proxies_nothing_changes(environment: pytest.MonkeyPatch) -> None:
    environment.setattr(urllib.request, "getproxies", dict)
    assert startup.bypass_proxies(*startup.LOOPBACK) is None
    assert "no_proxy" not in os.environ and "NO_PROXY" not in os.environ


def test_proxies_of_the_system_stay_in_use(environment: pytest.MonkeyPatch) -> None:
    environment.setattr(urllib.request, "getproxies", lambda: {"http": "http://proxy.example:3128"})
    assert startup.bypass_proxies(*startup.LOOPBACK) is None
    assert os.environ["http_proxy"] == "http://proxy.example:3128"
    assert "127.0.0.1" in os.environ["no_proxy"].split(",")


@pytest.mark.parametrize("proxy", ["socks5://proxy.example:1080", "foo:bar"])
def test_a_proxy_that_cannot_be_used_is_told_and_stops_nothing(
    environment: pytest.MonkeyPatch, proxy: str
) -> None:
    environment.setitem(sys.modules, "socksio", None)  # not installed
    environment.setenv("ALL_PROXY", proxy)
    message = startup.bypass_proxies(*startup.LOOPBACK)
    assert message and message.startswith("Ignoring the proxy set in the environment")
    httpx.Client(verify=False).close()
    assert not proxy_for("http://127.0.0.1:7860/")


def test_settings_of_gradio_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRADIO_DEBUG", "GRADIO_MCP_SERVER", "GRADIO_SHARE", "GRADIO_ALLOWED_PATHS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("GRADIO_TEMP_DIR", "/somewhere")
    startup.prepare_settings()
    left = {name for name in os.environ if name.startswith("GRADIO_")}
    assert left == {
        "GRADIO_TEMP_DIR",
        "GRADIO_ANALYTICS_ENABLED",
        "GRADIO_ANALYTICS_CACHE_FREQUENCY",
    }
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert os.environ["FORWARDED_ALLOW_IPS"] == ""


def test_without_a_folder_for_temporary_files_one_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert startup.check_temporary_folder() is None
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/dev/null/none"])
    assert "Set TMPDIR" in (startup.check_temporary_folder() or "")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
@pytest.mark.parametrize(
    ("soft", "hard", "expected"),
    [(256, 4096, 4096), (256, 1 << 20, 65_536), (1 << 17, 1 << 20, None), (4096, 4096, None)],
)
def test_the_limit_of_open_files_is_raised(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, expected: int | None
) -> None:
    import resource

    limits: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: limits.append(both))
    startup.raise_file_limit()
    assert limits == ([(expected, hard)] if expected else [])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
def test_a_system_that_allows_less_than_it_says_is_asked_for_less(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import resource

    limits: list[int] = []

    def set_limit(_: int, both: tuple[int, int]) -> None:
        if both[0] > 10_240:
            raise ValueError("current limit exceeds maximum limit")
        limits.append(both[0])

    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", set_limit)
    startup.raise_file_limit()
    assert limits == [10_240]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGHUP")
def test_signals_say_to_stop_and_an_ignored_hangup_stays_ignored() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        for number in numbers:
            stopped = startup.stop_on_signals()
            assert not stopped.is_set()
            os.kill(os.getpid(), number)
            assert stopped.wait(5)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        stopped = startup.stop_on_signals()
        os.kill(os.getpid(), signal.SIGHUP)
        assert not stopped.wait(0.2)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
