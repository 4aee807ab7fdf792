"""Outside production: nobody but the allowed is ever mailed."""

from urllib.parse import urlsplit

from newsletter.lib.mail.provider_interface import Accepted, Rejected
from newsletter.providers.allowlist import Allowlist
from newsletter.providers.sendgrid.provider import SendGrid
from newsletter.providers.smtp.provider import Smtp
from tests.fakes.sendgrid import FakeSendGrid
from tests.fakes.smtp import SmtpCatcher
from tests.providers.pieces import SENDER, parcel

NO = "not on NEWSLETTER_RECIPIENT_ALLOW"


def test_per_recipient_provider_mails_only_the_allowed() -> None:
    with SmtpCatcher() as catcher:
        provider = Allowlist(Smtp(urlsplit(catcher.url), SENDER), ["Reader2@Example.org"])
        outcomes = provider.hand_over([parcel(1), parcel(2), parcel(3)])
        assert (outcomes[1], outcomes[3]) == (Rejected(NO), Rejected(NO))
        assert isinstance(outcomes[2], Accepted)
        assert list(outcomes) == [1, 2, 3]
        assert [mail.recipient for mail in catcher.messages] == ["reader2@example.org"]
        assert (provider.name, provider.number, provider.window, provider.one_letter) == ("smtp", 2, 50, False)
        provider.close()
        assert catcher.commands[-1] == "QUIT"


def test_whole_batch_provider_still_has_one_outcome() -> None:
    with FakeSendGrid() as fake:
        provider = Allowlist(SendGrid(fake.key, SENDER, url=fake.url), ["reader2@example.org"])
        mixed = provider.hand_over([parcel(1), parcel(2)])
        assert set(mixed.values()) == {Rejected(NO, split=True)}
        assert provider.hand_over([parcel(1)]) == {1: Rejected(NO)}
        assert fake.requests == []
        assert isinstance(provider.hand_over([parcel(2)])[2], Accepted)
        assert [mail.recipient for mail in fake.mails] == ["reader2@example.org"]
        assert (provider.window, provider.one_letter) == (None, True)
