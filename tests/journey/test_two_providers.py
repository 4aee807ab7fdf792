"""Two providers under one ledger and one suppression list: shares and routes, a refused key, and what comes back of either."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from newsletter import wiring
from newsletter.cli import invoke
from newsletter.config.validators import public_key
from newsletter.delivery.gates import provider_gate
from newsletter.delivery.ledger.reports import ledger_summary
from newsletter.lib import db
from newsletter.lib.crypto import Vault
from newsletter.models import Attempt, Batch, Delivery, ProviderGate, Subscriber, Suppression
from newsletter.web.metrics import registry
from newsletter.worker import run_once, tasks
from tests import reports
from tests.fakes.sendgrid import FakeSendGrid
from tests.fakes.smtp import SmtpCatcher
from tests.journey import road
from tests.journey.helpers import later, post

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def box(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def house(settings, httpserver, box):
    """An SMTP server first, SendGrid second, a feed, and nobody who reads it yet."""
    url = road.serve(httpserver, road.posts())
    site = urlsplit(url)
    with SmtpCatcher() as smtp, FakeSendGrid() as fake:
        both = {
            "mail": smtp.url,
            "mail_2": "sendgrid:",
            "sendgrid_api_key": fake.key,
            "sendgrid_url": fake.url,
            "sendgrid_webhook_keys": (public_key(reports.PUBLIC),),
            "feed_allow": frozenset({(site.hostname, site.port)}),
            "bounce_maildir": box,
            "failover_after": 5,
        }
        with road.configured(settings, **both):
            road.set_up(url)
            yield smtp, fake


def command(capsys, *words: str) -> dict:
    capsys.readouterr()
    assert invoke([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def readers(number: int, domain: str = "example.org") -> None:
    for one in range(number):
        road.subscribe(f"reader{one}@{domain}", "Uyghur")


def mailed(smtp: SmtpCatcher, fake: FakeSendGrid) -> tuple[set[str], set[str]]:
    by = {mail.recipient for mail in smtp.messages}, {mail.recipient for mail in fake.mails}
    assert len(smtp.messages) + len(fake.mails) == len(by[0]) + len(by[1]), "somebody was mailed twice"
    return by


def test_without_a_choice_the_first_carries_all(house) -> None:
    smtp, fake = house
    readers(3)
    run_once.once(wait=timedelta(0))
    assert [len(some) for some in mailed(smtp, fake)] == [3, 0]


def test_a_share_and_a_route_are_chosen_by_hand_and_followed_from_the_next_mails_on(house, capsys) -> None:
    smtp, fake = house
    readers(40)
    readers(3, "gmail.com")
    readers(3, "mail.example.net")
    command(capsys, "sending", "share", "50%", "--provider", "sendgrid")
    command(capsys, "sending", "share", "100%", "--provider", "sendgrid", "--domain", "GMail.com")
    told = command(capsys, "sending", "share", "0%", "--provider", "sendgrid", "--domain", "mail.example.net")
    assert told == {"domain": "mail.example.net", "provider": "sendgrid", "share": 0}
    run_once.once(wait=timedelta(0))
    by_smtp, by_sendgrid = mailed(smtp, fake)
    assert not by_smtp & by_sendgrid and len(by_smtp | by_sendgrid) == 46
    assert {one for one in by_sendgrid if one.endswith("@gmail.com")} == {f"reader{one}@gmail.com" for one in range(3)}
    assert {one for one in by_smtp if one.endswith("example.net")} == {
        f"reader{one}@mail.example.net" for one in range(3)
    }
    assert 8 <= len([one for one in by_sendgrid if one.endswith("@example.org")]) <= 32
    shown = command(capsys, "sending", "list")
    assert [one["domain"] for one in shown["shares"]] == ["gmail.com", "mail.example.net", "*"]
    assert [(one["provider"], one["open"], one["planned"]) for one in shown["providers"]] == [
        ("smtp", True, 0),
        ("sendgrid", True, 0),
    ]
    # nothing in the ledger says who is where
    assert db.rows("SELECT count(*) FROM batch WHERE domain IS NOT NULL") == [(0,)]


def test_a_refused_key_pauses_one_and_the_tick_lets_the_other_take_over(house, capsys) -> None:
    smtp, fake = house
    readers(6)
    command(capsys, "sending", "share", "100%", "--provider", "sendgrid")
    fake.script("401")
    run_once.once(wait=timedelta(0))
    assert ledger_summary().by_state == {"planned": 6}
    assert registry.get_sample_value("newsletter_provider_open", {"provider": "sendgrid"}) == 0
    assert registry.get_sample_value("newsletter_provider_planned", {"provider": "sendgrid"}) == 6
    assert registry.get_sample_value("newsletter_provider_open", {"provider": "smtp"}) == 1
    assert invoke(["status"]) == 0
    assert "sendgrid is PAUSED (the provider refused us (401" in capsys.readouterr().out
    tasks.run("recover")
    assert Batch.objects.filter(state="planned", provider=3).exists()  # not out for long enough
    ProviderGate.objects.update(paused_at=later() - timedelta(minutes=6))
    run_once.deliver(wait=timedelta(0))
    assert [len(some) for some in mailed(smtp, fake)] == [6, 0]
    assert sorted(Attempt.objects.values_list("provider", "outcome")) == [(2, "accepted"), (3, "deferred")]
    fake.rules.clear()
    assert command(capsys, "sending", "resume") == {"sending": "open", "provider": None, "still_paused": []}
    assert command(capsys, "sending", "list")["providers"][1]["open"]


def test_by_hand_one_provider_is_paused_and_what_is_planned_moved(house, capsys) -> None:
    smtp, fake = house
    readers(4)
    command(capsys, "sending", "pause", "--provider", "smtp", "--why", "moving house")
    run_once.once(wait=timedelta(0))
    assert ledger_summary().by_state == {"planned": 4}
    assert command(capsys, "sending", "move", "--from", "smtp", "--to", "sendgrid")["batches"] == 1
    run_once.deliver(wait=timedelta(0))
    assert [len(some) for some in mailed(smtp, fake)] == [0, 4]
    assert command(capsys, "sending", "resume")["still_paused"] == ["smtp"]
    assert command(capsys, "sending", "resume", "--provider", "smtp")["provider"] == "smtp"
    assert provider_gate.paused() == []


def test_what_comes_back_of_either_suppresses_for_both_whoever_carries_mail_now(
    house, settings, capsys, box: Path
) -> None:
    smtp, fake = house
    readers(32)
    command(capsys, "sending", "share", "50%", "--provider", "sendgrid")
    run_once.once(wait=timedelta(0))
    gone, complains = fake.mails[0], smtp.messages[0]
    settings.NEWSLETTER = replace(settings.NEWSLETTER, mail=urlsplit(smtp.url), mail_2=None)  # SendGrid carries no more
    told = reports.event(
        gone.custom_args["d"], "bounce", email=gone.recipient, at=later(), reason="550 5.1.1", status="5.1.1"
    )
    post(reports.body([told]), later())
    settings.NEWSLETTER = replace(settings.NEWSLETTER, mail=urlsplit("sendgrid:"))  # and now nothing else does
    (box / "new" / "1").write_bytes(reports.complaint(complains.message_id, at=later()))
    tasks.run("hear")
    assert sorted(Suppression.objects.values_list("reason", "provider")) == [
        ("bounce", "sendgrid"),
        ("complaint", "mail"),
    ]
    suppressed = {gone.recipient, complains.recipient}
    opened = {_open(wiring.vault(), one) for one in _suppressed()}
    assert opened == suppressed
    listed = command(capsys, "suppressions", "list")
    assert sorted((one["reason"], one["sticky"]) for one in listed) == [("bounce", False), ("complaint", True)]
    assert "@" not in json.dumps(listed)


def _suppressed() -> list[Subscriber]:
    return list(Subscriber.objects.filter(address_index__in=Suppression.objects.values("address_index")))


def _open(vault: Vault, one: Subscriber) -> str:
    return vault.decrypt(one.key_id, one.address_cipher, handle=one.handle.bytes, column="address")


def test_mails_of_a_provider_taken_out_of_the_settings_follow_and_doubt_stays(house, settings) -> None:
    smtp, fake = house
    readers(6)
    fake.script("accept-drop", times=1)
    invoke(["sending", "share", "100%", "--provider", "sendgrid"])
    run_once.once(wait=timedelta(0))
    assert ledger_summary().by_state == {"unknown": 6}
    batch = Batch.objects.get()
    ids = list(Delivery.objects.order_by("id").values_list("id", flat=True)[:2])
    other = Batch.objects.create(provider=3, lane=1, not_before=batch.not_before, size=2)
    Delivery.objects.filter(id__in=ids).update(batch_id=other.id)
    settings.NEWSLETTER = replace(settings.NEWSLETTER, mail_2=None)
    road._forget()
    run_once.deliver(wait=timedelta(0))
    assert (len(smtp.messages), Batch.objects.get(id=batch.id).state, Batch.objects.get(id=batch.id).provider) == (
        2,
        "unknown",
        3,
    )
