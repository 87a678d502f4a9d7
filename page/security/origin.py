"""Which hosts and origins may use the page.

Pages of other sites must neither send nor read anything here. Browsers say where a request comes from
in `Origin` and, over https or to this machine, in `Sec-Fetch-Site`. The owner of a domain can point it
at this machine (DNS rebinding), so the `Host` is checked too.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers

_DEFAULT_PORTS = {"http": "80", "https": "443"}


class AllowedHosts:
    """The host names that the page answers to.

    `names` are host names, each with a port unless it is 80 or 443. With `any_host` every name is
    accepted, for a page that is served to others; IP addresses and localhost always are.
    """

    def __init__(self, names: Iterable[str] = (), *, any_host: bool = False) -> None:
        """Allow these names, and any name with `any_host`."""
        self._names = {name.lower() for name in names}
        self._any_host = any_host

    def add(self, name: str) -> None:
        """Allow another name."""
        self._names.add(name.lower())

    def allows(self, host: str) -> bool:
        """Whether the page answers to this Host header."""
        if self._any_host:
            return True
        name, _ = _split(f"//{host}")
        if not name:
            return False
        if name == "localhost" or name.endswith(".localhost") or name in self._host_names():
            return True
        try:
            ip_address(name)
        except ValueError:
            return False
        return True  # unlike a name, an address cannot be pointed elsewhere

    def is_same_origin(self, origin: str, host: str) -> bool:
        """Whether an Origin header is the page's own, given this Host header.

        They match if the page is asked directly. A proxy may pass on another Host; then the origin must
        be one of the names.
        """
        default = _DEFAULT_PORTS.get(origin.partition("://")[0])
        name, port = _split(origin)
        if not name or default is None:
            return False
        host_name, host_port = _split(f"//{host}")
        if (name, port or default) == (host_name, host_port or default):
            return True
        if name == host_name:
            return False  # another program on the same machine
        return (name if port in (None, default) else f"{name}:{port}") in self._names

    def _host_names(self) -> set[str]:
        return {_split(f"//{name}")[0] for name in self._names}


def refusal(headers: Headers, method: str, hosts: AllowedHosts) -> tuple[int, str] | None:
    """The status and message that refuse a request from another site; None if it is allowed.

    Other sites may link to the page; all their other requests are refused.
    """
    host = headers.get("host", "")
    if not hosts.allows(host):
        return (
            421,
            f"The page doesn't answer to '{host}'. Start it with --name HOST to allow a name.",
        )
    origin = headers.get("origin")
    if origin is not None and not hosts.is_same_origin(origin, host):
        return 403, (
            f"Requests from '{origin}' are not allowed. If this is the page's address behind a proxy, "
            "start the page with --name HOST."
        )
    is_link = method == "GET" and headers.get("sec-fetch-mode") == "navigate"
    if headers.get("sec-fetch-site") in ("cross-site", "same-site") and not is_link:
        return 403, "Requests from pages of other sites are not allowed."
    return None


def _split(url: str) -> tuple[str, str | None]:
    """The host name and port of an origin; ("", None) if it is not one."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return "", None
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        return "", None
    return name, None if port is None else str(port)
