"""The settings of a feed: previewed before they are saved, and never saved over what somebody else saved meanwhile."""

import re

import pytest
from django.urls import reverse

from newsletter.lib import db as database
from newsletter.models import AuditEntry, Feed
from tests.web.desk.feeds.conftest import DIGEST, serve


@pytest.fixture
def read(db, site) -> Feed:
    """A feed on our own server that was read once."""
    url = serve(site, "/feed", ("Digest", DIGEST), ("By another", "<h4>One</h4><p>a</p><h4>Two</h4><p>b</p>"))
    now = database.now()
    return Feed.objects.create(url=url, title="Own title", created_at=now, started_at=now, next_fetch_at=now, etag="x")


def post(client, feed, button="save", **typed):
    page = client.get(reverse("desk_feeds_settings", args=[feed.id])).content.decode()
    based_on = re.search('name="based_on" value="([^"]+)"', page)
    fields = {"title": "", "cut": "auto", "based_on": based_on[1], button: "1", **typed}
    return client.post(reverse("desk_feeds_settings", args=[feed.id]), fields, follow=True)


def text(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_preview_shows_what_a_selector_and_a_filter_would_do(as_editor, read):
    answer = post(as_editor, read, "preview", cut="selector", selector="h4", authors="LLD\nANA", title="Mine")
    html = text(answer)
    assert answer.status_code == 200 and "Preview: not saved yet" in html
    assert "2 of its 2 entries are let through" in html
    assert ">One<" in html and ">Two<" in html and "2 articles" in html
    assert 'value="Mine"' in html and "LLD\nANA" in answer.content.decode(), "what was typed is still there"
    nobody = post(as_editor, read, "preview", authors="Nobody")
    assert "0 of its 2 entries" in text(nobody) and "left out by the filter" in text(nobody)
    read.refresh_from_db()
    assert (read.cut, read.only, read.title) == ("auto", {}, "Own title") and not AuditEntry.objects.exists()


def test_saving_changes_what_differs_and_reads_the_feed_again(as_editor, read):
    answer = post(as_editor, read, cut="never", categories="News", title="Mine")
    assert answer.redirect_chain and "The settings of “Mine” are saved." in text(answer)
    read.refresh_from_db()
    assert (read.cut, read.only, read.title, read.title_given) == ("never", {"categories": ["News"]}, "Mine", True)
    assert read.etag == "", "it is read whole"
    (entry,) = AuditEntry.objects.all()
    assert (entry.actor, entry.after["cut"], entry.before["title"]) == ("ed", "never", "Own title")
    Feed.objects.update(etag="y")
    post(as_editor, read, cut="never", categories="News", title="Mine")
    assert AuditEntry.objects.count() == 1 and Feed.objects.get().etag == "y", "nothing differs"


@pytest.mark.parametrize(("selector", "reason"), [("", "Type a CSS selector"), ("h3[", "selector")])
def test_a_selector_that_cannot_be_used_is_told(as_editor, read, selector, reason):
    for button in ("save", "preview"):
        answer = post(as_editor, read, button, cut="selector", selector=selector)
        assert answer.status_code == 422 and reason in text(answer)
    assert Feed.objects.get().cut == "auto"


def test_two_at_once_see_the_difference_and_choose(as_editor, read):
    url = reverse("desk_feeds_settings", args=[read.id])
    based_on = re.search('name="based_on" value="([^"]+)"', as_editor.get(url).content.decode())[1]
    post(as_editor, read, cut="never", title="Theirs")
    mine = {"title": "Mine", "cut": "always", "based_on": based_on, "save": "1"}
    answer = as_editor.post(url, mine)
    html = text(answer)
    assert answer.status_code == 409 and "Somebody else saved these settings meanwhile" in html
    assert "Theirs" in html and 'value="Mine"' in html and "Take theirs" in html
    assert Feed.objects.get().title == "Theirs"
    fresh = re.search('name="based_on" value="([^"]+)"', answer.content.decode())[1]
    assert as_editor.post(url, {**mine, "based_on": fresh}).status_code == 303
    assert (Feed.objects.get().title, Feed.objects.get().cut) == ("Mine", "always")


def test_a_feed_that_is_gone(as_editor, db):
    assert as_editor.get(reverse("desk_feeds_settings", args=[7])).status_code == 404
