"""`doctor --dns` prints what the DNS says, asked of a real name server; without the option nobody is asked."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from newsletter import wiring
from newsletter.cli.service.doctor.examine import examine
from newsletter.cli.service.doctor.finding import Finding
from tests.fakes.dns_server import DnsServer

pytestmark = pytest.mark.django_db


def test_doctor_looks_the_domain_up_only_when_it_is_told_to(settings) -> None:
    with DnsServer({("example.org", "TXT"): ['"v=spf1 ip4:192.0.2.1 -all"']}) as server:
        settings.NEWSLETTER = replace(
            wiring.config(),
            sender_address="digest@example.org",
            mail=urlsplit("smtp://localhost"),
            dns_server=server.address,
        )
        assert "SPF" not in {finding.what for finding in examine()} and not server.asked
        found = {finding.what: finding for finding in examine(dns=True)}
    assert found["SPF"] == Finding("SPF", "ok", "one record, 0 of 10 look-ups, ends with -all")
    assert found["MX"].verdict == "fail" and found["MX"].message.endswith("receivers refuse such senders")
