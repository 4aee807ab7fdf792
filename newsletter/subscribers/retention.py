"""What is kept of people, for how long, and its deletion: people who left or never confirmed, notices, ended subscriptions."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.lib import db
from newsletter.lib.progress import GoingOn
from newsletter.lib.pruning import InPieces, Rule, Table, days
from newsletter.models import (
    Consent,
    Look,
    MailboxLimit,
    NetworkCount,
    Notice,
    Rhythm,
    SignUpRequest,
    Subscriber,
    Subscription,
    Suppression,
)
from newsletter.subscribers.form_requests import queue
from newsletter.subscribers.limits import mailbox_limit, network_limit
from newsletter.subscribers.notices import VALID
from newsletter.subscribers.unsubscribe import UNDO

#: How long it counts that a notice was sent.
COUNTED: Final = timedelta(days=30)
#: Reports of bounces from before a suppression was lifted come no later than soft bounces count.
LIFTED: Final = timedelta(days=60)
#: People in one transaction.
_PEOPLE: Final = 200
_SHORTEST: Final = min(VALID.values())


def prune_subscriptions(now: datetime, going_on: GoingOn) -> dict[str, int]:
    """Delete subscriptions that ended too long ago to be taken up again."""
    return {"subscription": InPieces(going_on).older("subscription", "id", "ended_at", now - UNDO)}


def prune_choices(_now: datetime, going_on: GoingOn) -> dict[str, int]:
    """Delete the choices of notices that were answered, where the answer left them."""
    while going_on() and db.execute(_ANSWERED):
        pass
    return {}


def prune_notices(now: datetime, going_on: GoingOn) -> dict[str, int]:
    """Delete notices that count no longer."""
    return {"notice": InPieces(going_on).oldest("notice", "created_at", now - COUNTED)}


def prune_suppressions(now: datetime, going_on: GoingOn) -> dict[str, int]:
    """Delete suppressions that were lifted long ago."""
    return {"suppression": InPieces(going_on).older("suppression", "address_index", "lifted_at", now - LIFTED)}


# Whoever holds a person or a topic waits for nobody here: it is looked at again an hour later.
_PAGE = """
SELECT id, created_at FROM subscriber WHERE state='pending' AND created_at<%(before)s AND (created_at, id)>(%(at)s, %(id)s)
ORDER BY created_at, id LIMIT %(piece)s"""
_ANSWERED = """
UPDATE notice SET choices_cipher=NULL, key_id=NULL WHERE id IN (
  SELECT id FROM notice WHERE used_at IS NOT NULL AND choices_cipher IS NOT NULL LIMIT 5000)"""
_ENDED = f"""
SELECT id FROM subscriber WHERE state='left' AND left_at<%(before)s ORDER BY left_at LIMIT {_PEOPLE} {{lock}}"""
# Of those who left before this was written down.
_WHEN = f"""
UPDATE subscriber SET left_at=coalesce(
  (SELECT max(s.ended_at) FROM subscription s WHERE s.subscriber_id=subscriber.id), %(now)s)
WHERE id IN (SELECT id FROM subscriber WHERE state='left' AND left_at IS NULL ORDER BY left_at LIMIT {_PEOPLE})"""
_REMAINS = f"""
INSERT INTO suppression (address_index, reason, sticky, since, provider, lifted_at)
SELECT address_index, '{Suppression.Reason.LEFT}', false, left_at, '', NULL FROM subscriber WHERE {{among}}
ON CONFLICT (address_index) DO UPDATE SET reason=excluded.reason, sticky=excluded.sticky, since=excluded.since,
  provider=excluded.provider, lifted_at=NULL
WHERE suppression.lifted_at IS NOT NULL OR suppression.reason IN ('{Suppression.Reason.SOFT}', '{Suppression.Reason.BOUNCE}')"""


def prune_left(now: datetime, going_on: GoingOn) -> dict[str, int]:
    """Delete people who left, when it cannot be taken back any more; a keyed hash stays, so that no import revives them."""
    while going_on() and db.execute(_WHEN, {"now": now}):
        pass
    gone = 0
    while going_on():
        with transaction.atomic():
            found = db.rows(_ENDED.format(lock=db.skip_locked()), {"before": now - UNDO})
            ids = [number for (number,) in found]
            db.execute(_REMAINS.format(among=db.in_list("id", "ids")), {"ids": ids})
            gone += _delete(ids)
        if not ids:
            break
    return {"subscriber": gone}


def prune_pending(now: datetime, going_on: GoingOn) -> dict[str, int]:
    """Delete people who did not confirm, with their notices, when the last of these has expired.

    Who had left before is somebody who left again: a stranger's sign-up must not wash that away.
    """
    gone = 0
    last = {"at": datetime.min.replace(tzinfo=now.tzinfo), "id": 0}
    while going_on():
        page = db.rows(_PAGE, {"before": now - _SHORTEST, "piece": _PEOPLE, **last})
        if not page:
            break
        last = {"at": page[-1][1], "id": page[-1][0]}
        with transaction.atomic():
            gone += _expired([number for number, _ in page], now)
    return {"subscriber": gone}


def _expired(ids: Sequence[int], now: datetime) -> int:
    held = Subscriber.objects.select_for_update(skip_locked=db.is_postgres())
    people = list(held.filter(id__in=ids, state=Subscriber.State.PENDING).values_list("id", "left_at", "confirmed_at"))
    # asked after they are held: a notice that was written meanwhile is seen
    asked = Notice.objects.filter(subscriber_id__in=[person[0] for person in people], expires_at__gt=now)
    waiting = set(asked.values_list("subscriber_id", flat=True))
    over = [person for person in people if person[0] not in waiting]
    back = [number for number, left_at, confirmed_at in over if left_at or confirmed_at]
    Subscriber.objects.filter(id__in=back).update(state=Subscriber.State.LEFT)
    return _delete([number for number, left_at, confirmed_at in over if not (left_at or confirmed_at)])


def prune_requests(now: datetime, _going_on: GoingOn) -> dict[str, int]:
    """Delete what public forms stored and no worker took; mostly nothing."""
    return {"sign_up_request": queue.prune(now)}


def prune_limits(now: datetime, _going_on: GoingOn) -> dict[str, int]:
    """Delete counts of mailboxes and networks that limit nothing any more."""
    return {"mailbox_limit": mailbox_limit.prune(now), "network_count": network_limit.prune(now)}


def _delete(ids: Sequence[int]) -> int:
    """Delete these people with all that belongs to them; their deliveries keep a number that leads to nobody."""
    return Subscriber.objects.filter(id__in=ids).delete()[1].get("newsletter.Subscriber", 0)


def _unanswered(now: datetime) -> QuerySet[Subscriber]:
    waiting = Notice.objects.filter(subscriber=OuterRef("id"), expires_at__gt=now)
    return Subscriber.objects.filter(~Exists(waiting), state=Subscriber.State.PENDING, created_at__lt=now - _SHORTEST)


def _left(now: datetime) -> QuerySet[Subscriber]:
    return Subscriber.objects.filter(Q(left_at__lt=now - UNDO) | Q(left_at=None), state=Subscriber.State.LEFT)


RULES = (
    Rule(
        "address of somebody who was asked and did not confirm",
        "AES-256-GCM; found by a keyed hash",
        f"until the link in the last question has expired, {days(VALID[Notice.Kind.CONFIRM])} after it was sent",
        "nothing but the question is mailed to it",
        (Table(Subscriber, _unanswered),),
        prune_pending,
    ),
    Rule(
        "address",
        "AES-256-GCM; found by a keyed hash",
        f"until erased; of somebody who left, {days(UNDO)}",
        "to mail it; so that leaving can be taken back",
        (Table(Subscriber, _left),),
        prune_left,
    ),
    Rule(
        "subscriptions",
        "in clear, by number",
        f"while followed; ended ones {days(UNDO)}",
        "so that an end can be taken back",
        (Table(Subscription, lambda now: Subscription.objects.filter(ended_at__lt=now - UNDO)),),
        prune_subscriptions,
    ),
    Rule(
        "after leaving",
        "a keyed hash of the address, the day",
        "until they confirm again",
        "so that no import revives them",
    ),
    Rule(
        "after erasure",
        "a keyed hash of the address, the day",
        "for good",
        "so that it is never mailed again",
    ),
    Rule(
        "suppressions",
        "a keyed hash of the address, reason, since",
        f"until lifted, and {days(LIFTED)} more",
        "late reports from before must not count again",
        (Table(Suppression, lambda now: Suppression.objects.filter(lifted_at__lt=now - LIFTED)),),
        prune_suppressions,
    ),
    Rule(
        "choices before confirmation",
        "AES-256-GCM, in the notice",
        f"until confirmed; else usable for {days(VALID[Notice.Kind.CONFIRM])}, and with the notice",
        "nothing is followed before it is confirmed",
        (Table(Notice, lambda now: Notice.objects.filter(used_at__lt=now, choices_cipher__isnull=False)),),
        prune_choices,
    ),
    Rule(
        "that a notice was written, and when it was answered",
        "by number",
        f"{days(COUNTED)}; of somebody who did not confirm, with their address",
        "only so many are sent to one address",
        (Table(Notice, lambda now: Notice.objects.filter(created_at__lt=now - COUNTED)),),
        prune_notices,
    ),
    Rule(
        "what somebody typed into a public form",
        "address and choices, AES-256-GCM",
        "until a worker has decided, mostly a second; while the limit of the mailbox makes it wait, "
        f"{days(queue.KEPT)} at most",
        "the answer to the form must not depend on the address",
        (Table(SignUpRequest, queue.expired),),
        prune_requests,
    ),
    Rule(
        "how often a mailbox was asked",
        "a keyed hash of the address without plus-tag, a number, the day of the last mail",
        f"until somebody answers, or {days(mailbox_limit.KEPT)}",
        "strangers must not fill a mailbox with questions",
        (Table(MailboxLimit, mailbox_limit.expired),),
        prune_limits,
    ),
    Rule(
        "how often a network asked",
        "a keyed hash of its /24 or /48 with the clock hour, and a number; beside no address, request or moment",
        "until the hour is over",
        "one network must not use the forms up",
        (Table(NetworkCount, network_limit.expired),),
        prune_limits,
    ),
    Rule(
        "consent",
        "what was agreed to, in which wording, when; by number",
        "with the address",
        "proof that the mail was asked for",
        (Table(Consent),),
    ),
    Rule(
        "how mail comes: language, format, hour, zone, weekday",
        "one row for all who chose the same",
        "for good",
        "it says nothing of a person",
        (Table(Look), Table(Rhythm)),
    ),
)
