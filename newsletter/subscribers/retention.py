"""The retention rules of people: what is kept, for how long, and why; with the deletion of all but the people themselves."""

from datetime import datetime, timedelta
from typing import Final

from newsletter.lib import db
from newsletter.lib.progress import ShouldContinue
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


def prune_subscriptions(now: datetime, should_continue: ShouldContinue) -> dict[str, int]:
    """Delete subscriptions that ended too long ago to be restored."""
    return {"subscription": InPieces(should_continue).older("subscription", "id", "ended_at", now - UNDO)}


def prune_choices(_now: datetime, should_continue: ShouldContinue) -> dict[str, int]:
    """Delete the choices of answered notices, where answering did not."""
    while should_continue() and db.execute(_ANSWERED):
        pass
    return {}


def prune_notices(now: datetime, should_continue: ShouldContinue) -> dict[str, int]:
    """Delete notices that no longer count."""
    return {"notice": InPieces(should_continue).oldest("notice", "created_at", now - COUNTED)}


def prune_suppressions(now: datetime, should_continue: ShouldContinue) -> dict[str, int]:
    """Delete suppressions that were lifted long ago."""
    return {"suppression": InPieces(should_continue).older("suppression", "address_index", "lifted_at", now - LIFTED)}


def prune_requests(now: datetime, _should_continue: ShouldContinue) -> dict[str, int]:
    """Delete requests of public forms that no worker has decided; usually there are none."""
    return {"sign_up_request": queue.prune(now)}


def prune_limits(now: datetime, _should_continue: ShouldContinue) -> dict[str, int]:
    """Delete counts of mailboxes and networks that have expired."""
    return {"mailbox_limit": mailbox_limit.prune(now), "network_count": network_limit.prune(now)}


RULES = (
    Rule(
        "address of somebody who has not confirmed",
        "AES-256-GCM; found by a keyed hash",
        f"until the link in the last confirmation mail expires, {days(VALID[Notice.Kind.CONFIRM])} after it was sent",
        "to ask for confirmation; nothing else is mailed to it",
        (Table(Subscriber, prune_people.never_confirmed),),
        prune_people.prune_pending,
    ),
    Rule(
        "address of a subscriber",
        "AES-256-GCM; found by a keyed hash",
        f"until erased, or {days(UNDO)} after unsubscribing from everything",
        "to mail it, and so that unsubscribing can be undone",
        (Table(Subscriber, prune_people.left_too_long),),
        prune_people.prune_left,
    ),
    Rule(
        "subscriptions",
        "unencrypted, by number",
        f"while followed, and {days(UNDO)} after the end",
        "to know what to mail, and so that unsubscribing can be undone",
        (Table(Subscription, lambda now: Subscription.objects.filter(ended_at__lt=now - UNDO)),),
        prune_subscriptions,
    ),
    Rule(
        "that somebody unsubscribed from everything",
        "a keyed hash of the address, and the day",
        "until they confirm again",
        "so that no import brings them back",
    ),
    Rule(
        "that somebody was erased",
        "a keyed hash of the address, and the day",
        "for good; nothing of somebody who wants to be able to return",
        "so that the address is never mailed again",
    ),
    Rule(
        "suppressions",
        "a keyed hash of the address, the reason and the date",
        f"until lifted, and {days(LIFTED)} after that",
        "so that late reports from before do not count again",
        (Table(Suppression, lambda now: Suppression.objects.filter(lifted_at__lt=now - LIFTED)),),
        prune_suppressions,
    ),
    Rule(
        "choices that are not confirmed yet",
        "AES-256-GCM, with the notice",
        f"until confirmed; otherwise as long as the notice, and usable for {days(VALID[Notice.Kind.CONFIRM])}",
        "so that nothing is followed before it is confirmed",
        (Table(Notice, lambda now: Notice.objects.filter(used_at__lt=now, choices_cipher__isnull=False)),),
        prune_choices,
    ),
    Rule(
        "when a notice was sent and answered",
        "by number",
        f"{days(COUNTED)}; of somebody who did not confirm, as long as the address",
        "to limit how many an address gets",
        (Table(Notice, lambda now: Notice.objects.filter(created_at__lt=now - COUNTED)),),
        prune_notices,
    ),
    Rule(
        "what somebody entered into a public form",
        "address and choices, AES-256-GCM",
        "until a worker has decided, usually a second; at most "
        f"{days(queue.KEPT)}, if the limit of the mailbox makes it wait",
        "so that the answer to the form does not depend on the address",
        (Table(SignUpRequest, queue.expired),),
        prune_requests,
    ),
    Rule(
        "how often a mailbox was mailed without an answer",
        "a keyed hash of the address without its plus tag, a number, and the day of the last mail",
        f"until somebody answers, at most {days(mailbox_limit.KEPT)}",
        "so that strangers cannot fill a mailbox",
        (Table(MailboxLimit, mailbox_limit.expired),),
        prune_limits,
    ),
    Rule(
        "how many requests a network made",
        "a keyed hash of its /24 or /48 with the clock hour, and a number; not linked to any address, request or time",
        "until the hour is over",
        "so that one network cannot block the forms",
        (Table(NetworkCount, network_limit.expired),),
        prune_limits,
    ),
    Rule(
        "consent",
        "by number: what somebody agreed to, in which words, and when",
        "as long as the address",
        "proof that somebody asked for the mail",
        (Table(Consent),),
    ),
    Rule(
        "language, format, hour, time zone and weekday of mails",
        "one row for everybody who chose the same",
        "for good",
        "to write and send mails; it says nothing about a person",
        (Table(Look), Table(Rhythm)),
    ),
)
