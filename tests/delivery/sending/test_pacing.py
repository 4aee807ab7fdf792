"""Who of a claimed batch may go now: nothing lost, nothing twice, nothing faster, and nothing held while it waits."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter.config import rate_limits
from newsletter.delivery import send
from newsletter.delivery.gates import provider_gate, sending_gate
from newsletter.delivery.ledger import urgent_resend
from newsletter.delivery.ledger.plan import PlannedProvider
from newsletter.delivery.rate_limits.token_buckets import InMemoryBuckets
from newsletter.delivery.send import Sender
from newsletter.delivery.sending import expired_leases, pacing
from newsletter.delivery.sending.claim import claim_batch, release_claim
from newsletter.delivery.sending.pacing import WAITS_FOR_PACE, Pacing
from newsletter.lib.mail.provider_interface import Accepted, Deferred, Outcome, Parcel
from newsletter.models import Attempt, Batch, Breaker, Delivery, Event, Lane
from tests import factories
from tests.delivery.fake_provider import ScriptedProvider
from tests.delivery.helpers import states
from tests.factories import ACTOR

pytestmark = pytest.mark.django_db

NOW = factories.NOW


@pytest.fixture(autouse=True)
def _gate() -> None:
    factories.open_gate()


class World:
    """A paced sender on a clock that only the test moves."""

    def __init__(self, provider: ScriptedProvider, *, at: datetime = NOW, **words: str) -> None:
        words = {"pace": "", "domain_pace": "", "daily_cap": "", "warm_up": "", **words}
        self.now = at
        self.provider = provider
        self.buckets = InMemoryBuckets(lambda: self.now.timestamp())
        self.limits = rate_limits.read(**words)
        self.pacing = Pacing(self.limits, self.buckets, "smtp", provider.number)
        self.sender = Sender(provider, factories.VAULT, "https://news.example", "news.example", self.pacing)
        #: (seconds since the beginning, delivery id) of each mail that left.
        self.left: list[tuple[float, int]] = []

    def send(self) -> int:
        """All that may go now; returns how many mails that were."""
        before = len(self.provider.handed)
        while send.send_next(self.sender, clock=lambda: self.now):
            pass
        new = self.provider.handed[before:]
        self.left.extend(((self.now - NOW).total_seconds(), parcel.delivery_id) for parcel in new)
        return len(new)

    def run(self, seconds: float, *, step: float = 1.0) -> None:
        for _ in range(int(seconds / step)):
            self.now += timedelta(seconds=step)
            self.send()

    def most_in(self, window: float) -> int:
        """The most mails that left in any stretch of so many seconds."""
        return max(sum(first <= at < first + window for at, _ in self.left) for first, _ in self.left)


def people(domain: str, number: int) -> list:
    return [factories.subscriber(f"{domain}{place}@{domain}") for place in range(number)]


def domain_of(parcel) -> str:
    return parcel.address.value.rpartition("@")[2]


@pytest.mark.parametrize("window", [2, None])
def test_a_providers_pace_is_kept_and_everybody_gets_one_mail(window: int | None) -> None:
    factories.planned(25, provider=PlannedProvider(1, one_letter=window is None))
    world = World(ScriptedProvider(window=window), pace="2")
    assert world.send() == 6  # three seconds of it at once
    assert world.send() == 0
    world.run(9)
    assert world.send() == 0
    assert Counter(one for _, one in world.left).most_common(1)[0][1] == 1
    assert world.most_in(1) <= 6 and world.most_in(4) <= 6 + 2 * 4
    world.run(1)
    assert states() == {"accepted": 25}
    assert not Batch.objects.filter(state__in=["planned", "claimed", "sending"]).exists()
    assert sum(Batch.objects.values_list("size", flat=True)) == 25


def test_without_a_token_nothing_is_even_claimed() -> None:
    factories.planned(10)
    world = World(ScriptedProvider(), pace="1")
    world.send()
    waits = Batch.objects.get(state="planned")
    assert (waits.size, waits.not_before, waits.attempts, waits.token) == (7, NOW, 0, None)
    assert world.pacing.lanes(now=world.now) == ()


@pytest.mark.parametrize("window", [3, None])
def test_a_domains_pace_holds_up_its_own_mail_only(window: int | None) -> None:
    crowd = people("gmail.com", 9) + people("small.example", 9) + people("googlemail.com", 9)
    factories.planned(crowd, provider=PlannedProvider(1, one_letter=window is None))
    world = World(ScriptedProvider(window=window), domain_pace="gmail.com+googlemail.com=0.6")
    world.send()
    assert Counter(domain_of(one) for one in world.provider.handed) == {"small.example": 9, "gmail.com": 6}
    (waits,) = Batch.objects.filter(state="planned")
    assert (waits.size, waits.reason) == (12, WAITS_FOR_PACE)
    assert waits.not_before > NOW and waits.lease_until is None
    assert not Attempt.objects.filter(batch_id=waits.id).exists()
    world.run(25)
    assert states() == {"accepted": 27}
    assert Counter(parcel.delivery_id for parcel in world.provider.handed).most_common(1)[0][1] == 1
    assert not Event.objects.exists()  # nothing was proved of anything: no hand-over had begun


def test_each_domain_that_waits_waits_by_itself() -> None:
    factories.planned(people("slow.example", 5) + people("fast.example", 8))
    world = World(ScriptedProvider(), domain_pace="slow.example=0.1,fast.example=0.5")
    world.send()
    waits = sorted((one.size, (one.not_before - NOW).total_seconds()) for one in Batch.objects.filter(state="planned"))
    assert waits == [(3, 4.0), (4, 10.0)]
    world.run(9)
    assert Counter(domain_of(one) for one in world.provider.handed) == {"fast.example": 8, "slow.example": 1}


def test_the_star_is_every_other_domain_by_itself() -> None:
    factories.planned(people("one.example", 5) + people("other.example", 5))
    world = World(ScriptedProvider(), domain_pace="*=0.3")
    world.send()
    assert Counter(domain_of(one) for one in world.provider.handed) == {"one.example": 3, "other.example": 3}


def test_no_domain_stands_in_a_bucket_or_a_row() -> None:
    factories.planned(people("rare-canary.example", 5))
    world = World(ScriptedProvider(), domain_pace="*=1")
    world.send()
    assert "canary" not in repr(world.buckets._levels)
    assert all("canary" not in str(row) for row in Batch.objects.values())


def test_a_pace_is_no_try_however_often_it_cuts() -> None:
    factories.planned(people("gmail.com", 60), lane=Lane.DIGEST, kind="digest")
    world = World(ScriptedProvider(), domain_pace="gmail.com=0.5")
    world.send()
    world.run(125)
    assert states() == {"accepted": 60}
    assert Batch.objects.count() > 50
    assert set(Attempt.objects.values_list("n", flat=True)) == {1}


def test_an_alert_does_not_wait_behind_the_digests_of_its_domain() -> None:
    factories.planned(people("gmail.com", 60), lane=Lane.DIGEST, kind="digest")
    world = World(ScriptedProvider(), domain_pace="gmail.com=1")
    world.run(5)
    assert len(world.provider.handed) < 20
    urgent = factories.planned([factories.subscriber(f"u{n}@gmail.com") for n in range(4)])
    world.send()
    numbers = set(Delivery.objects.filter(batch__lane=Lane.ALERT).values_list("id", flat=True))
    assert len(numbers) == len(urgent.people)
    assert numbers <= {one.delivery_id for one in world.provider.handed}


def test_two_editions_share_a_pace() -> None:
    first, second = (factories.planned(20, lane=Lane.DIGEST, kind="digest") for _ in range(2))
    world = World(ScriptedProvider(), pace="1")
    world.send()
    world.run(20)
    got = {one.delivery_id for one in world.provider.handed}
    shares = [
        Delivery.objects.filter(id__in=got, subscriber_id__in=[person.id for person in one.people]).count()
        for one in (first, second)
    ]
    assert sum(shares) == 23 and abs(shares[0] - shares[1]) <= 3


def test_mail_that_waited_for_its_domain_does_not_go_last_of_all() -> None:
    crowd = [one for pair in zip(people("small.example", 60), people("gmail.com", 60), strict=True) for one in pair]
    factories.planned(crowd, lane=Lane.DIGEST, kind="digest")
    world = World(ScriptedProvider(), pace="3", domain_pace="gmail.com=1")
    world.send()
    world.run(20)
    left = Counter(domain_of(one) for one in world.provider.handed)
    assert 15 <= left["gmail.com"] <= 30 and 30 <= left["small.example"] < 60


def test_a_waiver_goes_with_every_part() -> None:
    made = factories.planned(people("gmail.com", 5))
    Attempt.objects.create(batch_id=made.batch_ids[0], n=1, provider=1, began_at=NOW, waived_by=urgent_resend.RULE)
    Batch.objects.update(attempts=1)
    World(ScriptedProvider(), domain_pace="gmail.com=0.1").send()
    assert Attempt.objects.filter(waived_by=urgent_resend.RULE).values("batch_id").distinct().count() == 2


def test_a_claim_that_was_lost_meanwhile_is_not_divided() -> None:
    factories.planned(people("gmail.com", 5))
    world = World(ScriptedProvider(), domain_pace="gmail.com=1")
    held = claim_batch(now=NOW, provider=1)
    assert held is not None
    expired_leases.recover_expired(now=NOW + timedelta(minutes=2))
    assert world.pacing.admit(held, now=NOW, vault=factories.VAULT) is None
    assert [(one.state, one.size) for one in Batch.objects.all()] == [("planned", 5)]


def test_undecryptable_address_passes_rate_limiting() -> None:
    made = factories.planned(people("gmail.com", 2))
    made.people[0].address_cipher = b"nonsense" * 5
    made.people[0].save()
    World(ScriptedProvider(), domain_pace="*=5").send()
    assert states() == {"accepted": 1, "parked": 1}


def test_a_provider_that_is_tried_again_is_tried_with_one_that_may_go() -> None:
    factories.planned(6)
    Breaker.objects.create(provider=1, in_a_row=5, opened_at=NOW, open_until=NOW)
    world = World(ScriptedProvider(), pace="10")
    assert send.send_next(world.sender, clock=lambda: NOW) is not None
    assert len(world.provider.handed) == 1


# -- looking again


def test_it_is_worth_looking_again_only_when_mail_waits_for_its_pace() -> None:
    world = World(ScriptedProvider(), domain_pace="gmail.com=0.3")
    assert world.pacing.pause(now=NOW) is None
    factories.planned(people("gmail.com", 5))
    world.send()
    assert world.pacing.pause(now=NOW) == pacing.LOOK
    world.run(8)
    assert states() == {"accepted": 5}
    assert world.pacing.pause(now=world.now) is None
    factories.planned(5)
    world = World(ScriptedProvider(), pace="1")
    world.send()
    assert world.pacing.pause(now=NOW) == pacing.LOOK


def test_batch_due_between_two_queries_is_not_missed() -> None:
    factories.planned(people("gmail.com", 5))
    world = World(ScriptedProvider(), domain_pace="gmail.com=0.3")
    world.send()
    due = Batch.objects.get(state="planned").not_before
    assert world.pacing.pause(now=due) == pacing.LOOK


def test_tokens_that_come_between_a_look_and_this_question_leave_nothing() -> None:
    factories.planned(5)
    world = World(ScriptedProvider(), pace="1")
    world.send()
    world.now += timedelta(seconds=1)
    assert world.pacing.pause(now=world.now) == pacing.LOOK


def test_without_tokens_what_waits_for_its_domain_is_worth_a_look() -> None:
    factories.planned(people("gmail.com", 5))
    world = World(ScriptedProvider(), pace="1", domain_pace="gmail.com=0.1")
    world.send()
    factories.planned(2)
    world.send()
    assert world.pacing.lanes(now=NOW) == ()
    Batch.objects.filter(state="planned", paced=False).delete()
    assert world.pacing.pause(now=NOW) == pacing.LOOK


@pytest.mark.parametrize("tokens", [0, 5])
@pytest.mark.parametrize(
    "shut",
    [
        lambda: sending_gate.pause("tests", now=NOW, actor=ACTOR),
        lambda: provider_gate.pause(1, "tests", now=NOW, actor=ACTOR),
        lambda: Breaker.objects.create(provider=1, in_a_row=5, opened_at=NOW, open_until=NOW),
    ],
)
def test_no_wait_for_mail_that_cannot_go_at_all(shut: Callable[[], object], tokens: int) -> None:
    factories.planned(8)
    world = World(ScriptedProvider(), pace="1")
    world.send()
    world.now += timedelta(seconds=tokens)
    shut()
    assert world.pacing.pause(now=world.now) is None


# -- days


def day(number: int, hour: int = 9) -> datetime:
    return datetime(2026, 11, 24 + number, hour, tzinfo=UTC)


def test_a_cap_ends_the_day_and_the_rest_waits_for_the_next() -> None:
    factories.planned(7)
    world = World(ScriptedProvider(window=2), daily_cap="5")
    assert world.send() == 5
    today = world.pacing.allowance(now=world.now)
    assert today is not None
    assert (today.used, today.left, today.waiting, today.next_day) == (5, 0, 2, day(1, 0))
    world.now = day(0, 23)
    assert world.send() == 0
    world.now = day(1, 0)
    assert world.send() == 2
    assert states() == {"accepted": 7}


def test_a_cap_is_counted_in_the_tables_so_that_a_restart_forgets_nothing() -> None:
    factories.planned(7)
    assert World(ScriptedProvider(), daily_cap="5").send() == 5
    assert World(ScriptedProvider(), daily_cap="5").send() == 0


def test_notices_always_go_and_are_counted() -> None:
    factories.planned(4)
    world = World(ScriptedProvider(), daily_cap="3")
    assert world.send() == 3
    notice = factories.planned([factories.subscriber(state="pending")], lane=Lane.NOTICE, kind="alert")
    Delivery.objects.filter(batch_id=notice.batch_ids[0]).update(occasion_id=_notice_occasion())
    assert world.send() == 1
    today = world.pacing.allowance(now=world.now)
    assert today is not None and (today.used, today.left, today.waiting) == (4, 0, 1)


def _notice_occasion() -> int:
    from newsletter.models import Notice, Occasion

    notice = Notice.objects.create(
        kind="confirm", subscriber=factories.subscriber(), nonce=b"12345678", created_at=NOW, expires_at=day(6)
    )
    return Occasion.objects.create(kind="notice", key=f"notice:{notice.id}", created_at=NOW).id


@pytest.mark.parametrize(
    ("window", "first"),
    [
        pytest.param(2, lambda _parcel: Deferred("no connection"), id="all"),
        pytest.param(4, lambda parcel: Accepted() if parcel.delivery_id % 2 else Deferred("450"), id="single mails"),
    ],
)
def test_deferred_mail_is_returned_to_the_daily_cap(window: int, first: Callable[[Parcel], Outcome]) -> None:
    factories.planned(4)
    provider = ScriptedProvider(first, window=window)
    world = World(provider, daily_cap="4")
    world.send()
    provider.script = lambda _parcel: Accepted()
    world.now += timedelta(minutes=2)
    world.send()
    assert states() == {"accepted": 4}


def test_workers_at_the_same_time_do_not_both_take_the_last_of_a_day() -> None:
    for _ in range(2):
        factories.planned(4)
    world = World(ScriptedProvider(), daily_cap="5")
    held = [claim_batch(now=NOW, provider=1) for _ in range(2)]
    admitted = [world.pacing.admit(one, now=NOW, vault=factories.VAULT) for one in held if one]
    sizes = [Batch.objects.get(id=one.batch_id).size for one in admitted if one]
    assert sum(sizes) <= 5
    for one in admitted:
        if one:
            release_claim(one)
    assert world.send() == 5


def counted(said: CaptureQueriesContext) -> int:
    """How often the hand-overs of a day were added up."""
    return sum('FROM "attempt"' in one["sql"] and "SUM(" in one["sql"] for one in said.captured_queries)


def test_the_day_is_counted_once_for_each_claim_and_not_again_for_the_look_before_it() -> None:
    for _ in range(5):
        factories.planned(2)
    world = World(ScriptedProvider(), daily_cap="100")
    with CaptureQueriesContext(connection) as said:
        assert world.send() == 10
    assert Batch.objects.filter(state="accepted").count() == 5
    assert counted(said) == 5 + 1  # the first look of a process


def test_nothing_is_claimed_on_a_day_that_another_worker_ended() -> None:
    factories.planned(3)
    world = World(ScriptedProvider(), daily_cap="5")
    assert world.send() == 3
    other = factories.planned(2)
    Batch.objects.filter(id__in=other.batch_ids).update(state="claimed", attempts=1)
    Attempt.objects.create(batch_id=other.batch_ids[0], n=1, provider=1, began_at=NOW)
    Batch.objects.filter(id__in=other.batch_ids).update(state="sending")
    factories.planned(1)
    assert world.send() == 0  # what was open when it was last counted is counted again before anything goes
    with CaptureQueriesContext(connection) as said:
        assert world.send() == 0
    assert not [one for one in said.captured_queries if one["sql"].startswith("UPDATE")]
    Attempt.objects.filter(batch_id=other.batch_ids[0]).update(disproved=True)
    assert world.send() == 1  # given back


def test_a_warm_up_grows_day_by_day_and_ends() -> None:
    factories.planned(40)
    world = World(ScriptedProvider(window=2), warm_up="2026-11-24:2/3/10")
    told = []
    for number in range(5):
        world.now = day(number)
        told.append(world.send())
    assert told == [2, 3, 10, 25, 0]
    assert states() == {"accepted": 40}


def test_cap_pace_and_domains_together_lose_and_double_nothing() -> None:
    factories.planned(people("gmail.com", 20) + people("small.example", 20), lane=Lane.DIGEST, kind="digest")
    factories.planned(people("gmail.net", 10))
    provider = ScriptedProvider(window=3)
    provider.script = lambda parcel: Deferred("451") if len(provider.handed) % 7 == 3 else Accepted()
    world = World(provider, pace="5", domain_pace="gmail.com=1,*=3", daily_cap="30")
    world.run(400, step=5)
    taken = dict(states())
    assert sum(taken.values()) == 50
    assert 20 <= taken["accepted"] <= 30
    provider.script = lambda _parcel: Accepted()
    for number in (1, 2):
        world.now = day(number)
        world.run(4000, step=50)
    assert states() == {"accepted": 50}
    assert sum(Batch.objects.filter(state="accepted").values_list("size", flat=True)) == 50


def test_the_day_is_utcs() -> None:
    assert (
        rate_limits.read(pace="", domain_pace="", daily_cap="", warm_up="2026-11-24").cap("smtp", date(2026, 11, 25))
        == 200
    )
