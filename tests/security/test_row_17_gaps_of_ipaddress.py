"""Row 17: addresses that Python's `is_global` calls public and that lead into private networks."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.feeds.fetching import address_guard

GAPS = ("64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "224.0.0.1", "192.0.0.192", "192.88.99.1")
MORE = (
    "64:ff9b:1::7f00:1",
    "2001:0:7f00:1::",
    "::ffff:0:7f00:1",
    "fec0::1",
    "100::1",
    "5f00::1",
    "255.255.255.255",
    "fe80::1%1",
)


@pytest.mark.parametrize("address", GAPS + MORE)
def test_it_is_not_public(address: str) -> None:
    assert not address_guard.is_public_address(address)


def test_the_standard_library_alone_would_let_some_through() -> None:
    """Else the list of ours could go."""
    assert any(ipaddress.ip_address(one).is_global for one in GAPS)


@given(
    st.ip_addresses(network="10.0.0.0/8")
    | st.ip_addresses(network="127.0.0.0/8")
    | st.ip_addresses(network="169.254.0.0/16")
)
def test_no_wrapping_makes_a_private_address_public(inner: ipaddress.IPv4Address) -> None:
    high, low = int(inner) >> 16, int(inner) & 0xFFFF
    for form in ("{}", "::{}", "::ffff:{}", "::ffff:0:{}"):
        assert not address_guard.is_public_address(form.format(inner))
    for form in ("64:ff9b::{:x}:{:x}", "2002:{:x}:{:x}::1", "2001:0:{:x}:{:x}::1", "64:ff9b:1::{:x}:{:x}"):
        assert not address_guard.is_public_address(form.format(high, low))
