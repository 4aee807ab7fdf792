"""Row 37: who holds the webhook's key, or can write to the bounce folder, cannot stop mail to whom they choose."""

import pytest

from newsletter import wiring
from newsletter.lib import clock
from newsletter.models import Event, Subscriber, Suppression
from newsletter.worker import startup, tasks
from tests import reports
from tests.journey import road
from tests.web.webhooks.sendgrid_posts import _key, mail, post, token  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
ADDRESS = "canary@example.org"


def test_a_signed_bounce_counts_only_for_a_mail_of_ours_named_by_its_derived_token(mail) -> None:  # noqa: F811
    guesses = ["A" * 22, "", str(mail.id), token(mail)[:-1], wiring.vault().token("delivery", mail.id + 1)]
    guesses += [wiring.vault().token(purpose, mail.id) for purpose in ("notice", "unsubscribe", "ask")]
    events = [reports.event(one, "bounce", type="bounce", email=ADDRESS, at=clock.utcnow()) for one in guesses]
    unnamed = {name: value for name, value in events[0].items() if name != "d"}
    assert post(reports.body([*events, unnamed])).status_code == 204
    assert not Event.objects.exists() and not Suppression.objects.exists()
    assert Subscriber.objects.get().state == "active"


def test_a_bounce_of_another_address_than_the_mails_own_suppresses_nobody(mail) -> None:  # noqa: F811
    """Forwarded mail bounces too."""
    for name in ("bounce", "spamreport", "unsubscribe"):
        told = reports.event(token(mail), name, type="bounce", email="other@example.org", at=clock.utcnow())
        assert post(reports.body([told])).status_code == 204
    assert Event.objects.count() == 3 and not Suppression.objects.exists()


def test_a_mail_about_an_address_counts_only_with_the_message_id_of_a_mail_of_ours(mail, settings, tmp_path) -> None:  # noqa: F811
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    forged = ("x@example.org", f"{mail.id}@localhost", f"{'A' * 22}@localhost", "")
    for number, message_id in enumerate(forged):
        (tmp_path / "new" / f"b{number}").write_bytes(reports.bounce(message_id, recipient=ADDRESS))
        (tmp_path / "new" / f"c{number}").write_bytes(reports.complaint(message_id))
    with road.configured(settings, bounce_maildir=tmp_path):
        startup.prepare()
        tasks.run("hear")
    assert not list((tmp_path / "new").iterdir()), "they were read"
    assert not Event.objects.exists() and not Suppression.objects.exists()
