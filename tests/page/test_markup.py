"""The HTML of the page by itself."""

from __future__ import annotations

import re
from typing import Any

import pytest

from index.documents.document import read_bytes
from page.markup import (
    MAX_QUOTATION,
    answer_html,
    chat_html,
    passages_html,
    sheets_html,
    status_html,
    tabs_html,
)
from qa.types import Alternative, Citation
from tests.page.shown import abstention, answer_of, document_of, hit_of, shelf_of


def test_one_of_several_documents_is_in_sight() -> None:
    documents = [document_of(f"Title {n}\n\nText {n}.", n) for n in "abc"]
    made = sheets_html(shelf_of(*documents, removed=("a",)), "c")
    assert re.findall(r'id="(sheet-\d)" [^>]*?aria-labelledby="(tab-\d)"( hidden)?>', made) == [
        ("sheet-1", "tab-1", " hidden"),
        ("sheet-2", "tab-2", ""),
    ]
    assert "Text a" not in made


def test_a_document_alone_has_a_tab_and_nothing_to_tick_or_remove() -> None:
    made = tabs_html(shelf_of(document_of("A <title>\n\nOne.", pages=(0, 3))), "name")
    assert ">A &lt;title&gt;</button>" in made
    assert 'title="A &lt;title&gt;, 2 pages, 1 paragraph, name.txt"' in made
    assert 'aria-owns="tab-0"' in made
    assert "checkbox" not in made and "delete" not in made


def test_several_documents_have_tabs_with_ticks() -> None:
    documents = [document_of(f"Title {n}\n\nText.", n) for n in "abc"]
    made = tabs_html(shelf_of(*documents, removed=("a",)), "c", deselected={"b"})
    assert 'data-show="2.3"' in made
    assert 'aria-owns="tab-1 tab-2"' in made
    assert re.findall(r'aria-selected="(\w+)" tabindex="(-?\d)"', made) == [
        ("false", "-1"),
        ("true", "0"),
    ]
    assert re.findall(r'data-index="(\d)" title="Include in answers" [^>]*"( checked)?>', made) == [
        ("1", ""),
        ("2", " checked"),
    ]
    assert re.findall(r'data-event="delete" data-index="(\d)"', made) == ["1", "2"]


def test_an_answer_that_is_a_sentence_is_shown_once() -> None:
    document = document_of("Title\n\nHe came in 1851.")
    answer = answer_of(document, "He came in 1851.", "He came in 1851.")
    made = answer_html(shelf_of(document), answer)
    assert made.count("He came in 1851.") == 1
    assert 'data-ranges="[[0,1,0,16]]">paragraph 1</button>' in made
    assert "72% · High confidence" in made
    assert "Other possible" not in made


def test_an_answer_within_a_sentence_is_shown_with_its_sentence() -> None:
    document = document_of("Title\n\nHe <came> in 1851.")
    made = answer_html(shelf_of(document), answer_of(document, "1851", "He <came> in 1851."))
    assert '<p class="words" dir="auto">1851</p>' in made
    assert 'He &lt;came&gt; in <mark class="begins ends">1851</mark>.</blockquote>' in made
    assert 'data-marks="[[0,1,0,18]]" data-words="[[0,1,13,17]]"' in made


def test_an_answer_names_its_document_where_there_are_several() -> None:
    document = document_of("Title <1>\n\nHe came in 1851.")
    answer = answer_of(document, "1851", "He came in 1851.")
    other = document_of("Other\n\nText.", "other")
    made = answer_html(shelf_of(other, document), answer)
    assert 'data-ranges="[[1,1,11,15]]">Title &lt;1&gt;, paragraph 1</button>' in made
    gone = answer_html(shelf_of(other, document, removed=("name",)), answer)
    assert '<span class="gone">Title &lt;1&gt;, paragraph 1 (document removed)</span>' in gone
    assert "<button" not in gone


def test_a_cell_is_quoted_with_its_heads() -> None:
    document = read_bytes(b"City,Hives\nLyon,18\nNice,4\n", "bees.csv")
    hits = (hit_of(document, "Lyon\t18\nNice\t4", 2.0),)
    made = answer_html(shelf_of(document), answer_of(document, "18", "18", hits=hits))
    row = (
        '<span class="label">City: </span>Lyon<span class="label"> · </span>'
        '<span class="label">Hives: </span><mark class="begins ends">18</mark>'
    )
    assert f'<p class="words" dir="auto">18</p><blockquote dir="auto">{row}</blockquote>' in made
    assert 'data-marks="[[0,1,0,7]]" data-words="[[0,1,5,7]]"' in made
    ranked = passages_html(shelf_of(document), answer_of(document, "18", "Lyon\t18", hits=hits))
    shown = re.sub("<[^>]*>", "", ranked)
    assert "City: Lyon · Hives: 18 City: Nice · Hives: 4" in shown


def test_a_very_long_sentence_is_folded_up() -> None:
    sentence = "word " * MAX_QUOTATION + "1851."
    document = document_of(f"Title\n\n{sentence}")
    made = answer_html(shelf_of(document), answer_of(document, "1851", sentence))
    assert '<blockquote dir="auto" class="long">word word' in made
    assert '<button type="button" class="more" aria-expanded="false">Show all</button>' in made
    assert '<mark class="begins ends">1851</mark>' in made


def test_other_answers_have_their_place_and_the_hopeless_ones_are_left_out() -> None:
    document = document_of("Title\n\nHe came in 1851.\n\nShe <left>.\n\nNobody stayed.")
    left = document.text.index("She")
    at = Citation(document.id, left + 4, left + 10, left, left + 11)
    nobody = Citation(document.id, *(2 * (left + 13, left + 27)))
    others = (Alternative("<left>", 0.4, at), Alternative("Nobody stayed.", 0.02, nobody))
    answer = answer_of(document, "1851", "He came in 1851.", alternatives=others)
    made = answer_html(shelf_of(document), answer)
    assert '<p class="words" dir="auto">&lt;left&gt;</p>' in made
    assert 'She <mark class="begins ends">&lt;left&gt;</mark>.' in made
    assert ">paragraph 2</button>" in made
    assert "40% · Medium confidence" in made
    assert "Nobody" not in made


def test_an_abstention_says_so_and_labels_the_nearest_passage() -> None:
    document = document_of("Title\n\nHe came in 1851.")
    answer = abstention(document, "He came in 1851.", rewritten="<b>Who?")
    made = answer_html(shelf_of(document), answer)
    assert "Interpreted as: &lt;b&gt;Who?" in made
    assert "No clear answer found in this article." in made
    assert "<h2>Closest passage (may not answer your question)</h2>" in made
    assert 'class="cited"' not in made
    assert "<h2>Closest passages</h2>" in passages_html(shelf_of(document), answer)


def test_an_abstention_without_any_passage_is_only_its_sentence() -> None:
    document = document_of("Title\n\nOne.")
    answer = abstention(document, "One.", best=None, hits=())
    shelf = shelf_of(document)
    assert (
        answer_html(shelf, answer) == '<p class="none">No clear answer found in this article.</p>'
    )
    assert passages_html(shelf, answer) == ""


def test_passages_have_bars_relative_to_the_best_and_scores() -> None:
    document = document_of("Title\n\n<One>.\n\nTwo.\n\nThree.")
    hits = tuple(
        hit_of(document, t, s) for t, s in (("<One>.", 8.0), ("Two.", 2.0), ("Three.", -1))
    )
    made = passages_html(shelf_of(document), answer_of(document, "Two.", "Two.", hits=hits))
    assert re.findall(r"--share:(-?\d+)%", made) == ["100", "25", "0"]
    assert re.findall(r'class="number">(.*?)<', made) == ["8.0", "2.0", "-1.0"]
    assert "&lt;One&gt;." in made
    assert 'data-ranges="[[0,2,0,4]]" title="paragraph 2"' in made


def test_passages_of_several_documents_say_of_which() -> None:
    one, two = document_of("Title <1>\n\nOne.", "a"), document_of("Two.", "b", title="Title two")
    hits = (hit_of(one, "One.", 2.0), hit_of(two, "Two.", 1.0))
    made = passages_html(
        shelf_of(one, two, removed=("b",)), answer_of(one, "One.", "One.", hits=hits)
    )
    assert re.findall(r'class="source" dir="auto">(.*?)<', made) == ["Title &lt;1&gt;", "Title two"]
    assert re.findall(r'title="Title two, paragraph 1"( disabled)?>', made) == [" disabled"]


def test_a_waiting_question_is_escaped() -> None:
    made = chat_html(shelf_of(document_of("One.")), [], "<i>Who?</i>")
    assert '<p class="asked" dir="auto">&lt;i&gt;Who?&lt;/i&gt;</p>' in made
    assert 'class="reply waiting"' in made
    assert "data-event" not in made


def test_the_last_turn_can_be_asked_again_and_taken_back() -> None:
    document = document_of("Title\n\nHe came in 1851.")
    turn = answer_of(document, "1851", "He came in 1851.")
    made = chat_html(shelf_of(document), [turn, turn])
    assert re.findall(r'data-event="(\w+)"(?: data-index="(\d)")?', made) == [
        ("edit", "0"),
        ("edit", "1"),
        ("retry", ""),
        ("undo", ""),
        ("clear", ""),
    ]
    assert re.findall(r'aria-label="(\w+ question 2(?: again)?)"', made) == [
        "Edit question 2",
        "Ask question 2 again",
        "Delete question 2",
    ]
    assert made.count("data-copy=") == 2
    assert made.count("data-save=") == 1
    assert "retry" not in chat_html(shelf_of(document), [turn], "And then?")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"done": 0, "total": 0, "ready": False}, ">Loading…</p>"),
        (
            {"done": 3, "total": 12, "ready": False},
            '><span role="status">Indexing a.pdf</span>, 25%</p>',
        ),
        ({"done": 12, "total": 12, "ready": True}, ">Ready</p>"),
        ({"done": 12, "total": 12, "ready": True, "note": "<Rebuilt>"}, ">&lt;Rebuilt&gt;</p>"),
        ({"done": 0, "total": 0, "ready": True, "error": "<No>"}, ">&lt;No&gt;</p>"),
    ],
)
def test_the_status_says_how_far_it_is(state: dict[str, Any], words: str) -> None:
    assert words in status_html(label="Loading…", progress_label="Indexing a.pdf", **state)


def test_what_is_being_opened_can_be_cancelled() -> None:
    state: dict[str, Any] = {
        "done": 3,
        "total": 12,
        "label": "Adding…",
        "progress_label": "Indexing",
    }
    button = '<button type="button" data-event="stop">Cancel</button>'
    assert button in status_html(ready=False, cancellable=True, **state)
    assert button not in status_html(ready=False, **state)
    assert button not in status_html(ready=True, cancellable=True, **state)
