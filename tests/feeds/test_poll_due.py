"""Many feeds at once: the bad ones delay no good one, one request at a time per host, one poll at a time."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from newsletter.feeds import poll
from newsletter.feeds.fetching.http_client import Fetcher
from newsletter.feeds.parsing.model import Parsed
from newsletter.feeds.polling import leases, record_result
from newsletter.feeds.sandbox import sandboxed_parse
from newsletter.models import Feed, Fetch, Host, Incident, Item
from tests import factories
from tests.fakes.sites import Sites, sites
from tests.feeds.poll_one import poll_one

NOW = factories.NOW
pytestmark = pytest.mark.django_db
GOOD, SLOW, BROKEN, HOSTILE = "good", "slow", "broken", "hostile"


def habit(host: str) -> str:
    """Of a hundred hosts five are slow, five broken, one hostile."""
    number = int(host.rpartition(".")[2]) % 100
    return SLOW if number < 5 else BROKEN if number < 10 else HOSTILE if number == 10 else GOOD


@pytest.fixture
def world() -> Iterator[Sites]:
    with sites(habit) as server:
        yield server


def add(world: Sites, *names: str, path: str = "", **columns: object) -> list[int]:
    values = {"next_fetch_at": NOW, "created_at": NOW, "announce": "all", **columns}
    feeds = [Feed(url=world.url(name) + path, **values) for name in names]
    return [feed.id for feed in Feed.objects.bulk_create(feeds)]


def fetcher(world: Sites, *names: str, seconds: float = 2) -> Fetcher:
    return Fetcher(allow=frozenset((name, world.port) for name in names), seconds=seconds)


def quick_parse(body: bytes, **more: Any) -> Parsed:
    return sandboxed_parse.parse_in_sandbox(body, **more, limits=sandboxed_parse.Limits(wall=20, cpu=1))


def read(world: Sites, *names: str, wait: float = 2, **more: object) -> list[poll.PollResult]:
    reader = fetcher(world, *names, seconds=wait)
    found = poll.poll_due(clock=lambda: NOW, fetcher=reader, parse=quick_parse, **more)  # type: ignore[arg-type]
    return list(found)


def test_all_good_feeds_are_read_while_the_bad_ones_wait_out_their_time(world: Sites) -> None:
    names = [f"127.0.{number // 100}.{number % 100 + 1}" for number in range(200)]
    ids = dict(zip(add(world, *names), names, strict=True))
    good = {number for number, name in ids.items() if habit(name) == GOOD}
    before: list[poll.PollResult] = []
    found = poll.poll_due(clock=lambda: NOW, fetcher=fetcher(world, *names, seconds=120), parse=quick_parse)
    for one in found:
        before.append(one)
        if good <= {one.feed_id for one in before}:
            break
    # every good one is read, and the slow ones have not even answered
    assert not any(habit(ids[one.feed_id]) == SLOW for one in before)
    assert all(one.status == "read" for one in before if one.feed_id in good)
    world.release.set()
    done = [*before, *found]
    assert {habit(ids[one.feed_id]) for one in done if one.status == "failed"} == {BROKEN, HOSTILE}
    order = [habit(ids[one.feed_id]) for one in done if one.status == "read"]
    assert len(order) == order.count(GOOD) + order.count(SLOW)
    assert len(done) == len(names)
    assert Item.objects.count() == 3 * len(order)
    assert max(world.most_open.values()) == 1
    told = set(Fetch.objects.exclude(error="").values_list("error", flat=True))
    assert len(told) == 2, told


def test_feeds_of_one_host_are_read_one_after_the_other(world: Sites) -> None:
    ids = [add(world, "127.0.5.50", path=f"?{number}")[0] for number in range(12)]
    done = read(world, "127.0.5.50")
    assert [one.feed_id for one in done] == ids
    assert world.requests["127.0.5.50"] == 12
    assert world.most_open["127.0.5.50"] == 1


def test_a_host_that_another_process_has_leased_is_not_asked(world: Sites) -> None:
    (feed_id,) = add(world, "127.0.5.51")
    lease = leases.lease_host("127.0.5.51", now=NOW)
    assert lease is not None
    assert leases.lease_host("127.0.5.51", now=NOW) is None
    assert poll_one(feed_id, now=NOW, fetcher=fetcher(world, "127.0.5.51")).status == "not polled"
    assert poll.due_feeds(now=NOW) == (feed_id,)
    lease.release(free_at=NOW)
    assert poll_one(feed_id, now=NOW, fetcher=fetcher(world, "127.0.5.51")).status == "read"
    # a worker that died gives nothing back
    leases.lease_host("127.0.5.51", now=NOW)
    assert leases.lease_host("127.0.5.51", now=NOW + leases.HOST_LEASE) is not None


def test_slow_and_broken_feeds_get_at_most_half_of_the_threads(world: Sites, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poll, "THREADS", 4)
    slow = [f"127.0.6.{number}" for number in range(1, 5)]
    good = [f"127.0.6.{number}" for number in range(20, 30)]
    add(world, *slow, last_ms=30_000)
    add(world, *good, next_fetch_at=NOW - timedelta(seconds=1), failures=0)
    done = read(world, *slow, *good)
    assert [one.status for one in done[:10]] == ["read"] * 10
    assert [one.status for one in done[10:]] == ["failed"] * 4


def test_feeds_that_are_not_begun_in_time_stay_due(world: Sites) -> None:
    ids = add(world, "127.0.7.20", "127.0.7.21")
    assert read(world, "127.0.7.20", "127.0.7.21", seconds=0) == []
    assert set(poll.due_feeds(now=NOW)) == set(ids)
    assert not Host.objects.filter(free_at__gt=NOW).exists()


def test_a_stopped_poll_releases_feeds_and_hosts(world: Sites) -> None:
    ids = add(world, "127.0.8.1", "127.0.8.2")
    answers = iter([True, True])
    assert read(world, "127.0.8.1", "127.0.8.2", wait=30, should_continue=lambda: next(answers, False)) == []
    assert set(poll.due_feeds(now=NOW)) == set(ids)
    assert not Host.objects.filter(free_at__gt=NOW).exists()


def test_a_feed_that_kills_its_parser_three_times_is_quarantined(world: Sites) -> None:
    (feed_id,) = add(world, "127.0.9.10")
    for hours in range(3):
        at = NOW + timedelta(hours=hours)
        Feed.objects.update(next_fetch_at=at)
        done = poll_one(feed_id, now=at, fetcher=fetcher(world, "127.0.9.10"), parse=quick_parse)
        assert done.status == "failed"
    assert Feed.objects.get().state == Feed.State.QUARANTINED
    incident = Incident.objects.get()
    assert incident.kind == Incident.Kind.QUARANTINED
    assert f"feeds resume {feed_id}" in incident.detail
    assert poll.due_feeds(now=NOW + timedelta(days=30)) == ()


def test_an_exception_in_our_code_fails_one_feed_only(world: Sites, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["127.0.10.20", "127.0.10.21", "127.0.10.22"]
    ids = add(world, *names)
    real = record_result.diff.compare

    def broken(feed: Feed, parsed: object) -> object:
        if feed.id == ids[1]:
            raise ZeroDivisionError
        return real(feed, parsed)  # type: ignore[arg-type]

    monkeypatch.setattr(record_result.diff, "compare", broken)
    done = {one.feed_id: one for one in read(world, *names)}
    assert [done[number].status for number in ids] == ["read", "failed", "read"]
    assert "report this" in done[ids[1]].error


def test_a_database_error_is_not_recorded_as_a_failure_of_a_feed(world: Sites, monkeypatch: pytest.MonkeyPatch) -> None:
    add(world, "127.0.11.20")

    def gone(*_args: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(record_result.diff, "compare", gone)
    with pytest.raises(OperationalError):
        read(world, "127.0.11.20")
    assert not Fetch.objects.exists()


def test_one_poll_at_a_time(world: Sites) -> None:
    held = leases.lease_poll(NOW)
    assert held is not None
    assert leases.lease_poll(NOW) is None
    assert held.renew(NOW + timedelta(seconds=20))
    assert leases.lease_poll(NOW + timedelta(seconds=40)) is None
    # its holder hangs: another one takes over, and the first one notices
    second = leases.lease_poll(NOW + timedelta(seconds=51))
    assert second is not None
    assert not held.renew(NOW + timedelta(seconds=52))
    held.release(NOW + timedelta(seconds=53))
    assert leases.lease_poll(NOW + timedelta(seconds=54)) is None
    second.release(NOW + timedelta(seconds=55))
    assert leases.lease_poll(NOW + timedelta(seconds=55)) is not None
