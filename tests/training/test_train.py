"""Training, with a tiny model on a tiny data set."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from index.passages.context import plain_context
from qa.reader import Reader
from tests.qa.test_reader import save_base
from tests.training.made_up import extra_rows, reading_folder, squad_file, write_jsonl
from training.reading.asking import Ask, ReaderUnderTest
from training.reading.build import build
from training.reading.evaluate import main as evaluate
from training.reading.example import Passage, read_examples, read_passages
from training.reading.mixture import SHARES, Mixture, Variation, batches, with_share
from training.reading.model import WEIGHTS, build_model
from training.reading.run import CHECKPOINT, Recipe, Training
from training.reading.schedule import Schedule
from training.reading.train import main
from training.reading.windows import Pieces

ONLY_SQUAD = {"squad/squad": 1.0}
PLAIN = Variation(header=0, as_typed=0, unrelated_history=0, other_document=0, negative=0, away=0)
RECIPE = Recipe(
    minutes=1,
    rate=3e-3,
    tokens=512,
    average=0.9,
    layers=2,
    workers=1,
    seed=3,
    shares=ONLY_SQUAD,
    variation=PLAIN,
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    squad = squad_file(folder / "squad.json.gz")
    extra = write_jsonl(folder / "extra.jsonl.gz", extra_rows())
    build(squad, extra, reading_folder(folder / "reading"), folder / "out", report=lambda _: None)
    return folder / "out"


def ticking(step: float) -> Callable[[], float]:
    """A clock that goes on by so many seconds each time it is read."""
    times = iter(np.arange(0, 1e6, step))
    return lambda: float(next(times))


def training(data: Path, base: Path, out: Path, step: float, **changed: object) -> Training:
    recipe = replace(RECIPE, **changed)
    pieces = Pieces(base)
    mixture = Mixture(
        data, pieces, shares=recipe.shares, variation=recipe.variation, seed=recipe.seed
    )
    return Training(mixture, pieces, recipe, base, out, report=lambda _: None, clock=ticking(step))


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """As a worker has; the products of a tiny model are too small to share out."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def trained(data: Path, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained")
    training(data, base, out, step=0.08).run()
    return out


def test_it_learns_the_training_questions(trained: Path, data: Path, base: Path) -> None:
    pieces = Pieces(base)
    reader = ReaderUnderTest(trained, base, pieces, header=False)
    passage = Passage("d", "", "In 1 bob lives in the blue house. No one visited bob.")
    where, who = reader.answer([Ask("where lives bob?", passage), Ask("who won bob?", passage)])
    assert where.text == "the blue house"
    assert where.score > where.no_answer
    assert who.score < who.no_answer
    (scores,) = where.windows
    assert scores.tags is not None
    start, end = where.span
    offsets, tags = scores.window.offsets, scores.tags
    inside = (offsets[:, 0] >= start) & (offsets[:, 1] <= end) & scores.window.answerable
    outside = ~inside & scores.window.answerable
    assert tags[inside].mean() > 0.8 and tags[outside].max() < 0.5


def test_the_program_reads_what_was_trained(trained: Path, base: Path) -> None:
    reader = Reader(trained, base=base, precision="float32")
    text = "In 1 bob lives in the blue house. No one visited bob."
    ((reading,),) = reader.read_all(
        [("where lives bob?", [plain_context(text, 0, len(text))])], n=1
    )
    assert text[reading.spans[0].start : reading.spans[0].end] == "the blue house"
    about = json.loads((trained / "reader.json").read_text())
    assert about["heads"] == ["span", "answerable", "tag"]
    assert about["recipe"]["questions_seen"] > 0


def test_a_run_that_was_stopped_ends_as_one_that_was_not(
    data: Path, base: Path, tmp_path: Path
) -> None:
    whole = training(data, base, tmp_path / "whole", step=1.0, minutes=0.5)
    whole.run(checkpoint_minutes=99)
    first = training(data, base, tmp_path / "parts", step=1.0, minutes=0.5)
    steps = 0
    step_of = first._step

    def step_and_stop(*given: object) -> dict[str, torch.Tensor]:
        nonlocal steps
        steps += 1
        if steps == 6:
            raise KeyboardInterrupt
        return step_of(*given)  # type: ignore[arg-type]

    first._step = step_and_stop  # type: ignore[method-assign, assignment]
    with pytest.raises(KeyboardInterrupt):
        first.run(checkpoint_minutes=0)
    second = training(data, base, tmp_path / "parts", step=1.0, minutes=0.5)
    second.resume()
    second.clock = ticking(1.0)
    assert second.state.step == 5
    second.run(checkpoint_minutes=99)
    assert second.state.step == whole.state.step > 8
    one, other = (load_file(tmp_path / name / WEIGHTS) for name in ("whole", "parts"))
    for name, tensor in one.items():
        torch.testing.assert_close(other[name], tensor)


def test_a_checkpoint_of_another_recipe_is_refused(trained: Path, data: Path, base: Path) -> None:
    assert (trained / CHECKPOINT).exists()
    with pytest.raises(ValueError, match="another recipe"):
        training(data, base, trained, step=1.0, rate=1e-5).resume()


def test_two_workers_on_the_command_line(data: Path, base: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    main([str(data), "--base", str(base), "--out", str(out), "--layers", "2", "--minutes", "0.05"])
    weights = load_file(out / WEIGHTS)
    assert weights["tag.weight"].shape == (1, 32)
    assert all(torch.isfinite(tensor).all() for tensor in weights.values())


def test_the_rate_rises_and_falls_by_the_clock() -> None:
    schedule = Schedule(100, 0.1)
    assert schedule.factor(0) == pytest.approx(1e-3)
    assert schedule.factor(5) == pytest.approx(0.5)
    assert schedule.factor(10) == pytest.approx(1)
    assert schedule.factor(55) == pytest.approx(0.5)
    assert schedule.factor(100) == 0
    assert schedule.factor(101) == 0


def test_a_pause_counts_as_time() -> None:
    schedule = Schedule(1000, 0.1)
    schedule.factor(100)
    assert schedule.factor(550) == pytest.approx(0.5)


def test_a_pause_over_the_end_leaves_time_for_the_rate_to_fall() -> None:
    schedule = Schedule(1000, 0.1)
    schedule.factor(500)
    assert schedule.factor(5000) == pytest.approx(80 / 900)
    assert schedule.factor(5040) == pytest.approx(40 / 900)
    assert schedule.factor(5080) == 0


def test_the_mixture_is_the_same_for_a_seed_and_begins_anywhere(data: Path, base: Path) -> None:
    def pools(seed: int, first: int, count: int) -> list[list[list[int]]]:
        mixture = Mixture(data, Pieces(base), seed=seed)
        return [
            [w.ids.tolist() for group in pool for w in group.windows]
            for pool in islice(mixture.pools(30, first), count)
        ]

    three = pools(1, 0, 3)
    assert pools(1, 2, 1) == three[2:]
    assert pools(2, 0, 1) != three[:1]


def test_no_held_out_document_is_drawn(data: Path, base: Path) -> None:
    mixture = Mixture(data, Pieces(base), shares=ONLY_SQUAD, variation=PLAIN)
    drawn = {tuple(w.ids.tolist()) for group in next(mixture.pools(200)) for w in group.windows}
    # Each of the 24 questions on two articles, whose paragraphs are the same.
    assert len(drawn) == 12
    assert len(read_examples(data / "held_out" / "squad.jsonl.gz")) == 12


def test_a_wrong_passage_is_read_in_the_same_group(data: Path, base: Path) -> None:
    often = replace(PLAIN, negative=1.0)
    mixture = Mixture(data, Pieces(base), shares=ONLY_SQUAD, variation=often)
    groups = next(mixture.pools(40))
    sizes = {bool(not group.windows[0].start[0]): len(group.windows) for group in groups}
    assert sizes == {True: 2, False: 1}
    assert all(w.start[0] for group in groups for w in group.windows[1:])


def test_a_question_of_another_document_has_no_answer(data: Path, base: Path) -> None:
    always = replace(PLAIN, other_document=1.0)
    mixture = Mixture(data, Pieces(base), shares=ONLY_SQUAD, variation=always)
    for group in next(mixture.pools(20)):
        assert group.source == "squad/other"
        assert group.windows[0].start[0]
    (example, *_) = read_examples(data / "train" / "squad.jsonl.gz")
    own = read_passages(data)[example.passage].document
    others = {
        mixture._other_document(example, np.random.default_rng(seed)).document for seed in range(40)
    }
    assert own not in others and len(others) > 3


def test_a_history_that_has_nothing_to_do_with_it(data: Path, base: Path) -> None:
    always = replace(PLAIN, unrelated_history=1.0)
    pieces = Pieces(base)
    mixture = Mixture(data, pieces, shares=ONLY_SQUAD, variation=always)
    for group in next(mixture.pools(20)):
        assert pieces.tokens(group.windows[0].ids).count("[SEP]") == 4


def test_batches_keep_to_their_tokens(data: Path, base: Path) -> None:
    groups = next(Mixture(data, Pieces(base)).pools(100))
    found = batches(groups, 600, np.random.default_rng(0))
    assert sum(map(len, found)) == 100
    for batch in found:
        size = sum(len(g.windows) for g in batch) * max(g.longest for g in batch)
        assert size <= 600 or len(batch) == 1


def test_a_share_of_an_unknown_set_is_refused() -> None:
    assert with_share(SHARES, {"lists/drop": 0.5})["lists/drop"] == 0.5
    with pytest.raises(ValueError, match="No such set: list/drop"):
        with_share(SHARES, {"list/drop": 0.5})


def test_new_heads_and_repeated_layers(trained: Path, base: Path, tmp_path: Path) -> None:
    model = build_model(base, trained, layers=4, seed=0)
    state = model.state_dict()
    own = load_file(trained / WEIGHTS)
    name = "bert.encoder.layer.{}.output.dense.weight"
    torch.testing.assert_close(state[name.format(3)], own[name.format(1)].float())
    torch.testing.assert_close(state["tag.weight"], own["tag.weight"].float())
    words = model.bert.embeddings.word_embeddings.weight
    assert not words.requires_grad


def test_the_evaluation_of_a_trained_reader(
    trained: Path, data: Path, base: Path, tmp_path: Path
) -> None:
    # The made-up sets are too small to hold out documents of each: judge on what was trained on.
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "passages.jsonl.gz").write_bytes((data / "passages.jsonl.gz").read_bytes())
    (folder / "held_out").mkdir()
    for name in (
        "squad",
        "squad_swapped",
        "squad_lists",
        "squad_conversations",
        "spans",
        "extra",
        "lists",
        "explanations",
        "conversation",
        "tables",
    ):
        found = [data / part / f"{name}.jsonl.gz" for part in ("train", "held_out")]
        content = b"".join(path.read_bytes() for path in found if path.exists())
        (folder / "held_out" / f"{name}.jsonl.gz").write_bytes(content)
    out = tmp_path / "figures.json"
    evaluate(
        [
            str(folder),
            str(trained),
            "--base",
            str(base),
            "--sample",
            "9",
            "--no-header",
            "--out",
            str(out),
        ]
    )
    figures = json.loads(out.read_text())[str(trained)]
    assert figures["squad"]["answerable_exact"] == 100
    assert figures["squad"]["auroc"] == 100
    assert figures["robustness"]["lower_case"] == 100
    assert {"lists", "tables/wikitablequestions", "conversation"} <= set(figures)
