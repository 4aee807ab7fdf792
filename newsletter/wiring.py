"""The only file that chooses concrete parts: keys, providers, templates, fetcher, and what each room is given of others.

Each function imports the parts that it builds, so that a command which only reads settings loads no provider or template.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING

from django.conf import settings

from newsletter import __version__
from newsletter.config.config import Config
from newsletter.config.provider_urls import Configured
from newsletter.lib import mail_headers
from newsletter.lib.crypto import Vault
from newsletter.lib.provider_ids import SECOND
from newsletter.lib.shutdown import Shutdown

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from newsletter.delivery.feedback.reports import ReportContext
    from newsletter.delivery.gates.host_guard import HostGuard
    from newsletter.delivery.ledger.plan import Carrier
    from newsletter.delivery.pace.daily_cap import DailyAllowance
    from newsletter.delivery.pace.token_buckets import Buckets
    from newsletter.delivery.send import Sender
    from newsletter.delivery.sending.lane_order import LaneOrder
    from newsletter.delivery.sending.messages import LetterCache
    from newsletter.delivery.sending.pacing import Pacing
    from newsletter.editions.compose import Composer
    from newsletter.editions.load_content import Explainer
    from newsletter.editions.rendering.renderer import Renderer
    from newsletter.feeds.fetching.http_client import Fetcher
    from newsletter.lib.provider_interface import Provider
    from newsletter.lib.window_record import Slot
    from newsletter.matching.live_index.current import CurrentIndex
    from newsletter.matching.live_index.item_index import ItemIndex
    from newsletter.models import Lane
    from newsletter.subscribers.subscribing import Subscribing

_per_thread = threading.local()

#: Set when this process and its forks are to end: then feeds are not waited for, and no batch is begun.
shutdown = Shutdown()


def config() -> Config:
    """The service's own settings."""
    checked: Config = settings.NEWSLETTER
    return checked


@cache
def vault() -> Vault:
    """The keys of this installation."""
    return Vault(settings.SECRET_KEY.encode(), config().address_keys, config().index_key)


@cache
def topic_index() -> CurrentIndex:
    """The index of all topics of this process."""
    from newsletter.matching.live_index.current import CurrentIndex

    return CurrentIndex(vault())


@cache
def item_index() -> ItemIndex:
    """The index of the newest items of this process."""
    from newsletter.matching.live_index.item_index import ItemIndex

    return ItemIndex()


@cache
def mail_sender() -> mail_headers.SenderIdentity:
    """Who mails come from."""
    return mail_headers.SenderIdentity(
        name=config().sender_name,
        address=config().sender_address,
        organisation=config().organisation,
        contact=config().contact,
        base_url=config().base_url,
    )


def forget(subscriber_id: int, topic_ids: Collection[int]) -> None:
    """Erase what other rooms store about a person: the content of their mails, and keywords that nobody else follows."""
    from newsletter.delivery import erasure
    from newsletter.matching.retention import delete_unfollowed

    erasure.erase_mails(subscriber_id)
    delete_unfollowed(topic_ids)


def subscribing(now: datetime) -> Subscribing:
    """Return what subscribing needs of the other rooms."""
    from newsletter.editions.digest_schedule import next_due
    from newsletter.subscribers.subscribing import Subscribing

    return Subscribing(now, vault(), partial(_keyword_topic, now=now), next_due)


def _keyword_topic(keyword: str, *, now: datetime) -> int:
    """Return the topic shared by all who follow the same keyword, or 0 if it can be followed no longer."""
    from newsletter.matching.query.query_error import QueryError
    from newsletter.matching.topics import topics

    try:
        return topics.keyword_topic(keyword, vault=vault(), now=now)
    except QueryError:
        return 0


def providers() -> dict[int, Provider]:
    """Return the providers by number, that of NEWSLETTER_MAIL_URL first. Each thread has its own, with its own connections."""
    if not hasattr(_per_thread, "providers"):
        _per_thread.providers = {configured.number: _provider(configured) for configured in config().providers}
    own: dict[int, Provider] = _per_thread.providers
    return own


def _provider(configured: Configured) -> Provider:
    provider: Provider
    match configured.kind:
        case "sendgrid":
            from newsletter.providers.sendgrid.provider import SendGrid

            own_bounces = bool(config().sendgrid_webhook_keys)
            provider = SendGrid(configured.key, mail_sender(), url=configured.api, own_bounces=own_bounces)
        case "smtp":
            from newsletter.providers.smtp.provider import Smtp

            provider = Smtp(configured.url, mail_sender(), record=record)
        case _:
            from newsletter.providers.outbox import Outbox

            provider = Outbox(config().data_dir / configured.name, mail_sender())
    provider.name, provider.number = configured.name, configured.number
    if not config().recipient_allow:
        return provider
    from newsletter.providers.allowlist import Allowlist

    return Allowlist(provider, config().recipient_allow)


def host_guard() -> HostGuard:
    """Return the guard that decides whether this host may send, the same for all threads of this process."""
    return _host_guard(config().data_dir)


@cache
def _host_guard(directory: Path) -> HostGuard:
    from newsletter.delivery.gates.host_guard import HostGuard

    return HostGuard(directory)


def carriers() -> dict[int, Carrier]:
    """Return what planning needs to know of each provider, by number."""
    from newsletter.delivery.ledger.plan import Carrier

    return {number: Carrier(number, one_letter=provider.one_letter) for number, provider in providers().items()}


def carrier() -> Carrier:
    """Return what planning needs to know of the provider of NEWSLETTER_MAIL_URL."""
    return next(iter(carriers().values()))


def senders() -> list[Sender]:
    """Return what sending needs, for each provider. Each call starts with another one, so that none waits for another."""
    from newsletter.delivery.send import Sender
    from newsletter.delivery.sending import heartbeat

    domain = config().sender_address.rpartition("@")[2]
    all_senders = [
        Sender(
            provider,
            vault(),
            base_url=config().base_url,
            domain=domain,
            pacing=pacing(provider),
            worker=heartbeat.worker_id(),
            record=record(),
            lane_order=lane_order(provider.number),
            letters=letters(vault()),
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
    return _pacing(provider.name, provider.number) if config().limits.limits(provider.name) else None


@cache
def _pacing(name: str, number: int) -> Pacing:
    from newsletter.delivery.sending.pacing import Pacing

    return Pacing(config().limits, buckets(), name, number)


def allowances(now: datetime) -> list[DailyAllowance]:
    """Return today's allowance of each provider that has a daily cap."""
    days = [paced.allowance(now=now) for provider in config().providers if (paced := pacing(provider))]
    return [day for day in days if day is not None]


@cache
def buckets() -> Buckets:
    """Return the token buckets: in memory if one process does everything, else in the broker's Redis."""
    if config().embedded:
        from newsletter.delivery.pace.token_buckets import InMemoryBuckets

        return InMemoryBuckets()
    from newsletter.delivery.pace.redis_token_buckets import RedisBuckets

    return RedisBuckets(config().broker_url)


def report_context() -> ReportContext:
    """Return what is needed to verify reports about mails."""
    from newsletter.delivery.feedback.reports import ReportContext
    from newsletter.subscribers.email_address import index_of

    return ReportContext(vault=vault(), index_of=index_of)


def events_from() -> list[int]:
    """Return the providers that post events to our webhook; one that is no longer used may still report earlier mail."""
    from newsletter.providers.sendgrid.provider import SendGrid

    first = SendGrid.number
    return [first, first + SECOND] if config().sendgrid_webhook_keys else []


@cache
def fetcher() -> Fetcher:
    """Return the HTTP client for feeds, which refuses private addresses."""
    from newsletter.feeds.fetching.http_client import Fetcher

    return Fetcher(
        allow=config().feed_allow, user_agent=f"newsletter/{__version__} (+{config().base_url}; feed poller)"
    )


@cache
def renderer() -> Renderer:
    """Return the renderer of mails."""
    from newsletter.editions.rendering.renderer import Renderer
    from newsletter.editions.rendering.values import Frame

    frame = Frame(
        organisation=config().organisation,
        postal_address=config().postal_address,
        contact=config().contact,
        sender=config().sender_name,
        base_url=config().base_url,
    )
    return Renderer(settings.TEMPLATES_DIR / "email", frame)


def composer() -> Composer:
    """Return what composing needs."""
    from newsletter.editions.compose import Composer

    return Composer(renderer=renderer(), explainer=_explainer(), vault=vault(), plan=_plan)


def _explainer() -> Explainer:
    from newsletter.editions.load_content import Explainer
    from newsletter.lib import urls
    from newsletter.matching.engine.query_index import spans
    from newsletter.matching.topics import reader_feedback, topics

    return Explainer(
        keywords=lambda ids: topics.keywords(ids, vault=vault()),
        find_words=spans,
        objection_url=lambda item_id, topic_id: urls.url(
            config().base_url, "objection", reader_feedback.objection_token(item_id, topic_id, vault())
        ),
    )


def _plan(
    *,
    occasion_id: int,
    lane: Lane,
    shares: Sequence[tuple[int, Sequence[int], str | None]],
    items_given: Sequence[tuple[int, int, Sequence[int]]],
    audience: int,
    now: datetime,
) -> tuple[int, ...]:
    """Plan each provider's share in batches of its own; `items_given` is stored with the first, in its transaction."""
    from newsletter.delivery.ledger.plan import Share, plan
    from newsletter.delivery.routing import rules

    whole = [Share(edition_id, people, parked) for edition_id, people, parked in shares]
    parts = rules.split_by_provider(whole, list(carriers()), vault())
    ids: tuple[int, ...] = ()
    for number, part in parts.items():
        ids += plan(
            occasion_id=occasion_id,
            lane=lane,
            shares=part,
            items_given=items_given,
            audience=audience,
            carrier=carriers()[number],
            now=now,
        )
        items_given = ()
    return ids


def gather() -> timedelta:
    """Return how long a fresh match waits for others."""
    return timedelta(seconds=config().gather)


def failover_after() -> timedelta:
    """How long a provider is out before the other takes over what waits for it; nothing: that is done by hand."""
    return timedelta(minutes=config().failover_after)
