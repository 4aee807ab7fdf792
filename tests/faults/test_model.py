"""S24: the ledger against a model by chance; a small one through every order in which its workers can take their steps."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from newsletter.delivery.ledger import resend
from newsletter.delivery.ledger.plan import PlannedProvider
from newsletter.delivery.routing import move_batches
from newsletter.delivery.sending import expired_leases, record_outcomes
from newsletter.delivery.sending.claim import ClaimedBatch, claim_batch
from newsletter.delivery.sending.recipients import Recipient, next_window_query, open_addresses, start_attempt
from newsletter.delivery.sending.record_outcomes import LeaseLost
from newsletter.lib import db
from newsletter.lib.mail.provider_interface import Accepted, Deferred, Outcome, Rejected, Unknown
from newsletter.lib.mail.window_record import MailProgress
from newsletter.models import Batch, Delivery, Subscriber
from newsletter.models import Worker as WorkerRow
from newsletter.models.states import BATCH_TRANSITIONS
from tests import factories
from tests.environment import examples
from tests.factories import ACTOR

pytestmark = pytest.mark.django_db

FINAL = {"accepted", "failed", "cancelled", "unknown", "parked"}


@dataclass
class Worker:
    """A process: what it holds, what it may send, what it was told."""

    held: ClaimedBatch | None = None
    window: list[Recipient] = field(default_factory=list)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    #: Under which it shows that it lives.
    id: UUID = field(default_factory=uuid4)

    def record(self) -> dict[UUID, dict[int, MailProgress]]:
        """What it wrote beside each mail of its window, as it stands when it is killed."""
        if self.held is None:
            return {}
        told = {
            number: _PROGRESS.get(type(outcome), MailProgress.NOT_TAKEN) for number, outcome in self.outcomes.items()
        }
        return {self.held.token: told | {one.delivery_id: MailProgress.NOT_TAKEN for one in self.window}}


_PROGRESS = {Accepted: MailProgress.ACCEPTED, Unknown: MailProgress.BEGUN}


class World:
    """Workers, a provider that remembers, a clock; every method is one step that nothing interrupts."""

    def __init__(self, people: int, window: int | None, workers: int) -> None:
        factories.open_gate()
        self.carried = window
        planned = factories.planned(people, provider=PlannedProvider(1, one_letter=window is None))
        self.people = [person.id for person in planned.people]
        self.now = factories.NOW
        self.workers = [Worker() for _ in range(workers)]
        self.taken: Counter[int] = Counter()
        #: Hand-overs of each delivery, and how many of them were proved not to be taken, or waived by name.
        self.handed: Counter[int] = Counter()
        self.proved: Counter[int] = Counter()
        for worker in self.workers:
            self.beat(worker)

    def beat(self, worker: Worker) -> None:
        about = {
            "host": "here",
            "pid": 1,
            "version": "1",
            "started_at": self.now,
            "seen_at": self.now,
            "missed_at": None,
        }
        WorkerRow.objects.update_or_create(id=worker.id, defaults=about)

    def claim(self, worker: Worker) -> None:
        if worker.held is None:
            worker.held = claim_batch(now=self.now, provider=1, worker=worker.id)

    def take_for_dead(self) -> None:
        """Whoever did not show that they live for 20 s, which somebody noticed: dead, stopped or cut off, nobody can tell."""
        silent = {"seen_at": self.now - timedelta(seconds=21), "missed_at": self.now - timedelta(seconds=8)}
        WorkerRow.objects.update(**silent)
        expired_leases.recover_expired(now=self.now)

    def die(self, number: int) -> None:
        """A worker is killed, and one of the same machine reads its record; another takes its place."""
        dead = self.workers[number]
        for delivery_id, outcome in dead.outcomes.items():
            # a no that was recorded, and not written down, is a proof as well
            self.proved[delivery_id] += self.carried is not None and isinstance(outcome, Rejected)
        expired_leases.recover_from(dead.id, dead.record() if self.carried is not None else {}, now=self.now)
        self.workers[number] = Worker()
        self.beat(self.workers[number])

    def begin(self, worker: Worker) -> None:
        if worker.held is None or worker.window or worker.outcomes:
            return
        try:
            with transaction.atomic():
                found = start_attempt(worker.held, now=self.now, provider=1, window=self.carried, vault=factories.VAULT)
        except IntegrityError:
            raise AssertionError("a second hand-over was only stopped by the last guard") from None
        if found:
            worker.window = found
        else:
            worker.held = None

    def post(self, worker: Worker, outcome: Outcome, arrived: bool, most: int = 1000) -> None:
        """The bytes leave, of `most` mails; the provider takes them or not, and answers."""
        for one in worker.window[:most]:
            self.handed[one.delivery_id] += 1
            self.taken[one.delivery_id] += isinstance(outcome, Accepted) or (isinstance(outcome, Unknown) and arrived)
            self.proved[one.delivery_id] += isinstance(outcome, Deferred) or (
                isinstance(outcome, Rejected) and outcome.split
            )
            worker.outcomes[one.delivery_id] = outcome
        worker.window = worker.window[most:]

    def settle(self, worker: Worker) -> None:
        if worker.held is None or not worker.outcomes or worker.window:
            return
        try:
            with transaction.atomic():
                worker.window = self._settled(worker.held, worker.outcomes)
        except LeaseLost:
            worker.window = []
        worker.outcomes = {}
        if not worker.window:
            worker.held = None

    def _settled(self, held: ClaimedBatch, outcomes: dict[int, Outcome]) -> list[Recipient]:
        if self.carried is None:
            record_outcomes.record_outcome(held, next(iter(outcomes.values())), now=self.now)
            return []
        last, taken = max(outcomes), all(isinstance(outcome, Accepted) for outcome in outcomes.values())
        ahead = next_window_query(held, after=last, now=self.now, window=self.carried)
        if taken:
            _, _, found = record_outcomes.accept_window(held, last, provider=1, next_window=ahead)
        else:
            record_outcomes.record_window(held, outcomes, now=self.now)
            found = db.rows(*ahead)
        following = open_addresses(held, found, now=self.now, window=self.carried, vault=factories.VAULT)
        if not following:
            record_outcomes.finish_windows(held, now=self.now, accepted=taken)
        return following

    def states(self) -> dict[int, str]:
        # read thousands of times: Django would take longer to write this query than the database to answer it
        return dict(db.rows("SELECT d.id, coalesce(d.state, b.state) FROM delivery d JOIN batch b ON b.id=d.batch_id"))

    def check(self) -> None:
        """What must hold at every moment."""
        states = self.states()
        assert len(states) == len(self.people), "a mail was lost from the ledger"
        for number, times in self.handed.items():
            assert times <= 1 + self.proved[number], "handed over again without proof"
        for number, state in states.items():
            assert self.taken[number] <= 1 + self.proved[number]
            if state == "accepted":
                assert self.taken[number], "called accepted, and nobody took it"
            if state in ("failed", "cancelled", "planned", "claimed", "parked") and self.taken[number]:
                assert self.proved[number], f"{state}, though it was taken"


OUTCOMES: list[Outcome] = [
    Accepted(), Unknown("no answer"), Deferred("429", 1.0), Rejected("550"), Rejected("400", split=True)
]  # fmt: skip
WHO = st.integers(0, 2)


class Ledger(RuleBasedStateMachine):
    """Three workers that are killed, sleep and wake at any moment; people who leave; an operator."""

    def __init__(self) -> None:
        super().__init__()
        self._atomic = transaction.atomic()
        self._atomic.__enter__()

    def teardown(self) -> None:
        self._finish()
        transaction.set_rollback(True)
        self._atomic.__exit__(None, None, None)

    @initialize(people=st.integers(1, 6), window=st.sampled_from([None, 1, 2]))
    def begin_world(self, people: int, window: int | None) -> None:
        self.world = World(people, window, 3)

    @rule(who=WHO)
    def claim(self, who: int) -> None:
        self.world.claim(self.world.workers[who])

    @rule(who=WHO)
    def barrier(self, who: int) -> None:
        self.world.begin(self.world.workers[who])

    @rule(who=WHO, outcome=st.sampled_from(OUTCOMES), arrived=st.booleans())
    def post(self, who: int, outcome: Outcome, arrived: bool) -> None:
        if self.world.carried is not None and isinstance(outcome, Rejected) and outcome.split:
            outcome = Rejected("550")
        self.world.post(self.world.workers[who], outcome, arrived)

    @rule(who=WHO, outcome=st.sampled_from([Accepted(), Unknown("no answer"), Deferred("451")]), arrived=st.booleans())
    def post_one(self, who: int, outcome: Outcome, arrived: bool) -> None:
        if self.world.carried is not None:
            self.world.post(self.world.workers[who], outcome, arrived, most=1)

    @rule(who=WHO)
    def beat(self, who: int) -> None:
        self.world.beat(self.world.workers[who])

    @rule()
    def take_for_dead(self) -> None:
        self.world.take_for_dead()

    @rule(who=WHO)
    def die(self, who: int) -> None:
        self.world.die(who)

    @rule(who=WHO)
    def settle(self, who: int) -> None:
        self.world.settle(self.world.workers[who])

    @rule(who=WHO)
    def kill(self, who: int) -> None:
        self.world.workers[who] = Worker()

    @rule(seconds=st.sampled_from([1, 30, 70, 1000]))
    def time_passes(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)

    @rule()
    def recover(self) -> None:
        expired_leases.recover_expired(now=self.world.now)

    @rule()
    def reroute(self) -> None:
        move_batches.move_from_unconfigured(PlannedProvider(1, one_letter=self.world.carried is None))

    @rule(who=st.integers(0, 5))
    def leave(self, who: int) -> None:
        Subscriber.objects.filter(id__in=self.world.people[who : who + 1]).update(state="left")

    @rule(whole=st.booleans(), again=st.sampled_from(["retry", "accepted"]))
    def operator(self, whole: bool, again: str) -> None:
        """An operator knows what arrived: only what did not goes again, only what did is called accepted."""
        from newsletter.lib.mail.references import reference as reference_of

        states = self.world.states()
        doubtful = [number for number, state in states.items() if state == "unknown"]
        for number in doubtful[:1]:
            batch = Delivery.objects.get(id=number).batch_id
            together = (
                [one for one in doubtful if Delivery.objects.get(id=one).batch_id == batch] if whole else [number]
            )
            arrived = {bool(self.world.taken[one]) for one in together}
            if arrived != {again == "accepted"}:
                continue
            word, reference = resend.OperatorNote("ops", "looked"), reference_of(number, factories.VAULT)
            if again == "retry":
                assert resend.retry(
                    reference, word, now=self.world.now, vault=factories.VAULT, whole=whole, actor=ACTOR
                ) == resend.ResendResult(len(together))
                self.world.proved.update(together)
            else:
                assert isinstance(
                    resend.resolve(
                        reference, True, word, now=self.world.now, vault=factories.VAULT, whole=whole, actor=ACTOR
                    ),
                    resend.ResendResult,
                )

    @invariant()
    def promise(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def _finish(self) -> None:
        """Everybody dies, time passes, one good worker comes: everything ends, and the sum closes."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.workers = [Worker()]
        for _ in range(60):
            world.now += timedelta(hours=1)
            expired_leases.recover_expired(now=world.now)
            (worker,) = world.workers
            for step in (world.claim, world.begin):
                step(worker)
            while worker.window:
                world.post(worker, Accepted(), True)
                world.settle(worker)
            worker.held = None
        world.check()
        assert set(world.states().values()) <= FINAL


def test_no_sequence_of_steps_loses_or_doubles() -> None:
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=examples(40), stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def programs(
    outcome: Outcome, arrived: bool, workers: int, *, by_lease: bool = True
) -> list[list[Callable[[World], None]]]:
    """What each actor does in its order: workers, and a sweeper who finds the first lease over, and the second.

    Not `by_lease`: a sweeper who takes all for dead, twice, while they live on.
    """

    def worker(number: int) -> list[Callable[[World], None]]:
        return [
            lambda world: world.claim(world.workers[number]),
            lambda world: world.begin(world.workers[number]),
            lambda world: world.post(world.workers[number], outcome, arrived),
            lambda world: world.settle(world.workers[number]),
        ]

    def late(seconds: int) -> Callable[[World], None]:
        def sweep(world: World) -> None:
            world.now += timedelta(seconds=seconds)
            expired_leases.recover_expired(now=world.now)

        return sweep

    sweeper = [late(61), late(901)] if by_lease else [World.take_for_dead, World.take_for_dead]
    return [*(worker(number) for number in range(workers)), sweeper]


class Explorer:
    """Every order, each state of the world visited once; the database goes back by savepoints."""

    def __init__(self, world: World, actors: list[list[Callable[[World], None]]]) -> None:
        self.world, self.actors = world, actors
        self.seen: set[Any] = set()

    def explore(self, done: tuple[int, ...]) -> None:
        state = (done, self._snapshot())
        if state in self.seen:
            return
        self.seen.add(state)
        self.world.check()
        for actor, steps in enumerate(self.actors):
            if done[actor] < len(steps):
                self._try(steps[done[actor]], (*done[:actor], done[actor] + 1, *done[actor + 1 :]))

    def _try(self, step: Callable[[World], None], done: tuple[int, ...]) -> None:
        world = self.world
        workers = [Worker(one.held, list(one.window), dict(one.outcomes), one.id) for one in world.workers]
        kept: tuple[datetime, Counter[int], Counter[int], Counter[int]] = (
            world.now, world.taken.copy(), world.handed.copy(), world.proved.copy()
        )  # fmt: skip
        point = transaction.savepoint()
        step(world)
        self.explore(done)
        transaction.savepoint_rollback(point)
        world.workers = workers
        world.now, world.taken, world.handed, world.proved = kept

    def _snapshot(self) -> Any:
        """The rows and the workers, tokens and times left out: they differ without making a difference."""
        batches = db.rows("SELECT id, state, attempts, begun_upto, done_upto, token FROM batch ORDER BY id")
        as_stored = Batch._meta.get_field("token").get_db_prep_value
        owners = {
            as_stored(one.held.token, connection): number for number, one in enumerate(self.world.workers) if one.held
        }
        first = min((row[0] for row in batches), default=0)
        return (
            tuple((row[0] - first, *row[1:5], owners.get(row[5], row[5] is not None)) for row in batches),
            tuple(sorted(self.world.states().items())),
            tuple((one.held is not None, len(one.window), len(one.outcomes)) for one in self.world.workers),
            self.world.now,
            tuple(sorted(self.world.handed.items())),
        )


@pytest.mark.parametrize("window", [None, 1])
@pytest.mark.parametrize(
    ("outcome", "arrived"),
    [(Accepted(), True), (Unknown("x"), True), (Unknown("x"), False), (Deferred("x"), False)],
)
def test_every_order_of_two_workers_and_a_sweeper(outcome: Outcome, arrived: bool, window: int | None) -> None:
    explorer = Explorer(World(2, window, 2), programs(outcome, arrived, 2))
    explorer.explore((0, 0, 0))
    assert len(explorer.seen) > 100


@pytest.mark.parametrize("window", [None, 1])
@pytest.mark.parametrize(("outcome", "arrived"), [(Accepted(), True), (Unknown("x"), True)])
def test_every_order_of_two_workers_that_are_taken_for_dead_and_live(
    outcome: Outcome, arrived: bool, window: int | None
) -> None:
    explorer = Explorer(World(2, window, 2), programs(outcome, arrived, 2, by_lease=False))
    explorer.explore((0, 0, 0))
    assert len(explorer.seen) > 80


def a_death_that_is_recorded(outcome: Outcome, arrived: bool) -> list[list[Callable[[World], None]]]:
    """One sends mail by mail and is killed, by whose record the rest goes on; another sends what there is."""
    first: list[Callable[[World], None]] = [
        lambda world: world.claim(world.workers[0]),
        lambda world: world.begin(world.workers[0]),
        lambda world: world.post(world.workers[0], outcome, arrived, most=1),
        lambda world: world.post(world.workers[0], Accepted(), True, most=1),
        lambda world: world.settle(world.workers[0]),
    ]
    second: list[Callable[[World], None]] = [
        lambda world: world.claim(world.workers[1]),
        lambda world: world.begin(world.workers[1]),
        lambda world: world.post(world.workers[1], Accepted(), True),
        lambda world: world.settle(world.workers[1]),
    ]
    return [first, second, [lambda world: world.die(0)]]


@pytest.mark.parametrize(
    ("outcome", "arrived"),
    [(Accepted(), True), (Unknown("x"), True), (Unknown("x"), False), (Deferred("x"), False), (Rejected("550"), False)],
)
def test_every_moment_at_which_a_worker_is_killed_whose_record_is_read(outcome: Outcome, arrived: bool) -> None:
    explorer = Explorer(World(3, 2, 2), a_death_that_is_recorded(outcome, arrived))
    explorer.explore((0, 0, 0))
    assert len(explorer.seen) > 20


@pytest.mark.parametrize("believed", [MailProgress.NOT_TAKEN, MailProgress.ACCEPTED])
def test_the_explorer_sees_a_record_that_is_believed_too_much(
    monkeypatch: pytest.MonkeyPatch, believed: MailProgress
) -> None:
    """What was begun and not answered is neither taken nor not."""
    monkeypatch.setitem(_PROGRESS, Unknown, believed)
    explorer = Explorer(World(3, 2, 2), a_death_that_is_recorded(Unknown("x"), believed is MailProgress.NOT_TAKEN))
    with pytest.raises(AssertionError):
        explorer.explore((0, 0, 0))


def test_the_explorer_sees_a_record_that_is_read_while_its_process_lives() -> None:
    """A process that is only stopped goes on later with what another was given meanwhile."""

    def read(world: World) -> None:
        expired_leases.recover_from(world.workers[0].id, world.workers[0].record(), now=world.now)

    first, second, _ = a_death_that_is_recorded(Accepted(), True)
    explorer = Explorer(World(3, 2, 2), [first, second, [read]])
    with pytest.raises(AssertionError):
        explorer.explore((0, 0, 0))


def test_every_order_of_three_workers_and_a_sweeper() -> None:
    explorer = Explorer(World(1, None, 3), programs(Unknown("x"), True, 3))
    explorer.explore((0, 0, 0, 0))
    assert len(explorer.seen) > 300


def test_the_explorer_sees_a_barrier_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger that takes doubt for a no must be found guilty, or the exploration proves nothing."""
    real = record_outcomes.record_outcome

    def careless(held: ClaimedBatch, outcome: Outcome, *, now: datetime) -> None:
        real(held, Deferred("try again", 0.0) if isinstance(outcome, Unknown) else outcome, now=now)

    monkeypatch.setattr(record_outcomes, "record_outcome", careless)
    explorer = Explorer(World(1, None, 2), programs(Unknown("x"), True, 2))
    with pytest.raises(AssertionError):
        explorer.explore((0, 0, 0))


def test_the_database_refuses_every_change_that_is_not_in_the_table() -> None:
    made = factories.planned(1).batch_ids[0]
    states = [state for state, _ in Batch._meta.get_field("state").choices or ()]
    for before in states:
        for after in states:
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM batch WHERE id=%s", [made])
                Batch.objects.create(id=made, provider=1, lane=1, state=before, not_before=factories.NOW, size=1)
                legal = before == after or (before, after) in BATCH_TRANSITIONS
                try:
                    with transaction.atomic():
                        cursor.execute("UPDATE batch SET state=%s WHERE id=%s", [after, made])
                except IntegrityError:
                    assert not legal
                else:
                    assert legal
