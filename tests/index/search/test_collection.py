from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index.documents.blocks import BlockKind
from index.documents.document import of_paragraphs
from index.errors import ArticleError
from index.passages.passage import sentence_texts
from index.search import collection, ranking, sparse
from index.search.article_index import ArticleIndex
from index.search.collection import Collection
from index.search.late_interaction import LateInteractionIndex
from index.search.ranking import RankingWeights, load_ranking_weights
from index.search.sparse import SparseIndex, idf, split_grams, split_pairs, split_words
from tests.conftest import FakeEncoder
from tests.index.search.test_article_index import QUERIES, TEXT

OTHER = """Another title without an end

The harbour of Rosport was closed by a storm for nine days. Ships had to wait for it.

The minister flew to Oslo on Friday, and nobody was told of it before he came back."""


VIDEOS = "Click to watch related videos."


def article(text: str, name: str, encoder: FakeEncoder) -> ArticleIndex:
    """Articles under one title, in which the words of VIDEOS are boilerplate."""
    document = of_paragraphs(text.split("\n\n"), name=name, source=f"{name}.txt", title="News")
    blocks = (
        replace(block, kind=BlockKind.BOILERPLATE)
        if document.text[block.start : block.end] == VIDEOS
        else block
        for block in document.blocks
    )
    return ArticleIndex.build(replace(document, blocks=tuple(blocks)), encoder)


@pytest.fixture
def index(fake_encoder: FakeEncoder) -> Collection:
    return Collection([article(TEXT, "harbour", fake_encoder)])


def test_scores_against_brute_force(index: Collection, fake_encoder: FakeEncoder) -> None:
    texts = [p.context.text for p in index.passages]
    assert texts[1].startswith("News\nNobody expected the harbour")
    sentences = sentence_texts(index.passages)
    assert sentences == [TEXT[a:b] for p in index.passages for a, b in p.sentences]
    owner = [i for i, p in enumerate(index.passages) for _ in p.sentences]
    queries = fake_encoder.encode_queries(QUERIES)
    vectors = queries.vectors
    late = LateInteractionIndex.build(fake_encoder.encode_passages(index.passages).tokens)
    document_frequency = late.document_frequency()
    sentence_tables = {
        "sentence": vectors @ fake_encoder.encode_texts(sentences).T,
        "sentence words": SparseIndex(sentences, split_words).scores(QUERIES),
        "sentence grams": SparseIndex(sentences, split_grams, k1=0.9, b=0.5).scores(QUERIES),
    }
    expected = {
        "dense": vectors @ fake_encoder.encode_passages(index.passages).vectors.T,
        "pieces": late.scores(
            queries.tokens,
            [idf(4, [document_frequency[p] for p in q.pieces.tolist()]) for q in queries.tokens],
            np.ones((3, 4), dtype=np.bool_),
        ),
        "words": SparseIndex(texts, split_words).scores(QUERIES),
        "grams": SparseIndex(texts, split_grams, k1=0.9, b=0.5).scores(QUERIES),
        "pairs": SparseIndex(texts, split_pairs).scores(QUERIES),
        **{
            name: np.array(
                [
                    [max(row[s] for s in range(len(owner)) if owner[s] == p) for p in range(4)]
                    for row in table
                ]
            )
            for name, table in sentence_tables.items()
        },
    }
    weights = load_ranking_weights().passage
    assert set(weights) == set(expected)
    for row, hits in enumerate(index.search(QUERIES, 4)):
        assert len(hits) == 4
        for hit in hits:
            number = index.passages.index(hit.passage)
            for name, table in expected.items():
                assert hit.parts[name] == pytest.approx(table[row, number], abs=1e-5)
            total = sum(weights[name] * table[row, number] for name, table in expected.items())
            assert hit.score == pytest.approx(total, rel=1e-4)
        text_scores = [hit.score for hit in hits if not hit.passage.boilerplate]
        assert text_scores == sorted(text_scores, reverse=True)


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    content, path = ranking.RANKING_FILE.read_bytes(), tmp_path / "ranking.json"
    for damaged in (content[:-9], content.replace(b"1", b"2", 1), b"[]", b"", None):
        path.unlink(missing_ok=True)
        if damaged is not None:
            path.write_bytes(damaged)
        with pytest.raises(ArticleError, match=f"{path}' is damaged .*: restore it with 'git"):
            load_ranking_weights(path)
    path.write_bytes(content)
    assert load_ranking_weights(path) == load_ranking_weights()


def test_a_collection_uses_the_weights_that_it_is_given(
    index: Collection, fake_encoder: FakeEncoder
) -> None:
    fitted = index.search(QUERIES, 4)
    weights = RankingWeights({"dense": 1.0}, {"words": 2.0}, {"sentence words": 3.0, "passage": 1})
    both = Collection([*index.indexes, article(OTHER, "b", fake_encoder)], weights=weights)
    for searched in (both, both.only(["b"])):
        for hits in searched.search(QUERIES, 9):
            for hit in hits:
                assert hit.score == pytest.approx(2 * hit.parts["words"])
                for sentence in hit.sentences:
                    expected = 3 * sentence.parts["sentence words"] + hit.score
                    assert sentence.score == pytest.approx(expected)
    # Other collections are not affected.
    assert Collection(index.indexes).search(QUERIES, 4) == fitted == index.search(QUERIES, 4)


def test_late_interaction_scores_only_the_best_passages_of_a_long_text(
    index: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = index.search(QUERIES, 4)
    monkeypatch.setattr(collection, "LATE_INTERACTION_PASSAGES", 2)
    weights = load_ranking_weights().first_stage
    for all_hits, hits in zip(every, index.search(QUERIES, 4), strict=True):
        text_hits = [hit for hit in all_hits if not hit.passage.boilerplate]
        text_hits.sort(key=lambda hit: -sum(w * hit.parts[name] for name, w in weights.items()))
        expected = {hit.passage: hit.parts["pieces"] for hit in text_hits[:2]}
        assert any(expected.values())
        for hit in hits:
            assert hit.parts["pieces"] == pytest.approx(expected.get(hit.passage, 0))


def test_the_best_passage_is_first_and_boilerplate_last(index: Collection) -> None:
    hanoi, told, videos = index.search(QUERIES, 10)
    assert "flew to Hanoi" in hanoi[0].passage.text
    assert "had been told" in told[0].passage.text
    # Even if the query has its exact words.
    assert videos[-1].passage.text == VIDEOS
    assert [h.passage.boilerplate for h in videos] == [False, False, False, True]


def test_queries_without_terms(index: Collection) -> None:
    assert index.search([], 5) == []
    (hits,) = index.search(["…"], 5)
    assert len(hits) == 4


def test_two_articles_are_ranked_like_one_with_both_texts(
    fake_encoder: FakeEncoder,
) -> None:
    first, second = (article(TEXT, "a", fake_encoder), article(OTHER, "b", fake_encoder))
    whole = Collection([article(f"{TEXT}\n\n{OTHER}", "whole", fake_encoder)])
    both = Collection([first, second])
    for hits, expected in zip(both.search(QUERIES, 9), whole.search(QUERIES, 9), strict=True):
        assert [h.passage.text for h in hits] == [h.passage.text for h in expected]
        # Word-piece vectors are quantized by passage, so they do not differ.
        assert [h.score for h in hits] == pytest.approx([h.score for h in expected], abs=1e-4)
    for hits in both.search(QUERIES, 9):
        for hit in hits:
            text = both.documents[hit.passage.document_id].text
            assert text[hit.passage.start : hit.passage.end] == hit.passage.text
            for sentence in hit.sentences:
                assert text[sentence.start : sentence.end] in hit.passage.text


def test_only_searches_the_given_articles(fake_encoder: FakeEncoder) -> None:
    first, second = (article(TEXT, "a", fake_encoder), article(OTHER, "b", fake_encoder))
    both = Collection([first, second])
    alone = both.only(["b"])
    assert {h.passage.document_id for hits in alone.search(QUERIES, 9) for h in hits} == {"b"}
    expected = Collection([second]).search(QUERIES, 9)
    assert alone.search(QUERIES, 9) == expected
    assert both.only(["b", "a"]) is both
    with pytest.raises(KeyError, match="'c'"):
        both.only(["c"])


def test_the_terms_of_an_article_are_counted_once(
    fake_encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (article(TEXT, "a", fake_encoder), article(OTHER, "b", fake_encoder))
    expected = Collection([first, second]).search(QUERIES, 9)
    monkeypatch.setattr(sparse.TermCounts, "from_texts", None)
    again = Collection([first.with_document(first.document), second])
    assert again.search(QUERIES, 9) == expected
    assert again.only(["b"]).search(QUERIES, 9)


def test_two_articles_with_one_id_are_refused(fake_encoder: FakeEncoder) -> None:
    one, two = (article(text, "same", fake_encoder) for text in (TEXT, OTHER))
    with pytest.raises(ValueError, match="one id"):
        Collection([one, two])
    both = Collection([one, two.with_document(replace(two.document, id="same 2"))])
    assert [p.document_id for p in both.passages] == ["same"] * 4 + ["same 2"] * 2
    assert list(both.documents) == ["same", "same 2"]
    with pytest.raises(ValueError, match="needs at least one index"):
        Collection([])
