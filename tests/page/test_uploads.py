"""Uploads: whole or not at all, within limits, and named so that they lead nowhere."""

from __future__ import annotations

import errno
import io
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from page import uploads as module
from page.uploads import UploadError, Uploads, safe_name
from tests.browser import serving
from tests.page.security.ledger import call, opening, upload

FORM_TYPE = {"content-type": "multipart/form-data; boundary=a"}


def part(content: bytes = b"x", name: str = "files", filename: str | None = "a.txt") -> bytes:
    """A part of a form, as browsers send it."""
    named = "" if filename is None else f'; filename="{filename}"'
    head = f'--a\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + content + b"\r\n"


END = b"--a--\r\n"
LARGE = part(b"x" * 200_000) + END


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "uploads"
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(path))
    return path


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def until(condition: bool, folder: Path) -> bool:
    """Wait until there are files in a folder, or none."""
    deadline = time.monotonic() + 20
    while bool(files_in(folder)) != condition and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(files_in(folder)) == condition


def received(folder: Uploads, form: bytes) -> list[str]:
    with folder.receiving() as upload:
        upload.parser(b"a").write(form)
        return upload.keep()


def test_two_may_upload_the_same(folder: Path) -> None:
    with serving(opening()) as address:
        both = [upload(address, b"The homework of all.") for _ in range(2)]
        for file in both:
            assert "homework" not in call(address, "documents", [])
            assert '"mine"' in call(address, "open", [None, None, [file]])
        assert files_in(folder) == []


@pytest.mark.parametrize(
    ("form", "told"),
    [
        (part(), "cut off"),  # no end
        (part(b"x" * 100_000)[:-50], "cut off"),
        (END, "no file"),
        (part(name="others") + END, "something other than files"),
        (part() + part(name="others") + END, "something other than files"),
        (part(filename=None) + END, "something other than files"),
        (part(b"x" * 1_000_000, filename=None) + END, "something other than files"),
        (part() * 101 + END, "more than 100 files"),
        (b"no form at all", "not a valid form"),
        (b"--a\r\nContent-Type: text/plain\r\n\r\nx\r\n" + END, "something other than files"),
        (part(filename="a" * 20_000) + END, "not a valid form"),
    ],
)
@pytest.mark.parametrize("query", ["", "?upload_id=abc"])
def test_what_is_no_form_of_files_leaves_nothing(
    folder: Path, form: bytes, told: str, query: str
) -> None:
    with serving(opening()) as address:
        reply = httpx.post(
            f"{address}gradio_api/upload{query}", content=form, headers=FORM_TYPE, timeout=30
        )
        assert reply.status_code in (400, 413) and told in reply.text
        assert files_in(folder) == []
        assert upload(address, b"The quicksilver.")["path"]


@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/form-data", "application/json", "multipart/mixed; boundary=a"]
)
def test_an_upload_of_another_type_is_refused(folder: Path, kind: str) -> None:
    with serving(opening()) as address:
        headers = {"content-type": kind}
        reply = httpx.post(f"{address}gradio_api/upload", content=part() + END, headers=headers)
        assert reply.status_code == 400 and "as a form" in reply.text


def test_too_much_at_once_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UPLOAD_BYTES", 150_000)

    def drip() -> Iterator[bytes]:
        yield LARGE[:100_000]
        assert until(True, folder)
        yield LARGE[100_000:]

    with serving(opening()) as address:
        for content in (LARGE, drip()):
            reply = httpx.post(
                f"{address}gradio_api/upload", content=content, headers=FORM_TYPE, timeout=30
            )
            assert reply.status_code == 413 and "larger than" in reply.text
            assert files_in(folder) == []


def test_one_that_breaks_off_leaves_nothing(folder: Path) -> None:
    with serving(opening()) as address:
        url = httpx.URL(address)
        with socket.create_connection((url.host, url.port)) as sending:
            sending.sendall(
                b"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 250000\r\n"
                b"Content-Type: multipart/form-data; boundary=a\r\n\r\n" + LARGE[:100_000]
            )
            assert until(True, folder)
        assert until(False, folder)


def test_one_that_stops_arriving_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK_TIMEOUT_SECONDS", 0.5)
    with serving(opening()) as address:
        url = httpx.URL(address)
        with socket.create_connection((url.host, url.port), timeout=10) as sending:
            sending.sendall(
                b"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 250000\r\n"
                b"Content-Type: multipart/form-data; boundary=a\r\n\r\n" + LARGE[:100_000]
            )
            assert b" 408 " in sending.recv(100)
        assert files_in(folder) == []


def test_all_that_is_waiting_is_bounded_however_many_send_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_TOTAL_BYTES", 500_000)
    with serving(opening()) as address, ThreadPoolExecutor(12) as people:

        def send(_: int) -> httpx.Response:
            url = f"{address}gradio_api/upload"
            return httpx.post(url, content=LARGE, headers=FORM_TYPE, timeout=60)

        replies = list(people.map(send, range(12)))
        statuses = sorted(reply.status_code for reply in replies)
        assert set(statuses) <= {200, 503} and statuses.count(200) <= 2
        taken = [reply.json()[0] for reply in replies if reply.status_code == 200]
        while len(taken) < 2:
            taken += send(0).json()
        assert send(0).status_code == 503
        assert sorted(map(str, files_in(folder))) == sorted(taken)
        # As soon as one is read there is room again.
        file = {"path": taken[0], "meta": {"_type": "gradio.FileData"}}
        call(address, "open", [None, None, [file]])
        assert send(0).status_code == 200


def test_the_number_of_files_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TOTAL_FILES", 5)
    folder = Uploads(tmp_path / "uploads")
    kept = received(folder, part() * 4 + END)
    with pytest.raises(UploadError, match=r"^Too many files are waiting .*\. Try again later\.$"):
        received(folder, part() * 2 + END)
    assert sorted(map(str, files_in(tmp_path))) == sorted(kept)
    folder.delete(kept[0])
    assert len(received(folder, part() * 2 + END)) == 2


def test_one_file_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 0)
    folder = Uploads(tmp_path / "uploads")
    with pytest.raises(UploadError, match="A file is larger than"):
        received(folder, part(b"x" * 1_000_001) + END)
    assert files_in(tmp_path) == []


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    (tmp_path / "uploads").write_text("A file where the folder should be.")
    with pytest.raises(
        UploadError, match=r"^The upload can't be saved \(.*\)\. Try again later\.$"
    ):
        received(Uploads(tmp_path / "uploads"), part() + END)


def test_a_disk_that_is_full_at_the_end_leaves_nothing(tmp_path: Path) -> None:
    class FullDisk(io.BytesIO):
        def close(self) -> None:
            super().close()
            raise OSError(errno.ENOSPC, "No space left on device")

    folder = Uploads(tmp_path / "uploads")
    with pytest.raises(OSError, match="No space left"), folder.receiving() as upload:
        upload.parser(b"a").write(part() * 2 + END)
        for file in upload.files:
            file.file.close()
            file.file = FullDisk()
        upload.keep()
    assert files_in(tmp_path) == [] and folder._bytes == folder._count == 0


def test_what_is_not_opened_in_time_is_deleted(tmp_path: Path) -> None:
    now = 0.0
    folder = Uploads(tmp_path / "uploads", lambda: now)
    (first,) = received(folder, part() + END)
    now = 500.0
    (second,) = received(folder, part() + END)
    now = 900.0
    folder.sweep(900.0)
    assert first not in folder and second in folder
    assert list(map(str, files_in(tmp_path))) == [second]
    assert not Path(first).parent.exists()
    folder.delete(first)
    folder.delete(tmp_path / "elsewhere")
    folder.delete(second)
    assert folder._bytes == folder._count == 0


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("report.pdf", "report.pdf"),
        ("Jahresbericht 2024 (Entwurf).docx", "Jahresbericht 2024 (Entwurf).docx"),
        ("отчёт.txt", "отчёт.txt"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/etc/shadow", "shadow"),
        ("..", "upload"),
        (".", "upload"),
        ("", "upload"),
        ("...", "upload"),
        ("..txt", "upload.txt"),
        (".bashrc", ".bashrc"),
        ("a\0b\n.txt", "ab.txt"),
        ('a<b>:"c|d?*.txt', "abcd.txt"),
        ("folder/", "folder"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("ü" * 300, "ü" * 100),
        ("a." + "b" * 300, "a." + "b" * 19),
    ],
)
def test_a_name_leads_nowhere(given: str, name: str, tmp_path: Path) -> None:
    assert safe_name(given) == name
    assert (tmp_path / name).parent == tmp_path
