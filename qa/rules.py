"""Switches for the hand-written language rules, so that each can be measured (benchmarks.heuristics)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """Which language rules an answerer applies."""

    # "When did she last visit?" is also searched as "When did she visit?" (qa/questions.py).
    last: bool = True
    # "When was her previous visit?" is answered with the second latest date (qa/dates.py).
    previous_date: bool = True
    # A duration is not shown as an alternative answer to "when" (qa/dates.py).
    durations: bool = True
    # "Why" and "how" are answered with the whole sentence (qa/questions.py).
    descriptive: bool = True
    # Misspelt words are also searched in the spelling of the document (qa/spelling.py).
    spelling: bool = True
    # Follow-up questions are also searched as standalone questions (qa/followup.py).
    followups: bool = True


ALL_RULES = Rules()
