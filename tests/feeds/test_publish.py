"""Items published by hand: stored, corrected and withdrawn like entries of a feed that is never polled."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest

from newsletter.feeds import publish
from newsletter.feeds.backfill import Options, backfill
from newsletter.feeds.catalogue import feed_status, manage, opml_import
from newsletter.feeds.hand_draft import HandDraft, problems
from newsletter.feeds.poll import due_feeds
from newsletter.feeds.publish import PublishedItem
from newsletter.lib.refused import Refused
from newsletter.matching.live_index.current import CurrentIndex
from newsletter.matching.match import match_fresh
from newsletter.models import AuditEntry, Citation, DeliveryItem, Feed, Item, ItemVersion, Match
from tests import factories
from tests.factories import ACTOR, NOW, VAULT

DRAFT = HandDraft(
    title="Parliament hears witnesses",
    markdown="The **Uyghur** witnesses spoke for [two hours](https://paper.example/hours).\n\n- one\n- two",
    publisher="The Paper",
    published_on=date(2026, 11, 20),
    url="https://paper.example/a?utm_source=x",
)


def published(draft: HandDraft = DRAFT) -> PublishedItem:
    item = publish.publish(draft, token=uuid4(), actor=ACTOR, now=NOW)
    assert isinstance(item, PublishedItem)
    return item


def match_all() -> None:
    while match_fresh(now=NOW, index=CurrentIndex(VAULT)).items:
        pass


def test_problems_name_the_field_and_what_to_do() -> None:
    draft = HandDraft("", "<b></b>", "x" * 300, NOW.date() + timedelta(days=5), "ftp://paper.example/")
    assert set(problems(draft, now=NOW)) == {"title", "publisher", "published_on", "url"}
    assert set(problems(replace(DRAFT, markdown=" \n"), now=NOW)) == {"markdown"}
    assert not problems(DRAFT, now=NOW)


@pytest.mark.django_db
def test_published_item_is_matched_like_any_other() -> None:
    topic = factories.topic(query="Uyghur")
    item = published()
    version = ItemVersion.objects.get(item_id=item.item_id)
    assert "<strong>Uyghur</strong>" in version.html
    assert "- one" in version.text
    assert Citation.objects.get(item_id=item.item_id).publisher == "The Paper"
    match_all()
    assert Match.objects.get(topic=topic, item_id=item.item_id).owed_at == NOW
    entry = AuditEntry.objects.get(action="item.publish")
    assert (entry.object_id, entry.object_name) == (item.item_id, DRAFT.title)


@pytest.mark.django_db
def test_one_form_publishes_once() -> None:
    token = uuid4()
    first = publish.publish(DRAFT, token=token, actor=ACTOR, now=NOW)
    second = publish.publish(DRAFT, token=token, actor=ACTOR, now=NOW)
    assert isinstance(first, PublishedItem)
    assert isinstance(second, PublishedItem)
    assert (first.item_id, first.changed, second.changed) == (second.item_id, True, False)
    assert Item.objects.count() == 1


@pytest.mark.django_db
def test_correction_is_a_version_by_the_rules_of_an_edited_entry() -> None:
    factories.topic()
    item = published()
    typo = replace(DRAFT, markdown=DRAFT.markdown.replace("witnesses", "witneses"))
    assert publish.correct(item.item_id, typo, actor=ACTOR, now=NOW).version == 2  # type: ignore[union-attr]
    match_all()
    assert publish.correct(item.item_id, DRAFT, based_on=2, actor=ACTOR, now=NOW).version == 3  # type: ignore[union-attr]
    assert not ItemVersion.objects.get(item_id=item.item_id, n=3).material
    late = publish.correct(item.item_id, typo, based_on=2, actor=ACTOR, now=NOW)
    assert isinstance(late, Refused)
    same = publish.correct(item.item_id, DRAFT, based_on=3, actor=ACTOR, now=NOW)
    assert isinstance(same, PublishedItem)
    assert not same.changed
    assert publish.typed(item.item_id) == replace(DRAFT, url="https://paper.example/a?utm_source=x")


@pytest.mark.django_db
def test_withdrawn_before_it_was_mailed() -> None:
    topic = factories.topic(query="Uyghur")
    item = published()
    match_all()
    assert isinstance(publish.withdraw(item.item_id, actor=ACTOR, now=NOW), PublishedItem)
    assert Match.objects.get(topic=topic).withdrawn_at == NOW
    assert not Item.objects.get(id=item.item_id).announced
    assert isinstance(publish.correct(item.item_id, DRAFT, actor=ACTOR, now=NOW), Refused)


@pytest.mark.django_db
def test_not_withdrawn_once_it_is_in_mails() -> None:
    item = published()
    DeliveryItem.objects.create(item_id=item.item_id, subscriber_id=factories.subscriber().id, version=1)
    assert isinstance(publish.withdraw(item.item_id, actor=ACTOR, now=NOW), Refused)
    assert isinstance(publish.withdraw(factories.item().id, actor=ACTOR, now=NOW), Refused)


@pytest.mark.django_db
def test_built_in_feed_is_never_polled_changed_or_exported() -> None:
    published()
    feed = Feed.objects.get()
    later = NOW + timedelta(days=30)
    assert due_feeds(now=later) == ()
    assert [row.health for row in feed_status.listing(now=later)] == ["by hand"]
    assert "by-hand" not in opml_import.export_opml(now=NOW)
    assert isinstance(manage.resume(feed.id, now=NOW, actor=ACTOR), Refused)
    assert isinstance(manage.mark_due(feed.id, now=NOW), Refused)
    assert isinstance(manage.remove(feed.id, now=NOW, actor=ACTOR), Refused)
    assert isinstance(backfill(feed.id, Options(), fetcher=None, clock=lambda: NOW, actor=ACTOR), Refused)  # type: ignore[arg-type]
    feed.refresh_from_db()
    assert feed.state == Feed.State.BY_HAND
