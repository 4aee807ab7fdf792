"""How fast notices may go out in the whole service: one token bucket for each kind of request, kept as a single moment.

This is the generic cell rate algorithm (ITU-T I.371): each notice moves `full_at` on by its share of an hour, and none may
go while `full_at` is further ahead than the stock lasts. So a quiet service sends its stock at once, and a flooded one a
notice every few seconds.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from newsletter.models import NoticeBudget, SignUpRequest

Kind = SignUpRequest.Kind
_HOUR = timedelta(hours=1)
#: Notices an hour, by kind; those for people who hold one of their own mails have no end but their mailbox's.
PER_HOUR: Final = {Kind.SIGN_UP: 2000, Kind.LINK: 2000}
#: What may go at once after a pause, as time at this pace: a link for a confirmed person stands behind no more than that.
STOCK: Final = timedelta(minutes=15)
#: Sign-ups an hour while many of the newest went to dead addresses.
SLOWED: Final = 100


@dataclass
class Budget:
    """A kind's budget, held by the caller's transaction; `row` is None where there is none to keep."""

    row: NoticeBudget | None

    def left(self, now: datetime) -> bool:
        """Whether a notice may go now."""
        return self.row is None or self.row.full_at + _HOUR / self.row.per_hour <= now + STOCK

    def spend(self, now: datetime) -> None:
        """One notice goes."""
        if self.row is not None:
            self.row.full_at = max(self.row.full_at, now) + _HOUR / self.row.per_hour
            self.row.save(update_fields=["full_at"])


def lock(kind: Kind, *, now: datetime) -> Budget:
    """The budget of a kind, held until the transaction ends: so requests of one kind are decided one after the other."""
    if kind not in PER_HOUR:
        return Budget(None)
    return Budget(_row(kind, now))


def slow_sign_ups(slowed: bool, *, now: datetime) -> bool:
    """Slow sign-ups down, or let them go at their usual pace again; True when that is a change."""
    per_hour = SLOWED if slowed else PER_HOUR[Kind.SIGN_UP]
    with transaction.atomic():
        row = _row(Kind.SIGN_UP, now)
        changed = row.per_hour != per_hour
        row.per_hour = per_hour
        row.save(update_fields=["per_hour"])
        return changed


def slowed() -> bool:
    """Whether sign-ups go slowly at present."""
    return NoticeBudget.objects.filter(kind=Kind.SIGN_UP, per_hour=SLOWED).exists()


def _row(kind: Kind, now: datetime) -> NoticeBudget:
    """Inside a transaction: the row is locked until it ends."""
    defaults = {"full_at": now, "per_hour": PER_HOUR[kind]}
    return NoticeBudget.objects.select_for_update().get_or_create(kind=kind, defaults=defaults)[0]
