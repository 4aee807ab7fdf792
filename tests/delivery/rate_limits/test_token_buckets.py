"""Token buckets: never more than their size and pace allow, in memory and in Redis alike, and something at least without it."""

import threading
from collections.abc import Iterator
from itertools import accumulate
from uuid import uuid4

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.delivery.rate_limits import redis_token_buckets
from newsletter.delivery.rate_limits.redis_token_buckets import SHARE_WITHOUT_REDIS, RedisBuckets
from newsletter.delivery.rate_limits.token_buckets import (
    LONGEST_WAIT,
    Bucket,
    Buckets,
    InMemoryBuckets,
    TokenGrant,
    TokenRequest,
)
from tests import services
from tests.environment import examples

#: (seconds that pass, mails wanted, urgent)
STEPS = st.lists(st.tuples(st.floats(0, 5), st.integers(0, 40), st.booleans()), max_size=30)
RATES = st.floats(0.05, 50)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def ask(mails: int, rate: float = 5, *, urgent: bool = True, key: str = "a") -> TokenRequest:
    return TokenRequest(mails, Bucket(key, rate), urgent)


def most_in_any_window(told: list[tuple[float, int]], bucket: Bucket) -> float:
    """By how much some stretch of time exceeds what size and pace allow; told holds (moment, mails)."""
    worst = float("-inf")
    for first in range(len(told)):
        sums = accumulate(mails for _, mails in told[first:])
        for (moment, _), mails in zip(told[first:], sums, strict=True):
            worst = max(worst, mails - bucket.size - bucket.rate * (moment - told[first][0]))
    return worst


@given(rate=RATES, steps=STEPS, over=st.none() | RATES)
@example(rate=0.1, steps=[(0.0, 1, True), (4.999999, 1, True), (4.999999, 1, True)], over=None)
def test_no_stretch_of_time_lets_more_through(
    rate: float, steps: list[tuple[float, int, bool]], over: float | None
) -> None:
    clock = Clock()
    buckets = InMemoryBuckets(clock)
    overall = Bucket("over", over) if over else None
    told = []
    for passed, mails, urgent in steps:
        clock.now += passed
        (grant,) = buckets.take(overall, [ask(mails, rate, urgent=urgent)])
        assert 0 <= grant.mails <= mails
        assert 0 <= grant.wait <= LONGEST_WAIT
        told.append((clock.now, grant.mails))
    assert most_in_any_window(told, Bucket("a", rate)) <= 0.001
    if overall:
        assert most_in_any_window(told, overall) <= 0.001


@given(rate=RATES, backlog=st.integers(1, 200), urgent=st.booleans())
@settings(max_examples=examples(50))
def test_waiting_as_advised_gets_tokens_in_the_end(rate: float, backlog: int, urgent: bool) -> None:
    clock = Clock()
    buckets = InMemoryBuckets(clock)
    visits = 0
    while backlog:
        (grant,) = buckets.take(None, [ask(backlog, rate, urgent=urgent)])
        backlog -= grant.mails
        clock.now += grant.wait
        visits += 1
        assert visits < 1000


def test_many_who_wait_come_back_one_after_the_other_and_use_the_whole_pace() -> None:
    clock = Clock()
    buckets = InMemoryBuckets(clock)
    waiting = [(clock.now, 300) for _ in range(20)]  # a pace of 20 a second: 6,000 mails are five minutes
    visits = 0
    while waiting:
        moment, mails = min(waiting)
        waiting.remove((moment, mails))
        clock.now = max(clock.now, moment)
        (grant,) = buckets.take(None, [ask(mails, 20, urgent=False)])
        visits += 1
        if mails - grant.mails:
            waiting.append((clock.now + grant.wait, mails - grant.mails))
    assert 290 <= clock.now - 1000 <= 330
    assert visits < 500


def test_mail_that_is_not_urgent_leaves_half_the_tokens() -> None:
    clock = Clock()
    buckets = InMemoryBuckets(clock)
    digests = buckets.take(None, [ask(1000, 10, urgent=False)])[0]
    assert digests.mails == 15  # half of three seconds
    for _ in range(50):
        buckets.take(None, [ask(1000, 10, urgent=False)])
    alert = buckets.take(None, [ask(20, 10)])[0]
    assert (alert.mails, alert.wait) == (15, 0.5)


def test_a_slow_pace_lets_single_mails_through_whatever_they_are() -> None:
    buckets = InMemoryBuckets(Clock())
    assert buckets.take(None, [ask(3, 0.01, urgent=False)])[0] == TokenGrant(1, 100.0)


def test_the_bucket_over_all_is_shared_in_order_and_tells_nobody_to_wait() -> None:
    buckets = InMemoryBuckets(Clock())
    told = buckets.take(Bucket("over", 2), [ask(4, 100, key="a"), TokenRequest(5), ask(3, 100, key="b")])
    assert told == [TokenGrant(4), TokenGrant(2), TokenGrant(0)]
    assert buckets.level(Bucket("a", 100)) == 296  # nothing is lost where the other bucket was the smaller
    assert buckets.level(Bucket("b", 100)) == 300


def test_threads_of_one_process_share_a_bucket() -> None:
    buckets = InMemoryBuckets(Clock())
    got: list[int] = []

    def greedy() -> None:
        got.extend(buckets.take(None, [ask(1, 100)])[0].mails for _ in range(200))

    threads = [threading.Thread(target=greedy) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(got) == 300


# -- Redis


@pytest.fixture
def shared(redis_server: services.Redis) -> Iterator[RedisBuckets]:
    yield RedisBuckets(redis_server.url)


def test_redis_and_memory_are_one_algorithm(redis_server: services.Redis) -> None:
    """The script with its clock taken from the test, against the same steps in memory."""
    timed = RedisBuckets(redis_server.url)
    script = redis_token_buckets._SCRIPT.replace("local time = redis.call('TIME')\n", "")
    script = script.replace("tonumber(time[1]) + tonumber(time[2]) / 1000000", "tonumber(asked.now)")
    clock = Clock()
    run = timed._redis.register_script(script)

    def at_our_time(keys: list[str], args: list[str]) -> object:
        return run(keys=keys, args=[f'{{"now": {clock.now!r}, {args[0][1:]}'])

    timed._run = at_our_time  # type: ignore[assignment]

    @given(rates=st.tuples(RATES, RATES, st.none() | RATES), steps=STEPS)
    @settings(max_examples=examples(60))
    def same(rates: tuple[float, float, float | None], steps: list[tuple[float, int, bool]]) -> None:
        mark = uuid4().hex
        here = InMemoryBuckets(clock)
        overall = Bucket(f"{mark}o", rates[2]) if rates[2] else None
        for passed, mails, urgent in steps:
            clock.now += passed
            asks = [
                TokenRequest(mails, Bucket(f"{mark}a", rates[0]), urgent),
                TokenRequest(mails // 2),
                TokenRequest(mails // 3, Bucket(f"{mark}b", rates[1]), urgent),
            ]
            for one, other in zip(here.take(overall, asks), timed.take(overall, asks), strict=True):
                assert one.mails == other.mails
                assert one.wait == pytest.approx(other.wait, abs=1e-3)
            if overall:
                assert here.level(overall) == pytest.approx(timed.level(overall), abs=1e-3)

    same()


def test_two_clients_share_a_bucket_and_one_step_is_atomic(redis_server: services.Redis) -> None:
    key = uuid4().hex
    got: list[int] = []

    def greedy() -> None:
        client = RedisBuckets(redis_server.url)
        got.extend(client.take(None, [ask(3, 100, key=key)])[0].mails for _ in range(300))

    def moment() -> float:
        seconds, micros = redis_server.command("TIME").split()
        return int(seconds) + int(micros) / 1_000_000

    threads = [threading.Thread(target=greedy) for _ in range(2)]
    begun = moment()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 300 <= sum(got) <= 300 + 100 * (moment() - begun)


def test_keys_hold_no_words_and_expire(redis_server: services.Redis, shared: RedisBuckets) -> None:
    key = uuid4().hex
    shared.take(Bucket(f"{key}o", 100), [ask(1000, 0.5, key=key)])
    for kept in (f"newsletter:{{pace}}:{key}o", f"newsletter:{{pace}}:{key}"):
        assert 0 < int(redis_server.command("PTTL", kept)) <= 90_000


def test_an_emptied_redis_begins_with_full_buckets(redis_server: services.Redis, shared: RedisBuckets) -> None:
    key = uuid4().hex
    assert shared.take(None, [ask(100, 1, key=key)])[0].mails == 3
    redis_server.command("FLUSHALL")
    redis_server.command("SCRIPT", "FLUSH")
    assert shared.take(None, [ask(100, 1, key=key)])[0].mails == 3


def test_without_redis_each_process_goes_on_at_a_share_and_says_so_once(monkeypatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(redis_token_buckets.log, "warning", lambda event, **_: said.append(event))
    server = services.Redis()
    server.start()
    try:
        clock = Clock()
        shared: Buckets = RedisBuckets(server.url, clock=clock, alone=InMemoryBuckets(clock))
        overall, key = Bucket("over", 40), uuid4().hex
        assert shared.take(overall, [ask(1000, 400, key=key)])[0].mails == 120
        server.stop(kill=True)
        assert shared.level(overall) == 120 * SHARE_WITHOUT_REDIS
        assert shared.take(overall, [ask(1000, 400, key=key)])[0].mails == 120 * SHARE_WITHOUT_REDIS
        clock.now += 1
        assert shared.take(overall, [ask(1000, 400, key=key)])[0].mails == 40 * SHARE_WITHOUT_REDIS
        assert said == ["pace_without_redis"]
        server.start()
        clock.now += 1
        assert shared.level(overall) == 40 * SHARE_WITHOUT_REDIS  # not asked again so soon
        clock.now += 5
        assert shared.level(overall) == 120
        assert said == ["pace_without_redis", "pace_with_redis_again"]
    finally:
        server.close()


def test_a_redis_that_does_not_answer_costs_a_moment_once(redis_server: services.Redis, monkeypatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(redis_token_buckets.log, "warning", lambda event, **_: said.append(event))
    clock = Clock()
    shared = RedisBuckets(redis_server.url, clock=clock)
    redis_server.freeze(True)
    try:
        assert [shared.take(None, [TokenRequest(3, Bucket("frozen", 400))])[0].mails for _ in range(20)] == [3] * 20
    finally:
        redis_server.freeze(False)
    assert said == ["pace_without_redis"]


def test_a_redis_that_takes_no_writes_is_as_good_as_gone(redis_server: services.Redis, monkeypatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(redis_token_buckets.log, "warning", lambda event, **more: said.append(str(more)))
    redis_server.command("CONFIG", "SET", "maxmemory", "1")
    try:
        assert RedisBuckets(redis_server.url).take(None, [ask(2, 100, key=uuid4().hex)])[0].mails == 2
    finally:
        redis_server.command("CONFIG", "SET", "maxmemory", "0")
    assert len(said) == 1
