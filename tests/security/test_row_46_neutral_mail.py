"""Row 46: whoever looks over a shoulder, or reads headers on the way, learns nothing of what is followed."""

import pytest

from newsletter.models import Cadence
from tests.fakes.smtp import SmtpCatcher
from tests.journey import road
from tests.security import installation

pytestmark = pytest.mark.django_db(transaction=True)

BANNED = ("uyghur", "uighur", "huawei", "zzyzx", "维吾尔", "cameras", "desert", "example wire", "passers-by")


def test_headers_and_the_first_words_of_every_mail_say_nothing(settings, httpserver, tmp_path) -> None:
    with installation.installed(settings, httpserver, tmp_path), SmtpCatcher() as smtp:
        with road.configured(settings, mail=smtp.url, data_dir=tmp_path):
            for cadence in (Cadence.IMMEDIATE, Cadence.DAILY, Cadence.WEEKLY):
                road.subscribe(f"{cadence.name.lower()}@example.org", "Uyghur", keywords=("Zzyzx",), cadence=cadence)
            installation.sign_up("asks@example.org")
            installation.run_once.once(wait=installation.timedelta(0))
            installation.Rhythm.objects.update(due_at=installation.db.now() - installation.timedelta(minutes=1))
            installation.run_once.once(wait=installation.timedelta(0))
        assert {mail.recipient.partition("@")[0] for mail in smtp.messages} == {"immediate", "daily", "weekly", "asks"}
        for mail in smtp.messages:
            head = "\n".join(f"{name}: {value}" for name, value in mail.message.items() if name != "To")
            shown = f"{head}\n{_preview(mail.html or mail.text)}".lower()
            assert not [word for word in BANNED if word in shown], mail.message["Subject"]


def _preview(html: str) -> str:
    """What mailboxes show beside the subject: the beginning of the text that is seen or hidden."""
    body = html.partition("<body")[2] or html
    words = installation.road.escape("") + " ".join(part.partition(">")[2] for part in body.split("<"))
    return " ".join(words.split())[:200]
