"""The endpoints /ask, /open and /documents, for API and MCP clients."""

# Without `from __future__ import annotations`, since Gradio reads the return types from the signatures.

import asyncio
import base64
import binascii
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr
from gradio.events import api

from index.errors import ArticleError
from page.gradio_compat import current_event, is_uploaded_file
from page.request_log import RequestLog
from page.session import Session
from page.sessions import SessionExpiredError, Sessions
from page.text_ranges import count_paragraphs, display_source
from page.uploads import safe_name
from qa.answerer import DEFAULT_K
from qa.questions import MAX_QUESTION
from qa.types import QuestionError, Turn

MAX_K = 50
# Of the history of a question.
MAX_TURNS = 100
MAX_ANSWER = 5_000  # characters; answers are seldom longer than a sentence
MAX_FILES = 100  # in one call of /open
MAX_EXPIRED = 10_000
# The concurrency limit that questions from the page and from API clients share.
ASKING = "asking"
INVALID_HISTORY = "history must be a list of pairs: [question, answer]."


class ApiEndpoints:
    """The endpoints for API clients. Each session has its own documents; all MCP clients share one.

    A call without a session sees only the initial documents, and keeps nothing.
    """

    def __init__(
        self, sessions: Sessions, requests: RequestLog, is_wanted: Callable[[str | None], bool]
    ) -> None:
        """is_wanted(event_id) says whether somebody still waits for the reply to a queue's event."""
        self._page_sessions = sessions
        self._requests = requests
        self._is_wanted = is_wanted
        self._sessions: dict[str, Session] = {}
        self._expired: dict[str, None] = {}  # forgotten sessions whose clients do not know yet
        self._lock = threading.Lock()

    def connect(self) -> None:
        """Add the endpoints to the Blocks under construction."""
        api(self.ask, api_name="ask", concurrency_id=ASKING)
        api(self.open, api_name="open")
        api(self.documents, api_name="documents", concurrency_limit=None)

    def ask(
        self,
        request: gr.Request,
        question: str,
        documents: list[str] | None = None,
        history: list[list[str]] | None = None,
        k: int = DEFAULT_K,
    ) -> dict[str, Any]:
        """Ask a question about the open documents; the answer is quoted word for word.

        Args:
            question: The question, in plain English.
            documents: The ids of the documents to search, or null for all open documents.
            history: Earlier turns for follow-up questions, each a list of a question and its answer.
            k: The number of passages to read, from 1 to 50.
        Returns:
            a JSON object: text, the answer, or null if none was found
            confidence, the probability that the answer is right
            citation, with the document's id and the offsets in its text
            alternatives and passages
            rewritten, the question as it was interpreted
        """
        try:
            with self._requests.record("ask", _client(request), question=question) as record:
                if not isinstance(question, str):
                    raise QuestionError("question must be a string.")
                check_k(k)
                turns = _turns([] if history is None else history)
                session = self._session(request)
                ids = session.open_ids if documents is None else _open_ids(session, documents)
                answerer = session.answerer(self._page_sessions.initial.wait(), ids)
                answer = answerer.ask(question, history=turns, k=k)
                record.set_answer(answer)
        except ArticleError as error:
            raise _gradio_error(error) from error
        result: dict[str, Any] = _result(request, answer.to_dict())
        return result

    async def open(
        self,
        request: gr.Request,
        address: str | None = None,
        text: str | None = None,
        files: list[dict[str, Any]] | None = None,
    ) -> list[dict[str, Any]]:
        """Open more documents in this session, and list all open ones.

        Args:
            address: The address of a web page or file, starting with http:// or https://.
            text: A text to open as a document.
            files: Files, each as {"name": "a.pdf", "content": base64}, or uploaded by gradio_client.
        Returns:
            a JSON list of the open documents, as from /documents
            documents opened by this call have a "note" if something else could not be opened
            it is an error only if nothing could be opened
        """
        try:
            with self._requests.record("open", _client(request)) as record:
                uploaded, contents = _files([] if files is None else files)
                session = self._session(request, keep=True)
                loader = session.start_loading(
                    self._page_sessions.initial,
                    self._page_sessions.indexes,
                    uploads=self._page_sessions.uploads,
                    files=uploaded,
                    contents=contents,
                    addresses=[_text(address, "address")] if address else [],
                    text=_text(text, "text") if text else "",
                )
                event_id = current_event()
                try:
                    while not loader.opened.is_set():
                        await asyncio.sleep(0.05)
                        if not self._is_wanted(event_id):
                            break
                finally:
                    loader.cancel()  # does nothing once the documents are open
                opened = loader.wait()
                session.add_loaded(opened)
                record.set_opened(loader, opened)
        except ArticleError as error:
            raise _gradio_error(error) from error
        return self._listed(request, session, dict.fromkeys(opened.documents, opened.note))

    def documents(self, request: gr.Request) -> list[dict[str, Any]]:
        """List the open documents.

        Returns:
            a JSON list with each document's id, title, source, characters, paragraphs and pages
            pages is null if the format has none
        """
        try:
            session = self._session(request)
        except ArticleError as error:
            raise _gradio_error(error) from error
        return self._listed(request, session)

    def _listed(
        self, request: gr.Request, session: Session, notes: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """The open documents as JSON; `notes` maps ids to notes, of which empty ones are omitted."""
        notes = notes or {}
        listed: list[dict[str, Any]] = [
            {
                "id": document.id,
                "title": document.title,
                "source": display_source(document),
                "characters": len(document.text),
                "paragraphs": count_paragraphs(document),
                "pages": len(document.pages) or None,
                **({"note": notes[document.id]} if notes.get(document.id) else {}),
            }
            for document in (session.documents[document_id] for document_id in session.open_ids)
        ]
        result: list[dict[str, Any]] = _result(request, listed)
        return result

    def _session(self, request: gr.Request, *, keep: bool = False) -> Session:
        """The client's session, or a new one, which is kept for its next call with `keep`."""
        key = request.session_hash
        if not key:
            # Clients without a session must not see each other's documents.
            return self._page_sessions.new()
        with self._lock:
            if key in self._expired:
                del self._expired[key]
                raise SessionExpiredError(self._page_sessions.expired_message)
            session = self._sessions.get(key) or self._page_sessions.new()
            if keep:
                self._sessions[key] = session
        return session

    def forget_session(self, session: str) -> None:
        """Drop a session and the documents that it has opened."""
        with self._lock:
            if self._sessions.pop(session, None):
                self._expired[session] = None
            while len(self._expired) > MAX_EXPIRED:
                del self._expired[next(iter(self._expired))]


def check_k(k: int) -> None:
    """Raise QuestionError unless `k`, the number of passages to read, is within its limits."""
    if not isinstance(k, int) or not 1 <= k <= MAX_K:
        raise QuestionError(f"k must be a number from 1 to {MAX_K}.")


def _open_ids(session: Session, ids: Any) -> list[str]:
    if not isinstance(ids, list) or not ids:
        raise QuestionError("documents must be a list of ids of open documents, or null.")
    for document_id in ids:
        if document_id not in session.open_ids:
            raise QuestionError(
                f"No open document has the id '{document_id}'. Open are: {', '.join(session.open_ids)}."
            )
    return list(ids)


def _turns(history: Any) -> list[Turn]:
    if not isinstance(history, list):
        raise QuestionError(INVALID_HISTORY)
    for turn in history:
        is_pair = isinstance(turn, (list, tuple)) and len(turn) == 2
        if not is_pair or not all(isinstance(part, str) for part in turn):
            raise QuestionError(INVALID_HISTORY)
        # All turns are analysed, and cached with the answer.
        if len(turn[0]) > MAX_QUESTION or len(turn[1]) > MAX_ANSWER:
            raise QuestionError(
                f"A turn of the history is too long. Questions may have {MAX_QUESTION:,} characters, "
                f"answers {MAX_ANSWER:,}."
            )
    if len(history) > MAX_TURNS:
        raise QuestionError(
            f"The history has {len(history)} turns. Send only the last {MAX_TURNS}."
        )
    return [Turn(question, answer) for question, answer in history]


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise ArticleError(f"{name} must be a string, or null.")
    return value


def _files(files: Any) -> tuple[list[str], list[tuple[str, bytes]]]:
    """The paths of uploaded files, and the names and contents of the others."""
    if not isinstance(files, list) or len(files) > MAX_FILES:
        raise ArticleError(f"files must be a list of at most {MAX_FILES} files.")
    uploaded, contents = [], []
    for file in files:
        if is_uploaded_file(file):
            uploaded.append(str(file["path"]))
            continue
        name, content = (
            (file.get("name"), file.get("content")) if isinstance(file, dict) else (None, None)
        )
        if not isinstance(name, str) or not isinstance(content, str):
            raise ArticleError(
                'Give each file as {"name": …, "content": …} with the content in base64, or upload it.'
            )
        try:
            contents.append((safe_name(name), base64.b64decode(content, validate=True)))
        except (binascii.Error, ValueError) as error:
            raise ArticleError(f"The content of '{name[:100]}' isn't valid base64.") from error
    return uploaded, contents


def _client(request: gr.Request) -> str:
    """The kind of client, for the log."""
    return "mcp" if request.headers.get("x-gradio-user") == "mcp" else "program"


def _gradio_error(error: ArticleError) -> gr.Error:
    return gr.Error(str(error), print_exception=False)


def _result(request: gr.Request, value: Any) -> Any:
    """A JSON value to return; for MCP as text, since Gradio would format it as a Python literal."""
    if _client(request) == "mcp":
        return json.dumps(value, ensure_ascii=False)
    return value
