"""The network of a client."""

from ipaddress import ip_address

import pytest

from newsletter.subscribers.limits import network_limit


@pytest.mark.parametrize(
    ("first", "other", "same"),
    [
        ("198.51.100.7", "198.51.100.200", True),
        ("198.51.100.7", "198.51.101.7", False),
        ("2001:db8:1::1", "2001:db8:1:ffff::9", True),
        ("2001:db8:1::1", "2001:db8:2::1", False),
    ],
)
def test_network_is_24_or_48_bits(first, other, same):
    networks = {network_limit.network_of(ip_address(client)) for client in (first, other)}
    assert (len(networks) == 1) == same
