"""Plan the mails of messages whose time has come, chunk by chunk, each in one transaction: after a crash it goes on there."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Final

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Q

from newsletter.audit.actor import from_rule
from newsletter.audit.record import record
from newsletter.editions.compose import Composer
from newsletter.editions.edition_store import EditionDraft, body_json, edition_key, store_editions
from newsletter.editions.load_content import look_of
from newsletter.editions.messages.audience import AudienceChunk, count_people, next_chunk
from newsletter.editions.messages.checks import render
from newsletter.editions.messages.drafts import thing_of
from newsletter.lib.progress import ShouldContinue, never_stop
from newsletter.models import Lane, Look, Message, Occasion

log = structlog.get_logger()

#: Mails are planned so long before they may leave: who left meanwhile is left out when they are sent.
AHEAD: Final = timedelta(minutes=5)
#: A message whose time passed longer ago while nothing ran is not sent by itself.
MISSED: Final = timedelta(hours=1)
#: People in one transaction. The first chunk is small: its mails leave while others are planned.
FIRST, CHUNK = 2_000, 20_000


def plan_messages(
    composer: Composer,
    *,
    clock: Callable[[], datetime],
    chunk: int = CHUNK,
    should_continue: ShouldContinue = never_stop,
    planned: Callable[[Sequence[int]], None] = lambda _batch_ids: None,
) -> bool:
    """Plan what is due; True if it stopped before the end. Repeatable, by several workers at once.

    `planned` is called with each chunk's batches once they are committed.
    """
    for message_id in _due(clock()):
        size = min(FIRST, chunk)
        while (batches := _plan_chunk(message_id, composer, clock(), size)) is not None:
            if batches:
                planned(batches)
            size = chunk
            if not should_continue():
                return True
    return False


def _due(now: datetime) -> list[int]:
    waits = Q(state=Message.State.SCHEDULED, start_at__lte=now + AHEAD) | Q(state=Message.State.PLANNING)
    return list(Message.objects.filter(waits).order_by("start_at", "id").values_list("id", flat=True))


def _plan_chunk(message_id: int, composer: Composer, now: datetime, size: int) -> tuple[int, ...] | None:
    """Plan the next people of a message; returns the batches. Returns None when nothing is left of it to plan now."""
    row = Message.objects.filter(id=message_id, state__in=(Message.State.SCHEDULED, Message.State.PLANNING)).first()
    if row is None or row.start_at is None:
        return None
    if row.state == Message.State.SCHEDULED and row.start_at < now - MISSED:
        _park(row, now)
        return None
    chunk = next_chunk(row.topic_id, after=row.planned_upto, size=size, now=now)
    if chunk is None and row.state == Message.State.PLANNING:
        _finish(row, now)
        return None
    drafts = [] if chunk is None else _drafts(row, chunk, composer, now)
    people = count_people(row.topic_id, now=now) if chunk is not None else 0
    mine = Message.objects.filter(id=row.id, state=row.state, planned_upto=row.planned_upto, start_at=row.start_at)
    try:
        with transaction.atomic():
            occasion, _ = Occasion.objects.get_or_create(
                key=f"message:{row.id}",
                defaults={
                    "kind": Occasion.Kind.MESSAGE,
                    "created_at": now,
                    # 0: the numbers of a message to everybody are no secret of one topic
                    "only_topic_id": row.topic_id or 0,
                },
            )
            upto = row.planned_upto if chunk is None else chunk.hi
            if not mine.update(state=Message.State.PLANNING, planned_upto=upto, occasion_id=occasion.id):
                return ()
            ids = store_editions([draft for draft, _ in drafts], Occasion.Kind.MESSAGE, composer.vault, now)
            return composer.plan(
                occasion_id=occasion.id,
                lane=Lane.DIGEST,
                shares=[(ids[draft.key], subscriber_ids, draft.failure) for draft, subscriber_ids in drafts],
                items_given=[],
                audience=people,
                now=max(now, row.start_at),
            )
    except IntegrityError:
        # another worker plans the same chunk or edition at this moment: the next look finds what is left
        return None


def _drafts(
    row: Message, chunk: AudienceChunk, composer: Composer, now: datetime
) -> list[tuple[EditionDraft, list[int]]]:
    looks = Look.objects.in_bulk(list(chunk.by_look))
    day = max(now, row.start_at or now).date()
    return [
        (_draft(row, looks[look_id], composer, day), subscriber_ids)
        for look_id, subscriber_ids in sorted(chunk.by_look.items())
    ]


def _draft(row: Message, look: Look, composer: Composer, day: date) -> EditionDraft:
    content = {"message": row.id, "topic": row.topic_id}
    key = edition_key(
        "message", day.isoformat(), look.id, composer.renderer.revision, [content, row.subject, row.markdown]
    )
    try:
        mail = render(row, composer.renderer, day, look_of(look))
    except Exception as error:  # noqa: BLE001 - one look that cannot be rendered must not stop the others
        log.error("message_not_worded", message_id=row.id, error=type(error).__name__)
        return EditionDraft(key, look.id, content, None, f"could not be worded ({type(error).__name__})")
    return EditionDraft(key, look.id, content, body_json(mail.subject, mail.text, mail.html))


def _finish(row: Message, now: datetime) -> None:
    planning = Message.objects.filter(id=row.id, state=Message.State.PLANNING, planned_upto=row.planned_upto)
    if planning.update(state=Message.State.PLANNED, planned_at=now):
        log.info("message_planned", message_id=row.id)


def _park(row: Message, now: datetime) -> None:
    with transaction.atomic():
        waits = Message.objects.filter(id=row.id, state=Message.State.SCHEDULED, start_at=row.start_at)
        if waits.update(state=Message.State.PARKED, changed_at=now):
            rule = from_rule("a message that missed its time")
            record(rule, "message.park", thing_of(row), now=now, before={"state": row.state}, after={"state": "parked"})
