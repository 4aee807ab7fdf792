"""Planning: batches of the right people, items given once whoever asks, a provider exchanged before anything left."""

from collections.abc import Sequence

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.ledger import cancel, plan
from newsletter.delivery.ledger.plan import PlannedProvider, Share
from newsletter.delivery.ledger.reports import ledger_summary, listing
from newsletter.delivery.mailings.delivery_story import explain
from newsletter.delivery.routing import move_batches
from newsletter.matching.topics import topics
from newsletter.models import Batch, Delivery, DeliveryItem, ItemVersion, Lane, Occasion
from tests import factories

pytestmark = pytest.mark.django_db


@given(
    shares=st.lists(st.tuples(st.lists(st.integers(), max_size=9), st.sampled_from([None, "broken"])), max_size=6),
    size=st.integers(1, 5),
    one_letter=st.booleans(),
)
def test_grouping_loses_nobody_and_respects_the_provider(
    shares: list[tuple[list[int], str | None]], size: int, one_letter: bool
) -> None:
    asked = [Share(number, people, parked) for number, (people, parked) in enumerate(shares)]
    groups = list(plan._groups(asked, size, PlannedProvider(1, one_letter)))
    flat = [(edition, one) for _, runs in groups for edition, people in runs for one in people]
    assert sorted(flat) == sorted((share.edition_id, one) for share in asked for one in share.subscriber_ids)
    for parked, runs in groups:
        assert 0 < sum(len(people) for _, people in runs) <= size
        assert {asked[edition].parked for edition, _ in runs} == {parked}
        assert not one_letter or len({edition for edition, _ in runs}) == 1


def test_an_item_is_given_once_even_if_two_composers_plan_at_once() -> None:
    made = factories.planned(3)
    occasion = Occasion.objects.create(kind="digest", key="digest:daily:2026-11-24", created_at=factories.NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        plan.plan(
            occasion_id=occasion.id,
            lane=Lane.DIGEST,
            shares=[Share(Delivery.objects.first().edition_id, [made.people[0].id])],
            items_given=[(made.item.id, 1, [made.people[0].id])],
            provider=PlannedProvider(1, one_letter=False),
            now=factories.NOW,
        )
    assert (Delivery.objects.count(), DeliveryItem.objects.count()) == (3, 3)


@pytest.mark.parametrize(
    ("audience", "sizes"), [(0, [100, 50]), (99_999, [100, 50]), (120_000, [120, 30]), (10**7, [150])]
)
def test_batches_grow_with_the_audience(audience: int, sizes: list[int]) -> None:
    """A thousandth of those who are mailed is in doubt at most when a worker dies, or a batch as small as ever."""
    occasion = Occasion.objects.create(kind="alert", key="alert:7", created_at=factories.NOW)
    with transaction.atomic():
        plan.plan(
            occasion_id=occasion.id,
            lane=Lane.ALERT,
            shares=[Share(1, range(150))],
            items_given=[],
            provider=PlannedProvider(3, one_letter=True),
            now=factories.NOW,
            audience=audience,
        )
    assert list(Batch.objects.order_by("id").values_list("size", flat=True)) == sizes


def test_one_mail_per_occasion_and_person() -> None:
    factories.planned(1)
    first = Delivery.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.create(
            occasion_id=first.occasion_id,
            subscriber_id=first.subscriber_id,
            edition_id=first.edition_id,
            batch_id=first.batch_id,
        )


def test_planning_outside_a_transaction_is_refused(transactional_db: None) -> None:
    with pytest.raises(RuntimeError):
        plan.plan(
            occasion_id=1,
            lane=Lane.ALERT,
            shares=[],
            items_given=[],
            provider=PlannedProvider(1, one_letter=False),
            now=factories.NOW,
        )


def test_planned_batches_follow_to_another_provider_one_letter_each() -> None:
    factories.planned(2)
    other = factories.planned(3)
    Delivery.objects.filter(batch_id=other.batch_ids[0]).update(batch_id=Batch.objects.order_by("id").first().id)
    assert move_batches.move_from_unconfigured(PlannedProvider(3, one_letter=True)) == 2
    for batch in Batch.objects.exclude(state="cancelled"):
        assert batch.provider == 3
        assert Delivery.objects.filter(batch_id=batch.id).values("edition_id").distinct().count() <= 1
    assert ledger_summary().by_state == {"planned": 5}
    assert move_batches.move_from_unconfigured(PlannedProvider(3, one_letter=True)) == 0


def test_begun_batch_stays_with_its_provider() -> None:
    factories.planned(1)
    Batch.objects.update(state="claimed")
    assert move_batches.move_from_unconfigured(PlannedProvider(3, one_letter=True)) == 0


@pytest.mark.parametrize(("topics", "cancelled"), [([7], 1), ([7, 8], 0), ([8], 0)])
def test_ending_a_subscription_cancels_what_is_planned_for_it_alone(topics: Sequence[int], cancelled: int) -> None:
    made = factories.planned(2)
    edition = Delivery.objects.first().edition
    edition.content = [[made.item.id, 1, list(topics)]]
    edition.save()
    assert cancel.cancel_planned(made.people[0].id, 7) == cancelled
    assert ledger_summary().by_state.get("cancelled", 0) == cancelled


def test_a_mail_that_is_being_handed_over_is_not_cancelled() -> None:
    made = factories.planned(1)
    Batch.objects.update(state="claimed")
    assert cancel.cancel_planned(made.people[0].id, 1) == 0


def test_the_story_behind_a_reference_names_nobody() -> None:
    made = factories.planned([factories.subscriber("canary@example.org")])
    reference = listing(factories.VAULT)[0].reference
    story = explain(reference.lower(), factories.VAULT)
    assert story is not None
    assert story.state == "planned"
    assert [(item.item_id, item.version, [topic.topic_id for topic in item.topics]) for item in story.items] == [
        (made.item.id, 1, [1])
    ]
    assert "canary" not in repr(story)
    assert explain("0000-0000-1", factories.VAULT) is None


def test_a_story_has_titles_and_names_but_never_an_own_keyword() -> None:
    made = factories.planned(1)
    huawei, own = (
        factories.topic("Huawei"),
        topics.keyword_topic("canary keyword", vault=factories.VAULT, now=factories.NOW),
    )
    edition = Delivery.objects.get().edition
    edition.content = [[made.item.id, 1, [huawei.id, own, 999_999]]]
    edition.save()
    story = explain(listing(factories.VAULT)[0].reference, factories.VAULT)
    assert story is not None
    (item,) = story.items
    assert item.title == ItemVersion.objects.get(item_id=made.item.id, n=1).title
    assert [topic.name for topic in item.topics] == ["Huawei", None, None]
    assert "canary" not in repr(story)
