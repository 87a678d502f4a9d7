"""A web address in, the bytes that stand there out."""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import httpcore
import httpx

from index.documents.content import MAX_FILE_BYTES
from index.errors import DocumentError

SECONDS = 15.0  # for all of it: finding the server, redirects, reading
STEP_SECONDS = 0.5  # between two looks at whether it is still wanted
MAX_REDIRECTS = 5
USER_AGENT = "Mozilla/5.0 (compatible; AskTheArticle/1.0)"

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REFUSED = frozenset({401, 402, 403, 405, 406, 407, 429, 451})
# What may hold a text; application/octet-stream is what servers say when they do not know.
_DOCUMENT = re.compile(
    r"text/.*|application/(?:xhtml\+xml|xml|pdf|x-pdf|rtf|msword|zip|octet-stream|force-download"
    r"|x-download|vnd\.openxmlformats-officedocument\.wordprocessingml\.document)"
    r"|binary/octet-stream|"
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
# IPv6 addresses that carry one of IPv4 in their last four bytes.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
# All of IPv6 that is of the internet.
_GLOBAL = ipaddress.IPv6Network("2000::/3")
# What Python counts as of the internet, or did: of protocols and the metadata of Oracle's machines,
# of relays, of the host of Azure's machines, and for examples.
_WITHIN = [
    ipaddress.ip_network(network)
    for network in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "3fff::/20")
]
# How a member of gzip data begins.
_GZIP_MARK = b"\x1f\x8b"
_SAVE_IT = "save the page in your browser and open the file"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What stands at a web address, and what its server says of it."""

    url: str  # after all redirects
    data: bytes
    media_type: str
    charset: str


def fetch(
    url: str,
    *,
    allow_private_urls: bool = False,
    seconds: float = SECONDS,
    check: Callable[[], object] = lambda: None,
) -> Fetched:
    """Fetch what stands at an http or https address; raises DocumentError.

    Addresses in private networks, which not everybody who may use a page can reach, are refused unless
    `allow_private_urls`. check() is called about twice a second while the server sends nothing, and may
    raise to give up.
    """
    network = _Network(_Timer(seconds, check), allow_private_urls=allow_private_urls)
    pool = httpcore.ConnectionPool(network_backend=network, max_connections=1)
    try:
        with pool:
            return _follow(pool, url)
    except httpcore.TimeoutException:
        raise DocumentError(
            f"'{url}' has not answered in full within {seconds:.0f} seconds: try again later, or "
            f"{_SAVE_IT}."
        ) from None
    except _PrivateAddressError:
        raise DocumentError(
            f"'{url}' leads to this machine or into a private network, which is not allowed: start the "
            "program with --allow-private-urls if you trust whoever gives addresses."
        ) from None
    except (socket.gaierror, UnicodeError):
        raise DocumentError(
            f"There is no server with the name in '{url}': check the address and your connection."
        ) from None
    except httpcore.ConnectError as error:
        unproven = any(isinstance(why, ssl.SSLCertVerificationError) for why in error.args)
        reason = "cannot prove that it is what it says it is" if unproven else "cannot be reached"
        raise DocumentError(
            f"The server of '{url}' {reason}: check the address and your connection, or {_SAVE_IT}."
        ) from None
    except (httpcore.NetworkError, httpcore.ProtocolError, zlib.error):
        raise DocumentError(
            f"The answer of '{url}' is broken off or garbled: try again later, or {_SAVE_IT}."
        ) from None


def _follow(pool: httpcore.ConnectionPool, url: str) -> Fetched:
    """Go from redirect to redirect until there is something to read."""
    at = _address(url, url)
    headers: dict[bytes | str, bytes | str] = {
        "User-Agent": USER_AGENT,
        "Accept": "text/html,application/xhtml+xml,application/pdf,text/*;q=0.9,*/*;q=0.5",
        "Accept-Encoding": "gzip",
    }
    for _ in range(MAX_REDIRECTS + 1):
        with pool.stream("GET", str(at), headers=headers) as response:
            answered = httpx.Headers(response.headers)
            if response.status in _REDIRECTS and "location" in answered:
                at = _address(answered["location"], url, at)
                continue
            _check(response.status, url)
            media_type, charset = _kind(answered, url)
            data = _read(response, answered, url)
            return Fetched(str(at.copy_with(userinfo=b"")), data, media_type, charset)
    raise DocumentError(f"'{url}' leads from one address to the next without an end: {_SAVE_IT}.")


def _address(location: str, url: str, base: httpx.URL | None = None) -> httpx.URL:
    """The address that a person or a redirect gives."""
    try:
        at = base.join(location) if base else httpx.URL(location)
    except (httpx.InvalidURL, ValueError):
        at = httpx.URL()
    if (
        at.scheme in ("http", "https")
        and at.host
        and 0 < (1 if at.port is None else at.port) < 1 << 16
    ):
        return at
    if base:
        raise DocumentError(f"'{url}' leads to what is no web address: {_SAVE_IT}.")
    raise DocumentError(f"'{url}' is not a web address: give a whole one, https:// and all.")


def _check(status: int, url: str) -> None:
    """Raise DocumentError unless the server has answered with what was asked for."""
    if 200 <= status < 300:
        return
    if status in (404, 410):
        raise DocumentError(f"There is nothing at '{url}' ({status}): check the address.")
    if status in _REFUSED:
        raise DocumentError(f"'{url}' is refused to this program ({status}): {_SAVE_IT}.")
    raise DocumentError(
        f"The server of '{url}' has an error ({status}): try again later, or {_SAVE_IT}."
    )


def _kind(answered: httpx.Headers, url: str) -> tuple[str, str]:
    """The media type and the charset the server names; raises DocumentError for no document."""
    named = answered.get("content-type", "")
    media_type = named.partition(";")[0].strip().lower()
    if not _DOCUMENT.fullmatch(media_type):
        raise DocumentError(
            f"'{url}' is not a document but {media_type}: give the address of a page, a PDF, a "
            "Word document or a text."
        )
    charset = _CHARSET.search(named)
    return media_type, charset[1] if charset else ""


def _read(response: httpcore.Response, answered: httpx.Headers, url: str) -> bytes:
    """The body, unpacked as it comes, so that it is never larger than the limit."""
    packing = answered.get("content-encoding", "identity").lower()
    if packing not in ("identity", "gzip", "x-gzip"):
        raise DocumentError(f"'{url}' is packed ({packing}) though that was not asked: {_SAVE_IT}.")
    unpacker = _Gzip() if "gzip" in packing else None
    data = bytearray()
    received = 0
    length = answered.get("content-length", "")
    too_large = length.isdecimal() and int(length[:20]) > MAX_FILE_BYTES
    if not too_large:
        for chunk in response.iter_stream():
            received += len(chunk)
            room = MAX_FILE_BYTES + 1 - len(data)
            data += unpacker.unpack(chunk, room) if unpacker else chunk[:room]
            # What is packed may unpack to nothing, without an end.
            too_large = max(len(data), received) > MAX_FILE_BYTES
            if too_large:
                break
    if too_large:
        raise DocumentError(
            f"'{url}' has more than {MAX_FILE_BYTES / 1e6:.0f} MB: download it and open a part."
        )
    if unpacker and not unpacker.whole:
        raise zlib.error
    return bytes(data)


class _Gzip:
    """Unpacks gzip data as they come: one member after the other, as RFC 1952 (2.2) has them."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._waiting = b""  # for the second byte of a mark
        self._ended = False

    @property
    def whole(self) -> bool:
        """Whether the data may end here."""
        return self._member.eof

    def unpack(self, chunk: bytes, room: int) -> bytes:
        """What a chunk unpacks to, at most so many bytes; raises zlib.error."""
        unpacked = b""
        chunk, self._waiting = self._waiting + chunk, b""
        while chunk and len(unpacked) < room and not self._ended:
            if self._member.eof:
                if chunk == _GZIP_MARK[:1]:
                    self._waiting = chunk
                    break
                if not chunk.startswith(_GZIP_MARK):
                    # Padding, and whatever else follows the last member, is no text to gzip either.
                    self._ended = True
                    break
                self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
            unpacked += self._member.decompress(chunk, room - len(unpacked))
            chunk = self._member.unused_data
        return unpacked


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet, and so is one that it carries within."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        within = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if ip in _NAT64 or ip in _COMPATIBLE:
            within.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
        if not all(is_public(str(one)) for one in within if one):
            return False
        if ip.ipv4_mapped or ip in _NAT64:
            return True
        if ip not in _GLOBAL:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _WITHIN)


def may_be_asked(address: str) -> bool:
    """Whether an IP address is one of the internet, and not this machine's own."""
    if not is_public(address):
        return False
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((address, 9))  # which sends nothing
        return ipaddress.ip_address(probe.getsockname()[0]) != ipaddress.ip_address(address)
    return True


class _PrivateAddressError(Exception):
    """A name leads to an address that is not of the internet."""


class _Timer:
    """The time that a fetch may take."""

    def __init__(self, seconds: float, check: Callable[[], object]) -> None:
        self._deadline = time.monotonic() + seconds
        self.check = check

    def left(self) -> float:
        """The seconds that are left; raises ReadTimeout when none are."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return left


class _Network(httpcore.NetworkBackend):
    """Connections of which none, and not all together, go on after the deadline.

    Each is to an address that was looked at itself: what a name leads to may change from one look
    to the next.
    """

    def __init__(self, timer: _Timer, *, allow_private_urls: bool) -> None:
        self._timer = timer
        self._private = allow_private_urls
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of the host that answers."""
        addresses = _addresses(host, port, self._timer.left())
        if not self._private and not all(map(may_be_asked, addresses)):
            raise _PrivateAddressError
        for number, address in enumerate(addresses, 1):
            share = self._timer.left() / (len(addresses) + 1 - number)
            try:
                stream = self._sockets.connect_tcp(address, port, share, None, socket_options)
                return _Stream(stream, self._timer)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(addresses):
                    raise
        raise httpcore.ConnectError


def _addresses(host: str, port: int, seconds: float) -> list[str]:
    """The addresses of a name; raises ConnectTimeout where nobody says so in time.

    The system's own patience cannot be set, so it is waited for in a thread that is left behind.
    """
    answer: SimpleQueue[Any] = SimpleQueue()

    def ask() -> None:
        try:
            answer.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as error:  # which is for who waits
            answer.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        found = answer.get(timeout=seconds)
    except Empty:
        raise httpcore.ConnectTimeout from None
    if isinstance(found, Exception):
        raise found
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


class _Stream(httpcore.NetworkStream):
    """A connection that ends at the deadline, however slowly it drips."""

    def __init__(self, stream: httpcore.NetworkStream, timer: _Timer) -> None:
        self._stream = stream
        self._timer = timer

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while True:
            left = self._timer.left()
            try:
                return self._stream.read(max_bytes, min(STEP_SECONDS, left))
            except httpcore.ReadTimeout:  # nothing was sent for a while
                self._timer.check()

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._timer.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._timer.left())
        return _Stream(stream, self._timer)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
