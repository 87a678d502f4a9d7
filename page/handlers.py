"""The page's event handlers: what happens when a visitor asks a question or adds a document."""

from __future__ import annotations

import html
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import gradio as gr

from index.errors import ArticleError
from page.api import ASKING, check_k
from page.layout import MAX_EXAMPLES, PLACEHOLDER, Layout
from page.loader import CancelledError
from page.markup import chat_html, passages_html, sheets_html, tabs_html
from page.request_log import RequestLog
from page.session import Session
from page.sessions import SessionExpiredError, Sessions
from qa.questions import check_question

Updates = dict[Any, Any]  # new values of components; the others stay as they are


class Handlers:
    """The event handlers. Each takes the visitor's session and returns or yields updates."""

    def __init__(self, layout: Layout, sessions: Sessions, requests: RequestLog, *, k: int) -> None:
        """Update the components of `layout`; answers are found among k passages."""
        self.layout = layout
        self.sessions = sessions
        self.requests = requests
        self.k = k

    def connect(self, blocks: gr.Blocks) -> None:
        """Connect the handlers to the events of the components; call it inside `blocks`."""
        ui = self.layout
        session = ui.session
        hidden: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        unlimited = {**hidden, "concurrency_limit": None}
        asking = {**hidden, "concurrency_id": ASKING}
        chat = [ui.chat, ui.passages]
        documents = [ui.tabs, ui.sheets, *chat, *ui.examples]
        started = [ui.status, ui.loaded, ui.box, *ui.examples]
        blocks.load(self.start_session, session, started, **unlimited)
        blocks.load(self.ask_link, session, documents, **asking)
        gr.on(
            [ui.box.submit, ui.button.click],
            self.ask,
            [ui.box, session, ui.loaded],
            [ui.box, *documents],
            # A question sent while another is answered is answered after it.
            trigger_mode="always_last",
            **asking,
        )
        for example in ui.examples:
            example.click(self.ask_example, [example, session], documents, **asking)
        ui.chat.retry(self.retry, session, documents, **asking)
        ui.chat.undo(self.undo, session, [ui.box, *chat], **hidden)
        ui.chat.edit(self.edit, session, [ui.box, *chat], **hidden)
        ui.chat.clear(self.clear, session, chat, **hidden)
        ui.overdue.click(self.listen, None, None, trigger_mode="multiple", **unlimited).then(
            None, js="() => window.askTheArticle.heard()", **hidden
        )
        # Not queued, or a question sent after it could be handled first.
        ui.tabs.input(self.select, session, None, **hidden, trigger_mode="multiple", queue=False)
        ui.tabs.delete(self.remove, session, documents, **hidden)
        # While documents are being added, more are refused with a message, and uploads deleted.
        adding = {**unlimited, "trigger_mode": "multiple"}
        ui.files.upload(
            self.add_files,
            [ui.files, session, ui.loaded],
            [ui.status, ui.files, *documents],
            **adding,
        )
        gr.on(
            [ui.address.submit, ui.add.click],
            self.add_address_or_text,
            [ui.address, ui.text, session, ui.loaded],
            [ui.status, ui.address, ui.text, *documents],
            **adding,
        )
        ui.status.stop(self.cancel, session, None, **unlimited)

    async def start_session(self, session: Session) -> AsyncIterator[Updates]:
        """Start a session when its page is loaded; show the progress until the articles are open."""
        ui = self.layout
        self.sessions.start(session)
        yield {ui.loaded: True}
        initial = self.sessions.initial
        async for status in initial.statuses(initial.finished):
            if not session.is_loading:  # that has its own status
                yield {ui.status: status}
        yield {
            ui.status: self._status(session),
            ui.box: gr.update(placeholder=PLACEHOLDER),
            **self._suggestions(session),
        }

    def ask(self, question: str, session: Session, loaded: bool) -> Iterator[Updates]:
        """Answer the question in the box; it stays there if it is refused."""
        box = self.layout.box
        if not loaded:
            self.sessions.start(session)
        if not question and session.turns:  # Enter or the button was pressed twice
            yield {box: gr.skip()}
            return
        accepted = False
        try:
            for updates in self._answer(question, session, self.k):
                yield updates if accepted else {**updates, box: ""}
                accepted = True
        except ArticleError as error:
            updates = self._refuse(session, error)
            # Gradio empties the components that an empty update leaves out.
            yield {box: question, **updates} if accepted else {box: gr.skip()}

    def ask_example(self, question: str, session: Session) -> Iterator[Updates]:
        """Answer a suggested question; the box stays as it is."""
        try:
            yield from self._answer(question, session, self.k)
        except ArticleError as error:
            yield self._refuse(session, error)

    def ask_link(self, session: Session, request: gr.Request) -> Iterator[Updates]:
        """Answer the question in the page's address: ?q=…, with &k=… passages."""
        parameters = dict(request.query_params)
        question, k = parameters.get("q", ""), parameters.get("k", str(self.k))
        self.sessions.start(session)
        if not question:
            yield {self.layout.chat: gr.skip()}
            return
        try:
            passages = int(k) if k.isdecimal() and len(k) < 9 else 0
            check_k(passages)
            yield from self._answer(question, session, passages)
        except ArticleError as error:
            yield self._refuse(session, error)

    def retry(self, session: Session) -> Iterator[Updates]:
        """Ask the last question again, in the documents that are selected now."""
        previous_turns = session.turns
        if not previous_turns:
            yield {self.layout.chat: gr.skip()}
            return
        session.turns = previous_turns[:-1]
        try:
            yield from self._answer(previous_turns[-1].question, session, self.k)
        except ArticleError as error:
            session.turns = previous_turns
            yield self._refuse(session, error)

    def undo(self, session: Session) -> Updates:
        """Delete the last turn, and put its question into the box."""
        return self._go_back(session, len(session.turns) - 1)

    def edit(self, session: Session, event: gr.EventData) -> Updates:
        """Delete a turn and those after it, and put its question into the box."""
        return self._go_back(session, event.index)

    def clear(self, session: Session) -> Updates:
        """Delete the conversation."""
        session.turns = []
        return self._chat_updates(session)

    async def listen(self) -> None:
        """Do nothing: Gradio's client listens for replies again when it has sent an event."""

    async def select(self, session: Session, event: gr.EventData) -> None:
        """Include a document in answers, or leave it out."""
        if document_id := session.document_id(event.index):
            session.select(document_id, bool(event.on))

    def remove(self, session: Session, event: gr.EventData) -> Updates:
        """Close a document; answers that cite it stay."""
        try:
            if document_id := session.document_id(event.index):
                session.remove(document_id)
        except ArticleError as error:
            _show_notice(error)
        return self._document_updates(session)

    def cancel(self, session: Session) -> None:
        """Stop adding documents."""
        if session.loader:
            session.loader.cancel()

    async def add_files(
        self, paths: list[str], session: Session, loaded: bool
    ) -> AsyncIterator[Updates]:
        """Add uploaded files."""
        if not loaded:
            self.sessions.start(session)
        async with aclosing(self._add(session, files=paths)) as steps:
            async for updates in steps:
                # The files are deleted, whether they could be opened or not.
                yield {**updates, self.layout.files: None}

    async def add_address_or_text(
        self, address: str, text: str, session: Session, loaded: bool
    ) -> AsyncIterator[Updates]:
        """Add a web page or a text; they stay in their boxes until they are open."""
        ui = self.layout
        if not loaded:
            self.sessions.start(session)
        addresses = [address] if address.strip() else []
        async with aclosing(self._add(session, addresses=addresses, text=text)) as steps:
            async for updates in steps:
                opened = ui.tabs in updates
                yield {**updates, ui.address: "", ui.text: ""} if opened else updates

    async def _add(self, session: Session, **sources: Any) -> AsyncGenerator[Updates, None]:
        """Add documents to the open ones, or show a notice and leave everything as it was."""
        status = self.layout.status
        loader = None
        try:
            self.sessions.check(session)
        except SessionExpiredError as error:
            _show_notice(error)
        try:
            with self.requests.record("open", "page") as record:
                loader = session.start_loading(
                    self.sessions.initial,
                    self.sessions.indexes,
                    uploads=self.sessions.uploads,
                    pdfs=self.sessions.pdfs,
                    examples=MAX_EXAMPLES,
                    **sources,
                )
                async for progress in loader.statuses(loader.opened):
                    yield {status: progress}
                opened = loader.wait()
                session.add_loaded(opened, loader.take_pdfs())
                record.set_opened(loader, opened)
            yield {**self._document_updates(session), status: loader.status()}
            if opened.note:
                _show_notice(opened.note)
            async for progress in loader.statuses(loader.finished):
                yield {status: progress}
            session.examples[list(opened.documents)[-1]] = loader.examples
            yield {status: self._status(session), **self._suggestions(session)}
        except CancelledError:
            yield {status: self._status(session)}
        except ArticleError as error:
            _show_notice(error)
            yield {status: self._status(session)}
        finally:
            # The visitor may have left.
            if loader:
                loader.cancel()

    def _answer(self, question: str, session: Session, k: int) -> Iterator[Updates]:
        """Show that the question is being answered, then the answer; raises ArticleError."""
        check_question(question)
        with self.requests.record("ask", "page", question=question) as record:
            turns, history, selected = session.turns, session.history(), session.selected_ids
            yield {self.layout.chat: self._chat_html(session, question)}
            self.sessions.check(session)
            answerer = session.answerer(self.sessions.initial.wait(), selected)
            answer = answerer.ask(question, history=history, k=k)
            record.set_answer(answer)
        # Unless turns were deleted in the meantime.
        if session.turns is turns:
            turns.append(answer)
            yield self._chat_updates(session)

    def _refuse(self, session: Session, error: ArticleError) -> Updates:
        """Show why a question is not answered, and the documents if the session was forgotten."""
        _show_notice(error)
        if isinstance(error, SessionExpiredError):
            return self._document_updates(session)
        return {self.layout.chat: self._chat_html(session)}

    def _go_back(self, session: Session, number: object) -> Updates:
        box = self.layout.box
        if not isinstance(number, int) or not 0 <= number < len(session.turns):
            return {box: gr.skip()}
        question = session.turns[number].question
        session.turns = session.turns[:number]
        return {box: question, **self._chat_updates(session)}

    def _document_updates(self, session: Session) -> Updates:
        """Update everything that shows documents."""
        opened = session.open_documents
        return {
            self.layout.tabs: tabs_html(opened, session.shown, session.deselected),
            self.layout.sheets: sheets_html(opened, session.shown),
            **self._chat_updates(session),
            **self._suggestions(session),
        }

    def _chat_updates(self, session: Session) -> Updates:
        turns = session.turns
        passages = passages_html(session.open_documents, turns[-1]) if turns else ""
        return {self.layout.chat: self._chat_html(session), self.layout.passages: passages}

    def _chat_html(self, session: Session, waiting: str | None = None) -> str:
        return chat_html(session.open_documents, session.turns, waiting)

    def _status(self, session: Session) -> str:
        """The status of the documents being added, or else of the initial ones."""
        if session.loader and session.is_loading:
            return session.loader.status()
        return self.sessions.initial.status()

    def _suggestions(self, session: Session) -> Updates:
        """Update the buttons of the suggested questions; those without a question are hidden."""
        questions = [*session.suggestions(self.sessions.initial), *[""] * MAX_EXAMPLES]
        return {
            button: gr.update(value=question, visible=bool(question))
            for button, question in zip(self.layout.examples, questions, strict=False)
        }


def _show_notice(message: ArticleError | str) -> None:
    """Show a notice; Gradio interprets it as HTML, and it may quote a visitor's input."""
    gr.Warning(html.escape(str(message)), title="Please note")
