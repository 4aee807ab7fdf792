"""Read an SPF record (RFC 7208) with all that it includes: the networks that may send, and how many look-ups that takes."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

from newsletter.dns_check.lookup import Lookup, LookupFailed

#: RFC 7208, 4.6.4: a record that takes more look-ups is an error for the receiver.
MOST_LOOKUPS: Final = 10
#: Records that we read no further: an error for the receiver long before.
_MOST_READ: Final = 25
_ASKS: Final = frozenset({"include", "a", "mx", "ptr", "exists"})


@dataclass
class SpfRecord:
    """What a domain's SPF says. `ending` is the qualifier of `all` (`-`, `~`, `?`, `+`), empty where there is none."""

    domain: str
    texts: tuple[str, ...]
    ending: str = ""
    lookups: int = 0
    networks: list[IPv4Network | IPv6Network] = field(default_factory=list)
    included: set[str] = field(default_factory=set)
    #: What a receiver takes for an error, in words.
    errors: list[str] = field(default_factory=list)

    def allows(self, address: IPv4Address | IPv6Address) -> bool:
        """Whether this address may send."""
        return any(address.version == network.version and address in network for network in self.networks)


def read_spf(domain: str, lookup: Lookup) -> SpfRecord:
    """The SPF record of a domain; `texts` is empty if there is none, and holds several where a receiver takes none.

    Raises:
        LookupFailed: the record itself could not be asked for.
    """
    record = SpfRecord(domain, _texts(domain, lookup))
    if len(record.texts) == 1:
        _read(record.texts[0], domain, record, lookup, top=True)
    return record


def _texts(domain: str, lookup: Lookup) -> tuple[str, ...]:
    return tuple(text for text in lookup.txt(domain) if text.lower().split(" ")[0] == "v=spf1")


def _read(text: str, domain: str, record: SpfRecord, lookup: Lookup, *, top: bool) -> None:
    redirect = ""
    for term in text.lower().split()[1:]:
        if term.startswith("redirect="):
            redirect = term.removeprefix("redirect=")
            continue
        qualifier, mechanism = (term[0], term[1:]) if term[0] in "+-~?" else ("+", term)
        name, _, value = mechanism.partition(":")
        name, _, prefix = name.partition("/")
        if name == "all":
            record.ending = qualifier if top else record.ending
            return
        if name in _ASKS:
            record.lookups += 1
        if qualifier == "+" and record.lookups <= _MOST_READ:
            _mechanism(name, value, prefix, domain, record, lookup)
    if redirect:
        record.lookups += 1
        _follow(redirect, record, lookup, top=top)


def _mechanism(name: str, value: str, prefix: str, domain: str, record: SpfRecord, lookup: Lookup) -> None:
    if "%{" in value:  # a macro depends on the mail
        return
    match name:
        case "include":
            record.included.add(value)
            _follow(value, record, lookup, top=False)
        case "ip4" | "ip6":
            _add_network(value, record)
        case "a" | "mx":
            host, _, bits = value.partition("/")
            _add_hosts(name, host or domain, (bits or prefix).partition("/")[0], record, lookup)


def _follow(domain: str, record: SpfRecord, lookup: Lookup, *, top: bool) -> None:
    try:
        texts = _texts(domain, lookup)
    except LookupFailed as error:
        record.errors.append(f"it includes {domain}, which could not be read ({error})")
        return
    if len(texts) != 1:
        record.errors.append(f"it includes {domain}, which has {'several' if texts else 'no'} SPF records")
    elif record.lookups <= _MOST_READ:
        _read(texts[0], domain, record, lookup, top=top)


def _add_network(value: str, record: SpfRecord) -> None:
    try:
        record.networks.append(ip_network(value, strict=False))
    except ValueError:
        record.errors.append(f"{value} in it is no network")


def _add_hosts(name: str, host: str, bits: str, record: SpfRecord, lookup: Lookup) -> None:
    try:
        hosts = lookup.mx(host)[:MOST_LOOKUPS] if name == "mx" else [host]
        addresses = [address for each in hosts if each != "." for address in lookup.addresses(each)]
    except LookupFailed as error:
        record.errors.append(f"it names {host}, which could not be looked up ({error})")
        return
    for address in addresses:
        _add_network(f"{address}/{bits}" if bits.isdigit() and address.version == 4 else str(address), record)
