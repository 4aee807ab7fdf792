"""A holder that is silent is taken for dead: what it claimed goes back, its window is in doubt, and it opens no further one."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection

from newsletter.delivery import send
from newsletter.delivery.ledger.plan import PlannedProvider
from newsletter.delivery.ledger.reports import ledger_summary
from newsletter.delivery.sending import expired_leases, record_outcomes, workers
from newsletter.delivery.sending.claim import ClaimedBatch, claim_batch
from newsletter.delivery.sending.expired_leases import RecoveredBatches
from newsletter.delivery.sending.recipients import next_window_query, start_attempt
from newsletter.delivery.sending.record_outcomes import LeaseLost
from newsletter.lib import db
from newsletter.lib.mail.provider_interface import Accepted, Parcel
from newsletter.lib.mail.window_record import MailProgress
from newsletter.models import Batch, Delivery, Worker
from tests import factories
from tests.delivery.fake_provider import ScriptedProvider, sender

pytestmark = pytest.mark.django_db

NOW = factories.NOW
ID = UUID(int=7)


def at(seconds: float):
    return NOW + timedelta(seconds=seconds)


@pytest.fixture(autouse=True)
def _gate() -> None:
    factories.open_gate()


def seen(seconds: float = 0, *, missed: float | None = None, number: UUID = ID) -> UUID:
    """A worker whose last heartbeat was then, and whose silence was noticed then."""
    times = {"started_at": NOW, "seen_at": at(seconds), "missed_at": None if missed is None else at(missed)}
    Worker.objects.update_or_create(id=number, defaults={"host": "web-1", "pid": 17, "version": "1", **times})
    return number


def claimed(people: int = 3, *, one_letter: bool = False) -> ClaimedBatch:
    factories.planned(people, provider=PlannedProvider(1, one_letter=one_letter))
    held = claim_batch(now=NOW, provider=1, worker=seen())
    assert held is not None and Batch.objects.get(id=held.batch_id).worker_id == ID
    return held


def begun(people: int = 5, window: int | None = 2) -> tuple[ClaimedBatch, list[int]]:
    held = claimed(people, one_letter=window is None)
    recipients = start_attempt(held, now=NOW, provider=1, window=window, vault=factories.VAULT)
    assert recipients
    return held, [one.delivery_id for one in recipients]


def states() -> dict[str, int]:
    return ledger_summary().by_state


def test_a_claim_of_a_silent_holder_goes_back_at_once() -> None:
    held = claimed()
    seen(0, missed=12)
    assert expired_leases.recover_expired(now=at(21)) == RecoveredBatches(given_back=1)
    batch = Batch.objects.get()
    assert (batch.state, batch.token, batch.worker_id) == ("planned", None, None)
    assert start_attempt(held, now=at(22), provider=1, window=2, vault=factories.VAULT) is None


def test_a_window_of_a_silent_holder_is_in_doubt_and_the_rest_goes_before_what_was_planned_with_it() -> None:
    begun()
    due = Batch.objects.get().not_before
    Batch.objects.update(occasion_id=1)
    seen(0, missed=12)
    assert expired_leases.recover_expired(now=at(21)) == RecoveredBatches(doubtful=1)
    assert states() == {"planned": 3, "unknown": 2}
    rest = Batch.objects.get(state="planned")
    Batch.objects.create(id=rest.id - 1000, provider=1, lane=rest.lane, occasion_id=1, not_before=due, size=1)
    held = claim_batch(now=at(22), provider=1)
    assert held is not None and held.batch_id == rest.id


def test_a_request_of_a_silent_holder_is_in_doubt_as_a_whole() -> None:
    begun(window=None)
    seen(0, missed=12)
    assert expired_leases.recover_expired(now=at(21)) == RecoveredBatches(doubtful=1)
    assert states() == {"unknown": 5}


@pytest.mark.parametrize(
    ("last", "missed", "moment"),
    [(5, 12, 21), (0, None, 500), (0, 16, 21)],
    ids=["silent for less than 20 s", "nobody noticed, as when the database was away", "noticed a moment ago"],
)
def test_process_that_may_be_alive_keeps_its_batches(last: float, missed: float | None, moment: float) -> None:
    held, _ = begun()
    Batch.objects.update(lease_until=at(900))
    seen(last, missed=missed)
    assert expired_leases.recover_expired(now=at(moment)) == RecoveredBatches()
    assert Batch.objects.get().token == held.token


def test_a_notice_is_written_once_and_cleared_by_the_next_heartbeat() -> None:
    seen(0)
    workers.mark_late(now=at(9))
    assert Worker.objects.get().missed_at is None
    workers.mark_late(now=at(12))
    workers.mark_late(now=at(15))
    assert Worker.objects.get().missed_at == at(12)
    before = db.now()
    workers.beat(workers.Process(ID, "web-1", 17, "1"))
    found = Worker.objects.get()
    assert found.missed_at is None and before <= found.seen_at <= db.now() and found.started_at == NOW


def test_a_holder_that_ended_gives_back_at_once() -> None:
    claimed()
    workers.retire(ID)
    assert expired_leases.recover_expired(now=at(1)) == RecoveredBatches(given_back=1)


def test_without_a_heartbeat_only_the_lease_counts() -> None:
    factories.planned(1)
    assert claim_batch(now=NOW, provider=1, worker=uuid4()) is not None
    assert Batch.objects.get().worker_id is None
    assert expired_leases.recover_expired(now=at(59)) == RecoveredBatches()
    assert expired_leases.recover_expired(now=at(61)) == RecoveredBatches(given_back=1)


def test_a_worker_whose_own_heartbeat_failed_claims_by_its_lease() -> None:
    factories.planned(1)
    assert claim_batch(now=at(30), provider=1, worker=seen(0, missed=12)) is not None
    assert expired_leases.recover_expired(now=at(31)) == RecoveredBatches()


def test_the_lease_is_the_last_resort_of_a_holder_that_lives() -> None:
    begun()
    seen(3600)
    assert expired_leases.recover_expired(now=at(3600)) == RecoveredBatches(doubtful=1)


def test_worker_of_an_older_version_leaves_no_holder() -> None:
    claimed()
    with connection.cursor() as cursor:  # as 0012 gave back, and claimed
        cursor.execute("UPDATE batch SET state='planned', token=NULL, lease_until=NULL")
        cursor.execute("UPDATE batch SET state='claimed'")
    Batch.objects.update(lease_until=at(60), token=uuid4())
    workers.retire(ID)
    assert Batch.objects.get().worker_id is None
    assert expired_leases.recover_expired(now=at(30)) == RecoveredBatches()


# -- taken for dead while it lives


@pytest.mark.parametrize("window", [None, 2])
def test_a_holder_that_wakes_in_the_middle_of_a_window_overwrites_nothing(window: int | None) -> None:
    factories.planned(5, provider=PlannedProvider(1, one_letter=window is None))
    provider = ScriptedProvider(window=window)

    def paused(_parcel: Parcel) -> Accepted:
        if len(provider.windows) == 1 and not Delivery.objects.filter(batch__state="unknown").exists():
            seen(0, missed=12)
            expired_leases.recover_expired(now=at(30))
        return Accepted()

    provider.script = paused
    sent = send.send_next(replace(sender(provider), worker=seen()), clock=lambda: NOW)
    assert sent is not None and sent.accepted == 0
    in_doubt = 2 if window else 5
    assert states() == ({"planned": 3, "unknown": 2} if window else {"unknown": 5})
    assert provider.windows == [in_doubt], "it opened a further window"
    while send.send_next(sender(provider), clock=lambda: at(40)):
        pass
    handed = [one.delivery_id for one in provider.handed]
    assert len(handed) == len(set(handed)) == 5


def test_a_late_answer_cannot_settle_what_was_taken_back() -> None:
    held, (first, *_) = begun()
    seen(0, missed=12)
    expired_leases.recover_expired(now=at(21))
    ahead = next_window_query(held, after=first, now=at(22), window=2)
    with pytest.raises(LeaseLost):
        record_outcomes.accept_window(held, first, provider=1, next_window=ahead)
    assert states() == {"planned": 3, "unknown": 2}


# -- a process of this machine that is surely dead, and its record


def test_window_record_decides_what_is_in_doubt() -> None:
    held, ids = begun(6, window=4)
    window = dict(
        zip(
            ids,
            [MailProgress.ACCEPTED, MailProgress.BEGUN, MailProgress.NOT_TAKEN, MailProgress.NOT_TAKEN],
            strict=True,
        )
    )
    assert expired_leases.recover_from(ID, {held.token: window}, now=at(1)) == RecoveredBatches(doubtful=1)
    assert states() == {"accepted": 1, "planned": 4, "unknown": 1}
    assert Delivery.objects.get(id=ids[1]).state == "unknown"
    assert set(Delivery.objects.filter(batch__state="planned").values_list("id", flat=True)) > set(ids[2:])
    assert not Worker.objects.exists()


@pytest.mark.parametrize("progress", [MailProgress.NOT_TAKEN, MailProgress.BEGUN, MailProgress.ACCEPTED])
def test_a_record_in_which_all_went_alike(progress: MailProgress) -> None:
    held, ids = begun(2, window=2)
    expired_leases.recover_from(ID, {held.token: dict.fromkeys(ids, progress)}, now=at(1))
    assert states() == {["planned", "unknown", "accepted"][progress]: 2}
    provider = ScriptedProvider()
    while send.send_next(sender(provider), clock=lambda: at(40)):
        pass
    assert len(provider.handed) == (2 if progress is MailProgress.NOT_TAKEN else 0)


def test_a_record_of_another_hand_over_proves_nothing() -> None:
    _, ids = begun(6, window=4)
    expired_leases.recover_from(ID, {uuid4(): dict.fromkeys(ids, MailProgress.NOT_TAKEN)}, now=at(1))
    assert states() == {"planned": 2, "unknown": 4}


def test_a_mail_that_the_record_does_not_name_is_in_doubt() -> None:
    held, ids = begun(2, window=2)
    expired_leases.recover_from(ID, {held.token: {ids[0]: MailProgress.NOT_TAKEN}}, now=at(1))
    assert states() == {"planned": 1, "unknown": 1}


def test_a_dead_process_gives_back_what_it_only_claimed_and_nobody_elses() -> None:
    claimed()
    factories.planned(1)
    other = claim_batch(now=NOW, provider=1, worker=seen(number=uuid4()))
    assert other is not None
    assert expired_leases.recover_from(ID, {}, now=at(1)) == RecoveredBatches(given_back=1)
    assert Batch.objects.get(id=other.batch_id).state == "claimed"


# -- what is told


def test_held_up_batches_are_listed_with_their_holders() -> None:
    begun()
    assert workers.held_up(now=at(5)) == []
    (late,) = workers.held_up(now=at(12))
    assert (late.batches, late.mails, late.host, late.seen_at, late.dead) == (1, 5, "web-1", NOW, False)
    assert late.until == at(20)
    seen(0, missed=15)
    (dead,) = workers.held_up(now=at(21))
    assert dead.dead and dead.until == at(22)
    workers.retire(ID)
    (gone,) = workers.held_up(now=at(21))
    assert (gone.host, gone.dead, gone.until) == (None, True, at(21))


def test_rows_of_dead_processes_go_after_a_day() -> None:
    seen(0)
    assert workers.prune(NOW + timedelta(hours=23)) == {"worker": 0}
    assert workers.prune(NOW + timedelta(hours=25)) == {"worker": 1}
