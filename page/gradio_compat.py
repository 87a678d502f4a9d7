"""Everything that the page uses of Gradio beside its public interface.

`check()` looks for all of it at start. What is needed for the page to work, or to keep a protection,
stops the program when it is missing; the rest falls back to Gradio's own behaviour. Modules of Gradio
are imported inside the functions, so that one that is missing is found by `check()` too.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import gradio as gr
from starlette.types import ASGIApp, Receive, Scope, Send

from index.errors import ArticleError

TESTED_VERSION = "6.31.0"  # as in requirements.txt
INTERNAL_ERROR = "Something went wrong on the server. Try again."
UPLOAD_BY_PATH = "A file can't be given by its path. Upload it instead."
UPLOAD_BY_ADDRESS = "A file can't be given by its address. Upload it instead."


class UnsupportedGradioError(ArticleError):
    """The installed version of Gradio lacks something that the page needs."""


class _Private(NamedTuple):
    """A private name of Gradio: a dotted name in a module.

    `attributes` are those that the function of that name sets on its instance; they are looked up in
    its code, since they do not exist before it is called.
    """

    module: str
    name: str
    attributes: tuple[str, ...] = ()


# Without these the page does not work, or loses a limit or a protection.
REQUIRED = (
    _Private("gradio.blocks", "Blocks.fns"),
    _Private("gradio.blocks", "Blocks.validate_inputs"),
    _Private("gradio.blocks", "Blocks.queue", ("_queue",)),
    _Private("gradio.blocks", "Blocks.launch", ("app", "server")),
    _Private("gradio.exceptions", "InvalidPathError"),
    _Private("gradio.processing_utils", "async_ssrf_protected_download"),
    _Private("gradio.queueing", "Event.__init__", ("_id", "alive", "session_hash")),
    _Private("gradio.queueing", "EventQueue.__init__", ("queue",)),
    _Private("gradio.queueing", "Queue.__len__"),
    _Private(
        "gradio.queueing",
        "Queue.__init__",
        (
            "active_jobs",
            "event_ids_to_events",
            "event_queue_per_concurrency_id",
            "pending_event_ids_session",
            "pending_messages_per_session",
        ),
    ),
    _Private("gradio.routes", "App.get_blocks"),
    _Private(
        "gradio.routes",
        "App.__init__",
        ("auth", "cookie_id", "startup_events_triggered", "state_holder", "tokens"),
    ),
    _Private("gradio.routes", "CustomCORSMiddleware"),
    _Private("gradio.state_holder", "StateHolder.__init__", ("session_data", "time_last_used")),
    _Private("gradio.utils", "get_upload_folder"),
    _Private("gradio_client.utils", "is_file_obj_with_meta"),
)
REQUIRED_FOR_MCP = (_Private("gradio.mcp", "GradioMCPServer._prepare_tool_call_args"),)
# Without these Gradio's own behaviour is good enough; each use says what that is.
OPTIONAL = (
    _Private("gradio.context", "LocalContext.event_id"),
    _Private("gradio.processing_utils", "_check_allowed"),
    _Private("gradio.queueing", "Queue.start_progress_updates"),
    _Private("gradio.queueing", "error_payload"),
    _Private("gradio.routes", "DEFAULT_TEMP_DIR"),
    _Private("gradio.utils", "error_payload"),
)


def check(*, mcp: bool = False) -> None:
    """Raise UnsupportedGradioError if this version of Gradio lacks something required."""
    required = REQUIRED + (REQUIRED_FOR_MCP if mcp else ())
    if missing := [name for private in required for name in _missing(private)]:
        raise UnsupportedGradioError(
            f"This version of Gradio ({gr.__version__}) lacks {', '.join(missing)}. "
            f"Install the tested one: pip install gradio=={TESTED_VERSION}."
        )


def _missing(private: _Private) -> list[str]:
    """The names that this version of Gradio lacks: the name itself, or some of its attributes."""
    found = _find(private.module, private.name)
    if found is None:
        return [f"{private.module}.{private.name}"]
    if not private.attributes:
        return []
    code = getattr(inspect.unwrap(found), "__code__", None)
    names = code.co_names if code else ()
    owner = f"{private.module}.{private.name.rpartition('.')[0]}"
    return [f"{owner}().{name}" for name in private.attributes if name not in names]


def _find(module: str, name: str) -> Any:
    """What a dotted name in a module stands for; None if it is missing."""
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return None
    return found


def _replace(module: str, name: str, replace: Callable[[Any], Any]) -> None:
    """Replace an attribute, if Gradio has it, by what replace(original) returns."""
    found = _find(module, name)
    if found is None:
        return
    original = getattr(found, "gradio_original", found)  # the page may be launched several times
    replacement = replace(original)
    if callable(replacement):
        replacement.gradio_original = original
    owner, _, last = name.rpartition(".")
    setattr(_find(module, owner) if owner else importlib.import_module(module), last, replacement)


class Blocks(gr.Blocks):
    """Blocks that tell a client which values are missing.

    Gradio tells the client nothing, and writes the values into the server's log.
    """

    def validate_inputs(self, block_fn: Any, inputs: list[Any]) -> None:
        """Raise an error with a message if there are too few inputs."""
        needed = len(block_fn.inputs)
        if len(inputs) < needed:
            message = f"{needed} values are needed, and {len(inputs)} were given."
            raise gr.Error(message, print_exception=False)


def install() -> None:
    """Replace what Gradio does with files, other origins and errors."""
    _replace("gradio.processing_utils", "async_ssrf_protected_download", lambda _: _refuse_download)
    _replace("gradio.routes", "CustomCORSMiddleware", lambda _: _NoCors)
    # Without it Gradio still refuses the path, in words that say nothing to the visitor.
    _replace("gradio.processing_utils", "_check_allowed", _explaining_check)
    # Without it the client is told of an error without a reason.
    _replace("gradio.utils", "error_payload", _explaining_payload)
    _replace("gradio.queueing", "error_payload", _explaining_payload)
    # Without it Gradio looks for progress a hundred times a second.
    _replace("gradio.queueing", "Queue.start_progress_updates", lambda _: _no_progress_updates)


def install_mcp() -> None:
    """Have MCP tools refuse files of the server's machine."""
    from gradio import mcp

    class McpServer(mcp.GradioMCPServer):
        """Gradio's MCP server, whose tools take no files by their path.

        Gradio calls a tool through a client of its own inside the server. That client uploads each file
        that an argument names by its path, so any file of the machine would pass for an upload.
        """

        def _prepare_tool_call_args(self, name: str, arguments: dict[str, Any]) -> Any:
            if _has_file(arguments):
                raise ValueError("A file can't be given by its path. Give its name and content.")
            return super()._prepare_tool_call_args(name, arguments)

    if mcp.GradioMCPServer.__name__ != McpServer.__name__:
        mcp.GradioMCPServer = McpServer  # type: ignore[misc]


def current_event() -> str | None:
    """The id of the queue's event that is being handled; None outside of the queue.

    Also None if Gradio does not tell: then work goes on after its client has left.
    """
    event_id = _find("gradio.context", "LocalContext.event_id")
    found: str | None = event_id.get(None) if event_id else None
    return found


def upload_folder() -> Path:
    """The folder in which Gradio keeps uploads."""
    from gradio.utils import get_upload_folder

    return Path(get_upload_folder())


def set_upload_folder(folder: Path) -> None:
    """Have Gradio put uploads, and the folders that it makes for itself, into this one."""
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    # Read when Gradio was imported. Its default, "gradio" in the temporary folder, may belong to another
    # user, and then the page cannot start. Without the name, Gradio may fail in that case alone.
    _replace("gradio.routes", "DEFAULT_TEMP_DIR", lambda _: str(folder))


def is_uploaded_file(value: Any) -> bool:
    """Whether a value is a file as Gradio's client sends it after an upload."""
    from gradio_client.utils import is_file_obj_with_meta

    return bool(is_file_obj_with_meta(value))


def server_config(blocks: gr.Blocks) -> Any:
    """The Uvicorn configuration of a running page."""
    return blocks.server.config


def has_started(app: Any) -> bool:
    """Whether Gradio has made its first request to the page itself, before which nothing is served."""
    return bool(app.startup_events_triggered)


def functions(app: Any) -> Mapping[int, Any]:
    """The functions of the page, by their index."""
    found: Mapping[int, Any] = app.get_blocks().fns
    return found


def login_cookies(app: Any) -> tuple[str, str]:
    """The names of the login cookies; the first one is sent over https only."""
    return f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}"


def login_tokens(app: Any) -> dict[str, Any] | None:
    """The tokens of those who are logged in; None if the page has no password."""
    tokens: dict[str, Any] = app.tokens
    return None if app.auth is None else tokens


class PageQueue:
    """The queue of a page: its events and the replies that wait to be fetched. Event loop only."""

    def __init__(self, blocks: gr.Blocks) -> None:
        """Use the queue that these Blocks have at the time of each call."""
        self._blocks = blocks

    @property
    def _queue(self) -> Any:
        return self._blocks._queue

    def __len__(self) -> int:
        """The number of events that wait to be handled."""
        return len(self._queue)

    def has_replies(self, session: str) -> bool:
        """Whether a session has sent an event, so that a reply can be expected."""
        return session in self._queue.pending_messages_per_session

    def session_of_event(self, event_id: str) -> str | None:
        """The session of an event; None if its reply has been fetched, or there is no such event."""
        if event := self._queue.event_ids_to_events.get(event_id):
            return str(event.session_hash)
        for session, event_ids in self._queue.pending_event_ids_session.items():
            if event_id in event_ids:
                return str(session)
        return None

    def is_alive(self, event_id: str) -> bool:
        """Whether somebody still waits for the reply to an event."""
        event = self._queue.event_ids_to_events.get(event_id)
        return event is not None and bool(event.alive)

    def is_over(self, event_id: str) -> bool:
        """Whether an event that is its own session has been handled, and its reply fetched."""
        return event_id not in self._queue.event_ids_to_events and not (
            self._queue.pending_event_ids_session.get(event_id)
        )

    def pending_sizes(self) -> dict[str, int]:
        """About how many bytes of replies each session has not fetched yet.

        Includes sessions whose events have no reply so far.
        """
        return {
            session: sum(map(_reply_size, _items(messages)))
            for session, messages in self._queue.pending_messages_per_session.items()
            if messages.qsize() or self._queue.pending_event_ids_session.get(session)
        }

    def drop(self, session: str) -> None:
        """Drop the events and replies of a session; a running event loses whoever waits for it."""
        queue = self._queue
        for job in queue.active_jobs:
            for event in job or ():
                if event.session_hash == session:
                    event.alive = False
        for waiting in queue.event_queue_per_concurrency_id.values():
            for event in [event for event in waiting.queue if event.session_hash == session]:
                waiting.queue.remove(event)
                queue.event_ids_to_events.pop(event._id, None)
        queue.pending_messages_per_session.pop(session, None)
        queue.pending_event_ids_session.pop(session, None)

    def drop_state(self, session: str) -> None:
        """Drop the values of a session's gr.State components."""
        holder = self._blocks.app.state_holder
        holder.session_data.pop(session, None)
        holder.time_last_used.pop(session, None)


def _explaining_check(gradio_check: Callable[[str | Path, bool], None]) -> Callable[..., None]:
    """Gradio's check of a path, which refuses one that is not an upload's with a message."""
    from gradio.exceptions import InvalidPathError

    def check_upload(path: str | Path, check_in_upload_folder: bool) -> None:
        try:
            gradio_check(path, check_in_upload_folder)
        except (InvalidPathError, OSError, ValueError) as error:  # ValueError: a NUL byte
            raise gr.Error(UPLOAD_BY_PATH, print_exception=False) from error

    return check_upload


class _NoCors:
    """Lets no other origin read replies, where Gradio would answer all of them."""

    def __init__(self, app: ASGIApp, **_: Any) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


async def _refuse_download(url: str, cache_dir: str) -> NoReturn:
    """Fetch nothing: Gradio would download any address given as a file's path, of any size."""
    raise gr.Error(UPLOAD_BY_ADDRESS, print_exception=False)


def _explaining_payload(gradio_payload: Callable[..., dict[str, Any]]) -> Callable[..., Any]:
    """What a client is told about an error: always a message, and nothing internal."""

    def error_payload(error: BaseException | None, show_error: bool) -> dict[str, Any]:
        payload = gradio_payload(error, show_error)
        if not payload.get("error"):
            payload |= {"error": INTERNAL_ERROR, "visible": True, "title": "Error"}
        return payload

    return error_payload


async def _no_progress_updates(queue: Any) -> None:
    """Do not look for the progress of events: the page reports none.

    Gradio looks every hundredth of a second, and holds the last event, with what was sent, until there
    is another.
    """


def _has_file(value: Any) -> bool:
    """Whether a value contains a file, as Gradio's client understands one, at any depth."""
    if isinstance(value, dict):
        return "path" in value or any(map(_has_file, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_has_file, value))


def _items(messages: asyncio.Queue[Any]) -> Iterator[Any]:
    """The messages in a queue, which stay in it."""
    yield from messages._queue  # type: ignore[attr-defined]


def _reply_size(message: Any) -> int:
    output = getattr(message, "output", None)
    data = output.get("data") if isinstance(output, dict) else None
    return sum(map(_text_size, data or ()))


def _text_size(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_text_size, value.values()))
    return sum(map(_text_size, value)) if isinstance(value, (list, tuple)) else 8
