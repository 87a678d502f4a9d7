"""Training the reader, with a tiny model on a tiny file."""

from __future__ import annotations

import ast
import gzip
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

from evaluation.squad import read_squad
from index.passages.context import plain_context
from qa.reader import Reader
from tests.conftest import ROOT
from tests.qa.test_reader import plain, save_base
from training.examples import pack, prepare, squad_examples
from training.train_reader import (
    NEVER,
    WEIGHTS,
    Examples,
    PooledDropout,
    Recipe,
    Training,
    evaluate,
    losses,
    main,
    make_batch,
    plan_epoch,
    rate_factor,
    shared_loss,
    window_bounds,
)

# The files of the program that the training machine needs.
STANDALONE = {"evaluation/metrics.py", "qa/normalize.py", "qa/reader_format.py", "qa/spans.py"}
PEOPLE = ("ann", "bob", "cat", "dan", "eve", "fay")
PLACES = ("the red house", "the blue house", "a green house", "the red barn", "a mill", "a cave")
RECIPE = Recipe(
    epochs=40, rate=3e-3, tokens=512, layers=2, negative_share=1.0, answerability=0.5, seed=3
)


def squad_file(path: Path) -> Path:
    """Three articles, the first of which is held out, each of six people and where they live."""
    data = []
    for article in "one", "three", "two":
        paragraphs = []
        for number, (person, place) in enumerate(zip(PEOPLE, PLACES, strict=True)):
            text = f"In {number} {person} lives in {place}. No one visited {person}."
            where, who = f"where lives {person}?", f"who won with {person}?"
            answer = {"text": place, "answer_start": text.index(place)}
            key = f"{article}-{person}"
            paragraphs.append(
                {
                    "context": text,
                    "qas": [
                        {"id": f"{key}-where", "question": where, "answers": [answer]},
                        {"id": f"{key}-who", "question": who, "answers": []},
                    ],
                }
            )
        data.append({"title": article, "paragraphs": paragraphs})
    path.write_bytes(gzip.compress(json.dumps({"version": "2.0", "data": data}).encode()))
    return path


def extra_file(path: Path) -> Path:
    text = "We keep no name. We keep the number."
    row = {
        "id": "x",
        "source": "s",
        "title": "t",
        "context": text,
        "question": "what is kept?",
        "answers": [{"text": "the number", "answer_start": text.index("the number")}],
    }
    rows = [row, {**row, "id": "y", "title": "u", "question": "what?"}]
    path.write_bytes(gzip.compress("\n".join(json.dumps(r) for r in rows).encode()))
    return path


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Path:
    folder = tmp_path_factory.mktemp("data")
    squad = squad_file(folder / "train.json.gz")
    extra = extra_file(folder / "extra.jsonl.gz")
    prepare(squad, extra, folder / "cache", base)
    return folder / "cache"


@pytest.fixture(scope="module")
def examples(cache: Path) -> Examples:
    return Examples.load(cache)


def quiet(line: str) -> None:
    pass


def words(examples: Examples, ids: np.ndarray, base: Path) -> str:
    vocabulary = json.loads((base / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    of = {number: piece for piece, number in vocabulary.items()}
    return " ".join(of[int(i)] for i in ids).replace(" ##", "")


def test_examples_hold_the_questions_and_their_answers(examples: Examples, base: Path) -> None:
    assert len(examples.held_out) == 3 * 12 + 2
    assert examples.extra.tolist() == [False] * 36 + [True] * 2
    # The first of every twenty articles, and the first of the other source's titles, are held out.
    assert np.flatnonzero(examples.held_out).tolist() == [*range(12), 36]
    assert words(examples, examples.question(12), base) == "where lives ann ?"
    batch = make_batch(examples, [(12, (6, 7)), (13, (6,)), (37, (18,))])
    assert batch.group.tolist() == [0, 0, 1, 2]
    row = words(examples, batch.ids[0][batch.real[0]], base)
    assert row == (
        "[CLS] where lives ann ? [SEP] in 0 ann lives in the red house . no one visited ann . [SEP]"
    )
    answers = [
        words(examples, ids[start : end + 1], base)
        for ids, start, end in zip(batch.ids, batch.start, batch.end, strict=True)
    ]
    assert answers == ["the red house", "[CLS]", "[CLS]", "the number"]
    first = batch.in_passage[0]
    assert words(examples, batch.ids[0][first], base).startswith("in 0 ann lives")
    assert batch.types[0].tolist()[: batch.lead[0]] == [0] * batch.lead[0]
    assert set(batch.types[0][first]) == {1}


def test_wrong_passages_share_words_and_not_the_answer(tmp_path: Path) -> None:
    passages: list[str] = []
    articles = read_squad(squad_file(tmp_path / "train.json.gz"))
    asked = squad_examples(articles, passages)
    where = next(e for e in asked if e.id == "two-ann-where")
    assert len(where.negatives) == 4
    assert where.passage not in where.negatives
    for number in where.negatives:
        assert 12 <= number < 18  # of the same article
        assert "red house" not in passages[number]
    assert next(e for e in asked if e.id == "two-ann-who").negatives == ()


def test_questions_are_made_unanswerable_but_for_those_held_out(tmp_path: Path) -> None:
    text = "It was built by Ada Stone and paid for by Karl Weber in 1931."
    asked = {"id": "q", "question": "What did Karl Weber do?"}
    answer = {"text": "paid for", "answer_start": text.index("paid for")}
    paragraphs = [{"context": text, "qas": [{**asked, "answers": [answer]}]}]
    data = [{"title": title, "paragraphs": paragraphs} for title in ("a", "b")]
    path = tmp_path / "train.json"
    path.write_text(json.dumps({"data": data}), encoding="utf-8")
    found = squad_examples(read_squad(path), [])
    assert [(e.question, e.held_out, e.swapped, e.passage) for e in found] == [
        ("What did Karl Weber do?", True, False, 0),
        ("What did Karl Weber do?", False, False, 1),
        ("What did Ada Stone do?", False, True, 1),
    ]
    assert found[2].answers == () and found[2].negatives == ()


def test_those_made_unanswerable_are_read_where_asked_for(examples: Examples) -> None:
    marked = replace(examples, swapped=np.arange(len(examples.swapped)) >= 24)

    def asked(share: float) -> set[int]:
        plan = plan_epoch(marked, replace(RECIPE, swapped=share), 0)
        return {question for batch in plan for question, _ in batch}

    assert asked(0.0) == set(range(12, 24))
    assert asked(1.0) == {*range(12, 36), 37}
    assert asked(0.0) < asked(0.5) < asked(1.0)


def test_a_prepared_folder_is_not_prepared_again(cache: Path, base: Path, tmp_path: Path) -> None:
    told: list[str] = []
    squad, extra = cache.parent / "train.json.gz", cache.parent / "extra.jsonl.gz"
    prepare(squad, extra, cache, base, report=told.append)
    assert told == []
    prepare(squad, None, tmp_path, base, report=told.append)
    prepare(squad, extra, tmp_path, base, report=told.append)  # other data, other folder
    assert len(Examples.load(tmp_path).held_out) == 38


def test_windows_cover_a_long_passage() -> None:
    assert window_bounds(100, 317, 128) == [(0, 100)]
    assert window_bounds(317, 317, 128) == [(0, 317)]
    assert window_bounds(318, 317, 128) == [(0, 317), (189, 318)]
    assert window_bounds(700, 317, 128) == [(0, 317), (189, 506), (378, 695), (567, 700)]
    assert window_bounds(0, 317, 128) == [(0, 0)]


def test_windows_are_the_readers(base: Path, examples: Examples) -> None:
    """A long passage is cut for training where qa/reader.py cuts it."""
    long = replace(
        examples,
        pieces=np.full(1000, 5, dtype=np.uint16),
        passage_first=np.array([0, 1000], dtype=np.int32),
    )
    save = base.parent / "whole"
    from transformers import BertForQuestionAnswering

    from tests.qa.test_reader import save_tokenizer, tiny_config

    BertForQuestionAnswering(tiny_config()).save_pretrained(save)
    save_tokenizer(save)
    text = "a " * 1000
    read = Reader(save)._windows([("where lives ann?", plain_context(text, 0, len(text)))])
    bounds = [
        (int(o[0][0]) // 2, int(o[-1][1]) // 2 + 1)
        for w in read
        for o in [w.offsets[w.owners >= 0]]
    ]
    question = next(q for q in range(36) if len(examples.question(q)) == 6)
    assert len(examples.question(question)) == len(read[0].owners) - 3 - sum(read[0].owners >= 0)
    assert long.windows(question, 0) == bounds


def test_an_epoch_holds_every_training_question_once(examples: Examples) -> None:
    plan = plan_epoch(examples, RECIPE, 0)
    asked = [question for batch in plan for question, _ in batch]
    assert sorted(asked) == [*range(12, 36), 37]
    for batch in plan:
        sizes = [examples.size(group) for group in batch]
        assert sum(n for n, _ in sizes) * max(long for _, long in sizes) <= RECIPE.tokens
    with_wrong = {q for batch in plan for q, passages in batch if len(passages) == 2}
    assert with_wrong == set(range(12, 36, 2))
    assert plan_epoch(examples, RECIPE, 0) == plan
    assert plan_epoch(examples, RECIPE, 1) != plan
    assert all(
        len(passages) == 1
        for batch in plan_epoch(examples, replace(RECIPE, negative_share=0.0), 0)
        for _, passages in batch
    )


def test_the_shared_normalisation_by_hand() -> None:
    # Two windows for one question, the answer in the first; one for another, without an answer.
    logits = torch.tensor([[9.0, 1.0, 2.0], [9.0, 3.0, 0.0], [9.0, 5.0, 5.0]])
    gold, group = torch.tensor([2, 0, 0]), torch.tensor([0, 0, 1])
    mask = torch.tensor([[False, True, True], [False, True, False], [False, True, True]])
    total = math.log(math.exp(1) + math.exp(2) + math.exp(3))
    assert shared_loss(logits, gold, mask, group).item() == pytest.approx(total - 2, abs=1e-5)
    # The same answer in a second window that overlaps the first: either is right.
    gold = torch.tensor([2, 1, 0])
    right = math.log(math.exp(2) + math.exp(3))
    assert shared_loss(logits, gold, mask, group).item() == pytest.approx(total - right, abs=1e-5)
    assert shared_loss(logits, torch.zeros(3, dtype=torch.long), mask, group).item() == 0.0


def test_a_windows_own_loss_lets_it_point_to_its_first_token() -> None:
    start = torch.tensor([[0.5, 7.0, 1.0, 2.0], [3.0, 7.0, 1.0, 7.0]])
    batch = {
        "in_passage": torch.tensor([[False, False, True, True], [False, False, True, False]]),
        "start": torch.tensor([3, 0]),
        "end": torch.tensor([3, 0]),
        "group": torch.tensor([0, 1]),
    }
    allowed = [start[0, [0, 2, 3]], start[1, [0, 2]]]
    by_hand = [
        functional.cross_entropy(a, torch.tensor(g)) for a, g in zip(allowed, (2, 0), strict=True)
    ]
    loss = losses(start, start, torch.zeros(2), batch, Recipe(shared=0.0))
    assert loss.item() == pytest.approx(float(sum(by_hand)) / 2, abs=1e-5)
    more = losses(start, start, torch.zeros(2), batch, Recipe(shared=0.0, answerability=1.0))
    assert more.item() == pytest.approx(loss.item() + math.log(2), abs=1e-5)
    assert NEVER < -1e9


def test_the_learning_rate_rises_and_falls_to_nothing() -> None:
    assert [rate_factor(p, 0.1) for p in (0.0, 0.05, 0.1, 0.55, 1.0)] == pytest.approx(
        [0.0, 0.5, 1.0, 0.5, 0.0]
    )
    assert rate_factor(0.5, 0.0) == 0.5


def mean_loss(training: Training, examples: Examples) -> float:
    found = []
    training.model.eval()
    for groups in plan_epoch(examples, training.recipe, 0):
        batch = make_batch(examples, groups).on(torch.device("cpu"))
        with torch.inference_mode():
            start, end, answerable = training.model(batch["ids"], batch["types"], batch["real"])
            found.append(losses(start, end, answerable, batch, training.recipe).item())
    training.model.train()
    return float(np.mean(found))


def test_training_learns_and_what_it_writes_reads(
    examples: Examples, base: Path, tmp_path: Path
) -> None:
    training = Training(examples, RECIPE, base, tmp_path, device="cpu", report=quiet)
    before = mean_loss(training, examples)
    figures = training.run(sample=10)
    assert mean_loss(training, examples) < before / 5
    # The article held out has the same sentences, so whoever has learnt finds them there too.
    assert figures["HasAns_exact_no_abstention"] == 100
    assert figures["no_answer_auroc"] == 100
    reader = Reader(tmp_path, base=base)
    assert reader.figures == figures
    text = "In 3 dan lives in the red barn. No one visited dan."
    here, elsewhere = reader.read("where lives dan?", plain([text, "In 5 fay lives in a cave."]))
    best = here.spans[0]
    assert text[best.start : best.end] == "the red barn"
    assert best.score > here.no_answer
    assert best.score > elsewhere.spans[0].score
    (nothing,) = reader.read("who won with dan?", plain([text]))
    assert nothing.no_answer > nothing.spans[0].score


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_the_same_seed_gives_the_same_weights_stopped_or_not(
    examples: Examples, base: Path, tmp_path: Path, average: float
) -> None:
    recipe = replace(RECIPE, epochs=2.5, average=average, dropout=0.1)

    class Stopped(Exception):
        pass

    class Stopping(Training):
        def save(self) -> None:
            super().save()
            if self.state.step == 3:
                raise Stopped

    def weights(of: type[Training], name: str, resume: bool = False) -> bytes:
        training = of(examples, recipe, base, tmp_path / name, device="cpu", report=quiet)
        if resume:
            training.resume()
            assert training.state.step == 3
        training.run(checkpoint_minutes=0, sample=0)
        assert training.state.step > 6
        return (tmp_path / name / WEIGHTS).read_bytes()

    whole = weights(Training, "whole")
    assert weights(Training, "again") == whole
    with pytest.raises(Stopped):
        weights(Stopping, "stopped")
    assert (tmp_path / "stopped" / WEIGHTS).read_bytes() != whole
    assert weights(Training, "stopped", resume=True) == whole
    other = Training(
        examples, replace(recipe, rate=1.0), base, tmp_path / "stopped", device="cpu", report=quiet
    )
    with pytest.raises(ValueError, match="another recipe"):
        other.resume()


def test_dropout_from_a_pool_is_dropout(examples: Examples, base: Path, tmp_path: Path) -> None:
    recipe = replace(RECIPE, dropout=0.2)
    training = Training(examples, recipe, base, tmp_path, device="cpu", report=quiet)
    reader = training.model.reader
    attention = reader.bert.encoder.layer[0].attention.self
    for dropout in (reader.bert.embeddings.dropout, attention.dropout):
        assert isinstance(dropout, PooledDropout)
        ones = dropout(torch.ones(400, 500))
        assert set(ones.unique().tolist()) == {0.0, 1.25}
        assert ones.mean().item() == pytest.approx(1.0, abs=0.01)
        assert not torch.equal(ones, dropout(torch.ones(400, 500)))
    # Where it is off the attention is the plain one.
    training.model.eval()
    batch = make_batch(examples, plan_epoch(examples, recipe, 0)[0]).on(torch.device("cpu"))
    given = batch["ids"], batch["types"], batch["real"]
    with torch.inference_mode():
        pooled = training.model(*given)
        reader.set_attn_implementation("eager")
        plain = training.model(*given)
    torch.testing.assert_close(pooled, plain)


def test_training_imports_only_a_few_files_of_the_program() -> None:
    found: set[str] = set()
    waiting = ["training/train_reader.py"]
    while waiting:
        for node in ast.parse((ROOT / waiting.pop()).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
                paths = {f"{name.replace('.', '/')}.py" for name in names}
                new = {path for path in paths if (ROOT / path).is_file()} - found
                found |= new
                waiting += new
    assert found == STANDALONE


def test_word_embeddings_stay_as_they_are(examples: Examples, base: Path, tmp_path: Path) -> None:
    training = Training(
        examples, replace(RECIPE, epochs=1), base, tmp_path, device="cpu", report=quiet
    )
    training.run(sample=0)
    own = training.model.reader.bert.embeddings.word_embeddings.weight
    theirs = load_file(base / "model.safetensors")["embeddings.word_embeddings.weight"]
    assert torch.equal(own, theirs)
    assert not any("word_embeddings" in name for name in load_file(tmp_path / WEIGHTS))


def test_the_weights_written_can_have_a_share_of_the_start(
    examples: Examples, base: Path, tmp_path: Path
) -> None:
    recipe = replace(RECIPE, epochs=1, start_share=0.25)
    training = Training(examples, recipe, base, tmp_path, device="cpu", report=quiet)
    training.run(sample=0)
    name = "bert.encoder.layer.0.output.dense.weight"
    start = load_file(base / "model.safetensors")[name.removeprefix("bert.")]
    own = training.model.reader.get_parameter(name)
    written = load_file(tmp_path / WEIGHTS)[name].float()
    assert not torch.allclose(own, start, atol=1e-3)
    assert torch.allclose(written, 0.75 * own + 0.25 * start, atol=1e-3)


def test_a_trained_reader_is_a_start_and_layers_stack(
    examples: Examples, base: Path, tmp_path: Path
) -> None:
    first = Training(
        examples, replace(RECIPE, epochs=1), base, tmp_path, device="cpu", report=quiet
    )
    first.run(sample=0)
    recipe = replace(RECIPE, layers=4)
    deep = Training(
        examples, recipe, base, tmp_path / "deep", init=tmp_path, device="cpu", report=quiet
    )
    layers = deep.model.reader.bert.encoder.layer
    written = load_file(tmp_path / WEIGHTS)
    for number, like in enumerate((0, 1, 0, 1)):
        name = f"bert.encoder.layer.{like}.output.dense.weight"
        assert torch.equal(layers[number].output.dense.weight, written[name].float())
    assert deep.model.answerable is not None
    assert torch.equal(deep.model.answerable.weight, written["answerable.weight"].float())
    deep.export({})
    assert Reader(tmp_path / "deep", base=base).read("who?", plain(["the red house"]))[0].spans


def test_training_on_a_packed_encoder_names_the_whole_one(
    examples: Examples, base: Path, tmp_path: Path
) -> None:
    pack(base, tmp_path / "packed")
    training = Training(
        examples, RECIPE, tmp_path / "packed", tmp_path / "out", device="cpu", report=quiet
    )
    training.export({})
    assert Reader(tmp_path / "out", base=base).read("who?", plain(["the red house"]))[0].spans


def test_figures_of_a_model_that_knows_nothing(
    examples: Examples, base: Path, tmp_path: Path
) -> None:
    training = Training(examples, RECIPE, base, tmp_path, device="cpu", report=quiet)
    figures = evaluate(training.model, examples, RECIPE, sample=10, across=5)
    assert set(figures) == {
        "best_exact",
        "best_f1",
        "best_f1_thresh",
        "f1",
        "HasAns_exact_no_abstention",
        "HasAns_f1_no_abstention",
        "no_answer_auroc",
        "extra_f1",
        "first_by_score",
        "first_by_lead",
    }
    # Never answering is right for each question without an answer.
    assert figures["best_exact"] >= 40
    assert figures["HasAns_exact_no_abstention"] < 100


def test_the_command_prepares_and_trains(
    cache: Path, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = [str(cache.parent / "train.json.gz"), "--extra", str(cache.parent / "extra.jsonl.gz")]
    folders = ["--cache", str(tmp_path / "cache"), "--base", str(base), "--out", str(tmp_path)]
    recipe = ["--epochs", "1", "--layers", "2", "--no-autocast", "--device", "cpu", "--sample", "0"]
    main([*data, *folders, *recipe])
    about = json.loads((tmp_path / "reader.json").read_text(encoding="utf-8"))
    assert about["recipe"]["epochs"] == 1
    assert about["recipe"]["questions_seen"] == 25
    out = capsys.readouterr().out
    assert "38 questions" in out.replace("'questions': 38", "38 questions")
    assert "left" in out
    main([*folders, *recipe, "--resume"])  # nothing left to do, and no data files given
    assert json.loads((tmp_path / "reader.json").read_text(encoding="utf-8")) == about
