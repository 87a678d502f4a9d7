"""Collect the passages and examples of a data set and write them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from training.reading.example import Example, Offsets, Passage, is_held_out, write_rows


class Builder:
    """Passages without repetitions, and examples by set, held out or not."""

    def __init__(self) -> None:
        self.passages: list[Passage] = []
        self.examples: dict[tuple[str, str], list[Example]] = {}
        self._number_of: dict[Passage, int] = {}

    def passage(
        self, document: str, header: str, text: str, labels: tuple[Offsets, ...] = ()
    ) -> int:
        """The number of a passage, added if it is new."""
        passage = Passage(document, header, text, labels)
        number = self._number_of.setdefault(passage, len(self.passages))
        if number == len(self.passages):
            self.passages.append(passage)
        return number

    def add(self, name: str, example: Example, *, held_out: bool | None = None) -> None:
        """Add an example to the set of that name; by default its document says whether held out.

        Raises ValueError for offsets outside the passage.
        """
        passage = self.passages[example.passage]
        for start, end in (*example.spans, *example.items):
            if not 0 <= start < end <= len(passage.text):
                raise ValueError(f"{example.id}: {start}..{end} is outside its passage")
        if held_out is None:
            held_out = is_held_out(passage.document)
        self.examples.setdefault(("held_out" if held_out else "train", name), []).append(example)

    def write(self, folder: Path, built_from: dict[str, str]) -> dict[str, dict[str, int]]:
        """Write the data set; returns the number of examples by part and set."""
        write_rows(folder / "passages.jsonl.gz", self.passages)
        counts: dict[str, dict[str, int]] = {}
        for (part, name), examples in sorted(self.examples.items()):
            write_rows(folder / part / f"{name}.jsonl.gz", examples)
            counts.setdefault(part, {})[name] = len(examples)
        kinds = Counter(e.kind.value for examples in self.examples.values() for e in examples)
        about = {"built_from": built_from, "counts": counts, "kinds": dict(sorted(kinds.items()))}
        (folder / "about.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        return counts
