"""Count the requests of each client network in the current hour, under keyed hashes that cannot be linked to a request."""

from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Final

from django.db.models import QuerySet

from newsletter.lib import db
from newsletter.lib.crypto import Vault
from newsletter.models import NetworkCount, SignUpRequest

#: Requests of one kind that one network may make in an hour.
MOST: Final = 60
#: Prefix length by IP version: what one site or household usually has to itself.
PREFIXES: Final = {4: 24, 6: 48}
_UNLIMITED: Final = 2**31 - 1

Client = IPv4Address | IPv6Address


def count(client: Client | None, kind: SignUpRequest.Kind, *, now: datetime, vault: Vault) -> int | None:
    """Count one more request; returns how many its network made in this hour, or None if it may make no more.

    All clients without a known address count as one network, which has no limit. One statement, the same for everybody.
    """
    hour = _hour(now)
    counted = db.rows(
        "INSERT INTO network_count (network, hour, requests) VALUES (%(network)s, %(hour)s, 1) "
        "ON CONFLICT (network) DO UPDATE SET requests=network_count.requests+1 "
        "WHERE network_count.requests<%(most)s RETURNING requests",
        {
            "network": vault.blind_index("network", f"{kind} {hour:%Y-%m-%dT%H} {network_of(client)}"),
            "hour": hour,
            "most": _UNLIMITED if client is None else MOST,
        },
    )
    return counted[0][0] if counted else None


def network_of(client: Client | None) -> str:
    """The /24 or /48 of a client; `unknown` for None."""
    return "unknown" if client is None else str(ip_network(f"{client}/{PREFIXES[client.version]}", strict=False))


def prune(now: datetime) -> int:
    """Delete the counts of hours that are over; returns rows."""
    return expired(now).delete()[0]


def expired(now: datetime) -> QuerySet[NetworkCount]:
    """The rows that are kept no longer."""
    return NetworkCount.objects.filter(hour__lt=_hour(now))


def _hour(now: datetime) -> datetime:
    """The hour by the clock. The moment of the first request would identify whoever signed up then."""
    return now.replace(minute=0, second=0, microsecond=0)
