"""A hand-over under odd circumstances: keys, databases, workers and providers that fail in the middle of it."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection

from newsletter.delivery import send
from newsletter.delivery.ledger.plan import PlannedProvider
from newsletter.delivery.ledger.reports import ledger_summary
from newsletter.delivery.sending import expired_leases, record_outcomes
from newsletter.delivery.sending.backoff import MOST_TRIES
from newsletter.delivery.sending.claim import claim_batch
from newsletter.delivery.sending.recipients import NOT_OPENED, start_attempt
from newsletter.lib.mail.provider_interface import Accepted, Deferred, Parcel, Rejected
from newsletter.models import Attempt, Batch, Delivery, Event, Subscriber
from tests import factories
from tests.delivery.fake_provider import ScriptedProvider, sender

pytestmark = pytest.mark.django_db

NOW = factories.NOW


@pytest.fixture(autouse=True)
def _gate() -> None:
    factories.open_gate()


def at(moment: datetime = NOW):
    return lambda: moment


def states() -> dict[str, int]:
    return ledger_summary().by_state


def _break(*people: Subscriber) -> None:
    Subscriber.objects.filter(id__in=[one.id for one in people]).update(address_cipher=b"x" * 40)


@pytest.mark.parametrize("window", [None, 2])
@pytest.mark.parametrize("broken", range(5))
def test_undecryptable_address_does_not_stop_other_recipients(window: int | None, broken: int) -> None:
    made = factories.planned(5, provider=PlannedProvider(1, one_letter=window is None))
    _break(made.people[broken])
    provider = ScriptedProvider(window=window)
    while send.send_next(sender(provider), clock=at()):
        pass
    assert (len(provider.handed), states()) == (4, {"accepted": 4, "parked": 1})
    assert Batch.objects.get(state="parked").reason == NOT_OPENED


def test_outcomes_are_recorded_though_the_next_window_cannot_be_decrypted() -> None:
    made = factories.planned(6)
    _break(*made.people[2:4])
    provider = ScriptedProvider(window=2)
    while send.send_next(sender(provider), clock=at()):
        pass
    assert (len(provider.handed), states()) == (2, {"accepted": 2, "parked": 4})


def test_with_keys_that_open_nothing_nobody_is_mailed_and_nothing_is_begun() -> None:
    made = factories.planned(3)
    _break(*made.people)
    provider = ScriptedProvider()
    send.send_next(sender(provider), clock=at())
    assert (provider.handed, states(), Attempt.objects.count()) == ([], {"parked": 3}, 0)


@pytest.mark.django_db(transaction=True)
def test_outcome_is_recorded_after_the_database_was_read_only() -> None:
    """A primary that was replaced by another one goes on answering for a while, and takes no write."""
    factories.planned(2, provider=PlannedProvider(1, one_letter=True))

    def demoted(_parcel: object) -> Accepted:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
            else:
                cursor.execute("PRAGMA query_only=ON")
        return Accepted()

    sent = send.send_next(sender(ScriptedProvider(demoted, window=None)), clock=at())
    assert sent is not None
    assert (sent.accepted, states()) == (2, {"accepted": 2})


class _Stopped:
    """This machine's time, for a worker that is stopped for `seconds` when it looks at the database's for the `at`th time."""

    def __init__(self, seconds: float, at: int) -> None:
        self.seconds, self.at, self.looks, self.passed = seconds, at, 0, 0.0

    def monotonic(self) -> float:
        return self.passed

    def clock(self) -> datetime:
        self.looks += 1
        if self.looks == self.at:
            self.passed += self.seconds
        return NOW


@pytest.mark.parametrize(
    ("window", "seconds", "at", "accepted"),
    [(None, 91, 2, 0), (None, 89, 2, 4), (2, 451, 2, 0), (2, 449, 2, 4), (2, 451, 3, 2)],
)
def test_a_worker_that_was_stopped_behind_the_barrier_lets_nothing_leave(
    window: int | None, seconds: float, at: int, accepted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease may be over meanwhile, and somebody may have been told that nobody knows."""
    factories.planned(4, provider=PlannedProvider(1, one_letter=window is None))
    stopped = _Stopped(seconds, at)
    monkeypatch.setattr(send, "time", stopped)
    provider = ScriptedProvider(window=window)
    send.send_next(sender(provider), clock=stopped.clock)
    assert len(provider.handed) == accepted
    planned = {"planned": 4 - accepted} if accepted < 4 else {}
    assert states() == planned | ({"accepted": accepted} if accepted else {})


@pytest.mark.parametrize("window", [None, 4])
def test_missing_outcome_is_unknown(window: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    factories.planned(4, provider=PlannedProvider(1, one_letter=window is None))
    provider = ScriptedProvider(window=window)
    monkeypatch.setattr(provider, "hand_over", lambda _parcels: {})
    send.send_next(sender(provider), clock=at())
    assert states() == {"unknown": 4}


def test_a_window_whose_commit_was_not_heard_of_is_written_once() -> None:
    factories.planned(3)
    held = claim_batch(now=NOW, provider=1)
    assert held is not None
    window = start_attempt(held, now=NOW, provider=1, window=3, vault=factories.VAULT)
    assert window
    answers = (Accepted(), Deferred("450 4.2.1"), Rejected("550 5.1.1"))
    outcomes = {one.delivery_id: answer for one, answer in zip(window, answers, strict=True)}
    for _ in range(2):
        record_outcomes.record_window(held, outcomes, now=NOW)
    record_outcomes.finish_windows(held, now=NOW)
    assert states() == {"accepted": 1, "failed": 1, "planned": 1}
    assert (Batch.objects.count(), Event.objects.count()) == (2, 1)


@pytest.mark.parametrize(("asked", "seconds"), [(None, 60), (30.0, 30), (600.0, 600)])
@pytest.mark.parametrize("window", [None, 2])
@pytest.mark.parametrize("all_of_it", [True, False])
def test_a_provider_is_taken_at_its_word(
    asked: float | None, seconds: int, window: int | None, all_of_it: bool
) -> None:
    factories.planned(2, provider=PlannedProvider(1, one_letter=window is None))
    first = Delivery.objects.order_by("id").first().id
    wish = Deferred("429", retry_after=asked)
    some = window is not None and not all_of_it
    script = (lambda parcel: wish if parcel.delivery_id == first else Accepted()) if some else lambda _parcel: wish
    send.send_next(sender(ScriptedProvider(script, window=window)), clock=at())
    assert Batch.objects.get(state="planned").not_before == NOW + timedelta(seconds=seconds)


def test_put_off_by_windows_and_killed_in_one_request_all_of_it_is_in_doubt() -> None:
    """What a mail server put off goes by SendGrid: the edge of the window that it was is no edge of the request."""
    factories.planned(3, provider=PlannedProvider(1, one_letter=True))
    send.send_next(sender(ScriptedProvider(lambda _parcel: Deferred("connection refused"))), clock=at())
    later = NOW + timedelta(minutes=5)
    held = claim_batch(now=later, provider=1)
    assert held is not None
    assert len(start_attempt(held, now=later, provider=1, window=None, vault=factories.VAULT) or ()) == 3
    expired_leases.recover_expired(now=later + timedelta(hours=1))
    assert states() == {"unknown": 3}


@pytest.mark.parametrize("some", [True, False])
def test_batch_is_parked_after_two_days_of_attempts(some: bool) -> None:
    factories.planned(2)
    Batch.objects.update(attempts=MOST_TRIES - 1)
    first = Delivery.objects.order_by("id").first().id
    put_off = Deferred("450 4.2.1")
    provider = ScriptedProvider(lambda parcel: put_off if not some or parcel.delivery_id == first else Accepted())
    send.send_next(sender(provider), clock=at())
    assert states() == ({"accepted": 1, "parked": 1} if some else {"parked": 2})
    assert Batch.objects.get(state="parked").reason == "gave up: 450 4.2.1"


def test_a_window_of_a_batch_that_another_worker_took_over_is_not_written_and_no_other_opened() -> None:
    factories.planned(4)
    theirs = uuid4()

    def taken_over(_parcel: Parcel) -> Accepted:
        Batch.objects.update(token=theirs)
        return Accepted()

    provider = ScriptedProvider(taken_over, window=2)
    assert send.send_next(sender(provider), clock=at()) == send.Sent(Batch.objects.get().id)
    batch = Batch.objects.get()
    assert (batch.state, batch.token, batch.done_upto, len(provider.handed)) == ("sending", theirs, None, 2)
