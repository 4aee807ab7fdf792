"""Keep back, release or cancel what has not left of a mailing, or of one of its editions.

Hold parks planned batches, release plans them again, skip cancels them: each batch by compare-and-set, so that one which a
worker has taken meanwhile goes on. What is planned later, of a mailing on hold, is parked when it is claimed (`ledger/holds.py`).
Skipped items stay given: they do not come with a later mail.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from newsletter.audit.actor import Actor
from newsletter.audit.record import Thing, record
from newsletter.delivery.ledger.holds import ON_HOLD
from newsletter.delivery.ledger.split_batch import split_off
from newsletter.delivery.mailings.sums import sums_of
from newsletter.lib.refused import Refused
from newsletter.models import Batch, BatchState, Delivery, Edition, Gathering, Message, Occasion

_WAITS = Q(state=BatchState.PLANNED)
_HELD = Q(state=BatchState.PARKED, held_at__isnull=False)
#: Words are kept for seven days, and those of a mail may be a day old when it is planned.
_WORDS_KEPT = timedelta(days=6)
_NOTHING_WAITS = "nothing of it waits any more"


@dataclass(frozen=True)
class Stopped:
    """What was done, in mails: those that were changed, and those that a worker had taken before."""

    changed: int
    gone: int


@dataclass(frozen=True)
class MailingPart:
    """A mailing, or with `edition_id` one edition of it."""

    occasion_id: int
    edition_id: int | None = None

    @property
    def deliveries(self) -> QuerySet[Delivery]:
        """Its mails."""
        part = Delivery.objects.filter(occasion_id=self.occasion_id)
        return part if self.edition_id is None else part.filter(edition_id=self.edition_id)


def hold(part: MailingPart, *, actor: Actor, now: datetime) -> Stopped | Refused:
    """Keep back what has not left, and what is still planned for it, until it is released."""
    with transaction.atomic():
        owner = _locked(part)
        if isinstance(owner, Refused):
            return owner
        if owner.held_at:
            return Refused("it is on hold already")
        if not _mails(part, _WAITS) and not _composing(part):
            return Refused(_NOTHING_WAITS)
        _set_held(owner, now)
        changed = _change(part, _WAITS, state=BatchState.PARKED, held_at=now, reason=ON_HOLD)
        _record(actor, "hold", part, now, before={"on hold": False}, after={"on hold": True})
        return Stopped(changed, _gone(part))


def release(part: MailingPart, *, actor: Actor, now: datetime) -> Stopped | Refused:
    """Let what was kept back go. What is parked for another reason stays."""
    with transaction.atomic():
        owner = _locked(part)
        if isinstance(owner, Refused):
            return owner
        if not owner.held_at and not _mails(part, _HELD):
            return Refused("it is not on hold")
        if part.edition_id is not None and Occasion.objects.filter(id=part.occasion_id, held_at__isnull=False).exists():
            return Refused("the whole mailing is on hold: release it")
        _set_held(owner, None)
        if part.edition_id is None:
            held = part.deliveries.filter(edition__held_at__isnull=False, batch__held_at__isnull=False)
            Edition.objects.filter(id__in=held.values("edition_id")).update(held_at=None)
        Occasion.objects.filter(id=part.occasion_id).update(closed_at=None)
        changed = _change(part, _HELD, state=BatchState.PLANNED, held_at=None, reason=None, not_before=now)
        _record(actor, "release", part, now, before={"on hold": True}, after={"on hold": False})
        return Stopped(changed, _gone(part))


def skip(part: MailingPart, *, actor: Actor, now: datetime) -> Stopped | Refused:
    """Cancel what waits or is kept back. The items count as given: nobody gets them with a later mail.

    A digest on hold stays so: what is planned for later time zones is kept back too.
    """
    with transaction.atomic():
        owner = _locked(part)
        if isinstance(owner, Refused):
            return owner
        if _composing(part) and not owner.held_at:
            return Refused("it is still being put together: hold it first, then skip it")
        if not _mails(part, _WAITS | _HELD):
            return Refused(_NOTHING_WAITS)
        words = f"skipped by {actor.name}"
        changed = _change(part, _WAITS | _HELD, state=BatchState.CANCELLED, held_at=None, reason=words)
        if not may_grow(owner):
            _set_held(owner, None)
        _record(actor, "skip", part, now, before={}, after={"skipped": True})
        return Stopped(changed, _gone(part))


def kept_until(held_at: datetime) -> datetime:
    """Until when mail that is on hold since then can surely be released: the words of mails are kept for so long."""
    return held_at + _WORDS_KEPT


def may_grow(owner: Occasion | Edition) -> bool:
    """Whether more mails may be planned for it: a digest is put together zone by zone, a message chunk by chunk."""
    if not isinstance(owner, Occasion):
        return False
    return owner.kind == Occasion.Kind.DIGEST or _planning(owner.id)


def _locked(part: MailingPart) -> Occasion | Edition | Refused:
    """The row that carries the hold, so that two people decide one after the other."""
    mailing = Occasion.objects.select_for_update().exclude(kind=Occasion.Kind.NOTICE)
    occasion = mailing.filter(id=part.occasion_id).first()
    if occasion is None or not part.deliveries.exists():
        return Refused("there is no such mailing: records are kept for 14 days")
    if part.edition_id is None:
        return occasion
    return Edition.objects.select_for_update().get(id=part.edition_id)


def _set_held(owner: Occasion | Edition, moment: datetime | None) -> None:
    owner.held_at = moment
    owner.save(update_fields=["held_at"])


def _composing(part: MailingPart) -> bool:
    return Gathering.objects.filter(occasion=part.occasion_id, composed_at=None).exists() or _planning(part.occasion_id)


def _planning(occasion_id: int) -> bool:
    return Message.objects.filter(occasion_id=occasion_id, state=Message.State.PLANNING).exists()


def _mails(part: MailingPart, where: Q) -> bool:
    batches = Batch.objects.filter(where, occasion_id=part.occasion_id)
    if part.edition_id is None:
        return batches.exists()
    return part.deliveries.filter(state=None, batch__in=batches).exists()


def _gone(part: MailingPart) -> int:
    if part.edition_id is None:
        return sums_of([part.occasion_id])[part.occasion_id].gone
    still = (BatchState.PLANNED, BatchState.PARKED, BatchState.CANCELLED)
    own = part.deliveries.filter(state__isnull=False).exclude(state="cancelled").count()
    return own + part.deliveries.filter(state=None).exclude(batch__state__in=still).count()


def _change(part: MailingPart, where: Q, **values: Any) -> int:
    """Change batches of this part that are `where` one says; returns how many mails that was."""
    # in the order of their ids, as everybody locks them
    batches = Batch.objects.filter(where, occasion_id=part.occasion_id).select_for_update().order_by("id")
    if part.edition_id is None:
        ids = list(batches.values_list("id", flat=True))
        mails = Delivery.objects.filter(batch_id__in=ids, state=None).count()
        Batch.objects.filter(where, id__in=ids).update(**values)
        return mails
    return _change_edition(part, batches, values)


def _change_edition(part: MailingPart, batches: QuerySet[Batch], values: dict[str, Any]) -> int:
    """The same for one edition: its mails leave batches that they share with others."""
    waiting = part.deliveries.filter(state=None, batch__in=batches.values("id"))
    counts = dict(waiting.values_list("batch_id").annotate(Count("id")).order_by("batch_id"))
    for batch in batches.filter(id__in=list(counts)):
        own = Delivery.objects.filter(batch_id=batch.id)
        if own.filter(state=None).count() == counts[batch.id]:
            Batch.objects.filter(id=batch.id, state=batch.state).update(**values)
        else:
            ids = part.deliveries.filter(batch_id=batch.id, state=None).values_list("id", flat=True)
            split_off(batch, list(ids), **values)
    return sum(counts.values())


def _record(
    actor: Actor, action: str, part: MailingPart, now: datetime, *, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Without numbers: of a mailing for one topic they say how many follow it."""
    key = Occasion.objects.values_list("key", flat=True).get(id=part.occasion_id)
    which = {} if part.edition_id is None else {"edition": part.edition_id}
    record(
        actor, f"mailing.{action}", Thing("mailing", part.occasion_id, key), now=now, before=before, after=after | which
    )
