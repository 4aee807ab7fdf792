"""Row 10: one typed address is one mailbox: no second one, no command, no look-alike under another's name."""

import pytest

from newsletter import wiring
from newsletter.lib.mail import headers
from newsletter.lib.mail.provider_interface import Address
from newsletter.models import SignUpRequest
from newsletter.subscribers.email_address import index_of, parse_address
from tests.web.conftest import signing_up

pytestmark = pytest.mark.django_db

#: Would be more than one recipient, or a command, in an envelope or a header.
INJECTED = [
    *("a@b.example.org\r\nRCPT TO:<v@evil.example.org>", "a@example.org\nBcc: v@example.org", "a@example.org\x00"),
    *("a,v@example.org", "a@example.org,v@example.org", "a@example.org;v@example.org", "a@example.org v@example.org"),
    *("<a@example.org>", "A <a@example.org>", '"a"@example.org', '"<x>"@example.org', '"a@b"@example.org'),
    *("@relay.org:a@example.org", "a%v@example.org@relay.org", "a@b@example.org", "relay.org!a@", "a@example.org:25"),
    *("a@[127.0.0.1]", "a@[IPv6:::1]", "a(v@example.org)@example.org", "a@example.org(x)"),
    *("а@example.org", "a\u202e@example.org", "a@exam\u200bple.org", f"{'a' * 65}@example.org"),
]
#: Are none that mail could reach.
UNFIT = [
    *("a@127.0.0.1", "a@localhost", "a@printer.local", "a..b@example.org", ".a@example.org", "a@-example.org"),
    *("=?utf-8?q?a?=@example.org", f"a@{'b' * 64}.org", f"a@{'abcdefghi.' * 26}org", "a" * 1_000),
]
TRICKS = INJECTED + UNFIT


@pytest.mark.parametrize("typed", TRICKS, ids=lambda typed: ascii(typed)[:30])
def test_the_form_refuses_it_and_stores_nothing(client, topics, typed: str) -> None:
    for path in ("/", "/preferences"):
        assert client.post(path, signing_up(topics, address=typed)).status_code == 422
    assert not SignUpRequest.objects.exists()


@pytest.mark.parametrize("typed", INJECTED, ids=lambda typed: ascii(typed)[:30])
def test_no_envelope_is_written_for_it_even_if_it_were_stored(typed: str) -> None:
    with pytest.raises(headers.NotMailable):
        headers.recipient(Address(typed))


def test_a_domain_of_look_alikes_is_another_domain() -> None:
    """Cyrillic а, Greek ο, full-width and composed letters: only what IDNA makes equal is equal."""
    plain = index_of(parse_address("a@paypal.org"), wiring.vault())
    for typed in ("a@pаypal.org", "a@paypaι.org", "a@раураl.org"):
        kept = parse_address(typed)
        assert kept.value.isascii() and "xn--" in kept.value
        assert index_of(kept, wiring.vault()) != plain
    for typed in ("a@PayPal.org", "a@ｐａｙｐａｌ.org"):
        assert index_of(parse_address(typed), wiring.vault()) == plain
    assert parse_address("a@exa\u0308mple.org") == parse_address("a@exämple.org"), "composed or not"
