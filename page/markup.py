"""The HTML of the page. Every text of an article, a question or a file's name is escaped here.

A button with data-event, and data-index where that is needed, sends this event to the page; one with
data-places goes to the places, and page.js knows what the others do.
"""

from __future__ import annotations

import html
import json
from bisect import bisect_left
from collections.abc import Collection, Sequence

from index.documents.document import Document
from index.search.collection import Hit
from page.export import (
    NOT_AN_ANSWER,
    alternatives,
    answer_text,
    conversation_markdown,
    nearest,
    no_answer,
    sureness,
)
from page.text_ranges import OpenDocuments, Place, count_paragraphs, layout, normal, short, source
from qa.types import Alternative, Answer, Citation

EXCERPT = 180
# A longer quotation is folded up.
LONG = 500


def sheets_html(shelf: OpenDocuments, shown: str) -> str:
    """The open documents, of which only one is in sight; page.js turns from one to the other."""
    return "".join(
        _sheet(shelf, document, hidden=name != shown)
        for name, document in shelf.documents.items()
        if name not in shelf.removed
    )


def tabs_html(shelf: OpenDocuments, shown: str, unasked: Collection[str] = ()) -> str:
    """A tab for each open document, and with several a tick for those that are asked."""
    names = [name for name in shelf.documents if name not in shelf.removed]
    tabs = "".join(
        _tab(shelf, name, chosen=name == shown, asked=name not in unasked, alone=len(names) == 1)
        for name in names
    )
    # A list of tabs may hold nothing but tabs, so it owns them from beside its ticks.
    owned = " ".join(f"tab-{shelf.number(name)}" for name in names)
    show = f"{shelf.number(shown)}.{len(shelf.documents)}"
    return (
        f'<div class="shelf" data-show="{show}"><div class="tabs">'
        f'<div role="tablist" aria-label="Open documents" aria-owns="{owned}"></div>{tabs}</div>'
        '<button type="button" class="add" aria-expanded="false" aria-controls="adding">'
        "Add a document</button></div>"
    )


def chat_html(shelf: OpenDocuments, turns: Sequence[Answer], waiting: str | None = None) -> str:
    """The chat so far, and the question that still waits for its answer, if one does."""
    shown = []
    for number, turn in enumerate(turns):
        last = number == len(turns) - 1 and waiting is None
        reply = answer_html(shelf, turn) + _tools(shelf, turn, number, last)
        shown.append(_turn(turn.question, reply, f"answer{' no' if turn.abstained else ''}"))
    if waiting is not None:
        shown.append(_turn(waiting, "<p>Looking in the article…</p>", "waiting"))
    if not shown:
        shown.append(
            '<div class="hello"><p>What do you want to know?</p><p>An answer is always the article’s '
            "own words, marked where they stand. If it has none, you are told so.</p><p>To ask a "
            "document of your own, drop it on this page or use “Add a document”.</p></div>"
        )
    log = (
        '<div class="log" role="log" aria-label="Questions and answers" tabindex="0">'
        f"{''.join(shown)}</div>"
    )
    if not turns:
        return log
    exported = html.escape(conversation_markdown(shelf, turns))
    return (
        f'{log}<div class="tools all"><button type="button" data-save="{exported}">Export</button>'
        '<button type="button" data-event="clear">Clear</button></div>'
    )


def answer_html(shelf: OpenDocuments, answer: Answer) -> str:
    """An answer with its place, its confidence and its rivals, or that the article does not say."""
    parts = []
    if answer.rewritten:
        parts.append(
            f'<p class="understood" dir="auto">Understood as: {html.escape(answer.rewritten)}</p>'
        )
    if answer.text is None or answer.citation is None:
        parts.append(f'<p class="none">{no_answer(shelf)}</p>')
        if hit := nearest(answer):
            at = hit.passage
            parts.append(
                f'<section class="nearby" data-marks="{_data(_of(shelf, hit))}">'
                f"<h2>{NOT_AN_ANSWER}</h2>{_quote(html.escape(normal(at.text)), len(at.text))}"
                f'<p class="meta">{_button(shelf, at.document_id, at.start, at.end)}</p></section>'
            )
        return "".join(parts)
    parts.append(_answered(shelf, answer.text, answer.confidence, answer.citation))
    if others := alternatives(answer):
        items = "".join(f"<li>{_other(shelf, other)}</li>" for other in others)
        parts.append(f'<section class="others"><h2>Also possible</h2><ul>{items}</ul></section>')
    return "".join(parts)


def passages_html(shelf: OpenDocuments, answer: Answer) -> str:
    """The ranked passages of an answer, each a button to its place, with a bar for its score."""
    if not answer.hits:
        return ""
    top = max(hit.score for hit in answer.hits)
    items = "".join(_passage(shelf, hit, top) for hit in answer.hits)
    title = (
        "Nearest passages: none answers" if answer.abstained else "Passages searched, best first"
    )
    return f'<section aria-label="Ranked passages"><h2>{title}</h2><ol>{items}</ol></section>'


def status_html(
    *,
    done: int,
    total: int,
    ready: bool,
    at_first: str,
    error: str = "",
    note: str = "",
    cancellable: bool = False,
) -> str:
    """How far the opening of an article is, in words and as a bar, and a way to stop it."""
    if error:
        return f'<p class="bad" role="alert">{html.escape(error)}</p>'
    if ready:
        return f'<p class="ready" role="status">{html.escape(note) or "Ready"}</p>'
    cancel = '<button type="button" data-event="stop">Cancel</button>' if cancellable else ""
    if not total:
        label = html.escape(at_first)
        return f'<p role="status">{label}</p><progress aria-label="{label}"></progress>{cancel}'
    # The share is not announced: it changes many times a second.
    return (
        f'<p><span role="status">Reading the article</span>: {100 * done // total}%</p>'
        f'<progress aria-label="Reading the article" value="{done}" max="{total}"></progress>{cancel}'
    )


def _sheet(shelf: OpenDocuments, document: Document, *, hidden: bool) -> str:
    """A document: its title as a heading and its paragraphs, numbered from 1 as in a place."""
    number = shelf.number(document.id)
    titled, spans = layout(document)
    blocks = [] if titled else [f'<h2 dir="auto">{html.escape(document.title)}</h2>']
    since = 0
    for paragraph, (start, end) in enumerate(spans, 0 if titled else 1):
        tag = "h2" if paragraph == 0 else "p"
        words = _words(document, since, start, end)
        blocks.append(f'<{tag} dir="auto" data-number="{paragraph}">{words}</{tag}>')
        since = end
    return (
        f'<div class="sheet" id="sheet-{number}" data-index="{number}" role="tabpanel" tabindex="0" '
        f'aria-labelledby="tab-{number}"{" hidden" * hidden}>{"".join(blocks)}</div>'
    )


def _words(document: Document, since: int, start: int, end: int) -> str:
    """A paragraph's text, with a mark for each page but the first that begins in it or before it.

    `since` is where the paragraph before it ends.
    """
    made, at = "", start
    first, last = (bisect_left(document.pages, offset) for offset in (since, end))
    for page in range(max(first, 1), last):
        here = max(start, document.pages[page])
        made += html.escape(normal(document.text[at:here]))
        made += f'<span class="page" data-page="{page + 1}"></span>'
        at = here
    return made + html.escape(normal(document.text[at:end]))


def _tab(shelf: OpenDocuments, name: str, *, chosen: bool, asked: bool, alone: bool) -> str:
    document, number = shelf.documents[name], shelf.number(name)
    title = html.escape(document.title)
    counts = {"page": len(document.pages), "paragraph": count_paragraphs(document)}
    told = [f"{n:,} {what}{'s' * (n > 1)}" for what, n in counts.items() if n]
    about = html.escape(", ".join([document.title, *told, source(document)]))
    tab = (
        f'<button type="button" role="tab" id="tab-{number}" data-index="{number}" dir="auto" '
        f'aria-controls="sheet-{number}" aria-selected="{str(chosen).lower()}" '
        f'tabindex="{0 if chosen else -1}" title="{about}">{title}</button>'
    )
    if alone:
        return f'<div class="tab">{tab}</div>'
    return (
        f'<div class="tab"><input type="checkbox" data-event="input" data-index="{number}" '
        f'title="Ask this document" aria-label="Ask {title}"{" checked" * asked}>{tab}'
        f'<button type="button" class="remove" data-event="delete" data-index="{number}" '
        f'title="Remove this document" aria-label="Remove {title}">×</button></div>'
    )


def _turn(question: str, reply: str, kind: str) -> str:
    return (
        f'<section class="turn"><p class="asked" dir="auto">{html.escape(normal(question))}</p>'
        f'<div class="reply {kind}">{reply}</div></section>'
    )


def _tools(shelf: OpenDocuments, answer: Answer, number: int, last: bool) -> str:
    """What can be done with a turn: with the last one also ask it again or take it back."""
    which = f"question {number + 1}"
    buttons = (
        f'<button type="button" data-copy="{html.escape(answer_text(shelf, answer))}" '
        f'aria-label="Copy the answer to {which}">Copy</button>'
        f'<button type="button" data-event="edit" data-index="{number}" '
        f'aria-label="Edit {which}">Edit</button>'
    )
    if last:
        buttons += (
            f'<button type="button" data-event="retry" aria-label="Retry {which}">Retry</button>'
            f'<button type="button" data-event="undo" aria-label="Undo {which}">Undo</button>'
        )
    return f'<div class="tools">{buttons}</div>'


def _answered(shelf: OpenDocuments, words: str, confidence: float, at: Citation) -> str:
    return (
        f'{_cited(shelf, words, at)}<p class="meta">{_button(shelf, at.document, at.start, at.end)}'
        f'<span class="sure">{sureness(confidence)}</span></p>'
    )


def _other(shelf: OpenDocuments, other: Alternative) -> str:
    return _answered(shelf, other.text, other.confidence, other.citation)


def _cited(shelf: OpenDocuments, words: str, at: Citation) -> str:
    """The words; and where the sentence has more, the sentence with the words marked in it."""
    text = shelf.documents[at.document].text
    marks = shelf.places(at.document, at.sentence_start, at.sentence_end)
    within = shelf.places(at.document, at.start, at.end)
    data = f'data-marks="{_data(marks)}" data-words="{_data(within)}"'
    said = html.escape(normal(words))
    if (at.start, at.end) == (at.sentence_start, at.sentence_end):
        return f'<div class="cited" {data}>{_quote(said, len(words))}</div>'
    before, after = text[at.sentence_start : at.start], text[at.end : at.sentence_end]
    sentence = (
        f'{html.escape(normal(before))}<mark class="begins ends">{said}</mark>'
        f"{html.escape(normal(after))}"
    )
    return (
        f'<div class="cited" {data}><p class="words" dir="auto">{said}</p>'
        f"{_quote(sentence, at.sentence_end - at.sentence_start)}</div>"
    )


def _passage(shelf: OpenDocuments, hit: Hit, top: float) -> str:
    at = hit.passage
    where = html.escape(shelf.name(at.document_id, at.start, at.end))
    title = html.escape(short(shelf.documents[at.document_id].title))
    of = f'<span class="of" dir="auto">{title}</span>' if len(shelf.documents) > 1 else ""
    gone = " disabled" if at.document_id in shelf.removed else ""
    return (
        f'<li><button type="button" data-places="{_data(_of(shelf, hit))}" title="{where}"{gone}>'
        f'<span class="excerpt" dir="auto">{html.escape(_excerpt(at.text))}</span>{of}'
        f'<span class="score"><span class="bar" style="--share:{_share(hit.score, top):.0f}%">'
        f'</span><span class="number">{hit.score:.1f}</span></span></button></li>'
    )


def _button(shelf: OpenDocuments, document_id: str, start: int, end: int) -> str:
    """A button that goes to a place and is named after it; only the name where the document is gone."""
    name = html.escape(shelf.name(document_id, start, end))
    if document_id in shelf.removed:
        return f'<span class="gone">{name}, removed</span>'
    found = _data(shelf.places(document_id, start, end))
    return f'<button type="button" class="place" data-places="{found}">{name}</button>'


def _of(shelf: OpenDocuments, hit: Hit) -> list[Place]:
    at = hit.passage
    return shelf.places(at.document_id, at.start, at.end)


def _share(score: float, top: float) -> float:
    """A score in percent of the best one, whatever their signs."""
    return 100 * max(0.0, min(1.0, score / top)) if top > 0 else 0.0


def _quote(inside: str, length: int) -> str:
    """A quotation, `inside` being escaped; a long one is folded up."""
    if length <= LONG:
        return f'<blockquote dir="auto">{inside}</blockquote>'
    return (
        f'<blockquote dir="auto" class="long">{inside}</blockquote>'
        '<button type="button" class="more" aria-expanded="false">Show all</button>'
    )


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= EXCERPT else line[:EXCERPT].rsplit(" ", 1)[0] + " …"


def _data(found: Sequence[Place]) -> str:
    return html.escape(json.dumps(found, separators=(",", ":")))
