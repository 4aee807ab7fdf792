"""The sums of a mailing, taken from batches and exceptions: they are what counting every mail gives."""

from collections import Counter

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.delivery.mailings.shown import shown_sums
from newsletter.delivery.mailings.sums import SUM_FIELDS, MailingSums, field_of, notice_sums, sums_of
from newsletter.models import Batch, BatchState, Delivery, DeliveryState, Lane
from tests import factories

pytestmark = pytest.mark.django_db

BATCHES = st.lists(
    st.tuples(
        st.sampled_from(BatchState),
        st.booleans(),
        st.lists(st.sampled_from([None, *DeliveryState]), min_size=1, max_size=6),
    ),
    max_size=6,
)


def stored(occasion_id: int, batches, lane: Lane = Lane.ALERT, batch_occasion: int | None = None) -> None:
    """Batches in these states, with deliveries in their own."""
    people = iter(range(1, 1000))
    for state, is_held, own_states in batches:
        batch = Batch.objects.create(
            provider=1,
            lane=lane,
            occasion_id=occasion_id if batch_occasion is None else batch_occasion,
            state=state,
            held_at=factories.NOW if is_held else None,
            not_before=factories.NOW,
            size=len(own_states),
        )
        Delivery.objects.bulk_create(
            Delivery(occasion_id=occasion_id, subscriber_id=next(people), edition_id=1, batch_id=batch.id, state=own)
            for own in own_states
        )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ours=BATCHES, others=BATCHES)
def test_planned_is_the_sum_of_the_seven_whatever_the_states(ours, others):
    with transaction.atomic():
        stored(7, ours)
        stored(8, others)
        sums = sums_of([7])[7]
        counted = Counter(field_of(own or state) for state, _, own_states in ours for own in own_states)
        held = sum(own_states.count(None) for state, is_held, own_states in ours if is_held and state == "parked")
        transaction.set_rollback(True)
    assert {name: getattr(sums, name) for name in SUM_FIELDS} == {name: counted[name] for name in SUM_FIELDS}
    assert sums.planned == sum(len(own_states) for *_, own_states in ours) and sums.held == held
    assert sums.planned == sums.gone + sums.cancellable + (sums.parked - sums.held) + sums.cancelled


def test_notices_are_one_sum():
    stored(1, [("accepted", False, [None]), ("accepted", False, ["failed"])], Lane.NOTICE, batch_occasion=0)
    stored(2, [("planned", False, [None])])
    assert notice_sums() == MailingSums(accepted=1, failed=1)


@given(accepted=st.integers(0, 40), failed=st.integers(0, 40))
def test_the_states_of_few_people_with_one_topic_are_words(accepted, failed):
    sums = MailingSums(accepted=accepted, failed=failed)
    shown = shown_sums(sums, one_topic=True, threshold=10)
    numbers = [part.number for part in shown.states]
    assert {part.state for part in shown.states} == {name for name in ("accepted", "failed") if getattr(sums, name)}
    if accepted + failed < 10:
        assert shown.planned == "fewer than 10" and not any(numbers)
    assert all(number in ("", "fewer than 10") or int(number) % 10 == 0 for number in [*numbers, shown.planned])


def test_the_numbers_of_a_site_are_exact():
    assert str(shown_sums(MailingSums(accepted=2180, failed=3), one_topic=False, threshold=10)) == (
        "planned 2,183 = accepted 2,180 + failed 3"
    )
