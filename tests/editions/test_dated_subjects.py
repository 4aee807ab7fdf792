"""Neutral subjects carry a date, and everybody who gets the same on one date still shares an edition."""

from datetime import timedelta

import pytest

from newsletter.editions import compose, gatherings
from newsletter.models import Cadence, Edition, EditionBody, Gathering
from tests import factories
from tests.editions.composing import NOW, alert, mails

pytestmark = pytest.mark.django_db


def subjects() -> list[str]:
    return [words["subject"] for _, words in mails()]


def send_due(composer: compose.Composer, now) -> None:
    for gathering in gatherings.open_due_digests(now=now):
        compose.compose(gathering, composer, clock=lambda: now)


def reader(topic, cadence: Cadence, **rhythm):
    made = factories.rhythm(cadence, due_at=NOW, **rhythm)
    column = "daily_rhythm" if cadence == Cadence.DAILY else "weekly_rhythm"
    factories.follow(factories.subscriber(**{column: made}), topic, cadence)


def test_zones_with_the_same_date_share_an_edition(composer: compose.Composer) -> None:
    topic = factories.topic()
    for zone in ("UTC", "Asia/Tokyo", "America/New_York"):
        reader(topic, Cadence.DAILY, zone=zone)
    factories.match(factories.item(), topic, owed_at=NOW - timedelta(hours=1))
    send_due(composer, NOW)
    assert Gathering.objects.count() == 3
    assert Edition.objects.count() == EditionBody.objects.count() == 1
    assert subjects() == ["Your daily digest, 24 November 2026"]


def test_date_is_that_of_the_readers_zone(composer: compose.Composer) -> None:
    topic = factories.topic()
    for zone in ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"):
        reader(topic, Cadence.DAILY, zone=zone)
    factories.match(factories.item(), topic, owed_at=NOW - timedelta(hours=15))
    send_due(composer, NOW + timedelta(hours=1))  # due at 09:00 UTC: 23:00 there, and 22:00 of the day before
    assert sorted(subjects()) == ["Your daily digest, 23 November 2026", "Your daily digest, 24 November 2026"]


def test_weekly_digest_has_the_date_of_its_weekday(composer: compose.Composer) -> None:
    topic = factories.topic()
    reader(topic, Cadence.WEEKLY)
    factories.match(factories.item(), topic, owed_at=NOW - timedelta(hours=1))
    send_due(composer, NOW)
    assert subjects() == ["Your weekly digest, 23 November 2026"]


def test_alerts_have_a_date_and_time_and_each_is_rendered_once(composer: compose.Composer) -> None:
    topic = factories.topic()
    for _ in range(3):
        factories.follow(factories.subscriber(), topic)
    factories.match(factories.item(), topic)
    alert(composer, chunk=1)
    assert subjects() == ["Your update, 24 November 2026, 09:00 UTC"]
