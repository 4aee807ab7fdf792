"""The list of addresses that are not mailed, whichever provider carries mail: shown without addresses, edited by operators."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from newsletter.audit.actor import Actor
from newsletter.audit.record import Thing, reason_problem, record
from newsletter.delivery.feedback.suppression_rules import Cause, Reason, store_suppression
from newsletter.lib.refused import Refused
from newsletter.models import SoftBounce, Suppression

#: Bytes of the blind index that stand for a row in lists.
_SHOWN = 8
#: Why it cannot be lifted by hand.
_FOR_GOOD = {
    Reason.COMPLAINT: "this person called a mail spam, and is never mailed again",
    Reason.ERASED: "this person asked to be erased, and is never mailed again",
}


@dataclass(frozen=True)
class SuppressionRow:
    """One suppression. `id` is a part of the keyed hash: it identifies the row, and leads to no address."""

    id: str
    reason: str
    since: datetime
    provider: str
    sticky: bool
    lifted_at: datetime | None


@dataclass(frozen=True)
class Lifted:
    """It may be mailed again; `reason` is why it was not."""

    reason: str


def list_suppressions(
    *, reason: str = "", lifted: bool = False, limit: int = 50, after: str | None = None
) -> list[SuppressionRow]:
    """The newest suppressions in force, or with `lifted` those that were lifted. `after`: the id of the last row before them."""
    rows = Suppression.objects.filter(lifted_at__isnull=not lifted).order_by("-since", "-address_index")
    if after is not None:
        last = Suppression.objects.filter(address_index=find_by_short_id(after)).first()
        if last is None:
            return []
        rows = rows.filter(Q(since__lt=last.since) | Q(since=last.since, address_index__lt=last.address_index))
    if reason:
        rows = rows.filter(reason=reason)
    return [
        SuppressionRow(
            short_id(bytes(row.address_index)), row.reason, row.since, row.provider, row.sticky, row.lifted_at
        )
        for row in rows[:limit]
    ]


def short_id(index: bytes) -> str:
    """The id of a suppression in lists."""
    return index[:_SHOWN].hex()


def find_by_short_id(shown: str) -> bytes | None:
    """The blind index whose id in lists is `shown`. Returns None if there is none."""
    try:
        begin = bytes.fromhex(shown)
    except ValueError:
        return None
    if len(begin) != _SHOWN:
        return None
    rows = Suppression.objects.filter(address_index__gte=begin, address_index__lt=begin + b"\xff" * 32)
    indexes = list(rows.values_list("address_index", flat=True)[:2])
    return bytes(indexes[0]) if len(indexes) == 1 else None


def thing_of(index: bytes) -> Thing:
    """A suppression in the audit log, by what stands for it in lists."""
    return Thing("suppression", name=short_id(index))


def add(index: bytes, *, now: datetime, actor: Actor) -> bool:
    """Suppress this address until the person confirms again or it is lifted. Returns False if it is suppressed already."""
    with transaction.atomic():
        added = bool(store_suppression(index, Cause(0, Reason.ADMIN, now, "")))
        if added:
            record(actor, "suppression.add", thing_of(index), now=now, after={"because": Reason.ADMIN})
        return added


def lift(index: bytes, *, now: datetime, actor: Actor, reason: str = "") -> Lifted | Refused:
    """Let this address be mailed again, and forget its soft bounces. Permanent suppressions stay.

    `reason` is why, for the audit log; it is refused if it holds an address.
    """
    if reason and (problem := reason_problem(reason)):
        return problem
    with transaction.atomic():
        row = Suppression.objects.select_for_update().filter(address_index=index, lifted_at=None).first()
        if row is None:
            return Refused("this address is not suppressed")
        if row.reason in _FOR_GOOD or row.sticky:
            return Refused(_FOR_GOOD.get(Reason(row.reason), "it stands for good"))
        Suppression.objects.filter(address_index=index).update(lifted_at=now)
        SoftBounce.objects.filter(subscriber__address_index=index).delete()
        before = {"because": row.reason}
        record(actor, "suppression.lift", thing_of(index), now=now, before=before, reason=reason)
    return Lifted(row.reason)
