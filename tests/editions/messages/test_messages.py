"""Messages: written, released, planned in chunks so that everybody gets one mail whatever crashes, and stopped in the ledger."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from newsletter import edition_wiring, message_wiring
from newsletter.delivery.ledger.cancel import cancel_planned
from newsletter.delivery.ledger.reports import close_complete
from newsletter.delivery.mailings.sums import sums_of
from newsletter.editions.compose import Composer
from newsletter.editions.messages import audience, checks, drafts, planning, schedule
from newsletter.editions.messages.drafts import MessageText
from newsletter.editions.messages.message_list import waiting_messages
from newsletter.lib.refused import Refused
from newsletter.models import (
    AuditEntry,
    Batch,
    BatchState,
    Delivery,
    Edition,
    Message,
    Occasion,
    Subscriber,
    Suppression,
    Topic,
)
from tests import factories
from tests.factories import ACTOR, NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=6)


@pytest.fixture
def composer() -> Composer:
    return edition_wiring.composer()


def people(count: int, topic: Topic | None = None) -> list[Subscriber]:
    made = [factories.subscriber() for _ in range(count)]
    for reader in made if topic else ():
        factories.follow(reader, topic)
    return made


def written(topic: Topic | None = None, *, subject: str = "A change", text: str = "We *move* on Monday.") -> Message:
    row = drafts.write_message(MessageText(subject, text, topic.id if topic else None), actor=ACTOR, now=NOW)
    assert isinstance(row, Message)
    return row


def sent(row: Message, at: datetime | None = None) -> Message:
    answer = message_wiring.send(row.id, at=at, zone="UTC", actor=ACTOR, now=NOW)
    assert not isinstance(answer, Refused), answer
    return Message.objects.get(id=row.id)


def plan(composer: Composer, *, now: datetime = NOW, chunk: int = 3, **options: object) -> bool:
    return planning.plan_messages(composer, clock=lambda: now, chunk=chunk, **options)  # type: ignore[arg-type]


def recipients(row: Message) -> list[int]:
    return sorted(Delivery.objects.filter(occasion__key=f"message:{row.id}").values_list("subscriber_id", flat=True))


def test_everybody_gets_one_mail_and_nobody_who_left_paused_or_is_suppressed(composer: Composer) -> None:
    readers = people(7)
    factories.subscriber(state="left")
    factories.subscriber(state="pending")
    factories.subscriber(paused_until=NOW + timedelta(days=1))
    out = factories.subscriber()
    Suppression.objects.create(address_index=out.address_index, reason=Suppression.Reason.BOUNCE, since=NOW)
    row = sent(written())
    assert row.start_at == NOW + schedule.DELAY
    while plan(composer, should_continue=lambda: False):
        pass
    plan(composer)
    assert recipients(row) == [reader.id for reader in readers]
    row.refresh_from_db()
    assert row.state == Message.State.PLANNED
    assert set(Batch.objects.values_list("not_before", flat=True)) == {row.start_at}
    edition = Edition.objects.get()
    assert (edition.kind, edition.content) == ("message", {"message": row.id, "topic": None})
    plan(composer, now=LATER)
    assert len(recipients(row)) == 7


def test_goes_to_the_followers_of_its_topic_and_is_cancelled_with_their_subscription(composer: Composer) -> None:
    topic = factories.topic()
    followers = people(3, topic)
    people(2)
    row = sent(written(topic))
    plan(composer)
    assert recipients(row) == [reader.id for reader in followers]
    assert Occasion.objects.get().only_topic_id == topic.id
    assert cancel_planned(followers[0].id, topic.id) == 1
    assert cancel_planned(followers[1].id, topic.id + 1) == 0


def test_a_worker_that_dies_between_chunks_leaves_the_rest_to_the_next(composer: Composer) -> None:
    readers = people(8)
    row = sent(written())
    calls = iter(range(10))

    def dies(**values: object) -> tuple[int, ...]:
        batches = composer.plan(**values)  # type: ignore[arg-type]
        if next(calls) == 1:
            raise KeyboardInterrupt  # in the second chunk, before its commit
        return batches

    with pytest.raises(KeyboardInterrupt):
        plan(replace(composer, plan=dies))
    assert recipients(row) == [reader.id for reader in readers[:3]]
    row.refresh_from_db()
    assert (row.state, row.planned_upto) == (Message.State.PLANNING, readers[2].id)
    close_complete(now=NOW)
    assert Occasion.objects.get().closed_at is None
    plan(composer, now=LATER + timedelta(hours=3))
    assert recipients(row) == [reader.id for reader in readers]


def test_two_workers_plan_a_chunk_once(composer: Composer, monkeypatch: pytest.MonkeyPatch) -> None:
    readers = people(4)
    row = sent(written())
    others = iter([True])

    def count(topic_id: int | None, *, now: datetime) -> int:
        if next(others, False):  # between the reading and the writing of the first
            assert planning.plan_messages(composer, clock=lambda: now, chunk=2, should_continue=lambda: False)
        return audience.count_people(topic_id, now=now)

    monkeypatch.setattr(planning, "count_people", count)
    plan(composer, chunk=3)
    assert recipients(row) == [reader.id for reader in readers]


def test_stop_keeps_back_every_mail_in_the_ledger(composer: Composer) -> None:
    people(5)
    row = sent(written())
    plan(composer)
    batch = Batch.objects.order_by("id").first()
    assert batch is not None
    Batch.objects.filter(id=batch.id).update(state=BatchState.CLAIMED)
    Batch.objects.filter(id=batch.id).update(state=BatchState.SENDING)
    stopped = message_wiring.stop(row.id, actor=ACTOR, now=NOW)
    assert not isinstance(stopped, Refused)
    assert stopped.stopped + stopped.gone == 5
    assert stopped.gone == batch.size
    sums = sums_of([stopped.message.occasion_id or 0])[stopped.message.occasion_id or 0]
    assert (sums.cancelled, sums.sending, sums.planned) == (stopped.stopped, stopped.gone, 5)
    assert isinstance(message_wiring.stop(row.id, actor=ACTOR, now=NOW), Refused)
    plan(composer, now=LATER)
    assert len(recipients(row)) == 5


def test_stopped_before_it_was_planned(composer: Composer) -> None:
    people(2)
    row = sent(written(), at=NOW + timedelta(hours=2))
    plan(composer)
    assert recipients(row) == []
    stopped = message_wiring.stop(row.id, actor=ACTOR, now=NOW)
    assert not isinstance(stopped, Refused)
    assert (stopped.stopped, stopped.gone) == (0, 0)
    plan(composer, now=NOW + timedelta(hours=2))
    assert recipients(row) == []
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "message.write", "message.send", "message.stop",
    ]  # fmt: skip


def test_starts_at_once_after_all(composer: Composer) -> None:
    people(2)
    row = sent(written())
    plan(composer)
    assert isinstance(message_wiring.begin_at_once(row.id, actor=ACTOR, now=NOW), Message)
    assert set(Batch.objects.values_list("not_before", flat=True)) == {NOW}
    assert isinstance(message_wiring.begin_at_once(row.id, actor=ACTOR, now=NOW), Refused)


def test_a_message_that_missed_its_time_is_parked_and_can_be_sent_or_changed(composer: Composer) -> None:
    people(2)
    row = sent(written(), at=NOW + timedelta(hours=1))
    plan(composer, now=NOW + timedelta(hours=3))
    row.refresh_from_db()
    assert row.state == Message.State.PARKED
    assert recipients(row) == []
    assert isinstance(schedule.back_to_draft(row.id, actor=ACTOR, now=NOW), Message)
    changed = drafts.change_message(row.id, MessageText("New", "Text", None), revision=1, actor=ACTOR, now=NOW)
    assert isinstance(changed, Message)
    assert isinstance(
        drafts.change_message(row.id, MessageText("Other", "Text", None), revision=1, actor=ACTOR, now=NOW), Refused
    )
    assert sent(row).state == Message.State.SCHEDULED


@pytest.mark.parametrize(
    ("subject", "text", "reason"),
    [
        ("", "Text", "write a subject"),
        ("Subject", " \n", "write a text"),
        ("Subject", "[here](harbour)", "links that lead nowhere: harbour"),
        ("Subject", "word **x** " * 5_400, "cut it off"),
    ],
)
def test_what_cannot_be_sent(subject: str, text: str, reason: str) -> None:
    people(1)
    answer = message_wiring.send(written(subject=subject, text=text).id, at=None, zone="UTC", actor=ACTOR, now=NOW)
    assert isinstance(answer, Refused)
    assert reason in answer.reason


def test_nobody_and_the_past_are_refused() -> None:
    row = written(factories.topic())
    people(1)
    answer = message_wiring.send(row.id, at=None, zone="UTC", actor=ACTOR, now=NOW)
    assert isinstance(answer, Refused) and "nobody would get it" in answer.reason
    assert isinstance(
        message_wiring.send(row.id, at=NOW - timedelta(minutes=1), zone="UTC", actor=ACTOR, now=NOW), Refused
    )


def test_subjects_of_discreet_readers_say_nothing() -> None:
    row = written(subject="Uyghur hearing", text="# Hello\n\n<b>no</b> [link](https://paper.example/)")
    checked = checks.check_message(row, edition_wiring.renderer(), day=NOW.date())
    assert checked.mail.subject == "Uyghur hearing"
    assert "Uyghur" not in checked.neutral_subject
    assert "24 November 2026" in checked.neutral_subject
    assert "&lt;b&gt;no" in checked.mail.html
    assert "link (https://paper.example/)" in checked.mail.text
    assert "@@nl-unsubscribe@@" in checked.mail.html and "@@nl-unsubscribe@@" in checked.mail.text
    assert checked.problems == ()


def test_released_by_somebody_with_the_right() -> None:
    row = written()
    assert isinstance(drafts.ask_for_release(row.id, actor=ACTOR, now=NOW), Message)
    assert [one.id for one in waiting_messages()] == [row.id]
    assert isinstance(drafts.ask_for_release(row.id, actor=ACTOR, now=NOW), Refused)
    changed = drafts.change_message(row.id, MessageText("B", "Text", None), actor=ACTOR, now=NOW)
    assert isinstance(changed, Message) and changed.state == Message.State.DRAFT
    copy = drafts.copy_message(row.id, actor=ACTOR, now=NOW)
    assert isinstance(copy, Message) and (copy.subject, copy.state) == ("B", Message.State.DRAFT)
