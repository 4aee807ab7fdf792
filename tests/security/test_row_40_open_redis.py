"""Row 40: who can write to Redis can ring tasks: one on another machine that asks for no password is told by `doctor`.

The container's Redis asks for one: tests/packaging/test_compose.py.
"""

from dataclasses import replace

import pytest

from newsletter.cli.service.doctor import installation
from newsletter.config.validators import broker


@pytest.mark.parametrize(
    "host", ["redis", "10.0.0.5", "redis.example.org", "[fd00::5]", "user@10.0.0.5", "localhost.example.org"]
)
@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_a_redis_elsewhere_without_a_password_is_told(settings, host: str, scheme: str) -> None:
    settings.NEWSLETTER = replace(settings.NEWSLETTER, broker_url=broker(f"{scheme}://{host}:1/0"))
    found = installation.broker()
    assert (found.verdict, "requirepass" in found.message) == ("warn", True)


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:{port}/0", "redis://localhost:{port}/0", "redis://:secret@127.0.0.2:{port}/0"]
)
def test_one_on_this_machine_is_well(settings, redis_server, url: str) -> None:
    host = url.format(port=redis_server.port).replace("127.0.0.2", "127.0.0.1")
    settings.NEWSLETTER = replace(settings.NEWSLETTER, broker_url=broker(host))
    assert installation.broker().verdict == "ok"


def test_a_password_elsewhere_is_no_reason_to_warn_and_is_not_shown(settings) -> None:
    settings.NEWSLETTER = replace(settings.NEWSLETTER, broker_url=broker("redis://:canary7f3a@redis.invalid:1/0"))
    found = installation.broker()
    assert "requirepass" not in found.message and "canary7f3a" not in repr(found)
