"""Incidents: one open per feed and kind, closed when over, and a gap makes a backfill begin anew."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from newsletter.feeds.storage import incidents
from newsletter.models import Feed, Incident
from tests import factories
from tests.factories import ACTOR

pytestmark = pytest.mark.django_db
NOW = factories.NOW
GAP, ENDED = Incident.Kind.GAP, Incident.Kind.ENDED


def feed(number: int = 1) -> Feed:
    return Feed.objects.create(
        url=f"https://digest.example/{number}", title=f"Digest {number}", next_fetch_at=NOW, created_at=NOW
    )


def test_opened_once_until_it_is_closed() -> None:
    one = feed()
    assert incidents.open_(one.id, ENDED, "it is gone: remove it", NOW)
    assert not incidents.open_(one.id, ENDED, "again", NOW + timedelta(hours=1))
    assert incidents.open_(one.id, GAP, "run a backfill", NOW)
    assert {(row.kind, row.detail, row.opened_at) for row in incidents.listing()} == {
        ("ended", "it is gone: remove it", NOW),
        ("gap", "run a backfill", NOW),
    }
    assert incidents.close(one.id, ENDED, NOW + timedelta(hours=2))
    assert not incidents.close(one.id, ENDED, NOW + timedelta(hours=3))
    assert incidents.opened_at(one.id, ENDED) is None
    assert incidents.open_(one.id, ENDED, "once more", NOW + timedelta(hours=4))
    assert [row.kind for row in incidents.listing()] == ["ended", "gap"]
    assert [row.closed_at for row in incidents.listing(closed=True) if row.closed_at] == [NOW + timedelta(hours=2)]


def test_one_that_somebody_has_looked_at_is_closed_by_its_number() -> None:
    one, other = feed(), feed(2)
    for each in (one, other):
        incidents.open_(each.id, GAP, "", NOW)
    (chosen,) = (row.id for row in incidents.listing() if row.feed_title == "Digest 2")
    assert incidents.close_by_id(chosen, NOW, actor=ACTOR)
    assert not incidents.close_by_id(chosen, NOW, actor=ACTOR)
    assert not incidents.close_by_id(10**6, NOW, actor=ACTOR)
    assert [row.feed_id for row in incidents.listing()] == [one.id]


def test_every_gap_makes_a_backfill_begin_anew_and_other_kinds_do_not() -> None:
    one = feed()
    for first in (True, False):
        Feed.objects.update(backfill_page="https://digest.example/?page=7", backfilled=6)
        incidents.open_(one.id, ENDED, "", NOW)
        assert Feed.objects.get().backfilled == 6
        assert incidents.open_(one.id, GAP, "", NOW) is first
        assert (Feed.objects.get().backfill_page, Feed.objects.get().backfilled) == ("", 0)


def test_it_is_opened_within_the_transaction_of_a_poll() -> None:
    one = feed()
    with transaction.atomic():
        assert incidents.open_(one.id, GAP, "", NOW)
        assert not incidents.open_(one.id, GAP, "", NOW)
        assert incidents.opened_at(one.id, GAP) == NOW


@pytest.mark.django_db(transaction=True)
def test_two_processes_open_one() -> None:
    one, new = feed(), list[bool]()
    together = threading.Barrier(2)

    def run() -> None:
        try:
            together.wait()
            new.append(incidents.open_(one.id, ENDED, "", NOW))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(new) == [False, True]
    assert len(incidents.listing()) == 1
