"""Composing: who is owed what, each item given once, each edition rendered once."""

from datetime import timedelta
from functools import partial

import pytest

from newsletter.editions import compose, gatherings, owed
from newsletter.models import (
    Batch,
    Cadence,
    Delivery,
    DeliveryItem,
    Edition,
    Gathering,
    Match,
    Occasion,
    Rhythm,
    Subscriber,
    Subscription,
)
from tests import factories
from tests.editions.composing import NOW, alert, items_given

pytestmark = pytest.mark.django_db


def test_each_follower_gets_one_mail_with_their_topics(composer: compose.Composer) -> None:
    one, two, both = factories.subscriber(), factories.subscriber(), factories.subscriber()
    red, blue = factories.topic("Red"), factories.topic("Blue")
    factories.follow(one, red), factories.follow(two, blue), factories.follow(both, red), factories.follow(both, blue)
    first, second = factories.item("One"), factories.item("Two")
    factories.match(first, red), factories.match(second, red), factories.match(second, blue)
    alert(composer)
    assert items_given() == {
        (first.id, one.id),
        (second.id, one.id),
        (second.id, two.id),
        (first.id, both.id),
        (second.id, both.id),
    }
    assert Delivery.objects.count() == 3
    assert Edition.objects.count() == 3


def test_same_content_shares_one_edition(composer: compose.Composer) -> None:
    red = factories.topic()
    for _ in range(5):
        factories.follow(factories.subscriber(), red)
    factories.match(factories.item(), red)
    alert(composer)
    assert (Edition.objects.count(), Delivery.objects.count(), Batch.objects.count()) == (1, 5, 1)


def test_other_look_is_another_edition(composer: compose.Composer) -> None:
    red = factories.topic()
    factories.follow(factories.subscriber(), red)
    factories.follow(factories.subscriber(look=factories.look(discreet=False)), red)
    factories.match(factories.item(), red)
    alert(composer)
    assert Edition.objects.count() == 2


@pytest.mark.parametrize(
    "people",
    [
        {"state": "pending"},
        {"state": "left"},
        {"paused_until": NOW + timedelta(days=1)},
    ],
)
@pytest.mark.parametrize("sparse", [1, 100], ids=["one by one", "with all around them"])
def test_inactive_subscribers_are_owed_nothing(
    composer: compose.Composer, people: dict, sparse: int, monkeypatch
) -> None:
    monkeypatch.setattr(owed, "_SPARSE", sparse)
    red = factories.topic()
    wanted = [factories.subscriber(), factories.subscriber(**people), factories.subscriber()]
    for person in wanted:
        factories.follow(person, red)
    for _ in range(20):
        factories.subscriber()
    factories.match(factories.item(), red)
    alert(composer)
    mailed = Delivery.objects.order_by("id").values_list("subscriber_id", flat=True)
    assert list(mailed) == [wanted[0].id, wanted[2].id]


def test_matches_before_subscribing_are_not_owed(composer: compose.Composer) -> None:
    red = factories.topic()
    factories.follow(factories.subscriber(), red, owed_from=NOW + timedelta(seconds=1))
    factories.match(factories.item(), red)
    alert(composer)
    assert Delivery.objects.count() == 0


def test_matches_without_owed_at_open_no_gathering(composer: compose.Composer) -> None:
    red = factories.topic()
    factories.follow(factories.subscriber(), red)
    factories.match(factories.item(), red, owed_at=None)
    assert gatherings.close_alert_gathering(now=NOW, wait=timedelta(0)) is None


def test_alert_waits_for_further_matches(composer: compose.Composer) -> None:
    red = factories.topic()
    factories.match(factories.item(), red, owed_at=NOW - timedelta(seconds=119))
    factories.match(factories.item(), red, owed_at=NOW)
    wait = timedelta(seconds=120)
    assert gatherings.close_alert_gathering(now=NOW, wait=wait) is None
    gathering = gatherings.close_alert_gathering(now=NOW + timedelta(seconds=1), wait=wait)
    assert Match.objects.filter(gathering_id=gathering).count() == 2
    assert Occasion.objects.get().key == f"alert:{gathering}"


def test_composing_twice_plans_once(composer: compose.Composer) -> None:
    red = factories.topic()
    factories.follow(factories.subscriber(), red)
    factories.match(factories.item(), red)
    gathering = gatherings.close_alert_gathering(now=NOW, wait=timedelta(0))
    assert gathering is not None
    again = partial(compose.compose, gathering, composer, clock=lambda: NOW)
    assert len(again()) == 1
    assert again() == ()
    Gathering.objects.update(composed_upto=0, composed_at=None)
    assert again() == ()
    assert Delivery.objects.count() == 1
    assert gatherings.unfinished_gatherings() == ()


def test_small_chunks_plan_the_same_mails(composer: compose.Composer) -> None:
    red, blue = factories.topic(), factories.topic()
    for number in range(7):
        factories.follow(factories.subscriber(), red if number % 2 else blue)
    item = factories.item()
    factories.match(item, red), factories.match(item, blue)
    alert(composer, chunk=2)
    assert Delivery.objects.count() == 7
    assert Edition.objects.count() == 2


def due(cadence: Cadence, *, hour: int = 9) -> Rhythm:
    return factories.rhythm(cadence, hour=hour, due_at=NOW)


def digest(composer: compose.Composer, now=NOW) -> None:
    for gathering in gatherings.open_due_digests(now=now):
        compose.compose(gathering, composer, clock=lambda: now)


def test_digest_is_planned_once_and_its_slot_moves_on(composer: compose.Composer) -> None:
    red = factories.topic()
    person = factories.subscriber(daily_rhythm=due(Cadence.DAILY))
    factories.follow(person, red, Cadence.DAILY)
    factories.match(factories.item(), red)
    alert(composer)
    assert Delivery.objects.count() == 0
    digest(composer)
    digest(composer)
    assert Delivery.objects.count() == 1
    assert Occasion.objects.filter(key="digest:daily:2026-11-24").count() == 1
    assert Rhythm.objects.get(id=person.daily_rhythm_id).due_at == NOW + timedelta(days=1)


def test_item_is_given_once_in_whichever_mail_is_first(composer: compose.Composer) -> None:
    red, blue = factories.topic(), factories.topic()
    person = factories.subscriber(daily_rhythm=due(Cadence.DAILY), weekly_rhythm=due(Cadence.WEEKLY))
    factories.follow(person, red, Cadence.IMMEDIATE), factories.follow(person, blue, Cadence.DAILY)
    both, only_blue = factories.item("Both"), factories.item("Blue")
    factories.match(both, red), factories.match(both, blue), factories.match(only_blue, blue)
    alert(composer)
    digest(composer)
    assert items_given() == {(both.id, person.id), (only_blue.id, person.id)}
    assert Delivery.objects.count() == 2


def test_digest_includes_what_an_alert_missed(composer: compose.Composer) -> None:
    red = factories.topic()
    person = factories.subscriber(daily_rhythm=due(Cadence.DAILY), paused_until=NOW)
    factories.follow(person, red, Cadence.DAILY)
    Subscriber.objects.filter(id=person.id).update(state="pending")
    factories.match(factories.item(), red)
    alert(composer)
    Subscriber.objects.filter(id=person.id).update(state="active")
    Subscription.objects.update(cadence=Cadence.IMMEDIATE)
    digest(composer)
    assert Delivery.objects.count() == 1


def test_weekly_subscription_is_not_in_the_daily_digest(composer: compose.Composer) -> None:
    red = factories.topic()
    factories.follow(factories.subscriber(daily_rhythm=due(Cadence.DAILY)), red, Cadence.WEEKLY)
    factories.match(factories.item(), red)
    digest(composer)
    assert Delivery.objects.count() == 0


def test_changed_hour_brings_no_second_digest_that_day(composer: compose.Composer) -> None:
    red = factories.topic()
    person = factories.subscriber(daily_rhythm=due(Cadence.DAILY))
    factories.follow(person, red, Cadence.DAILY)
    factories.match(factories.item(), red)
    digest(composer)
    later = NOW + timedelta(hours=8)
    Subscriber.objects.filter(id=person.id).update(daily_rhythm=factories.rhythm(Cadence.DAILY, hour=17, due_at=later))
    factories.match(factories.item(), red)
    digest(composer, later)
    assert Delivery.objects.count() == 1
    assert gatherings.unfinished_gatherings() == ()


@pytest.mark.parametrize(
    ("age", "count"), [(timedelta(days=19, hours=23), 1), (timedelta(days=20), 0), (timedelta(days=29), 0)]
)
def test_items_older_than_look_back_are_not_given(composer: compose.Composer, age: timedelta, count: int) -> None:
    """An edit can make an item owed ten days after it was first seen; `delivery_item` is deleted after 21 days."""
    blue = factories.topic()
    factories.follow(factories.subscriber(daily_rhythm=due(Cadence.DAILY)), blue, Cadence.DAILY)
    factories.match(factories.item(seen=NOW - age), blue, owed_at=NOW - age + timedelta(days=10))
    digest(composer)
    assert Delivery.objects.count() == count


def test_no_new_items_no_mail(composer: compose.Composer) -> None:
    factories.follow(factories.subscriber(daily_rhythm=due(Cadence.DAILY)), factories.topic(), Cadence.DAILY)
    digest(composer)
    assert (Delivery.objects.count(), Edition.objects.count()) == (0, 0)


def test_edition_that_fails_to_render_is_parked_and_blocks_no_other(composer: compose.Composer, monkeypatch) -> None:
    red, blue = factories.topic("Red"), factories.topic("Blue")
    factories.follow(factories.subscriber(), red), factories.follow(factories.subscriber(), blue)
    factories.match(factories.item("Poison"), red), factories.match(factories.item("Good"), blue)
    block = composer.renderer.render_block

    def fragile(items, *rest):
        if items[0].title == "Poison":
            raise ValueError("poison")
        return block(items, *rest)

    monkeypatch.setattr(composer.renderer, "render_block", fragile)
    alert(composer)
    assert sorted(Batch.objects.values_list("state", flat=True)) == ["parked", "planned"]
    assert "ValueError" in Batch.objects.get(state="parked").reason


def test_edition_body_is_encrypted(composer: compose.Composer) -> None:
    red = factories.topic("Zzyzx topic")
    factories.follow(factories.subscriber(), red)
    factories.match(factories.item("Title", "Zzyzx text"), red)
    alert(composer)
    body = Edition.objects.get().editionbody
    assert b"Zzyzx" not in bytes(body.cipher)
    opened = factories.VAULT.decrypt(body.key_id, body.cipher, handle=bytes(body.edition.key), column="body")
    assert "Zzyzx text" in opened


def test_race_between_composers_gives_each_item_once(composer: compose.Composer, monkeypatch) -> None:
    """Another composer gives the same item between our query and our plan: the chunk is computed again."""
    red = factories.topic()
    person, other = factories.subscriber(), factories.subscriber()
    factories.follow(person, red), factories.follow(other, red)
    item = factories.item()
    factories.match(item, red)
    ask = compose.owed

    def raced(*args, **kwargs):
        answer = ask(*args, **kwargs)
        DeliveryItem.objects.get_or_create(item_id=item.id, subscriber_id=person.id, version=1)
        return answer

    monkeypatch.setattr(compose, "owed", raced)
    alert(composer)
    assert list(Delivery.objects.values_list("subscriber_id", flat=True)) == [other.id]
    assert items_given() == {(item.id, person.id), (item.id, other.id)}


def test_a_mailing_knows_the_one_topic_that_it_is_for_or_that_there_are_several(composer: compose.Composer) -> None:
    reader, red, blue = factories.subscriber(), factories.topic("Red"), factories.topic("Blue")
    factories.follow(reader, red), factories.follow(reader, blue)
    factories.match(factories.item("One"), red)
    alert(composer)
    factories.match(factories.item("Two"), red), factories.match(factories.item("Three"), blue)
    alert(composer)
    assert list(Occasion.objects.order_by("id").values_list("only_topic_id", flat=True)) == [red.id, 0]


def test_a_mailing_that_had_one_topic_has_several_once_another_chunk_brings_one(composer: compose.Composer) -> None:
    red, blue = factories.topic("Red"), factories.topic("Blue")
    factories.follow(factories.subscriber(), red), factories.follow(factories.subscriber(), blue)
    item = factories.item()
    factories.match(item, red), factories.match(item, blue)
    gathering = gatherings.close_alert_gathering(now=NOW, wait=timedelta(0))
    compose.compose(gathering, composer, clock=lambda: NOW, chunk=1)
    assert Occasion.objects.get().only_topic_id == 0
