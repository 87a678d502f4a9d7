"""Which examples are read, and in what form: drawn anew each time, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.reading.as_typed import as_typed
from training.reading.example import Example, Kind, Passage, read_examples, read_passages
from training.reading.windows import Context, Labels, Pieces, Window

# The share of each set and source. Made unanswerable besides: see Variation.
SHARES: Mapping[str, float] = {
    "squad/squad": 0.29,
    "squad_lists/squad_lists": 0.05,
    "squad_conversations/squad_conversations": 0.08,
    "squad_swapped/squad_swapped": 0.03,
    "spans/quoref": 0.08,
    "spans/drop": 0.065,
    "spans/nq_oracle": 0.05,
    "spans/tweetqa": 0.05,
    "spans/qamr_wiki": 0.02,
    "spans/multispanqa": 0.015,
    "extra/fairytaleqa": 0.03,
    "extra/policyqa": 0.02,
    "extra/nq_qed_dev": 0.015,
    "lists/quoref": 0.012,
    "lists/drop": 0.012,
    "lists/multispanqa": 0.012,
    "lists/tatqa": 0.002,
    "explanations/medquad": 0.05,
    "explanations/qmsum": 0.012,
    "conversation/doc2dial": 0.05,
    "tables/wikitablequestions": 0.06,
    "tables/tatqa": 0.015,
}


@dataclass(frozen=True)
class Variation:
    """How often an example is changed or extended, as shares."""

    header: float = 0.6
    as_typed: float = 0.3
    # A question that stands by itself after an earlier turn about something else.
    unrelated_history: float = 0.12
    # The question is asked of another document, which does not answer it.
    other_document: float = 0.03
    # A passage of the same document without the answer is read beside it.
    negative: float = 0.15
    negative_section: float = 0.35
    # A part of a long passage without the answer is read beside the part with it.
    away: float = 0.15


@dataclass(frozen=True, slots=True)
class Group:
    """The windows read for one question, the ones with its answer first."""

    source: str
    windows: tuple[Window, ...]

    @property
    def longest(self) -> int:
        """Pieces of its longest window."""
        return max(map(len, self.windows))


class Mixture:
    """The training examples of a data set, to draw from."""

    def __init__(
        self,
        folder: Path,
        pieces: Pieces,
        *,
        shares: Mapping[str, float] = SHARES,
        variation: Variation | None = None,
        seed: int = 1,
    ) -> None:
        self._pieces = pieces
        self._variation = variation or Variation()
        self._seed = seed
        self._passages = read_passages(folder)
        names = sorted({key.split("/")[0] for key in shares})
        every = [
            (f"{name}/{example.source}", example)
            for name in names
            if (path := folder / "train" / f"{name}.jsonl.gz").exists()
            for example in read_examples(path)
        ]
        self._examples: dict[str, list[Example]] = {}
        for key, example in every:
            if key in shares:
                self._examples.setdefault(key, []).append(example)
        self._keys = sorted(self._examples)
        weights = np.array([shares[key] for key in self._keys])
        self._weights = weights / weights.sum()
        # The other questions of each passage, for turns that have nothing to do with a question.
        self._of_passage: dict[int, list[Example]] = {}
        for example in self._single_turns():
            self._of_passage.setdefault(example.passage, []).append(example)

    def pools(self, size: int, first: int = 0) -> Iterator[list[Group]]:
        """Groups of windows in endless pools of that many questions, from the pool `first` on.

        Each set is gone through in random order before an example of it comes again.
        """
        order = self._order()
        for pool in range(10**9):
            drawn = [next(order) for _ in range(size)]
            if pool >= first:
                rng = np.random.default_rng([self._seed, 2, pool])
                yield [self._group(example, rng) for example in drawn]

    def _single_turns(self) -> Iterator[Example]:
        for key, examples in self._examples.items():
            if key.startswith("squad/"):
                yield from (e for e in examples if e.spans and e.history is None)

    def _order(self) -> Iterator[Example]:
        rng = np.random.default_rng([self._seed, 1])
        streams = {
            key: _shuffled(self._examples[key], np.random.default_rng([self._seed, 3, number]))
            for number, key in enumerate(self._keys)
        }
        while True:
            for number in rng.choice(len(self._keys), 1000, p=self._weights):
                yield next(streams[self._keys[number]])

    def _group(self, example: Example, rng: np.random.Generator) -> Group:
        vary = self._variation
        header = bool(rng.random() < vary.header)
        question = example.question
        if rng.random() < vary.as_typed:
            question = as_typed(question, rng)
        history = example.history
        if history is None and rng.random() < vary.unrelated_history:
            history = self._unrelated(example, rng)
        asking = self._pieces.asking(question, history)
        if rng.random() < vary.other_document:
            other = self._other_document(example, rng)
            context = Context(self._pieces, other, header=header)
            window = context.drawn_window(asking, Labels(), rng, short=False)
            return Group(f"{example.source}/other", (window,))
        context = Context(self._pieces, self._passages[example.passage], header=header)
        labels = Labels.of(example)
        long = example.kind is Kind.EVIDENCE or example.source == "doc2dial"
        windows = [context.drawn_window(asking, labels, rng, short=long)]
        if example.negatives and rng.random() < (vary.negative_section if long else vary.negative):
            number = example.negatives[rng.integers(len(example.negatives))]
            wrong = Context(self._pieces, self._passages[number], header=header)
            windows.append(wrong.drawn_window(asking, Labels(), rng, short=True))
        elif labels.spans and rng.random() < vary.away:
            away = context.window_without_answer(asking, labels, rng)
            windows += [away] if away else []
        return Group(example.source, tuple(windows))

    def _unrelated(self, example: Example, rng: np.random.Generator) -> tuple[str, str] | None:
        """Another question of the passage with its answer, or one of any passage."""
        near = [e for e in self._of_passage.get(example.passage, ()) if e.id != example.id]
        if not near or rng.random() < 0.5:
            keys = list(self._of_passage)
            if not keys:
                return None
            near = self._of_passage[keys[rng.integers(len(keys))]]
        other = near[rng.integers(len(near))]
        start, end = other.spans[0]
        return other.question, self._passages[other.passage].text[start:end]

    def _other_document(self, example: Example, rng: np.random.Generator) -> Passage:
        document = self._passages[example.passage].document
        while True:
            passage = self._passages[rng.integers(len(self._passages))]
            if passage.document != document:
                return passage


def batches(groups: Sequence[Group], tokens: int, rng: np.random.Generator) -> list[list[Group]]:
    """Groups of like length together, at most so many pieces a batch with padding, in random order."""
    found: list[list[Group]] = []
    batch: list[Group] = []
    windows = longest = 0
    for group in sorted(groups, key=lambda g: g.longest):
        many, long = windows + len(group.windows), max(longest, group.longest)
        if batch and many * long > tokens:
            found.append(batch)
            batch, many, long = [], len(group.windows), group.longest
        batch.append(group)
        windows, longest = many, long
    if batch:
        found.append(batch)
    return [found[i] for i in rng.permutation(len(found))]


def _shuffled(examples: Sequence[Example], rng: np.random.Generator) -> Iterator[Example]:
    while True:
        for number in rng.permutation(len(examples)):
            yield examples[number]


def with_share(shares: Mapping[str, float], changes: Mapping[str, float]) -> dict[str, float]:
    """The shares with some changed; raises ValueError for a set that is not among them."""
    unknown = sorted(set(changes) - set(shares))
    if unknown:
        raise ValueError(f"No such set: {', '.join(unknown)}. There are: {', '.join(shares)}.")
    return {**shares, **changes}
