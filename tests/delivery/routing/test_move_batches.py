"""A switch of providers at any point: what may have been accepted is never handed over again, by whatever provider."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from newsletter.delivery.gates import provider_gate
from newsletter.delivery.ledger.plan import PlannedProvider
from newsletter.delivery.ledger.reports import ledger_summary
from newsletter.delivery.routing import failover, move_batches
from newsletter.delivery.send import Sender, send_next
from newsletter.delivery.sending import expired_leases
from newsletter.lib import db
from newsletter.lib.mail.provider_interface import Accepted, Deferred, Outcome, Parcel, Rejected, Unknown
from newsletter.models import Attempt, Delivery
from tests import factories
from tests.delivery.fake_provider import ScriptedProvider
from tests.environment import examples
from tests.factories import ACTOR, NOW

pytestmark = pytest.mark.django_db

#: One takes windows of two people and mixed letters, the other whole batches of one letter.
WINDOWS = {1: 2, 2: None}
PROVIDERS = {number: PlannedProvider(number, one_letter=window is None) for number, window in WINDOWS.items()}
ANSWERS: dict[str, Callable[[], Outcome]] = {
    "yes": Accepted,
    "later": lambda: Deferred("421"),
    "wrong key": lambda: Deferred("401", pause=True),
    "no": lambda: Rejected("550"),
    "halve": lambda: Rejected("400", split=True),
    "doubt": lambda: Unknown("reset"),
}
STEPS = st.one_of(
    st.tuples(st.just("send"), st.sampled_from([1, 2]), st.lists(st.sampled_from([*ANSWERS, "kill"]), max_size=4)),
    st.tuples(st.just("move"), st.sampled_from([1, 2]), st.none()),
    st.tuples(st.sampled_from(["wait", "fail over", "resume"]), st.none(), st.none()),
)
Step = tuple[str, int | None, list[str] | None]


class Killed(BaseException):
    """The worker's process ended here."""


class World:
    """Two providers, and for each delivery how often one of them may have taken it."""

    def __init__(self) -> None:
        factories.open_gate()
        self.now = factories.NOW
        for number, people in ((1, 5), (2, 3), (1, 1)):
            factories.planned(people, provider=PROVIDERS[number])
        self.may_have: Counter[int] = Counter()
        self.answers: list[str] = []
        self.providers = {
            number: ScriptedProvider(self.answer, window=one, number=number) for number, one in WINDOWS.items()
        }

    def answer(self, parcel: Parcel) -> Outcome:
        """What the script says; without a script, yes. A worker that is killed leaves doubt."""
        word = self.answers.pop(0) if self.answers else "yes"
        outcome = ANSWERS.get(word, Accepted)()
        if isinstance(outcome, Accepted | Unknown):
            self.may_have[parcel.delivery_id] += 1
        if word == "kill":
            raise Killed
        return outcome

    def send(self, number: int, answers: list[str]) -> None:
        provider = self.providers[number]
        if provider.window is None:  # one request, one outcome
            word = answers[0] if answers else "yes"
            self.answers = [word] * 500
        else:
            self.answers = ["no" if word == "halve" else word for word in answers]
        sender = Sender(provider, factories.VAULT, "https://news.example.org", "example.org")
        try:
            send_next(sender, clock=lambda: self.now)
        except Killed:
            if provider.window is None:  # the first of the request said so, the others went along
                request = provider.handed[-provider.windows[-1] :]
                self.may_have.update(one.delivery_id for one in request[1:])

    def run(self, step: Step) -> None:
        what, number, answers = step
        if what == "send" and number:
            self.send(number, answers or [])
        elif what == "move" and number:
            move_batches.move_batches(number, PROVIDERS[3 - number], now=self.now, actor=ACTOR)
        elif what == "wait":
            self.now += timedelta(minutes=20)
            expired_leases.recover_expired(now=self.now)
        elif what == "fail over":
            failover.fail_over(PROVIDERS, after=timedelta(minutes=5), now=self.now)
        else:
            provider_gate.resume_what_closed_by_itself(now=NOW, actor=ACTOR)

    def finish(self) -> None:
        """Both providers are well again, and all that may go goes."""
        provider_gate.resume_what_closed_by_itself(now=NOW, actor=ACTOR)
        for _ in range(12):
            self.run(("wait", None, None))
            for number in (1, 2):
                self.send(number, [])
        for number in (1, 2):
            move_batches.move_batches(number, PROVIDERS[3 - number], now=self.now, actor=ACTOR)
            for _ in range(12):
                self.send(3 - number, [])


@settings(max_examples=examples(40), suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, max_size=14))
@example(steps=[("send", 1, ["yes", "yes", "kill"]), ("move", 1, None), ("wait", None, None), ("move", 1, None)])
@example(steps=[("send", 2, ["wrong key"]), ("wait", None, None), ("fail over", None, None), ("send", 1, ["doubt"])])
def test_a_switch_at_any_point_hands_nothing_over_again_that_may_have_been_taken(steps: list[Step]) -> None:
    with transaction.atomic():
        world = World()
        for step in steps:
            world.run(step)
            assert max(world.may_have.values(), default=0) <= 1
        world.finish()
        assert max(world.may_have.values(), default=0) <= 1
        left = ledger_summary().by_state
        transaction.set_rollback(True)
    # nothing is lost either: all nine came to an end
    assert sum(left.values()) == 9 and set(left) <= {"accepted", "failed", "unknown"}, left


@pytest.mark.django_db(transaction=True)
def test_workers_of_both_and_somebody_who_moves_batches_to_and_fro_send_each_mail_once() -> None:
    factories.open_gate()
    for number in range(24):
        factories.planned(2, provider=PROVIDERS[1 + number % 2])
    taken: list[tuple[int, int]] = []

    def work(number: int) -> None:
        def take(parcel: Parcel) -> Outcome:
            taken.append((parcel.delivery_id, number))
            return Accepted()

        provider = ScriptedProvider(take, window=WINDOWS[number], number=number)
        sender = Sender(provider, factories.VAULT, "https://x.example", "x")
        try:
            while ledger_summary().by_state.get("accepted", 0) < 48:
                send_next(sender, clock=db.now)
        finally:
            connection.close()

    def to_and_fro() -> None:
        try:
            for number in range(12):
                move_batches.move_batches(1 + number % 2, PROVIDERS[2 - number % 2], now=db.now(), actor=ACTOR)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(work, number) for number in (1, 2, 1)] + [pool.submit(to_and_fro)]
        for one in done:
            one.result(timeout=120)
    # the ledger says of each mail who took it, and nobody else did
    by_batch = dict(Attempt.objects.values_list("batch_id", "provider"))
    ledger = [(number, by_batch[batch]) for number, batch in Delivery.objects.values_list("id", "batch_id")]
    assert sorted(taken) == sorted(ledger) and len(taken) == 48
