"""Only this machine is this machine."""

import pytest

from newsletter.lib.loopback import is_loopback

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.10", "::1", "::1%lo", "::ffff:127.0.0.1"])
def test_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "0.0.0.0",
        "::",
        "10.0.0.1",
        "::ffff:10.0.0.1",
        "fe80::1%lo",
        "localhost.example.org",
        "127.0.0.1.example.org",
        "127.1",
    ],
)
def test_other_machines(host):
    assert not is_loopback(host)
