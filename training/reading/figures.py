"""Measures of lists and of evidence: pure functions on texts and sets."""

from __future__ import annotations

from collections.abc import Sequence

from qa.normalize import normalize

Lists = Sequence[tuple[Sequence[str], Sequence[str]]]


def list_f1(pairs: Lists) -> dict[str, float]:
    """MultiSpanQA's exact and partial F1 (Li et al. 2022), in percent, micro averages.

    `pairs` are (found, wanted) items of each question, compared as SQuAD compares answers. In the
    partial one an item counts as much as its longest run of words in common with an item of the other
    side.
    """
    hits = found_count = wanted_count = 0
    part_found = part_wanted = 0.0
    for found_texts, wanted_texts in pairs:
        found = sorted({normalize(text) for text in found_texts} - {""})
        wanted = sorted({normalize(text) for text in wanted_texts} - {""})
        hits += len(set(found) & set(wanted))
        found_count, wanted_count = found_count + len(found), wanted_count + len(wanted)
        part_found += sum(_covered(item, wanted) for item in found)
        part_wanted += sum(_covered(item, found) for item in wanted)
    exact = _harmonic(hits, found_count, hits, wanted_count)
    return {
        "exact": exact,
        "partial": _harmonic(part_found, found_count, part_wanted, wanted_count),
    }


def set_f1(found: set[int], wanted: set[int]) -> float:
    """The harmonic mean of precision and recall of one question's sentences."""
    return 2 * len(found & wanted) / (len(found) + len(wanted)) if found or wanted else 1.0


def _covered(item: str, others: Sequence[str]) -> float:
    words = item.split()
    return max((_longest_run(words, other.split()) for other in others), default=0) / len(words)


def _longest_run(one: Sequence[str], other: Sequence[str]) -> int:
    """The length of the longest run of words in common."""
    best = 0
    before = [0] * (len(other) + 1)
    for word in one:
        now = [0] * (len(other) + 1)
        for at, theirs in enumerate(other, start=1):
            now[at] = before[at - 1] + 1 if word == theirs else 0
        best, before = max(best, *now), now
    return best


def _harmonic(hits: float, found: int, hits_too: float, wanted: int) -> float:
    precision, recall = hits / found if found else 0.0, hits_too / wanted if wanted else 0.0
    total = precision + recall
    return 100 * 2 * precision * recall / total if total else 0.0
