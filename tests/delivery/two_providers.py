"""Two providers at once, each a real fake on the wire, and a judge who asks them alone what they took."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from newsletter.delivery.ledger.plan import PlannedProvider
from newsletter.delivery.send import Sender, Sent, send_next
from newsletter.lib.mail.provider_interface import Provider
from newsletter.providers.sendgrid.provider import SendGrid
from newsletter.providers.smtp.provider import Smtp
from tests import factories
from tests.fakes.sendgrid import FakeSendGrid
from tests.fakes.smtp import SmtpCatcher
from tests.providers.pieces import SENDER

SMTP, SENDGRID, SECOND_SMTP = 2, 3, 12
PROVIDERS = {SMTP: PlannedProvider(SMTP, one_letter=False), SENDGRID: PlannedProvider(SENDGRID, one_letter=True)}


@dataclass(frozen=True)
class Two:
    """An SMTP server and a SendGrid, and what a worker of both does."""

    smtp: SmtpCatcher
    sendgrid: FakeSendGrid
    providers: Mapping[int, Provider]

    def step(self, number: int, now: datetime) -> Sent | None:
        """Let one provider carry its next batch."""
        sender = Sender(self.providers[number], factories.VAULT, "https://news.example.org", "example.org")
        return send_next(sender, clock=lambda: now)

    def drain(self, now: datetime) -> None:
        """Carry what is due, a batch of each in turn."""
        while [sent for number in self.providers if (sent := self.step(number, now)) is not None]:
            pass

    def taken(self) -> dict[int, Counter[int]]:
        """How often each provider took each delivery, by its own log."""
        found = {
            SMTP: [("message", one.partition("@")[0]) for one, _ in self.smtp.accepted],
            SENDGRID: [("delivery", one) for one in self.sendgrid.accepted],
        }
        return {number: Counter(map(_delivery, tokens)) for number, tokens in found.items()}

    def twice(self) -> dict[int, int]:
        """Deliveries that the two took more than once between them."""
        both = sum(self.taken().values(), Counter())
        return {number: times for number, times in both.items() if times > 1}


def _delivery(told: tuple[str, str]) -> int:
    found = factories.VAULT.read_token(*told)
    assert found is not None
    return found[0]


@contextmanager
def two() -> Iterator[Two]:
    """Both at work; the mail server by one connection, so that "after so many mails" means the same each time."""
    with SmtpCatcher() as smtp, FakeSendGrid() as fake:
        providers: dict[int, Provider] = {
            SMTP: Smtp(urlsplit(f"{smtp.url}?tls=no&connections=1"), SENDER, timeout=5),
            SENDGRID: SendGrid(fake.key, SENDER, url=fake.url, timeout=5),
        }
        yield Two(smtp, fake, providers)
        for one in providers.values():
            one.close()
