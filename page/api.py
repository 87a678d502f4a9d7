"""The page for programs: /ask, /open and /documents, as an API and as MCP tools."""

# Without `from __future__ import annotations`: gradio takes the type of what is returned from the
# signature as it stands.

import asyncio
import base64
import binascii
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr
from gradio.events import api
from gradio_client.utils import is_file_obj_with_meta

from index.errors import ArticleError
from page.gradio_compat import current_event
from page.request_log import RequestLog
from page.session import Session
from page.sessions import LOST, SessionExpiredError, Sessions
from page.text_ranges import count_paragraphs, source
from page.uploads import safe_name
from qa.answerer import DEFAULT_K
from qa.questions import MAX_QUESTION
from qa.types import QuestionError, Turn

MAX_K = 50
# Of what a question may lean on; an answer is seldom longer than a sentence.
MAX_TURNS = 100
MAX_ANSWER = 5_000
# Files in one call of /open.
MAX_FILES = 100
MAX_LOST = 10_000
# What asks is limited together, from the page or from programs.
ASKING = "asking"


class ApiEndpoints:
    """What programs can do. Each session has documents of its own; MCP as a whole is one session.

    A program without one finds nothing of what it opened before.
    """

    def __init__(
        self, sessions: Sessions, requests: RequestLog, is_wanted: Callable[[str | None], bool]
    ) -> None:
        """Let programs ask what the page opens at its start, and open more for themselves.

        is_wanted(event) says whether somebody still waits for the reply of a queue's event.
        """
        self._all = sessions
        self._requests = requests
        self._is_wanted = is_wanted
        self._sessions: dict[str, Session] = {}
        self._lost: dict[str, None] = {}  # sessions that were dropped and are not told yet
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
        """Ask the open documents, and get the exact words that answer, or that there are none.

        Args:
            question: What you want to know, in plain words.
            documents: The ids of the documents to ask; all that are open where it is null.
            history: The turns that the question may lean on, each a list of a question and its answer.
            k: How many passages to read, from 1 to 50.
        Returns:
            a JSON object: text, null where there is no answer
            confidence, the probability that the answer is right
            citation, with the document's id and offsets in its text
            alternatives and passages
            rewritten, the question as it was understood
        """
        try:
            with self._requests.one("ask", _by(request), question=question) as noted:
                if not isinstance(question, str):
                    raise QuestionError("The question is not a text: give what you want to know.")
                check_k(k)
                turns = _turns([] if history is None else history)
                session = self._session(request)
                ids = session.open if documents is None else _open_ids(session, documents)
                answerer = session.answerer(self._all.first.wait(), ids)
                answer = answerer.ask(question, history=turns, k=k)
                noted.answered(answer)
        except ArticleError as error:
            raise _told(error) from error
        given: dict[str, Any] = _given(request, answer.to_dict())
        return given

    async def open(
        self,
        request: gr.Request,
        address: str | None = None,
        text: str | None = None,
        files: list[dict[str, Any]] | None = None,
    ) -> list[dict[str, Any]]:
        """Open documents beside those that are open, for this session, and list all of them.

        Args:
            address: The address of a web page or a file; it begins with http:// or https://.
            text: A text to open as it is.
            files: Files, each as {"name": "a.pdf", "content": base64}, or uploaded by gradio_client.
        Returns:
            a JSON list of the open documents, as /documents gives it
            those opened by this call have a "note" too where something else given could not be opened
            it is an error only if nothing could be opened
        """
        try:
            with self._requests.one("open", _by(request)) as noted:
                uploaded, contents = _files([] if files is None else files)
                session = self._session(request, keep=True)
                opening = session.add(
                    self._all.first,
                    self._all.indexes,
                    uploads=self._all.uploads,
                    files=uploaded,
                    contents=contents,
                    addresses=[_text(address, "address")] if address else [],
                    text=_text(text, "text") if text else "",
                )
                event = current_event()
                try:
                    while not opening.opened.is_set():
                        await asyncio.sleep(0.05)
                        if not self._is_wanted(event):
                            break
                finally:
                    opening.cancel()  # which changes nothing once it is opened
                added = opening.wait()
                session.take(added)
                noted.opened(opening, added)
        except ArticleError as error:
            raise _told(error) from error
        return self._listed(request, session, dict.fromkeys(added.documents, added.note))

    def documents(self, request: gr.Request) -> list[dict[str, Any]]:
        """List the open documents.

        Returns:
            a JSON list with each document's id, title, source, characters, paragraphs and pages
            pages is null where the format has none
        """
        try:
            session = self._session(request)
        except ArticleError as error:
            raise _told(error) from error
        return self._listed(request, session)

    def _listed(
        self, request: gr.Request, session: Session, notes: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """The open documents as JSON; `notes` maps ids to notes, and an empty one is left out."""
        notes = notes or {}
        listed: list[dict[str, Any]] = [
            {
                "id": name,
                "title": session.documents[name].title,
                "source": source(session.documents[name]),
                "characters": len(session.documents[name].text),
                "paragraphs": count_paragraphs(session.documents[name]),
                "pages": len(session.documents[name].pages) or None,
                **({"note": notes[name]} if notes.get(name) else {}),
            }
            for name in session.open
        ]
        given: list[dict[str, Any]] = _given(request, listed)
        return given

    def _session(self, request: gr.Request, *, keep: bool = False) -> Session:
        """The session of a client, or a new one; `keep` it if the client will have something in it."""
        key = request.session_hash or ""
        if not key and _by(request) != "mcp":
            # Strangers to each other, of whom the one would see what the other has opened.
            return self._all.new()
        with self._lock:
            if key in self._lost:
                del self._lost[key]
                raise SessionExpiredError(LOST)
            session = self._sessions.get(key) or self._all.new()
            if keep:
                self._sessions[key] = session
        self._all.use(session)
        return session

    def forget_session(self, session: str) -> None:
        """Drop what a session has opened."""
        with self._lock:
            if self._sessions.pop(session, None):
                self._lost[session] = None
            while len(self._lost) > MAX_LOST:
                del self._lost[next(iter(self._lost))]


def check_k(k: int) -> None:
    """Raise QuestionError for a number of passages that is none or would take all the machine's time."""
    if not isinstance(k, int) or not 1 <= k <= MAX_K:
        raise QuestionError(f"k is {k}: give a number from 1 to {MAX_K}.")


def _open_ids(session: Session, ids: Any) -> list[str]:
    if not isinstance(ids, list):
        raise QuestionError("documents is not a list: give the ids of open documents, or null.")
    for name in ids:
        if name not in session.open:
            raise QuestionError(
                f"There is no open document '{name}': choose among {', '.join(session.open)}."
            )
    return list(ids)


def _turns(history: Any) -> list[Turn]:
    if not isinstance(history, list):
        raise QuestionError("The history is not understood: give pairs of question and answer.")
    for turn in history:
        pair = isinstance(turn, (list, tuple)) and len(turn) == 2
        if not pair or not all(isinstance(said, str) for said in turn):
            raise QuestionError("The history is not understood: give pairs of question and answer.")
        # What it leans on is looked for in all of them, and remembered with the answer.
        if len(turn[0]) > MAX_QUESTION or len(turn[1]) > MAX_ANSWER:
            raise QuestionError(
                f"A turn of the history is too long: give questions of at most {MAX_QUESTION} and "
                f"answers of at most {MAX_ANSWER} characters."
            )
    if len(history) > MAX_TURNS:
        raise QuestionError(f"The history has {len(history)} turns: give the last {MAX_TURNS}.")
    return [Turn(question, answer) for question, answer in history]


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise ArticleError(f"{name} is not a text: give it in quotation marks, or null.")
    return value


def _files(files: Any) -> tuple[list[str], list[tuple[str, bytes]]]:
    """The paths of the files that were uploaded, and the names and contents of the others."""
    if not isinstance(files, list) or len(files) > MAX_FILES:
        raise ArticleError(f"files is not a list of at most {MAX_FILES} files.")
    uploaded, contents = [], []
    for file in files:
        if is_file_obj_with_meta(file):
            uploaded.append(str(file["path"]))
            continue
        name, content = (
            (file.get("name"), file.get("content")) if isinstance(file, dict) else (None, None)
        )
        if not isinstance(name, str) or not isinstance(content, str):
            raise ArticleError(
                "A file is not understood: give its name and its content in base64, or upload it."
            )
        try:
            contents.append((safe_name(name), base64.b64decode(content, validate=True)))
        except (binascii.Error, ValueError) as error:
            raise ArticleError(f"The content of '{name[:100]}' is not base64.") from error
    return uploaded, contents


def _by(request: gr.Request) -> str:
    return "mcp" if request.headers.get("x-gradio-user") == "mcp" else "program"


def _told(error: ArticleError) -> gr.Error:
    return gr.Error(str(error), print_exception=False)


def _given(request: gr.Request, answer: Any) -> Any:
    """The answer as JSON; for MCP as its text, since gradio would put it down as Python writes it."""
    if _by(request) == "mcp":
        return json.dumps(answer, ensure_ascii=False)
    return answer
