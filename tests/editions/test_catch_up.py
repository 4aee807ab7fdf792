"""A digest more than six hours late is skipped, and its items stay owed to the next one."""

from datetime import timedelta

import pytest

from newsletter.editions import gatherings
from newsletter.editions.owed import owed
from newsletter.models import Cadence, Gathering, Rhythm
from tests import factories

pytestmark = pytest.mark.django_db

DUE = factories.NOW


def due() -> Rhythm:
    person, topic = factories.subscriber(), factories.topic()
    factories.follow(person, topic, Cadence.DAILY)
    factories.match(factories.item(seen=DUE - timedelta(hours=1)), topic, owed_at=DUE - timedelta(hours=1))
    Rhythm.objects.filter(id=person.daily_rhythm_id).update(due_at=DUE)
    return Rhythm.objects.get(id=person.daily_rhythm_id)


def test_digest_six_hours_late_is_still_sent() -> None:
    due()
    assert len(gatherings.open_due_digests(now=DUE + timedelta(hours=6))) == 1
    assert not Gathering.objects.get().skipped


def test_later_digest_is_skipped_and_the_next_has_everything() -> None:
    rhythm = due()
    late = DUE + timedelta(hours=6, seconds=1)
    assert gatherings.open_due_digests(now=late) == ()
    assert Gathering.objects.get().skipped
    assert gatherings.unfinished_gatherings() == ()
    assert gatherings.open_due_digests(now=late) == ()
    following = Rhythm.objects.get(id=rhythm.id).due_at
    assert following > late
    (gathering_id,) = gatherings.open_due_digests(now=following)
    gathering = Gathering.objects.select_related("rhythm").get(id=gathering_id)
    assert len(owed(gathering, lo=0, hi=10**9, now=following)[0].match_ids) == 1
