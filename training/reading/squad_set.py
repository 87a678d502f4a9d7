"""SQuAD 2.0's questions, and those made from them: lists, conversations, unanswerable ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from evaluation.squad import SquadArticle
from index.search.sparse import SparseIndex, split_words
from qa.normalize import normalize
from training.reading.builder import Builder
from training.reading.conversations import Asked, follow_ups
from training.reading.enumerations import items_of
from training.reading.example import Example, Kind
from training.swaps import names, swapped

HOLD_OUT_EVERY = 20
NEGATIVES = 3


def add_squad(builder: Builder, articles: Sequence[SquadArticle]) -> None:
    """Add the articles' questions and those made from them.

    The sets are squad, squad_lists, squad_conversations and squad_swapped. Every 20th
    article in the order of their names is held out.
    """
    for number, article in enumerate(sorted(articles, key=lambda a: a.document.id)):
        _add_article(builder, article, number)


def _add_article(builder: Builder, article: SquadArticle, number: int) -> None:
    rng = np.random.default_rng([7, number])
    held_out = number % HOLD_OUT_EVERY == 0
    title = article.document.title
    texts = [article.document.text[start:end] for start, end in article.paragraphs]
    numbers = [builder.passage(title, title, text) for text in texts]
    ranked = _rank(article, texts)
    # One list of examples a paragraph, in the order of its questions.
    by_paragraph: list[list[Example]] = [[] for _ in texts]
    for question, order in zip(article.questions, ranked, strict=True):
        begin, _ = article.paragraphs[question.paragraph]
        spans = tuple(
            (start - begin, start - begin + len(answer))
            for answer, start in zip(question.answers, question.starts, strict=True)
        )
        wrong = wrong_passages(question.answers, question.paragraph, order, texts)
        text = texts[question.paragraph]
        example = Example(
            id=f"squad/{question.id}",
            source="squad",
            question=question.text,
            passage=numbers[question.paragraph],
            kind=Kind.SPAN if spans else Kind.NONE,
            spans=spans,
            items=items_of(question.text, text, spans[0]) if spans else (),
            negatives=tuple(numbers[paragraph] for paragraph in wrong),
        )
        by_paragraph[question.paragraph].append(example)
        builder.add("squad", example, held_out=held_out)
        if len(example.items) > 1:
            listed = replace(example, id=f"{example.id}/list", source="squad_lists", kind=Kind.LIST)
            builder.add("squad_lists", listed, held_out=held_out)
    elsewhere = sorted({name for text in texts for name in names(text)})
    for text, examples in zip(texts, by_paragraph, strict=True):
        for example in conversations(examples, text, article.document.text, rng):
            builder.add("squad_conversations", example, held_out=held_out)
        for example in examples:
            answers = [text[a:b] for a, b in example.spans]
            changed = swapped(example.question, answers, text, elsewhere, rng) if answers else None
            if changed:
                made = replace(
                    example,
                    id=f"{example.id}/swapped",
                    source="squad_swapped",
                    question=changed,
                    kind=Kind.NONE,
                    spans=(),
                    items=(),
                    negatives=(),
                )
                builder.add("squad_swapped", made, held_out=held_out)


def conversations(
    examples: Sequence[Example], text: str, article: str, rng: np.random.Generator
) -> list[Example]:
    """A paragraph's questions that can refer back to another one, with that one as history."""
    answerable = [example for example in examples if example.spans]
    asked = [Asked(e.question, text[slice(*e.spans[0])], e.spans[0][0]) for e in answerable]
    return [
        replace(
            answerable[second],
            id=f"{answerable[second].id}/follow-up",
            source="squad_conversations",
            question=question,
            history=(asked[first].question, asked[first].answer),
        )
        for first, second, question in follow_ups(asked, article, rng)
    ]


def wrong_passages(
    answers: Sequence[str], paragraph: int, order: Sequence[int], texts: Sequence[str]
) -> list[int]:
    """The first few paragraphs in that order that hold none of the answers.

    None for a question without an answer: another paragraph may well have one.
    """
    wanted = [f" {normalize(answer)} " for answer in answers]
    found: list[int] = []
    for other in order if wanted else ():
        words = f" {normalize(texts[other])} "
        if other != paragraph and not any(answer in words for answer in wanted):
            found.append(other)
        if len(found) == NEGATIVES:
            break
    return found


def _rank(article: SquadArticle, texts: Sequence[str]) -> list[list[int]]:
    scores = SparseIndex(texts, split_words).scores([q.text for q in article.questions])
    ranked: list[list[int]] = np.argsort(-scores, axis=1, kind="stable").tolist()
    return ranked
