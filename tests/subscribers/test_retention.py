"""How long people who left or never answered are kept, and what remains of them."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction

from newsletter.lib.progress import never_stop
from newsletter.models import Consent, Delivery, Notice, Subscriber, Subscription, Suppression
from newsletter.subscribers import prune_people, retention
from newsletter.subscribers import unsubscribe as leaving
from newsletter.subscribers.admin_subscribe import AddedSubscriber, HasLeft, subscribe_directly
from newsletter.subscribers.choices import Choices
from newsletter.subscribers.confirm import Confirmed
from tests import factories
from tests.factories import ACTOR
from tests.subscribers.helpers import (
    ANNA,
    DAY,
    HOUR,
    NOW,
    VAULT,
    ask,
    lasting,
    now_and_vault,
    press,
    subscribing,
    token,
    topic,
)

pytestmark = pytest.mark.django_db


def prune(now) -> None:
    for rule in retention.RULES:
        if rule.prune:
            rule.prune(now, never_stop)


def join(now=NOW) -> Subscriber:
    press(token(ask(Choices((topic().id,)), now=now)), now)
    return Subscriber.objects.get()


def leave(person: Subscriber, now) -> leaving.Unsubscribed:
    done = leaving.unsubscribe(lasting("unsubscribe", person), **now_and_vault(now))
    assert isinstance(done, leaving.Unsubscribed)
    return done


def add(now, **more):
    made = {"confirmed": True, "source": "command"} | more
    return subscribe_directly(ANNA, Choices(keywords=("Zzyzx",)), subscribing(now), **made, actor=ACTOR)


def test_left_subscriber_is_deleted_after_14_days_and_leaves_a_hash() -> None:
    person = join()
    factories.planned([person])
    left = leave(person, NOW + HOUR)
    prune(NOW + HOUR + 14 * DAY)
    assert isinstance(leaving.undo(left.undo_token, **now_and_vault(NOW + 14 * DAY)), leaving.Resubscribed)
    assert Subscriber.objects.get().left_at is None
    leave(person, NOW + 20 * DAY)
    prune(NOW + 34 * DAY)
    assert Subscriber.objects.get().state == "left"
    prune(NOW + 34 * DAY + HOUR)
    assert not any(model.objects.exists() for model in (Subscriber, Subscription, Notice, Consent))
    kept = Suppression.objects.get()
    assert bytes(kept.address_index) == VAULT.blind_index("address", ANNA.value)
    assert (kept.reason, kept.sticky, kept.since, kept.lifted_at) == ("left", False, NOW + 20 * DAY, None)
    assert Delivery.objects.get().subscriber_id == person.id  # a number that leads to nobody
    prune(NOW + 400 * DAY)
    assert Suppression.objects.get().lifted_at is None


@pytest.mark.parametrize(
    ("stands", "lifted", "reason"),
    [
        ("bounce", False, "left"),
        ("soft bounces", False, "left"),
        ("unsubscribe", False, "unsubscribe"),
        ("admin", False, "admin"),
        ("complaint", False, "complaint"),
        ("admin", True, "left"),
    ],
)
def test_left_suppression_replaces_weaker_ones(stands: str, lifted: bool, reason: str) -> None:
    person = join()
    since = NOW + 10 * DAY
    Suppression.objects.create(
        address_index=person.address_index,
        reason=stands,
        sticky=stands == "complaint",
        since=since,
        lifted_at=since + DAY if lifted else None,
    )
    leave(person, NOW + 20 * DAY)
    prune(NOW + 40 * DAY)
    kept = Suppression.objects.get()
    assert (kept.reason, kept.sticky, kept.lifted_at) == (reason, reason == "complaint", None)


@pytest.mark.parametrize("days", [1, 40], ids=["not yet gone", "gone"])
def test_only_the_subscriber_can_undo_having_left(days: int) -> None:
    leave(join(), NOW)
    prune(NOW + days * DAY)
    assert add(NOW + days * DAY) == HasLeft()
    asked = add(NOW + days * DAY, confirmed=False)
    assert isinstance(asked, AddedSubscriber) and asked.state == "pending"
    assert add(NOW + days * DAY) == HasLeft()
    done = press(token(Notice.objects.get(id=asked.notice_id)), NOW + days * DAY + HOUR)
    assert isinstance(done, Confirmed)
    assert not Suppression.objects.filter(lifted_at=None).exists()
    assert isinstance(add(NOW + (days + 1) * DAY), AddedSubscriber)
    prune(NOW + (days + 61) * DAY + 2 * HOUR)
    assert Subscriber.objects.get(id=done.subscriber_id).state == "active" and not Suppression.objects.exists()


@pytest.mark.parametrize("days", [1, 40], ids=["not yet gone", "gone"])
def test_admin_can_add_returning_subscriber(days: int) -> None:
    leave(join(), NOW)
    prune(NOW + days * DAY)
    done = add(NOW + days * DAY, returning=True)
    assert isinstance(done, AddedSubscriber) and done.state == "active"
    assert not Suppression.objects.filter(lifted_at=None).exists()
    assert Subscriber.objects.get(id=done.subscriber_id).left_at is None


@pytest.mark.parametrize("days", [1, 40], ids=["not yet gone", "gone"])
def test_strangers_sign_up_does_not_hide_that_subscriber_left(days: int) -> None:
    leave(join(), NOW)
    prune(NOW + days * DAY)
    ask(Choices(), now=NOW + days * DAY)
    assert Subscriber.objects.get().state == "pending"
    for later in range(days, days + 30):
        prune(NOW + later * DAY)
    assert not Subscriber.objects.exists()
    assert Suppression.objects.get(lifted_at=None).reason == "left"
    assert add(NOW + 80 * DAY) == HasLeft()


def test_pending_subscriber_is_deleted_with_last_expired_notice() -> None:
    ask(Choices(keywords=("Zzyzx",)))
    ask(Choices(), now=NOW + 6 * DAY)
    assert Notice.objects.count() == 2
    prune(NOW + 13 * DAY - HOUR)
    assert Notice.objects.count() == 2
    prune(NOW + 13 * DAY)
    assert not Subscriber.objects.exists() and not Notice.objects.exists() and not Suppression.objects.exists()


def test_expired_pending_subscribers_are_deleted_in_pages(monkeypatch) -> None:
    monkeypatch.setattr(prune_people, "_PEOPLE", 3)
    for number in range(10):
        person = factories.subscriber(state="pending")
        Notice.objects.create(
            kind="confirm", subscriber=person, nonce=b"12345678", created_at=NOW, expires_at=NOW + (number // 5) * DAY
        )
    prune_people.prune_pending(NOW + DAY + HOUR, never_stop)
    assert Subscriber.objects.filter(state="pending").count() == 0


def test_subscriber_without_left_at_is_deleted_after_last_subscription() -> None:
    early, late = factories.subscriber(state="left"), factories.subscriber(state="left")
    ended = factories.follow(early, factories.topic())
    Subscription.objects.filter(id=ended.id).update(ended_at=NOW - 10 * DAY, ended_reason="reader")
    prune_people.prune_left(NOW, never_stop)
    moments = dict(Subscriber.objects.values_list("id", "left_at"))
    assert moments == {early.id: NOW - 10 * DAY, late.id: NOW}
    prune_people.prune_left(NOW + 5 * DAY, never_stop)
    assert list(Subscriber.objects.all()) == [late]


def test_ended_subscriptions_are_deleted_after_14_days() -> None:
    person = factories.subscriber()
    kept, gone = (factories.follow(person, factories.topic()) for _ in range(2))
    Subscription.objects.filter(id=gone.id).update(ended_at=NOW, ended_reason="reader")
    retention.prune_subscriptions(NOW + 14 * DAY, never_stop)
    assert Subscription.objects.count() == 2
    retention.prune_subscriptions(NOW + 14 * DAY + HOUR, never_stop)
    assert list(Subscription.objects.all()) == [kept]


def test_choices_are_deleted_once_answered_and_notices_after_30_days() -> None:
    notice = ask(Choices((topic().id,), ("Zzyzx",)))
    press(token(notice))
    notice.refresh_from_db()
    assert (notice.choices_cipher, notice.key_id) == (None, None)
    Notice.objects.filter(id=notice.id).update(choices_cipher=b"of an older version")
    retention.prune_choices(NOW, never_stop)
    assert Notice.objects.get().choices_cipher is None
    retention.prune_notices(NOW + 30 * DAY, never_stop)
    assert Notice.objects.exists()
    retention.prune_notices(NOW + 30 * DAY + HOUR, never_stop)
    assert not Notice.objects.exists() and Subscriber.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("state", ["pending", "left"])
def test_locked_subscriber_is_skipped(state: str) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one write at a time")
    person = factories.subscriber(state=state)
    Subscriber.objects.filter(id=person.id).update(left_at=NOW if state == "left" else None, confirmed_at=None)
    held_meanwhile(
        lambda: Subscriber.objects.select_for_update().get(id=person.id),
        lambda: [
            prune_one(NOW + 30 * DAY, never_stop) for prune_one in (prune_people.prune_pending, prune_people.prune_left)
        ],
    )
    assert Subscriber.objects.exists()
    prune_people.prune_pending(NOW + 30 * DAY, never_stop)
    prune_people.prune_left(NOW + 30 * DAY, never_stop)
    assert not Subscriber.objects.exists()


def held_meanwhile(hold: Callable[[], object], work: Callable[[], object]) -> None:
    """Do `work` while another connection holds what `hold` locked."""
    held, done = threading.Event(), threading.Event()

    def page() -> None:
        try:
            with transaction.atomic():
                hold()
                held.set()
                done.wait(timedelta(seconds=20).total_seconds())
        finally:
            held.set()
            connection.close()

    thread = threading.Thread(target=page)
    thread.start()
    held.wait()
    try:
        work()
    finally:
        done.set()
        thread.join()
