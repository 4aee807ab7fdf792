"""SPF: whether the domain's record lets the providers send."""

from collections.abc import Iterator

from newsletter.dns_check.finding import DnsFinding, bad, good, warn
from newsletter.dns_check.lookup import Lookup, LookupFailed
from newsletter.dns_check.sender import Carrier, CheckedSender
from newsletter.dns_check.spf_record import MOST_LOOKUPS, SpfRecord, read_spf
from newsletter.lib.loopback import is_loopback

_SENDGRID = "sendgrid.net"
_OWN_RETURN_PATH = (
    "with SendGrid's domain authentication mail has a return path of its own below this domain, whose name only your "
    "SendGrid account shows: look there whether it is verified"
)


def check_spf(sender: CheckedSender, lookup: Lookup) -> Iterator[DnsFinding]:
    """One finding about the record, and one for each provider."""
    try:
        record = read_spf(sender.domain, lookup)
    except LookupFailed as error:
        yield warn("SPF", f"could not be looked up: {error}", "try again; if it stays so, look at your name servers")
        return
    yield _record(sender, record)
    if len(record.texts) == 1:
        for carrier in sender.carriers:
            yield _sendgrid(carrier, record) if carrier.kind == "sendgrid" else _server(carrier, record, lookup)


def _record(sender: CheckedSender, record: SpfRecord) -> DnsFinding:
    domain, start = record.domain, _suggestion(sender)
    if not record.texts:
        advice = f"add a TXT record to {domain}: {start}"
        if not sender.carried_by("smtp"):
            return warn("SPF", f"{domain} has no record; {_OWN_RETURN_PATH}", advice)
        return bad("SPF", f"{domain} has no record, so anybody may send in its name", advice)
    if len(record.texts) > 1:
        return bad("SPF", f"{domain} has {len(record.texts)} records: receivers use none", "join them into one")
    if record.ending == "+":
        return bad("SPF", "the record ends with +all: it lets everybody send", "end it with ~all or -all")
    if record.errors:
        return bad("SPF", record.errors[0], "correct the record: receivers take it for an error as a whole")
    if record.lookups > MOST_LOOKUPS:
        return bad(
            "SPF",
            f"the record takes {record.lookups} look-ups, and receivers stop at {MOST_LOOKUPS}",
            "take out what no longer sends, or replace a: and mx by ip4:",
        )
    if record.ending in ("", "?"):
        return warn("SPF", "the record does not say that others may not send", "end it with ~all or -all")
    return good("SPF", f"one record, {record.lookups} of {MOST_LOOKUPS} look-ups, ends with {record.ending}all")


def _suggestion(sender: CheckedSender) -> str:
    parts = ["include:sendgrid.net" for carrier in sender.carriers if carrier.kind == "sendgrid"][:1]
    parts += [f"a:{carrier.host}" for carrier in sender.carriers if carrier.host and not is_loopback(carrier.host)]
    return " ".join(["v=spf1", *parts, "~all"])


def _sendgrid(carrier: Carrier, record: SpfRecord) -> DnsFinding:
    what = f"SPF for {carrier.name}"
    if _SENDGRID in record.included:
        return good(what, "the record includes sendgrid.net")
    return warn(what, f"the record does not include sendgrid.net; {_OWN_RETURN_PATH}")


def _server(carrier: Carrier, record: SpfRecord, lookup: Lookup) -> DnsFinding:
    what, host = f"SPF for {carrier.name}", carrier.host
    if is_loopback(host):
        return warn(
            what,
            "mail is handed to a server on this machine: the address from which that sends cannot be known here",
            "check that the record names it",
        )
    if any(host == name or host.endswith(f".{_owner(name)}") for name in record.included):
        return good(what, f"the record includes the networks of {host}")
    try:
        addresses = lookup.addresses(host)
    except LookupFailed as error:
        return warn(what, f"{host} could not be looked up: {error}")
    if not addresses:
        return bad(what, f"{host} has no address", "check NEWSLETTER_MAIL_URL")
    missing = [str(address) for address in addresses if not record.allows(address)]
    if not missing:
        return good(what, f"the record lets {host} send")
    return warn(
        what,
        f"the record does not name {', '.join(missing)} ({host}); if {host} sends from other addresses, this says nothing",
        f"ask who runs {host} what to include, or add a:{host}",
    )


def _owner(name: str) -> str:
    """The part of an included name that its owner registered, roughly: `_spf.mail.example.org` → `example.org`.

    One label more where the last two look like those of a country, as in `example.co.uk`.
    """
    labels = name.split(".")
    of_a_country = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3:] if of_a_country else labels[-2:])
