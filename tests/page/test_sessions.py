from __future__ import annotations

import gc
import os
import weakref
from pathlib import Path

import pytest

from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from page.loader import Opening
from page.session import Visit
from page.sessions import ForgottenError, Visits
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
def visits(clock: Clock) -> Visits:
    document = document_of(LIGHTHOUSE, "lighthouse")
    answerer = ArticleAnswerer(
        Collection([ArticleIndex.build(document, FakeEncoder())]),
        FakeReader({"1851": 9.0, "1974": 9.0}),
    )
    first = Opening(lambda progress: answerer, documents=[document]).start()
    first.finished.wait()
    return Visits(first, forget_after=3600, clock=clock)


def opened(visits: Visits) -> Visit:
    visit = visits.new()
    visits.use(visit)
    visit.take(visit.add(visits.first, visits.indexes, text=TOWER).wait())
    visit.turns.append(visit.answerer(visits.first.wait(), visit.asked).ask("When?"))
    return visit


def test_what_is_used_stays(visits: Visits, clock: Clock) -> None:
    visit = opened(visits)
    for _ in range(5):
        clock.now += 3500
        visits.use(visit)
        visits.forget()
    assert visit.open == ["lighthouse", "pasted text"]
    assert len(visit.turns) == 1


def test_what_is_not_used_is_forgotten_and_that_is_said_once(visits: Visits, clock: Clock) -> None:
    visit, other = opened(visits), opened(visits)
    clock.now += 3500
    visits.use(other)
    clock.now += 200
    visits.forget()
    visits.forget()
    assert visit.open == ["lighthouse"]
    assert visit.turns == []
    assert other.open == ["lighthouse", "pasted text"]
    with pytest.raises(ForgottenError, match="was not used for 1 hours: open it again"):
        visits.use(visit)
    visits.use(visit)


def test_nothing_is_left_of_a_forgotten_document(visits: Visits, clock: Clock) -> None:
    visit = opened(visits)
    document = weakref.ref(visit._indexes["pasted text"])
    clock.now += 4000
    visits.forget()
    gc.collect()
    assert document() is None


def test_a_visit_that_has_nothing_of_its_own_is_told_nothing(visits: Visits, clock: Clock) -> None:
    visit = visits.new()
    visits.use(visit)
    clock.now += 4000
    visits.forget()
    visits.use(visit)
    assert visit.open == ["lighthouse"]


def test_a_visit_that_is_gone_is_not_kept(visits: Visits) -> None:
    visit = weakref.ref(opened(visits))
    gc.collect()
    assert visit() is None


def test_what_is_being_opened_is_not_forgotten(visits: Visits, clock: Clock) -> None:
    visit = opened(visits)
    visit.adding = Opening(lambda progress: visits.first.wait())
    clock.now += 4000
    visits.forget()
    assert visit.open == ["lighthouse", "pasted text"]


def test_uploads_that_nobody_opened_are_deleted(tmp_path: Path, clock: Clock) -> None:
    document = document_of(LIGHTHOUSE, "lighthouse")
    first = Opening(lambda progress: ArticleAnswerer(Collection([])), documents=[document])
    uploads = Uploads(tmp_path / "uploads", clock)
    visits = Visits(first, forget_after=3600, uploads=uploads, clock=clock)
    path = Path(uploaded(uploads, "tower.txt", TOWER))
    (tmp_path / "kept.txt").write_text("Another's.")
    clock.now += UNREAD_SECONDS - 1
    visits.forget()
    assert path.exists()
    clock.now += 1
    visits.forget()
    assert os.listdir(tmp_path / "uploads") == []
    assert sorted(os.listdir(tmp_path)) == ["kept.txt", "uploads"]
