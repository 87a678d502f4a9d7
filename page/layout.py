"""The layout of the page: its components, before anything has happened."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from page.markup import chat_html, sheets_html, tabs_html
from page.session import Session

STATIC = Path(__file__).parent / "static"
STYLES = ("page.css", "document.css", "pdf.css")
SCRIPTS = ("document.js", "page.js", "pdf.js")
MAX_EXAMPLES = 4
FILE_TYPES = [
    *(".txt", ".md", ".markdown", ".html", ".htm", ".xhtml", ".pdf", ".csv", ".tsv"),
    *(".docx", ".docm", ".xlsx", ".xlsm", ".pptx", ".pptm", ".ppsx", ".epub"),
]
LOADING_PLACEHOLDER = "You can ask now; answers start when loading finishes"
PLACEHOLDER = "Ask a question about this article…"
# Runs for each gr.HTML: passes the clicks and ticks in its HTML on to the server.
FORWARD_EVENTS = """
const send = (control, data) =>
    trigger(control.dataset.event, {index: Number(control.dataset.index), ...data});
element.addEventListener('click', (event) => {
    const button = event.target.closest('button[data-event]');
    if (button) send(button, {});
});
element.addEventListener('change', (event) => {
    if (event.target.matches('input[data-event]')) send(event.target, {on: event.target.checked});
});
"""


class Layout:
    """The components of the page, added to the Blocks under construction."""

    def __init__(self, session: Session, status: str) -> None:
        """Show the documents of `session`, of which every visitor gets a copy, and the status."""
        self.session = gr.State(session)
        with gr.Row(elem_id="bar"):
            _html("<h1>Ask the Article</h1>", "brand")
            self.status = _html(status, "status")
        with gr.Row(elem_id="desk"):
            with gr.Column(elem_id="talk"):
                self._add_chat(session)
            with gr.Column(elem_id="reading"):
                self.tabs = _html(
                    tabs_html(session.open_documents, session.shown), "documents", "opened"
                )
                with gr.Column(elem_id="adding"):
                    self._add_sources()
                self.sheets = _html(
                    sheets_html(session.open_documents, session.shown),
                    "article",
                    "opened",
                    on_load="window.askTheArticle.pdfPages.opened();",
                )
                self.passages = _html("", "passages")

    def _add_chat(self, session: Session) -> None:
        self.chat = _html(chat_html(session.open_documents, []), "chat", "answered")
        with gr.Row(elem_id="examples"):
            self.examples = [gr.Button(visible=False, size="sm") for _ in range(MAX_EXAMPLES)]
        with gr.Row(elem_id="asking"):
            self.box = gr.Textbox(
                label="Question",
                placeholder=LOADING_PLACEHOLDER,
                max_lines=4,
                show_label=False,
                container=False,
                elem_id="question",
            )
            self.button = gr.Button("Ask", variant="primary", elem_id="ask", scale=0)
        # page.js clicks it when a reply is overdue.
        self.overdue = gr.Button(visible="hidden", elem_id="overdue")
        # Set when the session is started. A request that the page sends before can reach the server
        # before the load event does, and must not be taken for one of an expired session.
        self.loaded = gr.Checkbox(visible="hidden")

    def _add_sources(self) -> None:
        self.files = gr.File(
            label="Drop files here, or browse · PDF, Office, EPUB, HTML, CSV, text",
            file_count="multiple",
            file_types=FILE_TYPES,
            height=72,
            elem_id="files",
        )
        self.address = gr.Textbox(
            label="Web address",
            placeholder="https://…",
            max_lines=1,
            elem_id="address",
        )
        self.text = gr.Textbox(
            label="Or paste text",
            placeholder="Paste text here",
            lines=3,
            max_lines=6,
            elem_id="text",
        )
        self.add = gr.Button("Add", elem_id="add")


def head() -> str:
    """The page's style and script, for <head>; Gradio would rewrite a style given as its `css`."""
    files = [(STATIC / name).read_text(encoding="utf-8") for name in STYLES + SCRIPTS]
    styles, scripts = files[: len(STYLES)], files[len(STYLES) :]
    return "".join(
        [f"<style>{style}</style>" for style in styles]
        + [f"<script>{script}</script>" for script in scripts]
    )


def _html(value: str, element_id: str, on_change: str = "", *, on_load: str = "") -> gr.HTML:
    """A component with our own HTML; `on_change` is the function of page.js to call on a new value.

    `on_load` is the script to run when it is shown first.
    """
    watch = f"watch('value', () => window.askTheArticle.{on_change}());" if on_change else ""
    return gr.HTML(
        value,
        elem_id=element_id,
        apply_default_css=False,
        js_on_load=FORWARD_EVENTS + watch + on_load,
    )
