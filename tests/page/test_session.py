"""What a visitor has open: added, asked, removed, cancelled."""

from __future__ import annotations

import asyncio
import copy
import gc
import time
from pathlib import Path

import pytest

from index.documents.document import Document
from index.errors import ArticleError
from index.models.types import Progress
from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from page import index_cache
from page import session as session_module
from page.index_cache import IndexCache
from page.loader import CancelledError, DocumentLoader
from page.session import Session
from page.uploads import Uploads
from qa.answerer import ArticleAnswerer
from qa.types import Answer, QuestionError
from tests.conftest import FakeEncoder, FakeReader
from tests.page.shown import StepEncoder, document_of, uploaded

LIGHTHOUSE = "Lighthouse\n\nThe lighthouse was built in 1851."
TOWER = "Tower\n\nThe tower was built in 1974."
BRIDGE = "Bridge\n\nThe bridge was built in 1931."
READER = FakeReader({"1851": 9.0, "1974": 9.0, "1931": 9.0})


def start(*documents: Document, encoder: FakeEncoder | None = None) -> DocumentLoader:
    """An opening of these documents that has come to its end."""

    def how(progress: Progress) -> ArticleAnswerer:
        made = encoder or FakeEncoder()
        return ArticleAnswerer(Collection([ArticleIndex.build(d, made) for d in documents]), READER)

    opening = DocumentLoader(how, documents=documents).start()
    opening.wait()
    return opening


@pytest.fixture
def first() -> DocumentLoader:
    return start(document_of(LIGHTHOUSE, "lighthouse"))


@pytest.fixture
def session(first: DocumentLoader) -> Session:
    return Session.create(first.documents)


def add(
    session: Session, first: DocumentLoader, cache: IndexCache | None = None, **given: object
) -> ArticleAnswerer:
    added = session.start_loading(first, cache or IndexCache(), **given).wait()  # type: ignore[arg-type]
    session.add_loaded(added)
    return added


def ask(session: Session, first: DocumentLoader, question: str) -> Answer:
    answer = session.answerer(first.wait(), session.selected_ids).ask(question)
    session.turns.append(answer)
    return answer


def test_a_text_is_opened_beside_what_is_open(session: Session, first: DocumentLoader) -> None:
    add(session, first, text=TOWER)
    assert session.open_ids == ["lighthouse", "pasted text"]
    assert session.shown == "pasted text"
    answer = ask(session, first, "When was the tower built?")
    assert answer.text == "1974"
    assert answer.citation and answer.citation.document == "pasted text"
    assert {hit.passage.document_id for hit in answer.hits} == {"lighthouse", "pasted text"}
    assert session.history() == [
        ("When was the tower built?", "1974", "The tower was built in 1974.")
    ]


def test_the_ids_to_ask_may_come_from_an_iterator(session: Session, first: DocumentLoader) -> None:
    add(session, first, text=TOWER)
    for ids in (["pasted text"], ["lighthouse", "pasted text"]):
        assert list(session.answerer(first.wait(), iter(ids)).documents) == ids


def test_files_are_opened_and_deleted(
    session: Session, first: DocumentLoader, tmp_path: Path
) -> None:
    uploads = Uploads(tmp_path)
    named = (("tower.txt", TOWER), ("bridge.md", BRIDGE), ("empty.txt", ""))
    files = [uploaded(uploads, name, text) for name, text in named]
    added = add(session, first, uploads=uploads, files=files)
    assert session.open_ids == ["lighthouse", "tower", "bridge"]
    assert [session.documents[name].source for name in session.open_ids[1:]] == [
        "tower.txt",
        "bridge.md",
    ]
    assert added.note == "'empty.txt' is empty: open a file that has some text in it."
    assert list(tmp_path.iterdir()) == []


def test_only_uploads_are_opened_as_files(
    session: Session, first: DocumentLoader, tmp_path: Path
) -> None:
    uploads = Uploads(tmp_path / "uploads")
    (tmp_path / "tower.txt").write_text(TOWER)
    bridge = uploaded(uploads, "bridge.txt", BRIDGE)
    with pytest.raises(ArticleError, match="A file can't be given by its path"):
        add(session, first, uploads=uploads, files=[bridge, str(tmp_path / "tower.txt")])
    assert (tmp_path / "tower.txt").exists() and not Path(bridge).exists()
    with pytest.raises(ArticleError, match="A file can't be given by its path"):
        add(session, first, files=[str(tmp_path / "tower.txt")])


def test_contents_are_opened_by_their_names(session: Session, first: DocumentLoader) -> None:
    add(session, first, contents=[("tower.txt", TOWER.encode()), ("bridge.md", BRIDGE.encode())])
    assert session.open_ids == ["lighthouse", "tower", "bridge"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "Add a file, a web address or some text first."),
        ({"text": "  \n"}, "Add a file, a web address or some text first."),
        ({"text": LIGHTHOUSE}, "“Lighthouse” is already open."),
        ({"addresses": ["/etc/passwd"]}, "“/etc/passwd” isn't a web address"),
        ({"addresses": ["file:///etc/passwd"]}, "isn't a web address"),
        ({"text": "word " * 1_000_001}, "The text is too large .limit 5 MB."),
    ],
)
def test_what_cannot_be_opened_changes_nothing(
    session: Session, first: DocumentLoader, given: dict[str, object], says: str
) -> None:
    before = copy.copy(session)
    with pytest.raises(ArticleError, match=says):
        add(session, first, **given)
    assert (session.documents, session.open_ids, session.shown) == (
        before.documents,
        before.open_ids,
        before.shown,
    )


def test_an_address_is_given_to_read_document(
    session: Session, first: DocumentLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "https://example.org/tower"
    asked = []

    def read(given: str, *, allow_private_urls: bool, keep_pdf: bool, check: object) -> Document:
        assert not keep_pdf
        asked.append((given, allow_private_urls))
        return document_of(TOWER, source=given)

    monkeypatch.setattr(session_module, "read_document", read)
    add(session, first, addresses=[f" {address} "])
    assert session.documents["name"].source == address
    # Only a page that was started so opens what is inside.
    allowed = Session.create([document_of(BRIDGE)], allow_private_urls=True)
    add(allowed, first, addresses=[address])
    assert asked == [(address, False), (address, True)]


def test_two_documents_of_one_name_have_an_id_each(session: Session, first: DocumentLoader) -> None:
    add(session, first, text=TOWER)
    add(session, first, text=BRIDGE)
    assert session.open_ids == ["lighthouse", "pasted text", "pasted text 2"]
    answer = ask(session, first, "When was the bridge built?")
    assert answer.citation and answer.citation.document == "pasted text 2"


def test_a_question_can_be_limited_to_some_documents(
    session: Session, first: DocumentLoader
) -> None:
    add(session, first, text=TOWER)
    session.select("lighthouse", False)
    assert session.selected_ids == ["pasted text"]
    answer = ask(session, first, "When was the lighthouse built?")
    assert {hit.passage.document_id for hit in answer.hits} == {"pasted text"}
    session.select("pasted text", False)
    with pytest.raises(QuestionError, match="No documents selected"):
        ask(session, first, "When was the lighthouse built?")


def test_the_start_is_asked_as_it_is(session: Session, first: DocumentLoader) -> None:
    assert session.answerer(first.wait(), session.selected_ids) is first.wait()
    add(session, first, text=TOWER)
    both = session.answerer(first.wait(), session.selected_ids)
    assert both is session.answerer(first.wait(), session.selected_ids)
    session.select("pasted text", False)
    assert session.answerer(first.wait(), session.selected_ids) is first.wait()


def test_a_removed_document_is_not_asked_but_still_cited(
    session: Session, first: DocumentLoader
) -> None:
    add(session, first, text=TOWER)
    ask(session, first, "When was the lighthouse built?")
    session.remove("lighthouse")
    assert (session.open_ids, session.shown) == (["pasted text"], "pasted text")
    answer = ask(session, first, "When was the lighthouse built?")
    assert {hit.passage.document_id for hit in answer.hits} == {"pasted text"}
    assert session.history()[0].sentence == "The lighthouse was built in 1851."
    with pytest.raises(ArticleError, match="The last document can't be removed"):
        session.remove("pasted text")
    assert session.open_ids == ["pasted text"]


def test_what_was_removed_comes_back_under_its_id(session: Session, first: DocumentLoader) -> None:
    add(session, first, text=TOWER)
    session.remove("lighthouse")
    add(session, first, text=LIGHTHOUSE)
    assert session.open_ids == ["lighthouse", "pasted text"]
    assert session.shown == "lighthouse"
    assert ask(session, first, "When was the lighthouse built?").text == "1851"


@pytest.mark.parametrize("number", [-1, 2, "0", None, 1.0, [0]])
def test_a_number_of_no_open_document_is_none(
    session: Session, first: DocumentLoader, number: object
) -> None:
    add(session, first, text=TOWER)
    assert session.document_id(number) is None
    assert session.document_id(0) == "lighthouse"
    session.remove("lighthouse")
    assert session.document_id(0) is None


def test_a_text_is_encoded_once_for_all_visitors() -> None:
    encoder, kept = StepEncoder(), IndexCache()
    first = start(document_of(LIGHTHOUSE), encoder=encoder)
    one, two = Session.create(first.documents), Session.create(first.documents)
    add(one, first, kept, text=TOWER)
    encoded = encoder.articles
    add(two, first, kept, text=BRIDGE)
    add(two, first, kept, text=TOWER)
    assert encoder.articles == encoded + 1
    # Each has it under an id of its own.
    assert two.documents["pasted text 2"].text == TOWER
    assert ask(two, first, "When was the tower built?").text == "1974"


def test_the_indexes_used_longest_ago_are_forgotten() -> None:
    encoder, kept = StepEncoder(), IndexCache(max_indexes=2)

    def encoded(text: str) -> int:
        before = encoder.articles
        kept.get(document_of(text), encoder, lambda done, total: None)
        return encoder.articles - before

    assert [encoded(t) for t in (TOWER, BRIDGE, TOWER, LIGHTHOUSE)] == [1, 1, 0, 1]
    assert [encoded(t) for t in (TOWER, BRIDGE)] == [0, 1]
    kept = IndexCache(max_characters=len(TOWER) + len(BRIDGE) - 1)
    assert [encoded(t) for t in (TOWER, TOWER, BRIDGE, TOWER)] == [1, 0, 1, 1]


def test_no_more_is_open_at_once_than_there_is_room_for(first: DocumentLoader) -> None:
    room = (len(TOWER) + len(BRIDGE)) * (1 + index_cache.TEXT_SHARE) + len(
        BRIDGE
    ) * index_cache.TEXT_SHARE
    kept = IndexCache(max_open_characters=int(room) + 2)
    one, two = (Session.create(first.documents) for _ in range(2))
    add(one, first, kept, text=TOWER)
    add(two, first, kept, text=BRIDGE)
    add(one, first, kept, text=BRIDGE)  # whose vectors are there once, whoever asks it
    with pytest.raises(
        ArticleError, match=r"^This server is full, so .*\. Remove a document or try again later\.$"
    ):
        add(two, first, kept, text="A third text.")
    # It is kept, but nobody's any more.
    one.remove(one.open_ids[1])
    add(two, first, kept, text="A third text.")


def test_what_many_hold_of_one_text_is_counted(
    first: DocumentLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = IndexCache(max_open_characters=5 * len(TOWER))
    monkeypatch.setattr(index_cache, "TEXT_SHARE", 0.5)
    people = [Session.create(first.documents) for _ in range(20)]
    with pytest.raises(ArticleError, match="This server is full"):
        for person in people:
            add(person, first, kept, text=TOWER)
    assert sum(len(person.open_ids) > 1 for person in people) == 8


def test_removed_documents_are_let_go_of(first: DocumentLoader) -> None:
    kept, session = IndexCache(), Session.create(first.documents)
    add(session, first, kept, text=TOWER)
    ask(session, first, "When was the tower built?")
    for number in range(5):
        add(session, first, kept, text=f"{BRIDGE} It is number {number}.")
        session.remove(session.open_ids[-1])
    # One that an answer cites stays, and is counted.
    assert list(session.documents) == ["lighthouse", "pasted text"]
    session.remove("pasted text")
    assert list(session.documents) == ["lighthouse", "pasted text"]
    kept.forget_before(float("inf"))
    gc.collect()
    assert sorted(document.text for document in kept._texts.values()) == [TOWER]
    session.turns.clear()
    add(session, first, kept, text=BRIDGE)
    session.remove(session.open_ids[-1])
    assert list(session.documents) == ["lighthouse"]


def held_up() -> tuple[StepEncoder, DocumentLoader, Session, DocumentLoader]:
    """A visit whose second document is opened no further than its encoder, which waits."""
    encoder = StepEncoder()
    first = start(document_of(LIGHTHOUSE), encoder=encoder)
    session = Session.create(first.documents)
    encoder.asked.clear()
    encoder.go.clear()
    return encoder, first, session, session.start_loading(first, IndexCache(), text=TOWER)


def test_cancelling_stops_the_encoding_and_changes_nothing() -> None:
    encoder, first, session, opening = held_up()
    assert encoder.asked.wait(10)
    with pytest.raises(ArticleError, match="Another document is being added"):
        session.start_loading(first, IndexCache(), text=BRIDGE)
    opening.cancel()
    with pytest.raises(CancelledError):
        opening.wait()
    encoder.go.set()
    assert encoder.stopped.wait(10)
    assert session.open_ids == ["name"]
    add(session, first, text=BRIDGE)
    assert session.open_ids == ["name", "pasted text"]


def test_only_some_are_opened_at_a_time_and_who_waits_can_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(index_cache, "MAX_CONCURRENT", 2)
    encoder, kept = StepEncoder(), IndexCache()
    first = start(document_of(LIGHTHOUSE), encoder=encoder)
    before = encoder.articles
    encoder.go.clear()
    openings = [
        Session.create(first.documents).start_loading(first, kept, text=f"{TOWER} {n}")
        for n in range(5)
    ]
    time.sleep(0.3)
    assert encoder.articles - before == 2
    waiting = openings[-1]
    waiting.cancel()
    with pytest.raises(CancelledError):
        waiting.wait()
    encoder.go.set()
    for opening in openings[:-1]:
        assert len(opening.wait().documents) == 1
    time.sleep(0.6)
    assert encoder.articles - before == 4


def test_a_refused_file_is_deleted(tmp_path: Path) -> None:
    encoder = StepEncoder()
    first = start(document_of(LIGHTHOUSE), encoder=encoder)
    session = Session.create(first.documents)
    encoder.go.clear()
    session.start_loading(first, IndexCache(), text=TOWER)
    uploads = Uploads(tmp_path)
    path = uploaded(uploads, "bridge.txt", BRIDGE)
    with pytest.raises(ArticleError, match="Another document is being added"):
        session.start_loading(first, IndexCache(), uploads=uploads, files=[path])
    assert not Path(path).exists()
    encoder.go.set()


def test_the_status_goes_from_the_bar_to_ready() -> None:
    encoder, _, _, opening = held_up()
    encoder.asked.wait(10)
    assert ">Adding the text…</p>" in opening.status()
    assert ">Cancel</button>" in opening.status()

    async def statuses() -> list[str]:
        encoder.go.set()
        return [status async for status in opening.statuses(opening.finished)]

    asyncio.run(statuses())
    opening.finished.wait(10)
    assert opening.status() == '<p class="ready" role="status">Ready</p>'


def test_an_opening_that_fails_says_why() -> None:
    def how(progress: Progress) -> ArticleAnswerer:
        raise ArticleError("There is no encoder.")

    opening = DocumentLoader(how).start()
    with pytest.raises(ArticleError, match="There is no encoder"):
        opening.wait()
    assert ">There is no encoder.</p>" in opening.status()


@pytest.mark.parametrize("error", [QuestionError("Too long."), RuntimeError("A defect.")])
def test_a_failure_to_find_suggestions_does_not_fail_the_opening(
    first: DocumentLoader,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object, **__: object) -> list[str]:
        raise error

    monkeypatch.setattr("page.loader.example_questions", fail)
    opening = DocumentLoader(lambda progress: first.wait(), examples=4).start()
    assert opening.wait() is first.wait()
    assert opening.finished.wait(10)
    assert (opening.error, opening.examples) == ("", [])
    assert opening.status() == '<p class="ready" role="status">Ready</p>'
    assert str(error) in capsys.readouterr().err  # for whoever runs the page


def test_the_suggestions_are_those_of_what_was_added_last(
    session: Session, first: DocumentLoader
) -> None:
    first.examples = ["Of the start?"]
    add(session, first, text=TOWER)
    assert session.suggestions(first) == ["Of the start?"]
    session.examples["pasted text"] = ["Of the tower?"]
    assert session.suggestions(first) == ["Of the tower?"]
    session.remove("pasted text")
    assert session.suggestions(first) == ["Of the start?"]
