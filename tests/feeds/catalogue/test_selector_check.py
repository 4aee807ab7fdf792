"""Selectors that the parser does not know are found before a feed stays uncut for long."""

import pytest

from newsletter.feeds.catalogue import selector_check
from newsletter.models import Feed
from tests import factories


@pytest.mark.django_db
def test_selectors_that_cannot_be_used_are_named() -> None:
    good = Feed.objects.create(url="https://a.example/feed", created_at=factories.NOW, next_fetch_at=factories.NOW)
    bad = Feed.objects.create(url="https://b.example/feed", created_at=factories.NOW, next_fetch_at=factories.NOW)
    Feed.objects.create(url="https://c.example/feed", created_at=factories.NOW, next_fetch_at=factories.NOW)
    Feed.objects.filter(id=good.id).update(cut="h3.entry-title")
    Feed.objects.filter(id=bad.id).update(cut=":matches(h3)")
    ((feed_id, reason),) = selector_check.unusable_selectors()
    assert feed_id == bad.id and "':matches(h3)' is no CSS selector that we know" in reason
