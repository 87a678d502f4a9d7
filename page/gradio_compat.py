"""The private names of Gradio that the page replaces or reads, all in one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import gradio as gr
from gradio import processing_utils, queueing, routes, utils
from gradio.context import LocalContext
from gradio.exceptions import InvalidPathError
from starlette.types import ASGIApp, Receive, Scope, Send

INTERNAL_ERROR = "Something went wrong on the server: try again."


class Blocks(gr.Blocks):
    """Blocks that tell a client which values are missing.

    Gradio would tell the client nothing, and write what was sent into the log.
    """

    def validate_inputs(self, block_fn: Any, inputs: list[Any]) -> None:
        """Raise an error with a sentence where there are too few inputs."""
        needed = len(block_fn.inputs)
        if len(inputs) < needed:
            told = f"{needed} values are needed and {len(inputs)} were given."
            raise gr.Error(told, print_exception=False)


def install() -> None:
    """Replace what Gradio would do with files, other origins and errors."""
    processing_utils._check_allowed = _check_upload
    processing_utils.async_ssrf_protected_download = _refuse_download
    routes.CustomCORSMiddleware = _NoCors  # type: ignore[attr-defined,assignment]
    utils.error_payload = _error_payload
    queueing.error_payload = _error_payload  # type: ignore[attr-defined]
    queueing.Queue.start_progress_updates = _no_progress_updates  # type: ignore[assignment]


def install_mcp() -> None:
    """Have MCP tools refuse files of the server's machine."""
    from gradio import mcp

    class McpServer(mcp.GradioMCPServer):
        """Gradio's MCP server, whose tools take no files by their path.

        Gradio calls a tool through a client of its own inside the server. That client uploads each file
        that an argument names by its path, so that any file of the machine would pass for an upload.
        """

        def _prepare_tool_call_args(self, name: str, arguments: dict[str, Any]) -> Any:
            if _has_file(arguments):
                raise ValueError("A file cannot be given by its path: give its name and content.")
            return super()._prepare_tool_call_args(name, arguments)

    if mcp.GradioMCPServer.__name__ != McpServer.__name__:
        mcp.GradioMCPServer = McpServer  # type: ignore[misc]


def current_event() -> str | None:
    """The id of the queue's event that is being handled; None outside of the queue."""
    event: str | None = LocalContext.event_id.get(None)
    return event


_gradio_check: Callable[[str | Path, bool], None] = processing_utils._check_allowed
_gradio_error_payload: Callable[..., dict[str, Any]] = utils.error_payload


def _check_upload(path: str | Path, check_in_upload_folder: bool) -> None:
    """Refuse a path that is not an upload's, in a sentence; Gradio's own error says nothing."""
    try:
        _gradio_check(path, check_in_upload_folder)
    except (InvalidPathError, OSError, ValueError) as error:  # such as a NUL byte
        told = "A file is not given by its path: upload it."
        raise gr.Error(told, print_exception=False) from error


class _NoCors:
    """Lets no other origin read replies, where Gradio would answer all of them."""

    def __init__(self, app: ASGIApp, **_: Any) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


async def _refuse_download(url: str, cache_dir: str) -> NoReturn:
    """Fetch nothing: Gradio would, from any address given as a file's path, however much there is."""
    raise gr.Error("A file is not given by its address: upload it.", print_exception=False)


def _error_payload(error: BaseException | None, show_error: bool) -> dict[str, Any]:
    """What a client is told of an error: always a sentence, and nothing of the server's inside."""
    payload = _gradio_error_payload(error, show_error)
    if not payload.get("error"):
        payload |= {"error": INTERNAL_ERROR, "visible": True, "title": "Error"}
    return payload


async def _no_progress_updates(queue: queueing.Queue) -> None:
    """Look for no progress of events: the page has none to tell.

    Gradio would look every hundredth of a second, and hold the last event, with what was sent, until
    there is another.
    """


def _has_file(value: Any) -> bool:
    """Whether a value has a file in it, as Gradio's client understands one, at any depth."""
    if isinstance(value, dict):
        return "path" in value or any(map(_has_file, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_has_file, value))
