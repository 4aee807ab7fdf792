"""The state of each provider: paused, out of reach, mails that wait for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.delivery.gates import provider_gate
from newsletter.delivery.routing import failover, move_batches
from newsletter.lib.mail import provider_ids


@dataclass(frozen=True)
class ProviderStatus:
    """Whether a provider may send and can be reached, and how many mails are planned with it."""

    provider: str
    number: int
    open: bool
    paused_by: str | None
    by_hand: bool
    out_since: datetime | None
    out_why: str | None
    planned: int


def provider_statuses(configured: Sequence[int], *, now: datetime) -> list[ProviderStatus]:
    """The status of the configured providers, by their numbers, then of paused ones that are no longer configured."""
    closed = {gate.provider: gate for gate in provider_gate.paused()}
    numbers = list(dict.fromkeys([*configured, *closed]))
    out = failover.outages(numbers, now=now)
    return [
        ProviderStatus(
            provider=provider_ids.name_of(number),
            number=number,
            open=number not in closed,
            paused_by=closed[number].why if number in closed else None,
            by_hand=number in closed and closed[number].by_hand,
            out_since=out[number].since if number in out else None,
            out_why=out[number].why if number in out else None,
            planned=move_batches.planned_mails(number),
        )
        for number in numbers
    ]
