"""Where replies and bounces go (MX), and whether the sending server's address has a name (PTR)."""

from collections.abc import Iterator

from newsletter.dns_check.finding import DnsFinding, bad, good, warn
from newsletter.dns_check.lookup import Lookup, LookupFailed
from newsletter.dns_check.sender import Carrier, CheckedSender
from newsletter.lib.loopback import is_loopback


def check_hosts(sender: CheckedSender, lookup: Lookup) -> Iterator[DnsFinding]:
    """One finding about the MX, and one for each mail server on another machine."""
    try:
        yield _mx(sender.domain, lookup)
    except LookupFailed as error:
        yield warn("MX", f"could not be looked up: {error}", "try again")
    for carrier in sender.carriers:
        if carrier.kind == "smtp" and not is_loopback(carrier.host):
            yield _ptr(carrier, lookup)


def _mx(domain: str, lookup: Lookup) -> DnsFinding:
    servers = lookup.mx(domain)
    if servers == ["."]:
        advice = "remove the empty MX, or send from a domain that takes mail"
        return bad("MX", f"{domain} says that it takes no mail: many receivers refuse mail from it", advice)
    if servers:
        return good("MX", f"mail to {domain} goes to {servers[0]}")
    if lookup.addresses(domain):
        return warn("MX", f"{domain} has no MX; mail goes to the server of its pages", "add an MX record")
    advice = "add an MX record: replies and bounces of SMTP cannot reach you, and receivers refuse such senders"
    return bad("MX", f"{domain} takes no mail: it has neither an MX nor an address", advice)


def _ptr(carrier: Carrier, lookup: Lookup) -> DnsFinding:
    """Only a hint: a server may send from another address than the one that takes our mail."""
    what = f"PTR for {carrier.name}"
    try:
        unnamed = [
            str(address)
            for address in lookup.addresses(carrier.host)
            if not any(address in lookup.addresses(name) for name in lookup.names(address))
        ]
    except LookupFailed as error:
        return warn(what, f"could not be looked up: {error}")
    if not unnamed:
        return good(what, f"the addresses of {carrier.host} have names that lead back to them")
    return warn(
        what,
        f"{', '.join(unnamed)} ({carrier.host}) has no name that leads back to it",
        "if it sends from that address, let its owner set the PTR record: receivers refuse servers without one",
    )
