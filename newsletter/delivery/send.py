"""One planned batch in, its outcome written: claim, barrier, hand over, settle, never a transaction across the network."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

import structlog
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction

from newsletter.delivery import barrier, gate, settle
from newsletter.delivery.barrier import Claim, Recipient
from newsletter.delivery.parcels import Letters, parcels
from newsletter.delivery.settle import LeaseLost
from newsletter.handover import Accepted, Deferred, Outcome, Provider, Unknown
from newsletter.models import EditionBody
from newsletter.vault import KeysDoNotFit, Vault

log = structlog.get_logger()
T = TypeVar("T")

#: Seconds for which an outcome's write is repeated: below the tasks' time limit, far below the lease.
WRITE_FOR = 60


@dataclass(frozen=True)
class Sender:
    """What sending needs besides the rows: the carrier, the keys, and the two names in links and Message-IDs."""

    provider: Provider
    vault: Vault
    base_url: str
    domain: str


@dataclass(frozen=True)
class Sent:
    """What became of one batch, in numbers of recipients."""

    batch_id: int
    accepted: int = 0
    deferred: int = 0
    refused: int = 0
    unknown: int = 0


def send_next(sender: Sender, *, clock: Callable[[], datetime]) -> Sent | None:
    """Take and send the next batch that is due; None when there is none, or sending is paused.

    `clock` is the database's: leases are compared with it.
    """
    held = barrier.claim(now=clock(), provider=sender.provider.number)
    if held is None:
        return None
    try:
        recipients = barrier.begin(
            held, now=clock(), provider=sender.provider.number, window=sender.provider.window, vault=sender.vault
        )
    except IntegrityError:
        barrier.park(held, "an earlier hand-over was never disproved")
        return Sent(held.batch_id)
    except KeysDoNotFit:
        barrier.park(held, "an address in it does not open with the keys at hand")
        return Sent(held.batch_id)
    if recipients is None:
        barrier.give_back(held)
        return None
    try:
        return _hand_over(sender, held, recipients, clock)
    except LeaseLost:
        log.error("lease_lost", batch_id=held.batch_id)
        return Sent(held.batch_id)


def _hand_over(sender: Sender, held: Claim, recipients: list[Recipient], clock: Callable[[], datetime]) -> Sent:
    letters = Letters(sender.vault)
    told: list[Outcome] = []
    while recipients:
        outcomes = _outcomes(sender, recipients, letters)
        told.extend(outcomes.values())
        if _nothing_taken(outcomes, told):
            _durably(partial(_put_off, held, outcomes, clock))
            return _count(held, told)
        recipients = _durably(partial(_settle, sender, held, outcomes, clock))
    if sender.provider.window is not None or not told:
        _durably(partial(_finish, held, clock))
    return _count(held, told)


def _durably(write: Callable[[], T]) -> T:
    """Repeat a write that the database could not take: what the provider answered must not be forgotten for a restart."""
    deadline = time.monotonic() + WRITE_FOR
    while True:
        try:
            with transaction.atomic():
                return write()
        except (OperationalError, InterfaceError):
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


def _finish(held: Claim, clock: Callable[[], datetime]) -> None:
    settle.finish_windows(held, now=clock())


def _outcomes(sender: Sender, recipients: list[Recipient], letters: Letters) -> Mapping[int, Outcome]:
    """Ask the provider; what stops us before its first byte is proof that nothing was taken."""
    try:
        ready = parcels(recipients, letters=letters, vault=sender.vault, base_url=sender.base_url, domain=sender.domain)
    except (EditionBody.DoesNotExist, KeysDoNotFit):
        return {one.delivery_id: Deferred("its wording is gone, or does not open") for one in recipients}
    outcomes = sender.provider.hand_over(ready)
    missing = Unknown("the provider's answer is missing")
    return {one.delivery_id: outcomes.get(one.delivery_id, missing) for one in recipients}


def _nothing_taken(outcomes: Mapping[int, Outcome], told: list[Outcome]) -> bool:
    """The first window, and all of it put off: the batch as it is can wait, nobody needs a new one."""
    return len(told) == len(outcomes) and all(isinstance(outcome, Deferred) for outcome in told)


def _put_off(held: Claim, outcomes: Mapping[int, Outcome], clock: Callable[[], datetime]) -> None:
    deferred = next(outcome for outcome in outcomes.values() if isinstance(outcome, Deferred))
    now = clock()
    settle.put_off(held, deferred, now=now)
    if deferred.pause:
        gate.pause(gate.paused_words(deferred.reason, now), only_if_open=True)
    log.warning("put_off", batch_id=held.batch_id, reason=deferred.reason, paused=deferred.pause)


def _settle(
    sender: Sender, held: Claim, outcomes: Mapping[int, Outcome], clock: Callable[[], datetime]
) -> list[Recipient]:
    """Write a window's outcomes and open the next one, in one commit; the whole batch's where it was one request."""
    now = clock()
    for outcome in outcomes.values():
        if isinstance(outcome, Deferred) and outcome.pause:
            gate.pause(gate.paused_words(outcome.reason, now), only_if_open=True)
    if sender.provider.window is None:
        settle.settle_whole(held, next(iter(outcomes.values())), now=now)
        return []
    settle.settle_window(held, outcomes, now=now)
    return barrier.open_window(held, after=max(outcomes), now=now, window=sender.provider.window, vault=sender.vault)


def _count(held: Claim, told: list[Outcome]) -> Sent:
    accepted = sum(isinstance(outcome, Accepted) for outcome in told)
    deferred = sum(isinstance(outcome, Deferred) for outcome in told)
    unknown = sum(isinstance(outcome, Unknown) for outcome in told)
    sent = Sent(held.batch_id, accepted, deferred, len(told) - accepted - deferred - unknown, unknown)
    log.info(
        "handed_over",
        batch_id=held.batch_id,
        accepted=accepted,
        deferred=deferred,
        refused=sent.refused,
        unknown=unknown,
    )
    return sent
