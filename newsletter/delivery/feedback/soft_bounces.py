"""Mails given up one after the other: after so many without one that arrived, the person is not mailed any more."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from newsletter.delivery.feedback.suppression_rules import Cause, Reason, consents, forgive, suppress
from newsletter.lib import db
from newsletter.lib.provider_interface import Kind
from newsletter.models import Delivery, Event, Occasion, SoftBounce

#: Soft bounces in a row, each of another mail, that suppress an address.
IN_A_ROW: Final = 5
#: How long one counts: five weekly mails, and a good margin.
KEPT: Final = timedelta(days=60)


@dataclass(frozen=True)
class Given:
    """One mail that was given up (or that arrived), of whom and when."""

    delivery_id: int
    subscriber_id: int
    at: datetime


def given_up(mails: Sequence[Given], *, provider: str, now: datetime) -> int:
    """Count these soft bounces; returns how many addresses are suppressed by them. In the caller's transaction."""
    people = sorted({mail.subscriber_id for mail in mails})
    for mail in sorted(mails, key=lambda one: one.delivery_id):
        db.execute(
            "INSERT INTO soft_bounce (delivery_id, subscriber_id, at) VALUES (%(mail)s, %(who)s, %(at)s) ON CONFLICT "
            "(delivery_id) DO UPDATE SET at=excluded.at WHERE excluded.at>soft_bounce.at",
            {"mail": mail.delivery_id, "who": mail.subscriber_id, "at": mail.at},
        )
    _forget(_last_good(people, now))
    return suppress(_causes(people, provider))


def arrived(mails: Sequence[Given], *, provider: str) -> int:
    """These mails arrived: what was given up before counts no more; returns how many suppressions end by it."""
    latest: dict[int, datetime] = {}
    for mail in mails:
        latest[mail.subscriber_id] = max(mail.at, latest.get(mail.subscriber_id, mail.at))
    known = SoftBounce.objects.filter(subscriber_id__in=list(latest)).values_list("subscriber_id", flat=True)
    people = sorted(set(known))
    if not people:
        return 0
    _forget({person: latest[person] for person in people})
    return forgive(people) - suppress(_causes(people, provider))


def _causes(people: Iterable[int], provider: str) -> list[Cause]:
    """Those with so many in a row, since the one that was too many."""
    found: dict[int, datetime] = {}
    counted: dict[int, int] = {}
    rows = SoftBounce.objects.filter(subscriber_id__in=list(people)).order_by("at", "delivery_id")
    for subscriber_id, at in rows.values_list("subscriber_id", "at"):
        counted[subscriber_id] = counted.get(subscriber_id, 0) + 1
        if counted[subscriber_id] == IN_A_ROW:
            found[subscriber_id] = at
    return [Cause(subscriber_id, Reason.SOFT, at, provider) for subscriber_id, at in found.items()]


def _last_good(people: Sequence[int], now: datetime) -> dict[int, datetime]:
    """When mail last reached each of these people, as an arrived mail or a consent shows."""
    good = consents(people)
    # by occasion, because a person's deliveries have no index of their own
    recent = Occasion.objects.filter(created_at__gt=now - KEPT)
    mails = dict(Delivery.objects.filter(occasion__in=recent, subscriber__in=people).values_list("id", "subscriber_id"))
    told = Event.objects.filter(delivery_id__in=list(mails), kind=Kind.DELIVERED)
    for delivery_id, at in told.values_list("delivery_id", "at"):
        good[mails[delivery_id]] = max(at, good.get(mails[delivery_id], at))
    return good


def _forget(good: Mapping[int, datetime]) -> None:
    for subscriber_id, at in good.items():
        SoftBounce.objects.filter(subscriber_id=subscriber_id, at__lte=at).delete()


def prune(now: datetime) -> int:
    """Delete what counts no longer; returns rows."""
    return SoftBounce.objects.filter(at__lt=now - KEPT).delete()[0]
