"""The page: its layout, and what happens when its parts are used."""

from __future__ import annotations

import asyncio
import contextlib
import html
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from index.errors import ArticleError
from page import gradio_compat
from page.api import ASKING, ApiEndpoints, check_k
from page.loader import CancelledError
from page.markup import chat_html, passages_html, sheets_html, tabs_html
from page.replies import SWEEP_SECONDS, Replies
from page.request_log import RequestLog
from page.root_path import RedirectToRoot
from page.security.connections import bound_connections
from page.security.middleware import SecurityMiddleware
from page.security.origin import AllowedHosts
from page.security.sessions import MAX_SESSIONS, SessionLimits
from page.session import Session
from page.sessions import SessionExpiredError, Sessions
from page.uploads import UploadEndpoint
from qa.answerer import DEFAULT_K
from qa.questions import check_question

STATIC = Path(__file__).parent / "static"
EXAMPLES = 4
FILES = [".txt", ".md", ".html", ".htm", ".pdf", ".docx"]
# A little over what read_document takes, so that it is read_document that says what is too large.
MAX_UPLOAD = "20mb"
# So many questions may wait for those before them; who comes then is told to come again.
MAX_WAITING = 100
# What is under way when the page is stopped has so many seconds to end.
LAST_SECONDS = 3.0
# What the HTML of our own sends to the page: its buttons' and its ticks' events.
EVENTS = """
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

Updates = dict[Any, Any]  # what each part of the page becomes; a part that is not in it stays


class Page:
    """The page: its parts and what happens when they are used."""

    def __init__(
        self,
        sessions: Sessions,
        k: int = DEFAULT_K,
        requests: RequestLog | None = None,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        """Lay the page out for visitors, who find k passages under an answer."""
        self.sessions = sessions
        self.first = first = sessions.first
        self.k = k
        self.requests = requests or RequestLog()
        session = sessions.new()
        session.arrived = False  # until a page is loaded, which begins with a copy of it
        with gradio_compat.Blocks(
            title="Ask the Article",
            fill_width=True,
            analytics_enabled=False,
        ) as self.blocks:
            self.session = gr.State(session)
            with gr.Row(elem_id="bar"):
                _html("<h1>Ask the Article</h1>", "brand")
                self.status = _html(first.status(), "status")
            with gr.Row(elem_id="desk"):
                with gr.Column(elem_id="talk"):
                    self.chat = _html(chat_html(session.shelf, []), "chat", "answered")
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
                    self.overdue = gr.Button(visible="hidden", elem_id="overdue")
                with gr.Column(elem_id="reading"):
                    self.tabs = _html(
                        tabs_html(session.shelf, session.shown), "documents", "opened"
                    )
                    with gr.Column(elem_id="adding"):
                        self._adding()
                    self.sheets = _html(
                        sheets_html(session.shelf, session.shown), "article", "opened"
                    )
                    self.passages = _html("", "passages")
            self.replies = Replies(self.blocks, on_forget=self._forget_session)
            self.session_limits = SessionLimits(time.monotonic, self.replies.forget_session)
            # First, so that the endpoints have their names to themselves.
            self.api = ApiEndpoints(sessions, self.requests, self.replies.is_wanted)
            self.api.connect()
            self._connect()
        # A question takes some ten milliseconds of every core; more at once would only wait. What is
        # queued is asked through the queue alone, so that its limits hold for everybody.
        self.blocks.queue(default_concurrency_limit=2, max_size=max_waiting, api_open=False)

    def launch(
        self,
        host: str,
        port: int | None,
        names: Sequence[str] | None = None,
        trusted_proxies: Sequence[str] = (),
        **options: Any,
    ) -> tuple[str, str | None]:
        """Serve it with these options of gradio's; its address, and its public one with `share`.

        `names` are the hosts that it is known by, or None for any. Raises OSError when the port is in
        use.
        """
        gradio_compat.install()
        if options.get("mcp_server"):
            gradio_compat.install_mcp()
        hosts = AllowedHosts(names or (), any_host=names is None)
        security = Middleware(
            SecurityMiddleware,
            hosts=hosts,
            replies=self.replies,
            session_limits=self.session_limits,
            uploads=UploadEndpoint(self.sessions.uploads),
            trusted_proxies=trusted_proxies,
        )
        _, address, public = self.blocks.launch(
            server_name=host,
            server_port=port,
            theme=gr.themes.Base(
                font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
            ),
            head=_head(),
            favicon_path=STATIC / "icon.svg",
            # Where the endpoints are described, at ?view=api; the footer itself is out of sight.
            footer_links=["api"],
            # It would write what is asked down in the browser.
            run_history=False,
            max_file_size=MAX_UPLOAD,
            ssr_mode=False,
            quiet=True,
            prevent_thread_lock=True,
            # Their state is bounded by the sessions that are let in.
            state_session_capacity=2 * MAX_SESSIONS,
            app_kwargs={
                "middleware": [Middleware(RedirectToRoot), security],
                "routes": [Route("/health", self.health)],
                "lifespan": self._lifespan,
            },
            **options,
        )
        bound_connections(self.blocks.server.config)
        if public:
            hosts.add(urlsplit(public).netloc)
        self.sessions.watch()
        return str(address), public

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Any) -> AsyncIterator[None]:
        """Drop replies and sessions that nobody uses, as long as the server runs."""

        async def sweep() -> None:
            while True:
                await asyncio.sleep(SWEEP_SECONDS)
                self.replies.sweep()
                self.session_limits.end_idle(self.sessions.forget_after, self.replies.is_fetched)

        sweeping = asyncio.create_task(sweep())
        try:
            yield
        finally:
            sweeping.cancel()

    def _forget_session(self, session: str) -> None:
        self.api.forget_session(session)

    def close(self) -> None:
        """Answer what is asked already, for some seconds at most, and serve no more."""
        last = time.monotonic() + LAST_SECONDS
        busy = False
        while (self.requests.under_way or len(self.blocks._queue)) and time.monotonic() < last:
            busy = True
            time.sleep(0.05)
        if busy:
            time.sleep(0.3)  # the last answer has yet to be sent
        self.sessions.stop()
        # What is cut off now, as half an upload, is no error to tell of.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        self.blocks.server.config.timeout_graceful_shutdown = 1
        self.blocks.close(verbose=False)

    async def health(self, _: Request) -> JSONResponse:
        """Say whether questions can be asked: 200, or 503 while articles open or if they cannot be."""
        status = "ok" if self.first.opened.is_set() else "opening"
        if self.first.error:
            status = "failed"
        said = {"status": status, "under_way": self.requests.under_way}
        return JSONResponse(said, 200 if status == "ok" else 503)

    def _adding(self) -> None:
        self.files = gr.File(
            label="Drop files here, or choose them: txt, md, html, pdf, docx",
            file_count="multiple",
            file_types=FILES,
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
            label="Text",
            placeholder="Paste a text here",
            lines=3,
            max_lines=6,
            elem_id="text",
        )
        self.add = gr.Button("Add", elem_id="add")

    def _connect(self) -> None:
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        free = {**quiet, "concurrency_limit": None}
        asking = {**quiet, "concurrency_id": ASKING}
        talk = [self.chat, self.passages]
        desk = [self.tabs, self.sheets, *talk, *self.examples]
        self.blocks.load(self.arrive, self.session, [self.status, self.box, *self.examples], **free)
        self.blocks.load(self.ask_link, self.session, desk, **asking)
        gr.on(
            [self.box.submit, self.button.click],
            self.ask,
            [self.box, self.session],
            [self.box, *desk],
            # What is asked while another is answered is asked after it.
            trigger_mode="always_last",
            **asking,
        )
        for example in self.examples:
            example.click(self.ask_example, [example, self.session], desk, **asking)
        self.chat.retry(self.retry, self.session, desk, **asking)
        self.chat.undo(self.undo, self.session, [self.box, *talk], **quiet)
        self.chat.edit(self.edit, self.session, [self.box, *talk], **quiet)
        self.chat.clear(self.clear, self.session, talk, **quiet)
        self.overdue.click(self.listen, None, None, trigger_mode="multiple", **free).then(
            None, js="() => window.askTheArticle.heard()", **quiet
        )
        # Not queued, where a question sent after it could be taken first.
        ticked = {**quiet, "trigger_mode": "multiple", "queue": False}
        self.tabs.input(self.choose, self.session, None, **ticked)
        self.tabs.delete(self.remove, self.session, desk, **quiet)
        # While something is opened, more is refused in words, and an uploaded file deleted.
        adding = {**free, "trigger_mode": "multiple"}
        self.files.upload(
            self.add_files, [self.files, self.session], [self.status, self.files, *desk], **adding
        )
        gr.on(
            [self.address.submit, self.add.click],
            self.add_given,
            [self.address, self.text, self.session],
            [self.status, self.address, self.text, *desk],
            **adding,
        )
        self.status.stop(self.cancel, self.session, None, **free)

    async def arrive(self, session: Session) -> AsyncIterator[Updates]:
        """Show how far the articles of the start are, until they are open."""
        self.sessions.arrive(session)
        async for status in self.first.statuses(self.first.finished):
            # What the visitor adds meanwhile has a status of its own.
            if session.adding is None or session.adding.opened.is_set():
                yield {self.status: status}
        yield {
            self.status: self._status(session),
            self.box: gr.update(placeholder="Ask in plain words"),
            **self._suggestions(session),
        }

    def ask(self, question: str, session: Session) -> Iterator[Updates]:
        """Answer the question in the box; it stays there when it cannot be asked."""
        if not question and session.turns:  # Enter was pressed twice, or the button
            yield {self.box: gr.skip()}
            return
        taken = False
        try:
            for updates in self._answer(question, session, self.k):
                yield updates if taken else {**updates, self.box: ""}
                taken = True
        except ArticleError as error:
            updates = self._refused(session, error)
            # Something has to be given, or gradio empties what is not.
            yield {self.box: question, **updates} if taken else {self.box: gr.skip()}

    def ask_example(self, question: str, session: Session) -> Iterator[Updates]:
        """Answer an example, whatever stands in the box."""
        try:
            yield from self._answer(question, session, self.k)
        except ArticleError as error:
            yield self._refused(session, error)

    def ask_link(self, session: Session, request: gr.Request) -> Iterator[Updates]:
        """Answer the question that the page's address has in it: ?q=…, and &k=… passages."""
        given = dict(request.query_params)
        question, k = given.get("q", ""), given.get("k", str(self.k))
        self.sessions.arrive(session)
        if not question:
            yield {self.chat: gr.skip()}
            return
        try:
            passages = int(k) if k.isdecimal() and len(k) < 9 else 0
            check_k(passages)
            yield from self._answer(question, session, passages)
        except ArticleError as error:
            yield self._refused(session, error)

    def retry(self, session: Session) -> Iterator[Updates]:
        """Ask the last question again, of what is open now."""
        before = session.turns
        if not before:
            yield {self.chat: gr.skip()}
            return
        session.turns = before[:-1]
        try:
            yield from self._answer(before[-1].question, session, self.k)
        except ArticleError as error:
            session.turns = before
            yield self._refused(session, error)

    def undo(self, session: Session) -> Updates:
        """Take the last turn back; its question is in the box again."""
        return self._back(session, len(session.turns) - 1)

    def edit(self, session: Session, event: gr.EventData) -> Updates:
        """Take a turn back, and those after it, to ask its question in other words."""
        return self._back(session, event.index)

    def clear(self, session: Session) -> Updates:
        """Forget the chat."""
        session.turns = []
        return self._talk(session)

    async def listen(self) -> None:
        """Have the page listen for replies again, which it does when it sends something."""

    async def choose(self, session: Session, event: gr.EventData) -> None:
        """Have questions asked of a document, or not."""
        if name := session.name(event.index):
            session.choose(name, bool(event.on))

    def remove(self, session: Session, event: gr.EventData) -> Updates:
        """Close a document; answers that cite it stay."""
        try:
            if name := session.name(event.index):
                session.remove(name)
        except ArticleError as error:
            _notice(error)
        return self._desk(session)

    def cancel(self, session: Session) -> None:
        """Stop opening what the visitor adds."""
        if session.adding:
            session.adding.cancel()

    async def add_files(self, paths: list[str], session: Session) -> AsyncIterator[Updates]:
        """Open a visitor's own files."""
        async with aclosing(self._add(session, files=paths)) as steps:
            async for updates in steps:
                # The files are gone, whatever comes of them.
                yield {**updates, self.files: None}

    async def add_given(self, address: str, text: str, session: Session) -> AsyncIterator[Updates]:
        """Open a web page or a text, which stay in their boxes until they are open."""
        addresses = [address] if address.strip() else []
        async with aclosing(self._add(session, addresses=addresses, text=text)) as steps:
            async for updates in steps:
                opened = self.tabs in updates
                yield {**updates, self.address: "", self.text: ""} if opened else updates

    async def _add(self, session: Session, **given: Any) -> AsyncGenerator[Updates, None]:
        """Open what is given beside what is open, or say why not and leave all as it was."""
        opening = None
        try:
            self.sessions.use(session)
        except SessionExpiredError as error:
            _notice(error)
        try:
            with self.requests.one("open", "page") as noted:
                opening = session.add(
                    self.first,
                    self.sessions.indexes,
                    uploads=self.sessions.uploads,
                    examples=EXAMPLES,
                    **given,
                )
                async for status in opening.statuses(opening.opened):
                    yield {self.status: status}
                added = opening.wait()
                session.take(added)
                noted.opened(opening, added)
            yield {**self._desk(session), self.status: opening.status()}
            if added.note:
                _notice(added.note)
            async for status in opening.statuses(opening.finished):
                yield {self.status: status}
            session.examples[list(added.documents)[-1]] = opening.examples
            yield {self.status: self._status(session), **self._suggestions(session)}
        except CancelledError:
            yield {self.status: self._status(session)}
        except ArticleError as error:
            _notice(error)
            yield {self.status: self._status(session)}
        finally:
            # The visitor may have gone.
            if opening:
                opening.cancel()

    def _answer(self, question: str, session: Session, k: int) -> Iterator[Updates]:
        """Show that the question is asked, and then its answer; raises ArticleError."""
        check_question(question)
        with self.requests.one("ask", "page", question=question) as noted:
            turns, history, asked = session.turns, session.history(), session.asked
            yield {self.chat: self._chat(session, question)}
            self.sessions.use(session)
            answerer = session.answerer(self.first.wait(), asked)
            answer = answerer.ask(question, history=history, k=k)
            noted.answered(answer)
        # Turns may have been taken back meanwhile.
        if session.turns is turns:
            turns.append(answer)
            yield self._talk(session)

    def _refused(self, session: Session, error: ArticleError) -> Updates:
        """Say why a question is not answered, and show what is open if that has changed."""
        _notice(error)
        forgotten = isinstance(error, SessionExpiredError)
        return self._desk(session) if forgotten else {self.chat: self._chat(session)}

    def _back(self, session: Session, number: object) -> Updates:
        if not isinstance(number, int) or not 0 <= number < len(session.turns):
            return {self.box: gr.skip()}
        question = session.turns[number].question
        session.turns = session.turns[:number]
        return {self.box: question, **self._talk(session)}

    def _desk(self, session: Session) -> Updates:
        """Everything that shows documents."""
        return {
            self.tabs: tabs_html(session.shelf, session.shown, session.unasked),
            self.sheets: sheets_html(session.shelf, session.shown),
            **self._talk(session),
            **self._suggestions(session),
        }

    def _talk(self, session: Session) -> Updates:
        passages = passages_html(session.shelf, session.turns[-1]) if session.turns else ""
        return {self.chat: self._chat(session), self.passages: passages}

    def _chat(self, session: Session, waiting: str | None = None) -> str:
        return chat_html(session.shelf, session.turns, waiting)

    def _status(self, session: Session) -> str:
        """The status of what is still being opened, if anything is."""
        busy = session.adding and not session.adding.opened.is_set()
        return session.adding.status() if session.adding and busy else self.first.status()

    def _suggestions(self, session: Session) -> Updates:
        """The examples' buttons: as many as there are questions, and the others out of sight."""
        texts = [*session.suggestions(self.first), *[""] * EXAMPLES]
        return {
            button: gr.update(value=text, visible=bool(text))
            for button, text in zip(self.examples, texts, strict=False)
        }


def _head() -> str:
    """Give the page its style and script; as gradio's own `css` the style would be rewritten."""
    style = (STATIC / "page.css").read_text(encoding="utf-8")
    script = (STATIC / "page.js").read_text(encoding="utf-8")
    return f"<style>{style}</style><script>{script}</script>"


def _html(value: str, name: str, changed: str = "") -> gr.HTML:
    """A part of the page that is HTML of our own; `changed` is what page.js does on a new value."""
    watch = f"watch('value', () => window.askTheArticle.{changed}());" if changed else ""
    return gr.HTML(value, elem_id=name, apply_default_css=False, js_on_load=EVENTS + watch)


def _notice(said: ArticleError | str) -> None:
    """Show a sentence; gradio takes it for HTML, and it may quote what a visitor gave."""
    gr.Warning(html.escape(str(said)), title="Please note")
