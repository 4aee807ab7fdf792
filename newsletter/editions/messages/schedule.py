"""When a message is sent: now, which is in five minutes, or at a time; sooner after all, back to a draft, or not at all."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from newsletter.audit.actor import Actor
from newsletter.audit.record import record
from newsletter.editions.messages.audience import count_people
from newsletter.editions.messages.checks import check_message
from newsletter.editions.messages.drafts import OPEN, find_message, thing_of
from newsletter.editions.rendering.renderer import Renderer
from newsletter.lib.refused import Refused
from newsletter.models import Message

#: A message that is sent now starts after this: until then all of it can be stopped.
DELAY: Final = timedelta(minutes=5)
#: Furthest in the future that a message can be sent.
FURTHEST: Final = timedelta(days=365)
_STARTED = (Message.State.PLANNING, Message.State.PLANNED)


@dataclass(frozen=True)
class ScheduledMessage:
    """A message that is to be sent: from when on, and to how many people if nothing changes."""

    message: Message
    start_at: datetime
    people: int


def schedule_message(
    message_id: int,
    *,
    at: datetime | None,
    zone: str,
    renderer: Renderer,
    revision: int | None = None,
    actor: Actor,
    now: datetime,
) -> ScheduledMessage | Refused:
    """Send a draft: `at` a time, None: now, which begins after `DELAY`. `revision` is the one that was shown."""
    refused = _time_problem(at, now)
    if refused is not None:
        return refused
    with transaction.atomic():
        row = Message.objects.select_for_update().filter(id=message_id).first()
        if row is None:
            return Refused("there is no such message: see 'newsletter messages list'")
        if row.state not in (*OPEN, Message.State.PARKED):
            return Refused("it is sent already: copy it as a draft to send it again")
        if revision is not None and row.revision != revision:
            return Refused("somebody else has changed it meanwhile: look at it again")
        for problem in check_message(row, renderer, day=now.date()).problems:
            return Refused(f"it cannot be sent yet: {problem}")
        people = count_people(row.topic_id, now=now)
        if not people:
            return Refused("nobody would get it: choose to whom it goes")
        before = row.state
        row.state, row.start_at, row.zone = Message.State.SCHEDULED, at or now + DELAY, zone
        row.sent_by, row.changed_at = actor.name, now
        row.save()
        after = {"state": row.state, "start_at": row.start_at, "topic": row.topic_id}
        record(actor, "message.send", thing_of(row), now=now, before={"state": before}, after=after)
    return ScheduledMessage(row, row.start_at, people)


def back_to_draft(message_id: int, *, actor: Actor, now: datetime) -> Message | Refused:
    """Make a message that waits for its time a draft again; or one that missed it. Nothing of it was planned."""
    waits = Message.objects.filter(id=message_id, state__in=(Message.State.SCHEDULED, Message.State.PARKED))
    return _change(waits, message_id, Message.State.DRAFT, "message.draft", actor, now, start_at=None)


def mark_stopped(message_id: int, *, actor: Actor, now: datetime) -> Message | Refused:
    """Plan no more of a message. Call it in a transaction, and cancel after it what is planned already."""
    sent = Message.objects.filter(id=message_id, state__in=(Message.State.SCHEDULED, *_STARTED))
    return _change(sent, message_id, Message.State.STOPPED, "message.stop", actor, now)


def mark_begun(message_id: int, *, actor: Actor, now: datetime) -> Message | Refused:
    """Let a message begin at once. Call it in a transaction, and make what is planned already due after it."""
    waits = Message.objects.filter(id=message_id, state__in=(Message.State.SCHEDULED, *_STARTED), start_at__gt=now)
    with transaction.atomic():
        changed = waits.update(start_at=now, changed_at=now)
        row = find_message(message_id)
        if isinstance(row, Refused):
            return row
        if not changed:
            return Refused("it does not wait for its time")
        record(actor, "message.begin", thing_of(row), now=now)
    return row


def _change(
    rows: QuerySet[Message], message_id: int, state: str, action: str, actor: Actor, now: datetime, **columns: Any
) -> Message | Refused:
    with transaction.atomic():
        before = rows.values_list("state", flat=True).first()
        changed = rows.update(state=state, changed_at=now, **columns)
        row = find_message(message_id)
        if isinstance(row, Refused):
            return row
        if not changed:
            return Refused(f"this cannot be done any more: the message is {row.get_state_display().lower()}")
        record(actor, action, thing_of(row), now=now, before={"state": before}, after={"state": state})
    return row


def _time_problem(at: datetime | None, now: datetime) -> Refused | None:
    if at is None:
        return None
    if at < now:
        return Refused("this time has passed: choose one to come, or send it now")
    return Refused("this is more than a year away: choose a time within a year") if at > now + FURTHEST else None
