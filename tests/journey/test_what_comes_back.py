"""A mail walks the whole road and something comes back: into a Maildir, or posted by a SendGrid that signs."""

import logging
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from newsletter import wiring
from newsletter.config.validators import public_key
from newsletter.delivery.ledger.reports import ledger_summary
from newsletter.lib import db
from newsletter.models import Event, Subscriber, Subscription, Suppression
from newsletter.status.attention import read_attention
from newsletter.status.figures import figures
from newsletter.subscribers import confirm
from newsletter.subscribers.choices import Choices
from newsletter.subscribers.email_address import parse_address
from newsletter.subscribers.sign_up import SignedUp, sign_up
from newsletter.worker import run_once, tasks
from tests import reports
from tests.fakes.sendgrid import FakeSendGrid
from tests.fakes.smtp import SmtpCatcher
from tests.journey import road
from tests.journey.helpers import later, post

pytestmark = pytest.mark.django_db(transaction=True)
READER = "canary@example.org"


@pytest.fixture
def box(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def feed(httpserver):
    site = urlsplit(httpserver.url_for("/"))
    return {"url": road.serve(httpserver, road.posts()), "allow": frozenset({(site.hostname, site.port)})}


def test_a_bounce_in_the_maildir_stops_mail_until_the_person_confirms_again(settings, box, feed, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    with SmtpCatcher() as smtp, road.configured(settings, mail=smtp.url, feed_allow=feed["allow"], bounce_maildir=box):
        road.set_up(feed["url"])
        road.subscribe(READER, "Uyghur")
        run_once.once(wait=timedelta(0))
        (mail,) = smtp.messages
        (box / "new" / "1.broken").symlink_to("/nowhere")
        (box / "new" / "2.holiday").write_bytes(b"Subject: away\r\n\r\nI am away.\r\n")
        bounce = reports.bounce(mail.message_id, recipient=READER, at=later())
        (box / "new" / "3.bounce").write_bytes(bounce)
        (box / "new" / "4.again").write_bytes(bounce)
        tasks.run("hear")
        assert sorted(path.name for path in (box / "cur").iterdir()) == [
            "1.broken:2,F",
            "2.holiday:2,",
            "3.bounce:2,ST",
            "4.again:2,ST",
        ]
        assert [(event.kind, event.detail) for event in Event.objects.all()] == [("bounce", "5.1.1")]
        assert Suppression.objects.get().reason == "bounce"
        (back,) = figures(read_attention())["reputation"]
        assert (back["provider"], back["accepted"], back["bounces"]) == ("smtp", 1, 1)
        confirm_again(smtp)
        assert Suppression.objects.get().lifted_at is not None
        (box / "new" / "5.late").write_bytes(bounce)
        tasks.run("hear")
        assert Suppression.objects.get().lifted_at is not None
        told = "".join(
            record.getMessage() + repr(record.__dict__) for record in caplog.records if "sql" not in record.__dict__
        )
        assert "canary" not in told


def confirm_again(smtp: SmtpCatcher) -> None:
    """The person types their address once more, and presses the button in the mail that reaches them."""
    signed = sign_up(parse_address(READER), Choices(), wiring.subscribing(db.now()))
    assert isinstance(signed, SignedUp) and signed.notice_id is not None
    before = len(smtp.messages)
    run_once.deliver(wait=timedelta(0))
    assert len(smtp.messages) == before + 1
    text = smtp.messages[-1].text
    token = text.partition("/confirm/")[2].split()[0]
    preview = confirm.preview_confirmation(token, now=db.now(), vault=wiring.vault())
    assert isinstance(preview, confirm.ConfirmationPreview)
    confirmed = confirm.confirm(token, preview.fingerprint, wiring.subscribing(db.now()))
    assert isinstance(confirmed, confirm.Confirmed)


def test_a_complaint_in_the_maildir_is_for_good(settings, box, feed) -> None:
    with SmtpCatcher() as smtp, road.configured(settings, mail=smtp.url, feed_allow=feed["allow"], bounce_maildir=box):
        road.set_up(feed["url"])
        road.subscribe(READER, "Uyghur")
        run_once.once(wait=timedelta(0))
        (box / "new" / "1").write_bytes(reports.complaint(smtp.messages[0].message_id, at=later()))
        run_once.deliver(wait=timedelta(0))
        assert Suppression.objects.get().sticky
        signed = sign_up(parse_address(READER), Choices(), wiring.subscribing(db.now()))
        assert signed == SignedUp(None)


def test_a_request_that_was_taken_and_never_answered_is_proved_by_its_events(settings, feed) -> None:
    with (
        FakeSendGrid() as fake,
        road.configured(
            settings,
            mail="sendgrid:",
            sendgrid_api_key=fake.key,
            sendgrid_url=fake.url,
            sendgrid_webhook_keys=(public_key(reports.PUBLIC),),
            feed_allow=feed["allow"],
        ),
    ):
        road.set_up(feed["url"])
        road.subscribe(READER, "Uyghur")
        road.subscribe("other@example.org", "Uyghur")
        fake.script("accept-drop", times=1)
        run_once.once(wait=timedelta(0))
        assert ledger_summary().by_state == {"unknown": 2}
        one, two = sorted(fake.mails, key=lambda mail: mail.recipient)
        tokens = one.custom_args["d"], two.custom_args["d"]
        now = later()
        told = [reports.event(tokens[0], "unsubscribe", email=READER, at=now)]
        post(reports.body([*told, reports.event(tokens[1], "delivered", email="other@example.org", at=now)]), now)
        assert ledger_summary().by_state == {"accepted": 2}
        assert Suppression.objects.get().reason == "unsubscribe"
        assert list(Subscription.objects.exclude(ended_at=None).values_list("ended_reason", flat=True)) == ["provider"]
        assert sorted(Subscriber.objects.values_list("state", flat=True)) == ["active", "left"]
        assert len(fake.accepted) == 2
