"""Totals of people: who joined and left by day, and suppressions by reason and age."""

from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter.models import Subscriber, Suppression
from newsletter.subscribers import totals
from tests import factories
from tests.subscribers.helpers import DAY, NOW

pytestmark = pytest.mark.django_db


def suppressed(reason: str, ago: timedelta, *, lifted: bool = False) -> None:
    index = len(Suppression.objects.all()).to_bytes(32)
    Suppression.objects.create(address_index=index, reason=reason, since=NOW - ago, lifted_at=NOW if lifted else None)


def joined(ago: timedelta, *, left: timedelta | None = None) -> None:
    state = "left" if left is not None else "active"
    person = factories.subscriber(state=state)
    at = NOW - ago
    Subscriber.objects.filter(id=person.id).update(
        created_at=at, confirmed_at=at, left_at=None if left is None else NOW - left
    )


def test_who_joined_and_left_by_day_and_a_gap_before_the_first():
    joined(40 * DAY)
    joined(2 * DAY)
    joined(2 * DAY, left=DAY)
    suppressed("left", 20 * DAY)
    suppressed("left", DAY)  # still a person who left, and counted as one
    suppressed("bounce", 20 * DAY)
    with timezone.override("Europe/Berlin"):
        days = totals.joined_and_left(now=NOW, today=timezone.localtime(NOW).date())
    assert len(days) == 90 and days[-1].day.isoformat() == "2026-11-24"
    known = [(90 - place, day.joined, day.left) for place, day in enumerate(days) if day.joined or day.left]
    assert known == [(41, 1, 0), (21, 0, 1), (3, 2, 0), (2, 0, 1)]
    assert days[48].joined is None and days[48].left is None and days[49].joined == 1


def test_suppressions_by_reason_and_age():
    for ago in (DAY, 8 * DAY, 40 * DAY, 400 * DAY, 401 * DAY):
        suppressed("bounce", ago)
    suppressed("complaint", DAY)
    suppressed("admin", DAY, lifted=True)
    counted = totals.suppressions(now=NOW)
    assert [(row.reason, row.by_age, row.all) for row in counted] == [
        ("bounce", (1, 1, 1, 2), 5),
        ("complaint", (1, 0, 0, 0), 1),
    ]
