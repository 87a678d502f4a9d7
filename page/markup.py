"""The HTML of the page. Every text of an article, a question or a file's name is escaped here."""

from __future__ import annotations

import html
import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache

from index.article_index import Hit
from index.document import Document, paragraphs
from qa.answer import Alternative, Answer
from qa.candidates import Citation

EXCERPT = 180
# The lowest confidence that each word stands for.
WORDS = ((0.9, "very likely"), (0.6, "likely"), (0.4, "perhaps"), (0.0, "unsure"))
# Another answer less likely than this is noise.
MIN_ALTERNATIVE = 0.1
NOT_AN_ANSWER = "Nearest passage, not an answer"

# The number of a paragraph, and where in it a stretch of text starts and ends for the browser.
Place = tuple[int, int, int]


def article_html(document: Document) -> str:
    """The article: its title as a heading and its paragraphs, numbered from 1 as `places` does."""
    text = document.text
    titled, spans = _layout(document)
    blocks = [] if titled else [f'<h2 dir="auto">{html.escape(document.title)}</h2>']
    for number, (start, end) in enumerate(spans, 0 if titled else 1):
        tag = "h2" if number == 0 else "p"
        words = html.escape(_normal(text[start:end]))
        blocks.append(f'<{tag} dir="auto" data-number="{number}">{words}</{tag}>')
    return (
        f'<article class="sheet" tabindex="0" aria-label="{html.escape(document.title)}">'
        f"{''.join(blocks)}</article>"
    )


def places(document: Document, start: int, end: int) -> list[Place]:
    """Where characters start..end of the text stand on the page, one place for each paragraph."""
    titled, spans = _layout(document)
    first = max(0, bisect_right(spans, (start, len(document.text))) - 1)
    found = []
    for at in range(first, len(spans)):
        left, right = spans[at]
        if left >= end:
            break
        a, b = max(start, left), min(end, right)
        if a < b:
            before = _units(document.text[left:a])
            within = _units(document.text[a:b])
            found.append((at if titled else at + 1, before, before + within))
    return found


def chat_html(document: Document, turns: Sequence[Answer], waiting: str | None = None) -> str:
    """The chat so far, and the question that still waits for its answer, if one does."""
    shown = [
        _turn(
            turn.question, answer_html(document, turn), f"answer{' no' if turn.abstained else ''}"
        )
        for turn in turns
    ]
    if waiting is not None:
        shown.append(_turn(waiting, "<p>Looking in the article…</p>", "waiting"))
    if not shown:
        shown.append(
            '<div class="hello"><p>Ask in plain words.</p><p>An answer is always the article’s own '
            "words, marked where they stand. If it has none, you are told so.</p></div>"
        )
    return (
        '<div class="log" role="log" aria-label="Questions and answers" tabindex="0">'
        f"{''.join(shown)}</div>"
    )


def answer_html(document: Document, answer: Answer) -> str:
    """An answer with its place, its confidence and its rivals, or that the article does not say."""
    parts = []
    if answer.rewritten:
        parts.append(
            f'<p class="understood" dir="auto">Understood as: {html.escape(answer.rewritten)}</p>'
        )
    if answer.text is None or answer.citation is None:
        parts.append('<p class="none">The article does not say.</p>')
        if nearest := _nearest(answer):
            start, end = nearest.passage.start, nearest.passage.end
            parts.append(
                f'<section class="nearby" data-marks="{_data(places(document, start, end))}">'
                f"<h2>{NOT_AN_ANSWER}</h2>{_quote(document.text[start:end])}"
                f'<p class="meta">{_button(document, start, end)}</p></section>'
            )
        return "".join(parts)
    parts.append(_cited(document, answer.text, answer.citation))
    parts.append(
        f'<p class="meta">{_button(document, answer.citation.start, answer.citation.end)}'
        f"{_confidence(answer.confidence)}</p>"
    )
    others = [other for other in answer.alternatives if other.confidence >= MIN_ALTERNATIVE]
    if others:
        items = "".join(_alternative(document, other) for other in others)
        parts.append(f'<section class="others"><h2>Also possible</h2><ul>{items}</ul></section>')
    return "".join(parts)


def passages_html(document: Document, answer: Answer) -> str:
    """The ranked passages of an answer, each a button to its place, with a bar for its score."""
    if not answer.hits:
        return ""
    top = max(hit.score for hit in answer.hits)
    items = "".join(
        f'<li><button type="button" data-places="{_data(_span(document, hit))}">'
        f'<span class="excerpt" dir="auto">{html.escape(_excerpt(hit.passage.text))}</span>'
        f'<span class="score"><span class="bar" style="--share:{_share(hit.score, top):.0f}%">'
        f'</span><span class="number">{hit.score:.1f}</span></span></button></li>'
        for hit in answer.hits
    )
    title = (
        "Nearest passages: none answers" if answer.abstained else "Passages searched, best first"
    )
    return f'<section aria-label="Ranked passages"><h2>{title}</h2><ol>{items}</ol></section>'


def status_html(
    *, done: int, total: int, ready: bool, at_first: str, error: str = "", note: str = ""
) -> str:
    """How far the opening of an article is, in words and as a bar."""
    if error:
        return f'<p class="bad" role="alert">{html.escape(error)}</p>'
    if ready:
        return f'<p class="ready" role="status">{html.escape(note) or "Ready"}</p>'
    if not total:
        return f'<p role="status">{at_first}</p><progress aria-label="{at_first}"></progress>'
    share = 100 * done // total
    return (
        f'<p role="status">Reading the article: {share}%</p>'
        f'<progress aria-label="Reading the article" value="{done}" max="{total}"></progress>'
    )


@lru_cache(maxsize=8)
def _layout(document: Document) -> tuple[bool, list[tuple[int, int]]]:
    """Whether the first paragraph is the title, and the offsets of all of them."""
    spans = paragraphs(document.text)
    first = document.text[slice(*spans[0])]
    # A title that is not in the text is the file's name.
    titled = "\n" not in first and first.strip("“”\"'#*= ") == document.title
    return titled, spans


def _turn(question: str, reply: str, kind: str) -> str:
    return (
        f'<section class="turn"><p class="asked" dir="auto">{html.escape(_normal(question))}</p>'
        f'<div class="reply {kind}">{reply}</div></section>'
    )


def _cited(document: Document, words: str, at: Citation) -> str:
    """The words; and where the sentence has more, the sentence with the words marked in it."""
    text = document.text
    sentence = places(document, at.sentence_start, at.sentence_end)
    data = (
        f'data-marks="{_data(sentence)}" data-words="{_data(places(document, at.start, at.end))}"'
    )
    if (at.start, at.end) == (at.sentence_start, at.sentence_end):
        return f'<div class="cited" {data}>{_quote(words)}</div>'
    before, after = text[at.sentence_start : at.start], text[at.end : at.sentence_end]
    return (
        f'<div class="cited" {data}><p class="words" dir="auto">{html.escape(_normal(words))}</p>'
        f'<blockquote dir="auto">{html.escape(_normal(before))}'
        f"<b>{html.escape(_normal(words))}</b>{html.escape(_normal(after))}</blockquote></div>"
    )


def _alternative(document: Document, other: Alternative) -> str:
    at = other.citation
    return (
        f'<li>{_cited(document, other.text, at)}<p class="meta">'
        f"{_button(document, at.start, at.end)}{_confidence(other.confidence)}</p></li>"
    )


def _button(document: Document, start: int, end: int) -> str:
    """A button that goes to a place, named after its paragraph."""
    found = places(document, start, end)
    # A passage may begin with the title; its first paragraph says more of where it stands.
    number = next((place[0] for place in found if place[0]), 0)
    name = f"paragraph {number}" if number else "the title"
    return f'<button type="button" class="place" data-places="{_data(found)}">{name}</button>'


def _confidence(confidence: float) -> str:
    word = next(word for least, word in WORDS if confidence >= least)
    return f'<span class="sure">{confidence:.0%} · {word}</span>'


def _nearest(answer: Answer) -> Hit | None:
    """The passage of the words that came nearest to an answer, or else the first one."""
    best = answer.best
    for hit in answer.hits:
        if best and hit.passage.start <= best.start < hit.passage.end:
            return hit
    return answer.hits[0] if answer.hits else None


def _span(document: Document, hit: Hit) -> list[Place]:
    return places(document, hit.passage.start, hit.passage.end)


def _share(score: float, top: float) -> float:
    """A score in percent of the best one, whatever their signs."""
    return 100 * max(0.0, min(1.0, score / top)) if top > 0 else 0.0


def _quote(text: str) -> str:
    return f'<blockquote dir="auto">{html.escape(_normal(text))}</blockquote>'


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= EXCERPT else line[:EXCERPT].rsplit(" ", 1)[0] + " …"


def _data(found: Sequence[Place]) -> str:
    return html.escape(json.dumps(found, separators=(",", ":")))


def _normal(text: str) -> str:
    """The text with the line ends that a browser makes of its own."""
    return re.sub(r"\r\n?", "\n", text)


def _units(text: str) -> int:
    """How long a browser finds a text: in units of UTF-16."""
    return len(_normal(text).encode("utf-16-le", "surrogatepass")) // 2
