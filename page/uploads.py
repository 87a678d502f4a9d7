"""The files that visitors send: each is in a place of its own, and none is fetched from anywhere."""

from __future__ import annotations

import secrets
from typing import Any, NoReturn

import gradio as gr
from gradio import processing_utils, route_utils


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


def guard() -> None:
    """Have gradio do it so."""
    route_utils.GradioUploadFile = Upload  # type: ignore[misc]
    processing_utils.async_ssrf_protected_download = refuse
