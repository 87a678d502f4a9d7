"""What sessions share, and when they have expired."""

from __future__ import annotations

import gc
import os
import weakref
from pathlib import Path

import pytest

from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from page.loader import DocumentLoader
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


def test_a_started_session_has_not_expired(sessions: Sessions) -> None:
    session = sessions.new()
    sessions.start(session)
    sessions.check(session)


@pytest.mark.parametrize(
    ("seconds", "duration"),
    [
        (4 * 3600, "4 hours"),
        (3600, "1 hour"),
        (5400, "1.5 hours"),
        (1200, "20 minutes"),
        (60, "1 minute"),
        (15, "15 seconds"),
    ],
)
def test_a_session_that_was_never_started_has_expired_which_is_reported_once(
    sessions: Sessions, seconds: float, duration: str
) -> None:
    sessions.forget_after = seconds
    session = sessions.new()
    session.started = False
    expected = (
        f"Your documents were closed after {duration} of inactivity or a server restart. "
        "Please add them again."
    )
    with pytest.raises(SessionExpiredError) as expired:
        sessions.check(session)
    assert str(expired.value) == expected
    sessions.check(session)


def test_cached_indexes_are_dropped_when_they_have_not_been_used(
    sessions: Sessions, clock: Clock
) -> None:
    session = sessions.new()
    session.add_loaded(session.start_loading(sessions.initial, sessions.indexes, text=TOWER).wait())
    vectors = weakref.ref(session._indexes["pasted text"].dense)
    del session
    gc.collect()
    clock.now += 3500
    sessions.sweep()
    gc.collect()
    assert vectors() is not None  # for the next visitor who opens the same text
    clock.now += 200
    sessions.sweep()
    gc.collect()
    assert vectors() is None


def test_a_session_is_not_kept(sessions: Sessions) -> None:
    session = sessions.new()
    sessions.start(session)
    reference = weakref.ref(session)
    del session
    gc.collect()
    assert reference() is None


def test_uploads_that_nobody_opened_are_deleted(tmp_path: Path, clock: Clock) -> None:
    document = document_of(LIGHTHOUSE, "lighthouse")
    first = DocumentLoader(lambda progress: ArticleAnswerer(Collection([])), documents=[document])
    uploads = Uploads(tmp_path / "uploads", clock)
    sessions = Sessions(first, forget_after=3600, uploads=uploads, clock=clock)
    path = Path(uploaded(uploads, "tower.txt", TOWER))
    (tmp_path / "kept.txt").write_text("Another's.")
    clock.now += UNREAD_SECONDS - 1
    sessions.sweep()
    assert path.exists()
    clock.now += 1
    sessions.sweep()
    assert os.listdir(tmp_path / "uploads") == []
    assert sorted(os.listdir(tmp_path)) == ["kept.txt", "uploads"]
