from __future__ import annotations

import gc
import os
import weakref
from pathlib import Path

import pytest

from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from page.loader import DocumentLoader
from page.session import Session
from page.sessions import SessionExpiredError, Sessions
from page.uploads import UNREAD_SECONDS, Uploads
from qa.answerer import ArticleAnswerer
from tests.conftest import FakeEncoder, FakeReader
from tests.page.shown import document_of, uploaded

LIGHTHOUSE = "Lighthouse\n\nThe lighthouse was built in 1851."
TOWER = "Tower\n\nThe tower was built in 1974."


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    document = document_of(LIGHTHOUSE, "lighthouse")
    answerer = ArticleAnswerer(
        Collection([ArticleIndex.build(document, FakeEncoder())]),
        FakeReader({"1851": 9.0, "1974": 9.0}),
    )
    first = DocumentLoader(lambda progress: answerer, documents=[document]).start()
    first.finished.wait()
    return Sessions(first, forget_after=3600, clock=clock)


def opened(sessions: Sessions) -> Session:
    session = sessions.new()
    sessions.use(session)
    session.take(session.add(sessions.first, sessions.indexes, text=TOWER).wait())
    session.turns.append(session.answerer(sessions.first.wait(), session.asked).ask("When?"))
    return session


def test_what_is_used_stays(sessions: Sessions, clock: Clock) -> None:
    session = opened(sessions)
    for _ in range(5):
        clock.now += 3500
        sessions.use(session)
        sessions.forget()
    assert session.open == ["lighthouse", "pasted text"]
    assert len(session.turns) == 1


def test_what_is_not_used_is_forgotten_and_that_is_said_once(
    sessions: Sessions, clock: Clock
) -> None:
    session, other = opened(sessions), opened(sessions)
    clock.now += 3500
    sessions.use(other)
    clock.now += 200
    sessions.forget()
    sessions.forget()
    assert session.open == ["lighthouse"]
    assert session.turns == []
    assert other.open == ["lighthouse", "pasted text"]
    with pytest.raises(SessionExpiredError, match="was not used for 1 hours: open it again"):
        sessions.use(session)
    sessions.use(session)


def test_nothing_is_left_of_a_forgotten_document(sessions: Sessions, clock: Clock) -> None:
    session = opened(sessions)
    document = weakref.ref(session._indexes["pasted text"])
    clock.now += 4000
    sessions.forget()
    gc.collect()
    assert document() is None


def test_a_visit_that_has_nothing_of_its_own_is_told_nothing(
    sessions: Sessions, clock: Clock
) -> None:
    session = sessions.new()
    sessions.use(session)
    clock.now += 4000
    sessions.forget()
    sessions.use(session)
    assert session.open == ["lighthouse"]


def test_a_visit_that_is_gone_is_not_kept(sessions: Sessions) -> None:
    session = weakref.ref(opened(sessions))
    gc.collect()
    assert session() is None


def test_what_is_being_opened_is_not_forgotten(sessions: Sessions, clock: Clock) -> None:
    session = opened(sessions)
    session.adding = DocumentLoader(lambda progress: sessions.first.wait())
    clock.now += 4000
    sessions.forget()
    assert session.open == ["lighthouse", "pasted text"]


def test_uploads_that_nobody_opened_are_deleted(tmp_path: Path, clock: Clock) -> None:
    document = document_of(LIGHTHOUSE, "lighthouse")
    first = DocumentLoader(lambda progress: ArticleAnswerer(Collection([])), documents=[document])
    uploads = Uploads(tmp_path / "uploads", clock)
    sessions = Sessions(first, forget_after=3600, uploads=uploads, clock=clock)
    path = Path(uploaded(uploads, "tower.txt", TOWER))
    (tmp_path / "kept.txt").write_text("Another's.")
    clock.now += UNREAD_SECONDS - 1
    sessions.forget()
    assert path.exists()
    clock.now += 1
    sessions.forget()
    assert os.listdir(tmp_path / "uploads") == []
    assert sorted(os.listdir(tmp_path)) == ["kept.txt", "uploads"]
