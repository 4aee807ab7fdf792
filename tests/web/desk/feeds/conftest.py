"""Feeds on a server of our own, which the pages may read."""

from urllib.parse import urlsplit

import pytest

from newsletter import wiring
from newsletter.feeds.fetching.http_client import Fetcher
from newsletter.models import Feed
from tests import factories

DIGEST = (
    "<p><b>Huawei builds a cable</b></p><p>A company lays Huawei cables to the island.</p>"
    "<p>Source: Example Times, 2 November 2026, <a href='https://times.example/cable'>link</a></p>"
    "<p><b>A village gets its own mast</b></p><p>The mast stands on a hill.</p>"
    "<p>Source: Example Post, 1 November 2026, <a href='https://post.example/mast'>link</a></p>"
)


@pytest.fixture
def site(httpserver, monkeypatch):
    """A server whose pages may be read although it is on this machine."""
    place = urlsplit(httpserver.url_for("/"))
    fetcher = Fetcher(
        allow=frozenset({(place.hostname or "", place.port or 0)}), user_agent="newsletter/test", seconds=5
    )
    monkeypatch.setattr(wiring, "page_fetcher", lambda: fetcher)
    monkeypatch.setattr("newsletter.worker.tasks.publish", lambda *_: None)
    return httpserver


def feed_xml(*entries: tuple[str, str], title: str = "Harbour news") -> str:
    """A feed with entries (title, HTML), the newest first."""
    items = "".join(
        f"<item><title>{name}</title><guid>{name}</guid><link>https://digest.example/{number}</link><author>LLD</author>"
        f"<pubDate>Mon, 02 Nov 2026 {20 - number:02}:00:00 +0000</pubDate><description><![CDATA[{html}]]></description></item>"
        for number, (name, html) in enumerate(entries)
    )
    return (
        f"<rss version='2.0'><channel><title>{title}</title><link>https://digest.example/</link>{items}</channel></rss>"
    )


def serve(site, path: str, *entries: tuple[str, str], **options) -> str:
    """Serve a feed and return its URL."""
    site.expect_request(path).respond_with_data(feed_xml(*entries, **options), content_type="application/rss+xml")
    return site.url_for(path)


@pytest.fixture
def feed(db) -> Feed:
    """A feed that was read, without a server behind it."""
    return Feed.objects.create(
        url="https://harbour.example/feed",
        title="Harbour news",
        created_at=factories.NOW,
        started_at=factories.NOW,
        read_at=factories.NOW,
        next_fetch_at=factories.NOW.replace(year=2100),
    )
