"""Ask the DNS, all questions together within one deadline."""

import time
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

import dns.exception
import dns.name
import dns.resolver
import dns.reversename

#: Seconds for all questions of one check, and for a single one.
DEADLINE: Final = 10.0
ONE_QUESTION: Final = 3.0


class LookupFailed(Exception):
    """No answer came, in time or at all: nothing is known. The message names what was asked."""


class Lookup:
    """Questions to the system's name servers, or to one (`server`: address and port)."""

    def __init__(self, server: tuple[str, int] | None = None, *, deadline: float = DEADLINE) -> None:
        self._server = server
        self._until = time.monotonic() + deadline
        self._resolver: dns.resolver.Resolver | None = None

    def txt(self, name: str) -> list[str]:
        """The TXT records of a name, each joined from its parts. As all of these: none if there is no such name.

        Raises:
            LookupFailed: as all of these.
        """
        return [b"".join(row.strings).decode("ascii", "replace") for row in self._ask(name, "TXT")]

    def mx(self, name: str) -> list[str]:
        """The mail servers of a name, the preferred first; `.` for a domain that takes no mail (RFC 7505)."""
        rows = sorted(self._ask(name, "MX"), key=lambda row: row.preference)
        return [row.exchange.to_text(omit_final_dot=len(row.exchange) > 1).lower() for row in rows]

    def addresses(self, name: str) -> list[IPv4Address | IPv6Address]:
        """The addresses of a name; an address stands for itself."""
        try:
            return [ip_address(name)]
        except ValueError:
            rows = [*self._ask(name, "A"), *self._ask(name, "AAAA")]
            return [ip_address(row.address) for row in rows]

    def names(self, address: IPv4Address | IPv6Address) -> list[str]:
        """The names of an address."""
        rows = self._ask(dns.reversename.from_address(str(address)).to_text(), "PTR")
        return [row.target.to_text(omit_final_dot=True).lower() for row in rows]

    def _ask(self, name: str, kind: str) -> list:  # type: ignore[type-arg]
        left = self._until - time.monotonic()
        if left <= 0:
            raise LookupFailed(f"{kind} of {name}: no time was left")
        try:
            return list(self._made().resolve(name, kind, lifetime=min(ONE_QUESTION, left), search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError) as error:
            raise LookupFailed(f"{kind} of {name}: {_why(error)}") from None

    def _made(self) -> dns.resolver.Resolver:
        if self._resolver is None:
            self._resolver = dns.resolver.Resolver(configure=self._server is None)
            if self._server is not None:
                self._resolver.nameservers, self._resolver.port = [self._server[0]], self._server[1]
        return self._resolver


def _why(error: Exception) -> str:
    match error:
        case dns.exception.Timeout():
            return "no answer in time"
        case dns.resolver.NoNameservers():
            return "the name server could not answer"
        case dns.resolver.NoResolverConfiguration():
            return "this machine has no name server"
    return "it cannot be asked"
