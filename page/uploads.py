"""The files that visitors send: each is in a place of its own, and none is fetched from anywhere."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import gradio as gr
from gradio import processing_utils, route_utils
from gradio.exceptions import InvalidPathError


class Upload(route_utils.GradioUploadFile):
    """A file that is being uploaded.

    Gradio gives files of one content one place, and who is the first to open theirs would delete the
    others'.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Take what gradio gives."""
        super().__init__(*arguments, **named)
        self.sha.update(secrets.token_bytes(16))


async def refuse(url: str, cache_dir: str) -> NoReturn:
    """Fetch nothing: gradio would, at any address given as a file's path, however much there is."""
    raise gr.Error("A file is not given by its address: upload it.", print_exception=False)


def check(path: str | Path, check_in_upload_folder: bool) -> None:
    """Take a path for an upload only where it is one, as gradio does, which says nothing where not."""
    try:
        _check(path, check_in_upload_folder)
    except InvalidPathError as error:
        told = "A file is not given by its path: upload it."
        raise gr.Error(told, print_exception=False) from error


_check: Callable[[str | Path, bool], None] = processing_utils._check_allowed


def guard() -> None:
    """Have gradio do it so."""
    processing_utils._check_allowed = check
    route_utils.GradioUploadFile = Upload  # type: ignore[misc]
    processing_utils.async_ssrf_protected_download = refuse
