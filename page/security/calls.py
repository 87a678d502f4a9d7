"""Check which function of the page a request calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from page.security.bodies import BodyError
from page.security.routes import API, CALLS

_DIRECT = (f"{API}/run/", f"{API}/api/")


def check_call(path: str, body: Any, functions: Mapping[int, Any]) -> None:
    """Raise BodyError if a request calls a function that does not exist.

    `functions` are those of Gradio's Blocks, by index. API clients call them by name, the page by
    index. Gradio itself would fail with an internal error.
    """
    index = body.get("fn_index") if isinstance(body, dict) else None
    if index is not None and (type(index) is not int or index not in functions):
        raise BodyError(404, "The page has no such function. Reload it.")
    if path.startswith(f"{API}/queue/join") and index is None:
        raise BodyError(422, "fn_index is missing.")
    prefix = next((p for p in (*CALLS, *_DIRECT) if path.startswith(p)), None)
    public = prefix in CALLS
    if prefix and (public or index is None):  # otherwise Gradio goes by the index
        name = path[len(prefix) :].partition("/")[0]
        if not any(
            function.api_name == name and (not public or function.api_visibility == "public")
            for function in functions.values()
        ):
            raise BodyError(404, f"There is no endpoint '/{name[:100]}'.")
