"""Messages need two rooms: editions writes and plans them, delivery keeps back or hurries what is in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction

from newsletter import delivery_wiring, edition_wiring, wiring
from newsletter.editions.messages import schedule
from newsletter.editions.messages.schedule import ScheduledMessage
from newsletter.lib.refused import Refused

if TYPE_CHECKING:
    from newsletter.audit.actor import Actor
    from newsletter.lib.mail.provider_interface import Address
    from newsletter.models import Message


#: Tests of messages that one admin may send within an hour.
TESTS_AN_HOUR: Final = 10


@dataclass(frozen=True)
class StoppedMessage:
    """A message that was stopped: how many of its mails were kept back, and how many had gone."""

    message: Message
    stopped: int
    gone: int


def send(
    message_id: int, *, at: datetime | None, zone: str, revision: int | None = None, actor: Actor, now: datetime
) -> ScheduledMessage | Refused:
    """Send a draft at a time, None: now, which begins after five minutes."""
    return schedule.schedule_message(
        message_id,
        at=at,
        zone=zone,
        renderer=edition_wiring.renderer(),
        revision=revision,
        actor=actor,
        now=now,
    )


def stop(message_id: int, *, actor: Actor, now: datetime) -> StoppedMessage | Refused:
    """Keep back every mail of a message that has not left."""
    from newsletter.delivery.mailings.hold import MailingPart, skip
    from newsletter.delivery.mailings.sums import sums_of

    with transaction.atomic():
        message = schedule.mark_stopped(message_id, actor=actor, now=now)
        if isinstance(message, Refused):
            return message
        if message.occasion_id is None:
            return StoppedMessage(message, 0, 0)
        skipped = skip(MailingPart(message.occasion_id), actor=actor, now=now)
        if isinstance(skipped, Refused):  # nothing of it waited
            sums = sums_of([message.occasion_id])[message.occasion_id]
            return StoppedMessage(message, 0, sums.gone)
    return StoppedMessage(message, skipped.changed, skipped.gone)


def begin_at_once(message_id: int, *, actor: Actor, now: datetime) -> Message | Refused:
    """Let a message that waits for its time begin now."""
    from newsletter.delivery.ledger import begin_at_once as ledger

    with transaction.atomic():
        message = schedule.mark_begun(message_id, actor=actor, now=now)
        if not isinstance(message, Refused) and message.occasion_id is not None:
            ledger.begin_at_once(message.occasion_id, now=now)
        return message


def send_test(message_id: int, address: Address, *, actor: Actor, now: datetime) -> str | Refused:
    """Mail a message to one address, outside the ledger: nothing of the address is stored or logged.

    Returns the name of the provider that took it. The links at its foot lead to no person's pages. Somebody without the right
    to send may test, so there is a limit: a test is no way to mail people one by one.
    """
    from newsletter.audit.record import record
    from newsletter.delivery.gates import sending_gate
    from newsletter.delivery.sending.single_mail import hand_over_single
    from newsletter.editions.messages.checks import check_message
    from newsletter.editions.messages.drafts import find_message, thing_of
    from newsletter.lib.mail.placeholders import resolve_second_copy
    from newsletter.lib.mail.provider_interface import Letter

    message = find_message(message_id)
    if isinstance(message, Refused):
        return message
    if sending_gate.pause_reason() is not None:
        return Refused("sending is paused, so no test is sent either: resume sending first")
    if _tests_lately(actor, now) >= TESTS_AN_HOUR:
        return Refused(f"{TESTS_AN_HOUR} tests were sent within an hour: wait before the next one")
    mail = check_message(message, edition_wiring.renderer(), day=now.date()).mail
    provider = next(iter(delivery_wiring.providers().values()))
    parts = (resolve_second_copy(part, second=False) for part in (mail.text, mail.html))
    letter = Letter(0, "message", mail.subject, *parts)
    domain = wiring.config().sender_address.rpartition("@")[2]
    refused = hand_over_single(letter, address, provider=provider, base_url=wiring.config().base_url, domain=domain)
    if refused is not None:
        return refused
    record(actor, "message.test", thing_of(message), now=now)
    return provider.name


def _tests_lately(actor: Actor, now: datetime) -> int:
    from newsletter.models import AuditEntry

    by_whom = AuditEntry.objects.filter(actor_kind=actor.kind, actor=actor.name, action="message.test")
    return by_whom.filter(at__gt=now - timedelta(hours=1)).count()
