"""The private-address guard: no feed makes us connect to machines that only we can reach."""

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import httpcore2

from newsletter.lib.deadline import TimedStream, remaining

PORTS = frozenset({80, 443})
#: Addresses of one name that are tried, at most.
TRIES = 4
#: Networks that `is_global` accepts on some Python versions, or that lead into others.
DENIED = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
        *("192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
        *("::/8", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16"),
        *("fc00::/7", "fe80::/9", "ff00::/8"),
    )
)
NAT64 = ip_network("64:ff9b::/96")


class AddressBlocked(Exception):
    """This host and port may not be connected to; the message says what to do."""


def is_public_address(address: str) -> bool:
    """Return True for a unicast address of the public internet, also after unwrapping mapped, 6to4 and NAT64."""
    plain: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(plain, IPv6Address):
        inner = plain.ipv4_mapped or plain.sixtofour
        if inner is None and plain in NAT64:
            inner = IPv4Address(int(plain) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public_address(str(inner))
        if plain.teredo is not None:
            return False
    if any(plain in network for network in DENIED):
        return False
    return plain.is_global and not plain.is_multicast and not plain.is_reserved


class AddressGuard(httpcore2.NetworkBackend):
    """Resolves a name once, checks every address, and connects to one of those."""

    def __init__(self, allow: frozenset[tuple[str, int]] = frozenset()) -> None:
        self._allow = frozenset((host.lower(), port) for host, port in allow)
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to a checked address.

        Raises:
            AddressBlocked: a port other than 80 and 443, or a private address, and not in `allow`.
            httpcore2.ConnectError, httpcore2.ConnectTimeout: no such name, or no answer.
            TimeoutError: the deadline is over.
        """
        failure: Exception | None = None
        for address in self._checked(host, port)[:TRIES]:
            try:
                stream = self._inner.connect_tcp(address, port, remaining(timeout), local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return TimedStream(stream)
        raise failure or httpcore2.ConnectError(f"{host} has no address")

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.NetworkStream:
        """Refuse: no feed lives in a local socket."""
        raise AddressBlocked("sockets of this machine are not feeds")

    def _checked(self, host: str, port: int) -> list[str]:
        allowed = (host.lower().strip("[]"), port) in self._allow
        opens = f"set NEWSLETTER_FEED_ALLOW={host}:{port} if it may be read"
        if port not in PORTS and not allowed:
            raise AddressBlocked(f"port {port} is not 80 or 443: {opens}")
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"no such host: {host}") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
        if not allowed and not all(map(is_public_address, addresses)):
            raise AddressBlocked(f"{host} is a private address: {opens}")
        return addresses
