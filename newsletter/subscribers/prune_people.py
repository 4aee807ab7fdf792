"""Delete people who left or never confirmed, once that can no longer be taken back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.lib import db
from newsletter.lib.progress import ShouldContinue
from newsletter.models import Notice, Subscriber, Suppression
from newsletter.subscribers.notices import VALID
from newsletter.subscribers.unsubscribe import UNDO

#: People in one transaction.
_PEOPLE: Final = 200
_SHORTEST: Final = min(VALID.values())

_PENDING_PAGE = """
SELECT id, created_at FROM subscriber WHERE state='pending' AND created_at<%(before)s AND (created_at, id)>(%(at)s, %(id)s)
ORDER BY created_at, id LIMIT %(piece)s"""
_LEFT_PAGE = f"""
SELECT id FROM subscriber WHERE state='left' AND left_at<%(before)s ORDER BY left_at LIMIT {_PEOPLE} {{lock}}"""
# For people who left before the column `left_at` existed.
_SET_LEFT_AT = f"""
UPDATE subscriber SET left_at=coalesce(
  (SELECT max(s.ended_at) FROM subscription s WHERE s.subscriber_id=subscriber.id), %(now)s)
WHERE id IN (SELECT id FROM subscriber WHERE state='left' AND left_at IS NULL ORDER BY left_at LIMIT {_PEOPLE})"""
_SUPPRESS_LEFT = f"""
INSERT INTO suppression (address_index, reason, sticky, since, provider, lifted_at)
SELECT address_index, '{Suppression.Reason.LEFT}', false, left_at, '', NULL FROM subscriber WHERE {{condition}}
ON CONFLICT (address_index) DO UPDATE SET reason=excluded.reason, sticky=excluded.sticky, since=excluded.since,
  provider=excluded.provider, lifted_at=NULL
WHERE suppression.lifted_at IS NOT NULL OR suppression.reason IN ('{Suppression.Reason.SOFT}', '{Suppression.Reason.BOUNCE}')"""


def left_too_long(now: datetime) -> QuerySet[Subscriber]:
    """People who left, and can no longer take it back."""
    return Subscriber.objects.filter(Q(left_at__lt=now - UNDO) | Q(left_at=None), state=Subscriber.State.LEFT)


def never_confirmed(now: datetime) -> QuerySet[Subscriber]:
    """People who did not confirm, and whose last notice has expired."""
    waiting = Notice.objects.filter(subscriber=OuterRef("id"), expires_at__gt=now)
    return Subscriber.objects.filter(~Exists(waiting), state=Subscriber.State.PENDING, created_at__lt=now - _SHORTEST)


def prune_left(now: datetime, should_continue: ShouldContinue) -> dict[str, int]:
    """Delete people who left too long ago. A keyed hash of the address stays, so that no import subscribes it again.

    Rows that others have locked are left for the next hour.
    """
    while should_continue() and db.execute(_SET_LEFT_AT, {"now": now}):
        pass
    deleted = 0
    while should_continue():
        with transaction.atomic():
            page = db.rows(_LEFT_PAGE.format(lock=db.skip_locked()), {"before": now - UNDO})
            ids = [subscriber_id for (subscriber_id,) in page]
            db.execute(_SUPPRESS_LEFT.format(condition=db.in_list("id", "ids")), {"ids": ids})
            deleted += _delete(ids)
        if not ids:
            break
    return {"subscriber": deleted}


def prune_pending(now: datetime, should_continue: ShouldContinue) -> dict[str, int]:
    """Delete people who did not confirm, with their notices, once the last of these has expired.

    Who had left before goes back to having left: a stranger's sign-up must not hide that.
    """
    deleted = 0
    last = {"at": datetime.min.replace(tzinfo=now.tzinfo), "id": 0}
    while should_continue():
        page = db.rows(_PENDING_PAGE, {"before": now - _SHORTEST, "piece": _PEOPLE, **last})
        if not page:
            break
        last = {"at": page[-1][1], "id": page[-1][0]}
        with transaction.atomic():
            deleted += _prune_pending_page([subscriber_id for subscriber_id, _ in page], now)
    return {"subscriber": deleted}


def _prune_pending_page(ids: Sequence[int], now: datetime) -> int:
    unlocked = Subscriber.objects.select_for_update(skip_locked=db.is_postgres())
    pending = unlocked.filter(id__in=ids, state=Subscriber.State.PENDING)
    people = list(pending.values_list("id", "left_at", "confirmed_at"))
    # read after the people are locked, so that a notice written meanwhile is seen
    notices = Notice.objects.filter(subscriber_id__in=[person[0] for person in people], expires_at__gt=now)
    waiting = set(notices.values_list("subscriber_id", flat=True))
    expired = [person for person in people if person[0] not in waiting]
    had_left = [subscriber_id for subscriber_id, left_at, confirmed_at in expired if left_at or confirmed_at]
    Subscriber.objects.filter(id__in=had_left).update(state=Subscriber.State.LEFT)
    return _delete([subscriber_id for subscriber_id, left_at, confirmed_at in expired if not (left_at or confirmed_at)])


def _delete(ids: Sequence[int]) -> int:
    """Delete these people with all that belongs to them. Their deliveries keep a number that leads to nobody."""
    return Subscriber.objects.filter(id__in=ids).delete()[1].get("newsletter.Subscriber", 0)
