"""Two feeds that tell the same original: one place in a mail, with both summaries and all sources."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from pytest_httpserver import HTTPServer

from newsletter.delivery.plan import Share, plan
from newsletter.editions import closing, compose
from newsletter.editions.pieces import Explaining
from newsletter.editions.render import Wording
from newsletter.feeds import catalogue, refresh
from newsletter.feeds.fetch import Fetcher
from newsletter.matching.match import match_fresh, spans
from newsletter.models import Cadence, DeliveryItem, Edition, EditionBody, Item, Story
from tests import rows
from tests.editions.stories import FRAME

pytestmark = pytest.mark.django_db
NOW = rows.NOW
ORIGINAL = "https://news.example/2026/11/harbour"


@pytest.fixture
def composer() -> compose.Composer:
    def planned(*, occasion_id, lane, shares, given, now):
        wanted = [Share(*share) for share in shares]
        return plan(occasion_id=occasion_id, lane=lane, shares=wanted, given=given, carrier=rows.OUTBOX, now=now)

    return compose.Composer(
        wording=Wording(Path(settings.TEMPLATES_DIR) / "email", FRAME),
        explaining=Explaining(own_words=lambda _ids: {}, spans=spans),
        vault=rows.VAULT,
        plan=planned,
    )


class Site:
    """Feeds of our own, read by the real door."""

    def __init__(self, server: HTTPServer) -> None:
        self._server = server
        place = urlsplit(server.url_for("/"))
        self._fetcher = Fetcher(
            allow=frozenset({(place.hostname or "", place.port or 0)}), user_agent="newsletter/test"
        )
        self._posts: dict[str, list[str]] = {}

    def publish(self, name: str, title: str, text: str, source: str, now: datetime) -> None:
        """A post in the feed of this name, which is read at once."""
        posts = self._posts.setdefault(name, [])
        posts.insert(
            0,
            f"<item><title>{title}</title><guid>{name}-{len(posts)}</guid><link>https://{name}.example/{len(posts)}</link>"
            f"<pubDate>{now:%a, %d %b %Y %H:%M:%S} +0000</pubDate>"
            f"<description><![CDATA[<p>{text}</p><p>{source}</p>]]></description></item>",
        )
        body = f"<rss version='2.0'><channel><title>{name}</title>{''.join(posts)}</channel></rss>"
        self._server.clear()
        self._server.expect_request(f"/{name}").respond_with_data(body, content_type="application/rss+xml")
        url = self._server.url_for(f"/{name}")
        feed_id = catalogue.find(url)
        if feed_id is None:
            added = catalogue.add(url, announce="all", fetcher=self._fetcher, now=now)
            assert isinstance(added, catalogue.Added), added
            feed_id = added.feed_id
        catalogue.mark_due(feed_id, now=now)
        done = refresh.refresh(feed_id, now=now, fetcher=self._fetcher)
        assert (done.new, done.error) == (1, "")
        match_fresh(now=now, vault=rows.VAULT)


@pytest.fixture
def site(httpserver: HTTPServer) -> Site:
    return Site(httpserver)


def alert(composer: compose.Composer, now: datetime) -> list[list[str]]:
    """Compose what is owed now: the places of each new mail, as text."""
    before = set(Edition.objects.values_list("id", flat=True))
    gathering = closing.close_alert(now=now, wait=timedelta(0))
    if gathering is not None:
        compose.compose(gathering, composer, clock=lambda: now)
    return [places(body) for body in EditionBody.objects.exclude(edition_id__in=before)]


def places(body: EditionBody) -> list[str]:
    words = rows.VAULT.open(body.key_id, body.cipher, handle=bytes(body.edition.key), column="body")
    return json.loads(words)["text"].split("\n* * *\n")[1:-1]


def publish_both(site: Site, second_at: datetime = NOW) -> None:
    site.publish(
        "one", "Harbour closed", "Huawei built it.", f"Source: Wire, November 20, 2026 {ORIGINAL}?utm_source=rss", NOW
    )
    site.publish(
        "two",
        "No ships today",
        "The cameras are of Huawei.",
        f"Sources: Wire, November 20, 2026, http://m.news.example/2026/11/harbour/;"
        f" Quay Times, November 21, 2026, {ORIGINAL}-2",
        second_at,
    )


def test_two_feeds_that_cite_one_original_have_one_place_in_the_mail(site: Site, composer: compose.Composer) -> None:
    topic = rows.topic(query="Huawei")
    rows.follow(rows.subscriber(), topic)
    publish_both(site)
    assert Story.objects.count() == 1
    assert Item.objects.exclude(story=None).count() == 2
    ((place,),) = alert(composer, NOW)
    for words in ("Harbour closed", "No ships today", "Huawei built it.", "The cameras are of Huawei."):
        assert words in place
    assert sorted(re.findall("Source: (.*)", place)) == ["Quay Times, November 21, 2026", "Wire, November 20, 2026"]


def test_other_articles_do_not_come_between(site: Site, composer: compose.Composer) -> None:
    rows.follow(rows.subscriber(), rows.topic(query="Huawei"))
    publish_both(site, NOW + timedelta(days=3))
    site.publish("one", "Something else", "Huawei again.", f"Source: Wire {ORIGINAL}-3", NOW + timedelta(days=2))
    ((first, second),) = alert(composer, NOW + timedelta(days=4))
    assert "Harbour closed" in first
    assert "No ships today" in first
    assert "Something else" in second


def test_a_story_told_again_much_later_is_mailed_alone(site: Site, composer: compose.Composer) -> None:
    """A story is no "given once": the second summary is another item."""
    person = rows.subscriber()
    rows.follow(person, rows.topic(query="Huawei"))
    site.publish("one", "Harbour closed", "Huawei built it.", f"Source: Wire, November 20, 2026 {ORIGINAL}", NOW)
    ((first,),) = alert(composer, NOW)
    later = NOW + timedelta(days=40)
    site.publish("two", "No ships today", "Huawei cameras.", f"Source: Quay Times {ORIGINAL}", later)
    ((second,),) = alert(composer, later)
    assert Story.objects.count() == 1
    assert "Harbour closed" in first
    assert "Harbour closed" not in second
    assert "No ships today" in second
    assert "Quay Times" in second
    assert DeliveryItem.objects.filter(subscriber_id=person.id).count() == 2


def test_a_weekly_mail_puts_side_by_side_what_came_days_apart(site: Site, composer: compose.Composer) -> None:
    due = NOW + timedelta(days=6)
    person = rows.subscriber(weekly_rhythm=rows.rhythm(Cadence.WEEKLY, hour=9, due_at=due))
    rows.follow(person, rows.topic(query="Huawei"), Cadence.WEEKLY)
    publish_both(site, NOW + timedelta(days=5))
    for gathering in closing.take_slots(now=due):
        compose.compose(gathering, composer, clock=lambda: due)
    (place,) = places(EditionBody.objects.get())
    assert "Harbour closed" in place
    assert "No ships today" in place


def test_two_that_cite_a_home_page_are_two_stories(site: Site, composer: compose.Composer) -> None:
    rows.follow(rows.subscriber(), rows.topic(query="Huawei"))
    site.publish("one", "First", "Huawei one.", "Source: Wire https://news.example/", NOW)
    site.publish("two", "Second", "Huawei two.", "Source: Wire https://news.example/", NOW)
    (mail,) = alert(composer, NOW)
    assert len(mail) == 2
