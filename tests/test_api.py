"""The page for programs: with gradio's own client, and with an MCP client."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent, Tool

from index.models.types import Progress
from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from page.loader import DocumentLoader
from qa.answerer import ArticleAnswerer
from tests.browser import ROOT, running, serving
from tests.conftest import FakeEncoder, FakeReader
from tests.page.shown import document_of

QUESTION = "When did Russia begin its special military operation in Ukraine?"
LIGHTHOUSE = "Lighthouse\n\nThe lighthouse of Rosport was built in 1851.\n\nIt is red."
TOWER = "Tower\n\nThe tower was built in 1974."

Connect = Callable[[], Client]


# With a page whose models are fakes


@pytest.fixture(scope="module")
def opened() -> ArticleAnswerer:
    document = document_of(LIGHTHOUSE, "lighthouse", source="/srv/texts/lighthouse.txt")
    index = ArticleIndex.build(document, FakeEncoder())
    return ArticleAnswerer(Collection([index]), FakeReader({"1851": 9.0, "1974": 9.0}))


@pytest.fixture(scope="module")
def address(
    opened: ArticleAnswerer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    def load(progress: Progress) -> ArticleAnswerer:
        return opened

    uploads = tmp_path_factory.mktemp("uploads")
    first = DocumentLoader(load, documents=list(opened.documents.values()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(uploads))
        with serving(first) as served:
            yield served, uploads


@pytest.fixture
def connect(address: tuple[str, Path]) -> Connect:
    return lambda: Client(address[0], verbose=False, analytics_enabled=False)


@pytest.fixture
def client(connect: Connect) -> Client:
    return connect()


def test_there_are_three_endpoints_and_each_is_described(client: Client) -> None:
    endpoints: Any = client.view_api(return_format="dict", print_info=False)
    named = endpoints["named_endpoints"]
    assert set(named) == {"/ask", "/open", "/documents"}
    assert [p["parameter_name"] for p in named["/ask"]["parameters"]] == [
        "question",
        "documents",
        "history",
        "k",
    ]
    assert [p["parameter_name"] for p in named["/open"]["parameters"]] == [
        "address",
        "text",
        "files",
    ]
    assert named["/ask"]["returns"][0]["type"]["type"] == "object"
    assert named["/documents"]["returns"][0]["type"]["type"] == "array"
    assert all(endpoint["description"] for endpoint in named.values())


def test_ask_gives_the_json_of_the_answer(client: Client, opened: ArticleAnswerer) -> None:
    question = "When was the lighthouse of Rosport built?"
    said = client.predict(question, api_name="/ask")
    expected = opened.ask(question).to_dict()
    assert said["text"] == "1851"
    assert without_seconds(said) == without_seconds(json.loads(json.dumps(expected)))
    assert len(client.predict(question, k=1, api_name="/ask")["passages"]) == 1


def test_a_question_can_lean_on_the_history(client: Client, opened: ArticleAnswerer) -> None:
    assert isinstance(opened.reader, FakeReader)

    def read(**given: Any) -> set[str]:
        opened.reader.read.clear()
        client.predict("When was it built?", **given, api_name="/ask")
        return {question for question, _ in opened.reader.read}

    history = [["How high is the lighthouse of Rosport?", ""]]
    assert read() == {"When was it built?"}
    leaning = "How high is the lighthouse of Rosport? When was it built?"
    assert leaning in read(history=history)


def test_documents_are_listed_without_the_folders_of_the_machine(client: Client) -> None:
    assert client.predict(api_name="/documents") == [
        {
            "id": "lighthouse",
            "title": "Lighthouse",
            "source": "lighthouse.txt",
            "characters": len(LIGHTHOUSE),
            "paragraphs": 2,
            "pages": None,
        }
    ]


def test_a_text_is_opened_for_its_session_only(connect: Connect) -> None:
    one, two = connect(), connect()
    listed = one.predict(text=TOWER, api_name="/open")
    assert [document["id"] for document in listed] == ["lighthouse", "pasted text"]
    assert one.predict(api_name="/documents") == listed
    assert len(two.predict(api_name="/documents")) == 1
    said = one.predict("When was the tower built?", api_name="/ask")
    assert (said["text"], said["citation"]["document"]) == ("1974", "pasted text")
    limited = one.predict("When was the tower built?", documents=["lighthouse"], api_name="/ask")
    assert {passage["document"] for passage in limited["passages"]} == {"lighthouse"}


def test_a_file_is_opened_and_kept_nowhere(
    client: Client, address: tuple[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "my tower.txt"
    path.write_text(TOWER)
    listed = client.predict(files=[handle_file(path)], api_name="/open")
    assert listed[1]["title"] == "Tower"
    assert listed[1]["source"] == "my tower.txt"
    kept = [path for path in address[1].rglob("*") if path.is_file()]
    assert [path for path in kept if b"tower" in path.read_bytes()] == []


def test_files_beside_a_broken_one_are_opened_and_the_note_names_it(client: Client) -> None:
    files = [
        {"name": "tower.txt", "content": base64.b64encode(TOWER.encode()).decode()},
        {"name": "empty.txt", "content": ""},
    ]
    listed = client.predict(files=files, api_name="/open")
    assert [document["id"] for document in listed] == ["lighthouse", "tower"]
    said = "'empty.txt' is empty: open a file that has some text in it."
    assert [document.pop("note", None) for document in listed] == [None, said]
    assert client.predict(api_name="/documents") == listed
    with pytest.raises(AppError, match="'empty.txt' is empty"):
        client.predict(files=files[1:], api_name="/open")


@pytest.mark.parametrize(
    ("endpoint", "given", "says"),
    [
        ("/ask", {"question": " "}, "Type a question first."),
        ("/ask", {"question": None}, "question must be a string."),
        ("/ask", {"question": "Who?", "k": 0}, "k must be a number from 1 to 50."),
        ("/ask", {"question": "Who?", "k": "many"}, "k must be a number"),
        ("/ask", {"question": "Who?", "documents": []}, "documents must be a list"),
        ("/ask", {"question": "Who?", "documents": ["x"]}, "No open document has the id 'x'"),
        ("/ask", {"question": "Who?", "history": [["a"]]}, "history must be a list of pairs"),
        (
            "/ask",
            {"question": "Who?", "history": [["it " * 334, ""]]},
            "A turn of the history is too",
        ),
        (
            "/ask",
            {"question": "Who?", "history": [["a", "b" * 5001]]},
            "A turn of the history is too",
        ),
        ("/ask", {"question": "Who?", "history": [["a", "b"]] * 101}, "The history has 101 turns"),
        ("/open", {}, "Add a file, a web address or some text first."),
        ("/open", {"address": "/etc/passwd"}, "“/etc/passwd” isn't a web address"),
        ("/open", {"text": LIGHTHOUSE}, "“Lighthouse” is already open."),
        ("/open", {"text": 5}, "text must be a string"),
        ("/open", {"address": ["a"]}, "address must be a string"),
        ("/open", {"files": "a.txt"}, "files must be a list of at most 100 files"),
        ("/open", {"files": ["a.txt"]}, "Give each file as"),
        ("/open", {"files": [{"name": "a.txt", "content": "ä"}]}, "isn't valid base64"),
        ("/ask", {"question": "Who?", "documents": 5}, "documents must be a list"),
        ("/ask", {"question": "Who?", "history": "Who?"}, "history must be a list of pairs"),
        ("/ask", {"question": 5}, "question must be a string."),
        ("/ask", {"question": "Who?", "k": "5"}, "k must be a number from 1 to 50"),
        (
            "/open",
            {"files": [{"path": "/etc/passwd"}]},
            "Give each file as",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    client: Client, endpoint: str, given: dict[str, Any], says: str
) -> None:
    with pytest.raises(AppError) as wrong:
        client.predict(**given, api_name=endpoint)
    assert says in str(wrong.value)
    assert len(client.predict(api_name="/documents")) == 1


@pytest.mark.parametrize("meta", [{}, {"meta": {"_type": "gradio.FileData"}}])
def test_a_file_of_this_machine_is_not_read(
    address: tuple[str, Path], tmp_path: Path, meta: dict[str, Any]
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(TOWER)
    # Past gradio's client, which would upload the file.
    call = f"{address[0]}gradio_api/call/open"
    body = {"data": [None, None, [{"path": str(secret), **meta}]]}
    event = httpx.post(call, json=body).json()["event_id"]
    said = httpx.get(f"{call}/{event}").text
    assert said.startswith("event: error")
    assert "ower" not in said
    assert secret.exists()


def without_seconds(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "seconds"}


# With the real page


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("api")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[str]:
    with running(folder, "--mcp") as started:
        yield started


@pytest.fixture(scope="module")
def printed(folder: Path, served: str) -> dict[str, Any]:
    """What the command line prints."""
    command = [sys.executable, "-m", "qa", "ask", QUESTION, "--json"]
    ran = subprocess.run(
        [*command, "--index", str(folder / "index")], cwd=ROOT, capture_output=True, timeout=300
    )
    said: dict[str, Any] = json.loads(ran.stdout)
    return said


@pytest.mark.models
def test_the_answer_is_that_of_the_command_line(served: str, printed: dict[str, Any]) -> None:
    client = Client(served, verbose=False, analytics_enabled=False)
    said = client.predict(QUESTION, api_name="/ask")
    assert said["text"] == "February 2022"
    assert without_seconds(said) == without_seconds(printed)


@pytest.mark.models
def test_mcp_clients_find_the_same_three_tools(served: str) -> None:
    async def listed(session: ClientSession) -> list[Tool]:
        return (await session.list_tools()).tools

    tools = {tool.name: tool for tool in with_mcp(served, listed)}
    assert set(tools) == {"ask", "open", "documents"}
    ask = tools["ask"]
    assert ask.description and ask.description.startswith("Ask a question about the open documents")
    assert ask.inputSchema["required"] == ["question"]
    properties = ask.inputSchema["properties"]
    assert properties["question"]["type"] == "string"
    assert properties["k"]["type"] == "integer"
    assert {"type": "array", "items": {"type": "string"}} in properties["documents"]["oneOf"]
    for tool in tools.values():
        for described in tool.inputSchema["properties"].values():
            assert described["description"].endswith(".")


@pytest.mark.models
def test_an_mcp_client_gets_the_answer_of_the_command_line(
    served: str, printed: dict[str, Any]
) -> None:
    async def asked(session: ClientSession) -> CallToolResult:
        return await session.call_tool("ask", {"question": QUESTION})

    result = with_mcp(served, asked)
    assert not result.isError
    assert without_seconds(json.loads(text_of(result))) == without_seconds(printed)


@pytest.mark.models
def test_an_mcp_client_opens_a_text_and_asks_it(served: str) -> None:
    async def asked(session: ClientSession) -> tuple[CallToolResult, CallToolResult]:
        listed = await session.call_tool("open", {"text": TOWER})
        limited = {"question": "When was the tower built?", "documents": ["pasted text"]}
        return listed, await session.call_tool("ask", limited)

    listed, said = with_mcp(served, asked)
    assert [document["title"] for document in json.loads(text_of(listed))][1:] == ["Tower"]
    assert json.loads(text_of(said))["citation"]["document"] == "pasted text"


@pytest.mark.models
def test_an_mcp_client_is_told_what_is_wrong(served: str) -> None:
    async def asked(session: ClientSession) -> CallToolResult:
        return await session.call_tool("ask", {"question": "  "})

    result = with_mcp(served, asked)
    assert result.isError
    assert "Type a question first." in text_of(result)


def with_mcp(address: str, use: Callable[[ClientSession], Any]) -> Any:
    """What `use` gives for a session with the MCP server of a page."""

    async def session() -> Any:
        async with (
            streamable_http_client(f"{address}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as opened,
        ):
            await opened.initialize()
            return await use(opened)

    return asyncio.run(session())


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text
