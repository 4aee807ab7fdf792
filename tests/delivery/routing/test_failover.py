"""Two providers at once: what one refuses goes by the other, and nothing that may have been taken goes twice."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from newsletter.delivery.gates import provider_gate, sending_gate
from newsletter.delivery.ledger.reports import ledger_summary
from newsletter.delivery.routing import failover, move_batches
from newsletter.models import Attempt, AuditEntry, Batch, Delivery, EditionBody
from tests import factories
from tests.delivery.two_providers import PROVIDERS, SENDGRID, SMTP, Two, two
from tests.factories import ACTOR

pytestmark = pytest.mark.django_db

NOW = factories.NOW
AFTER = timedelta(minutes=10)


@pytest.fixture
def both() -> Iterator[Two]:
    factories.open_gate()
    with two() as made:
        yield made


def minutes(number: float):
    return NOW + timedelta(minutes=number)


def plan(batches: int, number: int, people: int = 3) -> None:
    for _ in range(batches):
        factories.planned(people, provider=PROVIDERS[number])


def carried_by(number: int, state: str) -> int:
    return Delivery.objects.filter(batch__provider=number, batch__state=state).count()


def states() -> dict[str, int]:
    return ledger_summary().by_state


def test_a_key_refused_in_the_middle_pauses_one_provider_and_its_mails_go_by_the_other(both: Two) -> None:
    plan(5, SENDGRID)
    plan(2, SMTP)
    both.sendgrid.script("401", skip=2)
    both.drain(NOW)
    assert states() == {"accepted": 12, "planned": 9}
    assert [(one.provider, "401" in one.why, one.by_hand) for one in provider_gate.paused()] == [
        (SENDGRID, True, False)
    ]
    assert sending_gate.pause_reason() is None
    requests = len(both.sendgrid.requests)
    assert requests == 3
    assert failover.fail_over(PROVIDERS, after=AFTER, now=minutes(9)) == []
    assert failover.fail_over(PROVIDERS, after=AFTER, now=minutes(10)) == [failover.FailedOver(SENDGRID, SMTP, 3)]
    assert failover.fail_over(PROVIDERS, after=AFTER, now=minutes(10)) == []
    plan(1, SENDGRID)
    assert failover.fail_over(PROVIDERS, after=AFTER, now=minutes(11)) == [failover.FailedOver(SENDGRID, SMTP, 1)]
    rows = AuditEntry.objects.order_by("id").values_list("actor", "action")
    assert list(rows) == [("refused by the provider", "provider.pause"), ("failover", "provider.move")]
    both.drain(minutes(10))
    assert states() == {"accepted": 24}
    taken = both.taken()
    assert (sum(taken[SENDGRID].values()), sum(taken[SMTP].values()), both.twice()) == (6, 18, {})
    assert len(both.sendgrid.requests) == requests
    # the ledger remembers who refused it, and who took it
    moved = Attempt.objects.filter(batch__provider=SMTP, provider=SENDGRID).get()
    assert moved.disproved and list(
        Attempt.objects.filter(batch_id=moved.batch_id).order_by("n").values_list("provider", "outcome")
    ) == [(SENDGRID, "deferred"), (SMTP, "accepted")]


def test_failures_on_our_side_do_not_count_as_an_outage(both: Two) -> None:
    plan(4, SMTP)
    EditionBody.objects.all().delete()
    both.drain(NOW)
    assert Attempt.objects.filter(outcome="deferred").count() == 4
    assert failover.outages(list(PROVIDERS), now=minutes(1)) == {}


def test_mails_of_several_letters_are_regrouped_for_a_provider_that_takes_one_letter(both: Two) -> None:
    plan(4, SMTP, people=2)
    first = Batch.objects.order_by("id").first()
    Delivery.objects.update(batch_id=first.id)
    Batch.objects.exclude(id=first.id).delete()
    both.smtp.script("mail", "550 5.7.1", skip=3)
    both.drain(NOW)
    assert states() == {"accepted": 3, "planned": 5}
    assert [one.provider for one in provider_gate.paused()] == [SMTP]
    assert move_batches.move_batches(SMTP, PROVIDERS[SENDGRID], now=NOW, actor=ACTOR) == 1
    both.drain(NOW)
    assert states() == {"accepted": 8}
    assert (sum(both.taken()[SMTP].values()), len(both.sendgrid.requests), both.twice()) == (3, 3, {})
    # the count that limits tries goes on, so does the one by which events know that something left
    assert set(Batch.objects.filter(provider=SENDGRID).values_list("attempts", flat=True)) == {2}


def test_mail_with_unknown_outcome_stays_with_its_provider(both: Two) -> None:
    plan(7, SENDGRID)
    both.sendgrid.script("accept-500", times=5)
    both.drain(NOW)
    assert states() == {"unknown": 15, "planned": 6}  # five times in a row: the provider is left alone
    assert list(failover.outages([SENDGRID, SMTP], now=NOW)) == [SENDGRID]
    failover.fail_over(PROVIDERS, after=AFTER, now=minutes(11))
    both.drain(minutes(11))
    assert carried_by(SENDGRID, "unknown") == 15 and carried_by(SMTP, "unknown") == 0
    assert both.twice() == {}


def test_one_batch_stays_to_probe_the_provider(both: Two) -> None:
    plan(7, SENDGRID)
    both.sendgrid.script("accept-500", times=5)
    both.drain(NOW)
    assert failover.fail_over(PROVIDERS, after=AFTER, now=minutes(11)) == [failover.FailedOver(SENDGRID, SMTP, 1)]
    assert failover.fail_over(PROVIDERS, after=AFTER, now=minutes(11)) == []
    assert move_batches.planned_mails(SENDGRID) == 3
    both.step(SENDGRID, minutes(11))  # one mail, taken: it answers again
    assert failover.outages([SENDGRID], now=minutes(11)) == {}
    both.drain(minutes(11))
    assert states() == {"unknown": 15, "accepted": 6}
    assert {number: sum(taken.values()) for number, taken in both.taken().items()} == {SENDGRID: 18, SMTP: 3}


def test_a_server_out_of_reach_counts_once_it_put_off_several_hand_overs(both: Two) -> None:
    plan(4, SMTP)
    both.smtp.script("connect", "421 4.3.2")
    both.step(SMTP, NOW)
    both.step(SMTP, NOW)
    assert failover.outages([SMTP], now=minutes(20)) == {}
    both.step(SMTP, NOW)
    assert failover.outages([SMTP], now=NOW)[SMTP].why == "3 hand-overs put off in a row"
    assert failover.fail_over(PROVIDERS, after=AFTER, now=minutes(10)) == [failover.FailedOver(SMTP, SENDGRID, 3)]
    # those that waited for the old one's back-off are due at once
    both.drain(minutes(10))
    assert (carried_by(SENDGRID, "accepted"), both.twice()) == (9, {})
    both.smtp.rules.clear()
    both.drain(minutes(40))
    assert states() == {"accepted": 12}
    assert failover.outages([SMTP], now=minutes(40)) == {}


@pytest.mark.parametrize("why", ["both are out", "the gate is closed", "it is done by hand"])
def test_nothing_moves_by_itself_when(both: Two, why: str) -> None:
    plan(2, SENDGRID)
    provider_gate.pause(SENDGRID, "401", now=NOW, actor=ACTOR)
    if why == "both are out":
        provider_gate.pause(SMTP, "an operator", now=minutes(19), by_hand=True, actor=ACTOR)
    if why == "the gate is closed":
        sending_gate.pause("too many complaints", now=NOW, actor=ACTOR)
    after = timedelta(0) if why == "it is done by hand" else AFTER
    assert failover.fail_over(PROVIDERS, after=after, now=minutes(20)) == []
    assert move_batches.planned_mails(SENDGRID) == 6


def test_claimed_batch_is_not_moved(both: Two) -> None:
    plan(1, SENDGRID)
    for state in ("claimed", "sending", "unknown"):
        Batch.objects.update(state=state)
        assert move_batches.move_batches(SENDGRID, PROVIDERS[SMTP], now=NOW, actor=ACTOR) == 0
        assert move_batches.move_from_unconfigured(PROVIDERS[SMTP], now=NOW) == 0
    Batch.objects.update(state="accepted")
    assert move_batches.move_batches(SENDGRID, PROVIDERS[SMTP], now=NOW, actor=ACTOR) == 0


def test_a_claim_of_before_the_move_does_not_pass_the_barrier_of_another_provider(both: Two) -> None:
    from newsletter.delivery.sending.claim import claim_batch
    from newsletter.delivery.sending.recipients import start_attempt

    plan(1, SENDGRID)
    held = claim_batch(now=NOW, provider=SENDGRID)
    assert held is not None
    assert start_attempt(held, now=NOW, provider=SMTP, window=50, vault=factories.VAULT) is None
    assert not Attempt.objects.exists()


def test_a_pause_in_the_middle_of_a_batch_stops_before_the_next_window(both: Two) -> None:
    factories.planned(80, provider=PROVIDERS[SMTP])
    both.smtp.script("mail", "550 5.7.1", skip=49)
    both.step(SMTP, NOW)
    assert both.smtp.commands.count("MAIL") == 50
    assert states() == {"accepted": 49, "planned": 31}


def test_resume_opens_what_closed_by_itself_and_leaves_what_was_closed_by_name() -> None:
    provider_gate.pause(SENDGRID, "401", now=NOW, actor=ACTOR)
    provider_gate.pause(SMTP, "moving house", now=NOW, by_hand=True, actor=ACTOR)
    assert [(one.provider, one.why) for one in provider_gate.resume_what_closed_by_itself(now=NOW, actor=ACTOR)] == [
        (SMTP, "moving house")
    ]
    assert provider_gate.resume(SMTP, now=NOW, actor=ACTOR) and not provider_gate.resume(SMTP, now=NOW, actor=ACTOR)
    assert provider_gate.paused() == []


def test_the_first_reason_stands_unless_an_operator_gives_one() -> None:
    assert provider_gate.pause(SMTP, "401", now=NOW, actor=ACTOR)
    assert not provider_gate.pause(SMTP, "silence", now=NOW, actor=ACTOR)
    assert not provider_gate.pause(SMTP, "an operator", now=NOW, by_hand=True, actor=ACTOR)
    ((one),) = provider_gate.paused()
    assert (one.why, one.by_hand, one.since) == ("an operator", True, NOW)
