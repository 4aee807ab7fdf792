"""Send one batch: claim it, start the attempt, hand it to the provider and record the outcome.

No transaction is open while the provider is talked to.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.db import IntegrityError

from newsletter.audit import actor
from newsletter.delivery.gates import circuit_breaker, provider_gate, sending_gate
from newsletter.delivery.sending import record_outcomes
from newsletter.delivery.sending.claim import ClaimedBatch, claim_batch, park_batch, release_claim, should_yield
from newsletter.delivery.sending.lane_order import LaneOrder
from newsletter.delivery.sending.messages import LetterCache, Letters, make_parcels
from newsletter.delivery.sending.pacing import Pacing
from newsletter.delivery.sending.recipients import (
    NOT_OPENED,
    Recipient,
    attempt_lease,
    next_window_query,
    open_addresses,
    start_attempt,
)
from newsletter.delivery.sending.record_outcomes import LeaseLost
from newsletter.delivery.sending.retry_writes import DATABASE_DOWN, retry_write
from newsletter.lib import db
from newsletter.lib.crypto import KeysDoNotFit, Vault
from newsletter.lib.mail.provider_interface import Accepted, Deferred, Outcome, Provider, Rejected, Unknown
from newsletter.lib.mail.window_record import Slot
from newsletter.lib.progress import ShouldContinue, never_stop
from newsletter.models import EditionBody, Lane, NotBegun

log = structlog.get_logger()

_REFUSED = actor.from_rule("refused by the provider")  #: Why a hand-over was not begun, for operators.
_NOT_BEGUN = {
    NotBegun.WORDING: "its wording is gone, or does not open",
    NotBegun.DATABASE: "not begun: the database did not answer",
    NotBegun.HELD_UP: "not begun: the worker was held up",
}


@dataclass(frozen=True)
class Sender:
    """What sending needs besides the rows. `base_url` stands in links, `domain` in Message-IDs."""

    provider: Provider
    vault: Vault
    base_url: str
    domain: str
    #: None where no setting limits the provider.
    pacing: Pacing | None = None
    #: The id of this process, if it has a heartbeat.
    worker: UUID | None = None
    #: Where the progress of a window is recorded, if anywhere.
    record: Slot | None = None
    #: Kept for the life of the process.
    lane_order: LaneOrder = field(default_factory=LaneOrder)
    letters: LetterCache = field(default_factory=LetterCache)


@dataclass(frozen=True)
class Sent:
    """What became of one batch, in numbers of mails."""

    batch_id: int
    accepted: int = 0
    deferred: int = 0
    refused: int = 0
    unknown: int = 0


def send_next(
    sender: Sender, *, clock: Callable[[], datetime], should_continue: ShouldContinue = never_stop
) -> Sent | None:
    """Claim and send the next batch that is due. Returns None if there is none, or sending is paused.

    `clock` is the database's, since leases are compared with it. `should_continue` is called before each window: a worker that is
    to stop finishes the windows it has handed over, and plans the rest again.
    """
    batch = _claim(sender, clock, should_continue)
    if batch is None:
        return None
    started = time.monotonic()
    try:
        recipients = retry_write(partial(_start_attempt, sender, batch, clock), atomic=False)
    except IntegrityError:
        park_batch(batch, "an earlier hand-over was never disproved")
        return Sent(batch.batch_id)
    except KeysDoNotFit:
        park_batch(batch, NOT_OPENED)
        return Sent(batch.batch_id)
    if recipients is None:
        release_claim(batch)
        return None
    try:
        return _HandOver(sender, batch, clock, should_continue).run(recipients, started)
    except LeaseLost:
        log.error("lease_lost", batch_id=batch.batch_id)
        return Sent(batch.batch_id)


def _claim(sender: Sender, clock: Callable[[], datetime], should_continue: ShouldContinue) -> ClaimedBatch | None:
    """Claim the next batch that is due, or split off the part of it that may go now."""
    pacing = sender.pacing
    while should_continue() and (lanes := pacing.lanes(now=clock()) if pacing else tuple(Lane)):
        batch = claim_batch(
            now=clock(),
            provider=sender.provider.number,
            lanes=lanes,
            worker=sender.worker,
            lane_order=sender.lane_order,
        )
        if batch is None:
            return None
        if batch.probe:
            record_outcomes.keep_probe_mail(batch, now=clock())
        admitted = pacing.admit(batch, now=clock(), vault=sender.vault) if pacing else batch
        if admitted is not None:
            return admitted
    return None


def _start_attempt(sender: Sender, batch: ClaimedBatch, clock: Callable[[], datetime]) -> list[Recipient] | None:
    provider = sender.provider
    return start_attempt(batch, now=clock(), provider=provider.number, window=provider.window, vault=sender.vault)


@dataclass(frozen=True)
class _HandOver:
    """The hand-over of one batch."""

    sender: Sender
    batch: ClaimedBatch
    clock: Callable[[], datetime]
    should_continue: ShouldContinue

    def run(self, recipients: list[Recipient], started: float) -> Sent:
        """Hand over one window after the other. `started` is the monotonic time just before the first was opened."""
        letters = Letters(self.sender.vault, self.sender.letters, second_copy=self.batch.resend)
        all_outcomes: list[Outcome] = []
        while recipients:
            outcomes = self._held_up(recipients, started) or _hand_over(self.sender, self.batch, recipients, letters)
            all_outcomes.extend(outcomes.values())
            if _all_deferred(outcomes, all_outcomes):
                retry_write(partial(_defer, self.sender.provider.number, self.batch, outcomes, self.clock))
                return _count(self.batch, all_outcomes)
            started = time.monotonic()
            recipients = self._record(outcomes)
        if not all_outcomes:
            retry_write(partial(record_outcomes.finish_windows, self.batch, now=self.clock()))
        return _count(self.batch, all_outcomes)

    def _held_up(self, recipients: list[Recipient], started: float) -> Mapping[int, Outcome] | None:
        """Outcomes of a window not begun, if this process was stopped before its first byte until the lease may be over."""
        half = attempt_lease(self.sender.provider.window) / 2
        if started + half.total_seconds() > time.monotonic():
            return None
        return _not_begun(recipients, NotBegun.HELD_UP)

    def _record(self, outcomes: Mapping[int, Outcome]) -> list[Recipient]:
        """Record the outcomes; returns the next window. The usual case, an accepted request, takes one round trip."""
        if self.sender.provider.window is not None:
            return retry_write(partial(self._record_window, outcomes))
        outcome = next(iter(outcomes.values()))
        only_accepted = isinstance(outcome, Accepted) and not self.batch.provider_doubtful
        retry_write(partial(self._record_request, outcome, only_accepted), atomic=not only_accepted)
        return []

    def _record_request(self, outcome: Outcome, only_accepted: bool) -> None:
        now, number = self.clock(), self.sender.provider.number
        if not only_accepted:
            _pause_if_refused(number, [outcome], now)
            circuit_breaker.record_answers(number, [outcome], now=now)
        record_outcomes.record_outcome(self.batch, outcome, now=now)

    def _record_window(self, outcomes: Mapping[int, Outcome]) -> list[Recipient]:
        """Record a window's outcomes and open the next one, or close the batch, in one commit."""
        now, provider, last = self.clock(), self.sender.provider, max(outcomes)
        next_window = next_window_query(self.batch, after=last, now=now, window=provider.window)
        accepted = all(isinstance(outcome, Accepted) for outcome in outcomes.values())
        if accepted:
            may_send, doubtful, rows = record_outcomes.accept_window(
                self.batch, last, provider=provider.number, next_window=next_window
            )
        else:
            record_outcomes.record_window(self.batch, outcomes, now=now)
            _pause_if_refused(provider.number, outcomes.values(), now)
            may_send, doubtful, rows = (
                provider_gate.may_send(provider.number),
                True,
                db.rows(*next_window, prepared=True),
            )
        breaker_open = doubtful and circuit_breaker.record_answers(provider.number, outcomes.values(), now=now)
        if rows and (reason := self._stop_reason(breaker_open, may_send, now)):
            record_outcomes.requeue_rest(self.batch, after=last, now=now, reason=reason)
            rows = []
        window = self._open_window(rows, last, now)
        if not window:
            record_outcomes.finish_windows(self.batch, now=now, accepted=accepted)
        return window

    def _open_window(self, rows: Sequence[tuple[Any, ...]], last: int, now: datetime) -> list[Recipient]:
        try:
            window = self.sender.provider.window
            return open_addresses(self.batch, rows, now=now, window=window, vault=self.sender.vault)
        except KeysDoNotFit:  # the answers are recorded all the same; the rest is parked when it is claimed
            record_outcomes.requeue_rest(self.batch, after=last, now=now, reason="an address cannot be decrypted")
            return []

    def _stop_reason(self, breaker_open: bool, may_send: bool, now: datetime) -> str | None:
        """Why no further window is opened. Returns None if one may be."""
        if breaker_open:
            return "the provider left mail unknown"
        if not may_send:
            return "sending was paused"
        if not self.should_continue():
            return "the worker's time is up"
        urgent = should_yield(self.batch, now=now, provider=self.sender.provider.number)
        return "more urgent mail came" if urgent else None


def _hand_over(
    sender: Sender, batch: ClaimedBatch, recipients: list[Recipient], letters: Letters
) -> Mapping[int, Outcome]:
    """Hand a window to the provider; what stops us before the first byte proves that nothing was accepted."""
    try:
        parcels = make_parcels(
            recipients, letters=letters, vault=sender.vault, base_url=sender.base_url, domain=sender.domain
        )
    except (EditionBody.DoesNotExist, KeysDoNotFit):
        return _not_begun(recipients, NotBegun.WORDING)
    except DATABASE_DOWN:  # recording waits for the database to come back
        return _not_begun(recipients, NotBegun.DATABASE)
    if sender.record is not None and sender.provider.window is not None:
        sender.record.open(batch.token, [recipient.delivery_id for recipient in recipients])
    outcomes = sender.provider.hand_over(parcels)
    missing = Unknown("the provider's answer is missing")
    return {recipient.delivery_id: outcomes.get(recipient.delivery_id, missing) for recipient in recipients}


def _not_begun(recipients: Sequence[Recipient], cause: NotBegun) -> Mapping[int, Outcome]:
    return {recipient.delivery_id: Deferred(_NOT_BEGUN[cause], not_begun=cause) for recipient in recipients}


def _all_deferred(outcomes: Mapping[int, Outcome], all_outcomes: list[Outcome]) -> bool:
    """Whether this is the first window and all of it was deferred: then the batch as it is can wait."""
    return len(all_outcomes) == len(outcomes) and all(isinstance(outcome, Deferred) for outcome in all_outcomes)


def _pause_if_refused(provider: int, outcomes: Iterable[Outcome], now: datetime) -> None:
    """Pause a provider that refuses us altogether; the others go on."""
    refusal = next((outcome for outcome in outcomes if isinstance(outcome, Deferred) and outcome.pause), None)
    if refusal is not None:
        provider_gate.pause(provider, sending_gate.refusal_words(refusal.reason, now), now=now, actor=_REFUSED)


def _defer(provider: int, batch: ClaimedBatch, outcomes: Mapping[int, Outcome], clock: Callable[[], datetime]) -> None:
    deferred = next(outcome for outcome in outcomes.values() if isinstance(outcome, Deferred))
    now = clock()
    record_outcomes.defer_batch(batch, deferred, now=now)
    _pause_if_refused(provider, [deferred], now)
    log.warning("put_off", batch_id=batch.batch_id, reason=deferred.reason, paused=deferred.pause)


def _count(batch: ClaimedBatch, outcomes: list[Outcome]) -> Sent:
    kinds = Counter(map(type, outcomes))
    accepted, deferred, refused, unknown = (kinds[kind] for kind in (Accepted, Deferred, Rejected, Unknown))
    log.info(
        "handed_over", batch_id=batch.batch_id, accepted=accepted, deferred=deferred, refused=refused, unknown=unknown
    )
    return Sent(batch.batch_id, accepted, deferred, refused, unknown)
