"""Retention: what is past its time goes, what is in doubt stays, and nothing becomes new again."""

from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest

from newsletter.delivery import retention
from newsletter.delivery.sending.backoff import BACK_OFF, next_try
from newsletter.models import (
    Batch,
    Cadence,
    Delivery,
    DeliveryItem,
    Edition,
    EditionBody,
    Gathering,
    Item,
    Match,
    Occasion,
)
from tests import factories

pytestmark = pytest.mark.django_db


def settle(state: str) -> None:
    Batch.objects.update(state="claimed")
    Batch.objects.update(state="sending")
    Batch.objects.update(state=state)


def test_bodies_go_after_a_week_and_the_ledger_after_two() -> None:
    factories.planned(2)
    settle("accepted")
    retention.prune(now=factories.NOW + timedelta(days=6))
    assert (EditionBody.objects.count(), Delivery.objects.count()) == (1, 2)
    retention.prune(now=factories.NOW + timedelta(days=8))
    assert (EditionBody.objects.count(), Delivery.objects.count()) == (0, 2)
    retention.prune(now=factories.NOW + timedelta(days=15))
    assert (Delivery.objects.count(), Batch.objects.count(), Edition.objects.count()) == (0, 0, 0)
    assert DeliveryItem.objects.count() == 2


@pytest.mark.parametrize("state", ["planned", "claimed", "sending"])
def test_the_words_of_a_mail_that_waits_for_its_turn_are_kept(state: str) -> None:
    factories.planned(2)
    for step in ("claimed", "sending")[: ("planned", "claimed", "sending").index(state)]:
        Batch.objects.update(state=step)
    retention.prune(now=factories.NOW + timedelta(days=12))
    assert EditionBody.objects.count() == 1
    Delivery.objects.update(state="cancelled")
    retention.prune(now=factories.NOW + timedelta(days=12))
    assert EditionBody.objects.count() == 0


def test_doubt_is_kept_until_somebody_decides() -> None:
    factories.planned(2)
    settle("unknown")
    retention.prune(now=factories.NOW + timedelta(days=400))
    assert Delivery.objects.count() == 2


def test_given_items_are_kept_while_they_can_be_owed() -> None:
    made = factories.planned(1)
    Item.objects.filter(id=made.item.id).update(first_seen_at=factories.NOW)
    retention.prune(now=factories.NOW + timedelta(days=20))
    assert DeliveryItem.objects.count() == 1
    retention.prune(now=factories.NOW + timedelta(days=22))
    assert DeliveryItem.objects.count() == 0


def test_old_rows_go_in_pieces_and_what_is_left_goes_the_next_time() -> None:
    made = factories.planned(7)
    fresh = factories.planned(2)
    settle("accepted")
    Occasion.objects.filter(delivery__batch_id__in=fresh.batch_ids).update(
        created_at=factories.NOW + timedelta(days=20)
    )
    Item.objects.filter(id=fresh.item.id).update(first_seen_at=factories.NOW + timedelta(days=20))
    later = factories.NOW + timedelta(days=30)
    counts: list[tuple[int, int]] = []

    def should_continue() -> bool:
        counts.append((Delivery.objects.count(), DeliveryItem.objects.count()))
        return len(counts) < 5

    assert retention.prune(now=later, piece=3, should_continue=should_continue)["delivery"] < 7
    assert max(one[0] - other[0] for one, other in pairwise(counts)) <= 3
    again = retention.prune(now=later, piece=3)
    assert (Delivery.objects.count(), DeliveryItem.objects.count()) == (2, 2)
    assert again["delivery_item"] == 7
    assert not Delivery.objects.filter(batch_id__in=made.batch_ids).exists()
    assert set(Batch.objects.values_list("id", flat=True)) == set(fresh.batch_ids)


def test_one_mail_in_doubt_stays_though_its_batch_is_done() -> None:
    factories.planned(3)
    settle("accepted")
    doubtful = Delivery.objects.order_by("id")[1].id
    Delivery.objects.filter(id=doubtful).update(state="unknown")
    retention.prune(now=factories.NOW + timedelta(days=60), piece=1)
    assert list(Delivery.objects.values_list("id", flat=True)) == [doubtful]
    assert Batch.objects.count() == 1


def gathered(kind: str, days: int, **words: object) -> Gathering:
    """What was gathered so many days before a month from now, composed to the end unless told otherwise."""
    at = factories.NOW + timedelta(days=30 - days)
    occasion = Occasion.objects.create(kind=kind, key=f"{kind}:{uuid4()}", created_at=at)
    return Gathering.objects.create(**{"occasion": occasion, "cut_at": at, "composed_at": at, **words})


def test_occasions_and_gatherings_are_pruned_with_their_mails() -> None:
    month = factories.NOW + timedelta(days=30)
    made = factories.planned(2)
    settle("accepted")
    of_mails = Occasion.objects.get()
    mailed = Gathering.objects.create(occasion=of_mails, cut_at=factories.NOW, composed_at=factories.NOW)
    for number in range(5):
        gathered("alert", 20)
        gathered("digest", 20, rhythm=factories.rhythm(Cadence.DAILY, hour=number))
    notice = Occasion.objects.create(kind="notice", key="notice:1", created_at=factories.NOW)
    young, open_one = gathered("alert", 13), gathered("alert", 20, composed_at=None)
    # the same digest, of a rhythm whose hour came days later
    shared = gathered("digest", 16, rhythm=factories.rhythm(Cadence.WEEKLY, hour=1))
    later = Gathering.objects.create(
        occasion=shared.occasion, rhythm=factories.rhythm(Cadence.WEEKLY, hour=2), cut_at=month - timedelta(days=10)
    )
    Delivery.objects.filter(id=Delivery.objects.first().id).update(state="unknown")
    done = retention.prune(now=month, piece=3)
    assert (done["gathering"], done["occasion"]) == (11, 11)
    assert set(Gathering.objects.all()) == {mailed, young, open_one, later}  # one mail is in doubt
    assert set(Occasion.objects.all()) == {of_mails, young.occasion, open_one.occasion, later.occasion}
    assert not Occasion.objects.filter(id=notice.id).exists()
    Delivery.objects.filter(batch_id__in=made.batch_ids).update(state="failed")
    retention.prune(now=month)
    assert not Occasion.objects.filter(id=of_mails.id).exists()


def test_a_match_that_was_told_stays_told_when_its_gathering_is_gone() -> None:
    told = gathered("alert", 20)
    match = factories.match(factories.item(), factories.topic())
    Match.objects.filter(id=match.id).update(gathering_id=told.id)
    retention.prune(now=factories.NOW + timedelta(days=30))
    assert not Gathering.objects.exists()
    assert Match.objects.get().gathering_id == told.id
    assert gathered("alert", 0).id > told.id  # a number is never given again


def test_empty_tables_prune_to_nothing() -> None:
    assert set(retention.prune(now=factories.NOW).values()) == {0}
    assert Occasion.objects.count() == 0


def test_back_off_grows_and_a_providers_wish_counts() -> None:
    waits = [next_try(attempts, factories.NOW) - factories.NOW for attempts in range(1, 8)]
    assert waits == [timedelta(minutes=minutes) for minutes in (*BACK_OFF, 60, 60)]
    assert next_try(1, factories.NOW, 600) - factories.NOW == timedelta(minutes=10)
    assert next_try(1, factories.NOW, 5) - factories.NOW == timedelta(seconds=5)
    assert next_try(1, factories.NOW, 10**9) - factories.NOW == timedelta(days=1)
