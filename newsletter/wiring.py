"""Puts the parts together: settings, keys, indexes, the fetcher, and what a room is given of other rooms.

`delivery_wiring.py` does the same for delivery, `edition_wiring.py` for editions. No other file chooses concrete parts.

Each function imports the parts that it builds, so that a command which only reads settings loads no provider or template.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache, partial
from typing import TYPE_CHECKING

from django.conf import settings

from newsletter import __version__
from newsletter.config.config import Config
from newsletter.lib.crypto import Vault
from newsletter.lib.mail import headers
from newsletter.lib.shutdown import Shutdown

if TYPE_CHECKING:
    from newsletter.dns_check.lookup import Lookup
    from newsletter.dns_check.sender import CheckedSender
    from newsletter.feeds.fetching.http_client import Fetcher
    from newsletter.matching.live_index.current import CurrentIndex
    from newsletter.matching.live_index.item_index import ItemIndex
    from newsletter.subscribers.subscribing import Subscribing

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
def mail_sender() -> headers.SenderIdentity:
    """Who mails come from."""
    return headers.SenderIdentity(
        name=config().sender_name,
        address=config().sender_address,
        organisation=config().organisation,
        contact=config().contact,
        base_url=config().base_url,
    )


def checked_sender() -> CheckedSender:
    """Return whose mail the DNS check is about: the domain of From, and the providers that send."""
    from newsletter.dns_check.sender import Carrier, CheckedSender

    carriers = tuple(
        Carrier(provider.name, provider.kind, (provider.url.hostname or "") if provider.kind == "smtp" else "")
        for provider in config().providers
        if provider.kind != "outbox"
    )
    return CheckedSender(mail_sender().domain.lower(), carriers, config().dkim_selectors)


def dns_lookup() -> Lookup:
    """Return what asks the DNS, with a deadline that begins now."""
    from newsletter.dns_check.lookup import Lookup

    return Lookup(config().dns_server)


def forget(subscriber_id: int, topic_ids: Collection[int]) -> None:
    """Erase what other rooms store about a person: the content of their mails, and keywords that nobody else follows."""
    from newsletter.delivery import erasure
    from newsletter.matching.retention import delete_unfollowed

    erasure.erase_mails(subscriber_id)
    delete_unfollowed(topic_ids)


def move_followers(source_id: int, target_id: int, *, now: datetime) -> tuple[int, int, int]:
    """Move the followers of a topic to another one, for `matching/topics/merge.py`."""
    from newsletter.subscribers import move_followers as moving

    done = moving.move_followers(source_id, target_id, now=now)
    return done.moved, done.both, done.told


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


@cache
def fetcher() -> Fetcher:
    """Return the HTTP client for feeds, which refuses private addresses."""
    from newsletter.feeds.fetching.http_client import Fetcher

    return Fetcher(
        allow=config().feed_allow, user_agent=f"newsletter/{__version__} (+{config().base_url}; feed poller)"
    )


@cache
def page_fetcher() -> Fetcher:
    """The same for pages: whoever waits for one is told after a few seconds that a site does not answer."""
    from newsletter.feeds.fetching.http_client import Fetcher

    return Fetcher(
        allow=config().feed_allow,
        user_agent=f"newsletter/{__version__} (+{config().base_url}; feed poller)",
        seconds=10.0,
    )
