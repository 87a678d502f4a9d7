import gzip
import socket
import ssl
import threading
import time
import tracemalloc
from http.server import BaseHTTPRequestHandler

import httpcore
import pytest

from index.documents import fetch as web
from index.documents.document import read_document
from index.documents.fetch import USER_AGENT, fetch, is_public
from index.errors import DocumentError
from tests.index.documents.samples import column, pdf, word
from tests.index.documents.site import LIMIT, PAGE, Site, answer, drip, endless, redirect

SAVE_IT = "save the page in your browser and open the file."


def says(address: str, *, allow_private_urls: bool = True, **options: float) -> str:
    """The sentence that refuses an address, which it names as it was given."""
    with pytest.raises(DocumentError) as refused:
        fetch(address, allow_private_urls=allow_private_urls, **options)
    sentence = str(refused.value)
    assert f"'{address}'" in sentence and sentence.endswith(".") and "\n" not in sentence
    return sentence


def test_a_page_is_fetched_with_what_its_server_says_of_it(site: Site) -> None:
    site["/lamp?a=b"] = answer(b"The lamp", "Text/HTML; Charset='ISO-8859-1'")
    found = fetch(f"{site.address}/lamp?a=b#light", allow_private_urls=True)
    assert found.data == b"The lamp"
    assert (found.media_type, found.charset) == ("text/html", "ISO-8859-1")
    assert found.url == f"{site.address}/lamp?a=b#light"
    (request,) = site.asked
    assert request.headers["User-Agent"] == USER_AGENT
    assert "AskTheArticle" in USER_AGENT
    assert request.headers["Host"] == site.address.removeprefix("http://")
    assert request.headers["Cookie"] is request.headers["Referer"] is None


def test_a_document_at_an_address(site: Site) -> None:
    site["/a/the%20lamp.html"] = answer(PAGE.encode())
    document = read_document(f" {site.address}/a/the lamp.html ", allow_private_urls=True)
    assert document.title == "The lamp"
    assert document.text.startswith("The lamp\n\nThe lamp of Lowtown was lit in 1890")
    assert document.id == "127.0.0.1-the-lamp"
    assert document.source == f"{site.address}/a/the%20lamp.html"
    site["/"] = answer("Licht für Málaga.".encode("cp1252"), "text/plain; charset=latin-1")
    document = read_document(f"{site.address}/", allow_private_urls=True)
    assert (document.text, document.id) == ("Licht für Málaga.", "127.0.0.1")
    site["/empty"] = answer(b"")
    with pytest.raises(DocumentError, match="/empty' is empty"):
        read_document(f"{site.address}/empty", allow_private_urls=True)


@pytest.mark.parametrize(
    "kind",
    ["application/pdf", "application/octet-stream", "text/plain", "binary/octet-stream", None],
)
def test_a_pdf_is_known_by_its_bytes(site: Site, kind: str | None) -> None:
    site["/lamp"] = answer(pdf(column("The lamp was lit.")), kind)
    document = read_document(f"{site.address}/lamp", allow_private_urls=True)
    assert (document.text, document.pages, document.page_of(3)) == ("The lamp was lit.", (0,), 1)


def test_a_word_document_is_fetched(site: Site) -> None:
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    site["/lamp.docx"] = answer(word(lambda d: d.add_paragraph("The lamp was lit.")), kind)
    assert (
        read_document(f"{site.address}/lamp.docx", allow_private_urls=True).text
        == "The lamp was lit."
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(site: Site, status: int) -> None:
    site["/a"] = redirect("b/c?d", status)
    site["/b/c?d"] = redirect(f"{site.address}/e", status)
    site["/e"] = answer(b"The lamp")
    found = fetch(f"{site.address}/a", allow_private_urls=True)
    assert (found.data, found.url) == (b"The lamp", f"{site.address}/e")


def test_five_redirects_are_followed_and_no_more(site: Site) -> None:
    for number in range(5):
        site[f"/{number}"] = redirect(f"/{number + 1}")
    site["/5"] = answer(b"The lamp")
    assert fetch(f"{site.address}/0", allow_private_urls=True).data == b"The lamp"
    site["/5"] = redirect("/6")
    site["/6"] = answer(b"The lamp")
    assert "leads from one address to the next" in says(f"{site.address}/0")
    site["/loop"] = redirect("/loop")
    site.asked.clear()
    assert says(f"{site.address}/loop").endswith(SAVE_IT)
    assert len(site.asked) == 6


@pytest.mark.parametrize(
    "location",
    ["file:///etc/hostname", "ftp://127.0.0.1/a", "https:///a", "http://a:99999", "http://a:-1/"],
)
def test_a_redirect_leads_nowhere_but_the_web(site: Site, location: str) -> None:
    site["/a"] = redirect(location)
    assert "leads to what is no web address" in says(f"{site.address}/a")


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, f"is refused to this program (401): {SAVE_IT}"),
        (403, f"is refused to this program (403): {SAVE_IT}"),
        (429, f"is refused to this program (429): {SAVE_IT}"),
        (404, "(404): check the address."),
        (410, "(410): check the address."),
        (500, "has an error (500): try again later"),
        (503, "has an error (503): try again later"),
        (304, "has an error (304): try again later"),
    ],
)
def test_what_a_server_refuses(site: Site, status: int, sentence: str) -> None:
    site["/a"] = answer(PAGE.encode(), status=status)
    assert sentence in says(f"{site.address}/a")


@pytest.mark.parametrize("kind", ["image/png", "video/mp4", "application/json", "font/woff2"])
def test_what_is_not_a_document_is_not_read(site: Site, kind: str) -> None:
    site["/a"] = answer(b"x", kind)
    assert f"is not a document but {kind}" in says(f"{site.address}/a")


@pytest.mark.parametrize(
    "beginning",
    [
        pytest.param(b"", id="no answer"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX-Head: ", id="head"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", id="body"),
    ],
)
def test_a_slow_server_is_given_up_in_time(site: Site, beginning: bytes) -> None:
    site["/a"] = drip(beginning)
    before = time.monotonic()
    sentence = says(f"{site.address}/a", seconds=0.4)
    assert 0.3 < time.monotonic() - before < 1.5
    assert "has not answered in full within 0 seconds" in sentence and sentence.endswith(SAVE_IT)


def test_the_time_is_for_all_redirects_together(site: Site) -> None:
    def slowly(request: BaseHTTPRequestHandler) -> None:
        time.sleep(0.2)
        redirect("/a")(request)

    site["/a"] = slowly
    before = time.monotonic()
    assert "has not answered" in says(f"{site.address}/a", seconds=0.5)
    assert time.monotonic() - before < 1


def test_a_body_without_an_end_is_cut_short(site: Site) -> None:
    site["/a"] = endless
    before = time.monotonic()
    assert "has more than 0 MB: download it and open a part." in says(f"{site.address}/a")
    assert time.monotonic() - before < 2


def test_a_body_that_is_too_large_is_not_read(site: Site) -> None:
    site["/a"] = answer(b"", content_length=str(LIMIT + 1))
    assert "has more than" in says(f"{site.address}/a", seconds=2)
    site["/b"] = answer(b"x" * LIMIT)
    assert len(fetch(f"{site.address}/b", allow_private_urls=True).data) == LIMIT
    site["/c"] = answer(b"x", content_length="9" * 19)
    assert "has more than" in says(f"{site.address}/c", seconds=2)


def test_a_packed_body_is_unpacked_up_to_the_limit(site: Site) -> None:
    site["/a"] = answer(gzip.compress(PAGE.encode()), content_encoding="gzip")
    assert fetch(f"{site.address}/a", allow_private_urls=True).data == PAGE.encode()
    site["/b"] = answer(gzip.compress(b"x" * LIMIT), content_encoding="gzip")
    assert len(fetch(f"{site.address}/b", allow_private_urls=True).data) == LIMIT
    site["/c"] = answer(gzip.compress(b"x" * (LIMIT + 1)), content_encoding="gzip")
    assert "has more than" in says(f"{site.address}/c")
    site["/bomb"] = answer(gzip.compress(bytes(50_000_000), 6), content_encoding="gzip")
    tracemalloc.start()
    assert "has more than" in says(f"{site.address}/bomb")
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    site["/d"] = answer(gzip.compress(PAGE.encode())[:-20], content_encoding="gzip")
    assert "broken off or garbled" in says(f"{site.address}/d")
    site["/e"] = answer(b"not packed", content_encoding="gzip")
    assert "broken off or garbled" in says(f"{site.address}/e")
    garbled = gzip.compress(PAGE.encode()) + gzip.compress(PAGE.encode())[:-20]
    site["/g"] = answer(garbled, content_encoding="gzip")
    assert "broken off or garbled" in says(f"{site.address}/g")
    site["/f"] = answer(b"packed", content_encoding="br")
    assert "is packed (br)" in says(f"{site.address}/f")


def test_all_members_of_a_packed_body_are_unpacked(site: Site) -> None:
    lines = [f"The lamp was lit {n} times.\n".encode() for n in range(200)]
    members = b"".join(map(gzip.compress, lines))
    for rest in (b"", bytes(512), b"\x1f", b"and more"):
        site["/a"] = answer(members + rest, content_encoding="gzip")
        assert fetch(f"{site.address}/a", allow_private_urls=True).data == b"".join(lines)
    half = gzip.compress(b"x" * (LIMIT // 2 + 1))
    site["/b"] = answer(half + half, content_encoding="gzip")
    assert "has more than" in says(f"{site.address}/b")
    site["/c"] = answer(gzip.compress(b"") * (LIMIT // 20 + 1), content_encoding="gzip")
    assert "has more than" in says(f"{site.address}/c")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_members_are_unpacked_however_they_come(size: int) -> None:
    lines = [b"", b"The lamp was lit.", b"", b"x" * 1000]
    data, unpacker = b"".join(map(gzip.compress, lines)), web._Gzip()
    unpacked = b""
    for at in range(0, len(data), size):
        unpacked += unpacker.unpack(data[at : at + size], 10_000)
    assert unpacked == b"".join(lines) and unpacker.whole


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nThe lamp",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nThe l",
        b"220 mail.example.org ready\r\n",
        b"",
    ],
)
def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one(site: Site, sent: bytes) -> None:
    def send(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(sent)
        request.close_connection = True

    site["/a"] = send
    assert "broken off or garbled" in says(f"{site.address}/a")


def test_an_address_where_nothing_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    for scheme in ("http", "https"):
        assert "cannot be reached" in says(f"{scheme}://127.0.0.1:{port}/a")


def test_a_server_that_does_not_prove_who_it_is(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = site.address.replace("http:", "https:")
    assert "cannot be reached" in says(f"{address}/a")  # it does not speak TLS

    def start_tls(*_: object, **__: object) -> None:
        raise httpcore.ConnectError(ssl.SSLCertVerificationError())

    monkeypatch.setattr(web._Stream, "start_tls", start_tls)
    assert "cannot prove that it is what it says it is" in says(f"{address}/a")


def test_a_name_that_no_server_has(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*_: object, **__: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert "There is no server with the name in" in says("https://no-such.example/a")


def test_a_name_that_nobody_knows_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    known = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: known.wait(10))
    before = time.monotonic()
    assert "has not answered in full" in says("https://slow.example/a", seconds=0.4)
    assert 0.3 < time.monotonic() - before < 1.5
    known.set()


def test_a_host_is_tried_at_its_next_address_when_the_first_is_silent(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"lamp.example": ("127.0.0.2", "127.0.0.1")}

    def getaddrinfo(host: str, port: int, *_: object, **__: object) -> list[object]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in known.get(host, (host,))
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    site["/a"] = answer(b"The lamp")
    address = site.address.replace("127.0.0.1", "lamp.example")
    assert fetch(f"{address}/a", allow_private_urls=True).data == b"The lamp"
    assert site.asked[0].headers["Host"] == address.removeprefix("http://")

    given = []

    def silent(_: object, host: str, port: int, timeout: float, *__: object) -> None:
        given.append(timeout)
        raise httpcore.ConnectTimeout

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", silent)
    assert "has not answered in full" in says(f"{address}/a", seconds=8)
    assert given == pytest.approx([4, 8], abs=0.5)  # none waits so long that the others cannot


@pytest.mark.parametrize(
    "address",
    [
        "http://",
        "https:///a",
        "ftp://example.org/a",
        "file:///etc/hostname",
        "http://a:x/",
        "http://a:99999/",
        "http://a:-1/",
        "http://a:0/",
        "http://[::1]]/",
    ],
)
def test_what_is_not_a_web_address(address: str) -> None:
    assert "is not a web address" in says(address)
    with pytest.raises(DocumentError, match="is not a web address"):
        read_document(address)


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example", "[1"])
def test_a_host_that_cannot_be(host: str) -> None:
    says(f"http://{host}/a")


# fmt: off
INSIDE = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255",
    "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.1", "198.18.0.1", "224.0.0.1",
    "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1",
    "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::", "2001:db8::1",
    "2001:0:7f00:1::", "192.0.0.192", "192.88.99.1", "168.63.129.16", "::ffff:168.63.129.16",
    "fec0::1", "64:ff9b:1::a00:1", "::ffff:0:7f00:1", "3fff::1", "5f00::1", "2002:c000:c0::",
]
# fmt: on
OUTSIDE = ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_of_the_inside_is_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_addresses_of_the_internet_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "localhost",
            "127.1",
            "0",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "127.0.0.1.",
        ),
        *("017700000001", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]"),
        *("1.1.1.1@127.0.0.1", "localhost%00.example", "127\u30020\u30020\u30021"),
    ],
)
def test_the_inside_is_not_asked_by_any_name(site: Site, host: str) -> None:
    site["/a"] = answer(PAGE.encode())
    port = site.address.rpartition(":")[2]
    address = f"http://{host}:{port}/a"
    sentence = says(address, allow_private_urls=False)
    assert "private network" in sentence or "no server with the name" in sentence
    assert not site.asked


@pytest.mark.parametrize(
    "host", ["0177.0.0.1", "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460", "127.0.0.1\\@1.1.1.1:80:"]
)
def test_a_name_for_the_inside_that_is_no_address(site: Site, host: str) -> None:
    port = site.address.rpartition(":")[2]
    says(f"http://{host}:{port}/a", allow_private_urls=False)
    assert not site.asked


def test_this_machine_is_not_asked_by_its_public_address(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if this address were one of the internet: a machine may have one of those, too."""
    site["/a"] = answer(PAGE.encode())
    monkeypatch.setattr(web, "is_public", lambda address: True)
    assert "private network" in says(f"{site.address}/a", allow_private_urls=False)
    assert not site.asked
    assert web.may_be_asked("192.0.2.1")


def test_a_name_that_leads_inside_and_outside_is_not_asked(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [(2, 1, 6, "", (address, 80)) for address in ("1.1.1.1", "127.0.0.1")]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    assert "private network" in says("http://rebind.example/a", allow_private_urls=False)


def test_a_redirect_does_not_lead_inside(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first server counts as public here; where it leads to does not."""
    site["/a"] = redirect(site.address.replace("127.0.0.1", "127.0.0.2") + "/b")
    site["/b"] = answer(PAGE.encode())
    monkeypatch.setattr(web, "may_be_asked", lambda address: address == "127.0.0.1")
    assert "private network" in says(f"{site.address}/a", allow_private_urls=False)
    assert [request.path for request in site.asked] == ["/a"]


def test_the_address_that_was_looked_at_is_the_one_connected_to(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that leads elsewhere at the second look (DNS rebinding) is not looked up again."""
    looked = []

    def look(host: str, port: int, *_: object, **__: object) -> list[object]:
        looked.append(host)
        assert host != "rebind.example" or looked.count(host) == 1
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    site["/a"] = answer(PAGE.encode())
    port = site.address.rpartition(":")[2]
    monkeypatch.setattr("socket.getaddrinfo", look)
    monkeypatch.setattr(web, "may_be_asked", lambda address: True)
    assert fetch(f"http://rebind.example:{port}/a").data == PAGE.encode()
    assert looked.count("rebind.example") == 1


def test_who_waits_can_give_up(site: Site) -> None:
    class GoneError(Exception):
        pass

    def gone() -> None:
        raise GoneError

    site["/silent"] = lambda request: time.sleep(5)
    started = time.monotonic()
    with pytest.raises(GoneError):
        web.fetch(f"{site.address}/silent", allow_private_urls=True, check=gone)
    assert time.monotonic() - started < 3


def test_a_slow_server_is_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "STEP_SECONDS", 0.1)
    checks: list[None] = []

    def slow(request: BaseHTTPRequestHandler) -> None:
        time.sleep(0.5)
        answer(b"The lamp was lit.", "text/plain")(request)

    site["/slow"] = slow
    url = f"{site.address}/slow"
    found = web.fetch(url, allow_private_urls=True, check=lambda: checks.append(None))
    assert found.data == b"The lamp was lit." and len(checks) > 1
