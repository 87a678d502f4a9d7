"""Find the real client of a request behind a proxy.

Anybody can send X-Forwarded headers. They are used if they come from a proxy given with
--trusted-proxy, and removed from all other requests.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_FORWARDED = frozenset(
    {b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-real-ip"}
)
_log = logging.getLogger("uvicorn.error")


class TrustedProxies:
    """ASGI middleware that puts the real client into the scope and removes untrusted headers."""

    def __init__(self, app: ASGIApp, proxies: Sequence[str] = ()) -> None:
        """Trust these IP addresses and networks; raises ValueError for anything else."""
        self._networks = [ip_network(proxy, strict=False) for proxy in proxies]
        self._app = app
        self._behind_proxy = ProxyHeadersMiddleware(app, list(proxies))  # type: ignore[arg-type]
        self._warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on as if its real client had sent it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._trusts(client_of(scope)):
            await self._behind_proxy(scope, receive, send)  # type: ignore[arg-type]
            return
        kept = [header for header in scope["headers"] if header[0] not in _FORWARDED]
        if len(kept) < len(scope["headers"]) and not self._warned:
            self._warned = True
            _log.warning(
                "Ignoring X-Forwarded headers from %s. If that is your proxy, start the page with "
                "--trusted-proxy %s to tell its visitors apart.",
                client_of(scope),
                client_of(scope),
            )
        await self._app({**scope, "headers": kept}, receive, send)

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


def client_of(scope: Scope) -> str:
    """The client's address, or "" if the scope has none."""
    return str(scope["client"][0]) if scope.get("client") else ""


def client_key(scope: Scope) -> str:
    """What limits count clients by: the IPv4 address, or the IPv6 /64 network of one customer."""
    address = client_of(scope)
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ip_network((int(parsed) >> 64 << 64, 64)))
    return address
