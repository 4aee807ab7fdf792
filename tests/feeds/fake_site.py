"""Feeds of our own on a real HTTP server, read, matched and mailed by the real doors, step by step."""

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from pytest_httpserver import HTTPServer

from newsletter.delivery.ledger.plan import Share, plan
from newsletter.editions import compose, gatherings
from newsletter.editions.load_content import Explainer
from newsletter.editions.rendering.renderer import Renderer
from newsletter.feeds import poll
from newsletter.feeds.catalogue import manage
from newsletter.feeds.fetching.http_client import Fetcher
from newsletter.matching.engine.query_index import spans
from newsletter.matching.live_index.current import CurrentIndex
from newsletter.matching.match import match_fresh
from newsletter.models import Edition, EditionBody, IndexState
from tests import factories
from tests.editions.stories import FRAME
from tests.factories import ACTOR
from tests.feeds.poll_one import poll_one

_numbers = itertools.count(1_000_000)


@dataclass(frozen=True)
class Post:
    """An entry of a feed."""

    guid: str
    title: str
    html: str
    at: datetime = factories.NOW

    def __str__(self) -> str:
        return (
            f"<item><title>{escape(self.title)}</title><guid>{self.guid}</guid><link>https://digest.example/{self.guid}</link>"
            f"<pubDate>{self.at:%a, %d %b %Y %H:%M:%S} +0000</pubDate>"
            f"<description><![CDATA[{self.html}]]></description></item>"
        )


class Site:
    """One server with a feed per name."""

    def __init__(self, server: HTTPServer) -> None:
        self._server = server
        place = urlsplit(server.url_for("/"))
        allow = frozenset({(place.hostname or "", place.port or 0)})
        self.fetcher = Fetcher(allow=allow, user_agent="newsletter/test")
        self._composer = _composer()
        # the index is kept from test to test, and each test's topics have the same ids again
        IndexState.objects.update_or_create(id=1, defaults={"number": next(_numbers)})

    def read(self, *posts: Post, now: datetime, name: str = "feed") -> poll.PollResult:
        """Let the feed hold these posts, and read it."""
        body = f"<rss version='2.0'><channel><title>{name}</title>{''.join(map(str, posts))}</channel></rss>"
        self._server.clear()
        self._server.expect_request(f"/{name}").respond_with_data(body.encode(), content_type="application/rss+xml")
        url = self._server.url_for(f"/{name}")
        feed_id = manage.find(url)
        if feed_id is None:
            added = manage.add(url, announce="all", fetcher=self.fetcher, now=now, actor=ACTOR)
            assert isinstance(added, manage.AddedFeed), added
            feed_id = added.feed_id
        manage.mark_due(feed_id, now=now)
        done = poll_one(feed_id, now=now, fetcher=self.fetcher)
        assert not done.error, done
        return done

    def mail(self, now: datetime) -> list[list[str]]:
        """Match what waits and compose what is owed: of each new edition the places, as text."""
        match_fresh(now=now, index=CurrentIndex(factories.VAULT))
        before = set(Edition.objects.values_list("id", flat=True))
        gathering = gatherings.close_alert_gathering(now=now, wait=timedelta(0))
        if gathering is not None:
            self.compose(gathering, now)
        return [places(body) for body in EditionBody.objects.exclude(edition_id__in=before)]

    def compose(self, gathering: int, now: datetime) -> None:
        compose.compose(gathering, self._composer, clock=lambda: now)


def places(body: EditionBody) -> list[str]:
    words = factories.VAULT.decrypt(body.key_id, body.cipher, handle=bytes(body.edition.key), column="body")
    return json.loads(words)["text"].split("\n* * *\n")[1:-1]


def hours() -> Iterator[datetime]:
    """One moment after the other, an hour apart."""
    at = factories.NOW
    while True:
        yield at
        at += timedelta(hours=1)


def _composer() -> compose.Composer:
    def planned(*, occasion_id, lane, shares, items_given, audience, now):
        wanted = [Share(*share) for share in shares]
        return plan(
            occasion_id=occasion_id,
            lane=lane,
            shares=wanted,
            items_given=items_given,
            audience=audience,
            provider=factories.OUTBOX,
            now=now,
        )

    return compose.Composer(
        renderer=Renderer(Path(settings.TEMPLATES_DIR) / "email", FRAME),
        explainer=Explainer(keywords=_no_words, find_words=spans, objection_url=_objection),
        vault=factories.VAULT,
        plan=planned,
    )


def _objection(item_id: int, topic_id: int) -> str:
    return f"https://digest.example/objection/{item_id}-{topic_id}"


def _no_words(_ids: object) -> Mapping[int, str]:
    return {}
