"""Lanes and turns: urgent mail first, slower lanes never quite still, and occasions of a lane side by side."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery import send
from newsletter.delivery.sending.claim import claim_batch
from newsletter.delivery.sending.lane_order import PASSED_MOST, LaneOrder, Queue
from newsletter.lib.mail.provider_interface import Accepted
from newsletter.models import Batch, Delivery, Lane
from tests import factories
from tests.delivery.fake_provider import ScriptedProvider, sender
from tests.delivery.helpers import at, states

NOW = factories.NOW


def served(turns: LaneOrder, due: set[Queue], times: int) -> list[Queue]:
    found = []
    for _ in range(times):
        found.append(turns.order(due)[0])
        turns.record_claim(found[-1], due)
    return found


@given(st.sets(st.integers(1, 30), min_size=1, max_size=8), st.integers(1, 5))
def test_occasions_of_a_lane_take_turns(occasions: set[int], rounds: int) -> None:
    due = {Queue(2, number) for number in occasions}
    told = served(LaneOrder(), due, rounds * len(due))
    assert set(Counter(told).values()) == {rounds}


@given(st.integers(1, 5), st.integers(1, 5))
def test_endless_alerts_let_a_digest_pass_now_and_then(alerts: int, digests: int) -> None:
    due = {Queue(1, number) for number in range(alerts)} | {Queue(2, 100 + number) for number in range(digests)}
    told = served(LaneOrder(), due, 4 * (PASSED_MOST + 1))
    slow = [place for place, one in enumerate(told) if one.lane == 2]
    assert len(slow) == 4
    assert all(after - before == PASSED_MOST + 1 for before, after in pairwise(slow))


def test_no_lane_ever_passes_a_notice() -> None:
    due = {Queue(0, 0), Queue(1, 1), Queue(2, 2)}
    assert {one.lane for one in served(LaneOrder(), due, 3 * PASSED_MOST)} == {0}


def test_an_occasion_that_came_later_shares_at_once() -> None:
    turns = LaneOrder()
    served(turns, {Queue(2, 1)}, 50)
    told = served(turns, {Queue(2, 1), Queue(2, 2)}, 20)
    assert Counter(one.occasion_id for one in told) == {1: 10, 2: 10}


@given(st.sets(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=9), st.integers(1, 5))
def test_mail_that_waited_for_its_pace_takes_turns_with_the_rest_of_its_occasion(
    halves: set[tuple[int, bool]], rounds: int
) -> None:
    due = {Queue(2, number, paced) for number, paced in halves}
    assert set(Counter(served(LaneOrder(), due, rounds * len(due))).values()) == {rounds}


# -- in the tables


@pytest.fixture
def _gate(db) -> None:
    factories.open_gate()


def plan(batches: int, lane: Lane = Lane.DIGEST) -> int:
    """An occasion of so many batches, as large editions are; returns its number."""
    first = factories.planned(1, lane=lane, kind="digest" if lane == Lane.DIGEST else "alert").batch_ids[0]
    made = Batch.objects.get(id=first)
    Batch.objects.bulk_create(
        Batch(provider=1, lane=lane, occasion_id=made.occasion_id, not_before=NOW, size=1) for _ in range(batches - 1)
    )
    return made.occasion_id


def claims(times: int, **more: object) -> list[tuple[int, int]]:
    lane_order = LaneOrder()
    claimed = [claim_batch(now=NOW, provider=1, lane_order=lane_order, **more) for _ in range(times)]
    rows = Batch.objects.in_bulk([batch.batch_id for batch in claimed if batch])
    return [(rows[batch.batch_id].lane, rows[batch.batch_id].occasion_id) for batch in claimed if batch]


@pytest.mark.usefixtures("_gate")
def test_two_large_editions_planned_one_after_the_other_share_the_claims() -> None:
    first, second = plan(10), plan(10)
    assert first != second and 0 not in (first, second)
    told = [occasion for _, occasion in claims(10)]
    assert Counter(told) == {first: 5, second: 5}
    assert all(one != other for one, other in pairwise(told))


@pytest.mark.usefixtures("_gate")
def test_batch_that_waited_for_its_rate_limit_keeps_its_place() -> None:
    occasion = plan(10)
    late = list(Batch.objects.order_by("-id").values_list("id", flat=True)[:4])
    Batch.objects.filter(id__in=late).update(paced=True)
    Batch.objects.exclude(id__in=late).update(not_before=NOW - timedelta(hours=1))
    assert claims(6) == [(Lane.DIGEST, occasion)] * 6
    assert Batch.objects.filter(paced=True, state="claimed").count() == 3


@pytest.mark.usefixtures("_gate")
def test_batch_that_is_not_due_takes_no_turn() -> None:
    first, second = plan(3), plan(3)
    Batch.objects.filter(occasion_id=first).update(not_before=NOW + timedelta(hours=1))
    assert [occasion for _, occasion in claims(5)] == [second] * 3


@pytest.mark.usefixtures("_gate")
def test_another_providers_mail_is_left_alone() -> None:
    plan(2)
    Batch.objects.update(provider=2)
    assert claims(1) == []


@pytest.mark.usefixtures("_gate")
def test_chosen_lanes_only() -> None:
    plan(1, Lane.ALERT)
    assert claims(1, lanes=(Lane.NOTICE,)) == []
    assert claims(1, lanes=(Lane.NOTICE, Lane.ALERT))[0][0] == Lane.ALERT


@pytest.mark.usefixtures("_gate")
def test_a_digest_on_its_way_lets_an_alert_pass_between_two_windows() -> None:
    digest = factories.planned(6, lane=Lane.DIGEST, kind="digest")
    alert: list[int] = []

    def comes(_parcel: object) -> Accepted:
        if not alert:
            alert.extend(person.id for person in factories.planned(1).people)
        return Accepted()

    provider = ScriptedProvider(comes, window=2)
    while send.send_next(sender(provider), clock=at()):
        pass
    told = [Delivery.objects.get(id=parcel.delivery_id).subscriber_id for parcel in provider.handed]
    assert told[2:3] == alert
    assert sorted(told) == sorted([*alert, *(person.id for person in digest.people)])
    assert states() == {"accepted": 7}
    left = Batch.objects.get(id=Delivery.objects.get(subscriber_id=told[-1]).batch_id)
    assert (left.size, left.attempts) == (4, 1)  # its own hand-over, not the one that left it over


@pytest.mark.usefixtures("_gate")
def test_a_digest_does_not_yield_to_another() -> None:
    factories.planned(4, lane=Lane.DIGEST, kind="digest")
    provider = ScriptedProvider(window=2)
    factories.planned(2, lane=Lane.DIGEST, kind="digest")
    assert send.send_next(sender(provider), clock=at()) is not None
    assert provider.windows == [2, 2]
