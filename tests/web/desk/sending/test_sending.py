"""Sending: providers, shares, the day's cap and workers on a page; a test mail and the DNS check that leave no address behind."""

import json
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse

from newsletter.config.rate_limits import RateLimits
from newsletter.delivery.gates import provider_gate
from newsletter.delivery.ledger.plan import PlannedProvider
from newsletter.delivery.sending import workers
from newsletter.lib import db
from newsletter.models import Attempt, AuditEntry, Batch, Delivery, Route, Worker
from newsletter.worker import startup
from tests import factories
from tests.factories import ACTOR
from tests.fakes.dns_server import DnsServer
from tests.fakes.smtp import SmtpCatcher
from tests.journey import road

pytestmark = pytest.mark.django_db
CANARY = "canary.7f3a@example.org"
FIRST, SECOND = PlannedProvider(2, one_letter=False), PlannedProvider(12, one_letter=False)


@pytest.fixture
def smtp() -> Iterator[SmtpCatcher]:
    with SmtpCatcher() as caught:
        yield caught


@pytest.fixture
def two(settings, smtp, tmp_path) -> Iterator[None]:
    """Two SMTP providers, the first with a pace and a cap."""
    limits = RateLimits(paces={"smtp": 20.0}, caps={"smtp": 100}, domains={"gmail.com": ("gmail.com", 5.0)})
    options = {"tls": "no"}
    query = "&".join(f"{name}={value}" for name, value in options.items())
    url = f"{smtp.url}{'&' if '?' in smtp.url else '?'}{query}"
    changes = {"mail": url, "mail_2": "smtp://127.0.0.1:9?tls=no", "limits": limits, "data_dir": tmp_path}
    with road.configured(settings, sender_address="digest@example.org", **changes):
        startup.prepare()
        yield


def answered(outcome: str, words: str) -> None:
    """A hand-over of the first provider that ended."""
    made = factories.planned(2, provider=FIRST)
    now = db.now()
    Attempt.objects.create(
        batch_id=made.batch_ids[0],
        n=1,
        provider=2,
        began_at=now,
        ended_at=now,
        outcome=outcome,
        phase=words,
        disproved=True,
    )


def sending(client, **data: str) -> str:
    html = client.get(reverse("desk_sending"), data).content.decode()
    assert "<h1>Sending" in html
    return html


def posted(client, name: str, **data: object) -> str:
    """Post a form, and return the page that its redirect leads to."""
    answer = client.post(reverse(f"desk_sending_{name}"), data, follow=True)
    assert answer.redirect_chain and answer.redirect_chain[0][1] == 303, answer.content.decode()
    return answer.content.decode()


def test_everything_about_the_providers_on_one_page(as_owner, two, django_assert_max_num_queries):
    answered("deferred", "MAIL: 451 4.3.0")
    factories.planned(3, provider=SECOND)
    workers.beat(workers.Process(uuid4(), "web-1", 17, "1.2.3"))
    Worker.objects.create(
        id=uuid4(), host="lost-1", pid=4, version="1.2.2", started_at=db.now(), seen_at=db.now() - timedelta(hours=1)
    )
    Batch.objects.filter(provider=12).update(
        state="claimed", worker=Worker.objects.get(host="web-1"), lease_until=db.now() + timedelta(minutes=1)
    )
    with django_assert_max_num_queries(60):
        html = sending(as_owner)
    for words in ("20 mails a second", "0 of 100 mails", "deferred", "MAIL: 451 4.3.0", "gmail.com: 5 mails a second",
                  "web-1", "1.2.3", "lost-1", "gone", "3 mails", "nothing accepted in 72 hours"):  # fmt: skip
        assert words in html, words
    for _ in range(6):
        answered("accepted", "")
    with django_assert_max_num_queries(60):
        assert sending(as_owner).count(">accepted<") == 5


def test_a_provider_is_paused_for_a_reason_and_comes_first(as_owner, two):
    factories.planned(3, provider=SECOND)
    assert "write a reason" in posted(as_owner, "pause", provider="smtp-2", reason=" ")
    assert "address" in posted(as_owner, "pause", provider="smtp-2", reason="somebody@example.org said so")
    assert "There is no such provider" in posted(as_owner, "pause", provider="pigeon", reason="why")
    html = posted(as_owner, "pause", provider="smtp-2", reason="wrong postal address")
    assert "smtp-2 is paused" in html and "wrong postal address" in html
    assert html.index("provider-1") < html.index("Resume smtp-2: 3 mails go out") < html.index("provider-2")
    assert [gate.provider for gate in provider_gate.paused()] == [12]
    assert "3 mails that waited for it go out" in posted(as_owner, "resume", provider="smtp-2")
    assert not provider_gate.paused()
    assert list(AuditEntry.objects.filter(actor="olga").order_by("id").values_list("action", "reason")) == [
        ("provider.pause", "wrong postal address"),
        ("provider.resume", ""),
    ]


def test_shares_are_chosen_and_removed(as_owner, two):
    assert "No rule was chosen" in sending(as_owner)
    wrong = as_owner.post(reverse("desk_sending_share"), {"provider": "smtp-2", "percent": "10", "domain": "@"})
    assert wrong.status_code == 400 and "what stands after the @ sign" in wrong.content.decode()
    html = posted(as_owner, "share", provider="smtp-2", percent=10)
    assert "10 % of all other people go by smtp-2" in html and "90 %" in html
    assert "100 % of people at gmail.com" in posted(as_owner, "share", provider="smtp", percent=100, domain="gmail.com")
    assert "The rule is removed" in posted(as_owner, "forget", domain="*")
    assert "no such rule" in posted(as_owner, "forget", domain="*")
    assert Route.objects.get().domain == "gmail.com"


def test_waiting_mails_move_after_a_sentence_with_their_number(as_owner, two):
    factories.planned(30, provider=FIRST)
    move = {"from": "smtp", "to": "smtp-2"}
    html = as_owner.get(reverse("desk_sending_move"), move).content.decode()
    assert "30 mails that wait for smtp go by smtp-2 instead" in html
    factories.planned(15, provider=FIRST)
    again = as_owner.post(reverse("desk_sending_move"), move | {"mails": "30"}).content.decode()
    assert "30 mails waited when you looked, and now 45" in again
    assert Delivery.objects.filter(batch__provider=12).count() == 0
    assert "2 batches were moved" in posted(as_owner, "move", **move, mails=45)
    assert Delivery.objects.filter(batch__provider=12).count() == 45
    assert "nothing to move" in as_owner.get(reverse("desk_sending_move"), move).content.decode()
    assert AuditEntry.objects.filter(action="provider.move").count() == 1


def test_a_test_mail_leaves_and_its_address_stays_nowhere(as_owner, two, smtp, caplog):
    with caplog.at_level("DEBUG"):
        html = posted(as_owner, "test", provider="smtp", address=CANARY)
        smtp.script("rcpt", "550 5.1.1", times=1)
        refused = as_owner.post(reverse("desk_sending_test"), {"provider": "smtp", "address": CANARY})
        as_owner.post(reverse("desk_sending_test"), {"provider": "smtp", "address": "canary.7f3a"})
    assert "smtp accepted the test mail" in html and "canary" not in html
    assert refused.status_code == 400 and "smtp did not accept it: RCPT: 550 5.1.1" in refused.content.decode()
    (mail,) = smtp.messages
    assert mail.recipient == CANARY and mail.message["Subject"].startswith("Test mail of")
    assert "Authentication-Results" in mail.message.get_body(("plain",)).get_content()
    assert mail.message["List-Unsubscribe"] is None
    assert not Delivery.objects.exists() and not Attempt.objects.exists()
    rows = list(AuditEntry.objects.filter(action="provider.test").order_by("id").values_list("after", flat=True))
    assert rows == [{"outcome": "accepted"}, {"outcome": "rejected"}]
    kept = json.dumps([row.get_decoded() for row in Session.objects.all()], default=str) + caplog.text
    assert "canary" not in kept


def test_the_dns_is_asked_when_the_button_is_pressed(as_owner, two, settings):
    zone = {("example.org", "TXT"): ['"v=spf1 ip4:127.0.0.1 -all"']}
    with DnsServer(zone) as server, road.configured(settings, dns_server=server.address):
        assert "Look it up" in as_owner.get(reverse("desk_sending_dns")).content.decode() and not server.asked
        html = as_owner.post(reverse("desk_sending_dns")).content.decode()
    assert "one record, 0 of 10 look-ups" in html and html.index("fix it") < html.index(">good<")


def test_one_provider_and_no_worker(as_owner, settings, tmp_path):
    with road.configured(settings, data_dir=tmp_path):
        startup.prepare()
        html = sending(as_owner)
        assert "One provider sends everything" in html and "No worker runs" in html
        assert "There is only one provider" in posted(as_owner, "share", provider="outbox", percent=10)
        provider_gate.pause(1, "refused us", now=db.now(), actor=ACTOR)
        assert "It was paused automatically" in sending(as_owner)


def test_an_editor_sees_nothing_of_it(as_editor):
    for name in ("", "_test", "_dns", "_move"):
        assert as_editor.get(reverse(f"desk_sending{name}")).status_code == 403
