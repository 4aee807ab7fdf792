"""Puts delivery together: the providers, their rate limits, and what sending, planning and reports need.

Each function imports the parts that it builds: a command that asks for a limit loads no provider.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from newsletter import wiring
from newsletter.config.provider_urls import Configured
from newsletter.lib.crypto import Vault
from newsletter.lib.mail.provider_ids import SECOND
from newsletter.lib.refused import Refused

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from newsletter.delivery.feedback.reports import ReportContext
    from newsletter.delivery.gates.host_guard import HostGuard
    from newsletter.delivery.ledger.plan import PlannedProvider
    from newsletter.delivery.rate_limits.daily_cap import DailyAllowance
    from newsletter.delivery.rate_limits.token_buckets import Buckets
    from newsletter.delivery.send import Sender
    from newsletter.delivery.sending.lane_order import LaneOrder
    from newsletter.delivery.sending.messages import LetterCache
    from newsletter.delivery.sending.pacing import Pacing
    from newsletter.lib.mail.provider_interface import Provider
    from newsletter.lib.mail.window_record import Slot

_per_thread = threading.local()


def providers() -> dict[int, Provider]:
    """Return the providers by number, that of NEWSLETTER_MAIL_URL first. Each thread has its own, with its own connections."""
    if not hasattr(_per_thread, "providers"):
        _per_thread.providers = {configured.number: _provider(configured) for configured in wiring.config().providers}
    own: dict[int, Provider] = _per_thread.providers
    return own


def test_provider(configured: Configured) -> Provider:
    """Return a provider with connections of its own, whose mails are in no window of the ledger. Close it afterwards."""
    return _provider(configured, recorded=False)


def _provider(configured: Configured, *, recorded: bool = True) -> Provider:
    provider: Provider
    match configured.kind:
        case "sendgrid":
            from newsletter.providers.sendgrid.provider import SendGrid

            own_bounces = bool(wiring.config().sendgrid_webhook_keys)
            provider = SendGrid(configured.key, wiring.mail_sender(), url=configured.api, own_bounces=own_bounces)
        case "smtp":
            from newsletter.providers.smtp.provider import Smtp

            provider = Smtp(configured.url, wiring.mail_sender(), record=record if recorded else lambda: None)
        case _:
            from newsletter.providers.outbox import Outbox

            provider = Outbox(wiring.config().data_dir / configured.name, wiring.mail_sender())
    provider.name, provider.number = configured.name, configured.number
    if not wiring.config().recipient_allow:
        return provider
    from newsletter.providers.allowlist import Allowlist

    return Allowlist(provider, wiring.config().recipient_allow)


def host_guard() -> HostGuard:
    """Return the guard that decides whether this host may send, the same for all threads of this process."""
    return _host_guard(wiring.config().data_dir)


@cache
def _host_guard(directory: Path) -> HostGuard:
    from newsletter.delivery.gates.host_guard import HostGuard

    return HostGuard(directory)


def rule_domain(text: str) -> str | Refused:
    """Return the domain of a rule as it is stored: what stands after the @ sign, or `*` for everybody (also if it is empty)."""
    from newsletter.delivery.routing.rules import EVERYBODY
    from newsletter.subscribers.email_address import InvalidAddress, parse_address

    if text.strip() in ("", EVERYBODY):
        return EVERYBODY
    try:
        return parse_address(f"name@{text.strip()}").value.partition("@")[2]
    except InvalidAddress:
        return Refused("a domain is what stands after the @ sign, for example gmail.com")


def planned_providers() -> dict[int, PlannedProvider]:
    """Return what planning needs to know of each provider, by number."""
    from newsletter.delivery.ledger.plan import PlannedProvider

    return {number: PlannedProvider(number, one_letter=provider.one_letter) for number, provider in providers().items()}


def default_provider() -> PlannedProvider:
    """Return what planning needs to know of the provider of NEWSLETTER_MAIL_URL."""
    return next(iter(planned_providers().values()))


def senders() -> list[Sender]:
    """Return what sending needs, for each provider. Each call starts with another one, so that none waits for another."""
    from newsletter.delivery.send import Sender
    from newsletter.delivery.sending import heartbeat

    domain = wiring.config().sender_address.rpartition("@")[2]
    all_senders = [
        Sender(
            provider,
            wiring.vault(),
            base_url=wiring.config().base_url,
            domain=domain,
            pacing=pacing(provider),
            worker=heartbeat.worker_id(),
            record=record(),
            lane_order=lane_order(provider.number),
            letters=letters(wiring.vault()),
        )
        for provider in providers().values()
    ]
    first = _per_thread.turn = (getattr(_per_thread, "turn", -1) + 1) % len(all_senders)
    return all_senders[first:] + all_senders[:first]


@cache
def lane_order(_provider: int) -> LaneOrder:
    """Return the order in which this process serves the lanes and occasions of a provider."""
    from newsletter.delivery.sending.lane_order import LaneOrder

    return LaneOrder()


@cache
def letters(_vault: Vault) -> LetterCache:
    """Return the letters that this process decrypted recently."""
    from newsletter.delivery.sending.messages import LetterCache

    return LetterCache()


def record() -> Slot | None:
    """Return where this thread records how far its window got, or None if the process has no heartbeat."""
    from newsletter.delivery.sending import heartbeat

    worker_id = heartbeat.worker_id()
    if getattr(_per_thread, "record", (None, None))[0] != worker_id:  # also after a fork
        _per_thread.record = (worker_id, heartbeat.slot())
    current: tuple[UUID | None, Slot | None] = getattr(_per_thread, "record", (None, None))
    return current[1]


def pacing(provider: Provider | Configured) -> Pacing | None:
    """Return the rate limits of a provider, or None if no setting limits it."""
    return _pacing(provider.name, provider.number) if wiring.config().limits.limits(provider.name) else None


@cache
def _pacing(name: str, number: int) -> Pacing:
    from newsletter.delivery.sending.pacing import Pacing

    return Pacing(wiring.config().limits, buckets(), name, number)


def allowances(now: datetime) -> list[DailyAllowance]:
    """Return today's allowance of each provider that has a daily cap."""
    days = [paced.allowance(now=now) for provider in wiring.config().providers if (paced := pacing(provider))]
    return [day for day in days if day is not None]


@cache
def buckets() -> Buckets:
    """Return the token buckets: in memory if one process does everything, else in the broker's Redis."""
    if wiring.config().embedded:
        from newsletter.delivery.rate_limits.token_buckets import InMemoryBuckets

        return InMemoryBuckets()
    from newsletter.delivery.rate_limits.redis_token_buckets import RedisBuckets

    return RedisBuckets(wiring.config().broker_url)


def report_context() -> ReportContext:
    """Return what is needed to verify reports about mails."""
    from newsletter.delivery.feedback.reports import ReportContext
    from newsletter.subscribers.email_address import index_of

    return ReportContext(vault=wiring.vault(), index_of=index_of)


def events_from() -> list[int]:
    """Return the providers that post events to our webhook; one that is no longer used may still report earlier mail."""
    from newsletter.providers.sendgrid.provider import SendGrid

    first = SendGrid.number
    return [first, first + SECOND] if wiring.config().sendgrid_webhook_keys else []


def failover_after() -> timedelta:
    """How long a provider is out before the other takes over what waits for it; nothing: that is done by hand."""
    return timedelta(minutes=wiring.config().failover_after)
