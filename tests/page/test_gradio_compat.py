"""What happens when a version of Gradio lacks a private name that the page uses."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import gradio as gr
import pytest

import app
from page import gradio_compat
from page.gradio_compat import OPTIONAL, REQUIRED, REQUIRED_FOR_MCP, UnsupportedGradioError, check
from tests.browser import launched
from tests.conftest import ROOT
from tests.page.security.ledger import QUESTION, call, opening

Private = Any


def names(private: Private) -> list[tuple[Private, str]]:
    """Each name that can be missing, with the name in the error message."""
    if not private.attributes:
        return [(private, f"{private.module}.{private.name}")]
    owner = f"{private.module}.{private.name.rpartition('.')[0]}"
    return [
        (private._replace(attributes=(attribute,)), f"{owner}().{attribute}")
        for attribute in private.attributes
    ]


def cases(*groups: tuple[Private, ...]) -> list[Any]:
    found = [case for group in groups for private in group for case in names(private)]
    return [pytest.param(*case, id=case[1]) for case in found]


def remove(private: Private, patch: pytest.MonkeyPatch) -> None:
    """Remove a name from Gradio, or rename an attribute that a function of Gradio sets."""
    owner: Any = importlib.import_module(private.module)
    *path, last = private.name.split(".")
    for part in path:
        owner = getattr(owner, part)
    if not private.attributes:
        # Also from the classes that it is inherited from.
        for holder in getattr(owner, "__mro__", [owner]):
            if last in vars(holder):
                patch.delattr(holder, last)
        return
    function = inspect.unwrap(getattr(owner, last))
    (attribute,) = private.attributes
    code = function.__code__
    renamed = code.replace(
        co_names=tuple(f"{name}_2" if name == attribute else name for name in code.co_names)
    )
    patch.setattr(
        owner, last, FunctionType(renamed, function.__globals__, last, None, function.__closure__)
    )


@pytest.fixture
def patch() -> Iterator[pytest.MonkeyPatch]:
    """Undone before others use Gradio."""
    with pytest.MonkeyPatch.context() as context:
        yield context


def test_the_installed_version_has_all_names() -> None:
    check(mcp=True)
    for private in OPTIONAL:
        assert gradio_compat._missing(private) == []


def test_the_tested_version_is_that_of_the_requirements() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert f"gradio=={gradio_compat.TESTED_VERSION}" in lines


@pytest.mark.parametrize(("private", "name"), cases(REQUIRED, REQUIRED_FOR_MCP))
def test_without_a_required_name_it_stops_with_one_error(
    private: Private, name: str, patch: pytest.MonkeyPatch
) -> None:
    remove(private, patch)
    with pytest.raises(UnsupportedGradioError) as error:
        check(mcp=True)
    expected = (
        f"This version of Gradio ({gr.__version__}) lacks {name}. "
        f"Install the tested one: pip install gradio=={gradio_compat.TESTED_VERSION}."
    )
    assert str(error.value) == expected


def test_without_a_module_it_stops_with_one_error(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(sys.modules, "gradio.state_holder", None)
    with pytest.raises(UnsupportedGradioError, match=r"lacks gradio\.state_holder\.StateHolder"):
        check()


def test_mcp_is_required_only_for_mcp(patch: pytest.MonkeyPatch) -> None:
    remove(REQUIRED_FOR_MCP[0], patch)
    check()


def test_the_command_exits_with_the_error(
    patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    patch.delattr("gradio.routes.CustomCORSMiddleware")
    assert app.main(["--port", "1"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"error: This version of Gradio ({gr.__version__}) lacks ")
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize(("private", "name"), cases(OPTIONAL))
def test_without_an_optional_name_the_page_still_works(
    private: Private, name: str, patch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    patch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    hide(private, patch)
    check(mcp=True)
    gradio_compat.set_upload_folder(tmp_path)
    with launched(opening()) as (_, address):
        assert "1851" in call(address, "ask", [QUESTION, None, None, 5])
        listed = call(address, "open", [None, "The lamp was lit in 1851.", None])
        assert "pasted text" in listed
        # Gradio's own check refuses it as well.
        secret = [{"path": "/etc/hostname", "meta": {"_type": "gradio.FileData"}}]
        assert call(address, "open", [None, None, secret]).startswith("event: error")


def hide(private: Private, patch: pytest.MonkeyPatch) -> None:
    """Hide a name from the page; Gradio itself still needs it."""
    find = gradio_compat._find

    def find_others(module: str, name: str) -> Any:
        return None if (module, name) == (private.module, private.name) else find(module, name)

    patch.setattr(gradio_compat, "_find", find_others)


def test_the_check_does_not_start_a_server() -> None:
    code = (
        "import threading; from page import gradio_compat; "
        "gradio_compat.check(); print(threading.active_count())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert ran.stdout.strip() == "1", ran.stderr
