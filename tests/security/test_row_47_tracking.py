"""Row 47: no mail tells us or a provider whether it was opened or what was clicked."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from newsletter.worker import run_once
from tests.fakes.sendgrid import FakeSendGrid
from tests.journey import road
from tests.security import hostile_feed
from tests.security.hostile_feed import Elements

pytestmark = pytest.mark.django_db(transaction=True)

OURS = "https://news.example.org"
_URL = re.compile(r"https?://[^\s<>\"')]+")


def test_the_urls_of_a_mail_are_its_articles_and_its_own_four_pages(settings, httpserver) -> None:
    text = hostile_feed.feed(hostile_feed.post("Uyghur", "", link="https://ok.example/post?utm_source=x"))
    with hostile_feed.mailed(settings, httpserver, text, "a@example.org", "b@example.org", base_url=OURS) as mails:
        mine, other = (set(_URL.findall(mail.html) + _URL.findall(mail.text)) for mail in mails)
        html = mails[0].html
    pages = {urlsplit(url).path.split("/")[1] for url in mine if url.startswith(OURS)}
    assert pages <= {"ask", "unsubscribe", "objection", "preferences", ""}
    assert {urlsplit(url).hostname for url in mine if not url.startswith(OURS)} <= {"ok.example", "www.w3.org"}
    assert {urlsplit(url).path.split("/")[1] for url in mine ^ other} == {"ask", "unsubscribe"}, (
        "all else is everybody's"
    )
    assert "img" not in Elements(html).names


def test_the_provider_is_told_to_track_nothing(settings, httpserver) -> None:
    """Unsaid, the settings of the account would hold, and each link lead through the provider."""
    site = urlsplit(httpserver.url_for("/"))
    with FakeSendGrid() as fake:
        changes = {"mail": "sendgrid:", "sendgrid_api_key": fake.key, "sendgrid_url": fake.url}
        with road.configured(settings, feed_allow=frozenset({(site.hostname, site.port)}), **changes):
            road.set_up(road.serve(httpserver, road.posts()))
            road.subscribe("reader@example.org", "Uyghur")
            run_once.once(wait=timedelta(0))
        (request,) = fake.requests
    tracking = request.body["tracking_settings"]
    assert {"click_tracking", "open_tracking", "subscription_tracking", "ganalytics"} <= set(tracking)
    assert not any(one["enable"] or one.get("enable_text") for one in tracking.values())
