"""One planned batch in, its outcome written: claim, barrier, hand over, settle, never a transaction across the network."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import structlog
from django.db import IntegrityError, InterfaceError, InternalError, OperationalError, connection, transaction

from newsletter.delivery.gates import circuit_breaker, provider_gate, sending_gate
from newsletter.delivery.sending import outcomes as sending_outcomes
from newsletter.delivery.sending.claim import ClaimedBatch, claim_batch, park_batch, release_claim, should_yield
from newsletter.delivery.sending.messages import Letters, make_parcels
from newsletter.delivery.sending.outcomes import LeaseLost
from newsletter.delivery.sending.pacing import Pacing
from newsletter.delivery.sending.recipients import (
    NOT_OPENED,
    Recipient,
    attempt_lease,
    next_window_query,
    open_addresses,
    start_attempt,
)
from newsletter.lib import db
from newsletter.lib.crypto import KeysDoNotFit, Vault
from newsletter.lib.progress import GoingOn, never_stop
from newsletter.lib.provider_interface import Accepted, Deferred, Outcome, Provider, Rejected, Unknown
from newsletter.lib.window_record import Slot
from newsletter.models import EditionBody, Lane, NotBegun

log = structlog.get_logger()
T = TypeVar("T")

#: Seconds for which an outcome's write is repeated: below the tasks' time limit, far below the lease.
WRITE_FOR = 60
#: Why a hand-over was not begun, in words.
_NOT_BEGUN = {
    NotBegun.WORDING: "its wording is gone, or does not open",
    NotBegun.DATABASE: "not begun: the database did not answer",
    NotBegun.HELD_UP: "not begun: the worker was held up",
}
#: How a database says that it is away, or (`InternalError`) that it may only be read, since another one took its place.
_AWAY = (OperationalError, InterfaceError, InternalError)


@dataclass(frozen=True)
class Sender:
    """What sending needs besides the rows: the carrier, the keys, and the two names in links and Message-IDs.

    `pacing` None: as much as the provider takes, as fast as it does.
    """

    provider: Provider
    vault: Vault
    base_url: str
    domain: str
    pacing: Pacing | None = None
    #: The process that sends, where it has a heartbeat.
    worker: UUID | None = None
    #: Where it is written down how far a window got, if anywhere.
    record: Slot | None = None


@dataclass(frozen=True)
class Sent:
    """What became of one batch, in numbers of recipients."""

    batch_id: int
    accepted: int = 0
    deferred: int = 0
    refused: int = 0
    unknown: int = 0


def send_next(sender: Sender, *, clock: Callable[[], datetime], going_on: GoingOn = never_stop) -> Sent | None:
    """Take and send the next batch that is due; None when there is none, sending is paused, or `going_on` says no.

    `clock` is the database's: leases are compared with it. `going_on` is also asked before each further window: a worker that
    is to stop finishes what has left, and plans the rest anew.
    """
    held = _claim(sender, clock, going_on)
    if held is None:
        return None
    awake = time.monotonic()
    try:
        recipients = _durably(partial(_begin, sender, held, clock), atomic=False)
    except IntegrityError:
        park_batch(held, "an earlier hand-over was never disproved")
        return Sent(held.batch_id)
    except KeysDoNotFit:
        park_batch(held, NOT_OPENED)
        return Sent(held.batch_id)
    if recipients is None:
        release_claim(held)
        return None
    try:
        return _Hand(sender, held, clock, going_on).over(recipients, awake)
    except LeaseLost:
        log.error("lease_lost", batch_id=held.batch_id)
        return Sent(held.batch_id)


def _claim(sender: Sender, clock: Callable[[], datetime], going_on: GoingOn) -> ClaimedBatch | None:
    """The next batch that is due and may go, or the part of it that may."""
    pacing = sender.pacing
    while going_on() and (lanes := pacing.lanes(now=clock()) if pacing else tuple(Lane)):
        held = claim_batch(now=clock(), provider=sender.provider.number, lanes=lanes, worker=sender.worker)
        if held is None:
            return None
        if held.probe:
            sending_outcomes.keep_probe_mail(held, now=clock())
        admitted = pacing.admit(held, now=clock(), vault=sender.vault) if pacing else held
        if admitted is not None:
            return admitted
    return None


def _begin(sender: Sender, held: ClaimedBatch, clock: Callable[[], datetime]) -> list[Recipient] | None:
    carrier = sender.provider
    return start_attempt(held, now=clock(), provider=carrier.number, window=carrier.window, vault=sender.vault)


@dataclass(frozen=True)
class _Hand:
    """The hand-over of one batch."""

    sender: Sender
    held: ClaimedBatch
    clock: Callable[[], datetime]
    going_on: GoingOn

    def over(self, recipients: list[Recipient], awake: float) -> Sent:
        """Hand over a window after the other; `awake` is this machine's monotonic time just before the first was opened."""
        letters = Letters(self.sender.vault, second=self.held.again)
        told: list[Outcome] = []
        while recipients:
            outcomes = self._asleep(recipients, awake) or _outcomes(self.sender, self.held, recipients, letters)
            told.extend(outcomes.values())
            if _nothing_taken(outcomes, told):
                _durably(partial(_put_off, self.sender.provider.number, self.held, outcomes, self.clock))
                return _count(self.held, told)
            awake = time.monotonic()
            recipients = self._settled(outcomes)
        if not told:
            _durably(partial(sending_outcomes.finish_windows, self.held, now=self.clock()))
        return _count(self.held, told)

    def _asleep(self, recipients: list[Recipient], awake: float) -> Mapping[int, Outcome] | None:
        """Stopped between the barrier and the first byte for so long that the lease may be over: then nothing leaves."""
        half = attempt_lease(self.sender.provider.window) / 2
        if awake + half.total_seconds() > time.monotonic():
            return None
        return _not_begun(recipients, NotBegun.HELD_UP)

    def _settled(self, outcomes: Mapping[int, Outcome]) -> list[Recipient]:
        """Write the outcomes; returns the next window. What nearly always comes, a request accepted, takes one journey."""
        if self.sender.provider.window is not None:
            return _durably(partial(self._settle_window, outcomes))
        outcome = next(iter(outcomes.values()))
        plainly = isinstance(outcome, Accepted) and not self.held.doubted
        _durably(partial(self._settle_whole, outcome, plainly), atomic=not plainly)
        return []

    def _settle_whole(self, outcome: Outcome, plainly: bool) -> None:
        now, number = self.clock(), self.sender.provider.number
        if not plainly:
            _pause_if_told(number, [outcome], now)
            circuit_breaker.record_answers(number, [outcome], now=now)
        sending_outcomes.record_outcome(self.held, outcome, now=now)

    def _settle_window(self, outcomes: Mapping[int, Outcome]) -> list[Recipient]:
        """Write a window's outcomes and open the next one, or close the batch, in one commit."""
        now, provider, last = self.clock(), self.sender.provider, max(outcomes)
        ahead = next_window_query(self.held, after=last, now=now, window=provider.window)
        taken = all(isinstance(outcome, Accepted) for outcome in outcomes.values())
        if taken:
            may_send, doubted, found = sending_outcomes.accept_window(
                self.held, last, provider=provider.number, ahead=ahead
            )
        else:
            sending_outcomes.record_window(self.held, outcomes, now=now)
            _pause_if_told(provider.number, outcomes.values(), now)
            may_send, doubted, found = provider_gate.may_send(provider.number), True, db.rows(*ahead, prepared=True)
        left_alone = doubted and circuit_breaker.record_answers(provider.number, outcomes.values(), now=now)
        if found and (why := self._stops(left_alone, may_send, now)):
            sending_outcomes.requeue_rest(self.held, after=last, now=now, why=why)
            found = []
        following = self._opened(found, last, now)
        if not following:
            sending_outcomes.finish_windows(self.held, now=now, taken=taken)
        return following

    def _opened(self, found: Sequence[tuple[Any, ...]], last: int, now: datetime) -> list[Recipient]:
        try:
            window = self.sender.provider.window
            return open_addresses(self.held, found, now=now, window=window, vault=self.sender.vault)
        except KeysDoNotFit:  # what was answered is written all the same; the rest is parked when it is claimed
            sending_outcomes.requeue_rest(self.held, after=last, now=now, why="an address does not open")
            return []

    def _stops(self, left_alone: bool, may_send: bool, now: datetime) -> str | None:
        """Why no further window is opened."""
        if left_alone:
            return "the provider leaves us in doubt"
        if not may_send:
            return "sending was paused"
        if not self.going_on():
            return "the worker's time is up"
        urgent = should_yield(self.held, now=now, provider=self.sender.provider.number)
        return "more urgent mail came" if urgent else None


def _durably(write: Callable[[], T], *, atomic: bool = True) -> T:
    """Repeat a write that the database could not take: what the provider answered must not be forgotten for a restart.

    `atomic` False: it is a transaction by itself, and within another one would cost two journeys more.
    """
    deadline = time.monotonic() + WRITE_FOR
    while True:
        try:
            with transaction.atomic() if atomic else nullcontext():
                return write()
        except _AWAY:
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


def _outcomes(
    sender: Sender, held: ClaimedBatch, recipients: list[Recipient], letters: Letters
) -> Mapping[int, Outcome]:
    """Ask the provider; what stops us before its first byte is proof that nothing was taken."""
    try:
        ready = make_parcels(
            recipients, letters=letters, vault=sender.vault, base_url=sender.base_url, domain=sender.domain
        )
    except (EditionBody.DoesNotExist, KeysDoNotFit):
        return _not_begun(recipients, NotBegun.WORDING)
    except _AWAY:  # settling waits for the database to come back
        return _not_begun(recipients, NotBegun.DATABASE)
    if sender.record is not None and sender.provider.window is not None:
        sender.record.open(held.token, [one.delivery_id for one in recipients])
    outcomes = sender.provider.hand_over(ready)
    missing = Unknown("the provider's answer is missing")
    return {one.delivery_id: outcomes.get(one.delivery_id, missing) for one in recipients}


def _not_begun(recipients: Sequence[Recipient], why: NotBegun) -> Mapping[int, Outcome]:
    return {one.delivery_id: Deferred(_NOT_BEGUN[why], not_begun=why) for one in recipients}


def _nothing_taken(outcomes: Mapping[int, Outcome], told: list[Outcome]) -> bool:
    """The first window, and all of it put off: the batch as it is can wait, nobody needs a new one."""
    return len(told) == len(outcomes) and all(isinstance(outcome, Deferred) for outcome in told)


def _pause_if_told(number: int, outcomes: Iterable[Outcome], now: datetime) -> None:
    """A provider that refuses us altogether is given nothing more; the others go on."""
    refusal = next((one for one in outcomes if isinstance(one, Deferred) and one.pause), None)
    if refusal is not None:
        provider_gate.pause(number, sending_gate.refusal_words(refusal.reason, now), now=now)


def _put_off(number: int, held: ClaimedBatch, outcomes: Mapping[int, Outcome], clock: Callable[[], datetime]) -> None:
    deferred = next(outcome for outcome in outcomes.values() if isinstance(outcome, Deferred))
    now = clock()
    sending_outcomes.defer_batch(held, deferred, now=now)
    _pause_if_told(number, [deferred], now)
    log.warning("put_off", batch_id=held.batch_id, reason=deferred.reason, paused=deferred.pause)


def _count(held: ClaimedBatch, told: list[Outcome]) -> Sent:
    kinds = Counter(map(type, told))
    accepted, deferred, refused, unknown = (kinds[kind] for kind in (Accepted, Deferred, Rejected, Unknown))
    log.info(
        "handed_over", batch_id=held.batch_id, accepted=accepted, deferred=deferred, refused=refused, unknown=unknown
    )
    return Sent(held.batch_id, accepted, deferred, refused, unknown)
