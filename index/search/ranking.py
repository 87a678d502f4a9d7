"""The fitted weights of the ranking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.storage import read_fitted

RANKING_FILE = Path(__file__).with_name("ranking.json")


@dataclass(frozen=True, slots=True)
class RankingWeights:
    """The weight of each retriever's score at each stage, by the retriever's name.

    `first_stage` selects the passages for late interaction, `passage` ranks passages and `sentence`
    the sentences within them.
    """

    first_stage: Mapping[str, float]
    passage: Mapping[str, float]
    sentence: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ranking.json."""
        return {
            "first stage": dict(self.first_stage),
            "passage": dict(self.passage),
            "sentence": dict(self.sentence),
        }


def load_ranking_weights(path: Path = RANKING_FILE) -> RankingWeights:
    """Read the weights fitted by training/fit_ranking.py; raises ArticleError for a damaged file."""
    stages = read_fitted(path)
    return RankingWeights(stages["first stage"], stages["passage"], stages["sentence"])
