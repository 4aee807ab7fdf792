"""How mail leaves at present: each provider with its gate, queue, pace, cap, share, answers and reputation; and the workers."""

from dataclasses import dataclass
from datetime import datetime

from newsletter import delivery_wiring, wiring
from newsletter.delivery.feedback.reputation import Reputation, reputation
from newsletter.delivery.gates import circuit_breaker, sending_gate
from newsletter.delivery.gates.circuit_breaker import OpenBreaker
from newsletter.delivery.ledger.waiting import waiting_mails
from newsletter.delivery.rate_limits.daily_cap import DailyAllowance
from newsletter.delivery.routing import rules
from newsletter.delivery.routing.last_answers import ProviderAnswer, last_answers
from newsletter.delivery.routing.provider_status import ProviderStatus, provider_statuses
from newsletter.delivery.routing.rules import RoutingRule
from newsletter.delivery.sending import workers
from newsletter.models import Worker


@dataclass(frozen=True)
class ProviderState:
    """One provider. `pace` in mails per second, `share` in percent of the people; None: not limited, or nothing is known."""

    status: ProviderStatus
    configured: bool
    pace: float | None
    allowance: DailyAllowance | None
    share: int
    answers: tuple[ProviderAnswer, ...]
    reputation: Reputation | None
    breaker: OpenBreaker | None


@dataclass(frozen=True)
class WorkerState:
    """A process that sends, and what it holds now."""

    worker: Worker
    dead: bool
    batches: int
    mails: int


@dataclass(frozen=True)
class SendingState:
    """All of it, at `now`."""

    now: datetime
    paused_by: str | None
    waiting: int
    providers: tuple[ProviderState, ...]
    rules: tuple[RoutingRule, ...]
    workers: tuple[WorkerState, ...]


def read_sending(*, now: datetime) -> SendingState:
    """The state of sending, in a fixed number of queries."""
    config = wiring.config()
    configured = [provider.number for provider in config.providers]
    statuses = provider_statuses(configured, now=now)
    answers = last_answers([status.number for status in statuses])
    allowances = {day.provider: day for day in delivery_wiring.allowances(now)}
    reputations = {figures.provider: figures for figures in reputation(now=now)}
    breakers = {breaker.provider: breaker for breaker in circuit_breaker.open_breakers()}
    chosen = tuple(rules.routing_rules())
    return SendingState(
        now=now,
        paused_by=sending_gate.pause_reason(),
        waiting=waiting_mails(),
        providers=tuple(
            ProviderState(
                status=status,
                configured=status.number in configured,
                pace=config.limits.pace(status.provider),
                allowance=allowances.get(status.provider),
                share=rules.share_of(status.number, configured, chosen),
                answers=tuple(answers[status.number]),
                reputation=reputations.get(status.number),
                breaker=breakers.get(status.number),
            )
            for status in statuses
        ),
        rules=chosen,
        workers=_workers(now),
    )


def _workers(now: datetime) -> tuple[WorkerState, ...]:
    held = workers.held_by_worker()
    return tuple(
        WorkerState(worker, worker.seen_at < now - workers.SILENT, *held.get(worker.id, (0, 0)))
        for worker in workers.list_workers()
    )
