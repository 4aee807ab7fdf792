"""A worker dies at every place: what is done stays done, what is untouched goes again, what nobody knows is called unknown."""

from datetime import timedelta

import pytest

from newsletter.delivery.ledger import prove_accepted
from newsletter.delivery.ledger.plan import PlannedProvider
from newsletter.delivery.ledger.reports import ledger_summary
from newsletter.delivery.sending import expired_leases, record_outcomes
from newsletter.delivery.sending.claim import claim_batch
from newsletter.delivery.sending.recipients import next_window_query, start_attempt
from newsletter.lib.mail.provider_interface import Accepted, Deferred, Outcome, Rejected, Unknown
from newsletter.models import Attempt, Batch, Delivery, Subscriber
from tests import factories
from tests.delivery.fake_provider import ScriptedProvider
from tests.delivery.helpers import run

pytestmark = pytest.mark.django_db

NOW = factories.NOW
LATER = NOW + timedelta(hours=1)


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture(autouse=True)
def _gate() -> None:
    factories.open_gate()


def test_killed_before_the_barrier_nothing_is_in_doubt() -> None:
    factories.planned(3)
    claim_batch(now=NOW, provider=1)
    assert expired_leases.recover_expired(now=LATER) == expired_leases.RecoveredBatches(given_back=1, doubtful=0)
    provider = ScriptedProvider()
    run(provider, LATER)
    assert ledger_summary().by_state == {"accepted": 3}


@pytest.mark.parametrize("dies_at", range(1, 6))
def test_killed_in_a_window_only_that_window_is_in_doubt(dies_at: int) -> None:
    factories.planned(5)
    provider = ScriptedProvider(window=2)

    def die(_parcel: object) -> Accepted:
        if len(provider.handed) and provider.windows and sum(provider.windows) >= dies_at:
            raise Killed
        return Accepted()

    provider.script = die
    with pytest.raises(Killed):
        run(provider)
    window = (dies_at - 1) // 2
    in_doubt = 2 if window < 2 else 1
    assert expired_leases.recover_expired(now=LATER).doubtful == 1
    assert expired_leases.recover_expired(now=LATER) == expired_leases.RecoveredBatches()
    provider.script = lambda _parcel: Accepted()
    run(provider, LATER)
    accepted = {"accepted": 5 - in_doubt} if in_doubt < 5 else {}
    assert ledger_summary().by_state == accepted | {"unknown": in_doubt}
    handed = [parcel.delivery_id for parcel in provider.handed]
    assert len(handed) == len(set(handed)) == 5


def test_killed_in_a_whole_request_all_of_it_is_in_doubt() -> None:
    factories.planned(3, provider=PlannedProvider(1, one_letter=True))

    def die(_parcel: object) -> Accepted:
        raise Killed

    provider = ScriptedProvider(die, window=None)
    with pytest.raises(Killed):
        run(provider)
    expired_leases.recover_expired(now=LATER)
    assert ledger_summary().by_state == {"unknown": 3}
    run(ScriptedProvider(window=None), LATER)
    assert ledger_summary().by_state == {"unknown": 3}


def test_a_lease_that_still_runs_is_left_alone() -> None:
    factories.planned(1)
    claim_batch(now=NOW, provider=1)
    assert expired_leases.recover_expired(now=NOW + timedelta(seconds=59)) == expired_leases.RecoveredBatches()


def test_an_answer_that_comes_after_the_lease_changes_nothing() -> None:
    made = factories.planned(1)
    held = claim_batch(now=NOW, provider=1)
    assert held is not None
    recipients = start_attempt(held, now=NOW, provider=1, window=2, vault=factories.VAULT)
    assert recipients
    expired_leases.recover_expired(now=LATER)
    number = recipients[0].delivery_id
    with pytest.raises(record_outcomes.LeaseLost):
        record_outcomes.record_window(held, {number: Rejected("late")}, now=LATER)
    ahead = next_window_query(held, after=number, now=LATER, window=2)
    with pytest.raises(record_outcomes.LeaseLost):
        record_outcomes.accept_window(held, number, provider=1, next_window=ahead)
    for taken in (False, True):
        with pytest.raises(record_outcomes.LeaseLost):
            record_outcomes.finish_windows(held, now=LATER, accepted=taken)
    assert Batch.objects.get(id=made.batch_ids[0]).state == "unknown"
    assert Delivery.objects.get().state is None


@pytest.mark.parametrize("window", [None, 2])
def test_killed_after_the_barrier_with_nobody_left_nothing_is_in_doubt(window: int | None) -> None:
    made = factories.planned(3, provider=PlannedProvider(1, one_letter=window is None))
    Subscriber.objects.filter(id__in=[one.id for one in made.people]).update(state="left")
    held = claim_batch(now=NOW, provider=1)
    assert held is not None
    assert start_attempt(held, now=NOW, provider=1, window=window, vault=factories.VAULT) == []
    expired_leases.recover_expired(now=LATER)
    assert (Batch.objects.get().state, ledger_summary().by_state) == ("cancelled", {"cancelled": 3})
    assert Attempt.objects.get().disproved


@pytest.mark.parametrize("answer", [Rejected("RCPT: 550 5.1.1", recipient_status="5.1.1"), Unknown("no answer")])
def test_killed_when_all_was_written_the_batch_is_what_was_written(answer: Outcome) -> None:
    factories.planned(2)
    held = claim_batch(now=NOW, provider=1)
    assert held is not None
    window = start_attempt(held, now=NOW, provider=1, window=2, vault=factories.VAULT)
    assert window
    record_outcomes.record_window(held, {one.delivery_id: answer for one in window}, now=NOW)
    expired_leases.recover_expired(now=LATER)
    told = "failed" if isinstance(answer, Rejected) else "unknown"
    assert prove_accepted.accept_proved(now=LATER) == 0
    assert (Batch.objects.get().state, ledger_summary().by_state) == (told, {told: 2})
    assert (Attempt.objects.get().outcome, Attempt.objects.get().disproved) == (told, False)


def test_killed_when_all_was_put_off_nothing_is_in_doubt() -> None:
    factories.planned(2)
    held = claim_batch(now=NOW, provider=1)
    assert held is not None
    window = start_attempt(held, now=NOW, provider=1, window=2, vault=factories.VAULT)
    assert window
    record_outcomes.record_window(held, {one.delivery_id: Deferred("450 4.2.1") for one in window}, now=NOW)
    expired_leases.recover_expired(now=LATER)
    assert ledger_summary().by_state == {"planned": 2}
    assert Batch.objects.get(id=held.batch_id).state == "cancelled"
