"""Examine what the DNS says about the sender's domain."""

from collections.abc import Iterator

from newsletter import wiring
from newsletter.cli.service.doctor.finding import Finding
from newsletter.dns_check.check import check_dns
from newsletter.dns_check.finding import Verdict

_VERDICTS = {Verdict.GOOD: "ok", Verdict.WARN: "warn", Verdict.BAD: "fail"}


def dns() -> Iterator[Finding]:
    """SPF, DKIM, DMARC, MX and PTR, as the page Sending shows them."""
    for one in check_dns(wiring.checked_sender(), wiring.dns_lookup()):
        advice = f": {one.advice}" if one.advice else ""
        yield Finding(one.what, _VERDICTS[one.verdict], f"{one.message}{advice}")
