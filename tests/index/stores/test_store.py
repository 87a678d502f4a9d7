"""One suite for all stores, then tests of single stores and of reading a corpus."""

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from index.documents.cleaning import replace_surrogates
from index.documents.document import Document, DocumentError, make_document, read_document
from index.errors import ArticleError, SavedIndexError, StoreError
from index.models.types import Encoded
from index.passages.split import split_passages
from index.search import ranking
from index.stores import faiss_store
from index.stores import fill as fill_module
from index.stores.base import Store
from index.stores.collection import StoredCollection
from index.stores.corpus import Shard, read_corpus
from index.stores.faiss_store import FaissStore
from index.stores.fill import FillResult, fill
from index.stores.open import open_store
from index.terminal import visible
from tests.conftest import ROOT, FakeEncoder

Open = Callable[[], Store]


def town(number: int, text: str = "") -> Document:
    return make_document(
        text
        or f"Town {number} has a harbour with room for {number * 7} ships and a market on Mondays.\n\n"
        f"The mayor of it is called Person{number} Smith, and   lake{number} is near the old town.",
        name=f"towns/{number}.txt",
        source=f"towns/{number}.txt",
    )


TOWNS = [town(number) for number in range(1, 41)]


@pytest.fixture(params=["faiss", "milvus-lite"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"{request.param}:{tmp_path / 'store.db'}"


@pytest.fixture
def opened(address: str, fake_encoder: FakeEncoder) -> Iterator[Open]:
    """A function that opens the store at the address."""
    stores = []

    def open_again() -> Store:
        stores.append(open_store(address, fake_encoder))
        return stores[-1]

    yield open_again
    for store in stores:
        store.close()


def test_documents_that_were_put_are_found_and_returned(
    opened: Open, fake_encoder: FakeEncoder
) -> None:
    assert fill(opened(), TOWNS, fake_encoder) == FillResult(
        documents=40, passages=80, already_stored=0
    )
    again = opened()
    assert len(again) == 80
    (hits,) = StoredCollection(again, fake_encoder).search(["Who is the mayor near lake7?"], 3)
    assert len(hits) == 3 and hits[0].score > hits[1].score
    best = hits[0].passage
    document = again.document("towns/7.txt")
    assert best.document_id == "towns/7.txt"
    assert best.text == document.text[best.start : best.end]
    assert best.text == TOWNS[6].text[best.start : best.end]
    assert [document.text[a:b] for a, b in best.sentences] == [best.text]
    assert document == TOWNS[6]
    with pytest.raises(KeyError):
        again.document("towns/99.txt")


def test_each_query_is_encoded_once(
    opened: Open, fake_encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = ["Who is the mayor near lake7?", "Person3 \ud800 lake3"]
    encoded: list[str] = []
    encode = fake_encoder.encode_queries

    def counted(texts: Sequence[str]) -> Encoded:
        encoded.extend(texts)
        return encode(texts)

    store = opened()
    fill(store, [town(n) for n in range(9)], fake_encoder)
    alone = [StoredCollection(store, fake_encoder).search([query], 3)[0] for query in queries]
    monkeypatch.setattr(fake_encoder, "encode_queries", counted)
    assert StoredCollection(store, fake_encoder).search(queries, 3) == alone
    assert [text for text in encoded if text in map(replace_surrogates, queries)] == [
        replace_surrogates(query) for query in queries
    ]


def test_ranking_weights_are_loaded_once(
    tmp_path: Path, fake_encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FaissStore(tmp_path, fake_encoder)
    fill(store, TOWNS[:9], fake_encoder)
    collection = StoredCollection(store, fake_encoder)
    expected = collection.search(["Person3 lake3"], 3)
    monkeypatch.setattr(ranking, "read_fitted", Mock(side_effect=ArticleError("read again")))
    assert collection.search(["Person3 lake3"], 3) == expected
    given = StoredCollection(store, fake_encoder, weights=collection.weights)
    assert given.search(["Person3 lake3"], 3) == expected
    with pytest.raises(ArticleError, match="read again"):
        StoredCollection(store, fake_encoder)


def test_passages_are_found_by_words_and_by_vector(opened: Open, fake_encoder: FakeEncoder) -> None:
    fill(opened(), TOWNS, fake_encoder)
    queries = ["Person9", "a market on Mondays", "the of and", ""]
    vectors = fake_encoder.encode_queries(queries).vectors
    found = opened().nearest(queries, vectors, 5)
    assert [len(passages) for passages in found] == [5, 5, 5, 5]
    assert found[0][0].document_id == "towns/9.txt"
    assert all("market" in passage.text for passage in found[1])


def test_stored_documents_are_not_encoded_again(
    opened: Open, fake_encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(opened(), TOWNS[:10], fake_encoder)
    encoded: list[str] = []
    encode = FakeEncoder.encode_texts
    monkeypatch.setattr(
        FakeEncoder,
        "encode_texts",
        lambda self, texts, progress=None: encoded.extend(texts) or encode(self, texts, progress),
    )
    assert fill(opened(), TOWNS[:12], fake_encoder) == FillResult(
        documents=2, passages=4, already_stored=10
    )
    assert len(encoded) == 4 and len(opened()) == 24


def test_a_changed_document_replaces_the_old_one(opened: Open, fake_encoder: FakeEncoder) -> None:
    fill(opened(), TOWNS, fake_encoder)
    new = town(
        7, "Nobody lives in this place since the flood, and the lake7 is larger than it was."
    )
    assert fill(opened(), [new], fake_encoder).documents == 1
    again = opened()
    assert len(again) == 79 and again.document("towns/7.txt") == new
    (hits,) = StoredCollection(again, fake_encoder).search(["Person7 lake7 harbour"], 20)
    assert [h.passage.text for h in hits if h.passage.document_id == "towns/7.txt"] == [new.text]
    assert hits[0].passage.text == new.text
    # And back again.
    assert fill(opened(), [TOWNS[6]], fake_encoder).documents == 1
    assert len(opened()) == 80 and opened().document("towns/7.txt") == TOWNS[6]


def test_of_two_documents_with_one_id_the_last_is_stored(
    opened: Open, fake_encoder: FakeEncoder
) -> None:
    new = town(1, "Nothing else is known of this town but that it has no mayor at all.")
    fill(opened(), [TOWNS[0], TOWNS[1], new], fake_encoder)
    assert len(opened()) == 3 and opened().document("towns/1.txt") == new


def test_any_text_is_returned(opened: Open, fake_encoder: FakeEncoder) -> None:
    texts = [
        "Ein Haus 🏠 mit\u0301 Zeichen\u202e und \x00 auch \ud800 dem hier, das keines ist.",
        "北京是中国的首都。它有很多人。",
        "x" * 5000,
        'He said "no" \\ and\t\u2028 left; document_key in ["a"] or 1 == 1, {x}.',
    ]
    documents = [
        make_document(text, name=f'"{n}" \\ or 1 == 1', source="s") for n, text in enumerate(texts)
    ]
    fill(opened(), documents, fake_encoder)
    again = opened()
    for document in documents:
        assert again.document(document.id).text.split() == document.text.split()
        for passage in again.nearest(
            [document.text[:100]], fake_encoder.encode_texts([document.text]), 50
        )[0]:
            owner = next(d for d in documents if d.id == passage.document_id)
            assert passage.text == owner.text[passage.start : passage.end]
    assert fill(opened(), documents, fake_encoder).already_stored == len(documents)


def test_another_encoder_is_refused(opened: Open, address: str, fake_encoder: FakeEncoder) -> None:
    fill(opened(), TOWNS[:3], fake_encoder)
    other = FakeEncoder()
    other.revision = "1" * 64
    with pytest.raises((StoreError, SavedIndexError), match="encoder_revision"):
        open_store(address, other)


def test_an_empty_store_is_refused(opened: Open, fake_encoder: FakeEncoder) -> None:
    with pytest.raises(StoreError, match="is empty"):
        StoredCollection(opened(), fake_encoder)


def test_describe(opened: Open, address: str, fake_encoder: FakeEncoder) -> None:
    fill(opened(), TOWNS[:3], fake_encoder)
    description = opened().describe()
    assert (description["store"], description["passages"]) == (address, 6)
    json.dumps(description)


BUILD = """
import sys
from index.stores import faiss_store
from index.stores import milvus
from index.stores import fill as fill_module
from tests.conftest import FakeEncoder
from tests.index.stores.test_store import TOWNS
fill_module.BATCH_CHARACTERS, faiss_store.LOOSE_SEGMENT_PASSAGES, milvus.BATCH_ROWS = 200, 6, 3
from index.stores.open import open_store
store = open_store(sys.argv[1], FakeEncoder())
def printed():
    for town in TOWNS:
        print(town.id, flush=True)
        yield town
fill_module.fill(store, printed(), FakeEncoder())
print("done", flush=True)
"""


@pytest.mark.slow
def test_a_killed_build_can_be_started_again(
    opened: Open, address: str, fake_encoder: FakeEncoder
) -> None:
    for documents in (3, 11, 26, 40):
        with subprocess.Popen(
            [sys.executable, "-c", BUILD, address], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            for _ in range(documents):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
    fill(opened(), TOWNS, fake_encoder)
    store = opened()
    assert len(store) == 80
    assert all(store.document(document.id) == document for document in TOWNS)


def test_shards_fill_one_store(opened: Open, address: str, fake_encoder: FakeEncoder) -> None:
    parts = [[t for t in TOWNS if Shard(i, 3).has(t.id)] for i in (1, 2, 3)]
    assert sorted(t.id for part in parts for t in part) == sorted(t.id for t in TOWNS)
    assert all(parts)
    for number, part in enumerate(parts, 1):
        builder = open_store(address, fake_encoder, shard=str(Shard(number, 3)))
        fill(builder, part, fake_encoder)
        builder.close()
    assert len(opened()) == 80
    (hits,) = StoredCollection(opened(), fake_encoder).search(["Person33"], 1)
    assert hits[0].passage.document_id == "towns/33.txt"


# Tests of one kind of store.


def test_loose_segments_are_merged(
    tmp_path: Path, fake_encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faiss_store, "LOOSE_SEGMENT_PASSAGES", 10)
    monkeypatch.setattr(faiss_store, "MAX_MERGED_PASSAGES", 50)
    monkeypatch.setattr(fill_module, "BATCH_CHARACTERS", 500)
    store = FaissStore(tmp_path, fake_encoder)
    fill(store, TOWNS, fake_encoder)
    sizes = [segment["passages"] for segment in store.describe()["segments"]]
    assert sum(sizes) == 80 and len(sizes) == 2 and max(sizes) <= 50
    assert not any(segment["loose"] for segment in store.describe()["segments"])
    assert sorted(p.name[:8] for p in tmp_path.iterdir()) == ["building", "segment-", "segment-"]


def test_all_segments_use_the_same_idfs(tmp_path: Path, fake_encoder: FakeEncoder) -> None:
    """With the idf of a small segment alone, its passages would rank below those of a large one."""
    two_segments, one_segment = (
        FaissStore(tmp_path / "a", fake_encoder),
        FaissStore(tmp_path / "b", fake_encoder),
    )
    fill(two_segments, TOWNS[:39], fake_encoder)
    fill(two_segments, TOWNS[39:], fake_encoder)
    fill(one_segment, TOWNS, fake_encoder)
    query = "Person40 lake40 mayor"
    vector = fake_encoder.encode_texts([query])
    a, b = (s.nearest([query], vector, 10)[0] for s in (two_segments, one_segment))
    assert a[0].document_id == b[0].document_id == "towns/40.txt"


@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivf"])
def test_all_kinds_of_segments(tmp_path: Path, fake_encoder: FakeEncoder, kind: str) -> None:
    store = FaissStore(tmp_path, fake_encoder, kind=kind)
    fill(store, TOWNS, fake_encoder)
    again = FaissStore(tmp_path, fake_encoder)
    assert [s["kind"] for s in again.describe()["segments"]] == [kind]
    fill(
        again,
        [town(3, "Nothing is known of this one, except that it rains.")],
        fake_encoder,
    )
    (hits,) = StoredCollection(again, fake_encoder).search(["mayor lake12"], 2)
    assert hits[0].passage.document_id == "towns/12.txt"
    (hits,) = StoredCollection(again, fake_encoder).search(["mayor Person3"], 20)
    assert "Person3 " not in " ".join(h.passage.text for h in hits)


def test_a_damaged_file_is_named(tmp_path: Path, fake_encoder: FakeEncoder) -> None:
    fill(FaissStore(tmp_path, fake_encoder), TOWNS, fake_encoder)
    (segment,) = tmp_path.glob("segment-*")
    rng = np.random.default_rng(0)
    files = sorted(p for p in segment.rglob("*") if p.is_file())
    assert len(files) > 10
    for path in files:
        content = path.read_bytes()
        for position in rng.integers(0, len(content), 5):
            flipped = bytearray(content)
            flipped[position] ^= 1 + int(rng.integers(255))
            path.write_bytes(flipped)
            with pytest.raises(SavedIndexError, match=path.name):
                FaissStore(tmp_path, fake_encoder)
        path.write_bytes(content[: len(content) // 2])
        with pytest.raises(SavedIndexError, match=path.name):
            FaissStore(tmp_path, fake_encoder)
        path.unlink()
        with pytest.raises(SavedIndexError, match=path.name):
            FaissStore(tmp_path, fake_encoder)
        path.write_bytes(content)
    assert len(FaissStore(tmp_path, fake_encoder)) == 80


def test_two_builds_of_one_shard_are_refused(tmp_path: Path, fake_encoder: FakeEncoder) -> None:
    one, other = FaissStore(tmp_path, fake_encoder), FaissStore(tmp_path, fake_encoder)
    one.put([TOWNS[0]], *split(TOWNS[0], fake_encoder))
    with pytest.raises(StoreError, match="Another build of shard 1-of-1"):
        other.put([TOWNS[1]], *split(TOWNS[1], fake_encoder))
    one.finish()
    other.put([TOWNS[1]], *split(TOWNS[1], fake_encoder))
    other.finish()
    assert len(FaissStore(tmp_path, fake_encoder)) == 4


def split(document: Document, encoder: FakeEncoder):
    passages = split_passages(document, encoder.count_pieces, encoder.max_pieces - 2)
    return passages, encoder.encode_texts([p.text for p in passages])


@pytest.mark.parametrize(
    "address",
    [
        "redis://localhost",
        "milvus://",
        "milvus://host/x?shards=0",
        "milvus://host?x=1",
        "milvus://[bad",
        "milvus://host:port",
        "milvus-lite:store",
        "folder",
    ],
)
def test_invalid_addresses_are_refused(address: str, fake_encoder: FakeEncoder) -> None:
    with pytest.raises(StoreError, match="is not (the address of a|a name for a) store"):
        open_store(address, fake_encoder)


@pytest.mark.parametrize("address", ["faiss:~nobody-here/x", "milvus-lite:~nobody-here/x.db"])
def test_an_unknown_user_in_an_address_is_reported(address: str, fake_encoder: FakeEncoder) -> None:
    with pytest.raises(StoreError, match="no home folder for the user in '~nobody-here/x"):
        open_store(address, fake_encoder)


@pytest.mark.parametrize("host", ["[bad", "host:port", "host?shards=x", "", "ho:st:1"])
def test_messages_hide_the_password(host: str, fake_encoder: FakeEncoder) -> None:
    with pytest.raises(StoreError) as refused:
        open_store(f"milvus://me:s3:cr3t@{host}", fake_encoder)
    assert "cr3t" not in str(refused.value) and f"me:…@{host}" in str(refused.value)


def test_an_unreachable_server_is_reported(
    fake_encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.stores.milvus.TIMEOUT_SECONDS", 1.0)
    with pytest.raises(StoreError, match="milvus://me:…@127.0.0.1:9 does not answer") as error:
        open_store("milvus://me:secret@127.0.0.1:9", fake_encoder)
    assert "secret" not in str(error.value)


def test_missing_packages_are_reported() -> None:
    code = """
import sys
sys.modules["pymilvus"] = None
from index.stores.open import open_store
from index.errors import StoreError
try:
    open_store("milvus-lite:x.db", None)
except StoreError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "pip install -r requirements-milvus.txt" in done.stdout, done.stderr


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The HOST:PORT of a server with Milvus Lite, which is addressed like a cluster."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["server", "--data-dir", str(tmp_path), "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(
        [sys.executable, "-m", "milvus_lite", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"127.0.0.1:{port}"
        process.terminate()


def test_a_store_on_a_server(server: str, fake_encoder: FakeEncoder) -> None:
    store = open_store(f"milvus://{server}/towns?shards=2", fake_encoder)
    assert fill(store, TOWNS, fake_encoder).passages == 80
    (hits,) = StoredCollection(store, fake_encoder).search(["Person21"], 1)
    assert hits[0].passage.document_id == "towns/21.txt"
    other = open_store(f"milvus://{server}", fake_encoder)
    assert (len(store), len(other)) == (80, 0)
    store.close()
    other.close()


@pytest.mark.slow
def test_concurrent_builds_leave_no_duplicates(server: str, fake_encoder: FakeEncoder) -> None:
    """Three processes put the same documents into one collection."""
    builds = [
        subprocess.Popen([sys.executable, "-c", BUILD, f"milvus://{server}"], cwd=ROOT)
        for _ in range(3)
    ]
    assert [build.wait(120) for build in builds] == [0, 0, 0]
    store = open_store(f"milvus://{server}", fake_encoder)
    assert len(store) == 80 and store.stored_ids(TOWNS) == {town.id for town in TOWNS}
    store.close()


def test_a_build_killed_before_creating_indexes(
    server: str, fake_encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from index.stores.milvus import MilvusStore

    with monkeypatch.context() as killed:
        killed.setattr(MilvusStore, "_create_indexes", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            open_store(f"milvus://{server}", fake_encoder)
    store = open_store(f"milvus://{server}", fake_encoder)
    assert fill(store, TOWNS, fake_encoder).passages == 80
    (hits,) = StoredCollection(store, fake_encoder).search(["Person21"], 1)
    assert hits[0].passage.document_id == "towns/21.txt"
    store.close()


def test_a_build_uses_the_collection_that_another_creates_meanwhile(
    server: str, fake_encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks for the collection before the other build has created it."""
    from pymilvus import MilvusClient

    store = open_store(f"milvus://{server}", fake_encoder)
    monkeypatch.setattr(MilvusClient, "list_collections", lambda *_, **__: [])
    answers = iter([False])
    has_collection = MilvusClient.has_collection
    monkeypatch.setattr(
        MilvusClient,
        "has_collection",
        lambda *a, **k: next(answers, None) is None and has_collection(*a, **k),
    )
    other = open_store(f"milvus://{server}", fake_encoder)
    assert fill(other, TOWNS, fake_encoder).passages == len(store) == 80
    store.close()
    other.close()


# Reading a corpus.


def test_reading_folders_files_and_json_lines(tmp_path: Path) -> None:
    (tmp_path / "texts" / ".git").mkdir(parents=True)
    (tmp_path / "texts" / "b.txt").write_text("The second text is this one.")
    (tmp_path / "texts" / "a.md").write_text("The first text is this one.")
    (tmp_path / "texts" / "photo.jpg").write_bytes(b"\xff\xd8")
    (tmp_path / "texts" / ".git" / "c.txt").write_text("Not to be read.")
    (tmp_path / "texts" / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    lines = [
        json.dumps(
            {"id": 5, "text": "A text in a line.", "title": "Fifth", "source": "http://x/5"}
        ),
        "",
        "{",
        json.dumps({"id": "6", "text": 7}),
        json.dumps(["7"]),
        json.dumps({"id": "8", "text": "  "}),
        "[" * 200_000,
        json.dumps({"id": "9", "text": "The last one."}),
    ]
    with gzip.open(tmp_path / "texts" / "more.jsonl.gz", "wt") as file:
        file.write("\n".join(lines))
    skipped: list[str] = []
    found = list(read_corpus([str(tmp_path / "texts")], skipped=skipped.append))
    folder = (tmp_path / "texts").as_posix()
    assert [d.id for d in found] == [f"{folder}/a.md", f"{folder}/b.txt", "5", "9"]
    assert (found[2].title, found[2].source) == ("Fifth", "http://x/5")
    assert "broken.pdf" in skipped[0]
    assert [message.split(" of ")[0] for message in skipped[1:]] == [
        f"Line {n}" for n in range(3, 8)
    ]
    with pytest.raises(DocumentError, match="broken.pdf"):
        list(read_corpus([str(tmp_path / "texts")]))
    with pytest.raises(DocumentError, match="no file"):
        list(read_corpus([str(tmp_path / "none.jsonl")]))


@pytest.mark.parametrize("name", ["A.JSONL", "A.Jsonl", "A.JSONL.GZ", "a.jsonl.Gz"])
def test_suffixes_are_case_insensitive(tmp_path: Path, name: str) -> None:
    content = b"".join(json.dumps({"id": n, "text": f"Text {n}."}).encode() + b"\n" for n in "12")
    data = gzip.compress(content) if name.lower().endswith(".gz") else content
    (tmp_path / name).write_bytes(data)
    for source in (tmp_path, tmp_path / name):
        assert [d.id for d in read_corpus([str(source)])] == ["1", "2"]


def test_shards_are_disjoint(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number}.txt").write_text(f"Text number {number} is here.")
    shards = [{d.id for d in read_corpus([str(tmp_path)], Shard(i, 4))} for i in (1, 2, 3, 4)]
    assert sum(map(len, shards)) == len(set.union(*shards)) == 20


def test_a_truncated_jsonl_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl.gz"
    with gzip.open(path, "wt") as file:
        file.write(
            "\n".join(json.dumps({"id": n, "text": os.urandom(99).hex()}) for n in range(99))
        )
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DocumentError, match="check that it is complete"):
        list(read_corpus([str(path)]))


def test_all_members_of_a_gzipped_jsonl_are_read(tmp_path: Path) -> None:
    path = tmp_path / "more.jsonl.gz"
    lines = [json.dumps({"id": n, "text": f"The lamp {n} was lit."}) + "\n" for n in range(50)]
    path.write_bytes(b"".join(gzip.compress(line.encode()) for line in lines))
    assert [d.id for d in read_corpus([str(path)])] == [str(n) for n in range(50)]


def test_a_damaged_jsonl_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "damaged.jsonl.gz"
    line = json.dumps({"id": "1", "text": os.urandom(999).hex()}).encode()
    content = gzip.compress(line)
    for i in range(10, len(content)):
        path.write_bytes(content[:i] + bytes([content[i] ^ 0xFF]) + content[i + 1 :])
        skipped: list[str] = []
        try:
            list(read_corpus([str(path)], skipped=skipped.append))
        except DocumentError as error:  # after the intact documents
            skipped.append(str(error))
        assert skipped and all(str(path) in message for message in skipped)


@pytest.mark.parametrize("path", ["~nobody-here/x", "~nobody-here/x.jsonl", "a" * 5000])
def test_an_invalid_path_is_reported(path: str) -> None:
    with pytest.raises(DocumentError, match="no home folder|cannot be read"):
        list(read_corpus([path]))
    skipped: list[str] = []
    assert list(read_corpus([path], skipped=skipped.append)) == [] and len(skipped) == 1


def test_an_endless_line_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.stores.corpus.MAX_LINE_BYTES", 1000)
    path = tmp_path / "bomb.jsonl.gz"
    line = json.dumps({"id": "1", "text": "The lamp was lit."}).encode()
    path.write_bytes(gzip.compress(line + b"\n" + b" " * 20_000_000))
    skipped: list[str] = []
    assert [d.id for d in read_corpus([str(path)], skipped=skipped.append)] == ["1"]
    assert [message.split(" of ")[0] for message in skipped] == ["Line 2"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_file_name_that_is_not_valid_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt")
    Path(path).write_text("The lamp was lit in 1890 by the keeper.")
    encoder = FakeEncoder()
    with closing(FaissStore(tmp_path / "store", encoder)) as store:
        fill(store, read_corpus([str(tmp_path)]), encoder)
        (found,) = store.nearest(["lamp"], encoder.encode_texts(["lamp"]), 1)
        assert found[0].document_id == f"{tmp_path.as_posix()}/\ufffd.txt"
    assert read_document(path).title == "\ufffd"
    print(visible(path))
    assert capsys.readouterr().out.endswith("/\\udcff.txt\n")
