"""The page: open an article, ask it, and see the answer where it stands."""

from __future__ import annotations

import argparse
import html
import os
import sys
import webbrowser
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Read by gradio when it is imported.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr

from index.article_index import ArticleIndex
from index.document import Document, read_document
from index.encoder import DEFAULT_ENCODER, Progress
from index.errors import ArticleError, DocumentError
from page.markup import article_html, chat_html, passages_html
from page.opening import Opening
from qa.answer import (
    DEFAULT_ARTICLE,
    DEFAULT_K,
    Answer,
    Answerer,
    check_question,
    open_article,
)
from qa.followup import Turn
from qa.reader import DEFAULT_READER

PAGE = Path(__file__).parent / "page"
EXAMPLES = 4
# A little over what read_document takes, so that it is read_document that says what is too large.
MAX_UPLOAD = "20mb"

Updates = dict[Any, Any]  # what each part of the page becomes; a part that is not in it stays


@dataclass
class Visit:
    """What one visitor has open; `opening` is None while that is the article of the start."""

    opening: Opening | None = None
    turns: list[Answer] = field(default_factory=list)


class Page:
    """The page: its parts and what happens when they are used."""

    def __init__(self, first: Opening, k: int = DEFAULT_K) -> None:
        """Lay the page out for visitors, who find `first` open and k passages under an answer."""
        self.first = first
        self.k = k
        document = first.document
        with gr.Blocks(
            title="Ask the Article", fill_width=True, analytics_enabled=False
        ) as self.blocks:
            self.visit = gr.State(Visit())
            with gr.Row(elem_id="bar"):
                _html("<h1>Ask the Article</h1>", "brand")
                self.status = _html(first.status(), "status")
                self.upload = gr.UploadButton(
                    "Open another text file",
                    file_types=[".txt", ".md"],
                    elem_id="upload",
                    size="sm",
                    scale=0,
                )
            with gr.Row(elem_id="desk"):
                with gr.Column(elem_id="talk"):
                    self.chat = _html(chat_html(document, []), "chat", "answered")
                    with gr.Row(elem_id="examples"):
                        self.examples = [
                            gr.Button(visible=False, size="sm") for _ in range(EXAMPLES)
                        ]
                    with gr.Row(elem_id="asking"):
                        self.box = gr.Textbox(
                            label="Question",
                            placeholder="Ask now, answered once ready",
                            max_lines=4,
                            show_label=False,
                            container=False,
                            elem_id="question",
                        )
                        self.button = gr.Button("Ask", variant="primary", elem_id="ask", scale=0)
                        self.clearing = gr.Button("Clear", elem_id="clear", scale=0)
                with gr.Column(elem_id="reading"):
                    self.article = _html(article_html(document), "article", "opened")
                    self.passages = _html("", "passages")
            self._connect()
        # A question takes some ten milliseconds of every core; more at once would only wait.
        self.blocks.queue(default_concurrency_limit=2)

    def launch(self, host: str, port: int | None) -> str:
        """Serve it and return its address; raises OSError when the port is in use."""
        _, address, _ = self.blocks.launch(
            server_name=host,
            server_port=port,
            theme=gr.themes.Base(
                font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
            ),
            head=_head(),
            favicon_path=PAGE / "icon.svg",
            footer_links=[],
            max_file_size=MAX_UPLOAD,
            ssr_mode=False,
            quiet=True,
            prevent_thread_lock=True,
        )
        return str(address)

    def _connect(self) -> None:
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        talk = [self.chat, self.passages]
        self.blocks.load(
            self.arrive,
            self.visit,
            [self.status, self.box, *self.examples],
            concurrency_limit=None,
            **quiet,
        )
        gr.on(
            [self.box.submit, self.button.click],
            self.ask,
            [self.box, self.visit],
            [self.box, *talk],
            **quiet,
        )
        for example in self.examples:
            example.click(self.ask_example, [example, self.visit], talk, **quiet)
        self.clearing.click(self.clear, self.visit, talk, **quiet)
        self.upload.upload(
            self.open_file,
            [self.upload, self.visit],
            [self.status, self.article, *talk, *self.examples],
            **quiet,
        )

    async def arrive(self, visit: Visit) -> AsyncIterator[Updates]:
        """Show how far the article is, until it is open."""
        opening = visit.opening or self.first
        async for status in opening.statuses():
            yield {self.status: status}
        yield {
            self.status: opening.status(),
            self.box: gr.update(placeholder="Ask in plain words"),
            **self._buttons(opening.examples),
        }

    def ask(self, question: str, visit: Visit) -> Iterator[Updates]:
        """Answer the question in the box; it stays there when it cannot be asked."""
        taken = False
        try:
            for updates in self._answer(question, visit):
                yield updates if taken else {**updates, self.box: ""}
                taken = True
        except ArticleError as error:
            _notice(error)
            # Something has to be given, or gradio empties what is not.
            yield (
                {self.box: question, self.chat: self._chat(visit)}
                if taken
                else {self.box: gr.skip()}
            )

    def ask_example(self, question: str, visit: Visit) -> Iterator[Updates]:
        """Answer an example, whatever stands in the box."""
        try:
            yield from self._answer(question, visit)
        except ArticleError as error:
            _notice(error)
            yield {self.chat: self._chat(visit)}

    def clear(self, visit: Visit) -> Updates:
        """Forget the chat."""
        visit.turns = []
        return {self.chat: self._chat(visit), self.passages: ""}

    async def open_file(self, path: str, visit: Visit) -> AsyncIterator[Updates]:
        """Open a visitor's own file for that visitor, or say why not and leave all as it was."""
        before = visit.opening or self.first
        try:
            document = _read_upload(path)
            # It is not saved: the file is the visitor's, and this may be another's machine.
            opening = Opening(
                document,
                lambda progress: self._open(document, progress),
                EXAMPLES,
                at_first="Opening the file…",
            ).start()
            async for status in opening.statuses():
                yield {self.status: status}
            opening.wait()
        except ArticleError as error:
            _notice(error)
            yield {self.status: before.status()}
            return
        visit.opening, visit.turns = opening, []
        yield {
            self.status: opening.status(),
            self.article: article_html(document),
            self.chat: self._chat(visit),
            self.passages: "",
            **self._buttons(opening.examples),
        }

    def _open(self, document: Document, progress: Progress) -> Answerer:
        """Open a visitor's document with the models of the first article."""
        first = self.first.wait()
        index = ArticleIndex.build(document, first.index.encoder, progress)
        return Answerer(index, first.reader, note="" if first.reader else first.note)

    def _answer(self, question: str, visit: Visit) -> Iterator[Updates]:
        """Show that the question is asked, and then its answer; raises ArticleError."""
        check_question(question)
        opening, turns = visit.opening or self.first, visit.turns
        yield {self.chat: self._chat(visit, question)}
        history = [_turn(opening.document, turn) for turn in turns]
        answer = opening.wait().ask(question, history=history, k=self.k)
        # The chat may have been cleared meanwhile, or another article opened.
        if visit.turns is turns:
            turns.append(answer)
            yield {
                self.chat: self._chat(visit),
                self.passages: passages_html(opening.document, answer),
            }

    def _chat(self, visit: Visit, waiting: str | None = None) -> str:
        return chat_html((visit.opening or self.first).document, visit.turns, waiting)

    def _buttons(self, questions: Sequence[str]) -> Updates:
        """The examples' buttons: as many as there are questions, and the others out of sight."""
        texts = [*questions, *[""] * EXAMPLES]
        return {
            button: gr.update(value=text, visible=bool(text))
            for button, text in zip(self.examples, texts, strict=False)
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page until it is interrupted; 2 when it cannot be."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.k < 1:
        parser.error(f"--k is {options.k}: read at least one passage.")
    try:
        document = read_document(options.article)
    except DocumentError as error:
        print(error, file=sys.stderr)
        return 2
    first = Opening(
        document,
        lambda progress: open_article(
            options.article,
            encoder=options.encoder,
            reader=options.reader,
            index=options.index,
            progress=progress,
        ),
        EXAMPLES,
    )
    page = Page(first, options.k)
    try:
        address = page.launch(options.host, options.port)
    except OSError:
        print(
            f"Port {options.port or '7860 and those after it'} cannot be used on {options.host}: "
            "give another with --port.",
            file=sys.stderr,
        )
        return 2
    first.start()
    print(f"Ask the Article is open at {address}", flush=True)
    # Without a screen a browser of the terminal would open, and take the terminal.
    screen = sys.platform != "linux" or {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ)
    if options.browser and screen:
        webbrowser.open(address)
    page.blocks.block_thread()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--article", default=str(DEFAULT_ARTICLE), help="the text file to open")
    parser.add_argument("--encoder", default=DEFAULT_ENCODER, help="its name or its folder")
    parser.add_argument("--reader", default=str(DEFAULT_READER), help="its name or its folder")
    parser.add_argument("--index", help="the folder where the article's index is kept")
    parser.add_argument("--port", type=int, help="by default 7860, or the next that is free")
    parser.add_argument("--host", default="127.0.0.1", help="the address to serve at")
    parser.add_argument("--k", type=int, default=DEFAULT_K, help="how many passages to read")
    parser.add_argument("--browser", action="store_true", help="open the page in your browser")
    return parser


def _head() -> str:
    """Give the page its style and script; as gradio's own `css` the style would be rewritten."""
    style = (PAGE / "page.css").read_text(encoding="utf-8")
    script = (PAGE / "page.js").read_text(encoding="utf-8")
    return f"<style>{style}</style><script>{script}</script>"


def _html(value: str, name: str, changed: str = "") -> gr.HTML:
    """A part of the page that is HTML of our own; `changed` is what page.js does on a new value."""
    return gr.HTML(
        value,
        elem_id=name,
        apply_default_css=False,
        js_on_load=f"watch('value', () => window.askTheArticle.{changed}())" if changed else None,
    )


def _read_upload(path: str) -> Document:
    """Read a visitor's file and delete it; its errors speak of its name, not of where it lay."""
    try:
        return read_document(path)
    except DocumentError as error:
        raise DocumentError(str(error).replace(path, Path(path).name)) from error
    finally:
        Path(path).unlink(missing_ok=True)


def _turn(document: Document, answer: Answer) -> Turn:
    """What a follow-up can lean on: a question, its answer, and the sentence of that."""
    at = answer.citation
    sentence = document.text[at.sentence_start : at.sentence_end] if at else ""
    return Turn(answer.question, answer.text or "", sentence)


def _notice(error: ArticleError) -> None:
    """Show an error's sentence; gradio takes it for HTML, and it may quote what a visitor gave."""
    gr.Warning(html.escape(str(error)))


if __name__ == "__main__":
    sys.exit(main())
