"""Whose request it is, and whether it came over TLS, where reverse proxies stand in front.

Of forwarding headers only X-Forwarded-For and X-Forwarded-Proto are read, and only from NEWSLETTER_TRUSTED_PROXY. Not
`Forwarded` (RFC 7239): a proxy that writes one of the two passes the other on as the client sent it, so whoever reads
both lets clients choose their address.
"""

from collections.abc import Callable
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address

import structlog
from django.http import HttpRequest, HttpResponse

from newsletter import wiring

log = structlog.get_logger()

Address = IPv4Address | IPv6Address

#: Any of them says that a proxy passed the request on, or that somebody wants to look like one.
FORWARDING_HEADERS = (
    *("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"),
    *("HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_VIA"),
)


def client_address(request: HttpRequest) -> Address | None:
    """The client's address; None where only a proxy's is known. A stranger's header never chooses it.

    - From a trusted proxy: the rightmost hop of X-Forwarded-For that is no trusted proxy itself. None when there is none.
    - Else the peer, unless it must be a proxy that nobody named: every peer when pages are https and no proxy is named,
      for we do not speak TLS; and a peer on a private network when pages are https or forwarding headers came.
    - A public peer beside a named proxy is a client that went past it: its headers change nothing.
    """
    peer = _parse(str(request.META.get("REMOTE_ADDR", "")))
    if peer is None:
        return None
    config = wiring.config()
    if _is_trusted(peer):
        return _client(str(request.META.get("HTTP_X_FORWARDED_FOR", "")))
    if config.clients_hidden:
        return None
    forwarded = any(name in request.META for name in FORWARDING_HEADERS)
    if not peer.is_global and (config.https or forwarded):
        _warn_of_unnamed_proxy()
        return None
    return peer


def forwarded_scheme(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: a request is https when a trusted proxy says so in X-Forwarded-Proto; nobody else's word counts."""

    def answer(request: HttpRequest) -> HttpResponse:
        scheme = request.META.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
        peer = _parse(str(request.META.get("REMOTE_ADDR", "")))
        if scheme in ("http", "https") and peer is not None and _is_trusted(peer):
            request.META["wsgi.url_scheme"] = scheme
        return get_response(request)

    return answer


@cache
def _warn_of_unnamed_proxy() -> None:
    """Once for a process: doctor does not see requests."""
    log.warning("proxy_not_named", reason="requests come through a proxy that NEWSLETTER_TRUSTED_PROXY does not name")


def _client(forwarded_for: str) -> Address | None:
    """The rightmost hop that is no trusted proxy: each proxy appends whom it saw, and what is left of that is hearsay."""
    for hop in reversed(forwarded_for.split(",")):
        address = _parse_hop(hop.strip())
        if address is None or not _is_trusted(address):
            return address
    return None


def _parse_hop(hop: str) -> Address | None:
    """An address as proxies write it: `1.2.3.4`, `1.2.3.4:5678`, `2001:db8::1`, `[2001:db8::1]:443`, also in quotes."""
    hop = hop.removeprefix('"').removesuffix('"')
    if hop.startswith("["):
        host, closed, rest = hop[1:].partition("]")
        return _parse(host) if closed and (not rest or _is_port(rest)) else None
    host, colon, port = hop.partition(":")
    return _parse(host) if _is_port(colon + port) else _parse(hop)


def _is_port(text: str) -> bool:
    digits = text.removeprefix(":")
    return text.startswith(":") and digits.isascii() and digits.isdigit() and len(digits) <= 5


def _parse(text: str) -> Address | None:
    """An address without its zone; IPv4 in IPv6 (`::ffff:1.2.3.4`, as dual-stack sockets show it) as IPv4."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def _is_trusted(address: Address) -> bool:
    return any(address in network for network in wiring.config().trusted_proxy)
