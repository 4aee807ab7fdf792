"""Two feeds that tell the same original: one place in a mail, with both summaries and all sources."""

import re
from datetime import datetime, timedelta

import pytest
from pytest_httpserver import HTTPServer

from newsletter.editions import gatherings
from newsletter.matching.live_index.current import CurrentIndex
from newsletter.matching.match import match_fresh
from newsletter.models import Cadence, DeliveryItem, EditionBody, Item, Story
from tests import factories
from tests.feeds.fake_site import Post, Site, places

pytestmark = pytest.mark.django_db
NOW = factories.NOW
ORIGINAL = "https://news.example/2026/11/harbour"


@pytest.fixture
def site(httpserver: HTTPServer) -> Site:
    return Site(httpserver)


def publish(site: Site, name: str, title: str, text: str, source: str, now: datetime) -> None:
    post = Post(f"{name}-{now:%d}", title, f"<p>{text}</p><p>{source}</p>", now)
    assert site.read(post, now=now, name=name).new == 1
    match_fresh(now=now, index=CurrentIndex(factories.VAULT))


def publish_first(site: Site) -> None:
    source = f"Source: Wire, November 20, 2026 {ORIGINAL}?utm_source=rss"
    publish(site, "one", "Harbour closed", "Huawei built it.", source, NOW)


def publish_second(site: Site, now: datetime = NOW) -> None:
    again = f"Wire, November 20, 2026, {ORIGINAL.replace('https://', 'http://m.')}/"
    source = f"Sources: {again}; Quay Times, November 21, 2026, {ORIGINAL}-2"
    publish(site, "two", "No ships today", "The cameras are of Huawei.", source, now)


def test_two_feeds_that_cite_one_original_have_one_place_in_the_mail(site: Site) -> None:
    topic = factories.topic(query="Huawei")
    factories.follow(factories.subscriber(), topic)
    publish_first(site)
    publish_second(site)
    assert Story.objects.count() == 1
    assert Item.objects.exclude(story=None).count() == 2
    ((place,),) = site.mail(NOW)
    for words in ("Harbour closed", "No ships today", "Huawei built it.", "The cameras are of Huawei."):
        assert words in place
    assert sorted(re.findall("Source: (.*)", place)) == ["Quay Times, 21 November 2026", "Wire, 20 November 2026"]


def test_other_articles_do_not_come_between(site: Site) -> None:
    factories.follow(factories.subscriber(), factories.topic(query="Huawei"))
    publish_first(site)
    publish(site, "one", "Something else", "Huawei again.", f"Source: Wire {ORIGINAL}-3", NOW + timedelta(days=2))
    publish_second(site, NOW + timedelta(days=3))
    ((first, second),) = site.mail(NOW + timedelta(days=4))
    assert "Harbour closed" in first
    assert "No ships today" in first
    assert "Something else" in second


def test_a_story_told_again_much_later_is_mailed_alone(site: Site) -> None:
    """A story is no "given once": the second summary is another item."""
    person = factories.subscriber()
    factories.follow(person, factories.topic(query="Huawei"))
    publish(site, "one", "Harbour closed", "Huawei built it.", f"Source: Wire, November 20, 2026 {ORIGINAL}", NOW)
    ((first,),) = site.mail(NOW)
    later = NOW + timedelta(days=40)
    publish(site, "two", "No ships today", "Huawei cameras.", f"Source: Quay Times {ORIGINAL}", later)
    ((second,),) = site.mail(later)
    assert Story.objects.count() == 1
    assert "Harbour closed" in first
    assert "Harbour closed" not in second
    assert "No ships today" in second
    assert "Quay Times" in second
    assert DeliveryItem.objects.filter(subscriber_id=person.id).count() == 2


def test_a_weekly_mail_puts_side_by_side_what_came_days_apart(site: Site) -> None:
    due = NOW + timedelta(days=6)
    person = factories.subscriber(weekly_rhythm=factories.rhythm(Cadence.WEEKLY, hour=9, due_at=due))
    factories.follow(person, factories.topic(query="Huawei"), Cadence.WEEKLY)
    publish_first(site)
    publish_second(site, NOW + timedelta(days=5))
    for gathering in gatherings.open_due_digests(now=due):
        site.compose(gathering, due)
    (place,) = places(EditionBody.objects.get())
    assert "Harbour closed" in place
    assert "No ships today" in place


def test_two_that_cite_a_home_page_are_two_stories(site: Site) -> None:
    factories.follow(factories.subscriber(), factories.topic(query="Huawei"))
    publish(site, "one", "First", "Huawei one.", "Source: Wire https://news.example/", NOW)
    publish(site, "two", "Second", "Huawei two.", "Source: Wire https://news.example/", NOW)
    (mail,) = site.mail(NOW)
    assert len(mail) == 2


def test_the_same_words_in_two_feeds_of_a_site_are_told_once(site: Site) -> None:
    factories.follow(factories.subscriber(), factories.topic(query="Huawei"))
    source = f"Source: Wire, November 20, 2026 {ORIGINAL}"
    publish(site, "one", "Harbour closed", "Huawei built it.", source, NOW)
    publish(site, "two", "Harbour closed", "Huawei  built it.", source, NOW)
    ((place,),) = site.mail(NOW)
    assert place.count("Huawei built it.") == 1
    # both count as given: neither comes again
    assert DeliveryItem.objects.count() == 2
