"""The retention rules of people: what is kept, for how long, and why; with the deletion of all but the people themselves."""

from datetime import datetime, timedelta
from typing import Final

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
from newsletter.subscribers import prune_people
from newsletter.subscribers.form_requests import queue
from newsletter.subscribers.limits import mailbox_limit, network_limit
from newsletter.subscribers.notices import VALID
from newsletter.subscribers.unsubscribe import UNDO

#: How long a notice counts as sent.
COUNTED: Final = timedelta(days=30)
#: Reports of bounces from before a suppression was lifted come no later than soft bounces count.
LIFTED: Final = timedelta(days=60)
_ANSWERED = """
UPDATE notice SET choices_cipher=NULL, key_id=NULL WHERE id IN (
  SELECT id FROM notice WHERE used_at IS NOT NULL AND choices_cipher IS NOT NULL LIMIT 5000)"""


def prune_subscriptions(now: datetime, going_on: GoingOn) -> dict[str, int]:
    """Delete subscriptions that ended too long ago to be restored."""
    return {"subscription": InPieces(going_on).older("subscription", "id", "ended_at", now - UNDO)}


def prune_choices(_now: datetime, going_on: GoingOn) -> dict[str, int]:
    """Delete the choices of answered notices, where answering did not."""
    while going_on() and db.execute(_ANSWERED):
        pass
    return {}


def prune_notices(now: datetime, going_on: GoingOn) -> dict[str, int]:
    """Delete notices that no longer count."""
    return {"notice": InPieces(going_on).oldest("notice", "created_at", now - COUNTED)}


def prune_suppressions(now: datetime, going_on: GoingOn) -> dict[str, int]:
    """Delete suppressions that were lifted long ago."""
    return {"suppression": InPieces(going_on).older("suppression", "address_index", "lifted_at", now - LIFTED)}


def prune_requests(now: datetime, _going_on: GoingOn) -> dict[str, int]:
    """Delete requests of public forms that no worker has decided; usually there are none."""
    return {"sign_up_request": queue.prune(now)}


def prune_limits(now: datetime, _going_on: GoingOn) -> dict[str, int]:
    """Delete counts of mailboxes and networks that have expired."""
    return {"mailbox_limit": mailbox_limit.prune(now), "network_count": network_limit.prune(now)}


RULES = (
    Rule(
        "address of somebody who was asked and did not confirm",
        "AES-256-GCM; found by a keyed hash",
        f"until the link in the last question has expired, {days(VALID[Notice.Kind.CONFIRM])} after it was sent",
        "nothing but the question is mailed to it",
        (Table(Subscriber, prune_people.never_confirmed),),
        prune_people.prune_pending,
    ),
    Rule(
        "address",
        "AES-256-GCM; found by a keyed hash",
        f"until erased; of somebody who left, {days(UNDO)}",
        "to mail it; so that leaving can be taken back",
        (Table(Subscriber, prune_people.left_too_long),),
        prune_people.prune_left,
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
