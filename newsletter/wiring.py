"""The only file that chooses concrete parts: keys, carrier, renderer, fetcher, and what each door of the road is given.

Each function imports the parts that it builds: a command that asks for the settings loads no provider and no template.
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
    from newsletter.models import Lane
    from newsletter.subscribers.subscribing import Subscribing

_of_thread = threading.local()

#: Set when this process and those that it forks are to end: nobody waits for feeds then, and no batch is begun.
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
    """What other rooms forget of somebody who is erased: the words of their mails, and keywords that nobody else follows."""
    from newsletter.delivery import erasure
    from newsletter.matching.retention import delete_unfollowed

    erasure.erase_mails(subscriber_id)
    delete_unfollowed(topic_ids)


def subscribing(now: datetime) -> Subscribing:
    """What subscribing takes from the other rooms, at this moment."""
    from newsletter.editions.digest_schedule import next_due
    from newsletter.subscribers.subscribing import Subscribing

    return Subscribing(now, vault(), partial(_keyword_topic, now=now), next_due)


def _keyword_topic(keyword: str, *, now: datetime) -> int:
    """The topic that everybody who types the same keyword shares; 0 for a keyword that can be followed no longer."""
    from newsletter.matching.query.query_error import QueryError
    from newsletter.matching.topics import topics

    try:
        return topics.keyword_topic(keyword, vault=vault(), now=now)
    except QueryError:
        return 0


def providers() -> dict[int, Provider]:
    """The carriers by their number, that of NEWSLETTER_MAIL_URL first; made for each thread: connections are not shared."""
    if not hasattr(_of_thread, "providers"):
        _of_thread.providers = {one.number: _provider(one) for one in config().providers}
    made: dict[int, Provider] = _of_thread.providers
    return made


def _provider(one: Configured) -> Provider:
    carrier: Provider
    match one.kind:
        case "sendgrid":
            from newsletter.providers.sendgrid.provider import SendGrid

            carrier = SendGrid(one.key, mail_sender(), url=one.api, own_bounces=bool(config().sendgrid_webhook_keys))
        case "smtp":
            from newsletter.providers.smtp.provider import Smtp

            carrier = Smtp(one.url, mail_sender(), record=record)
        case _:
            from newsletter.providers.outbox import Outbox

            carrier = Outbox(config().data_dir / one.name, mail_sender())
    carrier.name, carrier.number = one.name, one.number
    if not config().recipient_allow:
        return carrier
    from newsletter.providers.allowlist import Allowlist

    return Allowlist(carrier, config().recipient_allow)


def host_guard() -> HostGuard:
    """Whether this host may send: the same guard for all threads of this process."""
    return _host_guard(config().data_dir)


@cache
def _host_guard(directory: Path) -> HostGuard:
    from newsletter.delivery.gates.host_guard import HostGuard

    return HostGuard(directory)


def carriers() -> dict[int, Carrier]:
    """What planning must know of each provider, by number."""
    from newsletter.delivery.ledger.plan import Carrier

    return {number: Carrier(number, one_letter=one.one_letter) for number, one in providers().items()}


def carrier() -> Carrier:
    """What planning must know of the provider of NEWSLETTER_MAIL_URL."""
    return next(iter(carriers().values()))


def senders() -> list[Sender]:
    """What sending needs besides the rows, for each provider; another one first each time, so that none waits for another."""
    from newsletter.delivery.send import Sender
    from newsletter.delivery.sending import heartbeat

    domain = config().sender_address.rpartition("@")[2]
    found = [
        Sender(
            one,
            vault(),
            base_url=config().base_url,
            domain=domain,
            pacing=pacing(one),
            worker=heartbeat.worker_id(),
            record=record(),
            lane_order=lane_order(one.number),
            letters=letters(vault()),
        )
        for one in providers().values()
    ]
    first = _of_thread.turn = (getattr(_of_thread, "turn", -1) + 1) % len(found)
    return found[first:] + found[:first]


@cache
def lane_order(_provider: int) -> LaneOrder:
    """What this process remembers of the lanes and occasions that it served, by a provider's number."""
    from newsletter.delivery.sending.lane_order import LaneOrder

    return LaneOrder()


@cache
def letters(_vault: Vault) -> LetterCache:
    """The letters that this process decrypted last, with one set of keys."""
    from newsletter.delivery.sending.messages import LetterCache

    return LetterCache()


def record() -> Slot | None:
    """Where this thread writes down how far its window got; None: the process has no heartbeat."""
    from newsletter.delivery.sending import heartbeat

    here = heartbeat.worker_id()
    if getattr(_of_thread, "record", (None, None))[0] != here:  # also after a fork
        _of_thread.record = (here, heartbeat.slot())
    kept: tuple[UUID | None, Slot | None] = getattr(_of_thread, "record", (None, None))
    return kept[1]


def pacing(carrier: Provider | Configured) -> Pacing | None:
    """How a provider's mail is paced; None when no setting limits it."""
    return _pacing(carrier.name, carrier.number) if config().limits.limits(carrier.name) else None


@cache
def _pacing(name: str, number: int) -> Pacing:
    from newsletter.delivery.sending.pacing import Pacing

    return Pacing(config().limits, buckets(), name, number)


def allowances(now: datetime) -> list[DailyAllowance]:
    """The day of each provider whose days have an end."""
    days = [paced.allowance(now=now) for one in config().providers if (paced := pacing(one))]
    return [day for day in days if day is not None]


@cache
def buckets() -> Buckets:
    """The buckets of the paces: in memory where one process is everything, else in the broker's Redis."""
    if config().embedded:
        from newsletter.delivery.pace.token_buckets import InMemoryBuckets

        return InMemoryBuckets()
    from newsletter.delivery.pace.redis_token_buckets import RedisBuckets

    return RedisBuckets(config().broker_url)


def report_context() -> ReportContext:
    """What believing reports of mails needs besides the rows."""
    from newsletter.delivery.feedback.reports import ReportContext
    from newsletter.subscribers.email_address import index_of

    return ReportContext(vault=vault(), index_of=index_of)


def events_from() -> list[int]:
    """The providers whose events reach us by webhook: also one that carries no more, but may have dropped what it took."""
    from newsletter.providers.sendgrid.provider import SendGrid

    first = SendGrid.number
    return [first, first + SECOND] if config().sendgrid_webhook_keys else []


@cache
def fetcher() -> Fetcher:
    """Reads feeds, behind the private-address guard."""
    from newsletter.feeds.fetching.http_client import Fetcher

    return Fetcher(
        allow=config().feed_allow, user_agent=f"newsletter/{__version__} (+{config().base_url}; feed poller)"
    )


@cache
def renderer() -> Renderer:
    """Renders mails from the templates."""
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
    """What composing needs besides the rows."""
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
    """Each provider's part in batches of its own; what is given goes along with the first part, in one transaction."""
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
    """How long a fresh match waits for others."""
    return timedelta(seconds=config().gather)


def failover_after() -> timedelta:
    """How long a provider is out before the other takes over what waits for it; nothing: that is done by hand."""
    return timedelta(minutes=config().failover_after)
