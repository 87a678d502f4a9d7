"""How well questions that lean on earlier ones are made to stand alone: TREC CAsT 2019 and 2020.

    python -m benchmarks.followups ../shared/data/followups.jsonl \
        --corpus ../shared/data/squad/train-v2.0.json.gz

Compares four forms of each question with the one that people wrote to stand alone: the plain question,
the question that names the theme put before it, our first rewriting, and the best of all that we
propose, which is what a perfect choice among them would give. The rules were made by reading the
first half of the topics; of the second only these figures were seen, so they are the honest ones.

Retrieval is measured by proxy, because the passages that CAsT judged are not part of the data. Three
proxies stand in for them, over paragraphs of SQuAD's training articles: how often the best passage,
and the ten best, that people's rewriting finds are among the ten best for each form; and, without
those paragraphs, how often a form is nearest to its own rewriting among all of people's. They say
whether a form searches like people's, not whether what is found answers. In CAsT 2020 questions also
lean on answers, which the data does not have.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.record import record
from evaluation import metrics
from evaluation.squad import read_squad
from index.models.encoder import SentenceEncoder
from index.search.fusion import fuse
from index.search.sparse import SparseIndex, split_words
from qa.followup import rewritings
from qa.types import Turn

FORMS = ("plain", "theme before", "ours", "best of ours", "people's")
K = 10
# Of a passage's vector and of its words, as a ranking was fitted once. They are the yardstick and do not
# change with the program's own, where another part may take the place of one of these.
WEIGHTS = {"dense": 10.0912, "words": 0.2624}
# Words that point back, for telling how many of the leaning questions have one.
_POINTING = re.compile(
    r"\b(?:he|she|it|they|him|her|his|its|their|them|this|that|these|those|there|ones?)\b", re.I
)

Ranked = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Row:
    """A question in its conversation, people's rewriting of it, and ours."""

    topic: str
    question: str
    rewrite: str
    changed: bool
    ours: tuple[str, ...]

    @property
    def forms(self) -> dict[str, str]:
        """The question in each form; "best of ours" by the words that it shares with people's."""
        candidates = [*self.ours, self.question]
        best = max(candidates, key=lambda text: metrics.f1(text, [self.rewrite]))
        theme = self.ours[-1] if self.ours else self.question
        every = (self.question, theme, candidates[0], best, self.rewrite)
        return dict(zip(FORMS, every, strict=True))


def read_rows(path: Path) -> list[Row]:
    """The questions that have others before them."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        asked = json.loads(line)
        history = [Turn(*turn) for turn in asked["history"]]
        if history:
            question = asked["question"].strip()
            ours = tuple(rewritings(question, history))
            topic = asked["id"].rsplit("_", 1)[0]
            rows.append(Row(topic, question, asked["rewrite"].strip(), asked["changed"], ours))
    return rows


def halves(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of the first half of the topics, by their names, and of the second."""
    topics = sorted({row.topic for row in rows})
    first = set(topics[: len(topics) // 2])
    return {
        "first half": [row for row in rows if row.topic in first],
        "second half": [row for row in rows if row.topic not in first],
    }


def detection(rows: Sequence[Row]) -> dict[str, float]:
    """The share of questions that stand alone left as they are, and of those that lean told."""
    leaning = [row for row in rows if row.changed]
    pointing = [row for row in leaning if _POINTING.search(row.question)]
    return {
        "stand alone": sum(not row.changed for row in rows),
        "left as they are": _share([not row.ours for row in rows if not row.changed]),
        "lean": len(leaning),
        "told": _share([bool(row.ours) for row in leaning]),
        "lean with a pronoun": len(pointing),
        "told, with a pronoun": _share([bool(row.ours) for row in pointing]),
    }


def passages(path: Path, every: int, most: int) -> list[str]:
    """Paragraphs of every so many articles of a SQuAD file."""
    return [
        article.document.text[start:end]
        for article in read_squad(path)[::every]
        for start, end in article.paragraphs
    ][:most]


def found_in_common(of: Ranked, reference: Ranked) -> tuple[float, float]:
    """The share of the reference's first that are in `of`, and of all of the reference's."""
    common = [np.isin(theirs, ours) for ours, theirs in zip(of, reference, strict=True)]
    return _share([hits[0] for hits in common]), _share(np.concatenate(common))


def _share(hits: Sequence[bool] | NDArray[np.bool_]) -> float:
    return round(float(np.mean(hits)), 4) if len(hits) else 0.0


def main() -> None:
    """Run it; see the module's docstring."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("followups", type=Path, help="followups.jsonl")
    parser.add_argument("--corpus", type=Path, required=True, help="train-v2.0.json.gz")
    parser.add_argument("--every", type=int, default=12, help="of its articles (default 12)")
    parser.add_argument("--most", type=int, default=2000, help="paragraphs (default 2000)")
    arguments = parser.parse_args()

    rows = read_rows(arguments.followups)
    texts = passages(arguments.corpus, arguments.every, arguments.most)
    encoder, sparse = SentenceEncoder(), SparseIndex(texts, split_words)
    vectors = encoder.encode_texts(texts)

    leaning = [row for row in rows if row.changed]
    people = encoder.encode_queries([row.rewrite for row in rows]).vectors
    ranked: dict[str, Ranked] = {}
    nearest: dict[str, list[bool]] = {}
    for form in FORMS:
        queries = [row.forms[form] for row in leaning]
        encoded = encoder.encode_queries(queries).vectors
        scores = fuse({"dense": encoded @ vectors.T, "words": sparse.scores(queries)}, WEIGHTS)
        ranked[form] = np.argsort(-scores, axis=1, kind="stable")[:, :K]
        best = (encoded @ people.T).argmax(axis=1)
        nearest[form] = [
            rows[at].rewrite == row.rewrite for at, row in zip(best, leaning, strict=True)
        ]

    body: dict[str, object] = {
        "command": f"python -m benchmarks.followups {arguments.followups.name} "
        f"--corpus {arguments.corpus.name} --every {arguments.every} --most {arguments.most}",
        "passages": len(texts),
    }
    for name, some in (*halves(rows).items(), ("all", rows)):
        chosen = {id(row) for row in some}
        at = [number for number, row in enumerate(leaning) if id(row) in chosen]
        table = {}
        for form in FORMS:
            first, ten = found_in_common(ranked[form][at], ranked["people's"][at])
            overlap = [metrics.f1(leaning[i].forms[form], [leaning[i].rewrite]) for i in at]
            table[form] = {
                "word F1": round(float(np.mean(overlap)), 4),
                f"people's first in {K}": first,
                f"people's {K} in {K}": ten,
                "own rewriting nearest": _share([nearest[form][i] for i in at]),
            }
        told = detection(some)
        body[name] = {"detection": told, "leaning questions": table}
        print(f"\n{name}: " + ", ".join(f"{what} {figure}" for what, figure in told.items()))
        print(f"{'':14}" + "".join(f"{what:>24}" for what in table["plain"]))
        for form, row in table.items():
            print(f"{form:14}" + "".join(f"{figure:24.4f}" for figure in row.values()))
    record("followups", body)


if __name__ == "__main__":
    main()
