"""The DNS check, asked of a real name server: what is good, what is wrong, and what cannot be known."""

import base64
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from newsletter.dns_check.check import check_dns
from newsletter.dns_check.lookup import Lookup
from newsletter.dns_check.sender import Carrier, CheckedSender
from tests.fakes.dns_server import DnsServer

SMTP = Carrier("smtp", "smtp", "mail.example.org")
SENDGRID = Carrier("sendgrid", "sendgrid")


@cache
def dkim(bits: int = 2048, tags: str = "v=DKIM1; k=rsa; ") -> str:
    """A key as it stands in the DNS: in parts of at most 255 bytes."""
    key = rsa.generate_private_key(65537, bits).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = f"{tags}p={base64.b64encode(der).decode()}"
    return " ".join(f'"{text[start : start + 200]}"' for start in range(0, len(text), 200))


def zone(**changes: list[str]) -> dict[tuple[str, str], list[str]]:
    """A domain in order; `changes` replace records: `spf`, `dkim`, `dmarc`, `mx`, `a`, `ptr`."""
    records = {
        "spf": ['"v=spf1 a:mail.example.org include:_spf.example.net ~all"', '"another-site-verification=1"'],
        "dkim": [dkim()],
        "dmarc": ['"v=DMARC1; p=quarantine; rua=mailto:dmarc@example.org"'],
        "mx": ["10 mail.example.org."],
        "a": ["192.0.2.7"],
        "ptr": ["mail.example.org."],
    } | changes
    names = {
        "spf": ("example.org", "TXT"),
        "dkim": ("k1._domainkey.example.org", "TXT"),
        "dmarc": ("_dmarc.example.org", "TXT"),
        "mx": ("example.org", "MX"),
        "a": ("mail.example.org", "A"),
        "ptr": ("7.2.0.192.in-addr.arpa", "PTR"),
    }
    more = {("_spf.example.net", "TXT"): ['"v=spf1 ip4:198.51.100.0/24 ip6:2001:db8::/32 -all"']}
    return {names[name]: rows for name, rows in records.items() if rows} | more


def check(records: dict[tuple[str, str], list[str]], *carriers: Carrier, selectors=("k1",), deadline=10.0, **server):
    """Findings by what they are about: (verdict, message with advice)."""
    sender = CheckedSender("example.org", carriers or (SMTP,), selectors)
    with DnsServer(records, **server) as answers:
        found = check_dns(sender, Lookup(answers.address, deadline=deadline))
    return {one.what: (one.verdict.value, f"{one.message} {one.advice}") for one in found}


def test_a_domain_in_order_is_good_throughout():
    found = check(zone())
    assert {verdict for verdict, _ in found.values()} == {"good"}, found
    assert list(found) == ["SPF", "SPF for smtp", "DKIM k1", "DMARC", "DMARC alignment", "MX", "PTR for smtp"]
    assert "2 of 10 look-ups" in found["SPF"][1]


@pytest.mark.parametrize(
    ("change", "what", "verdict", "words"),
    [
        ({"spf": []}, "SPF", "bad", "v=spf1 a:mail.example.org ~all"),
        ({"spf": ['"v=spf1 -all"', '"v=spf1 ~all"']}, "SPF", "bad", "2 records"),
        ({"spf": ['"v=spf1 a:mail.example.org +all"']}, "SPF", "bad", "+all"),
        ({"spf": ['"v=spf1 a:mail.example.org"']}, "SPF", "warn", "~all or -all"),
        ({"spf": ['"v=spf1 include:nowhere.example -all"']}, "SPF", "bad", "nowhere.example"),
        ({"spf": ['"v=spf1 include:example.org -all"']}, "SPF", "bad", "look-ups"),
        ({"spf": [f'"v=spf1 {"exists:%{i}.x.example " * 11}-all"']}, "SPF", "bad", "11 look-ups"),
        ({"spf": ['"v=spf1 redirect=_spf.example.net"']}, "SPF", "good", "-all"),
        ({"spf": ['"v=spf1 ip4:192.0.2.0/29 -all"']}, "SPF for smtp", "good", "lets mail.example.org send"),
        ({"spf": ['"v=spf1 mx -all"']}, "SPF for smtp", "good", "lets mail.example.org send"),
        ({"spf": ['"v=spf1 ip4:203.0.113.1 -all"']}, "SPF for smtp", "warn", "192.0.2.7"),
        ({"dkim": []}, "DKIM k1", "bad", "k1._domainkey.example.org"),
        ({"dkim": ['"v=DKIM1; p="']}, "DKIM k1", "bad", "withdrawn"),
        ({"dkim": ['"v=DKIM1; p=AAAA"']}, "DKIM k1", "bad", "cannot be read"),
        ({"dkim": [dkim(1024)]}, "DKIM k1", "warn", "1024 bits"),
        ({"dkim": [dkim(2048, "v=DKIM1; t=y; ")]}, "DKIM k1", "warn", "t=y"),
        ({"dmarc": []}, "DMARC", "bad", "_dmarc.example.org"),
        ({"dmarc": ['"v=DMARC1; p=none"']}, "DMARC", "warn", "p=quarantine"),
        ({"dmarc": ['"v=DMARC1; p=reject"']}, "DMARC", "warn", "rua=mailto"),
        ({"dmarc": ['"v=DMARC1; rua=mailto:a@example.org"']}, "DMARC", "bad", "no policy"),
        ({"mx": []}, "MX", "bad", "replies and bounces"),
        ({"mx": ["0 ."]}, "MX", "bad", "takes no mail"),
        ({"ptr": []}, "PTR for smtp", "warn", "192.0.2.7"),
        ({"ptr": ["other.example."]}, "PTR for smtp", "warn", "192.0.2.7"),
    ],
)
def test_what_is_wrong_says_what_to_do(change, what, verdict, words):
    found = check(zone(**change))
    assert found[what][0] == verdict and words in found[what][1], found[what]


@pytest.mark.parametrize(
    ("host", "included", "verdict"),
    [
        ("smtp.relay.example", "_spf.relay.example", "good"),
        ("smtp.other.co.uk", "_spf.relay.co.uk", "bad"),
        ("smtp.relay.co.uk", "_spf.relay.co.uk", "good"),
    ],
)
def test_a_relay_sends_from_the_networks_that_its_owner_names(host, included, verdict):
    spf = [f'"v=spf1 include:{included} -all"']
    more = {(included, "TXT"): ['"v=spf1 ip4:198.51.100.0/24 -all"']}
    assert check(zone(spf=spf) | more, Carrier("smtp", "smtp", host))["SPF for smtp"][0] == verdict


def test_sendgrid_has_selectors_and_a_return_path_of_its_own():
    sendgrid = {("s1._domainkey.example.org", "TXT"): [dkim()]}
    found = check(
        zone(dmarc=['"v=DMARC1; p=reject; aspf=s; rua=mailto:a@example.org"']) | sendgrid, SENDGRID, selectors=()
    )
    assert found["DKIM s1"][0] == "good" and found["DKIM s2"][0] == "bad"
    assert found["SPF for sendgrid"][0] == "warn" and "only your SendGrid account shows" in found["SPF for sendgrid"][1]
    assert found["DMARC alignment"][0] == "warn" and "aspf=r" in found["DMARC alignment"][1]
    assert not any(what.startswith("PTR") for what in found)


def test_what_cannot_be_known_is_said():
    found = check(zone(), Carrier("smtp", "smtp", "localhost"), selectors=())
    assert "cannot be known here" in found["SPF for smtp"][1] and "NEWSLETTER_DKIM_SELECTOR" in found["DKIM"][1]


def test_a_policy_of_the_domain_above_counts():
    sender = CheckedSender("news.example.org", (SENDGRID,), ("k1",))
    with DnsServer(zone(dmarc=['"v=DMARC1; p=none; sp=reject; rua=mailto:a@example.org"'])) as server:
        found = {one.what: one for one in check_dns(sender, Lookup(server.address))}
    assert found["DMARC"].message == "_dmarc.example.org says reject"


def test_name_servers_that_fail_or_are_silent_hold_nothing_up():
    found = check(zone(), broken={"example.org"}, silent={"_dmarc.example.org", "7.2.0.192.in-addr.arpa"}, deadline=1.0)
    assert found["SPF"] == ("warn", "could not be looked up: TXT of example.org: the name server could not answer "
                            "try again; if it stays so, look at your name servers")  # fmt: skip
    assert found["DKIM k1"][0] == "good"
    assert "no answer in time" in found["DMARC"][1] or "no time was left" in found["DMARC"][1]
    assert "no time was left" in found["PTR for smtp"][1]


def test_files_and_this_machine_are_not_looked_up():
    (local,) = check_dns(CheckedSender("localhost", (SMTP,)), Lookup(("127.0.0.1", 9)))
    (files,) = check_dns(CheckedSender("example.org", ()), Lookup(("127.0.0.1", 9)))
    assert "NEWSLETTER_FROM" in local.advice and "NEWSLETTER_MAIL_URL" in files.advice
