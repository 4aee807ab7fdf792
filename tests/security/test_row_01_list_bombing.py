"""Row 1: nobody's mailbox is flooded through our form, and a flood of the form hurts nobody else."""

from datetime import timedelta

import pytest

from newsletter import wiring
from newsletter.delivery.feedback import reputation
from newsletter.delivery.gates import sending_gate
from newsletter.lib import clock
from newsletter.lib.mail.provider_interface import Address
from newsletter.models import Delivery, Event, Notice, SignUpRequest, Subscriber, Suppression
from newsletter.subscribers.email_address import index_of
from newsletter.subscribers.limits import mailbox_limit, network_limit, notice_budget
from newsletter.worker import run_once, sign_ups, startup, tasks
from tests.fakes.smtp import SmtpCatcher
from tests.journey import road
from tests.web.conftest import ANNA, press, signing_up

pytestmark = pytest.mark.django_db
Kind = SignUpRequest.Kind


def post(client, topics, address, number=1, path="/"):
    """Sign an address up from a client of network `number`."""
    return client.post(
        path, signing_up(topics, address=address), REMOTE_ADDR=f"11.{number // 250}.{number % 250}.{number % 7 + 1}"
    )


def seen(page):
    return page.status_code, sorted(page.headers.items()), page.content


@pytest.mark.no_cover
def test_posts_for_one_mailbox_from_200_networks_are_one_mail(client, topics):
    for number in range(250):
        tag = f"+{number % 5}" if number % 2 else ""
        post(client, topics, f"victim{tag}@example.org", number % 200)
        if number % 50 == 0:
            sign_ups.decide()
    sign_ups.decide()
    assert Notice.objects.count() == 1
    assert SignUpRequest.objects.count() <= 6, (
        "the last one of each address waits for the next day, all others are gone"
    )


def test_over_every_limit_the_page_is_the_same_byte_for_byte(client, topics, anna, monkeypatch):
    Suppression.objects.create(
        address_index=index_of(Address("erased@example.org"), wiring.vault()),
        reason="erased",
        sticky=True,
        since=clock.utcnow(),
    )
    everybody = (ANNA.value, "new@example.org", "erased@example.org", "pending@example.org")
    post(client, topics, "pending@example.org")
    sign_ups.decide()
    first = post(client, topics, "somebody@example.org").status_code
    answers = {str(seen(post(client, topics, address))) for address in everybody}
    monkeypatch.setattr(network_limit, "MOST", 1)
    answers |= {str(seen(post(client, topics, address))) for address in everybody}
    monkeypatch.setattr(network_limit, "MOST", 1000)
    monkeypatch.setitem(notice_budget.PER_HOUR, Kind.SIGN_UP, 4)
    sign_ups.set_pace()
    sign_ups.decide()
    answers |= {str(seen(post(client, topics, address))) for address in everybody}
    assert first == 303 and len(answers) == 1


def test_one_client_switches_off_neither_sign_ups_nor_links_of_others(client, topics, anna, monkeypatch):
    """Two thousand sign-ups from one client once meant 503 for everybody, for an hour."""
    monkeypatch.setattr(network_limit, "MOST", 5)
    for number in range(20):
        post(client, topics, f"n{number}@example.org", 1)
    assert SignUpRequest.objects.count() == 5
    post(client, topics, "honest@example.org", 2)
    post(client, topics, ANNA.value, 2, "/preferences")
    sign_ups.decide()
    index = index_of(Address("honest@example.org"), wiring.vault())
    assert Notice.objects.filter(subscriber__address_index=index).exists()
    assert Notice.objects.filter(kind="manage").exists()


def test_over_the_site_wide_budget_nobody_is_refused_and_confirmed_people_do_not_wait(
    client, topics, anna, lasting, monkeypatch
):
    monkeypatch.setitem(notice_budget.PER_HOUR, Kind.SIGN_UP, 8)
    for number in range(6):
        assert post(client, topics, f"n{number}@example.org", number).status_code == 303
    post(client, topics, ANNA.value, 99, "/preferences")
    sign_ups.decide()
    assert Notice.objects.filter(kind="confirm").count() == 2 and SignUpRequest.objects.count() == 4
    assert Notice.objects.filter(kind="manage").count() == 1


def test_what_somebody_typed_is_not_in_the_mail(client, topics, settings):
    with SmtpCatcher() as smtp, road.configured(settings, mail=smtp.url):
        startup.prepare()
        client.post(
            "/", signing_up(topics, address="victim@example.org", keyword="Free pills http://pills.example", name="x")
        )
        run_once.deliver(wait=timedelta(0))
        (mail,) = smtp.messages
        assert mail.recipient == "victim@example.org"
        assert "pills" not in mail.text and "pills" not in str(mail.message)


@pytest.mark.django_db(transaction=True)
def test_dead_addresses_and_spam_buttons_of_strangers_pause_nothing_and_slow_sign_ups(client, topics, anna, settings):
    """Sixty anonymous sign-ups once stopped all mail: "a flood of bounces"."""
    with SmtpCatcher() as smtp, road.configured(settings, mail=smtp.url):
        startup.prepare()
        smtp.script("rcpt", "550 5.1.1 no such user")
        for number in range(60):
            post(client, topics, f"dead{number}@example.org", number)
        run_once.deliver(wait=timedelta(0))
        run_once.deliver(wait=timedelta(0))
        assert Event.objects.filter(kind__in=("bounce", "soft bounce")).count() == 60
        assert sending_gate.pause_reason() is None
        for mail in Delivery.objects.all():
            Event.objects.create(
                fingerprint=b"%d" % mail.id,
                delivery_id=mail.id,
                kind="complaint",
                at=clock.utcnow(),
                received_at=clock.utcnow(),
            )
        assert reputation.close_for_reputation(now=clock.utcnow(), events_from=()) is None
        assert all(one.bounces == one.complaints == 0 for one in reputation.reputation(now=clock.utcnow()))
        tasks.run("hear")
        assert notice_budget.slowed()
        smtp.rules.clear()
        post(client, topics, ANNA.value, 99, "/preferences")
        run_once.deliver(wait=timedelta(0))
        assert [mail.recipient for mail in smtp.messages] == [ANNA.value]


def test_strangers_do_not_use_up_what_the_victim_may_ask_for(client, topics):
    """Three sign-ups by strangers once locked a mailbox out for thirty days."""
    index = index_of(Address("victim@example.org"), wiring.vault())
    for number in range(3):
        post(client, topics, "victim@example.org", number)
        sign_ups.decide()
        long_ago = clock.utcnow() - timedelta(days=7)
        mailbox_limit.MailboxLimit.objects.update(last_at=long_ago)
    before = Notice.objects.filter(subscriber__address_index=index).count()
    press(client, "/", **signing_up(topics, address="victim@example.org"))
    assert Notice.objects.filter(subscriber__address_index=index).count() == before + 1 == 4


def test_counting_needs_the_keys_and_names_nobody(client, topics):
    post(client, topics, "victim@example.org", 5)
    sign_ups.decide()
    (limit,) = mailbox_limit.MailboxLimit.objects.all()
    assert bytes(limit.mailbox) == wiring.vault().blind_index("mailbox", "victim@example.org")
    assert bytes(limit.mailbox) != bytes(Subscriber.objects.get(state="pending").address_index)
