"""Suppress addresses by blind index; a provider's unsubscribe ends subscriptions, too.

In whatever order causes arrive, the strongest stays, with the time of its first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Max, Q

from newsletter.lib import db
from newsletter.models import Consent, Subscriber, Subscription, Suppression

Reason = Suppression.Reason


@dataclass(frozen=True)
class Cause:
    """Why this person must not be mailed, since when, and which provider reported it."""

    subscriber_id: int
    reason: Reason
    at: datetime
    provider: str


#: The weakest first.
_STRENGTH: Final = tuple(Reason)
_RANK: Final = (
    "CASE {} " + " ".join(f"WHEN '{name}' THEN {rank}" for rank, name in enumerate(_STRENGTH)) + " ELSE 0 END"
)
_LIFTED: Final = "suppression.lifted_at IS NOT NULL AND (excluded.sticky OR excluded.since>suppression.lifted_at)"
_STRONGER: Final = (
    f"suppression.lifted_at IS NULL AND ({_RANK.format('excluded.reason')}>{_RANK.format('suppression.reason')} "
    "OR excluded.reason=suppression.reason AND excluded.since<suppression.since)"
)


def suppress(causes: Iterable[Cause]) -> int:
    """Store the suppressions for `causes`, inside the caller's transaction; returns how many addresses are suppressed by it.

    A consent given after the moment of a cause outweighs it (the person showed that mail reaches them), but for a complaint.
    """
    causes = _not_outweighed(list(causes))
    people = sorted({cause.subscriber_id for cause in causes})
    indexes = dict(Subscriber.objects.filter(id__in=people).values_list("id", "address_index"))
    strongest: dict[bytes, Cause] = {}
    for cause in sorted(causes, key=lambda cause: (-_STRENGTH.index(cause.reason), cause.at)):
        if cause.subscriber_id in indexes:
            strongest.setdefault(bytes(indexes[cause.subscriber_id]), cause)
    end_subscriptions([cause for cause in causes if cause.reason == Reason.UNSUBSCRIBE])
    return sum(store_suppression(index, cause) for index, cause in sorted(strongest.items()))


def end_subscriptions(causes: Sequence[Cause]) -> int:
    """End the subscriptions that those people had when they unsubscribed at the provider; returns how many."""
    ended = 0
    for cause in causes:
        # reported twice with different times, in whatever order, the first time stays
        later = Q(ended_at=None) | Q(ended_reason=Subscription.EndedReason.PROVIDER, ended_at__gt=cause.at)
        theirs = Subscription.objects.filter(later, subscriber_id=cause.subscriber_id, created_at__lte=cause.at)
        ended += theirs.update(ended_at=cause.at, ended_reason=Subscription.EndedReason.PROVIDER, changed_at=cause.at)
        if not Subscription.objects.filter(subscriber_id=cause.subscriber_id, ended_at=None).exists():
            active = Subscriber.objects.filter(id=cause.subscriber_id, state=Subscriber.State.ACTIVE)
            active.update(state=Subscriber.State.LEFT, left_at=cause.at)
    return ended


def lift_soft_suppressions(subscriber_ids: Sequence[int]) -> int:
    """Delete suppressions for soft bounces, since mail arrived after all; returns how many."""
    indexes = Subscriber.objects.filter(id__in=subscriber_ids).values_list("address_index", flat=True)
    return Suppression.objects.filter(address_index__in=list(indexes), reason=Reason.SOFT, lifted_at=None).delete()[0]


def latest_consents(subscriber_ids: Iterable[int]) -> dict[int, datetime]:
    """When each of these people last consented."""
    given = Consent.objects.filter(subscriber_id__in=list(subscriber_ids))
    return dict(given.values_list("subscriber_id").annotate(Max("at")))


def _not_outweighed(causes: Sequence[Cause]) -> list[Cause]:
    given = latest_consents({cause.subscriber_id for cause in causes})
    return [
        cause
        for cause in causes
        if cause.reason == Reason.COMPLAINT or cause.subscriber_id not in given or cause.at > given[cause.subscriber_id]
    ]


def store_suppression(index: bytes, cause: Cause) -> int:
    """Suppress the address with this blind index for this cause. Returns 0 if a stronger or earlier one is stored."""
    return db.execute(
        "INSERT INTO suppression (address_index, reason, sticky, since, provider, lifted_at) "
        "VALUES (%(index)s, %(reason)s, %(sticky)s, %(since)s, %(provider)s, NULL) "
        "ON CONFLICT (address_index) DO UPDATE SET reason=excluded.reason, sticky=excluded.sticky OR suppression.sticky, "
        f"since=excluded.since, provider=excluded.provider, lifted_at=NULL WHERE ({_LIFTED}) OR ({_STRONGER})",
        {
            "index": index,
            "reason": str(cause.reason),
            "sticky": cause.reason == Reason.COMPLAINT,
            "since": cause.at,
            "provider": cause.provider,
        },
    )
