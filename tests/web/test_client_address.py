"""Whose request it is: a trusted proxy says so, and nobody else's header has a say."""

from dataclasses import replace
from ipaddress import IPv6Address, ip_address, ip_network

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from newsletter import wiring
from newsletter.web.client_address import FORWARDING_HEADERS, client_address, forwarded_scheme

PROXIES = tuple(map(ip_network, ("127.0.0.1", "::1", "10.0.0.0/8", "2001:db8:5::/48")))


@pytest.fixture
def believe(settings):
    """Put the service behind proxies, with pages over https or http."""

    def behind(*proxies, base_url="https://news.example.org"):
        settings.NEWSLETTER = replace(wiring.config(), trusted_proxy=proxies, base_url=base_url)

    return behind


def seen(peer: str, forwarded_for: str | None = None, **headers: str) -> str | None:
    if forwarded_for is not None:
        headers["HTTP_X_FORWARDED_FOR"] = forwarded_for
    address = client_address(RequestFactory().get("/", REMOTE_ADDR=peer, **headers))
    return None if address is None else str(address)


@pytest.mark.parametrize(
    ("forwarded_for", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("198.51.100.1,203.0.113.9 , 10.1.2.3,127.0.0.1", "203.0.113.9"),
        ("2001:db8::9", "2001:db8::9"),
        ("[2001:db8::9]", "2001:db8::9"),
        ("[2001:db8::9]:443", "2001:db8::9"),
        ('"[2001:db8::9]:443"', "2001:db8::9"),
        ("2001:db8::9, 2001:db8:5::1", "2001:db8::9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, ::ffff:10.0.0.1", "203.0.113.9"),
        ("192.168.7.7", "192.168.7.7"),
        ("fe80::9%eth0", "fe80::9"),
        ("garbage, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, garbage", None),
        ("203.0.113.9, unknown, 10.0.0.1", None),
        ("203.0.113.9,", None),
        ("203.0.113.9:port", None),
        ("203.0.113.9:123456", None),
        ("[2001:db8::9]443", None),
        ("[203.0.113.9", None),
        ("2001:db8::9:4711:1:1:1:1:1", None),
        ("010.0.0.1", None),
        ("3405803785", None),
        ("", None),
        ("10.0.0.1, 10.0.0.2", None),
        (None, None),
    ],
)
def test_the_rightmost_hop_that_is_no_proxy_is_the_client(believe, forwarded_for, client) -> None:
    believe(*PROXIES)
    for peer in ("127.0.0.1", "10.9.9.9", "::1", "::ffff:127.0.0.1"):
        assert seen(peer, forwarded_for) == client


def test_an_unbracketed_ipv6_address_with_a_port_is_read_as_the_address_it_also_is(believe) -> None:
    believe(*PROXIES)
    assert seen("127.0.0.1", "2001:db8::9:4711") == "2001:db8::9:4711"


@pytest.mark.parametrize("header", FORWARDING_HEADERS)
def test_a_client_that_goes_past_the_proxy_is_itself_whatever_it_sends(believe, header) -> None:
    for proxies, base_url in ((PROXIES, "https://news.example.org"), ((), "http://news.example.org")):
        believe(*proxies, base_url=base_url)
        assert seen("9.9.9.9", **{header: "203.0.113.9"}) == "9.9.9.9"
        assert seen("2620:fe::fe", **{header: "203.0.113.9"}) == "2620:fe::fe"


@pytest.mark.parametrize("peer", ["127.0.0.1", "172.18.0.1", "::1", "fd00::1", "9.9.9.9"])
def test_behind_a_proxy_that_nobody_named_no_client_is_known(believe, peer) -> None:
    believe()
    assert seen(peer) is None
    assert seen(peer, "203.0.113.9") is None


@pytest.mark.parametrize("header", FORWARDING_HEADERS)
def test_a_private_peer_that_forwards_is_a_proxy(believe, header) -> None:
    believe(base_url="http://127.0.0.1:8000")
    assert seen("172.18.0.1") == "172.18.0.1"
    assert seen("172.18.0.1", **{header: "203.0.113.9"}) is None
    believe(ip_network("127.0.0.1"))
    assert seen("172.18.0.1") is None, "the wrong proxy was named"
    assert seen("172.18.0.1", **{header: "203.0.113.9"}) is None


@pytest.mark.parametrize("peer", ["", "localhost", "unix"])
def test_a_peer_without_an_address_is_nobody(believe, peer) -> None:
    believe(base_url="http://127.0.0.1:8000")
    assert seen(peer, "203.0.113.9") is None


addresses = st.ip_addresses().map(str)


@given(
    lies=st.text(st.characters(max_codepoint=255), max_size=80),
    client=addresses,
    proxies=st.lists(st.sampled_from(PROXIES)),
)
def test_what_a_client_sends_never_chooses_its_address(lies, client, proxies) -> None:
    """Whatever it put in front, each proxy appends whom it saw: only that counts."""
    with pytest.MonkeyPatch.context() as patch:
        trusting = replace(wiring.config(), trusted_proxy=PROXIES, base_url="https://news.example.org")
        patch.setattr(wiring, "config", lambda: trusting)
        real = ip_address(client)
        real = (isinstance(real, IPv6Address) and real.ipv4_mapped) or real
        hops = ", ".join((lies, client, *(str(one[0]) for one in proxies)))
        if not any(real in network for network in PROXIES):
            assert seen("127.0.0.1", hops) == str(real)
        honest = None if real.is_private else str(real)
        assert seen(client, lies) in (honest, seen(client, ""))


@pytest.mark.parametrize(
    ("peer", "told", "secure"),
    [
        ("127.0.0.1", "https", True),
        ("127.0.0.1", "HTTPS", True),
        ("127.0.0.1", "http, https", True),
        ("127.0.0.1", "https, http", False),
        ("127.0.0.1", "http", False),
        ("127.0.0.1", "", False),
        ("127.0.0.1", "javascript", False),
        ("172.18.0.1", "https", False),
        ("9.9.9.9", "https", False),
        ("", "https", False),
    ],
)
def test_only_a_trusted_proxy_says_that_a_request_is_https(believe, peer, told, secure) -> None:
    believe(*PROXIES)
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_PROTO=told)
    assert forwarded_scheme(lambda request: request.is_secure())(request) is secure  # type: ignore[arg-type, return-value]
