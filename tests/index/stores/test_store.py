"""The stores, one suite for all: what is true of one is true of the others."""

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

from index.documents.document import (
    Document,
    DocumentError,
    make_document,
    read_document,
    well_formed,
)
from index.errors import SavedIndexError, StoreError
from index.models.types import Encoded
from index.passages import split_passages
from index.stores import faiss_store
from index.stores import fill as filling
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
    stores = []

    def again() -> Store:
        stores.append(open_store(address, fake_encoder))
        return stores[-1]

    yield again
    for one in stores:
        one.close()


def test_finds_and_gives_back_what_was_put(opened: Open, fake_encoder: FakeEncoder) -> None:
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
    assert [text for text in encoded if text in map(well_formed, queries)] == [
        well_formed(query) for query in queries
    ]


def test_the_same_candidates_by_words_and_by_vector(
    opened: Open, fake_encoder: FakeEncoder
) -> None:
    fill(opened(), TOWNS, fake_encoder)
    queries = ["Person9", "a market on Mondays", "the of and", ""]
    vectors = fake_encoder.encode_queries(queries).vectors
    found = opened().nearest(queries, vectors, 5)
    assert [len(passages) for passages in found] == [5, 5, 5, 5]
    assert found[0][0].document_id == "towns/9.txt"
    assert all("market" in passage.text for passage in found[1])


def test_what_is_there_is_not_encoded_again(
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


def test_a_changed_document_takes_the_place_of_the_old_one(
    opened: Open, fake_encoder: FakeEncoder
) -> None:
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


def test_of_two_with_one_id_the_last_counts(opened: Open, fake_encoder: FakeEncoder) -> None:
    new = town(1, "Something else is told of this town, namely that it has no mayor at all.")
    fill(opened(), [TOWNS[0], TOWNS[1], new], fake_encoder)
    assert len(opened()) == 3 and opened().document("towns/1.txt") == new


def test_any_text_comes_back(opened: Open, fake_encoder: FakeEncoder) -> None:
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
            whole = next(d for d in documents if d.id == passage.document_id)
            assert passage.text == whole.text[passage.start : passage.end]
    assert fill(opened(), documents, fake_encoder).already_stored == len(documents)


def test_another_encoder_is_told(opened: Open, address: str, fake_encoder: FakeEncoder) -> None:
    fill(opened(), TOWNS[:3], fake_encoder)
    other = FakeEncoder()
    other.revision = "1" * 64
    with pytest.raises((StoreError, SavedIndexError), match="encoder_revision"):
        open_store(address, other)


def test_an_empty_store_is_told(opened: Open, fake_encoder: FakeEncoder) -> None:
    with pytest.raises(StoreError, match="is empty"):
        StoredCollection(opened(), fake_encoder)


def test_says_what_it_is(opened: Open, address: str, fake_encoder: FakeEncoder) -> None:
    fill(opened(), TOWNS[:3], fake_encoder)
    about = opened().describe()
    assert (about["store"], about["passages"]) == (address, 6)
    json.dumps(about)


BUILD = """
import sys
from index.stores import faiss_store
from index.stores import milvus
from index.stores import fill as filling
from tests.conftest import FakeEncoder
from tests.index.stores.test_store import TOWNS
filling.BATCH_CHARACTERS, faiss_store.LOOSE_SEGMENT_PASSAGES, milvus.BATCH_ROWS = 200, 6, 3
from index.stores.open import open_store
one = open_store(sys.argv[1], FakeEncoder())
def told():
    for town in TOWNS:
        print(town.id, flush=True)
        yield town
filling.fill(one, told(), FakeEncoder())
print("done", flush=True)
"""


def test_a_killed_build_can_be_started_again(
    opened: Open, address: str, fake_encoder: FakeEncoder
) -> None:
    for stop in (3, 11, 26, 40):
        with subprocess.Popen(
            [sys.executable, "-c", BUILD, address], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            for _ in range(stop):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
    fill(opened(), TOWNS, fake_encoder)
    again = opened()
    assert len(again) == 80
    assert all(again.document(one.id) == one for one in TOWNS)


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


# What only one of them can show.


def test_loose_segments_are_put_together(
    tmp_path: Path, fake_encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faiss_store, "LOOSE_SEGMENT_PASSAGES", 10)
    monkeypatch.setattr(faiss_store, "MAX_MERGED_PASSAGES", 50)
    monkeypatch.setattr(filling, "BATCH_CHARACTERS", 500)
    one = FaissStore(tmp_path, fake_encoder)
    fill(one, TOWNS, fake_encoder)
    sizes = [segment["passages"] for segment in one.describe()["segments"]]
    assert sum(sizes) == 80 and len(sizes) == 2 and max(sizes) <= 50
    assert not any(segment["loose"] for segment in one.describe()["segments"])
    assert sorted(p.name[:8] for p in tmp_path.iterdir()) == ["building", "segment-", "segment-"]


def test_a_word_weighs_the_same_in_every_segment(tmp_path: Path, fake_encoder: FakeEncoder) -> None:
    """A small segment's own idf would put its passages behind those of a large one."""
    apart, whole = (
        FaissStore(tmp_path / "a", fake_encoder),
        FaissStore(tmp_path / "b", fake_encoder),
    )
    fill(apart, TOWNS[:39], fake_encoder)
    fill(apart, TOWNS[39:], fake_encoder)
    fill(whole, TOWNS, fake_encoder)
    query = "Person40 lake40 mayor"
    vector = fake_encoder.encode_texts([query])
    a, b = (s.nearest([query], vector, 10)[0] for s in (apart, whole))
    assert [p.document_id for p in a][0] == [p.document_id for p in b][0] == "towns/40.txt"


@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivf"])
def test_every_kind_finds_it(tmp_path: Path, fake_encoder: FakeEncoder, kind: str) -> None:
    one = FaissStore(tmp_path, fake_encoder, kind=kind)
    fill(one, TOWNS, fake_encoder)
    again = FaissStore(tmp_path, fake_encoder)
    assert [s["kind"] for s in again.describe()["segments"]] == [kind]
    fill(
        again,
        [town(3, "There is nothing to be told of this one, except that it rains.")],
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
        whole = path.read_bytes()
        for at in rng.integers(0, len(whole), 5):
            flipped = bytearray(whole)
            flipped[at] ^= 1 + int(rng.integers(255))
            path.write_bytes(flipped)
            with pytest.raises(SavedIndexError, match=path.name):
                FaissStore(tmp_path, fake_encoder)
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(SavedIndexError, match=path.name):
            FaissStore(tmp_path, fake_encoder)
        path.unlink()
        with pytest.raises(SavedIndexError, match=path.name):
            FaissStore(tmp_path, fake_encoder)
        path.write_bytes(whole)
    assert len(FaissStore(tmp_path, fake_encoder)) == 80


def test_two_builds_of_one_shard(tmp_path: Path, fake_encoder: FakeEncoder) -> None:
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
def test_no_address_of_a_store(address: str, fake_encoder: FakeEncoder) -> None:
    with pytest.raises(StoreError, match="is not (the address of a|a name for a) store"):
        open_store(address, fake_encoder)


@pytest.mark.parametrize("address", ["faiss:~nobody-here/x", "milvus-lite:~nobody-here/x.db"])
def test_a_store_of_an_unknown_user(address: str, fake_encoder: FakeEncoder) -> None:
    with pytest.raises(StoreError, match="no home folder for the user in '~nobody-here/x"):
        open_store(address, fake_encoder)


@pytest.mark.parametrize("host", ["[bad", "host:port", "host?shards=x", "", "ho:st:1"])
def test_a_password_is_told_to_nobody(host: str, fake_encoder: FakeEncoder) -> None:
    with pytest.raises(StoreError) as refused:
        open_store(f"milvus://me:s3:cr3t@{host}", fake_encoder)
    assert "cr3t" not in str(refused.value) and f"me:…@{host}" in str(refused.value)


def test_a_server_that_is_not_there(
    fake_encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.stores.milvus.TIMEOUT_SECONDS", 1.0)
    with pytest.raises(StoreError, match="milvus://me:…@127.0.0.1:9 does not answer") as error:
        open_store("milvus://me:secret@127.0.0.1:9", fake_encoder)
    assert "secret" not in str(error.value)


def test_without_the_packages() -> None:
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
    """Milvus Lite in a process of its own, which is reached as a cluster is: its HOST:PORT."""
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


def test_over_the_line_as_to_a_cluster(server: str, fake_encoder: FakeEncoder) -> None:
    one = open_store(f"milvus://{server}/towns?shards=2", fake_encoder)
    assert fill(one, TOWNS, fake_encoder).passages == 80
    (hits,) = StoredCollection(one, fake_encoder).search(["Person21"], 1)
    assert hits[0].passage.document_id == "towns/21.txt"
    other = open_store(f"milvus://{server}", fake_encoder)
    assert (len(one), len(other)) == (80, 0)
    one.close()
    other.close()


def test_builders_at_once_leave_no_doubles(server: str, fake_encoder: FakeEncoder) -> None:
    """Three processes put the same documents into one collection."""
    builders = [
        subprocess.Popen([sys.executable, "-c", BUILD, f"milvus://{server}"], cwd=ROOT)
        for _ in range(3)
    ]
    assert [builder.wait(120) for builder in builders] == [0, 0, 0]
    one = open_store(f"milvus://{server}", fake_encoder)
    assert len(one) == 80 and one.stored_ids(TOWNS) == {town.id for town in TOWNS}
    one.close()


def test_a_builder_killed_before_the_indexes(
    server: str, fake_encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from index.stores.milvus import MilvusStore

    with monkeypatch.context() as killed:
        killed.setattr(MilvusStore, "_create_indexes", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            open_store(f"milvus://{server}", fake_encoder)
    one = open_store(f"milvus://{server}", fake_encoder)
    assert fill(one, TOWNS, fake_encoder).passages == 80
    (hits,) = StoredCollection(one, fake_encoder).search(["Person21"], 1)
    assert hits[0].passage.document_id == "towns/21.txt"
    one.close()


def test_a_builder_that_comes_late_takes_what_another_made(
    server: str, fake_encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asked what is there before the other had made it."""
    from pymilvus import MilvusClient

    one = open_store(f"milvus://{server}", fake_encoder)
    monkeypatch.setattr(MilvusClient, "list_collections", lambda *_, **__: [])
    answers = iter([False])
    there = MilvusClient.has_collection
    monkeypatch.setattr(
        MilvusClient,
        "has_collection",
        lambda *a, **k: next(answers, None) is None and there(*a, **k),
    )
    other = open_store(f"milvus://{server}", fake_encoder)
    assert fill(other, TOWNS, fake_encoder).passages == len(one) == 80
    one.close()
    other.close()


# The corpus.


def test_reads_folders_files_and_lines(tmp_path: Path) -> None:
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
    left: list[str] = []
    found = list(read_corpus([str(tmp_path / "texts")], skipped=left.append))
    folder = (tmp_path / "texts").as_posix()
    assert [d.id for d in found] == [f"{folder}/a.md", f"{folder}/b.txt", "5", "9"]
    assert (found[2].title, found[2].source) == ("Fifth", "http://x/5")
    assert "broken.pdf" in left[0]
    assert [why.split(" of ")[0] for why in left[1:]] == [f"Line {n}" for n in range(3, 8)]
    with pytest.raises(DocumentError, match="broken.pdf"):
        list(read_corpus([str(tmp_path / "texts")]))
    with pytest.raises(DocumentError, match="no file"):
        list(read_corpus([str(tmp_path / "none.jsonl")]))


@pytest.mark.parametrize("name", ["A.JSONL", "A.Jsonl", "A.JSONL.GZ", "a.jsonl.Gz"])
def test_lines_are_read_whatever_the_case_of_the_suffix(tmp_path: Path, name: str) -> None:
    content = b"".join(json.dumps({"id": n, "text": f"Text {n}."}).encode() + b"\n" for n in "12")
    packed = gzip.compress(content) if name.lower().endswith(".gz") else content
    (tmp_path / name).write_bytes(packed)
    for source in (tmp_path, tmp_path / name):
        assert [d.id for d in read_corpus([str(source)])] == ["1", "2"]


def test_a_shard_has_its_own_documents_only(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number}.txt").write_text(f"Text number {number} is here.")
    of = [{d.id for d in read_corpus([str(tmp_path)], Shard(i, 4))} for i in (1, 2, 3, 4)]
    assert sum(map(len, of)) == len(set.union(*of)) == 20


def test_a_jsonl_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl.gz"
    with gzip.open(path, "wt") as file:
        file.write(
            "\n".join(json.dumps({"id": n, "text": os.urandom(99).hex()}) for n in range(99))
        )
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DocumentError, match="check that it is complete"):
        list(read_corpus([str(path)]))


def test_all_members_of_a_packed_jsonl_are_read(tmp_path: Path) -> None:
    path = tmp_path / "more.jsonl.gz"
    lines = [json.dumps({"id": n, "text": f"The lamp {n} was lit."}) + "\n" for n in range(50)]
    path.write_bytes(b"".join(gzip.compress(line.encode()) for line in lines))
    assert [d.id for d in read_corpus([str(path)])] == [str(n) for n in range(50)]


def test_a_damaged_jsonl_is_told(tmp_path: Path) -> None:
    path = tmp_path / "damaged.jsonl.gz"
    line = json.dumps({"id": "1", "text": os.urandom(999).hex()}).encode()
    whole = gzip.compress(line)
    for at in range(10, len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        left: list[str] = []
        try:
            list(read_corpus([str(path)], skipped=left.append))
        except DocumentError as error:  # after the documents that are whole
            left.append(str(error))
        assert left and all(str(path) in why for why in left)


@pytest.mark.parametrize("path", ["~nobody-here/x", "~nobody-here/x.jsonl", "a" * 5000])
def test_a_path_that_leads_nowhere_is_told(path: str) -> None:
    with pytest.raises(DocumentError, match="no home folder|cannot be read"):
        list(read_corpus([path]))
    left: list[str] = []
    assert list(read_corpus([path], skipped=left.append)) == [] and len(left) == 1


def test_a_line_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.stores.corpus.MAX_LINE_BYTES", 1000)
    path = tmp_path / "bomb.jsonl.gz"
    line = json.dumps({"id": "1", "text": "The lamp was lit."}).encode()
    path.write_bytes(gzip.compress(line + b"\n" + b" " * 20_000_000))
    left: list[str] = []
    assert [d.id for d in read_corpus([str(path)], skipped=left.append)] == ["1"]
    assert [why.split(" of ")[0] for why in left] == ["Line 2"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are text")
def test_a_name_that_is_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
