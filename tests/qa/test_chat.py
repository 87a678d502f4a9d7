"""A conversation in the terminal, with models that a person can work out."""

import io
import json

import pytest

from index.documents.document import make_document
from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from qa.answerer import ArticleAnswerer
from qa.chat import chat
from tests.conftest import FakeEncoder, FakeReader

TEXT = "Ada Berg founded the museum in 1990.\n\nThe harbour\x1b[31m has two cranes."


class Listening(ArticleAnswerer):
    """Keeps the histories that questions are asked with."""

    def ask(self, question, *, history=(), k=5):
        self.histories = [*getattr(self, "histories", []), list(history)]
        return super().ask(question, history=history, k=k)


@pytest.fixture
def answerer() -> Listening:
    document = make_document(TEXT, name="museum", source="museum.txt")
    index = ArticleIndex.build(document, FakeEncoder())
    return Listening(Collection([index]), FakeReader({"Ada Berg": 9.0}))


def talk(answerer: Listening, monkeypatch, *lines: str, **options: bool) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
    chat(answerer, answerer.documents, k=5, **options)


def test_an_answer_is_marked_in_its_sentence_and_cited(answerer, monkeypatch, capsys) -> None:
    talk(answerer, monkeypatch, "Who founded the museum?")
    first, sentence, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("Ada Berg  (") and first.endswith("% confident, paragraph 1)")
    assert sentence == "    Source: **Ada Berg** founded the museum in 1990."


def test_earlier_turns_are_the_history(answerer, monkeypatch) -> None:
    talk(answerer, monkeypatch, "Who founded the museum?", "When did she found it?")
    first, second = answerer.histories
    assert first == []
    assert [tuple(turn) for turn in second] == [
        ("Who founded the museum?", "Ada Berg", "Ada Berg founded the museum in 1990.")
    ]


def test_a_chat_ends_at_quit_and_skips_blank_lines(answerer, monkeypatch) -> None:
    talk(answerer, monkeypatch, "", "Who founded the museum?", "   ", " :quit ", "Who was it?")
    assert len(answerer.histories) == 1


def test_a_question_that_cannot_be_asked_does_not_end_the_chat(
    answerer, monkeypatch, capsys
) -> None:
    talk(answerer, monkeypatch, "x" * 1001, "Who founded the museum?")
    said = capsys.readouterr()
    assert "the limit is 1,000" in said.err and said.err.count("\n") == 1
    assert "Ada Berg" in said.out and answerer.histories[-1] == []


def test_json_is_one_answer_a_line(answerer, monkeypatch, capsys) -> None:
    talk(answerer, monkeypatch, "Who founded it?", "Who was it?", as_json=True)
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["question"] for answer in answers] == ["Who founded it?", "Who was it?"]


def test_several_documents_are_named(answerer, monkeypatch, capsys) -> None:
    other = make_document("The ferry sails at noon.", name="ferry", source="ferry.txt")
    indexes = [*answerer.collection.indexes, ArticleIndex.build(other, FakeEncoder())]
    both = Listening(Collection(indexes), answerer.reader)
    talk(both, monkeypatch, "Who founded the museum?")
    assert "% confident, museum, paragraph 1)" in capsys.readouterr().out
    both.reader = FakeReader({})
    talk(both, monkeypatch, "Who founded the museum?")
    assert "No clear answer found in 2 documents." in capsys.readouterr().out


def test_a_document_cannot_command_the_terminal(answerer, monkeypatch, capsys) -> None:
    answerer.reader = FakeReader({"two cranes": 9.0})
    talk(answerer, monkeypatch, "What does the harbour have?")
    out = capsys.readouterr().out
    assert "\x1b" not in out and "harbour\\u001b[31m has **two cranes**" in out


def test_on_a_terminal_the_answer_is_bold(answerer, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    talk(answerer, monkeypatch, "Who founded the museum?")
    assert "Source: \x1b[1mAda Berg\x1b[0m founded" in capsys.readouterr().out


def test_a_closed_standard_input_ends_the_chat(answerer, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.stdin", None)
    chat(answerer, answerer.documents, k=5)
    assert capsys.readouterr().out == ""
