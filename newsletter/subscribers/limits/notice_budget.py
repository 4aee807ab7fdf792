"""Limit how fast the whole service sends notices: one token bucket for each kind of request, stored as a single moment.

This is the generic cell rate algorithm (ITU-T I.371): each notice moves `full_at` on by its share of an hour, and none is
sent while `full_at` is further ahead than `STOCK`. So a quiet service sends its stock at once, and a flooded one a notice
every few seconds.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from newsletter.models import NoticeBudget, SignUpRequest

Kind = SignUpRequest.Kind
_HOUR = timedelta(hours=1)
#: Notices an hour, by kind. Those for people who hold one of their own mails have no limit but their mailbox's.
PER_HOUR: Final = {Kind.SIGN_UP: 2000, Kind.LINK: 2000}
#: Burst after a pause, as time at this rate: the link of a confirmed person waits behind no more than that.
STOCK: Final = timedelta(minutes=15)
#: Sign-ups an hour while many of the newest went to addresses that do not exist.
SLOWED: Final = 100


@dataclass
class Budget:
    """The budget of a kind, locked by the caller's transaction. `row` is None for a kind without a budget."""

    row: NoticeBudget | None

    def left(self, now: datetime) -> bool:
        """Whether a notice may be sent now."""
        return self.row is None or self.row.full_at + _HOUR / self.row.per_hour <= now + STOCK

    def spend(self, now: datetime) -> None:
        """Take one notice off the budget."""
        if self.row is not None:
            self.row.full_at = max(self.row.full_at, now) + _HOUR / self.row.per_hour
            self.row.save(update_fields=["full_at"])


def lock(kind: Kind, *, now: datetime) -> Budget:
    """Lock the budget of a kind until the transaction ends: requests of one kind are decided one after the other."""
    if kind not in PER_HOUR:
        return Budget(None)
    return Budget(_row(kind, now))


def slow_sign_ups(slowed: bool, *, now: datetime) -> bool:
    """Slow sign-ups down, or restore their usual rate; returns whether that is a change."""
    per_hour = SLOWED if slowed else PER_HOUR[Kind.SIGN_UP]
    with transaction.atomic():
        row = _row(Kind.SIGN_UP, now)
        changed = row.per_hour != per_hour
        row.per_hour = per_hour
        row.save(update_fields=["per_hour"])
        return changed


def slowed() -> bool:
    """Whether sign-ups are slowed down at present."""
    return NoticeBudget.objects.filter(kind=Kind.SIGN_UP, per_hour=SLOWED).exists()


def _row(kind: Kind, now: datetime) -> NoticeBudget:
    """Lock the row until the caller's transaction ends."""
    defaults = {"full_at": now, "per_hour": PER_HOUR[kind]}
    return NoticeBudget.objects.select_for_update().get_or_create(kind=kind, defaults=defaults)[0]
