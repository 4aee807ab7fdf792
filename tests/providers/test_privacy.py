"""No provider lets an address, a password or a key out into logs, reprs or reasons, whatever the other side says."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.lib.mail.provider_interface import Accepted, Outcome, Parcel, Provider
from newsletter.providers.outbox import Outbox
from newsletter.providers.sendgrid.provider import SendGrid
from tests.fakes.sendgrid import FakeSendGrid
from tests.fakes.smtp import SmtpCatcher
from tests.providers.pieces import SENDER, parcel
from tests.providers.sinks import smtp

CANARY = "canary7f3a"
PASSWORD = "hunter2zzyzx"


def people() -> list[Parcel]:
    return [parcel(number, address=f"{CANARY}+{number}@example.org") for number in (1, 2)]


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    for name in ("python_http_client", "sendgrid", "smtplib", "urllib", "httpcore2", "h11"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield


def check(
    provider: Provider,
    outcomes: dict[int, Outcome],
    secrets: tuple[str, ...],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    shown = f"{outcomes} {provider!r} {people()!r} {caplog.text} {capfd.readouterr()}"
    for secret in (CANARY, *secrets):
        assert secret not in shown


@pytest.mark.parametrize("point", ["connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize("action", ["451 4.3.0", "550 5.1.1", "421", "drop", "399"])
def test_smtp(point: str, action: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    with SmtpCatcher(starttls=True, credentials=("user", PASSWORD)) as catcher:
        catcher.script(point, action)
        provider = smtp(catcher)
        outcomes = provider.hand_over(people())
        assert len(outcomes) == 2
        check(provider, outcomes, (PASSWORD,), caplog, capfd)


@pytest.mark.parametrize("words", ["250 2.0.0 Ok: queued as", "250 id=AB12CD for", "250 OK id=", "250 2.1.5"])
def test_smtp_accepts_with_an_address_in_its_words(
    words: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    for brackets in (True, False):
        with SmtpCatcher(brackets=brackets) as catcher:
            catcher.script("dot", words)  # and then the recipient's address
            provider = smtp(catcher)
            outcomes = provider.hand_over(people())
            assert len(catcher.accepted) == 2
            assert all(isinstance(one, Accepted) for one in outcomes.values())
            check(provider, outcomes, (), caplog, capfd)


@pytest.mark.parametrize("mode", ["", "400", "401", "413", "429", "500", "302", "drop", "half", "cut", "accept-cut"])
def test_sendgrid(mode: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    with FakeSendGrid() as fake:
        if mode:
            fake.script(mode)
        provider = SendGrid(fake.key, SENDER, url=fake.url)
        outcomes = provider.hand_over(people())
        assert len(fake.requests) == 1
        check(provider, outcomes, (fake.key,), caplog, capfd)


def test_outbox(tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    provider = Outbox(tmp_path, SENDER)
    check(provider, provider.hand_over(people()), (), caplog, capfd)
    assert not any(CANARY in path.name for path in tmp_path.iterdir())
    (tmp_path / "file").touch()
    broken = Outbox(tmp_path / "file" / CANARY, SENDER)
    check(broken, broken.hand_over(people()), (), caplog, capfd)
