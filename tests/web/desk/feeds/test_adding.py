"""Adding a feed on pages: nothing is saved before the last button, and nothing that it publishes meanwhile is lost."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from newsletter.lib import db as database
from newsletter.models import AuditEntry, Feed
from newsletter.web.desk.feeds import lookups
from tests import factories
from tests.web.desk.feeds.conftest import DIGEST, serve


@pytest.fixture
def huawei(db):
    """A topic with twelve followers, one of whom gets no mail for now."""
    topic = factories.topic("Cables")
    for number in range(13):
        paused = database.now() + timedelta(days=3) if number == 0 else None
        factories.follow(factories.subscriber(paused_until=paused), topic)
    return topic


def post(client, **fields):
    return client.post(reverse("desk_feeds_add"), fields, follow=True)


def text(answer) -> str:
    return " ".join(answer.content.decode().split())


def hidden(answer) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="((?:url|seen|shown)[^"]*)" value="([^"]*)"', answer.content.decode()))


def test_what_is_there_is_shown_cut_and_matched_and_then_added(as_editor, site, huawei):
    url = serve(site, "/feed", ("Digest of Monday", DIGEST), ("Older", "<p>Nothing of interest.</p>"))
    found = post(as_editor, url=url)
    html = text(found)
    assert "Harbour news" in html and "It has 2 entries." in html
    assert "2 articles" in html and "Example Times" in html and "https://times.example/cable" in html
    assert "<b><bdi>Cables</bdi></b>" in html and "“Huawei”" in html
    assert "2 items, of which 1 match a topic; 10 people follow these topics" in html, "the newest entry"
    assert "3 items, of which 1 match a topic; 10 people" in html, "all of them"
    assert not Feed.objects.exists()
    added = post(as_editor, **hidden(found), announce="latest", title="Harbour")
    feed = Feed.objects.get()
    assert added.redirect_chain == [(reverse("desk_feeds_feed", args=[feed.id]), 303)]
    assert "“Harbour” is added" in text(added)
    assert (feed.announce, feed.title, feed.title_given) == ("latest", "Harbour", True)
    assert feed.created_at.isoformat() == hidden(found)["seen_at"], "what came after the first look is news"
    assert AuditEntry.objects.get(action="feed.add").actor == "ed"
    again = post(as_editor, **hidden(found), announce="latest")
    assert "nothing was added" in text(again) and Feed.objects.count() == 1
    looked = post(as_editor, url=url)
    assert looked.status_code == 422 and reverse("desk_feeds_feed", args=[feed.id]) in text(looked)


def test_a_number_that_has_moved_comes_back(as_editor, site, huawei):
    url = serve(site, "/feed", ("Digest", DIGEST))
    fields = hidden(post(as_editor, url=url))
    for _ in range(20):
        factories.follow(factories.subscriber(), huawei)
    moved = post(as_editor, **fields, announce="all")
    assert moved.status_code == 409 and "Nothing was added" in text(moved) and "30 people" in text(moved)
    assert not Feed.objects.exists()
    assert post(as_editor, **hidden(moved), announce="all").status_code == 200 and Feed.objects.exists()


def test_a_topic_of_a_few_people_shows_no_number(as_editor, site, db):
    factories.follow(factories.subscriber(), factories.topic("Cables"))
    found = post(as_editor, url=serve(site, "/feed", ("Digest", DIGEST)))
    assert "fewer than 10 people" in text(found) and hidden(found)["shown-all"] == "0"


def test_a_page_with_several_feeds_offers_each(as_editor, site):
    links = "".join(
        f"<link rel='alternate' type='application/rss+xml' title='{name}' href='/{name}'>" for name in ("news", "blog")
    )
    site.expect_request("/page").respond_with_data(f"<html><head>{links}</head></html>", content_type="text/html")
    html = text(post(as_editor, url=site.url_for("/page")))
    assert "This page links to 2 feeds" in html
    assert html.count('name="url" value="http') == 3 and site.url_for("/blog") in html, "both, and what was typed"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "Paste the address"),
        ("ftp://a.example/", "This is not an http or https URL"),
        ("https://127.0.0.1/feed", "127.0.0.1 is a private address"),
        ("https://somebody:secret@a.example/", "user name or password"),
    ],
)
def test_what_cannot_be_added_says_why(as_editor, db, url, reason):
    answer = post(as_editor, url=url)
    assert answer.status_code == 422 and reason in text(answer)
    assert not Feed.objects.exists()


def test_a_site_that_does_not_answer_is_told(as_editor, site):
    site.expect_request("/feed").respond_with_data("", status=503)
    assert "the site has trouble" in text(post(as_editor, url=site.url_for("/feed")))


def test_few_look_at_sites_at_a_time_so_that_other_pages_have_threads(as_editor, site):
    url = serve(site, "/feed", ("Digest", DIGEST))
    for _ in range(lookups.AT_ONCE):
        lookups._free.acquire()
    try:
        busy = post(as_editor, url=url)
    finally:
        for _ in range(lookups.AT_ONCE):
            lookups._free.release()
    assert busy.status_code == 422 and "Several people are looking at feeds right now" in text(busy)
    assert post(as_editor, url=url).status_code == 200
