"""The HTML of the page. All text of documents, questions and file names is escaped here.

A button with data-event sends this event, with its data-index if it has one, to the server; one with
data-ranges goes to these text ranges; page.js handles the others.
"""

from __future__ import annotations

import html
import json
from collections.abc import Collection, Sequence

from index.documents.document import Document
from index.search.collection import Hit
from page.document_html import document_html
from page.export import (
    CLOSEST_PASSAGE,
    INTERPRETED_AS,
    alternatives,
    answer_text,
    closest_hit,
    confidence_label,
    conversation_markdown,
    no_answer,
)
from page.pdf_view import boxes_attribute, pages_html
from page.quotations import excerpt_html, quotation_html, sentence_offsets
from page.text_ranges import (
    OpenDocuments,
    TextRange,
    count_paragraphs,
    display_source,
    normalize_newlines,
)
from qa.location import shorten
from qa.types import Alternative, Answer, Citation

# In characters.
MAX_EXCERPT = 180
MAX_QUOTATION = 500  # longer ones are collapsed


def sheets_html(opened: OpenDocuments, shown: str) -> str:
    """The texts of the open documents, of which one is visible; page.js switches between them."""
    return "".join(
        _sheet(opened, document, hidden=document_id != shown)
        for document_id, document in opened.documents.items()
        if document_id not in opened.removed
    )


def tabs_html(opened: OpenDocuments, shown: str, deselected: Collection[str] = ()) -> str:
    """A tab for each open document; if there are several, with a checkbox to include it in answers."""
    ids = [document_id for document_id in opened.documents if document_id not in opened.removed]
    tabs = "".join(
        _tab(
            opened,
            document_id,
            shown=document_id == shown,
            selected=document_id not in deselected,
            alone=len(ids) == 1,
        )
        for document_id in ids
    )
    # A tablist may contain nothing but tabs, so it owns those that stand beside the checkboxes.
    owned = " ".join(f"tab-{opened.number(document_id)}" for document_id in ids)
    show = f"{opened.number(shown)}.{len(opened.documents)}"
    return (
        f'<div class="tab-bar" data-show="{show}"><div class="tabs">'
        f'<div role="tablist" aria-label="Open documents" aria-owns="{owned}"></div>{tabs}</div>'
        '<button type="button" class="add" aria-expanded="false" aria-controls="adding">'
        "Add document</button></div>"
    )


def chat_html(opened: OpenDocuments, turns: Sequence[Answer], waiting: str | None = None) -> str:
    """The conversation, and the question that waits for its answer, if there is one."""
    shown = []
    for number, turn in enumerate(turns):
        last = number == len(turns) - 1 and waiting is None
        reply = answer_html(opened, turn) + _tools(opened, turn, number, last)
        shown.append(_turn(turn.question, reply, f"answer{' no' if turn.abstained else ''}"))
    if waiting is not None:
        shown.append(_turn(waiting, "<p>Searching…</p>", "waiting"))
    if not shown:
        shown.append(
            '<div class="hello"><p>What do you want to know?</p><p>Answers are quoted word for word and '
            "highlighted in the article. If none is found, you’ll be told.</p><p>To use your own "
            "document, drop it here or click <b>Add document</b>.</p></div>"
        )
    log = (
        '<div class="log" role="log" aria-label="Questions and answers" tabindex="0">'
        f"{''.join(shown)}</div>"
    )
    if not turns:
        return log
    exported = html.escape(conversation_markdown(opened, turns))
    return (
        f'{log}<div class="tools all"><button type="button" data-save="{exported}">Export</button>'
        '<button type="button" data-event="clear">Clear</button></div>'
    )


def answer_html(opened: OpenDocuments, answer: Answer) -> str:
    """An answer with its location, confidence and alternatives, or the closest passage."""
    parts = []
    if answer.rewritten:
        parts.append(
            f'<p class="understood" dir="auto">{INTERPRETED_AS} {html.escape(answer.rewritten)}</p>'
        )
    if answer.text is None or answer.citation is None:
        parts.append(f'<p class="none">{no_answer(opened)}</p>')
        if hit := closest_hit(answer):
            passage = hit.passage
            document = opened.documents[passage.document_id]
            button = _location_button(opened, passage.document_id, passage.start, passage.end)
            boxes = boxes_attribute(
                opened, "mark-boxes", passage.document_id, passage.start, passage.end
            )
            parts.append(
                f'<section class="nearby" data-marks="{_data(_hit_ranges(opened, hit))}"{boxes}>'
                f"<h2>{CLOSEST_PASSAGE}</h2>{_quote(document, passage.start, passage.end)}"
                f'<p class="meta">{button}</p></section>'
            )
        return "".join(parts)
    parts.append(_answer(opened, answer.confidence, answer.citation))
    if others := alternatives(answer):
        items = "".join(f"<li>{_alternative(opened, other)}</li>" for other in others)
        parts.append(
            f'<section class="others"><h2>Other possible answers</h2><ul>{items}</ul></section>'
        )
    return "".join(parts)


def passages_html(opened: OpenDocuments, answer: Answer) -> str:
    """The ranked passages of an answer, each a button that goes to it, with a bar for its score."""
    if not answer.hits:
        return ""
    top_score = max(hit.score for hit in answer.hits)
    items = "".join(_passage(opened, hit, top_score) for hit in answer.hits)
    title = "Closest passages" if answer.abstained else "Passages searched, most relevant first"
    return f'<section aria-label="Ranked passages"><h2>{title}</h2><ol>{items}</ol></section>'


def status_html(
    *,
    done: int,
    total: int,
    ready: bool,
    label: str,
    progress_label: str,
    error: str = "",
    note: str = "",
    cancellable: bool = False,
) -> str:
    """The progress of opening documents in words and as a bar, with a button to cancel."""
    if error:
        return f'<p class="bad" role="alert">{html.escape(error)}</p>'
    if ready:
        return f'<p class="ready" role="status">{html.escape(note) or "Ready"}</p>'
    cancel = '<button type="button" data-event="stop">Cancel</button>' if cancellable else ""
    if not total:
        label = html.escape(label)
        return f'<p role="status">{label}</p><progress aria-label="{label}"></progress>{cancel}'
    # The percentage is not announced: it changes many times a second.
    label = html.escape(progress_label)
    return (
        f'<p><span role="status">{label}</span>, {100 * done // total}%</p>'
        f'<progress aria-label="{label}" value="{done}" max="{total}"></progress>{cancel}'
    )


def _sheet(opened: OpenDocuments, document: Document, *, hidden: bool) -> str:
    number = opened.number(document.id)
    url = opened.page_urls.get(document.id)
    pages = pages_html(document, url) if url else ""
    return (
        f'<div class="sheet{" as-pages" if url else ""}" id="sheet-{number}" data-index="{number}" '
        f'role="tabpanel" tabindex="0" aria-labelledby="tab-{number}"{" hidden" * hidden}>'
        f"{pages}{document_html(document)}</div>"
    )


def _tab(
    opened: OpenDocuments, document_id: str, *, shown: bool, selected: bool, alone: bool
) -> str:
    document, number = opened.documents[document_id], opened.number(document_id)
    title = html.escape(document.title)
    counts = {"page": len(document.pages), "paragraph": count_paragraphs(document)}
    sizes = [f"{n:,} {unit}{'s' * (n > 1)}" for unit, n in counts.items() if n]
    tooltip = html.escape(", ".join([document.title, *sizes, display_source(document)]))
    tab = (
        f'<button type="button" role="tab" id="tab-{number}" data-index="{number}" dir="auto" '
        f'aria-controls="sheet-{number}" aria-selected="{str(shown).lower()}" '
        f'tabindex="{0 if shown else -1}" title="{tooltip}">{title}</button>'
    )
    if alone:
        return f'<div class="tab">{tab}</div>'
    return (
        f'<div class="tab"><input type="checkbox" data-event="input" data-index="{number}" '
        f'title="Include in answers" aria-label="Include {title} in answers"{" checked" * selected}>'
        f"{tab}"
        f'<button type="button" class="remove" data-event="delete" data-index="{number}" '
        f'title="Remove this document" aria-label="Remove {title}">×</button></div>'
    )


def _turn(question: str, reply: str, kind: str) -> str:
    text = html.escape(normalize_newlines(question))
    return (
        f'<section class="turn"><p class="asked" dir="auto">{text}</p>'
        f'<div class="reply {kind}">{reply}</div></section>'
    )


def _tools(opened: OpenDocuments, answer: Answer, number: int, last: bool) -> str:
    """The buttons of a turn; the last one can also be asked again or deleted."""
    question = f"question {number + 1}"
    buttons = (
        f'<button type="button" data-copy="{html.escape(answer_text(opened, answer))}" '
        f'aria-label="Copy the answer to {question}">Copy</button>'
        f'<button type="button" data-event="edit" data-index="{number}" '
        f'aria-label="Edit {question}">Edit</button>'
    )
    if last:
        buttons += (
            '<button type="button" data-event="retry" '
            f'aria-label="Ask {question} again">Ask again</button>'
            f'<button type="button" data-event="undo" aria-label="Delete {question}">Delete</button>'
        )
    return f'<div class="tools">{buttons}</div>'


def _answer(opened: OpenDocuments, confidence: float, citation: Citation) -> str:
    button = _location_button(opened, citation.document, citation.start, citation.end)
    return (
        f'{_cited(opened, citation)}<p class="meta">{button}'
        f'<span class="sure">{confidence_label(confidence)}</span></p>'
    )


def _alternative(opened: OpenDocuments, other: Alternative) -> str:
    return _answer(opened, other.confidence, other.citation)


def _cited(opened: OpenDocuments, citation: Citation) -> str:
    """The answer's words and, if their sentence has more, the sentence with the words marked."""
    document = opened.documents[citation.document]
    start, end = sentence_offsets(document, citation)
    answer = citation.start, citation.end
    sentence_ranges = opened.text_ranges(document.id, start, end)
    word_ranges = opened.text_ranges(document.id, *answer)
    boxes = boxes_attribute(opened, "mark-boxes", document.id, start, end)
    boxes += boxes_attribute(opened, "word-boxes", document.id, *answer)
    data = f'data-marks="{_data(sentence_ranges)}" data-words="{_data(word_ranges)}"{boxes}'
    if answer == (start, end):
        return f'<div class="cited" {data}>{_quote(document, start, end)}</div>'
    # The sentence below has the heads of a cell, and the items of a list need their markers.
    words = quotation_html(document, *answer, labels=len(word_ranges) > 1)
    return (
        f'<div class="cited" {data}><p class="words" dir="auto">{words}</p>'
        f"{_quote(document, start, end, mark=answer)}</div>"
    )


def _passage(opened: OpenDocuments, hit: Hit, top_score: float) -> str:
    passage = hit.passage
    document = opened.documents[passage.document_id]
    location = html.escape(opened.location(passage.document_id, passage.start, passage.end))
    title = html.escape(shorten(document.title))
    excerpt = excerpt_html(document, passage.start, passage.end, MAX_EXCERPT)
    label = f'<span class="source" dir="auto">{title}</span>' if len(opened.documents) > 1 else ""
    disabled = " disabled" if passage.document_id in opened.removed else ""
    ranges = _data(_hit_ranges(opened, hit))
    boxes = boxes_attribute(opened, "range-boxes", passage.document_id, passage.start, passage.end)
    return (
        f'<li><button type="button" data-ranges="{ranges}"{boxes} title="{location}"{disabled}>'
        f'<span class="excerpt" dir="auto">{excerpt}</span>{label}'
        f'<span class="score"><span class="bar" style="--share:{_share(hit.score, top_score):.0f}%">'
        f'</span><span class="number">{hit.score:.1f}</span></span></button></li>'
    )


def _location_button(opened: OpenDocuments, document_id: str, start: int, end: int) -> str:
    """A button that goes to a location, named after it; only the name if the document was removed."""
    name = html.escape(opened.location(document_id, start, end))
    if document_id in opened.removed:
        return f'<span class="gone">{name} (document removed)</span>'
    ranges = _data(opened.text_ranges(document_id, start, end))
    boxes = boxes_attribute(opened, "range-boxes", document_id, start, end)
    return f'<button type="button" class="location" data-ranges="{ranges}"{boxes}>{name}</button>'


def _hit_ranges(opened: OpenDocuments, hit: Hit) -> list[TextRange]:
    passage = hit.passage
    return opened.text_ranges(passage.document_id, passage.start, passage.end)


def _share(score: float, top_score: float) -> float:
    """A score as a percentage of the best one, from 0 to 100."""
    return 100 * max(0.0, min(1.0, score / top_score)) if top_score > 0 else 0.0


def _quote(document: Document, start: int, end: int, *, mark: tuple[int, int] | None = None) -> str:
    """A quotation, with a part of it marked; a long one is collapsed."""
    quotation = quotation_html(document, start, end, mark=mark)
    if end - start <= MAX_QUOTATION:
        return f'<blockquote dir="auto">{quotation}</blockquote>'
    return (
        f'<blockquote dir="auto" class="long">{quotation}</blockquote>'
        '<button type="button" class="more" aria-expanded="false">Show all</button>'
    )


def _data(ranges: Sequence[TextRange]) -> str:
    return html.escape(json.dumps(ranges, separators=(",", ":")))
