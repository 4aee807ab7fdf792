"""Count consecutive soft bounces per subscriber, and suppress the address after `IN_A_ROW`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from newsletter.delivery.feedback.suppression_rules import (
    Cause,
    Reason,
    latest_consents,
    lift_soft_suppressions,
    suppress,
)
from newsletter.lib import db
from newsletter.lib.mail.provider_interface import ReportKind
from newsletter.models import Delivery, Event, Occasion, SoftBounce

#: Soft bounces in a row, each of another mail, that suppress an address.
IN_A_ROW: Final = 5
#: How long one counts: five weekly mails, and a good margin.
KEPT: Final = timedelta(days=60)


@dataclass(frozen=True)
class MailEvent:
    """One mail that was delivered, or given up with a soft bounce."""

    delivery_id: int
    subscriber_id: int
    at: datetime


def record_soft_bounces(bounces: Sequence[MailEvent], *, provider: str, now: datetime) -> int:
    """Count these soft bounces, in the caller's transaction; returns how many addresses are suppressed by them."""
    people = sorted({bounce.subscriber_id for bounce in bounces})
    for bounce in sorted(bounces, key=lambda bounce: bounce.delivery_id):
        db.execute(
            "INSERT INTO soft_bounce (delivery_id, subscriber_id, at) VALUES (%(mail)s, %(who)s, %(at)s) ON CONFLICT "
            "(delivery_id) DO UPDATE SET at=excluded.at WHERE excluded.at>soft_bounce.at",
            {"mail": bounce.delivery_id, "who": bounce.subscriber_id, "at": bounce.at},
        )
    _forget_before(_last_reached(people, now))
    return suppress(_causes(people, provider))


def record_delivered(mails: Sequence[MailEvent], *, provider: str) -> int:
    """Forget the soft bounces before these delivered mails; returns how many suppressions end by it."""
    latest: dict[int, datetime] = {}
    for mail in mails:
        latest[mail.subscriber_id] = max(mail.at, latest.get(mail.subscriber_id, mail.at))
    bounced = SoftBounce.objects.filter(subscriber_id__in=list(latest)).values_list("subscriber_id", flat=True)
    people = sorted(set(bounced))
    if not people:
        return 0
    _forget_before({person: latest[person] for person in people})
    return lift_soft_suppressions(people) - suppress(_causes(people, provider))


def _causes(people: Iterable[int], provider: str) -> list[Cause]:
    """A cause for each person with `IN_A_ROW` soft bounces, since the last of these."""
    since: dict[int, datetime] = {}
    counts: dict[int, int] = {}
    rows = SoftBounce.objects.filter(subscriber_id__in=list(people)).order_by("at", "delivery_id")
    for subscriber_id, at in rows.values_list("subscriber_id", "at"):
        counts[subscriber_id] = counts.get(subscriber_id, 0) + 1
        if counts[subscriber_id] == IN_A_ROW:
            since[subscriber_id] = at
    return [Cause(subscriber_id, Reason.SOFT, at, provider) for subscriber_id, at in since.items()]


def _last_reached(people: Sequence[int], now: datetime) -> dict[int, datetime]:
    """When mail last reached each of these people, as a delivered mail or a consent shows."""
    reached = latest_consents(people)
    # by occasion, because a person's deliveries have no index of their own
    recent = Occasion.objects.filter(created_at__gt=now - KEPT)
    mails = dict(Delivery.objects.filter(occasion__in=recent, subscriber__in=people).values_list("id", "subscriber_id"))
    delivered = Event.objects.filter(delivery_id__in=list(mails), kind=ReportKind.DELIVERED)
    for delivery_id, at in delivered.values_list("delivery_id", "at"):
        reached[mails[delivery_id]] = max(at, reached.get(mails[delivery_id], at))
    return reached


def _forget_before(reached: Mapping[int, datetime]) -> None:
    for subscriber_id, at in reached.items():
        SoftBounce.objects.filter(subscriber_id=subscriber_id, at__lte=at).delete()


def prune(now: datetime) -> int:
    """Delete what counts no longer; returns rows."""
    return SoftBounce.objects.filter(at__lt=now - KEPT).delete()[0]
