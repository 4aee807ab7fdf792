"""The ledger around a hand-over: what each answer of a provider leaves behind."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from newsletter.delivery import send
from newsletter.delivery.gates import provider_gate, sending_gate
from newsletter.delivery.ledger.plan import PlannedProvider
from newsletter.delivery.ledger.reports import ledger_summary
from newsletter.delivery.sending import expired_leases
from newsletter.delivery.sending.claim import claim_batch
from newsletter.delivery.sending.recipients import start_attempt
from newsletter.lib.mail.provider_interface import Accepted, Deferred, Outcome, Parcel, Rejected, Unknown
from newsletter.models import Attempt, Batch, Delivery, Event, Gate, Lane, Subscriber, Suppression
from tests import factories
from tests.delivery.fake_provider import Script, ScriptedProvider, sender
from tests.delivery.helpers import NOW, at, states
from tests.factories import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _gate() -> None:
    factories.open_gate()


def test_everybody_gets_one_parcel_with_their_own_address_and_links() -> None:
    made = factories.planned([factories.subscriber("one@example.org"), factories.subscriber("two@example.org")])
    provider = ScriptedProvider()
    sent = send.send_next(sender(provider), clock=at())
    assert sent is not None and sent.accepted == 2
    assert sorted(parcel.address.value for parcel in provider.handed) == ["one@example.org", "two@example.org"]
    assert len({parcel.personal["unsubscribe"] for parcel in provider.handed}) == 2
    assert len({parcel.message_id for parcel in provider.handed}) == 2
    assert states() == {"accepted": 2}
    assert send.send_next(sender(provider), clock=at()) is None
    assert len(made.batch_ids) == 1


def test_windows_are_committed_before_their_bytes_leave() -> None:
    factories.planned(5)
    seen: list[int | None] = []

    def look(_parcel: object) -> Accepted:
        seen.append(Batch.objects.get().begun_upto)
        return Accepted()

    provider = ScriptedProvider(look, window=2)
    send.send_next(sender(provider), clock=at())
    first = Delivery.objects.order_by("id").first().id
    assert provider.windows == [2, 2, 1]
    assert seen == [first + 1, first + 1, first + 3, first + 3, first + 4]
    assert Batch.objects.get().done_upto == first + 4


def test_a_refused_recipient_fails_alone() -> None:
    made = factories.planned(3)
    bad = made.people[1].id
    ids = dict(Delivery.objects.values_list("subscriber_id", "id"))
    provider = ScriptedProvider(lambda parcel: Rejected("550 5.1.1") if parcel.delivery_id == ids[bad] else Accepted())
    send.send_next(sender(provider), clock=at())
    assert states() == {"accepted": 2, "failed": 1}
    assert Delivery.objects.get(subscriber_id=bad).reason == "550 5.1.1"


def test_a_recipient_put_off_moves_to_a_new_batch_with_proof() -> None:
    made = factories.planned(3)
    ids = dict(Delivery.objects.values_list("subscriber_id", "id"))
    later = ids[made.people[0].id]
    provider = ScriptedProvider(lambda parcel: Deferred("450 4.2.1") if parcel.delivery_id == later else Accepted())
    send.send_next(sender(provider), clock=at())
    assert states() == {"accepted": 2, "planned": 1}
    event = Event.objects.get()
    assert (event.kind, event.delivery_id, event.batch_id) == ("deferred", later, made.batch_ids[0])
    assert send.send_next(sender(provider), clock=at(NOW + timedelta(seconds=59))) is None
    provider.script = lambda _parcel: Accepted()
    assert send.send_next(sender(provider), clock=at(NOW + timedelta(seconds=61))).accepted == 1
    assert states() == {"accepted": 3}
    assert sorted(parcel.delivery_id for parcel in provider.handed).count(later) == 2


@pytest.mark.parametrize("window", [None, 2])
def test_a_provider_that_cannot_be_reached_costs_only_time(window: int | None) -> None:
    factories.planned(3, provider=PlannedProvider(1, one_letter=window is None))
    provider = ScriptedProvider(lambda _parcel: Deferred("connection refused"), window=window)
    for minutes, tries in ((0, 1), (2, 2), (5, 3)):
        send.send_next(sender(provider), clock=at(NOW + timedelta(minutes=minutes)))
        assert Attempt.objects.filter(disproved=True).count() == tries
    assert states() == {"planned": 3}
    provider.script = lambda _parcel: Accepted("ref-1")
    provider.handed.clear()
    assert send.send_next(sender(provider), clock=at(NOW + timedelta(minutes=30))).accepted == 3
    assert states() == {"accepted": 3}
    assert len(provider.handed) == 3


def test_a_wrong_key_closes_that_providers_gate_and_fails_nobody() -> None:
    factories.planned(2)
    factories.planned(2)
    provider = ScriptedProvider(lambda _parcel: Deferred("401", pause=True))
    send.send_next(sender(provider), clock=at())
    assert sending_gate.pause_reason() is None and ["401" in one.why for one in provider_gate.paused()] == [True]
    assert send.send_next(sender(provider), clock=at(NOW + timedelta(hours=1))) is None
    assert states() == {"planned": 4}
    assert provider_gate.resume_what_closed_by_itself(now=NOW, actor=ACTOR) == []
    provider.script = lambda _parcel: Accepted()
    while send.send_next(sender(provider), clock=at(NOW + timedelta(hours=1))):
        pass
    assert states() == {"accepted": 4}


@pytest.mark.parametrize("window", [None, 2])
def test_unknown_is_never_handed_over_again(window: int | None) -> None:
    factories.planned(3, provider=PlannedProvider(1, one_letter=window is None))
    provider = ScriptedProvider(lambda _parcel: Unknown("no answer"), window=window)
    send.send_next(sender(provider), clock=at())
    assert states() == {"unknown": 3}
    provider.script = lambda _parcel: Accepted()
    expired_leases.recover_expired(now=NOW + timedelta(days=1))
    assert send.send_next(sender(provider), clock=at(NOW + timedelta(days=1))) is None
    assert len(provider.handed) == 3


def test_a_second_hand_over_is_refused_by_the_database() -> None:
    made = factories.planned(1)
    Attempt.objects.create(batch_id=made.batch_ids[0], n=7, provider=1, began_at=NOW)
    provider = ScriptedProvider()
    send.send_next(sender(provider), clock=at())
    assert provider.handed == []
    assert states() == {"parked": 1}
    with pytest.raises(IntegrityError), transaction.atomic():
        Attempt.objects.create(batch_id=made.batch_ids[0], n=8, provider=1, began_at=NOW)


def test_a_request_too_large_is_halved_until_the_bad_one_stands_alone() -> None:
    made = factories.planned(5, provider=PlannedProvider(1, one_letter=True))
    bad = Delivery.objects.get(subscriber_id=made.people[3].id).id

    def judge(provider: ScriptedProvider) -> Script:
        def answer(_parcel: object) -> Accepted | Rejected:
            request = provider.handed[-provider.windows[-1] :]
            if any(parcel.delivery_id == bad for parcel in request):
                return Rejected("400", split=len(request) > 1)
            return Accepted()

        return answer

    provider = ScriptedProvider(window=None)
    provider.script = judge(provider)
    while send.send_next(sender(provider), clock=at()):
        pass
    assert states() == {"accepted": 4, "failed": 1}
    assert Delivery.objects.select_related("batch").get(id=bad).batch.state == "failed"


@pytest.mark.parametrize(
    "change",
    [
        lambda who: Subscriber.objects.filter(id=who.id).update(state="left"),
        lambda who: Subscriber.objects.filter(id=who.id).update(paused_until=NOW + timedelta(days=1)),
        lambda who: Subscriber.objects.filter(id=who.id).delete(),
        lambda who: Suppression.objects.create(address_index=who.address_index, reason="bounce", since=NOW),
    ],
)
def test_unsubscribed_recipient_is_left_out_when_the_attempt_starts(change) -> None:
    made = factories.planned(2)
    change(made.people[0])
    provider = ScriptedProvider()
    send.send_next(sender(provider), clock=at())
    assert [parcel.delivery_id for parcel in provider.handed] == [
        Delivery.objects.get(subscriber_id=made.people[1].id).id
    ]
    assert states() == {"accepted": 1, "cancelled": 1}


def test_a_suppression_that_was_lifted_stops_no_mail() -> None:
    made = factories.planned(1)
    index = made.people[0].address_index
    Suppression.objects.create(address_index=index, reason="bounce", since=NOW, lifted_at=NOW)
    provider = ScriptedProvider()
    send.send_next(sender(provider), clock=at())
    assert (len(provider.handed), states()) == (1, {"accepted": 1})


def test_a_notice_goes_to_nobody_who_left() -> None:
    _notice(factories.subscriber(state="left"))
    provider = ScriptedProvider()
    send.send_next(sender(provider), clock=at())
    assert (provider.handed, states()) == ([], {"cancelled": 1})


def test_erasure_stops_even_a_notice() -> None:
    erased = factories.subscriber(state="pending")
    Suppression.objects.create(address_index=erased.address_index, reason="erased", sticky=False, since=NOW)
    _notice(erased)
    provider = ScriptedProvider()
    send.send_next(sender(provider), clock=at())
    assert (provider.handed, states()) == ([], {"cancelled": 1})


def test_recipient_who_unsubscribes_between_two_windows_is_left_out() -> None:
    made = factories.planned(4)
    last = made.people[3]

    def leave(_parcel: object) -> Accepted:
        Subscriber.objects.filter(id=last.id).update(state="left")
        return Accepted()

    provider = ScriptedProvider(leave, window=2)
    send.send_next(sender(provider), clock=at())
    assert len(provider.handed) == 3
    assert states() == {"accepted": 3, "cancelled": 1}


def test_sending_paused_between_two_windows_plans_the_rest_anew() -> None:
    factories.planned(5)

    def pause(_parcel: object) -> Accepted:
        provider_gate.pause(1, "an operator", now=NOW, by_hand=True, actor=ACTOR)
        return Accepted()

    provider = ScriptedProvider(pause, window=2)
    send.send_next(sender(provider), clock=at())
    assert provider.windows == [2]
    assert states() == {"accepted": 2, "planned": 3}
    sent, waiting = Batch.objects.order_by("id")
    assert (sent.state, sent.size, sent.token, waiting.state, waiting.size) == ("accepted", 2, None, "planned", 3)
    attempt = Attempt.objects.get(batch_id=sent.id)
    assert (attempt.outcome, attempt.disproved, attempt.ended_at) == ("accepted", False, NOW)


@pytest.mark.parametrize("last", [Accepted(), Rejected("550"), Unknown("silence")])
def test_a_batch_is_closed_with_its_last_window_whatever_became_of_that(last: Accepted | Rejected | Unknown) -> None:
    factories.planned(3)
    third = max(Delivery.objects.values_list("id", flat=True))

    def answer(parcel: Parcel) -> Outcome:
        return last if parcel.delivery_id == third else Accepted()

    send.send_next(sender(ScriptedProvider(answer, window=2)), clock=at())
    assert Batch.objects.get().state == "accepted"
    assert Attempt.objects.get().outcome == "accepted"
    assert Delivery.objects.get(id=third).state == {Accepted: None, Rejected: "failed", Unknown: "unknown"}[type(last)]


def test_a_batch_of_which_nobody_is_left_ends_cancelled() -> None:
    made = factories.planned(2)
    Subscriber.objects.filter(id__in=[person.id for person in made.people]).update(state="left")
    provider = ScriptedProvider()
    send.send_next(sender(provider), clock=at())
    assert (provider.handed, states(), Batch.objects.get().state) == ([], {"cancelled": 2}, "cancelled")


def test_a_bounced_address_may_still_be_asked_to_confirm_but_a_complaint_is_final() -> None:
    bounced, complained = factories.subscriber(state="pending"), factories.subscriber(state="pending")
    for who, reason, sticky in ((bounced, "bounce", False), (complained, "complaint", True)):
        Suppression.objects.create(address_index=who.address_index, reason=reason, sticky=sticky, since=NOW)
    for who in (bounced, complained):
        _notice(who)
    provider = ScriptedProvider()
    while send.send_next(sender(provider), clock=at()):
        pass
    assert len(provider.handed) == 1
    assert provider.handed[0].unsubscribe is None
    assert "/confirm/" in provider.handed[0].personal["link"]
    assert states() == {"accepted": 1, "cancelled": 1}


def test_a_notice_that_waited_until_its_link_was_dead_is_not_mailed() -> None:
    from newsletter.models import Notice

    works, old, used, pruned = (factories.subscriber() for _ in range(4))
    for who in (works, old, used, pruned):
        _notice(who)
    Notice.objects.filter(subscriber=old).update(expires_at=NOW)
    Notice.objects.filter(subscriber=used).update(used_at=NOW)
    Notice.objects.filter(subscriber=pruned).delete()
    provider = ScriptedProvider()
    while send.send_next(sender(provider), clock=at()):
        pass
    assert ["/confirm/" in one.personal["link"] for one in provider.handed] == [True]
    assert states() == {"accepted": 1, "cancelled": 3}


def _notice(who: Subscriber) -> None:
    from newsletter.models import Notice, Occasion

    made = factories.planned([who], lane=Lane.NOTICE, kind="notice")
    notice = Notice.objects.create(
        kind="confirm", subscriber=who, nonce=b"12345678", created_at=NOW, expires_at=NOW + timedelta(days=7)
    )
    Occasion.objects.filter(id=Delivery.objects.get(batch_id=made.batch_ids[0]).occasion_id).update(
        key=f"notice:{notice.id}"
    )


def test_notices_go_before_alerts_and_alerts_before_digests() -> None:
    for lane, kind in ((Lane.DIGEST, "digest"), (Lane.ALERT, "alert"), (Lane.NOTICE, "alert")):
        factories.planned(1, lane=lane, kind=kind)
    held = [claim_batch(now=NOW, provider=1) for _ in range(3)]
    lanes = [Batch.objects.get(id=one.batch_id).lane for one in held if one]
    assert lanes == [Lane.NOTICE, Lane.ALERT, Lane.DIGEST]


def test_a_paused_gate_stops_even_a_batch_that_is_already_claimed() -> None:
    factories.planned(1)
    held = claim_batch(now=NOW, provider=1)
    sending_gate.pause("tests", now=NOW, actor=ACTOR)
    assert held is not None
    assert start_attempt(held, now=NOW, provider=1, window=2, vault=factories.VAULT) is None
    assert Gate.objects.get().paused_by == "tests"
    assert Batch.objects.get().state == "claimed"


@pytest.mark.parametrize(
    "pause",
    [
        lambda: sending_gate.pause("tests", now=NOW, actor=ACTOR),
        lambda: provider_gate.pause(1, "tests", now=NOW, actor=ACTOR),
    ],
)
def test_a_gate_that_closes_between_two_windows_stops_the_next(pause) -> None:
    factories.planned(4)

    def close(_parcel: object) -> Accepted:
        pause()
        return Accepted()

    provider = ScriptedProvider(close, window=2)
    send.send_next(sender(provider), clock=at())
    assert (len(provider.handed), states()) == (2, {"accepted": 2, "planned": 2})


@pytest.mark.parametrize("window", [None, 2])
def test_starting_an_attempt_again_after_a_lost_commit_answer(window: int | None) -> None:
    factories.planned(2, provider=PlannedProvider(1, one_letter=window is None))
    held = claim_batch(now=NOW, provider=1)
    assert held is not None
    first, again = (start_attempt(held, now=NOW, provider=1, window=window, vault=factories.VAULT) for _ in range(2))
    assert first and first == again
    assert Attempt.objects.count() == Batch.objects.get().attempts == 1


def test_a_worker_that_wakes_up_late_drops_its_work() -> None:
    factories.planned(1)
    held = claim_batch(now=NOW, provider=1)
    assert held is not None
    assert start_attempt(held, now=NOW + timedelta(seconds=51), provider=1, window=2, vault=factories.VAULT) is None
    assert expired_leases.recover_expired(now=NOW + timedelta(seconds=61)).given_back == 1
    other = claim_batch(now=NOW + timedelta(seconds=61), provider=1)
    assert other is not None
    assert start_attempt(held, now=NOW + timedelta(seconds=62), provider=1, window=2, vault=factories.VAULT) is None
    assert start_attempt(other, now=NOW + timedelta(seconds=62), provider=1, window=2, vault=factories.VAULT)


def test_no_address_in_the_values_that_travel() -> None:
    factories.planned([factories.subscriber("canary+7f3a@example.org")])
    provider = ScriptedProvider()
    send.send_next(sender(provider), clock=at())
    assert "canary" not in repr(provider.handed) + str(provider.handed[0].address)
    with connection.cursor() as cursor:
        cursor.execute("SELECT address_cipher FROM subscriber")
        assert b"canary" not in bytes(cursor.fetchone()[0])


@pytest.mark.parametrize("window", [None, 2])
def test_a_database_that_goes_before_the_first_byte_leaves_no_doubt(
    window: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.planned(4, provider=PlannedProvider(1, one_letter=window is None))

    def gone(*_: object, **__: object) -> None:
        raise OperationalError("terminating connection")

    monkeypatch.setattr(send, "make_parcels", gone)
    provider = ScriptedProvider(window=window)
    sent = send.send_next(sender(provider), clock=lambda: factories.NOW)
    assert sent is not None
    assert (sent.unknown, provider.handed) == (0, [])
    assert [one.disproved for one in Attempt.objects.all()] == [True]
    assert ledger_summary().by_state == {"planned": 4}
