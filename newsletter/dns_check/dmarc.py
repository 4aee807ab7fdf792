"""DMARC: the domain's policy, and whether our mail is aligned with its From (RFC 7489)."""

from collections.abc import Iterator

from newsletter.dns_check.dkim import read_tags
from newsletter.dns_check.finding import DnsFinding, bad, good, warn
from newsletter.dns_check.lookup import Lookup, LookupFailed
from newsletter.dns_check.sender import CheckedSender


def check_dmarc(sender: CheckedSender, lookup: Lookup) -> Iterator[DnsFinding]:
    """One finding about the policy, one about alignment."""
    try:
        found = _find(sender.domain, lookup)
    except LookupFailed as error:
        yield warn("DMARC", f"could not be looked up: {error}", "try again")
        return
    if found is None:
        advice = f"add a TXT record to _dmarc.{sender.domain}: v=DMARC1; p=none; rua=mailto:ADDRESS"
        yield bad("DMARC", "there is no record: Gmail and Yahoo ask for one of who sends much", advice)
        return
    name, records = found
    if len(records) > 1:
        yield bad("DMARC", f"{name} has {len(records)} records: receivers use none", "keep one of them")
        return
    yield _policy(sender.domain, name, records[0])
    yield _alignment(sender, records[0])


def _find(domain: str, lookup: Lookup) -> tuple[str, list[dict[str, str]]] | None:
    """The records of the domain; else those of the nearest domain above it that has some."""
    labels = domain.split(".")
    for start in range(max(len(labels) - 1, 1)):
        name = "_dmarc." + ".".join(labels[start:])
        tags = [read_tags(text) for text in lookup.txt(name) if text.lower().replace(" ", "").startswith("v=dmarc1")]
        if tags:
            return name, tags
    return None


def _policy(domain: str, name: str, tags: dict[str, str]) -> DnsFinding:
    inherited = name != f"_dmarc.{domain}"
    policy = (tags.get("sp") if inherited else None) or tags.get("p", "")
    where = f"{name} says {policy or 'nothing'}"
    if policy not in ("none", "quarantine", "reject"):
        return bad("DMARC", f"{name} has no policy", "write p=none, p=quarantine or p=reject after v=DMARC1")
    if policy == "none":
        return warn(
            "DMARC",
            f"{where}: forged mail in your name is delivered",
            "when SPF and DKIM are good, change it to p=quarantine",
        )
    if "rua" not in tags:
        return warn("DMARC", f"{where}, and nobody gets the reports", "add rua=mailto:ADDRESS to see who fails it")
    return good("DMARC", where)


def _alignment(sender: CheckedSender, tags: dict[str, str]) -> DnsFinding:
    """Our envelope's sender is the From address with SMTP, and a name below its domain with SendGrid."""
    what = "DMARC alignment"
    if sender.carried_by("sendgrid") and tags.get("aspf", "r") == "s":
        return warn(
            what,
            "aspf=s asks for the very domain of From, and SendGrid's return path is below it: only DKIM is aligned",
            "write aspf=r, or leave it out",
        )
    if sender.carried_by("smtp"):
        return good(what, f"From and the return path are both {sender.domain}; sign DKIM with d={sender.domain} too")
    return good(what, f"SendGrid signs with d={sender.domain} once its domain authentication is verified")
